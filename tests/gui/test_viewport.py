"""The 3D view: known pixels of tiny scenes, movement, mouse and keys. Needs a display with OpenGL (Xvfb)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from workbench.core.crystal import Crystal, Model, Residues, SourceFile
from workbench.gui.viewport import Viewport
from workbench.gui.viewport_overlay import LevelRow, Overlay, OverlayContent
from workbench.view.atoms import ION_RADIUS
from workbench.view.density import DensityGrid
from workbench.view.maps import DENSITY, DIFFERENCE, MapSet
from workbench.view.renderer import Wire
from workbench.view.ribbon import Mesh
from workbench.view.surface import surface

HAS_DISPLAY = bool(os.environ.get("DISPLAY")) or sys.platform in ("win32", "darwin")
needs_display = pytest.mark.skipif(not HAS_DISPLAY, reason="no display: run under Xvfb")
BOX = Crystal((40.0, 40.0, 40.0, 90.0, 90.0, 90.0), "P 1")


def tiny_model(
    xyz: list[tuple[float, float, float]],
    elements: list[str],
    residue: list[int] | None = None,
    kinds: list[str] | None = None,
    altloc: list[str] | None = None,
    occupancy: list[float] | None = None,
) -> Model:
    n = len(xyz)
    rows = np.array(residue or [0] * n, dtype=np.int32)
    r = int(rows.max()) + 1
    counts = np.bincount(rows).astype(np.int32)
    residues = Residues(
        name=np.array(["PHE"] * r),
        chain=np.array(["A"] * r),
        number=np.arange(1, r + 1, dtype=np.int32),
        insertion=np.array([""] * r),
        kind=np.array(kinds or ["protein"] * r),
        first_atom=np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32),
        n_atoms=counts,
    )
    return Model(
        crystal=BOX,
        xyz=np.array(xyz),
        b_iso=np.full(n, 20.0),
        u_aniso=np.zeros((n, 6)),
        anisotropic=np.zeros(n, dtype=bool),
        occupancy=np.array(occupancy or [1.0] * n),
        element=np.array(elements),
        charge=np.zeros(n, dtype=np.int32),
        atom_name=np.array([f"{e}{k}" for k, e in enumerate(elements)]),
        altloc=np.array(altloc or [""] * n),
        residue=rows,
        residues=residues,
        links=(),
        source_index=np.arange(n, dtype=np.int32),
        source=SourceFile("tiny.pdb", "0"),
        source_text="",
        source_format="pdb",
    )


def bonds(*pairs: tuple[int, int]) -> NDArray[np.int32]:
    return np.array(pairs, dtype=np.int32).reshape(-1, 2)


def blob(centre: tuple[float, float, float], sign: float = 1.0) -> DensityGrid:
    points = np.stack(np.meshgrid(*[np.arange(64) * 40.0 / 64] * 3, indexing="ij"), axis=-1) - np.array(centre)
    points -= 40.0 * np.round(points / 40.0)
    return DensityGrid((sign * np.exp(-0.3 * (points**2).sum(axis=-1))).astype(np.float32), BOX, 0.1)


@pytest.fixture
def view(qapp: QApplication) -> Iterator[Viewport]:
    viewport = Viewport()
    if not viewport.available:
        pytest.skip(f"no OpenGL here: {viewport.reason}")
    viewport.animated = False
    viewport.resize(400, 400)
    viewport.show()
    QTest.qWaitForWindowExposed(viewport)
    yield viewport
    viewport.close_threads()
    viewport.close()
    viewport.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def settle(viewport: Viewport, condition: Callable[[], bool] = lambda: True) -> None:
    # Long enough for kernels that have to be compiled first.
    end = time.monotonic() + 90.0
    while time.monotonic() < end:
        QApplication.processEvents()
        if not viewport.busy and condition():
            QApplication.processEvents()
            return
        time.sleep(0.005)
    raise AssertionError("the view did not come to rest")


def picture(viewport: Viewport) -> NDArray[np.int64]:
    """(height, width, 3) of the scene without its overlay."""
    assert viewport._scene is not None
    image = viewport._scene.grabFramebuffer().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(np.int64)


def at(viewport: Viewport, xyz: tuple[float, float, float]) -> NDArray[np.int64]:
    shot = picture(viewport)
    x, y, _ = viewport.camera.project(np.array([xyz]), shot.shape[1], shot.shape[0])[0]
    return shot[round(y), round(x)]


def background(viewport: Viewport) -> NDArray[np.int64]:
    return np.round(255 * np.array(viewport._colours.background)).astype(np.int64)


@pytest.mark.display
@needs_display
def test_half_bonds_have_the_colours_of_their_atoms(view: Viewport) -> None:
    view.set_model(tiny_model([(0, 0, 0), (1.4, 0, 0), (2.8, 0, 0)], ["N", "C", "O"]), bonds((0, 1), (1, 2)))
    view.camera = view.camera.centred(np.array([1.4, 0.0, 0.0]))
    nitrogen, carbon, oxygen = (at(view, (x, 0.03, 0.0)) for x in (0.1, 1.4, 2.7))
    assert nitrogen[2] > nitrogen[0] + 40
    assert oxygen[0] > oxygen[2] + 60
    assert carbon[0] > carbon[2] + 20 and carbon[1] > carbon[2]
    assert (at(view, (1.4, 3.0, 0.0)) == background(view)).all()
    # rods are round: brighter in the middle than near their lower edge
    assert at(view, (1.4, 0.03, 0.0)).sum() > at(view, (1.4, -0.14, 0.0)).sum() + 60


@pytest.mark.display
@needs_display
@pytest.mark.parametrize("height", [6.0, 20.0, 60.0])
@pytest.mark.parametrize("refining", [False, True])
def test_balls_are_round_near_and_far(view: Viewport, height: float, refining: bool) -> None:
    view.set_model(tiny_model([(0, 0, 0)], ["FE"], kinds=["ion"]), bonds())
    view._select(None)
    view.camera = replace(view.camera, centre=np.zeros(3), height=height)
    view.set_refining(refining)
    drawn = (np.abs(picture(view) - background(view)).sum(axis=2) > 40).sum()
    radius = ION_RADIUS * 400 / height
    assert drawn == pytest.approx(np.pi * radius**2, rel=0.12 if radius > 10 else 0.3)


@pytest.mark.display
@needs_display
def test_rods_drawn_as_lines_in_quick_pictures_look_like_rods(view: Viewport) -> None:
    """Halves in their colours, as much ink as the ray-cast picture, thin rods thinner, fog, and they move."""
    places = [(-6.0, 4.0, 0.0), (6.0, 4.0, 0.0), (-6.0, -4.0, 0.0), (6.0, -4.0, 0.0)]
    view.set_model(tiny_model(places, ["N", "O", "N", "H"]), bonds((0, 1), (2, 3)))
    view._select(None)
    view.show_hydrogens(True)
    view.camera = replace(view.camera, centre=np.zeros(3), height=40.0).with_slab(30.0)
    if view._scene is None or view._scene.renderer is None or not view._scene.renderer._wide_lines:
        pytest.skip("lines are not drawn wide here: quick pictures use strips")
    ink = {}
    for refining in (False, True):
        view.set_refining(refining)
        nitrogen, oxygen = at(view, (-3.0, 4.0, 0.0)), at(view, (3.0, 4.0, 0.0))
        assert nitrogen[2] > nitrogen[0] + 40 and oxygen[0] > oxygen[2] + 60
        over = np.abs(picture(view) - background(view)).sum(axis=2)
        ink[refining] = float(over[:200].sum()), float(over[200:].sum())
    for full, quick in zip(ink[False], ink[True], strict=True):
        assert quick == pytest.approx(full, rel=0.2)
    assert ink[True][1] < 0.9 * ink[True][0]
    view.move_atoms(np.add(places, (0.0, 5.0, 0.0)))
    assert at(view, (-3.0, 9.0, 0.0))[2] > 60 and (at(view, (-3.0, 4.0, 0.0)) == background(view)).all()
    near = at(view, (-3.0, 9.0, 0.0)).sum()
    view.move_atoms(np.add(places, (0.0, 5.0, -12.0)))
    assert background(view).sum() < at(view, (-3.0, 9.0, 0.0)).sum() < 0.8 * near


@pytest.mark.display
@needs_display
def test_the_processor_draws_quickly_in_motion_and_in_full_at_rest(view: Viewport) -> None:
    view.set_model(tiny_model([(0, 0, 0), (1.4, 0, 0)], ["N", "O"]), bonds((0, 1)))
    assert view._scene is not None and view._scene.renderer is not None
    renderer = view._scene.renderer
    still = picture(view)
    assert not renderer.draft
    begin, end = QPoint(100, 200), QPoint(160, 200)
    QTest.mousePress(view._scene, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, begin)
    move = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(end), view._scene.mapToGlobal(QPointF(end)),
        Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(view._scene, move)
    turned = picture(view)
    assert (turned != still).any() and renderer.draft is renderer.software
    QTest.mouseRelease(view._scene, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    drawn: list[bool] = []
    draw = view._scene._draw
    view._scene._draw = lambda *rest: (draw(*rest), drawn.append(renderer.draft))[0]  # type: ignore[method-assign]
    QTest.qWait(400)
    assert drawn and not drawn[-1]


@pytest.mark.display
@needs_display
def test_nearer_things_hide_farther_ones_and_fog_swallows_the_rest(view: Viewport) -> None:
    """A rod seen end on, balls behind each other, and things outside the slab."""
    model = tiny_model(
        [(0, 0, 0), (0, 0, -4), (3, 0, -4), (-3, 0, -11.0), (0, 3, -30), (0, -3, 30)], ["O", "N", "N", "N", "N", "N"]
    )
    view.set_model(model, bonds())
    view.camera = view.camera.centred(np.zeros(3))
    front, hidden_neighbour, far = at(view, (0, 0, 0)), at(view, (3, 0, -4)), at(view, (-3, 0, -11.0))
    assert front[0] > front[2]
    assert hidden_neighbour[2] > hidden_neighbour[0]
    distance_near = np.abs(hidden_neighbour - background(view)).sum()
    distance_far = np.abs(far - background(view)).sum()
    assert 0 <= distance_far < 0.3 * distance_near
    for outside in ((0, 3, -30), (0, -3, 30)):
        assert (at(view, outside) == background(view)).all()


@pytest.mark.display
@needs_display
def test_hydrogens_are_hidden_and_minor_conformers_fainter(view: Viewport) -> None:
    model = tiny_model(
        [(0, 0, 0), (1, 0, 0), (0, 2, 0), (1.4, 2, 0), (0, 4, 0), (1.4, 4, 0)],
        ["C", "H", "C", "C", "C", "C"],
        altloc=["", "", "A", "A", "B", "B"],
        occupancy=[1, 1, 0.7, 0.7, 0.3, 0.3],
    )
    view.set_model(model, bonds((0, 1), (2, 3), (4, 5)))
    view.camera = view.camera.centred(np.array([0.0, 2.0, 0.0]))
    assert (at(view, (0.9, 0, 0)) == background(view)).all()
    assert at(view, (0.7, 2.03, 0)).sum() > at(view, (0.7, 4.02, 0)).sum() + 60
    view.show_hydrogens(True)
    assert (at(view, (0.9, 0, 0)) != background(view)).any()


@pytest.mark.display
@needs_display
def test_atoms_move_in_place_and_the_camera_stays(view: Viewport) -> None:
    view.set_model(tiny_model([(0, 0, 0), (3, 0, 0)], ["O", "N"]), bonds())
    camera = view.camera = view.camera.centred(np.zeros(3))
    before = picture(view)
    moved = np.array([[0.0, 2.0, 0.0], [3.0, 0.0, 0.0]])
    view.move_atoms(moved)
    after = picture(view)
    assert (before != after).any()
    assert (at(view, (0, 0, 0)) == background(view)).all()
    assert at(view, (0, 2.0, 0))[0] > 120
    assert view.camera is camera
    with pytest.raises(ValueError, match="2 atoms"):
        view.move_atoms(np.zeros((3, 3)))


@pytest.mark.display
@needs_display
def test_maps_are_drawn_and_swapped_without_a_gap(view: Viewport) -> None:
    view.set_model(tiny_model([(0, 0, 0)], ["C"]), bonds())
    view.camera = view.camera.centred(np.zeros(3))
    empty = picture(view)
    maps = {DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((4, 0, 0), -1.0)}
    view.set_maps(MapSet(maps, "free set filled with DFc"))
    settle(view, lambda: len(view.tracer.wires) == 3)
    full = picture(view)
    changed = np.abs(full - empty).sum(axis=2) > 60
    assert changed.sum() > 300
    # 2mFo-DFc is blue; holes of the difference map, at the right, are red
    blue = changed[:, :200] & (full[:, :200, 2] > full[:, :200, 0] + 30)
    red = changed[:, 240:] & (full[:, 240:, 0] > full[:, 240:, 2] + 60)
    assert blue.sum() > 100 and red.sum() > 50
    assert len(view.tracer.wires["mFo-DFc +"].lines) == 0
    wires = dict(view.tracer.wires)
    view.set_maps(MapSet({DENSITY: blob((0, 1, 0)), DIFFERENCE: blob((4, 0, 0), -1.0)}))
    assert view.tracer.wires[DENSITY] is wires[DENSITY]  # the old wire stays until the new one is ready
    assert np.abs(picture(view) - full).max() == 0
    settle(view, lambda: view.tracer.wires[DENSITY] is not wires[DENSITY])
    assert np.abs(picture(view) - full).max() > 60
    assert view._overlay is not None and len(view._overlay.content.levels) == 2


@pytest.mark.display
@needs_display
def test_maps_follow_the_centre(view: Viewport) -> None:
    view.set_model(tiny_model([(0, 0, 0), (39, 0, 0)], ["C", "C"]), bonds())
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0))}))
    settle(view, lambda: DENSITY in view.tracer.wires)
    view.centre_on_point(np.array([40.0, 80.0, -40.0]))  # a lattice vector away: the same atom's copy
    settle(view, lambda: bool(np.allclose(view.tracer.wires[DENSITY].centre, [40.0, 80.0, -40.0])))
    segments = view.tracer.wires[DENSITY].lines.segments
    assert len(segments) > 50
    assert segments.reshape(-1, 3).mean(axis=0) == pytest.approx([40.0, 80.0, -40.0], abs=0.05)


def wheel(viewport: Viewport, steps: float, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    assert viewport._scene is not None
    place = QPointF(200, 200)
    event = QWheelEvent(
        place,
        viewport._scene.mapToGlobal(place),
        QPoint(),
        QPoint(0, round(120 * steps)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport._scene, event)


def drag(
    viewport: Viewport,
    button: Qt.MouseButton,
    by: tuple[float, float],
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    scene = viewport._scene
    assert scene is not None
    start, none = QPointF(200, 200), Qt.MouseButton.NoButton
    end = start + QPointF(*by)
    steps = (
        (QEvent.Type.MouseButtonPress, start, button, button),
        (QEvent.Type.MouseMove, end, none, button),
        (QEvent.Type.MouseButtonRelease, end, button, none),
    )
    for kind, place, which, held in steps:
        QApplication.sendEvent(scene, QMouseEvent(kind, place, scene.mapToGlobal(place), which, held, modifiers))


@pytest.mark.display
@needs_display
def test_mouse(view: Viewport) -> None:
    atoms = [(0.0, 0.0, 0.0), (3.0, 1.0, 0.0)]
    view.set_model(tiny_model(atoms, ["C", "N"], residue=[0, 1]), bonds())
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((4, 0, 0))}))
    view.camera = start = view.camera.centred(np.zeros(3))
    wheel(view, 1)
    wheel(view, -2, Qt.KeyboardModifier.ControlModifier)
    assert view.levels == pytest.approx({DENSITY: 1.6, DIFFERENCE: 2.8})
    wheel(view, -100)
    assert view.levels[DENSITY] == 0.0
    wheel(view, 1, Qt.KeyboardModifier.ShiftModifier)
    assert view.camera.height < start.height
    view.camera = start
    drag(view, Qt.MouseButton.LeftButton, (40, 0))
    assert not np.allclose(view.camera.rotation, start.rotation) and np.allclose(view.camera.centre, start.centre)
    view.camera = start
    for button, keys in (
        (Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier),
        (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier),
    ):
        view.camera = start
        drag(view, button, (40, 20), keys)
        per_pixel = start.height / view.height()
        assert view.camera.centre == pytest.approx([-40 * per_pixel, 20 * per_pixel, 0.0])
    view.camera = start
    drag(view, Qt.MouseButton.RightButton, (40, 0))
    assert view.camera.height < start.height and np.allclose(view.camera.rotation, start.rotation)
    view.camera = start
    x, y, _ = start.project(np.array([atoms[1]]), view.width(), view.height())[0]
    names: list[str] = []
    view.centred.connect(names.append)
    QTest.mouseClick(
        view._scene, Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier, QPoint(round(x), round(y))
    )
    assert view.camera.centre == pytest.approx(atoms[1])
    assert np.allclose(view.camera.rotation, start.rotation) and view.camera.height == start.height
    assert names == ["A 2 PHE"]
    settle(view)


@pytest.mark.display
@needs_display
def test_keys(view: Viewport) -> None:
    atoms = [(0.0, 0.0, 0.0), (3.0, 1.0, 0.0), (6.0, 1.0, 0.0)]
    view.set_model(tiny_model(atoms, ["C", "N", "O"], residue=[0, 1, 2]), bonds())
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((4, 0, 0))}))
    view.centre_on_residue(0)
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert view.residue == 1 and view.camera.centre == pytest.approx(atoms[1])
    QTest.keyClick(view, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert view.residue == 0
    slab, height, radius = view.camera.slab, view.camera.height, view.radius
    QTest.keyClick(view, Qt.Key.Key_D)
    assert view.camera.slab == pytest.approx(slab - 1.0)
    QTest.keyClick(view, Qt.Key.Key_F)
    assert view.camera.slab == pytest.approx(slab)
    QTest.keyClick(view, Qt.Key.Key_N)
    assert view.camera.height < height
    QTest.keyClick(view, Qt.Key.Key_M)
    assert view.camera.height == pytest.approx(height)
    QTest.keyClick(view, "]")
    assert view.radius == radius + 1.0
    QTest.keyClick(view, "+")
    assert view.levels[DENSITY] == pytest.approx(1.6)
    QTest.keyClick(view, Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(view, "-")
    assert view.levels[DIFFERENCE] == pytest.approx(2.9)
    QTest.keyClick(view, Qt.Key.Key_L)
    assert view._overlay is not None
    assert [label.text for label in view._overlay.content.labels] == ["C0  A 1 PHE"]
    settle(view)


@pytest.mark.display
@needs_display
def test_nothing_is_painted_while_nothing_changes(view: Viewport) -> None:
    view.set_model(tiny_model([(0, 0, 0)], ["C"]), bonds())
    settle(view)
    frames: list[int] = []
    assert view._scene is not None
    view._scene.frameSwapped.connect(lambda: frames.append(1))
    QTest.qWait(1300)
    frames.clear()
    QTest.qWait(300)
    assert not frames
    QTest.keyClick(view, Qt.Key.Key_N)
    QTest.qWait(200)
    assert frames


@pytest.mark.display
@needs_display
def test_picking_and_drawing_use_device_pixels() -> None:
    """At a pixel ratio of 2 (a process of its own: the ratio is fixed when Qt starts)."""
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from PySide6.QtWidgets import QApplication
from PySide6.QtTest import QTest
from test_viewport import bonds, picture, tiny_model
from workbench.gui.viewport import Viewport
app = QApplication([])
view = Viewport()
view.animated = False
view.resize(300, 200)
view.show()
QTest.qWaitForWindowExposed(view)
assert view.devicePixelRatioF() == 2.0
atoms = [(0.0, 0.0, 0.0), (4.0, 3.0, 0.0), (-5.0, -2.0, 0.0)]
view.set_model(tiny_model(atoms, ["C", "N", "O"]), bonds())
view.camera = view.camera.centred(np.zeros(3))
shot = picture(view)
assert shot.shape == (400, 600, 3), shot.shape
for atom, place in enumerate(atoms):
    x, y, _ = view.camera.project(np.array([place]), 300, 200)[0]
    assert view.atom_at(x, y) == atom, (atom, view.atom_at(x, y))
    assert view.atom_at(x + 30, y) is None
    assert abs(shot[round(2 * y), round(2 * x)] - shot[2, 2]).sum() > 100, atom
print("fine")
view.close_threads()
view.close()
"""
    here = os.path.dirname(__file__)  # noqa: PTH120
    done = subprocess.run(
        [sys.executable, "-c", program, here],
        env={**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and "fine" in done.stdout, done.stderr


def test_without_a_context_the_widget_says_why() -> None:
    program = """
import numpy as np, sys
sys.path.insert(0, sys.argv[1])
from PySide6.QtWidgets import QApplication
from test_viewport import bonds, blob, tiny_model
from workbench.gui.viewport import Viewport
from workbench.view.maps import DENSITY, MapSet
app = QApplication([])
view = Viewport()
assert not view.available and "OpenGL" in view.reason, view.reason
view.resize(300, 200)
view.show()
view.set_theme({"view": "#FAFBFC", "label": "#4A525C"})
view.set_model(tiny_model([(0, 0, 0), (1, 2, 3)], ["C", "N"], residue=[0, 1]), bonds((0, 1)))
view.set_maps(MapSet({DENSITY: blob((0, 0, 0))}))
view.move_atoms(np.zeros((2, 3)))
view.centre_on_residue(1)
app.processEvents()
assert view.residue == 1 and not view.busy
assert not view.grab().isNull()
assert view._notice.isVisible() and "OpenGL" in view._notice.text()
print("fine")
view.close_threads()
"""
    here = os.path.dirname(__file__)  # noqa: PTH120
    done = subprocess.run(
        [sys.executable, "-c", program, here],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and "fine" in done.stdout, done.stderr


@pytest.mark.display
@needs_display
@pytest.mark.parametrize("refining", [False, True])
def test_a_surface_shows_its_nearest_sheet_in_whatever_order_it_is_drawn(view: Viewport, refining: bool) -> None:
    """A ball of density: the sheet behind shines through nowhere, and no triangle is painted twice."""
    view.set_model(tiny_model([(0, 0, 9)], ["C"]), bonds())
    view.set_refining(refining)
    view.camera = replace(view.camera, centre=np.zeros(3), height=12.0).with_slab(12.0)
    mesh = surface(blob((0.0, 0.0, 0.0)), 0.3, np.zeros(3), 8.0)
    far = replace(mesh, vertices=mesh.vertices - np.float32([0, 0, 4]))
    both = Mesh(
        np.concatenate([mesh.vertices, far.vertices]),
        np.concatenate([mesh.normals, far.normals]),
        np.concatenate([mesh.triangles, far.triangles + len(mesh.vertices)]).astype(np.int32),
        np.concatenate([mesh.atom, far.atom]),
    )
    view._all_wires = lambda: [Wire("ball", (0.3, 0.5, 0.8), 0.8, 1.0)]  # type: ignore[method-assign]
    assert view._scene is not None
    seen = []
    for shape in (both, replace(both, triangles=both.triangles[::-1].copy()), mesh):
        view._scene.with_context(lambda renderer, shape=shape: renderer.set_surface("ball", shape, np.zeros(3), 8.0))
        seen.append(picture(view))
    assert np.abs(seen[0] - background(view)).sum() > 100_000
    assert np.abs(seen[0] - seen[1]).max() <= 2
    inner = slice(170, 230)
    assert np.abs(seen[0][inner, inner] - seen[2][inner, inner]).max() <= 2


@pytest.mark.parametrize("rows", [1, 2, 8])
def test_every_row_of_the_legend_stands_on_darkened_ground(qapp: QApplication, rows: int) -> None:
    parent = QWidget()
    overlay = Overlay(parent)
    overlay.resize(400, 400)
    overlay.show_content(OverlayContent(levels=tuple(LevelRow((), "", "", "", "") for _ in range(rows))))
    image = QImage(400, 400, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    for box, scrim in overlay._new_scrims():
        painter.fillRect(box, scrim)
    painter.end()
    middles = [380 - 24 * k for k in range(rows)]
    assert max(image.pixelColor(200, y).lightness() for y in middles) < 120
