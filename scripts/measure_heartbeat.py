"""Heartbeat of the window while a structure refines: how late a 5 ms timer of the window's thread fires.

    python scripts/measure_heartbeat.py MODEL DATA [--cycles N]

Opens the real window, measures an idle stretch first (what the machine and the timer give), then a whole refinement
with the view at rest, and prints median, 99th percentile and maximum of the intervals of both. Needs a display
(xvfb-run on a machine without one). What else the machine does counts: the load average is printed too.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PERIOD_MS = 5
IDLE_SECONDS = 5.0
SLOW_MS = 60.0


class Heartbeat:
    """Intervals of a timer, seconds, with the time each began."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.times: list[float] = []
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(PERIOD_MS)
        self.timer.timeout.connect(lambda: self.times.append(time.perf_counter()))
        self.timer.start()

    def intervals(self, start: float, end: float) -> np.ndarray:
        """Intervals in ms between the beats from `start` to `end` (perf_counter)."""
        times = np.array([t for t in self.times if start <= t <= end])
        return 1000.0 * np.diff(times)


def report(name: str, intervals: np.ndarray) -> None:
    median, high = np.percentile(intervals, [50, 99])
    print(
        f"{name:9s} {len(intervals):6d} beats  median {median:5.1f} ms  99th percentile {high:5.1f} ms"
        f"  longest {intervals.max():5.0f} ms  over {SLOW_MS:.0f} ms: {int((intervals > SLOW_MS).sum())}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--cycles", type=int, default=20)
    options = parser.parse_args()
    os.environ["WORKBENCH_CONFIG_DIR"] = tempfile.mkdtemp(prefix="heartbeat-")
    from dataclasses import replace

    from PySide6.QtWidgets import QApplication

    from workbench.gui.app import make_application, make_window

    app = make_application()
    window = make_window(keep_preferences=False)
    window.resize(1680, 1050)
    window.show()
    session = window.session

    def until(status: str, limit: float = 600.0) -> None:
        end = time.perf_counter() + limit
        while session.state.status != status:
            if session.state.status == "failed" or time.perf_counter() > end:
                raise SystemExit(f"not {status}: {session.state.status}, {session.state.failure}")
            QApplication.processEvents()
            app.thread().msleep(1)

    def rest(seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()
            app.thread().msleep(1)

    session.set_settings(replace(session.state.settings, cycles=options.cycles))
    window.open_pair(str(Path(options.model)), str(Path(options.data)))
    until("ready")
    rest(3.0)
    heartbeat = Heartbeat()
    begin = time.perf_counter()
    rest(IDLE_SECONDS)
    idle = heartbeat.intervals(begin, time.perf_counter())
    begin = time.perf_counter()
    session.refine()
    until("finished")
    end = time.perf_counter()
    busy = heartbeat.intervals(begin, end)
    if hasattr(os, "getloadavg"):
        print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} processors")
    done = session.state.statistics[-1].cycle
    print(f"{done} cycles in {end - begin:.1f} s")
    report("idle", idle)
    report("refining", busy)
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
