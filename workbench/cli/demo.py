"""workbench demo in a terminal: the bundled lysozyme, refined before your eyes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from workbench.cli.headless import run_headless
from workbench.cli.options import Parser, add_cycles, add_threads
from workbench.cli.report import reporter
from workbench.core.settings import RefinementSettings, RunRequest

EXAMPLE = "lyso_c2"
DEFAULT_OUTPUT = "workbench-demo"


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench demo",
        description="Refine a bundled crystal structure of lysozyme: in the window where there is a display, else in"
        " the terminal, where the results are written to a folder.",
    )
    made.add_argument("--terminal", action="store_true", help="in the terminal, display or not")
    made.add_argument(
        "--output",
        metavar="DIR",
        default=DEFAULT_OUTPUT,
        help=f"folder of the results in the terminal (default {DEFAULT_OUTPUT})",
    )
    add_cycles(made)
    add_threads(made)
    made.add_argument("--quiet", action="store_true", help="print errors only")
    return made


def example_files() -> tuple[str, str]:
    """Model and data of the demonstration."""
    from workbench.io.files import example_path

    model, data, _ = example_path(EXAMPLE)
    return str(model), str(data)


def main(options: argparse.Namespace, why: str = "") -> int:
    """why: the reason for the terminal when it was not asked for."""
    model, data = example_files()
    show = reporter(options.quiet)
    if why:
        show.say(f"{why} The demonstration runs in this terminal.")
    show.say(f"Lysozyme in C2, 1.76 A, from molecular replacement; the results go to {options.output}")
    request = RunRequest(model, data, settings=RefinementSettings(cycles=options.cycles, threads=options.threads))
    return run_headless(request, options.output, show)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    return parser().parse_args(arguments)
