"""The middle of the window: the start page, the 3D view, or the reason why there is none."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QStackedLayout, QVBoxLayout, QWidget

from workbench.core.events import CycleFinished, Prepared
from workbench.engine.maps.peaks import Peak
from workbench.gui.start_page import StartPage
from workbench.gui.theme import colour_table, theme
from workbench.gui.widgets.text import Label, Paragraph


class NoView(QWidget):
    """Stands where the 3D view would be and says why it is not there."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.title = Label("No 3D view", size=16, weight=600)
        self.reason = Paragraph(f"{reason} Refinement, plots and export work without it.")
        self.residue = Label("", role="label")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 16)
        layout.addWidget(self.title)
        layout.addWidget(self.reason)
        layout.addWidget(self.residue)
        layout.addStretch(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colours["view"])
        painter.end()


def make_viewport(parent: QWidget) -> tuple[Any, str]:
    """The 3D view, or None and the reason in words."""
    if QGuiApplication.platformName() in ("offscreen", "minimal"):
        return None, "This display has no OpenGL."
    try:
        from workbench.gui.viewport import Viewport
    except ImportError as error:
        return None, f"The 3D view cannot be loaded ({error})."
    viewport = Viewport(parent)
    return viewport, ""


class ViewArea(QWidget):
    """Start page and 3D view in one place. The 3D widget is made at once: OpenGL must know it before `show()`."""

    centred = Signal(str)
    message = Signal(str)
    residue_wanted = Signal()
    settings_changed = Signal(dict)
    peaks_changed = Signal()
    peak_shown = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.start = StartPage()
        self.viewport, reason = make_viewport(self)
        self.fallback: NoView | None = None
        self.stack = QStackedLayout(self)
        self.stack.setContentsMargins(0, 0, 0, 0)
        self.stack.addWidget(self.start)
        if self.viewport is None:
            self.fallback = NoView(reason)
            self.stack.addWidget(self.fallback)
        else:
            self.stack.addWidget(self.viewport)
            self.viewport.centred.connect(self.centred)
            self.viewport.message.connect(self.message)
            self.viewport.residue_wanted.connect(self.residue_wanted)
            self.viewport.settings_changed.connect(self.settings_changed)
            self.viewport.tracer.peaks_changed.connect(self.peaks_changed)
            self.viewport.peak_shown.connect(self.peak_shown)
            self.viewport.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._prepared: Prepared | None = None
        self._cycle: CycleFinished | None = None
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        if self.viewport is not None:
            self.viewport.set_theme(colour_table(theme.colours))

    def close_threads(self) -> None:
        """The window goes: nothing that is on its way to the 3D view is waited for."""
        if self.viewport is not None:
            self.viewport.close_threads()

    def show_start(self) -> None:
        self.stack.setCurrentIndex(0)

    def show_prepared(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self.stack.setCurrentIndex(1)
        if self.viewport is not None:
            self.viewport.set_prepared(prepared)
            self._check()

    def show_cycle(self, cycle: CycleFinished) -> None:
        self._cycle = cycle
        if self.viewport is not None:
            self.viewport.set_cycle(cycle)

    def show_between(self, first: CycleFinished, second: CycleFinished) -> None:
        """Show the map of a second cycle minus that of a first beside the others."""
        if self.viewport is None:
            self.message.emit("There is no 3D view to show a map in.")
            return
        names = [cycle.statistics.cycle for cycle in (second, first)]
        self.viewport.tracer.show_between(first, second, f"cycle {names[0]} \u2212 {names[1]}")

    def hide_between(self) -> None:
        if self.viewport is not None:
            self.viewport.tracer.hide_between()

    def restore(self, settings: dict[str, Any]) -> None:
        """Remembered settings of the 3D view."""
        if self.viewport is not None:
            self.viewport.restore(settings)

    def open_map(self, path: str) -> None:
        """Show the maps of a file beside those of the refinement."""
        if self.viewport is None:
            self.message.emit("There is no 3D view to show a map in.")
        elif self._prepared is None:
            self.message.emit("Open a model first; then its maps.")
        else:
            self.viewport.open_map(path)

    def menu(self) -> QMenu | None:
        """The menu of the 3D view."""
        return self.viewport.menu if self.viewport is not None else None

    def entries(self) -> list[QAction]:
        """Its entries, for the list of commands."""
        if self.viewport is None or self._prepared is None:
            return []
        self.viewport.menu.follow()
        entries: list[QAction] = self.viewport.menu.entries
        return entries

    @property
    def moving_slowly(self) -> bool:
        """Whether the view is being moved, and drawn by the processor: then every millisecond counts."""
        return self.viewport is not None and bool(self.viewport.moving_slowly)

    def turn_for_others(self) -> bool:
        """Whether work beside the view may be done now; its next frame then waits a moment. False just after one."""
        if self.viewport is None:
            return True
        if self.viewport.just_painted:
            return False
        self.viewport.give_way()
        return True

    def show_refining(self, refining: bool) -> None:
        """Whether a run is under way."""
        if self.viewport is not None:
            self.viewport.set_refining(refining)

    def centre_on_residue(self, row: int) -> None:
        if self.viewport is not None:
            self.viewport.centre_on_residue(row)
        elif self.fallback is not None and self._prepared is not None:
            self.fallback.residue.set_text(f"Chosen: {self._prepared.model.residues.label(row)}")
            self.centred.emit(self._prepared.model.residues.label(row))

    def peaks(self) -> tuple[Peak, ...]:
        """The difference peaks of the newest map, the highest first."""
        found: tuple[Peak, ...] = () if self.viewport is None else self.viewport.tracer.peaks
        return found

    def show_peak(self, number: int) -> None:
        if self.viewport is not None:
            self.viewport.show_peak(number)

    def centre_on_atom(self, atom: int) -> None:
        if self.viewport is not None:
            self.viewport.centre_on_atom(atom)
        elif self._prepared is not None:
            self.centre_on_residue(int(self._prepared.model.residue[atom]))

    def _check(self) -> None:
        """Without an OpenGL context the fallback takes the place of the view."""
        if self.viewport is None or getattr(self.viewport, "available", True):
            return
        reason = str(getattr(self.viewport, "reason", "OpenGL 3.3 is not available."))
        self.fallback = NoView(reason)
        self.stack.removeWidget(self.viewport)
        self.viewport.deleteLater()
        self.viewport = None
        self.stack.addWidget(self.fallback)
        self.stack.setCurrentIndex(1)
