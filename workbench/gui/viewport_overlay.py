"""What lies over the 3D picture: title, contour levels, labels of atoms, and the sliders for focus and radius."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QSlider, QWidget

MARGIN = 16


@dataclass(frozen=True)
class OverlayColours:
    """The part of the palette that the overlay needs, '#RRGGBB'."""

    background: str = "#101216"
    panel: str = "#1A1E24"
    hairline: str = "#2B3038"
    text: str = "#E8EAED"
    label: str = "#AEB5BF"
    hint: str = "#8F98A5"
    accent: str = "#3CC9B0"
    track: str = "#3A424D"


@dataclass(frozen=True)
class LevelRow:
    """One line of the legend: dashes of colour, name, level in sigma, level in e/A^3, a remark."""

    colours: tuple[str, ...]
    name: str
    sigma: str
    absolute: str
    remark: str
    bright: bool = False
    active: bool = False


@dataclass(frozen=True)
class AtomLabel:
    """Text beside a point of the picture (device-independent pixels)."""

    x: float
    y: float
    text: str
    hovering: bool = False


@dataclass(frozen=True)
class OverlayContent:
    title: str = ""
    subtitles: tuple[str, ...] = ()
    levels: tuple[LevelRow, ...] = ()
    labels: tuple[AtomLabel, ...] = field(default=())


def interface_font(base: QFont, pixels: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The system font at a size in device-independent pixels, with figures of equal width where the font has them."""
    font = QFont(base)
    font.setPixelSize(round(pixels))
    font.setWeight(weight)
    if hasattr(font, "setFeature"):
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


class Overlay(QWidget):
    """Paints the texts; the mouse goes through to the scene."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._content = OverlayContent()
        self._colours = OverlayColours()

    def set_colours(self, colours: OverlayColours) -> None:
        self._colours = colours
        self.update()

    def show_content(self, content: OverlayContent) -> None:
        if content != self._content:
            self._content = content
            self.update()

    @property
    def content(self) -> OverlayContent:
        return self._content

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        self._paint_scrims(painter)
        for label in self._content.labels:
            self._paint_label(painter, label)
        self._paint_title(painter)
        self._paint_levels(painter)
        painter.end()

    def _paint_scrims(self, painter: QPainter) -> None:
        """Text stays readable over whatever the scene shows: the background's own colour, fading out."""
        solid = QColor(self._colours.background)
        if self._content.levels:
            gradient = QLinearGradient(0, self.height() - 110, 0, self.height())
            for at, alpha in ((0.0, 0), (0.42, 160), (1.0, 240)):
                solid.setAlpha(alpha)
                gradient.setColorAt(at, solid)
            painter.fillRect(QRectF(0, self.height() - 110, self.width(), 110), gradient)
        if self._content.title:
            gradient = QLinearGradient(0, 0, 0, 96)
            for at, alpha in ((0.0, 200), (0.5, 110), (1.0, 0)):
                solid.setAlpha(alpha)
                gradient.setColorAt(at, solid)
            painter.fillRect(QRectF(0, 0, self.width(), 96), gradient)

    def _paint_title(self, painter: QPainter) -> None:
        painter.setFont(interface_font(self.font(), 16, QFont.Weight.DemiBold))
        painter.setPen(QColor(self._colours.text))
        painter.drawText(QPointF(MARGIN, 28), self._content.title)
        painter.setFont(interface_font(self.font(), 12))
        painter.setPen(QColor(self._colours.label))
        for row, line in enumerate(self._content.subtitles):
            painter.drawText(QPointF(MARGIN, 47 + 17 * row), line)

    def _paint_levels(self, painter: QPainter) -> None:
        colours = self._colours
        rows = self._content.levels
        normal, strong = interface_font(self.font(), 12), interface_font(self.font(), 12, QFont.Weight.DemiBold)
        measure, measure_strong = QFontMetricsF(normal), QFontMetricsF(strong)
        if not rows:
            return
        x_name = MARGIN + 33.0
        x_sigma = x_name + max(measure_strong.horizontalAdvance(row.name) for row in rows) + 18
        x_absolute = x_sigma + max(measure_strong.horizontalAdvance(row.sigma) for row in rows) + 18
        x_remark = x_absolute + max(measure.horizontalAdvance(row.absolute) for row in rows) + 24
        space = self.width() - 280.0
        for k, row in enumerate(rows):
            base = self.height() - 16.0 - 24.0 * (len(rows) - 1 - k)
            step = 24.0 / len(row.colours)
            for n, colour in enumerate(row.colours):
                pen = QPen(QColor(colour), 2.5 if row.active else 2.0)
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                painter.setPen(pen)
                left = MARGIN + n * step
                painter.drawLine(
                    QPointF(left, base - 4), QPointF(left + step - (2 if len(row.colours) > 1 else 0), base - 4)
                )
            painter.setFont(strong)
            painter.setPen(QColor(colours.text))
            painter.drawText(QPointF(x_name, base), row.name)
            painter.setPen(QColor(colours.accent if row.bright else colours.text))
            sigma_end = x_absolute - 18
            painter.drawText(QPointF(sigma_end - measure_strong.horizontalAdvance(row.sigma), base), row.sigma)
            painter.setFont(normal)
            painter.setPen(QColor(colours.accent if row.bright else colours.label))
            painter.drawText(QPointF(x_absolute, base), row.absolute)
            painter.setPen(QColor(colours.hint))
            if x_remark + measure.horizontalAdvance(row.remark) < space:
                painter.drawText(QPointF(x_remark, base), row.remark)

    def _paint_label(self, painter: QPainter, label: AtomLabel) -> None:
        font = interface_font(self.font(), 12, QFont.Weight.Medium)
        painter.setFont(font)
        measure = QFontMetricsF(font)
        width, height = measure.horizontalAdvance(label.text) + 14, 20.0
        left = min(max(label.x + 10, 4.0), max(self.width() - width - 4, 4.0))
        top = min(max(label.y - height - 6, 4.0), max(self.height() - height - 4, 4.0))
        box = QRectF(left, top, width, height)
        ground = QColor(self._colours.panel)
        ground.setAlpha(235 if label.hovering else 200)
        painter.setPen(QPen(QColor(self._colours.accent if not label.hovering else self._colours.hairline), 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor(self._colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label.text)


class KnobSlider(QSlider):
    """A thin track filled up to a ring; clicking anywhere on the track goes there."""

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
        painter.drawRoundedRect(QRectF(left, middle - 1.5, knob - left, 3), 1.5, 1.5)
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


class DepthPanel(QWidget):
    """Sliders for the thickness of what is seen (focus) and for how far around the centre maps are drawn (radius)."""

    focus_changed = Signal(float)
    radius_changed = Signal(float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        self._names: list[QLabel] = []
        self._values: list[QLabel] = []
        self._sliders: list[KnobSlider] = []
        rows = (
            ("Focus", "Thickness of the slab that is seen (D, F)", 40, 400, self.focus_changed),
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
            slider.valueChanged.connect(lambda tenths, signal=signal: signal.emit(tenths / 10.0))
            for column, widget in enumerate((label, slider, value)):
                grid.addWidget(widget, row, column)
            self._names.append(label)
            self._values.append(value)
            self._sliders.append(slider)
        self.set_colours(OverlayColours())

    def set_colours(self, colours: OverlayColours) -> None:
        for label in self._names:
            label.setFont(interface_font(self.font(), 12))
            label.setStyleSheet(f"color: {colours.label}; background: transparent;")
        for value in self._values:
            value.setFont(interface_font(self.font(), 12, QFont.Weight.DemiBold))
            value.setStyleSheet(f"color: {colours.text}; background: transparent;")
        for slider in self._sliders:
            slider.set_colours(colours)

    def show_values(self, focus: float, radius: float) -> None:
        """Show values in angstrom without announcing a change."""
        for slider, label, value in zip(self._sliders, self._values, (focus, radius), strict=True):
            blocked = slider.blockSignals(True)
            slider.setValue(round(value * 10))
            slider.blockSignals(blocked)
            slider.update()
            label.setText(f"{value:.1f} Å")


def overlay_colours(theme: Mapping[str, str]) -> OverlayColours:
    """The overlay's palette from the window's: roles 'view', 'panel', 'hairline', 'text', 'label', 'hint', 'accent',
    'track'; a missing role keeps the dark default."""
    names = {"background": "view"} | {
        name: name for name in ("panel", "hairline", "text", "label", "hint", "accent", "track")
    }
    return OverlayColours(**{name: theme[role] for name, role in names.items() if role in theme})
