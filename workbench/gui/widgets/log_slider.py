"""A slider on a logarithmic scale, with ticks at the decades and a mark where the automatic value is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget

from workbench.gui.theme import advance, theme

STEPS = 3000
HANDLE = 7.5
INSET = 6.0


class LogSlider(QAbstractSlider):
    """Value between `minimum` and `maximum` by the logarithm.

    `moved` carries the value while the user drags or types arrows; `automatic_wanted` is a double click on the
    handle. Arrow keys move by a twentieth of a decade, with Shift by a hundredth; the wheel acts only with focus.
    """

    moved = Signal(float)
    automatic_wanted = Signal()

    def __init__(
        self,
        name: str,
        minimum: float,
        maximum: float,
        *,
        left: str = "",
        right: str = "",
        small: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._low = minimum
        self._high = maximum
        self._left = left
        self._right = right
        self._small = small
        self._automatic: float | None = None
        self._value = math.sqrt(minimum * maximum)
        self.setRange(0, STEPS)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_number(self._value)
        theme.changed.connect(self.update)

    # numbers

    def limits(self) -> tuple[float, float]:
        return self._low, self._high

    def set_limits(self, minimum: float, maximum: float) -> None:
        self._low, self._high = minimum, maximum
        self.set_number(self._value)

    def number(self) -> float:
        return self._value

    def set_number(self, value: float) -> None:
        """Show a value without sending `moved`."""
        self._value = value
        was = self.blockSignals(True)
        self.setValue(round(STEPS * self._fraction(value)))
        self.blockSignals(was)
        self.setAccessibleDescription(f"{value:.3g}")
        self.update()

    def set_automatic(self, value: float | None) -> None:
        """Mark the automatic value under the track."""
        if value != self._automatic:
            self._automatic = value
            self.update()

    def _fraction(self, value: float) -> float:
        value = min(max(value, self._low), self._high)
        return math.log(value / self._low) / math.log(self._high / self._low)

    def _user(self, value: float) -> None:
        value = min(max(value, self._low), self._high)
        self.set_number(value)
        self.moved.emit(value)

    # mouse and keys

    def _span(self) -> tuple[float, float]:
        return INSET, self.width() - INSET

    def _x(self, value: float) -> float:
        left, right = self._span()
        return left + (right - left) * self._fraction(value)

    def _at(self, x: float) -> float:
        left, right = self._span()
        fraction = min(max((x - left) / max(right - left, 1.0), 0.0), 1.0)
        value = self._low * (self._high / self._low) ** fraction
        return float(f"{value:.3g}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.setSliderDown(True)
        if abs(event.position().x() - self._x(self._value)) > HANDLE + 2:
            self._user(self._at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._user(self._at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if abs(event.position().x() - self._x(self._value)) <= HANDLE + 4:
            self.setSliderDown(False)
            self.automatic_wanted.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hasFocus() or event.angleDelta().y() == 0:
            event.ignore()
            return
        self._nudge(math.copysign(1.0, event.angleDelta().y()), fine=False)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Down):
            self._nudge(-1, fine)
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Up):
            self._nudge(+1, fine)
        elif key == Qt.Key.Key_PageUp:
            self._nudge(+10, False)
        elif key == Qt.Key.Key_PageDown:
            self._nudge(-10, False)
        elif key == Qt.Key.Key_Home:
            self._user(self._low)
        elif key == Qt.Key.Key_End:
            self._user(self._high)
        else:
            event.ignore()

    def _nudge(self, steps: float, fine: bool) -> None:
        factor = 10 ** ((0.01 if fine else 0.05) * steps)
        self._user(float(f"{self._value * factor:.4g}"))

    # looks

    def sizeHint(self) -> QSize:
        return QSize(160, 20 if self._small else 44)

    def minimumSizeHint(self) -> QSize:
        return QSize(48, 20 if self._small else 44)

    def decades(self) -> Sequence[float]:
        first = math.ceil(math.log10(self._low) - 1e-9)
        last = math.floor(math.log10(self._high) + 1e-9)
        return [10.0**k for k in range(first, last + 1)]

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, right = self._span()
        y = 10.0
        on = self.isEnabled()
        radius = 5.0 if self._small else HANDLE
        pen = QPen(c["track"], 3 if not self._small else 2.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        x = self._x(self._value)
        accent = c["accent"] if on else c["hint"]
        if not self._small:
            pen.setColor(accent)
            painter.setPen(pen)
            painter.drawLine(QPointF(left, y), QPointF(x, y))
            self._scale(painter, left, right)
        if self._automatic is not None and not self._small:
            at = self._x(self._automatic)
            triangle = QPolygonF([QPointF(at, 18.5), QPointF(at - 4, 25), QPointF(at + 4, 25)])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(c["label"])
            painter.drawPolygon(triangle)
        painter.setPen(QPen(accent, 2))
        painter.setBrush(c["panel"])
        painter.drawEllipse(QPointF(x, y), radius, radius)
        if self.hasFocus():
            halo = QColor(c["accent"])
            halo.setAlpha(90)
            painter.setPen(QPen(halo, 4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(x, y), radius + 3, radius + 3)
        painter.end()

    def _scale(self, painter: QPainter, left: float, right: float) -> None:
        c = theme.colours
        font = theme.font(11)
        painter.setFont(font)
        decades = self.decades()
        painter.setPen(QPen(c["hint"], 1.2))
        for value in decades:
            x = self._x(value)
            painter.drawLine(QPointF(x, 19), QPointF(x, 22))
        painter.setPen(c["hint"])
        wide = self.width() > 240
        first, last = f"{decades[0]:g}", f"{decades[-1]:g}"
        start = f"{self._left}  {first}" if wide else self._left
        end = f"{last}  {self._right}" if wide else self._right
        painter.drawText(QPointF(0, 38), start)
        end_x = self.width() - advance(end, font)
        painter.drawText(QPointF(end_x, 38), end)
        free_from = advance(start, font) + 6
        for value in decades[1:-1]:
            text = f"{value:g}"
            width = advance(text, font)
            x = self._x(value) - width / 2
            if x > free_from and x + width < end_x - 6:
                painter.drawText(QRectF(x, 26, width + 2, 16), int(Qt.AlignmentFlag.AlignCenter), text)
                free_from = x + width + 6
