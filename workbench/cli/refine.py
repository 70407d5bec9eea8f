"""workbench refine: refine a model against its data and write the five files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from workbench.cli.headless import run_headless
from workbench.cli.options import Parser, add_inputs, add_refinement, data_options, link_choices
from workbench.cli.report import reporter
from workbench.core.settings import RefinementSettings, RunRequest

DEFAULT_OUTPUT = "workbench-refine"


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench refine",
        description="Refine MODEL against DATA and write refined.pdb, refined.cif, refined.mtz, statistics.json and"
        " log.txt. Exit codes: 0 done, 1 bad input or settings, 2 numerical failure, 130 interrupted (best state"
        " written).",
    )
    add_inputs(made)
    add_refinement(made)
    made.add_argument(
        "--output", metavar="DIR", default=DEFAULT_OUTPUT, help=f"folder of the results (default {DEFAULT_OUTPUT})"
    )
    made.add_argument(
        "--project", metavar="FILE", default="", help="keep every cycle in this project file (opened by the window)"
    )
    made.add_argument("--quiet", action="store_true", help="print errors only")
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    settings = RefinementSettings(
        cycles=options.cycles,
        weight=options.weight,
        d_min=options.resolution,
        hydrogens=options.hydrogens,
        b_model=options.b_model,
        shake=options.shake,
        reset_b=options.reset_b,
        threads=options.threads,
        seed=options.seed,
        nuclear_distances=options.nuclear_distances,
        scattering=options.scattering,
        accept_unplaced=options.accept_unplaced,
    )
    request = RunRequest(
        model_path=options.model,
        data_path=options.data,
        dictionaries=tuple(options.dictionary),
        labels=options.labels,
        free_label=options.free,
        free_value=options.free_value,
        settings=settings,
        library=options.library,
        links=link_choices(options),
        intake=data_options(options),
    )
    return run_headless(request, options.output, reporter(options.quiet), project=options.project)
