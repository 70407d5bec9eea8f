"""Which columns hold the measured amplitudes and the test set: by type and content, never by name alone.

Amplitudes (design, conventions 2): a mean amplitude with its sigma, else a mean intensity, else the Friedel pairs of
amplitudes, else those of intensities. Calculated amplitudes and map coefficients have no sigma.

Test set (conventions 11): only flags on observed reflections count. Two values: the rarer is the test set. Three or
more nearly equally filled integers: 0. Anything else is refused with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray
from workbench.core.data_contents import FlagColumn
from workbench.core.errors import InputError
from workbench.io.reflection_table import Column, ReflectionTable

AmplitudeKind = Literal["amplitude", "intensity", "amplitude pair", "intensity pair"]

_PAIRED = {"F": "Q", "J": "Q", "G": "L", "K": "M"}
_CALCULATED_NAMES = ("FC", "FWT", "DELFWT", "2FOFC", "FOFC", "FMODEL", "F-MODEL", "F_CALC", "FCALC")
_NEVER_FLAGS = ("MPART", "FLAG", "ISYM", "M/ISYM", "M_ISYM", "BATCH", "MISYM")
_NO_TEST_SET = ("none", "")


@dataclass(frozen=True, eq=False)
class AmplitudeSource:
    """What amplitudes are made from. values, sigmas: one array each, or two for Friedel pairs (+, -)."""

    kind: AmplitudeKind
    label: str
    sigma_label: str
    dataset: int
    values: tuple[FloatArray, ...] = field(repr=False)
    sigmas: tuple[FloatArray, ...] = field(repr=False)

    def usable(self) -> BoolArray:
        """(n,) rows with a measurement: amplitudes > 0, sigma > 0."""
        return usable_rows(self)


def usable_rows(source: AmplitudeSource) -> BoolArray:
    positive = source.kind.startswith("amplitude")
    result = np.zeros(len(source.values[0]), dtype=np.bool_)
    for value, sigma in zip(source.values, source.sigmas, strict=True):
        with np.errstate(invalid="ignore"):
            measured = np.isfinite(value) & np.isfinite(sigma) & (sigma > 0)
            if positive:
                measured &= value > 0
        result |= measured
    return result


# ---- amplitudes -----------------------------------------------------------------------------------------------------


def choose_amplitudes(
    table: ReflectionTable, labels: tuple[str, str] | None, dataset: str = ""
) -> tuple[AmplitudeSource, str, tuple[str, ...]]:
    """The amplitudes, why, and the labels of everything that could have been taken.

    dataset: name of the data set chosen by the user, where the file holds several.
    Raises InputError when nothing was measured (map coefficients only), when sigmas are missing, when `labels`
    name no such columns, and when the file holds several data sets and nobody says which is meant.
    """
    sources = amplitude_sources(table)
    candidates = tuple(source.label for source in sources)
    if labels is not None:
        source = _by_label(table, labels, sources)
        return source, "chosen by the user" + _derivation(source), candidates
    chosen_set = ""
    if dataset and table.dataset_names and dataset not in candidates:
        named = [s for s in sources if _is_named(table, s.dataset, dataset)]
        if not named and len(table.dataset_names) > 1:
            raise InputError(
                "there is no data set of this name with measured values.",
                file=table.source.path,
                item=dataset,
                remedy=f"The file has: {', '.join(_dataset_names(table, sources))}.",
                choice="columns",
            )
        if named:
            sources = named
            chosen_set = f"; data set {dataset} chosen by the user"
    elif dataset:
        sources = [s for s in sources if s.label == dataset] or sources
    for kind in ("amplitude", "intensity", "amplitude pair", "intensity pair"):
        same = [source for source in sources if source.kind == kind and source.usable().any()]
        # Measured amplitudes are rarely called like calculated ones: those go last.
        same.sort(key=lambda source: _sounds_calculated(source.label))
        if not same:
            continue
        counts = [int(source.usable().sum()) for source in same]
        _ask_which(table, same, counts)
        chosen = next(i for i, count in enumerate(counts) if count >= 0.8 * max(counts))
        reason = _reason(same[chosen])
        if len(same) > 1:
            others = ", ".join(
                f"{source.label} ({count})"
                for i, (source, count) in enumerate(zip(same, counts, strict=True))
                if i != chosen
            )
            reason += f"; the first of {len(same)} such columns (others: {others})"
        return same[chosen], reason + chosen_set, candidates
    raise _nothing_measured(table)


def _is_named(table: ReflectionTable, number: int, name: str) -> bool:
    return name in (str(number), table.dataset_names.get(number, ""))


def _dataset_names(table: ReflectionTable, sources: list[AmplitudeSource]) -> list[str]:
    return [f"{table.dataset_names.get(s.dataset) or s.dataset} ({s.label})" for s in sources]


def _ask_which(table: ReflectionTable, same: list[AmplitudeSource], counts: list[int]) -> None:
    """Several data sets of the same kind and of similar size: native and derivatives, or wavelengths. Only the user
    knows which one belongs to the model."""
    similar = [
        source
        for source, count in zip(same, counts, strict=True)
        if count >= 0.5 * max(counts) and not _sounds_calculated(source.label)
    ]
    if len({source.dataset for source in similar}) < 2:
        return
    first = similar[0]
    name = table.dataset_names.get(first.dataset) or str(first.dataset)
    raise InputError(
        f"the file holds {len(similar)} data sets: {', '.join(_dataset_names(table, similar))}. Which one "
        "belongs to the model?",
        file=table.source.path,
        item=", ".join(source.label for source in similar),
        remedy=f"Say --labels {first.label},{first.sigma_label} or --data-set {name} (or another of them).",
        choice="columns",
    )


def _sounds_calculated(label: str) -> bool:
    return label.upper().startswith(_CALCULATED_NAMES)


def _reason(source: AmplitudeSource) -> str:
    return {
        "amplitude": "type F with sigma: measured mean amplitude, not a calculated one",
        "intensity": "mean intensity (type J) with sigma, the file has no mean amplitude",
        "amplitude pair": "amplitudes of Friedel mates (type G) with sigmas, the file has no mean value",
        "intensity pair": "intensities of Friedel mates (type K) with sigmas, the file has nothing else",
    }[source.kind] + _derivation(source)


def _derivation(source: AmplitudeSource) -> str:
    mean = "; mates are combined by inverse variance" if source.kind.endswith("pair") else ""
    return mean + ("; amplitudes by French and Wilson (1978)" if source.kind.startswith("intensity") else "")


def amplitude_sources(table: ReflectionTable) -> list[AmplitudeSource]:
    """Everything with a sigma that amplitudes can be made from, in the order of the file."""
    found: list[AmplitudeSource] = []
    columns = table.columns
    halves: dict[str, list[tuple[Column, Column]]] = {"G": [], "K": []}
    for row, column in enumerate(columns):
        if column.type not in _PAIRED:
            continue
        sigma = _sigma_of(columns, row)
        if sigma is None:
            continue
        if column.type in halves:
            halves[column.type].append((column, sigma))
        else:
            kind: AmplitudeKind = "amplitude" if column.type == "F" else "intensity"
            found.append(
                AmplitudeSource(kind, column.label, sigma.label, column.dataset, (column.values,), (sigma.values,))
            )
    for type_, pairs in halves.items():
        for plus, minus in zip(pairs[::2], pairs[1::2], strict=False):
            if plus[0].dataset == minus[0].dataset:
                found.append(_pair("amplitude pair" if type_ == "G" else "intensity pair", plus, minus))
    return found


def _pair(kind: AmplitudeKind, plus: tuple[Column, Column], minus: tuple[Column, Column]) -> AmplitudeSource:
    return AmplitudeSource(
        kind,
        f"{plus[0].label},{minus[0].label}",
        f"{plus[1].label},{minus[1].label}",
        plus[0].dataset,
        (plus[0].values, minus[0].values),
        (plus[1].values, minus[1].values),
    )


def _sigma_of(columns: tuple[Column, ...], row: int) -> Column | None:
    """The sigma of a column: the next column if it is one, else one that is called like it."""
    column = columns[row]
    wanted = _PAIRED[column.type]
    after = columns[row + 1] if row + 1 < len(columns) else None
    if after is not None and after.type == wanted and after.dataset == column.dataset:
        return after
    names = {f"{prefix}{column.label}".upper() for prefix in ("SIG", "SIG_", "S", "SIGMA_", "SIGMA")}
    return next((each for each in columns if each.type == wanted and each.label.upper() in names), None)


def _by_label(table: ReflectionTable, labels: tuple[str, str], sources: list[AmplitudeSource]) -> AmplitudeSource:
    available = f"The file has: {table.listing()}."
    for source in sources:
        if source.kind.endswith("pair") and labels[0] in (source.label, *source.label.split(",")):
            return source
        if not labels[1] and source.label == labels[0]:  # the sigma that belongs to it
            return source
    value, sigma = table.column(labels[0]), table.column(labels[1])
    for label, column in zip(labels, (value, sigma), strict=True):
        if column is None:
            if not label:
                raise InputError(
                    "no sigma belongs to this column.",
                    file=table.source.path,
                    item=labels[0],
                    remedy=f"Name it as well (--labels {labels[0]},SIGMA). {available}",
                    choice="columns",
                )
            raise InputError(
                "there is no such column.", file=table.source.path, item=label, remedy=available, choice="columns"
            )
    assert value is not None and sigma is not None
    if value.type not in ("F", "J", "R", "G", "K"):
        raise InputError(
            f"this column has type {value.type}, not an amplitude or intensity.",
            file=table.source.path,
            item=value.label,
            remedy=available,
            choice="columns",
        )
    if sigma.type not in ("Q", "L", "M", "R"):
        raise InputError(
            f"this column has type {sigma.type}, not the sigma of an amplitude or intensity.",
            file=table.source.path,
            item=sigma.label,
            remedy=available,
            choice="columns",
        )
    kind: AmplitudeKind = "intensity" if value.type in "JK" else "amplitude"
    source = AmplitudeSource(kind, value.label, sigma.label, value.dataset, (value.values,), (sigma.values,))
    if not source.usable().any():
        raise InputError(
            "no reflection of this column has a positive sigma.",
            file=table.source.path,
            item=value.label,
            remedy=available,
            choice="columns",
        )
    return source


def _nothing_measured(table: ReflectionTable) -> InputError:
    path = table.source.path
    types = [column.type for column in table.columns]
    measured = [column for column in table.columns if column.type in _PAIRED]
    if table.columns and all(_may_be_flags(column) for column in table.columns):
        return InputError(
            f"this file holds only flags ({table.listing()}), no measured amplitudes or intensities.",
            file=path,
            remedy="Give the data, and this file after --free-file.",
        )
    if not measured:
        return InputError(
            f"there are no measured amplitudes or intensities in this file; its columns are {table.listing()}.",
            file=path,
            remedy="Give the file with F and SIGF (or I and SIGI).",
        )
    if any(_sigma_of(table.columns, row) for row, c in enumerate(table.columns) if c.type in _PAIRED):
        return InputError(
            "no reflection has both a value and a positive sigma.",
            file=path,
            item=measured[0].label,
            remedy="Give data with their sigmas.",
        )
    followed = [
        column for row, column in enumerate(table.columns[:-1]) if column.type in ("F", "G") and types[row + 1] == "P"
    ]
    if len(followed) == len(measured):
        names = ", ".join(column.label for column in followed[:4])
        return InputError(
            f"this file holds map coefficients only ({names} with phases), no measured amplitudes.",
            file=path,
            remedy="Give the file with F and SIGF (or I and SIGI) that the maps were made from.",
        )
    return InputError(
        "the amplitudes have no sigmas.",
        file=path,
        item=next(column.label for column in measured if column not in followed),
        remedy=f"Give data with their sigmas. The file has: {table.listing()}.",
    )


# ---- test set -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TestSet:
    """free: (n,) rows in the test set (all False without one). value: the flag's number, None for status letters."""

    __test__ = False

    free: BoolArray = field(repr=False)
    label: str
    value: int | None
    reason: str
    candidates: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Judged:
    """A column weighed as flags. problem: why it cannot be used, or ""; fatal: the user must decide."""

    column: Column
    free: BoolArray | None = None
    value: int | None = None
    reason: str = ""
    problem: str = ""
    fatal: bool = False


def choose_test_set(
    table: ReflectionTable, observed: BoolArray, label: str | None, value: int | None, incomplete: bool = False
) -> TestSet:
    """The test set, judged on the observed rows (n,) of the table.

    label: a column chosen by the user, "none" for no test set. value: the flag of the test set chosen by the user.
    incomplete: observed rows without a flag are allowed (the set will be extended to them).
    Raises InputError where flags are there but cannot be trusted, with the remedy.
    """
    path = table.source.path
    listing = tuple(column.label for column in table.columns if _may_be_flags(column))
    nothing = np.zeros(len(observed), dtype=np.bool_)
    if label is not None:
        column = table.column(label)
        if column is None and label.lower() in _NO_TEST_SET:
            return TestSet(nothing, "", None, "no test set, as the user asked", listing)
        if column is None:
            shown = ", ".join(listing) or "none"
            raise InputError(
                "there is no such column of flags.",
                file=path,
                item=label,
                remedy=f"Columns that may hold flags: {shown}; all columns: {table.listing()}.",
                choice="test set",
            )
        judged = _judge(column, observed, value, incomplete)
        if judged.problem:
            raise _refusal(path, judged, listing)
        return _chosen(judged, listing, "chosen by the user; ", ())
    candidates = [column for column in table.columns if column.type == "I" and _may_be_flags(column)]
    if not candidates:
        candidates = [column for column in table.columns if _may_be_flags(column)]
    judged_all = [_judge(column, observed, value, incomplete) for column in candidates]
    good = [each for each in judged_all if not each.problem]
    bad = [each for each in judged_all if each.problem]
    status = next((each for each in good if each.column.text_values), None)
    if status is not None:
        good = [status]
    if not good:
        fatal = sorted((each for each in bad if each.fatal), key=lambda each: not _sounds_free(each.column.label))
        if fatal:
            raise _refusal(path, fatal[0], listing)
        if value is not None:
            raise InputError(
                f"no column holds the flag {value}.",
                file=path,
                item=str(value),
                remedy=f"Columns that may hold flags: {', '.join(listing) or 'none'}.",
                choice="test set",
            )
        reason = "the file has no test set"
        if bad:
            reason += "; not flags: " + "; ".join(f"{each.column.label} ({each.problem})" for each in bad)
        return TestSet(nothing, "", None, reason, listing)
    notes = tuple(f"{each.column.label} is not used as flags: {each.problem}." for each in bad if each.fatal)
    good.sort(key=lambda each: not _sounds_free(each.column.label))
    first = good[0]
    same = [each.column.label for each in good[1:] if _identical(each, first, observed)]
    other = [each.column.label for each in good[1:] if not _identical(each, first, observed)]
    lead = ""
    if same:
        lead += f"identical to {', '.join(same)}; "
    if other:
        lead += f"the first of several sets (others: {', '.join(other)}); "
    return _chosen(first, listing, lead, notes)


def describe_flags(table: ReflectionTable, observed: BoolArray, partly: bool = False) -> tuple[FlagColumn, ...]:
    """Every column that may hold flags, with what it is taken for; judged on the observed rows (n,).

    partly: rows without a flag do not count against it.
    """
    described = []
    for column in table.columns:
        if not _may_be_flags(column):
            continue
        judged = _judge(column, observed, None, partly)
        present = column.values[observed & np.isfinite(column.values)]
        values: tuple[tuple[int, int], ...] = ()
        if len(present) and (present == np.rint(present)).all() and np.abs(present).max() <= 10000:
            numbers, counts = np.unique(present.astype(np.int64), return_counts=True)
            if len(numbers) <= 200:
                values = tuple(zip(map(int, numbers), map(int, counts), strict=True))
        described.append(FlagColumn(column.label, judged.problem or judged.reason, not judged.problem, values))
    return tuple(described)


def _may_be_flags(column: Column) -> bool:
    if column.type not in ("I", "R") or column.label.upper() in _NEVER_FLAGS:
        return False
    if column.type == "I":
        return True
    values = column.values[np.isfinite(column.values)]
    if not len(values) or np.abs(values).max() > 1000 or (values != np.rint(values)).any():
        return False
    return 2 <= len(np.unique(values)) <= 100 and _sounds_free(column.label)


def _sounds_free(label: str) -> bool:
    name = label.lower().replace("_", "").replace("-", "")
    return "free" in name or name == "status" or "test" in name or name.endswith("rfl")


def _judge(column: Column, observed: BoolArray, value: int | None, incomplete: bool = False) -> _Judged:
    if incomplete:
        observed = observed & np.isfinite(column.values)
        if not observed.any():
            return _Judged(column, problem="it is empty where data were observed")
    flags = column.values[observed]
    known = np.isfinite(flags)
    missing = int((~known).sum())
    if not known.any():
        return _Judged(column, problem="it is empty where data were observed")
    present = flags[known]
    whole = np.rint(present)
    if (present != whole).any() or np.abs(present).max() > 10000:
        odd = present[(present != whole) | (np.abs(present) > 10000)]
        worst = float(odd[np.argmax(np.abs(odd))])
        return _Judged(
            column,
            problem=f"its values are not flags ({len(np.unique(present))} different values, for example {worst:.3g})",
            fatal=True,
        )
    values, counts = np.unique(whole.astype(np.int64), return_counts=True)
    numbers = values.tolist()
    if value is not None:
        if value not in numbers:
            shown = ", ".join(map(str, numbers[:25]))
            return _Judged(column, problem=f"no observed reflection has the flag {value} (there are: {shown})")
        share = f"{int(counts[numbers.index(value)])} of {int(observed.sum())} observed reflections"
        return _complete(column, observed, missing, value, f"flag {value} chosen by the user ({share})")
    if len(numbers) == 1:
        said = column.text_values.get(numbers[0], str(numbers[0]))
        return _Judged(column, problem=f"every observed reflection has the same value {said}")
    if len(numbers) == 2:
        rarer = 0 if counts[0] <= counts[1] else 1
        test = numbers[rarer]
        said = f"status {column.text_values[test]}" if column.text_values else f"flag {test}"
        if counts[rarer] > 0.4 * counts.sum():
            return _Judged(
                column,
                problem=f"its two values are nearly equally frequent ({counts[0]} and {counts[1]})",
                fatal=_sounds_free(column.label),
            )
        return _complete(column, observed, missing, test, f"two values, the rarer is the test set ({said})")
    if len(numbers) > 200:
        return _Judged(column, problem=f"it has {len(numbers)} different values", fatal=_sounds_free(column.label))
    mean = counts.mean()
    if np.abs(counts - mean).max() > 0.3 * mean + 4.0 * np.sqrt(mean):
        return _Judged(
            column,
            problem=f"its {len(numbers)} values are unevenly filled ({counts.min()} to {counts.max()} reflections)",
            fatal=_sounds_free(column.label),
        )
    test = 0 if 0 in numbers else numbers[0]
    why = "0 is the test set by convention" if test == 0 else f"{test}, the lowest, is taken as the test set"
    return _complete(column, observed, missing, test, f"{len(numbers)} nearly equal sets, {why}")


def _complete(column: Column, observed: BoolArray, missing: int, value: int, reason: str) -> _Judged:
    if missing:
        return _Judged(
            column,
            problem=f"{missing} of {int(observed.sum())} observed reflections have no flag",
            fatal=True,
        )
    return _Judged(column, free=observed & (column.values == value), value=value, reason=reason)


def _identical(one: _Judged, other: _Judged, observed: BoolArray) -> bool:
    assert one.free is not None and other.free is not None
    return bool(np.array_equal(one.free[observed], other.free[observed]))


def _chosen(judged: _Judged, candidates: tuple[str, ...], lead: str, notes: tuple[str, ...]) -> TestSet:
    assert judged.free is not None
    value = None if judged.column.text_values else judged.value
    return TestSet(judged.free, judged.column.label, value, lead + judged.reason, candidates, notes)


def _refusal(path: str, judged: _Judged, candidates: tuple[str, ...]) -> InputError:
    others = [label for label in candidates if label != judged.column.label]
    other = f" Other columns that may hold flags: {', '.join(others)}." if others else ""
    if "have no flag" in judged.problem:
        remedy = (
            "Say --extend-free to give them flags at random, choose another column with --free, or say --free none to "
            "go without a test set."
        )
    elif "not flags" in judged.problem or "empty" in judged.problem:
        remedy = "Choose another column with --free LABEL, or say --free none to go without a test set."
    else:
        remedy = (
            "Choose another column with --free LABEL, the test set's number with --free-value, "
            "or say --free none to go without a test set."
        )
    return InputError(
        f"this column cannot serve as the test set: {judged.problem}.",
        file=path,
        item=judged.column.label,
        remedy=remedy + other,
        choice="test set",
    )
