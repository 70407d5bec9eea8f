"""How well the geometry restraints are obeyed, cycle by cycle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workbench.core.events import CycleStatistics
from workbench.gui.panels.cycle_plots import PlotPanel, at_cycle, cycle_ticks
from workbench.gui.widgets.plot import EndLabel, Plot, nice_ticks, tick_digits
from workbench.session.log_lines import number

SHOWN = (
    ("bonds", "bonds", "text", "solid", 2.0),
    ("angles", "angles", "label", "dash", 1.6),
    ("chirality", "chirals", "label", "dot", 1.8),
    ("planes", "planes", "label", "dashdot", 1.4),
)
TARGET = (0.5, 1.0)
"""rms Z that a well-restrained model has: about 1 at high resolution, less where the data say less."""


def rms_z(s: CycleStatistics, family: str) -> float:
    """rms Z of a family, NaN where it has no restraints."""
    value, count = s.geometry.get(family, (math.nan, 0))
    if count == 0 and family == "bonds":
        return s.rmsz_bonds
    if count == 0 and family == "angles":
        return s.rmsz_angles
    return value if count else math.nan


class GeometryPanel(PlotPanel):
    """rms Z of bonds, angles, chirality and planes, each with a dash pattern of its own. Thin and grey: bonds of other
    runs."""

    def __init__(self) -> None:
        super().__init__("Geometry, rms Z", Plot("rms Z of the geometry per cycle", right=80, x_name="cycle"))
        self.curves = {family: self.plot.curve() for family, *_ in SHOWN}

    def describe(self, row: int) -> str:
        s = self.statistics[row]
        bonds, angles = number(s.rmsd_bonds, ".4f", " \u00c5"), number(s.rmsd_angles, ".2f", "\u00b0")
        return f"cycle {s.cycle}  bonds {bonds}  angles {angles}"

    def show_statistics(
        self, statistics: Sequence[CycleStatistics], marks: Sequence[tuple[float, str]], planned: int, shown: int
    ) -> None:
        self.statistics = statistics
        plot = self.plot
        plot.restyle()
        if not statistics:
            plot.show_nothing("No cycle yet")
            return
        plot.empty_text = ""
        cycles = np.array([s.cycle for s in statistics], dtype=float)
        last = at_cycle(statistics, shown)
        top = 1.0
        labels = []
        for family, name, role, dash, width in SHOWN:
            values = np.array([rms_z(s, family) for s in statistics])
            self.curves[family].setData(cycles, values, pen=plot.pen(role, dash, width))
            if np.isfinite(values).any():
                top = max(top, float(np.nanmax(values)))
            now = rms_z(last, family)
            if math.isfinite(now):
                labels.append(EndLabel(now, name, role, role == "text", f"{now:.1f}"))
        plot.faint = self.faint_curves(lambda s: rms_z(s, "bonds"))
        reached = [float(v) for curve in plot.faint for v in curve.y if math.isfinite(v)]
        top = max([top, *reached])
        ticks = nice_ticks(0.0, top * 1.04, min(plot.tick_room(), 5))
        plot.y_digits = tick_digits(ticks, most=1)
        furthest = max(statistics[-1].cycle, *(rows[-1].cycle for rows in self.others), 0)
        plot.set_ranges(cycle_ticks(furthest, planned), ticks)
        labels += self.legend_of_others(0.0)
        plot.end_labels = labels
        plot.marks = [(x, "") for x, _ in marks]
        plot.cursor_x = float(last.cycle)
        plot.band = (*TARGET, "target")
        plot.setAccessibleDescription(", ".join(f"{label.markup} {label.number}" for label in labels))
        plot.viewport().update()
