"""Cell and space group for reflection files that carry none: from the user, else from the model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import gemmi
import numpy as np

from workbench.core.crystal import Crystal
from workbench.core.errors import InputError
from workbench.io.reflection_table import ReflectionTable, is_sensible

OTHER_CELL, OTHER_ANGLE = 0.03, 3.0
"""Relative difference of edges, and degrees, beyond which the space group of a model is not believed for the data.
Wider than what refinement accepts: it has the last word."""

Cell = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class GivenCrystal:
    """space_group, cell: as the user said. model: crystal of the model, used where the user said nothing."""

    space_group: str = ""
    cell: Cell | None = None
    model: Crystal | None = None


def complete_crystal(
    path: str, cell: gemmi.UnitCell | None, symbol: str, given: GivenCrystal
) -> tuple[gemmi.UnitCell, gemmi.SpaceGroup, list[str]]:
    """Cell and space group of a file that says `cell` and `symbol` (None and "" where it does not), and notes on what
    was supplied. What the user says wins over the file, the file over the model.

    Raises InputError with the question where nobody says.
    """
    notes: list[str] = []
    model = given.model if given.model is not None and given.model.cell[0] > 1.0 else None
    if given.cell is not None:
        try:
            cell = gemmi.UnitCell(*given.cell)
        except RuntimeError:
            raise InputError(
                f"the unit cell {' '.join(f'{value:g}' for value in given.cell)} is not one that a crystal can have.",
                file=path,
                item="unit cell",
                remedy="Say it with --cell a,b,c,alpha,beta,gamma.",
                choice="crystal",
            ) from None
        notes.append("The unit cell is the one that the user gave.")
    elif cell is None or not is_sensible(cell):
        if model is None:
            raise InputError(
                "the file does not say its unit cell, and no model says it. Which cell has the crystal?",
                file=path,
                item="unit cell",
                remedy="Say it with --cell a,b,c,alpha,beta,gamma.",
                choice="crystal",
            )
        cell = gemmi.UnitCell(*model.cell)
        notes.append("The file has no unit cell; that of the model is used.")
    if not is_sensible(cell):
        shown = " ".join(f"{value:g}" for value in cell.parameters)
        raise InputError(
            f"the unit cell {shown} is not one that a crystal can have.",
            file=path,
            item="unit cell",
            remedy="Say it with --cell a,b,c,alpha,beta,gamma.",
            choice="crystal",
        )
    wanted, source = given.space_group or symbol, "user" if given.space_group else "file"
    if not wanted and given.model is not None and given.model.space_group:
        wanted, source = given.model.space_group, "model"
        if model is not None:
            _refuse_another_crystal(path, cell, gemmi.UnitCell(*model.cell))
    if not wanted:
        raise InputError(
            "the file does not say its space group, and no model says it. Which space group has the crystal?",
            file=path,
            item="space group",
            remedy="Say it with --space-group, for example --space-group P212121.",
            choice="crystal",
            options=possible_groups(cell),
        )
    group = find_group(wanted, cell)
    if group is None:
        raise InputError(
            f"the space group {wanted!r} is unknown.",
            file=path,
            item="space group",
            remedy="Say it with --space-group, for example --space-group P212121.",
            choice="crystal",
        )
    if source == "user":
        notes.append(f"The space group {group.xhm()} is the one that the user gave.")
    elif source == "model":
        notes.append(f"The file has no space group; {group.xhm()} of the model is used.")
    if not compatible(cell, group):
        raise InputError(
            f"the unit cell {' '.join(f'{v:g}' for v in cell.parameters)} cannot have the space group {group.xhm()}.",
            file=path,
            item="space group",
            remedy="Correct one of them (--space-group, --cell).",
            choice="crystal",
        )
    return cell, group, notes


def _refuse_another_crystal(path: str, cell: gemmi.UnitCell, model: gemmi.UnitCell) -> None:
    """A model of another cell says nothing of the space group of these data."""
    ours, theirs = np.array(cell.parameters), np.array(model.parameters)
    if np.abs(ours[:3] / theirs[:3] - 1.0).max() <= OTHER_CELL and np.abs(ours[3:] - theirs[3:]).max() <= OTHER_ANGLE:
        return
    cells = [" ".join(f"{value:.2f}" for value in each) for each in (ours, theirs)]
    raise InputError(
        f"the file does not say its space group, and the model is of another crystal form (cell {cells[1]}, these data "
        f"{cells[0]}). Which space group has the crystal?",
        file=path,
        item="space group",
        remedy="Give a model of this crystal; or say the space group, for example --space-group P212121.",
        choice="crystal",
        options=possible_groups(cell),
    )


def in_given_crystal(table: ReflectionTable, given: GivenCrystal) -> ReflectionTable:
    """A table whose file says cell and space group, with those that the user gave instead.

    The space group must share lattice and, for merged data, have at least the symmetry they were merged in.
    Raises InputError where it cannot be.
    """
    if given.cell is None and not given.space_group:
        return table
    path = table.source.path
    cell, group, notes = complete_crystal(
        path,
        next((each for each in table.cells.values() if is_sensible(each)), None),
        table.group.xhm(),
        given,
    )
    if group.centring_type() != table.group.centring_type():
        raise InputError(
            f"the indices are those of a lattice {table.group.centring_type()}, not of {group.xhm()}.",
            file=path,
            item="space group",
            remedy="Give a space group of the same lattice (--space-group).",
            choice="crystal",
        )
    if not table.unmerged and not _laue_rotations(table.group) <= _laue_rotations(group):
        raise InputError(
            f"the data were merged in {table.group.xhm()}; {group.xhm()} has less symmetry or other axes.",
            file=path,
            item="space group",
            remedy="Give a space group with that symmetry (--space-group), or data that were merged in the lower one.",
            choice="crystal",
        )
    cells = table.cells if given.cell is None else dict.fromkeys(table.cells, cell)
    return replace(table, group=group, cells=cells, notes=(*table.notes, *notes))


def _laue_rotations(group: gemmi.SpaceGroup) -> set[tuple[tuple[int, ...], ...]]:
    """Rotations of the Laue class, as matrices."""
    found = set()
    for op in group.operations().sym_ops:
        for sign in (1, -1):
            found.add(tuple(tuple(sign * value for value in row) for row in op.rot))
    return found


def possible_groups(
    cell: gemmi.UnitCell, group: gemmi.SpaceGroup | None = None, *, merged: bool = True
) -> tuple[str, ...]:
    """Symbols of the space groups without mirrors that a crystal with this cell may have, most symmetric first.

    With `group`, that of the data, only those of its lattice; where they are merged only those of its Laue class, which
    differ in the systematic absences alone.
    """
    found: list[tuple[int, int, str]] = []
    for each in gemmi.spacegroup_table():
        if not each.is_sohncke() or not cell.is_compatible_with_spacegroup(each, 0.02):
            continue
        if "(" in each.hm or (group is not None and each.centring_type() != group.centring_type()):
            continue
        if group is not None and merged:
            if _laue_rotations(each) != _laue_rotations(group):
                continue
        elif not each.is_reference_setting() and each.ext not in ("H", "R"):
            continue
        found.append((-len(each.operations()), each.number, each.xhm()))
    return tuple(dict.fromkeys(symbol for *_, symbol in sorted(found)))


def find_group(symbol: str, cell: gemmi.UnitCell) -> gemmi.SpaceGroup | None:
    """The space group of a symbol or a number, in the setting that fits the cell (R3:H or R3:R)."""
    if symbol.strip().isdigit():
        number = int(symbol)
        return gemmi.find_spacegroup_by_number(number) if 0 < number <= 230 else None
    return gemmi.find_spacegroup_by_name(symbol, cell.alpha, cell.gamma)


def compatible(cell: gemmi.UnitCell, group: gemmi.SpaceGroup) -> bool:
    """The cell has the metric symmetry that the space group asks for (within 1 % and 1 degree)."""
    return bool(cell.is_compatible_with_spacegroup(group, 0.02))
