"""workbench score: R factors and geometry of a model exactly as it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from workbench.cli.options import Parser, add_inputs, add_threads, request_with
from workbench.core.settings import RefinementSettings
from workbench.core.words import counted
from workbench.session.log_lines import number, prepared_lines


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench score",
        description="R factors and geometry of MODEL against DATA: exactly the atoms of the file, every observed"
        " reflection, nothing refined.",
    )
    add_inputs(made)
    add_threads(made)
    made.add_argument("--json", action="store_true", help="print the numbers as JSON (the keys of `final`)")
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    settings = RefinementSettings(
        cycles=0,
        d_min=options.resolution,
        hydrogens="auto",
        threads=options.threads,
        scattering=options.scattering,
        likelihood=options.likelihood,
    )
    request = request_with(options, settings)
    from workbench.export.statistics import cycle_row, json_text
    from workbench.session.run import score_model

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    prepared, cycle = score_model(request, tell)
    s = cycle.statistics
    if options.json:
        print(json_text(cycle_row(s)), end="")
        return 0
    for line in prepared_lines(prepared):
        print(line)
    free = (
        f"{s.r_free:.4f} ({counted(s.n_free, 'reflection')})" if prepared.reflections.has_free else "none: no test set"
    )
    print(f"R_work    {s.r_work:.4f} ({counted(s.n_work, 'reflection')})")
    print(f"R_free    {free}")
    ll_free = f", free {s.ll_free:.4f}" if prepared.reflections.has_free else ""
    print(f"-LL       work {s.ll_work:.4f}{ll_free} per reflection")
    print(f"Bonds     rmsd {number(s.rmsd_bonds, '.4f', ' A')}, rmsZ {number(s.rmsz_bonds, '.2f')}")
    print(f"Angles    rmsd {number(s.rmsd_angles, '.2f', ' deg')}, rmsZ {number(s.rmsz_angles, '.2f')}")
    for family, (z, count) in s.geometry.items():
        if family not in ("bonds", "angles"):
            print(f"{family.replace('_', ' '):22s} rmsZ {number(z, '.2f')} ({count})")
    print(f"Mean B    {s.mean_b:.1f} A^2")
    return 0
