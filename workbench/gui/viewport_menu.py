"""The menu of the 3D view: style, colours, maps, mouse; every entry once, for the button, the main menu and Ctrl+K."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from workbench.gui.viewport_bindings import PRESETS
from workbench.gui.viewport_maps import OF_CYCLES
from workbench.view.atoms import STYLES
from workbench.view.colouring import COLOURINGS

if TYPE_CHECKING:
    from workbench.gui.viewport import Viewport

STYLE_WORDS = {
    "sticks": "Sticks",
    "balls": "Balls and sticks",
    "trace": "CA trace",
    "ribbon": "Ribbon",
    "ellipsoids": "Ellipsoids",
}
COLOUR_WORDS = {
    "element": "by element",
    "chain": "by chain",
    "structure": "by secondary structure",
    "b": "by B factor",
    "shift": "by movement since the start",
    "fit": "by fit to the density",
}
SWITCHES = (
    ("hydrogens", "Hydrogens"),
    ("waters", "Waters"),
    ("symmetry", "Symmetry mates"),
    ("cell", "Unit cell"),
    ("glow", "Atoms glow when they move"),
)
MAP_FILTER = "Maps (*.map *.ccp4 *.mrc *.mtz *.map.gz *.ccp4.gz *.mrc.gz *.mtz.gz);;All files (*)"


class ViewMenu(QMenu):
    """Built once; `follow` ticks what is so now."""

    def __init__(self, view: Viewport) -> None:
        super().__init__("View", view)
        self._view = view
        self.entries: list[QAction] = []
        self._styles = self._choices(self.addMenu("Style"), STYLE_WORDS, STYLES, self._set_style)
        self._colours = self._choices(self.addMenu("Colours"), COLOUR_WORDS, COLOURINGS, self._set_colouring)
        self.addSeparator()
        self._switches: dict[str, QAction] = {}
        for name, words in SWITCHES:
            action = self._entry(self, words)
            action.setCheckable(True)
            action.toggled.connect(lambda on, name=name: self._set_switch(name, on))
            self._switches[name] = action
        self.addSeparator()
        self.maps = self.addMenu("Maps")
        self.smooth = self._entry(self.maps, "Maps as smooth surfaces")
        self.smooth.setCheckable(True)
        self.smooth.toggled.connect(view.set_smooth)
        self.safe = self._entry(self.maps, "Map colours that everyone can tell apart")
        self.safe.setCheckable(True)
        self.safe.toggled.connect(view.set_safe)
        self.section = self._entry(self.maps, "Section at the focal plane")
        self.section.setCheckable(True)
        self.section.toggled.connect(view.set_section)
        self.maps.addSeparator()
        self.open_map = self._entry(self.maps, "Open a map\u2026")
        self.open_map.triggered.connect(self._ask_for_map)
        self.omit = self._entry(self.maps, "Omit map of this residue (polder)")
        self.omit.triggered.connect(view.omit_residue)
        self.omit_anew = self._entry(self.maps, "Make omit maps anew")
        self.omit_anew.setToolTip("Of the model as it is now")
        self.omit_anew.triggered.connect(view.omit_anew)
        self.maps.addSeparator()
        self._shown: list[QAction] = []
        self.closing = QMenu("Close", self.maps)
        self.addSeparator()
        titles = {name: preset.title for name, preset in PRESETS.items()}
        self._presets = self._choices(self.addMenu("Mouse and keys"), titles, tuple(PRESETS), view.set_preset)
        self.whole = self._entry(self, "Whole model")
        self.whole.setToolTip("All of it in the picture and in the slab (A)")
        self.whole.triggered.connect(lambda: view.perform("whole_model"))
        self.animated = self._entry(self, "Travel smoothly")
        self.animated.setCheckable(True)
        self.animated.toggled.connect(view.set_animated)
        self.shortcuts = self._entry(self, "Shortcuts of the 3D view")
        self.shortcuts.triggered.connect(lambda: view.perform("help"))
        self.addSeparator()
        self.picture = self._entry(self, "Save a picture\u2026")
        self.picture.triggered.connect(view.ask_for_picture)
        self.aboutToShow.connect(self.follow)

    def _entry(self, menu: QMenu, words: str) -> QAction:
        action = menu.addAction(words)
        self.entries.append(action)
        return action

    def _choices(
        self, menu: QMenu, words: dict[str, str], names: tuple[str, ...], chosen: object
    ) -> dict[str, QAction]:
        group = QActionGroup(menu)
        made = {}
        for name in names:
            action = self._entry(menu, words[name])
            action.setText(words[name])
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _=False, name=name: chosen(name))  # type: ignore[operator]
            made[name] = action
        return made

    def _set_style(self, name: str) -> None:
        self._view.set_options(replace(self._view.options, style=name))  # type: ignore[arg-type]

    def _set_colouring(self, name: str) -> None:
        self._view.set_options(replace(self._view.options, colour_by=name))  # type: ignore[arg-type]

    def _set_switch(self, name: str, on: bool) -> None:
        self._view.set_options(replace(self._view.options, **{name: on}))  # type: ignore[arg-type]

    def follow(self) -> None:
        """Tick what is so, without doing it again."""
        view, options = self._view, self._view.options
        states = {self._styles[options.style]: True, self._colours[options.colour_by]: True}
        states |= {action: bool(getattr(options, name)) for name, action in self._switches.items()}
        states |= {self.smooth: view.tracer.smooth, self.safe: view.safe, self.animated: view.animated}
        states |= {self.section: view.tracer.section_shown, self._presets[view.preset.name]: True}
        for action, on in states.items():
            blocked = action.blockSignals(True)
            action.setChecked(on)
            action.blockSignals(blocked)
        self._colours["fit"].setEnabled(view.fit_known)
        self.omit.setEnabled(view.residue is not None and view.has_data)
        self.omit_anew.setEnabled(view.omits_are_older)
        older = {} if view.scene is None else view.tracer.older_omits(view.scene.state)
        for action in self._shown:
            self.maps.removeAction(action)
        self._shown = []
        for name in view.tracer.maps.grids:
            action = QAction(f"{name} of {older[name]}" if name in older else name, self.maps)
            action.setCheckable(True)
            action.setChecked(name not in view.tracer.hidden)
            action.toggled.connect(lambda on, name=name: view.tracer.set_hidden(name, not on))
            self.maps.addAction(action)
            self._shown.append(action)
        self.closing.clear()
        for name in view.tracer.maps.grids:
            if name not in OF_CYCLES:
                closing = self.closing.addAction(name)
                closing.triggered.connect(lambda _=False, name=name: view.tracer.remove_map(name))
        self.maps.removeAction(self.closing.menuAction())
        if not self.closing.isEmpty():
            self.maps.addMenu(self.closing)

    def _ask_for_map(self) -> None:
        dialog = QFileDialog(self._dialog_parent(), "Open a map", "", MAP_FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._open_maps)
        dialog.open()

    def _open_maps(self, paths: list[str]) -> None:
        for path in paths:
            self._view.open_map(path)

    def _dialog_parent(self) -> QWidget:
        return self._view.window()
