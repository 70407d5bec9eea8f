"""A field for one typed number."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from workbench.gui.theme import theme


def three_figures(value: float) -> str:
    """1.50, 60.0, 6.67, 0.153: three significant figures without an exponent where it can be avoided."""
    if not math.isfinite(value):
        return "\u2013"
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)) + 1e-12)
    return f"{value:.{max(digits, 0)}f}" if digits <= 6 else f"{value:.2e}"


class NumberField(QLineEdit):
    """`entered` carries the number when Return is pressed or the field is left; nonsense is put back."""

    entered = Signal(float)

    def __init__(
        self, name: str, minimum: float, maximum: float, *, whole: bool = False, parent: QWidget | None = None
    ):
        super().__init__(parent)
        self._minimum = minimum
        self._maximum = maximum
        self._whole = whole
        self._shown = ""
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setFixedSize(56, 20)
        self.returnPressed.connect(self._enter)
        self._restyle()
        # A bound method: Qt forgets it together with the widget, which it cannot do for a lambda.
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.setFont(theme.font(12, 600))

    def set_limits(self, minimum: float, maximum: float) -> None:
        self._minimum, self._maximum = minimum, maximum

    def set_number(self, value: float) -> None:
        """Show a number; what the user is typing is not overwritten."""
        shown = str(round(value)) if self._whole else three_figures(value)
        if shown != self._shown:
            self._shown = shown
            if not (self.hasFocus() and self.isModified()):
                self.setText(shown)

    def clear_number(self) -> None:
        """Show nothing: there is no number yet."""
        self._shown = ""
        self.setModified(False)
        self.setText("")

    def _enter(self) -> None:
        text = self.text().strip().replace(",", ".")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        self.setModified(False)
        if not math.isfinite(value) or text == self._shown:
            self.setText(self._shown)
            return
        value = min(max(value, self._minimum), self._maximum)
        if self._whole:
            value = float(round(value))
        self._shown = str(round(value)) if self._whole else three_figures(value)
        self.setText(self._shown)
        self.entered.emit(value)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self.isModified():
            self._enter()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.isModified():
            self.setModified(False)
            self.setText(self._shown)
            return
        super().keyPressEvent(event)
