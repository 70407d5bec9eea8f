"""Every component with the source of its restraints, and every link with the choice to bond it or not."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.core.crystal import LinkReport
from workbench.core.events import Prepared
from workbench.gui.theme import theme
from workbench.gui.widgets.check_box import CheckBoxDelegate
from workbench.gui.widgets.dictionary_bar import DictionaryBar
from workbench.session.chemistry import OWN_GEOMETRY, link_words, source_words

LABEL = Qt.ItemDataRole.UserRole


class RestraintsDialog(QDialog):
    """Not modal. link_chosen(label, bond) when the user ticks or unticks a link; dictionary_made(path)."""

    link_chosen = Signal(str, bool)
    dictionary_made = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Restraints")
        self.resize(720, 560)
        self.components = _table(["Component", "Restraints from"], "Components and where their restraints come from")
        self.links = _table(
            ["Bond", "Kind", "Now (Å)", "Target (Å)", "Why"], "Bonds between residues; tick those to restrain"
        )
        self.links.setItemDelegate(CheckBoxDelegate(self.links))
        self.links.itemChanged.connect(self._changed)
        self.no_links = QLabel("No bonds between residues besides the backbone.")
        self.maker = DictionaryBar()
        self.maker.made.connect(self.dictionary_made)
        buttons = QDialogButtonBox()
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        for text, widget in (("&Components", self.components), ("&Links", self.links)):
            heading = QLabel(text)
            heading.setBuddy(widget)
            layout.addWidget(heading)
            layout.addWidget(widget, 1)
        layout.addWidget(self.no_links)
        layout.addWidget(self.maker)
        layout.addWidget(buttons)
        self._prepared: Prepared | None = None
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.show_prepared(self._prepared)

    def show_prepared(self, prepared: Prepared | None) -> None:
        self._prepared = prepared
        self.links.blockSignals(True)
        self.components.clear()
        self.links.clear()
        if prepared is not None:
            self._fill(prepared)
        self.links.blockSignals(False)
        sources = prepared.inputs.component_sources if prepared is not None else {}
        self.maker.show_components([name for name, source in sources.items() if source == OWN_GEOMETRY], set(sources))
        none = self.links.topLevelItemCount() == 0
        self.no_links.setVisible(none)
        self.links.setVisible(not none)
        for tree in (self.components, self.links):
            for column in range(tree.columnCount() - 1):
                tree.resizeColumnToContents(column)

    def _fill(self, prepared: Prepared) -> None:
        given = tuple(file.path for file in prepared.inputs.dictionaries)
        ordered = sorted(prepared.inputs.component_sources.items(), key=lambda item: (item[1] == "embedded", item[0]))
        for name, source in ordered:
            weak = prepared.flagged.get(name, "")
            words = source_words(source, given)
            item = QTreeWidgetItem([name, f"⚠ {words}: {weak}" if weak and source != OWN_GEOMETRY else words])
            if source == OWN_GEOMETRY:
                item.setText(1, f"⚠ {OWN_GEOMETRY}: no dictionary knows it; its shape is kept as it is")
            item.setToolTip(1, source)
            if weak or source == OWN_GEOMETRY:
                for column in (0, 1):
                    item.setForeground(column, theme.colours["error"])
            self.components.addTopLevelItem(item)
        for link in sorted(prepared.links, key=_wants_attention):
            target = "" if math.isnan(link.ideal) else f"{link.ideal:.2f}"
            item = QTreeWidgetItem([link.label, link.kind, f"{link.distance:.2f}", target, link_words(link)])
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, Qt.CheckState.Checked if link.used else Qt.CheckState.Unchecked)
            item.setData(0, LABEL, link.label)
            item.setToolTip(4, link_words(link))
            for column in (2, 3):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.links.addTopLevelItem(item)

    def _changed(self, item: QTreeWidgetItem, column: int) -> None:
        if column == 0:
            self.link_chosen.emit(str(item.data(0, LABEL)), item.checkState(0) == Qt.CheckState.Checked)


def _wants_attention(link: LinkReport) -> int:
    """Bonds that wait for a decision come first, then those only distances show, then those of the file."""
    return 0 if not link.used else 1 if link.found == "distance" else 2


def _table(columns: list[str], name: str) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderLabels(columns)
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setAlternatingRowColors(False)
    tree.setAllColumnsShowFocus(True)
    tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    tree.setAccessibleName(name)
    tree.setStyleSheet("QTreeView::item { padding: 3px; }")
    tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    return tree
