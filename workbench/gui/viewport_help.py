"""Cards over the 3D view: the shortcuts (H), and the choice of what the mouse does when the view is first used."""

from __future__ import annotations

from itertools import combinations, pairwise

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.gui.viewport_bindings import PRESETS, Preset, shortcut_table
from workbench.gui.viewport_overlay import OverlayColours, interface_font

ROW, HEAD, PADDING, GUTTER = 19.0, 30.0, 24.0, 36.0
TOP, BOTTOM = 58.0, 14.0
NARROW, WIDE = 190.0, 250.0
"""px: columns are never narrower than the first, and rather three than two beyond the second."""

Group = tuple[str, list[tuple[str, str]]]
"""A heading and its rows: words of an action, its inputs."""


class ShortcutCard(QWidget):
    """All actions with their inputs, in columns; a click or any key closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._colours = OverlayColours()
        self._preset = PRESETS["default"]
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setAccessibleName("Shortcuts of the 3D view")
        self.hide()

    def set_colours(self, colours: OverlayColours) -> None:
        self._colours = colours
        self.update()

    def show_preset(self, preset: Preset) -> None:
        self._preset = preset
        lines = [f"{action}: {inputs}" for _, rows in shortcut_table(preset) for action, inputs in rows]
        self.setAccessibleDescription("; ".join(lines))
        self.update()

    def rows(self) -> list[tuple[str, str]]:
        """What is shown: words of an action, its inputs."""
        return [row for _, rows in shortcut_table(self._preset) for row in rows]

    def layout_of_rows(self) -> tuple[list[list[Group]], float]:
        """The groups by columns, so that the longest column is as short as can be, and the height of a row, px: all of
        them end above the lower edge. Inputs that have no room beside their words come in a row of their own."""
        ways = [self._in_columns(count) for count in (1, 2, 3)]
        # The largest rows; of equal ones three columns where they are wide enough, for short ways from word to key.
        return max(ways, key=lambda way: (way[1], len(way[0]) if self._column_width(len(way[0])) >= WIDE else 0))

    def _column_width(self, count: int) -> float:
        return (self.width() - 2 * PADDING - (count - 1) * GUTTER) / count

    def _in_columns(self, count: int) -> tuple[list[list[Group]], float]:
        width = self._column_width(count)
        if count > 1 and width < NARROW:
            return self._in_columns(count - 1)
        table = [(group, self._rows_in(rows, width)) for group, rows in shortcut_table(self._preset)]
        lengths = [HEAD + ROW * len(rows) for _, rows in table]
        best: tuple[float, tuple[int, ...]] | None = None
        for cuts in combinations(range(1, len(table)), count - 1):
            bounds = (0, *cuts, len(table))
            longest = max(sum(lengths[a:b]) for a, b in pairwise(bounds))
            if best is None or longest < best[0]:
                best = (longest, bounds)
        assert best is not None
        longest, bounds = best
        share = min(1.0, (self.height() - TOP - BOTTOM) / longest)
        return [table[a:b] for a, b in pairwise(bounds)], ROW * share

    def _rows_in(self, rows: list[tuple[str, str]], width: float) -> list[tuple[str, str]]:
        words, inputs = (
            QFontMetricsF(interface_font(self.font(), 12, weight))
            for weight in (QFont.Weight.Normal, QFont.Weight.Medium)
        )
        made = []
        for action, said in rows:
            if words.horizontalAdvance(action) + 12 + inputs.horizontalAdvance(said) <= width:
                made.append((action, said))
                continue
            first: list[str] = []
            rest = said.split(", ")
            room = width - words.horizontalAdvance(action) - 12
            while rest and inputs.horizontalAdvance(", ".join([*first, rest[0]]) + ",") <= room:
                first.append(rest.pop(0))
            made += [(action, ", ".join(first) + ("," if first and rest else "")), ("", ", ".join(rest))]
        return made

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        c = self._colours
        ground = QColor(c.background)
        ground.setAlpha(236)
        painter.fillRect(self.rect(), ground)
        title = interface_font(self.font(), 16, QFont.Weight.DemiBold)
        text = interface_font(self.font(), 12)
        painter.setFont(title)
        painter.setPen(QColor(c.text))
        painter.drawText(QPointF(PADDING, 34), f"{self._preset.title}: mouse and keys")
        painter.setFont(text)
        painter.setPen(QColor(c.hint))
        closing = "H closes"
        measure = QFontMetricsF(text)
        painter.drawText(QPointF(self.width() - PADDING - measure.horizontalAdvance(closing), 34), closing)
        columns, row_height = self.layout_of_rows()
        size = min(max(row_height - 4.0, 8.0), 12.0)
        head = interface_font(self.font(), size + 1.0, QFont.Weight.DemiBold)
        text, strong = interface_font(self.font(), size), interface_font(self.font(), size, QFont.Weight.Medium)
        measure, inked = QFontMetricsF(text), QFontMetricsF(strong)
        width = self._column_width(len(columns))
        for k, column in enumerate(columns):
            left, y = PADDING + k * (width + GUTTER), TOP
            for group, rows in column:
                painter.setFont(head)
                painter.setPen(QColor(c.accent))
                painter.drawText(QPointF(left, y + 14), group)
                y += HEAD * row_height / ROW
                for action, inputs in rows:
                    painter.setFont(text)
                    painter.setPen(QColor(c.label))
                    said = measure.elidedText(action, Qt.TextElideMode.ElideRight, width)
                    painter.drawText(QPointF(left, y + 10), said)
                    painter.setFont(strong)
                    painter.setPen(QColor(c.text))
                    start = left + measure.horizontalAdvance(said) + 12
                    fitted = inked.elidedText(inputs, Qt.TextElideMode.ElideRight, left + width - start)
                    painter.drawText(QPointF(left + width - inked.horizontalAdvance(fitted), y + 10), fitted)
                    y += row_height
        painter.end()


class PresetChoice(QWidget):
    """Shown once: which hand is used to? `chosen(name)` of a preset; Escape takes the first."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._colours = OverlayColours()
        self.buttons: dict[str, QPushButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 46, 20, 20)
        layout.setSpacing(8)
        for preset in PRESETS.values():
            button = QPushButton(f"{preset.title}\n{preset.words}", self)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.setAccessibleName(preset.title)
            button.setAccessibleDescription(preset.words)
            button.clicked.connect(lambda _=False, name=preset.name: self.chosen.emit(name))
            layout.addWidget(button)
            self.buttons[preset.name] = button
        self._hint = QLabel("Escape takes the first. It can be changed later: View > Mouse and keys.", self)
        layout.addWidget(self._hint)
        self.set_colours(self._colours)
        self.hide()

    def set_colours(self, c: OverlayColours) -> None:
        self._colours = c
        for button in self.buttons.values():
            button.setFont(interface_font(self.font(), 12))
            button.setStyleSheet(
                f"QPushButton {{ background: {c.panel}; color: {c.text}; border: 1px solid {c.hairline};"
                f" border-radius: 8px; padding: 10px 14px; text-align: left; }}"
                f"QPushButton:hover, QPushButton:focus {{ border: 1px solid {c.accent}; }}"
            )
        self._hint.setFont(interface_font(self.font(), 11))
        self._hint.setStyleSheet(f"color: {c.hint}; background: transparent; padding: 4px 0 0 2px;")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(self._colours.background)
        ground.setAlpha(240)
        painter.setPen(QPen(QColor(self._colours.hairline), 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        painter.setFont(interface_font(self.font(), 13, QFont.Weight.DemiBold))
        painter.setPen(QColor(self._colours.text))
        painter.drawText(QPointF(20, 30), "How do you turn a model?")
        painter.end()
