"""What a terminal sees of a run: rich output on a terminal, plain lines in a file or pipe, or nothing."""

from __future__ import annotations

import math
import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from workbench.core.events import CycleFinished, CycleStatistics, Note, Prepared, Progress, RunEvent
from workbench.session.log_lines import number, prepared_lines
from workbench.session.verdict import RunningVerdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

HEADING = "cycle   R_work   R_free  bonds(A)  angles(deg)   weight   mean B  max shift   time"

VERDICT_STYLES = {
    "waiting": "dim",
    "not settled": "dim",
    "healthy": "green",
    "watch": "yellow",
    "overfitting": "bold red",
    "test set": "bold magenta",
    "twinned": "bold magenta",
}


def cycle_line(row: CycleStatistics, best: bool = False) -> str:
    """One row under HEADING; * marks the best so far."""
    r_free = f"{row.r_free:8.4f}" if math.isfinite(row.r_free) else "       -"
    return (
        f"{row.cycle:5d} {row.r_work:8.4f} {r_free} {number(row.rmsd_bonds, '9.4f')} {number(row.rmsd_angles, '12.2f')}"
        f" {row.xray_weight:8.3g} {row.mean_b:8.1f} {row.max_shift:9.3f}A {row.seconds:5.1f}s{' *' if best else ''}"
    )


class Reporter(Protocol):
    """Shows events as they come; a context manager, so that the terminal is always left tidy."""

    def show(self, event: RunEvent) -> None: ...

    def say(self, text: str) -> None: ...

    def __enter__(self) -> Reporter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class QuietReporter:
    """Nothing at all."""

    def show(self, event: RunEvent) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def __enter__(self) -> QuietReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class PlainReporter(QuietReporter):
    """One line per fact, for files and pipes; warnings go to stderr, as those of `score` do."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._headed = False
        self._verdict = RunningVerdict()

    def show(self, event: RunEvent) -> None:
        match event:
            case Note(severity="warning"):
                print(f"Warning: {event.text}", file=sys.stderr, flush=True)
            case Note():
                self.say(event.text)
            case Prepared():
                for line in prepared_lines(event):
                    self.say(line)
            case CycleFinished():
                if not self._headed:
                    self.say(HEADING)
                    self._headed = True
                self.say(cycle_line(event.statistics, event.best))
        changed = self._verdict.take(event)
        if changed:
            self.say(changed)

    def say(self, text: str) -> None:
        try:
            print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            # The reader (head, say) has enough; the run goes on and writes its files.
            self._stream = open(os.devnull, "w")  # noqa: PTH123, SIM115
            if sys.stdout is not None:
                os.dup2(self._stream.fileno(), sys.stdout.fileno())


class RichReporter(QuietReporter):
    """Rows as they come, and below them a line that says what is being done now."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console: Console = Console(highlight=False)
        self._status: Status = self._console.status("Starting", spinner="dots")
        self._headed = False
        self._verdict = RunningVerdict()

    def __enter__(self) -> RichReporter:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def show(self, event: RunEvent) -> None:
        from rich.text import Text

        match event:
            case Progress():
                bar = f"  {_bar(event.fraction)}" if event.fraction is not None else ""
                self._status.update(Text(f"{event.text}{bar}"))
            case Note():
                warning = event.severity == "warning"
                text = f"Warning: {event.text}" if warning else event.text
                self._console.print(Text(text, style="yellow" if warning else "dim"))
            case Prepared():
                for line in prepared_lines(event):
                    self._console.print(Text(line, style="bold"))
            case CycleFinished():
                if not self._headed:
                    self._console.print(Text(HEADING, style="bold cyan"))
                    self._headed = True
                self._console.print(Text(cycle_line(event.statistics, event.best), style="" if event.best else "dim"))
        changed = self._verdict.take(event)
        if changed and self._verdict.verdict is not None:
            self._console.print(Text(changed, style=VERDICT_STYLES[self._verdict.verdict.state]))

    def say(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text(text))


def _bar(fraction: float, width: int = 24) -> str:
    full = round(width * min(max(fraction, 0.0), 1.0))
    return "━" * full + "╌" * (width - full) + f" {100 * fraction:3.0f} %"


def reporter(quiet: bool) -> Reporter:
    """The reporter that fits: nothing, rich on a terminal, plain lines otherwise."""
    if quiet:
        return QuietReporter()
    if sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return RichReporter()
    return PlainReporter()
