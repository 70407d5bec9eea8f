"""What the dictionary says of one component after its links and modifications, in plain values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import gemmi
import numpy as np

from workbench.core.arrays import FloatArray


@dataclass(eq=False)
class Component:
    """name. chem_type: energy type of each atom. neighbours: bonded heavy atoms of each heavy atom.
    hydrogens: parent -> (name, distance in angstrom) of each hydrogen. angles: radians, both
    directions. sp: hybridisation of each atom (2, 3, 1 or -1). xyz: the dictionary's own coordinates, if it has any."""

    name: str
    chem_type: dict[str, str]
    neighbours: dict[str, list[str]]
    hydrogens: dict[str, list[tuple[str, float]]]
    angles: dict[tuple[str, str, str], float]
    sp: dict[str, int]
    xyz: dict[str, FloatArray]
    placements: dict[tuple[object, ...], tuple[float, ...]] = field(default_factory=dict)
    """Constants of hydrogen frames already worked out (hydrogen_placement.py)."""


def component(definition: gemmi.ChemComp, ener_lib: gemmi.EnerLib, nuclear_distances: bool = False) -> Component:
    """Plain values of a chemical component. nuclear_distances: hydrogens at the distance of their nuclei."""
    types = ener_lib.atoms
    hydrogen = {a.id for a in definition.atoms if a.is_hydrogen()}
    chem_type = {a.id: a.chem_type for a in definition.atoms}
    made = Component(
        name=definition.name,
        chem_type=chem_type,
        neighbours={a: [] for a in chem_type if a not in hydrogen},
        hydrogens={},
        angles={},
        sp={a: (types[t].sp if t in types else -1) for a, t in chem_type.items()},
        xyz={},
    )
    for bond in definition.rt.bonds:
        i, j = bond.id1.atom, bond.id2.atom
        if i not in chem_type or j not in chem_type:
            continue
        if i in hydrogen and j in hydrogen:
            continue
        if i in hydrogen or j in hydrogen:
            parent, h = (j, i) if i in hydrogen else (i, j)
            made.hydrogens.setdefault(parent, []).append((h, _hydrogen_distance(bond, nuclear_distances)))
        else:
            made.neighbours[i].append(j)
            made.neighbours[j].append(i)
    for angle in definition.rt.angles:
        i, j, k = angle.id1.atom, angle.id2.atom, angle.id3.atom
        made.angles[(i, j, k)] = made.angles[(k, j, i)] = math.radians(angle.value)
    for atom in definition.atoms:
        position = np.array(atom.xyz.tolist())
        if np.all(np.isfinite(position)):
            made.xyz[atom.id] = position
    spread = [np.linalg.norm(made.xyz[i] - made.xyz[j]) for i in made.neighbours for j in made.neighbours[i]
              if i in made.xyz and j in made.xyz]  # fmt: skip
    if spread and min(spread) < 0.5:
        made.xyz.clear()
    return made


_CLOUD_TO_NUCLEUS = 1.12
"""Nuclear over electron-cloud distance, for dictionaries without nuclear ones (C-H 1.09 and 0.97 A: Allen and Bruno
2010, Acta Cryst. B66, 380-386)."""


def _hydrogen_distance(bond: gemmi.Restraints.Bond, nuclear: bool) -> float:
    cloud = bond.value if bond.value > 0 else 0.97
    if not nuclear:
        return cloud
    return bond.value_nucleus if bond.value_nucleus > 0 else cloud * _CLOUD_TO_NUCLEUS
