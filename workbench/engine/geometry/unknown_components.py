"""Restraints for what no dictionary knows: the component's own geometry, with wider sigmas.

Bonds follow from covalent radii, everything else from the coordinates as they are: the aim is to keep the shape the
depositor gave it, not to judge it.
"""

from __future__ import annotations

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray
from workbench.core.crystal import Model
from workbench.engine.geometry.links import near_pairs, same_conformer
from workbench.engine.geometry.restraint_tables import (
    RestraintLists,
    angle_values,
    chiral_volumes,
)

BOND_TOLERANCE = 0.4
"""Angstrom beyond the sum of covalent radii that still makes a bond."""
# How far a ligand of a refined model is from its dictionary is how far its own shape may be wrong. Seven deposited
# structures (ligands and sugars of mdm2, 7RIN, 1CBS, 8OLA, 4IID, 2H6O, 1V9G; 2395 bonds): r.m.s. 0.011 to 0.032 A and
# 1.3 to 3.3 degrees. Dictionaries give 0.01 to 0.02 A and 1.5 to 3 degrees.
BOND_SIGMA = 0.03
METAL_BOND_SIGMA = 0.1
ANGLE_SIGMA = np.radians(4.0)
PLANE_SIGMA = 0.04
CHIRAL_SIGMA = 0.4
FLAT = 0.12
"""Largest distance in angstrom of an atom from the plane of its group that still counts as flat."""
SHORTEST_BOND = 0.8


def own_bonds(model: Model, rows: AnyArray, of: set[int]) -> list[tuple[int, int]]:
    """Bonds by covalent radii among the model rows, at least one atom of each in `of`; a bond to more than the
    residue itself is never made here."""
    found = []
    radius = {e: gemmi.Element(e).covalent_r for e in set(model.element[rows].tolist())}
    for i, j in near_pairs(model, rows, 3.2).tolist():
        if i not in of and j not in of:
            continue
        if model.residue[i] != model.residue[j] or not same_conformer(str(model.altloc[i]), str(model.altloc[j])):
            continue
        distance = float(np.linalg.norm(model.xyz[i] - model.xyz[j]))
        reach = radius[str(model.element[i])] + radius[str(model.element[j])] + BOND_TOLERANCE
        if SHORTEST_BOND < distance < reach:
            found.append((i, j))
    return found


def add_own_geometry(
    lists: RestraintLists,
    model: Model,
    bonds: list[tuple[int, int]],
    of: set[int],
    metal: AnyArray,
    centres: set[int] | None = None,
) -> None:
    """Adds bonds, angles, flat groups and hands for the atoms `of`, from the bonds given (pairs of model rows)
    and the coordinates of the model. centres: further atoms whose angles with one of `of` are wanted (links)."""
    xyz = model.xyz
    for i, j in bonds:
        sigma = METAL_BOND_SIGMA if metal[i] or metal[j] else BOND_SIGMA
        lists.add_bond(i, j, float(np.linalg.norm(xyz[i] - xyz[j])), sigma)
    neighbours: dict[int, list[int]] = {}
    for i, j, image in lists.bonds:
        if image == 0 and not (metal[i] or metal[j]):
            neighbours.setdefault(i, []).append(j)
            neighbours.setdefault(j, []).append(i)
    for centre in sorted({x for pair in bonds for x in pair} | (centres or set())):
        near = sorted(neighbours.get(centre, []))
        for m, i in enumerate(near):
            for k in near[m + 1 :]:
                conformers = {str(model.altloc[x]) for x in (i, centre, k)} - {""}
                if len(conformers) > 1 or not {i, centre, k} & of:
                    continue
                key = (i, centre, k) if i < k else (k, centre, i)
                if key not in lists.angles:
                    value = float(angle_values(xyz, np.array([key]))[0])
                    lists.add_angle(*key, value, ANGLE_SIGMA)
        if len(near) == 3 and centre in of and len({str(model.altloc[x]) for x in [centre, *near]} - {""}) <= 1:
            group = [centre, *near]
            if _out_of_plane(xyz[group]) < FLAT:
                lists.add_plane(group, PLANE_SIGMA)
            else:
                volume = float(chiral_volumes(xyz, np.array([group]))[0])
                lists.chiralities[(centre, near[0], near[1], near[2])] = (volume, CHIRAL_SIGMA, 0)
    for ring in _rings(neighbours, of):
        if _out_of_plane(xyz[list(ring)]) < FLAT:
            around = {x for atom in ring for x in neighbours[atom]}
            flat = [x for x in sorted(around | set(ring)) if x in ring or _near_plane(xyz, list(ring), x)]
            conformers = {str(model.altloc[x]) for x in flat} - {""}
            lists.add_plane(flat if len(conformers) <= 1 else ring, PLANE_SIGMA)


def _plane(points: AnyArray) -> tuple[AnyArray, AnyArray]:
    centre = points.mean(axis=0)
    return centre, np.linalg.svd(points - centre)[2][2]


def _out_of_plane(points: AnyArray) -> float:
    centre, normal = _plane(points)
    return float(np.abs((points - centre) @ normal).max())


def _near_plane(xyz: AnyArray, ring: list[int], atom: int) -> bool:
    centre, normal = _plane(xyz[ring])
    return bool(abs((xyz[atom] - centre) @ normal) < 2 * FLAT)


def _rings(neighbours: dict[int, list[int]], of: set[int]) -> list[tuple[int, ...]]:
    """Rings of five or six atoms, all in `of`."""
    rings: set[tuple[int, ...]] = set()

    def walk(path: list[int]) -> None:
        for following in neighbours.get(path[-1], []):
            if following == path[0] and len(path) in (5, 6):
                rings.add(tuple(sorted(path)))
            elif following in of and following > path[0] and following not in path and len(path) < 6:
                walk([*path, following])

    for start in sorted(of):
        walk([start])
    return sorted(rings)
