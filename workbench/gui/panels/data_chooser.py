"""One calm place for everything that a data file leaves open: columns, data set, space group, merging, test set.

Every change is looked at in a process of its own, so that the dialog always says what would be read; nothing is opened
before the button is pressed.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.core.errors import WorkbenchError
from workbench.core.settings import DataOptions
from workbench.gui.bridge import in_background
from workbench.gui.panels.test_set_choice import TestSetChoice
from workbench.gui.theme import PADDING
from workbench.gui.widgets.check_box import CheckBox
from workbench.gui.widgets.lines import Hairline, Surface
from workbench.gui.widgets.text import Label, Paragraph, literal
from workbench.session.data_choice import DataChoice
from workbench.session.inspection_process import InspectionCancelled, survey_in_child

Surveyor = Callable[..., dict[str, Any]]
SETTLE = 200
"""Milliseconds without a further change before the data are looked at again."""
LABELS = Qt.ItemDataRole.UserRole
MOST_ROWS = 7


class DataChooser(QDialog):
    """Not modal. chosen(data file, DataChoice): the user wants these data with these decisions."""

    chosen = Signal(str, object)

    def __init__(self, parent: QWidget | None = None, surveyor: Surveyor = survey_in_child) -> None:
        super().__init__(parent)
        self._surveyor = surveyor
        self._cancel = threading.Event()
        self._files = ("", "")
        self._before = self._asked = DataChoice()
        """What was decided before the dialog was opened, and what the data were last looked at with."""
        self._silent = False
        self.found: dict[str, Any] = {}
        self.setWindowTitle("Choices about the data")
        self.resize(720, 760)
        self.heading = Label("", size=13, weight=600)
        self.question = Paragraph(role="text")
        self.columns = _columns()
        self.columns.itemSelectionChanged.connect(self._changed)
        self.dataset = QComboBox()
        self.dataset.setAccessibleName("Data set or block of the file")
        self.dataset.activated.connect(self._other_set)
        self.group = QComboBox()
        typed = QLineEdit()
        self.group.setEditable(True)
        self.group.setLineEdit(typed)
        self.group.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.group.setAccessibleName("Space group")
        self.group.activated.connect(self._changed)
        typed.editingFinished.connect(self._changed)
        self.cell = QLineEdit()
        self.cell.setAccessibleName("Unit cell: three edges in angstrom, three angles in degrees")
        self.cell.setPlaceholderText("as in the file")
        self.cell.editingFinished.connect(self._changed)
        self.merge = CheckBox("These observations are scaled: merge them as they stand")
        self.merge.toggled.connect(self._changed)
        self.test_set = TestSetChoice()
        self.test_set.changed.connect(self._changed)
        self.sign = Label("", size=15, weight=700)
        self.sign.setFixedWidth(22)
        self.told = Paragraph(role="text")
        self.command = QLineEdit()
        self.command.setReadOnly(True)
        self.command.setAccessibleName("The same choices on the command line")
        self.use = QPushButton("Open")
        self.use.setDefault(True)
        self.use.clicked.connect(self._use)
        self.cancel = QPushButton("Cancel")
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.close)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(SETTLE)
        self._later.timeout.connect(self._ask)
        self._arrange()

    def _arrange(self) -> None:
        inside = Surface("panel")
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(12)
        self._form.setVerticalSpacing(8)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow("Data set", self.dataset)
        self._form.addRow("Space group", self.group)
        self._form.addRow("Unit cell", self.cell)
        self._form.addRow("", self.merge)
        column = QVBoxLayout(inside)
        column.setContentsMargins(PADDING, 12, PADDING, 12)
        column.setSpacing(8)
        heading = QLabel("C&olumns")
        heading.setBuddy(self.columns)
        column.addWidget(heading)
        column.addWidget(self.columns)
        column.addLayout(self._form)
        column.addSpacing(8)
        column.addWidget(Hairline())
        column.addWidget(QLabel("Test set"))
        column.addWidget(self.test_set)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName("What can be chosen")
        top = QVBoxLayout()
        top.setContentsMargins(PADDING, 12, PADDING, 4)
        top.setSpacing(4)
        top.addWidget(self.heading)
        top.addWidget(self.question)
        answer = QHBoxLayout()
        answer.setSpacing(4)
        answer.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        answer.addWidget(self.told, 1)
        line = QHBoxLayout()
        said = QLabel("Command &line")
        said.setBuddy(self.command)
        line.addWidget(said)
        line.addWidget(self.command, 1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.use)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(PADDING, 8, PADDING, 12)
        bottom.setSpacing(8)
        for part in (answer, line, buttons):
            bottom.addLayout(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(Hairline())
        layout.addWidget(area, 1)
        layout.addWidget(Hairline())
        layout.addLayout(bottom)

    # ---- asking

    def begin(self, data: str, model: str, choice: DataChoice, question: str = "") -> None:
        """Show the dialog for a data file (model may be empty) with what was chosen; question: why it is asked."""
        self._files, self._before = (data, model), choice
        self.found = {}
        self._silent = True
        self.heading.set_text(literal(Path(data).name), data)
        self.question.set_text(question)
        self.question.setVisible(bool(question))
        self.columns.clear()
        self.dataset.clear()
        if choice.options.dataset:
            self.dataset.addItem(choice.options.dataset, choice.options.dataset)
        self.group.clear()
        if choice.options.space_group:
            self.group.addItem(choice.options.space_group, choice.options.space_group)
        self.cell.setText(" ".join(f"{value:g}" for value in choice.options.cell or ()))
        self.merge.setChecked(choice.options.merge)
        self.test_set.show_choice(choice, str(Path(data).parent))
        self.use.setText("Open" if model else "Remember")
        self._silent = False
        self.show()
        self.raise_()
        self.activateWindow()
        self._ask()

    def choice(self) -> DataChoice:
        """What is chosen now. Raises ValueError for a cell that is no six numbers."""
        rows = self.columns.selectedItems()
        labels = rows[0].data(0, LABELS) if rows else None
        if not self.found:
            # What was decided stays until the data could be looked at; the rest can be changed before, so that a
            # decision they cannot be read with (a file that is gone) can be taken back here.
            labels = self._before.labels
        options: DataOptions = replace(
            self._before.options,
            dataset=self.dataset.currentData() or "",
            space_group=self._group(),
            cell=_cell(self.cell.text()),
            merge=self.merge.isChecked(),
        )
        return self.test_set.apply(replace(self._before, labels=labels, options=options))

    def _group(self) -> str:
        text = self.group.currentText().strip()
        return "" if text == self.group.itemText(0) and self.group.itemData(0) is None else text

    def _changed(self, *_: object) -> None:
        if not self._silent:
            self._say("", "label", "Looking at the data\u2026")
            self._later.start()

    def _other_set(self, *_: object) -> None:
        """Columns and flags of the set before mean nothing in another one."""
        self.columns.clearSelection()
        self._changed()

    def _ask(self) -> None:
        self._cancel.set()
        self._cancel = cancel = threading.Event()
        data, model = self._files
        try:
            choice = self.choice()
        except ValueError:
            self._say("!", "watch", "The unit cell is not six numbers: a, b, c, alpha, beta, gamma.")
            return
        self._asked = choice
        self._show_command(choice)
        self._say("", "label", "Looking at the data\u2026")

        def work() -> object:
            return self._surveyor(data, model, choice, wanted=lambda: not cancel.is_set())

        def done(result: object, error: Exception | None) -> None:
            if not cancel.is_set():
                self._answered(result, error)

        in_background(self, work, done)

    def _answered(self, result: object, error: Exception | None) -> None:
        if isinstance(error, InspectionCancelled):
            return
        if isinstance(error, WorkbenchError):
            self._say("\u2715", "error", f"{error.message} {error.remedy}".strip())
        elif error is not None or not isinstance(result, dict):
            self._say("\u2715", "error", f"An error inside the program: {error}")
        else:
            self._show_found(result)

    # ---- showing

    def _say(self, sign: str, role: str, text: str, ready: bool = False) -> None:
        self.sign.set_text(sign)
        self.sign.set_role(role)
        self.told.set_text(text)
        self.use.setEnabled(ready)

    def _show_command(self, choice: DataChoice) -> None:
        words = choice.option_words()
        self.command.setText(f"workbench refine MODEL DATA {shlex.join(words)}".rstrip())
        self.command.setCursorPosition(0)

    def _show_found(self, found: dict[str, Any]) -> None:
        first = not self.found
        try:
            chosen = self.choice()
        except ValueError:  # a cell of which not all six numbers are typed yet
            chosen = self._asked
        self.found = found
        contents, question = found["contents"], found["question"]
        self._silent = True
        self._show_columns(contents, chosen)
        self._show_crystal(contents, chosen)
        unmerged = bool(contents["unmerged"]) and not contents["scaled"]
        asked = question is not None and question["choice"] == "merge"
        self._form.setRowVisible(self.merge, unmerged or asked or self.merge.isChecked())
        self.test_set.show_found(found)
        self._silent = False
        if question is None:
            self._say("\u2713", "map_positive", f"Will be read: {found['summary']}", True)
        else:
            # the dialog has the controls that the remedy has options for
            remedy = "" if question["choice"] else question["remedy"]
            item = f"{question['item']}: " if question["item"] else ""
            text = f"{item}{question['message']} {remedy}".strip()
            self._say("!", "watch", text[:1].upper() + text[1:], not self._files[1])
        if first and question is not None:
            self._focus(question["choice"])

    def _show_columns(self, contents: dict[str, Any], chosen: DataChoice) -> None:
        self.columns.clear()
        automatic = QTreeWidgetItem(["Chosen by content", "amplitudes before intensities, means before pairs", "", ""])
        self.columns.addTopLevelItem(automatic)
        self.columns.setCurrentItem(automatic)
        for each in contents["measured"]:
            label, sigma = (part.split(",")[0] for part in (each["label"], each["sigma"]))
            item = QTreeWidgetItem(
                [f"{each['label']}; {each['sigma']}", each["kind"], each["dataset"], f"{each['count']}"]
            )
            item.setData(0, LABELS, (label, sigma))
            item.setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.columns.addTopLevelItem(item)
            if chosen.labels is not None and chosen.labels[0].split(",")[0] == label:
                self.columns.setCurrentItem(item)
        for column in range(3):
            self.columns.resizeColumnToContents(column)
        rows = min(self.columns.topLevelItemCount(), MOST_ROWS)
        height = self.columns.sizeHintForRow(0) * rows + self.columns.header().sizeHint().height() + 6
        self.columns.setFixedHeight(height)

    def _show_crystal(self, contents: dict[str, Any], chosen: DataChoice) -> None:
        self.dataset.clear()
        for name in contents["datasets"]:
            self.dataset.addItem(name, name)
        if contents["datasets"] and not chosen.options.dataset:
            self.dataset.insertItem(0, "Chosen by content", None)
        self.dataset.setCurrentIndex(max(self.dataset.findData(chosen.options.dataset or None), 0))
        self._form.setRowVisible(self.dataset, bool(contents["datasets"]))
        self.group.clear()
        source = contents["space_group"]
        self.group.addItem(f"As in the file ({source})" if source else "As in the model", None)
        for symbol in contents["space_groups"]:
            if symbol != source:
                self.group.addItem(symbol, symbol)
        wanted = chosen.options.space_group
        if wanted and self.group.findData(wanted) < 0:
            self.group.addItem(wanted, wanted)
        self.group.setCurrentIndex(max(self.group.findData(wanted), 0) if wanted else 0)
        cell = contents["cell"]
        self.cell.setPlaceholderText(
            "as in the file: " + " ".join(f"{value:.2f}" for value in cell) if cell else "a b c alpha beta gamma"
        )

    def _focus(self, choice: str) -> None:
        place: QWidget | None = {
            "columns": self.dataset if self.dataset.count() else self.columns,
            "merge": self.merge,
            "crystal": self.group,
            "test set": self.test_set.found,
        }.get(choice)
        if place is not None:
            place.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- ending

    def _use(self) -> None:
        try:
            choice = self.choice()
        except ValueError:
            return
        self.close()
        self.chosen.emit(self._files[0], choice)

    def reject(self) -> None:
        """Esc, Cancel and the closing of the window all come here."""
        self._cancel.set()
        self._later.stop()
        super().reject()


def _cell(text: str) -> tuple[float, float, float, float, float, float] | None:
    if not text.strip():
        return None
    a, b, c, alpha, beta, gamma = (float(part) for part in text.replace(",", " ").split())
    return a, b, c, alpha, beta, gamma


def _columns() -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderLabels(["Columns", "What they are", "Data set", "Measured"])
    tree.headerItem().setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setAllColumnsShowFocus(True)
    tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    tree.setAccessibleName("Columns of amplitudes or intensities")
    tree.setStyleSheet("QTreeView::item { padding: 3px; }")
    return tree
