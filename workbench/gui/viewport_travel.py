"""Where the 3D view looks: residues, ligands, peaks, atoms under the pointer; travel and its undo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEasingCurve, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import (
    QHideEvent,
)
from PySide6.QtWidgets import QWidget

from workbench.core.arrays import FloatArray, IntArray
from workbench.core.crystal import Model, ModelState
from workbench.core.events import CycleFinished, Prepared
from workbench.engine.maps.peaks import UNMODELLED
from workbench.gui.viewport_canvas import SceneCanvas
from workbench.gui.viewport_marks import Picked, place_of
from workbench.view.camera import Camera
from workbench.view.colouring import residue_fit
from workbench.view.framing import first_residue, framed, residue_point
from workbench.view.maps import MapSet
from workbench.view.picking import pick_atom
from workbench.view.scene import Scene

MOST_VIEWS = 50
TEXTS_PX = 64
"""What title and legend take of the height of the picture."""
ONE_MOVEMENT_MS = 900
"""Changes of one kind that follow each other faster are one movement to undo."""
SPIN_DEGREES, SPIN_MS = 1.0, 33
ABOUT = 1.5
"""Zooms that differ by less than this factor are about the same."""


class TravellingView(SceneCanvas):
    """A canvas that is given models and cycles, and goes from place to place in them.

    peak_shown(number): the view went to a difference peak.
    """

    peak_shown = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._peak = -1
        self._views: list[Camera] = []
        self._kept_for = ""
        self._movement = QTimer(self)
        self._movement.setSingleShot(True)
        self._movement.setInterval(ONE_MOVEMENT_MS)
        self._flight = QVariantAnimation(self)
        self._flight.setStartValue(0.0)
        self._flight.setEndValue(1.0)
        self._flight.setDuration(300)
        self._flight.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._flight.valueChanged.connect(self._fly)
        self._flight_ends: tuple[Camera, Camera] = (self.camera, self.camera)
        self._whole_height = np.inf
        """Angstrom in the height of the picture when all of the model was shown last."""
        self._near = Camera()
        """How we looked before that."""
        self._when = ""
        """The state of the model that is shown, in words."""
        self._spin = QTimer(self)
        self._spin.setInterval(SPIN_MS)
        self._spin.timeout.connect(self._turn_on)

    def set_prepared(self, prepared: Prepared) -> None:
        """A new problem. The view is kept when the same model comes again (another run from a later state)."""
        before = self._prepared
        same = (
            before is not None
            and before.model.source == prepared.model.source
            and len(before.model) == len(prepared.model)
        )
        self._prepared = prepared
        self.tracer.set_prepared(prepared)
        self.set_model(prepared.model, prepared.bonds, keep_view=same)

    def set_cycle(self, cycle: CycleFinished) -> None:
        """Atoms move at once; the maps follow as soon as they are computed, older ones still waiting are dropped."""
        if self._prepared is None or not self.available or self.scene is None:
            return
        fit = residue_fit(cycle)
        if fit is not None:
            self.scene.fit = fit
        self.worst = cycle.worst
        self._when = f"cycle {cycle.statistics.cycle}"
        self._moved(cycle.state)
        self.tracer.set_cycle(self._prepared, cycle)

    def set_model(self, model: Model, bonds: IntArray, keep_view: bool = False) -> None:
        """Show a model with bonds (k, 2); the maps of the former model go."""
        start = self.scene.start if keep_view and self.scene is not None else None
        self.scene = Scene(model, bonds, self._colours, self.options)
        if start is not None and len(start) == len(model):
            # Another run of the same model: it has moved since the very first start.
            self.scene.start = start
        self.worst, self._picked = None, None
        self._when = "the start"
        if not keep_view:
            self._whole_height = np.inf
            self.marks.begin_anew()
            self._residue = None
            self.tracer.set_maps(MapSet({}))
        self.marks.hovered = None
        extent = self.scene.extent()
        if self._depth is not None and len(extent):
            self._depth.set_extent(float(np.linalg.norm(extent.max(axis=0) - extent.min(axis=0))))
        if not keep_view and len(model):
            self.camera = replace(Camera(), rotation=self.camera.rotation)
            first = first_residue(model, self.scene.xyz)
            if first is not None:
                self._go(residue_point(model, self.scene.xyz, first), first, fly=False)
            # Undo goes no further back than here: what was seen before was another model, or nothing.
            self._views.clear()
        self._select(self._residue)
        self._give_scene()
        self._show_texts()

    def move_atoms(self, xyz: FloatArray) -> None:
        """New coordinates (n, 3) in angstrom for the same atoms; the camera stays."""
        if self.scene is not None:
            if xyz.shape != self.scene.xyz.shape:
                raise ValueError(f"{len(self.scene.xyz)} atoms cannot move to {len(xyz)} places")
            self._moved(replace(self.scene.state, xyz=np.asarray(xyz, dtype=np.float64)))

    def _moved(self, state: ModelState) -> None:
        scene = self.scene
        assert scene is not None
        repainted = scene.move(state)
        self._with_context(lambda renderer: scene.give_moved(renderer, repainted))
        self._repaint()
        self._show_texts()

    def centre_on_residue(self, row: int) -> None:
        """Look at a residue (row of the model's residues); orientation and zoom kept, but see `_close`."""
        if self.scene is not None and 0 <= row < len(self.scene.model.residues):
            self._go(residue_point(self.scene.model, self.scene.xyz, row), row)

    def centre_on_point(self, point: FloatArray) -> None:
        """Look at a point (3,) in angstrom."""
        self._go(np.asarray(point, dtype=np.float64), None)

    def _keep_view(self, kind: str = "") -> None:
        """Remember how we look, for undo. A series of changes of one `kind` is one step; "" always is one."""
        going_on = bool(kind) and kind == self._kept_for and self._movement.isActive()
        self._kept_for = kind
        self._movement.start()
        if going_on or (self._views and self._views[-1].same_as(self.camera)):
            return
        self._views.append(self._flight_ends[1] if self._flying else self.camera)
        del self._views[:-MOST_VIEWS]

    @property
    def _looking(self) -> Camera:
        """How we look, or will when the journey is over."""
        return replace(self._flight_ends[1], rotation=self.camera.rotation) if self._flying else self.camera

    @property
    def _whole(self) -> bool:
        """Whether the zoom is, about, the one that showed all of the model."""
        return self._whole_height / ABOUT < self._looking.height < self._whole_height * ABOUT

    def _close(self) -> Camera:
        """How we look at a place: as now, but from all of the model back to the zoom and the slab of before."""
        now = self._looking
        if not self._whole or self._near.height >= now.height:
            return now
        return replace(now, height=self._near.height, front=self._near.front, back=self._near.back)

    def _go(self, point: FloatArray, residue: int | None, fly: bool = True, close: bool = True) -> None:
        if not np.isfinite(point).all():
            self.message.emit("This atom has no place: its coordinates are not numbers.")
            return
        self._keep_view()
        self._picked = None
        if residue is not None:
            self._select(residue)
        self._travel((self._close() if close else self._looking).centred(point), fly)
        if residue is not None and self.scene is not None:
            self.centred.emit(self.scene.model.residues.label(residue))

    def _travel(self, goal: Camera, fly: bool = True) -> None:
        """To where `goal` looks, by and by or at once; the orientation is kept."""
        self._flight.stop()
        if fly and self.animated and self.isVisible():
            self._flight_ends = (self.camera, goal)
            self._flight.start()
        else:
            self.camera = goal
            self.tracer.follow_section(self.camera)
            self._follow_mates()
            self._repaint()
        if self.available:
            self.tracer.request(goal.centre)
        self._show_texts()

    def show_whole_model(self) -> None:
        """All of the model (and the unit cell, where it is shown) in the picture and in the slab."""
        if self.scene is None or not self.scene.extent().size:
            return
        self._keep_view()
        height = max(self.height(), 1)
        goal = framed(self.camera, self.scene.extent(), self.width() / height)
        # Between the title and the legend.
        free = max(height - 2 * TEXTS_PX, 0.6 * height)
        goal = goal.zoomed(free / height)
        if not self._whole:
            self._near = self._looking if self._looking.height < goal.height / ABOUT else Camera()
        self._whole_height = goal.height
        self._travel(goal)

    def _fly(self, value: float) -> None:
        start, end = self._flight_ends
        part = float(value)
        self._in_motion()
        self.camera = start.towards(end, part)
        if part >= 1.0:
            self.tracer.follow_section(self.camera)
            self._follow_mates()
        self._repaint()
        self._show_texts()

    def _turn_on(self) -> None:
        self._in_motion()
        self._move_camera(self.camera.rotated(np.radians(SPIN_DEGREES), 0.0))

    def _select(self, row: int | None) -> None:
        self._residue = row
        if self.scene is not None:
            self.scene.select(row)
            self._with_context(self.scene.give_selection)

    def undo_view(self) -> None:
        """Back to how we looked before the last jump or movement."""
        if self._views:
            self._flight.stop()
            self._spin.stop()
            self._kept_for = ""
            self._move_camera(self._views.pop())
            self._name_centre()

    def step_residue(self, step: int) -> None:
        """To the next or previous residue, orientation kept."""
        if self.scene is not None and len(self.scene.model.residues):
            count = len(self.scene.model.residues)
            self.centre_on_residue(0 if self._residue is None else (self._residue + step) % count)

    def next_ligand(self) -> None:
        """To the next residue that is neither polymer nor water."""
        if self.scene is None:
            return
        rows = np.flatnonzero(np.isin(self.scene.model.residues.kind, ["ligand", "sugar", "ion"]))
        if not len(rows):
            self.message.emit("The model has no ligand.")
            return
        here = -1 if self._residue is None else self._residue
        later = rows[rows > here]
        self.centre_on_residue(int(later[0] if len(later) else rows[0]))

    def step_peak(self, step: int) -> None:
        """To the next or previous difference peak, the highest first."""
        peaks = self.tracer.peaks
        if not peaks:
            self.message.emit("No difference peak above 4 \u03c3." if self.tracer.maps.grids else "No difference map.")
            return
        first = 0 if step > 0 else -1
        self._peak = (first if self._peak < 0 else self._peak + step) % len(peaks)
        self.show_peak(self._peak)

    def next_blob(self) -> None:
        """To the next positive peak that no atom explains."""
        peaks = self.tracer.peaks
        blobs = [k for k, peak in enumerate(peaks) if peak.height > 0 and peak.distance > UNMODELLED]
        if not blobs:
            self.message.emit("No unmodelled blob above 4 \u03c3.")
            return
        self._peak = next((k for k in blobs if k > self._peak), blobs[0])
        self.show_peak(self._peak)

    def show_peak(self, number: int) -> None:
        """To a difference peak by its number, 0 the highest."""
        if not 0 <= number < len(self.tracer.peaks):
            return
        self._peak = number
        peak = self.tracer.peaks[number]
        self._go(np.array(peak.xyz), None)
        self._name_centre()
        self.peak_shown.emit(number)
        sign = "+" if peak.height > 0 else "\u2212"
        near = f", {peak.distance:.1f} \u00c5 from the nearest atom" if np.isfinite(peak.distance) else ""
        self.message.emit(
            f"Difference peak {number + 1} of {len(self.tracer.peaks)}: {sign}{abs(peak.height):.1f} \u03c3{near}"
        )

    def _name_centre(self) -> None:
        """After a movement: the title follows to the residue that is nearest to the centre."""
        nearest = self._nearest_to(self._flight_ends[1].centre if self._flying else self.camera.centre)
        if nearest is None or self.scene is None:
            return
        row = int(self.scene.model.residue[nearest])
        if row != self._residue:
            self._picked = None
            self._select(row)
            self._repaint()
            self._show_texts()
            self.centred.emit(self.scene.model.residues.label(row))

    @property
    def _flying(self) -> bool:
        return self._flight.state() == QVariantAnimation.State.Running

    def _nearest_to(self, point: FloatArray) -> int | None:
        if self.scene is None or not self.scene.shown.any():
            return None
        atoms = np.flatnonzero(self.scene.shown)
        return int(atoms[int(np.argmin(np.linalg.norm(self.scene.xyz[atoms] - point, axis=1)))])

    def pick(self, x: float, y: float) -> Picked | None:
        """What lies at a point of the widget in device-independent pixels; symmetry mates too."""
        if self.scene is None:
            return None
        xyz, shown, atom, mate = self.scene.pickable()
        ratio = self.devicePixelRatioF()
        found = pick_atom(
            self.camera,
            xyz,
            shown,
            x * ratio,
            y * ratio,
            self.width() * ratio,
            self.height() * ratio,
            reach=8.0 * ratio,
        )
        return None if found is None else (int(atom[found]), int(mate[found]))

    def atom_at(self, x: float, y: float) -> int | None:
        """Index of the atom of the model at a point of the widget; None for symmetry mates."""
        found = self.pick(x, y)
        return found[0] if found is not None and found[1] < 0 else None

    def centre_on_atom(self, atom: int, mate: int = -1, close: bool = True) -> None:
        """Look at an atom; close=False keeps the zoom, also that of the whole model (a click on the picture)."""
        assert self.scene is not None
        point = place_of(self.scene, (atom, mate)).copy()
        self._go(point, int(self.scene.model.residue[atom]), close=close)
        self._picked = (atom, mate)
        self._show_texts()

    def toggle_label(self, atom: int | None) -> None:
        """Write an atom's name beside it, or take it away."""
        if atom is not None:
            self.marks.labelled ^= {atom}
            self._show_texts()

    def omit_residue(self) -> None:
        """A polder map of the residue that is looked at."""
        scene, row = self.scene, self._residue
        if scene is None or row is None:
            return
        chosen = scene.model.residue == row
        name = f"polder {scene.model.residues.label(row)}"
        self.tracer.omit(scene.state, chosen, name, self._when)

    @property
    def omits_are_older(self) -> bool:
        """Whether there are omit maps of another state of the model than the one shown."""
        return self.scene is not None and bool(self.tracer.older_omits(self.scene.state))

    def omit_anew(self) -> None:
        """Those omit maps again, of the model as it is shown."""
        if self.scene is not None:
            self.tracer.omit_anew(self.scene.state, self._when)

    def hideEvent(self, event: QHideEvent) -> None:
        self._flight.stop()
        self._spin.stop()
        super().hideEvent(event)
