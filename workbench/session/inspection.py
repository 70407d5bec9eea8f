"""Files in, judgement out: what `workbench inspect` and the window's data quality page show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.crystal import Model, Reflections
from workbench.core.errors import InputError
from workbench.core.events import Note
from workbench.core.settings import DataOptions

if TYPE_CHECKING:
    from workbench.engine.cross_validation.test_set_design import Design
    from workbench.engine.data_quality.report import Item, QualityReport

EXPECTED_R_FREE = 0.25
"""Of a model that is not there yet, for the errors of test sets; they are proportional to it."""
PARAMETERS_PER_ATOM = 4


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was read and what is thought of it. designs: what test sets of several sizes would cost and give."""

    reflections: Reflections
    report: QualityReport
    designs: tuple[Design, ...] = ()


def inspect_files(
    data_path: str,
    model_path: str | None = None,
    labels: tuple[str, str] | None = None,
    free_label: str | None = None,
    free_value: int | None = None,
    d_min: float | None = None,
    options: DataOptions | None = None,
    expected_r_free: float = EXPECTED_R_FREE,
) -> Inspection:
    """Read data, and a model if there is one, and judge them. Unmerged observations are merged: nothing is refined.

    Raises InputError for files that cannot be read.
    """
    from workbench.engine.cross_validation.test_set import with_test_set
    from workbench.engine.cross_validation.test_set_design import design_test_sets
    from workbench.engine.data_quality.report import assess
    from workbench.io.models import read_model
    from workbench.io.reflections import read_reflections

    model = read_model(model_path) if model_path else None
    asked = options is not None and options.merge
    options = replace(options or DataOptions(), merge=True)
    reflections = read_reflections(
        data_path,
        labels,
        free_label,
        free_value,
        d_min,
        options,
        model.crystal if model is not None else None,
    )
    if not asked:
        notes = tuple(
            note.replace("(as the user asked); mult", "(to be judged only); mult") for note in reflections.notes
        )
        reflections = replace(reflections, notes=notes)
    reflections = with_test_set(reflections, options)
    atoms = int((~np.isin(model.element, ("H", "D"))).sum()) if model is not None else 0
    designs = design_test_sets(len(reflections), expected_r_free, PARAMETERS_PER_ATOM * atoms)
    if model is None:
        return Inspection(reflections, assess(reflections), designs)
    crystal = _crystal_form(model, reflections)
    # what a model of another crystal would fill of this cell says nothing
    report = assess(reflections, None if crystal.light == "red" else model)
    return Inspection(reflections, replace(report, items=(crystal, *report.items)), designs)


def _crystal_form(model: Model, reflections: Reflections) -> Item:
    """Whether refinement would take the model for one of this crystal, in its words."""
    from workbench.engine.data_quality.report import Item
    from workbench.engine.same_crystal import in_the_crystal_of_the_data

    notes: list[Note] = []
    try:
        in_the_crystal_of_the_data(model, reflections, notes)
    except InputError as error:
        return Item("Crystal form", "red", error.message, f"Refinement refuses it. {error.remedy}", {})
    if notes:
        return Item("Crystal form", "amber", " ".join(note.text for note in notes), "Used like that.", {})
    return Item("Crystal form", "green", "Model and data agree in cell and space group.", "Nothing to do.", {})
