"""The bar at the top: what can be done, a search field, the R values and the place of the verdict."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui import icons
from workbench.gui.actions import Actions
from workbench.gui.panels.r_factors import error_of_r_free
from workbench.gui.theme import HEADER_HEIGHT, PADDING, advance, theme
from workbench.gui.widgets import text
from workbench.gui.widgets.buttons import HeaderButton
from workbench.gui.widgets.lines import Surface
from workbench.gui.widgets.plot import DASHES
from workbench.session.state import SessionState

STEADY = 0.00005
"""A change of R smaller than this rounds to nothing at four decimals."""


def change_text(before: float | None, now: float, short: bool) -> str:
    """How R moved in the last cycle, with a sign that is not a colour."""
    if before is None or not math.isfinite(before) or not math.isfinite(now):
        return ""
    difference = now - before
    if abs(difference) < STEADY:
        return "steady" if short else "steady this cycle"
    sign = "\u25b4" if difference > 0 else "\u25be"
    return f"{sign} {abs(difference):.4f}" + ("" if short else " this cycle")


class Readout(QWidget):
    """A big R value with its line sample, its error and its change in this cycle."""

    def __init__(self, kind: str, role: str, dash: str) -> None:
        super().__init__()
        self._kind = kind
        self._role = role
        self._dash = dash
        self.value = ""
        self.error = ""
        self.change = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.updateGeometry()
        self.update()

    def show_value(self, value: float | None, error: float, change: str) -> None:
        if value is None:
            shown, self.error, self.change = "\u2013", "", ""
        elif math.isnan(value):
            shown, self.error, self.change = "\u2013", "", "no test set"
        else:
            shown = f"{value:.3f}"
            self.error = f"\u00b1{error:.3f}" if math.isfinite(error) else ""
            self.change = change
        self.value = shown
        self.setAccessibleName(f"R {self._kind} {shown} {self.error} {self.change}".strip())
        self.update()

    def sizeHint(self) -> QSize:
        wide = theme.sizes.name == "wide"
        base = 116 if wide else 104
        if self._role == "free":
            number = advance("0.000", theme.font(theme.sizes.r_value, 600))
            base = round(max(base, number + 10 + advance("\u00b10.000", theme.font(15, 500)) + 4))
        return QSize(base, 72)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        end = text.draw(painter, 0, 18, f"R_{{{self._kind}}}", 13, c["label"], 500)
        pen = QPen(c[self._role], 2.4)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if DASHES[self._dash]:
            pen.setDashPattern([3.2, 2])
        painter.setPen(pen)
        painter.drawLine(QPointF(end + 9, 14.5), QPointF(end + 37, 14.5))
        size = theme.sizes.r_value
        font = theme.font(size, 600)
        baseline = 22 + QFontMetricsF(font).capHeight() + 5
        x = text.draw(painter, 0, baseline, self.value, size, c["text"], 600)
        if self.error:
            text.draw(painter, x + 10, baseline, self.error, 15, c["label"], 500)
        text.draw(painter, 0, 66, self.change, 11, c["label"])
        painter.end()


class SearchField(QLineEdit):
    """Opens the list of commands and residues (Ctrl+K)."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Search commands and residues")
        self.setFixedHeight(32)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        words = "Search commands, residues" if theme.sizes.name == "wide" else "Search"
        self.setPlaceholderText(words)
        self.setFont(theme.font(12))
        self.setTextMargins(24, 0, 44, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        icons.draw(painter, "search", QRectF(10, 9, 14, 14), theme.colours["label"], 2.2)
        if not self.text():
            painter.setFont(theme.font(11))
            painter.setPen(theme.colours["hint"])
            box = self.rect().adjusted(0, 0, -10, 0)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), "Ctrl K")
        painter.end()


class VerdictPlace(QWidget):
    """Where the verdict will stand. This version does not judge; it shows the gap, which is a plain difference."""

    def __init__(self) -> None:
        super().__init__()
        self._gap = ""
        self._sentence = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.setFixedSize(theme.sizes.right, HEADER_HEIGHT)
        self.update()

    def set_width(self, width: int) -> None:
        self.setFixedWidth(width)

    def show_state(self, state: SessionState) -> None:
        latest = state.shown
        gap, sentence = "", ""
        if latest is not None and math.isfinite(latest.statistics.r_free):
            value = latest.statistics.r_free - latest.statistics.r_work
            gap = f"gap {value:.3f}".replace("-", "\u2212")
        if latest is not None:
            sentence = "This version does not judge overfitting."
        if (gap, sentence) != (self._gap, self._sentence):
            self._gap, self._sentence = gap, sentence
            self.setAccessibleName(text.plain_text(f"{gap}. {sentence}"))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._sentence:
            return
        c = theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(c["hint"], 1.5))
        width = advance("No verdict", theme.font(13, 600)) + 46
        box = QRectF(PADDING + 0.75, 12.75, width, 26.5)
        painter.drawRoundedRect(box, 13.25, 13.25)
        icons.draw(painter, "dash", QRectF(box.left() + 11, 18, 16, 16), c["label"], 2.4)
        text.draw(painter, box.left() + 34, 31, "No verdict", 13, c["label"], 600)
        text.draw(painter, box.right() + 12, 31, f"*{{{self._gap}}}", 13, c["text"], 600)
        text.draw(painter, PADDING, 62, self._sentence, 12, c["label"], 400, self.width() - 2 * PADDING)
        painter.end()


class _Gap(QWidget):
    """A hairline between groups of buttons."""

    def __init__(self) -> None:
        super().__init__()
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.setFixedSize({"wide": 17, "medium": 17, "compact": 13}[theme.sizes.name], 60)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(QRectF(self.width() // 2, 14, 1, 32), theme.colours["hairline"])
        painter.end()


class Header(Surface):
    """The bar at the top of the window."""

    def __init__(self, actions: Actions, stop_menu: QMenu, main_menu: QMenu) -> None:
        super().__init__("panel")
        self.setFixedHeight(HEADER_HEIGHT)
        self.refine = HeaderButton(actions.refine, "refine")
        self.stop = HeaderButton(actions.stop, "stop", menu=stop_menu)
        self.search = SearchField()
        self.work = Readout("work", "work", "solid")
        self.free = Readout("free", "free", "dash")
        self.verdict = VerdictPlace()
        self.panel_button = HeaderButton(actions.show_left, "panel")
        self.panel_button.setVisible(False)
        menu_button = HeaderButton(actions.menu, "menu")
        actions.menu.triggered.connect(
            lambda: main_menu.popup(menu_button.mapToGlobal(menu_button.rect().bottomLeft()))
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(0)
        groups: list[list[QWidget]] = [
            [self.panel_button, HeaderButton(actions.open, "open"), HeaderButton(actions.fetch, "fetch")],
            [self.refine, HeaderButton(actions.pause, "pause"), HeaderButton(actions.step, "step"), self.stop],
            [HeaderButton(actions.undo, "undo"), HeaderButton(actions.redo, "redo")],
            [HeaderButton(actions.export, "export"), menu_button],
        ]
        self.buttons: list[HeaderButton] = []
        for group in groups:
            for button in group:
                row.addWidget(button)
                if isinstance(button, HeaderButton):
                    self.buttons.append(button)
            row.addWidget(_Gap())
        row.addSpacing(4)
        row.addWidget(self.search, 100)
        row.addStretch(1)
        row.addSpacing(16)
        row.addWidget(self.work)
        row.addSpacing(8)
        row.addWidget(self.free)
        row.addSpacing(12)
        line = QVBoxLayout()
        line.setContentsMargins(0, 16, 0, 16)
        row.addLayout(line)
        row.addWidget(self.verdict)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.search.setMinimumWidth(120)
        self.search.setMaximumWidth(248)
        self.search.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.fillRect(QRectF(0, HEADER_HEIGHT - 1, self.width(), 1), theme.colours["hairline"])
        painter.fillRect(QRectF(self.verdict.x(), 14, 1, HEADER_HEIGHT - 28), theme.colours["hairline"])
        painter.end()

    def show_state(self, state: SessionState) -> None:
        status = state.status
        if status in ("running", "preparing", "stopping"):
            self.refine.set_look("refining", tinted=True)
        else:
            self.refine.set_look("refine", primary=True)
        short = theme.sizes.name == "compact"
        if state.shown is None:
            self.work.show_value(None, math.nan, "")
            self.free.show_value(None, math.nan, "")
        else:
            now = state.shown.statistics
            if state.status == "finished":
                work = free = f"cycle {now.cycle}, kept"
            else:
                before = state.statistics[-2] if len(state.statistics) > 1 else None
                work = change_text(before.r_work if before else None, now.r_work, short)
                free = change_text(before.r_free if before else None, now.r_free, short)
            self.work.show_value(now.r_work, math.nan, work)
            self.free.show_value(now.r_free, error_of_r_free(now.r_free, now.n_free), free)
        self.verdict.show_state(state)
