"""The surface of the 3D view: scene, maps, texts and settings, and what lies over the picture.

The window's thread only uploads finished arrays and paints; maps are made by `MapTracer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import (
    QImage,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.core.events import Prepared, WorstRestraints
from workbench.gui.scene_image import SceneImage
from workbench.gui.scene_widget import SceneWidget, drawn_by_processor, missing_opengl
from workbench.gui.viewport_bindings import PRESETS, Preset
from workbench.gui.viewport_depth import DepthPanel
from workbench.gui.viewport_frames import FramePacer
from workbench.gui.viewport_help import PresetChoice, ShortcutCard
from workbench.gui.viewport_maps import RADIUS_RANGE, MapTracer
from workbench.gui.viewport_marks import Marks, Picked, mate_name
from workbench.gui.viewport_overlay import (
    AtomLabel,
    Overlay,
    OverlayContent,
    RampRow,
    Ruler,
    interface_font,
    overlay_colours,
)
from workbench.gui.viewport_picture import PictureDialog, with_marks
from workbench.gui.viewport_texts import atom_details, hex_colour, level_rows, residue_words
from workbench.gui.widgets.kept_painting import KeptToolButton
from workbench.view.atoms import STYLES
from workbench.view.camera import Camera
from workbench.view.colouring import COLOURINGS, legend
from workbench.view.colours import scene_colours
from workbench.view.maps import MapSet, map_wires
from workbench.view.picture import render_pixels
from workbench.view.renderer import Renderer
from workbench.view.scene import Scene, SceneOptions

RECONTOUR_SHIFT = 0.4
"""Angstrom the centre may wander, while the view is being moved, before the maps follow; at rest they are around it."""
RECONTOUR_SHIFT_MOVING = 1.0
"""The same while the processor draws: contours and pictures share it."""
STILL_MS = 180
"""How long after a movement the picture is drawn in full again, where the processor draws."""
REPAINT_SOON_MS = 60
"""How long the wires of one map wait for those of the other."""


class SceneCanvas(QWidget):
    """Shows a scene through a camera, and remembers how.

    centred(text): another residue is looked at, as "A 89 PHE". message(text): something for the status line.
    settings_changed(values): what should be remembered, plain values.
    available, reason: False and why when there is no OpenGL; everything else then does nothing and costs nothing.
    """

    centred = Signal(str)
    message = Signal(str)
    settings_changed = Signal(dict)

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
        self.worst: WorstRestraints | None = None
        self._theme: dict[str, str] = {}
        self._colours = scene_colours()
        self._prepared: Prepared | None = None
        self._residue: int | None = None
        self._picked: Picked | None = None
        self.marks = Marks()
        self._bright_map = ""
        self._said: tuple[tuple[Any, ...], tuple[str, tuple[str, ...]]] | None = None
        self._refining = False

        self.reason = missing_opengl()
        self.available = not self.reason
        self._scene: SceneWidget | SceneImage | None = None
        self._frames: FramePacer | None = None
        self._overlay: Overlay | None = None
        self._depth: DepthPanel | None = None
        self.tracer = MapTracer(self._with_context, self.available)
        self.tracer.changed.connect(self._show_texts)
        self.tracer.message.connect(self.message)
        self.tracer.drawn.connect(self._wires_drawn)
        self.destroyed.connect(self.tracer.close)
        self._build()
        self._repaint_soon = _once(self, REPAINT_SOON_MS, self._repaint)
        self._moving = _once(self, STILL_MS, self._at_rest)
        self._dim_levels = _once(self, 1000, self._dim)
        self.set_theme({})

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._notice = QLabel(self)
        self._notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._notice.setWordWrap(True)
        if self.available:
            surface = SceneImage if drawn_by_processor() else SceneWidget
            self._scene = surface(self, self._scene_ready, self._draw, self._scene_failed)
            self._frames = FramePacer(self._scene, self._drawn_slowly)
            layout.addWidget(self._scene)
            self._scene.installEventFilter(self)
            self._overlay = Overlay(self._scene)
            self._depth = DepthPanel(self._scene)
            self._depth.focus_changed.connect(self._slide_focus)
            self._depth.slab_changed.connect(self._slide_slab)
            self._depth.radius_changed.connect(self.set_radius)
            self._depth.hide()
        self.button = KeptToolButton(self._scene or self)
        self.button.setText("View")
        self.button.setToolTip("Style, colours, maps, mouse; H shows the shortcuts")
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.hide()
        self.card = ShortcutCard(self._scene or self)
        self.choice = PresetChoice(self._scene or self)
        self.choice.chosen.connect(self._choose_preset)
        layout.addWidget(self._notice)
        self._notice.setVisible(not self.available)

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

    def set_refining(self, refining: bool) -> None:
        """While a run goes on, a picture drawn by the processor is drawn quickly rather than smoothly: the processor
        is wanted elsewhere, and every cycle brings a new picture. A graphics card makes no difference."""
        if refining != self._refining:
            self._refining = refining
            self._repaint()

    def set_maps(self, maps: MapSet) -> None:
        """Show other maps; the wires of a map that stays by name are swapped when the new ones are ready."""
        self.tracer.set_maps(maps)

    def open_map(self, path: str) -> None:
        """Read a map file in the background and show what it holds."""
        self.tracer.open_file(path)

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
        for timer in (self._moving, self._repaint_soon, self._dim_levels):
            timer.stop()
        self.tracer.close()
        if isinstance(self._scene, SceneImage):
            self._scene.forget()

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
        self.choice.setVisible(self.available and values.get("preset") not in PRESETS)
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
        self._show_texts()

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
        self._move_camera(self.camera.with_slab(thickness))

    def _keep_view(self, kind: str = "") -> None:
        """Remember how we look before it changes (see `TravellingView`)."""

    def _slide_focus(self, depth: float) -> None:
        self._keep_view("focus")
        self._move_camera(self.camera.focused(depth))

    def _slide_slab(self, thickness: float) -> None:
        self._keep_view("slab")
        self.set_slab(thickness)

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
        wires = map_wires(self.tracer.maps, self._colours)
        return [*wires, *(self.scene.wires() if self.scene is not None else [])]

    def _draw(self, renderer: Renderer, target: Any, size: tuple[int, int], ratio: float) -> Iterator[None]:
        if self.scene is not None:
            self.scene.give_axes(renderer, self.camera)
        renderer.draft = self._drawn_slowly()
        return renderer.parts(self.camera, self._colours, self._all_wires(), size, ratio, target)

    def _repaint(self) -> None:
        if hasattr(self, "_repaint_soon"):
            self._repaint_soon.stop()
        if self._frames is not None:
            self._frames.want()

    @property
    def moving_slowly(self) -> bool:
        """The view is being moved, and the processor draws it."""
        return self._moving.isActive() and self._drawn_slowly()

    @property
    def just_painted(self) -> bool:
        """A slow frame has just been painted: what can wait should wait for the next beat of the window."""
        return self._frames is not None and self._frames.just_painted

    def give_way(self) -> None:
        """Other work is done in this beat: no slow frame in the same one."""
        if self._frames is not None:
            self._frames.give_way()

    def _drawn_slowly(self) -> bool:
        """The processor draws, and there is something going on beside the picture."""
        renderer = self._scene.renderer if self._scene is not None else None
        return renderer is not None and renderer.software and (self._refining or self._moving.isActive())

    def _wires_drawn(self, complete: bool) -> None:
        if complete:
            self._repaint()
        else:
            # The other map is nearly there: one picture for both, but no long wait.
            self._repaint_soon.start()

    def _in_motion(self) -> None:
        """The view is being moved by hand or travels: where the processor draws, quickly rather than smoothly."""
        self._moving.start()

    def _at_rest(self) -> None:
        self._maps_follow()
        self._repaint()

    def _maps_follow(self) -> None:
        shift = (
            0.0 if not self._moving.isActive() else RECONTOUR_SHIFT_MOVING if self.moving_slowly else RECONTOUR_SHIFT
        )
        if np.linalg.norm(self.tracer.centre - self.camera.centre) > shift:
            self.tracer.request(self.camera.centre)

    def _move_camera(self, camera: Camera) -> None:
        self.camera = camera
        if not self.available:
            return
        self._maps_follow()
        self.tracer.follow_section(camera)
        self._follow_mates()
        self._repaint()
        self._show_texts()

    def _follow_mates(self) -> None:
        if self.scene is not None and self.scene.follow(self.camera.centre):
            self._with_context(self.scene.give_mates)

    def _bright(self, name: str) -> None:
        self._bright_map = name
        self._dim_levels.start()

    def _dim(self) -> None:
        self._bright_map = ""
        self._show_texts()

    def _residue_words(self, scene: Scene, row: int) -> tuple[str, tuple[str, ...]]:
        """Said again while the view moves; looked up again only when something has changed."""
        about = (scene.state, self.tracer.maps, scene.fit, row)
        if self._said is None or any(a is not b for a, b in zip(about[:3], self._said[0][:3], strict=True)):
            self._said = None
        if self._said is None or self._said[0][3] != row:
            self._said = about, residue_words(scene.model, scene.state, row, self.tracer.maps, scene.fit)
        return self._said[1]

    def _show_texts(self) -> None:
        if self._overlay is None or self._depth is None:
            return
        scene, tracer = self.scene, self.tracer
        title: str = ""
        subtitles: tuple[str, ...] = ()
        if scene is not None and self._residue is not None:
            title, subtitles = self._residue_words(scene, self._residue)
            if self._picked is not None:
                details = (scene.state, self._picked[0], tracer.maps, self.worst, mate_name(scene, self._picked))
                subtitles = (*subtitles, atom_details(scene.model, *details))
        rows = level_rows(
            tracer.maps,
            tracer.levels,
            tracer.hidden,
            tracer.active,
            self._bright_map,
            tracer.section_shown,
            map_wires(tracer.maps, self._colours),
            self._colours,
            {} if scene is None else tracer.older_omits(scene.state),
        )
        size = (self.width(), self.height())
        labels: tuple[AtomLabel, ...] = ()
        rulers: tuple[Ruler, ...] = ()
        lines: tuple[str, ...] = ()
        if scene is not None:
            labels = self.marks.labels(scene, self.camera, size, tracer.maps, self.worst)
            rulers, lines = self.marks.rulers(scene, self.camera, size)
        ramp = legend(self.options.colour_by, self._colours)
        content = OverlayContent(
            title=title,
            subtitles=subtitles,
            levels=rows,
            labels=labels,
            rulers=rulers,
            measurements=lines,
            ramp=RampRow(ramp.name, ramp.low, ramp.high, tuple(map(hex_colour, ramp.colours)))
            if ramp is not None and scene is not None
            else None,
            hint="" if self.marks.measuring is None else "Measuring: click atoms, T ends",
        )
        self._overlay.show_content(content)
        self._depth.setVisible(scene is not None)
        self.button.setVisible(scene is not None)
        self._depth.show_values(self.camera.focus, self.camera.slab, self.radius)

    def _arrange(self) -> None:
        """Put everything that lies over the scene in its place."""
        if self._scene is None or self._overlay is None or self._depth is None:
            return
        size = self._scene.size()
        self._overlay.resize(size)
        self.card.resize(size)
        self._depth.adjustSize()
        self._depth.move(size.width() - self._depth.width() - 8, size.height() - self._depth.height() - 8)
        self.button.adjustSize()
        self.button.move(size.width() - self.button.width() - 16, 14)
        self.choice.adjustSize()
        self.choice.move(
            max((size.width() - self.choice.width()) // 2, 0), max((size.height() - self.choice.height()) // 2, 0)
        )

    def picture(self, width: float, height: float, ratio: float) -> QImage:
        """The scene with its labels and measurements at width x height device-independent pixels times `ratio`."""
        size = (round(width * ratio), round(height * ratio))
        scene, found = self._scene, []
        if scene is not None:
            scene.with_context(
                lambda renderer: found.append(
                    render_pixels(scene.gl, renderer, self.camera, self._colours, self._all_wires(), size, ratio)
                )
            )
        if not found or self._overlay is None:
            image = QImage(*size, QImage.Format.Format_RGB888)
            image.fill(Qt.GlobalColor.black)
            return image
        return with_marks(found[0], self._overlay)

    def save_picture(self, path: str, width: float, height: float, ratio: float = 1.0) -> bool:
        """Write the scene as PNG; False, and a message, when it cannot be written."""
        target = path if Path(path).suffix.lower() == ".png" else f"{path}.png"
        done = bool(self.picture(width, height, ratio).save(target))
        self.message.emit(f"Saved {target}" if done else f"{target} cannot be written. Choose another folder.")
        return done

    def ask_for_picture(self) -> None:
        """Ask for a size and a file."""
        dialog = PictureDialog(self.window(), self.width(), self.height())

        def save(path: str, width: int, height: int) -> None:
            # Lines and labels keep their size relative to the height of the picture.
            ratio = height / max(self.height(), 1)
            self.save_picture(path, width / ratio, height / ratio, ratio)

        dialog.wanted.connect(save)
        dialog.open()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._arrange()
        self._show_texts()

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
