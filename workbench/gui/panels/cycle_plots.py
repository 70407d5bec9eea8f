"""What the plots over cycles share: title, read-out, axis of cycles, curves of other runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.core.events import CycleStatistics
from workbench.gui.theme import PADDING
from workbench.gui.widgets.number_field import three_figures
from workbench.gui.widgets.plot import EndLabel, FaintCurve, Plot, nice_ticks
from workbench.gui.widgets.text import Label

OTHER_RUNS = "other runs"


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
        self.others: Sequence[Sequence[CycleStatistics]] = ()

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

    def faint_curves(self, value: Callable[[CycleStatistics], float], dash: str = "solid") -> list[FaintCurve]:
        """The other runs of the project over the cycles."""
        return [
            FaintCurve(np.array([float(s.cycle) for s in rows]), np.array([value(s) for s in rows]), dash)
            for rows in self.others
        ]

    def legend_of_others(self, y: float) -> list[EndLabel]:
        """What says that faint curves are other runs."""
        return [EndLabel(y, "others", "label", strong=False, sample="faint")] if self.others else []
