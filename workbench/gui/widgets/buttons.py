"""Buttons: header button (icon and word), pill, text link, toggle, disclosure. All paint themselves from the theme."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QEnterEvent,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from workbench.gui import icons
from workbench.gui.theme import advance, theme


def focus_ring(painter: QPainter, box: QRectF, radius: float) -> None:
    """Mark the widget that has the keyboard."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.colours["accent"], 1.5))
    painter.drawRoundedRect(box, radius, radius)


class _Painted(QAbstractButton):
    """A button that is drawn by hand and answers to hovering, focus and theme."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hover = False
        self._ring = False
        self.setText(name)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.updateGeometry()
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The ring is for those who walk by keyboard; a window that opens or is clicked shows none."""
        by_key = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
            self._ring = event.reason() in by_key
        super().focusInEvent(event)

    def ringed(self) -> bool:
        """The keyboard is here, and came by the keyboard."""
        return self._ring and self.hasFocus()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover = True
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._hover = False
        self.update()


class HeaderButton(_Painted):
    """Icon above a word, tied to a QAction; without words in narrow windows. A menu opens at the small arrow."""

    def __init__(self, action: QAction, icon: str, parent: QWidget | None = None, menu: QMenu | None = None) -> None:
        super().__init__(action.text(), parent)
        self.action = action
        self.icon_name = icon
        self.primary = False
        self.tinted = False
        self.menu = menu
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        self.setEnabled(self.action.isEnabled())
        word = self.action.iconText()
        self.setText(word)
        self.setAccessibleName(self.action.text().replace("&", "").removesuffix("\u2026"))
        tip = self.action.toolTip()
        keys = self.action.shortcut().toString()
        self.setToolTip(f"{tip} ({keys})" if keys and keys not in tip else tip)
        self.setAccessibleDescription(self.action.toolTip())
        self.updateGeometry()
        self.update()

    def set_look(self, icon: str, *, primary: bool = False, tinted: bool = False) -> None:
        if (icon, primary, tinted) != (self.icon_name, self.primary, self.tinted):
            self.icon_name, self.primary, self.tinted = icon, primary, tinted
            self.update()

    def sizeHint(self) -> QSize:
        sizes = theme.sizes
        if sizes.words:
            width = max(sizes.button, round(advance(self.text(), theme.font(11, 500))) + 8)
        else:
            width = 36
        if self.menu is not None:
            width += 6
        return QSize(width, 60)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        on_arrow = self.menu is not None and event.position().x() > self.width() - 18
        if self.menu is not None and self.isEnabled() and (on_arrow or event.button() == Qt.MouseButton.RightButton):
            self.menu.popup(self.mapToGlobal(QPoint(0, self.height())))
            return
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        c, sizes = theme.colours, theme.sizes
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 0, -1, 0)
        enabled = self.isEnabled()
        colour = c["text"] if enabled else c["hint"]
        painter.setPen(Qt.PenStyle.NoPen)
        if enabled and self.primary:
            painter.setBrush(c["accent"])
            painter.drawRoundedRect(box, 8, 8)
            colour = c["on_accent"]
        elif self.tinted:
            painter.setBrush(c["accent_tint"])
            painter.drawRoundedRect(box, 8, 8)
            colour = c["accent"]
        elif enabled and (self._hover or self.isDown()):
            painter.setBrush(c["field"])
            painter.drawRoundedRect(box, 8, 8)
        if not enabled:
            painter.setOpacity(0.75)
        side = 20.0
        shift = -4.0 if self.menu is not None else 0.0
        top = 9.0 if sizes.words else (self.height() - side) / 2
        icon_x = (self.width() - side) / 2 + shift
        icons.draw(painter, self.icon_name, QRectF(icon_x, top, side, side), colour)
        if self.menu is not None:
            icons.draw(painter, "down", QRectF(icon_x + side + 2, top + 6, 9, 9), colour, 2.6)
        if sizes.words:
            font = theme.font(11, 500)
            painter.setFont(font)
            painter.setPen(colour)
            painter.drawText(QRectF(0, 36, self.width(), 18), int(Qt.AlignmentFlag.AlignCenter), self.text())
        painter.setOpacity(1.0)
        if self.ringed():
            focus_ring(painter, box.adjusted(1, 1, -1, -1), 7)
        painter.end()


class Pill(_Painted):
    """A rounded button that is filled while it is on ("Auto 6.67")."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.setCheckable(True)

    def set_text(self, text: str) -> None:
        if text != self.text():
            self.setText(text)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(advance(self.text(), theme.font(12, 500))) + 18, 20)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
        on = self.isChecked()
        painter.setBrush(c["accent_tint"] if on else (c["field"] if self._hover else QColor(0, 0, 0, 0)))
        painter.setPen(QPen(c["accent"] if on else c["label"], 1.2))
        if not self.isEnabled():
            painter.setOpacity(0.5)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.setFont(theme.font(12, 500))
        painter.setPen(c["accent"] if on else c["label"])
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())
        painter.setOpacity(1.0)
        if self.ringed():
            focus_ring(painter, box.adjusted(2, 2, -2, -2), box.height() / 2 - 2)
        painter.end()


class TextButton(_Painted):
    """A word in the accent colour that does something."""

    def sizeHint(self) -> QSize:
        font = theme.font(12, 600)
        return QSize(round(advance(self.text(), font)) + 8, round(QFontMetricsF(font).height()) + 4)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(theme.font(12, 600))
        font.setUnderline(self._hover)
        painter.setFont(font)
        painter.setPen(theme.colours["accent" if self.isEnabled() else "hint"])
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())
        if self.ringed():
            focus_ring(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), 4)
        painter.end()


class FilledButton(_Painted):
    """The one thing to do next (empty start screen, dialogs)."""

    def __init__(self, name: str, parent: QWidget | None = None, *, primary: bool = True) -> None:
        super().__init__(name, parent)
        self.primary = primary

    def sizeHint(self) -> QSize:
        return QSize(round(advance(self.text(), theme.font(13, 600))) + 36, 36)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.primary:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(c["accent"])
        else:
            painter.setPen(QPen(c["track"], 1.2))
            painter.setBrush(c["field"] if self._hover else QColor(0, 0, 0, 0))
        painter.drawRoundedRect(box, 8, 8)
        painter.setFont(theme.font(13, 600))
        painter.setPen(c["on_accent"] if self.primary else c["text"])
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())
        if self.ringed():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(c["on_accent"] if self.primary else c["accent"], 1.5))
            painter.drawRoundedRect(box.adjusted(3, 3, -3, -3), 6, 6)
        painter.end()


class Toggle(_Painted):
    """A switch, 26 x 14."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.setCheckable(True)

    def sizeHint(self) -> QSize:
        return QSize(28, 16)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(1, 1.5, 26, 13)
        on = self.isChecked()
        if not self.isEnabled():
            painter.setOpacity(0.5)
        painter.setPen(QPen(c["accent"] if on else c["hint"], 1.2))
        painter.setBrush(c["accent"] if on else QColor(0, 0, 0, 0))
        painter.drawRoundedRect(box, 6.5, 6.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(c["panel"] if on else c["hint"])
        painter.drawEllipse(QPointF(box.right() - 6.5 if on else box.left() + 6.5, box.center().y()), 4.2, 4.2)
        painter.setOpacity(1.0)
        if self.ringed():
            focus_ring(painter, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8)
        painter.end()


class Disclosure(_Painted):
    """A row that opens what is below it: chevron, name, and a summary at the right."""

    opened = Signal(bool)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.summary = ""
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.toggled.connect(self.opened)

    def set_summary(self, summary: str) -> None:
        self.summary = summary
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.draw(painter, "down" if self.isChecked() else "right", QRectF(0, 5, 10, 10), c["label"], 2.6)
        painter.setFont(theme.font(12, 500))
        painter.setPen(c["text"])
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(16, 0, self.width() - 16, 20), middle | int(Qt.AlignmentFlag.AlignLeft), self.text())
        painter.setFont(theme.font(12))
        painter.setPen(c["label"])
        painter.drawText(QRectF(0, 0, self.width(), 20), middle | int(Qt.AlignmentFlag.AlignRight), self.summary)
        if self.ringed():
            focus_ring(painter, QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75), 4)
        painter.end()
