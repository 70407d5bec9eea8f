"""The camera stays rigid, and picking finds what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.view.camera import MIN_HEIGHT, Camera
from workbench.view.colours import luminance, rgb, scene_colours
from workbench.view.picking import pick_atom

ANGLES = st.floats(-3.0, 3.0)


@given(st.lists(st.tuples(ANGLES, ANGLES, ANGLES), max_size=40))
def test_turning_keeps_the_axes_orthonormal(turns: list[tuple[float, float, float]]) -> None:
    camera = Camera()
    for turn in turns:
        camera = camera.rotated(*turn)
    assert camera.rotation @ camera.rotation.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(camera.rotation) == pytest.approx(1.0)


@given(ANGLES, ANGLES, st.floats(-9.0, 9.0), st.floats(-9.0, 9.0))
def test_panning_moves_the_picture_with_the_hand(right: float, down: float, dx: float, dy: float) -> None:
    camera = Camera(height=20.0).rotated(right, down)
    point = np.array([[1.0, 2.0, 3.0]])
    before = camera.project(point, 800, 400)
    after = camera.panned(dx, dy).project(point, 800, 400)
    assert (after - before)[0] == pytest.approx([dx * 20.0, dy * 20.0, 0.0], abs=1e-9)


def test_directions() -> None:
    camera = Camera(height=10.0)
    front = np.array([[0.0, 0.0, 2.0]])
    assert camera.rotated(0.1, 0.0).project(front, 100, 100)[0, 0] > 50.0  # dragged right: the front goes right
    assert camera.rotated(0.0, 0.1).project(front, 100, 100)[0, 1] > 50.0  # dragged down: the front goes down
    up = np.array([[0.0, 1.0, 0.0]])
    assert camera.project(up, 100, 100)[0] == pytest.approx([50.0, 40.0, 0.0])
    assert camera.zoomed(2.0).project(up, 100, 100)[0, 1] == pytest.approx(30.0)
    assert camera.zoomed(1e9).height == MIN_HEIGHT


def test_slab_keeps_its_middle_and_never_closes() -> None:
    camera = Camera(front=4.0, back=8.0)
    thin = camera.with_slab(6.0)
    assert (thin.front, thin.back) == pytest.approx((2.0, 4.0))
    assert camera.clipped(front=-100.0, back=-100.0).slab > 0.0


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_picking(ratio: float) -> None:
    width, height = 400 * ratio, 300 * ratio
    xyz = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 3.0], [2.0, 0.0, 0.0], [-2.0, 0.0, 50.0], [3.0, 3.0, 0.0]])
    shown = np.array([True, True, True, True, False])
    camera = Camera(height=10.0, front=5.0, back=5.0)

    def pick(atom: int) -> int | None:
        x, y, _ = camera.project(xyz[atom], width, height)[0]
        return pick_atom(camera, xyz, shown, x + 2 * ratio, y - ratio, width, height, reach=8 * ratio)

    assert pick(0) == 1  # the one in front hides it
    assert pick(2) == 2
    assert pick(3) is None  # in front of the clipping plane
    assert pick(4) is None  # not shown
    assert pick_atom(camera, xyz, shown, 5.0, 5.0, width, height) is None
    assert pick_atom(camera, np.empty((0, 3)), np.empty(0, dtype=bool), 5.0, 5.0, width, height) is None


@pytest.mark.parametrize("ground", ["#101216", "#FAFBFC"])
def test_maps_stand_out_from_the_background(ground: str) -> None:
    """3:1 or better, the limit for graphics (WCAG 2.1, 1.4.11)."""

    def linear(text_colour: tuple[float, float, float]) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in text_colour]
        return luminance((parts[0], parts[1], parts[2]))

    for safe in (False, True):
        colours = scene_colours(ground, safe=safe)
        further = [colour for pair in colours.further for colour in pair]
        for colour in (colours.density, colours.positive, colours.negative, *further):
            low, high = sorted([linear(colour), linear(colours.background)])
            assert (high + 0.05) / (low + 0.05) > 3.0
    with pytest.raises(ValueError, match="not a colour"):
        rgb("blue")
