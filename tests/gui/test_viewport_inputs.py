"""Every input of every preset: the real event is sent, and its effect is seen. Needs a display with OpenGL (Xvfb)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.gui.test_viewport import BOX, blob, bonds, needs_display, settle, tiny_model
from workbench.core.events import WorstRestraints
from workbench.engine.maps.peaks import Peak
from workbench.gui.viewport import VIEW_CHANGES, Viewport
from workbench.gui.viewport_bindings import ACTIONS, PRESETS, shortcut_table, spoken
from workbench.gui.viewport_help import GUTTER, HEAD, PADDING, ROW, TOP
from workbench.gui.viewport_overlay import interface_font
from workbench.view.camera import Camera
from workbench.view.maps import DENSITY, DIFFERENCE, MapSet

ATOMS = [(0.0, 0.0, 0.0), (3.0, 1.0, 0.0), (6.0, 1.0, 0.0), (-3.0, -1.0, 0.0)]
BUTTONS = {
    "left": Qt.MouseButton.LeftButton,
    "middle": Qt.MouseButton.MiddleButton,
    "right": Qt.MouseButton.RightButton,
}
MODIFIERS = {
    "ctrl": Qt.KeyboardModifier.ControlModifier,
    "alt": Qt.KeyboardModifier.AltModifier,
    "shift": Qt.KeyboardModifier.ShiftModifier,
}
TARGET = 1
"""The atom that is clicked."""


@dataclass(frozen=True)
class Seen:
    """What can be seen of a view."""

    camera: Camera
    levels: dict[str, float]
    radius: float
    residue: int | None
    labels: tuple[str, ...]
    active: str
    hidden: frozenset[str]
    options: Any
    section: bool
    measuring: bool
    measurements: int
    spinning: bool
    help: bool
    wanted: int


@pytest.fixture
def view(qapp: QApplication) -> Iterator[Viewport]:
    viewport = Viewport()
    if not viewport.available:
        pytest.skip(f"no OpenGL here: {viewport.reason}")
    viewport.animated = False
    viewport.resize(400, 400)
    viewport.show()
    QTest.qWaitForWindowExposed(viewport)
    model = tiny_model(
        ATOMS, ["C", "N", "O", "C"], residue=[0, 1, 2, 3], kinds=["protein", "protein", "protein", "ligand"]
    )
    viewport.set_model(model, bonds())
    viewport.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((4, 0, 0))}))
    viewport.tracer.peaks = (
        Peak((1.0, 0.0, 0.0), 7.0, 0.5),
        Peak((-4.0, 0.0, 0.0), 6.0, 3.0),
        Peak((5.0, 0.0, 0.0), -5.0, 0.4),
    )
    viewport.wanted_count = 0  # type: ignore[attr-defined]

    def wanted() -> None:
        viewport.wanted_count += 1  # type: ignore[attr-defined]

    viewport.residue_wanted.connect(wanted)
    yield viewport
    viewport.close_threads()
    viewport.close()
    viewport.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def seen(view: Viewport) -> Seen:
    assert view._overlay is not None
    return Seen(
        view.camera,
        dict(view.levels),
        view.radius,
        view.residue,
        tuple(label.text for label in view._overlay.content.labels if not label.hovering),
        view.tracer.active,
        frozenset(view.tracer.hidden),
        view.options,
        view.tracer.section_shown,
        view.marks.measuring is not None,
        len(view._overlay.content.measurements),
        view._spin.isActive(),
        view.card.isVisible(),
        view.wanted_count,  # type: ignore[attr-defined]
    )


def split(name: str) -> tuple[str, str, Qt.KeyboardModifier]:
    kind, _, rest = name.partition(" ")
    parts = ["+"] if rest == "+" else rest.split("+") if rest else []
    keys = Qt.KeyboardModifier.NoModifier
    for part in parts:
        keys |= MODIFIERS.get(part, Qt.KeyboardModifier.NoModifier)
    rest = [part for part in parts if part not in MODIFIERS]
    return kind, rest[0] if rest else "", keys


def send(view: Viewport, name: str) -> None:
    """The event of an input, as the window system would send it."""
    kind, what, keys = split(name)
    scene = view._scene
    assert scene is not None
    none = Qt.MouseButton.NoButton
    if kind == "key":
        code = Qt.Key.Key_Space if what == "Space" else Qt.Key(ord(what))
        if what in "+":
            keys |= Qt.KeyboardModifier.ShiftModifier  # as on most keyboards
        text = "" if keys & Qt.KeyboardModifier.ControlModifier else " " if what == "Space" else what
        if len(what) == 1 and what.isalpha() and not keys & Qt.KeyboardModifier.ShiftModifier:
            text = text.lower()
        QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, code, keys, text))
        QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyRelease, code, keys, text))
    elif kind == "wheel":
        place = QPointF(200, 200)
        # Qt turns the wheel sideways while Alt is held.
        delta = QPoint(240, 0) if keys & Qt.KeyboardModifier.AltModifier else QPoint(0, 240)
        wheel = QWheelEvent(
            place, scene.mapToGlobal(place), QPoint(), delta, none, keys, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(scene, wheel)
    elif kind == "pinch":
        place = QPointF(200, 200)
        gesture = QNativeGestureEvent(
            Qt.NativeGestureType.ZoomNativeGesture,
            QPointingDevice.primaryPointingDevice(),
            2,
            place,
            place,
            place,
            0.25,
            QPointF(),
        )
        QApplication.sendEvent(scene, gesture)
    else:
        button = BUTTONS[what]
        x, y, _ = view.camera.project(np.array([ATOMS[TARGET]]), view.width(), view.height())[0]
        start = QPointF(200, 200) if kind == "drag" else QPointF(x, y)
        end = start + QPointF(40, 20) if kind == "drag" else start
        press = QEvent.Type.MouseButtonDblClick if kind == "double" else QEvent.Type.MouseButtonPress
        steps = [(press, start, button, button)]
        if kind == "drag":
            steps += [(QEvent.Type.MouseMove, end, none, button)]
        steps += [(QEvent.Type.MouseButtonRelease, end, button, none)]
        for event, place, which, held in steps:
            QApplication.sendEvent(scene, QMouseEvent(event, place, scene.mapToGlobal(place), which, held, keys))


def turned(a: Seen, b: Seen) -> bool:
    return not np.allclose(a.camera.rotation, b.camera.rotation)


def rolled(a: Seen, b: Seen) -> bool:
    return turned(a, b) and np.allclose(a.camera.rotation[2], b.camera.rotation[2])


def moved(a: Seen, b: Seen) -> bool:
    shift = b.camera.centre - a.camera.centre
    return bool(np.linalg.norm(shift) > 0.1 and abs(shift @ a.camera.rotation[2]) < 1e-9) and not turned(a, b)


def holds_all(camera: Camera) -> bool:
    """Whether every atom is in a square picture and between the clipping planes, with an angstrom to spare."""
    view = camera.to_view(np.array(ATOMS))
    inside = (np.abs(view[:, :2]) < 0.5 * camera.height - 1.0).all()
    return bool(inside and (view[:, 2] < camera.near - 1.0).all() and (view[:, 2] > camera.far + 1.0).all())


def at(point: tuple[float, ...]) -> Callable[[Seen, Seen], bool]:
    def check(a: Seen, b: Seen) -> bool:
        same = np.allclose(a.camera.rotation, b.camera.rotation) and a.camera.height == b.camera.height
        return bool(np.allclose(b.camera.centre, point)) and same

    return check


EFFECTS: dict[str, Callable[[Seen, Seen], bool]] = {
    "rotate": lambda a, b: turned(a, b) and not rolled(a, b) and np.allclose(a.camera.centre, b.camera.centre),
    "pan": moved,
    "zoom": lambda a, b: b.camera.height != a.camera.height and not turned(a, b),
    "zoom_in": lambda a, b: b.camera.height < a.camera.height,
    "zoom_out": lambda a, b: b.camera.height > a.camera.height,
    "roll": rolled,
    "spin": lambda a, b: b.spinning,
    "undo_view": at(ATOMS[2]),
    "centre": at(ATOMS[TARGET]),
    "next_residue": at(ATOMS[1]),
    "previous_residue": at(ATOMS[3]),
    "next_peak": at((1.0, 0.0, 0.0)),
    "previous_peak": at((5.0, 0.0, 0.0)),
    "go_residue": lambda a, b: b.wanted == 1,
    "go_ligand": at(ATOMS[3]),
    "go_blob": at((-4.0, 0.0, 0.0)),
    "whole_model": lambda a, b: holds_all(b.camera) and not holds_all(a.camera) and not turned(a, b),
    "level": lambda a, b: b.levels[DENSITY] == pytest.approx(a.levels[DENSITY] + 0.2),
    "level_up": lambda a, b: b.levels[DENSITY] == pytest.approx(a.levels[DENSITY] + 0.1),
    "level_down": lambda a, b: b.levels[DENSITY] == pytest.approx(a.levels[DENSITY] - 0.1),
    "difference_level": lambda a, b: b.levels[DIFFERENCE] == pytest.approx(a.levels[DIFFERENCE] + 0.2),
    "next_map": lambda a, b: (a.active, b.active) == (DENSITY, DIFFERENCE),
    "toggle_map": lambda a, b: b.hidden == {DENSITY},
    "radius_more": lambda a, b: b.radius == a.radius + 1.0,
    "radius_less": lambda a, b: b.radius == a.radius - 1.0,
    "toggle_section": lambda a, b: b.section,
    "focus": lambda a, b: b.camera.focus > a.camera.focus and b.camera.slab == pytest.approx(a.camera.slab),
    "focus_nearer": lambda a, b: b.camera.focus > a.camera.focus,
    "focus_farther": lambda a, b: b.camera.focus < a.camera.focus,
    "slab_less": lambda a, b: b.camera.slab == pytest.approx(a.camera.slab - 1.0),
    "slab_more": lambda a, b: b.camera.slab == pytest.approx(a.camera.slab + 1.0),
    "front_in": lambda a, b: b.camera.near < a.camera.near and b.camera.far == a.camera.far,
    "front_out": lambda a, b: b.camera.near > a.camera.near and b.camera.far == a.camera.far,
    "back_out": lambda a, b: b.camera.far < a.camera.far and b.camera.near == a.camera.near,
    "back_in": lambda a, b: b.camera.far > a.camera.far and b.camera.near == a.camera.near,
    "label": lambda a, b: b.labels == ("N1  A 2 PHE",),
    "label_centre": lambda a, b: b.labels == ("C0  A 1 PHE",),
    "measure": lambda a, b: b.measuring,
    "clear": lambda a, b: not b.labels and bool(a.labels),
    "next_style": lambda a, b: b.options.style == "balls",
    "next_colouring": lambda a, b: b.options.colour_by == "chain",
    "toggle_hydrogens": lambda a, b: b.options.hydrogens,
    "toggle_symmetry": lambda a, b: b.options.symmetry,
    "help": lambda a, b: b.help,
}
CASES = [(preset, name) for preset in PRESETS.values() for name in preset.inputs]


def test_every_action_has_an_input_and_an_effect_that_is_checked() -> None:
    assert set(EFFECTS) == set(ACTIONS)
    for preset in PRESETS.values():
        missing = set(ACTIONS) - set(preset.inputs.values())
        assert not missing, f"{preset.title}: nothing does {missing}"
        assert set(preset.inputs.values()) <= set(ACTIONS)
        rows = [row for _, rows in shortcut_table(preset) for row in rows]
        assert len(rows) == len(set(preset.inputs.values()))
        assert all(words and inputs for words, inputs in rows)
    assert spoken("drag ctrl+shift+right") == "Ctrl+Shift+right drag"
    assert [spoken(name) for name in ("key +", "wheel alt", "click shift+left", "double left")] == [
        "+",
        "Alt+wheel",
        "Shift+click",
        "double click",
    ]


@pytest.mark.display
@needs_display
@pytest.mark.parametrize(("preset", "name"), CASES, ids=lambda value: getattr(value, "name", value))
def test_input(view: Viewport, preset: Any, name: str) -> None:
    view.set_preset(preset.name)
    action = preset.inputs[name]
    view.centre_on_residue(2)
    view.centre_on_residue(0)
    if action == "clear":
        view.toggle_label(0)
    if action == "whole_model":
        view._move_camera(view.camera.zoomed(5.0))
    before = seen(view)
    send(view, name)
    after = seen(view)
    assert EFFECTS[action](before, after), f"{name} did not {action}"
    view._spin.stop()
    settle(view)


UNDONE = [
    name
    for name, action in {**PRESETS["default"].inputs, **PRESETS["trackpad"].inputs}.items()
    if action in VIEW_CHANGES or action in ("rotate", "pan", "zoom", "roll", "focus", "whole_model", "next_residue")
]


@pytest.mark.display
@needs_display
@pytest.mark.parametrize("name", UNDONE)
def test_undo_takes_back_whatever_changed_the_view(view: Viewport, name: str) -> None:
    preset = "default" if name in PRESETS["default"].inputs else "trackpad"
    view.set_preset(preset)
    action = PRESETS[preset].inputs[name]
    view.centre_on_residue(0)
    before = view.camera
    send(view, name)
    if action == "spin":
        assert view._spin.isActive()
        view._turn_on()
    assert not view.camera.same_as(before)
    if action in VIEW_CHANGES and action != "spin":
        # Pressed again at once: one movement, and one step of undo.
        send(view, name)
    send(view, "key U")
    assert view.camera.same_as(before) and not view._spin.isActive()


@pytest.mark.display
@needs_display
def test_undo_goes_no_further_back_than_the_first_look_at_a_model(view: Viewport) -> None:
    """What was seen before it was another model, or the origin of nothing."""
    assert view.scene is not None
    model, bonds = view.scene.model, view.scene.bonds
    view.set_model(model, bonds)
    first = view.camera
    send(view, "key U")
    assert view.camera.same_as(first)


def test_undo_takes_back_the_sliders_step_by_step(view: Viewport) -> None:
    view.centre_on_residue(0)
    first = view.camera
    assert view._depth is not None
    focus, slab = view._depth._sliders[:2]
    focus.setValue(focus.value() + 30)
    focus.setValue(focus.value() + 10)
    second = view.camera
    assert second.focus == pytest.approx(4.0) and second.slab == first.slab
    slab.setValue(slab.value() - 100)
    assert view.camera.slab < second.slab
    send(view, "key U")
    assert view.camera.same_as(second)
    send(view, "key U")
    assert view.camera.same_as(first)


@pytest.mark.display
@needs_display
def test_the_slab_can_hold_a_large_model(view: Viewport) -> None:
    """300 A long: A shows all of it, and the sliders reach as far."""
    far = [(0.0, 0.0, 0.0), (100.0, 250.0, 130.0)]
    view.set_model(tiny_model(far, ["C", "N"], residue=[0, 1]), bonds())
    send(view, "key A")
    view_of = view.camera.to_view(np.array(far))
    assert (np.abs(view_of[:, :2]) < 0.5 * view.camera.height).all()
    assert (view_of[:, 2] < view.camera.near).all() and (view_of[:, 2] > view.camera.far).all()
    assert view._depth is not None
    slab = view._depth._sliders[1]
    slab.setValue(slab.maximum())
    assert view.camera.slab > 300.0
    slab.setValue(slab.minimum())
    assert view.camera.slab == pytest.approx(1.0)
    # With the unit cell shown, its corners belong to the picture.
    view.set_model(tiny_model(ATOMS, ["C", "N", "O", "C"], residue=[0, 1, 2, 3]), bonds())
    view.set_options(replace(view.options, cell=True))
    view.menu.whole.trigger()
    corners = view.camera.to_view(np.array([[0, 0, 0], [40, 0, 0], [40, 40, 40], [0, 0, 40.0]]))
    assert (np.abs(corners[:, :2]) < 0.5 * view.camera.height).all()


@pytest.mark.display
@needs_display
@pytest.mark.parametrize("way", ["key Space", "peak", "atom of a list"])
def test_from_the_whole_model_back_to_a_place(view: Viewport, way: str) -> None:
    """The zoom and the slab of before come back; undo shows the whole model again, from where it works once more."""
    far = [(0.0, 0.0, 0.0), (100.0, 250.0, 130.0), (5.0, 0.0, 0.0)]
    view.set_model(tiny_model(far, ["C", "N", "O"], residue=[0, 1, 2]), bonds())
    view.tracer.peaks = (Peak((1.0, 0.0, 0.0), 7.0, 0.5),)
    view.centre_on_residue(0)
    view._move_camera(view.camera.zoomed(1.25).with_slab(9.0))
    near = view.camera

    def go() -> None:
        if way == "peak":
            view.show_peak(0)
        elif way == "atom of a list":
            view.centre_on_atom(1)
        else:
            send(view, way)

    send(view, "key A")
    send(view, "key A")
    whole = view.camera
    assert whole.height > 5 * near.height
    for _ in range(2):
        view._move_camera(view.camera.rotated(0.3, 0.1))
        turned_whole = view.camera
        go()
        there = view.camera
        assert (there.height, there.front, there.back) == (near.height, near.front, near.back)
        assert np.array_equal(there.rotation, turned_whole.rotation)
        assert not np.allclose(there.centre, whole.centre)
        send(view, "key U")
        assert view.camera.same_as(turned_whole)
    # An atom that is clicked becomes the middle of the view as it is.
    view._point("click middle", QPointF(*view.camera.project(np.array([far[1]]), view.width(), view.height())[0, :2]))
    assert np.allclose(view.camera.centre, far[1]) and view.camera.height == whole.height
    # Zoomed in by hand, the zoom is the user's own.
    send(view, "key U")
    view._move_camera(view.camera.zoomed(2.0))
    by_hand = view.camera.height
    go()
    assert view.camera.height == by_hand


@pytest.mark.display
@needs_display
def test_a_residue_asked_for_on_the_way_to_the_whole_model(view: Viewport) -> None:
    """Travelling smoothly: the zoom on the way is nobody's wish."""
    far = [(0.0, 0.0, 0.0), (100.0, 250.0, 130.0)]
    view.set_model(tiny_model(far, ["C", "N"], residue=[0, 1]), bonds())
    view.centre_on_residue(0)
    near = view.camera
    view.animated = True
    view._flight.setDuration(600_000)
    send(view, "key A")
    view._flight.setCurrentTime(300_000)
    assert near.height < view.camera.height
    view.centre_on_residue(1)
    assert view._looking.height == near.height and np.allclose(view._looking.centre, far[1])
    view._flight.setCurrentTime(300_000)
    view.centre_on_residue(0)
    assert view._looking.height == near.height


@pytest.mark.display
@needs_display
@pytest.mark.parametrize(("width", "height"), [(1000, 520), (976, 690), (700, 400), (680, 496), (400, 400)])
@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_card_of_shortcuts_holds_every_row(view: Viewport, preset: str, width: int, height: int) -> None:
    view.set_preset(preset)
    view.card.resize(width, height)
    columns, row = view.card.layout_of_rows()
    lines = [line for column in columns for _, rows in column for line in rows]
    assert [words for words, _ in lines if words] == [words for words, _ in view.card.rows()]
    said = " ".join(inputs for _, inputs in lines if inputs).replace(", ", " ").replace(",", " ").split()
    assert said == " ".join(inputs for _, inputs in view.card.rows()).replace(", ", " ").replace(",", " ").split()
    for column in columns:
        bottom = TOP + sum(row * (HEAD / ROW + len(rows)) for _, rows in column)
        assert bottom <= height - 8
    if width >= 700:
        # Nothing is cut off at its right end.
        column_width = (width - 2 * PADDING - (len(columns) - 1) * GUTTER) / len(columns)
        words, inputs = (
            QFontMetricsF(interface_font(view.card.font(), 12, weight))
            for weight in (QFont.Weight.Normal, QFont.Weight.Medium)
        )
        for one, other in lines:
            assert words.horizontalAdvance(one) + 12 * bool(one) + inputs.horizontalAdvance(other) <= column_width + 1
    assert row >= (14 if width >= 900 else 6)


@pytest.mark.display
@needs_display
def test_inputs_of_other_presets_do_nothing(view: Viewport) -> None:
    view.set_preset("coot")
    before = view.camera
    send(view, "drag left")
    assert np.allclose(view.camera.rotation, before.rotation) and np.allclose(view.camera.centre, before.centre)


@pytest.mark.display
@needs_display
def test_keys_of_the_view_stop_at_its_edge(view: Viewport) -> None:
    """What the view does not know goes on to the window: Ctrl+Z, Ctrl+S, Return, letters without a meaning."""
    for code, keys in (
        (Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_J, Qt.KeyboardModifier.NoModifier),
    ):
        event = QKeyEvent(QEvent.Type.KeyPress, code, keys, "")
        view.keyPressEvent(event)
        assert not event.isAccepted(), code


@pytest.mark.display
@needs_display
def test_measuring_by_clicks(view: Viewport) -> None:
    """Two atoms give a distance, a third an angle, a fourth a torsion; values by hand."""
    send(view, "key T")
    scene = view._scene
    for atom in (0, 1, 2, 3):
        x, y, _ = view.camera.project(np.array([ATOMS[atom]]), view.width(), view.height())[0]
        place = QPoint(round(x), round(y))
        QTest.mouseClick(scene, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        assert view._overlay is not None
        lines = view._overlay.content.measurements
        if atom == 1:
            assert lines[0].endswith("3.16 \u00c5")
        elif atom == 2:
            angle = np.degrees(np.arccos(-3.0 / np.sqrt(10.0)))
            assert len(lines) == 1 and lines[0].endswith(f"{angle:.1f}\u00b0")
        elif atom == 3:
            assert len(lines) == 1 and lines[0].startswith("1   A 1 C0")
    send(view, "key shift+T")
    assert view._overlay is not None and not view._overlay.content.measurements
    QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier))
    assert view.marks.measuring is None


@pytest.mark.display
@needs_display
def test_hover_tells_everything_about_an_atom(view: Viewport) -> None:
    view.centre_on_residue(0)
    view.worst = WorstRestraints(np.float32([1.0, -4.2, np.nan, 0.0]), np.int32([0, 1, -1, 0]))
    x, y, _ = view.camera.project(np.array([ATOMS[1]]), view.width(), view.height())[0]
    scene = view._scene
    assert scene is not None and view._overlay is not None
    none = Qt.MouseButton.NoButton
    place = QPointF(x, y)
    QApplication.sendEvent(
        scene,
        QMouseEvent(QEvent.Type.MouseMove, place, scene.mapToGlobal(place), none, none, Qt.KeyboardModifier.NoModifier),
    )
    (label,) = view._overlay.content.labels
    density = float(np.exp(-0.3 * 10.0)) / 0.1
    for words in (
        "N1  A 2 PHE",
        "B 20.0 \u00c5\u00b2",
        "occ 1.00",
        f"2mFo\u2212DFc {density:.1f} \u03c3",
        "mFo\u2212DFc +",
        "angle Z \u22124.2",
    ):
        assert words in label.text, (words, label.text)
    # What is picked keeps standing under the title until we look elsewhere.
    QTest.mouseClick(scene, Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier, place.toPoint())
    said = view._overlay.content.subtitles[-1]
    assert "N1  A 2 PHE" in said and "angle Z \u22124.2" in said
    view.step_residue(1)
    assert not any("N1  A 2 PHE" in line for line in view._overlay.content.subtitles)


@pytest.mark.display
@needs_display
def test_symmetry_atoms_are_picked_and_centred(view: Viewport) -> None:
    """P 1, 40 A: the copy one cell away along a."""
    assert BOX.cell[0] == 40.0
    send(view, "key Y")
    view.centre_on_point(np.array([40.0, 0.0, 0.0]))
    x, y, _ = view.camera.project(np.array([[43.0, 1.0, 0.0]]), view.width(), view.height())[0]
    assert view.pick(x, y) == (1, 0)
    assert view.atom_at(x, y) is None
    QTest.mouseClick(
        view._scene, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, QPoint(round(x), round(y))
    )
    assert view.camera.centre == pytest.approx([43.0, 1.0, 0.0])


@pytest.mark.display
@needs_display
def test_the_choice_of_the_first_start_is_remembered(view: Viewport) -> None:
    remembered: list[dict[str, Any]] = []
    view.settings_changed.connect(remembered.append)
    view.restore({})
    assert view.choice.isVisible()
    QTest.mouseClick(view.choice.buttons["coot"], Qt.MouseButton.LeftButton)
    assert not view.choice.isVisible() and view.preset.name == "coot"
    view.restore({})
    QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier))
    assert not view.choice.isVisible() and view.preset.name == "default"
    view.set_preset("coot")
    assert remembered[-1]["preset"] == "coot"
    view.restore({**remembered[-1], "style": "nonsense", "radius": float("nan"), "safe": True})
    assert not view.choice.isVisible() and view.preset.name == "coot"
    assert view.options.style == "sticks" and view.safe and 4.0 <= view.radius <= 24.0


@pytest.mark.display
@needs_display
def test_another_model_ends_measuring(view: Viewport) -> None:
    send(view, "key T")
    assert view.marks.measuring is not None
    view.set_model(tiny_model(ATOMS, ["C", "N", "O", "C"], residue=[0, 1, 2, 3]), bonds(), keep_view=True)
    assert view.marks.measuring is not None, "the same model of another run"
    view.set_model(tiny_model(ATOMS, ["C", "N", "O", "C"], residue=[0, 1, 2, 3]), bonds())
    assert view.marks.measuring is None and not view._overlay.content.hint


@pytest.mark.display
@needs_display
def test_the_card_of_keys_waits_for_the_first_question(view: Viewport) -> None:
    view.show()
    view.restore({})
    assert view.choice.isVisible()
    send(view, "key H")
    assert view.choice.isVisible() and not view.card.isVisible()
    view.choice.buttons["coot"].click()
    send(view, "key H")
    assert view.card.isVisible() and not view.choice.isVisible()
