"""The 3D view as one widget: give it `Prepared` and each `CycleFinished`, and it shows model and maps.

The window's thread only uploads finished arrays and paints. Maps are computed and contoured in a few threads; the
newest wish wins, and what is on the screen stays there until its successor is ready.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QEasingCurve,
    QEvent,
    QObject,
    QPointF,
    Qt,
    QTimer,
    QVariantAnimation,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workbench.core.arrays import Float32Array, FloatArray, IntArray
from workbench.core.crystal import Model, ModelState
from workbench.core.events import CycleFinished, Prepared
from workbench.gui.scene_widget import SceneWidget, missing_opengl
from workbench.gui.viewport_overlay import (
    AtomLabel,
    DepthPanel,
    LevelRow,
    Overlay,
    OverlayContent,
    interface_font,
    overlay_colours,
)
from workbench.view.atoms import Sticks, build_sticks
from workbench.view.camera import Camera
from workbench.view.colours import Rgb, scene_colours
from workbench.view.density import DensityGrid, contour
from workbench.view.maps import DENSITY, DIFFERENCE, MapSet, maps_of_cycle
from workbench.view.picking import pick_atom
from workbench.view.renderer import Renderer, Wire

LEVEL_STEP = 0.1
DEFAULT_LEVELS = {DENSITY: 1.5, DIFFERENCE: 3.0}
DEFAULT_RADIUS = 13.0
RADIUS_RANGE = (4.0, 24.0)
SLAB_RANGE = (4.0, 40.0)
RECONTOUR_SHIFT = 0.4
"""Angstrom the centre may wander before the maps follow."""
CLICK_PIXELS = 4.0
REPAINT_SOON_MS = 60
"""How long the wires of one map wait for those of the other."""

_WIRES = {DENSITY: (("2mFo-DFc", 1.0),), DIFFERENCE: (("mFo-DFc +", 1.0), ("mFo-DFc -", -1.0))}


@dataclass(frozen=True, eq=False)
class _ContourWish:
    """What a map's wires should show."""

    grid: DensityGrid
    level: float
    centre: FloatArray
    radius: float

    def same_as(self, other: _ContourWish | None) -> bool:
        return (
            other is not None
            and self.grid is other.grid
            and self.level == other.level
            and self.radius == other.radius
            and bool(np.array_equal(self.centre, other.centre))
        )


class _Courier(QObject):
    """Carries results of threads to the window's thread; a result that comes after the view has gone is dropped."""

    arrived = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._results: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._open = True
        self.arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def send(self, work: Callable[[], None]) -> None:
        """From any thread: do `work` in the window's thread."""
        self._results.put(work)
        if self._open:
            try:
                self.arrived.emit()
            except RuntimeError:  # the Qt object is gone already
                self._open = False

    def close(self) -> None:
        self._open = False

    def _deliver(self) -> None:
        while not self._results.empty():
            work = self._results.get()
            if self._open:
                work()


def _hex(colour: Rgb) -> str:
    return QColor.fromRgbF(*colour).name()


class Viewport(QWidget):
    """Model and maps in 3D.

    centred(text): another residue is looked at, as "A 89 PHE". message(text): something for the status line.
    available, reason: False and why when there is no OpenGL; everything else then does nothing and costs nothing.
    """

    centred = Signal(str)
    message = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 120)
        self.animated = True
        self.hydrogens_shown = False
        self.camera = Camera()
        self.radius = DEFAULT_RADIUS
        self.levels = dict(DEFAULT_LEVELS)
        self.active_map = DENSITY
        self._theme: dict[str, str] = {}
        self._colours = scene_colours()
        self._prepared: Prepared | None = None
        self._model: Model | None = None
        self._state: ModelState | None = None
        self._xyz: FloatArray = np.empty((0, 3))
        self._bonds = np.empty((0, 2), dtype=np.int32)
        self._sticks: Sticks | None = None
        self._maps = MapSet(grids={})
        self._maps_wanted: tuple[Prepared, CycleFinished] | None = None
        self._maps_running = False
        self._wish: dict[str, _ContourWish] = {}
        self._contouring: dict[str, _ContourWish] = {}
        self._wires: dict[str, tuple[Float32Array, FloatArray, float]] = {}
        self._residue: int | None = None
        self._labelled: set[int] = set()
        self._hovered: int | None = None
        self._bright_map = ""
        self._drag_from: QPointF | None = None
        self._drag_travel = 0.0
        self._wheel_rest = 0.0
        self._views: list[Camera] = []
        self._refining = False
        self._repaint_soon = QTimer(self)
        self._repaint_soon.setSingleShot(True)
        self._repaint_soon.setInterval(REPAINT_SOON_MS)
        self._repaint_soon.timeout.connect(self._repaint)

        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="contours")
        self._map_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="maps")
        self._courier = _Courier()
        self.destroyed.connect(self._courier.close)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.reason = missing_opengl()
        self.available = not self.reason
        self._scene: SceneWidget | None = None
        self._overlay: Overlay | None = None
        self._depth: DepthPanel | None = None
        self._notice = QLabel(self)
        self._notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._notice.setWordWrap(True)
        if self.available:
            self._scene = SceneWidget(self, self._scene_ready, self._draw, self._scene_failed)
            layout.addWidget(self._scene)
            self._scene.installEventFilter(self)
            self._overlay = Overlay(self._scene)
            self._depth = DepthPanel(self._scene)
            self._depth.focus_changed.connect(self.set_slab)
            self._depth.radius_changed.connect(self.set_radius)
            self._depth.hide()
        layout.addWidget(self._notice)
        self._notice.setVisible(not self.available)
        self._flight = QVariantAnimation(self)
        self._flight.setStartValue(0.0)
        self._flight.setEndValue(1.0)
        self._flight.setDuration(300)
        self._flight.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._flight.valueChanged.connect(self._fly)
        self._flight_ends: tuple[FloatArray, FloatArray] = (np.zeros(3), np.zeros(3))
        self._dim_levels = QTimer(self)
        self._dim_levels.setSingleShot(True)
        self._dim_levels.setInterval(1000)
        self._dim_levels.timeout.connect(self._dim)
        self.set_theme({})

    # -- what the window gives ------------------------------------------------------------------------------------

    def set_theme(self, colors: Mapping[str, str]) -> None:
        """Colours by role, '#RRGGBB': view (background), panel, hairline, text, label, hint, accent, track, map_main,
        map_positive, map_negative. Missing roles keep their default."""
        self._theme = dict(colors)
        self._colours = scene_colours(
            colors.get("view", "#101216"),
            colors.get("map_main", ""),
            colors.get("map_positive", ""),
            colors.get("map_negative", ""),
        )
        overlay = overlay_colours(colors)
        if self._overlay is not None and self._depth is not None:
            self._overlay.set_colours(overlay)
            self._depth.set_colours(overlay)
        self._notice.setFont(interface_font(self.font(), 13))
        self._notice.setStyleSheet(f"color: {overlay.label}; background: {overlay.background}; padding: 24px;")
        self._notice.setText(f"The 3D view is not available.\n{self.reason}" if self.reason else "")
        self._restyle()
        self._show_texts()

    def set_prepared(self, prepared: Prepared) -> None:
        """A new problem. The view is kept when the same model comes again (another run from a later state)."""
        before = self._prepared
        same = (
            before is not None
            and before.model.source == prepared.model.source
            and len(before.model) == len(prepared.model)
        )
        self._prepared = prepared
        self.set_model(prepared.model, prepared.bonds, keep_view=same)

    def set_cycle(self, cycle: CycleFinished) -> None:
        """Atoms move at once; the maps follow as soon as they are computed, older ones still waiting are dropped."""
        if self._prepared is None or not self.available:
            return
        self._state = cycle.state
        self.move_atoms(cycle.state.xyz)
        self._maps_wanted = (self._prepared, cycle)
        self._compute_maps()

    def set_refining(self, refining: bool) -> None:
        """While a run goes on, a picture drawn by the processor is drawn quickly rather than smoothly: the processor
        is wanted elsewhere, and every cycle brings a new picture. A graphics card makes no difference."""
        if refining != self._refining:
            self._refining = refining
            self._repaint()

    def set_model(self, model: Model, bonds: IntArray, keep_view: bool = False) -> None:
        """Show a model with bonds (k, 2); the maps of the former model go."""
        self._model = model
        self._state = ModelState(model.xyz, model.b_iso, model.u_aniso, model.occupancy)
        self._xyz = np.asarray(model.xyz, dtype=np.float64)
        self._bonds = np.asarray(bonds, dtype=np.int32).reshape(-1, 2)
        self._labelled.clear()
        self._hovered = None
        if not keep_view:
            self._residue = None
            self.set_maps(MapSet(grids={}))
        self._restyle()
        if not keep_view and len(model):
            self.camera = replace(Camera(), rotation=self.camera.rotation)
            start = self._first_residue()
            if start is not None:
                self._go(self._residue_point(start), start, fly=False)
        self._show_texts()

    def move_atoms(self, xyz: FloatArray) -> None:
        """New coordinates (n, 3) in angstrom for the same atoms; the camera stays."""
        if self._model is None or self._sticks is None:
            return
        if xyz.shape != self._xyz.shape:
            raise ValueError(f"{len(self._xyz)} atoms cannot move to {len(xyz)} places")
        self._xyz = np.asarray(xyz, dtype=np.float64)
        if self._scene is not None:
            positions = self._sticks.positions(self._xyz)
            self._scene.with_context(lambda renderer: renderer.move_sticks(positions))
        self._repaint()
        self._show_texts()

    def set_maps(self, maps: MapSet) -> None:
        """Show other maps; the wires of a map that stays by name are swapped when the new ones are ready."""
        self._maps = maps
        for name in [name for name in self._wish if name not in maps.grids]:
            del self._wish[name]
            for wire, _ in _WIRES[name]:
                self._drop_wire(wire)
        self._request_contours()
        self._show_texts()

    def centre_on_residue(self, row: int) -> None:
        """Look at a residue (row of the model's residues), orientation and zoom kept."""
        if self._model is not None and 0 <= row < len(self._model.residues):
            self._go(self._residue_point(row), row)

    def centre_on_point(self, point: FloatArray) -> None:
        """Look at a point (3,) in angstrom."""
        self._go(np.asarray(point, dtype=np.float64), None)

    @property
    def residue(self) -> int | None:
        """Row of the residue that is looked at."""
        return self._residue

    @property
    def busy(self) -> bool:
        """True while a map or a contour is on its way."""
        return self._maps_running or bool(self._contouring)

    def set_level(self, name: str, sigma: float) -> None:
        """Contour level in sigma, never below 0."""
        self.levels[name] = max(round(sigma, 3), 0.0)
        self._bright_map = name
        self._dim_levels.start()
        self._request_contours()
        self._show_texts()

    def set_radius(self, radius: float) -> None:
        """How far around the centre maps are drawn, angstrom."""
        self.radius = float(np.clip(radius, *RADIUS_RANGE))
        self._request_contours()
        self._show_texts()

    def set_slab(self, thickness: float) -> None:
        """Thickness of what is seen, angstrom."""
        self._move_camera(self.camera.with_slab(float(np.clip(thickness, *SLAB_RANGE))))

    def show_hydrogens(self, shown: bool) -> None:
        self.hydrogens_shown = shown
        self._restyle()

    def close_threads(self) -> None:
        """Drop what is on its way; the view is going."""
        self._courier.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._map_thread.shutdown(wait=False, cancel_futures=True)

    # -- scene ----------------------------------------------------------------------------------------------------

    def _restyle(self) -> None:
        if self._model is None:
            self._repaint()
            return
        self._sticks = build_sticks(self._model, self._bonds, self._colours, self.hydrogens_shown)
        if self._scene is not None:
            self._scene.with_context(self._give_sticks)
        self._repaint()

    def _give_sticks(self, renderer: Renderer) -> None:
        if self._sticks is not None:
            renderer.set_sticks(self._sticks.positions(self._xyz), self._sticks.style)

    def _scene_ready(self, renderer: Renderer) -> None:
        self._give_sticks(renderer)
        for name, (segments, centre, radius) in self._wires.items():
            renderer.set_lines(name, segments, centre, radius)

    def _scene_failed(self, reason: str) -> None:
        self.available, self.reason = False, reason
        self._notice.setText(f"The 3D view is not available.\n{reason}")
        self._notice.show()
        if self._scene is not None:
            # Not from inside its own first paint.
            QTimer.singleShot(0, self._scene.hide)
        self.message.emit(reason)

    def _draw(self, renderer: Renderer, target: Any, size: tuple[int, int], ratio: float) -> None:
        colours = self._colours
        wires = (
            Wire("2mFo-DFc", colours.density, 0.80, 1.0),
            Wire("mFo-DFc +", colours.positive, 0.95, 1.35),
            Wire("mFo-DFc -", colours.negative, 0.95, 1.35),
        )
        renderer.draft = self._refining and renderer.software
        renderer.render(self.camera, colours, wires, size, ratio, target)

    def _repaint(self) -> None:
        self._repaint_soon.stop()
        if self._scene is not None:
            self._scene.update()

    def _drop_wire(self, name: str) -> None:
        self._wires.pop(name, None)
        if self._scene is not None:
            nothing = np.empty((0, 2, 3), dtype=np.float32)
            self._scene.with_context(lambda renderer: renderer.set_lines(name, nothing, np.zeros(3), 0.0))
        self._repaint()

    # -- maps in threads ------------------------------------------------------------------------------------------

    def _compute_maps(self) -> None:
        if self._maps_running or self._maps_wanted is None:
            return
        prepared, cycle = self._maps_wanted
        self._maps_wanted = None
        self._maps_running = True
        courier = self._courier

        def work() -> None:
            try:
                maps = maps_of_cycle(prepared, cycle)
            except Exception as error:
                text = f"The maps of cycle {cycle.statistics.cycle} could not be made: {error}"
                courier.send(lambda: self._maps_done(prepared, None, text))
                return
            courier.send(lambda: self._maps_done(prepared, maps, ""))

        self._map_thread.submit(work)

    def _maps_done(self, prepared: Prepared, maps: MapSet | None, text: str) -> None:
        self._maps_running = False
        if text:
            self.message.emit(text)
        if maps is not None and prepared is self._prepared:
            self.set_maps(maps)
        self._compute_maps()

    def _request_contours(self, centre: FloatArray | None = None) -> None:
        if not self.available:
            return
        if centre is None:
            flying = self._flight.state() == QVariantAnimation.State.Running
            centre = self._flight_ends[1] if flying else self.camera.centre
        for name, grid in self._maps.grids.items():
            self._wish[name] = _ContourWish(grid, self.levels[name] * grid.sigma, centre.copy(), self.radius)
            self._contour(name)

    def _contour(self, name: str) -> None:
        if name in self._contouring or name not in self._wish:
            return
        wish = self._wish[name]
        self._contouring[name] = wish
        courier = self._courier
        signs = _WIRES[name]

        def work() -> None:
            try:
                found = {wire: contour(wish.grid, sign * wish.level, wish.centre, wish.radius) for wire, sign in signs}
            except Exception as error:
                text = f"The {name} map could not be contoured: {error}"
                courier.send(lambda: self._contoured(name, wish, {}, text))
                return
            courier.send(lambda: self._contoured(name, wish, found, ""))

        self._threads.submit(work)

    def _contoured(self, name: str, wish: _ContourWish, found: dict[str, Float32Array], text: str) -> None:
        self._contouring.pop(name, None)
        if text:
            self.message.emit(text)
        if name not in self._wish:
            return
        for wire, segments in found.items():
            self._wires[wire] = (segments, wish.centre, wish.radius)

        def give(renderer: Renderer) -> None:
            for wire, segments in found.items():
                renderer.set_lines(wire, segments, wish.centre, wish.radius)

        if self._scene is not None:
            self._scene.with_context(give)
        if self._contouring:
            # The other map is nearly there: one picture for both, but no long wait.
            self._repaint_soon.start()
        else:
            self._repaint()
        if not wish.same_as(self._wish[name]):
            self._contour(name)

    # -- where we look --------------------------------------------------------------------------------------------

    def _move_camera(self, camera: Camera) -> None:
        self.camera = camera
        if self._maps.grids:
            wish = next(iter(self._wish.values()), None)
            if wish is None or np.linalg.norm(wish.centre - camera.centre) > RECONTOUR_SHIFT:
                self._request_contours()
        self._repaint()
        self._show_texts()

    def _go(self, point: FloatArray, residue: int | None, fly: bool = True) -> None:
        self._views.append(self.camera)
        del self._views[:-50]
        if residue is not None:
            self._residue = residue
        self._flight.stop()
        if fly and self.animated and self.isVisible():
            self._flight_ends = (self.camera.centre, point)
            self._flight.start()
            self._request_contours(point)
        else:
            self.camera = self.camera.centred(point)
            self._request_contours(point)
            self._repaint()
        self._show_texts()
        if residue is not None and self._model is not None:
            self.centred.emit(self._model.residues.label(residue))

    def _fly(self, value: float) -> None:
        start, end = self._flight_ends
        self.camera = self.camera.centred(start + (end - start) * float(value))
        self._repaint()
        self._show_texts()

    def undo_view(self) -> None:
        """Back to where we looked before the last jump."""
        if self._views:
            self._flight.stop()
            self._move_camera(self._views.pop())
            self._name_centre()

    def step_residue(self, step: int) -> None:
        """To the next or previous residue, orientation kept."""
        if self._model is None or not len(self._model.residues):
            return
        row = 0 if self._residue is None else (self._residue + step) % len(self._model.residues)
        self.centre_on_residue(row)

    def _residue_point(self, row: int) -> FloatArray:
        """Where to look for a residue: CB, else CA, else C1', else the atom nearest to its middle."""
        assert self._model is not None
        first = int(self._model.residues.first_atom[row])
        atoms = np.arange(first, first + int(self._model.residues.n_atoms[row]))
        names = self._model.atom_name[atoms]
        if self._model.residues.kind[row] in ("protein", "nucleic"):
            for wanted in ("CB", "CA", "C1'"):
                found = atoms[names == wanted]
                if len(found):
                    return np.asarray(self._xyz[found[0]])
        middle = self._xyz[atoms].mean(axis=0)
        return np.asarray(self._xyz[atoms[int(np.argmin(np.linalg.norm(self._xyz[atoms] - middle, axis=1)))]])

    def _first_residue(self) -> int | None:
        """A residue with a side chain worth looking at, near the middle of the molecule."""
        model = self._model
        if model is None or not len(model.residues):
            return None
        residues = model.residues
        rows = np.flatnonzero((residues.kind == "protein") & (residues.n_atoms >= 8))
        if not len(rows):
            rows = np.flatnonzero(residues.kind != "water")
        if not len(rows):
            rows = np.arange(len(residues))
        points = np.array([self._residue_point(int(row)) for row in rows])
        return int(rows[int(np.argmin(np.linalg.norm(points - np.median(self._xyz, axis=0), axis=1)))])

    def _name_centre(self) -> None:
        """After a pan: the title follows to the residue that is nearest to the centre."""
        if self._model is None or self._sticks is None or not self._sticks.shown.any():
            return
        atoms = np.flatnonzero(self._sticks.shown)
        nearest = atoms[int(np.argmin(np.linalg.norm(self._xyz[atoms] - self.camera.centre, axis=1)))]
        row = int(self._model.residue[nearest])
        if row != self._residue:
            self._residue = row
            self._show_texts()
            self.centred.emit(self._model.residues.label(row))

    def atom_at(self, x: float, y: float) -> int | None:
        """Index of the atom at a point of the widget in device-independent pixels."""
        if self._model is None or self._sticks is None:
            return None
        ratio = self.devicePixelRatioF()
        return pick_atom(
            self.camera,
            self._xyz,
            self._sticks.shown,
            x * ratio,
            y * ratio,
            self.width() * ratio,
            self.height() * ratio,
            reach=8.0 * ratio,
        )

    def centre_on_atom(self, atom: int) -> None:
        assert self._model is not None
        self._go(self._xyz[atom].copy(), int(self._model.residue[atom]))

    def toggle_label(self, atom: int | None) -> None:
        """Write an atom's name beside it, or take it away."""
        if atom is not None:
            self._labelled ^= {atom}
            self._show_texts()

    # -- texts ----------------------------------------------------------------------------------------------------

    def _atom_text(self, atom: int, detailed: bool) -> str:
        assert self._model is not None and self._state is not None
        model = self._model
        residue = model.residues.label(int(model.residue[atom]))
        alternative = f" ({model.altloc[atom]})" if model.altloc[atom] else ""
        text = f"{model.atom_name[atom]}{alternative}  {residue}"
        if detailed:
            text += f"   B {self._state.b_iso[atom]:.1f} Å²"
            if self._state.occupancy[atom] < 0.995:
                text += f"   occupancy {self._state.occupancy[atom]:.2f}"
        return text

    def _title(self) -> tuple[str, tuple[str, ...]]:
        if self._model is None or self._residue is None or self._state is None:
            return "", ()
        row = self._residue
        first = int(self._model.residues.first_atom[row])
        atoms = slice(first, first + int(self._model.residues.n_atoms[row]))
        lines = [f"mean B {self._state.b_iso[atoms].mean():.1f} Å²"]
        density = self._maps.grids.get(DENSITY)
        if density is not None and density.sigma > 0.0:
            heavy = ~np.isin(self._model.element[atoms], ["H", "D"])
            mean = density.at(self._xyz[atoms][heavy]).mean() / density.sigma if heavy.any() else 0.0
            lines[0] += f"    2mFo−DFc at its atoms {mean:.1f} σ"
        return self._model.residues.label(row), tuple(lines)

    def _level_rows(self) -> tuple[LevelRow, ...]:
        colours = self._colours
        rows = []
        for name, grid in self._maps.grids.items():
            difference = name == DIFFERENCE
            sigma = self.levels[name]
            sign = "±" if difference else ""
            rows.append(
                LevelRow(
                    colours=(_hex(colours.positive), _hex(colours.negative))
                    if difference
                    else (_hex(colours.density),),
                    name=name.replace("-", "−"),
                    sigma=f"{sign}{sigma:.2f} σ",
                    absolute=f"{sigma * grid.sigma:.2f} e/Å³",
                    remark=self._difference_words() if difference else self._maps.remark,
                    bright=name == self._bright_map,
                    active=name == self.active_map,
                )
            )
        return tuple(rows)

    def _difference_words(self) -> str:
        def word(colour: Rgb) -> str:
            hue = QColor.fromRgbF(*colour).hslHue()
            for limit, name in (
                (20, "red"),
                (50, "orange"),
                (75, "yellow"),
                (170, "green"),
                (260, "blue"),
                (330, "violet"),
            ):
                if hue < limit:
                    return name
            return "red"

        return f"+ {word(self._colours.positive)}, − {word(self._colours.negative)}"

    def _show_texts(self) -> None:
        if self._overlay is None or self._depth is None:
            return
        title, subtitles = self._title()
        labels = []
        wanted = [(atom, False) for atom in sorted(self._labelled)]
        if self._hovered is not None and self._hovered not in self._labelled:
            wanted.append((self._hovered, True))
        if wanted:
            at = self.camera.project(self._xyz[[atom for atom, _ in wanted]], self.width(), self.height())
            for (atom, hovering), (x, y, depth) in zip(wanted, at.tolist(), strict=True):
                if -self.camera.back < depth < self.camera.front and 0 <= x <= self.width() and 0 <= y <= self.height():
                    labels.append(AtomLabel(round(x, 1), round(y, 1), self._atom_text(atom, hovering), hovering))
        self._overlay.show_content(OverlayContent(title, subtitles, self._level_rows(), tuple(labels)))
        self._depth.setVisible(self._model is not None)
        self._depth.show_values(self.camera.slab, self.radius)

    def _dim(self) -> None:
        self._bright_map = ""
        self._show_texts()

    # -- mouse and keys -------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Resize and self._overlay is not None and self._scene is not None:
            self._overlay.resize(self._scene.size())
            self._place_depth()
        elif isinstance(event, QMouseEvent):
            if kind == QEvent.Type.MouseButtonPress:
                self._press(event)
            elif kind == QEvent.Type.MouseMove:
                self._drag(event)
            elif kind == QEvent.Type.MouseButtonRelease:
                self._let_go(event)
            elif kind == QEvent.Type.MouseButtonDblClick and event.button() == Qt.MouseButton.LeftButton:
                self._centre_at(event.position())
            else:
                return super().eventFilter(watched, event)
            event.accept()
            return True
        elif isinstance(event, QWheelEvent):
            self._wheel(event)
            event.accept()
            return True
        elif isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._move_camera(self.camera.zoomed(1.0 + event.value()))
            return True
        elif kind == QEvent.Type.Leave and self._hovered is not None:
            self._hovered = None
            self._show_texts()
        return super().eventFilter(watched, event)

    def _place_depth(self) -> None:
        if self._depth is not None and self._scene is not None:
            self._depth.adjustSize()
            self._depth.move(
                self._scene.width() - self._depth.width() - 16, self._scene.height() - self._depth.height() - 9
            )

    def _press(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._drag_from = event.position()
        self._drag_travel = 0.0
        if self._hovered is not None:
            self._hovered = None
            self._show_texts()

    def _drag(self, event: QMouseEvent) -> None:
        if self._drag_from is None or event.buttons() == Qt.MouseButton.NoButton:
            self._drag_from = None
            atom = self.atom_at(event.position().x(), event.position().y())
            if atom != self._hovered:
                self._hovered = atom
                self._show_texts()
            return
        moved = event.position() - self._drag_from
        self._drag_travel += abs(moved.x()) + abs(moved.y())
        if self._drag_travel < CLICK_PIXELS:
            return
        self._drag_from = event.position()
        self._flight.stop()
        keys, buttons = event.modifiers(), event.buttons()
        ctrl = bool(keys & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier))
        shift = bool(keys & Qt.KeyboardModifier.ShiftModifier)
        turn = np.pi / max(min(self.width(), self.height()), 1)
        if buttons & Qt.MouseButton.RightButton and ctrl and shift:
            self._move_camera(self.camera.rotated(0.0, 0.0, -moved.x() * turn))
        elif buttons & Qt.MouseButton.RightButton:
            self._move_camera(self.camera.zoomed(float(np.exp((moved.x() - moved.y()) * 0.006))))
        elif buttons & Qt.MouseButton.MiddleButton or (buttons & Qt.MouseButton.LeftButton and ctrl):
            scale = self.camera.height / max(self.height(), 1)
            self._move_camera(self.camera.panned(moved.x() * scale, moved.y() * scale))
        elif buttons & Qt.MouseButton.LeftButton:
            self._move_camera(self.camera.rotated(moved.x() * turn, moved.y() * turn))

    def _let_go(self, event: QMouseEvent) -> None:
        clicked = self._drag_from is not None and self._drag_travel < CLICK_PIXELS
        self._drag_from = None
        keys = event.modifiers()
        if not clicked:
            self._name_centre()
        elif event.button() == Qt.MouseButton.MiddleButton or (
            event.button() == Qt.MouseButton.LeftButton and keys & Qt.KeyboardModifier.AltModifier
        ):
            self._centre_at(event.position())
        elif event.button() == Qt.MouseButton.LeftButton and keys & Qt.KeyboardModifier.ShiftModifier:
            self.toggle_label(self.atom_at(event.position().x(), event.position().y()))

    def _centre_at(self, position: QPointF) -> None:
        atom = self.atom_at(position.x(), position.y())
        if atom is not None:
            self.centre_on_atom(atom)

    def _wheel(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y() or event.angleDelta().x()
        keys = event.modifiers()
        if keys & Qt.KeyboardModifier.ShiftModifier:
            self._move_camera(self.camera.zoomed(float(1.12 ** (delta / 120.0))))
            return
        self._wheel_rest += delta / 120.0
        steps = int(self._wheel_rest)
        self._wheel_rest -= steps
        if steps:
            name = DIFFERENCE if keys & Qt.KeyboardModifier.ControlModifier else self.active_map
            self._change_level(name, steps)

    def _change_level(self, name: str, steps: int) -> None:
        if name in self._maps.grids:
            self.set_level(name, self.levels[name] + steps * LEVEL_STEP)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the 3D view; others go on to the window."""
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        others = (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
        )
        if event.modifiers() & others or not self.available or self._model is None:
            super().keyPressEvent(event)
            return
        key, text = event.key(), event.text()
        camera = self.camera
        if text in "+=" and text:
            self._change_level(self.active_map, 1)
        elif text in "-_" and text:
            self._change_level(self.active_map, -1)
        elif text in "[]" and text:
            self.set_radius(self.radius + (1.0 if text == "]" else -1.0))
        elif text in "12" and text:
            self._move_camera(camera.clipped(front=-0.5 if text == "1" else 0.5))
        elif text in "34" and text:
            self._move_camera(camera.clipped(back=0.5 if text == "3" else -0.5))
        elif key == Qt.Key.Key_Space:
            self.step_residue(-1 if shift else 1)
        elif key == Qt.Key.Key_W and shift:
            names = list(self._maps.grids)
            if names:
                at = names.index(self.active_map) if self.active_map in names else -1
                self.active_map = self._bright_map = names[(at + 1) % len(names)]
                self._dim_levels.start()
                self._show_texts()
        elif key == Qt.Key.Key_N and not shift:
            self._move_camera(camera.zoomed(1.15))
        elif key == Qt.Key.Key_M and not shift:
            self._move_camera(camera.zoomed(1.0 / 1.15))
        elif key == Qt.Key.Key_D and not shift:
            self.set_slab(camera.slab - 1.0)
        elif key == Qt.Key.Key_F and not shift:
            self.set_slab(camera.slab + 1.0)
        elif key == Qt.Key.Key_U and not shift:
            self.undo_view()
        elif key == Qt.Key.Key_L and not shift:
            self.toggle_label(self._hovered if self._hovered is not None else self._central_atom())
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def _central_atom(self) -> int | None:
        return self.atom_at(self.width() / 2, self.height() / 2) or self._nearest_to_centre()

    def _nearest_to_centre(self) -> int | None:
        if self._sticks is None or not self._sticks.shown.any():
            return None
        atoms = np.flatnonzero(self._sticks.shown)
        return int(atoms[int(np.argmin(np.linalg.norm(self._xyz[atoms] - self.camera.centre, axis=1)))])

    # -- widget ---------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_texts()

    def hideEvent(self, event: QHideEvent) -> None:
        self._flight.stop()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_depth()
        self._show_texts()
