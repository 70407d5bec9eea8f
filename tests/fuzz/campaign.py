"""Many mutated files through the child, and what became of them.

    python -m tests.fuzz.campaign --count 5000 [--format mtz ...] [--seed 0] [--keep FOLDER]

prints a table and ends with 1 if any file gave a traceback, a hang of 10 s, a crash, or left a file behind.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import FORMATS, SUFFIX, seed_files

HANG = 10.0
ROOT = Path(__file__).resolve().parents[2]


class Child:
    """The reading process; begun again when it dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._begin()

    def _begin(self) -> None:
        environment = {**os.environ, "TMPDIR": str(self.folder), "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=self.folder,
            env=environment,
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, args=(self._process, self._lines), daemon=True).start()
        assert json.loads(self._lines.get(timeout=120))["result"] == "ready"

    @staticmethod
    def _listen(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    def look(self, kind: str, path: Path) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{kind} {path}\n")
        self._process.stdin.flush()
        try:
            line = self._lines.get(timeout=HANG)
        except queue.Empty:
            line = ""
            found = {"result": "hang"}
        else:
            found = json.loads(line) if line else {"result": "crash"}
        if not line:
            self.close()
            if found["result"] == "crash":
                found["result"] = f"crash: signal {-(self._process.returncode or 0)}"
            self._begin()
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


@dataclass
class Outcome:
    """What became of the files of one format."""

    counts: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    slowest: float = 0.0
    memory_mb: int = 0


def campaign(kind: str, count: int, seed: int, folder: Path, keep: Path | None = None) -> Outcome:
    """`count` mutated files of one format. folder: an empty one; whatever is found in it afterwards was left behind."""
    outcome = Outcome()
    work, inputs = folder / "work", folder / "in"
    work.mkdir()
    inputs.mkdir()
    whole = seed_files(inputs)[kind]
    child = Child(work)
    try:
        for number in range(count):
            data = mutated(whole, np.random.default_rng((seed, number, FORMATS.index(kind))))
            path = inputs / f"{number}{SUFFIX[kind]}"
            path.write_bytes(data)
            found = child.look(kind, path)
            left = sorted(each.name for each in work.iterdir())
            if left:
                found = {"result": f"left behind: {left[0]}"}
                for each in work.iterdir():
                    each.unlink()
            result = found["result"]
            outcome.counts[result] += 1
            outcome.slowest = max(outcome.slowest, found.get("seconds", HANG))
            outcome.memory_mb = max(outcome.memory_mb, found.get("memory_mb", 0))
            if result not in ("read", "refused"):
                outcome.bad.append((number, found))
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{kind}-{seed}-{number}{SUFFIX[kind]}").write_bytes(data)
            path.unlink()
    finally:
        child.close()
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--format", choices=FORMATS, action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    bad = 0
    for kind in options.format or FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            outcome = campaign(kind, options.count, options.seed, Path(folder), options.keep)
        bad += len(outcome.bad)
        counts = ", ".join(f"{name} {n}" for name, n in outcome.counts.most_common())
        print(f"{kind:10s} {counts}; slowest {outcome.slowest:.2f} s, peak memory {outcome.memory_mb} MB", flush=True)
        seen: set[str] = set()
        for number, found in outcome.bad:
            key = found.get("text", "")[-200:]
            if key not in seen:
                seen.add(key)
                print(f"  file {number}: {found['result']}\n{found.get('text', '')}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
