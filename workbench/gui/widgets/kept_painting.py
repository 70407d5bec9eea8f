"""What a widget paints, kept as a picture: painting it again is copying it, as long as nothing of it has changed.

Words over the 3D picture are painted with each picture, though they hardly ever change; setting type takes much longer
than copying.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionToolButton, QToolButton, QWidget

from workbench.core.arrays import BoolArray


class KeptPainting:
    """The painting of one widget, in the pixels of its screen; only the parts that are not empty."""

    def __init__(self) -> None:
        self._of: tuple[QSize, float, object] | None = None
        self._parts: list[tuple[QPointF, QPixmap]] = []

    def paint(self, widget: QWidget, painter: QPainter, about: object, draw: Callable[[QPainter], None]) -> None:
        """Paint what `draw` paints onto the whole of `widget`. `about`: all that it depends on, besides the size and
        the ratio of pixels; `draw` is called only when one of these is another."""
        of = (widget.size(), widget.devicePixelRatioF(), about)
        if of != self._of:
            self._parts = self._painted(of[0], of[1], draw)
            self._of = of
        for place, part in self._parts:
            painter.drawPixmap(place, part)

    @staticmethod
    def _painted(size: QSize, ratio: float, draw: Callable[[QPainter], None]) -> list[tuple[QPointF, QPixmap]]:
        width, height = int(np.ceil(size.width() * ratio)), int(np.ceil(size.height() * ratio))
        if width <= 0 or height <= 0:
            return []
        image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        draw(painter)
        painter.end()
        parts = []
        for box in _filled(image):
            part = QPixmap.fromImage(image.copy(box))
            part.setDevicePixelRatio(ratio)
            parts.append((QPointF(box.x() / ratio, box.y() / ratio), part))
        return parts


class KeptToolButton(QToolButton):
    """A button in the style of the window whose picture is kept."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._picture = KeptPainting()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        about = (
            *(self.text(), self.styleSheet(), self.font(), self.palette().cacheKey()),
            *(option.state, option.activeSubControls, option.features, option.arrowType),
        )

        def draw(painter: QPainter) -> None:
            self.style().drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)

        painter = QPainter(self)
        self._picture.paint(self, painter, about, draw)
        painter.end()


def _filled(image: QImage) -> list[QRect]:
    """Boxes of pixels around everything that is not transparent: bands of rows, each as wide as what is in it."""
    pixels = np.frombuffer(image.constBits(), dtype=np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    opaque = pixels[:, : image.width()] != 0
    boxes = []
    for top, bottom in _runs(opaque.any(axis=1)):
        columns = np.flatnonzero(opaque[top:bottom].any(axis=0))
        boxes.append(QRect(int(columns[0]), top, int(columns[-1] - columns[0]) + 1, bottom - top))
    return boxes


def _runs(filled: BoolArray) -> list[tuple[int, int]]:
    """First and one past the last of every run of True."""
    edges = np.flatnonzero(np.diff(filled.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(after)) for first, after in edges.reshape(-1, 2)]
