"""Text with real subscripts: 'R_{free}' is set as R with a lowered, smaller 'free'.

Marks: `_{...}` subscript, `*{...}` strong, `-{...}` label colour, `.{...}` hint colour. They may be nested.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.theme import theme

MINUS = "\u2212"
SUBSCRIPT = 0.74


@dataclass(frozen=True)
class Run:
    """A piece of text of one style."""

    text: str
    subscript: bool = False
    strong: bool = False
    role: str = ""


def parse(markup: str) -> list[Run]:
    """Split marked text into runs; an unmatched brace stands for itself."""
    runs: list[Run] = []
    stack = [Run("")]
    plain = ""
    position = 0

    def flush() -> None:
        nonlocal plain
        if plain:
            runs.append(replace(stack[-1], text=plain))
            plain = ""

    while position < len(markup):
        mark = markup[position : position + 2]
        if mark in ("_{", "*{", "-{", ".{"):
            flush()
            style = stack[-1]
            if mark == "_{":
                stack.append(replace(style, subscript=True))
            elif mark == "*{":
                stack.append(replace(style, strong=True))
            else:
                stack.append(replace(style, role="label" if mark == "-{" else "hint"))
            position += 2
        elif markup[position] == "}" and len(stack) > 1:
            flush()
            stack.pop()
            position += 1
        else:
            plain += markup[position]
            position += 1
    flush()
    return runs


def plain_text(markup: str) -> str:
    """The words without the marks (for tooltips and screen readers)."""
    return "".join(run.text for run in parse(markup))


def literal(text: str) -> str:
    """A text from outside (a file name) in which nothing is a mark."""
    return text.replace("{", "\u2774").replace("}", "\u2775")


@lru_cache(maxsize=2048)
def _runs(markup: str, size: int, weight: int) -> tuple[tuple[Run, int, int, float], ...]:
    """Runs with their size in px, weight and width."""
    measured = []
    for run in parse(markup):
        pixels = max(round(size * SUBSCRIPT), 7) if run.subscript else size
        heavy = 600 if run.strong else weight
        measured.append((run, pixels, heavy, theme.metrics(pixels, heavy).horizontalAdvance(run.text)))
    return tuple(measured)


def measure(markup: str, size: int, weight: int = 400) -> float:
    """Width in px."""
    return sum(width for _, _, _, width in _runs(markup, size, weight))


def draw(
    painter: QPainter,
    x: float,
    baseline: float,
    markup: str,
    size: int,
    colour: QColor,
    weight: int = 400,
    available: float | None = None,
    disabled: bool = False,
) -> float:
    """Draw from `x` on `baseline`; what does not fit into `available` px is elided. Returns the x after the text."""
    runs = _runs(markup, size, weight)
    end = x + (measure(markup, size, weight) + 1 if available is None else available)
    cut = x + measure(markup, size, weight) > end + 0.5
    for run, pixels, heavy, width in runs:
        painter.setFont(theme.font(pixels, heavy))
        painter.setPen(theme.colours[run.role] if run.role and not disabled else colour)
        # Whole pixels for the line, fractions along it, so that runs join without a gap.
        place = QPointF(x, round(baseline + (size * 0.18 if run.subscript else 0)))
        metrics = theme.metrics(pixels, heavy)
        if cut and width > end - x - metrics.horizontalAdvance("\u2026"):
            # Two spaces make the text too long for its room for certain, so that the sign of elision appears.
            room = max(end - x, 0.0)
            painter.drawText(place, metrics.elidedText(run.text + "\u00a0\u00a0", Qt.TextElideMode.ElideRight, room))
            return end
        painter.drawText(place, run.text)
        x += width
    return x


class Label(QWidget):
    """One line of marked text that elides instead of clipping; the tooltip then shows all of it."""

    def __init__(
        self,
        markup: str = "",
        *,
        size: int = 12,
        weight: int = 400,
        role: str = "text",
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._markup = ""
        self._size = size
        self._weight = weight
        self._role = role
        self._align = align
        self._tooltip = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_text(markup)
        theme.changed.connect(self.update)

    def text(self) -> str:
        """The words as shown, without marks."""
        return plain_text(self._markup)

    def set_text(self, markup: str, tooltip: str = "") -> None:
        if markup == self._markup and tooltip == self._tooltip:
            return
        self._markup = markup
        self._tooltip = tooltip
        self.setAccessibleName(plain_text(markup))
        self._hint()
        self.updateGeometry()
        self.update()

    def set_role(self, role: str) -> None:
        if role != self._role:
            self._role = role
            self.update()

    def set_size(self, size: int) -> None:
        if size != self._size:
            self._size = size
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(measure(self._markup, self._size, self._weight)) + 2, self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(16, self._height())

    def _height(self) -> int:
        return round(self._size * 1.5)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hint()

    def _hint(self) -> None:
        elided = measure(self._markup, self._size, self._weight) > self.width() + 1
        self.setToolTip(self._tooltip or (plain_text(self._markup) if elided else ""))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = theme.metrics(self._size, self._weight)
        baseline = (self.height() + metrics.capHeight()) / 2
        x = 0.0
        if self._align == Qt.AlignmentFlag.AlignRight:
            x = max(0.0, self.width() - measure(self._markup, self._size, self._weight))
        elif self._align == Qt.AlignmentFlag.AlignHCenter:
            x = max(0.0, (self.width() - measure(self._markup, self._size, self._weight)) / 2)
        role = self._role if self.isEnabled() else "hint"
        draw(
            painter,
            x,
            baseline,
            self._markup,
            self._size,
            theme.colours[role],
            self._weight,
            self.width() - x,
            disabled=not self.isEnabled(),
        )
        painter.end()


class Paragraph(QWidget):
    """Wrapped text for a sentence or two."""

    def __init__(self, text: str = "", *, size: int = 12, role: str = "label", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._size = size
        self._role = role
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(text)
        theme.changed.connect(self.update)

    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.updateGeometry()
            self.update()

    def heightForWidth(self, width: int) -> int:
        metrics = theme.metrics(self._size)
        box = metrics.boundingRect(QRectF(0, 0, max(width, 1), 10000), int(Qt.TextFlag.TextWordWrap), self._text)
        return round(box.height()) + 4

    def hasHeightForWidth(self) -> bool:
        return True

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, round(self._size * 1.4))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(self._size))
        painter.setPen(theme.colours[self._role])
        painter.drawText(self.rect(), int(Qt.TextFlag.TextWordWrap), self._text)
        painter.end()
