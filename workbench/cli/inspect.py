"""workbench inspect: what a data set is worth, before anything is refined against it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.options import DATA_HELP, Parser, add_columns, data_options
from workbench.core.errors import SettingsError
from workbench.core.words import counted
from workbench.engine.cross_validation.test_set_design import advised_fraction
from workbench.session.data_choice import DataChoice
from workbench.session.inspection import EXPECTED_R_FREE

if TYPE_CHECKING:
    from workbench.engine.data_quality.crystal_checks import PattersonPicture
    from workbench.session.data_survey import DataSurvey
    from workbench.session.inspection import Inspection

ADVICE = "5 %, up to 10 % where that is below 500 reflections, less where 2000 are enough"
MARKS = {"green": "[ok]   ", "amber": "[look] ", "red": "[STOP] ", "grey": "[ - ]  "}


def _r_factor(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.01 <= value <= 0.6:
        raise argparse.ArgumentTypeError(f"{text!r} is not an R factor; give a number from 0.01 to 0.6")
    return value


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench inspect",
        description="Judge DATA, and how MODEL fills its cell: completeness, signal, twinning, symmetry, test set. A"
        " light, a sentence and a consequence for each; nothing is refined. Exit code 0 whatever the lights say.",
    )
    made.add_argument("data", metavar="DATA", help=DATA_HELP)
    made.add_argument("model", metavar="MODEL", nargs="?", help="model, PDB or mmCIF (plain or .gz)")
    add_columns(made)
    made.add_argument("--json", action="store_true", help="print everything as JSON")
    made.add_argument(
        "--contents",
        action="store_true",
        help="only what the file holds, what can be chosen in it, and what would be read with these options",
    )
    made.add_argument("--test-set", action="store_true", help="what test sets of 2 to 50 %% would cost and give")
    made.add_argument(
        "--expected-r-free",
        metavar="R",
        type=_r_factor,
        default=EXPECTED_R_FREE,
        help=f"for the errors that --test-set tells (default {EXPECTED_R_FREE})",
    )
    made.add_argument("--report", metavar="FILE", help="write the report as well: with pictures to .html, else as text")
    return made


def main(arguments: Sequence[str]) -> int:
    # MODEL may be left out, and may stand behind the options
    options = parser().parse_intermixed_args(arguments)
    if options.contents:
        return _contents(options)
    from workbench.session.inspection import inspect_files

    found = inspect_files(
        options.data,
        options.model,
        options.labels,
        options.free,
        options.free_value,
        options.resolution,
        data_options(options),
        options.expected_r_free,
    )
    text = report_text(found)
    if options.test_set:
        text += "\n\n" + test_set_text(found, options.expected_r_free)
    if options.report:
        whole = text
        if Path(options.report).suffix.lower() in (".html", ".htm"):
            from workbench.export.quality_page import quality_page

            whole = quality_page(found.reflections, found.report, found.designs, options.expected_r_free)
        _write(options.report, whole, {options.data, options.model})
    print(json.dumps(as_json(found), indent=1, allow_nan=False) if options.json else text)
    return 0


def _contents(options: argparse.Namespace) -> int:
    from workbench.session.data_survey import survey

    choice = DataChoice(options.labels, options.free, options.free_value, data_options(options))
    found = survey(options.data, options.model, choice, options.resolution)
    if options.json:
        print(json.dumps(_plain(dataclasses.asdict(found)), indent=1, allow_nan=False))
    else:
        print(contents_text(found))
    return 0


def contents_text(found: DataSurvey) -> str:
    """What the file holds, and what would be read, as lines for a terminal."""
    held = found.contents
    lines = []
    if held.cell is not None:
        lines.append(f"Crystal   {held.space_group}, cell {' '.join(f'{value:.2f}' for value in held.cell)}")
    if held.unmerged:
        lines.append(f"Unmerged  {held.unmerged}")
    if held.datasets:
        lines.append(f"Data sets {', '.join(held.datasets)} (--data-set)")
    for each in held.measured:
        of = f", data set {each.dataset}" if each.dataset else ""
        lines.append(f"Columns   {each.label}; {each.sigma}: {each.kind}, {each.count} measured{of}")
    for flags in (*held.flags, *held.other_flags):
        lines.append(f"Flags     {flags.label}: {flags.finding}")
    if len(held.space_groups) > 1:
        lines.append(f"Possible  {', '.join(held.space_groups)} (--space-group)")
    lines.append("")
    if found.question is None:
        lines += [f"Read      {found.summary}", *(f"Note: {note}" for note in found.notes)]
    else:
        lines.append(f"To decide {found.question.message} {found.question.remedy}".rstrip())
    return "\n".join(lines)


def report_text(found: Inspection) -> str:
    """The report as lines for a terminal or a file."""
    data, report = found.reflections, found.report
    cell = " ".join(f"{value:.2f}" for value in data.crystal.cell)
    lines = [
        f"Data      {data.source.path}",
        f"Crystal   {data.crystal.space_group}, cell {cell}",
        f"Columns   {data.columns.amplitude}, {data.columns.sigma}: {data.columns.amplitude_reason}",
        f"          {counted(len(data), 'reflection')}, {data.d_max:.2f} to {data.d_min:.2f} A",
        "",
    ]
    width = max(len(item.name) for item in report.items)
    for item in report.items:
        lines.append(f"{MARKS[item.light]}{item.name:{width}s}  {item.sentence}")
        if item.action:
            lines.append(f"       {'':{width}s}  -> {item.action}")
    lines += ["", "d_max   d_min       n  complete  <I/sigma>     a*     b*     c*"]
    s = report.shells
    for i in range(len(s.n)):
        axes = " ".join(f"{v:6.1f}" if math.isfinite(v) else "     -" for v in s.axes[i])
        lines.append(
            f"{s.d_max[i]:6.2f} {s.d_min[i]:6.2f} {s.n[i]:7d} {100 * s.completeness[i]:8.1f}% "
            f"{s.i_over_sigma[i]:9.1f}   {axes}"
        )
    if data.notes:
        lines += ["", *(f"Note: {note}" for note in data.notes)]
    return "\n".join(lines)


def test_set_text(found: Inspection, expected_r_free: float) -> str:
    """The test-set designer: a row for each fraction."""
    data = found.reflections
    state = f"now {counted(int(data.free.sum()), 'reflection')}" if data.has_free else "there is none"
    with_model = any(math.isfinite(row.per_parameter) for row in found.designs)
    lines = [
        f"Test set  {state}; one is made only when asked (--create-free FRACTION), a set in use is never redrawn.",
        f"          What a set would give and cost, for an R_free of {expected_r_free:g}; the advice is {ADVICE}.",
        "",
        "fraction    test    work  error of R_free  errors of coordinates"
        + ("  work per parameter" if with_model else "")
        + "  sets",
    ]
    advised = advised_fraction(len(data))
    nearest = min(found.designs, key=lambda row: abs(row.fraction - advised), default=None)
    for row in found.designs:
        parameter = f"{row.per_parameter:20.1f}" if with_model else ""
        remark = "; ".join(part for part in ("advised" if row is nearest else "", row.remark) if part)
        lines.append(
            f"{100 * row.fraction:6.0f} % {row.n_test:7d} {row.n_work:7d} {row.error:16.4f}"
            f" {row.coordinate_cost:18.3f} x{parameter} {row.sets:6d}  {remark}".rstrip()
        )
    return "\n".join(lines)


def as_json(found: Inspection) -> dict[str, Any]:
    """Everything as plain values; what is not a number is null."""
    from workbench.engine.data_quality.twinning import L_GRID, expected_cumulative

    data, report = found.reflections, found.report
    s = report.shells
    plain: dict[str, Any] = _plain(
        {
            "file": data.source.path,
            "sha256": data.source.sha256,
            "crystal": {"cell": list(data.crystal.cell), "space_group": data.crystal.space_group},
            "columns": {
                "amplitude": data.columns.amplitude,
                "sigma": data.columns.sigma,
                "reason": data.columns.amplitude_reason,
                "candidates": list(data.columns.amplitude_candidates),
                "free": data.columns.free or None,
                "free_value": data.columns.free_value,
                "free_reason": data.columns.free_reason,
            },
            "n": len(data),
            "n_free": int(data.free.sum()),
            "d_min": data.d_min,
            "d_max": data.d_max,
            "light": report.worst,
            "items": [
                {
                    "name": item.name,
                    "light": item.light,
                    "sentence": item.sentence,
                    "action": item.action,
                    "values": item.values,
                }
                for item in report.items
            ],
            "shells": {
                "d_max": s.d_max.tolist(),
                "d_min": s.d_min.tolist(),
                "n": s.n.tolist(),
                "completeness": s.completeness.tolist(),
                "i_over_sigma": s.i_over_sigma.tolist(),
                "axes": s.axes.tolist(),
            },
            "wilson_plot": {
                "s_sq": report.plot.s_sq.tolist(),
                "log_ratio": report.plot.log_ratio.tolist(),
                "b": report.plot.b,
                "log_scale": report.plot.log_scale,
            },
            "l_test": {
                "l": L_GRID.tolist(),
                "data": report.l_test.cumulative.tolist(),
                "untwinned": expected_cumulative(False).tolist(),
                "perfect_twin": expected_cumulative(True).tolist(),
                "mean_abs": report.l_test.mean_abs,
                "fraction": report.l_test.fraction,
                "pairs": report.l_test.pairs,
            },
            "twin_laws": [dataclasses.asdict(law) for law in report.laws],
            "patterson": _patterson(report.patterson),
            "test_sets": [dataclasses.asdict(row) for row in found.designs],
            "advised_fraction": advised_fraction(len(data)),
            "free_candidates": list(data.columns.free_candidates),
            "notes": list(data.notes),
        }
    )
    return plain


def _patterson(found: PattersonPicture | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "peaks": [dataclasses.asdict(peak) for peak in found.peaks],
        "z": found.level,
        "edges": list(found.edges),
        "gamma": found.gamma,
        "section": found.section.round(4).tolist(),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _write(path: str, text: str, inputs: set[str | None]) -> None:
    place = Path(path)
    if any(name and place.resolve() == Path(name).resolve() for name in inputs):
        raise SettingsError("is an input and would be overwritten.", file=path, remedy="Give another --report.")
    try:
        beside = place.with_name(place.name + ".part")
        beside.write_text(text + "\n", encoding="utf-8")
        beside.replace(place)
    except OSError as error:
        raise SettingsError(
            f"cannot be written ({error.strerror}).", file=path, remedy="Give another --report."
        ) from None
