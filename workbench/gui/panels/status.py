"""The line at the bottom: what goes on, how fast, and the newest message."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from workbench.gui.theme import PADDING, STATUS_HEIGHT, theme
from workbench.gui.widgets.lines import Surface
from workbench.gui.widgets.text import Label, literal
from workbench.session.state import SessionState


class ProgressLine(QWidget):
    """A thin bar; empty and hidden when there is nothing to measure."""

    def __init__(self) -> None:
        super().__init__()
        self.fraction: float | None = None
        self.setFixedSize(96, 4)
        self.setVisible(False)
        theme.changed.connect(self.update)

    def show_fraction(self, fraction: float | None) -> None:
        self.fraction = fraction
        self.setVisible(fraction is not None)
        self.setAccessibleName("" if fraction is None else f"{100 * fraction:.0f} per cent")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colours["track"])
        width = self.width() * min(max(self.fraction or 0.0, 0.0), 1.0)
        painter.fillRect(QRectF(0, 0, width, 4), theme.colours["accent"])
        painter.end()


def planned_end(state: SessionState) -> int:
    """Number of the last cycle that this run may reach."""
    first = state.request.first_cycle if state.request is not None else 0
    return first + state.settings.cycles


def seconds_per_cycle(state: SessionState) -> float | None:
    """Median of the last five cycles of refinement."""
    times = [s.seconds for s in state.statistics[-5:] if s.cycle > 0 and s.seconds > 0]
    return float(np.median(times)) if times else None


def status_text(state: SessionState) -> tuple[str, str, float | None]:
    """What goes on, a second sentence, and how much is done (0 to 1) if it can be told."""
    cycle = state.latest.statistics.cycle if state.latest is not None else 0
    end = planned_end(state)
    pace = seconds_per_cycle(state)
    speed = "" if pace is None else f"{pace:.{1 if pace >= 0.95 else 2}f} s per cycle"
    progress = state.progress
    words = progress.text if progress is not None else ""
    first = state.request.first_cycle if state.request is not None else 0
    done = (cycle - first) / max(end - first, 1)
    match state.status:
        case "empty":
            return "", "", None
        case "preparing":
            return "Preparing", words, progress.fraction if progress is not None else None
        case "ready":
            return "Ready", "Refine starts, every slider may move while it runs", None
        case "running":
            left = "" if pace is None else f", {max(round(pace * (end - cycle)), 1)} s left"
            return f"Refining cycle {min(cycle + 1, end)} of {end}", f"{speed}{left}" or words, done
        case "paused":
            return f"Paused after cycle {cycle}", "Refine goes on", done
        case "stopping":
            return "Stopping after this step", "Stop again ends it at once", done
        case "failed":
            kept = "" if state.kept is None else f" Cycle {state.kept.statistics.cycle} is kept and can be exported."
            return "Failed", f"{state.failure.message if state.failure else ''}{kept}".strip(), None
        case _:
            return "Finished", state.result.text if state.result is not None else "", None


class StatusLine(Surface):
    """State at the left, newest message at the right."""

    def __init__(self) -> None:
        super().__init__("chrome")
        self.setFixedHeight(STATUS_HEIGHT)
        self.state = Label("", weight=600)
        self.bar = ProgressLine()
        self.more = Label("", role="label")
        self.message = Label("", role="label")
        self.more.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.message.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(PADDING, 0, PADDING, 0)
        row.setSpacing(12)
        row.addWidget(self.state)
        row.addWidget(self.bar)
        row.addWidget(self.more, 2)
        row.addStretch(1)
        row.addWidget(self.message, 3)
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.timeout.connect(lambda: self.message.set_text(""))

    def show_state(self, state: SessionState) -> None:
        what, more, fraction = status_text(state)
        self.state.set_text(literal(what))
        self.more.set_text(literal(more))
        self.bar.show_fraction(fraction)

    def say(self, words: str, seconds: float = 20.0) -> None:
        """Show a message for a while."""
        self.message.set_text(literal(words))
        self._fade.start(round(seconds * 1000))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.fillRect(QRectF(0, 0, self.width(), 1), theme.colours["hairline"])
        painter.end()
