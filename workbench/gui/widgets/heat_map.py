"""Residues against cycles: one column for each residue, one row for each cycle, a ramp of one lightness.

What is well fades into the panel; what is not stands out, light on dark and dark on light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.core.arrays import Float32Array
from workbench.core.words import counted
from workbench.gui.theme import PADDING, advance, theme

RAMP_DARK = ("#20252C", "#4A4068", "#9C7BD0", "#F3E8FF")
RAMP_LIGHT = ("#EDEFF3", "#C0AEE2", "#7347AE", "#2A0F50")
LEFT, TOP, BOTTOM = 42, 16, 34
GAP = 6
"""px between chains."""
TALLEST = 9.0
"""px: a row is never taller, so that few cycles do not fill the panel."""


@dataclass(frozen=True)
class Scale:
    """How values become colours. name, unit: for the legend. good, bad: values at the two ends of the ramp."""

    name: str
    good: float
    bad: float
    format: str
    worse: str


@dataclass(frozen=True)
class Strip:
    """A run of columns that belong together: a chain."""

    name: str
    first: int
    last: int


def ramp(dark: bool) -> np.ndarray:
    """(256, 4) BGRA."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (5, 3, 1)] for c in (RAMP_DARK if dark else RAMP_LIGHT)])
    at = np.linspace(0, len(stops) - 1, 256)
    table = np.stack([np.interp(at, np.arange(len(stops)), stops[:, k]) for k in range(3)], axis=1)
    return np.concatenate([np.round(table), np.full((256, 1), 255)], axis=1).astype(np.uint8)


class HeatMap(QWidget):
    """`chosen(cycle row, residue)` for a click or the arrow keys; `hovered(text)` for what is under the pointer."""

    chosen = Signal(int, int)
    hovered = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(60)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Residues against cycles")
        self.strips: tuple[Strip, ...] = ()
        self.labels: Sequence[str] = ()
        self.numbers: Sequence[int] = ()
        self.cycles: Sequence[int] = ()
        self.planned = 0
        self.scale: Scale | None = None
        self.values = np.zeros((0, 0), dtype=np.float32)
        self.row: int | None = None
        self.column: int | None = None
        self._image: QImage | None = None
        self._dark: bool | None = None
        theme.changed.connect(self.update)

    # data

    def show_residues(self, strips: Sequence[Strip], labels: Sequence[str], numbers: Sequence[int]) -> None:
        """labels: in words, for the readout; numbers: for the ticks."""
        self.strips, self.labels, self.numbers = tuple(strips), labels, numbers
        self.values = np.zeros((0, len(labels)), dtype=np.float32)
        self.column = None
        self._image = None
        self.update()

    def show_values(
        self, cycles: Sequence[int], rows: Sequence[Float32Array | None], scale: Scale, planned: int, row: int | None
    ) -> None:
        """rows: values of every residue, None where they are not known yet. row: the one that the window shows."""
        count = len(self.labels)
        empty = np.full(count, np.nan, dtype=np.float32)
        self.values = np.array([empty if r is None or len(r) != count else r for r in rows], dtype=np.float32)
        self.cycles, self.scale, self.planned, self.row = tuple(cycles), scale, max(planned, len(cycles)), row
        self._image = None
        known = sum(r is not None for r in rows)
        self.setAccessibleDescription(
            f"{scale.name}: {known} of {counted(len(rows), 'cycle')}, {counted(count, 'residue')}"
        )
        self.update()

    def select(self, column: int | None) -> None:
        if column != self.column:
            self.column = column
            self.update()

    # places

    def _box(self) -> QRectF:
        return QRectF(LEFT, TOP, max(self.width() - LEFT - PADDING, 10), max(self.height() - TOP - BOTTOM, 10))

    def _columns(self) -> list[tuple[Strip, float, float]]:
        """Every strip with its left edge and the width of a column."""
        count = sum(s.last - s.first + 1 for s in self.strips)
        box = self._box()
        if not count:
            return []
        gap = min(GAP, 0.3 * box.width() / max(len(self.strips), 1))
        width = max(box.width() - gap * (len(self.strips) - 1), 1.0) / count
        made, x = [], box.left()
        for strip in self.strips:
            made.append((strip, x, width))
            x += width * (strip.last - strip.first + 1) + gap
        return made

    def _row_height(self) -> float:
        return min(self._box().height() / max(self.planned, len(self.values), 1), TALLEST)

    def place(self, row: int, column: int) -> QRectF:
        """The cell of a cycle and residue, px."""
        height = self._row_height()
        for strip, left, width in self._columns():
            if strip.first <= column <= strip.last:
                return QRectF(left + (column - strip.first) * width, TOP + row * height, width, height)
        return QRectF()

    def cell_at(self, at: QPointF) -> tuple[int, int] | None:
        """(row, column) under a px position."""
        row = int((at.y() - TOP) // self._row_height()) if at.y() >= TOP else -1
        if not 0 <= row < len(self.values):
            return None
        for strip, left, width in self._columns():
            column = strip.first + int((at.x() - left) // width)
            if left <= at.x() and column <= strip.last:
                return row, column
        return None

    # painting

    def _picture(self) -> QImage:
        if self._image is None or self._dark != theme.colours.dark:
            assert self.scale is not None
            self._dark = theme.colours.dark
            share = (self.values - self.scale.good) / (self.scale.bad - self.scale.good)
            index = np.nan_to_num(np.clip(share, 0.0, 1.0) * 255.0, nan=0.0).astype(np.uint8)
            pixels = ramp(self._dark)[index]
            pixels[~np.isfinite(self.values)] = 0
            pixels = np.ascontiguousarray(pixels)
            height, width = self.values.shape
            self._image = QImage(
                pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
            ).copy()
        return self._image

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        c = theme.colours
        painter.setFont(theme.font(11))
        painter.setPen(c["hint"])
        if self.scale is None or not len(self.values) or not self.strips:
            painter.drawText(PADDING, 24, "Fit, shift and B of every residue in every cycle stand here.")
            painter.end()
            return
        image, height, box = self._picture(), self._row_height(), self._box()
        bottom = TOP + height * len(self.values)
        for strip, left, width in self._columns():
            count = strip.last - strip.first + 1
            target = QRectF(left, TOP, width * count, height * len(self.values))
            painter.drawImage(target, image, QRectF(strip.first, 0, count, image.height()))
            name = f"chain {strip.name}" if width * count > 50 else strip.name
            if width * count > advance(name, theme.font(11)):
                painter.setPen(c["label"])
                painter.drawText(QPointF(left, TOP - 4), name)
            self._residue_ticks(painter, strip, left, width, bottom)
        if self.planned > len(self.values):
            rest = QRectF(box.left(), bottom, box.width(), height * (self.planned - len(self.values)))
            painter.setPen(QPen(c["hairline"], 1))
            painter.drawRect(rest.adjusted(0.5, 0.5, -0.5, -0.5))
        self._cycle_ticks(painter, height)
        if self.row is not None and self.row < len(self.values):
            painter.setPen(QPen(c["accent"], 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(box.left() - 1, TOP + self.row * height - 0.5, box.width() + 2, height + 1))
        if self.column is not None:
            cell = self.place(0, self.column)
            painter.setPen(QPen(c["text"], 1.2))
            painter.drawRect(QRectF(cell.left() - 1, TOP - 1, max(cell.width(), 2) + 2, bottom - TOP + 2))
            if self.column < len(self.labels):
                label = self.labels[self.column]
                room = advance(label, theme.font(11, 600))
                x = min(max(cell.center().x() - room / 2, box.left()), box.right() - room)
                painter.fillRect(QRectF(x - 3, 1, room + 6, TOP - 3), c["panel"])
                painter.setFont(theme.font(11, 600))
                painter.drawText(QPointF(x, TOP - 4), label)
        if self.hasFocus():
            painter.setPen(QPen(c["accent"], 1))
            painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        self._legend(painter)
        painter.end()

    def _residue_ticks(self, painter: QPainter, strip: Strip, left: float, width: float, bottom: float) -> None:
        painter.setPen(theme.colours["hint"])
        painter.setFont(theme.font(11))
        each = next((n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if n * width >= 34), 5000)
        for column in range(strip.first, strip.last + 1):
            number = self.numbers[column]
            if number % each == 0 and (column - strip.first + 1) * width > 10:
                x = left + (column - strip.first + 0.5) * width
                painter.drawText(
                    QRectF(x - 20, self.height() - BOTTOM + 1, 40, 14), int(Qt.AlignmentFlag.AlignCenter), str(number)
                )

    def _cycle_ticks(self, painter: QPainter, height: float) -> None:
        c = theme.colours
        each = next((n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500) if n * height >= 14), 1000)
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for row, cycle in enumerate(self.cycles):
            here = row == self.row
            near = self.row is not None and abs(row - self.row) * height < 13
            if here or (cycle % each == 0 and not near):
                painter.setFont(theme.font(11, 600 if here else 400))
                painter.setPen(c["accent"] if here else c["hint"])
                painter.drawText(QRectF(0, TOP + (row + 0.5) * height - 8, LEFT - 7, 16), right, str(cycle))

    def _legend(self, painter: QPainter) -> None:
        assert self.scale is not None
        c, scale = theme.colours, self.scale
        painter.setFont(theme.font(11))
        painter.setPen(c["label"])
        good, bad = scale.format.format(scale.good), f"{scale.format.format(scale.bad)} {scale.worse}".strip()
        y = self.height() - 6
        x = self.width() - PADDING - advance(bad, theme.font(11))
        painter.drawText(QPointF(x, y), bad)
        table = ramp(theme.colours.dark)
        bar = QImage(np.ascontiguousarray(table[None, :, :]).data, 256, 1, 1024, QImage.Format.Format_ARGB32).copy()
        painter.drawImage(QRectF(x - 78, y - 8, 70, 9), bar)
        words = f"{scale.name} {good}"
        painter.drawText(QPointF(x - 86 - advance(words, theme.font(11)), y), words)
        painter.drawText(QPointF(LEFT, y), "residue")

    # mouse and keys

    def _say(self, cell: tuple[int, int] | None) -> None:
        if cell is None or self.scale is None:
            self.hovered.emit("")
            return
        row, column = cell
        value = self.values[row, column]
        said = self.scale.format.format(value) if np.isfinite(value) else "not measured"
        self.hovered.emit(f"{self.labels[column]}, cycle {self.cycles[row]}: {said}")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._say(self.cell_at(event.position()))

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit("")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None:
            self.column = cell[1]
            self.update()
            self.chosen.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        across = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        down = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if (across is None and down is None) or not len(self.values):
            super().keyPressEvent(event)
            return
        row = min(max((self.row or 0) + (down or 0), 0), len(self.values) - 1)
        column = min(max((self.column if self.column is not None else -1) + (across or 0), 0), len(self.labels) - 1)
        self.column = column
        self.update()
        self._say((row, column))
        self.chosen.emit(row, column)
