"""The 3D view as one widget: give it `Prepared` and each `CycleFinished`, and it shows model and maps.

The window's thread only uploads finished arrays and paints; maps are made by `MapTracer`. What an input does stands in
the tables of `viewport_bindings`; `perform` and `_move` carry it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEasingCurve, QEvent, QObject, QPointF, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import (
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFileDialog, QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.core.arrays import FloatArray, IntArray
from workbench.core.crystal import Model, ModelState
from workbench.core.events import CycleFinished, Prepared
from workbench.gui.scene_widget import SceneWidget, missing_opengl
from workbench.gui.viewport_bindings import PRESETS, Preset, key_input, mouse_input, wheel_input
from workbench.gui.viewport_depth import DepthPanel
from workbench.gui.viewport_help import PresetChoice, ShortcutCard
from workbench.gui.viewport_maps import RADIUS_RANGE, MapTracer
from workbench.gui.viewport_menu import ViewMenu
from workbench.gui.viewport_overlay import (
    AtomLabel,
    Overlay,
    OverlayContent,
    RampRow,
    Ruler,
    interface_font,
    overlay_colours,
)
from workbench.gui.viewport_texts import atom_details, atom_name, hex_colour, level_rows, residue_words
from workbench.view.atoms import STYLES
from workbench.view.camera import Camera
from workbench.view.colouring import COLOURINGS, legend, residue_fit
from workbench.view.colours import scene_colours
from workbench.view.framing import first_residue, residue_atoms, residue_point
from workbench.view.maps import DIFFERENCE, MapSet, map_wires
from workbench.view.measure import words as measured_words
from workbench.view.picking import pick_atom
from workbench.view.picture import render_pixels
from workbench.view.renderer import Renderer
from workbench.view.scene import Scene, SceneOptions

LEVEL_STEP = 0.1
SLAB_RANGE = (1.0, 40.0)
RECONTOUR_SHIFT = 0.4
"""Angstrom the centre may wander before the maps follow."""
CLICK_PIXELS = 4.0
REPAINT_SOON_MS = 60
"""How long the wires of one map wait for those of the other."""
KEY_ZOOM = 1.15
FOCUS_STEP = 0.5
SPIN_DEGREES, SPIN_MS = 1.0, 33
BLOB_DISTANCE = 1.6
"""Angstrom from every atom beyond which a positive peak is a blob that nothing explains."""
MOST_VIEWS = 50
Picked = tuple[int, int]
"""An atom of the model and the symmetry mate it belongs to (-1: the model itself)."""


class Viewport(QWidget):
    """Model and maps in 3D.

    centred(text): another residue is looked at, as "A 89 PHE". message(text): something for the status line.
    settings_changed(values): what should be remembered, plain values. residue_wanted(): the user asks for the search.
    available, reason: False and why when there is no OpenGL; everything else then does nothing and costs nothing.
    """

    centred = Signal(str)
    message = Signal(str)
    settings_changed = Signal(dict)
    residue_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 120)
        self.animated = True
        self.safe = False
        self.preset: Preset = PRESETS["default"]
        self.options = SceneOptions()
        self.camera = Camera()
        self.scene: Scene | None = None
        self.restraint_z: tuple[FloatArray, list[str]] | None = None
        self._theme: dict[str, str] = {}
        self._colours = scene_colours()
        self._prepared: Prepared | None = None
        self._residue: int | None = None
        self._labelled: set[int] = set()
        self._hovered: Picked | None = None
        self._measuring: list[Picked] | None = None
        self._measurements: list[tuple[Picked, ...]] = []
        self._peak = -1
        self._bright_map = ""
        self._drag_from: QPointF | None = None
        self._drag_travel = 0.0
        self._wheel_rest = 0.0
        self._views: list[Camera] = []
        self._refining = False

        self.reason = missing_opengl()
        self.available = not self.reason
        self._scene: SceneWidget | None = None
        self._overlay: Overlay | None = None
        self._depth: DepthPanel | None = None
        self.tracer = MapTracer(self._with_context, self.available)
        self.tracer.changed.connect(self._show_texts)
        self.tracer.message.connect(self.message)
        self.tracer.drawn.connect(self._wires_drawn)
        self.destroyed.connect(self.tracer.close)
        self._build()
        self._flight = QVariantAnimation(self)
        self._flight.setStartValue(0.0)
        self._flight.setEndValue(1.0)
        self._flight.setDuration(300)
        self._flight.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._flight.valueChanged.connect(self._fly)
        self._flight_ends: tuple[Camera, FloatArray] = (self.camera, np.zeros(3))
        self._spin = QTimer(self)
        self._spin.setInterval(SPIN_MS)
        self._spin.timeout.connect(lambda: self._move_camera(self.camera.rotated(np.radians(SPIN_DEGREES), 0.0)))
        self._repaint_soon = _once(self, REPAINT_SOON_MS, self._repaint)
        self._dim_levels = _once(self, 1000, self._dim)
        self.set_theme({})

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._notice = QLabel(self)
        self._notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._notice.setWordWrap(True)
        self.menu = ViewMenu(self)
        if self.available:
            self._scene = SceneWidget(self, self._scene_ready, self._draw, self._scene_failed)
            layout.addWidget(self._scene)
            self._scene.installEventFilter(self)
            self._overlay = Overlay(self._scene)
            self._depth = DepthPanel(self._scene)
            self._depth.focus_changed.connect(lambda depth: self._move_camera(self.camera.focused(depth)))
            self._depth.slab_changed.connect(self.set_slab)
            self._depth.radius_changed.connect(self.set_radius)
            self._depth.hide()
        self.button = QToolButton(self._scene or self)
        self.button.setText("View")
        self.button.setToolTip("Style, colours, maps, mouse; H shows the shortcuts")
        self.button.setMenu(self.menu)
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.hide()
        self.card = ShortcutCard(self._scene or self)
        self.choice = PresetChoice(self._scene or self)
        self.choice.chosen.connect(self._choose_preset)
        layout.addWidget(self._notice)
        self._notice.setVisible(not self.available)

    # -- what the window gives ------------------------------------------------------------------------------------

    def set_theme(self, colors: Mapping[str, str]) -> None:
        """Colours by role, '#RRGGBB': view (background), panel, hairline, text, label, hint, accent, track, map_main,
        map_positive, map_negative. Missing roles keep their default."""
        self._theme = dict(colors)
        main, plus, minus = ("" if self.safe else colors.get(f"map_{k}", "") for k in ("main", "positive", "negative"))
        self._colours = scene_colours(colors.get("view", "#101216"), main, plus, minus, self.safe)
        overlay = overlay_colours(colors)
        if self._overlay is not None and self._depth is not None:
            self._overlay.set_colours(overlay)
            self._depth.set_colours(overlay)
        self.card.set_colours(overlay)
        self.choice.set_colours(overlay)
        self.button.setFont(interface_font(self.font(), 12))
        self.button.setStyleSheet(
            f"QToolButton {{ color: {overlay.text}; background: {overlay.panel}; border: 1px solid {overlay.hairline};"
            f" border-radius: 6px; padding: 4px 18px 4px 10px; }}"
            f"QToolButton:hover, QToolButton:focus {{ border: 1px solid {overlay.accent}; }}"
        )
        self._notice.setFont(interface_font(self.font(), 13))
        self._notice.setStyleSheet(f"color: {overlay.label}; background: {overlay.background}; padding: 24px;")
        self._notice.setText(f"The 3D view is not available.\n{self.reason}" if self.reason else "")
        if self.scene is not None:
            self.scene.set_colours(self._colours)
        self._give_scene()
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
        self.tracer.set_prepared(prepared)
        self.set_model(prepared.model, prepared.bonds, keep_view=same)

    def set_cycle(self, cycle: CycleFinished) -> None:
        """Atoms move at once; the maps follow as soon as they are computed, older ones still waiting are dropped."""
        if self._prepared is None or not self.available or self.scene is None:
            return
        fit = residue_fit(cycle)
        if fit is not None:
            self.scene.fit = fit
        self._moved(cycle.state)
        self.tracer.set_cycle(self._prepared, cycle)

    def set_refining(self, refining: bool) -> None:
        """While a run goes on, a picture drawn by the processor is drawn quickly rather than smoothly: the processor
        is wanted elsewhere, and every cycle brings a new picture. A graphics card makes no difference."""
        if refining != self._refining:
            self._refining = refining
            self._repaint()

    def set_model(self, model: Model, bonds: IntArray, keep_view: bool = False) -> None:
        """Show a model with bonds (k, 2); the maps of the former model go."""
        start = self.scene.start if keep_view and self.scene is not None else None
        self.scene = Scene(model, bonds, self._colours, self.options)
        if start is not None and len(start) == len(model):
            # Another run of the same model: it has moved since the very first start.
            self.scene.start = start
        self.restraint_z = None
        if not keep_view:
            self._labelled.clear()
            self._measurements.clear()
            self._residue = None
            self.tracer.set_maps(MapSet({}))
        self._hovered = None
        if not keep_view and len(model):
            self.camera = replace(Camera(), rotation=self.camera.rotation)
            first = first_residue(model, self.scene.xyz)
            if first is not None:
                self._go(residue_point(model, self.scene.xyz, first), first, fly=False)
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

    def set_maps(self, maps: MapSet) -> None:
        """Show other maps; the wires of a map that stays by name are swapped when the new ones are ready."""
        self.tracer.set_maps(maps)

    def open_map(self, path: str) -> None:
        """Read a map file in the background and show what it holds."""
        self.tracer.open_file(path)

    def set_restraint_z(self, z: FloatArray, kinds: list[str]) -> None:
        """The worst restraint of every atom: |Z| (n,) and its family (n)."""
        self.restraint_z = (z, kinds)

    def centre_on_residue(self, row: int) -> None:
        """Look at a residue (row of the model's residues), orientation and zoom kept."""
        if self.scene is not None and 0 <= row < len(self.scene.model.residues):
            self._go(residue_point(self.scene.model, self.scene.xyz, row), row)

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
        return self.tracer.busy

    @property
    def levels(self) -> dict[str, float]:
        """Contour levels in sigma by map."""
        return self.tracer.levels

    @property
    def radius(self) -> float:
        """How far around the centre maps are drawn, angstrom."""
        return self.tracer.radius

    @property
    def fit_known(self) -> bool:
        return self.scene is not None and self.scene.fit is not None

    @property
    def has_data(self) -> bool:
        return self._prepared is not None

    def close_threads(self) -> None:
        """Drop what is on its way; the view is going."""
        self.tracer.close()

    # -- settings -------------------------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """What should be remembered."""
        return {
            "preset": self.preset.name,
            "safe": self.safe,
            "animated": self.animated,
            "smooth": self.tracer.smooth,
            "radius": self.radius,
            "style": self.options.style,
            "colour_by": self.options.colour_by,
            "hydrogens": self.options.hydrogens,
            "waters": self.options.waters,
            "glow": self.options.glow,
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take remembered settings; what is missing or makes no sense is left. Without a preset the choice is shown."""
        style, colour = values.get("style"), values.get("colour_by")
        flags = {name: value for name in ("hydrogens", "waters", "glow") if isinstance(value := values.get(name), bool)}
        self.options = replace(
            self.options,
            style=style if style in STYLES else self.options.style,
            colour_by=colour if colour in COLOURINGS else self.options.colour_by,
            **flags,
        )
        for name in ("safe", "animated"):
            if isinstance(values.get(name), bool):
                setattr(self, name, values[name])
        self.tracer.smooth = values.get("smooth") is True
        radius = values.get("radius")
        if isinstance(radius, int | float) and np.isfinite(radius):
            self.tracer.radius = float(np.clip(radius, *RADIUS_RANGE))
        self.set_preset(str(values.get("preset", "")), remember=False)
        if self.available and values.get("preset") not in PRESETS:
            self.choice.show()
        self.set_options(self.options, remember=False)
        self.set_theme(self._theme)

    def _remember(self) -> None:
        self.settings_changed.emit(self.settings())

    def set_preset(self, name: str, remember: bool = True) -> None:
        """What mouse and keys do, by the name of a preset."""
        self.preset = PRESETS.get(name, PRESETS["default"])
        self.card.show_preset(self.preset)
        if remember:
            self._remember()

    def _choose_preset(self, name: str) -> None:
        self.choice.hide()
        self.set_preset(name)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_options(self, options: SceneOptions, remember: bool = True) -> None:
        """Style, colouring and what is shown of the model."""
        self.options = options
        if self.scene is not None:
            self.scene.set_options(options)
            self.scene.follow(self.camera.centre)
        self._give_scene()
        self._show_texts()
        if remember:
            self._remember()

    def show_hydrogens(self, shown: bool) -> None:
        self.set_options(replace(self.options, hydrogens=shown))

    def set_safe(self, safe: bool) -> None:
        """Map colours that people with colour-blind eyes can tell apart, and broken lines for negative density."""
        self.safe = safe
        self.set_theme(self._theme)
        self._remember()

    def set_smooth(self, smooth: bool) -> None:
        """Maps as surfaces instead of chicken wire."""
        self.tracer.set_smooth(smooth)
        self._remember()

    def set_section(self, shown: bool) -> None:
        """A flat section of the active map at the focal plane."""
        self.tracer.show_section(shown, self.camera)

    def set_animated(self, animated: bool) -> None:
        """Whether the view travels to a new centre or is there at once."""
        self.animated = animated
        self._remember()

    def set_level(self, name: str, sigma: float) -> None:
        """Contour level in sigma, never below 0."""
        self.levels[name] = max(round(sigma, 3), 0.0)
        self._bright(name)
        self.tracer.request()
        self._show_texts()

    def set_radius(self, radius: float) -> None:
        """How far around the centre maps are drawn, angstrom."""
        self.tracer.radius = float(np.clip(radius, *RADIUS_RANGE))
        self.tracer.request()
        self.tracer.follow_section(self.camera)
        self._show_texts()

    def set_slab(self, thickness: float) -> None:
        """Thickness of what is seen, angstrom."""
        self._move_camera(self.camera.with_slab(float(np.clip(thickness, *SLAB_RANGE))))

    # -- scene ----------------------------------------------------------------------------------------------------

    def _with_context(self, work: Callable[[Renderer], None]) -> None:
        if self._scene is not None:
            self._scene.with_context(work)

    def _give_scene(self) -> None:
        if self.scene is not None:
            self._with_context(self.scene.give)
        self._repaint()

    def _scene_ready(self, renderer: Renderer) -> None:
        if self.scene is not None:
            self.scene.give(renderer)
        self.tracer.give_all(renderer)

    def _scene_failed(self, reason: str) -> None:
        self.available, self.reason = False, reason
        self.tracer.enabled = False
        self._notice.setText(f"The 3D view is not available.\n{reason}")
        self._notice.show()
        if self._scene is not None:
            # Not from inside its own first paint.
            QTimer.singleShot(0, self._scene.hide)
        self.message.emit(reason)

    def _all_wires(self) -> list[Any]:
        return [*map_wires(self.tracer.maps, self._colours), *(self.scene.wires() if self.scene is not None else [])]

    def _draw(self, renderer: Renderer, target: Any, size: tuple[int, int], ratio: float) -> None:
        renderer.draft = self._refining and renderer.software
        renderer.render(self.camera, self._colours, self._all_wires(), size, ratio, target)

    def _repaint(self) -> None:
        if hasattr(self, "_repaint_soon"):
            self._repaint_soon.stop()
        if self._scene is not None:
            self._scene.update()

    def _wires_drawn(self, complete: bool) -> None:
        if complete:
            self._repaint()
        else:
            # The other map is nearly there: one picture for both, but no long wait.
            self._repaint_soon.start()

    # -- where we look --------------------------------------------------------------------------------------------

    def _move_camera(self, camera: Camera) -> None:
        self.camera = camera
        if not self.available:
            return
        if np.linalg.norm(self.tracer.centre - camera.centre) > RECONTOUR_SHIFT:
            self.tracer.request(camera.centre)
        self.tracer.follow_section(camera)
        self._follow_mates()
        self._repaint()
        self._show_texts()

    def _follow_mates(self) -> None:
        if self.scene is not None and self.scene.follow(self.camera.centre):
            self._with_context(self.scene.give_mates)

    def _keep_view(self) -> None:
        self._views.append(self.camera)
        del self._views[:-MOST_VIEWS]

    def _go(self, point: FloatArray, residue: int | None, fly: bool = True) -> None:
        if not np.isfinite(point).all():
            self.message.emit("This atom has no place: its coordinates are not numbers.")
            return
        self._keep_view()
        if residue is not None:
            self._select(residue)
        self._flight.stop()
        if fly and self.animated and self.isVisible():
            self._flight_ends = (self.camera, point)
            self._flight.start()
        else:
            self.camera = self.camera.centred(point)
            self.tracer.follow_section(self.camera)
            self._follow_mates()
            self._repaint()
        if self.available:
            self.tracer.request(point)
        self._show_texts()
        if residue is not None and self.scene is not None:
            self.centred.emit(self.scene.model.residues.label(residue))

    def _fly(self, value: float) -> None:
        start, end = self._flight_ends
        part = float(value)
        self.camera = replace(
            start, centre=start.centre + (end - start.centre) * part, focus=start.focus * (1.0 - part)
        )
        if part >= 1.0:
            self.tracer.follow_section(self.camera)
            self._follow_mates()
        self._repaint()
        self._show_texts()

    def _select(self, row: int | None) -> None:
        self._residue = row
        if self.scene is not None:
            self.scene.select(row)
            self._with_context(self.scene.give_selection)

    def undo_view(self) -> None:
        """Back to how we looked before the last jump or movement."""
        if self._views:
            self._flight.stop()
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
        self._peak = (max(self._peak, 0) if self._peak < 0 and step > 0 else self._peak + step) % len(peaks)
        self._show_peak(self._peak)

    def next_blob(self) -> None:
        """To the next positive peak that no atom explains."""
        peaks = self.tracer.peaks
        blobs = [k for k, peak in enumerate(peaks) if peak.height > 0 and peak.distance > BLOB_DISTANCE]
        if not blobs:
            self.message.emit("No unmodelled blob above 4 \u03c3.")
            return
        self._peak = next((k for k in blobs if k > self._peak), blobs[0])
        self._show_peak(self._peak)

    def _show_peak(self, number: int) -> None:
        peak = self.tracer.peaks[number]
        self._go(np.array(peak.xyz), None)
        self._name_centre()
        sign = "+" if peak.height > 0 else "\u2212"
        near = f", {peak.distance:.1f} \u00c5 from the nearest atom" if np.isfinite(peak.distance) else ""
        self.message.emit(
            f"Difference peak {number + 1} of {len(self.tracer.peaks)}: {sign}{abs(peak.height):.1f} \u03c3{near}"
        )

    def _name_centre(self) -> None:
        """After a movement: the title follows to the residue that is nearest to the centre."""
        nearest = self._nearest_to(self._flight_ends[1] if self._flying else self.camera.centre)
        if nearest is None or self.scene is None:
            return
        row = int(self.scene.model.residue[nearest])
        if row != self._residue:
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

    # -- atoms under the pointer ----------------------------------------------------------------------------------

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

    def _place(self, picked: Picked) -> FloatArray:
        assert self.scene is not None
        xyz = self.scene.xyz[picked[0]]
        if 0 <= picked[1] < len(self.scene.mates):
            return self.scene.mates[picked[1]].moved(xyz)
        return np.asarray(xyz)

    def _mate_name(self, picked: Picked) -> str:
        assert self.scene is not None
        return self.scene.mates[picked[1]].name if 0 <= picked[1] < len(self.scene.mates) else ""

    def centre_on_atom(self, atom: int, mate: int = -1) -> None:
        assert self.scene is not None
        self._go(self._place((atom, mate)).copy(), int(self.scene.model.residue[atom]))

    def toggle_label(self, atom: int | None) -> None:
        """Write an atom's name beside it, or take it away."""
        if atom is not None:
            self._labelled ^= {atom}
            self._show_texts()

    def _measure(self, picked: Picked | None) -> None:
        """One atom more: two make a distance, three an angle, four a torsion, then a new measurement begins."""
        if self._measuring is None:
            return
        if picked is None:
            self._measuring = []
        else:
            self._measuring.append(picked)
            count = len(self._measuring)
            if 2 <= count <= 4:
                if count > 2 and self._measurements:
                    self._measurements.pop()
                self._measurements.append(tuple(self._measuring))
            if count == 4:
                self._measuring = []
        self._show_texts()

    # -- texts ----------------------------------------------------------------------------------------------------

    def _bright(self, name: str) -> None:
        self._bright_map = name
        self._dim_levels.start()

    def _dim(self) -> None:
        self._bright_map = ""
        self._show_texts()

    def _on_picture(self, points: FloatArray) -> FloatArray:
        return self.camera.project(points, self.width(), self.height())

    def _labels(self) -> list[AtomLabel]:
        scene = self.scene
        if scene is None:
            return []
        wanted: list[tuple[Picked, bool]] = [((atom, -1), False) for atom in sorted(self._labelled)]
        if self._hovered is not None and not (self._hovered[1] < 0 and self._hovered[0] in self._labelled):
            wanted.append((self._hovered, True))
        labels = []
        for picked, hovering in wanted:
            x, y, depth = self._on_picture(self._place(picked))[0].tolist()
            if not (self.camera.far < depth < self.camera.near and 0 <= x <= self.width() and 0 <= y <= self.height()):
                continue
            atom, mate = picked[0], self._mate_name(picked)
            if hovering:
                worst = self.restraint_z
                restraint = None if worst is None else (float(worst[0][atom]), worst[1][atom])
                text = atom_details(scene.model, scene.state, atom, self.tracer.maps, restraint, mate)
            else:
                text = atom_name(scene.model, atom, mate)
            labels.append(AtomLabel(round(x, 1), round(y, 1), text, hovering))
        return labels

    def _rulers(self) -> tuple[list[Ruler], list[str]]:
        scene = self.scene
        if scene is None:
            return [], []
        rulers, lines = [], []
        for number, atoms in enumerate(self._measurements, start=1):
            points = np.array([self._place(picked) for picked in atoms])
            at = self._on_picture(points)
            value = measured_words(points)
            rulers.append(Ruler(tuple((round(x, 1), round(y, 1)) for x, y, _ in at.tolist()), value))
            names = f" {chr(0x2013)} ".join(self._short_name(picked) for picked in atoms)
            lines.append(f"{number}   {names}   {value}")
        if self._measuring:
            at = self._on_picture(np.array([self._place(picked) for picked in self._measuring]))
            rulers.append(Ruler(tuple((round(x, 1), round(y, 1)) for x, y, _ in at.tolist()), ""))
        return rulers, lines

    def _short_name(self, picked: Picked) -> str:
        assert self.scene is not None
        model = self.scene.model
        row = int(model.residue[picked[0]])
        place = f"{model.residues.chain[row]} {model.residues.number[row]} {model.atom_name[picked[0]]}"
        return f"{place} *" if picked[1] >= 0 else place

    def _show_texts(self) -> None:
        if self._overlay is None or self._depth is None:
            return
        scene, tracer = self.scene, self.tracer
        title: str = ""
        subtitles: tuple[str, ...] = ()
        if scene is not None and self._residue is not None:
            title, subtitles = residue_words(scene.model, scene.state, self._residue, tracer.maps, scene.fit)
        rows = level_rows(
            tracer.maps,
            tracer.levels,
            tracer.hidden,
            tracer.active,
            self._bright_map,
            map_wires(tracer.maps, self._colours),
            self._colours,
        )
        rulers, lines = self._rulers()
        ramp = legend(self.options.colour_by, self._colours)
        content = OverlayContent(
            title=title,
            subtitles=subtitles,
            levels=rows,
            labels=tuple(self._labels()),
            rulers=tuple(rulers),
            measurements=tuple(lines),
            ramp=RampRow(ramp.name, ramp.low, ramp.high, tuple(map(hex_colour, ramp.colours)))
            if ramp is not None and scene is not None
            else None,
            hint="" if self._measuring is None else "Measuring: click atoms, T ends",
        )
        self._overlay.show_content(content)
        self._depth.setVisible(scene is not None)
        self.button.setVisible(scene is not None)
        self._depth.show_values(self.camera.focus, self.camera.slab, self.radius)

    # -- what inputs do -------------------------------------------------------------------------------------------

    def perform(self, action: str) -> bool:
        """Carry out an action of the tables that needs no place on the picture. False when there is no such action."""
        camera, tracer = self.camera, self.tracer
        deeds: dict[str, Callable[[], object]] = {
            "zoom_in": lambda: self._move_camera(camera.zoomed(KEY_ZOOM)),
            "zoom_out": lambda: self._move_camera(camera.zoomed(1.0 / KEY_ZOOM)),
            "spin": lambda: self._spin.stop() if self._spin.isActive() else self._spin.start(),
            "undo_view": self.undo_view,
            "next_residue": lambda: self.step_residue(1),
            "previous_residue": lambda: self.step_residue(-1),
            "next_peak": lambda: self.step_peak(1),
            "previous_peak": lambda: self.step_peak(-1),
            "go_residue": self.residue_wanted.emit,
            "go_ligand": self.next_ligand,
            "go_blob": self.next_blob,
            "level_up": lambda: self._change_level(tracer.active, 1),
            "level_down": lambda: self._change_level(tracer.active, -1),
            "next_map": self._next_map,
            "toggle_map": lambda: tracer.set_hidden(tracer.active, tracer.active not in tracer.hidden),
            "radius_more": lambda: self.set_radius(self.radius + 1.0),
            "radius_less": lambda: self.set_radius(self.radius - 1.0),
            "toggle_section": lambda: self.set_section(not tracer.section_shown),
            "focus_nearer": lambda: self._move_camera(camera.focused(camera.focus + FOCUS_STEP)),
            "focus_farther": lambda: self._move_camera(camera.focused(camera.focus - FOCUS_STEP)),
            "slab_less": lambda: self.set_slab(camera.slab - 1.0),
            "slab_more": lambda: self.set_slab(camera.slab + 1.0),
            "front_in": lambda: self._move_camera(camera.clipped(front=-0.5)),
            "front_out": lambda: self._move_camera(camera.clipped(front=0.5)),
            "back_out": lambda: self._move_camera(camera.clipped(back=0.5)),
            "back_in": lambda: self._move_camera(camera.clipped(back=-0.5)),
            "label_centre": self._label_centre,
            "measure": self._toggle_measuring,
            "clear": self._clear_marks,
            "next_style": lambda: self.set_options(
                replace(self.options, style=STYLES[(STYLES.index(self.options.style) + 1) % len(STYLES)])
            ),
            "next_colouring": self._next_colouring,
            "toggle_hydrogens": lambda: self.show_hydrogens(not self.options.hydrogens),
            "toggle_symmetry": lambda: self.set_options(replace(self.options, symmetry=not self.options.symmetry)),
            "help": self._toggle_help,
        }
        if action not in deeds:
            return False
        deeds[action]()
        return True

    def _next_map(self) -> None:
        names = list(self.tracer.maps.grids)
        if names:
            at = names.index(self.tracer.active) if self.tracer.active in names else -1
            self.tracer.active = names[(at + 1) % len(names)]
            self._bright(self.tracer.active)
            self.tracer.follow_section(self.camera)
            self._show_texts()

    def _next_colouring(self) -> None:
        known = [name for name in COLOURINGS if name != "fit" or self.fit_known]
        at = known.index(self.options.colour_by) if self.options.colour_by in known else -1
        self.set_options(replace(self.options, colour_by=known[(at + 1) % len(known)]))

    def _label_centre(self) -> None:
        hovered = self._hovered[0] if self._hovered is not None and self._hovered[1] < 0 else None
        if hovered is None:
            hovered = self.atom_at(self.width() / 2, self.height() / 2)
        self.toggle_label(hovered if hovered is not None else self._nearest_to(self.camera.centre))

    def _toggle_measuring(self) -> None:
        self._measuring = [] if self._measuring is None else None
        self._show_texts()

    def _clear_marks(self) -> None:
        self._labelled.clear()
        self._measurements.clear()
        if self._measuring:
            self._measuring = []
        self._show_texts()

    def _toggle_help(self) -> None:
        self.card.setVisible(not self.card.isVisible())
        self.card.raise_()

    def _change_level(self, name: str, steps: int) -> None:
        if name in self.tracer.maps.grids:
            self.set_level(name, self.levels[name] + steps * LEVEL_STEP)

    def omit_residue(self) -> None:
        """A polder map of the residue that is looked at."""
        scene, row = self.scene, self._residue
        if scene is None or row is None:
            return
        chosen = scene.model.residue == row
        name = f"polder {scene.model.residues.label(row)}"
        self.tracer.omit(scene.state, chosen, name, scene.xyz[residue_atoms(scene.model, row)])

    def _drag_by(self, action: str, right: float, down: float) -> None:
        """Carry out a drag by device-independent pixels."""
        camera = self.camera
        turn = np.pi / max(min(self.width(), self.height()), 1)
        if action == "rotate":
            self._move_camera(camera.rotated(right * turn, down * turn))
        elif action == "pan":
            scale = camera.height / max(self.height(), 1)
            self._move_camera(camera.panned(right * scale, down * scale))
        elif action == "zoom":
            self._move_camera(camera.zoomed(float(np.exp((right - down) * 0.006))))
        elif action == "roll":
            self._move_camera(camera.rotated(0.0, 0.0, -right * turn))

    # -- events ---------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Resize and self._overlay is not None and self._scene is not None:
            self._arrange()
        elif isinstance(event, QMouseEvent):
            if kind == QEvent.Type.MouseButtonPress:
                self._press(event)
            elif kind == QEvent.Type.MouseMove:
                self._drag(event)
            elif kind == QEvent.Type.MouseButtonRelease:
                self._let_go(event)
            elif kind == QEvent.Type.MouseButtonDblClick:
                self._point(mouse_input("double", event.button(), event.modifiers()), event.position())
            else:
                return super().eventFilter(watched, event)
            event.accept()
            return True
        elif isinstance(event, QWheelEvent):
            self._wheel(event)
            event.accept()
            return True
        elif isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            if self.preset.inputs.get("pinch") == "zoom":
                self._move_camera(self.camera.zoomed(1.0 + event.value()))
            return True
        elif kind == QEvent.Type.Leave and self._hovered is not None:
            self._hovered = None
            self._show_texts()
        return super().eventFilter(watched, event)

    def _arrange(self) -> None:
        """Put everything that lies over the scene in its place."""
        if self._scene is None or self._overlay is None or self._depth is None:
            return
        size = self._scene.size()
        self._overlay.resize(size)
        self.card.resize(size)
        self._depth.adjustSize()
        self._depth.move(size.width() - self._depth.width() - 16, size.height() - self._depth.height() - 9)
        self.button.adjustSize()
        self.button.move(size.width() - self.button.width() - 16, 14)
        self.choice.adjustSize()
        self.choice.move(
            max((size.width() - self.choice.width()) // 2, 0), max((size.height() - self.choice.height()) // 2, 0)
        )

    def _press(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.card.hide()
        self._drag_from = event.position()
        self._drag_travel = 0.0
        if self._hovered is not None:
            self._hovered = None
            self._show_texts()

    def _drag(self, event: QMouseEvent) -> None:
        if self._drag_from is None or event.buttons() == Qt.MouseButton.NoButton:
            self._drag_from = None
            found = self.pick(event.position().x(), event.position().y())
            if found != self._hovered:
                self._hovered = found
                self._show_texts()
            return
        moved = event.position() - self._drag_from
        before = self._drag_travel
        self._drag_travel += abs(moved.x()) + abs(moved.y())
        if self._drag_travel < CLICK_PIXELS:
            return
        if before < CLICK_PIXELS:
            self._keep_view()
        self._drag_from = event.position()
        self._flight.stop()
        action = self.preset.inputs.get(mouse_input("drag", event.buttons(), event.modifiers()), "")
        self._drag_by(action, moved.x(), moved.y())

    def _let_go(self, event: QMouseEvent) -> None:
        clicked = self._drag_from is not None and self._drag_travel < CLICK_PIXELS
        self._drag_from = None
        if not clicked:
            self._name_centre()
            return
        name = mouse_input("click", event.button(), event.modifiers())
        if self._measuring is not None and name == "click left":
            self._measure(self.pick(event.position().x(), event.position().y()))
        else:
            self._point(name, event.position())

    def _point(self, name: str, position: QPointF) -> None:
        """A click or double click at a place."""
        action = self.preset.inputs.get(name, "")
        if action not in ("centre", "label"):
            return
        found = self.pick(position.x(), position.y())
        if found is None:
            return
        if action == "centre":
            self.centre_on_atom(*found)
        elif found[1] < 0:
            self.toggle_label(found[0])

    def _wheel(self, event: QWheelEvent) -> None:
        # With Alt held, Qt gives the wheel's movement as a horizontal one.
        turned = event.angleDelta()
        delta = turned.y() or turned.x()
        action = self.preset.inputs.get(wheel_input(event.modifiers()), "")
        if action == "zoom":
            self._move_camera(self.camera.zoomed(float(1.12 ** (delta / 120.0))))
        elif action == "focus":
            self._move_camera(self.camera.focused(self.camera.focus + FOCUS_STEP * delta / 120.0))
        elif action == "pan":
            moved = event.pixelDelta() if not event.pixelDelta().isNull() else turned / 4
            self._drag_by("pan", moved.x(), moved.y())
        elif action in ("level", "difference_level"):
            self._wheel_rest += delta / 120.0
            steps = int(self._wheel_rest)
            self._wheel_rest -= steps
            if steps:
                differences = [name for name in self.tracer.maps.grids if name in self.tracer.maps.differences]
                chosen = DIFFERENCE if DIFFERENCE in differences or not differences else differences[0]
                self._change_level(self.tracer.active if action == "level" else chosen, steps)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the 3D view; others go on to the window."""
        action = self.preset.inputs.get(key_input(event), "")
        if self.card.isVisible() and (action == "help" or event.key() == Qt.Key.Key_Escape):
            self.card.hide()
        elif self._measuring is not None and event.key() == Qt.Key.Key_Escape:
            self._toggle_measuring()
        elif not (action and self.available and self.scene is not None and self.perform(action)):
            super().keyPressEvent(event)
            return
        event.accept()

    # -- pictures -------------------------------------------------------------------------------------------------

    def picture(self, width: int, height: int, ratio: float) -> QImage:
        """The scene with its labels and measurements at width x height device-independent pixels times `ratio`."""
        size = (round(width * ratio), round(height * ratio))
        image = QImage(*size, QImage.Format.Format_RGB888)
        image.fill(Qt.GlobalColor.black)
        if self._scene is None or self._overlay is None:
            return image
        found: list[Any] = []

        def draw(renderer: Renderer) -> None:
            assert self._scene is not None
            found.append(
                render_pixels(self._scene.gl, renderer, self.camera, self._colours, self._all_wires(), size, ratio)
            )

        self._with_context(draw)
        if not found:
            return image
        pixels = found[0]
        image = QImage(pixels.tobytes(), *size, 3 * size[0], QImage.Format.Format_RGB888).copy()
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # The picture has the height of the view, whatever its width: marks keep their places from the middle.
        scale = size[1] / max(self.height(), 1)
        painter.translate(0.5 * size[0], 0.5 * size[1])
        painter.scale(scale, scale)
        painter.translate(-0.5 * self.width(), -0.5 * self.height())
        self._overlay.paint_marks(painter)
        painter.end()
        return image

    def save_picture(self, path: str, width: int, height: int, ratio: float = 1.0) -> bool:
        """Write the scene as PNG; False, and a message, when it cannot be written."""
        target = path if Path(path).suffix.lower() == ".png" else f"{path}.png"
        done = bool(self.picture(width, height, ratio).save(target))
        self.message.emit(f"Saved {target}" if done else f"{target} cannot be written. Choose another folder.")
        return done

    def ask_for_picture(self) -> None:
        """A file dialog with the usual sizes as its filters."""
        w, h = self.width(), self.height()
        sizes = {f"PNG, {w * k} x {h * k} pixels (*.png)": k for k in (2, 1, 4, 8) if max(w, h) * k <= 8192}
        dialog = QFileDialog(self.window(), "Save a picture", "picture.png", ";;".join(sizes))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(
            lambda path: self.save_picture(path, w, h, float(sizes.get(dialog.selectedNameFilter(), 1)))
        )
        dialog.open()

    # -- widget ---------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._arrange()
        self._show_texts()

    def hideEvent(self, event: QHideEvent) -> None:
        self._flight.stop()
        self._spin.stop()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._show_texts()


def _once(parent: QObject, milliseconds: int, work: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(work)
    return timer
