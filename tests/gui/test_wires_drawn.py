"""Chicken wire on the picture, drawn in every way that there is. Needs a display (Xvfb)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.gui.test_viewport import blob, needs_display, picture, settle, view
from workbench.gui.viewport import Viewport
from workbench.view.camera import Camera
from workbench.view.line_set import NO_LINES, separate_lines
from workbench.view.maps import DENSITY, DIFFERENCE, MapSet

__all__ = ["view"]
pytestmark = [pytest.mark.display, needs_display]


def drawn_as(view: Viewport, draft: bool) -> np.ndarray:
    view._drawn_slowly = lambda: draft  # type: ignore[method-assign]
    return picture(view)


@pytest.mark.parametrize("draft", [True, False], ids=["quick", "full"])
@pytest.mark.parametrize("safe", [True, False], ids=["broken lines", "unbroken lines"])
def test_lines_that_share_their_points_look_like_lines_that_do_not(view: Viewport, draft: bool, safe: bool) -> None:
    view.camera = Camera(height=12.0)
    view.set_safe(safe)
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0)), DIFFERENCE: blob((1.5, 0, 0), -1.0)}))
    settle(view, lambda: {DENSITY, "mFo-DFc -"} <= set(view.tracer.wires))
    wires = view.tracer.wires
    shared = drawn_as(view, draft)
    apart = {name: replace(wire, lines=separate_lines(wire.lines.segments)) for name, wire in wires.items()}
    none = {name: replace(wire, lines=NO_LINES) for name, wire in wires.items()}
    pictures = []
    for others in (apart, none):
        view.tracer.wires = others
        view._with_context(view.tracer.give_all)
        pictures.append(drawn_as(view, draft))
    assert np.abs(shared - pictures[0]).max() == 0
    assert np.count_nonzero(np.abs(shared - pictures[1]).max(axis=2) > 30) > 500


@pytest.mark.parametrize("draft", [True, False], ids=["quick", "full"])
def test_a_uniform_that_changes_is_seen_whatever_was_drawn_between(view: Viewport, draft: bool) -> None:
    """What a program was given last is remembered: every picture is that of the camera and the colours of now."""
    view.set_maps(MapSet({DENSITY: blob((0, 0, 0))}))
    settle(view, lambda: DENSITY in view.tracer.wires)
    cameras = [Camera(height=12.0), Camera(height=12.0).panned(1.0, 0.5), Camera(height=9.0).rotated(0.4, 0.2)]
    themes = [{"view": "#101216"}, {"view": "#FAFBFC"}]
    seen: dict[tuple[int, int], np.ndarray] = {}
    for turn in range(2):
        for k, theme in enumerate(themes):
            view.set_theme(theme)
            for n, camera in enumerate(cameras if turn == 0 else cameras[::-1]):
                which = (k, n if turn == 0 else len(cameras) - 1 - n)
                view.camera = camera
                now = drawn_as(view, draft)
                if which in seen:
                    assert np.abs(now - seen[which]).max() == 0
                assert all(np.abs(now - other).max() > 60 for key, other in seen.items() if key != which)
                seen[which] = now
    assert len(seen) == 6
