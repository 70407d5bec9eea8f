"""The benchmark from the command line."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.side_by_side import bench as runner
from tests.benchmarks.side_by_side import programs, table
from tests.benchmarks.side_by_side.data_sets import SETS, chosen
from tests.benchmarks.side_by_side.environment import EnvironmentMissing, Peer, peer_environment
from tests.benchmarks.side_by_side.measure import one_core
from tests.benchmarks.side_by_side.report import write_report
from tests.benchmarks.side_by_side.starts import STARTS
from tests.benchmarks.side_by_side.summary import summary
from tests.conftest import ROOT, shared_data_folder


def main(words: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(words)
    data = args.data or shared_data_folder()
    if data is None:
        print("no data: name the folder of the sets with --data or WORKBENCH_SHARED_DATA", file=sys.stderr)
        return 1
    output = args.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    try:
        sets = chosen(args.sets)
        peer = peer_environment((args.peer or output / "peer").resolve())
    except (ValueError, EnvironmentMissing) as error:
        print(error, file=sys.stderr)
        return 1
    starts = [start for start in args.starts.split(",") if start]
    if not set(starts) <= set(STARTS):
        print(f"--starts takes {','.join(STARTS)}", file=sys.stderr)
        return 1
    workbench = Path(args.workbench).absolute()
    options = tuple(args.options.split())
    core = one_core() if args.core is None else (args.core if args.core >= 0 else None)
    fingerprint = {} if args.peer_only or args.table else programs.our_fingerprint(workbench, options)
    bench = runner.Bench(data.resolve(), output, peer, workbench, core, args.label, options, args.fresh, fingerprint)
    if not args.table:
        _run_all(bench, sets, starts, ours=not args.peer_only, peers=not args.ours_only)
    rows = table.collect(output, sets, starts, args.label)
    print(table.plain(rows))
    print()
    print("\n".join(summary(rows, args.label)))
    _write_json(output / "results.json", peer, rows, args.label)
    if args.report is not None:
        write_report(args.report, rows, peer, args.label)
    return 0


def _run_all(bench: runner.Bench, sets: Sequence[Any], starts: Sequence[str], *, ours: bool, peers: bool) -> None:
    for data_set in sets:
        try:
            case = bench.case(data_set)
        except (FileNotFoundError, ValueError) as error:
            runner.say(f"{data_set.name}: left out: {error}")
            continue
        for start in starts:
            if peers:
                _run_one(bench, case, start, "start")
                _run_one(bench, case, start, "servalcat")
            if ours:
                _run_one(bench, case, start, bench.label)
            if peers and (case.wants_anisotropic or runner.ours_is_anisotropic(bench, data_set.name, start)):
                _run_one(bench, case, start, "servalcat_aniso")


def _run_one(bench: runner.Bench, case: runner.Case, start: str, program: str) -> None:
    result = runner.run(bench, case, start, program)
    found = result.get("score", {})
    what = result.get("error") or f"R {found['r_work']:.4f} {found['r_free']:.4f}"
    spent = f", {result['measured']['user']:.1f} s user" if "measured" in result else ""
    runner.say(f"{case.data_set.name} {start} {program}: {what}{spent}")


def _write_json(path: Path, peer: Peer, rows: Sequence[table.Row], label: str) -> None:
    document = {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "machine": {"processor": platform.machine(), "system": platform.system(), "python": platform.python_version()},
        "peer": peer.versions,
        "rows": [
            {
                "set": row.data_set.name, "start": row.start, "program": row.program,
                "versions": row.result.get("program", {}),
                **{k: v for k, v in row.result.items() if k not in {"command", "model", "key", "program"}},
                "ours_against_it": None if row.comparison is None else {**vars(row.comparison), "z": row.comparison.z},
            }
            for row in rows
        ],
        "summary": summary(rows, label),
    }  # fmt: skip
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    beside = Path(sys.executable).with_name("workbench")
    ours = str(beside) if beside.exists() else shutil.which("workbench") or "workbench"
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.side_by_side",
        description="Refine the same data from the same start with the workbench and with servalcat, one core each, "
        "and score both outputs by the same scripts. What is stored in the output folder and still holds is not done "
        "again.",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of runs and results")
    parser.add_argument("--sets", default="all", help="comma-separated: " + ", ".join(s.name for s in SETS))
    parser.add_argument("--starts", default=",".join(STARTS), help="given, shaken (default: both)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--ours-only", action="store_true", help="run ours, compare with the stored peer")
    which.add_argument("--peer-only", action="store_true", help="run the peer only")
    which.add_argument("--table", action="store_true", help="run nothing, print what is stored")
    parser.add_argument("--fresh", action="store_true", help="run again whatever is stored")
    parser.add_argument("--workbench", default=ours,
                        help="executable of ours (default: the one of this environment)")  # fmt: skip
    parser.add_argument("--options", default="", help="further options of `workbench refine`, in one word")
    parser.add_argument("--label", default=programs.OURS, help="name under which ours is stored (to keep variants)")
    parser.add_argument("--peer", type=Path, help="environment of the peer (default: made in the output folder)")
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    parser.add_argument("--core", type=int, help="pin to this core (default: the last one; -1: do not pin)")
    parser.add_argument("--report", type=Path, nargs="?", const=ROOT / "docs" / "benchmarks.md",
                        help="write the Markdown report (default: docs/benchmarks.md)")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
