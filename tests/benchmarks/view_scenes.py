"""One scene drawn by us or by pyqtgraph.opengl, measured; prints JSON. Each wants a context, so a process, of its own.

python -m tests.benchmarks.view_scenes ours|peer
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from PySide6.QtGui import QSurfaceFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from workbench.view.atoms import STICK_RADIUS

SIZE = (900, 700)
REPEATS = 9
MAP_HEIGHT = 30.0
"""Angstrom from the lower to the upper edge of the scene with a map."""


def chain(n: int) -> tuple[np.ndarray, np.ndarray]:
    """n atoms (n, 3) on a random walk that fills a ball as a protein does, and its bonds (n - 1, 2)."""
    rng = np.random.default_rng(7)
    radius = (3.0 * n / (4.0 * np.pi * 0.05)) ** (1.0 / 3.0)
    xyz = np.zeros((n, 3))
    for k in range(1, n):
        step = rng.normal(size=3)
        xyz[k] = xyz[k - 1] + 1.5 * step / np.linalg.norm(step)
        if np.linalg.norm(xyz[k]) > radius:
            xyz[k] *= radius / np.linalg.norm(xyz[k])
    return xyz, np.column_stack([np.arange(n - 1), np.arange(1, n)]).astype(np.int32)


def wire(count: int) -> np.ndarray:
    """Segments (count, 2, 3) as long as those of a map, in a ball of 15 A."""
    rng = np.random.default_rng(8)
    start = rng.normal(size=(count, 3))
    start *= (15.0 * rng.random(count) ** (1 / 3) / np.linalg.norm(start, axis=1))[:, None]
    return np.stack([start, start + rng.normal(scale=0.25, size=(count, 3))], axis=1).astype(np.float32)


def median_time(work: Callable[[], Any], clock: Callable[[], float] | None = None) -> float:
    """Seconds, the median of several after two that warm up.

    Where the processor draws they are processor seconds of all threads, which a neighbour on the machine disturbs less;
    with a graphics card seconds by the clock.
    """
    clock = clock or (time.process_time if drawn_by_the_processor() else time.perf_counter)
    times = []
    for k in range(REPEATS + 2):
        began = clock()
        work()
        if k >= 2:
            times.append(clock() - began)
    return float(np.median(times))


@cache
def drawn_by_the_processor() -> bool:
    """Whether OpenGL is drawn by the processor here."""
    from PySide6.QtGui import QOffscreenSurface, QOpenGLContext

    from workbench.view.renderer import SOFTWARE

    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return False
    name = str(context.functions().glGetString(0x1F01)).lower()  # GL_RENDERER
    context.doneCurrent()
    return any(word in name for word in SOFTWARE)


def ours() -> dict[str, float]:
    from tests.gui.test_viewport import tiny_model
    from workbench.gui.scene_widget import prepare_opengl
    from workbench.gui.viewport import Viewport
    from workbench.view.framing import framed

    prepare_opengl()
    app = QApplication([])
    found = {}
    for name, n, lines in (("10k", 10_000, 0), ("50k", 50_000, 0), ("map", 10_000, 110_000)):
        xyz, pairs = chain(n)
        residues = [k // 8 for k in range(n)]
        atoms = [(float(x), float(y), float(z)) for x, y, z in xyz]
        model = tiny_model(atoms, ["C", "N", "O", "C"] * (n // 4), residue=residues)
        view = Viewport()
        view.animated = False
        view.resize(*SIZE)
        view.show()
        QTest.qWaitForWindowExposed(view)
        view.set_model(model, pairs)
        scene = view._scene
        assert scene is not None and scene.renderer is not None
        scene.renderer.draft = True  # no multisampling, as the peer
        view._refining = True
        if lines:
            view.camera = view.camera.centred(np.zeros(3))
            from workbench.view.line_set import separate_lines
            from workbench.view.renderer import Wire

            drawn = separate_lines(wire(lines))
            scene.with_context(lambda renderer, d=drawn: renderer.set_lines("2mFo-DFc", d, np.zeros(3), 15.0))
            view._all_wires = lambda: [Wire("2mFo-DFc", (0.4, 0.6, 0.8), 0.8, 1.0)]  # type: ignore[method-assign]
            view.camera = replace(view.camera, height=MAP_HEIGHT).with_slab(30.0)
        else:
            view.camera = framed(view.camera, xyz, SIZE[0] / SIZE[1])
        app.processEvents()
        assert view._draw and scene.renderer.software in (True, False)
        found[name] = median_time(scene.grabFramebuffer)
        if name == "50k":
            moved = xyz + 0.01

            def move(view: Any = view, moved: np.ndarray = moved, app: QApplication = app) -> None:
                view.scene.xyz = moved
                positions = view.scene.sticks.positions(moved)
                view._scene.with_context(lambda renderer: (renderer.move_sticks(positions), view._scene.gl.finish()))

            found["move"] = median_time(move)
            x, y, _ = view.camera.project(xyz[:1], view.width(), view.height())[0]
            found["pick"] = median_time(lambda view=view, x=x, y=y: view.pick(x, y))
        view.close_threads()
        view.close()
        view.deleteLater()
    return found


def peer() -> dict[str, float]:
    wanted = QSurfaceFormat()
    wanted.setVersion(2, 1)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CompatibilityProfile)
    wanted.setDepthBufferSize(24)
    QSurfaceFormat.setDefaultFormat(wanted)
    app = QApplication([])
    import pyqtgraph.opengl as gl
    from pyqtgraph import Vector

    # One widget for all: its items keep their programs from one context to the next.
    view = gl.GLViewWidget()
    view.resize(*SIZE)
    view.show()
    QTest.qWaitForWindowExposed(view)
    found = {}
    for name, n, lines in (("10k", 10_000, 0), ("50k", 50_000, 0), ("map", 10_000, 110_000)):
        xyz, pairs = chain(n)
        view.clear()
        colours = np.tile(
            np.array([[0.8, 0.7, 0.5, 1.0], [0.3, 0.4, 0.9, 1.0], [0.9, 0.3, 0.3, 1.0], [0.8, 0.7, 0.5, 1.0]]),
            (n // 4, 1),
        )
        atoms = gl.GLScatterPlotItem(
            pos=xyz.astype(np.float32),
            size=2 * STICK_RADIUS,
            color=colours.astype(np.float32),
            pxMode=False,
            glOptions="opaque",
        )
        bonds = gl.GLLinePlotItem(
            pos=xyz[pairs].reshape(-1, 3).astype(np.float32),
            color=np.repeat(colours[pairs], 1, axis=0).reshape(-1, 4).astype(np.float32),
            mode="lines",
            width=3,
            glOptions="opaque",
        )
        view.addItem(atoms)
        view.addItem(bonds)
        if lines:
            item = gl.GLLinePlotItem(
                pos=wire(lines).reshape(-1, 3), color=(0.4, 0.6, 0.8, 0.8), mode="lines", width=1, glOptions="opaque"
            )
            view.addItem(item)
        # The same angstrom from edge to edge as ours, seen from so far away that perspective makes no difference.
        height = MAP_HEIGHT if lines else float(np.ptp(xyz[:, 1])) + 6.0
        height = height if lines else max(height, (float(np.ptp(xyz[:, 0])) + 6.0) * SIZE[1] / SIZE[0])
        middle = np.zeros(3) if lines else 0.5 * (xyz.min(axis=0) + xyz.max(axis=0))
        view.opts["center"] = Vector(*middle)
        view.setCameraParams(fov=5.0, distance=0.5 * height * SIZE[0] / SIZE[1] / np.tan(np.radians(2.5)), elevation=90)
        per_angstrom = SIZE[1] / height
        bonds.setData(width=max(2 * STICK_RADIUS * per_angstrom, 1.0))
        app.processEvents()
        found[name] = median_time(view.grabFramebuffer)
        if name == "50k":
            moved = xyz + 0.01

            def move(
                atoms: Any = atoms, bonds: Any = bonds, moved: np.ndarray = moved, pairs: np.ndarray = pairs
            ) -> None:
                atoms.setData(pos=moved.astype(np.float32))
                bonds.setData(pos=moved[pairs].reshape(-1, 3).astype(np.float32))

            # The items upload when they are painted: the time beyond that of a frame without a change counts too.
            still = found["50k"]

            def move_and_paint(view: Any = view) -> None:
                move()
                view.grabFramebuffer()

            found["move"] = max(median_time(move_and_paint) - still, median_time(move))
    return found


if __name__ == "__main__":
    print(json.dumps({"ours": ours, "peer": peer}[sys.argv[1]]()))
