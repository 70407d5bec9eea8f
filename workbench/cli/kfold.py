"""workbench kfold: R_free over k test sets, each refined without it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.cli.options import Parser, run_request
from workbench.cli.study import StudyRun, Values, add_study, run_study, without_amplitudes
from workbench.core.settings import RunRequest
from workbench.session.studies import StudyItem, plan_of

if TYPE_CHECKING:
    from workbench.engine.cross_validation.r_complete import Complete

SHAKE = 0.2


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench kfold",
        description="Refine MODEL k times, each time without another one of k sets of the reflections of DATA;"
        " R_complete (Lübben & Gruene, 2015) and the spread of R_free. Sets of the data are used where it has k of"
        " them, else k are drawn. The model has been refined against most of every set: it starts shaken and with one"
        " B. Measured on the last cycle of each run, which no test set chose. Writes kfold.json and kfold.txt;"
        " interrupted, the same command goes on where it stopped.",
    )
    add_study(made, "workbench-kfold")
    made.add_argument("-k", "--sets", metavar="K", type=_sets, default=10, help="number of sets (default 10)")
    made.set_defaults(shake=SHAKE, reset_b="mean")
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    request = run_request(options)
    k: int = options.sets
    study = StudyRun("kfold", plan_of("kfold", request, k), options)
    return run_study(study, lambda run: _kfold(run, request, k))


def _kfold(run: StudyRun, request: RunRequest, k: int) -> int:
    from workbench.engine.cross_validation.r_complete import Fold, complete

    items = [
        StudyItem(f"set {number + 1}", replace(request, intake=replace(request.intake, fold=(k, number))))
        for number in range(k)
    ]
    found = run.results(items)
    folds = [
        Fold(number, v["n_free"], v["difference"], v["f_obs_sum"], v["r_work"], v["ll_free"])
        for number, v in enumerate(found.values(), 1)
    ]
    if len(folds) < 2:
        return 2
    total = complete(folds)
    run.write(
        {
            "items": {name: without_amplitudes(values) for name, values in found.items()},
            "r_complete": total.r_complete,
            "r_complete_error": total.error,
            "r_free_mean": total.r_free,
            "r_free_sd": total.sd,
            "r_free_lowest": total.lowest,
            "r_free_highest": total.highest,
            "r_work_mean": total.r_work,
            "reflections": total.n,
            "sets": total.k,
        },
        table(found, total),
    )
    return 2 if run.failed else 0


def table(found: Mapping[str, Values], total: Complete) -> list[str]:
    lines = ["set         n   R_work   R_free  LL_free"]
    lines += [
        f"{name:<7s}{v['n_free']:6d} {v['r_work']:8.4f} {v['r_free']:8.4f} {v['ll_free']:8.4f}"
        for name, v in found.items()
    ]
    return [*lines, total.sentence]


def _sets(text: str) -> int:
    if not text.isdigit() or not 2 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text} sets cannot be used; give a number from 2 to 100")
    return int(text)
