"""Maps of the 3D view: computed and contoured in a few threads; the newest wish wins, the old wire stays until then."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from workbench.core.arrays import BoolArray, Float32Array, FloatArray
from workbench.core.crystal import ModelState
from workbench.core.events import CycleFinished, Prepared
from workbench.engine.maps.peaks import Peak, find_peaks
from workbench.view.camera import Camera
from workbench.view.density import DensityGrid
from workbench.view.line_set import NO_LINES, LineSet
from workbench.view.maps import (
    DEFAULT_DIFFERENCE_LEVEL,
    DEFAULT_LEVEL,
    DENSITY,
    DIFFERENCE,
    Contours,
    MapSet,
    contours,
    difference_of_cycles,
    maps_of_cycle,
    wire_names,
)
from workbench.view.opened_maps import open_maps
from workbench.view.renderer import Renderer
from workbench.view.ribbon import Mesh
from workbench.view.section import Section, section

DEFAULT_RADIUS = 13.0
RADIUS_RANGE = (4.0, 24.0)
PEAK_LIMIT = 4.0
"""Sigma above which a difference peak is worth a visit."""
OF_CYCLES = (DENSITY, DIFFERENCE)


class Courier(QObject):
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


@dataclass(frozen=True, eq=False)
class _Wish:
    """What a map's wires should show."""

    grid: DensityGrid
    level: float
    centre: FloatArray
    radius: float
    smooth: bool

    def same_as(self, other: _Wish | None) -> bool:
        return (
            other is not None
            and self.grid is other.grid
            and (self.level, self.radius, self.smooth) == (other.level, other.radius, other.smooth)
            and bool(np.array_equal(self.centre, other.centre))
        )


@dataclass(frozen=True, eq=False)
class Traced:
    """What one name of a wire shows now: lines or a surface, with the sphere it was made in."""

    lines: LineSet
    mesh: Mesh | None
    centre: FloatArray
    radius: float


@dataclass(frozen=True, eq=False)
class Omit:
    """What an omit map was made of: the state of the model, the atoms (n,) left out, and when in words."""

    state: ModelState
    omitted: BoolArray
    when: str


BEHIND = 5
"""Niceness of the threads that make maps and contours: between the window (0) and a run (10)."""


def _stand_back() -> None:
    """The thread of the window, which answers the user, goes before this one; Linux knows priorities of threads."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND)


class MapTracer(QObject):
    """Keeps the maps, their levels and their wires.

    changed: maps or levels are others (texts). peaks_changed: `peaks` are others. drawn(complete): wires are ready to
    be painted, `complete` when none is on its way. message(text): something for the status line. give(work): hands
    `work(renderer)` to the scene.
    """

    changed = Signal()
    peaks_changed = Signal()
    drawn = Signal(bool)
    message = Signal(str)

    def __init__(self, give: Callable[[Callable[[Renderer], None]], None], enabled: bool = True) -> None:
        super().__init__()
        self.enabled = enabled
        self._give = give
        self.maps = MapSet({})
        self.levels: dict[str, float] = {DENSITY: DEFAULT_LEVEL, DIFFERENCE: DEFAULT_DIFFERENCE_LEVEL}
        self.hidden: set[str] = set()
        self.active = DENSITY
        self.radius = DEFAULT_RADIUS
        self.smooth = False
        self.wires: dict[str, Traced] = {}
        self.omits: dict[str, Omit] = {}
        """Of what the omit maps among them were made."""
        self.peaks: tuple[Peak, ...] = ()
        self.section: Section | None = None
        self.section_shown = False
        self._centre = np.zeros(3)
        self._wish: dict[str, _Wish] = {}
        self._contouring: dict[str, _Wish] = {}
        self._cycle_wanted: tuple[Prepared, CycleFinished] | None = None
        self._between: tuple[CycleFinished, CycleFinished, str] | None = None
        """Two cycles whose difference is wanted as a map, and its name."""
        self._between_running = False
        self._between_shown = ""
        self._jobs = 0
        self._section_camera: Camera | None = None
        self._section_wish: Camera | None = None
        self._section_running = False
        self._prepared: Prepared | None = None
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="contours", initializer=_stand_back)
        self._map_thread = ThreadPoolExecutor(1, thread_name_prefix="maps", initializer=_stand_back)
        self._courier = Courier()
        self._cycle_running = False
        self.changed.connect(self._cut_again)

    @property
    def busy(self) -> bool:
        """True while a map or a contour is on its way."""
        return self._jobs > 0 or bool(self._contouring) or self._section_running or self._cycle_running

    @property
    def centre(self) -> FloatArray:
        """Around which the maps are, or are being, contoured."""
        return self._centre

    def close(self) -> None:
        """Drop what is on its way; nothing is made any more."""
        self.enabled = False
        self._courier.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._map_thread.shutdown(wait=False, cancel_futures=True)

    # -- which maps -----------------------------------------------------------------------------------------------

    def set_prepared(self, prepared: Prepared | None) -> None:
        self._prepared = prepared

    def set_cycle(self, prepared: Prepared, cycle: CycleFinished) -> None:
        """Make the maps of a cycle; of several that wait only the newest is made."""
        self._cycle_wanted = (prepared, cycle)
        self._compute()

    def set_maps(self, maps: MapSet) -> None:
        """Show other maps; the wires of a map that stays by name are swapped when the new ones are ready."""
        differences = self.maps.differences | maps.differences
        for name in [name for name in self.maps.grids if name not in maps.grids]:
            self._wish.pop(name, None)
            self.omits.pop(name, None)
            for wire, _ in wire_names(name, name in differences):
                self._drop(wire)
        self.maps = maps
        for name in maps.grids:
            default = DEFAULT_DIFFERENCE_LEVEL if name in maps.differences else DEFAULT_LEVEL
            self.levels.setdefault(name, default)
        if self.active not in maps.grids and maps.grids:
            self.active = next(iter(maps.grids))
        if DIFFERENCE not in maps.grids and self.peaks:
            self._set_peaks(())
        self.request()
        self.changed.emit()

    def add_map(self, name: str, grid: DensityGrid, difference: bool) -> None:
        """One map more, or another in its place; a new one becomes the one that the wheel sets."""
        new = name not in self.maps.grids
        self.set_maps(self.maps.with_map(name, grid, difference))
        if new:
            self.active = name
        self.changed.emit()

    def remove_map(self, name: str) -> None:
        self.hidden.discard(name)
        self.set_maps(self.maps.without(name))

    def open_file(self, path: str) -> None:
        """Read the maps of a file in a thread and add them."""

        def opened(result: MapSet) -> None:
            # Of many maps in a file the first of each kind is shown; the others wait in the menu.
            shown = result.first_of_each_kind()
            first = shown[0]
            for name, grid in result.grids.items():
                if name not in shown:
                    self.hidden.add(name)
                self.add_map(name, grid, name in result.differences)
            self.active = first
            self.changed.emit()
            waiting = [name for name in result.grids if name in self.hidden]
            said = f"Opened {', '.join(name for name in result.grids if name not in waiting)}."
            if waiting:
                said += f" {len(waiting)} more of this file can be shown under View > Maps."
            self.message.emit(said + self._other_crystal(result.grids[first]))

        self._job(lambda: open_maps(path), opened)

    def _other_crystal(self, grid: DensityGrid) -> str:
        """A warning when a map is of another crystal form than the model, else nothing."""
        if self._prepared is None:
            return ""
        theirs, ours = grid.crystal, self._prepared.model.crystal
        if np.allclose(theirs.cell, ours.cell, rtol=0.02) and theirs.space_group == ours.space_group:
            return ""
        lengths = " ".join(f"{value:.1f}" for value in theirs.cell)
        return f" It is of another crystal than the model: {theirs.space_group}, {lengths}."

    def omit(self, state: ModelState, omitted: BoolArray, name: str, when: str) -> None:
        """Make a polder map of some atoms in a thread and add it; `when` says in words which state it is."""
        prepared = self._prepared
        if prepared is None:
            self.message.emit("An omit map needs reflections.")
            return

        def made(result: tuple[Float32Array, float]) -> None:
            if prepared is self._prepared:
                self.omits[name] = Omit(state, omitted, when)
                self.add_map(name, DensityGrid(result[0], prepared.model.crystal, result[1]), True)
                self.message.emit(f"{name}: ready")

        def make() -> tuple[Float32Array, float]:
            from workbench.engine.maps.polder import polder_map  # the engine's kernels, only when they are wanted

            return polder_map(prepared, state, omitted)

        self.message.emit(f"{name}: on its way \u2026")
        self._job(make, made)

    def older_omits(self, state: ModelState) -> dict[str, str]:
        """Omit maps that were made of another state than this one, and of which."""
        return {name: omit.when for name, omit in self.omits.items() if not _same(omit.state, state)}

    def omit_anew(self, state: ModelState, when: str) -> None:
        """Make the omit maps of another state again, of this one."""
        for name in self.older_omits(state):
            self.omit(state, self.omits[name].omitted, name, when)

    def show_between(self, first: CycleFinished, second: CycleFinished, name: str) -> None:
        """Show second minus first as one more map, in the place of the last one asked for."""
        if self._between is not None and self._between[:2] == (first, second):
            return
        self._between = (first, second, name)
        if not self._between_running:
            self._subtract()

    def hide_between(self) -> None:
        """Take the difference of two cycles away."""
        self._between = None
        if self._between_shown:
            self.remove_map(self._between_shown)
            self._between_shown = ""

    def _subtract(self) -> None:
        prepared, wish = self._prepared, self._between
        if prepared is None or wish is None:
            return
        self._between_running = True
        self._jobs += 1
        courier = self._courier

        def work() -> None:
            try:
                grid = difference_of_cycles(prepared, wish[0], wish[1])
            except Exception as error:
                text = f"No map of the difference: {error}."
                courier.send(lambda: self._subtracted(wish, prepared, None, text))
                return
            courier.send(lambda: self._subtracted(wish, prepared, grid, ""))

        self._map_thread.submit(work)

    def _subtracted(
        self,
        wish: tuple[CycleFinished, CycleFinished, str],
        prepared: Prepared,
        grid: DensityGrid | None,
        text: str,
    ) -> None:
        self._between_running = False
        self._jobs -= 1
        if wish is not self._between or prepared is not self._prepared:
            self._subtract()
            return
        if text:
            self.message.emit(text)
        old, new = self._between_shown, wish[2]
        if grid is None:
            self.hide_between()
            return
        # It takes the place of the last one: its level, whether it is hidden, whether the wheel sets it.
        self.levels[new] = self.levels.get(old, DEFAULT_DIFFERENCE_LEVEL)
        if old in self.hidden:
            self.hidden.discard(old)
            self.hidden.add(new)
        chosen = old not in self.maps.grids or self.active == old
        self._between_shown = new
        self.set_maps(self.maps.without(old).with_map(new, grid, True))
        if chosen:
            self.active = new
            self.changed.emit()

    def _job(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Do work in the thread of maps, and `done` with its result here."""
        self._jobs += 1
        courier = self._courier

        def finish(future: Future[Any]) -> None:
            def tell() -> None:
                self._jobs -= 1
                error = future.exception()
                if error is not None:
                    self.message.emit(str(error))
                else:
                    done(future.result())

            if not future.cancelled():
                courier.send(tell)

        self._map_thread.submit(work).add_done_callback(finish)

    def _compute(self) -> None:
        if self._cycle_running or self._cycle_wanted is None:
            return
        prepared, cycle = self._cycle_wanted
        self._cycle_wanted = None
        self._cycle_running = True
        courier = self._courier

        def work() -> None:
            try:
                maps = maps_of_cycle(prepared, cycle)
                difference = maps.grids[DIFFERENCE]
                peaks = find_peaks(difference.crystal, difference.values, difference.sigma, cycle.state.xyz, PEAK_LIMIT)
            except Exception as error:
                text = f"The maps of cycle {cycle.statistics.cycle} could not be made: {error}"
                courier.send(lambda: self._computed(prepared, None, (), text))
                return
            courier.send(lambda: self._computed(prepared, maps, peaks, ""))

        self._map_thread.submit(work)

    def _computed(self, prepared: Prepared, maps: MapSet | None, peaks: tuple[Peak, ...], text: str) -> None:
        self._cycle_running = False
        if text:
            self.message.emit(text)
        if maps is not None and prepared is self._prepared:
            kept = self.maps
            for name in kept.grids:
                if name not in OF_CYCLES:
                    maps = maps.with_map(name, kept.grids[name], name in kept.differences)
            self.set_maps(maps)
            self._set_peaks(peaks)
        self._compute()

    def _set_peaks(self, peaks: tuple[Peak, ...]) -> None:
        self.peaks = peaks
        self.peaks_changed.emit()

    # -- contours -------------------------------------------------------------------------------------------------

    def request(self, centre: FloatArray | None = None) -> None:
        """Contour what is shown, around `centre` (3,) or where it was."""
        if centre is not None:
            self._centre = np.asarray(centre, dtype=np.float64).copy()
        if not self.enabled or not np.isfinite(self._centre).all():
            return
        for name, grid in self.maps.grids.items():
            if name in self.hidden:
                continue
            self._wish[name] = _Wish(
                grid, self.levels[name] * grid.sigma, self._centre.copy(), self.radius, self.smooth
            )
            self._contour(name)

    def set_hidden(self, name: str, hidden: bool) -> None:
        """Show or hide a map."""
        if name not in self.maps.grids:
            return
        if hidden:
            self.hidden.add(name)
            self._wish.pop(name, None)
            for wire, _ in wire_names(name, name in self.maps.differences):
                self._drop(wire)
        else:
            self.hidden.discard(name)
            self.request()
        self.changed.emit()

    def set_smooth(self, smooth: bool) -> None:
        """Smooth surfaces instead of chicken wire."""
        self.smooth = smooth
        self.request()

    def _contour(self, name: str) -> None:
        if name in self._contouring or name not in self._wish:
            return
        wish = self._wish[name]
        self._contouring[name] = wish
        courier = self._courier
        difference = name in self.maps.differences

        def work() -> None:
            try:
                found = contours(wish.grid, wish.level, wish.centre, wish.radius, name, difference, wish.smooth)
            except Exception as error:
                text = f"The {name} map could not be contoured: {error}"
                courier.send(lambda: self._contoured(name, wish, None, text))
                return
            courier.send(lambda: self._contoured(name, wish, found, ""))

        self._threads.submit(work)

    def _contoured(self, name: str, wish: _Wish, found: Contours | None, text: str) -> None:
        self._contouring.pop(name, None)
        if text:
            self.message.emit(text)
        if name not in self._wish or found is None:
            return
        for wire in (*found.lines, *found.surfaces):
            self.wires[wire] = Traced(
                found.lines.get(wire, NO_LINES), found.surfaces.get(wire), wish.centre, wish.radius
            )
        names = (*found.lines, *found.surfaces)

        def give(renderer: Renderer) -> None:
            for wire in names:
                _give_wire(renderer, wire, self.wires[wire])

        self._give(give)
        self.drawn.emit(not self._contouring)
        if not wish.same_as(self._wish[name]):
            self._contour(name)

    def _drop(self, wire: str) -> None:
        self.wires.pop(wire, None)
        nothing = Traced(NO_LINES, None, np.zeros(3), 0.0)
        self._give(lambda renderer: _give_wire(renderer, wire, nothing))
        self.drawn.emit(True)

    def give_all(self, renderer: Renderer) -> None:
        """Everything again, for a new context."""
        for wire, traced in self.wires.items():
            _give_wire(renderer, wire, traced)
        renderer.set_section(self.section)

    # -- section --------------------------------------------------------------------------------------------------

    def show_section(self, shown: bool, camera: Camera) -> None:
        """A flat section of the active map at the focal plane, or none."""
        self.section_shown = shown
        if shown:
            self.follow_section(camera)
        else:
            self._section_wish = self._section_camera = None
            self._drop_section()

    def _drop_section(self) -> None:
        self.section = None
        self._give(lambda renderer: renderer.set_section(None))
        self.drawn.emit(True)

    def follow_section(self, camera: Camera) -> None:
        """The focal plane is elsewhere, or another map is looked at."""
        if not (self.section_shown and self.enabled):
            return
        self._section_wish = self._section_camera = camera
        if not self._section_running:
            self._cut()

    def _cut_again(self) -> None:
        """Another map, or the same one of another cycle."""
        if self._section_camera is not None:
            self.follow_section(self._section_camera)

    def _cut(self) -> None:
        camera = self._section_wish
        grid = self.maps.grids.get(self.active) if self.active not in self.hidden else None
        self._section_wish = None
        if grid is None and self.section is not None:
            self._drop_section()
        if camera is None or grid is None or not np.isfinite(camera.focal_point).all():
            return
        self._section_running = True
        courier, reach = self._courier, self.radius
        name, difference = self.active, self.active in self.maps.differences

        def work() -> None:
            try:
                right, up = camera.rotation[0].copy(), camera.rotation[1].copy()
                made = section(grid, camera.focal_point, right, up, reach, difference, name)
            except Exception as error:
                text = f"The section could not be made: {error}"
                courier.send(lambda: self._was_cut(None, text))
                return
            courier.send(lambda: self._was_cut(made, ""))

        self._threads.submit(work)

    def _was_cut(self, made: Section | None, text: str) -> None:
        self._section_running = False
        if text:
            self.message.emit(text)
        if made is not None and self.section_shown:
            self.section = made
            self._give(lambda renderer: renderer.set_section(made))
            self.drawn.emit(True)
        if self._section_wish is not None:
            self._cut()


def _same(one: ModelState, other: ModelState) -> bool:
    return one is other or all(np.array_equal(a, vars(other)[name], equal_nan=True) for name, a in vars(one).items())


def _give_wire(renderer: Renderer, wire: str, traced: Traced) -> None:
    renderer.set_lines(wire, traced.lines, traced.centre, traced.radius)
    renderer.set_surface(wire, traced.mesh, traced.centre, traced.radius)
