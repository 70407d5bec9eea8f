"""Sliders over the 3D picture: focus, slab and radius of the maps."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QSlider, QWidget

from workbench.gui.viewport_overlay import OverlayColours, interface_font, paint_ground
from workbench.gui.widgets.text import MINUS


class KnobSlider(QSlider):
    """A thin track filled from zero to a ring; clicking anywhere on the track goes there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._colours = OverlayColours()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_colours(self, colours: OverlayColours) -> None:
        self._colours = colours
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(124, 20)

    def _share(self) -> float:
        return (self.value() - self.minimum()) / max(self.maximum() - self.minimum(), 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, left, right = self.height() / 2, 8.0, self.width() - 8.0
        knob = left + (right - left) * self._share()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colours.track))
        painter.drawRoundedRect(QRectF(left, middle - 1.5, right - left, 3), 1.5, 1.5)
        painter.setBrush(QColor(self._colours.accent))
        zero = left if self.minimum() >= 0 else 0.5 * (left + right)
        painter.drawRoundedRect(QRectF(min(zero, knob), middle - 1.5, abs(knob - zero), 3), 1.5, 1.5)
        if self.hasFocus():
            halo = QColor(self._colours.accent)
            halo.setAlpha(70)
            painter.setBrush(halo)
            painter.drawEllipse(QPointF(knob, middle), 10, 10)
        painter.setPen(QPen(QColor(self._colours.accent), 2))
        painter.setBrush(QColor(self._colours.background))
        painter.drawEllipse(QPointF(knob, middle), 6.5, 6.5)
        painter.end()

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
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 6, 10, 6)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        self._names: list[QLabel] = []
        self._values: list[QLabel] = []
        self._sliders: list[KnobSlider] = []
        self._most_slab = MOST_SLAB
        rows = (
            ("Focus", "Move the slab through the model (5, 6, Ctrl+Shift+wheel)", -200, 200, self.focus_changed),
            ("Slab", "Thickness of what is seen (D, F)", 0, SLAB_STEPS, self.slab_changed),
            ("Radius", "How far around the centre maps are drawn ([, ])", 40, 240, self.radius_changed),
        )
        for row, (name, tip, low, high, signal) in enumerate(rows):
            label, slider, value = QLabel(name, self), KnobSlider(self), QLabel(self)
            slider.setRange(low, high)
            slider.setPageStep(20)
            slider.setSingleStep(5)
            slider.setAccessibleName(f"{name} in angstrom")
            slider.setToolTip(tip)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setFixedWidth(48)
            label.setFixedWidth(48)
            slider.valueChanged.connect(lambda _, row=row, signal=signal: signal.emit(self.value_of(row)))
            for column, widget in enumerate((label, slider, value)):
                grid.addWidget(widget, row, column)
            self._names.append(label)
            self._values.append(value)
            self._sliders.append(slider)
        self.set_colours(OverlayColours())

    def set_colours(self, colours: OverlayColours) -> None:
        self._colours = colours
        for label in self._names:
            label.setFont(interface_font(self.font(), 12))
            label.setStyleSheet(f"color: {colours.label}; background: transparent;")
        for value in self._values:
            value.setFont(interface_font(self.font(), 12, QFont.Weight.DemiBold))
            value.setStyleSheet(f"color: {colours.text}; background: transparent;")
        for slider in self._sliders:
            slider.set_colours(colours)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """On a ground of its own, as the legend at the other side."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_ground(painter, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), self._colours)
        painter.end()

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
            slider, label = self._sliders[row], self._values[row]
            place = self._place_of(row, value)
            if place != slider.value():
                blocked = slider.blockSignals(True)
                slider.setValue(place)
                slider.blockSignals(blocked)
                slider.update()
            label.setText(f"{value:.1f} \u00c5".replace("-", MINUS) if value < 100 else f"{value:.0f} \u00c5")
