"""The log: every decision and every message of the run, with its time."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit

from workbench.gui.theme import PADDING, theme
from workbench.session.state import LogLine

SIGNS = {"info": " ", "warning": "\u26a0", "error": "\u2716"}


class LogPanel(QPlainTextEdit):
    """Lines are only added; the view follows the end unless the reader has scrolled up."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setAccessibleName("Log")
        self.setTabChangesFocus(True)
        self.setMaximumBlockCount(20000)
        self.document().setDocumentMargin(PADDING - 4)
        self._lines: Sequence[LogLine] = ()
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.setFont(theme.font(11))
        lines, self._lines = self._lines, ()
        self.clear()
        self.show_lines(lines)

    def show_lines(self, lines: Sequence[LogLine]) -> None:
        """Show the log; only what is new is added."""
        known = len(self._lines)
        if lines[:known] != self._lines[:known] or len(lines) < known:
            self.clear()
            known = 0
        new = lines[known:]
        self._lines = lines
        if not new:
            return
        bar = self.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for line in new:
            if self.document().characterCount() > 1:
                cursor.insertBlock()
            stamp = time.strftime("%H:%M:%S", time.localtime(line.time))
            cursor.insertText(f"{stamp}  ", _ink("hint"))
            sign = SIGNS.get(line.severity, " ").strip()
            role = {"warning": "watch", "error": "error"}.get(line.severity, "text")
            cursor.insertText(f"{sign} {line.text}" if sign else line.text, _ink(role))
        if at_end:
            bar.setValue(bar.maximum())


def _ink(role: str) -> QTextCharFormat:
    ink = QTextCharFormat()
    ink.setForeground(QColor(theme.colours[role]))
    return ink
