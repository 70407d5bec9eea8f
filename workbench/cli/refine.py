"""workbench refine: refine a model against its data and write the five files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from workbench.cli.headless import run_headless
from workbench.cli.options import Parser, add_inputs, add_refinement, run_request
from workbench.cli.report import reporter

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
    request = run_request(options)
    return run_headless(request, options.output, reporter(options.quiet), project=options.project)
