"""A run without a window: events to the terminal, five files at the end, Ctrl-C understood."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from workbench.cli.report import HEADING, Reporter, cycle_line
from workbench.core.control import RunControl
from workbench.core.errors import SettingsError, WorkbenchError
from workbench.core.events import CycleFinished, CycleStatistics, Failed, Finished, Note, Prepared, RunEvent
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.log_lines import final_line, prepared_lines

if TYPE_CHECKING:
    from workbench.session.history import Recorder

INTERRUPTED = 130
Source = Callable[[RunRequest, RunControl], Iterator[RunEvent]]


class SignalControl:
    """Ctrl-C, SIGTERM or a closed terminal stops the run after the step under way; before the first cycle, or the
    second time, at once."""

    def __init__(self, settings: RefinementSettings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self.asked = 0
        self.gentle = False
        """There is a state to write, so that a first signal need not end the run on the spot."""
        self.deaf = False
        """The files are being written: signals wait."""

    def cancelled(self) -> bool:
        return self.asked > 0

    def settings(self) -> RefinementSettings:
        return self._settings

    def _signal(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1
        if self.deaf:
            return
        if not self.gentle or self.asked > 1:
            raise KeyboardInterrupt
        self._say("Stopping after this step; once more stops at once.")

    @contextmanager
    def listening(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = [signal.SIGINT, signal.SIGTERM]
        if hasattr(signal, "SIGHUP"):
            names.append(signal.SIGHUP)  # The terminal was closed.
        old = {name: signal.signal(name, self._signal) for name in names}
        try:
            yield
        finally:
            for name, handler in old.items():
                signal.signal(name, handler)


def print_error(error: WorkbenchError | Failed) -> None:
    """One readable message on stderr; the traceback only when WORKBENCH_DEBUG is set."""
    place = ": ".join(part for part in (error.file, error.item) if part)
    text = " ".join(part for part in (f"{place}:" if place else "", error.message, error.remedy) if part)
    print(f"workbench: {text}", file=sys.stderr)
    if os.environ.get("WORKBENCH_DEBUG") and isinstance(error, Failed) and error.details:
        print(error.details, file=sys.stderr)


def check_output(output: str, request: RunRequest) -> Path:
    """The output folder, before any work is done for it: it can be made, and no input lies in the way."""
    from workbench.export.results import FILES

    if not output.strip():
        raise SettingsError("the name of the output folder is empty.", item="--output", remedy="Name a folder.")
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise SettingsError("is a file, not a folder.", file=output, remedy="Give another folder with --output.")
    above = folder
    while not above.exists() and above != above.parent:
        above = above.parent
    try:
        # Tried, not asked: permissions alone do not tell of read-only, full and odd file systems.
        Path(tempfile.mkdtemp(prefix=".workbench-", dir=above)).rmdir()
    except OSError as error:
        why = f"cannot be written ({error.strerror or error})."
        raise SettingsError(why, file=output, remedy="Give another folder with --output.") from None
    inputs = {Path(path).resolve() for path in (request.model_path, request.data_path, *request.dictionaries)}
    for name in FILES:
        if (folder / name).resolve() in inputs:
            raise SettingsError(
                "is an input of this run and would be overwritten.",
                file=str(folder / name),
                remedy="Give another folder with --output.",
            )
    return folder


def run_headless(
    request: RunRequest, output: str, reporter: Reporter, source: Source | None = None, project: str = ""
) -> int:
    """Run, report, write the five files; returns the exit code. Errors of input are printed here.

    project: file that keeps every cycle as the window does; it must not exist yet. Without one nobody looks at the fit
    of the residues cycle by cycle.
    """
    request = replace(request, residue_fit=bool(project))
    if source is None:
        from workbench.session.run import run

        source = run
    try:
        folder = check_output(output, request)
        recorder = _recorder(project, request)
    except WorkbenchError as error:
        print_error(error)
        return error.exit_code
    outcome = _Outcome()
    control = SignalControl(request.settings, reporter.say)
    with control.listening():
        try:
            with reporter:
                for event in source(request, control):
                    for note in recorder.take(event) if recorder is not None else ():
                        outcome.take(note)
                        reporter.show(note)
                    outcome.take(event)
                    reporter.show(event)
                    control.gentle = outcome.best is not None
        except KeyboardInterrupt:
            outcome.interrupted = True
        control.deaf = True
        if recorder is not None:
            recorder.cut_short("Interrupted")
            if recorder.journal is not None:
                recorder.journal.close()
        outcome.interrupted = outcome.interrupted or (outcome.result is not None and outcome.result.reason == "stopped")
        return _conclude(outcome, request, folder, reporter)


def _recorder(project: str, request: RunRequest) -> Recorder | None:
    """The recorder of a run that is to be kept; checked before any work is done."""
    if not project:
        return None
    from workbench.session.history import Journal, Recorder

    if Path(project).exists():
        raise SettingsError(
            "exists already; nothing is overwritten.",
            file=project,
            remedy="Give another name with --project, or open it with workbench FILE.workbench.",
        )
    folder = Path(project).absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SettingsError("cannot be written.", file=project, remedy="Give another folder with --project.")
    return Recorder(lambda: Journal.create(project), request, None)


class _Outcome:
    """What a run left."""

    def __init__(self) -> None:
        self.prepared: Prepared | None = None
        self.best: CycleFinished | None = None
        self.cycles: list[CycleStatistics] = []
        self.result: Finished | None = None
        self.failure: Failed | None = None
        self.interrupted = False
        self.log: list[str] = []
        self.warnings: list[str] = []

    def take(self, event: RunEvent) -> None:
        match event:
            case Note():
                if event.severity == "warning":
                    self.warnings.append(event.text)
                self.log.append(f"{'WARNING ' if event.severity == 'warning' else ''}{event.text}")
            case Prepared():
                self.prepared = event
                self.log += prepared_lines(event)
            case CycleFinished():
                if not self.cycles:
                    self.log.append(HEADING)
                self.cycles.append(event.statistics)
                if event.best or self.best is None:
                    self.best = event
                self.log.append(cycle_line(event.statistics, event.best))
            case Finished():
                self.result = event
                self.log.append(event.text)
            case Failed():
                self.failure = event
                self.log.append(f"ERROR {event.message}")


def _conclude(outcome: _Outcome, request: RunRequest, folder: Path, reporter: Reporter) -> int:
    final = outcome.result.kept if outcome.result is not None else outcome.best
    if outcome.failure is not None and (outcome.failure.exit_code == 1 or len(outcome.cycles) < 2):
        print_error(outcome.failure)
        return outcome.failure.exit_code
    if final is None or outcome.prepared is None:
        print("workbench: interrupted before the first cycle; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    from workbench.export.results import RunTiming, write_results

    end = outcome.result.text if outcome.result is not None else "Ended early; the best state is kept."
    if outcome.interrupted:
        outcome.log.append("Interrupted; the best state is written.")
    summary = final_line(outcome.cycles[0], final.statistics)
    outcome.log.append(summary)
    try:
        written = write_results(
            folder,
            prepared=outcome.prepared,
            final=final,
            cycles=outcome.cycles,
            log=outcome.log,
            timing=RunTiming.of(outcome.prepared, outcome.result, outcome.cycles),
            settings=request.settings,
            end=end,
            warnings=outcome.warnings,
        )
    except WorkbenchError as error:
        print_error(error)
        return error.exit_code
    if outcome.result is not None:
        reporter.say(outcome.result.text)
    reporter.say(summary)
    for warning in written.warnings:
        reporter.show(Note(warning, "warning"))
    reporter.say(f"Wrote {', '.join(path.name for path in written.paths)} to {written.folder}")
    if outcome.failure is not None:
        print_error(outcome.failure)
        print(f"workbench: the best state before it is in {written.folder}.", file=sys.stderr)
        return outcome.failure.exit_code
    if outcome.interrupted:
        print(
            f"workbench: interrupted; cycle {final.statistics.cycle}, the best so far, is in {written.folder}.",
            file=sys.stderr,
        )
        return INTERRUPTED
    return 0
