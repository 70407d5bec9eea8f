"""Restraints of bonds between residues that no library describes: the bond, and the angles at its ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.core.crystal import Model
from workbench.engine.geometry.components import Component
from workbench.engine.geometry.restraint_tables import RestraintLists

if TYPE_CHECKING:
    from workbench.engine.geometry.links import DirectBond

ANGLE_SIGMA = math.radians(3.0)
_BY_HYBRIDISATION = {3: 109.5, 2: 120.0, 1: 180.0}
_AT_END = {
    ("S", "C"): 101.8, ("S", "S"): 104.0, ("SE", "C"): 99.0, ("O", "C"): 116.0, ("O", "P"): 120.0, ("O", "S"): 119.0,
}  # fmt: skip
"""Degrees at the first element between a carbon of its own and the second element: sulfides, disulfides, selenides,
glycosides and esters, phosphate and sulfate esters. Medians over the components and links of the embedded library
(cysteine links 101.8, cystine 103.8, selenomethionine 98.7, glycosides 114 to 116, esters 117.7, nucleotides 120)."""


def add_direct_bonds(
    lists: RestraintLists, model: Model, bonds: Sequence[DirectBond], components: list[dict[str, Component]]
) -> None:
    """Adds the bonds, and angles where an end is an atom of a known component; metals get bonds only.

    components: of every residue row by altloc, empty where the component is unknown.
    """
    for bond in bonds:
        if bond.operator is not None:
            lists.images.append(bond.operator)
            lists.bonds.setdefault((bond.first, bond.second, len(lists.images)), []).append((bond.ideal, bond.sigma))
        else:
            lists.add_bond(bond.first, bond.second, bond.ideal, bond.sigma)
    neighbours: dict[int, list[int]] = {}
    for i, j, image in lists.bonds:
        if image == 0:
            neighbours.setdefault(i, []).append(j)
            neighbours.setdefault(j, []).append(i)
    for bond in bonds:
        if bond.metal or bond.operator is not None:
            continue
        for centre, other in ((bond.first, bond.second), (bond.second, bond.first)):
            angle = _angle(model, centre, str(model.element[other]), components)
            if angle is None:
                continue
            for third in neighbours.get(centre, []):
                letters = {str(model.altloc[x]) for x in (other, centre, third)} - {""}
                if third != other and model.residue[third] == model.residue[centre] and len(letters) <= 1:
                    lists.add_angle(other, centre, third, angle, ANGLE_SIGMA)


def _angle(model: Model, centre: int, beside: str, components: list[dict[str, Component]]) -> float | None:
    """Angle in radians at the end of a bond to an element `beside`; None where the component is unknown."""
    by_altloc = components[int(model.residue[centre])]
    if not by_altloc:
        return None
    known = by_altloc.get(str(model.altloc[centre])) or next(iter(by_altloc.values()))
    tabulated = _AT_END.get((str(model.element[centre]), beside))
    if tabulated is not None:
        return math.radians(tabulated)
    return math.radians(_BY_HYBRIDISATION.get(known.sp.get(str(model.atom_name[centre]), 3), 109.5))
