"""Values of a restraint dictionary that no molecule can have, or that would silently drop a restraint."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gemmi

SHORTEST, LONGEST = 0.6, 4.0
"""Angstrom; no bond of a component is outside (H-H 0.74, caesium to oxygen 3.1)."""

Refusal = Callable[[str, str, str], Exception]
"""Makes the error for a message, the category it is in and a word of the line."""

_SIGNS = ("pos", "neg", "both", "cross")


def check_values(block: gemmi.cif.Block, name: str, refuse: Refusal) -> None:
    """Raise `refuse(...)` for the first value of component `name` that cannot be used.

    Bonds and angles at a metal may be without values: those come from its coordination.
    """
    metals = _elements(block, refuse)
    _bonds(block, name, metals, refuse)
    _angles(block, metals, refuse)
    category = "_chem_comp_plane_atom."
    planes = list(_rows(block, category, ("plane_id", "atom_id", "dist_esd")))
    # A plane has one uncertainty; older dictionaries give it with one of its atoms and 0.000 with the others.
    told = {plane for plane, _, sigma in planes if gemmi.cif.as_number(sigma) > 0}
    for plane, atom, sigma in planes:
        if not gemmi.cif.as_number(sigma) >= 0 or plane not in told:
            raise refuse(f"the uncertainty {sigma} of {atom} in {plane} is not above zero.", category, plane)
    category = "_chem_comp_chir."
    for chirality, sign in _rows(block, category, ("id", "volume_sign")):
        if not sign.lower().startswith(_SIGNS):
            raise refuse(f"the sign {sign} of {chirality} is not positive, negative or both.", category, chirality)


def _elements(block: gemmi.cif.Block, refuse: Refusal) -> set[str]:
    """The metals among the atoms."""
    category = "_chem_comp_atom."
    metals = set()
    for atom, symbol in _rows(block, category, ("atom_id", "type_symbol")):
        element = gemmi.Element(symbol)
        if element.name == "X" and symbol.upper() != "X":
            raise refuse(f"the element {symbol} of the atom {atom} does not exist.", category, atom)
        if element.is_metal:
            metals.add(atom)
    return metals


def _bonds(block: gemmi.cif.Block, name: str, metals: set[str], refuse: Refusal) -> None:
    category = "_chem_comp_bond."
    if len(block.find_values(category + "value_dist_esd")) == 0:
        raise refuse(
            "the bonds have no uncertainties (_chem_comp_bond.value_dist_esd): none would be used.", category, ""
        )
    for owner, first in _rows(block, category, ("comp_id", "atom_id_1")):
        if owner != name:
            raise refuse(f"a bond of {first} belongs to another component, {owner}.", category, owner)
    seen: set[frozenset[str]] = set()
    for first, second, length, sigma in _rows(
        block, category, ("atom_id_1", "atom_id_2", "value_dist", "value_dist_esd")
    ):
        bond = f"the bond {first} - {second}"
        if frozenset((first, second)) in seen:
            raise refuse(f"{bond} occurs twice.", category, f"{first} {second}")
        seen.add(frozenset((first, second)))
        if {first, second} & metals:
            continue
        value = gemmi.cif.as_number(length)
        if not SHORTEST <= value <= LONGEST:
            what = f"{bond} has no length" if gemmi.cif.is_null(length) else f"{bond} cannot be {length} A long"
            raise refuse(f"{what} (_chem_comp_bond.value_dist).", category, f"{first} {second}")
        if not gemmi.cif.as_number(sigma) > 0:
            raise refuse(
                f"the uncertainty {sigma} of {bond} is not above zero: it would not be used.",
                category,
                f"{first} {second}",
            )


def _angles(block: gemmi.cif.Block, metals: set[str], refuse: Refusal) -> None:
    category = "_chem_comp_angle."
    rows = list(_rows(block, category, ("atom_id_1", "atom_id_2", "atom_id_3")))
    ends = [atom for pair in _rows(block, "_chem_comp_bond.", ("atom_id_1", "atom_id_2")) for atom in pair]
    if not rows and any(ends.count(atom) > 1 for atom in set(ends) - metals):
        raise refuse("the component has no angles (_chem_comp_angle).", "", "")
    for tag, what in (("value_angle", "values"), ("value_angle_esd", "uncertainties")):
        if rows and len(block.find_values(category + tag)) == 0:
            raise refuse(f"the angles have no {what} ({category}{tag}): none would be used.", category, "")
    for first, centre, third, value, sigma in _rows(
        block, category, ("atom_id_1", "atom_id_2", "atom_id_3", "value_angle", "value_angle_esd")
    ):
        if {first, centre, third} & metals:
            continue
        angle, words = f"the angle {first} - {centre} - {third}", f"{first} {centre} {third}"
        if not 0.0 < gemmi.cif.as_number(value) <= 180.0:
            raise refuse(f"{angle} cannot be {value} degrees.", category, words)
        if not gemmi.cif.as_number(sigma) > 0:
            raise refuse(
                f"the uncertainty {sigma} of {angle} is not above zero: it would not be used.", category, words
            )


def _rows(block: gemmi.cif.Block, category: str, tags: tuple[str, ...]) -> Iterator[list[str]]:
    """The rows of a category that has all the tags; nothing otherwise."""
    for row in block.find(category, list(tags)):
        yield [gemmi.cif.as_string(value) or value for value in row]
