"""Sliders over the 3D picture: focus, slab and radius of the maps."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QSlider, QVBoxLayout, QWidget

from workbench.gui.viewport_overlay import OverlayColours, interface_font, paint_ground
from workbench.gui.widgets.kept_painting import KeptPainting
from workbench.gui.widgets.text import MINUS


class KnobSlider(QSlider):
    """A thin track filled from zero to a ring; clicking anywhere on the track goes there. Its panel paints it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def sizeHint(self) -> QSize:
        return QSize(124, 20)

    def _share(self) -> float:
        return (self.value() - self.minimum()) / max(self.maximum() - self.minimum(), 1)

    def look(self) -> tuple[int, int, int, int, int, bool]:
        """All that its picture depends on, besides the size of its panel."""
        return self.x(), self.y(), self.minimum(), self.maximum(), self.value(), self.hasFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Nothing: it is on the panel's picture already."""

    def paint(self, painter: QPainter, colours: OverlayColours) -> None:
        middle, left, right = self.height() / 2, 8.0, self.width() - 8.0
        knob = left + (right - left) * self._share()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.track))
        painter.drawRoundedRect(QRectF(left, middle - 1.5, right - left, 3), 1.5, 1.5)
        painter.setBrush(QColor(colours.accent))
        zero = left if self.minimum() >= 0 else 0.5 * (left + right)
        painter.drawRoundedRect(QRectF(min(zero, knob), middle - 1.5, abs(knob - zero), 3), 1.5, 1.5)
        if self.hasFocus():
            halo = QColor(colours.accent)
            halo.setAlpha(70)
            painter.setBrush(halo)
            painter.drawEllipse(QPointF(knob, middle), 10, 10)
        painter.setPen(QPen(QColor(colours.accent), 2))
        painter.setBrush(QColor(colours.background))
        painter.drawEllipse(QPointF(knob, middle), 6.5, 6.5)

    def _take(self, event: QMouseEvent) -> None:
        share = (event.position().x() - 8.0) / max(self.width() - 16.0, 1.0)
        self.setValue(round(self.minimum() + share * (self.maximum() - self.minimum())))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._take(event)
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._take(event)
            event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)
        event.accept()


LEAST_SLAB, MOST_SLAB, MOST_FOCUS = 1.0, 40.0, 20.0
"""Angstrom: the ends of the sliders for a small model; a large one needs more."""
FOCUS, SLAB = 0, 1
"""Rows of the sliders."""
SLAB_STEPS = 1000
NAMES = ("Focus", "Slab", "Radius")
EDGE_PX, WORDS_PX = 10, 48
"""Margin at the left and right, and the width of a name and of a value."""


class DepthPanel(QWidget):
    """The focus knob: where the slab lies (focus), how thick it is (slab); and how far around the centre maps are drawn
    (radius). All in angstrom; the focus is counted towards the eye, 0 at the centre."""

    focus_changed = Signal(float)
    slab_changed = Signal(float)
    radius_changed = Signal(float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        beside = EDGE_PX + WORDS_PX + 8
        column.setContentsMargins(beside, 6, beside, 6)
        column.setSpacing(4)
        self._values = ["", "", ""]
        self._sliders: list[KnobSlider] = []
        self._picture = KeptPainting()
        self._most_slab = MOST_SLAB
        rows = (
            ("Move the slab through the model (5, 6, Ctrl+Shift+wheel)", -200, 200, self.focus_changed),
            ("Thickness of what is seen (D, F)", 0, SLAB_STEPS, self.slab_changed),
            ("How far around the centre maps are drawn ([, ])", 40, 240, self.radius_changed),
        )
        for row, (name, (tip, low, high, signal)) in enumerate(zip(NAMES, rows, strict=True)):
            slider = KnobSlider(self)
            slider.setRange(low, high)
            slider.setPageStep(20)
            slider.setSingleStep(5)
            slider.setAccessibleName(f"{name} in angstrom")
            slider.setToolTip(tip)
            slider.valueChanged.connect(lambda _, row=row, signal=signal: signal.emit(self.value_of(row)))
            column.addWidget(slider)
            self._sliders.append(slider)
        self.set_colours(OverlayColours())

    def set_colours(self, colours: OverlayColours) -> None:
        self._colours = colours
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        looks = tuple(slider.look() for slider in self._sliders)
        painter = QPainter(self)
        self._picture.paint(self, painter, (self._colours, self.font(), *self._values, *looks), self._paint)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        """On a ground of its own, as the legend at the other side."""
        colours = self._colours
        paint_ground(painter, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), colours)
        name_font, value_font = interface_font(self.font(), 12), interface_font(self.font(), 12, QFont.Weight.DemiBold)
        for slider, name, value in zip(self._sliders, NAMES, self._values, strict=True):
            place = slider.geometry()
            painter.setFont(name_font)
            painter.setPen(QColor(colours.label))
            words = QRect(EDGE_PX, place.y(), WORDS_PX, place.height())
            painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
            painter.setFont(value_font)
            painter.setPen(QColor(colours.text))
            words.moveRight(self.width() - EDGE_PX - 1)
            painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)
            painter.save()
            painter.translate(place.topLeft())
            slider.paint(painter, colours)
            painter.restore()

    def value_of(self, row: int) -> float:
        """Angstrom that a slider stands for; that of the slab by equal factors, thin ones want a fine hand."""
        at = self._sliders[row].value()
        if row == SLAB:
            return float(LEAST_SLAB * (self._most_slab / LEAST_SLAB) ** (at / SLAB_STEPS))
        return at / 10.0

    def _place_of(self, row: int, value: float) -> int:
        if row == SLAB:
            return round(SLAB_STEPS * math.log(max(value, LEAST_SLAB) / LEAST_SLAB, self._most_slab / LEAST_SLAB))
        return round(value * 10)

    def set_extent(self, diameter: float) -> None:
        """How large the model is, angstrom: the slab must be able to hold all of it."""
        self._most_slab = max(MOST_SLAB, 1.25 * diameter)
        reach = round(10 * max(MOST_FOCUS, 0.5 * diameter))
        focus = self._sliders[FOCUS]
        blocked = focus.blockSignals(True)
        focus.setRange(-reach, reach)
        focus.blockSignals(blocked)

    def show_values(self, focus: float, slab: float, radius: float) -> None:
        """Show values in angstrom without announcing a change."""
        for row, value in enumerate((focus, slab, radius)):
            slider = self._sliders[row]
            place = self._place_of(row, value)
            if place != slider.value():
                blocked = slider.blockSignals(True)
                slider.setValue(place)
                slider.blockSignals(blocked)
                self.update()
            said = f"{value:.1f} \u00c5".replace("-", MINUS) if value < 100 else f"{value:.0f} \u00c5"
            if said != self._values[row]:
                self._values[row] = said
                slider.setAccessibleDescription(said)
                self.update()
