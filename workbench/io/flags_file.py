"""A test set that lives in a file of its own: cell, symmetry and indexing are checked before its flags are believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray
from workbench.core.errors import InputError
from workbench.core.settings import DataOptions
from workbench.core.words import counted
from workbench.io.column_choice import AmplitudeSource, amplitude_sources
from workbench.io.given_crystal import GivenCrystal
from workbench.io.merging import asymmetric_unit
from workbench.io.reflection_files import read_table
from workbench.io.reflection_table import ReflectionTable

SAME_CELL = 0.002
OTHER_CELL = 0.03
"""Relative difference of cells above which it is said, and above which the files are of different crystals."""
SAME_INDEXING = 0.3
"""Correlation of intensities below which two files are hardly indexed alike."""

FEW_LACKING, MOST_FOUND = 10, 0.5
"""Fewer missing flags than this tell no axes; and the part of them that other axes may leave, to be asked for."""


def flags_of_other_file(
    table: ReflectionTable, source: AmplitudeSource, observed: BoolArray, options: DataOptions
) -> tuple[ReflectionTable, list[str]]:
    """The table with the integer columns of the other file instead of its own, row by row, and notes.

    Raises InputError when the other file belongs to another crystal, is indexed differently, or knows none of the
    reflections.
    """
    path = options.free_file
    crystal = table.crystal(source.dataset)
    other = read_table(path, GivenCrystal(model=crystal))
    cell = table.cells[source.dataset]
    name = Path(path).name
    notes = [f"The test set is taken from {name}, as the user asked."]
    flags = [column for column in other.columns if column.type in ("I", "R")]
    if not flags:
        raise InputError(
            "there are no flags in this file.", file=path, remedy=f"It has: {other.listing()}.", choice="test set"
        )
    their_cell = other.cells[flags[0].dataset]
    notes += _compare_cells(path, their_cell, cell)
    if not _same_laue(other.group, table.group):
        raise InputError(
            f"its symmetry is {other.group.xhm()}, that of the data {table.group.xhm()}.",
            file=path,
            remedy="Give a test set of the same Laue class.",
            choice="test set",
        )
    hkl = other.hkl
    if options.free_reindex:
        hkl = _reindexed(hkl, options.free_reindex)
        notes.append(f"The indices of {name} are changed by {options.free_reindex}, as the user asked.")
    theirs, _ = asymmetric_unit(hkl, table.group)
    place = _places(table.hkl, theirs)
    found = place >= 0
    if not (found & observed).any():
        raise InputError(
            "none of the observed reflections is in this file.",
            file=path,
            remedy="Give a test set that was made for these data.",
            choice="test set",
        )
    notes += _check_indexing(table, source, other, hkl, observed, options)
    columns = [column for column in table.columns if column.type != "I"]
    for column in flags:
        values = np.full(len(table.hkl), np.nan)
        values[found] = column.values[place[found]]
        columns.append(replace(column, values=values, dataset=source.dataset))
    missing = int((observed & ~found).sum())
    if missing:
        notes.append(f"{counted(missing, 'observed reflection', 'are')} not in {name}.")
    return replace(table, columns=tuple(columns)), notes


def _compare_cells(path: str, theirs: gemmi.UnitCell, ours: gemmi.UnitCell) -> list[str]:
    a, b = np.array(theirs.parameters), np.array(ours.parameters)
    apart = max(float(np.abs(a[:3] / b[:3] - 1).max()), float(np.abs(np.radians(a[3:] - b[3:])).max()))
    cells = f"{' '.join(f'{v:.2f}' for v in a)} against {' '.join(f'{v:.2f}' for v in b)} of the data"
    if apart > OTHER_CELL:
        raise InputError(
            f"its cell is another one: {cells}.",
            file=path,
            remedy="Give a test set of the same crystal form.",
            choice="test set",
        )
    if apart > SAME_CELL:
        return [f"The cell of the test set's file differs by {100 * apart:.1f} % ({cells}); its flags are used."]
    return []


def _same_laue(one: gemmi.SpaceGroup, other: gemmi.SpaceGroup) -> bool:
    return one.laue_str() == other.laue_str() and one.centring_type() == other.centring_type()


def _reindexed(hkl: IntArray, operator: str) -> IntArray:
    try:
        operation = gemmi.Op(operator)
    except (RuntimeError, ValueError):
        raise InputError(
            f"{operator!r} is not an operator on indices.",
            item="--free-reindex",
            remedy="Write for example k,h,-l.",
            choice="test set",
        ) from None
    return np.array([operation.apply_to_hkl(row) for row in hkl.tolist()], dtype=np.int32)


def _places(hkl: IntArray, theirs: IntArray) -> IntArray:
    """For each row of hkl the row of `theirs` with the same indices, or -1."""
    table = {row: number for number, row in enumerate(map(tuple, theirs.tolist()))}
    return np.array([table.get(row, -1) for row in map(tuple, hkl.tolist())], dtype=np.int32)


def _check_indexing(
    table: ReflectionTable,
    source: AmplitudeSource,
    other: ReflectionTable,
    hkl: IntArray,
    observed: BoolArray,
    options: DataOptions,
) -> list[str]:
    """Where the lattice is more symmetric than the crystal, the same crystal can be indexed in several ways."""
    operators = [
        op.as_hkl().triplet() for op in gemmi.find_twin_laws(table.cells[source.dataset], table.group, 3.0, False)
    ]
    if not operators:
        return []
    measured = [each for each in amplitude_sources(other) if each.usable().sum() > 100]
    if not measured:
        if not options.free_reindex:
            _refuse_what_covers_less(table, hkl, operators, observed, options.free_file)
        return [
            f"The lattice allows other indexings ({'; '.join(operators)}); the file with the test set holds no data to "
            "check that both are indexed alike."
        ]
    mine = _squared(source)
    theirs = _squared(measured[0])
    table_cc = {"h,k,l": _correlation(table, mine, hkl, theirs)}
    for operator in operators:
        table_cc[operator] = _correlation(table, mine, _reindexed(hkl, operator), theirs)
    best = max(table_cc, key=lambda key: table_cc[key])
    now, then = table_cc["h,k,l"], table_cc[best]
    unlike = now < SAME_INDEXING and then > now + 0.2
    # the intensities of a twin are alike in either indexing, but only in one the same
    if unlike or (then > now + 0.02 and 1.0 - then < 0.5 * (1.0 - now)):
        raise InputError(
            f"it is indexed differently from the data: intensities correlate {now:.2f} as they stand and {then:.2f} "
            f"after {best}.",
            file=options.free_file,
            remedy=f"Say --free-reindex {best}.",
            choice="test set",
            options=(best,),
        )
    return [f"Indexed alike: the intensities of the two files correlate {now:.2f}."]


def _refuse_what_covers_less(
    table: ReflectionTable, hkl: IntArray, operators: list[str], observed: BoolArray, path: str
) -> None:
    """Flags alone have no intensities to compare, but what was not measured then tells the axes: on others, flags are
    missing where reflections were measured. A re-indexing that finds most of them is asked for before flags are made
    up for them (`--extend-free`); new shells of resolution lack flags on all axes alike."""
    wanted = table.hkl[observed]

    def lacking(indices: IntArray) -> int:
        return int((_places(wanted, asymmetric_unit(indices, table.group)[0]) < 0).sum())

    now = lacking(hkl)
    if now < FEW_LACKING:
        return
    counts = {operator: lacking(_reindexed(hkl, operator)) for operator in operators}
    best = min(counts, key=lambda operator: counts[operator])
    if counts[best] > MOST_FOUND * now:
        return
    raise InputError(
        f"it seems to be indexed differently from the data: {now} of {len(wanted)} observed reflections have no flag "
        f"as the indices stand, and {counts[best]} after {best}.",
        file=path,
        remedy=f"Say --free-reindex {best}; or, if the axes are right, --free-reindex h,k,l with --extend-free.",
        choice="test set",
        options=(best,),
    )


def _squared(source: AmplitudeSource) -> FloatArray:
    value = source.values[0]
    return value if source.kind.startswith("intensity") else value**2


def _correlation(table: ReflectionTable, mine: FloatArray, hkl: IntArray, theirs: FloatArray) -> float:
    reduced, _ = asymmetric_unit(hkl, table.group)
    place = _places(table.hkl, reduced)
    both = (place >= 0) & np.isfinite(mine)
    both[both] &= np.isfinite(theirs[place[both]])
    if both.sum() < 100:
        return 0.0
    a, b = mine[both], theirs[place[both]]
    # ranks within the whole set: the fall-off with resolution correlates anything, so it is divided out by shells
    s_sq = np.asarray(table.cells[next(iter(table.cells))].calculate_1_d2_array(table.hkl))[both]
    order = np.argsort(s_sq)
    a, b = a[order].copy(), b[order].copy()
    for shell in np.array_split(np.arange(len(order)), max(1, len(order) // 200)):
        a[shell] /= max(float(np.abs(a[shell]).mean()), 1e-30)
        b[shell] /= max(float(np.abs(b[shell]).mean()), 1e-30)
    return float(np.corrcoef(a, b)[0, 1])
