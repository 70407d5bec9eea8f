"""Observed reflections from MTZ and mmCIF files: unique, in the asymmetric unit, with amplitude, sigma and test set."""

from __future__ import annotations

from dataclasses import dataclass, replace

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, IntArray
from workbench.core.crystal import ColumnChoice, Reflections
from workbench.core.errors import InputError
from workbench.io.column_choice import AmplitudeSource, TestSet, choose_amplitudes, choose_test_set
from workbench.io.french_wilson import MOST_NEGATIVE, french_wilson
from workbench.io.reflection_table import ReflectionTable, read_table

WEAK_TEST_SET = 500
"""A test set smaller than this gives an R_free with a large uncertainty; it is used and marked."""


def read_reflections(
    path: str,
    labels: tuple[str, str] | None = None,
    free_label: str | None = None,
    free_value: int | None = None,
    d_min: float | None = None,
) -> Reflections:
    """Read merged reflections from an MTZ or mmCIF structure factor file (plain or gzip).

    labels: (F, SIGF) or (I, SIGI) chosen by the user. free_label, free_value: column and flag of the test set chosen by
    the user; free_label "none" means no test set. d_min: high-resolution limit in angstrom.
    Which columns were taken, why, and what else could have been taken is in `Reflections.columns`.
    Raises InputError with file, column and remedy for data that cannot be used.
    """
    table = read_table(path)
    if table.unmerged:
        raise _unmerged(path, table.unmerged)
    notes = list(table.notes)
    source, reason, candidates = choose_amplitudes(table, labels)
    table, source, merged = _unique(table, source)
    if merged:
        notes.append(f"{merged} reflections occur more than once with the same values; each is used once.")
    crystal = table.crystal(source.dataset)
    cell = table.cells[source.dataset]
    _note_other_cells(table, source, notes)

    amplitude = _amplitudes(table, source, cell, notes)
    observed = np.isfinite(amplitude.f) & np.isfinite(amplitude.sigma) & (amplitude.sigma > 0) & (amplitude.f > 0)
    written = np.isfinite(amplitude.f) & np.isfinite(amplitude.sigma)
    if source.kind.startswith("amplitude") and (written & ~observed).any():
        zero = int((written & ~observed).sum())
        notes.append(f"{zero} reflections with F or sigma of zero or less are not used.")
    if not observed.any():
        raise InputError(
            "no reflection has a positive amplitude and sigma.",
            file=path,
            item=source.label,
            remedy=f"Choose other columns with --labels. The file has: {table.listing()}.",
        )
    operations = table.group.operations()
    absent = np.asarray(operations.systematic_absences(table.hkl), dtype=np.bool_)
    origin = (table.hkl == 0).all(axis=1)
    if (observed & absent).any():
        notes.append(f"{int((observed & absent).sum())} systematically absent reflections are left out.")
    observed &= ~absent & ~origin
    d_star_sq = np.asarray(cell.calculate_1_d2_array(table.hkl), dtype=np.float64)
    if d_min is not None:
        observed &= d_star_sq <= (1.0 + 1e-9) / d_min**2
    if not observed.any():
        raise InputError(
            "no reflections are left."
            if d_min is None
            else f"no reflections are left with the resolution limit {d_min:g} A.",
            file=path,
            item=source.label,
            remedy="Set a lower limit with --resolution." if d_min is not None else "Choose other columns.",
        )
    test_set = choose_test_set(table, observed, free_label, free_value)
    notes.extend(test_set.notes)
    n_free = int((test_set.free & observed).sum())
    if test_set.label and n_free < WEAK_TEST_SET:
        notes.append(f"The test set has only {n_free} reflections: R_free is uncertain.")

    rows = np.flatnonzero(observed)
    hkl = table.hkl[rows]
    rows = rows[np.lexsort((hkl[:, 2], hkl[:, 1], hkl[:, 0]))]
    limits = 1.0 / np.sqrt(d_star_sq[rows])
    low, high = float(limits.max()), float(limits.min())
    possible = len(gemmi.make_miller_array(cell, table.group, high * (1 - 1e-7), low * (1 + 1e-7), unique=True))
    return Reflections(
        crystal=crystal,
        hkl=np.ascontiguousarray(table.hkl[rows]),
        f_obs=np.ascontiguousarray(amplitude.f[rows]),
        sigma=np.ascontiguousarray(amplitude.sigma[rows]),
        free=np.ascontiguousarray(test_set.free[rows]),
        has_free=bool(test_set.label),
        d_min=high,
        d_max=low,
        completeness=min(1.0, len(rows) / possible) if possible else 0.0,
        columns=_choice(source, reason, candidates, test_set),
        source=table.source,
        notes=tuple(notes),
    )


def _choice(source: AmplitudeSource, reason: str, candidates: tuple[str, ...], test_set: TestSet) -> ColumnChoice:
    return ColumnChoice(
        amplitude=source.label,
        sigma=source.sigma_label,
        free=test_set.label,
        free_value=test_set.value,
        amplitude_reason=reason,
        free_reason=test_set.reason,
        amplitude_candidates=candidates,
        free_candidates=test_set.candidates,
    )


def _unmerged(path: str, why: str) -> InputError:
    return InputError(
        f"unmerged data ({why}).",
        file=path,
        remedy="Scale and merge them first (for example with aimless or xscale), then give the merged file.",
    )


# ---- one row for each reflection of the asymmetric unit -------------------------------------------------------------


def to_asymmetric_unit(hkl: IntArray, group: gemmi.SpaceGroup) -> IntArray:
    """Each reflection (n, 3) as its equivalent in the CCP4 asymmetric unit."""
    unit = gemmi.UnitCell(10, 10, 10, 90, 90, 90)  # the mapping does not depend on the cell
    data = gemmi.FloatAsuData(unit, group, hkl, np.zeros(len(hkl), dtype=np.float32))
    data.ensure_asu()
    return np.ascontiguousarray(np.asarray(data.miller_array), dtype=np.int32)


def _unique(table: ReflectionTable, source: AmplitudeSource) -> tuple[ReflectionTable, AmplitudeSource, int]:
    """Table and amplitudes with one row for each unique reflection, and how many duplicates were merged.

    Duplicates of a merged file repeat the same measurement; different values mean unmerged data.
    """
    hkl = to_asymmetric_unit(table.hkl, table.group)
    span = int(np.abs(hkl).max()) + 1
    wide = hkl.astype(np.int64) + span
    keys = (wide[:, 0] * (2 * span + 1) + wide[:, 1]) * (2 * span + 1) + wide[:, 2]
    _, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    if len(first) == len(keys):
        return replace(table, hkl=hkl), source, 0
    for values in (*source.values, *source.sigmas):
        low = np.full(len(first), np.inf)
        high = np.full(len(first), -np.inf)
        known = np.isfinite(values)
        np.minimum.at(low, inverse[known], values[known])
        np.maximum.at(high, inverse[known], values[known])
        with np.errstate(invalid="ignore"):
            differing = int((high - low > 1e-5 * np.maximum(np.abs(high), np.abs(low)))[np.isfinite(low)].sum())
        if differing:
            raise _unmerged(
                table.source.path,
                f"{int((counts > 1).sum())} reflections occur more than once, {differing} with different values",
            )
    columns = tuple(replace(column, values=_first_known(column.values, inverse, first)) for column in table.columns)
    values_ = tuple(_first_known(values, inverse, first) for values in source.values)
    sigmas_ = tuple(_first_known(values, inverse, first) for values in source.sigmas)
    reduced = replace(table, hkl=np.ascontiguousarray(hkl[first]), columns=columns)
    return reduced, replace(source, values=values_, sigmas=sigmas_), len(keys) - len(first)


def _first_known(values: FloatArray, inverse: AnyArray, first: AnyArray) -> FloatArray:
    """The first value that is not missing among the rows of each unique reflection."""
    result = np.full(len(first), np.nan)
    known = np.flatnonzero(np.isfinite(values))[::-1]
    result[inverse[known]] = values[known]
    return result


def _note_other_cells(table: ReflectionTable, source: AmplitudeSource, notes: list[str]) -> None:
    chosen = np.array(table.cells[source.dataset].parameters)
    used = {column.dataset for column in table.columns if column.type in "FJGK"}
    other = [key for key in sorted(used) if np.abs(np.array(table.cells[key].parameters) / chosen - 1).max() > 1e-3]
    if other:
        notes.append(f"The data sets of the file have different cells; that of {source.label} is used.")


# ---- amplitudes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Amplitudes:
    f: FloatArray
    sigma: FloatArray


def _amplitudes(table: ReflectionTable, source: AmplitudeSource, cell: gemmi.UnitCell, notes: list[str]) -> _Amplitudes:
    operations = table.group.operations()
    centric = np.asarray(operations.centric_flag_array(table.hkl), dtype=np.bool_)
    value, sigma = source.values[0], source.sigmas[0]
    if len(source.values) == 2:
        value, sigma = combine_mates(source, centric)
        notes.append(
            f"The mean of {source.label} is used, mates weighted by their inverse variance (the anomalous difference "
            "is not refined)."
        )
    if source.kind.startswith("amplitude"):
        return _Amplitudes(value, sigma)
    with np.errstate(invalid="ignore"):
        measured = np.isfinite(value) & np.isfinite(sigma) & (sigma > 0)
    measured &= ~np.asarray(operations.systematic_absences(table.hkl), dtype=np.bool_)
    f = np.full(len(value), np.nan)
    sigma_f = np.full(len(value), np.nan)
    if measured.any():
        epsilon = np.asarray(operations.epsilon_factor_without_centering_array(table.hkl), dtype=np.float64)
        d_star_sq = np.asarray(cell.calculate_1_d2_array(table.hkl), dtype=np.float64)
        f[measured], sigma_f[measured], usable = french_wilson(
            value[measured], sigma[measured], epsilon[measured], centric[measured], d_star_sq[measured]
        )
        negative = int((value[measured] < 0).sum())
        notes.append(
            f"Amplitudes are made from the intensities {source.label} by the method of French and Wilson (1978); "
            f"{negative} of {int(measured.sum())} intensities are negative."
        )
        if not usable.all():
            notes.append(
                f"{int((~usable).sum())} intensities below {MOST_NEGATIVE:g} sigma cannot come from a positive "
                "intensity; they are left out."
            )
    return _Amplitudes(f, sigma_f)


def combine_mates(source: AmplitudeSource, centric: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Inverse-variance mean of Friedel mates and its sigma, (n,) each; NaN where neither was measured.

    Mates of a centric reflection are one measurement written twice: the first that is there is taken.
    """
    total = np.zeros(len(centric))
    weight = np.zeros(len(centric))
    positive = source.kind.startswith("amplitude")
    for value, sigma in zip(source.values, source.sigmas, strict=True):
        with np.errstate(invalid="ignore", divide="ignore"):
            measured = np.isfinite(value) & np.isfinite(sigma) & (sigma > 0)
            if positive:
                measured &= value > 0
            measured &= ~(centric & (weight > 0))
            w = np.where(measured, 1.0 / (sigma * sigma), 0.0)
        total += np.where(measured, w * np.nan_to_num(value), 0.0)
        weight += w
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(weight > 0, total / weight, np.nan)
        error = np.where(weight > 0, 1.0 / np.sqrt(weight), np.nan)
    return mean, error
