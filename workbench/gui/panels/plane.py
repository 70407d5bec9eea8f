"""R_free against the geometry: the path that the refinement has walked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF

from workbench.core.arrays import FloatArray
from workbench.core.events import CycleStatistics
from workbench.gui.panels.cycle_plots import OTHER_RUNS, PlotPanel, at_cycle, error_of_r_free
from workbench.gui.panels.geometry import rms_z
from workbench.gui.theme import theme
from workbench.gui.widgets.number_field import three_figures
from workbench.gui.widgets.plot import FaintCurve, Plot, PointLabel, nice_ticks, tick_digits

MOST_AVOIDED = 200
"""Places on the path that names keep off."""


class PlanePanel(PlotPanel):
    """One point for each cycle, joined in the order of time; the newest is a ring with its error."""

    def __init__(self) -> None:
        plot = Plot("R_free against rms Z of the bonds", right=8, x_name="rms Z of bonds", below=True)
        super().__init__("R_{free} against geometry", plot, "one point per cycle")
        plot.set_margins(44, 8, 8, 34)
        self.error = plot.curve()
        self.path = plot.curve()
        self.points = plot.dots()
        self.now = plot.dots()
        self._x = np.zeros(0)
        self._y = np.zeros(0)
        self.elsewhere = False
        """A cycle of another run is looked at: then no point of this path is "now"."""

    def row_at(self, at: QPointF) -> int | None:
        return self.plot.nearest(at, self._x, self._y)

    def describe(self, row: int) -> str:
        s = self.statistics[row]
        error = error_of_r_free(s.r_free, s.n_free)
        value = (
            f"R_{{work}} {s.r_work:.4f}" if math.isnan(s.r_free) else f"R_{{free}} {s.r_free:.4f} \u00b1 {error:.4f}"
        )
        return f"cycle {s.cycle}  weight {three_figures(s.xray_weight)}  {value}"

    def show_statistics(
        self, statistics: Sequence[CycleStatistics], marks: Sequence[tuple[float, str]], planned: int, shown: int
    ) -> None:
        plot = self.plot
        plot.restyle()
        has_free = any(math.isfinite(s.r_free) for s in statistics)
        kind = "free" if has_free or not statistics else "work"
        self.title.set_text(f"R_{{{kind}}} against geometry")
        rows = [s for s in statistics if math.isfinite(rms_z(s, "bonds"))]
        self.statistics = rows
        if not rows:
            self._x = self._y = np.zeros(0)
            plot.show_nothing("No cycle yet")
            return
        plot.empty_text = ""
        self._x = np.array([rms_z(s, "bonds") for s in rows])
        self._y = np.array([s.r_free if has_free else s.r_work for s in rows])
        last = at_cycle(rows, shown)
        sigma = error_of_r_free(last.r_free, last.n_free) if has_free else 0.0
        x, y = rms_z(last, "bonds"), last.r_free if has_free else last.r_work
        plot.faint = [
            FaintCurve(
                np.array([rms_z(s, "bonds") for s in one]),
                np.array([s.r_free if has_free else s.r_work for s in one]),
                ring=True,
            )
            for one in self.others
        ]
        every_x = np.concatenate([self._x, *(curve.x for curve in plot.faint)])
        every_y = np.concatenate([self._y, *(curve.y for curve in plot.faint)])
        room = max(0.002, 0.1 * float(np.ptp(every_y[np.isfinite(every_y)])))
        low = min(float(np.nanmin(every_y)) - room, y - sigma)
        high = max(float(np.nanmax(every_y)) + room, y + sigma)
        y_ticks = nice_ticks(low, high, min(plot.tick_room(), 5))
        plot.y_digits = tick_digits(y_ticks, 2)
        x_ticks = nice_ticks(0.0, float(np.nanmax(every_x)) * 1.08, 6)
        plot.x_digits = tick_digits(x_ticks, most=1)
        plot.set_ranges(x_ticks, y_ticks)
        colour = theme.colours[kind]
        self.path.setData(self._x, self._y, pen=plot.pen(kind, "solid", 1.4))
        self.error.setData([x, x], [y - sigma, y + sigma], pen=plot.pen(kind, "solid", 1.4))
        others = np.array([s is not last for s in rows])
        self.points.setData(self._x[others], self._y[others], size=4, pen=None, brush=pg.mkBrush(colour))
        ring = plot.pen(kind, "solid", 2.2)
        self.now.setData([x], [y], size=10, pen=ring, brush=pg.mkBrush(theme.colours["panel"]))
        name = "now" if last is rows[-1] and not self.elsewhere else f"cycle {last.cycle}"
        labels = [PointLabel(x, y, f"{name}, weight {three_figures(last.xray_weight)}", True)]
        named = {rows[0].cycle, *(round(at) for at, _ in marks)} - {last.cycle}
        labels += [
            PointLabel(float(self._x[i]), float(self._y[i]), f"cycle {s.cycle}")
            for i, s in enumerate(rows)
            if s.cycle in named
        ]
        ends = [curve for curve in plot.faint if np.isfinite(curve.x[-1]) and np.isfinite(curve.y[-1])]
        if ends:
            labels.append(PointLabel(float(ends[-1].x[-1]), float(ends[-1].y[-1]), OTHER_RUNS))
        plot.point_labels = labels
        # Names keep off the paths (points of them and places between them) and off the error bar.
        plot.avoid = along(self._x, self._y)
        for curve in plot.faint:
            plot.avoid += along(curve.x, curve.y)
        plot.avoid += [(x, float(level)) for level in np.linspace(y - sigma, y + sigma, 13)]
        plot.setAccessibleDescription(f"{name} at rms Z {x:.2f}, R {y:.4f}")
        plot.viewport().update()


def along(x: FloatArray, y: FloatArray) -> list[tuple[float, float]]:
    """Places along a path: its points, and some between each and the next."""
    numbers = np.arange(len(x))
    between = np.linspace(0, len(x) - 1, min(max(6 * len(x), 24), MOST_AVOIDED))
    return list(zip(np.interp(between, numbers, x).tolist(), np.interp(between, numbers, y).tolist(), strict=True))
