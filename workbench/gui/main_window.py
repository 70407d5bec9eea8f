"""The window: where everything stands, and how state and panels are joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import (
    QActionGroup,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from workbench.core.errors import WorkbenchError
from workbench.core.events import CycleFinished, Failed
from workbench.core.settings import RefinementSettings
from workbench.core.words import counted
from workbench.gui.actions import Actions
from workbench.gui.bridge import in_background
from workbench.gui.command_list import CommandList, Entry, action_entries, residue_entries
from workbench.gui.panels.compare import ComparePanel
from workbench.gui.panels.data_chooser import DataChooser
from workbench.gui.panels.data_quality import DataQualityPanel
from workbench.gui.panels.fetch_dialog import FetchDialog
from workbench.gui.panels.files import FilesPanel
from workbench.gui.panels.findings import FindingsPanel
from workbench.gui.panels.geometry import GeometryPanel
from workbench.gui.panels.header import Header
from workbench.gui.panels.log import LogPanel
from workbench.gui.panels.plane import PlanePanel
from workbench.gui.panels.quality_dialog import QualityDialog
from workbench.gui.panels.r_factors import RFactorsPanel
from workbench.gui.panels.refinement import RefinementPanel
from workbench.gui.panels.residues import ResiduesPanel
from workbench.gui.panels.scan import ScanPanel
from workbench.gui.panels.status import StatusLine, planned_end
from workbench.gui.panels.timeline import TimelinePanel
from workbench.gui.panels.weights import WeightsPanel
from workbench.gui.recognise import recognise
from workbench.gui.scan_runner import ScanRunner
from workbench.gui.scrubbing import Scrubbing
from workbench.gui.theme import PADDING, Appearance, sizes_for, theme
from workbench.gui.view_area import ViewArea
from workbench.gui.widgets.lines import Hairline, Surface
from workbench.gui.widgets.tabs import Tabs
from workbench.session.branches import Branch, beside, branches
from workbench.session.comparison import Comparison, compare
from workbench.session.data_choice import DataChoice
from workbench.session.preferences import Preferences, RecentFiles, load_preferences, save_preferences
from workbench.session.residue_history import ResidueHistory, key_of
from workbench.session.session import Session
from workbench.session.state import Mark, SessionState
from workbench.session.verdict import expected_gaps

REASONS = {
    "columns": "The file does not say which of its columns belong to the model. Choose them; nothing is opened before.",
    "merge": "These are unmerged observations. Say whether they may be merged as they stand.",
    "crystal": "The file does not say everything about its crystal. Say what is missing.",
    "test set": "The test set cannot be told from the file. Say where it comes from.",
}
"""Why the choices about the data are asked for, by `core.errors.Choice`."""
REDRAW_MS = 200
"""Plots and tables are drawn at most five times a second, however fast the cycles come."""
LATER_MS = 2
"""How long what the session says waits while the view is moved."""
NEXT_MS = 15
"""Between one plot and the next while a run goes on."""
NARROW = 1240
"""Below this width the left panel is a drawer that is opened when wanted."""
FILTER = (
    "Models, reflections, dictionaries, projects (*.workbench *.pdb *.ent *.cif *.mmcif *.mtz *.pdb.gz *.ent.gz"
    " *.cif.gz *.mtz.gz *.gz *.map *.ccp4 *.mrc);;"
    "All files (*)"
)


def plot_marks(marks: Sequence[Mark]) -> list[tuple[float, str]]:
    """The marks of the plots: half-way between the cycle that was done and the one under way; several things moved
    there share one."""
    by_cycle: dict[int, list[str]] = {}
    for mark in marks:
        by_cycle.setdefault(mark.cycle, []).append(mark.text)
    return [(c + 0.5, texts[-1] if len(texts) == 1 else counted(len(texts), "change")) for c, texts in by_cycle.items()]


class MainWindow(QMainWindow):
    """Shows a session and passes on what the user asks. Nothing here computes or waits."""

    _changed = Signal(object, object)

    def __init__(self, session: Session, *, example: RecentFiles | None = None, keep_preferences: bool = True) -> None:
        super().__init__()
        self.session = session
        self.example = example
        self._keep = keep_preferences
        self.preferences: Preferences = load_preferences() if keep_preferences else Preferences()
        self.chosen_model = ""
        self.chosen_data = ""
        self.chosen_dictionaries: tuple[str, ...] = ()
        self._choices: dict[str, DataChoice] = {}
        """What was decided about each data file, by its path, from before it is opened until the window closes."""
        self._quality_dialog: QualityDialog | None = None
        self._data_chooser: DataChooser | None = None
        self._fetch_dialog: FetchDialog | None = None
        self._asked_for: tuple[str, str, tuple[str, ...]] = ("", "", ())
        self._refine_when_ready = False
        self._exporting = False
        self._user_sizes = False
        self._drawer_open = False
        self._drawn: SessionState | None = None
        self._fetching: tuple[str, int] | None = None
        self._branches: tuple[Branch, ...] = ()
        self._branches_of: object = None
        self.setWindowTitle("Refinement Workbench")
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 600)

        self.actions_ = Actions(self)
        self.recent_menu = QMenu("Open recent", self)
        self.stop_menu = self.actions_.stop_menu()
        self.main_menu = self.actions_.main_menu(self.recent_menu)
        self.header = Header(self.actions_, self.stop_menu, self.main_menu)
        self.files = FilesPanel()
        self.refinement = RefinementPanel()
        self.weights = WeightsPanel()
        self.view = ViewArea()
        view_menu = self.view.menu()
        if view_menu is not None:
            self.main_menu.insertMenu(self.actions_.residue, view_menu)
        self.history = ResidueHistory()
        self.timeline = TimelinePanel(self.history)
        self.scrubbing = Scrubbing(session, self)
        self.r_factors = RFactorsPanel()
        self.geometry_panel = GeometryPanel()
        self.plane = PlanePanel()
        self.findings = FindingsPanel()
        self.residues = ResiduesPanel()
        self.compare = ComparePanel()
        self._reference: CycleFinished | None = None
        self._reference_key: int | None = None
        self._scan_of = ""
        """The project whose last scan is shown."""
        self._compared: tuple[object, object] | None = None
        self.scan = ScanPanel()
        self.scan_runner = ScanRunner(session, self)
        self.data_quality = DataQualityPanel()
        self.log = LogPanel()
        self.status = StatusLine()
        self._build()
        self.commands = CommandList(self.header.search, self._entries, self)
        self._connect()

        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self._draw)
        self._waiting: list[Callable[[], None]] = []
        self._draw_next = QTimer(self)
        self._draw_next.setSingleShot(True)
        self._draw_next.setInterval(NEXT_MS)
        self._draw_next.timeout.connect(self._draw_waiting)
        self._show_recent()
        self._restore()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._follow_later)
        self._changed.connect(self._heard)
        # The signal carries changes that another thread made (export) over to this one.
        self._unlisten = session.listen(self._changed.emit)
        self._follow(None, session.state)

    # where everything stands

    def _build(self) -> None:
        left_content = Surface("panel")
        column = QVBoxLayout(left_content)
        column.setContentsMargins(PADDING, 10, PADDING, 16)
        column.setSpacing(0)
        column.addWidget(self.files)
        for panel in (self.refinement, self.weights):
            column.addSpacing(11)
            column.addWidget(Hairline())
            column.addSpacing(9)
            column.addWidget(panel)
        column.addStretch(1)
        self.left = QScrollArea()
        self.left.setWidget(left_content)
        self.left.setWidgetResizable(True)
        self.left.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.left.setAccessibleName("Files, strategy and weights")
        self.left.setFocusPolicy(Qt.FocusPolicy.NoFocus)

        plots = Surface("panel")
        column = QVBoxLayout(plots)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.r_factors, 40)
        column.addWidget(_inset(Hairline()))
        column.addWidget(self.geometry_panel, 28)
        column.addWidget(_inset(Hairline()))
        column.addWidget(self.plane, 32)

        self.tabs = Tabs("Tables")
        pages: tuple[tuple[QWidget, str], ...] = (
            (self.findings, "Findings"),
            (self.residues, "Residues"),
            (self.scan, "Scan"),
            (self.compare, "Compare"),
            (self.data_quality, "Data quality"),
            (self.log, "Log"),
        )
        for page, name in pages:
            self.tabs.add(page, name, "Data" if page is self.data_quality else "")
        self.tabs.show_page(self.residues)

        self.centre = _splitter(Qt.Orientation.Vertical)
        self.centre.addWidget(self.view)
        self.centre.addWidget(self.timeline)
        self.right = _splitter(Qt.Orientation.Vertical)
        self.right.addWidget(plots)
        self.right.addWidget(self.tabs)
        self.columns = _splitter(Qt.Orientation.Horizontal)
        for widget in (self.left, self.centre, self.right):
            self.columns.addWidget(widget)
        for splitter, stretch in ((self.columns, 1), (self.centre, 0), (self.right, 0)):
            splitter.setStretchFactor(stretch, 1)
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.columns, 1)
        layout.addWidget(self.status)
        self.setCentralWidget(whole)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _connect(self) -> None:
        a = self.actions_
        a.open.triggered.connect(self.ask_for_files)
        self.files.link_chosen.connect(self.session.set_link)
        self.files.unplaced_accepted.connect(self._accept_unplaced)
        self.files.choices_wanted.connect(self.choose_data)
        self.files.dictionary_made.connect(self._use_made)
        a.fetch.triggered.connect(self.ask_for_code)
        a.quality.triggered.connect(self.show_quality)
        a.choices.triggered.connect(self._choose_open_data)
        a.example.triggered.connect(self.open_example)
        a.example.setEnabled(self.example is not None)
        self.view.start.example_button.setVisible(self.example is not None)
        a.refine.triggered.connect(self.refine_or_pause)
        a.pause.triggered.connect(self.session.pause)
        a.step.triggered.connect(self.session.step)
        a.stop.triggered.connect(lambda: self.session.stop("best"))
        a.stop_current.triggered.connect(lambda: self.session.stop("current"))
        a.stop_discard.triggered.connect(lambda: self.session.stop("discard"))
        a.export.triggered.connect(self.ask_for_folder)
        a.search.triggered.connect(self._search)
        a.residue.triggered.connect(self._find_residue)
        a.automatic.triggered.connect(lambda: self.session.set_weight(None))
        a.undo.triggered.connect(lambda: self._try(self.session.undo))
        a.redo.triggered.connect(lambda: self._try(self.session.redo))
        a.save_project.triggered.connect(self.ask_for_project)
        a.earlier.triggered.connect(lambda: self._try(lambda: self.session.look_beside(-1)))
        a.later.triggered.connect(lambda: self._try(lambda: self.session.look_beside(1)))
        a.newest.triggered.connect(lambda: self.session.look_at(None))
        a.go_on.triggered.connect(lambda: self._try(self.session.go_to_viewed))
        self.timeline.cycle_chosen.connect(self.scrubbing.want)
        self.timeline.newest_wanted.connect(lambda: self.scrubbing.want(None))
        self.timeline.residue_chosen.connect(self._choose_residue)
        self.scan.scan_wanted.connect(self.scan_runner.begin)
        self.scan.cancel_wanted.connect(self.scan_runner.cancel)
        self.scan.point_chosen.connect(self.scrubbing.want_key)
        self.scan_runner.changed.connect(self._show_scan)
        self.compare.keep_wanted.connect(self._keep_reference)
        self.compare.back_wanted.connect(self._swap_reference)
        self.compare.residue_chosen.connect(self._centre_residue)
        self.compare.map_wanted.connect(lambda _: self._show_between())
        self.timeline.branch_chosen.connect(lambda key: self._try(lambda: self.session.go_to(key)))
        self.timeline.branch_compared.connect(self.scrubbing.want_key)
        self.timeline.branches_wanted.connect(self._show_branches)
        self.scrubbing.failed.connect(lambda said: self.status.say(said, 60))
        self.header.verdict.back_wanted.connect(lambda number: self._try(lambda: self.session.go_to_cycle(number)))
        a.quit.triggered.connect(self.close)
        a.reset_layout.triggered.connect(self.reset_layout)
        a.show_left.toggled.connect(self._show_left)
        a.show_right.toggled.connect(self.right.setVisible)
        a.show_right.toggled.connect(self.header.verdict.setVisible)
        a.show_bottom.toggled.connect(self.timeline.setVisible)
        group = QActionGroup(self)
        for action, name in ((a.follow_system, "system"), (a.dark, "dark"), (a.light, "light")):
            group.addAction(action)
            action.triggered.connect(lambda _=False, name=name: self.set_appearance(name))
        self.view.start.open_wanted.connect(self.ask_for_files)
        self.view.start.example_wanted.connect(self.open_example)
        self.view.start.recent_chosen.connect(self._open_recent)
        self.view.message.connect(self.status.say)
        self.view.centred.connect(self._centred)
        self.view.residue_wanted.connect(self._find_residue)
        self.view.settings_changed.connect(self._remember_view)
        self.residues.chosen.connect(self.view.centre_on_residue)
        self.view.peaks_changed.connect(self._show_peaks)
        self.view.peak_shown.connect(self.findings.select_peak)
        self.findings.peak_chosen.connect(self.view.show_peak)
        self.findings.atom_chosen.connect(self.view.centre_on_atom)
        self.residues.chosen.connect(self.timeline.select_residue)
        self.weights.weight_wanted.connect(self._set_weight)
        self.weights.settings_wanted.connect(self._set_settings)
        self.refinement.settings_wanted.connect(self._set_settings)
        change = self.session.change_between_cycles
        self.refinement.resolution_wanted.connect(lambda d: self._try_change(lambda: change(d_min=d)))
        self.refinement.b_model_wanted.connect(lambda name: self._try_change(lambda: change(b_model=name)))
        self.refinement.likelihood_wanted.connect(lambda name: self._try_change(lambda: change(likelihood=name)))
        self.files.free_chosen.connect(lambda label, value: self._try_change(lambda: change(free=(label, value))))
        self.centre.splitterMoved.connect(lambda: self._moved(self.centre))
        self.right.splitterMoved.connect(lambda: self._moved(self.right))
        self.columns.splitterMoved.connect(lambda: self._moved(self.columns))
        # F6 goes from area to area, as in other programs with several panes.
        QShortcut(QKeySequence("F6"), self, activated=self._next_area)  # type: ignore[call-overload]

    def _restyle(self) -> None:
        if self._drawn is not None:
            self._draw()

    def _place(self) -> None:
        """Give every area the size of the present class of window width."""
        s = theme.sizes
        width, height = self.columns.width(), self.columns.height()
        left = s.left if self.left.isVisibleTo(self) else 0
        self.columns.setSizes([left, max(width - left - s.right - 2, 200), s.right])
        for splitter in (self.centre, self.right):
            splitter.setSizes([max(height - s.bottom - 1, 100), s.bottom])
        self.header.set_column(s.right)

    def _draw_anew(self) -> None:
        """The plots have another size: another number of ticks fits."""
        if self._drawn is not None and not self._redraw.isActive():
            self._redraw.start(REDRAW_MS)

    def _moved(self, which: QSplitter) -> None:
        self._user_sizes = True
        self._draw_anew()
        if which is self.centre:
            self.right.setSizes(self.centre.sizes())
        elif which is self.right:
            self.centre.setSizes(self.right.sizes())
        else:
            self.header.set_column(self.columns.sizes()[2])

    def reset_layout(self) -> None:
        """All areas back to their places and sizes."""
        a = self.actions_
        self._user_sizes = False
        for action in (a.show_right, a.show_bottom):
            action.setChecked(True)
        a.show_left.setChecked(self.width() >= NARROW)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        was_narrow = not self.header.panel_button.isHidden()
        if narrow != was_narrow:
            self.header.panel_button.setVisible(narrow)
            self.actions_.show_left.setChecked(not narrow)
        before = theme.sizes
        theme.set_sizes(sizes_for(self.width()))
        self._draw_anew()
        if theme.sizes != before:
            self.weights.families.setChecked(theme.sizes.families_open)
            self._user_sizes = False
            self.header.show_state(self.session.state)
        if not self._user_sizes:
            self._place()

    def _show_left(self, visible: bool) -> None:
        self.left.setVisible(visible)
        if not self._user_sizes:
            self._place()

    def _next_area(self) -> None:
        areas = [
            self.header.refine,
            self.weights.data.slider,
            self.view.viewport or self.view,
            self.tabs.page(),
        ]
        focus = self.focusWidget()
        here = next((i for i, a in enumerate(areas) if focus is not None and (a is focus or a.isAncestorOf(focus))), -1)
        areas[(here + 1) % len(areas)].setFocus(Qt.FocusReason.TabFocusReason)

    # state

    def _heard(self, old: SessionState, new: SessionState) -> None:
        """Follow a change at once; while the hand moves the view and its frames are slow, in a beat of its own."""
        if self.view.moving_slowly and new.status == "running" and old.status == "running":
            if not self._later.isActive():
                self._later.start()
        else:
            self._later.stop()
            self._follow(old, new)

    def _follow_later(self) -> None:
        if self.view.turn_for_others():
            self._follow(self._seen, self.session.state)
        else:
            self._later.start()

    def _follow(self, old: SessionState | None, new: SessionState) -> None:
        if new is not self.session.state:
            # Several changes wait in the queue: the newest is what counts.
            new = self.session.state
        old = self._seen if old is not None else None
        self._seen: SessionState = new
        self.actions_.follow(new)
        self.header.show_state(new)
        self.files.show_state(old, new)
        self.refinement.show_state(old, new)
        self.weights.show_state(old, new)
        self.timeline.show_state(new)
        self.status.show_state(new)
        self._follow_view(old, new)
        self._follow_history(new)
        self._follow_branches(new)
        if old is not None and old.prepared is not None and (new.prepared is None or not _same_atoms(old, new)):
            self.scan_runner.forget()
            self._reference = None
        if self._scan_of != new.project:
            self._scan_of = new.project
            self.scan_runner.forget()
            self.scan_runner.recall()
        self._show_scan_button()
        if new.status == "empty" and not (self.chosen_model or self.chosen_data):
            self.view.show_start()
        if old is not None and old.status != new.status:
            self._status_changed(old, new)
        # What the user looks up is drawn at once; what a run brings at most five times a second.
        looked_up = old is None or old.viewed is not new.viewed or new.status not in ("running", "preparing")
        if looked_up or not self._redraw.isActive():
            self._redraw.start(0 if looked_up else REDRAW_MS)

    def _follow_view(self, old: SessionState | None, new: SessionState) -> None:
        if new.prepared is not None and (old is None or old.prepared is not new.prepared):
            self.residues.show_model(new.prepared.model)
            self.view.show_prepared(new.prepared)
            viewport = self.view.viewport
            if viewport is not None and viewport.residue is not None:
                self.residues.show_row(viewport.residue)
            if old is None or not _same_atoms(old, new):
                self.timeline.show_model(new.prepared.model)
            self.setWindowTitle(f"{Path(new.prepared.model.source.path).name} \u2013 Refinement Workbench")
        elif new.prepared is None and old is not None and old.prepared is not None:
            self.residues.show_model(None)
            self.timeline.show_model(None)
        self.view.show_refining(new.status == "running")
        if new.shown is not None and (old is None or old.shown is not new.shown):
            self.view.show_cycle(new.shown)

    def _status_changed(self, old: SessionState, new: SessionState) -> None:
        request = new.request
        if new.status == "ready" and old.status == "preparing" and request is not None:
            choice = DataChoice.of(request)
            self._choices[request.data_path] = choice
            self._set_preferences(
                self.preferences.opened(request.model_path, request.data_path, request.dictionaries, choice)
            )
            self._show_recent()
            if self._refine_when_ready:
                self._refine_when_ready = False
                self.session.refine()
        if new.failure is not None and new.failure is not old.failure:
            self._refine_when_ready = False
            if new.failure.choice:
                self.choose_data(refused=True, reason=REASONS.get(new.failure.choice, ""))
            if new.prepared is not None and request is not None and old.request is not request:
                # Other files were refused: what was open before still is.
                self.chosen_model, self.chosen_data = request.model_path, request.data_path
                self.chosen_dictionaries = request.dictionaries

    def _follow_history(self, new: SessionState) -> None:
        """The heat map's rows: of the newest cycle at once, of others (a project that was opened) in the background."""
        if new.latest is not None:
            self.history.take(new.latest)
        journal, position = self.session.journal, new.position
        missing = any(row is None for row in self.history.rows(new.statistics))
        if journal is None or position is None or not missing or self._fetching == (str(journal.path), position):
            return
        self._fetching = (str(journal.path), position)

        def fetched(result: object, error: Exception | None) -> None:
            if error is None and result and not self._redraw.isActive():
                self._redraw.start(REDRAW_MS)

        in_background(self, lambda: self.history.fetch(journal, position), fetched)

    def _follow_branches(self, new: SessionState) -> None:
        """The other runs of the project, read in the background whenever one has ended or another is stood in."""
        journal = self.session.journal
        if journal is None:
            self._branches, self._branches_of = (), None
            return
        going = new.status in ("running", "stopping", "preparing")
        place = (str(journal.path), new.status, None if going else new.position, len(self.scan_runner.values))
        if place == self._branches_of:
            return
        self._branches_of = place

        def read(result: object, error: Exception | None) -> None:
            if error is None and isinstance(result, tuple) and place == self._branches_of:
                self._branches = result
                if not self._redraw.isActive():
                    self._redraw.start(REDRAW_MS)

        position = new.position
        in_background(self, lambda: branches(journal, position), read)

    def _centre_residue(self, row: int) -> None:
        self.timeline.select_residue(row)
        self.view.centre_on_residue(row)

    def _keep_reference(self) -> None:
        self._reference, self._reference_key = self.session.state.shown, self._shown_key()
        self._compare()

    def _shown_key(self) -> int | None:
        """Under which the project has the cycle that is shown."""
        state = self.session.state
        return state.viewed_key if state.viewed is not None else state.position

    def _show_between(self) -> None:
        """The difference of the two maps in the 3D view, while it is wanted and there are two."""
        first, shown = self._reference, self.session.state.shown
        if self.compare.map.isChecked() and first is not None and shown is not None and first is not shown:
            self.view.show_between(first, shown)
        else:
            self.view.hide_between()

    def _swap_reference(self) -> None:
        old, shown = self._reference, self.session.state.shown
        if old is None or shown is None:
            return
        key, in_line = self._reference_key, {key_of(row) for row in self.session.state.statistics}
        self._reference, self._reference_key = shown, self._shown_key()
        if key_of(old.statistics) in in_line:
            self.scrubbing.want(old.statistics.cycle)
        else:
            self.scrubbing.want_key(key)

    def _compare(self) -> None:
        """The cycle that is shown against the one kept for comparison; in the background."""
        shown, first = self.session.state.shown, self._reference
        prepared = self.session.state.prepared
        self._show_between()
        if shown is None or prepared is None or first is None or first is shown:
            self._compared = None
            kept = f"Cycle {first.statistics.cycle}" if first is not None else ""
            self.compare.show_nothing(shown is not None, kept)
            return
        pair = (first, shown)
        if self._compared == pair:
            return
        self._compared = pair
        words = f"cycle {first.statistics.cycle}", f"Cycle {shown.statistics.cycle}"
        keys = self._reference_key, self._shown_key()
        one, other = self.session.as_cycle(keys[0], first), self.session.as_cycle(keys[1], shown)

        def compared(result: object, error: Exception | None) -> None:
            if self._compared != pair:
                return
            found = result if isinstance(result, Comparison) else f"They cannot be compared: {error}."
            self.compare.show_comparison(*words, found, prepared.model)

        in_background(self, lambda: compare(prepared, one, other), compared)

    def _show_branches(self) -> None:
        journal, position = self.session.journal, self.session.state.position
        if journal is not None:
            self._try(lambda: self.timeline.show_branches(branches(journal, position)))

    def _show_scan(self) -> None:
        runner = self.scan_runner
        self.scan.show_running(runner.running, runner.said)
        self.scan.show_values(runner.values, runner.recommended, runner.reason)
        self._show_scan_button()
        self._follow_branches(self.session.state)

    def _show_scan_button(self) -> None:
        obstacle = self.scan_runner.obstacle()
        self.scan.set_possible(not obstacle, obstacle)

    def _draw(self) -> None:
        """Plots and tables of the newest state, once those of the one before are there."""
        state = self.session.state
        if self._waiting and state.status == "running":
            self._redraw.start(REDRAW_MS)
            return
        self._drawn = state
        marks = plot_marks(state.marks)
        last = state.statistics[-1].cycle if state.statistics else 0
        planned = max(last, planned_end(state)) if state.status != "finished" else last
        elsewhere = state.viewed is not None and not state.viewed_in_line
        shown = state.shown.statistics.cycle if state.shown is not None and not elsewhere else last
        plots = (self.r_factors, self.geometry_panel, self.plane)
        self.r_factors.expected = expected_gaps(state)
        self.plane.elsewhere = elsewhere
        others = beside(self._branches, state.statistics)
        for plot in plots:
            plot.others = others
        self._waiting = []
        for plot in plots:
            # Changed in one beat, painted in another.
            self._waiting.append(partial(plot.show_statistics, state.rows, marks, planned, shown))
            if state.status == "running":
                plot.setUpdatesEnabled(False)
            self._waiting.append(partial(plot.setUpdatesEnabled, True))
        self._waiting.append(partial(self._draw_tables, state))
        # While a run goes on one after the other, so that no beat of the window holds them all.
        if state.status == "running":
            self._draw_next.start()
        else:
            self._draw_waiting()

    def _draw_waiting(self) -> None:
        """The first that waits; all of them when no run goes on."""
        running = self.session.state.status == "running"
        if running and not self.view.turn_for_others():
            self._draw_next.start()
            return
        while self._waiting:
            self._waiting.pop(0)()
            if running and self._waiting:
                self._draw_next.start()
                return

    def _draw_tables(self, state: SessionState) -> None:
        if state.shown is not None:
            self.residues.show_cycle(state.shown)
        worst = state.shown.worst if state.shown is not None else None
        self.findings.show_outliers(worst, state.prepared.model if state.prepared is not None else None)
        self.timeline.show_cycles(state)
        self._compare()
        self.data_quality.show_cycle(state.shown)
        self.log.show_lines(state.log)

    # what the user asks

    def refine_or_pause(self) -> None:
        if self.session.state.status == "running":
            self.session.pause()
        else:
            self.session.refine()

    def _try(self, what: Callable[[], object]) -> None:
        """Do what was asked; an error of the project is said in the status line."""
        try:
            what()
        except WorkbenchError as error:
            self.status.say(str(error), 60)

    def _try_change(self, what: Callable[[], object]) -> None:
        """A change between two cycles; what it makes incomparable is said in the status line, and stays in the log."""
        before = len(self.session.state.log)
        self._try(what)
        said = [line.text for line in self.session.state.log[before:] if line.severity == "warning"]
        if said:
            self.status.say(said[0], 20)

    def open_project(self, path: str) -> None:
        """Open a project file where it was left."""
        self._try(lambda: self.session.open_project(path))

    def ask_for_project(self) -> None:
        dialog = QFileDialog(self, "Save the project as", self._folder(), "Projects (*.workbench)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("workbench")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self._try(lambda: self.session.save_project(path)))
        dialog.open()

    def _set_weight(self, value: float | None) -> None:
        try:
            self.session.set_weight(value)
        except WorkbenchError as error:
            self.status.say(str(error))

    def _set_settings(self, settings: RefinementSettings) -> None:
        try:
            self.session.set_settings(settings)
        except WorkbenchError as error:
            self.status.say(str(error))

    def set_appearance(self, appearance: Appearance | str) -> None:
        chosen: Appearance = "dark" if appearance == "dark" else "light" if appearance == "light" else "system"
        theme.set_appearance(chosen)
        a = self.actions_
        {"system": a.follow_system, "dark": a.dark, "light": a.light}[chosen].setChecked(True)
        self._set_preferences(self.preferences.__class__(**{**vars(self.preferences), "theme": chosen}))

    def ask_for_files(self) -> None:
        dialog = QFileDialog(self, "Open model, reflections, dictionaries", self._folder(), FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self.open_files)
        dialog.open()

    def show_quality(self) -> None:
        """The dialog about the data that are open, or chosen."""
        model, data = self._open_files()
        if not data:
            self.status.say("Open reflections first.")
            return
        if self._quality_dialog is None:
            self._quality_dialog = QualityDialog(self)
            self._quality_dialog.columns_wanted.connect(self._use_columns)
            self._quality_dialog.test_set_wanted.connect(self._make_test_set)
        self._quality_dialog.begin(data, model, self._choice_of(data))

    def _open_files(self) -> tuple[str, str]:
        """Model and data that are open, or else chosen."""
        request = self.session.state.request
        return (self.chosen_model, self.chosen_data) if request is None else (request.model_path, request.data_path)

    def _choice_of(self, data: str) -> DataChoice:
        return self._choices.get(data, DataChoice())

    def _use_columns(self, amplitude: str, free: str) -> None:
        _, data = self._open_files()
        made = replace(self._choice_of(data).options, create_free=None, free_seed=0, thin_shells=False)
        choice = replace(self._choice_of(data), labels=(amplitude, ""), free_label=free, free_value=None, options=made)
        self._data_chosen(data, choice)
        self.show_quality()

    def _make_test_set(self, amplitude: str, fraction: float) -> None:
        _, data = self._open_files()
        before = self._choice_of(data)
        options = replace(before.options, create_free=fraction, free_file="", free_reindex="")
        self._data_chosen(data, replace(before, labels=(amplitude, ""), options=options))
        self.show_quality()

    def choose_data(self, refused: bool = False, reason: str = "") -> None:
        """The dialog with everything that the data leave open: those that were refused last, or those that are open or
        chosen. reason: why it is asked."""
        model, data = self._asked_for[:2] if refused and self._asked_for[1] else self._open_files()
        if not data:
            self.status.say("Open reflections first.")
            return
        if self._data_chooser is None:
            self._data_chooser = DataChooser(self)
            self._data_chooser.chosen.connect(self._data_chosen)
        self._data_chooser.begin(data, model, self._choice_of(data), reason)

    def _choose_open_data(self) -> None:
        self.choose_data()

    def _data_chosen(self, data: str, choice: DataChoice) -> None:
        """Remember what was decided about these data, and open them with it if there is a model."""
        self._choices[data] = choice
        if self._asked_for[1] == data:
            self.chosen_model, self.chosen_data, self.chosen_dictionaries = self._asked_for
        self.files.show_choice(choice)
        self._open()

    def ask_for_code(self) -> None:
        """The dialog that fetches by PDB code; what comes is opened."""
        if self._fetch_dialog is None:
            self._fetch_dialog = FetchDialog(self)
            self._fetch_dialog.fetched.connect(self._fetched)
        self._fetch_dialog.begin()

    def _fetched(self, model: str, data: str) -> None:
        if data:
            self.open_pair(model, data)
        else:
            self.open_files([model])

    def _folder(self) -> str:
        if self.chosen_model:
            return str(Path(self.chosen_model).parent)
        recent = self.preferences.recent
        return str(Path(recent[0].model).parent) if recent else str(Path.home())

    def open_files(self, paths: Sequence[str]) -> None:
        """Files in any combination; each is recognised in the background and completes what is chosen already."""
        wanted = [str(path) for path in paths]

        def look() -> list[tuple[str, str]]:
            return [(path, recognise(path)) for path in wanted]

        in_background(self, look, self._recognised)

    def _recognised(self, result: object, error: Exception | None) -> None:
        if error is not None or not isinstance(result, list):
            self.status.say(f"Cannot look at the files: {error}")
            return
        kinds = {kind for _, kind in result}
        if "project" in kinds:
            self.open_project(next(path for path, kind in result if kind == "project"))
            return
        if self.session.state.prepared is not None and {"model", "data"} <= kinds:
            # A new pair: what was open before is left, its dictionaries too.
            self.chosen_dictionaries = ()
        unknown = []
        for path, kind in result:
            if kind == "model":
                self.chosen_model = path
            elif kind == "data":
                self.chosen_data = path
            elif kind == "dictionary":
                if path not in self.chosen_dictionaries:
                    self.chosen_dictionaries = (*self.chosen_dictionaries, path)
            elif kind == "map":
                self.view.open_map(path)
            else:
                unknown.append(Path(path).name)
        self.files.show_files(self.chosen_model, self.chosen_data, self.chosen_dictionaries)
        if self.chosen_data:
            self.files.show_choice(self._choice_of(self.chosen_data))
        if self._asked_for[1] != self.chosen_data:
            self._asked_for = self.chosen_model, self.chosen_data, self.chosen_dictionaries
        if unknown:
            self._show_unknown(unknown)
            return
        self.files.other_error.show_failure(None)
        if self.chosen_model and self.chosen_data and kinds != {"map"}:
            self._open()

    def _show_unknown(self, names: Sequence[str]) -> None:
        self.files.other_error.show_failure(
            Failed(
                f"Neither a model nor reflections nor a dictionary: {', '.join(names)}.",
                1,
                item="Not recognised",
                remedy="Models are PDB or mmCIF files, reflections MTZ files, dictionaries CIF files with restraints.",
            )
        )

    def _use_made(self, path: str) -> None:
        """Use a dictionary that was made here, in place of an earlier one made for the same component."""
        made = Path(path)
        component = made.name.rsplit("-", 1)[0]
        self.chosen_dictionaries = tuple(
            other
            for other in self.chosen_dictionaries
            if Path(other).parent != made.parent or Path(other).name.rsplit("-", 1)[0] != component
        )
        self.open_files([path])

    def open_pair(self, model: str, data: str, dictionaries: Sequence[str] = (), *, refine: bool = False) -> None:
        """Open files whose kinds are known; with `refine` the run begins as soon as they are read."""
        self.chosen_model, self.chosen_data, self.chosen_dictionaries = model, data, tuple(dictionaries)
        self._refine_when_ready = refine
        self._open()

    def _open(self, *, accept_unplaced: bool = False) -> None:
        """Open what is chosen, with what was decided about the data. That a model may be unplaced was said of one pair
        of files and holds for it alone."""
        settings = replace(self.session.state.settings.for_other_files(), accept_unplaced=accept_unplaced)
        self._asked_for = self.chosen_model, self.chosen_data, self.chosen_dictionaries
        if not (self.chosen_model and self.chosen_data):
            self.status.say("Remembered. Now open the model that belongs to these reflections.")
            return
        choice = self._choice_of(self.chosen_data)
        self.session.open(
            self.chosen_model,
            self.chosen_data,
            self.chosen_dictionaries,
            labels=choice.labels,
            free_label=choice.free_label,
            free_value=choice.free_value,
            settings=settings,
            intake=choice.options,
        )

    def _accept_unplaced(self) -> None:
        self.chosen_model, self.chosen_data, self.chosen_dictionaries = self._asked_for
        self._open(accept_unplaced=True)

    def open_example(self) -> None:
        if self.example is not None:
            self.open_pair(self.example.model, self.example.data, self.example.dictionaries)

    def _open_recent(self, entry: RecentFiles) -> None:
        self._choices.setdefault(entry.data, entry.choice)
        self.open_pair(entry.model, entry.data, entry.dictionaries)

    def ask_for_folder(self) -> None:
        dialog = QFileDialog(self, "Export into a folder", self._folder())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Export here")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.export)
        dialog.open()

    def export(self, folder: str) -> None:
        """Write the results in the background; the status line says how it went."""
        if self._exporting:
            return
        self._exporting = True
        self.status.say(f"Writing into {folder} \u2026", 600)
        in_background(self, lambda: self.session.export(folder), self._exported)

    def _exported(self, result: object, error: Exception | None) -> None:
        self._exporting = False
        if error is not None:
            self.status.say(f"Not exported: {error}", 60)
        elif isinstance(result, tuple) and result:
            names = ", ".join(Path(path).name for path in result)
            self.status.say(f"Exported {names} to {Path(result[0]).parent}", 60)

    def _entries(self) -> list[Entry]:
        entries = action_entries([a for a in self.actions_.all if a not in (self.actions_.menu, self.actions_.search)])
        entries += action_entries(self.view.entries())
        prepared = self.session.state.prepared
        if prepared is not None:
            entries += residue_entries(prepared.model.residues, self._choose_residue)
        return entries

    def _choose_residue(self, row: int) -> None:
        self.tabs.show_page(self.residues)
        self.residues.show_row(row)
        self.timeline.select_residue(row)
        self.view.centre_on_residue(row)

    def _search(self) -> None:
        self.commands.begin()

    def _find_residue(self) -> None:
        self.commands.begin()
        self.header.search.setPlaceholderText("Chain and number, as A 89")

    def _show_peaks(self) -> None:
        prepared = self.session.state.prepared
        self.findings.show_peaks(self.view.peaks(), prepared.model if prepared is not None else None)

    def _centred(self, words: str) -> None:
        """The view was centred: the same residue is selected in the list."""
        prepared = self.session.state.prepared
        if prepared is None:
            return
        residues = prepared.model.residues
        for row in range(len(residues)):
            if words.startswith(residues.label(row)):
                self.residues.show_row(row)
                self.timeline.select_residue(row)
                return

    # files dropped on the window

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_files(paths)

    # preferences

    def _set_preferences(self, preferences: Preferences) -> None:
        self.preferences = preferences
        if self._keep:
            in_background(self, lambda: save_preferences(preferences), lambda result, error: None)

    def _remember_view(self, settings: dict[str, object]) -> None:
        values = {**self.preferences.values, "view": settings}
        self._set_preferences(self.preferences.__class__(**{**vars(self.preferences), "values": values}))

    def _show_recent(self) -> None:
        self.view.start.show_recent(self.preferences.recent)
        self.recent_menu.clear()
        for entry in self.preferences.recent:
            action = self.recent_menu.addAction(f"{Path(entry.model).name} with {Path(entry.data).name}")
            action.setToolTip(entry.model)
            action.triggered.connect(lambda _=False, entry=entry: self._open_recent(entry))
        self.recent_menu.setEnabled(bool(self.preferences.recent))

    def _restore(self) -> None:
        self.set_appearance(self.preferences.theme)
        remembered = self.preferences.values.get("view")
        self.view.restore(remembered if isinstance(remembered, dict) else {})
        if self.preferences.geometry:
            self.restoreGeometry(QByteArray(self.preferences.geometry))
        else:
            screen = self.screen().availableGeometry()
            self.resize(min(1680, screen.width()), min(1050, screen.height()))
        theme.set_sizes(sizes_for(self.width()))
        self.weights.families.setChecked(theme.sizes.families_open)
        if self.preferences.layout:
            columns, _, rows = self.preferences.layout.partition(b"|layout|")
            self._user_sizes = self.columns.restoreState(QByteArray(columns)) and self.centre.restoreState(
                QByteArray(rows)
            )
            self.right.setSizes(self.centre.sizes())

    def closeEvent(self, event: QCloseEvent) -> None:
        self._unlisten()
        self._redraw.stop()
        self._draw_next.stop()
        self._later.stop()
        self.scan_runner.cancel()
        layout = b""
        if self._user_sizes:
            layout = bytes(self.columns.saveState().data()) + b"|layout|" + bytes(self.centre.saveState().data())
        geometry = bytes(self.saveGeometry().data())
        if self._keep:
            kept = Preferences(**{**vars(self.preferences), "geometry": geometry, "layout": layout})
            save_preferences(kept)
        self.session.close()
        self.view.close_threads()
        super().closeEvent(event)


def _same_atoms(old: SessionState, new: SessionState) -> bool:
    """The same file, prepared again: its cycles stay comparable residue by residue."""
    before, after = old.prepared, new.prepared
    if before is None or after is None:
        return False
    return len(before.model) == len(after.model) and before.model.source_text == after.model.source_text


def _splitter(orientation: Qt.Orientation) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    return splitter


def _inset(line: Hairline) -> QWidget:
    """A hairline that keeps the padding of its column."""
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(PADDING, 0, PADDING, 0)
    layout.addWidget(line)
    return box
