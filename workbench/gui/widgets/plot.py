"""A themed plot: pyqtgraph draws the curves; grid, ticks, names at the line ends and marks are set by hand.

Redraws are the owner's business (the window asks at most five times a second).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView, QWidget

from workbench.core.arrays import FloatArray
from workbench.gui.theme import advance, theme
from workbench.gui.widgets import text

DASHES: dict[str, list[float]] = {"solid": [], "dash": [5, 3], "dot": [1, 2.2], "dashdot": [6, 2.5, 1, 2.5]}


def nice_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that enclose low..high, at most `most`."""
    span = max(high - low, 1e-9)
    raw = span / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    for multiple in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0):
        step = multiple * power
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first + 1 <= most:
            break
    return [round(k * step, 12) for k in range(first, last + 1)]


def tick_digits(ticks: Sequence[float], least: int = 0, most: int = 3) -> int:
    """Digits after the point that tell all ticks exactly, between least and most."""
    for digits in range(least, most):
        if all(math.isclose(t, round(t, digits), abs_tol=1e-9) for t in ticks):
            return digits
    return most


@dataclass(frozen=True, eq=False)
class Ribbon:
    """A hatched band with dashed edges along x: from low to high (k,), data units; gaps where not finite."""

    x: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class FaintCurve:
    """A curve of another run, thin and grey behind all others; a ring stands at its last point where wanted."""

    x: FloatArray
    y: FloatArray
    dash: str = "solid"
    ring: bool = False


SAMPLE = 22.0
"""px: room for a sample of a line or a hatch before a name."""


@dataclass(frozen=True)
class EndLabel:
    """A name beside the last point of a curve; `number` is set flush right where given. sample: "hatch" or "faint",
    a picture of what it names before it."""

    y: float
    markup: str
    role: str
    strong: bool = True
    number: str = ""
    sample: str = ""


@dataclass(frozen=True)
class PointLabel:
    """A name beside a point."""

    x: float
    y: float
    markup: str
    strong: bool = False


MOST_COVERED = 1
"""Places to keep off that a name may cover before it is left out, unless it is a strong one."""


class Plot(pg.PlotWidget):
    """One plot with fixed margins."""

    hovered = Signal(object)
    pressed = Signal(QPointF)

    def __init__(
        self, name: str, *, right: int, x_name: str, below: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, enableMenu=False)
        self.setAccessibleName(name)
        self.setMinimumHeight(60)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.x_name = x_name
        self.x_name_below = below
        self.margins = (44, 20, right, 34 if below else 20)
        self.x_ticks: list[float] = []
        self.y_ticks: list[float] = []
        self.y_digits = 2
        self.x_digits = 0
        self.x_text: Callable[[float], str] | None = None
        """What is written at a mark of the x axis, where that is not its number."""
        self.end_labels: Sequence[EndLabel] = ()
        self.point_labels: Sequence[PointLabel] = ()
        self.marks: Sequence[tuple[float, str]] = ()
        self.named: list[tuple[str, QRectF]] = []
        """Names of points, where they were drawn last."""
        self.avoid: Sequence[tuple[float, float]] = ()
        self.cursor_x: float | None = None
        self.band: tuple[float, float, str] | None = None
        self.ribbon: Ribbon | None = None
        self.faint: Sequence[FaintCurve] = ()
        self._items: list[pg.PlotDataItem | pg.ScatterPlotItem] = []
        self._error_bars: list[pg.ErrorBarItem] = []
        self.empty_text = ""
        item = self.getPlotItem()
        for axis in ("left", "bottom", "top", "right"):
            item.hideAxis(axis)
        item.hideButtons()
        item.setMouseEnabled(False, False)
        self.set_margins(*self.margins)
        item.getViewBox().setDefaultPadding(0)
        item.getViewBox().setBorder(None)
        item.getViewBox().setBackgroundColor(None)
        # The ranges hold every point; clipping would only halve the dots that stand on an axis.
        item.getViewBox().setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsChildrenToShape, False)
        self.setMouseTracking(True)
        # The owner asks for one update after it has changed everything; each item asking for itself would flush the
        # whole window once per plot.
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.NoViewportUpdate)
        self.restyle()

    def restyle(self) -> None:
        self.setBackground(theme.colours.panel)

    def set_margins(self, left: int, top: int, right: int, bottom: int) -> None:
        """px around the data."""
        self.margins = (left, top, right, bottom)
        self.getPlotItem().layout.setContentsMargins(*self.margins)

    def curve(self) -> pg.PlotDataItem:
        """A new curve without data."""
        item = pg.PlotDataItem()
        self.addItem(item)
        self._items.append(item)
        return item

    def dots(self) -> pg.ScatterPlotItem:
        item = pg.ScatterPlotItem(pxMode=True)
        self.addItem(item)
        self._items.append(item)
        return item

    def error_bars(self) -> pg.ErrorBarItem:
        """New error bars without data."""
        item = pg.ErrorBarItem(**_no_bars())
        self.addItem(item)
        self._error_bars.append(item)
        return item

    def no_bars(self, bars: pg.ErrorBarItem) -> None:
        """Take error bars away."""
        bars.setData(**_no_bars())

    def show_nothing(self, why: str) -> None:
        """No data, and why, in the middle."""
        self.x_ticks, self.y_ticks, self.end_labels, self.point_labels, self.marks = [], [], (), (), ()
        self.cursor_x, self.band, self.ribbon, self.faint = None, None, None, ()
        for item in self._items:
            item.setData([], [])
        for bars in self._error_bars:
            self.no_bars(bars)
        self.empty_text = why
        self.viewport().update()

    def pen(self, role: str, dash: str = "solid", width: float = 2.0) -> QPen:
        # A cosmetic pen counts device pixels.
        pen = QPen(theme.colours[role], width * self.devicePixelRatioF())
        pen.setCosmetic(True)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap if DASHES[dash] else Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if DASHES[dash]:
            pen.setDashPattern(DASHES[dash])
        return pen

    def set_ranges(self, x: Sequence[float], y: Sequence[float]) -> None:
        """Take ticks (first and last are the limits)."""
        self.x_ticks, self.y_ticks = list(x), list(y)
        self.getPlotItem().getViewBox().setRange(xRange=(x[0], x[-1]), yRange=(y[0], y[-1]), padding=0)

    def inner(self) -> QRectF:
        """The rectangle of the data in px."""
        left, top, right, bottom = self.margins
        return QRectF(left, top, max(self.width() - left - right, 10), max(self.height() - top - bottom, 10))

    def tick_room(self) -> int:
        """How many ticks the height has room for, with 20 px from one to the next."""
        return min(max(int(self.inner().height() // 20) + 1, 3), 7)

    def place(self, x: float, y: float) -> QPointF:
        """Data to px."""
        box = self.inner()
        if len(self.x_ticks) < 2 or len(self.y_ticks) < 2:
            return box.center()
        fx = (x - self.x_ticks[0]) / (self.x_ticks[-1] - self.x_ticks[0])
        fy = (y - self.y_ticks[0]) / (self.y_ticks[-1] - self.y_ticks[0])
        return QPointF(box.left() + fx * box.width(), box.bottom() - fy * box.height())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered.emit(event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit(event.position())
        event.accept()

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None)

    def nearest(self, at: QPointF, x: FloatArray, y: FloatArray, reach: float = 18.0) -> int | None:
        """Row of the data point closest to a px position, or None when it is farther than `reach` px."""
        if len(x) == 0:
            return None
        places = [self.place(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        distances = np.array([math.hypot(p.x() - at.x(), p.y() - at.y()) for p in places])
        if not np.isfinite(distances).any():
            return None
        row = int(np.nanargmin(distances))
        return row if distances[row] <= reach else None

    # painting in scene coordinates, which are px of the widget

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        super().drawBackground(painter, rect)
        if len(self.x_ticks) < 2 or len(self.y_ticks) < 2:
            return
        c = theme.colours
        box = self.inner()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if self.band is not None:
            low, high, _ = self.band
            top = self.place(0, min(high, self.y_ticks[-1])).y()
            bottom = self.place(0, max(low, self.y_ticks[0])).y()
            if bottom > top:
                fill = QColor(c["track"])
                fill.setAlpha(150)
                painter.fillRect(QRectF(box.left(), top, box.width(), bottom - top), fill)
        self._draw_ribbon(painter, box)
        painter.setPen(QPen(c["grid"], 1))
        for value in self.y_ticks[1:]:
            level = round(self.place(0, value).y())
            painter.drawLine(QPointF(box.left(), level), QPointF(box.right(), level))
        painter.setPen(QPen(c["hint"], 1))
        base = round(box.bottom())
        painter.drawLine(QPointF(box.left(), base), QPointF(box.right(), base))
        for value in self.x_ticks:
            tick = round(self.place(value, 0).x())
            painter.drawLine(QPointF(tick, base), QPointF(tick, base + 3))
        painter.setFont(theme.font(11))
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for value in self.y_ticks:
            y = self.place(0, value).y()
            painter.drawText(
                QRectF(0, y - 8, box.left() - 8, 16), right, f"{value:.{self.y_digits}f}".replace("-", text.MINUS)
            )
        for value in self.x_ticks:
            x = self.place(value, 0).x()
            shown = "0" if value == 0 else f"{value:.{self.x_digits}f}".replace("-", text.MINUS)
            if self.x_text is not None:
                shown = self.x_text(value)
            painter.drawText(QRectF(x - 24, base + 4, 48, 15), int(Qt.AlignmentFlag.AlignCenter), shown)
        if self.x_name_below:
            width = advance(self.x_name, theme.font(11)) + 4
            painter.drawText(QRectF(box.right() - width + 8, base + 18, width, 15), right, self.x_name)
        else:
            painter.drawText(
                QRectF(box.right() + 14, base + 4, 60, 15), int(Qt.AlignmentFlag.AlignVCenter), self.x_name
            )
        self._draw_faint(painter, box)
        if self.cursor_x is not None:
            x = self.place(self.cursor_x, 0).x()
            painter.setPen(QPen(c["accent"], 2))
            painter.drawLine(QPointF(x, box.top() - 1), QPointF(x, box.bottom()))
        painter.restore()

    def _draw_ribbon(self, painter: QPainter, box: QRectF) -> None:
        if self.ribbon is None:
            return
        painter.save()
        painter.setClipRect(box)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(theme.colours["hint"], 1)
        edge.setDashPattern([3, 3])
        good = np.isfinite(self.ribbon.low) & np.isfinite(self.ribbon.high)
        for rows in np.split(np.arange(len(good)), np.flatnonzero(np.diff(good)) + 1):
            if not len(rows) or not good[rows[0]]:
                continue
            sides = [
                [self.place(float(self.ribbon.x[i]), float(values[i])) for i in rows]
                for values in (self.ribbon.low, self.ribbon.high)
            ]
            if len(rows) == 1:
                sides = [[side[0] - QPointF(4, 0), side[0] + QPointF(4, 0)] for side in sides]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_hatch())
            painter.drawPolygon(QPolygonF([*sides[0], *reversed(sides[1])]))
            painter.setPen(edge)
            for side in sides:
                painter.drawPolyline(QPolygonF(side))
        painter.restore()

    def _draw_faint(self, painter: QPainter, box: QRectF) -> None:
        if not self.faint:
            return
        painter.save()
        painter.setClipRect(box.adjusted(-4, -4, 4, 4))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for curve in self.faint:
            good = np.isfinite(curve.x) & np.isfinite(curve.y)
            places = [self.place(float(a), float(b)) for a, b in zip(curve.x[good], curve.y[good], strict=True)]
            painter.setPen(_faint_pen(curve.dash))
            painter.drawPolyline(QPolygonF(places))
            if curve.ring and places:
                painter.setPen(_faint_pen("solid"))
                painter.drawEllipse(places[-1], 3.0, 3.0)
        painter.restore()

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        c = theme.colours
        box = self.inner()
        if self.empty_text:
            painter.setFont(theme.font(12))
            painter.setPen(c["hint"])
            whole = QRectF(self.rect())
            painter.drawText(whole, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.empty_text)
        if len(self.x_ticks) >= 2:
            self._draw_marks(painter, box)
            if self.band is not None:
                self._draw_band_name(painter, box)
            self._draw_end_labels(painter, box)
            self._draw_point_labels(painter, box)
        painter.restore()

    def _draw_marks(self, painter: QPainter, box: QRectF) -> None:
        c = theme.colours
        places = [self.place(x_value, 0).x() for x_value, _ in self.marks]
        for x in places:
            pen = QPen(c["label"], 1)
            pen.setDashPattern([2, 2.5])
            painter.setPen(pen)
            painter.drawLine(QPointF(x, box.top() - 4), QPointF(x, box.bottom()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(c["label"])
            top = box.top() - 14
            painter.drawPolygon(QPolygonF([QPointF(x - 4.5, top), QPointF(x + 4.5, top), QPointF(x, top + 7.5)]))
        # Names beside the triangles, the newest first; one that would touch another name or triangle is left out.
        taken = [(x - 6, x + 6) for x in places]
        for x, (_, name) in reversed(list(zip(places, self.marks, strict=True))):
            if not name:
                continue
            width = text.measure(name, 11)
            for start in (x + 9, x - 9 - width):
                inside = start >= 0 and start + width <= self.width() - 4
                if inside and all(start + width < low or start > high for low, high in taken):
                    text.draw(painter, start, box.top() - 6, name, 11, c["label"])
                    taken.append((start - 4, start + width + 4))
                    break

    def _draw_band_name(self, painter: QPainter, box: QRectF) -> None:
        assert self.band is not None
        low, high, name = self.band
        middle = (self.place(0, min(high, self.y_ticks[-1])).y() + self.place(0, max(low, self.y_ticks[0])).y()) / 2
        width = text.measure(name, 11)
        text.draw(painter, box.right() - width - 4, middle + 4, name, 11, theme.colours["label"])

    def _draw_end_labels(self, painter: QPainter, box: QRectF) -> None:
        labels = sorted((label for label in self.end_labels if math.isfinite(label.y)), key=lambda e: -e.y)
        if not labels:
            return
        pitch = 13.0
        wanted = [self.place(0, label.y).y() for label in labels]
        places = list(wanted)
        for i in range(1, len(places)):
            places[i] = max(places[i], places[i - 1] + pitch)
        # Keep the lowest name above the axis line and push the others up.
        limit = box.bottom() - 7
        for i in range(len(places) - 1, -1, -1):
            places[i] = min(places[i], limit)
            limit = places[i] - pitch
        x = box.right() + 10
        for label, y in zip(labels, places, strict=True):
            colour = theme.colours[label.role]
            weight = 600 if label.strong else 400
            start = x + (SAMPLE if label.sample else 0.0)
            if label.sample == "hatch":
                painter.setPen(QPen(theme.colours["hint"], 1))
                painter.setBrush(_hatch())
                painter.drawRect(QRectF(x + 0.5, y - 4.5, 15, 9))
            elif label.sample:
                painter.setPen(_faint_pen("solid"))
                painter.drawLine(QPointF(x, y), QPointF(x + 16, y))
            text.draw(
                painter, start, y + 4, label.markup, 11 if label.sample else 12, colour, weight, self.width() - start
            )
            if label.number:
                width = text.measure(label.number, 12, 600)
                painter.fillRect(QRectF(self.width() - width - 2, y - 6, width + 2, 12), theme.colours["panel"])
                text.draw(painter, self.width() - width, y + 4, label.number, 12, colour, 600)

    def _draw_point_labels(self, painter: QPainter, box: QRectF) -> None:
        taken: list[QRectF] = []
        self.named = []
        dots = [self.place(x, y) for x, y in self.avoid]
        rings = [self.place(label.x, label.y) for label in self.point_labels]
        for label, at in zip(self.point_labels, rings, strict=True):
            weight = 600 if label.strong else 400
            size = 12 if label.strong else 11
            width = text.measure(label.markup, size, weight)
            best: tuple[int, float, QRectF] | None = None
            beside = ((10, 4), (-10 - width, 4), (8, 18), (8, -9), (-8 - width, 18), (-8 - width, -9))
            further = ((-width / 2, -22), (-width / 2, 32), (14, -22), (14, 32), (-14 - width, -22), (-14 - width, 32))
            for dx, dy in (*beside, (-width / 2, -10), (-width / 2, 20), *further):
                spot = QRectF(at.x() + dx, at.y() + dy - 11, width, 14)
                inside = spot.left() > box.left() and spot.right() < self.width() and spot.bottom() < box.bottom() + 4
                inside = inside and spot.top() > 0.0
                clear = not any(spot.intersects(other) for other in taken)
                if not inside or not clear:
                    continue
                covered = sum(spot.contains(dot) for dot in dots)
                covered += 10 * sum(spot.adjusted(-6, -6, 6, 6).contains(p) for p in rings if p != at)
                if best is None or covered < best[0]:
                    best = (covered, dy, spot)
            if best is not None and (label.strong or best[0] <= MOST_COVERED):
                _, shift, spot = best
                taken.append(spot)
                self.named.append((label.markup, spot))
                role = "text" if label.strong else "label"
                text.draw(painter, spot.left(), at.y() + shift, label.markup, size, theme.colours[role], weight)


def _no_bars() -> dict[str, object]:
    nothing = np.zeros(0)
    return {"x": nothing, "y": nothing, "height": nothing, "beam": 0.0}


def _hatch() -> QBrush:
    return QBrush(theme.colours["hint"], Qt.BrushStyle.BDiagPattern)


def _faint_pen(dash: str) -> QPen:
    colour = QColor(theme.colours["hint"])
    pen = QPen(colour, 1.0)
    if DASHES[dash]:
        pen.setDashPattern(DASHES[dash])
    return pen
