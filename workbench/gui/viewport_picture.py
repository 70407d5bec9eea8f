"""Pictures of the 3D view at any size, with their labels and measurements."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.core.arrays import AnyArray
from workbench.gui.viewport_overlay import Overlay

LARGEST = 8192


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


def ask_for_picture(view: QWidget, save: Callable[[str, int, int, float], object]) -> None:
    """A file dialog with multiples of the view's size as its filters; `save(path, width, height, ratio)`."""
    w, h = view.width(), view.height()
    sizes = {f"PNG, {w * k} x {h * k} pixels (*.png)": k for k in (2, 1, 4, 8) if max(w, h) * k <= LARGEST}
    dialog = QFileDialog(view.window(), "Save a picture", "picture.png", ";;".join(sizes))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("png")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda path: save(path, w, h, float(sizes.get(dialog.selectedNameFilter(), 1))))
    dialog.open()
