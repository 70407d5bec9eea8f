"""A table of numbers without frames: column names that stay in sight, rows below them, one row marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets import text

ROW = 20


@dataclass(frozen=True)
class Column:
    """name: markup of the heading. share: where the column ends (starts, if `left`) as a share of the width."""

    name: str
    share: float
    left: bool = False


def _cell(painter: QPainter, column: Column, top: float, shown: str, size: int, role: str, width: float) -> None:
    x, available = PADDING + column.share * width, None
    if column.left:
        available = PADDING + width - x
    else:
        x -= text.measure(shown, size)
    text.draw(painter, x, top + 14, shown, size, theme.colours[role], 400, available)


class _Heading(QWidget):
    def __init__(self, columns: Sequence[Column], below: QWidget) -> None:
        super().__init__()
        self.columns = columns
        self.below = below
        self.setFixedHeight(ROW)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colours["panel"])
        # As wide as the rows, which a scroll bar may have narrowed.
        width = self.below.width() - 2 * PADDING
        for column in self.columns:
            _cell(painter, column, 0, column.name, 11, "label", width)
        painter.end()


class _Rows(QWidget):
    clicked = Signal(int)

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = columns
        self.rows: Sequence[tuple[str, ...]] = ()
        self.marked: int | None = None
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(300, ROW * len(self.rows))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y()) // ROW
        if event.button() == Qt.MouseButton.LeftButton and row < len(self.rows):
            self.clicked.emit(row)

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.fillRect(self.rect(), c["panel"])
        width = self.width() - 2 * PADDING
        if self.marked is not None:
            top = ROW * self.marked
            painter.fillRect(QRectF(0, top, self.width(), ROW), c["selected"])
            painter.fillRect(QRectF(0, top, 3, ROW), c["accent"])
        seen = event.rect()
        for line in range(max(seen.top() // ROW, 0), min(seen.bottom() // ROW + 1, len(self.rows))):
            for number, column in enumerate(self.columns):
                _cell(painter, column, ROW * line, self.rows[line][number], 12, "text", width)
        painter.end()


class NumberTable(QWidget):
    """Shows rows of markup; `follow` keeps the last row in sight unless the reader has scrolled up."""

    row_chosen = Signal(int)
    """A row that was clicked."""

    def __init__(self, name: str, columns: Sequence[Column], empty: str, *, follow: bool = False) -> None:
        super().__init__()
        self._follow = follow
        self._empty = empty
        self._table = _Rows(columns)
        self._heading = _Heading(columns, self._table)
        self._area = QScrollArea()
        self._area.setWidget(self._table)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setAccessibleName(name)
        self._area.verticalScrollBar().setSingleStep(ROW)
        self.setAccessibleName(name)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._heading)
        layout.addWidget(self._area, 1)
        self._heading.setVisible(False)
        self._area.setVisible(False)
        self.setFocusProxy(self._area)
        theme.changed.connect(self.update)
        self._table.clicked.connect(self.row_chosen.emit)

    @property
    def rows(self) -> Sequence[tuple[str, ...]]:
        """The rows as shown, in markup."""
        return self._table.rows

    @property
    def marked(self) -> int | None:
        """The row that is marked."""
        return self._table.marked

    def show_rows(self, rows: Sequence[tuple[str, ...]], marked: int | None = None) -> None:
        table, bar = self._table, self._area.verticalScrollBar()
        if (rows, marked) == (table.rows, table.marked):
            return
        at_end = bar.value() >= bar.maximum() - 4
        grown = len(rows) != len(table.rows)
        table.rows, table.marked = rows, marked
        self._heading.setVisible(bool(rows))
        self._area.setVisible(bool(rows))
        self._fit()
        words = "; ".join(" ".join(text.plain_text(cell) for cell in row) for row in rows[-30:])
        self.setAccessibleDescription(words)
        table.update()
        self._heading.update()
        if self._follow and at_end and grown:
            table.resize(table.width(), max(table.minimumHeight(), self._area.viewport().height()))
            bar.setValue(bar.maximum())
        elif marked is not None:
            self._reveal(marked)

    def _reveal(self, row: int) -> None:
        """Scroll by whole rows until `row` is in sight."""
        bar, seen = self._area.verticalScrollBar(), max(self._area.viewport().height() // ROW, 1)
        first = bar.value() // ROW
        if not first <= row < first + seen:
            bar.setValue(ROW * (row if row < first else row - seen + 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        bar = self._area.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        self._fit()
        if self._follow and at_end:
            bar.setValue(bar.maximum())

    def _fit(self) -> None:
        """A height with which the end of the list is a whole number of rows away: no row is cut under the heading."""
        seen = self.height() - ROW
        self._table.setMinimumHeight(ROW * len(self.rows) + max(seen, 0) % ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.rows:
            return
        painter = QPainter(self)
        painter.setFont(theme.font(12))
        painter.setPen(theme.colours["hint"])
        box = QRectF(PADDING, 8, self.width() - 2 * PADDING, 60)
        painter.drawText(box, int(Qt.TextFlag.TextWordWrap), self._empty)
        painter.end()
