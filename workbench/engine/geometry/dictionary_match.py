"""Dictionaries that call the atoms of a component otherwise than the model does.

A dictionary made from a SMILES string, or by another program than the one that built the ligand, has the right bonds
and the wrong names; by its names it would tear the ligand apart. Its atoms are matched to those of the model by
elements and bonds, of all ways to do so the one with the right hands and the best lengths and angles, and the
dictionary is renamed. One that describes another molecule is not used.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, FloatArray
from workbench.core.crystal import Model
from workbench.engine.geometry.structure import is_hydrogen

TOLERANCE = 0.4
"""Angstrom beyond the sum of covalent radii that still makes a bond of the model."""
STRETCHED = 0.7
"""Angstrom off its ideal length, a bond says that its atoms are called wrong."""
DOUBT = 0.1
"""Share of bonds and atoms that do not fit from which names are doubted: a bad model has fewer."""
STRANGER = 0.3
"""Share from which a dictionary that cannot be matched is not used."""
FEWEST = 4
"""Heavy atoms below which nothing can be mistaken."""
_MAPS, _STEPS = 2000, 200_000
"""Ways of matching that are compared, and attempts at finding them."""


@dataclass(frozen=True)
class _Molecule:
    """Heavy atoms of one residue: names, elements, neighbours (rows) of each, and coordinates in angstrom."""

    names: list[str]
    elements: list[str]
    near: list[set[int]]
    xyz: FloatArray


def fit_dictionaries(model: Model, library: gemmi.MonLib) -> tuple[list[str], dict[str, str]]:
    """Rename what can be matched and take out what cannot, in `library` itself.

    Returns notes, and the components taken out with the reason. Polymers are left alone: their names are standard.
    """
    notes: list[str] = []
    strangers: dict[str, str] = {}
    residues = model.residues
    heavy = ~is_hydrogen(model)
    for name in sorted(set(residues.name[np.isin(residues.kind, ("ligand", "sugar"))].tolist())):
        if name not in library.monomers:
            continue
        definition = library.monomers[name]
        molecule = _in_model(model, heavy, name)
        if len(molecule.names) < FEWEST or _misfit(molecule, definition) <= DOUBT:
            continue
        theirs = _in_dictionary(definition)
        if _agrees(molecule, theirs):
            continue
        mapping = _best(molecule, theirs, definition)
        if mapping is not None:
            hands, _ = _penalty(molecule, theirs, mapping, definition)
            _rename(definition, {theirs.names[j]: molecule.names[i] for i, j in enumerate(mapping)})
            notes.append(
                f"{name}: its dictionary calls the atoms otherwise than the model; they were matched by their bonds."
                + (f" {hands} of its centres have the other hand than in the model: check them." if hands else "")
            )
        elif _misfit(molecule, definition) > STRANGER:
            del library.monomers[name]
            strangers[name] = "the dictionary describes another molecule: restrained to its own geometry"
    return notes, strangers


def _in_model(model: Model, heavy: BoolArray, name: str) -> _Molecule:
    """The most complete residue called `name`, in its first conformer, without metals."""
    rows_of = np.flatnonzero((model.residues.name == name)[model.residue] & heavy)
    best: list[int] = []
    for residue in dict.fromkeys(model.residue[rows_of].tolist()):
        rows = rows_of[model.residue[rows_of] == residue]
        letters = sorted({str(x) for x in model.altloc[rows]} - {""})[:1]
        one = [i for i in rows.tolist() if str(model.altloc[i]) in ("", *letters)]
        if len(one) > len(best):
            best = one
    elements = [str(model.element[i]) for i in best]
    kept = [i for i, element in zip(best, elements, strict=True) if not gemmi.Element(element).is_metal]
    elements = [str(model.element[i]) for i in kept]
    radius = np.array([gemmi.Element(element).covalent_r for element in elements])
    xyz = np.asarray(model.xyz[kept], float).reshape(-1, 3)
    apart = np.linalg.norm(xyz[:, None] - xyz[None], axis=2)
    bonded = (apart < radius[:, None] + radius[None] + TOLERANCE) & (apart > 0.8)
    near = [set(np.flatnonzero(row).tolist()) for row in bonded]
    return _Molecule([str(model.atom_name[i]) for i in kept], elements, near, xyz)


def _in_dictionary(definition: gemmi.ChemComp) -> _Molecule:
    atoms = [a for a in definition.atoms if not a.is_hydrogen() and not a.el.is_metal]
    place = {a.id: n for n, a in enumerate(atoms)}
    near: list[set[int]] = [set() for _ in atoms]
    for bond in definition.rt.bonds:
        i, j = place.get(bond.id1.atom), place.get(bond.id2.atom)
        if i is not None and j is not None:
            near[i].add(j)
            near[j].add(i)
    return _Molecule([a.id for a in atoms], [a.el.name.upper() for a in atoms], near, np.zeros((len(atoms), 3)))


def _misfit(molecule: _Molecule, definition: gemmi.ChemComp) -> float:
    """Share of the model's atoms that the dictionary does not have, or has with another element or with bonds that
    are far from their lengths."""
    place = {name: n for n, name in enumerate(molecule.names)}
    theirs = {a.id: a.el.name.upper() for a in definition.atoms}
    wrong = {n for name, n in place.items() if theirs.get(name) != molecule.elements[n]}
    for bond in definition.rt.bonds:
        i, j = place.get(bond.id1.atom), place.get(bond.id2.atom)
        if i is None or j is None or not bond.value > 0.0:
            continue
        if abs(float(np.linalg.norm(molecule.xyz[i] - molecule.xyz[j])) - bond.value) > STRETCHED:
            wrong |= {i, j}
    return len(wrong) / len(molecule.names)


def _agrees(molecule: _Molecule, theirs: _Molecule) -> bool:
    """By its names every atom has its element and every bond of the model is one of the dictionary: then only the
    geometry is bad."""
    place = {name: n for n, name in enumerate(theirs.names)}
    image = [place.get(name, -1) for name in molecule.names]
    return all(
        image[i] >= 0
        and molecule.elements[i] == theirs.elements[image[i]]
        and all(image[k] in theirs.near[image[i]] for k in molecule.near[i])
        for i in range(len(image))
    )


def _best(molecule: _Molecule, theirs: _Molecule, definition: gemmi.ChemComp) -> list[int] | None:
    """For each atom of the model the dictionary's, None when the molecules differ."""
    ways = _ways(molecule, theirs)
    return min(ways, key=lambda way: _penalty(molecule, theirs, way, definition)) if ways else None


def _ways(molecule: _Molecule, theirs: _Molecule) -> list[list[int]]:
    """Every way (to a limit) to lay the model's atoms on the dictionary's with every bond on a bond. Atoms may be
    missing from the model, never from the dictionary."""
    total = len(molecule.names)
    if total > len(theirs.names):
        return []
    kind, their_kind = _kinds(molecule, theirs)
    order = _order(molecule, kind)
    image = [-1] * total
    used: set[int] = set()
    found: list[list[int]] = []
    steps = 0

    def fits(i: int, j: int) -> bool:
        if j in used or kind[i] != their_kind[j] or len(molecule.near[i]) > len(theirs.near[j]):
            return False
        return all(image[k] < 0 or image[k] in theirs.near[j] for k in molecule.near[i])

    def place(depth: int) -> None:
        nonlocal steps
        if depth == total:
            found.append(list(image))
            return
        i = order[depth]
        laid = [image[k] for k in molecule.near[i] if image[k] >= 0]
        for j in sorted(theirs.near[laid[0]]) if laid else range(len(theirs.names)):
            steps += 1
            if steps > _STEPS or len(found) >= _MAPS:
                return
            if fits(i, j):
                image[i] = j
                used.add(j)
                place(depth + 1)
                used.discard(j)
                image[i] = -1

    place(0)
    return found


def _kinds(molecule: _Molecule, theirs: _Molecule) -> tuple[list[str], list[str]]:
    """What must agree between an atom and its image: the element; the elements around it as well, to the fifth bond,
    when nothing is missing."""
    mine, other = list(molecule.elements), list(theirs.elements)
    if sorted(mine) != sorted(other) or sum(map(len, molecule.near)) != sum(map(len, theirs.near)):
        return mine, other
    for _ in range(5):
        known: dict[str, str] = {}

        def refined(each: _Molecule, kind: list[str], known: dict[str, str] = known) -> list[str]:
            full = [f"{kind[n]}({','.join(sorted(kind[m] for m in near))})" for n, near in enumerate(each.near)]
            return [known.setdefault(text, str(len(known))) for text in full]

        mine, other = refined(molecule, mine), refined(theirs, other)
    return mine, other


def _order(molecule: _Molecule, kind: list[str]) -> list[int]:
    """Rows along bonds, from the rarest kind of atom."""
    count = {k: kind.count(k) for k in kind}
    left = sorted(range(len(kind)), key=lambda n: (count[kind[n]], -len(molecule.near[n])))
    order: list[int] = []
    while left:
        queue = [left[0]]
        while queue:
            n = min(queue, key=lambda m: count[kind[m]])
            queue.remove(n)
            if n in left:
                left.remove(n)
                order.append(n)
                queue += [m for m in molecule.near[n] if m in left]
    return order


def _penalty(molecule: _Molecule, theirs: _Molecule, way: list[int], definition: gemmi.ChemComp) -> tuple[int, float]:
    """Wrong hands, then squared deviations of bonds and angles in units of 0.05 A and 5 degrees."""
    xyz = {theirs.names[j]: molecule.xyz[i] for i, j in enumerate(way)}
    hands = 0
    for chirality in definition.rt.chirs:
        ids = (chirality.id_ctr, chirality.id1, chirality.id2, chirality.id3)
        if chirality.sign == gemmi.ChiralityType.Both or not all(x.atom in xyz for x in ids):
            continue
        centre, a, b, c = (xyz[x.atom] for x in ids)
        volume = float(np.dot(a - centre, np.cross(b - centre, c - centre)))
        hands += (volume > 0) != (chirality.sign == gemmi.ChiralityType.Positive)
    total = 0.0
    for bond in definition.rt.bonds:
        if bond.id1.atom in xyz and bond.id2.atom in xyz:
            total += ((float(np.linalg.norm(xyz[bond.id1.atom] - xyz[bond.id2.atom])) - bond.value) / 0.05) ** 2
    for angle in definition.rt.angles:
        if angle.id1.atom in xyz and angle.id2.atom in xyz and angle.id3.atom in xyz:
            u, v = (xyz[x.atom] - xyz[angle.id2.atom] for x in (angle.id1, angle.id3))
            seen = np.degrees(np.arctan2(np.linalg.norm(np.cross(u, v)), float(u @ v)))
            total += (float(seen - angle.value) / 5.0) ** 2
    return hands, total


def _rename(definition: gemmi.ChemComp, names: dict[str, str]) -> None:
    """Call the atoms of a component by other names (old -> new); others that are in the way step aside."""
    taken = set(names.values())
    full = dict(names)
    for atom in definition.atoms:
        if atom.id not in full:
            new = atom.id
            while new in taken:
                new += "'"
            full[atom.id] = new
            taken.add(new)
    for atom in definition.atoms:
        atom.id = full[atom.id]
    rt = definition.rt
    for bond in rt.bonds:
        _renamed(full, bond.id1, bond.id2)
    for angle in rt.angles:
        _renamed(full, angle.id1, angle.id2, angle.id3)
    for torsion in rt.torsions:
        _renamed(full, torsion.id1, torsion.id2, torsion.id3, torsion.id4)
    for chirality in rt.chirs:
        _renamed(full, chirality.id_ctr, chirality.id1, chirality.id2, chirality.id3)
    for plane in rt.planes:
        _renamed(full, *plane.ids)


def _renamed(full: dict[str, str], *ids: gemmi.Restraints.AtomId) -> None:
    for each in ids:
        each.atom = full.get(each.atom, each.atom)
