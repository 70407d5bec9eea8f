"""Observed reflections of any file: unique, in the asymmetric unit, with amplitude, sigma and test set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, IntArray
from workbench.core.crystal import ColumnChoice, Crystal, Measurements, MergingStatistics, Reflections
from workbench.core.errors import InputError
from workbench.core.settings import DataOptions
from workbench.core.words import counted
from workbench.io.column_choice import (
    AmplitudeSource,
    TestSet,
    amplitude_sources,
    choose_amplitudes,
    choose_test_set,
)
from workbench.io.flags_file import flags_of_other_file
from workbench.io.french_wilson import MOST_NEGATIVE, french_wilson
from workbench.io.given_crystal import GivenCrystal
from workbench.io.intensities import intensities_beside
from workbench.io.merging import asymmetric_unit, merge, sum_partials
from workbench.io.reflection_files import read_table
from workbench.io.reflection_table import Column, ReflectionTable

NO_FLAG = -(2**31)
"""In `Reflections.flags`: the row has no flag."""


def read_reflections(
    path: str,
    labels: tuple[str, str] | None = None,
    free_label: str | None = None,
    free_value: int | None = None,
    d_min: float | None = None,
    options: DataOptions | None = None,
    model_crystal: Crystal | None = None,
) -> Reflections:
    """Read reflections from an MTZ, mmCIF, Scalepack, XDS_ASCII or SHELX file (plain or gzip).

    labels: (F, SIGF) or (I, SIGI) chosen by the user. free_label, free_value: column and flag of the test set chosen by
    the user; free_label "none" means no test set. d_min: high-resolution limit in angstrom. options: what else the user
    decided. model_crystal: cell and space group for files that carry none.
    Which columns were taken, why, and what else could have been taken is in `Reflections.columns`.
    Raises InputError with file, column and remedy for data that cannot be used, and with the question where the user
    has to decide.
    """
    options = options or DataOptions()
    given = GivenCrystal(options.space_group, options.cell, model_crystal)
    table = read_table(path, given, options.dataset, labels)
    merging: MergingStatistics | None = None
    notes = list(table.notes)
    if table.unmerged:
        table, merging = _merged(table, labels, options, notes)
        labels = None
    source, reason, candidates = choose_amplitudes(table, labels, options.dataset)
    try:
        table, source, doubled = _unique(table, source)
    except _DifferentValuesError as found:
        table, merging = _merged(replace(table, unmerged=str(found)), labels, options, notes)
        source, reason, candidates = choose_amplitudes(table, None)
        doubled = 0
    if doubled:
        notes.append(
            f"{counted(doubled, 'reflection', 'occur')} more than once with the same values; each is used once."
        )
    crystal = table.crystal(source.dataset)
    cell = table.cells[source.dataset]
    _note_other_cells(table, source, notes)

    amplitude = _amplitudes(table, source, cell, notes)
    observed = np.isfinite(amplitude.f) & np.isfinite(amplitude.sigma) & (amplitude.sigma > 0) & (amplitude.f > 0)
    written = np.isfinite(amplitude.f) & np.isfinite(amplitude.sigma)
    if source.kind.startswith("amplitude") and (written & ~observed).any():
        zero = int((written & ~observed).sum())
        notes.append(f"Not used: {counted(zero, 'reflection')} with F or sigma of zero or less.")
    if not observed.any():
        raise InputError(
            "no reflection has a positive amplitude and sigma.",
            file=path,
            item=source.label,
            remedy=f"Choose other columns with --labels. The file has: {table.listing()}.",
            choice="columns",
        )
    operations = table.group.operations()
    absent = np.asarray(operations.systematic_absences(table.hkl), dtype=np.bool_)
    origin = (table.hkl == 0).all(axis=1)
    if (observed & absent).any():
        notes.append(f"Left out: {counted(int((observed & absent).sum()), 'systematically absent reflection')}.")
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
    _refuse_strange_amplitudes(amplitude, observed, path, source.label)
    where = table
    if options.free_file:
        where, said = flags_of_other_file(table, source, observed, options)
        notes.extend(said)
    test_set = choose_test_set(where, observed, free_label, free_value, options.extend_free)
    if options.free_file and test_set.label:
        test_set = replace(test_set, reason=f"from {Path(options.free_file).name}: {test_set.reason}")
    notes.extend(test_set.notes)

    rows = np.flatnonzero(observed)
    hkl = table.hkl[rows]
    rows = rows[np.lexsort((hkl[:, 2], hkl[:, 1], hkl[:, 0]))]
    limits = 1.0 / np.sqrt(d_star_sq[rows])
    low, high = float(limits.max()), float(limits.min())
    possible = _possible(cell, table.group, high, low, path)
    flags: IntArray | None = None
    column = where.column(test_set.label) if test_set.label else None
    if column is not None:
        known = np.where(np.isfinite(column.values[rows]), np.rint(column.values[rows]), NO_FLAG)
        flags = np.ascontiguousarray(known.astype(np.int32))
    hkl, f_obs = np.ascontiguousarray(table.hkl[rows]), np.ascontiguousarray(amplitude.f[rows])
    measured = _measurements(table, source, crystal, merging, d_min)
    made_of = source.kind.startswith("intensity") and source.label == measured.label
    intensity, sigma_intensity = intensities_beside(hkl, f_obs, measured, made_of, notes) or (None, None)
    intensity_label = measured.label if intensity is not None else ""
    if measured.kind == "amplitude":  # Phenix keeps what was measured and what is refined against in two data sets
        for other in amplitude_sources(table):
            if intensity is None and other.kind.startswith("intensity") and other.dataset != source.dataset:
                elsewhere = _measurements(table, other, crystal, None, d_min)
                intensity, sigma_intensity = intensities_beside(hkl, f_obs, elsewhere, False, []) or (None, None)
                intensity_label = other.label if intensity is not None else ""
    return Reflections(
        crystal=crystal,
        hkl=hkl,
        f_obs=f_obs,
        sigma=np.ascontiguousarray(amplitude.sigma[rows]),
        free=np.ascontiguousarray(test_set.free[rows]),
        has_free=bool(test_set.label),
        d_min=high,
        d_max=low,
        completeness=min(1.0, len(rows) / possible) if possible else 0.0,
        columns=_choice(source, reason, candidates, test_set),
        source=table.source,
        notes=tuple(notes),
        measured=measured,
        radiation=table.radiation,
        flags=flags,
        intensity=intensity,
        sigma_intensity=sigma_intensity,
        intensity_label=intensity_label,
    )


def _possible(cell: gemmi.UnitCell, group: gemmi.SpaceGroup, high: float, low: float, path: str) -> int:
    """How many unique reflections there are between two limits; refuses what no memory holds."""
    rough = 4.19 * cell.volume / high**3 / 2
    if rough > 2e8:
        raise InputError(
            f"cell and resolution ({high:.2f} A) together would give {rough:.1g} reflections.",
            file=path,
            remedy="The cell or the indices are damaged, or the resolution limit must be lower (--resolution).",
        )
    return len(gemmi.make_miller_array(cell, group, high * (1 - 1e-7), low * (1 + 1e-7), unique=True))


def _refuse_strange_amplitudes(amplitude: _Amplitudes, observed: BoolArray, path: str, label: str) -> None:
    """Values that overflow when squared are damage, not measurements."""
    worst = float(max(amplitude.f[observed].max(), amplitude.sigma[observed].max()))
    if worst > 1e12:
        raise InputError(
            f"there is a value of {worst:.3g}, which no detector counts.",
            file=path,
            item=label,
            remedy="The file is damaged: copy or make it again.",
        )


# ---- unmerged observations ------------------------------------------------------------------------------------------


class _DifferentValuesError(Exception):
    """Equivalent reflections with different values: the file holds observations, whatever it says."""


def _merged(
    table: ReflectionTable, labels: tuple[str, str] | None, options: DataOptions, notes: list[str]
) -> tuple[ReflectionTable, MergingStatistics]:
    """The table with observations merged, where the format or the user says that they are scaled."""
    if not (table.scaled or options.merge):
        raise InputError(
            f"unmerged data ({table.unmerged}). Are they scaled, so that they may be merged as they stand?",
            file=table.source.path,
            remedy="If so, say --merge; else scale and merge them first (for example with aimless or xscale).",
            choice="merge",
        )
    single = [source for source in amplitude_sources(table) if not source.kind.endswith("pair")]
    if labels is not None:
        single = [source for source in single if source.label == labels[0]]
    single = [source for source in single if source.usable().any()]
    if not single:
        raise InputError(
            f"{table.unmerged}, and no mean value with a positive sigma can be merged: in {table.group.xhm()} these "
            "are not unique reflections.",
            file=table.source.path,
            item=labels[0] if labels else "",
            remedy=f"Correct the space group (--space-group) or choose columns. The file has: {table.listing()}.",
            choice="crystal",
        )
    source = single[0]
    value, sigma = source.values[0], source.sigmas[0]
    with np.errstate(invalid="ignore"):
        good = np.isfinite(value) & np.isfinite(sigma) & (sigma > 0)
    rejected = table.column("FLAG")
    if rejected is not None:
        flagged = good & (np.nan_to_num(rejected.values) != 0)
        if flagged.any():
            notes.append(f"Left out: {counted(int(flagged.sum()), 'observation')} that integration flagged.")
        good &= ~flagged
    rows = np.flatnonzero(good)
    hkl, value, sigma = table.hkl[rows], value[rows], sigma[rows]
    hkl, value, sigma = _whole(table, rows, hkl, value, sigma, notes)
    if not len(hkl):
        raise InputError(
            "no observation is complete and has a positive sigma.",
            file=table.source.path,
            item=source.label,
            remedy="Scale and merge the data first (for example with aimless or xscale).",
        )
    result = merge(hkl, value, sigma, table.group, table.cells[source.dataset])
    why = "scaled by their program" if table.scaled else "as the user asked"
    notes.append(
        f"{counted(len(hkl), 'observation')} of {source.label} are merged into "
        f"{counted(len(result.hkl), 'reflection')} ({why}); multiplicity {len(hkl) / len(result.hkl):.1f}."
    )
    kinds = "JQKM" if source.kind == "intensity" else "FQGL"
    plain = (Column(source.label, kinds[0], result.value), Column(source.sigma_label, kinds[1], result.sigma))
    pairs = tuple(
        Column(f"{label}{sign}", kinds[2 + number], result.mates[:, 2 * side + number])
        for side, sign in enumerate(("(+)", "(-)"))
        for number, label in enumerate((source.label, source.sigma_label))
    )
    columns = tuple(replace(column, dataset=source.dataset) for column in (*plain, *pairs))
    return replace(table, hkl=result.hkl, columns=columns, unmerged=""), result.statistics


def _whole(
    table: ReflectionTable, rows: AnyArray, hkl: IntArray, value: FloatArray, sigma: FloatArray, notes: list[str]
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Observations with the parts of reflections that M/ISYM marks as partial added up."""
    column = next((each for each in table.columns if each.type == "Y"), None)
    batch = next((each for each in table.columns if each.type == "B"), None)
    if column is None or batch is None:
        return hkl, value, sigma
    code = np.nan_to_num(column.values[rows]).astype(np.int64)
    partial = code >= 256
    if not partial.any():
        return hkl, value, sigma
    _, key = np.unique(np.column_stack([hkl[partial], code[partial] % 256]), axis=0, return_inverse=True)
    fraction = table.column("FRACTIONCALC")
    first, total, error, incomplete = sum_partials(
        key.reshape(-1).astype(np.int32),
        batch.values[rows][partial],
        None if fraction is None else fraction.values[rows][partial],
        value[partial],
        sigma[partial],
    )
    notes.append(
        f"{counted(int(partial.sum()), 'part', 'are')} added up to {counted(len(first), 'reflection')}; "
        f"{incomplete} incomplete ones are left out."
    )
    return (
        np.concatenate([hkl[~partial], hkl[partial][first]]),
        np.concatenate([value[~partial], total]),
        np.concatenate([sigma[~partial], error]),
    )


def _measurements(
    table: ReflectionTable,
    source: AmplitudeSource,
    crystal: Crystal,
    merging: MergingStatistics | None,
    d_min: float | None,
) -> Measurements:
    """What the data are judged by: intensities where the file has them for the same data set, else the amplitudes."""
    sources = [each for each in amplitude_sources(table) if each.dataset == source.dataset]
    enough = 0.8 * int(source.usable().sum())
    best = next(
        (
            s
            for kind in ("intensity", "intensity pair")
            for s in sources
            if s.kind == kind and s.usable().sum() >= enough
        ),
        source,
    )
    pairs = [
        s for s in sources if s.kind == ("intensity pair" if best.kind.startswith("intensity") else "amplitude pair")
    ]
    centric = np.asarray(table.group.operations().centric_flag_array(table.hkl), dtype=np.bool_)
    value, sigma = (best.values[0], best.sigmas[0]) if len(best.values) == 1 else combine_mates(best, centric)
    with np.errstate(invalid="ignore"):
        keep = np.isfinite(value) & np.isfinite(sigma) & (sigma > 0) & (table.hkl != 0).any(axis=1)
        keep &= (np.abs(value) < 1e24) & (sigma < 1e24)
        if best.kind.startswith("amplitude"):
            keep &= value > 0
    cell = table.cells[source.dataset]
    if d_min is not None:
        keep &= np.asarray(cell.calculate_1_d2_array(table.hkl)) <= (1.0 + 1e-9) / d_min**2
    rows = np.flatnonzero(keep)
    hkl = table.hkl[rows]
    rows = rows[np.lexsort((hkl[:, 2], hkl[:, 1], hkl[:, 0]))]
    mates = None
    if pairs:
        (plus, minus), (sigma_plus, sigma_minus) = pairs[0].values, pairs[0].sigmas
        mates = np.stack([plus, sigma_plus, minus, sigma_minus], axis=1)[rows]
    return Measurements(
        crystal=crystal,
        hkl=np.ascontiguousarray(table.hkl[rows]),
        kind="intensity" if best.kind.startswith("intensity") else "amplitude",
        value=np.ascontiguousarray(value[rows]),
        sigma=np.ascontiguousarray(sigma[rows]),
        label=best.label,
        mates=mates,
        merging=merging,
        radiation=table.radiation,
        wavelength=table.wavelengths.get(source.dataset, 0.0),
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


# ---- one row for each reflection of the asymmetric unit -------------------------------------------------------------


def _unique(table: ReflectionTable, source: AmplitudeSource) -> tuple[ReflectionTable, AmplitudeSource, int]:
    """Table and amplitudes with one row for each unique reflection, and how many duplicates were merged.

    Duplicates of a merged file repeat the same measurement; different values mean unmerged data.
    """
    hkl, _ = asymmetric_unit(table.hkl, table.group)
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
            raise _DifferentValuesError(
                f"{counted(int((counts > 1).sum()), 'reflection', 'occur')} more than once, "
                f"{differing} with different values"
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
