"""workbench paired: does the model gain from the weak reflections beyond a resolution limit?"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.cli.options import Parser, run_request
from workbench.cli.study import StudyRun, Values, add_study, run_study, without_amplitudes
from workbench.core.errors import SettingsError
from workbench.core.settings import RunRequest
from workbench.session.studies import StudyItem, plan_of

if TYPE_CHECKING:
    from workbench.engine.cross_validation.free_measures import FreeMeasures
    from workbench.engine.cross_validation.resolution_choice import LimitStep

STEPS, STEP = 3, 0.1
HEADING = "from    to      n_free  dR_work   dR_free  +-       dwR_free  +-       dCC_free  +-       LL gained  worse"


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench paired",
        description="Refine MODEL at several resolution limits from the same start and compare each pair over the"
        " reflections that both have (Karplus & Diederichs, 2012): further data are worth having when none of R_free,"
        " wR_free, the free likelihood and CC_free is worse. Writes paired.json, paired.txt, paired.workbench and the"
        " five files of the recommended limit; interrupted, the same command goes on where it stopped.",
    )
    add_study(made, "workbench-paired")
    made.add_argument(
        "--limits",
        metavar="D,D,...",
        type=_limits,
        help=f"resolution limits in angstrom (default: that of the data and {STEPS} coarser ones in steps of {STEP} A)",
    )
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    request = run_request(options)
    limits: tuple[float, ...] = options.limits or _default_limits(request)
    study = StudyRun("paired", plan_of("paired", request), options)
    return run_study(study, lambda run: _paired(run, request, limits))


def _default_limits(request: RunRequest) -> tuple[float, ...]:
    from workbench.io.reflections import read_reflections

    if request.settings.d_min is not None:
        finest = request.settings.d_min
    else:
        data = read_reflections(
            request.data_path,
            labels=request.labels,
            free_label=request.free_label,
            free_value=request.free_value,
            options=request.intake,
        )
        finest = math.floor(data.d_min * 100.0) / 100.0
    return tuple(round(finest + STEP * step, 2) for step in range(STEPS, -1, -1))


def _paired(run: StudyRun, request: RunRequest, limits: tuple[float, ...]) -> int:
    from workbench.engine.cross_validation.resolution_choice import limit_step, recommended_limit

    base = request.settings
    refined = run.results(
        [StudyItem(f"refined to {d:.2f}", replace(request, settings=replace(base, d_min=d))) for d in limits]
    )
    if len(refined) < len(limits):
        return 2
    # Both models of a pair against the reflections to the coarser limit, scales fitted afresh, nothing refined.
    pairs = [(d, d1) for d1, d2 in itertools.pairwise(limits) for d in (d1, d2)]
    across = []
    for d, limit in pairs:
        start = run.model_of(refined[f"refined to {d:.2f}"])
        settings = replace(base, d_min=limit, cycles=0, shake=0.0, reset_b=None)
        across.append(StudyItem(_measured(d, limit), replace(request, settings=settings, start=start)))
    measured = run.results(across)
    if len(measured) < len(across):
        return 2
    steps = [
        limit_step(d1, d2, _measures(measured[_measured(d1, d1)]), _measures(measured[_measured(d2, d1)]))
        for d1, d2 in itertools.pairwise(limits)
    ]
    limit, why = recommended_limit(steps)
    found = {**refined, **measured}
    run.write(
        {
            "items": {name: without_amplitudes(values) for name, values in found.items()},
            "steps": [step.document() for step in steps],
            "recommended": limit,
            "reason": why,
        },
        table(refined, steps, why),
    )
    name = f"refined to {limit:.2f}"
    run.write_model(name, refined[name], replace(request, settings=replace(base, d_min=limit)), why)
    return 2 if run.failed else 0


def _measured(d: float, limit: float) -> str:
    return f"{d:.2f} measured to {limit:.2f}"


def table(refined: Mapping[str, Values], steps: Sequence[LimitStep], why: str) -> list[str]:
    lines = ["limit               R_work   R_free  (to its own limit)"]
    lines += [f"{name:<17s} {v['r_work']:8.4f} {v['r_free']:8.4f}" for name, v in refined.items()]
    lines += ["", HEADING]
    for s in steps:
        lines.append(
            f"{s.d1:5.2f}  {s.d2:5.2f}  {s.n_free:8d} {s.r_work:+8.4f}  {s.r_free:+8.4f}  {s.r_free_sigma:.4f}  "
            f"{s.wr_free:+8.4f}  {s.wr_free_sigma:.4f}  {s.cc_free:+8.4f}  {s.cc_free_sigma:.4f}  {s.ll_gain:+9.1f}  "
            f"{', '.join(s.worse) or '-'}"
        )
    return [*lines, f"Recommended: {why}"]


def _measures(values: Values) -> FreeMeasures:
    from workbench.engine.cross_validation.free_measures import FreeMeasures

    if values["r_free"] is None:
        raise SettingsError("paired refinement needs a test set.", remedy="Make one with --create-free.")
    test = values["test"]
    return FreeMeasures(
        f_obs=np.asarray(test["f_obs"]),
        f_model=np.asarray(test["f_model"]),
        sigma=np.asarray(test["sigma"]),
        r_work=values["r_work"],
        r_free=values["r_free"],
        wr_free=values["wr_free"],
        cc_free=values["cc_free"],
        ll_free=values["ll_free"],
    )


def _limits(text: str) -> tuple[float, ...]:
    try:
        values = sorted({round(float(part), 2) for part in text.split(",") if part.strip()}, reverse=True)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of limits; write for example 2.2,2.0,1.8") from None
    if len(values) < 2 or not all(0.3 <= value <= 20.0 for value in values):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used; give two or more limits in angstrom")
    return tuple(values)
