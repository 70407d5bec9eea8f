"""Where hydrogens belong: the dictionary's distances and angles, turned into rules for `hydrogens`.

The place of a hydrogen is decided once, when the restraints are built; from then on it follows its parents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from workbench.core.arrays import AnyArray, BoolArray, FloatArray
from workbench.core.crystal import Model
from workbench.engine.geometry.components import Component
from workbench.engine.geometry.description import Hydrogens
from workbench.engine.geometry.hydrogens import OFFSET, ONE, THREE, TWO
from workbench.engine.geometry.links import same_conformer

_TETRAHEDRAL = math.acos(-1 / 3)
_TRIGONAL = 2 * math.pi / 3
_HYDROGEN_BOND = 1.9
"""Hydrogen to acceptor, angstrom."""


@dataclass
class Surroundings:
    """What placement needs of the model.

    neighbours: bonded heavy atoms of each model row. components: per residue row, altloc ("" for none) -> Component.
    lost: rows of atoms -> hydrogens given up to a link no dictionary describes. homeless: rows whose hydrogens have no
    known place (after a chain gap). heavy (n,), metal (n,).
    names, altlocs, elements (n,), residue (n,), places (r,): the model's columns as lists (a place is number, insertion
    code and chain of a residue), since placement asks for single atoms, many times over.
    """

    model: Model
    neighbours: dict[int, list[int]]
    components: list[dict[str, Component]]
    heavy: BoolArray
    metal: AnyArray
    lost: dict[int, int] = field(default_factory=dict)
    homeless: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rows = np.flatnonzero(self.heavy & (self.model.occupancy > 0))
        self.tree = cKDTree(self.model.xyz[self.rows]) if len(self.rows) else None
        self.metals = np.flatnonzero(self.metal)
        self.names: list[str] = self.model.atom_name.tolist()
        self.altlocs: list[str] = self.model.altloc.tolist()
        self.elements: list[str] = self.model.element.tolist()
        self.residue: list[int] = self.model.residue.tolist()
        of = self.model.residues
        self.places: list[tuple[int, str, str]] = list(
            zip(of.number.tolist(), of.insertion.tolist(), of.chain.tolist(), strict=True)
        )

    def component(self, atom: int) -> Component | None:
        by_altloc = self.components[self.residue[atom]]
        if not by_altloc:
            return None
        return by_altloc.get(self.altlocs[atom]) or next(iter(by_altloc.values()))

    def bonded(self, atom: int, altloc: str) -> list[int]:
        """Heavy neighbours in one conformer: that of the atom, else `altloc`, else the most occupied."""
        altlocs = self.altlocs
        all_near = sorted(self.neighbours.get(atom, ()))
        letters = {altlocs[i] for i in all_near} - {""}
        if not letters and len(all_near) < 2:
            return all_near
        letter = altlocs[atom] or altloc
        if letters and letter not in letters:
            of = [i for i in all_near if altlocs[i]]
            letter = altlocs[max(of, key=lambda i: (float(self.model.occupancy[i]), -i))]
        chosen: dict[tuple[tuple[int, str, str], str], int] = {}
        for i in all_near:
            place = (self.places[self.residue[i]], self.names[i])
            if altlocs[i] in ("", letter) or place not in chosen:
                chosen[place] = i
        return list(chosen.values())

    def near_metal(self, atom: int) -> bool:
        if not len(self.metals):
            return False
        distance = np.linalg.norm(self.model.xyz[self.metals] - self.model.xyz[atom], axis=1)
        return bool(distance.min() < 2.8)


@dataclass
class _Rows:
    element: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    neighbours: list[tuple[int, int, int]] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    parameters: list[tuple[float, float, float, float]] = field(default_factory=list)
    model_index: list[int] = field(default_factory=list)

    def add(self, element: str, name: str, parent: int, rule: _Rule, model_index: int) -> None:
        self.element.append(element)
        self.name.append(name)
        self.parent.append(parent)
        self.neighbours.append(rule.neighbours)
        self.kind.append(rule.kind)
        self.parameters.append(rule.parameters)
        self.model_index.append(model_index)

    def table(self) -> Hydrogens:
        return Hydrogens(
            element=np.array(self.element, dtype=str) if self.element else np.zeros(0, "U1"),
            name=np.array(self.name, dtype=str) if self.name else np.zeros(0, "U4"),
            parent=np.array(self.parent, np.int32),
            neighbours=np.array(self.neighbours, np.int32).reshape(-1, 3),
            kind=np.array(self.kind, np.int32),
            parameters=np.array(self.parameters, float).reshape(-1, 4),
            model_index=np.array(self.model_index, np.int32),
        )


@dataclass(frozen=True)
class _Rule:
    kind: int
    neighbours: tuple[int, int, int]
    parameters: tuple[float, float, float, float]


def no_hydrogens() -> Hydrogens:
    """An empty table."""
    return _Rows().table()


def ideal_hydrogens(around: Surroundings) -> Hydrogens:
    """Riding hydrogens for every atom whose component and neighbours are known (none on water)."""
    rows = _Rows()
    model = around.model
    kinds = model.residues.kind.tolist()
    histidine = _histidine_protons(around)
    for parent in np.flatnonzero(around.heavy).tolist():
        if kinds[around.residue[parent]] == "water" or parent in around.homeless:
            continue
        component = around.component(parent)
        if component is None:
            continue
        name = around.names[parent]
        wanted = component.hydrogens.get(name)
        if not wanted or parent in histidine:
            continue
        wanted = wanted[: max(0, len(wanted) - around.lost.get(parent, 0))]
        polar = around.elements[parent] in ("O", "S") or (
            around.elements[parent] == "N" and component.sp.get(name) == 2
        )
        if not wanted or (polar and around.near_metal(parent)):
            continue
        for order, (h, distance) in enumerate(wanted):
            rule = _ideal_rule(around, component, parent, h, order, len(wanted), distance, None, "")
            if rule is not None:
                rows.add("H", h, parent, rule, -1)
    return rows.table()


def kept_hydrogens(around: Surroundings, kept: AnyArray, in_model: bool) -> tuple[Hydrogens, list[int]]:
    """Rules for hydrogens that the model has. Distances and angles are the dictionary's where it knows the hydrogen,
    torsions and sides those of the model. in_model: the table refers to the model's own rows, else they ride.

    Also returns the rows that have no heavy atom near and therefore cannot ride.
    """
    rows = _Rows()
    orphans: list[int] = []
    model = around.model
    for i in kept.tolist():
        parent = _parent_of(around, i)
        if parent is None:
            orphans.append(i)
            continue
        rule = None
        component = around.component(parent)
        altloc = around.altlocs[i]
        if component is not None and around.residue[parent] == around.residue[i] and parent not in around.homeless:
            known = component.hydrogens.get(around.names[parent], [])
            names = [h for h, _ in known]
            name = _dictionary_name(around.names[i], names)
            if name is not None:
                order = names.index(name)
                xyz = model.xyz[i]
                distance = known[order][1]
                rule = _ideal_rule(around, component, parent, name, order, len(known), distance, xyz, altloc)
        if rule is None:
            rule = _own_rule(around, parent, model.xyz[i], altloc)
        rows.add(around.elements[i], around.names[i], parent, rule, i if in_model else -1)
    return rows.table(), orphans


def _dictionary_name(name: str, known: list[str]) -> str | None:
    if name in known:
        return name
    as_hydrogen = "H" + name[1:] if name.startswith("D") else name
    if as_hydrogen in known:
        return as_hydrogen
    if as_hydrogen[:1].isdigit() and as_hydrogen[1:] + as_hydrogen[0] in known:
        return as_hydrogen[1:] + as_hydrogen[0]
    return known[0] if len(known) == 1 else None


def _parent_of(around: Surroundings, hydrogen: int) -> int | None:
    """The heavy atom that carries a hydrogen of the model: by name in the dictionary, else the nearest within 1.5 A."""
    model = around.model
    row = around.residue[hydrogen]
    altloc = around.altlocs[hydrogen]
    first, count = int(model.residues.first_atom[row]), int(model.residues.n_atoms[row])
    inside = [
        i
        for i in range(first, first + count)
        if around.heavy[i] and same_conformer(around.altlocs[i], altloc)
    ]  # fmt: skip
    if inside:
        distance = np.linalg.norm(model.xyz[inside] - model.xyz[hydrogen], axis=1)
        best = int(distance.argmin())
        if distance[best] < 1.5:
            return inside[best]
    if around.tree is None:
        return None
    for near in around.rows[around.tree.query_ball_point(model.xyz[hydrogen], 1.5)].tolist():
        if same_conformer(around.altlocs[near], altloc):
            return int(near)
    return None


def _ideal_rule(
    around: Surroundings,
    component: Component,
    parent: int,
    h: str,
    order: int,
    count: int,
    distance: float,
    seen: FloatArray | None,
    altloc: str,
) -> _Rule | None:
    """The rule for hydrogen number `order` of `count` on a parent; None when neighbours are missing.
    seen: where the model has it, if it has."""
    name = around.names[parent]
    near = around.bonded(parent, altloc)
    near = [i for i in near if not around.metal[i]]
    residue = around.residue[parent]
    present = {around.names[i] for i in near if around.residue[i] == residue}
    if any(expected not in present for expected in component.neighbours.get(name, ())) or not 1 <= len(near) <= 3:
        return None
    inner = [around.names[i] if around.residue[i] == residue else "" for i in near]
    flat = component.sp.get(name) == 2
    if len(near) == 3:
        if count != 1 or flat:
            return None
        key: tuple[object, ...] = (name, h, *inner)
        if key not in component.placements:
            component.placements[key] = _three_constants(component, name, h, inner)
        c1, c2, c3 = component.placements[key]
        return _Rule(THREE, (near[0], near[1], near[2]), (distance, c1, c2, c3))
    if len(near) == 2:
        if count > 2:
            return None
        key = (name, h, *inner)
        if key not in component.placements:
            component.placements[key] = _two_constants(component, name, h, inner, flat and count == 1)
        c1, c2, c3 = component.placements[key]
        if c3:
            c3 = abs(c3) * _side(around, component, parent, near, name, h, inner, order, seen)
        return _Rule(TWO, (near[0], near[1], -1), (distance, c1, c2, c3))
    a = near[0]
    theta = component.angles.get((inner[0], name, h), _TRIGONAL if flat else _TETRAHEDRAL)
    if theta > 3.05:
        b = _any_second(around, parent, a, altloc)
        return None if b is None else _Rule(ONE, (a, b, -1), (distance * math.cos(theta), 0.0, 0.0, 0.0))
    b = _any_second(around, parent, a, altloc)
    if b is None:
        return None
    torsion = _torsion(around, component, parent, a, b, h, order, count, distance, theta, flat, seen)
    return _one_rule(a, b, distance, theta, torsion)


def _one_rule(a: int, b: int, distance: float, theta: float, torsion: float) -> _Rule:
    """ONE from an angle H-p-a and a torsion H-p-a-b."""
    across = distance * math.sin(theta)
    return _Rule(
        ONE,
        (a, b, -1),
        (distance * math.cos(theta), across * math.cos(torsion), across * math.sin(torsion), 0.0),
    )


def _any_second(around: Surroundings, parent: int, a: int, altloc: str) -> int | None:
    """An atom bonded to a (not the parent): the one of the same residue first."""
    letter = around.altlocs[parent] or around.altlocs[a] or altloc
    residue = around.residue[a]
    others = [i for i in around.bonded(a, letter) if i != parent]
    others.sort(key=lambda i: (around.residue[i] != residue, bool(around.metal[i]), i))
    for i in others:
        if around.residue[i] != around.residue[parent] or around.names[i] != around.names[parent]:
            return i
    return None


def _three_constants(component: Component, name: str, h: str, inner: list[str]) -> tuple[float, ...]:
    """Coefficients of the three unit vectors in the ideal geometry: the solution of  G c = cos(angle H-p-n)."""
    gram = np.eye(3)
    for i in range(3):
        for j in range(i):
            phi = component.angles.get((inner[i], name, inner[j]), _TETRAHEDRAL)
            gram[i, j] = gram[j, i] = math.cos(phi)
    right = np.array([math.cos(component.angles.get((n, name, h), _TETRAHEDRAL)) for n in inner])
    try:
        solved = np.linalg.solve(gram, right)
    except np.linalg.LinAlgError:
        solved = np.full(3, -1.0)
    if np.any(solved > -0.2):
        solved = np.full(3, -1.0)
    return tuple(float(x) for x in solved)


def _two_constants(component: Component, name: str, h: str, inner: list[str], flat: bool) -> tuple[float, ...]:
    """Coefficients of u1, u2 and u1 x u2 in the ideal geometry (the sign of the last is chosen elsewhere)."""
    usual = _TRIGONAL if flat else _TETRAHEDRAL
    phi = component.angles.get((inner[0], name, inner[1]), usual)
    thetas = [component.angles.get((n, name, h)) for n in inner]
    if not flat and None not in thetas and sum(t or 0.0 for t in thetas) + phi > math.radians(355):
        flat = True
    if flat:
        rest = 2 * math.pi - phi
        if thetas[0] is not None and thetas[1] is not None:
            first = rest * thetas[0] / (thetas[0] + thetas[1])
        elif thetas[0] is not None:
            first = thetas[0]
        elif thetas[1] is not None:
            first = rest - thetas[1]
        else:
            first = rest / 2
        t1, t2 = first, rest - first
    else:
        t1, t2 = (t if t is not None else usual for t in thetas)
    c, s2 = math.cos(phi), math.sin(phi) ** 2
    c1 = (math.cos(t1) - c * math.cos(t2)) / s2
    c2 = (math.cos(t2) - c * math.cos(t1)) / s2
    if flat:
        return c1, c2, 0.0
    inside = c1 * c1 + c2 * c2 + 2 * c1 * c2 * c
    return c1, c2, math.sqrt(max(0.0, 1 - inside) / s2)


def _side(
    around: Surroundings,
    component: Component,
    parent: int,
    near: list[int],
    name: str,
    h: str,
    inner: list[str],
    order: int,
    seen: FloatArray | None,
) -> float:
    """+1 or -1: on which side of the plane p, n1, n2."""
    xyz = around.model.xyz
    if seen is not None:
        normal = np.cross(xyz[near[0]] - xyz[parent], xyz[near[1]] - xyz[parent])
        return 1.0 if float(normal @ (seen - xyz[parent])) >= 0 else -1.0
    ideal = component.xyz
    if all(x in ideal for x in (name, h, *inner)):
        key = ("side", name, h, *inner)
        if key not in component.placements:
            normal = np.cross(ideal[inner[0]] - ideal[name], ideal[inner[1]] - ideal[name])
            component.placements[key] = (1.0 if float(normal @ (ideal[h] - ideal[name])) >= 0 else -1.0,)
        return component.placements[key][0]
    return 1.0 if order == 0 else -1.0


def _dihedral(h: FloatArray, p: FloatArray, a: FloatArray, b: FloatArray) -> float:
    """Angle of h about p-a, from b, in the frame of rule ONE (0 = eclipsed with b)."""
    e1 = (a - p) / np.linalg.norm(a - p)
    e3 = np.cross(e1, b - a)
    e3 = e3 / max(float(np.linalg.norm(e3)), 1e-8)
    e2 = np.cross(e3, e1)
    return math.atan2(float((h - p) @ e3), float((h - p) @ e2))


def _torsion(
    around: Surroundings,
    component: Component,
    parent: int,
    a: int,
    b: int,
    h: str,
    order: int,
    count: int,
    distance: float,
    theta: float,
    flat: bool,
    seen: FloatArray | None,
) -> float:
    model = around.model
    xyz = model.xyz
    if seen is not None:
        return _dihedral(seen, xyz[parent], xyz[a], xyz[b])
    a_name = around.names[a]
    other = around.component(a)
    a_flat = other is not None and other.sp.get(a_name) == 2
    if count == 1 and not flat and around.elements[parent] in ("O", "S", "SE"):
        return _best_hydroxyl(around, parent, a, b, distance, theta, a_flat)
    start = order * 2 * math.pi / max(count, 1)
    ideal = component.xyz
    names = (h, around.names[parent], a_name, around.names[b])
    same_residue = around.residue[parent] == around.residue[a] == around.residue[b]
    if same_residue and all(x in ideal for x in names):
        key = ("torsion", *names)
        if key not in component.placements:
            component.placements[key] = (_dihedral(*(ideal[x] for x in names)),)
        phase = component.placements[key][0]
    else:
        phase = math.pi + start
    if flat:
        return math.pi * round(phase / math.pi)
    if a_flat:
        return phase
    if count == 3 or not same_residue:
        return math.pi + (2 * math.pi / 3) * round((phase - math.pi) / (2 * math.pi / 3))
    return phase


def _best_hydroxyl(
    around: Surroundings, parent: int, a: int, b: int, distance: float, theta: float, a_flat: bool
) -> float:
    """Torsion of a hydroxyl or thiol hydrogen: staggered (or in the plane of a ring), towards an acceptor if one is
    near, away from everything else."""
    model = around.model
    angles = np.radians(np.arange(0, 360, 10.0))
    p, xa, xb = model.xyz[parent], model.xyz[a], model.xyz[b]
    e1 = (xa - p) / np.linalg.norm(xa - p)
    e3 = np.cross(e1, xb - xa)
    e3 /= max(float(np.linalg.norm(e3)), 1e-8)
    e2 = np.cross(e3, e1)
    across = distance * math.sin(theta)
    places = (
        p
        + distance * math.cos(theta) * e1
        + across * (np.cos(angles)[:, None] * e2 + np.sin(angles)[:, None] * e3)
    )  # fmt: skip
    score = (1 - np.cos(2 * angles)) if a_flat else 0.5 * (1 + np.cos(3 * angles))
    assert around.tree is not None
    letter = around.altlocs[parent]
    bonded = {parent, a, *around.neighbours.get(a, ())}
    close = [
        i
        for i in around.rows[around.tree.query_ball_point(p, 4.2)].tolist()
        if i not in bonded and same_conformer(letter, around.altlocs[i])
    ]
    if close:
        d = np.linalg.norm(places[:, None, :] - model.xyz[close][None, :, :], axis=2)
        acceptor = np.isin(model.element[close], ("O", "N", "F", "CL"))
        score = score - 2.0 * (np.exp(-(((d - _HYDROGEN_BOND) / 0.35) ** 2)) * acceptor).max(axis=1, initial=0.0)
        limit = np.where(acceptor, 1.6, 2.5)
        score = score + 4.0 * (np.maximum(0.0, limit - d) ** 2).sum(axis=1)
    return float(angles[int(score.argmin())])


def _histidine_protons(around: Surroundings) -> set[int]:
    """Ring nitrogens of histidines that carry no proton: one nitrogen keeps its proton always, the other only between
    two acceptors. The dictionary's histidine has both."""
    model = around.model
    bare: set[int] = set()
    if around.tree is None:
        return bare
    for row in np.flatnonzero(model.residues.name == "HIS").tolist():
        first = int(model.residues.first_atom[row])
        rings: dict[str, dict[str, int]] = {}
        for i in range(first, first + int(model.residues.n_atoms[row])):
            if around.names[i] in ("ND1", "NE2"):
                rings.setdefault(around.altlocs[i], {})[around.names[i]] = i
        for ring in rings.values():
            if len(ring) < 2:
                continue
            reach = {n: _nearest_acceptor(around, i) for n, i in ring.items()}
            if around.near_metal(ring["ND1"]) or around.near_metal(ring["NE2"]):
                continue
            if max(reach.values()) < 3.2:
                continue
            bare.add(ring["ND1"] if reach["NE2"] <= reach["ND1"] + 0.2 else ring["NE2"])
    return bare


def _nearest_acceptor(around: Surroundings, atom: int) -> float:
    """Distance in angstrom to the nearest sure acceptor oxygen of another residue (4.0 if none is nearer)."""
    model = around.model
    best = 4.0
    assert around.tree is not None
    for i in around.rows[around.tree.query_ball_point(model.xyz[atom], 4.0)].tolist():
        row = around.residue[i]
        if row == around.residue[atom] or around.elements[i] != "O" or model.residues.kind[row] == "water":
            continue
        if around.names[i] in ("OG", "OG1", "OH"):
            continue
        if same_conformer(around.altlocs[i], around.altlocs[atom]):
            best = min(best, float(np.linalg.norm(model.xyz[i] - model.xyz[atom])))
    return best


def _own_rule(around: Surroundings, parent: int, xyz: FloatArray, altloc: str) -> _Rule:
    """A rule that keeps a hydrogen where the model has it, relative to the frame of its parent."""
    model = around.model
    p = model.xyz[parent]
    near = [i for i in around.bonded(parent, altloc) if not around.metal[i]]
    if near:
        a = near[0]
        b = next((i for i in near[1:]), None) or _any_second(around, parent, a, altloc)
        if b is not None:
            e1 = (model.xyz[a] - p) / np.linalg.norm(model.xyz[a] - p)
            e3 = np.cross(e1, model.xyz[b] - model.xyz[a])
            length = float(np.linalg.norm(e3))
            if length > 0.05:
                e3 /= length
                v = xyz - p
                constants = (float(v @ e1), float(v @ np.cross(e3, e1)), float(v @ e3), 0.0)
                return _Rule(ONE, (a, b, -1), constants)
    x, y, z = (float(c) for c in xyz - p)
    return _Rule(OFFSET, (-1, -1, -1), (x, y, z, 0.0))
