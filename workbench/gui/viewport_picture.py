"""Pictures of the 3D view at any size, with their labels and measurements."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFileDialog, QFormLayout, QSpinBox, QWidget

from workbench.core.arrays import AnyArray
from workbench.gui.viewport_overlay import Overlay

SMALLEST, LARGEST = 64, 8192


def with_marks(pixels: AnyArray, overlay: Overlay) -> QImage:
    """Pixels (height, width, 3) of the scene as an image, with the marks of the overlay scaled to it.

    A picture has the angstrom of the view from its lower to its upper edge, whatever its width: marks keep their
    places from the middle.
    """
    height, width, _ = pixels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    scale = height / max(overlay.height(), 1)
    painter.translate(0.5 * width, 0.5 * height)
    painter.scale(scale, scale)
    painter.translate(-0.5 * overlay.width(), -0.5 * overlay.height())
    overlay.paint_marks(painter)
    painter.end()
    return image


class PictureDialog(QDialog):
    """Asks for width and height in pixels, then for a file. wanted(path, width, height).

    The picture has the angstrom of the view from its lower to its upper edge; a wider one shows more at the sides.
    """

    wanted = Signal(str, int, int)

    def __init__(self, parent: QWidget, width: int, height: int) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save a picture")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._proportion = width / max(height, 1)
        self.width_, self.height_ = _pixels("Width", 2 * width), _pixels("Height", 2 * height)
        self.keep = QCheckBox("As wide and high as the view")
        self.keep.setChecked(True)
        self.width_.valueChanged.connect(self._width_changed)
        self.height_.valueChanged.connect(self._height_changed)
        self.keep.toggled.connect(lambda on: self._width_changed(self.width_.value()) if on else None)
        form = QFormLayout(self)
        form.addRow("Width", self.width_)
        form.addRow("Height", self.height_)
        form.addRow("", self.keep)
        buttons = QDialogButtonBox()
        save = buttons.addButton("Save\u2026", QDialogButtonBox.ButtonRole.AcceptRole)
        save.setDefault(True)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._ask_for_file)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    def _width_changed(self, width: int) -> None:
        if self.keep.isChecked():
            self._set(self.height_, round(width / self._proportion))

    def _height_changed(self, height: int) -> None:
        if self.keep.isChecked():
            self._set(self.width_, round(height * self._proportion))

    @staticmethod
    def _set(box: QSpinBox, value: int) -> None:
        blocked = box.blockSignals(True)
        box.setValue(value)
        box.blockSignals(blocked)

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, "Save a picture", "picture.png", "PNG (*.png)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save)
        dialog.open()

    def save(self, path: str) -> None:
        """The file has been chosen."""
        self.wanted.emit(path, self.width_.value(), self.height_.value())
        self.accept()


def _pixels(name: str, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(SMALLEST, LARGEST)
    box.setValue(value)
    box.setSuffix(" pixels")
    box.setAccessibleName(f"{name} of the picture")
    return box
