"""What happened cycle by cycle: a table whose rows call the cycles back."""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from workbench.core.events import CycleStatistics
from workbench.gui.theme import PADDING
from workbench.gui.widgets.lines import Surface
from workbench.gui.widgets.number_field import three_figures
from workbench.gui.widgets.number_table import Column, NumberTable
from workbench.gui.widgets.text import Label, literal
from workbench.session.state import SessionState

COLUMNS = (
    Column("cycle", 0.04),
    Column("R_{work}", 0.125),
    Column("R_{free}", 0.205),
    Column("\u2212LL free", 0.30),
    Column("bonds, \u00c5", 0.395),
    Column("angles, \u00b0", 0.49),
    Column("weight", 0.57),
    Column("mean B, \u00c5\u00b2", 0.675),
    Column("shift, \u00c5", 0.76),
    Column("s", 0.81),
    Column("", 0.83, left=True),
)


def cycle_row(row: CycleStatistics, note: str) -> tuple[str, ...]:
    """One line of the table; shift is the largest of any atom, s the seconds the cycle took."""

    def number(value: float, digits: int) -> str:
        return f"{value:.{digits}f}" if math.isfinite(value) else "\u2013"

    return (
        f"*{{{row.cycle}}}",
        number(row.r_work, 4),
        number(row.r_free, 4),
        number(row.ll_free, 4),
        number(row.rmsd_bonds, 4),
        number(row.rmsd_angles, 2),
        three_figures(row.xray_weight),
        number(row.mean_b, 1),
        number(row.max_shift, 3) if row.max_shift > 0 else "",
        number(row.seconds, 1),
        note,
    )


class TimelinePanel(Surface):
    """The cycles of the session as a table; the one that is shown is marked, and the best one named. A click on a row
    shows that cycle."""

    cycle_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__("panel")
        self.cycle = Label("")
        self.table = NumberTable("Cycles", COLUMNS, "No cycle yet.", follow=True)
        self.table.row_chosen.connect(self._chosen)
        self._numbers: tuple[int, ...] = ()
        top = QHBoxLayout()
        top.setContentsMargins(PADDING, 12, PADDING, 0)
        top.setSpacing(24)
        top.addWidget(Label("Cycles", size=13, weight=600))
        top.addStretch(1)
        top.addWidget(self.cycle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)

    def _chosen(self, row: int) -> None:
        if row < len(self._numbers):
            self.cycle_chosen.emit(self._numbers[row])

    def show_state(self, state: SessionState) -> None:
        """Called at every change: only the line of words."""
        shown = state.shown
        if shown is None:
            self.cycle.set_text("")
            return
        number = shown.statistics.cycle
        if state.viewed is not None:
            self.cycle.set_text(f"*{{cycle {number}}}-{{ is looked at; Alt+End: the newest}}")
            return
        if state.status == "finished":
            self.cycle.set_text(f"*{{cycle {number}}}-{{ is kept}}")
        else:
            best = "" if state.best is None else f"-{{   best so far: cycle {state.best.statistics.cycle}}}"
            self.cycle.set_text(f"*{{cycle {number}}}{best}")

    def show_cycles(self, state: SessionState) -> None:
        """Called at most five times a second: the table."""
        shown, best = state.shown, state.kept if state.status == "finished" else state.best
        best_number = None if best is None else best.statistics.cycle
        changed = {mark.cycle + 1: mark.text for mark in state.marks}
        rows, marked = [], None
        for i, row in enumerate(state.rows):
            note = literal(changed.get(row.cycle, ""))
            if row.cycle == best_number:
                word = "kept" if state.status == "finished" else "best"
                note = f"\u25c6 {word}" + (f"  {note}" if note else "")
            if shown is not None and row.cycle == shown.statistics.cycle:
                marked = i
            rows.append(cycle_row(row, note))
        self._numbers = tuple(row.cycle for row in state.rows)
        self.table.show_rows(rows, marked)
