"""A list of one column that a delegate paints: keyboard, mouse, theme and empty text are the same wherever one is."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QTableView, QWidget

from workbench.gui.theme import PADDING, theme

_KEYS = frozenset(
    {
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Return,
        Qt.Key.Key_Enter,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
    }
)


class ItemList(QTableView):
    """Arrows move through it; they, Return and a click choose a row."""

    row_chosen = Signal(int)

    def __init__(
        self, rows: QAbstractItemModel, delegate: QStyledItemDelegate, name: str, parent: QWidget | None = None
    ) -> None:
        """name: for screen readers."""
        super().__init__(parent)
        self.setModel(rows)
        delegate.setParent(self)
        self.setItemDelegate(delegate)
        self.setAccessibleName(name)
        self.horizontalHeader().setVisible(False)
        self.horizontalHeader().setStretchLastSection(True)
        self.verticalHeader().setVisible(False)
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._restyle()
        theme.changed.connect(self._restyle)
        self.clicked.connect(lambda index: self.row_chosen.emit(index.row()))

    def _restyle(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.sizes.list_row)
        self.viewport().update()

    def show_row(self, row: int) -> None:
        """Highlight a row and keep it visible, without choosing it."""
        if 0 <= row < self.model().rowCount() and self.currentIndex().row() != row:
            self.selectRow(row)
            self.scrollTo(self.model().index(row, 0))

    def empty_text(self) -> str:
        """What stands in the list while it has no rows; "" for nothing."""
        return ""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        words = self.empty_text()
        if words:
            painter = QPainter(self.viewport())
            painter.setFont(theme.font(12))
            painter.setPen(theme.colours["hint"])
            painter.drawText(PADDING, 24, words)
            painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in _KEYS and self.currentIndex().isValid():
            self.row_chosen.emit(self.currentIndex().row())
