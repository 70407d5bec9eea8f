"""Data and model by resolution shell, from the scaling of the newest cycle."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from workbench.core.events import CycleFinished, ShellTable
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets import text

COLUMNS = (
    ("resolution, \u00c5", 0.0, Qt.AlignmentFlag.AlignLeft),
    ("work", 0.44, Qt.AlignmentFlag.AlignRight),
    ("free", 0.56, Qt.AlignmentFlag.AlignRight),
    ("R_{work}", 0.71, Qt.AlignmentFlag.AlignRight),
    ("R_{free}", 0.86, Qt.AlignmentFlag.AlignRight),
    ("D", 1.0, Qt.AlignmentFlag.AlignRight),
)


def shell_rows(table: ShellTable) -> list[tuple[str, ...]]:
    """The table as shown: resolution limits, counts, R factors and the D of sigma_A theory."""

    def number(value: float, digits: int) -> str:
        return f"{value:.{digits}f}" if math.isfinite(value) else "\u2013"

    return [
        (
            f"{table.d_max[i]:.2f} \u2013 {table.d_min[i]:.2f}",
            str(int(table.n_work[i])),
            str(int(table.n_free[i])),
            number(float(table.r_work[i]), 3),
            number(float(table.r_free[i]), 3),
            number(float(table.sigma_d[i]), 2),
        )
        for i in range(len(table.d_max))
    ]


class _Table(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, ...]] = []
        theme.changed.connect(self.update)

    def show_rows(self, rows: list[tuple[str, ...]]) -> None:
        self.rows = rows
        self.setMinimumHeight(28 + 20 * len(rows))
        self.setAccessibleName("Resolution shells")
        self.setAccessibleDescription("; ".join(" ".join(row) for row in rows))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, 28 + 20 * len(self.rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.fillRect(self.rect(), c["panel"])
        width = self.width() - 2 * PADDING
        if not self.rows:
            painter.setFont(theme.font(12))
            painter.setPen(c["hint"])
            box = QRectF(PADDING, 12, width, 60)
            words = "Resolution shells appear with the first cycle."
            painter.drawText(box, int(Qt.TextFlag.TextWordWrap), words)
            return
        for column, (name, share, align) in enumerate(COLUMNS):
            for line in range(-1, len(self.rows)):
                shown = name if line < 0 else self.rows[line][column]
                size = 11 if line < 0 else 12
                colour = c["hint"] if line < 0 else c["text"]
                x = PADDING + share * width
                if align == Qt.AlignmentFlag.AlignRight:
                    x -= text.measure(shown, size)
                text.draw(painter, x, 38 + 20 * line, shown, size, colour)
        painter.end()


class DataQualityPanel(QScrollArea):
    """What the scaling says shell by shell. Tests of twinning and merging are not part of this version."""

    def __init__(self) -> None:
        super().__init__()
        self.table = _Table()
        self.setWidget(self.table)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Data quality by resolution")

    def show_cycle(self, cycle: CycleFinished | None) -> None:
        self.table.show_rows([] if cycle is None else shell_rows(cycle.written.shells))
