"""What lies over the 3D picture is painted once and copied: the copy is what painting anew would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QEnterEvent, QFont, QImage, QPainter, QPaintEvent, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from workbench.gui.viewport_depth import FOCUS, SLAB, DepthPanel
from workbench.gui.viewport_overlay import (
    AtomLabel,
    LevelRow,
    Overlay,
    OverlayColours,
    OverlayContent,
    RampRow,
    Ruler,
)
from workbench.gui.widgets.kept_painting import KeptPainting, KeptToolButton

LEVELS = (
    LevelRow(("#6699cc",), "2mFo-DFc", "1.50 \u03c3", "0.61 e/\u00c5\u00b3", "free set filled with DFc", active=True),
    LevelRow(("#33cc66", "#ee5544"), "mFo-DFc", "\u00b1 3.00 \u03c3", "\u00b1 0.30 e/\u00c5\u00b3", "", width=1.35),
)
CONTENT = OverlayContent(title="A 63 TRP", subtitles=("side chain   0.93", "main chain   0.95"), levels=LEVELS)
RAMP = RampRow("B", "12", "60", ("#223344", "#ddeeff"))
LIGHT = OverlayColours("#FAFBFC", "#FFFFFF", "#D0D5DB", "#14171B", "#444C57", "#667080", "#0A7D69", "#C5CBD3")


def painted(widget: QWidget) -> np.ndarray:
    """(height, width, 3) of the widget and what is in it, on a ground of one colour."""
    ratio = widget.devicePixelRatioF()
    size = widget.size()
    image = QImage(round(size.width() * ratio), round(size.height() * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor("#607080"))
    widget.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[:, :, :3].astype(int)


class Square(QWidget):
    """A disc of one colour in the middle, another below it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.resize(80, 90)
        self.colour = "#cc3311"
        self.drawn = 0
        self.kept = KeptPainting()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.kept.paint(self, painter, self.colour, self.paint)
        painter.end()

    def paint(self, painter: QPainter) -> None:
        self.drawn += 1
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.colour))
        painter.drawEllipse(QPointF(0.5 * self.width(), 0.4 * self.height()), 20.3, 11.7)
        painter.drawEllipse(QPointF(0.4 * self.width(), 0.9 * self.height()), 4.4, 4.4)


def direct(square: Square) -> np.ndarray:
    """As `painted`, without anything kept."""
    ratio = square.devicePixelRatioF()
    image = QImage(round(80 * ratio), round(90 * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor("#607080"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    square.paint(painter)
    painter.end()
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows.reshape(image.height(), -1, 4)[:, : image.width(), :3].astype(int)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_the_copy_is_what_painting_gives(qapp: QApplication, monkeypatch: pytest.MonkeyPatch, ratio: float) -> None:
    square = Square()
    monkeypatch.setattr(square, "devicePixelRatioF", lambda: ratio)
    for _ in range(3):
        assert np.abs(painted(square) - direct(square)).max() <= 2
    assert len(square.kept._parts) == 2, "two discs, and nothing of the empty rows between them"
    assert square.drawn == 1 + 3


def test_it_is_painted_anew_when_something_is_another(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    square = Square()
    seen = [painted(square), painted(square)]
    assert square.drawn == 1 and np.array_equal(seen[0], seen[1])
    square.colour = "#1133cc"
    assert np.abs(painted(square) - seen[0]).max() > 100 and square.drawn == 2
    square.resize(100, 90)
    assert painted(square).shape == (90, 100, 3) and square.drawn == 3
    monkeypatch.setattr(square, "devicePixelRatioF", lambda: 2.0)
    assert painted(square).shape == (180, 200, 3) and square.drawn == 4
    painted(square)
    assert square.drawn == 4


def test_nothing_to_paint_and_no_room_to_paint_in(qapp: QApplication) -> None:
    square = Square()
    square.paint = lambda painter: None  # type: ignore[method-assign]
    assert (painted(square) == painted(square)[0, 0]).all() and square.kept._parts == []
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    empty = QWidget()
    empty.resize(0, 0)
    painter = QPainter(image)
    KeptPainting().paint(empty, painter, 1, lambda painter: None)
    painter.end()


def overlay(content: OverlayContent, colours: OverlayColours | None = None) -> Overlay:
    made = Overlay(None)  # type: ignore[arg-type]
    made.resize(620, 420)
    made.show_content(content)
    if colours is not None:
        made.set_colours(colours)
    return made


CHANGES: dict[str, Callable[[OverlayContent], OverlayContent]] = {
    "title": lambda c: replace(c, title="A 64 GLY"),
    "lines under the title": lambda c: replace(c, subtitles=("side chain   0.94", "main chain   0.95")),
    "a level": lambda c: replace(c, levels=(replace(LEVELS[0], sigma="1.60 \u03c3"), LEVELS[1])),
    "a bright level": lambda c: replace(c, levels=(replace(LEVELS[0], bright=True), LEVELS[1])),
    "one map less": lambda c: replace(c, levels=LEVELS[:1]),
    "no map": lambda c: replace(c, levels=()),
    "measurements": lambda c: replace(c, measurements=("1   O \u2013 N   2.91 \u00c5",)),
    "a hint": lambda c: replace(c, hint="Measuring: click atoms, T ends"),
    "a legend of colours": lambda c: replace(c, ramp=RAMP),
    "a label": lambda c: replace(c, labels=(AtomLabel(300.0, 200.0, "A 63 TRP CB"),)),
    "a ruler": lambda c: replace(c, rulers=(Ruler(((200.0, 150.0), (330.0, 260.0)), "2.91 \u00c5"),)),
    "nothing at all": lambda c: OverlayContent(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_over_the_picture_is_seen(qapp: QApplication, change: str) -> None:
    there = overlay(CONTENT)
    before = painted(there)
    after = CHANGES[change](CONTENT)
    there.show_content(after)
    now = painted(there)
    assert np.abs(now - before).max() > 40, change
    assert np.array_equal(now, painted(overlay(after)))
    there.show_content(CONTENT)
    assert np.array_equal(painted(there), before)


def test_colours_font_and_size_are_seen_over_the_picture(qapp: QApplication) -> None:
    there = overlay(CONTENT)
    dark = painted(there)
    there.set_colours(LIGHT)
    light = painted(there)
    assert np.abs(light - dark).max() > 100
    assert np.array_equal(light, painted(overlay(CONTENT, LIGHT)))
    font = QFont(there.font())
    font.setItalic(True)
    there.setFont(font)
    assert np.abs(painted(there) - light).max() > 100
    there.setFont(QFont())
    assert np.array_equal(painted(there), light)
    there.resize(500, 380)
    smaller = painted(there)
    assert smaller.shape == (380, 500, 3) and (smaller[-16:] != [0x80, 0x70, 0x60]).any()


def test_labels_that_move_leave_the_words_as_they_are(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the view moves only marks change: the words are not painted again, and the marks are where they belong."""
    there, calls = overlay(CONTENT), []
    paint = there._paint_words
    monkeypatch.setattr(there, "_paint_words", lambda painter: (calls.append(1), paint(painter)))
    for step in range(5):
        label = AtomLabel(200.0 + 20.0 * step, 200.0, "A 63 TRP CB")
        moved = replace(CONTENT, labels=(label,))
        there.show_content(moved)
        assert np.array_equal(painted(there), painted(overlay(moved)))
    assert len(calls) == 1


def panel(*values: float) -> DepthPanel:
    made = DepthPanel(None)  # type: ignore[arg-type]
    made.adjustSize()
    made.show_values(*values)
    return made


def test_sliders_and_their_values_are_seen(qapp: QApplication) -> None:
    there = panel(0.0, 20.0, 13.0)
    seen = [painted(there)]
    for values in ((4.0, 20.0, 13.0), (4.0, 9.0, 13.0), (4.0, 9.0, 12.0), (4.0, 9.0, 120.0), (-4.0, 9.0, 120.0)):
        there.show_values(*values)
        now = painted(there)
        assert all(np.abs(now - other).max() > 100 for other in seen)
        assert np.array_equal(now, painted(panel(*values)))
        seen.append(now)
    # Values that are written alike and lie on the same step look alike.
    there.show_values(-4.001, 9.0, 120.0)
    assert np.array_equal(painted(there), seen[-1])
    there.set_extent(400.0)
    assert np.abs(painted(there) - seen[-1]).max() > 100, "the same values lie elsewhere on longer tracks"
    there.set_colours(LIGHT)
    assert np.abs(painted(there) - seen[-1]).max() > 100


def test_every_slider_says_its_value_and_can_be_read_aloud(qapp: QApplication) -> None:
    there = panel(-1.5, 20.0, 13.0)
    assert [slider.accessibleDescription() for slider in there._sliders] == [
        "\u22121.5 \u00c5",
        "20.0 \u00c5",
        "13.0 \u00c5",
    ]
    assert [slider.accessibleName() for slider in there._sliders] == [
        f"{name} in angstrom" for name in ("Focus", "Slab", "Radius")
    ]
    assert all(slider.toolTip() for slider in there._sliders)


def test_the_mouse_and_the_keyboard_move_what_is_seen(qapp: QApplication) -> None:
    there = panel(0.0, 20.0, 13.0)
    there.show()
    assert QTest.qWaitForWindowExposed(there, 120_000)
    there.focus_changed.connect(lambda value: there.show_values(value, 20.0, 13.0))
    still = painted(there)
    slider = there._sliders[FOCUS]
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=slider.rect().center() + slider.rect().topRight() / 4)
    clicked = painted(there)
    assert there.value_of(FOCUS) > 1.0 and np.abs(clicked - still).max() > 100
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert np.abs(painted(there) - clicked).max() > 100
    halo = DepthPanel(None)  # type: ignore[arg-type]
    halo.adjustSize()
    halo.show_values(there.value_of(FOCUS), 20.0, 13.0)
    plain = painted(halo)
    halo._sliders[SLAB].hasFocus = lambda: True  # type: ignore[method-assign]
    focused = painted(halo)
    place = halo._sliders[SLAB].geometry()
    differs = np.abs(focused - plain).max(axis=2) > 10
    assert differs.any() and not differs[: place.top()].any() and not differs[place.bottom() + 1 :].any()


def test_the_button_shows_the_pointer_over_it_and_its_style(qapp: QApplication) -> None:
    parent = QWidget()
    button = KeptToolButton(parent)
    button.setText("View")
    look = "QToolButton {{ color: {0}; background: #222; border: 2px solid #555; }}"
    look += "QToolButton:hover {{ border: 2px solid #0f0; }}"
    button.setStyleSheet(look.format("#fff"))
    button.adjustSize()
    parent.show()
    assert QTest.qWaitForWindowExposed(parent, 120_000)
    still = painted(button)
    assert np.array_equal(still, painted(button))
    middle = QPointF(button.rect().center())
    qapp.sendEvent(button, QEnterEvent(middle, middle, middle))
    button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    assert np.abs(painted(button) - still).max() > 100
    qapp.sendEvent(button, QEvent(QEvent.Type.Leave))
    button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    assert np.array_equal(painted(button), still)
    button.setStyleSheet(look.format("#f00"))
    assert np.abs(painted(button) - still).max() > 100
    button.setStyleSheet(look.format("#fff"))
    button.setText("Look")
    assert np.abs(painted(button) - still).max() > 100
