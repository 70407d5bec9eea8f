"""Pictures of the 3D view that other threads draw while the window does other things. Needs a display (Xvfb)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.gui.test_viewport import background, blob, bonds, needs_display, picture, settle, tiny_model
from workbench.gui.gl_fence import Fence
from workbench.gui.scene_image import SceneImage
from workbench.gui.viewport import Viewport
from workbench.view.camera import Camera
from workbench.view.line_set import NO_LINES
from workbench.view.maps import DENSITY, DIFFERENCE, MapSet

pytestmark = [pytest.mark.display, needs_display]


class HeldFence(Fence):
    """Passed when the test says so."""

    hold = False
    made = 0
    given_back = 0

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        HeldFence.made += 1

    def passed(self) -> bool:
        return not HeldFence.hold and super().passed()

    def drop(self) -> None:
        HeldFence.given_back += self._mark is not None
        super().drop()


@pytest.fixture
def view(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Viewport]:
    """A view that the processor draws, of an oxygen at the origin, with a picture on the screen."""
    HeldFence.hold, HeldFence.made, HeldFence.given_back = False, 0, 0
    monkeypatch.setattr("workbench.gui.scene_image.Fence", HeldFence)
    monkeypatch.setattr("workbench.gui.viewport_canvas.drawn_by_processor", lambda: True)
    viewport = Viewport()
    if not viewport.available:
        pytest.skip(f"no OpenGL here: {viewport.reason}")
    viewport.animated = False
    viewport.resize(400, 400)
    viewport.show()
    assert QTest.qWaitForWindowExposed(viewport, 120_000)
    viewport.set_model(tiny_model([(0, 0, 0)], ["O"]), bonds())
    viewport.set_options(replace(viewport.options, style="balls"))
    viewport._select(None)
    viewport.camera = Camera(height=20.0)
    until(lambda: not viewport._frames.waiting)
    picture(viewport)
    until(lambda: not viewport._frames.waiting)
    yield viewport
    HeldFence.hold = False
    viewport.close_threads()
    viewport.close()
    viewport.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120.0
    while not condition():
        assert time.monotonic() < end, "it never came"
        QApplication.processEvents()


def begun(view: Viewport) -> None:
    """Go on until a picture is being drawn, and is held."""
    until(lambda: view._frames._drawing.isActive() and view._scene._fence is not None)
    assert view._frames.waiting


def all_painted(view: Viewport) -> None:
    HeldFence.hold = False
    until(lambda: not view._frames.waiting and not view._scene._stale)


def on_screen(view: Viewport) -> float:
    """How far right of the middle, in angstrom, the atom stands in what the widget paints; NaN when nowhere."""
    image = view._scene.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    height, width = image.height(), image.width()
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(height, image.bytesPerLine())
    pixels = rows[:, : 3 * width].reshape(height, width, 3).astype(int)
    # Between the texts of the overlay; an oxygen is red.
    red = pixels[height // 3 : 2 * height // 3, :, 0] - pixels[height // 3 : 2 * height // 3, :, 2] > 50
    columns = np.nonzero(red)[1]
    return float(columns.mean() + 0.5 - 0.5 * width) * view.camera.height / height if len(columns) else float("nan")


def move(view: Viewport, x: float) -> None:
    view.move_atoms(np.array([[x, 0.0, 0.0]]))


def test_the_old_picture_stays_until_the_new_one_is_drawn(view: Viewport) -> None:
    HeldFence.hold = True
    move(view, 3.0)
    begun(view)
    view._overlay.update()
    for _ in range(5):
        QApplication.processEvents()
        QTest.qWait(5)
    assert view._frames.waiting
    assert on_screen(view) == pytest.approx(0.0, abs=0.2)
    all_painted(view)
    assert on_screen(view) == pytest.approx(3.0, abs=0.2)


def test_what_changes_while_a_picture_is_drawn_is_in_the_next(view: Viewport) -> None:
    HeldFence.hold = True
    move(view, 3.0)
    begun(view)
    made = HeldFence.made
    move(view, -4.0)
    move(view, -5.0)
    assert HeldFence.made == made, "one picture at a time"
    all_painted(view)
    assert on_screen(view) == pytest.approx(-5.0, abs=0.2)
    assert HeldFence.made == made + 1, "two changes, one more picture"
    assert HeldFence.given_back == HeldFence.made


def test_a_picture_that_is_overtaken_is_never_shown(view: Viewport) -> None:
    """A picture is painted at once (here for a copy of the scene) while another one is on its way."""
    HeldFence.hold = True
    move(view, 3.0)
    begun(view)
    view.scene.move(replace(view.scene.state, xyz=np.array([[6.0, 0.0, 0.0]])))
    view._with_context(view.scene.give)
    assert (picture(view)[200, 320] != background(view)).any()
    all_painted(view)
    assert on_screen(view) == pytest.approx(6.0, abs=0.2)
    assert HeldFence.given_back == HeldFence.made


@pytest.mark.parametrize("while_drawing", [False, True])
def test_a_hidden_view_draws_nothing_and_is_right_when_shown(view: Viewport, while_drawing: bool) -> None:
    if while_drawing:
        HeldFence.hold = True
        move(view, 3.0)
        begun(view)
    view.hide()
    all_painted_or_hidden(view)
    drawn: list[bool] = []
    draw = view._scene._draw
    view._scene._draw = lambda *words: drawn.append(True) or draw(*words)
    for x in (1.0, 2.0, 5.0):
        move(view, x)
        all_painted_or_hidden(view)
    assert not drawn
    view.show()
    assert QTest.qWaitForWindowExposed(view, 120_000)
    until(lambda: bool(drawn) and not view._frames.waiting)
    assert on_screen(view) == pytest.approx(5.0, abs=0.2)


def all_painted_or_hidden(view: Viewport) -> None:
    HeldFence.hold = False
    until(lambda: not view._frames.waiting)


def test_a_minimised_window_draws_nothing(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its widgets still say that they are visible; nothing of the window is exposed."""
    monkeypatch.setattr(type(view.windowHandle()), "isExposed", lambda _: False)
    drawn: list[bool] = []
    draw = view._scene._draw
    view._scene._draw = lambda *words: drawn.append(True) or draw(*words)
    # Qt itself asks the window, not this test: what it would paint is not painted here.
    view._scene.update = lambda: setattr(view._scene, "_stale", True)
    move(view, 4.0)
    until(lambda: not view._frames.waiting)
    assert not drawn and view._scene._stale
    monkeypatch.undo()
    del view._scene.update
    view._scene.update()
    until(lambda: bool(drawn))
    assert on_screen(view) == pytest.approx(4.0, abs=0.2)


def test_without_fences_pictures_are_waited_for(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(context: Any) -> Fence:
        raise RuntimeError("this OpenGL has no glFenceSync")

    monkeypatch.setattr("workbench.gui.scene_image.Fence", none)
    shown: list[bool] = []
    view._scene.frameSwapped.connect(lambda: shown.append(True))
    painted: list[bool] = []

    class Watcher(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                painted.append(True)
            return False

    watcher = Watcher()
    view._scene.installEventFilter(watcher)
    for x in (3.0, -2.0):
        painted.clear()
        move(view, x)
        all_painted(view)
        assert painted, "on the screen without anybody's asking for it"
        assert on_screen(view) == pytest.approx(x, abs=0.2)
    assert len(shown) == 2


def test_drafts_while_it_moves_then_the_full_picture(view: Viewport) -> None:
    drafts: list[bool] = []
    parts = view._scene.renderer.parts
    view._scene.renderer.parts = lambda *words: drafts.append(view._scene.renderer.draft) or parts(*words)
    view._moving.setInterval(120_000)  # in motion however slow the machine is
    for _ in range(3):
        view._drag_by("pan", 4.0, 0.0)
        until(lambda: not view._frames.waiting)
    assert drafts == [True] * 3
    HeldFence.hold = True
    view._drag_by("pan", 4.0, 0.0)
    begun(view)
    view._moving.start(1)
    until(lambda: not view._moving.isActive())
    all_painted(view)
    assert drafts == [True] * 4 + [False]
    assert on_screen(view) == pytest.approx(16.0 * 20.0 / 400.0, abs=0.2)
    seen = view._scene._image
    assert (picture(view) == as_numbers(seen)).all(), "what stands on the screen is the full picture"


def as_numbers(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int64)


def test_maps_are_around_the_very_centre_when_it_comes_to_rest(view: Viewport) -> None:
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((1, 0, 0))}))
    settle(view, lambda: len(view.tracer.wires) == 3)
    before = view.tracer.wires[DENSITY].centre
    view._moving.setInterval(120_000)
    for _ in range(3):
        view._drag_by("pan", 4.0, 0.0)  # 0.6 A in all: less than maps follow for in motion
    settle(view)
    assert np.array_equal(view.tracer.wires[DENSITY].centre, before)
    assert not np.allclose(view.camera.centre, before)
    view._moving.start(1)
    settle(view, lambda: np.array_equal(view.tracer.wires[DENSITY].centre, view.camera.centre))
    assert np.array_equal(view.tracer.wires[f"{DIFFERENCE} +"].centre, view.camera.centre)
    # And without a movement by hand (view undo, a slider).
    view._move_camera(view.camera.panned(0.1, 0.0))
    settle(view, lambda: np.array_equal(view.tracer.wires[DENSITY].centre, view.camera.centre))


def test_another_size_while_a_picture_is_drawn(view: Viewport) -> None:
    HeldFence.hold = True
    move(view, 3.0)
    begun(view)
    view.resize(600, 300)
    until(lambda: view._scene.width() == 600 and view._scene._image.width() == 600 * view.devicePixelRatioF())
    assert on_screen(view) == pytest.approx(3.0, abs=0.2)
    all_painted(view)
    assert (view._scene._image.width(), view._scene._image.height()) == view._scene._pixels()
    assert on_screen(view) == pytest.approx(3.0, abs=0.2)


def test_another_scale_factor_while_a_picture_is_drawn(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window goes to a screen of twice the pixels: the picture begun for the old one is not taken for one of it."""
    HeldFence.hold = True
    move(view, 3.0)
    begun(view)
    monkeypatch.setattr(view._scene, "devicePixelRatioF", lambda: 2.0)
    all_painted(view)
    QWidget.update(view._scene)  # what Qt asks for then
    until(view._scene._fits)
    image = view._scene._image
    assert (image.width(), image.height(), image.devicePixelRatio()) == (800, 800, 2.0)
    move(view, 1.0)
    all_painted(view)
    image = view._scene._image
    assert (image.width(), image.height(), image.devicePixelRatio()) == (800, 800, 2.0)


def test_a_theme_chosen_while_a_picture_is_drawn(view: Viewport) -> None:
    HeldFence.hold = True
    move(view, 3.0)
    begun(view)
    view.set_theme({"view": "#FAFBFC"})
    all_painted(view)
    assert on_screen(view) == pytest.approx(3.0, abs=0.2)
    assert view._scene._image.pixelColor(20, 200).lightness() > 240


@pytest.mark.parametrize("refining", [False, True])
def test_a_picture_saved_while_one_is_drawn(view: Viewport, refining: bool, tmp_path: Path) -> None:
    """Both are whole: the file at its own size, and the picture on the screen."""
    view.set_refining(refining)
    all_painted(view)
    HeldFence.hold = True
    move(view, 3.0)
    begun(view)
    assert view.save_picture(str(tmp_path / "x.png"), 400, 400, 2.0)
    saved = QImage(str(tmp_path / "x.png"))
    assert (saved.width(), saved.height()) == (800, 800)
    colour = saved.pixelColor(400 + 3 * 40, 400)
    assert colour.red() > colour.blue() + 50
    all_painted(view)
    assert on_screen(view) == pytest.approx(3.0, abs=0.2)
    assert view._scene.renderer.draft is refining


def test_a_context_lost_while_a_picture_is_drawn(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    HeldFence.hold = True
    move(view, 3.0)
    begun(view)
    lost = view._scene._context
    current = SceneImage._current
    monkeypatch.setattr(SceneImage, "_current", lambda self: self._context is not lost and current(self))
    all_painted(view)
    assert view._scene._context is not lost and view.available
    assert on_screen(view) == pytest.approx(3.0, abs=0.2)
    move(view, -3.0)
    all_painted(view)
    assert on_screen(view) == pytest.approx(-3.0, abs=0.2)


def test_a_context_lost_between_two_pictures(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = view._scene._context
    current = SceneImage._current
    monkeypatch.setattr(SceneImage, "_current", lambda self: self._context is not lost and current(self))
    move(view, 3.0)
    all_painted(view)
    assert on_screen(view) == pytest.approx(3.0, abs=0.2)


def test_drawing_that_fails_once_is_tried_again(view: Viewport) -> None:
    draw = view._scene._draw
    failures = [MemoryError("no room")]

    def fails_once(*words: Any) -> Iterator[None]:
        yield from draw(*words)
        if failures:
            raise failures.pop()

    view._scene._draw = fails_once
    move(view, 3.0)
    all_painted(view)
    assert not failures and view.available
    assert on_screen(view) == pytest.approx(3.0, abs=0.2)


def test_drawing_that_always_fails_is_said_and_given_up(view: Viewport) -> None:
    tries: list[bool] = []
    said: list[str] = []
    view.message.connect(said.append)

    def fails(*_: Any) -> None:
        tries.append(True)
        raise MemoryError("no room")

    view._scene._draw = fails
    move(view, 3.0)
    until(lambda: not view.available and not view._frames.waiting)
    assert "could not draw: no room" in said[-1] and len(said) == 1
    until(lambda: view._notice.isVisible() and not view._scene.isVisible())
    many = len(tries)
    move(view, 4.0)
    for _ in range(5):
        QTest.qWait(5)
    assert len(tries) == many == 2


def in_the_middle(view: Viewport, monkeypatch: pytest.MonkeyPatch, draft: bool = True) -> None:
    """Begin a picture with a map, and stop where half of its lines are told. Nothing but the test goes on with it."""
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0))}))
    settle(view, lambda: DENSITY in view.tracer.wires and not view._frames.waiting)
    monkeypatch.setattr("workbench.view.primitives.HAIRS_AT_ONCE", len(view.tracer.wires[DENSITY].lines) // 3 + 1)
    monkeypatch.setattr(view._frames, "want", lambda: None)
    view._drawn_slowly = lambda: draft
    picture(view)
    assert view._scene.begin() and view._scene._fence is None and view._scene._parts is not None
    if draft:
        assert not view._scene.advance() and view._scene._parts is not None


def shown(view: Viewport) -> np.ndarray:
    """Go on with the picture that was begun to its end; what is painted then."""
    HeldFence.hold = False
    until(view._scene.advance)
    view._scene.show_finished()
    return as_numbers(view._scene._image)


@pytest.mark.parametrize("draft", [True, False])
def test_a_picture_in_steps_is_the_picture(view: Viewport, monkeypatch: pytest.MonkeyPatch, draft: bool) -> None:
    in_the_middle(view, monkeypatch, draft)
    stepwise = shown(view)
    assert (stepwise == picture(view)).all()
    view._with_context(lambda renderer: renderer.set_lines(DENSITY, NO_LINES, np.zeros(3), 1.0))
    assert np.abs(stepwise - picture(view)).max() > 60, "lines of the map are on it"


@pytest.mark.parametrize("draft", [True, False])
def test_the_scene_changes_in_the_middle_of_a_picture(
    view: Viewport, monkeypatch: pytest.MonkeyPatch, draft: bool
) -> None:
    """It is of one moment: the camera, the atoms and the lines are those it was begun with."""
    in_the_middle(view, monkeypatch, draft)
    view._with_context(lambda _: None)
    before = shown(view)
    assert view._scene.begin() and view._scene._parts is not None
    view.camera = Camera(height=9.0)
    move(view, 4.0)
    assert view._scene._parts is None and view._scene._fence is not None, "told to the end before anything changed"
    view._with_context(lambda renderer: renderer.set_lines(DENSITY, NO_LINES, np.zeros(3), 1.0))
    assert (shown(view) == before).all()
    assert np.abs(picture(view) - before).max() > 60
    assert HeldFence.given_back == HeldFence.made


@pytest.mark.parametrize("now", [True, False])
def test_a_picture_left_in_the_middle_does_not_colour_the_next(
    view: Viewport, monkeypatch: pytest.MonkeyPatch, now: bool
) -> None:
    """Quick lines are drawn with other settings of OpenGL than anything else."""
    in_the_middle(view, monkeypatch)
    view._drawn_slowly = lambda: now
    after = picture(view)
    assert view._scene.advance() and view._scene._parts is None
    view._scene.forget()
    assert (picture(view) == after).all(), "as in a context in which nothing was drawn before"


def test_a_part_that_fails_is_drawn_again_at_once(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_middle(view, monkeypatch)
    expected = shown(view)
    draw = view._scene._draw
    failures = [MemoryError("no room")]

    def fails_later(*words: Any) -> Iterator[None]:
        parts = draw(*words)
        next(parts)
        yield
        if failures:
            raise failures.pop()
        yield from parts

    view._scene._draw = fails_later
    assert view._scene.begin() and failures
    until(view._scene.advance)
    until(lambda: not view._scene._stale)
    assert view.available and not failures and (as_numbers(view._scene._image) == expected).all()


def test_a_context_lost_in_the_middle_of_a_picture(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_middle(view, monkeypatch)
    lost = view._scene._context
    current = SceneImage._current
    monkeypatch.setattr(SceneImage, "_current", lambda self: self._context is not lost and current(self))
    until(view._scene.advance)
    until(lambda: not view._scene._stale)
    assert view._scene._context is not lost and view.available
    assert (as_numbers(view._scene._image) == picture(view)).all()


def test_another_size_and_a_lost_window_in_the_middle_of_a_picture(
    view: Viewport, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_middle(view, monkeypatch)
    view.resize(520, 300)
    until(lambda: view._scene.width() == 520 and view._scene._image.width() == 520 * view.devicePixelRatioF())
    assert view._scene._parts is None
    assert view._scene.begin()
    view._scene.forget()
    assert view._scene.advance() and view._scene._parts is None


def test_the_window_closes_while_a_picture_is_drawn() -> None:
    """In a program of its own: it ends as if nothing had been on its way."""
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from tests.gui.test_viewport import bonds, tiny_model
from workbench.gui import scene_image, viewport_canvas
from workbench.gui.viewport import Viewport
viewport_canvas.drawn_by_processor = lambda: True
app = QApplication([])
passed = scene_image.Fence.passed
places = np.random.default_rng(1).uniform(-20, 20, size=(800, 3))
model = tiny_model([tuple(place) for place in places], ["C"] * 800)
for how in ("given back", "deleted", "closed"):
    view = Viewport()
    view.resize(400, 300)
    view.show()
    QTest.qWaitForWindowExposed(view, 120000)
    view.set_model(model, bonds(*[(k, k + 1) for k in range(799)]))
    while view._frames.waiting:
        app.processEvents()
    view.move_atoms(places + 1.0)
    scene_image.Fence.passed = lambda _: False
    while view._scene._fence is None:
        app.processEvents()
    scene_image.Fence.passed = passed
    assert view._scene._fence is not None
    if how == "given back":
        view.close_threads()
    view.close()
    if how == "deleted":
        view.deleteLater()
    app.processEvents()
print("fine")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parents[2])],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0 and "fine" in done.stdout and not done.stderr, done.stderr
