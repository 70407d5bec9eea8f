"""Two cycles beside each other: which is the better one, and the residues that differ most."""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.core.crystal import Model
from workbench.gui.theme import PADDING
from workbench.gui.widgets.buttons import Pill, TextButton
from workbench.gui.widgets.number_table import Column, NumberTable
from workbench.gui.widgets.text import Label, Paragraph, literal
from workbench.session.comparison import Comparison

COLUMNS = (
    Column("residue", 0.04, left=True),
    Column("moved, \u00c5", 0.52),
    Column("fit CC", 0.74),
    Column("B, \u00c5\u00b2", 0.96),
)
MOST = 200
PLUS_MINUS = "\u00b1"
HINT = "Keep the cycle that is shown for comparison, then look at another one: what differs stands here."


class ComparePanel(QWidget):
    """`keep_wanted`: the cycle that is shown becomes the one compared with; `back_wanted`: show that one again;
    `residue_chosen(row)`; `map_wanted(bool)`: the difference of their maps in the 3D view, or not."""

    keep_wanted = Signal()
    back_wanted = Signal()
    residue_chosen = Signal(int)
    map_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[int, ...] = ()
        self.title = Label("", weight=600)
        self.title.setVisible(False)
        self.keep = TextButton("Compare with this cycle")
        self.back = TextButton("Swap")
        self.back.setToolTip("Show the other one, and compare with the one that is shown now")
        self.back.setVisible(False)
        self.map = Pill("Map")
        self.map.setAccessibleName("Map of the difference")
        self.map.setToolTip(
            "2mFo-DFc of the cycle that is shown minus that of the other, as one more map of the 3D view: what came (+)"
            " and what went (\u2212)"
        )
        self.map.setVisible(False)
        self.map.toggled.connect(self.map_wanted)
        self.words = Paragraph(HINT, role="label")
        self.table = NumberTable("Residues that differ most", COLUMNS, "")
        self.table.row_chosen.connect(self._chosen)
        top = QHBoxLayout()
        top.setContentsMargins(PADDING, 4, PADDING, 0)
        top.addWidget(self.map)
        top.addStretch(1)
        top.addSpacing(12)
        top.addWidget(self.back)
        top.addSpacing(12)
        top.addWidget(self.keep)
        title = QHBoxLayout()
        title.setContentsMargins(PADDING, 6, PADDING, 0)
        title.addWidget(self.title)
        words = QHBoxLayout()
        words.setContentsMargins(PADDING, 2, PADDING, 2)
        words.addWidget(self.words)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(title)
        layout.addLayout(top)
        layout.addLayout(words)
        layout.addWidget(self.table, 1)
        self.keep.clicked.connect(self.keep_wanted)
        self.back.clicked.connect(self.back_wanted)
        self.keep.setEnabled(False)

    def _chosen(self, row: int) -> None:
        if row < len(self._rows):
            self.residue_chosen.emit(self._rows[row])

    def show_nothing(self, possible: bool, kept: str = "") -> None:
        """Nothing to compare: no reference yet, or the reference itself is shown."""
        self.keep.setEnabled(possible)
        self.back.setVisible(False)
        self.map.setVisible(bool(kept))
        self.title.set_text(literal(kept))
        self.title.setVisible(bool(kept))
        self.words.set_text(f"{kept} is kept for comparison. Look at another cycle." if kept else HINT)
        self._rows = ()
        self.table.show_rows([])

    def show_comparison(self, first: str, second: str, result: Comparison | str, model: Model) -> None:
        """first: the cycle kept for comparison, second: the one shown, in words; a text where that cannot be done."""
        self.keep.setEnabled(True)
        self.back.setVisible(True)
        self.map.setVisible(True)
        self.title.set_text(literal(f"{second} against {first}"))
        self.title.setVisible(True)
        if isinstance(result, str):
            self.words.set_text(result)
            self._rows = ()
            self.table.show_rows([])
            return
        free = f"\u2212LL free {result.ll_free:+.4f}, " if math.isfinite(result.ll_free) else ""
        factors = f"R_work {result.r_work:+.4f}, {free}b"
        self.words.set_text(
            f"{result.sentence.replace('+-', PLUS_MINUS)} {factors if math.isfinite(result.r_work) else 'B'}onds rmsZ"
            f" {result.rmsz_bonds:+.2f}; atoms moved {result.rms_shift:.3f} \u00c5 r.m.s."
        )
        self._rows = tuple(int(row) for row in result.order()[:MOST] if result.shift[row] > 0.0005)
        self.table.show_rows(
            [
                (
                    literal(model.residues.label(row)),
                    f"{result.shift[row]:.3f}",
                    f"{result.fit[row]:+.2f}" if math.isfinite(result.fit[row]) else "\u2013",
                    f"{result.b[row]:+.1f}",
                )
                for row in self._rows
            ]
        )
