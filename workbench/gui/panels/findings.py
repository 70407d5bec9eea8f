"""What deserves a look: difference peaks and restraint outliers; choosing one centres it in the view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from workbench.core.crystal import Model
from workbench.core.events import WorstRestraints
from workbench.core.settings import ONE_OF_FAMILY
from workbench.engine.maps.peaks import UNMODELLED, Peak
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets import text
from workbench.gui.widgets.item_list import ItemList

Index = QModelIndex | QPersistentModelIndex
OUTLIER = 4.0
"""|Z| from which a restraint is worth a visit."""
MOST_OUTLIERS = 100


@dataclass(frozen=True)
class Finding:
    """One row. value: signed, with its unit. place: the atom it is at or near. words: what it is. peak: its number
    among the difference peaks, -1 for an outlier. atom: row of the model, -1 without one."""

    value: str
    place: str
    words: str
    peak: int
    atom: int


def peak_findings(peaks: Sequence[Peak], model: Model) -> list[Finding]:
    """Difference peaks in their order (the highest first)."""
    found = []
    for number, peak in enumerate(peaks):
        blob = peak.height > 0.0 and peak.distance > UNMODELLED
        known = 0 <= peak.atom < len(model)
        words = f"{peak.distance:.1f} \u00c5" if known else ""
        words += ", unmodelled" if blob else ""
        place = _name(model, peak.atom) if known else ""
        found.append(Finding(_signed(peak.height, " \u03c3"), place, words, number, peak.atom))
    return found


def outlier_findings(worst: WorstRestraints | None, model: Model) -> list[Finding]:
    """The worst atom of every residue that has a restraint beyond `OUTLIER`, the worst first."""
    if worst is None or len(worst.z) != len(model):
        return []
    size = np.nan_to_num(np.abs(worst.z))
    order = np.argsort(-size, kind="stable")
    order = order[size[order] >= OUTLIER]
    _, first = np.unique(model.residue[order], return_index=True)
    found = []
    for atom in order[np.sort(first)][:MOST_OUTLIERS].tolist():
        words = ONE_OF_FAMILY[int(worst.family[atom])]
        found.append(Finding(_signed(float(worst.z[atom]), " Z"), _name(model, atom), words, -1, atom))
    return found


def _name(model: Model, atom: int) -> str:
    return f"{model.residues.label(int(model.residue[atom]))} {model.atom_name[atom]}"


def _signed(value: float, unit: str) -> str:
    return f"{value:+.1f}{unit}".replace("-", text.MINUS)


class FindingModel(QAbstractTableModel):
    """One row for each finding: peaks, then outliers."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Finding] = []

    def show_rows(self, rows: list[Finding]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            row = self.rows[index.row()]
            kind = "difference peak" if row.peak >= 0 else "restraint"
            return f"{kind} {row.value}, {row.place}, {row.words}"
        return None


class _Painter(QStyledItemDelegate):
    """Signed value strong, flush with its unit; the place; what it is at the right."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        table = index.model()
        assert isinstance(table, FindingModel)
        row = table.rows[index.row()]
        c = theme.colours
        box: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, c["selected"])
            painter.fillRect(QRect(box.left(), box.top(), 3, box.height()), c["accent"])
        baseline = box.center().y() + 5
        value = text.literal(row.value)
        edge = box.left() + PADDING + 56
        text.draw(painter, edge - text.measure(value, 12, 600), baseline, value, 12, c["text"], 600)
        words = text.literal(row.words)
        width = text.measure(words, 12)
        room = box.right() - PADDING - width - 12 - (edge + 14)
        text.draw(painter, edge + 14, baseline, text.literal(row.place), 12, c["text"], 400, max(room, 0))
        text.draw(painter, box.right() - PADDING - width, baseline, words, 12, c["label"])
        painter.restore()


class FindingsPanel(ItemList):
    """The findings. peak_chosen(number): of the difference peaks. atom_chosen(row): of the model."""

    peak_chosen = Signal(int)
    atom_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.rows = FindingModel()
        self._peaks: list[Finding] = []
        self._outliers: list[Finding] = []
        self._looked = False
        super().__init__(self.rows, _Painter(), "Findings", parent)
        self.row_chosen.connect(self._choose)

    def show_peaks(self, peaks: Sequence[Peak], model: Model | None) -> None:
        """The difference peaks of another map."""
        self._looked = model is not None
        self._peaks = [] if model is None else peak_findings(peaks, model)
        self._refill()

    def show_outliers(self, worst: WorstRestraints | None, model: Model | None) -> None:
        """The restraint outliers of another cycle."""
        self._outliers = [] if model is None else outlier_findings(worst, model)
        self._refill()

    def _refill(self) -> None:
        before = self._current()
        rows = [*self._peaks, *self._outliers]
        if rows == self.rows.rows:
            self.viewport().update()
            return
        where = self.verticalScrollBar().value()
        self.rows.show_rows(rows)
        if before is not None:
            # The same outlier is the same atom; a peak keeps its place when it is near the same atom.
            key = (before.peak >= 0, before.atom, before.value[0])
            same = [k for k, row in enumerate(rows) if (row.peak >= 0, row.atom, row.value[0]) == key]
            if same:
                self.selectRow(same[0])
        self.verticalScrollBar().setValue(where)

    def _current(self) -> Finding | None:
        index = self.currentIndex()
        return self.rows.rows[index.row()] if index.isValid() and index.row() < len(self.rows.rows) else None

    def select_peak(self, number: int) -> None:
        """Highlight a difference peak and keep it visible, without centring again."""
        self.show_row(next((k for k, finding in enumerate(self.rows.rows) if finding.peak == number), -1))

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self.rows.rows):
            finding = self.rows.rows[row]
            if finding.peak >= 0:
                self.peak_chosen.emit(finding.peak)
            else:
                self.atom_chosen.emit(finding.atom)

    def empty_text(self) -> str:
        if self.rows.rows:
            return ""
        if self._looked:
            return "No difference peak above 4 \u03c3, no restraint beyond 4 Z."
        return "Difference peaks and restraint outliers are listed here."
