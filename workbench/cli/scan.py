"""workbench scan: several weights of the data against the geometry, side by side, and which one to take."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.cli.options import Parser, run_request
from workbench.cli.study import StudyRun, Values, add_study, run_study, without_amplitudes
from workbench.core.errors import SettingsError
from workbench.core.settings import RunRequest
from workbench.session.studies import StudyItem, plan_of
from workbench.session.weight_scan import AUTOMATIC, FACTORS, choose, scan_items

if TYPE_CHECKING:
    from workbench.engine.cross_validation.weight_choice import WeightChoice

HEADING = "weight        w    R_work   R_free    gap  LL_free(n)  bonds Z  angles Z  verdict"


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench scan",
        description="Refine MODEL against DATA at several weights side by side; write scan.json, scan.txt,"
        " scan.workbench (every run, opened by the window) and the five files of the recommended weight. Interrupted,"
        " the same command goes on where it stopped. Exit codes as those of refine.",
    )
    add_study(made, "workbench-scan")
    made.add_argument(
        "--weights",
        metavar="W,W,...",
        type=_numbers,
        help=f"absolute weights (default: {', '.join(f'{f:g}' for f in FACTORS)} times the automatic one)",
    )
    made.add_argument("--factors", metavar="F,F,...", type=_numbers, help="multiples of the automatic weight")
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    if options.weights and options.factors:
        raise SettingsError("--weights and --factors exclude each other.", remedy="Give one of them.")
    request = run_request(options)
    if request.settings.weight is not None:
        raise SettingsError("a scan sets the weight itself.", remedy="Use --weights instead of --weight.")
    study = StudyRun("scan", plan_of("scan", request), options)
    return run_study(study, lambda run: _scan(run, request, options))


def _scan(run: StudyRun, request: RunRequest, options: argparse.Namespace) -> int:
    found = run.results([StudyItem(AUTOMATIC, request)])
    if AUTOMATIC not in found:
        return 2
    base = found[AUTOMATIC]["statistics"]["xray_weight"]
    absolute = tuple(options.weights or ())
    items = scan_items(request, base, factors=options.factors or FACTORS, absolute=absolute)
    found |= run.results(items)
    choice = choose(found)
    run.write(
        {
            "items": {name: without_amplitudes(values) for name, values in found.items()},
            "recommended": choice.name or None,
            "reason": choice.reason,
            "excluded": choice.excluded,
        },
        table(found, choice),
    )
    if choice.name:
        values = found[choice.name]
        settings = replace(request.settings, weight=values["statistics"]["xray_weight"])
        run.write_model(choice.name, values, replace(request, settings=settings), choice.reason)
    return 2 if run.failed else 0


def table(found: Mapping[str, Values], choice: WeightChoice) -> list[str]:
    """The points by weight, the recommended one marked."""
    lines = [HEADING]
    for name, v in sorted(found.items(), key=lambda pair: pair[1]["statistics"]["xray_weight"]):
        s = v["statistics"]
        r_free = v["r_free"] if v["r_free"] is not None else math.nan
        ll_free = v["ll_free"] if v["ll_free"] is not None else math.nan
        mark = "  <- recommended" if name == choice.name else ""
        lines.append(
            f"{name:<12s}{s['xray_weight']:7.3g} {v['r_work']:8.4f} {r_free:8.4f} {r_free - v['r_work']:6.3f} "
            f"{ll_free:11.4f} {s['rmsz_bonds']:8.2f} {s['rmsz_angles']:9.2f}  {v['verdict']['state']}{mark}"
        )
    lines.append(f"Recommended: {choice.name or 'none'}. {choice.reason}")
    lines += [f"Left out: {name}, {why}." for name, why in choice.excluded.items()]
    return lines


def _numbers(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers; write for example 1,3,10") from None
    if not values or not all(math.isfinite(value) and value > 0 for value in values):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used; give positive numbers, for example 1,3,10")
    return tuple(sorted(set(values)))
