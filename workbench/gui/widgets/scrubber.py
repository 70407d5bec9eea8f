"""The scrubber: a track with one place for every cycle, marks where something was changed, the best one named."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui import icons
from workbench.gui.theme import theme
from workbench.gui.widgets.buttons import _Painted, focus_ring

EDGE = 10


class PlayButton(_Painted):
    """A small button with an icon and no word."""

    def __init__(self, icon: str, name: str, tip: str) -> None:
        super().__init__(name)
        self.icon_name = icon
        self.setToolTip(tip)

    def set_icon(self, icon: str, name: str) -> None:
        if icon != self.icon_name:
            self.icon_name = icon
            self.setAccessibleName(name)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(26, 26)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._hover and self.isEnabled():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(c["field"])
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        if self.ringed():
            focus_ring(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), 6)
        icons.draw(painter, self.icon_name, QRectF(6, 6, 14, 14), c["text" if self.isEnabled() else "hint"], 2.0)
        painter.end()


class Scrubber(QWidget):
    """`moved(index)`: the user wants the cycle at that place of the list. Arrow keys, Home, End, wheel when focused."""

    moved = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Cycle that is shown")
        self.cycles: tuple[int, ...] = ()
        self.planned = 0
        self.at: int | None = None
        self.marks: tuple[int, ...] = ()
        self.best: int | None = None
        self.best_word = ""
        theme.changed.connect(self.update)

    def show_cycles(
        self, cycles: Sequence[int], planned: int, at: int | None, marks: Sequence[int], best: int | None, word: str
    ) -> None:
        """cycles: numbers, rising. planned: the last number to come. at: index that is shown. marks, best: numbers."""
        self.cycles, self.planned, self.at = tuple(cycles), planned, at
        self.marks, self.best, self.best_word = tuple(marks), best, word
        shown = f"cycle {self.cycles[at]} of {max(self.planned, self.cycles[-1])}" if at is not None and cycles else ""
        self.setAccessibleDescription(shown)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 40)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 40)

    def _span(self) -> tuple[int, int]:
        first = self.cycles[0]
        return first, max(self.planned, self.cycles[-1], first + 1)

    def x_of(self, cycle: float) -> float:
        first, last = self._span()
        return EDGE + (cycle - first) / (last - first) * (self.width() - 2 * EDGE)

    def _nearest(self, x: float) -> int:
        return min(range(len(self.cycles)), key=lambda i: abs(self.x_of(self.cycles[i]) - x))

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        y = 16.0
        pen = QPen(c["track"], 3)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(EDGE, y), QPointF(self.width() - EDGE, y))
        if not self.cycles:
            painter.end()
            return
        here = self.cycles[self.at] if self.at is not None else self.cycles[-1]
        pen.setColor(c["accent"])
        painter.setPen(pen)
        painter.drawLine(QPointF(EDGE, y), QPointF(self.x_of(here), y))
        first, last = self._span()
        each = next((n for n in (1, 2, 5, 10, 20, 50, 100) if (self.width() - 2 * EDGE) / (last - first) * n > 7), 200)
        painter.setPen(QPen(c["hint"], 1))
        for cycle in range(first, last + 1):
            if cycle % each == 0 or cycle in (first, last):
                x = self.x_of(cycle)
                painter.drawLine(QPointF(x, y + 8), QPointF(x, y + 11))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(c["label"])
        for mark in self.marks:
            x = self.x_of(mark)
            painter.drawPolygon(QPolygonF([QPointF(x - 4.5, 1), QPointF(x + 4.5, 1), QPointF(x, 8)]))
        if self.best is not None:
            x = self.x_of(self.best)
            d = QPolygonF([QPointF(x, y + 9), QPointF(x + 4, y + 13), QPointF(x, y + 17), QPointF(x - 4, y + 13)])
            painter.setBrush(c["text"])
            painter.drawPolygon(d)
            painter.setFont(theme.font(11))
            painter.setPen(c["label"])
            width = theme.metrics(11).horizontalAdvance(self.best_word)
            left = x + 8 if x + 8 + width < self.width() else x - 8 - width
            painter.fillRect(QRectF(left - 2, y + 7, width + 4, 13), c["panel"])
            painter.drawText(QPointF(left, y + 17), self.best_word)
        painter.setPen(QPen(c["accent"], 2.2))
        painter.setBrush(c["panel"])
        painter.drawEllipse(QPointF(self.x_of(here), y), 6, 6)
        if self.hasFocus():
            painter.setPen(QPen(c["accent"], 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(self.x_of(here), y), 9, 9)
        painter.end()

    def _go(self, index: int) -> None:
        if self.cycles:
            index = min(max(index, 0), len(self.cycles) - 1)
            if index != self.at:
                self.at = index
                self.update()
                self.moved.emit(index)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.cycles and event.button() == Qt.MouseButton.LeftButton:
            self._go(self._nearest(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.cycles and event.buttons() & Qt.MouseButton.LeftButton:
            self._go(self._nearest(event.position().x()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus() and self.cycles:
            self._go((self.at or 0) + (1 if event.angleDelta().y() < 0 else -1))
            event.accept()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here = self.at if self.at is not None else len(self.cycles) - 1
        steps = {
            Qt.Key.Key_Left: here - 1,
            Qt.Key.Key_Right: here + 1,
            Qt.Key.Key_PageUp: here - 5,
            Qt.Key.Key_PageDown: here + 5,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: len(self.cycles) - 1,
        }
        target = steps.get(Qt.Key(event.key()))
        if target is None:
            super().keyPressEvent(event)
        else:
            self._go(target)
