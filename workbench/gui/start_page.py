"""The empty window: open, drop, recent files, or the example."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui import icons
from workbench.gui.theme import theme
from workbench.gui.widgets.buttons import FilledButton, TextButton
from workbench.gui.widgets.text import Label, literal
from workbench.session.preferences import RecentFiles


class _Frame(QWidget):
    """The dashed field that invites to drop files."""

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(c["track"], 1.5)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 12, 12)
        middle = self.width() / 2
        icons.draw(painter, "model", QRectF(middle - 50, 28, 32, 32), c["label"], 1.4)
        icons.draw(painter, "data", QRectF(middle + 18, 28, 32, 32), c["label"])
        painter.end()


class StartPage(QWidget):
    """Shown in the middle until files are open."""

    recent_chosen = Signal(object)
    open_wanted = Signal()
    example_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        frame = _Frame()
        frame.setFixedWidth(480)
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(24, 80, 24, 28)
        inside.setSpacing(8)
        self.title = Label("Drop a model and its reflections here", size=16, weight=600, align=centre)
        self.kinds = Label("PDB or mmCIF \u00b7 MTZ \u00b7 ligand dictionaries (CIF)", role="label", align=centre)
        inside.addWidget(self.title)
        inside.addWidget(self.kinds)
        inside.addSpacing(12)
        self.open_button = FilledButton("Open files\u2026")
        self.example_button = FilledButton("Try the example", primary=False)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.example_button)
        buttons.addStretch(1)
        inside.addLayout(buttons)
        self.recent_title = Label("Recent", weight=600, role="label")
        self.recent_box = QWidget()
        self.recent_box.setFixedWidth(480)
        self.recent_rows = QVBoxLayout(self.recent_box)
        self.recent_rows.setContentsMargins(0, 24, 0, 0)
        self.recent_rows.setSpacing(4)
        self.recent_rows.addWidget(self.recent_title)
        column = QVBoxLayout(self)
        column.addStretch(2)
        column.addWidget(frame, 0, centre)
        column.addWidget(self.recent_box, 0, centre)
        column.addStretch(3)
        self.open_button.clicked.connect(self.open_wanted)
        self.example_button.clicked.connect(self.example_wanted)
        self._buttons: list[TextButton] = []
        theme.changed.connect(self.update)
        self.show_recent(())

    def show_recent(self, recent: Sequence[RecentFiles]) -> None:
        for button in self._buttons:
            self.recent_rows.removeWidget(button)
            button.deleteLater()
        self._buttons = []
        self.recent_box.setVisible(bool(recent))
        for entry in recent[:6]:
            names = f"{Path(entry.model).name} with {Path(entry.data).name}"
            button = TextButton(literal(names))
            button.setToolTip("\n".join((entry.model, entry.data, *entry.dictionaries)))
            button.clicked.connect(lambda _=False, entry=entry: self.recent_chosen.emit(entry))
            self.recent_rows.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
            self._buttons.append(button)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colours["view"])
        painter.end()
