"""Hairlines and rows of a label and its value."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from workbench.gui import icons
from workbench.gui.theme import PADDING, theme
from workbench.gui.widgets.text import Label


class Hairline(QWidget):
    """A line of one device-independent pixel between areas."""

    def __init__(self, orientation: Qt.Orientation = Qt.Orientation.Horizontal, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        if orientation == Qt.Orientation.Horizontal:
            self.setFixedHeight(1)
        else:
            self.setFixedWidth(1)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colours["hairline"])
        painter.end()


class Surface(QWidget):
    """A plain area in one colour of the theme."""

    def __init__(self, role: str = "panel", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = role
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colours[self._role])
        painter.end()


class Row(QWidget):
    """A label in the first column, its value in the second, and room for a control at the right."""

    def __init__(
        self, label: str, value: str = "", control: QWidget | None = None, *, hint: bool = False, role: str = ""
    ) -> None:
        """role: of the value's colour, when it is not that of text (or of a hint)."""
        super().__init__()
        self.label = Label(label, role="label")
        self.value = Label(value, size=11 if hint else 12, role=role or ("hint" if hint else "text"))
        self.value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.label)
        layout.addWidget(self.value, 1)
        if control is not None:
            layout.addSpacing(4)
            layout.addWidget(control)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.label.setFixedWidth(theme.sizes.value_x - PADDING)
        self.setFixedHeight(theme.sizes.row)

    def set_value(self, markup: str, tooltip: str = "") -> None:
        self.value.set_text(markup, tooltip)


class FileTitle(QWidget):
    """Icon and file name of something that was read."""

    def __init__(self, icon: str, name: str) -> None:
        super().__init__()
        self._icon = icon
        self.label = Label(name, size=13, weight=600)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(22, 0, 0, 0)
        layout.addWidget(self.label, 1)
        self.setFixedHeight(24)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(200, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        icons.draw(painter, self._icon, QRectF(0, 5, 14, 14), theme.colours["label"])
        painter.end()
