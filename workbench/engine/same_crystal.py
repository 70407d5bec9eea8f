"""Does the model belong to the crystal of the data? Cell and space group tell, before anything is computed."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np

from workbench.core.crystal import Crystal, Model, Reflections
from workbench.core.errors import InputError
from workbench.core.events import Note
from workbench.engine.crystal_setting import Setting, best_setting, settings_between

CELL_TOLERANCE = 0.015
"""Relative difference of cell edges, and radians of angles, that still is the same crystal form."""


def in_the_crystal_of_the_data(model: Model, reflections: Reflections, notes: list[Note]) -> Model:
    """The model with the data's cell and space group, if it belongs to that crystal; `notes` gets what was done.

    Raises InputError, with advice, for a model of another crystal form.
    """
    theirs = reflections.crystal
    group = gemmi.find_spacegroup_by_name(theirs.space_group)
    own = model.crystal
    unknown_cell = own.cell[0] <= 1.0
    if unknown_cell:
        notes.append(Note("The model has no unit cell; that of the data is used.", "warning"))
        return replace(model, crystal=theirs)
    lengths = np.abs(np.array(own.cell[:3]) / np.array(theirs.cell[:3]) - 1.0)
    angles = np.abs(np.radians(np.array(own.cell[3:]) - np.array(theirs.cell[3:])))
    cells = f"model {_cell_text(own)}, data {_cell_text(theirs)}"
    other_cell = lengths.max() > CELL_TOLERANCE or angles.max() > CELL_TOLERANCE
    own_group = gemmi.find_spacegroup_by_name(own.space_group) if own.space_group else None
    other_group = None not in (group, own_group) and not _same_operations(own_group, group)
    if other_cell or other_group:
        ways = settings_between(own, theirs, CELL_TOLERANCE)
        if ways:
            return _on_the_axes_of_the_data(model, reflections, ways, cells, notes)
    if other_cell:
        raise InputError(
            f"The model belongs to another crystal form than the data ({cells}).",
            file=model.source.path,
            remedy=f"Place it in this crystal by molecular replacement, or give the data it was built from "
            f"(now {reflections.source.path}).",
        )
    if own_group is None:
        notes.append(
            Note(f"The model names no known space group; {theirs.space_group} of the data is used.", "warning")
        )
    elif group is not None and other_group:
        raise InputError(
            f"The model is in space group {own_group.hm}, the data are in {group.hm}.",
            file=model.source.path,
            remedy="Re-index the data, or place the model in their space group.",
        )
    if lengths.max() > 1e-4 or angles.max() > 1e-4:
        notes.append(Note(f"The cells differ slightly ({cells}); the cell of the data is used.", "warning"))
    return replace(model, crystal=theirs)


def _on_the_axes_of_the_data(
    model: Model, reflections: Reflections, ways: list[Setting], cells: str, notes: list[Note]
) -> Model:
    """A model of the same crystal that is described on other axes, turned to those of the data."""
    theirs = reflections.crystal
    way, told = best_setting(model, reflections, ways)
    said = (
        f"The model is described on other axes than the data ({model.crystal.space_group} and {theirs.space_group}; "
        f"{cells}): it is the same crystal, and the model is turned to the axes of the data by {way.operator}."
    )
    if told:
        listed = ", ".join(f"{operator} {agreement:.2f}" for operator, agreement in told)
        said += (
            f" The lattice allows {len(told)} ways; this one predicts the intensities best (correlations: {listed})."
        )
    notes.append(Note(said, "warning"))
    return way.moved(model, theirs)


def _same_operations(first: gemmi.SpaceGroup | None, second: gemmi.SpaceGroup | None) -> bool:
    if first is None or second is None:
        return False
    return {op.triplet() for op in first.operations()} == {op.triplet() for op in second.operations()}


def _cell_text(crystal: Crystal) -> str:
    return " ".join(f"{value:.2f}" for value in crystal.cell)
