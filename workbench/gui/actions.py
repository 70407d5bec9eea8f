"""Everything the user can ask, once: buttons, menus, keys and the command list share these actions."""

from __future__ import annotations

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from workbench.session.state import SessionState


class Actions:
    """The actions of the window; `follow` enables those that make sense in a state."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self.all: list[QAction] = []
        make = self._make
        self.open = make("Open\u2026", "Open", "Open a model, reflections or dictionaries", "Ctrl+O")
        self.example = make("Try the example", "Example", "Open the bundled example structure")
        self.fetch = make("Fetch\u2026", "Fetch", "Fetch model and data of a PDB entry by its code", "Ctrl+Shift+O")
        self.refine = make("Refine", "Refine", "Start or go on refining; while it runs, pause", "Ctrl+R")
        self.pause = make("Pause", "Pause", "Pause; every slider stays alive", "Ctrl+Shift+R")
        self.step = make("Step one cycle", "Step", "Refine one cycle, then pause", "Ctrl+T")
        self.stop = make("Stop, keep the best", "Stop", "Stop and keep the best cycle so far", "Ctrl+.")
        self.stop_current = make("Stop, keep the current cycle", "Stop", "Stop and keep the newest cycle")
        self.stop_discard = make("Stop, discard this run", "Stop", "Stop and go back to the state before this run")
        self.quality = make(
            "Data quality\u2026", "Data", "What the data are worth, which columns, which test set", "Ctrl+I"
        )
        self.choices = make(
            "Choices about the data\u2026",
            "Choices",
            "Columns, data set, space group, merging, and where the test set comes from",
            "Ctrl+Shift+I",
        )
        self.undo = make("Undo", "Undo", "Go back to where the last run or move began; nothing is lost", "Ctrl+Z")
        self.redo = make("Redo", "Redo", "Go again where undo came from", "Ctrl+Y")
        self.save_project = make("Save project as\u2026", "Project", "A copy of the project with all cycles", "Ctrl+S")
        self.earlier = make("Look at the cycle before", "Earlier", "Show the cycle before; nothing changes", "Alt+Left")
        self.later = make("Look at the cycle after", "Later", "Show the cycle after; nothing changes", "Alt+Right")
        self.newest = make("Back to the newest cycle", "Newest", "Show the newest cycle again", "Alt+End")
        self.go_on = make(
            "Go on from the cycle looked at",
            "Branch",
            "Refine begins a branch at the cycle that is shown",
            "Alt+Return",
        )
        self.export = make("Export\u2026", "Export", "Write model, map coefficients, statistics and log", "Ctrl+E")
        self.menu = make("Menu", "Menu", "All commands (F10)", "F10")
        self.search = make("Search commands and residues", "Search", "Find a command or a residue", "Ctrl+K")
        self.residue = make("Go to residue\u2026", "Residue", "Centre a residue by chain and number", "Ctrl+G")
        self.automatic = make("Automatic weight", "Auto", "Let the program choose the data weight again")
        self.follow_system = make("Follow the system", "System", "Dark or light as the system")
        self.dark = make("Dark", "Dark", "Dark window")
        self.light = make("Light", "Light", "Light window")
        self.show_left = make("Files and strategy panel", "Panel", "Show or hide the panel of files and strategy", "F9")
        self.show_right = make("Plots and tables", "Plots", "Show or hide the right column")
        self.show_bottom = make("Timeline", "Timeline", "Show or hide the timeline")
        self.reset_layout = make("Reset the layout", "Reset", "All areas back to their places")
        self.quit = make("Quit", "Quit", "Close the window", "Ctrl+Q")
        for action in (self.show_left, self.show_right, self.show_bottom):
            action.setCheckable(True)
            action.setChecked(True)
        for action in (self.follow_system, self.dark, self.light):
            action.setCheckable(True)

    def _make(self, text: str, word: str, tip: str, keys: str = "") -> QAction:
        action = QAction(text, self._window)
        action.setIconText(word)
        action.setToolTip(tip)
        if keys:
            action.setShortcut(QKeySequence(keys))
        self._window.addAction(action)
        self.all.append(action)
        return action

    def stop_menu(self) -> QMenu:
        menu = QMenu(self._window)
        menu.addActions([self.stop, self.stop_current, self.stop_discard])
        return menu

    def main_menu(self, recent: QMenu) -> QMenu:
        menu = QMenu(self._window)
        menu.addActions([self.open, self.fetch])
        menu.addMenu(recent)
        menu.addActions([self.example, self.quality, self.choices, self.save_project, self.export])
        menu.addSeparator()
        refinement = menu.addMenu("Refinement")
        refinement.addActions([self.refine, self.pause, self.step])
        refinement.addSeparator()
        refinement.addActions([self.stop, self.stop_current, self.stop_discard])
        refinement.addSeparator()
        refinement.addAction(self.automatic)
        cycles = menu.addMenu("Cycles")
        cycles.addActions([self.undo, self.redo])
        cycles.addSeparator()
        cycles.addActions([self.earlier, self.later, self.newest, self.go_on])
        menu.addActions([self.residue, self.search])
        menu.addSeparator()
        appearance = menu.addMenu("Appearance")
        appearance.addActions([self.follow_system, self.dark, self.light])
        layout = menu.addMenu("Layout")
        layout.addActions([self.show_left, self.show_right, self.show_bottom, self.reset_layout])
        menu.addSeparator()
        menu.addAction(self.quit)
        return menu

    def follow(self, state: SessionState) -> None:
        """Enable what makes sense now."""
        status = state.status
        running = status == "running"
        can_start = status in ("ready", "paused", "finished") or (status == "failed" and state.prepared is not None)
        self.refine.setEnabled(running or can_start)
        word = {"running": "Refining", "preparing": "Reading", "stopping": "Stopping"}.get(status, "Refine")
        if self.refine.iconText() != word:
            self.refine.setIconText(word)
        self.pause.setEnabled(running)
        self.step.setEnabled(can_start)
        stoppable = status in ("running", "paused", "preparing", "stopping")
        self.stop.setEnabled(stoppable)
        self.stop_current.setEnabled(status in ("running", "paused"))
        self.stop_discard.setEnabled(status in ("running", "paused"))
        self.export.setEnabled(state.exportable is not None)
        self.automatic.setEnabled(state.settings.weight is not None)
        self.residue.setEnabled(state.prepared is not None)
        kept = bool(state.project) and state.position is not None
        self.undo.setEnabled(state.can_undo and status not in ("running", "stopping", "preparing"))
        self.redo.setEnabled(state.can_redo and status not in ("running", "paused", "stopping", "preparing"))
        self.save_project.setEnabled(bool(state.project))
        self.earlier.setEnabled(kept and len(state.statistics) > 1)
        self.later.setEnabled(kept and state.viewed is not None)
        self.newest.setEnabled(state.viewed is not None)
        self.go_on.setEnabled(state.viewed is not None)
