"""The list under the search field: commands and residues that match what is typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget
from shiboken6 import isValid

from workbench.core.crystal import Residues
from workbench.gui.theme import theme

MOST = 12


@dataclass(frozen=True)
class Entry:
    """Something that can be found: what it is called, a hint, and what happens."""

    name: str
    hint: str
    run: Callable[[], None]


def score(query: str, name: str) -> int | None:
    """How well a name matches: every word typed must occur; 0 is best, None is no match."""
    words, low = query.lower().split(), name.lower()
    if not all(word in low for word in words):
        return None
    if not words or low == query.lower():
        return 0
    return 1 if low.startswith(words[0]) else 2


def matches(query: str, entries: list[Entry], most: int = MOST) -> list[Entry]:
    """The best entries, in their order within the same quality."""
    found = [(s, i, e) for i, e in enumerate(entries) if (s := score(query, e.name)) is not None]
    return [entry for _, _, entry in sorted(found, key=lambda item: item[:2])[:most]]


def residue_entries(residues: Residues, choose: Callable[[int], None]) -> list[Entry]:
    """One entry for each residue: 'A 89 PHE'."""
    return [
        Entry(residues.label(row), "residue", lambda row=row: choose(row))  # type: ignore[misc]
        for row in range(len(residues))
    ]


def action_entries(actions: list[QAction]) -> list[Entry]:
    """The actions that can be used now."""
    return [
        Entry(action.text().replace("&", ""), action.shortcut().toString(), action.trigger)
        for action in actions
        if action.isEnabled()
    ]


class CommandList(QFrame):
    """A popup that belongs to a line edit; the line edit keeps the keyboard."""

    def __init__(self, field: QLineEdit, entries: Callable[[], list[Entry]], parent: QWidget) -> None:
        super().__init__(parent)
        self._field = field
        self._window = parent
        self._entries = entries
        self._known: list[Entry] = []
        self._shown: list[Entry] = []
        self._before: QWidget | None = None
        """What had the keyboard, and gets it back."""
        self.list = QListWidget(self)
        self.list.setAccessibleName("Commands and residues found")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.list)
        self.list.itemClicked.connect(lambda item: self._run(self.list.row(item)))
        field.textChanged.connect(self._search)
        field.installEventFilter(self)
        self.hide()
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        c = theme.colours
        self.setStyleSheet(
            f"CommandList {{ background: {c.panel}; border: 1px solid {c.track}; border-radius: 6px; }}"
            f"QListWidget::item {{ padding: 4px 8px; border-radius: 4px; }}"
        )

    def begin(self) -> None:
        """Open with everything that can be done now."""
        self._known = self._entries()
        before = QApplication.focusWidget()
        if before is not self._field:
            self._before = before
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._field.selectAll()
        self._search(self._field.text())

    def shown(self) -> list[str]:
        return [entry.name for entry in self._shown]

    def _search(self, query: str) -> None:
        if not self._field.hasFocus() and not self.isVisible():
            return
        if not self._known:
            self._known = self._entries()
        self._shown = matches(query, self._known)
        self.list.clear()
        for entry in self._shown:
            QListWidgetItem(f"{entry.name}    {entry.hint}" if entry.hint else entry.name, self.list)
        if not self._shown:
            nothing = QListWidgetItem("Nothing found", self.list)
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.setCurrentRow(0)
        place = self._field.mapTo(self._window, QPoint(0, self._field.height() + 4))
        height = 26 * max(len(self._shown), 1) + 12
        self.setGeometry(place.x(), place.y(), max(self._field.width(), 320), height)
        self.show()
        self.raise_()

    def _run(self, row: int) -> None:
        chosen = self._shown[row] if 0 <= row < len(self._shown) else None
        self.end()
        if chosen is not None:
            chosen.run()

    def end(self) -> None:
        self.hide()
        self._known = []
        self._shown = []
        self._field.blockSignals(True)
        self._field.clear()
        self._field.blockSignals(False)
        before, self._before = self._before, None
        if before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._field.clearFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key == Qt.Key.Key_Escape:
                self.end()
                return True
            if self.isVisible() and key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if key == Qt.Key.Key_Down else -1
                count = max(self.list.count(), 1)
                self.list.setCurrentRow((self.list.currentRow() + step) % count)
                return True
            if self.isVisible() and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentRow())
                return True
        elif event.type() == QEvent.Type.FocusIn and not self.isVisible():
            self._known = self._entries()
            self._search(self._field.text())
        elif event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.hide()
        return super().eventFilter(watched, event)
