"""workbench replay: repeat every run of a project and compare."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workbench.cli.options import Parser
from workbench.core.words import counted

TOLERANCE = 1e-4
"""Of R_free."""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench replay",
        description="Repeat every run of a project: the same inputs, the same settings, every change of a slider at the"
        f" point where it was made. Exit code 0 when every R_free comes out the same to {TOLERANCE}, else 3.",
    )
    made.add_argument("project", metavar="FILE.workbench", help="a project")
    made.add_argument("--json", action="store_true", help="print the comparison as JSON")
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    from workbench.export.statistics import json_text
    from workbench.session.history import Journal
    from workbench.session.replay import replay
    from workbench.session.run import run

    journal = Journal.open(options.project)
    rows = []
    try:
        with tempfile.TemporaryDirectory(prefix="workbench-inputs-") as folder:
            for row in replay(journal, run, lambda: Path(folder)):
                rows.append(row)
                if not options.json:
                    print(row.command)
                    print(
                        f"run {row.run}, branch {row.branch}: {counted(row.cycles, 'cycle')},"
                        f" {counted(row.marks, 'change')};"
                        f" R_free recorded {row.r_free:.4f}, replayed {row.replayed_r_free:.4f},"
                        f" largest difference of a cycle {row.largest:.1e}",
                        flush=True,
                    )
    finally:
        journal.close()
    same = all(max(row.largest, abs(row.r_free - row.replayed_r_free)) <= TOLERANCE for row in rows)
    if options.json:
        print(json_text({"same": same, "runs": [dataclasses.asdict(row) for row in rows]}), end="")
    elif not rows:
        print("The project holds no finished cycle to repeat.", file=sys.stderr)
    elif not same:
        print("workbench: R_free does not come out the same.", file=sys.stderr)
    return 0 if same else 3
