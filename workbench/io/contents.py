"""What a reflection file holds and what can be chosen in it, without choosing."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np

from workbench.core.crystal import Crystal
from workbench.core.data_contents import DataContents, FlagColumn, MeasuredColumns
from workbench.core.errors import InputError
from workbench.core.settings import DataOptions
from workbench.io.column_choice import AmplitudeSource, amplitude_sources, describe_flags
from workbench.io.given_crystal import GivenCrystal, possible_groups
from workbench.io.reflection_files import read_table
from workbench.io.reflection_table import ReflectionTable

KINDS = {
    "amplitude": "mean amplitude",
    "intensity": "mean intensity",
    "amplitude pair": "amplitudes of Friedel mates",
    "intensity pair": "intensities of Friedel mates",
}


def data_contents(
    path: str,
    labels: tuple[str, str] | None = None,
    options: DataOptions | None = None,
    model_crystal: Crystal | None = None,
) -> DataContents:
    """What there is to choose in a file, as far as it can be read with what was chosen already.

    Raises InputError for a file that no choice makes readable.
    """
    options = options or DataOptions()
    given = GivenCrystal(options.space_group, options.cell, model_crystal)
    try:
        table = read_table(path, given, options.dataset, labels)
    except InputError as error:
        if error.choice == "columns" and error.options:
            return DataContents(datasets=error.options)
        if error.choice == "crystal":
            return DataContents(space_groups=error.options)
        raise
    sources = amplitude_sources(table)
    chosen = _chosen(sources, labels)
    observed = chosen.usable() if chosen is not None else np.ones(len(table.hkl), dtype=np.bool_)
    cell = table.cells[chosen.dataset if chosen is not None else next(iter(table.cells))]
    as_in_file = _without_given(path, options, labels, model_crystal)
    found = DataContents(
        measured=tuple(
            MeasuredColumns(s.label, s.sigma_label, KINDS[s.kind], _set_name(table, s), int(s.usable().sum()))
            for s in sources
        ),
        flags=() if table.unmerged else describe_flags(table, observed),
        datasets=table.blocks if len(table.blocks) > 1 else _in_one_loop(path, given, options),
        cell=as_in_file[0],
        space_group=as_in_file[1],
        space_groups=possible_groups(cell, table.group, merged=not table.unmerged),
        unmerged=table.unmerged,
        scaled=table.scaled,
    )
    if not options.free_file:
        return found
    return replace(found, other_flags=_other_flags(options.free_file, table, chosen))


def _chosen(sources: list[AmplitudeSource], labels: tuple[str, str] | None) -> AmplitudeSource | None:
    """The columns asked for, else those with most reflections: flags are judged on what was observed."""
    named = [
        source for source in sources if labels is not None and labels[0] in (source.label, *source.label.split(","))
    ]
    return max(named or sources, key=lambda source: int(source.usable().sum()), default=None)


def _set_name(table: ReflectionTable, source: AmplitudeSource) -> str:
    return table.dataset_names.get(source.dataset, "")


def _in_one_loop(path: str, given: GivenCrystal, options: DataOptions) -> tuple[str, ...]:
    """The other data sets beside the one that was chosen, where a file mixes them."""
    if not options.dataset:
        return ()
    try:
        read_table(path, given)
    except InputError as error:
        return error.options if error.choice == "columns" else ()
    return ()


def _without_given(
    path: str, options: DataOptions, labels: tuple[str, str] | None, model_crystal: Crystal | None
) -> tuple[tuple[float, ...] | None, str]:
    """Cell and space group that the file itself says; None and "" where it says none."""
    try:
        table = read_table(path, GivenCrystal(), options.dataset, labels)
    except InputError:
        return None, ""
    cell = next(iter(cell for cell in table.cells.values() if cell.is_crystal()), gemmi.UnitCell())
    return tuple(cell.parameters), table.group.xhm()


def _other_flags(path: str, table: ReflectionTable, chosen: AmplitudeSource | None) -> tuple[FlagColumn, ...]:
    """The columns of a second file; whether they fit the data is found when they are read together."""
    crystal = table.crystal(chosen.dataset if chosen is not None else next(iter(table.cells)))
    try:
        other = read_table(path, GivenCrystal(model=crystal))
    except InputError:
        return ()
    return describe_flags(other, np.ones(len(other.hkl), dtype=np.bool_), partly=True)
