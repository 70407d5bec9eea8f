"""Run one program and measure it: user and system seconds, wall seconds, peak memory of the whole process tree."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
COMPILED_ONCE = {"PYTHONDONTWRITEBYTECODE": ""}
"""Python keeps what it has compiled, as it does for users; the peer's modules were compiled when it was installed."""
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Measurement:
    """user, system, wall: seconds. memory_mb: peak of the summed resident memory of the tree (2^20 bytes).

    load: one-minute load average of the machine when the run began; wall times under load mean little.
    """

    code: int
    user: float
    system: float
    wall: float
    memory_mb: float
    load: float


def run_measured(
    command: Sequence[str | Path], folder: Path, *, core: int | None, environment: Mapping[str, str] | None = None
) -> Measurement:
    """Run the command in `folder` (output to output.txt there), on one core where the system can pin it.

    User and system seconds come from the kernel's account of the process and every descendant it waited for. Memory is
    polled over the tree where /proc tells it; elsewhere, and as a lower bound, it is the largest single process.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    surroundings = {**os.environ, **ONE_THREAD, **COMPILED_ONCE, **(environment or {})}
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "CLIBD_MON"):
        surroundings.pop(name, None)
    pin = ["taskset", "-c", str(core)] if core is not None else []
    began = time.perf_counter()
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(
            [*pin, *map(str, command)], cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=surroundings,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        peak = [0.0]
        stop = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peak, stop), daemon=True)
        watcher.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            stop.set()
            watcher.join()
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    largest = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Measurement(
        process.returncode, usage.ru_utime, usage.ru_stime, wall, max(peak[0], largest), load
    )  # fmt: skip


def one_core() -> int | None:
    """The last core this process may use, or None where processes cannot be pinned."""
    import shutil

    if not hasattr(os, "sched_getaffinity") or shutil.which("taskset") is None:
        return None
    return max(os.sched_getaffinity(0))


def _watch(root: int, peak: list[float], stop: threading.Event) -> None:
    if not Path("/proc/self/statm").exists():
        return
    while not stop.wait(POLL_SECONDS):
        peak[0] = max(peak[0], tree_memory_mb(root))


def tree_memory_mb(root: int) -> float:
    """Resident memory of a process and its descendants now (2^20 bytes; pages they share are counted once each)."""
    total, todo = 0, [root]
    page = os.sysconf("SC_PAGE_SIZE")
    while todo:
        process = todo.pop()
        try:
            total += int(Path(f"/proc/{process}/statm").read_text().split()[1]) * page
            for thread in Path(f"/proc/{process}/task").iterdir():
                todo += [int(child) for child in (thread / "children").read_text().split()]
        except (OSError, ValueError, IndexError):  # it ended meanwhile
            continue
    return total / 2**20
