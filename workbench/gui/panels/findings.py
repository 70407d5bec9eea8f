"""The place of the findings."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.theme import PADDING
from workbench.gui.widgets.text import Paragraph


class FindingsPanel(QWidget):
    """This version does not look for findings, and says so."""

    def __init__(self) -> None:
        super().__init__()
        self.message = Paragraph("This version does not search for outliers or density peaks.", role="hint")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PADDING, 12, PADDING, 12)
        layout.addWidget(self.message)
        layout.addStretch(1)
