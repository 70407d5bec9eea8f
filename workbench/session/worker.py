"""The only module that knows processes: a run in a child process, read by a background thread.

The numerics then cannot stall the window (gemmi holds the interpreter lock for half a second at a time), and a crash
takes neither the window nor what was reached with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import TypeAlias

from workbench.core.control import RunControl
from workbench.core.events import CycleFinished, Failed, Finished, RunEvent
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.poll_points import PollRecord

RunSource: TypeAlias = Callable[[RunRequest, RunControl], Iterator[RunEvent]]


def engine_run(request: RunRequest, control: RunControl) -> Iterator[RunEvent]:
    """The real run; imported in the child only, so that the window never loads the numerics."""
    from workbench.session.run import run

    yield from run(request, control)


class PipeControl:
    """The child's side of the controls. A thread reads the pipe; the engine asks `cancelled()` and waits there while
    paused, so that a pause takes effect between inner steps."""

    def __init__(self, connection: Connection, settings: RefinementSettings, held: bool) -> None:
        self._connection = connection
        self._settings = settings
        self._changed = threading.Condition()
        self._paused = held
        self._steps = 0
        """Cycles still to be done before the next pause; 0 while the run goes on by itself."""
        self._stopped = False
        self._started = False
        self._polls = PollRecord(settings)
        self._waited = 0.0
        """Seconds spent paused inside the cycle under way."""
        self.waited_total = 0.0
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                command, value = self._connection.recv()
            except (EOFError, OSError):
                os._exit(1)  # The window is gone: nobody will read what is computed here.
            with self._changed:
                if command == "settings":
                    self._settings = value
                elif command == "pause":
                    self._paused, self._steps = True, 0
                elif command == "resume":
                    self._paused, self._steps = False, 0
                elif command == "step":
                    # Counted: one that comes while the last is being reported is not lost.
                    self._paused, self._steps = False, self._steps + 1
                elif command == "stop":
                    self._stopped, self._paused = True, False
                self._changed.notify_all()

    def settings(self) -> RefinementSettings:
        """The newest settings; where they differ from those last given, the point is remembered for the record."""
        newest = self._settings
        self._polls.answered(newest)
        return newest

    def cancelled(self) -> bool:
        if self._started and self._paused:
            self._wait()
        return self._stopped

    def _wait(self) -> None:
        began = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: not self._paused)
        self._waited += time.perf_counter() - began
        self.waited_total += time.perf_counter() - began

    def timed(self, event: RunEvent) -> RunEvent:
        """The event without the time spent waiting for the user."""
        if isinstance(event, CycleFinished):
            seconds = max(event.statistics.seconds - self._waited, 0.0)
            self._waited = 0.0
            statistics = dataclasses.replace(event.statistics, seconds=seconds)
            return dataclasses.replace(event, statistics=statistics, applied=self._polls.taken(event.statistics.cycle))
        if isinstance(event, Finished):
            return dataclasses.replace(event, refine_seconds=max(event.refine_seconds - self.waited_total, 0.0))
        return event

    def sent(self, event: RunEvent) -> None:
        """Called after each event: opens the gate after the start cycle, ends a step after any other."""
        if not isinstance(event, CycleFinished):
            return
        with self._changed:
            if not self._started:
                self._started = True
            elif self._steps > 0 and not self._stopped:
                self._steps -= 1
                self._paused = self._steps == 0
        if self._paused:
            self._wait()
        self._waited = 0.0


def _lower_priority() -> None:
    if sys.platform == "win32":
        import ctypes

        kernel32 = ctypes.windll.kernel32
        kernel32.SetPriorityClass(kernel32.GetCurrentProcess(), 0x4000)
    else:
        with contextlib.suppress(OSError):
            os.nice(10)


def serve(connection: Connection, source: RunSource, request: RunRequest, held: bool) -> None:
    """Main function of the child process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the whole group; the window decides.
    _lower_priority()
    control = PipeControl(connection, request.settings, held)
    try:
        for event in source(request, control):
            connection.send(control.timed(event))
            control.sent(event)
    except (BrokenPipeError, ConnectionError):
        os._exit(1)
    except Exception as error:
        failed = Failed(
            f"The refinement ended because of an error inside the program ({type(error).__name__}: {error}).",
            exit_code=2,
            details=traceback.format_exc(),
            remedy="What was reached is kept. Please report this with the details.",
        )
        with contextlib.suppress(OSError):
            connection.send(failed)
    connection.close()


class Worker:
    """One run in a child process. `start` once; then pause, resume, step, stop, update_settings, kill at any time.

    Started held (the default), the child prepares, sends Prepared and the start cycle, and waits for `resume`/`step`.
    `on_event` is called from the reader thread. A child that dies gives one Failed event, unless `kill` was called.
    """

    def __init__(self, source: RunSource = engine_run) -> None:
        self._source = source
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None
        self._reader: threading.Thread | None = None
        self._sending = threading.Lock()
        self._killed = False

    def start(self, request: RunRequest, on_event: Callable[[RunEvent], None], held: bool = True) -> None:
        if self._process is not None:
            raise RuntimeError("a worker runs once")
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=True)
        self._connection = ours
        self._process = context.Process(
            target=serve, args=(theirs, self._source, request, held), name="refinement", daemon=True
        )
        self._process.start()
        theirs.close()
        self._reader = threading.Thread(target=self._read, args=(on_event,), name="run events", daemon=True)
        self._reader.start()

    def _read(self, on_event: Callable[[RunEvent], None]) -> None:
        assert self._connection is not None and self._process is not None
        ended = False
        while True:
            try:
                event = self._connection.recv()
            except Exception:  # End of file, or a message cut short by the death of the child.
                break
            if self._killed:
                break
            on_event(event)
            ended = ended or isinstance(event, (Finished, Failed))
        self._process.join(timeout=10.0)
        if not ended and not self._killed:
            on_event(_unexpected_end(self._exit_code()))

    def _exit_code(self) -> int | None:
        """How the child ended; waits for a thread that learned it a moment before this one (see `join`)."""
        assert self._process is not None
        until = time.monotonic() + 1.0
        while self._process.exitcode is None and time.monotonic() < until:
            time.sleep(0.01)
        return self._process.exitcode

    def _send(self, command: str, value: object = None) -> None:
        with self._sending, contextlib.suppress(OSError, ValueError):  # The child may just have ended.
            if self._connection is not None:
                self._connection.send((command, value))

    def pause(self) -> None:
        self._send("pause")

    def resume(self) -> None:
        self._send("resume")

    def step(self) -> None:
        """One cycle, then pause."""
        self._send("step")

    def stop(self) -> None:
        """The run ends at its next poll point, with Finished("stopped")."""
        self._send("stop")

    def update_settings(self, settings: RefinementSettings) -> None:
        self._send("settings", settings)

    def kill(self) -> None:
        """End the child at once; no event follows."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def join(self, timeout: float | None = None) -> None:
        """Wait for the child and the reader thread to end (not from the reader thread itself).

        Both, because of two threads that wait for one child only one learns how it ended: the other is told for a
        moment that there is no such child, and `alive` would say yes (multiprocessing.popen_fork.Popen.poll).
        """
        if self._process is not None:
            self._process.join(timeout)
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(timeout)


def _unexpected_end(exit_code: int | None) -> Failed:
    if exit_code is not None and exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:
            name = "unknown"
        how = f"signal {-exit_code}, {name}"
    else:
        how = f"exit code {exit_code}"
    remedy = "The last finished cycle is kept: export it, or press Refine to go on from it."
    if exit_code == -9:
        remedy += " Signal 9 often means that the computer ran out of memory."
    return Failed(f"The refinement process ended unexpectedly ({how}).", exit_code=2, remedy=remedy)
