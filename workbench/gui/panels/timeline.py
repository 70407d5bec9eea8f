"""The place of the timeline."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui import icons
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets.lines import Surface
from workbench.gui.widgets.text import Label, Paragraph
from workbench.session.state import SessionState


class _Transport(QWidget):
    """First, previous, next, last: at rest, because no earlier cycle can be shown in this version."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(112, 20)
        self.setEnabled(False)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setOpacity(0.5)
        for i, name in enumerate(("first", "previous", "next", "last")):
            icons.draw(painter, name, QRectF(2 + 27 * i, 3, 14, 14), theme.colours["hint"])
        painter.end()


class TimelinePanel(Surface):
    """Title and cycle number; earlier cycles cannot be called back in this version, and it says so."""

    def __init__(self) -> None:
        super().__init__("panel")
        self.cycle = Label("")
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(24)
        top.addWidget(Label("Timeline", size=13, weight=600))
        top.addWidget(_Transport())
        top.addStretch(1)
        top.addWidget(self.cycle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PADDING, 12, PADDING, 12)
        layout.setSpacing(12)
        layout.addLayout(top)
        self.message = Paragraph(
            "No timeline yet in this version: the newest cycle is shown, the best one is kept.", role="hint"
        )
        layout.addWidget(self.message)
        layout.addStretch(1)

    def show_state(self, state: SessionState) -> None:
        if state.latest is None:
            self.cycle.set_text("")
        else:
            best = "" if state.best is None else f"-{{   best so far: cycle {state.best.statistics.cycle}}}"
            self.cycle.set_text(f"*{{cycle {state.latest.statistics.cycle}}}{best}")
