"""The timeline: a scrubber through all cycles, what became of every residue in each, and all of it as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout

from workbench.core.crystal import Model
from workbench.core.events import CycleStatistics
from workbench.gui.panels.status import planned_end
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets.buttons import Pill, TextButton
from workbench.gui.widgets.heat_map import HeatMap, Scale, Strip
from workbench.gui.widgets.lines import Surface
from workbench.gui.widgets.number_field import three_figures
from workbench.gui.widgets.number_table import Column, NumberTable
from workbench.gui.widgets.scrubber import PlayButton, Scrubber
from workbench.gui.widgets.text import Label, literal
from workbench.session.branches import Branch
from workbench.session.residue_history import ResidueHistory, shifts
from workbench.session.state import SessionState

PLAY_MS = 220
"""From one cycle to the next while the timeline plays."""
MEASURES: dict[str, Scale] = {
    "Fit": Scale("density fit, CC", 0.95, 0.60, "{:.2f}", "or worse"),
    "Difference": Scale("difference density, Z", 2.0, 8.0, "{:.1f}", "or more"),
    "Shift": Scale("shift since the first cycle, \u00c5", 0.0, 1.0, "{:.2f}", "or more"),
    "B": Scale("mean B, \u00c5\u00b2", 10.0, 80.0, "{:.0f}", "or more"),
}
TABLE = "Table"

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


def strips_of(model: Model) -> list[Strip]:
    """Chains as runs of polymer residues; everything else (ligands, waters) is one strip at the end."""
    residues = model.residues
    made: list[Strip] = []
    polymer = np.isin(residues.kind, ("protein", "nucleic", "sugar"))
    for row in range(len(residues)):
        name = str(residues.chain[row]) if polymer[row] else "others"
        if made and made[-1].name == name and made[-1].last == row - 1:
            made[-1] = Strip(name, made[-1].first, row)
        else:
            made.append(Strip(name, row, row))
    return made


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
    """Scrubber, heat map and table of the cycles.

    `cycle_chosen(number)` wants a cycle shown, `newest_wanted` the newest, `residue_chosen(row)` a residue centred.
    """

    cycle_chosen = Signal(int)
    newest_wanted = Signal()
    residue_chosen = Signal(int)
    branches_wanted = Signal()
    branch_chosen = Signal(int)
    """Journal key of a run's result to stand at; `branch_compared`: to look at only."""
    branch_compared = Signal(int)

    def __init__(self, history: ResidueHistory) -> None:
        super().__init__("panel")
        self._history = history
        self._numbers: tuple[int, ...] = ()
        self._playing = 0
        self._state: SessionState | None = None
        self.first = PlayButton("first", "First cycle", "First cycle")
        self.previous = PlayButton("previous", "Cycle before", "Cycle before (Alt+Left)")
        self.play = PlayButton("refine", "Play", "Play through the cycles")
        self.next = PlayButton("next", "Cycle after", "Cycle after (Alt+Right)")
        self.newest = PlayButton("last", "Newest cycle", "Newest cycle, live (Alt+End)")
        self.scrubber = Scrubber()
        self.cycle = Label("")
        self.heat_map = HeatMap()
        self.readout = Label("", size=11, role="hint")
        self.table = NumberTable("Cycles", COLUMNS, "No cycle yet.", follow=True)
        self.table.row_chosen.connect(self._chosen)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.heat_map)
        self.pages.addWidget(self.table)
        top = QHBoxLayout()
        top.setContentsMargins(PADDING, 8, PADDING, 0)
        top.setSpacing(4)
        top.addWidget(Label("Timeline", size=13, weight=600))
        top.addSpacing(10)
        for button in (self.first, self.previous, self.play, self.next, self.newest):
            top.addWidget(button)
        top.addSpacing(6)
        top.addWidget(self.scrubber, 1)
        top.addSpacing(8)
        top.addWidget(self.cycle)
        second = QHBoxLayout()
        second.setContentsMargins(PADDING, 0, PADDING, 0)
        second.setSpacing(6)
        self.measures = QButtonGroup(self)
        self.measure = "Fit"
        self.pills: dict[str, Pill] = {}
        for name in (*MEASURES, TABLE):
            pill = Pill(name)
            pill.setCheckable(True)
            pill.setChecked(name == self.measure)
            pill.setAccessibleName(f"Show {MEASURES[name].name}" if name in MEASURES else "Show the cycles as a table")
            pill.clicked.connect(lambda _=False, name=name: self.show_measure(name))
            self.measures.addButton(pill)
            self.pills[name] = pill
            second.addWidget(pill)
        self.runs = TextButton("Runs")
        self.runs.setToolTip("Every run of the project: go to it, or look at its result")
        self.runs.clicked.connect(self.branches_wanted)
        second.addSpacing(10)
        second.addWidget(self.runs)
        second.addStretch(1)
        second.addWidget(self.readout)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(second)
        layout.addWidget(self.pages, 1)
        self._timer = QTimer(self)
        self._timer.setInterval(PLAY_MS)
        self._timer.timeout.connect(self._play_on)
        self.scrubber.moved.connect(self._scrubbed)
        self.heat_map.chosen.connect(self._cell_chosen)
        self.heat_map.hovered.connect(lambda said: self.readout.set_text(literal(said)))
        self.first.clicked.connect(lambda: self._go(0))
        self.previous.clicked.connect(lambda: self._beside(-1))
        self.next.clicked.connect(lambda: self._beside(1))
        self.newest.clicked.connect(self._go_live)
        self.play.clicked.connect(self._play_or_hold)
        theme.changed.connect(self.heat_map.update)
        self._enable()

    # what the user does

    def _chosen(self, row: int) -> None:
        if row < len(self._numbers):
            self.cycle_chosen.emit(self._numbers[row])

    def _scrubbed(self, index: int) -> None:
        self._hold()
        self._go(index)

    def _go(self, index: int) -> None:
        if not self._numbers:
            return
        index = min(max(index, 0), len(self._numbers) - 1)
        if index == len(self._numbers) - 1 and self._state is not None and self._state.status != "finished":
            self.newest_wanted.emit()
        else:
            self.cycle_chosen.emit(self._numbers[index])

    def _beside(self, step: int) -> None:
        if self.scrubber.at is not None:
            self._go(self.scrubber.at + step)

    def _go_live(self) -> None:
        self._hold()
        self.newest_wanted.emit()

    def _play_or_hold(self) -> None:
        if self._timer.isActive():
            self._hold()
            return
        at = self.scrubber.at
        self._playing = 0 if at is None or at >= len(self._numbers) - 1 else at
        self._go(self._playing)
        self.play.set_icon("pause", "Hold")
        self._timer.start()

    def _hold(self) -> None:
        self._timer.stop()
        self.play.set_icon("refine", "Play")

    def _play_on(self) -> None:
        if self.scrubber.at != self._playing:
            return  # It is still being loaded; no cycle is jumped over.
        if self._playing >= len(self._numbers) - 1:
            self._hold()
            self.newest_wanted.emit()
        else:
            self._playing += 1
            self._go(self._playing)

    def _cell_chosen(self, row: int, column: int) -> None:
        self.residue_chosen.emit(column)
        if row != self.heat_map.row:
            self._go(row)

    def show_measure(self, name: str) -> None:
        """What the heat map shows, or the table."""
        self.measure = name
        self.pills[name].setChecked(True)
        self.pages.setCurrentWidget(self.table if name == TABLE else self.heat_map)
        self.readout.set_text("")
        if self._state is not None:
            self.show_cycles(self._state)

    # state

    def show_model(self, model: Model | None) -> None:
        self._history.begin(model)
        self._hold()
        if model is None:
            self.heat_map.show_residues((), (), ())
            return
        residues = model.residues
        count = range(len(residues))
        self.heat_map.show_residues(
            strips_of(model), [residues.label(row) for row in count], [int(residues.number[row]) for row in count]
        )

    def show_branches(self, found: Sequence[Branch]) -> QMenu:
        """A menu of the runs of the project; the one that the window stands in is checked."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if not found:
            menu.addAction("No run has ended yet").setEnabled(False)
        for branch in found:
            one = menu.addMenu(branch.words)
            if branch.here:
                font = one.menuAction().font()
                font.setBold(True)
                one.menuAction().setFont(font)
            one.addAction("Look at its result").triggered.connect(
                lambda _=False, key=branch.key: self.branch_compared.emit(key)
            )
            go = one.addAction("Go there: Refine then goes on from it" if not branch.here else "You are here")
            go.setEnabled(not branch.here)
            go.triggered.connect(lambda _=False, key=branch.key: self.branch_chosen.emit(key))
        menu.popup(self.runs.mapToGlobal(self.runs.rect().topLeft()))
        return menu

    def select_residue(self, row: int) -> None:
        self.heat_map.select(row)

    def _enable(self) -> None:
        many = len(self._numbers) > 1
        kept = many and self._state is not None and bool(self._state.project)
        for button in (self.first, self.previous, self.play, self.next, self.newest):
            button.setEnabled(kept)
        self.runs.setEnabled(kept)
        self.scrubber.setEnabled(kept)

    def show_state(self, state: SessionState) -> None:
        """Called at every change: the scrubber and the line of words."""
        self._state = state
        self._numbers = tuple(row.cycle for row in state.rows)
        shown = state.shown
        planned = max((*self._numbers, planned_end(state))) if state.status != "finished" else max((*self._numbers, 0))
        best = state.kept if state.status == "finished" else state.best
        at = None
        elsewhere = state.viewed is not None and not state.viewed_in_line
        if shown is not None and shown.statistics.cycle in self._numbers and not elsewhere:
            at = self._numbers.index(shown.statistics.cycle)
        word = "kept" if state.status == "finished" else "best so far"
        best_number = None if best is None or len(self._numbers) < 2 else best.statistics.cycle
        self.scrubber.show_cycles(self._numbers, planned, at, [m.cycle for m in state.marks], best_number, word)
        self.heat_map.row = at
        self._enable()
        if shown is None:
            self.cycle.set_text("")
            return
        number = shown.statistics.cycle
        if elsewhere:
            self.cycle.set_text("*{another run}-{ is looked at}")
        elif state.viewed is not None:
            self.cycle.set_text(f"*{{cycle {number}}}-{{ is looked at}}")
        elif state.status == "finished":
            self.cycle.set_text(f"*{{cycle {number}}}-{{ is kept}}")
        else:
            self.cycle.set_text(f"*{{cycle {number}}}-{{ of {planned}}}")

    def show_cycles(self, state: SessionState) -> None:
        """Called when the window draws: heat map and table."""
        self._state = state
        if self.measure == TABLE:
            self._show_table(state)
            return
        rows = self._history.rows(state.statistics)
        if self.measure == "Shift":
            values = shifts(rows)
        else:
            name = {"Fit": "fit", "Difference": "difference", "B": "mean_b"}[self.measure]
            values = [None if row is None else getattr(row, name) for row in rows]
        self._show_table(state)
        self.heat_map.show_values(
            self._numbers, values, MEASURES[self.measure], len(state.statistics), self.scrubber.at
        )

    def _show_table(self, state: SessionState) -> None:
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
        self.table.show_rows(rows, marked)
