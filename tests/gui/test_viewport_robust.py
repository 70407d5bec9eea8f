"""The 3D view under hardship: odd models, a lost context, many cycles, a busy window. Needs a display (Xvfb)."""

from __future__ import annotations

import gc
import resource
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QHBoxLayout, QLabel, QMainWindow, QWidget

from tests.fake_run import fake_run, recorded_run
from tests.gui.test_viewport import at, background, blob, bonds, needs_display, picture, settle, tiny_model
from workbench.core.crystal import Crystal, Model
from workbench.core.events import CycleFinished, Prepared
from workbench.gui.app import make_window
from workbench.gui.scene_image import SceneImage
from workbench.gui.scene_widget import SceneWidget
from workbench.gui.viewport import Viewport
from workbench.gui.viewport_overlay import LevelRow, OverlayContent, RampRow, interface_font, lines_of
from workbench.gui.viewport_picture import PictureDialog
from workbench.view.atoms import STYLES
from workbench.view.camera import Camera
from workbench.view.colouring import COLOURINGS
from workbench.view.density import DensityGrid
from workbench.view.maps import DENSITY, DIFFERENCE, MapSet, contours


@pytest.fixture
def view(qapp: QApplication) -> Iterator[Viewport]:
    viewport = Viewport()
    if not viewport.available:
        pytest.skip(f"no OpenGL here: {viewport.reason}")
    viewport.animated = False
    viewport.resize(400, 400)
    yield viewport
    viewport.close_threads()
    viewport.close()
    viewport.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(params=["by the processor", "as with a card"])
def either(request: pytest.FixtureRequest, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Viewport]:
    """Both surfaces that a scene can have: a picture of its own, and Qt's OpenGL widget."""
    by_processor = request.param == "by the processor"
    monkeypatch.setattr("workbench.gui.viewport_canvas.drawn_by_processor", lambda: by_processor)
    viewport = Viewport()
    if not viewport.available:
        pytest.skip(f"no OpenGL here: {viewport.reason}")
    assert isinstance(viewport._scene, SceneImage if by_processor else SceneWidget)
    viewport.animated = False
    viewport.resize(400, 400)
    yield viewport
    viewport.close_threads()
    viewport.close()
    viewport.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def shown(view: Viewport) -> Viewport:
    view.show()
    QTest.qWaitForWindowExposed(view)
    return view


@pytest.mark.display
@needs_display
def test_a_dock_that_floats_and_returns_keeps_its_picture(either: Viewport, qapp: QApplication) -> None:
    """The context goes with the window; the scene is given to the new one."""
    view = either
    window = QMainWindow()
    dock = QDockWidget("view", window)
    dock.setWidget(view)
    window.setCentralWidget(QMainWindow())
    from PySide6.QtCore import Qt

    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.resize(900, 500)
    window.show()
    QTest.qWaitForWindowExposed(window)
    view.set_model(tiny_model([(0, 0, 0), (3, 0, 0)], ["O", "N"]), bonds((0, 1)))
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((0, 4, 0))}))
    view.set_options(replace(view.options, style="balls", cell=True))
    view.camera = view.camera.centred(np.zeros(3))
    settle(view, lambda: len(view.tracer.wires) == 3)
    red = at(view, (0.13, 0.09, 0))
    assert red[0] > red[2] + 50
    for floating in (True, False, True, False):
        dock.setFloating(floating)
        for _ in range(5):
            QTest.qWait(20)
        view.move_atoms(np.array([[0.0, 0.1, 0.0], [3.0, 0.0, 0.0]]))
        settle(view)
        again = at(view, (0.13, 0.19, 0))
        assert again[0] > again[2] + 50, f"floating={floating}: {again}"
        blue = (picture(view)[..., 2] > picture(view)[..., 0] + 40).sum()
        assert blue > 100
    dock.setWidget(None)
    view.setParent(None)
    window.close()
    window.deleteLater()


@pytest.mark.display
@needs_display
def test_a_context_that_is_lost_is_made_again(either: Viewport) -> None:
    view = either
    shown(view).set_model(tiny_model([(0, 0, 0)], ["O"]), bonds())
    view.camera = view.camera.centred(np.zeros(3))
    assert (at(view, (0, 0, 0)) != background(view)).any()
    assert view._scene is not None
    view._scene.forget()
    assert view._scene.renderer is None
    view.move_atoms(np.zeros((1, 3)))  # nothing to draw with: no error
    if isinstance(view._scene, SceneWidget):
        view._scene.makeCurrent()
        view._scene.initializeGL()
        view._scene.doneCurrent()
    assert (at(view, (0, 0, 0)) != background(view)).any()


@pytest.mark.display
@needs_display
def test_both_surfaces_show_the_same_picture(either: Viewport) -> None:
    """Colours, the right way up, under the texts; and what lies over it is not drawn into the scene."""
    view = shown(either)
    view.set_model(tiny_model([(0, 0, 0), (0, 4, 0), (5, 4, 0)], ["O", "N", "C"]), bonds((0, 1)))
    view.set_options(replace(view.options, style="balls"))
    view.camera = Camera(height=20.0)
    settle(view)
    for place, channel in (((0.1, 0.1, 0), 0), ((0.1, 4.1, 0), 2)):
        assert at(view, place)[channel] > at(view, place)[2 - channel] + 40, place
    grabbed = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    x, y, _ = view.camera.project(np.array([[5.1, 4.1, 0.0]]), 400, 400)[0]
    ratio = grabbed.width() / 400
    seen = grabbed.pixelColor(round(x * ratio), round(y * ratio)).getRgb()[:3]
    assert np.abs(np.array(seen) - at(view, (5.1, 4.1, 0.0))).max() < 12


@pytest.mark.display
@needs_display
def test_what_lies_over_the_scene_does_not_draw_it_anew(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(shown(view)._scene, SceneImage):
        pytest.skip("a graphics card draws here")
    view.set_model(tiny_model([(0, 0, 0), (2, 0, 0)], ["O", "N"]), bonds())
    settle(view)
    drawn: list[bool] = []
    draw = view._scene._draw
    monkeypatch.setattr(view._scene, "_draw", lambda *words: (drawn.append(True), draw(*words)))
    view.toggle_label(0)
    view._overlay.repaint()
    assert view._overlay.content.labels and not drawn
    view.move_atoms(np.array([[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]]))
    settle(view, lambda: bool(drawn))
    assert drawn


@pytest.mark.display
@needs_display
def test_a_slow_frame_is_painted_in_a_beat_of_its_own(view: Viewport) -> None:
    """While the view moves and the processor draws: what else has changed in the window is painted first, and the frame
    not in the same turn of the event loop; many movements in one turn are one frame."""
    if not isinstance(view._scene, SceneImage):
        pytest.skip("a graphics card draws here")
    window = QWidget()
    row = QHBoxLayout(window)
    plot = QLabel("plot")
    row.addWidget(view)
    row.addWidget(plot)
    window.show()
    QTest.qWaitForWindowExposed(window)
    view.set_model(tiny_model([(0, 0, 0), (2, 0, 0)], ["O", "N"]), bonds())
    settle(view)
    painted: list[str] = []
    turn = 0

    class Watcher(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                painted.append(f"{'scene' if watched is view._scene else 'plot'} {turn}")
            return False

    watcher = Watcher()
    view._scene.installEventFilter(watcher)
    plot.installEventFilter(watcher)
    view._moving.setInterval(60_000)  # still in motion however slow the machine is
    for _ in range(5):
        view._drag_by("pan", 1.0, 0.0)
    assert view._frames.waiting and view.moving_slowly and not painted
    plot.update()
    end = time.monotonic() + 60.0
    while view._frames.waiting and time.monotonic() < end:
        turn += 1
        QApplication.processEvents()
    # (The display may ask for a picture of the whole window once more; that is before the frame then.)
    plots = [words for words in painted if words.startswith("plot")]
    assert plots and painted[-1].startswith("scene") and plots[-1].split()[1] != painted[-1].split()[1]
    view.setParent(None)
    window.close()
    window.deleteLater()


def empty() -> Model:
    model = tiny_model([(0, 0, 0)], ["C"])
    arrays = {name: value[:0] for name, value in vars(model).items() if isinstance(value, np.ndarray)}
    rows = type(model.residues)(**{name: value[:0] for name, value in vars(model.residues).items()})
    return Model(**{**vars(model), **arrays, "residues": rows})


@pytest.mark.display
@needs_display
@pytest.mark.parametrize("kind", ["none", "one", "nan", "all nan"])
def test_odd_models_are_drawn_in_every_style(view: Viewport, kind: str) -> None:
    models = {
        "none": empty(),
        "one": tiny_model([(0, 0, 0)], ["C"]),
        "nan": tiny_model([(np.nan, 0, 0), (1, 1, 1), (0, np.inf, 0)], ["C", "N", "O"], residue=[0, 1, 2]),
        "all nan": tiny_model([(np.nan, np.nan, np.nan)] * 2, ["C", "N"], residue=[0, 1]),
    }
    said: list[str] = []
    view.message.connect(said.append)
    model = models[kind]
    shown(view).set_model(model, bonds((0, 1)) if len(model) > 1 else bonds())
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((1, 0, 0))}))
    for style in STYLES:
        for by in COLOURINGS:
            view.set_options(replace(view.options, style=style, colour_by=by, symmetry=True, glow=True))
    for action in ("next_residue", "next_peak", "go_ligand", "go_blob", "label_centre", "measure", "toggle_section"):
        view.perform(action)
    view.move_atoms(np.full(model.xyz.shape, np.nan))
    view.move_atoms(np.asarray(model.xyz))
    assert view.pick(200, 200) is None or kind in ("one", "nan")
    settle(view)
    assert np.isfinite(view.camera.centre).all()
    assert picture(view).shape == (400, 400, 3)
    if kind == "all nan":
        view.centre_on_residue(1)
        assert any("not numbers" in text for text in said)


@pytest.mark.display
@needs_display
def test_a_cell_of_one_angstrom(view: Viewport) -> None:
    """A nonsense cell: thousands of copies must not stop the window."""
    model = tiny_model([(0, 0, 0), (0.5, 0, 0)], ["C", "N"])
    tiny = Crystal((1.0, 1.0, 1.0, 90.0, 90.0, 90.0), "P 1")
    model = replace(model, crystal=tiny)
    shown(view).set_model(model, bonds((0, 1)))
    values = np.random.default_rng(0).normal(size=(4, 4, 4)).astype(np.float32)
    view.set_options(replace(view.options, symmetry=True, cell=True))
    view.set_maps(MapSet({DENSITY: DensityGrid(values, tiny, float(values.std()))}))
    view.set_radius(6.0)
    settle(view, lambda: DENSITY in view.tracer.wires)
    assert len(view.scene.mates) <= 500
    assert picture(view).shape == (400, 400, 3)


def resident() -> float:
    """MB in memory now."""
    if sys.platform.startswith("linux"):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize() / 1e6
    pytest.skip("resident memory is read from /proc")


@pytest.mark.display
@needs_display
def test_closing_the_window_ends_the_threads_of_the_view(qapp: QApplication) -> None:
    """Maps on their way are not waited for, what the card or the processor holds is given back, and nothing of the
    view that comes later raises."""
    window = make_window(source=fake_run, keep_preferences=False)
    view = window.view.viewport
    if view is None or not view.available:
        pytest.skip("no OpenGL here")
    window.show()
    assert QTest.qWaitForWindowExposed(window, 120_000)
    view.set_model(tiny_model([(0, 0, 0)], ["O"]), bonds())
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0))}))
    view._in_motion()
    window.close()
    assert not view._moving.isActive()
    for pool in (view.tracer._threads, view.tracer._map_thread):
        with pytest.raises(RuntimeError):
            pool.submit(len, "")
    if isinstance(view._scene, SceneImage):
        assert view._scene.renderer is None
    view.camera = view.camera.panned(5.0, 0.0)
    view._at_rest()
    view.set_radius(9.0)
    for _ in range(5):
        QApplication.processEvents()
    window.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.mark.display
@needs_display
def test_memory_stays_flat(view: Viewport) -> None:
    """200 cycles of moving atoms and 200 contours: what is resident at the end is what was after the first fifty."""
    events = recorded_run(cycles=3)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    view.resize(160, 120)
    shown(view).set_prepared(prepared)
    view.set_options(replace(view.options, colour_by="shift", glow=True))
    after: list[float] = []
    for number in range(200):
        view.set_cycle(cycles[number % len(cycles)])
        view.centre_on_point(np.array([0.9 * (number % 7), 0.0, 0.0]))
        settle(view, lambda: len(view.tracer.wires) == 3)
        if number % 50 == 49:
            gc.collect()
            after.append(resident())
    assert after[-1] < 1.05 * after[0], after


@pytest.mark.display
@needs_display
def test_the_window_answers_while_maps_are_contoured(view: Viewport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contours are made in other threads: while none of them comes to its end, the view is moved and drawn.

    How long a beat of the window takes meanwhile is measured by scripts/measure_heartbeat.py.
    """
    model = tiny_model([(x, 0.3 * x, 0) for x in np.arange(0.0, 30.0, 1.5)], ["C"] * 20, residue=list(range(20)))
    shown(view).set_model(model, bonds(*[(k, k + 1) for k in range(19)]))
    go_on = threading.Event()
    traced_in: list[threading.Thread] = []

    def held(*words: Any, **named: Any) -> Any:
        traced_in.append(threading.current_thread())
        go_on.wait(120.0)
        return contours(*words, **named)

    monkeypatch.setattr("workbench.gui.viewport_maps.contours", held)
    try:
        view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((4, 0, 0))}))
        before = picture(view)
        for _ in range(10):
            view._move_camera(view.camera.panned(0.3, 0.1))
            QApplication.processEvents()
        assert view.busy and not view.tracer.wires
        assert (picture(view) != before).any()
    finally:
        go_on.set()
    settle(view, lambda: len(view.tracer.wires) == 3)
    assert traced_in and threading.main_thread() not in traced_in


@pytest.mark.display
@needs_display
def test_maps_of_a_cycle_come_with_peaks_and_opened_maps_stay(view: Viewport, tmp_path: Path) -> None:
    events = recorded_run(cycles=2)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    shown(view).set_prepared(prepared)
    view.set_cycle(cycles[0])
    settle(view, lambda: len(view.tracer.wires) == 3)
    view.tracer.add_map("mine", blob((0, 0, 0)), False)
    view.centre_on_residue(1)
    view.omit_residue()
    settle(view, lambda: len(view.tracer.maps.grids) == 4)
    view.set_cycle(cycles[1])
    settle(view)
    names = list(view.tracer.maps.grids)
    assert names[:2] == [DENSITY, DIFFERENCE] and names[2:] == ["mine", "polder A 2 VAL"]
    assert view._overlay is not None
    when = cycles[0].statistics.cycle
    written = [*names[:3], f"polder A 2 VAL of cycle {when}"]
    assert [row.name.replace("\u2212", "-") for row in view._overlay.content.levels] == written
    said: list[str] = []
    view.message.connect(said.append)
    view.open_map(str(tmp_path / "nowhere.map"))
    settle(view, lambda: bool(said))
    assert "nowhere.map" in said[-1] and len(view.tracer.maps.grids) == 4
    view.menu.follow()
    assert [action.text() for action in view.menu._shown] == written
    view.menu._shown[2].setChecked(False)
    assert "mine" in view.tracer.hidden and "mine" not in view.tracer.wires
    # A file with several maps of another crystal: the first of each kind is shown, and it is said.
    path = tmp_path / "other.mtz"
    map_coefficients_file(path, ("FWT", "PHWT"), ("DELFWT", "PHDELWT"), ("FC", "PHIC"))
    view.open_map(str(path))
    settle(view, lambda: len(view.tracer.maps.grids) == 7)
    assert view.tracer.active == "other.mtz FWT" and view.tracer.hidden == {"mine", "other.mtz FC"}
    assert "1 more of this file" in said[-1] and "another crystal than the model: P 1, 31.0 32.0" in said[-1]
    assert view._overlay is not None
    rows = [row.name for row in view._overlay.content.levels]
    assert "other.mtz FWT" in rows and "mine" not in rows and rows[-1] == "and 2 hidden"
    view.menu.follow()
    assert [action.text() for action in view.menu.closing.actions()] == list(view.tracer.maps.grids)[2:]
    for action in list(view.menu.closing.actions()):
        action.trigger()
    assert list(view.tracer.maps.grids) == [DENSITY, DIFFERENCE]
    assert set(view.tracer.wires) <= {DENSITY, f"{DIFFERENCE} +", f"{DIFFERENCE} -"}


@pytest.mark.display
@needs_display
def test_omit_maps_say_which_model_they_are_of(view: Viewport) -> None:
    """After further cycles they tell of which one they are, until they are made anew; back at that cycle they are
    right again."""
    events = recorded_run(cycles=2)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    shown(view).set_prepared(prepared)
    view.set_cycle(cycles[0])
    view.centre_on_residue(1)
    view.omit_residue()
    name = "polder A 2 VAL"
    settle(view, lambda: name in view.tracer.maps.grids)
    number = [cycle.statistics.cycle for cycle in cycles]

    def written() -> tuple[str, bool]:
        view.menu.follow()
        row = view._overlay.content.levels[-1].name
        assert row == view.menu._shown[-1].text()
        return row, view.menu.omit_anew.isEnabled()

    assert written() == (name, False)
    view.set_cycle(cycles[1])
    settle(view)
    assert written() == (f"{name} of cycle {number[0]}", True)
    view.set_cycle(cycles[0])
    settle(view)
    assert written() == (name, False)
    view.set_cycle(cycles[1])
    settle(view)
    older = view.tracer.maps.grids[name]
    view.set_level(name, 4.5)
    view.tracer.active = DENSITY
    view.menu.follow()
    view.menu.omit_anew.trigger()
    settle(view, lambda: view.tracer.maps.grids[name] is not older)
    settle(view, lambda: f"{name} +" in view.tracer.wires)
    assert written() == (name, False)
    assert view.levels[name] == 4.5 and view.tracer.active == DENSITY
    assert not np.array_equal(view.tracer.maps.grids[name].values, older.values)
    view.tracer.remove_map(name)
    assert not view.omits_are_older and not view.tracer.omits


@pytest.mark.display
@needs_display
def test_the_section_is_of_the_map_that_is_shown(view: Viewport) -> None:
    """It follows the cycles, the choice of the map, and goes with the maps, without a movement of the view."""
    shown(view).set_model(tiny_model([(0, 0, 0), (2, 0, 0)], ["O", "N"]), bonds())
    view.set_section(True)
    settle(view)
    assert view.tracer.section is None
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((4, 0, 0))}))
    settle(view)
    first = view.tracer.section
    assert first is not None and first.name == DENSITY
    view.set_maps(MapSet({DENSITY: blob((1, 0, 0)), DIFFERENCE: blob((4, 0, 0))}))
    settle(view)
    second = view.tracer.section
    assert second is not None and not np.array_equal(first.values, second.values)
    view.tracer.add_map("mine", blob((2, 0, 0)), False)
    settle(view)
    assert view.tracer.section is not None and view.tracer.section.name == "mine"
    view.tracer.remove_map("mine")
    settle(view)
    assert view.tracer.section is not None and view.tracer.section.name == DENSITY
    view.perform("toggle_map")
    settle(view)
    assert view.tracer.section is None and view._overlay is not None
    assert view._overlay.content.levels[0].remark == "hidden"
    view.perform("toggle_map")
    settle(view)
    assert view.tracer.section is not None
    view.set_maps(MapSet({}))
    settle(view)
    assert view.tracer.section is None


@pytest.mark.display
@needs_display
def test_lines_of_negative_density_are_broken_in_a_section(view: Viewport) -> None:
    """Along the contour at one sigma: unbroken around positive density, in dashes around negative density."""
    shown(view).set_model(tiny_model([(30, 30, 30)], ["O"]), bonds())
    view._select(None)
    view.camera = Camera(height=10.0)
    angles = np.linspace(0.0, 2.0 * np.pi, 360, endpoint=False)
    radius = np.sqrt(np.log(10.0) / 0.3)  # where a blob of 10 sigma has come down to 1
    drawn = {}
    for sign in (1.0, -1.0):
        view.set_maps(MapSet({DIFFERENCE: blob((0, 0, 0), sign)}))
        view.tracer.active = DIFFERENCE
        view.set_section(True)
        settle(view, lambda: view.tracer.section is not None and not view.tracer.busy)
        shot = np.abs(picture(view) - background(view)).sum(axis=2)
        x = np.round(200 + 40.0 * radius * np.cos(angles)).astype(int)
        y = np.round(200 - 40.0 * radius * np.sin(angles)).astype(int)
        near = np.max([shot[y + i, x + j] for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)
        drawn[sign] = near > 120
        view.set_section(False)
        view.set_maps(MapSet({}))
    assert drawn[1.0].all()
    assert 0.4 < drawn[-1.0].mean() < 0.95 and np.count_nonzero(np.diff(drawn[-1.0].astype(int))) > 20


def map_coefficients_file(path: Path, *pairs: tuple[str, str]) -> None:
    """Write an MTZ file with these amplitudes and phases, of a crystal of its own."""
    import gemmi

    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = gemmi.SpaceGroup("P 1")
    mtz.set_cell_for_all(gemmi.UnitCell(31.0, 32.0, 33.0, 90.0, 90.0, 90.0))
    mtz.add_dataset("maps")
    for amplitude, phase in pairs:
        mtz.add_column(amplitude, "F")
        mtz.add_column(phase, "P")
    rng = np.random.default_rng(4)
    hkl = np.array([(h, k, m) for h in range(5) for k in range(5) for m in range(1, 5)], dtype=float)
    mtz.set_data(np.column_stack([hkl, rng.uniform(1.0, 90.0, size=(len(hkl), 2 * len(pairs)))]).astype(np.float32))
    mtz.write_to_file(str(path))


@pytest.mark.display
@needs_display
def test_the_legend_marks_the_map_that_the_wheel_sets(view: Viewport) -> None:
    """An arrow, bolder words and "wheel sets it": not colour alone."""
    shown(view).set_model(tiny_model([(0, 0, 0), (2, 0, 0)], ["O", "N"]), bonds())
    view.resize(900, 500)
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((4, 0, 0))}))
    view._depth.hide()
    settle(view)
    overlay = view._overlay

    def marked() -> list[bool]:
        """For the rows of the legend from above: whether the arrow's place is painted in the text's colour."""
        image = overlay.grab().toImage()
        ratio = image.devicePixelRatio()
        tall = overlay.height()
        places = [(18, tall - 20 - 24), (18, tall - 20)]
        return [image.pixelColor(round(x * ratio), round(y * ratio)).lightness() > 180 for x, y in places]

    assert [row.active for row in overlay.content.levels] == [True, False] and marked() == [True, False]
    view.perform("next_map")
    assert [row.active for row in overlay.content.levels] == [False, True] and marked() == [False, True]
    view.set_section(True)
    assert view._overlay.content.levels[1].remark == "section, a line each \u03c3"
    view.set_section(False)
    assert "green" in view._overlay.content.levels[1].remark
    # Colours are told in words that are each map's own.
    view.tracer.add_map("polder A 1", blob((4, 0, 0)), True)
    settle(view)
    words = [row.remark for row in overlay.content.levels]
    assert "+ green" in words[1] and "+ cyan" in words[2] and "magenta" in words[2]
    assert len({row.colours for row in overlay.content.levels}) == 3


@pytest.mark.display
@needs_display
@pytest.mark.parametrize("ground", ["#101216", "#FAFBFC"])
@pytest.mark.parametrize("maps", [1, 2])
def test_the_legend_is_read_over_bright_wires(view: Viewport, ground: str, maps: int) -> None:
    """Behind the whole of every row its ground, whatever the scene shows there: here magenta."""
    table = {"view": ground, "panel": "#FFFFFF", "text": "#16191D"} if ground == "#FAFBFC" else {"view": ground}
    view.resize(900, 500)
    shown(view).set_model(tiny_model([(0, 0, 0), (2, 0, 0)], ["O", "N"]), bonds())
    view.set_theme(table)
    grids = {DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((4, 0, 0))}
    view.set_maps(MapSet(dict(list(grids.items())[:maps]), remark="free set filled with DFc"))
    settle(view)
    under = QImage(900, 500, QImage.Format.Format_RGB32)
    under.fill(QColor("#FF00FF"))
    view._overlay.render(under, QPoint(), QRegion(), QWidget.RenderFlag(0))
    panel = QColor(view._overlay._colours.panel)

    def far(x: int, y: int) -> int:
        seen = under.pixelColor(x, y)
        return max(abs(a - b) for a, b in zip(panel.getRgb()[:3], seen.getRgb()[:3], strict=True))

    upper = 500 - 16 - 24 * (maps - 1)
    on_ground = [x for x in range(900) if far(x, upper - 15) < 40]
    assert 250 < len(on_ground) < 600 and on_ground == list(range(on_ground[0], on_ground[-1] + 1))
    for row in range(maps):
        y = 500 - 16 + 5 - 24 * row  # under its words
        assert max(far(x, y) for x in on_ground[8:-8]) < 40  # its corners are round


@pytest.mark.display
@needs_display
@pytest.mark.parametrize("width", [320, 620, 1000])
def test_no_words_lie_over_others(view: Viewport, width: int) -> None:
    """Everything about an atom is written in as many lines as it needs; what stands at the right goes below them."""
    view.resize(width, 600)
    shown(view)
    overlay = view._overlay
    overlay.resize(width, 600)
    atom = "   ".join(
        ["CA  A 52 TYR", "B 14.0 \u00c5\u00b2", "occ 1.00", *["polder A 52 TYR +6.6 \u03c3"] * 4, "bond Z +5.8"]
    )
    lists = OverlayContent(
        ramp=RampRow("density fit", "CC 0.95", "0.60 or worse", ("#000000", "#FFFFFF")),
        measurements=("1   A 52 N - A 52 CA   1.46 \u00c5",),
    )

    def words(content: OverlayContent) -> np.ndarray:
        """Where the overlay paints over the picture: (600, width) bool."""
        overlay.show_content(content)
        under = QImage(width, 600, QImage.Format.Format_RGB32)
        under.fill(QColor("#101216"))
        overlay.render(under, QPoint(), QRegion(), QWidget.RenderFlag(0))
        pixels = np.frombuffer(under.constBits(), np.uint8).reshape(600, width, 4)[..., :3].astype(int)
        return (np.abs(pixels - [0x16, 0x12, 0x10]) > 40).any(axis=2)

    texts = words(OverlayContent(title="A 52 TYR", subtitles=("mean B 14.1 \u00c5\u00b2", atom)))
    assert not texts[:, -8:].any(), "no line is cut off"
    both = words(replace(lists, title="A 52 TYR", subtitles=("mean B 14.1 \u00c5\u00b2", atom)))
    beside = both & ~texts
    rows = np.flatnonzero(beside.any(axis=1))
    for row in rows:
        ends = np.flatnonzero(texts[row])
        assert not len(ends) or ends[-1] < np.flatnonzero(beside[row])[0], f"row {row}"
    if width > 600:
        long = LevelRow(
            ("#00FF00", "#FF0000"),
            "a-very-long-name-of-a-file-2.mtz DELFWT",
            "\u00b13.00 \u03c3",
            "0.23 e/\u00c5\u00b3",
            "",
        )
        legend = words(OverlayContent(levels=(long, long)))
        assert not legend[:, width - 290 + 12 :].any(), "the place of the sliders"
    lines = lines_of(atom, width - 32.0, QFontMetricsF(interface_font(overlay.font(), 12)))
    assert "   ".join(lines).split("   ") == [part.strip() for part in atom.split("   ")]


@pytest.mark.display
@needs_display
@pytest.mark.parametrize("ground", ["#101216", "#FAFBFC"])
def test_rulers_and_measurements_are_read_on_any_ground(view: Viewport, ground: str) -> None:
    """A torsion over the rim of the selection, and the list of measurements over density."""
    table = {"view": ground, "panel": "#FFFFFF", "text": "#16191D"} if ground == "#FAFBFC" else {"view": ground}
    places = [(0, -6, 0), (0, -2, 0), (0, 2, 0), (3, 4, 2)]
    shown(view).set_model(tiny_model(places, ["C"] * 4), bonds((0, 1), (1, 2), (2, 3)))
    view.set_theme(table)
    view.centre_on_residue(0)
    view.camera = Camera(height=24.0)
    view._show_texts()

    def difference() -> np.ndarray:
        image = view.picture(400, 400, 1.0).convertToFormat(QImage.Format.Format_RGB888)
        return (
            np.frombuffer(image.constBits(), np.uint8).reshape(400, image.bytesPerLine())[:, :1200].reshape(400, 400, 3)
        )

    before = difference().astype(int)
    view.perform("measure")
    for atom in range(4):
        view.marks.measure((atom, -1))
    view._show_texts()
    after = difference().astype(int)
    # Along the middle bond, which is selected: dashes that stand out from the rod on both sides of them.
    x, y, _ = view.camera.project(np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]), 400, 400).T
    column = np.round(x[0]).astype(int)
    rows = slice(int(min(y)), int(max(y)))
    lightness = after[rows, column].sum(axis=1) / 3
    assert np.ptp(lightness) > 140, "dashes and the ground between them"
    assert (np.abs(after - before).sum(axis=2) > 100).sum() > 300
    assert view._overlay.content.measurements[0].endswith("\u00b0")
    # The list has a ground of its own: whatever lies under it, here magenta, hardly shows.
    under = QImage(400, 400, QImage.Format.Format_RGB32)
    under.fill(QColor("#FF00FF"))
    view._overlay.render(under, QPoint(), QRegion(), QWidget.RenderFlag(0))
    panel, beside = QColor(view._overlay._colours.panel), under.pixelColor(400 - 16 - 5, 60)
    assert max(abs(a - b) for a, b in zip(panel.getRgb(), beside.getRgb(), strict=True)) < 40


@pytest.mark.display
@needs_display
def test_pictures_at_any_size(view: Viewport, tmp_path: Path) -> None:
    from PySide6.QtGui import QImage

    shown(view).set_model(tiny_model([(0, 0, 0), (2, 0, 0)], ["O", "N"]), bonds())
    view.camera = view.camera.centred(np.zeros(3))
    view.toggle_label(1)
    said: list[str] = []
    view.message.connect(said.append)
    assert view.save_picture(str(tmp_path / "large.png"), 400, 300, 3.0)
    image = QImage(str(tmp_path / "large.png"))
    assert (image.width(), image.height()) == (1200, 900)
    assert image.pixelColor(600, 450).red() > image.pixelColor(600, 450).blue() + 60
    # The dialog: any size; with the proportions of the view one number follows the other.
    view.menu.picture.trigger()
    (dialog,) = view.window().findChildren(PictureDialog)
    dialog.height_.setValue(900)
    assert dialog.width_.value() == round(900 * view.width() / view.height())
    dialog.keep.setChecked(False)
    dialog.width_.setValue(1333)
    assert dialog.height_.value() == 900
    dialog.save(str(tmp_path / "wide.png"))
    image = QImage(str(tmp_path / "wide.png"))
    assert (image.width(), image.height()) == (1333, 900)
    assert image.pixelColor(666, 450).red() > image.pixelColor(666, 450).blue() + 60
    assert not view.save_picture(str(tmp_path / "no folder" / "x.png"), 100, 100)
    assert "cannot be written" in said[-1]


def test_menu_reaches_everything(view: Viewport) -> None:
    """Each style, colouring and switch through its menu entry."""
    shown(view).set_model(tiny_model([(0, 0, 0), (2, 0, 0)], ["O", "N"]), bonds())
    menu: Any = view.menu
    menu.follow()
    for name, action in menu._styles.items():
        action.trigger()
        assert view.options.style == name
    for name, action in menu._colours.items():
        if action.isEnabled():
            action.trigger()
            assert view.options.colour_by == name
    assert not menu._colours["fit"].isEnabled()
    for name, action in menu._switches.items():
        before = getattr(view.options, name)
        action.trigger()
        assert getattr(view.options, name) is not before
    menu.safe.trigger()
    assert view.safe
    menu._presets["trackpad"].trigger()
    assert view.preset.name == "trackpad"
    menu.follow()
    assert menu._presets["trackpad"].isChecked() and menu.safe.isChecked()
    settle(view)
