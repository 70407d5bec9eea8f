"""Fetch by PDB code: model and structure factors in the background, with progress and a way to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QProgressBar, QPushButton, QVBoxLayout, QWidget

from workbench.core.errors import WorkbenchError
from workbench.gui.bridge import Bridge, in_background
from workbench.io.fetch import Cancelled, Fetched, Part, Progress, cache_folder, entry_code, fetch

Fetcher = Callable[..., Fetched]


@dataclass(frozen=True)
class _Files:
    """What came: paths, empty where not asked for or not there. trouble: why there are no data."""

    model: str
    data: str
    trouble: WorkbenchError | None = None


class FetchDialog(QDialog):
    """Not modal. fetched(model, data): paths of what came; data is empty where the entry has none and the user takes
    the model alone."""

    fetched = Signal(str, str)

    def __init__(self, parent: QWidget | None = None, fetcher: Fetcher = fetch) -> None:
        super().__init__(parent)
        self._fetcher = fetcher
        self._cancel = threading.Event()
        self._model_alone = ""
        self._bridge = Bridge(self)
        self._bridge.deliver_to(self._progressed)
        self.setWindowTitle("Fetch from the Protein Data Bank")
        self.setMinimumWidth(440)
        self.code = QLineEdit()
        self.code.setPlaceholderText("1ABC")
        self.code.setMaxLength(12)
        self.code.setAccessibleName("Code of the PDB entry")
        self.code.textChanged.connect(self._typed)
        heading = QLabel("&Code of the entry")
        heading.setBuddy(self.code)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.bar.setAccessibleName("Progress of the files")
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message.setMinimumHeight(self.message.fontMetrics().lineSpacing() * 4)
        self.message.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.go = QPushButton("Fetch")
        self.go.setDefault(True)
        self.go.clicked.connect(self._go)
        self.alone = QPushButton("Open the model alone")
        self.alone.setAutoDefault(False)
        self.alone.clicked.connect(self._take_model)
        self.stop = QPushButton("Cancel")
        self.stop.setAutoDefault(False)
        self.stop.clicked.connect(self._stop)
        field = QHBoxLayout()
        field.addWidget(heading)
        field.addWidget(self.code, 1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.alone, self.stop, self.go):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 12)
        layout.setSpacing(10)
        layout.addLayout(field)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)
        layout.addLayout(buttons)
        self._busy = False
        self._show_busy(False)
        self._say_where()
        self._typed()

    @property
    def busy(self) -> bool:
        return self._busy

    def _say_where(self) -> None:
        self.message.setText(
            "Model and structure factors come from the sites of the wwPDB and are kept, so that an entry is fetched "
            f"once only. Folder: {cache_folder()}"
        )

    def _typed(self) -> None:
        try:
            entry_code(self.code.text())
        except WorkbenchError:
            self.go.setEnabled(False)
        else:
            self.go.setEnabled(not self._busy)

    def _show_busy(self, busy: bool) -> None:
        self._busy = busy
        self.code.setEnabled(not busy)
        self.bar.setRange(0, 0 if busy else 1)
        self.bar.setValue(0)
        self.bar.setVisible(busy)
        self.stop.setText("Cancel" if busy else "Close")
        self.alone.setVisible(False)
        self._typed()

    def _go(self) -> None:
        if self._busy:
            return
        code = self.code.text()
        self._cancel = cancel = threading.Event()
        self._show_busy(True)
        post = self._bridge.post

        def one(part: Part) -> str:
            return str(self._fetcher(code, part, tell=post, wanted=lambda: not cancel.is_set()).path)

        def work() -> _Files:
            model = one("model")
            try:
                return _Files(model, one("data"))
            except WorkbenchError as trouble:
                return _Files(model, "", trouble)

        in_background(self, work, self._done)

    def _progressed(self, progress: Progress) -> None:
        if not self._busy or self._cancel.is_set():
            return
        self.message.setText(f"Fetching {progress.text}\u2026" + _amount(progress))
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.received if progress.total else 0)

    def _done(self, result: object, error: Exception | None) -> None:
        self._show_busy(False)
        if isinstance(error, Cancelled):
            self.message.setText("Stopped; nothing was kept of the file under way.")
        elif isinstance(error, WorkbenchError):
            self._show_error(error)
        elif error is not None:
            self.message.setText(f"An error inside the program: {error}")
        elif isinstance(result, _Files):
            if result.trouble is not None:
                self._model_alone = result.model
                self.alone.setVisible(True)
                self._show_error(result.trouble)
                return
            self.fetched.emit(result.model, result.data)
            self.close()

    def _show_error(self, error: WorkbenchError) -> None:
        text = error.message[:1].upper() + error.message[1:]
        self.message.setText(f"{text}\n{error.remedy}" if error.remedy else text)
        self.code.setFocus(Qt.FocusReason.OtherFocusReason)
        self.code.selectAll()

    def _take_model(self) -> None:
        self.fetched.emit(self._model_alone, "")
        self.close()

    def _stop(self) -> None:
        if self._busy:
            self._cancel.set()
            self.message.setText("Stopping\u2026")
        else:
            self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._stop()
            return
        super().keyPressEvent(event)

    def reject(self) -> None:
        self._cancel.set()
        super().reject()

    def begin(self) -> None:
        """Open, ready to type."""
        if not self._busy:
            self._show_busy(False)
            self._say_where()
        self.show()
        self.raise_()
        self.activateWindow()
        self.code.setFocus(Qt.FocusReason.OtherFocusReason)
        self.code.selectAll()


def _amount(progress: Progress) -> str:
    if not progress.received:
        return ""
    done = f" {progress.received / 1e6:.1f}"
    return f"{done} of {progress.total / 1e6:.1f} MB" if progress.total else f"{done} MB"
