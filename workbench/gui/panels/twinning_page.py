"""Signs of twinning and of translational symmetry as pictures: L-test, fractions by law, a Patterson section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from workbench.core.arrays import FloatArray
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets import text
from workbench.gui.widgets.heat_map import ramp
from workbench.gui.widgets.lines import Surface
from workbench.gui.widgets.plot import EndLabel, Plot
from workbench.gui.widgets.text import Label, Paragraph

PERFECT = 0.5
TNCS = 0.20
"""Height of a Patterson peak that means translational NCS (`engine.data_quality.crystal_checks.TNCS_PEAK`)."""
LINES = (
    ("untwinned", "untwinned", "label", "dash", 1.4),
    ("perfect_twin", "perfect twin", "free", "dot", 1.6),
    ("data", "data", "work", "solid", 2.2),
)


class TwinningPage(Surface):
    """Left: the L-test and the fractions; right: the Patterson section with its peaks."""

    def __init__(self) -> None:
        super().__init__("panel")
        self.l_test = Plot("L-test: share of pairs of reflections with L below", right=92, x_name="|L|", below=True)
        self._curves = [self.l_test.curve() for _ in LINES]
        self.bars = TwinBars()
        self.l_words, self.patterson_words = Paragraph(role="label"), Paragraph(role="label")
        self.section = PattersonSection()
        self.peaks = QTreeWidget()
        self.peaks.setHeaderLabels(["Peak", "Of the origin", "x", "y", "z", "Distance"])
        self.peaks.header().setStretchLastSection(False)
        for place in range(6):
            self.peaks.headerItem().setTextAlignment(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.peaks.setRootIsDecorated(False)
        self.peaks.setUniformRowHeights(True)
        self.peaks.setAllColumnsShowFocus(True)
        self.peaks.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.peaks.setAccessibleName("Highest peaks of the Patterson function")
        self.peaks.currentItemChanged.connect(self._mark)
        left, right = QVBoxLayout(), QVBoxLayout()
        for column in (left, right):
            column.setSpacing(4)
        left.addWidget(Label("L-test, share of pairs with |L| below", weight=600))
        left.addWidget(self.l_test, 3)
        left.addWidget(self.l_words)
        left.addSpacing(8)
        left.addWidget(Label("Twin fraction by law (H-test)", weight=600))
        left.addWidget(self.bars, 2)
        right.addWidget(Label("Patterson function, section through the highest peak", weight=600))
        right.addWidget(self.section, 3)
        right.addWidget(self.patterson_words)
        right.addWidget(self.peaks, 2)
        both = QHBoxLayout(self)
        both.setContentsMargins(PADDING, 12, PADDING, 8)
        both.setSpacing(24)
        both.addLayout(left, 1)
        both.addLayout(right, 1)
        self.show_found({})

    def show_found(self, found: dict[str, Any]) -> None:
        """What `workbench inspect --json` says, or {} for nothing yet."""
        test: dict[str, Any] = found.get("l_test", {})
        measured = bool(test.get("data"))
        self.l_test.restyle()
        self.l_test.empty_text = "" if test else "No data yet"
        self.l_test.end_labels = []
        self.l_test.x_ticks, self.l_test.y_ticks = [], []
        self.l_test.x_digits, self.l_test.y_digits = 1, 1
        if test:
            steps = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
            self.l_test.set_ranges(steps, steps)
        names = []
        for curve, (key, name, role, dash, width) in zip(self._curves, LINES, strict=True):
            if not test or not test[key]:
                curve.setData([], [])
                continue
            y = np.array(test[key], dtype=np.float64)
            curve.setData(np.array(test["l"]), y, pen=self.l_test.pen(role, dash, width))
            # all curves end at 1: the names stand where these are apart
            names.append(EndLabel(float(y[len(y) // 2]), name, role, key == "data"))
        self.l_test.end_labels = names
        self.l_test.viewport().update()
        if measured:
            self.l_words.set_text(
                f"<|L|> = {test['mean_abs']:.3f} of {test['pairs']} pairs: 0.500 untwinned, 0.375 for a perfect twin."
            )
        else:
            self.l_words.set_text("Too few acentric pairs." if test else "")
        rows = [(law["operator"], law["h_fraction"], f"R {law['r_twin']:.2f}") for law in found.get("twin_laws", ())]
        if measured:
            rows.append(("from |L| alone", test["fraction"], ""))
        self.bars.show_rows(rows, "The lattice allows no twin law." if found else "")
        self._show_patterson(found.get("patterson"), bool(found))

    def _show_patterson(self, found: dict[str, Any] | None, known: bool) -> None:
        self.section.show_section(found)
        self.peaks.clear()
        if found is None:
            self.patterson_words.set_text("Too little data for a Patterson function." if known else "")
            return
        highest = found["peaks"][0]["height"]
        meaning = "translational NCS" if highest >= TNCS else "no sign of translational NCS"
        self.patterson_words.set_text(
            f"z = {found['z']:.3f}; highest peak {100 * highest:.0f} % of the origin: {meaning} (limit "
            f"{100 * TNCS:.0f} %). 10 to 5 \u00c5, beyond 15 \u00c5 from the origin."
        )
        for number, peak in enumerate(found["peaks"], start=1):
            place = [f"{value:.3f}" for value in peak["vector"]]
            item = QTreeWidgetItem(
                [str(number), f"{100 * peak['height']:.1f} %", *place, f"{peak['distance']:.1f} \u00c5"]
            )
            for column in range(6):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.peaks.addTopLevelItem(item)
        for column in range(6):
            self.peaks.resizeColumnToContents(column)

    def _mark(self) -> None:
        item = self.peaks.currentItem()
        self.section.mark(self.peaks.indexOfTopLevelItem(item) if item is not None else -1)


class TwinBars(QWidget):
    """A bar for each twin law from 0 to 0.5, with its number."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[tuple[str, float, str]] = ()
        self._empty = ""
        self.setMinimumHeight(90)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(300, 140)

    def show_rows(self, rows: Sequence[tuple[str, float, str]], empty: str) -> None:
        """rows: name, fraction, and what stands behind the number; `empty` is said where there is no law."""
        self._rows, self._empty = rows, empty
        self.setAccessibleName("; ".join(f"{name}: {value:.2f} {more}".strip() for name, value, more in rows) or empty)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        left, right, base = 104.0, self.width() - 96.0, self.height() - 20.0
        if not self._rows:
            text.draw(painter, 0, 20, self._empty, 12, c["hint"])
            painter.end()
            return
        for step in range(6):
            x = round(left + step / 5 * (right - left))
            painter.setPen(QPen(c["grid"], 1))
            painter.drawLine(QPointF(x, 0), QPointF(x, base))
            words = f"{0.1 * step:.1f}"
            text.draw(painter, x - text.measure(words, 11) / 2, base + 14, words, 11, c["hint"])
        pitch = min(26.0, base / len(self._rows))
        for i, (name, value, more) in enumerate(self._rows):
            top = i * pitch + 3
            length = min(max(value, 0.0), PERFECT) / PERFECT * (right - left)
            middle = top + (pitch - 6) / 2 + 4
            wide = text.measure(name, 12)
            text.draw(painter, max(left - 8 - wide, 0), middle, name, 12, c["text"], available=left - 8)
            painter.fillRect(QRectF(left, top, max(length, 1.0), max(pitch - 6, 3)), c["work"])
            text.draw(painter, left + length + 6, middle, f"{value:.2f}  -{{{more}}}", 12, c["text"])
        painter.end()


class PattersonSection(QWidget):
    """The section over x and y of the cell, light to dark, with numbered rings at the peaks that lie in it."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, Any] | None = None
        self._values: FloatArray = np.zeros((0, 0))
        self._marked = -1
        self.setMinimumHeight(120)
        self.setAccessibleName("Section of the Patterson function through its highest peak")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(320, 260)

    def show_section(self, found: dict[str, Any] | None) -> None:
        self._found, self._marked = found, -1
        self._values = np.array(found["section"], dtype=np.float64) if found is not None else np.zeros((0, 0))
        self.update()

    def mark(self, row: int) -> None:
        """Draw the ring of this peak bold."""
        self._marked = row
        self.update()

    def frame(self) -> QRectF:
        """Where the section is drawn: as wide and tall as the cell's edges are long."""
        if self._found is None:
            return QRectF()
        a, b = self._found["edges"]
        room = QRectF(24, 4, self.width() - 44, self.height() - 26)
        scale = min(room.width() / a, room.height() / b)
        return QRectF(room.left(), room.top(), a * scale, b * scale)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._found is None:
            return
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.frame()
        strongest = max(self._found["peaks"][0]["height"], TNCS)
        level = np.rint(255 * np.clip(self._values.T[::-1] / strongest, 0.0, 1.0)).astype(np.uint8)
        table = ramp(c["panel"].lightness() < 128)
        pixels = np.ascontiguousarray(table[level])
        rows, columns = level.shape
        image = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
        painter.drawImage(box, image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(c["hairline"], 1))
        painter.drawRect(box)
        for row, peak in enumerate(self._found["peaks"]):
            x, y, z = peak["vector"]
            if abs((z - self._found["z"] + 0.5) % 1.0 - 0.5) > 0.01:
                continue
            at = QPointF(box.left() + x * box.width(), box.bottom() - y * box.height())
            painter.setPen(QPen(c["free"], 3.0 if row == self._marked else 1.6))
            painter.drawEllipse(at, 8, 8)
            text.draw(painter, at.x() + 11, at.y() - 4, str(row + 1), 12, c["free"], 600)
        for words, x, y in (
            ("0", box.left() - 12, box.bottom()),
            ("y 1", box.left() - 22, box.top() + 9),
            ("x 1", box.right() - 16, box.bottom() + 15),
        ):
            text.draw(painter, x, y, words, 11, c["hint"])
        painter.end()
