"""The recorded runs of verdict_runs.py, judged by the rules as they are now; and the tables of docs/diagnosis.md.

python -m tests.reference.verdict_records        prints the tables
"""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass
from pathlib import Path

from workbench.core.events import CycleStatistics
from workbench.engine.cross_validation.verdict import RunContext, State, Verdict, expected, judge, test_set_alarms

HERE = Path(__file__).parent
LETTERS: dict[State, str] = {
    "waiting": ".",
    "not settled": "n",
    "healthy": "H",
    "watch": "W",
    "overfitting": "R",
    "test set": "T",
}


@dataclass(frozen=True)
class JudgedRun:
    """kind: what is known of it ("sound", "overfitted", "test set"). verdicts: after every cycle."""

    name: str
    kind: str
    record: dict[str, object]
    rows: tuple[CycleStatistics, ...]
    verdicts: tuple[Verdict, ...]
    context: RunContext

    @property
    def letters(self) -> str:
        return "".join(LETTERS[verdict.state] for verdict in self.verdicts)

    @property
    def excess(self) -> float:
        reference, used = expected(self.rows[-1], self.context)
        return used.ratio - reference.ratio


def judged_runs(name: str) -> list[JudgedRun]:
    """The runs of verdict_{name}.json.gz."""
    made = []
    for record in json.loads(gzip.decompress((HERE / f"verdict_{name}.json.gz").read_bytes())):
        rows = tuple(
            CycleStatistics(
                **{key: math.nan if value is None else value for key, value in row.items()},
                weight_reason="",
                seconds=0.0,
            )
            for row in record["rows"]
        )
        context = RunContext(
            record["d_min"],
            record["n_atoms"],
            record["anisotropic"],
            test_set_alarms(record["n_work"], record["n_free"], record["has_free"]),
            cut=record.get("cut", False),
        )
        verdicts = tuple(judge(rows[:end], context) for end in range(1, len(rows) + 1))
        made.append(JudgedRun(record["name"], record["kind"], record, rows, verdicts, context))
    return made


def simulated_table() -> str:
    runs = judged_runs("simulated")
    lines = [
        "| simulated data | test | sound: R_work/R_free, error (A) | verdicts | made to overfit by | R_work/R_free,"
        " error (A) | verdicts |",
        "|---|---|---|---|---|---|---|",
    ]
    for sound, loose in zip(runs[::2], runs[1::2], strict=True):
        cells = [sound.name.split(",")[0], str(sound.record["n_free"])]
        for run in (sound, loose):
            row = run.rows[-1]
            if run is loose:
                cells.append(str(run.record["made"]))
            error = f"{run.record['coordinate_error']:.3f}"
            if run is sound:
                error = f"{run.record['returned_error']:.3f} ({error})"
            cells.append(f"{row.r_work:.3f}/{row.r_free:.3f}, {error}")
            cells.append(f"`{run.letters}`")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def real_table() -> str:
    lines = ["| run | known to be | R_work/R_free at the end | verdicts |", "|---|---|---|---|"]
    for run in judged_runs("real"):
        row = run.rows[-1]
        lines.append(f"| {run.name} | {run.kind} | {row.r_work:.3f}/{row.r_free:.3f} | `{run.letters}` |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(simulated_table())
    if (HERE / "verdict_real.json.gz").exists():
        print()
        print(real_table())
