"""R_work and R_free of every cycle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.core.events import CycleStatistics
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets.number_field import three_figures
from workbench.gui.widgets.plot import EndLabel, Plot, nice_ticks
from workbench.gui.widgets.text import Label, plain_text


def error_of_r_free(r_free: float, n_free: int) -> float:
    """Sampling error of R_free: 0.87 R_free / sqrt(n_free) (NaN without a test set)."""
    return 0.87 * r_free / math.sqrt(n_free) if n_free > 0 else math.nan


def cycle_ticks(last: int, planned: int) -> list[float]:
    """Ticks of the cycle axis: 0 to the planned end, or further if the run went on."""
    end = max(last, planned, 4)
    ticks = nice_ticks(0, end, 6)
    return [t for t in ticks if t >= 0]


def at_cycle(statistics: Sequence[CycleStatistics], cycle: int) -> CycleStatistics:
    """The row of a cycle, or the newest one when there is none of that number."""
    return next((s for s in reversed(statistics) if s.cycle == cycle), statistics[-1])


class PlotPanel(QWidget):
    """A title, what the pointer is on, and a plot."""

    def __init__(self, title: str, plot: Plot, hint: str = "") -> None:
        super().__init__()
        self.plot = plot
        self._hint = hint
        self.title = Label(title, size=13, weight=600)
        self.readout = Label(hint, size=11, role="hint")
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(8)
        top.addWidget(self.title)
        top.addStretch(1)
        top.addWidget(self.readout)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PADDING, 12, PADDING, 4)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(plot, 1)
        plot.hovered.connect(self._hover)
        self.statistics: Sequence[CycleStatistics] = ()

    def describe(self, row: int) -> str:
        """What the pointer's cycle was like."""
        s = self.statistics[row]
        free = "" if math.isnan(s.r_free) else f"  R_{{free}} {s.r_free:.4f}"
        return f"cycle {s.cycle}  weight {three_figures(s.xray_weight)}  R_{{work}} {s.r_work:.4f}{free}"

    def row_at(self, at: QPointF) -> int | None:
        """The cycle under the pointer: the nearest one along the axis."""
        if not self.statistics or len(self.plot.x_ticks) < 2:
            return None
        x = np.array([self.plot.place(s.cycle, 0).x() for s in self.statistics])
        row = int(np.argmin(np.abs(x - at.x())))
        return row if abs(x[row] - at.x()) < 14 and self.plot.inner().contains(at) else None

    def _hover(self, at: QPointF | None) -> None:
        row = None if at is None else self.row_at(at)
        self.readout.set_text(self._hint if row is None else self.describe(row))
        self.title.setVisible(row is None or self.width() > 380)


class RFactorsPanel(PlotPanel):
    """R_work solid, R_free dashed; the error bar stands on the newest point only."""

    def __init__(self) -> None:
        plot = Plot("R_work and R_free per cycle", right=80, x_name="cycle")
        super().__init__("R_{work} and R_{free} per cycle", plot)
        self.error = pg.ErrorBarItem(x=np.zeros(0), y=np.zeros(0), height=np.zeros(0), beam=0.0)
        plot.addItem(self.error)
        self.work = plot.curve()
        self.free = plot.curve()
        self.newest = plot.dots()
        plot.empty_text = "Starts with the first refinement"

    def show_statistics(
        self, statistics: Sequence[CycleStatistics], marks: Sequence[tuple[float, str]], planned: int, shown: int
    ) -> None:
        """shown: number of the cycle that the window shows; its values stand at the right."""
        self.statistics = statistics
        plot = self.plot
        plot.restyle()
        if not statistics:
            plot.x_ticks, plot.y_ticks, plot.end_labels, plot.marks, plot.cursor_x = [], [], (), (), None
            for curve in (self.work, self.free):
                curve.setData([], [])
            self.newest.setData([], [])
            self.error.setData(x=np.zeros(0), y=np.zeros(0), height=np.zeros(0))
            plot.empty_text = "Starts with the first refinement"
            plot.viewport().update()
            return
        plot.empty_text = ""
        cycles = np.array([s.cycle for s in statistics], dtype=float)
        work = np.array([s.r_work for s in statistics])
        free = np.array([s.r_free for s in statistics])
        last = at_cycle(statistics, shown)
        sigma = error_of_r_free(last.r_free, last.n_free)
        has_free = bool(np.isfinite(free).any())
        values = np.concatenate([work, free[np.isfinite(free)]])
        if has_free and math.isfinite(sigma):
            values = np.append(values, [last.r_free - sigma, last.r_free + sigma])
        room = max(0.001, 0.02 * float(np.ptp(values)))
        y_ticks = nice_ticks(float(values.min()) - room, float(values.max()) + room, plot.tick_room())
        step = y_ticks[1] - y_ticks[0]
        plot.y_digits = 2 if abs(step * 100 - round(step * 100)) < 1e-6 else 3
        plot.set_ranges(cycle_ticks(statistics[-1].cycle, planned), y_ticks)
        self.work.setData(cycles, work, pen=plot.pen("work"))
        self.free.setData(cycles, free, pen=plot.pen("free", "dash"))
        c = theme.colours
        spots = [{"pos": (last.cycle, last.r_work), "size": 7, "pen": None, "brush": pg.mkBrush(c["work"])}]
        labels = [EndLabel(last.r_work, f"R_{{work}} {last.r_work:.3f}", "work")]
        if math.isfinite(last.r_free):
            spots.append(
                {
                    "pos": (last.cycle, last.r_free),
                    "size": 9,
                    "pen": plot.pen("free"),
                    "brush": pg.mkBrush(c["panel"]),
                }
            )
            labels.append(EndLabel(last.r_free, f"R_{{free}} {last.r_free:.3f}", "free"))
            self.error.setData(
                x=np.array([float(last.cycle)]),
                y=np.array([last.r_free]),
                height=np.array([2 * sigma]),
                beam=0.04 * (plot.x_ticks[-1] - plot.x_ticks[0]) / 2,
                pen=plot.pen("free", "solid", 1.5),
            )
        else:
            labels.append(EndLabel(float(work.max()) + 0.004, "no test set", "hint", strong=False))
            self.error.setData(x=np.zeros(0), y=np.zeros(0), height=np.zeros(0))
        self.newest.setData(spots)
        plot.end_labels = labels
        plot.marks = marks
        plot.cursor_x = float(last.cycle)
        plot.setAccessibleDescription(", ".join(plain_text(label.markup) for label in labels))
        plot.viewport().update()
