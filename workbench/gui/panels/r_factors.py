"""R_work and R_free of every cycle, and where R_free is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg

from workbench.core.arrays import FloatArray
from workbench.core.events import CycleStatistics
from workbench.gui.panels.cycle_plots import PlotPanel, at_cycle, cycle_ticks, error_of_r_free
from workbench.gui.theme import theme
from workbench.gui.widgets.plot import EndLabel, Plot, Ribbon, nice_ticks, tick_digits
from workbench.gui.widgets.text import plain_text

EXPECTED = "expected"


class RFactorsPanel(PlotPanel):
    """R_work solid, R_free dashed; the error bar stands on the newest point only. Hatched: where R_free is expected
    above this R_work. Thin and grey: other runs of the project."""

    def __init__(self) -> None:
        plot = Plot("R_work and R_free per cycle", right=80, x_name="cycle")
        super().__init__("R_{work} and R_{free} per cycle", plot)
        self.error = plot.error_bars()
        self.work = plot.curve()
        self.free = plot.curve()
        self.newest = plot.dots()
        plot.empty_text = "Starts with the first refinement"
        self.expected: tuple[FloatArray, FloatArray] | None = None
        """Gap R_free - R_work expected of every cycle of `statistics`, and the half-width of its band; set before
        `show_statistics`."""

    def describe(self, row: int) -> str:
        said = super().describe(row)
        if self.expected is None or row >= len(self.expected[0]) or not math.isfinite(self.expected[0][row]):
            return said
        middle = self.statistics[row].r_work + self.expected[0][row]
        return f"{said}  expected {middle:.3f} \u00b1 {self.expected[1][row]:.3f}"

    def show_statistics(
        self, statistics: Sequence[CycleStatistics], marks: Sequence[tuple[float, str]], planned: int, shown: int
    ) -> None:
        """shown: number of the cycle that the window shows; its values stand at the right."""
        self.statistics = statistics
        plot = self.plot
        plot.restyle()
        if not statistics:
            plot.show_nothing("Starts with the first refinement")
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
        plot.ribbon = self._ribbon(cycles, work)
        others = [s.r_work for rows in self.others for s in rows]
        others += [s.r_free for rows in self.others for s in rows if math.isfinite(s.r_free)]
        values = np.append(values, others)
        if plot.ribbon is not None:
            edges = np.concatenate([plot.ribbon.low, plot.ribbon.high])
            values = np.append(values, edges[np.isfinite(edges)])
        room = max(0.001, 0.02 * float(np.ptp(values)))
        y_ticks = nice_ticks(float(values.min()) - room, float(values.max()) + room, plot.tick_room())
        plot.y_digits = tick_digits(y_ticks, 2)
        furthest = max(statistics[-1].cycle, *(rows[-1].cycle for rows in self.others), 0)
        plot.set_ranges(cycle_ticks(furthest, planned), y_ticks)
        plot.faint = [
            *self.faint_curves(lambda s: s.r_work),
            *self.faint_curves(lambda s: s.r_free, "dash"),
        ]
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
            plot.no_bars(self.error)
        if plot.ribbon is not None:
            row = next((i for i, s in enumerate(statistics) if s is last), len(statistics) - 1)
            middle = 0.5 * float(plot.ribbon.low[row] + plot.ribbon.high[row])
            labels.append(EndLabel(middle, EXPECTED, "label", strong=False, sample="hatch"))
        labels += self.legend_of_others(float(work.min()))
        self.newest.setData(spots)
        plot.end_labels = labels
        plot.marks = marks
        plot.cursor_x = float(last.cycle)
        plot.setAccessibleDescription(", ".join(plain_text(label.markup) for label in labels))
        plot.viewport().update()

    def _ribbon(self, cycles: FloatArray, work: FloatArray) -> Ribbon | None:
        """Where R_free is expected, cycle by cycle."""
        if self.expected is None or len(self.expected[0]) != len(work) or not np.isfinite(self.expected[0]).any():
            return None
        gap, half = self.expected
        return Ribbon(cycles, work + gap - half, work + gap + half)
