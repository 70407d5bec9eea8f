"""The bar at the top: what can be done, a search field, the R values and the verdict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui import icons
from workbench.gui.actions import Actions
from workbench.gui.panels.cycle_plots import error_of_r_free
from workbench.gui.theme import HEADER_HEIGHT, PADDING, advance, theme
from workbench.gui.widgets import text
from workbench.gui.widgets.buttons import HeaderButton
from workbench.gui.widgets.lines import Surface
from workbench.gui.widgets.plot import DASHES
from workbench.session.state import SessionState
from workbench.session.verdict import Gap, gap_shown, verdict_of

if TYPE_CHECKING:
    from workbench.engine.cross_validation.verdict import Verdict

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
        self._tight = False
        self._restyle()
        theme.changed.connect(self._restyle)

    def set_tight(self, tight: bool) -> None:
        """As narrow as it may be, without its shortcut."""
        self._tight = tight
        self._restyle()

    def _restyle(self) -> None:
        words = "Search commands, residues" if theme.sizes.name == "wide" else "Search"
        self.setPlaceholderText(words)
        self.setFont(theme.font(12))
        self.setTextMargins(24, 0, 4 if self._tight else 44, 0)
        self.setMinimumWidth(88 if self._tight else 120)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        icons.draw(painter, "search", QRectF(10, 9, 14, 14), theme.colours["label"], 2.2)
        if not self.text() and not self._tight:
            painter.setFont(theme.font(11))
            painter.setPen(theme.colours["hint"])
            box = self.rect().adjusted(0, 0, -10, 0)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), "Ctrl K")
        painter.end()


LOOKS: dict[str, tuple[str, str]] = {
    "waiting": ("dash", "label"),
    "not settled": ("dash", "label"),
    "healthy": ("tick", "accent"),
    "watch": ("triangle", "watch"),
    "overfitting": ("octagon", "error"),
    "test set": ("diamond", "label"),
    "twinned": ("diamond", "watch"),
}
"""Icon and colour role of every verdict: never told by colour alone."""


class VerdictPlace(QWidget):
    """The verdict chip with gap and expected gap, its sentence, and the remedy as a button. A click on the chip opens
    the rules with their numbers."""

    back_wanted = Signal(int)
    """Cycle number that the remedy goes back to."""

    def __init__(self) -> None:
        super().__init__()
        self._verdict: Verdict | None = None
        self.gap: Gap | None = None
        """Of the cycle whose R factors stand beside it."""
        self._kept: int | None = None
        """Number of the cycle that a run which has ended kept."""
        self._chip = QRectF()
        self._button = QRectF()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.setFixedSize(theme.sizes.right, HEADER_HEIGHT)
        self.update()

    def set_width(self, width: int) -> None:
        self.setFixedWidth(width)

    def show_state(self, state: SessionState) -> None:
        verdict = verdict_of(state)
        kept = state.kept.statistics.cycle if state.status == "finished" and state.kept is not None else None
        gap = gap_shown(state) if verdict is not None else None
        if verdict is self._verdict and kept == self._kept and gap == self.gap:
            return
        self._verdict, self._kept, self.gap = verdict, kept, gap
        if verdict is None:
            self.setAccessibleName("")
            self.setToolTip("")
        else:
            self.setAccessibleName(f"{verdict.title}. {self.sentence} {verdict.remedy}")
            self.setToolTip(f"{self.sentence} {verdict.remedy}\nClick for the rules and their numbers.")
        self.update()

    @property
    def sentence(self) -> str:
        """The reason; with the number of its cycle where the R factors and the gap are those of another."""
        if self._verdict is None:
            return ""
        elsewhere = self.gap is not None and self.gap.cycle != self._verdict.cycle
        return f"Cycle {self._verdict.cycle}: {self._verdict.sentence}" if elsewhere else self._verdict.sentence

    @property
    def _back(self) -> bool:
        """The remedy goes back to an earlier cycle."""
        return self._is_late and self._verdict is not None and self._verdict.best_cycle != self._kept

    @property
    def _is_late(self) -> bool:
        """The newest cycle is judged to be one too many."""
        verdict = self._verdict
        return verdict is not None and verdict.state in ("watch", "overfitting") and verdict.best_cycle < verdict.cycle

    def paintEvent(self, event: QPaintEvent) -> None:
        verdict = self._verdict
        if verdict is None:
            return
        c = theme.colours
        icon, role = LOOKS[verdict.state]
        colour = c[role]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 1.5 if not self.hasFocus() else 2.5))
        box = QRectF(PADDING + 0.75, 12.75, advance(verdict.title, theme.font(13, 600)) + 46, 26.5)
        self._chip = box
        painter.drawRoundedRect(box, 13.25, 13.25)
        icons.draw(painter, icon, QRectF(box.left() + 11, 18, 16, 16), colour, 2.2)
        text.draw(painter, box.left() + 34, 31, verdict.title, 13, colour, 600)
        right = float(self.width() - PADDING)
        if self.gap is not None and math.isfinite(self.gap.gap):
            gap = f"gap {self.gap.gap:.3f}".replace("-", "\u2212")
            left = box.right() + 12
            start = left + advance(gap, theme.font(13, 600)) + 10
            if start - 10 <= right:
                text.draw(painter, left, 31, f"*{{{gap}}}", 13, c["text"], 600)
            if math.isfinite(self.gap.expected):
                word = "exp." if theme.sizes.name == "compact" else "expected"
                brief = f"{word} {self.gap.expected:.3f}"
                # As much as there is room for; the rules under the chip say all of it.
                for said in (f"{brief} \u00b1 {self.gap.sigma:.3f}", brief):
                    if advance(said, theme.font(12)) <= right - start:
                        text.draw(painter, start, 31, said, 12, c["label"])
                        break
        self._button = QRectF()
        if self._back:
            label = f"Back to cycle {verdict.best_cycle}"
            width = advance(label, theme.font(12, 600))
            self._button = QRectF(right - width - 4, 44, width + 8, 26)
            text.draw(painter, right - width, 62, label, 12, c["accent"], 600)
            right -= width + 14
        elif self._is_late:
            # The run has gone back by itself: what is judged is not what is shown and exported.
            label = f"cycle {verdict.best_cycle} is kept"
            width = advance(label, theme.font(12, 600))
            text.draw(painter, right - width, 62, label, 12, c["text"], 600)
            right -= width + 14
        text.draw(painter, PADDING, 62, self.sentence, 12, c["label"], 400, right - PADDING)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._verdict is not None and self._button.contains(event.position()):
            self.back_wanted.emit(self._verdict.best_cycle)
        elif self._verdict is not None and self._chip.contains(event.position()):
            self.show_rules()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Space) and self._verdict is not None:
            self.show_rules()
        else:
            super().keyPressEvent(event)

    def show_rules(self) -> None:
        """Every rule that was applied, with value and limit, in a panel under the chip."""
        verdict = self._verdict
        if verdict is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        lines = [f"{verdict.title}, cycle {verdict.cycle}: {verdict.sentence}"]
        if verdict.remedy:
            lines.append(f"What to do: {verdict.remedy}")
        on, off, gap = "\u25cf", "\u25cb", "\u2003"
        lines += [
            f"{on if rule.fired else off}  {rule.name}: {rule.value}{gap}[{rule.limit}]" for rule in verdict.rules
        ]
        for i, line in enumerate(lines):
            action = menu.addAction(line.replace("&", "&&"))
            action.setEnabled(i < 2)
        menu.popup(self.mapToGlobal(self._chip.bottomLeft().toPoint()))


class _Gap(QWidget):
    """A hairline between groups of buttons."""

    def __init__(self) -> None:
        super().__init__()
        self._tight = False
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.setFixedSize(5 if self._tight else {"wide": 17, "medium": 17, "compact": 13}[theme.sizes.name], 60)

    def set_tight(self, tight: bool) -> None:
        self._tight = tight
        self._restyle()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(QRectF(self.width() // 2, 14, 1, 32), theme.colours["hairline"])
        painter.end()


LEAST_VERDICT = 280
"""Pixels that the chip of every verdict and the gap beside it need."""


class Header(Surface):
    """The bar at the top of the window. In a narrow window it saves room, one thing after the other: the search field
    and the gaps become narrow, then the place of the verdict, then fetch, undo and redo are left to the menu."""

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
        self._column = theme.sizes.right
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(0)
        groups: list[list[QWidget]] = [
            [self.panel_button, HeaderButton(actions.open, "open"), HeaderButton(actions.fetch, "fetch")],
            [self.refine, HeaderButton(actions.pause, "pause"), HeaderButton(actions.step, "step"), self.stop],
            [HeaderButton(actions.undo, "undo"), HeaderButton(actions.redo, "redo")],
            [HeaderButton(actions.export, "export"), menu_button],
        ]
        self.buttons: list[HeaderButton] = []
        self._gaps: list[_Gap] = []
        for group in groups:
            for button in group:
                row.addWidget(button)
                if isinstance(button, HeaderButton):
                    self.buttons.append(button)
            self._gaps.append(_Gap())
            row.addWidget(self._gaps[-1])
        self._in_the_menu_too = [groups[0][2], *groups[2], self._gaps[2]]
        row.addSpacing(4)
        row.addWidget(self.search, 100)
        row.addStretch(1)
        row.addSpacing(12)
        row.addWidget(self.work)
        row.addSpacing(8)
        row.addWidget(self.free)
        row.addSpacing(10)
        line = QVBoxLayout()
        line.setContentsMargins(0, 16, 0, 16)
        row.addLayout(line)
        row.addWidget(self.verdict)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.search.setMaximumWidth(248)
        self.search.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fit()

    def set_column(self, width: int) -> None:
        """The column below the verdict is so wide; the verdict is as wide, where there is room for it."""
        self._column = width
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Save as much room as is needed and no more."""
        needed = 0
        for tight, narrow, fewer in ((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)):
            self.search.set_tight(bool(tight))
            for gap in self._gaps:
                gap.set_tight(bool(tight))
            for part in self._in_the_menu_too:
                part.setVisible(not fewer)
            self._row.invalidate()
            needed = self._row.minimumSize().width() - (0 if self.verdict.isHidden() else self.verdict.width())
            if needed + (min(self._column, LEAST_VERDICT) if narrow else self._column) <= self.width():
                break
        self.verdict.set_width(min(self._column, max(self.width() - needed, LEAST_VERDICT)))

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
            if state.viewed is not None:
                work = free = f"cycle {now.cycle}, looked at"
            elif state.status == "finished":
                work = free = f"cycle {now.cycle}, kept"
            else:
                before = state.statistics[-2] if len(state.statistics) > 1 else None
                work = change_text(before.r_work if before else None, now.r_work, short)
                free = change_text(before.r_free if before else None, now.r_free, short)
            self.work.show_value(now.r_work, math.nan, work)
            error = now.r_free_sigma if math.isfinite(now.r_free_sigma) else error_of_r_free(now.r_free, now.n_free)
            self.free.show_value(now.r_free, error, free)
        self.verdict.show_state(state)
