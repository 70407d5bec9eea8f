"""Makes a restraint dictionary for a component that nobody knows, in the background."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)

from workbench.core.errors import WorkbenchError
from workbench.core.events import Progress
from workbench.gui.bridge import in_background
from workbench.session.dictionary_maker import (
    INSTALL,
    DictionaryCancelled,
    DictionaryRequest,
    dictionary_program,
    make_dictionary,
    save_dictionary,
)


class DictionaryBar(QWidget):
    """Choose a component, give its SMILES or a CIF that describes it. made(path) when a dictionary is ready."""

    made = Signal(str)
    _progressed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._cancel = threading.Event()
        self._result: Path | None = None
        self._asked_for = self._made_for = ""
        self.component = QComboBox()
        self.component.setAccessibleName("Component to make a dictionary for")
        self.smiles = QLineEdit()
        self.smiles.setPlaceholderText("SMILES string")
        self.smiles.setAccessibleName("SMILES string of the component")
        self.make = QPushButton("Make")
        self.from_file = QPushButton("From CIF…")
        self.save = QPushButton("Save…")
        self.stop = QPushButton("Cancel")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the dictionary")
        self.message = QLabel()
        self.message.setWordWrap(True)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        heading = QLabel("Make a dictionary for")
        heading.setBuddy(self.component)
        self._asked: tuple[QWidget, ...] = (heading, self.component, self.smiles, self.make, self.from_file)
        for column, widget in enumerate(self._asked):
            layout.addWidget(widget, 0, column)
        layout.setColumnStretch(2, 1)
        layout.addWidget(self.bar, 1, 0, 1, 3)
        layout.addWidget(self.stop, 1, 3)
        layout.addWidget(self.save, 1, 4)
        layout.addWidget(self.message, 2, 0, 1, 5)
        self.make.clicked.connect(self._from_smiles)
        self.smiles.returnPressed.connect(self._from_smiles)
        self.smiles.textChanged.connect(self._enable)
        self.from_file.clicked.connect(self._ask_for_file)
        self.stop.clicked.connect(self._cancel.set)
        self.save.clicked.connect(self._ask_where)
        self._progressed.connect(self._show_progress)
        self._running = False
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.cancel)  # else the program would wait for acedrg to end
        self._enable()

    def show_components(self, names: list[str], present: Collection[str] = ()) -> None:
        """The components that have no dictionary, and the one just made if the model still has it (`present`): a
        dictionary may turn out wrong. Without any there is nothing to make."""
        if self._made_for in present and self._made_for not in names and self._result is not None:
            names = [*names, self._made_for]
        if names != [self.component.itemText(i) for i in range(self.component.count())]:
            self.component.clear()
            self.component.addItems(names)
        self.setVisible(bool(names) or self._result is not None)
        for widget in self._asked:
            widget.setVisible(bool(names))
        self._enable()

    def start(self, request: DictionaryRequest) -> None:
        """Begin in the background."""
        self._cancel.clear()
        self._asked_for = request.name
        self._running = True
        self._enable()
        in_background(
            self, lambda: make_dictionary(request, self._progressed.emit, self._cancel.is_set), self._finished
        )

    def cancel(self) -> None:
        """End what is under way, if anything."""
        self._cancel.set()

    def _from_smiles(self) -> None:
        if self.make.isEnabled():
            self.start(DictionaryRequest(self.component.currentText(), smiles=self.smiles.text()))

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, "Description of the component", "", "Component description (*.cif *.cif.gz)")
        dialog.fileSelected.connect(
            lambda path: self.start(DictionaryRequest(self.component.currentText(), cif_path=path))
        )
        dialog.open()

    def _ask_where(self) -> None:
        if self._result is None:
            return
        result = self._result
        dialog = QFileDialog(self, "Save the dictionary", f"{result.name.split('-')[0]}.cif", "CIF (*.cif)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(lambda path: self.save_to(result, path))
        dialog.open()

    def save_to(self, result: Path, path: str) -> None:
        """Copy the finished dictionary."""
        try:
            save_dictionary(result, path)
            self.message.setText(f"Saved as {path}.")
        except WorkbenchError as error:
            self.message.setText(str(error))

    def _show_progress(self, event: Progress) -> None:
        self.message.setText(event.text)
        self.bar.setValue(round(1000 * (event.fraction or 0.0)))

    def _finished(self, result: object, error: Exception | None) -> None:
        self._running = False
        if isinstance(error, DictionaryCancelled):
            self.message.setText("Cancelled; nothing was made.")
        elif error is not None:
            self.message.setText(str(error))
        elif isinstance(result, Path):
            self._result, self._made_for = result, self._asked_for
            self.message.setText(
                "Made, and used from now on. Save it to keep it with your files; Make again replaces it."
            )
            self.made.emit(str(result))
        self._enable()

    def _enable(self) -> None:
        program = dictionary_program() is not None
        if not program and not self.message.text():
            self.message.setText(f"acedrg is not installed. {INSTALL}")
        ready = program and not self._running and self.component.count() > 0
        self.make.setEnabled(ready and bool(self.smiles.text().strip()))
        self.from_file.setEnabled(ready)
        self.stop.setVisible(self._running)
        self.bar.setVisible(self._running)
        self.save.setVisible(self._result is not None)
