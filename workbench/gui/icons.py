"""Icons as drawn paths on a 24 x 24 square: sharp at every scale, coloured by the theme."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

Lines = tuple[QPainterPath, QPainterPath]
"""Stroked path and filled path."""


def _polyline(path: QPainterPath, *points: tuple[float, float], close: bool = False) -> None:
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    if close:
        path.closeSubpath()


def _open() -> Lines:
    s = QPainterPath()
    _polyline(s, (3, 18.5), (3, 6), (9, 6), (11, 8.5), (19, 8.5), (19, 11))
    _polyline(s, (3, 18.5), (6.2, 11), (21.5, 11), (18.5, 18.5), close=True)
    return s, QPainterPath()


def _fetch() -> Lines:
    s = QPainterPath()
    _polyline(s, (12, 3.5), (12, 15))
    _polyline(s, (7, 10.3), (12, 15.3), (17, 10.3))
    _polyline(s, (4, 15.5), (4, 20), (20, 20), (20, 15.5))
    return s, QPainterPath()


def _export() -> Lines:
    s = QPainterPath()
    _polyline(s, (12, 15), (12, 4))
    _polyline(s, (7, 8.7), (12, 3.7), (17, 8.7))
    _polyline(s, (4, 14.5), (4, 20), (20, 20), (20, 14.5))
    return s, QPainterPath()


def _play() -> Lines:
    f = QPainterPath()
    _polyline(f, (7, 4.5), (19.5, 12), (7, 19.5), close=True)
    return QPainterPath(), f


def _refining() -> Lines:
    s, f = QPainterPath(), QPainterPath()
    circle = QRectF(3.5, 3.5, 17, 17)
    s.arcMoveTo(circle, 60)
    s.arcTo(circle, 60, -290)
    _polyline(s, (11, 1.2), (14.2, 3.7), (11.2, 6.4))
    _polyline(f, (9.8, 8.4), (15.8, 12), (9.8, 15.6), close=True)
    return s, f


def _pause() -> Lines:
    f = QPainterPath()
    f.addRoundedRect(QRectF(6, 4.5, 4.2, 15), 0.8, 0.8)
    f.addRoundedRect(QRectF(13.8, 4.5, 4.2, 15), 0.8, 0.8)
    return QPainterPath(), f


def _step() -> Lines:
    f = QPainterPath()
    _polyline(f, (5, 4.5), (15, 12), (5, 19.5), close=True)
    f.addRect(QRectF(16.4, 4.5, 3, 15))
    return QPainterPath(), f


def _stop() -> Lines:
    f = QPainterPath()
    f.addRoundedRect(QRectF(5.5, 5.5, 13, 13), 1.2, 1.2)
    return QPainterPath(), f


def _undo() -> Lines:
    s = QPainterPath()
    _polyline(s, (8, 4.5), (3.8, 8.7), (8, 12.9))
    s.moveTo(3.8, 8.7)
    s.lineTo(14.5, 8.7)
    s.arcTo(QRectF(9.5, 8.7, 10.4, 10.4), 90, -180)
    s.lineTo(9.5, 19.1)
    return s, QPainterPath()


def _redo() -> Lines:
    s = QPainterPath()
    _polyline(s, (16, 4.5), (20.2, 8.7), (16, 12.9))
    s.moveTo(20.2, 8.7)
    s.lineTo(9.5, 8.7)
    s.arcTo(QRectF(4.1, 8.7, 10.4, 10.4), 90, 180)
    s.lineTo(14.5, 19.1)
    return s, QPainterPath()


def _search() -> Lines:
    s = QPainterPath()
    s.addEllipse(QRectF(4, 4, 12, 12))
    _polyline(s, (14.6, 14.6), (20, 20))
    return s, QPainterPath()


def _menu() -> Lines:
    s = QPainterPath()
    for y in (6.5, 12.0, 17.5):
        _polyline(s, (4, y), (20, y))
    return s, QPainterPath()


def _panel() -> Lines:
    s = QPainterPath()
    s.addRoundedRect(QRectF(3.5, 4.5, 17, 15), 2, 2)
    _polyline(s, (9.5, 4.5), (9.5, 19.5))
    return s, QPainterPath()


def _model() -> Lines:
    s = QPainterPath()
    for x, y in ((12.0, 6.0), (5.5, 17.5), (18.5, 17.5)):
        s.addEllipse(QPointF(x, y), 3, 3)
    _polyline(s, (10.5, 8.7), (7, 14.8))
    _polyline(s, (13.5, 8.7), (17, 14.8))
    return s, QPainterPath()


def _data() -> Lines:
    f = QPainterPath()
    for row in range(5):
        for column in range(5):
            f.addEllipse(QPointF(4 + 4 * column, 4 + 4 * row), 1.15, 1.15)
    return QPainterPath(), f


def _dictionary() -> Lines:
    s = QPainterPath()
    _polyline(s, (12, 3.5), (19.4, 7.8), (19.4, 16.2), (12, 20.5), (4.6, 16.2), (4.6, 7.8), close=True)
    s.addEllipse(QPointF(12, 12), 3.4, 3.4)
    return s, QPainterPath()


def _right() -> Lines:
    s = QPainterPath()
    _polyline(s, (9, 5.5), (15.5, 12), (9, 18.5))
    return s, QPainterPath()


def _down() -> Lines:
    s = QPainterPath()
    _polyline(s, (5.5, 9), (12, 15.5), (18.5, 9))
    return s, QPainterPath()


def _tick() -> Lines:
    s = QPainterPath()
    _polyline(s, (4.5, 12.5), (10, 18), (19.5, 6.5))
    return s, QPainterPath()


def _warning() -> Lines:
    s, f = QPainterPath(), QPainterPath()
    _polyline(s, (12, 3.5), (21.5, 20), (2.5, 20), close=True)
    _polyline(s, (12, 9.5), (12, 14))
    f.addEllipse(QPointF(12, 17), 1.2, 1.2)
    return s, f


def _error() -> Lines:
    s, f = QPainterPath(), QPainterPath()
    corners = [
        (12 + 9.5 * math.cos(a), 12 + 9.5 * math.sin(a)) for a in (math.pi / 8 + k * math.pi / 4 for k in range(8))
    ]
    _polyline(s, *corners, close=True)
    _polyline(s, (12, 7.5), (12, 12.5))
    f.addEllipse(QPointF(12, 16.2), 1.3, 1.3)
    return s, f


def _dash() -> Lines:
    s = QPainterPath()
    _polyline(s, (6, 12), (18, 12))
    return s, QPainterPath()


def _first() -> Lines:
    f = QPainterPath()
    f.addRect(QRectF(5, 5, 2.2, 14))
    _polyline(f, (19, 5), (8.5, 12), (19, 19), close=True)
    return QPainterPath(), f


def _previous() -> Lines:
    f = QPainterPath()
    _polyline(f, (17, 5), (6.5, 12), (17, 19), close=True)
    return QPainterPath(), f


def _next() -> Lines:
    f = QPainterPath()
    _polyline(f, (7, 5), (17.5, 12), (7, 19), close=True)
    return QPainterPath(), f


def _last() -> Lines:
    f = QPainterPath()
    f.addRect(QRectF(16.8, 5, 2.2, 14))
    _polyline(f, (5, 5), (15.5, 12), (5, 19), close=True)
    return QPainterPath(), f


def _triangle() -> Lines:
    s, f = QPainterPath(), QPainterPath()
    _polyline(s, (12, 3.5), (21, 19.5), (3, 19.5), close=True)
    _polyline(s, (12, 9), (12, 13.5))
    f.addEllipse(QPointF(12, 16.6), 1.2, 1.2)
    return s, f


def _octagon() -> Lines:
    s, f = QPainterPath(), QPainterPath()
    _polyline(s, (8.3, 3), (15.7, 3), (21, 8.3), (21, 15.7), (15.7, 21), (8.3, 21), (3, 15.7), (3, 8.3), close=True)
    _polyline(s, (12, 7.5), (12, 13))
    f.addEllipse(QPointF(12, 16.4), 1.2, 1.2)
    return s, f


def _diamond() -> Lines:
    s, f = QPainterPath(), QPainterPath()
    _polyline(s, (12, 2.5), (21.5, 12), (12, 21.5), (2.5, 12), close=True)
    s.moveTo(9.6, 10)
    s.cubicTo(9.6, 6.8, 14.4, 6.8, 14.4, 10)
    s.cubicTo(14.4, 11.8, 12, 11.8, 12, 13.6)
    f.addEllipse(QPointF(12, 16.6), 1.1, 1.1)
    return s, f


DRAWN: dict[str, Callable[[], Lines]] = {
    "open": _open,
    "fetch": _fetch,
    "export": _export,
    "refine": _play,
    "refining": _refining,
    "pause": _pause,
    "step": _step,
    "stop": _stop,
    "undo": _undo,
    "redo": _redo,
    "search": _search,
    "menu": _menu,
    "panel": _panel,
    "model": _model,
    "data": _data,
    "dictionary": _dictionary,
    "right": _right,
    "down": _down,
    "tick": _tick,
    "warning": _warning,
    "error": _error,
    "dash": _dash,
    "first": _first,
    "previous": _previous,
    "next": _next,
    "last": _last,
    "triangle": _triangle,
    "octagon": _octagon,
    "diamond": _diamond,
}


def draw(painter: QPainter, name: str, box: QRectF, colour: QColor, width: float = 1.8) -> None:
    """Draw the icon `name` into `box`; `width` is the stroke width on the 24-unit square."""
    stroked, filled = DRAWN[name]()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / 24, box.height() / 24)
    if not filled.isEmpty():
        painter.fillPath(filled, colour)
    if not stroked.isEmpty():
        pen = QPen(colour, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(stroked, pen)
    painter.restore()


def pixmap(name: str, size: int, colour: QColor, ratio: float = 1.0) -> QPixmap:
    """The icon as a picture of `size` device-independent pixels."""
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    draw(painter, name, QRectF(0, 0, size, size), colour)
    painter.end()
    return picture


def application_icon() -> QIcon:
    """The icon of the program: a molecule inside a contour."""
    icon = QIcon()
    for size in (16, 32, 64, 128, 256):
        picture = QPixmap(size, size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor("#1A1E24"))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(QRectF(0, 0, size, size), size * 0.22, size * 0.22)
        inner = size * 0.66
        draw(painter, "model", QRectF((size - inner) / 2, (size - inner) / 2, inner, inner), QColor("#3CC9B0"), 2.2)
        painter.end()
        icon.addPixmap(picture)
    return icon
