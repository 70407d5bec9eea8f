"""What a data file offers to choose from, and what would be read with what was chosen: the window's chooser and
`workbench inspect --contents`."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from workbench.core.data_contents import DataContents, Question
from workbench.core.errors import InputError
from workbench.session.data_choice import DataChoice


@dataclass(frozen=True)
class DataSurvey:
    """question: why the data cannot be used yet, None when they can; then `summary` says what would be read, `notes`
    what would be said about it, n how many reflections, n_free how many of them are the test set.
    advised_fraction: of a new one."""

    contents: DataContents
    question: Question | None
    summary: str = ""
    notes: tuple[str, ...] = ()
    n: int = 0
    n_free: int = 0
    has_free: bool = False
    advised_fraction: float = 0.05


def survey(
    data_path: str, model_path: str | None = None, choice: DataChoice | None = None, d_min: float | None = None
) -> DataSurvey:
    """Look at the data with what was chosen so far. A question is an answer, not an error.

    Raises InputError for data that no choice makes readable.
    """
    from workbench.engine.cross_validation.test_set import with_test_set
    from workbench.engine.cross_validation.test_set_design import advised_fraction
    from workbench.io.contents import data_contents
    from workbench.io.models import read_model
    from workbench.io.reflections import read_reflections

    choice = choice or DataChoice()
    crystal = None
    if model_path:
        # what is wrong with a model is said when it is opened; here it only lends cell and space group
        with contextlib.suppress(InputError):
            crystal = read_model(model_path).crystal
    contents = data_contents(data_path, choice.labels, choice.options, crystal)
    try:
        reflections = read_reflections(
            data_path, choice.labels, choice.free_label, choice.free_value, d_min, choice.options, crystal
        )
        reflections = with_test_set(reflections, choice.options)
    except InputError as error:
        return DataSurvey(contents, Question(error.message, error.remedy, error.choice, error.item, error.options))
    columns = reflections.columns
    free = int(reflections.free.sum())
    test = (
        f"test set {columns.free}: {free} ({100 * free / max(len(reflections), 1):.1f} %), {columns.free_reason}"
        if reflections.has_free
        else f"no test set ({columns.free_reason})"
    )
    cell = " ".join(f"{value:.2f}" for value in reflections.crystal.cell)
    summary = (
        f"{columns.amplitude}, {columns.sigma} in {reflections.crystal.space_group} ({cell}): {len(reflections)} "
        f"reflections, {reflections.d_max:.2f} to {reflections.d_min:.2f} A; {test}."
    )
    return DataSurvey(
        contents,
        None,
        summary,
        reflections.notes,
        len(reflections),
        free,
        reflections.has_free,
        advised_fraction(len(reflections)),
    )
