"""Where the test set comes from: the file, another file, a new one, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from workbench.core.settings import DataOptions
from workbench.core.words import counted
from workbench.gui.widgets.check_box import CheckBox, RadioButton
from workbench.gui.widgets.text import Paragraph
from workbench.session.data_choice import DataChoice

BY_CONTENT = "Chosen by content"
MOST = 2000
"""A new set has about this many reflections at most (`engine.cross_validation.test_set.ENOUGH`)."""
USUAL = 0.05
"""Share of a new set before the data are known."""
INDENT = 24


class TestSetChoice(QWidget):
    """changed: something was chosen by the user. `apply` puts the choice into a DataChoice."""

    __test__ = False
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._silent = False
        self._n = 0
        self._folder = ""
        self._file = ""
        self._fraction = USUAL
        self._has_flags = False
        self._advised: float | None = None
        """Share that a new set begins with, until somebody chooses one."""
        self.found = RadioButton("As found in the file")
        self.other = RadioButton("From another file")
        self.make = RadioButton("Make a new one")
        self.without = RadioButton("Work without a test set")
        self.column, self.value = _combo("Column of the test set"), _combo("Flag of the test set")
        self._wanted: dict[QComboBox, Any] = {}
        """What is chosen in a list as soon as it is filled."""
        self.finding = Paragraph(role="label")
        self.path = QLineEdit()
        self.path.setReadOnly(True)
        self.path.setPlaceholderText("no file yet")
        self.path.setAccessibleName("File that the test set is taken from")
        self.browse = QPushButton("Choose\u2026")
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self.ask_for_file)
        self.other_column = _combo("Column of the test set in the other file")
        self.reindex = QLineEdit()
        self.reindex.setPlaceholderText("h,k,l")
        self.reindex.setAccessibleName("Operator on the indices of the other file")
        self.reindex.setFixedWidth(110)
        self.share = QDoubleSpinBox()
        self.share.setRange(0.5, 50.0)
        self.share.setDecimals(2)
        self.share.setSingleStep(0.5)
        self.share.setSuffix(" %")
        self.share.setValue(100 * USUAL)
        self.share.setAccessibleName("Share of the reflections in the new test set")
        self.count = QSpinBox()
        self.count.setRange(0, 10**7)
        self.count.setSpecialValueText("\u2013")
        self.count.setAccessibleName("Number of reflections in the new test set")
        self.shells = CheckBox("in thin shells of resolution (for crystals with NCS)")
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setAccessibleName("Seed of the random numbers")
        self.extend = CheckBox("Give reflections without a flag one, as often as the flags occur")
        self.warning = Paragraph(role="label")
        self._buttons = QButtonGroup(self)
        for button in (self.found, self.other, self.make, self.without):
            self._buttons.addButton(button)
        self.found.setChecked(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.found)
        layout.addLayout(_row(self.column, QLabel("flag"), self.value, None))
        layout.addLayout(_row(self.finding))
        layout.addWidget(self.other)
        layout.addLayout(_row(self.path, self.browse, QLabel("column"), self.other_column))
        self._reindex_label = QLabel("indices as")
        layout.addLayout(_row(self._reindex_label, self.reindex, None))
        layout.addWidget(self.make)
        layout.addLayout(
            _row(self.share, QLabel("or"), self.count, QLabel("reflections"), QLabel("seed"), self.seed, None)
        )
        layout.addLayout(_row(self.shells, None))
        layout.addWidget(self.without)
        layout.addWidget(self.extend)
        layout.addWidget(self.warning)
        self._buttons.buttonToggled.connect(self._source_chosen)
        for box in (self.column, self.value, self.other_column):
            box.activated.connect(self._chosen)
        for check in (self.shells, self.extend):
            check.toggled.connect(self._chosen)
        self.reindex.editingFinished.connect(self._chosen)
        self.share.valueChanged.connect(self._share_chosen)
        self.count.valueChanged.connect(self._count_chosen)
        self.seed.valueChanged.connect(self._chosen)
        self._enable()

    # ---- what was chosen

    def apply(self, choice: DataChoice) -> DataChoice:
        """The choice with the test set as it is chosen here."""
        column, value = self._picked(self.column), self._picked(self.value)
        options = replace(
            choice.options,
            free_file="",
            free_reindex="",
            create_free=None,
            free_seed=self.seed.value() if self.make.isChecked() or self.extend.isChecked() else 0,
            thin_shells=False,
            extend_free=self.extend.isChecked() and not (self.make.isChecked() or self.without.isChecked()),
        )
        label = None
        if self.found.isChecked():
            label = column
        elif self.other.isChecked():
            label, value = self._picked(self.other_column), None
            options = replace(options, free_file=self._file, free_reindex=self.reindex.text().strip())
        elif self.make.isChecked():
            # a set of the file is given up by name, so that none is ever replaced in silence
            label, value = ("none" if self._has_flags else None), None
            options = replace(options, create_free=round(self._fraction, 6), thin_shells=self.shells.isChecked())
        else:
            label, value = "none", None
        return replace(choice, free_label=label, free_value=value, options=options)

    def _picked(self, box: QComboBox) -> Any:
        """What is chosen in a list, also while it is empty."""
        return box.currentData() if box.count() else self._wanted.get(box)

    def show_choice(self, choice: DataChoice, folder: str) -> None:
        """Show what was chosen before; folder: where a second file is looked for."""
        self._folder = folder
        self._advised = None
        o: DataOptions = choice.options
        self._quiet(True)
        self._file = o.free_file
        self.path.setText(Path(o.free_file).name)
        self.path.setToolTip(o.free_file)
        self.reindex.setText(o.free_reindex)
        self._n = 0
        self._has_flags = o.create_free is not None and choice.free_label is not None
        self._fraction = USUAL if o.create_free is None else o.create_free
        self.share.setValue(100 * self._fraction)
        self.shells.setChecked(o.thin_shells)
        self.seed.setValue(o.free_seed)
        self.extend.setChecked(o.extend_free)
        button = self.found
        if o.create_free is not None:
            button = self.make
        elif o.free_file:
            button = self.other
        elif (choice.free_label or "").lower() == "none":
            button = self.without
        button.setChecked(True)
        self._wanted = {}
        if button is self.found:
            self._wanted = {self.column: choice.free_label, self.value: choice.free_value}
        elif button is self.other:
            self._wanted = {self.other_column: choice.free_label}
        for box in (self.column, self.other_column, self.value):
            box.clear()
        self._quiet(False)
        self._enable()

    def show_found(self, survey: dict[str, Any]) -> None:
        """Fill the lists from a survey; what is chosen stays chosen."""
        contents = survey["contents"]
        self._has_flags = bool(contents["flags"])
        self._quiet(True)
        _fill(self.column, contents["flags"], self._picked(self.column))
        _fill(self.other_column, contents["other_flags"], self._picked(self.other_column))
        value = self._picked(self.value)
        label = self.column.currentData()
        usable = [flag for flag in contents["flags"] if flag["usable"]]
        flag = next((f for f in contents["flags"] if f["label"] == label), usable[0] if usable else None)
        self.value.clear()
        self.value.addItem("found", None)
        for number, count in flag["values"] if flag is not None else ():
            self.value.addItem(f"{number}   {counted(count, 'reflection')}", number)
        self.value.setCurrentIndex(max(self.value.findData(value), 0))
        if flag is not None:
            self.finding.set_text(f"{flag['label']}: {flag['finding']}.")
        elif contents["flags"]:
            self.finding.set_text("; ".join(f"{f['label']}: {f['finding']}" for f in contents["flags"]) + ".")
        else:
            self.finding.set_text("The file has no flags.")
        question = survey["question"]
        if question is not None and question["choice"] == "test set" and question["options"] and self.other.isChecked():
            self.reindex.setPlaceholderText(question["options"][0])
        if survey["n"]:
            self._n = survey["n"]
            self._advised = survey["advised_fraction"] if self._advised is None else self._advised
            if not self.make.isChecked() and self._fraction == USUAL:
                self._fraction = self._advised
                self.share.setValue(100 * self._fraction)
            self._show_count()
        self._quiet(False)
        self._enable()

    def ask_for_file(self) -> None:
        dialog = QFileDialog(self, "File that holds the test set", self._folder)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.take_file)
        dialog.open()

    def take_file(self, path: str) -> None:
        """Take the test set from this file."""
        self._file = path
        self.path.setText(Path(path).name)
        self.path.setToolTip(path)
        self.other_column.clear()
        self.reindex.clear()
        self.reindex.setPlaceholderText("h,k,l")
        self._wanted.pop(self.other_column, None)
        if self.other.isChecked():
            self._chosen()
        else:
            self.other.setChecked(True)

    # ---- inside

    def _quiet(self, silent: bool) -> None:
        self._silent = silent

    def _source_chosen(self, _button: object, on: bool) -> None:
        if on:
            self._chosen()

    def _chosen(self, *_: object) -> None:
        if self._silent:
            return
        if self.sender() is self.column:
            self.value.clear()
            self._wanted.pop(self.value, None)
        self._enable()
        if self.other.isChecked() and not self._file:
            return
        self.changed.emit()

    def _share_chosen(self, value: float) -> None:
        if self._silent:
            return
        self._fraction = value / 100
        self._quiet(True)
        self._show_count()
        self._quiet(False)
        self._chosen()

    def _count_chosen(self, value: int) -> None:
        if self._silent or not self._n:
            return
        self._fraction = min(max(value / self._n, 0.005), 0.5)
        self._quiet(True)
        self.share.setValue(100 * self._fraction)
        self._quiet(False)
        self._chosen()

    def _show_count(self) -> None:
        if self._n:
            self.count.setMaximum(min(MOST, self._n // 2))
            self.count.setValue(round(self._fraction * self._n))

    def _enable(self) -> None:
        found, other, make = self.found.isChecked(), self.other.isChecked(), self.make.isChecked()
        self.column.setEnabled(found and self.column.count() > 1)
        self.value.setEnabled(found and self.value.count() > 1)
        self.path.setEnabled(other)
        self.other_column.setEnabled(other and self.other_column.count() > 1)
        self.reindex.setEnabled(other and bool(self._file))
        self._reindex_label.setEnabled(self.reindex.isEnabled())
        for widget in (self.share, self.count, self.shells, self.seed):
            widget.setEnabled(make)
        self.count.setEnabled(make and self._n > 0)
        self.extend.setEnabled(found or other)
        if make and self._has_flags:
            said = (
                "The flags of the file are given up. If this model was ever refined without those reflections, R_free "
                "of a new set tests nothing until the model is shaken and refined again."
            )
        elif make:
            said = (
                f"Drawn at random over lattice mates, the same share in every shell, at most about {MOST}; exported in "
                "refined.mtz: keep that file."
            )
        elif self.without.isChecked():
            said = "Nothing will watch for overfitting, and there is no R_free."
        else:
            said = ""
        self.warning.set_text(said)
        self.warning.setVisible(bool(said))


def _combo(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    box.setMinimumContentsLength(14)
    return box


def _fill(box: QComboBox, flags: Sequence[dict[str, Any]], chosen: str | None) -> None:
    box.clear()
    box.addItem(BY_CONTENT, None)
    for flag in flags:
        box.addItem(flag["label"] if flag["usable"] else f"{flag['label']} (cannot serve)", flag["label"])
    box.setCurrentIndex(max(box.findData(chosen), 0))


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets side by side under the button they belong to; None is the room that is left."""
    row = QHBoxLayout()
    row.setContentsMargins(INDENT, 0, 0, 0)
    row.setSpacing(8)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget, 1 if isinstance(widget, QLineEdit | Paragraph) else 0)
    return row
