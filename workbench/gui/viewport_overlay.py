"""What lies over the 3D picture: title, contour levels, labels of atoms, measurements, legends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from workbench.gui.widgets.kept_painting import KeptPainting

MARGIN = 16
SLIDERS_PX = 290.0
"""What the sliders take at the right of the legend, with the gap between them."""
SHORTEST_NAME_PX = 60.0


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
    """One line of the legend: dashes of colour, name, level in sigma, level in e/A^3, a remark. active: the wheel and
    the keys change this one."""

    colours: tuple[str, ...]
    name: str
    sigma: str
    absolute: str
    remark: str
    bright: bool = False
    active: bool = False
    broken: bool = False
    width: float = 1.0
    """Pixels of its lines on the picture."""


@dataclass(frozen=True)
class AtomLabel:
    """Text beside a point of the picture (device-independent pixels)."""

    x: float
    y: float
    text: str
    hovering: bool = False


@dataclass(frozen=True)
class Ruler:
    """A measurement on the picture: its points and where its value is written."""

    points: tuple[tuple[float, float], ...]
    text: str


@dataclass(frozen=True)
class RampRow:
    """The legend of a colouring by values."""

    name: str
    low: str
    high: str
    colours: tuple[str, ...]


@dataclass(frozen=True)
class OverlayContent:
    title: str = ""
    subtitles: tuple[str, ...] = ()
    levels: tuple[LevelRow, ...] = ()
    labels: tuple[AtomLabel, ...] = field(default=())
    rulers: tuple[Ruler, ...] = ()
    measurements: tuple[str, ...] = ()
    ramp: RampRow | None = None
    hint: str = ""


def interface_font(base: QFont, pixels: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The system font at a size in device-independent pixels, with figures of equal width where the font has them."""
    font = QFont(base)
    font.setPixelSize(round(pixels))
    font.setWeight(weight)
    if hasattr(font, "setFeature"):
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def paint_ground(painter: QPainter, box: QRectF, colours: OverlayColours, rim: str = "", alpha: int = 225) -> None:
    """What words stand on, over rods and density."""
    ground = QColor(colours.panel)
    ground.setAlpha(alpha)
    painter.setPen(QPen(QColor(rim or colours.hairline), 1))
    painter.setBrush(ground)
    painter.drawRoundedRect(box, 6, 6)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def lines_of(parts: str, width: float, measure: QFontMetricsF) -> tuple[str, ...]:
    """Words in groups that three spaces set apart, in as many lines of at most `width` as they need."""
    lines: list[str] = []
    for part in parts.split("   "):
        longer = f"{lines[-1]}   {part.strip()}" if lines else part.strip()
        if lines and measure.horizontalAdvance(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(part.strip())
    return tuple(lines)


class Overlay(QWidget):
    """Paints the texts; the mouse goes through to the scene. It is painted with every picture of the scene."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._content = OverlayContent()
        self._colours = OverlayColours()
        self._words = KeptPainting()
        self._scrims: tuple[tuple[object, ...], list[tuple[QRectF, QBrush]]] | None = None

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
        # Marks go with the scene; all else stays as it is while the view moves.
        still = replace(self._content, labels=(), rulers=())
        about = (still, self._colours, self.font())
        painter = QPainter(self)
        for box, scrim in self._scrims_of(about):
            painter.fillRect(box, scrim)
        if self._content.labels or self._content.rulers:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
            self.paint_marks(painter)
        self._words.paint(self, painter, about, self._paint_words)
        painter.end()

    def _paint_words(self, painter: QPainter) -> None:
        self._paint_title(painter)
        self._paint_measurements(painter)
        self._paint_levels(painter)

    def paint_marks(self, painter: QPainter) -> None:
        """Labels and rulers: what belongs to the scene, and goes into exported pictures too."""
        for ruler in self._content.rulers:
            self._paint_ruler(painter, ruler)
        for label in self._content.labels:
            self._paint_label(painter, label)

    def _paint_ruler(self, painter: QPainter, ruler: Ruler) -> None:
        places = [QPointF(x, y) for x, y in ruler.points]
        # Dark under light (or light under dark): seen on rods, on the rim of the selection, and on density.
        casing = QPen(QColor(self._colours.background), 4.4)
        casing.setCapStyle(Qt.PenCapStyle.FlatCap)
        dashes = QPen(QColor(self._colours.text), 1.8, Qt.PenStyle.CustomDashLine)
        dashes.setDashPattern([3.2, 2.0])
        dashes.setCapStyle(Qt.PenCapStyle.FlatCap)
        for pen in (casing, dashes):
            painter.setPen(pen)
            for one, other in pairwise(places):
                painter.drawLine(one, other)
        painter.setPen(QPen(QColor(self._colours.background), 1.4))
        painter.setBrush(QColor(self._colours.text))
        for place in places:
            painter.drawEllipse(place, 3.4, 3.4)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if ruler.text and len(places) > 1:
            middle = (places[0] + places[-1]) / 2 if len(places) == 2 else places[1]
            self._paint_label(painter, AtomLabel(middle.x() - 14, middle.y() + 14, ruler.text))

    def _subtitles(self) -> tuple[str, ...]:
        """The lines under the title, none wider than the picture."""
        measure = QFontMetricsF(interface_font(self.font(), 12))
        space = self.width() - 2.0 * MARGIN
        return tuple(part for line in self._content.subtitles for part in lines_of(line, space, measure))

    def _top_at_right(self, width: float, measure: QFontMetricsF) -> float:
        """Where the column at the right may begin, `width` wide: below the lines under the title that reach it."""
        free = self.width() - 2.0 * MARGIN - width - 12.0
        reaching = [row for row, line in enumerate(self._subtitles()) if measure.horizontalAdvance(line) > free]
        return max(60.0, 72.0 + 17.0 * reaching[-1]) if reaching else 60.0

    def _paint_measurements(self, painter: QPainter) -> None:
        """The list of measurements, and the legend of the colours, at the right."""
        painter.setFont(interface_font(self.font(), 12))
        measure = QFontMetricsF(painter.font())
        ramp = self._content.ramp
        lines = (*self._content.measurements, *((self._content.hint,) if self._content.hint else ()))
        if ramp is None and not lines:
            return
        widest = max((measure.horizontalAdvance(line) + 20.0 for line in lines), default=0.0)
        if ramp is not None:
            widest = max(widest, 160.0 + measure.horizontalAdvance(ramp.name))
        y = self._top_at_right(widest, measure)
        if ramp is not None:
            width = max(120.0, measure.horizontalAdvance(ramp.low) + measure.horizontalAdvance(ramp.high) + 20.0)
            right = self.width() - MARGIN
            gradient = QLinearGradient(right - width, 0, right, 0)
            for k, colour in enumerate(ramp.colours):
                gradient.setColorAt(k / max(len(ramp.colours) - 1, 1), QColor(colour))
            left = right - width - 10 - measure.horizontalAdvance(ramp.name)
            paint_ground(painter, QRectF(left - 10, y - 8, right - left + 18, 40), self._colours)
            painter.setPen(QColor(self._colours.label))
            painter.drawText(QPointF(right - width - 10 - measure.horizontalAdvance(ramp.name), y + 9), ramp.name)
            painter.fillRect(QRectF(right - width, y, width, 10), gradient)
            painter.setPen(QColor(self._colours.hint))
            painter.drawText(QPointF(right - width, y + 25), ramp.low)
            painter.drawText(QPointF(right - measure.horizontalAdvance(ramp.high), y + 25), ramp.high)
            y += 46.0
        if lines:
            # On a ground of its own: rods and density run right behind it.
            width = max(measure.horizontalAdvance(line) for line in lines) + 20.0
            box = QRectF(self.width() - MARGIN - width, y - 13.0, width, 18.0 * len(lines) + 10.0)
            paint_ground(painter, box, self._colours)
        for line in lines:
            hint = line == self._content.hint
            painter.setPen(QColor(self._colours.accent if hint else self._colours.text))
            # Numbers and atoms in one column, values in another.
            names, _, value = line.rpartition("   ") if not hint else (line, "", "")
            painter.drawText(QPointF(self.width() - MARGIN - width + 10.0, y + 4), names)
            painter.drawText(QPointF(self.width() - MARGIN - 10.0 - measure.horizontalAdvance(value), y + 4), value)
            y += 18.0

    def _scrims_of(self, about: tuple[object, ...]) -> list[tuple[QRectF, QBrush]]:
        """Text stays readable over whatever the scene shows: the background's own colour, fading out."""
        about = (*about, self.size())
        if self._scrims is None or self._scrims[0] != about:
            self._scrims = about, self._new_scrims()
        return self._scrims[1]

    def _new_scrims(self) -> list[tuple[QRectF, QBrush]]:
        scrims = []
        solid = QColor(self._colours.background)
        if self._content.levels:
            depth = 62.0 + 24.0 * len(self._content.levels)
            gradient = QLinearGradient(0, self.height() - depth, 0, self.height())
            # As dark at the first of many rows as at the first of two.
            for at, alpha in ((0.0, 0), (46.0 / depth, 160), (1.0, 240)):
                solid.setAlpha(alpha)
                gradient.setColorAt(at, solid)
            scrims.append((QRectF(0, self.height() - depth, self.width(), depth), QBrush(gradient)))
        if self._content.title:
            depth = 66.0 + 17.0 * len(self._subtitles())
            gradient = QLinearGradient(0, 0, 0, depth)
            for at, alpha in ((0.0, 215), (0.62, 165), (1.0, 0)):
                solid.setAlpha(alpha)
                gradient.setColorAt(at, solid)
            scrims.append((QRectF(0, 0, self.width(), depth), QBrush(gradient)))
        return scrims

    def _paint_title(self, painter: QPainter) -> None:
        painter.setFont(interface_font(self.font(), 16, QFont.Weight.DemiBold))
        painter.setPen(QColor(self._colours.text))
        painter.drawText(QPointF(MARGIN, 28), self._content.title)
        painter.setFont(interface_font(self.font(), 12))
        painter.setPen(QColor(self._colours.label))
        for row, line in enumerate(self._subtitles()):
            painter.drawText(QPointF(MARGIN, 47 + 17 * row), line)

    def _paint_levels(self, painter: QPainter) -> None:
        colours = self._colours
        rows = self._content.levels
        normal, strong = interface_font(self.font(), 12), interface_font(self.font(), 12, QFont.Weight.DemiBold)
        measure, measure_strong = QFontMetricsF(normal), QFontMetricsF(strong)
        if not rows:
            return
        several = len(rows) > 1
        x_swatch = MARGIN + (13.0 if several else 0.0)
        x_name = x_swatch + (52.0 if any(len(row.colours) > 1 for row in rows) else 33.0)
        # Beside the sliders: where it is narrow, long names lose their middle.
        numbers = max(measure_strong.horizontalAdvance(row.sigma) for row in rows)
        numbers += max(measure.horizontalAdvance(row.absolute) for row in rows) + 36.0
        longest = max(self.width() - SLIDERS_PX - x_name - numbers, SHORTEST_NAME_PX)
        names = [measure_strong.elidedText(row.name, Qt.TextElideMode.ElideMiddle, longest) for row in rows]
        x_sigma = x_name + max(measure_strong.horizontalAdvance(name) for name in names) + 18
        x_absolute = x_sigma + max(measure_strong.horizontalAdvance(row.sigma) for row in rows) + 18
        x_remark = x_absolute + max(measure.horizontalAdvance(row.absolute) for row in rows) + 24
        remarks = [self._remark(row, several, self.width() - SLIDERS_PX - x_remark, measure) for row in rows]
        # On a ground of its own, as the measurements: bright wires run right behind it.
        widest = max(measure.horizontalAdvance(remark) for remark in remarks)
        right = x_remark + widest if widest else x_remark - 24.0
        top = self.height() - 16.0 - 24.0 * (len(rows) - 1) - 18.0
        box = QRectF(0.5 * MARGIN, top, right - 0.5 * MARGIN + 10.0, 24.0 * len(rows) + 2.0)
        paint_ground(painter, box, colours)
        for k, row in enumerate(rows):
            base = self.height() - 16.0 - 24.0 * (len(rows) - 1 - k)
            signed = len(row.colours) > 1
            step = 23.0 if signed else x_name - x_swatch - 11.0
            for n, colour in enumerate(row.colours):
                pen = QPen(QColor(colour), 1.4 + row.width)
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                painter.setPen(pen)
                left = x_swatch + n * step
                if signed:
                    # Which colour is which sign, in the narrowest window too.
                    thin = QPen(QColor(colour), 1.4)
                    painter.setPen(thin)
                    painter.drawLine(QPointF(left, base - 4), QPointF(left + 6, base - 4))
                    if n == 0:
                        painter.drawLine(QPointF(left + 3, base - 7), QPointF(left + 3, base - 1))
                    painter.setPen(pen)
                    left += 9.0
                if row.broken and n == len(row.colours) - 1:
                    pen.setDashPattern([1.2, 0.9])
                    painter.setPen(pen)
                painter.drawLine(QPointF(left, base - 4), QPointF(left + (9.0 if signed else step), base - 4))
            chosen = row.active or not several
            if chosen and several:
                # An arrow beside the one that the wheel sets; the others stand back.
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colours.text))
                tip = QPointF(MARGIN + 7.0, base - 4)
                painter.drawPolygon(QPolygonF([tip, tip + QPointF(-7.0, -4.5), tip + QPointF(-7.0, 4.5)]))
                painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setFont(strong if chosen else normal)
            painter.setPen(QColor(colours.text if chosen else colours.label))
            painter.drawText(QPointF(x_name, base), names[k])
            painter.setPen(QColor(colours.accent if row.bright else colours.text if chosen else colours.label))
            sigma_end = x_absolute - 18
            width = (measure_strong if chosen else measure).horizontalAdvance(row.sigma)
            painter.drawText(QPointF(sigma_end - width, base), row.sigma)
            painter.setFont(normal)
            painter.setPen(QColor(colours.accent if row.bright else colours.label))
            painter.drawText(QPointF(x_absolute, base), row.absolute)
            painter.setPen(QColor(colours.hint))
            painter.drawText(QPointF(x_remark, base), remarks[k])

    @staticmethod
    def _remark(row: LevelRow, several: bool, space: float, measure: QFontMetricsF) -> str:
        """As much of what is to be said of a map as there is space for; the arrow tells of the wheel, too."""
        words = [row.remark]
        if row.active and several:
            words = [f"wheel sets it, {row.remark}", row.remark, "wheel"] if row.remark else ["wheel sets it", "wheel"]
        return next((said for said in words if measure.horizontalAdvance(said) < space), "")

    def _paint_label(self, painter: QPainter, label: AtomLabel) -> None:
        font = interface_font(self.font(), 12, QFont.Weight.Medium)
        painter.setFont(font)
        measure = QFontMetricsF(font)
        width, height = measure.horizontalAdvance(label.text) + 14, 20.0
        left = min(max(label.x + 10, 4.0), max(self.width() - width - 4, 4.0))
        top = min(max(label.y - height - 6, 4.0), max(self.height() - height - 4, 4.0))
        box = QRectF(left, top, width, height)
        rim = self._colours.accent if not label.hovering else self._colours.hairline
        paint_ground(painter, box, self._colours, rim, 235 if label.hovering else 200)
        painter.setPen(QColor(self._colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label.text)


def overlay_colours(theme: Mapping[str, str]) -> OverlayColours:
    """The overlay's palette from the window's: roles 'view', 'panel', 'hairline', 'text', 'label', 'hint', 'accent',
    'track'; a missing role keeps the dark default."""
    names = {"background": "view"} | {
        name: name for name in ("panel", "hairline", "text", "label", "hint", "accent", "track")
    }
    return OverlayColours(**{name: theme[role] for name, role in names.items() if role in theme})
