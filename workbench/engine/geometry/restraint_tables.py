"""Restraints of gemmi's topology, atom by atom, as flat lists over model rows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray
from workbench.engine.geometry.description import Angles, Bonds, Chiralities, Planes, Torsions
from workbench.engine.geometry.symmetry_copies import image_operator

PLANE_SIGMA = 0.02
CHIRAL_SIGMA_FLOOR = 0.2
"""Angstrom^3; sigmas of the volume below this would make chirality stiffer than the bonds and angles it comes from."""

CONJUGATED_SIGMA = 10.0
"""Degrees; dictionaries ask 5 of every bond between two flat groups, also where neighbours make it twist by 40."""

_MONOMER_TORSION = re.compile(r"^(const|sp2_sp2|chi)", re.IGNORECASE)
_LINK_TORSION = re.compile(r"^(omega|const|sp2_sp2)", re.IGNORECASE)


@dataclass
class RestraintLists:
    """Restraints under construction. Bonds are keyed by pair (i < j; with the image number for symmetry copies, where
    the order is kept) and hold every ideal proposed as (ideal, sigma)."""

    bonds: dict[tuple[int, int, int], list[tuple[float, float]]] = field(default_factory=dict)
    angles: dict[tuple[int, int, int], list[tuple[float, float]]] = field(default_factory=dict)
    torsions: dict[tuple[int, int, int, int], list[tuple[float, float, int]]] = field(default_factory=dict)
    chiralities: dict[tuple[int, int, int, int], tuple[float, float, int]] = field(default_factory=dict)
    planes: dict[tuple[int, ...], float] = field(default_factory=dict)
    images: list[AnyArray] = field(default_factory=list)

    def add_bond(self, i: int, j: int, ideal: float, sigma: float) -> None:
        key = (i, j, 0) if i < j else (j, i, 0)
        if i != j and ideal > 0 and sigma > 0:
            self.bonds.setdefault(key, []).append((ideal, sigma))

    def add_angle(self, i: int, j: int, k: int, ideal: float, sigma: float) -> None:
        """ideal and sigma in radians."""
        key = (i, j, k) if i < k else (k, j, i)
        if sigma > 0:
            self.angles.setdefault(key, []).append((ideal, sigma))

    def add_torsion(self, atoms: tuple[int, int, int, int], ideal: float, sigma: float, period: int) -> None:
        key = atoms if atoms[0] < atoms[3] else (atoms[3], atoms[2], atoms[1], atoms[0])
        if sigma > 0:
            self.torsions.setdefault(key, []).append((ideal, sigma, period))

    def add_plane(self, atoms: Iterable[int], sigma: float) -> None:
        key = tuple(sorted(set(atoms)))
        if len(key) >= 4 and sigma > 0:
            self.planes[key] = min(sigma, self.planes.get(key, sigma))

    def bonded_pairs(self) -> set[tuple[int, int]]:
        """Pairs i < j bonded inside the asymmetric unit."""
        return {(i, j) for i, j, image in self.bonds if image == 0}

    def renumbered(self, place: AnyArray) -> RestraintLists:
        """The same restraints for atoms that moved to rows `place` (which keeps their order)."""

        def at(key: Iterable[int]) -> tuple[int, ...]:
            return tuple(int(place[i]) for i in key)

        moved = RestraintLists(images=self.images)
        moved.bonds = {(int(place[i]), int(place[j]), image): v for (i, j, image), v in self.bonds.items()}
        moved.angles = {(int(place[i]), int(place[j]), int(place[k])): v for (i, j, k), v in self.angles.items()}
        moved.torsions = {
            (int(place[i]), int(place[j]), int(place[k]), int(place[m])): v for (i, j, k, m), v in self.torsions.items()
        }
        moved.chiralities = {
            (int(place[i]), int(place[j]), int(place[k]), int(place[m])): v
            for (i, j, k, m), v in self.chiralities.items()
        }
        moved.planes = {at(k): v for k, v in self.planes.items()}
        return moved


def read_topology(topology: gemmi.Topo, cell: gemmi.UnitCell, taken_over: set[int]) -> RestraintLists:
    """Every heavy-atom restraint of the topology.

    taken_over: model rows that have restraints of their own elsewhere; monomer restraints among them are skipped.
    """
    lists = RestraintLists()
    link_torsions: set[int] = set()
    across: dict[int, int] = {}
    skip: dict[gemmi.RKind, set[int]] = {}
    bonds = topology.bonds
    for link in _links(topology):
        crossing = link.asu == gemmi.Asu.Different
        for rule in link.link_rules:
            if rule.rkind == gemmi.RKind.Torsion:
                link_torsions.add(rule.index)
            if rule.rkind == gemmi.RKind.Bond:
                if crossing:
                    a, b = bonds[rule.index].atoms
                    image = cell.find_nearest_image(a.pos, b.pos, gemmi.Asu.Different)
                    if image.sym_idx or any(image.pbc_shift):
                        lists.images.append(image_operator(cell, image))
                        across[rule.index] = len(lists.images)
            elif crossing:
                skip.setdefault(rule.rkind, set()).add(rule.index)
    no: set[int] = set()
    for n, bond in enumerate(bonds):
        i, j = (a.serial - 1 for a in bond.atoms)
        if i in taken_over and j in taken_over:
            continue
        ideal, sigma = bond.restr.value, bond.restr.esd
        if not (ideal > 0 and sigma > 0):
            continue
        if n in across:
            lists.bonds.setdefault((i, j, across[n]), []).append((ideal, sigma))
        else:
            lists.add_bond(i, j, ideal, sigma)
    for n, angle in enumerate(topology.angles):
        i, j, k = (a.serial - 1 for a in angle.atoms)
        if n in skip.get(gemmi.RKind.Angle, no) or (i in taken_over and j in taken_over and k in taken_over):
            continue
        target = angle.restr
        lists.add_angle(i, j, k, math.radians(target.value), math.radians(target.esd))
    for n, torsion in enumerate(topology.torsions):
        wanted = _LINK_TORSION if n in link_torsions else _MONOMER_TORSION
        restr = torsion.restr
        label, esd = restr.label, restr.esd
        if n in skip.get(gemmi.RKind.Torsion, no) or esd <= 0 or not wanted.match(label):
            continue
        i, j, k, m = (a.serial - 1 for a in torsion.atoms)
        esd = max(esd, CONJUGATED_SIGMA) if label.startswith("sp2_sp2") else esd
        if not {i, j, k, m} <= taken_over:
            lists.add_torsion((i, j, k, m), math.radians(restr.value), math.radians(esd), max(restr.period, 1))
    for n, chirality in enumerate(topology.chirs):
        centre, i, j, k = (a.serial - 1 for a in chirality.atoms)
        if n in skip.get(gemmi.RKind.Chirality, no) or {centre, i, j, k} <= taken_over:
            continue
        volume = topology.ideal_chiral_abs_volume(chirality)
        sign = chirality.restr.sign
        if not volume > 0.1:
            continue
        ideal = -volume if sign == gemmi.ChiralityType.Negative else volume
        lists.chiralities[(centre, i, j, k)] = (ideal, 0.0, int(sign == gemmi.ChiralityType.Both))
    for n, plane in enumerate(topology.planes):
        atoms = [a.serial - 1 for a in plane.atoms]
        if n not in skip.get(gemmi.RKind.Plane, no) and not set(atoms) <= taken_over:
            lists.add_plane(atoms, plane.restr.esd)
    return lists


def _links(topology: gemmi.Topo) -> list[gemmi.Topo.Link]:
    found = list(topology.extras)
    for chain in chain_infos(topology):
        for residue in chain.res_infos:
            found.extend(residue.prev)
    return found


def chain_infos(topology: gemmi.Topo) -> list[gemmi.Topo.ChainInfo]:
    """The chains of a topology as a list."""
    return [topology.chain_infos[i] for i in range(len(topology.chain_infos))]


def to_tables(
    lists: RestraintLists,
    xyz: AnyArray,
) -> tuple[Bonds, Angles, Torsions, Chiralities, Planes]:
    """The lists as arrays. Where several ideals were proposed for one restraint the nearest to the model stays."""
    bond_keys = list(lists.bonds)
    bond_atoms = np.array([k[:2] for k in bond_keys], np.int32).reshape(-1, 2)
    lengths = np.linalg.norm(xyz[bond_atoms[:, 0]] - xyz[bond_atoms[:, 1]], axis=1)
    chosen = [min(lists.bonds[k], key=lambda t, d=d: abs(t[0] - d)) for k, d in zip(bond_keys, lengths, strict=True)]  # type: ignore[misc]
    bonds = Bonds(
        bond_atoms,
        np.array([c[0] for c in chosen], float),
        np.array([c[1] for c in chosen], float),
        np.array([k[2] for k in bond_keys], np.int32),
    )
    angle_keys = list(lists.angles)
    angle_atoms = np.array(angle_keys, np.int32).reshape(-1, 3)
    now = angle_values(xyz, angle_atoms)
    picked = [min(lists.angles[k], key=lambda t, a=a: abs(t[0] - a)) for k, a in zip(angle_keys, now, strict=True)]  # type: ignore[misc]
    angles = Angles(angle_atoms, np.array([p[0] for p in picked], float), np.array([p[1] for p in picked], float))
    torsion_keys = list(lists.torsions)
    torsion_atoms = np.array(torsion_keys, np.int32).reshape(-1, 4)
    dihedrals = torsion_values(xyz, torsion_atoms)
    kept = [
        min(lists.torsions[k], key=lambda t, v=v: abs(torsion_difference(v, t[0], t[2])))  # type: ignore[misc]
        for k, v in zip(torsion_keys, dihedrals.tolist(), strict=True)
    ]
    torsions = Torsions(
        torsion_atoms,
        np.array([k[0] for k in kept], float),
        np.array([k[1] for k in kept], float),
        np.array([k[2] for k in kept], np.int32),
    )
    plane_keys = list(lists.planes)
    lengths_of = np.array([len(k) for k in plane_keys], np.int32)
    planes = Planes(
        np.concatenate([[0], np.cumsum(lengths_of)]).astype(np.int32),
        np.array([i for k in plane_keys for i in k], np.int32),
        np.array([lists.planes[k] for k in plane_keys], float),
    )
    return bonds, angles, torsions, _chiralities(lists, bonds, angles), planes


def _chiralities(lists: RestraintLists, bonds: Bonds, angles: Angles) -> Chiralities:
    keys = list(lists.chiralities)
    pairs = list(map(tuple, bonds.atoms.tolist()))
    bond_sigma = dict(zip(pairs, bonds.sigma.tolist(), strict=True))
    bond_ideal = dict(zip(pairs, bonds.ideal.tolist(), strict=True))
    spreads = zip(angles.ideal.tolist(), angles.sigma.tolist(), strict=True)
    angle = dict(zip(map(tuple, angles.atoms.tolist()), spreads, strict=True))
    sigma = []
    for key in keys:
        given = lists.chiralities[key][1]
        sigma.append(given if given > 0 else _volume_sigma(key, bond_ideal, bond_sigma, angle))
    return Chiralities(
        np.array(keys, np.int32).reshape(-1, 4),
        np.array([lists.chiralities[k][0] for k in keys], float),
        np.array(sigma, float),
        np.array([lists.chiralities[k][2] for k in keys], np.int32),
    )


def _volume_sigma(
    atoms: tuple[int, int, int, int],
    bond_ideal: dict[tuple[int, int], float],
    bond_sigma: dict[tuple[int, int], float],
    angle: dict[tuple[int, int, int], tuple[float, float]],
) -> float:
    """Error propagation through V = abc sqrt(1 - cos^2 A - cos^2 B - cos^2 C + 2 cos A cos B cos C), in A^3."""
    centre, *near = atoms
    lengths, sigmas, cosines, spreads = [], [], [], []
    for x in near:
        pair = (min(centre, x), max(centre, x))
        if pair not in bond_ideal:
            return CHIRAL_SIGMA_FLOOR
        lengths.append(bond_ideal[pair])
        sigmas.append(bond_sigma[pair])
    for x, y in ((near[0], near[1]), (near[1], near[2]), (near[2], near[0])):
        triple = (min(x, y), centre, max(x, y))
        if triple not in angle:
            return CHIRAL_SIGMA_FLOOR
        a, s = angle[triple]
        cosines.append(math.cos(a))
        spreads.append(math.sin(a) * s)
    p, q, r = cosines
    root = 1 - p * p - q * q - r * r + 2 * p * q * r
    if root <= 1e-4:
        return CHIRAL_SIGMA_FLOOR
    product = lengths[0] * lengths[1] * lengths[2]
    volume = product * math.sqrt(root)
    variance = sum((volume * s / x) ** 2 for x, s in zip(lengths, sigmas, strict=True))
    slopes = (q * r - p, r * p - q, p * q - r)
    variance += sum((product / math.sqrt(root) * slope * s) ** 2 for slope, s in zip(slopes, spreads, strict=True))
    return max(CHIRAL_SIGMA_FLOOR, math.sqrt(variance))


def angle_values(xyz: AnyArray, atoms: AnyArray) -> AnyArray:
    """(k,) angles in radians; atoms (k, 3)."""
    u = xyz[atoms[:, 0]] - xyz[atoms[:, 1]]
    v = xyz[atoms[:, 2]] - xyz[atoms[:, 1]]
    cross = np.linalg.norm(np.cross(u, v), axis=1)
    result: AnyArray = np.arctan2(cross, np.einsum("ki,ki->k", u, v))
    return result


def torsion_values(xyz: AnyArray, atoms: AnyArray) -> AnyArray:
    """(k,) dihedral angles in radians (IUPAC sign); atoms (k, 4)."""
    b1 = xyz[atoms[:, 1]] - xyz[atoms[:, 0]]
    b2 = xyz[atoms[:, 2]] - xyz[atoms[:, 1]]
    b3 = xyz[atoms[:, 3]] - xyz[atoms[:, 2]]
    n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
    y = np.linalg.norm(b2, axis=1) * np.einsum("ki,ki->k", b1, n2)
    result: AnyArray = np.arctan2(y, np.einsum("ki,ki->k", n1, n2))
    return result


def chiral_volumes(xyz: AnyArray, atoms: AnyArray) -> AnyArray:
    """(k,) signed volumes in A^3 of centre and three neighbours; atoms (k, 4)."""
    a, b, c = (xyz[atoms[:, m]] - xyz[atoms[:, 0]] for m in (1, 2, 3))
    result: AnyArray = np.einsum("ki,ki->k", a, np.cross(b, c))
    return result


def torsion_difference(value: float, ideal: float, period: int) -> float:
    """value - ideal in radians, brought to the nearest of `period` equal minima."""
    step = 2 * math.pi / max(period, 1)
    return (value - ideal + step / 2) % step - step / 2
