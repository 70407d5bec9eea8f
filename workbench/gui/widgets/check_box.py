"""Check boxes and radio buttons for any ground: the outline of the style's own is darker than a dark panel."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QRadioButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionButton,
    QStyleOptionViewItem,
)

from workbench.gui.theme import theme
from workbench.gui.widgets.buttons import focus_ring

SIDE = 13.0
_TICK = ((0.22, 0.52), (0.43, 0.73), (0.79, 0.29))
"""Corners of the tick in shares of the box."""


def draw_check_box(painter: QPainter, place: QRectF, checked: bool, enabled: bool = True) -> None:
    """A square in the middle of `place`, outlined, or full with a tick."""
    c = theme.colours
    box = QRectF(0, 0, SIDE, SIDE)
    box.moveCenter(place.center())
    colour = c["accent"] if checked else c["label"]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour if enabled else c["hint"], 1.4))
    painter.setBrush((colour if enabled else c["hint"]) if checked else c["field"])
    painter.drawRoundedRect(box, 3, 3)
    if checked:
        painter.setPen(QPen(c["panel"], 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPolyline(QPolygonF([QPointF(box.x() + x * SIDE, box.y() + y * SIDE) for x, y in _TICK]))


class CheckBoxDelegate(QStyledItemDelegate):
    """Paints a check box as an outlined square, with a tick on a full square when it is checked."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        styled = QStyleOptionViewItem(option)
        self.initStyleOption(styled, index)
        if not styled.features & QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator:
            return
        style = styled.widget.style() if styled.widget is not None else QApplication.style()
        place = QRectF(style.subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, styled, styled.widget))
        c = theme.colours
        selected = bool(styled.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.fillRect(place, c["selected"] if selected else c["panel"])  # over the box of the style
        draw_check_box(painter, place, styled.checkState == Qt.CheckState.Checked)
        painter.restore()


class CheckBox(QCheckBox):
    """A box to tick that can be seen on a dark ground, like those of `CheckBoxDelegate`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QPainter(self)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        words = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxContents, option, self)
        draw_check_box(painter, QRectF(box), self.isChecked(), self.isEnabled())
        _draw_words(painter, self, QRectF(words))
        painter.end()


class RadioButton(QRadioButton):
    """One of several, in the same hand."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        c = theme.colours
        box = QRectF(self.style().subElementRect(QStyle.SubElement.SE_RadioButtonIndicator, option, self))
        words = self.style().subElementRect(QStyle.SubElement.SE_RadioButtonContents, option, self)
        ring = QRectF(0, 0, SIDE, SIDE)
        ring.moveCenter(box.center())
        chosen = self.isChecked()
        colour = c["accent"] if chosen and self.isEnabled() else c["label"] if self.isEnabled() else c["hint"]
        painter.setPen(QPen(colour, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(ring.adjusted(4, 4, -4, -4))
        _draw_words(painter, self, QRectF(words))
        painter.end()


def _draw_words(painter: QPainter, button: QAbstractButton, place: QRectF) -> None:
    c = theme.colours
    painter.setPen(c["text"] if button.isEnabled() else c["hint"])
    painter.setFont(button.font())
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic
    painter.drawText(place, int(flags), button.text())
    if button.hasFocus():
        focus_ring(painter, QRectF(button.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4)
