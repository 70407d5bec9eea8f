"""Metals and what they are bound to: who can be a donor, and how far from the metal it should be.

The target distance is the radius of the metal for its charge and coordination number plus a radius of the donor.
Metal radii: Shannon (1976), Acta Cryst. A32, 751-767, table 1 (high spin where both are given). Donor radii: the
distances that Harding (2006), Acta Cryst. D62, 678-682, found in proteins, less Shannon's radius of tetrahedral zinc
(0.60): histidine N 2.03, cysteine S 2.31; oxygen 1.36 as Shannon gives for O 2-; halides from Zn-Cl 2.27, Zn-Br 2.41,
Zn-I 2.61 in tetrahalide zincates. Against Harding's distances the sums are right to 0.07 A for Mg, Ca, Mn, Fe, Co, Zn,
Na and K with oxygen.

Two rules depart from the sums, because Harding's distances and the means of the Crystallography Open Database (COD) do
(tests/reference/literature_values.py). Magnesium has six donors, of which models lack some (Mg-O of COD is 2.03 to
2.07 A for four to six seen). Some pairs do not grow with the number of donors: sulfur and selenium at Mn, Fe, Co and
Cu, nitrogen at Cu (Fe-S of COD 2.33 and 2.26 A, Cu-N 2.00 and 2.03 A, for four and six), and the donors of large shells
that hold both oxygens of carboxylates.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray
from workbench.core.crystal import Model
from workbench.engine.geometry.crystal_neighbours import CrystalNeighbours

REACH = 3.4
"""Angstrom; no metal here has donors further away."""
NEAR = 0.4
"""Angstrom beyond the target up to which an atom that no record names is taken as a donor."""
SIGMA = 0.1
SOFT_SIGMA = 0.15
"""Alkali metals and the heavier alkaline earths: their distances spread more. Harding (2006) expects 0.05 to 0.1 A
around Mg, Mn, Fe, Co and Zn, 0.1 around Na and Ca, 0.2 around K and where main-chain oxygen binds."""

_SOFT = frozenset(("NA", "K", "RB", "CS", "CA", "SR", "BA"))

DONOR_RADIUS = {
    "O": 1.36, "N": 1.43, "S": 1.71, "SE": 1.83, "F": 1.30, "CL": 1.67, "BR": 1.81, "I": 2.01,
}  # fmt: skip

SHANNON: dict[str, dict[int, dict[int, float]]] = {
    "LI": {1: {4: 0.59, 6: 0.76, 8: 0.92}},
    "NA": {1: {4: 0.99, 5: 1.00, 6: 1.02, 7: 1.12, 8: 1.18, 9: 1.24}},
    "K": {1: {4: 1.37, 6: 1.38, 7: 1.46, 8: 1.51, 9: 1.55, 10: 1.59}},
    "RB": {1: {6: 1.52, 7: 1.56, 8: 1.61, 9: 1.63}},
    "CS": {1: {6: 1.67, 8: 1.74, 9: 1.78}},
    "MG": {2: {4: 0.57, 5: 0.66, 6: 0.72, 8: 0.89}},
    "CA": {2: {6: 1.00, 7: 1.06, 8: 1.12, 9: 1.18}},
    "SR": {2: {6: 1.18, 7: 1.21, 8: 1.26, 9: 1.31}},
    "BA": {2: {6: 1.35, 7: 1.38, 8: 1.42, 9: 1.47}},
    "AL": {3: {4: 0.39, 5: 0.48, 6: 0.535}},
    "V": {4: {5: 0.53, 6: 0.58}, 5: {4: 0.355, 5: 0.46, 6: 0.54}},
    "CR": {3: {6: 0.615}},
    "MN": {2: {4: 0.66, 5: 0.75, 6: 0.83, 7: 0.90, 8: 0.96}, 3: {5: 0.58, 6: 0.645}},
    "FE": {2: {4: 0.63, 6: 0.78, 8: 0.92}, 3: {4: 0.49, 5: 0.58, 6: 0.645}},
    "CO": {2: {4: 0.58, 5: 0.67, 6: 0.745}, 3: {6: 0.545}},
    "NI": {2: {4: 0.55, 5: 0.63, 6: 0.69}},
    "CU": {2: {4: 0.57, 5: 0.65, 6: 0.73}, 1: {2: 0.46, 4: 0.60, 6: 0.77}},
    "ZN": {2: {4: 0.60, 5: 0.68, 6: 0.74, 8: 0.90}},
    "MO": {6: {4: 0.41, 5: 0.50, 6: 0.59}},
    "CD": {2: {4: 0.78, 5: 0.87, 6: 0.95, 7: 1.03, 8: 1.10}},
    "AG": {1: {2: 0.67, 4: 1.00, 5: 1.09, 6: 1.15}},
    "W": {6: {4: 0.42, 5: 0.51, 6: 0.60}},
    "PT": {2: {4: 0.60}, 4: {6: 0.625}},
    "AU": {3: {4: 0.68}},
    "HG": {2: {2: 0.69, 4: 0.96, 6: 1.02, 8: 1.14}},
    "TL": {1: {6: 1.50, 8: 1.59}},
    "PB": {2: {6: 1.19, 7: 1.23, 8: 1.29}},
    "Y": {3: {6: 0.90, 7: 0.96, 8: 1.019, 9: 1.075}},
    "LA": {3: {6: 1.032, 7: 1.10, 8: 1.16, 9: 1.216}},
    "SM": {3: {6: 0.958, 7: 1.02, 8: 1.079, 9: 1.132}},
    "EU": {3: {6: 0.947, 7: 1.01, 8: 1.066, 9: 1.12}, 2: {6: 1.17, 8: 1.25}},
    "GD": {3: {6: 0.938, 7: 1.00, 8: 1.053, 9: 1.107}},
    "TB": {3: {6: 0.923, 7: 0.98, 8: 1.04, 9: 1.095}},
    "HO": {3: {6: 0.901, 8: 1.015, 9: 1.072}},
    "YB": {3: {6: 0.868, 7: 0.925, 8: 0.985, 9: 1.042}},
    "LU": {3: {6: 0.861, 8: 0.977, 9: 1.032}},
}
"""Effective ionic radii in angstrom: element -> charge (the usual one first) -> coordination number -> radius."""

_FEWEST = {"MG": 6}
"""Coordination numbers below which donors are missing from the model."""
_MOST = {
    **{(metal, donor): 4 for metal in ("MN", "FE", "CO", "CU") for donor in ("S", "SE")},
    ("CU", "N"): 4, ("CD", "N"): 6, ("MN", "O"): 6, ("ZN", "O"): 6,
}  # fmt: skip
"""Coordination numbers beyond which the distance of a pair no longer grows."""

_NEVER = frozenset({("ASN", "ND2"), ("GLN", "NE2"), ("TRP", "NE1"), ("ARG", "NE"), ("ARG", "NH1"), ("ARG", "NH2")})
"""Protein nitrogens whose lone pair is not to be had."""
_AMINO = frozenset(("N6", "N4", "N2"))
"""Exocyclic amino groups of nucleic bases."""


@dataclass(frozen=True)
class MetalContact:
    """A donor near a metal (model rows). operator (3, 4): moves the donor to its place at the metal, None when it is
    there. distance: angstrom."""

    metal: int
    donor: int
    operator: FloatArray | None
    distance: float


def ideal_distance(metal: str, donor: str, coordination: int, charge: int = 0) -> float | None:
    """Target in angstrom for elements as in `Model.element`; None when there is no table for the pair.

    charge: formal charge of the metal, 0 when unknown (the usual one is taken). Coordination numbers that are not
    tabulated take the nearest one that is.
    """
    charges = SHANNON.get(metal)
    beside = DONOR_RADIUS.get(donor)
    if charges is None or beside is None:
        return None
    by_number = charges.get(charge) or next(iter(charges.values()))
    coordination = max(coordination, _FEWEST.get(metal, 0))
    coordination = min(coordination, _MOST.get((metal, donor), coordination))
    nearest = min(by_number, key=lambda number: (abs(number - coordination), number))
    return by_number[nearest] + beside


def target_sigma(metal: str) -> float:
    """Sigma of a metal bond in angstrom."""
    return SOFT_SIGMA if metal in _SOFT else SIGMA


def can_donate(model: Model, atom: int) -> bool:
    """An atom of an element and a place in its residue that binds metals."""
    element = str(model.element[atom])
    if element not in DONOR_RADIUS:
        return False
    if element != "N":
        return True
    row = int(model.residue[atom])
    kind, name = str(model.residues.kind[row]), str(model.atom_name[atom])
    if kind == "protein":
        first = row == 0 or model.residues.chain[row - 1] != model.residues.chain[row]
        return (str(model.residues.name[row]), name) not in _NEVER and (name != "N" or first)
    return kind != "nucleic" or name not in _AMINO


def metal_contacts(model: Model, heavy: BoolArray, metal: AnyArray) -> list[MetalContact]:
    """Every donor within reach of every metal, symmetry copies included, nearest first; same conformer or none."""
    metals = np.flatnonzero(metal)
    donors = [i for i in np.flatnonzero(heavy & ~np.asarray(metal, bool)).tolist() if can_donate(model, i)]
    if not len(metals) or not donors:
        return []
    rows = np.concatenate([metals, donors]).astype(np.int64)
    found: list[MetalContact] = []
    if model.crystal.cell[0] > 1.0 and gemmi.find_spacegroup_by_name(model.crystal.space_group) is not None:
        near = CrystalNeighbours(model.crystal).near(model.xyz[rows], REACH)
        pairs, images, operators = near.pairs, near.image, near.operators
    else:
        near_rows = [
            (a, b)
            for a in range(len(metals))
            for b in range(len(metals), len(rows))
            if np.linalg.norm(model.xyz[rows[a]] - model.xyz[rows[b]]) < REACH
        ]
        pairs = np.array(near_rows, np.int32).reshape(-1, 2)
        images, operators = np.zeros(len(pairs), np.int32), np.eye(3, 4)[None]
    for (a, b), image in zip(pairs.tolist(), images.tolist(), strict=True):
        # the second of a pair is the one that moves; metals come first, so a metal never moves to a donor
        if not (a < len(metals) <= b):
            continue
        i, j = int(rows[a]), int(rows[b])
        letters = {str(model.altloc[i]), str(model.altloc[j])} - {""}
        if len(letters) > 1:
            continue
        operator = operators[image] if image else None
        place = model.xyz[j] if operator is None else operator[:, :3] @ model.xyz[j] + operator[:, 3]
        found.append(MetalContact(i, j, operator, float(np.linalg.norm(place - model.xyz[i]))))
    return sorted(found, key=lambda c: (c.metal, c.distance, c.donor))


def coordination_numbers(model: Model, contacts: list[MetalContact]) -> dict[int, int]:
    """Donors around each metal: those within NEAR of the target for six neighbours; alternatives of one atom count
    once, as do the copies of an atom on a symmetry element."""
    around: dict[int, list[tuple[str, FloatArray]]] = {}
    for contact in contacts:
        element = str(model.element[contact.metal])
        target = ideal_distance(element, str(model.element[contact.donor]), 6, int(model.charge[contact.metal]))
        if contact.distance > (2.6 if target is None else target + NEAR):
            continue
        row = int(model.residue[contact.donor])
        name = f"{model.residues.chain[row]} {model.residues.number[row]} {model.atom_name[contact.donor]}"
        move = contact.operator
        place = model.xyz[contact.donor] if move is None else move[:, :3] @ model.xyz[contact.donor] + move[:, 3]
        others = around.setdefault(contact.metal, [])
        same = any(n == name and (move is None or np.linalg.norm(place - p) < 0.5) for n, p in others)
        if not same:
            others.append((name, place))
    return {metal: len(donors) for metal, donors in around.items()}


def low_spin_iron(donor: str) -> float | None:
    """Target in angstrom from the low-spin iron of a porphyrin (Fe 2+, six-coordinate, 0.61) to an axial donor."""
    beside = DONOR_RADIUS.get(donor)
    return None if beside is None else 0.61 + beside
