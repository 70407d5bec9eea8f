"""The 3D view as one widget: give it `Prepared` and each `CycleFinished`, and it shows model and maps.

What an input does stands in the tables of `viewport_bindings`; the methods here carry it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from workbench.gui.viewport_bindings import key_input, mouse_input, wheel_input
from workbench.gui.viewport_menu import ViewMenu
from workbench.gui.viewport_travel import TravellingView
from workbench.view.atoms import STYLES
from workbench.view.colouring import COLOURINGS
from workbench.view.maps import DIFFERENCE

LEVEL_STEP = 0.1
CLICK_PIXELS = 4.0
KEY_ZOOM = 1.15
FOCUS_STEP = 0.5
SLAB_STEP = 0.05
"""Share of the slab that a key adds or takes, at least 1 A."""
VIEW_CHANGES = {
    "zoom_in": "zoom",
    "zoom_out": "zoom",
    "spin": "spin",
    "focus_nearer": "focus",
    "focus_farther": "focus",
    "slab_less": "slab",
    "slab_more": "slab",
    "front_in": "front",
    "front_out": "front",
    "back_out": "back",
    "back_in": "back",
}
"""Actions that change how we look without going elsewhere; several of one kind in a row are one step of undo."""


class Viewport(TravellingView):
    """Model and maps in 3D, with mouse and keys. residue_wanted(): the user asks for the search."""

    residue_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drag_from: QPointF | None = None
        self._drag_travel = 0.0
        self._wheel_rest = 0.0
        self.menu = ViewMenu(self)
        self.button.setMenu(self.menu)

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
            "whole_model": self.show_whole_model,
            "level_up": lambda: self._change_level(tracer.active, 1),
            "level_down": lambda: self._change_level(tracer.active, -1),
            "next_map": self._next_map,
            "toggle_map": lambda: tracer.set_hidden(tracer.active, tracer.active not in tracer.hidden),
            "radius_more": lambda: self.set_radius(self.radius + 1.0),
            "radius_less": lambda: self.set_radius(self.radius - 1.0),
            "toggle_section": lambda: self.set_section(not tracer.section_shown),
            "focus_nearer": lambda: self._move_camera(camera.focused(camera.focus + FOCUS_STEP)),
            "focus_farther": lambda: self._move_camera(camera.focused(camera.focus - FOCUS_STEP)),
            "slab_less": lambda: self.set_slab(camera.slab - max(SLAB_STEP * camera.slab, 1.0)),
            "slab_more": lambda: self.set_slab(camera.slab + max(SLAB_STEP * camera.slab, 1.0)),
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
        if action in VIEW_CHANGES and not (action == "spin" and self._spin.isActive()):
            self._keep_view(VIEW_CHANGES[action])
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
        hovered = self.marks.hovered[0] if self.marks.hovered is not None and self.marks.hovered[1] < 0 else None
        if hovered is None:
            hovered = self.atom_at(self.width() / 2, self.height() / 2)
        self.toggle_label(hovered if hovered is not None else self._nearest_to(self.camera.centre))

    def _toggle_measuring(self) -> None:
        self.marks.measuring = [] if self.marks.measuring is None else None
        self._show_texts()

    def _clear_marks(self) -> None:
        self.marks.clear()
        self._show_texts()

    def _toggle_help(self) -> None:
        if self.choice.isVisible():
            return  # Which keys there are depends on the answer.
        self.card.setVisible(not self.card.isVisible())
        self.card.raise_()

    def _change_level(self, name: str, steps: int) -> None:
        if name in self.tracer.maps.grids:
            self.set_level(name, self.levels[name] + steps * LEVEL_STEP)

    def _drag_by(self, action: str, right: float, down: float) -> None:
        """Carry out a drag by device-independent pixels."""
        self._in_motion()
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
                self._keep_view("zoom")
                self._move_camera(self.camera.zoomed(1.0 + event.value()))
            return True
        elif kind == QEvent.Type.Leave and self.marks.hovered is not None:
            self.marks.hovered = None
            self._show_texts()
        return super().eventFilter(watched, event)

    def _press(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.card.hide()
        self._drag_from = event.position()
        self._drag_travel = 0.0
        if self.marks.hovered is not None:
            self.marks.hovered = None
            self._show_texts()

    def _drag(self, event: QMouseEvent) -> None:
        if self._drag_from is None or event.buttons() == Qt.MouseButton.NoButton:
            self._drag_from = None
            found = self.pick(event.position().x(), event.position().y())
            if found != self.marks.hovered:
                self.marks.hovered = found
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
        if self.marks.measuring is not None and name == "click left":
            self.marks.measure(self.pick(event.position().x(), event.position().y()))
            self._show_texts()
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
            self.centre_on_atom(*found, close=False)
        elif found[1] < 0:
            self.toggle_label(found[0])

    def _wheel(self, event: QWheelEvent) -> None:
        # With Alt held, Qt gives the wheel's movement as a horizontal one.
        turned = event.angleDelta()
        delta = turned.y() or turned.x()
        action = self.preset.inputs.get(wheel_input(event.modifiers()), "")
        if action in ("zoom", "focus", "pan"):
            self._keep_view(action)
            self._in_motion()
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
        if self.choice.isVisible() and event.key() == Qt.Key.Key_Escape:
            self._choose_preset("default")
        elif self.card.isVisible() and (action == "help" or event.key() == Qt.Key.Key_Escape):
            self.card.hide()
        elif self.marks.measuring is not None and event.key() == Qt.Key.Key_Escape:
            self._toggle_measuring()
        elif not (action and self.available and self.scene is not None and self.perform(action)):
            super().keyPressEvent(event)
            return
        event.accept()
