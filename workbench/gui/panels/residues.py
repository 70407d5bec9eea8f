"""All residues with their mean B; choosing one centres it in the view."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from workbench.core.crystal import Model
from workbench.core.events import CycleFinished
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets import text
from workbench.gui.widgets.item_list import ItemList

Index = QModelIndex | QPersistentModelIndex


class ResidueModel(QAbstractTableModel):
    """One row for each residue of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Model | None = None
        self.mean_b = np.zeros(0)

    def show_model(self, model: Model | None) -> None:
        self.beginResetModel()
        self.model = model
        self.mean_b = np.zeros(0)
        if model is not None:
            self._average(model.b_iso)
        self.endResetModel()

    def show_b(self, b_iso: np.ndarray[Any, Any]) -> None:
        """New B factors of all atoms (n,), A^2."""
        if self.model is not None and len(b_iso) == len(self.model):
            self._average(b_iso)
            self.dataChanged.emit(self.index(0, 0), self.index(max(self.rowCount() - 1, 0), 0))

    def _average(self, b_iso: np.ndarray[Any, Any]) -> None:
        assert self.model is not None
        rows = self.model.residue
        count = np.bincount(rows, minlength=len(self.model.residues))
        self.mean_b = np.bincount(rows, weights=b_iso, minlength=len(self.model.residues)) / np.maximum(count, 1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if self.model is None else len(self.model.residues)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self.model is None or not index.isValid():
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            row = index.row()
            return f"{self.model.residues.label(row)}, mean B {self.mean_b[row]:.1f}"
        return None


class _Painter(QStyledItemDelegate):
    """Chain and number strong, name in label colour, kind, mean B flush right; the selected row has a bar."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        table = index.model()
        assert isinstance(table, ResidueModel) and table.model is not None
        c = theme.colours
        residues, row = table.model.residues, index.row()
        box: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if selected:
            painter.fillRect(box, c["selected"])
            painter.fillRect(QRect(box.left(), box.top(), 3, box.height()), c["accent"])
        baseline = box.center().y() + 5
        x = box.left() + PADDING
        number = f"{residues.chain[row]} {residues.number[row]}{residues.insertion[row]}"
        text.draw(painter, x, baseline, text.literal(number), 12, c["text"], 600, 58)
        text.draw(painter, x + 62, baseline, text.literal(str(residues.name[row])), 11, c["label"], 400, 44)
        kind = str(residues.kind[row])
        if kind != "protein":
            text.draw(painter, x + 112, baseline, kind, 12, c["label"])
        value = f"-{{B}}  {table.mean_b[row]:.1f} \u00c5\u00b2"
        width = text.measure(value, 12, 500)
        text.draw(painter, box.right() - PADDING - width, baseline, value, 12, c["text"], 500)
        painter.restore()


class ResiduesPanel(ItemList):
    """The residues. chosen(row): of the residue that is to be centred."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.rows = ResidueModel()
        super().__init__(self.rows, _Painter(), "Residues", parent)
        self.row_chosen.connect(self.chosen)

    def show_model(self, model: Model | None) -> None:
        self.rows.show_model(model)

    def show_cycle(self, cycle: CycleFinished) -> None:
        self.rows.show_b(cycle.state.b_iso)

    def empty_text(self) -> str:
        return "The residues of the model are listed here." if self.rows.model is None else ""
