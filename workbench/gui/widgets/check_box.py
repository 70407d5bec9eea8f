"""Check boxes in lists that can be seen on any ground: the style's own has an outline darker than a dark panel."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from workbench.gui.theme import theme

_SIDE = 13.0
_TICK = ((0.22, 0.52), (0.43, 0.73), (0.79, 0.29))
"""Corners of the tick in shares of the box."""


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
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(place, c["selected"] if selected else c["panel"])  # over the box of the style
        box = QRectF(0, 0, _SIDE, _SIDE)
        box.moveCenter(place.center())
        checked = styled.checkState == Qt.CheckState.Checked
        painter.setPen(QPen(c["accent"] if checked else c["label"], 1.4))
        painter.setBrush(c["accent"] if checked else c["field"])
        painter.drawRoundedRect(box, 3, 3)
        if checked:
            painter.setPen(QPen(c["panel"], 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            corners = [QPointF(box.x() + x * _SIDE, box.y() + y * _SIDE) for x, y in _TICK]
            painter.drawPolyline(QPolygonF(corners))
        painter.restore()
