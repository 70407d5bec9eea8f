"""Heartbeat of the window while a structure refines: how late a 5 ms timer of the window's thread fires.

    python scripts/measure_heartbeat.py MODEL DATA [--cycles N] [--pan]

Opens the real window, measures an idle stretch first (what the machine and the timer give), then a whole refinement
with the view at rest, and prints median, 99th percentile and maximum of the intervals of both. With --pan the view is
moved to and fro through the maps (radius 12 A) all the time; the time of a frame (a repaint of the view, just before
the run) is printed as well, both by the clock and as processor time of the window's thread, which what else the
machine does disturbs less. Needs a display (xvfb-run on a machine without one). The load average is printed too.
"""

from __future__ import annotations

import argparse
import itertools
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
    """Beats of a timer: seconds by the clock, and processor seconds of this thread."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.times: list[float] = []
        self.work: list[float] = []
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(PERIOD_MS)
        self.timer.timeout.connect(self._beat)
        self.timer.start()

    def _beat(self) -> None:
        self.times.append(time.perf_counter())
        self.work.append(time.thread_time())

    def worked(self, start: float, end: float) -> np.ndarray:
        """Processor time in ms of this thread between the beats from `start` to `end` (perf_counter)."""
        work = np.array([w for w, t in zip(self.work, self.times, strict=True) if start <= t <= end])
        return 1000.0 * np.diff(work)

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
    parser.add_argument("--pan", action="store_true", help="move the view while it refines")
    options = parser.parse_args()
    os.environ["WORKBENCH_CONFIG_DIR"] = tempfile.mkdtemp(prefix="heartbeat-")
    from dataclasses import replace

    from PySide6.QtCore import QEvent, QTimer
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
    frames: list[float] = []
    frame_work: list[float] = []
    view = window.view.viewport
    mover = QTimer()
    if options.pan and view is not None:
        view.choice.chosen.emit("default")  # nobody pans before the question how to do it is answered
        view.set_radius(12.0)
        steps = itertools.count()

        def pan() -> None:
            to_and_fro = 0.15 if next(steps) % 120 < 60 else -0.15
            view._drag_by("pan", to_and_fro * view.height() / view.camera.height, 0.0)

        for _ in range(40):
            pan()
            view.set_refining(True)  # a picture as it is drawn during a run
            began, worked = time.perf_counter(), time.thread_time()
            view._scene.update()
            QApplication.sendEvent(window, QEvent(QEvent.Type.UpdateRequest))
            frames.append(1000.0 * (time.perf_counter() - began))
            frame_work.append(1000.0 * (time.thread_time() - worked))
            rest(0.03)
        mover.timeout.connect(pan)
        mover.start(33)
    begin = time.perf_counter()
    session.refine()
    until("finished")
    end = time.perf_counter()
    mover.stop()
    busy = heartbeat.intervals(begin, end)
    if hasattr(os, "getloadavg"):
        print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} processors")
    done = session.state.statistics[-1].cycle
    print(f"{done} cycles in {end - begin:.1f} s")
    report("idle", idle)
    report("refining", busy)
    if frames:
        work = heartbeat.worked(begin, end)
        for words, gaps, pictures in (("clock", busy, frames), ("processor", work, frame_work)):
            frame, high = float(np.median(pictures)), float(np.percentile(gaps, 99))
            print(
                f"{words:9s} {len(pictures):6d} pictures, median {frame:.1f} ms; 99th percentile of the heartbeat"
                f" {high:.1f} ms: {high / frame:.2f} of a picture"
            )
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
