"""The one mutable object of the program: what is open, what runs, who wants to know. No Qt."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import platformdirs

from workbench.core.errors import InputError, WorkbenchError
from workbench.core.events import CycleFinished, Failed, Finished, Prepared, RunEvent
from workbench.core.settings import (
    FAMILIES,
    LOCAL_RESTRAINTS,
    BModel,
    DataOptions,
    Keep,
    LikelihoodOf,
    RefinementSettings,
    RunRequest,
    strength_words,
)
from workbench.session.checks import check_settings
from workbench.session.command_line import refine_command
from workbench.session.history import Journal, JournalError, Recorder
from workbench.session.history.journal import SUFFIX, extracted_inputs
from workbench.session.history.recorder import settings_of
from workbench.session.incomparable import incomparable
from workbench.session.state import (
    B_WEIGHT,
    BETWEEN,
    WEIGHT,
    Mark,
    SessionState,
    apply_event,
    snapshot,
    still_open,
    with_log,
)
from workbench.session.verdict import suspect_set
from workbench.session.worker import RunSource, Worker, engine_run

Listener = Callable[[SessionState, SessionState], None]


@dataclass(frozen=True, eq=False)
class Delivery:
    """An event with the run it belongs to; events of a run that was replaced are dropped. key: of a cycle that is in
    the journal."""

    run: int
    event: RunEvent
    key: int | None = None


class Session:
    """State, intent and the worker behind one window.

        session = Session(deliver=bridge.event.emit)     # bridge.event = Signal(object), connected to session.handle
        session.listen(lambda old, new: ...)             # called after every change, on the thread that made it
        session.open("model.pdb", "data.mtz", dictionaries=["LIG.cif"])   # -> preparing -> ready (start cycle shown)
        session.refine()                                 # -> running; from ready, paused, finished or failed
        session.pause(); session.step(); session.refine()
        session.set_weight(1.5); session.set_weight(None)    # live; None = automatic. Leaves a Mark while a run goes on
        session.stop("best" | "current" | "discard")     # -> stopping -> finished; a second stop() ends the process
        session.export("folder")                         # the five files, of `state.exportable`
        session.open_project("x.workbench")              # -> finished, at the place where it was left
        session.look_at(key); session.look_at(None)      # scrub: `state.viewed`; nothing is changed
        session.go_to(key); session.undo(); session.redo()   # move in the tree; refine() then goes on from there
        session.close()

    Threads: the worker's reader thread calls `deliver(delivery)`; whoever takes it passes it to `handle` on the thread
    that owns the session (in Qt: a queued signal). Without `deliver` the reader thread calls `handle` itself.
    All methods may be called from any thread; listeners are called with the session's lock held, one change at a time.
    Methods that make no sense in the present status do nothing (`state.status` says which buttons to enable).

    Errors of files and numerics arrive as a Failed event: status "failed", `state.failure` has message, file, item,
    remedy and details. After a failure of a run the last finished cycle is `state.kept`; `refine()` goes on from it.
    """

    def __init__(
        self,
        deliver: Callable[[Delivery], None] | None = None,
        *,
        source: RunSource = engine_run,
        settings: RefinementSettings | None = None,
        projects: Path | None = None,
    ) -> None:
        """projects: folder where every run is kept in a project file of its own; None keeps none unless one is opened
        or asked for by name."""
        self.state = SessionState(settings=settings or RefinementSettings())
        self.journal: Journal | None = None
        self._projects = projects
        self._project_path: Path | None = None
        self._fresh = False
        """The next run that can be prepared begins a project of its own."""
        self._recorder: Recorder | None = None
        self._copies: tempfile.TemporaryDirectory[str] | None = None
        self._deliver = deliver or self.handle
        self._source = source
        self._listeners: list[Listener] = []
        self._changed = threading.Condition(threading.RLock())
        self._worker: Worker | None = None
        self._run = 0
        self._left: SessionState | None = None
        """What was open before, until the files that were asked for are read."""

    # ---- what changed -----------------------------------------------------------------------------------------

    def listen(self, callback: Listener) -> Callable[[], None]:
        """callback(old, new) after every change of `state`; the returned function ends it."""
        self._listeners.append(callback)

        def unlisten() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return unlisten

    def handle(self, delivery: Delivery | RunEvent) -> None:
        """Take an event of the run (a bare event, as from a recorded list, belongs to the present run)."""
        with self._changed:
            if isinstance(delivery, Delivery):
                if delivery.run != self._run:
                    return
                event, key = delivery.event, delivery.key
            else:
                event, key = delivery, None
            new = apply_event(self.state, event, time.time())
            if isinstance(event, Prepared):
                self._left = None
                self._take_journal()
            elif isinstance(event, Failed) and self._left is not None and new.prepared is None:
                new, self._left = still_open(self._left, new), None
                self._recorder, self._fresh = None, False
            if key is not None:
                new = replace(new, position=key)
            if isinstance(event, Finished) and self.state.keep_on_stop == "discard" and event.reason == "stopped":
                new = replace(new, position=self._origin)
            if self.journal is not None:
                new = replace(new, project=str(self.journal.path))
                if isinstance(event, (Finished, Failed)):
                    new = self._with_moves(new)
            self._set(new)

    def wait(self, condition: Callable[[SessionState], bool], timeout: float = 60.0) -> bool:
        """Block until condition(state) holds (scripts and tests; never in the window's thread)."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self.state), timeout)

    def _set(self, new: SessionState) -> None:
        with self._changed:
            old, self.state = self.state, new
            if new is old:
                return
            for listener in tuple(self._listeners):
                listener(old, new)
            self._changed.notify_all()

    # ---- what the user asks -----------------------------------------------------------------------------------

    def open(
        self,
        model_path: str | Path,
        data_path: str | Path,
        dictionaries: Sequence[str | Path] = (),
        *,
        labels: tuple[str, str] | None = None,
        free_label: str | None = None,
        free_value: int | None = None,
        settings: RefinementSettings | None = None,
        project: str | Path | None = None,
        intake: DataOptions | None = None,
    ) -> None:
        """Read and prepare; the state is "ready" when Refine can begin.

        What was open before is left, and its run ended; where the new files cannot be used it is still open. settings:
        by default those in use, `for_other_files`.
        project: the project file to make (it must not exist); else one is made in the folder of projects, if any.
        """
        with self._changed:
            self._end_run("Ended to open other files")
            self._fresh = True
            self._project_path = Path(project) if project is not None else None
            if self.state.prepared is not None:
                self._left = self.state
            request = RunRequest(
                model_path=str(model_path),
                data_path=str(data_path),
                dictionaries=tuple(str(path) for path in dictionaries),
                labels=labels,
                free_label=free_label,
                free_value=free_value,
                settings=settings or self.state.settings.for_other_files(),
                intake=intake or DataOptions(),
            )
            opened = SessionState(status="preparing", request=request, settings=request.settings)
            opened = with_log(opened, f"Opening {model_path} and {data_path}", "info", time.time())
            said = f"The same on the command line: {refine_command(request)}"
            self._set(with_log(opened, said, "info", time.time()))
            self._launch(request, held=True)

    def refine(self) -> None:
        """Begin, or go on: after a pause where it stood, after the end of a run from the state that was kept."""
        with self._changed:
            self.look_at(None)
            state = self.state
            if state.status in ("ready", "paused") and self._worker is not None and self._worker.alive:
                before = snapshot(state) if state.status == "ready" else state.before
                self._set(
                    replace(state, status="running", stepping=False, before=before, keep_on_stop="best", failure=None)
                )
                self._worker.resume()
            elif state.status in ("ready", "finished", "failed"):
                self._begin_again(stepping=False)

    def step(self) -> None:
        """One cycle, then pause."""
        with self._changed:
            state = self.state
            if state.status in ("ready", "paused") and self._worker is not None and self._worker.alive:
                before = snapshot(state) if state.status == "ready" else state.before
                self._set(
                    replace(state, status="running", stepping=True, before=before, keep_on_stop="best", failure=None)
                )
                self._worker.step()
            elif state.status in ("ready", "finished", "failed"):
                self._begin_again(stepping=True)

    def pause(self) -> None:
        with self._changed:
            if self.state.status == "running" and self._worker is not None:
                self._set(replace(self.state, status="paused", stepping=False))
                self._worker.pause()

    def stop(self, keep: Keep = "best") -> None:
        """End the run and keep its best cycle, its current one, or the state before the run ("discard").

        While files are still being read, and when asked a second time, the process is ended at once.
        """
        with self._changed:
            state = self.state
            if state.status in ("running", "paused") and self._worker is not None:
                self._set(replace(state, status="stopping", keep_on_stop=keep, stepping=False))
                self._worker.stop()
            elif state.status == "stopping":
                kept = state.best or state.latest
                assert kept is not None
                text = "stopped at once: the process was ended"
                key = self._end_run(text, kept.statistics.cycle)
                ended = apply_event(state, Finished("stopped", text, kept, 0.0, 0.0), time.time())
                self._set(replace(ended, position=key) if key is not None else ended)
            elif state.status == "preparing":
                self._kill()
                ended = replace(state, status="finished" if state.kept is not None else "empty", progress=None)
                self._set(with_log(ended, "Stopped before the run began.", "info", time.time()))

    def set_weight(self, value: float | None) -> None:
        """The absolute X-ray weight; None lets the automatic weight take over again. Live."""
        self.set_settings(replace(self.state.settings, weight=value))

    def set_settings(self, settings: RefinementSettings) -> None:
        """New settings. Live ones (cycles, weight, family weights) reach a run under way; the others make a prepared
        run prepare again, and otherwise hold from the next run on."""
        check_settings(settings)
        with self._changed:
            old = self.state.settings
            if settings == old:
                return
            state = _with_marks(replace(self.state, settings=settings), old, self._working)
            if state.status in ("running", "paused", "stopping") and not _only_live(old, settings):
                state = with_log(state, "The new settings hold from the next run on.", "info", time.time())
            request = state.request
            if state.status in ("preparing", "ready") and request is not None and not _only_live(old, settings):
                again = replace(request, settings=settings)
                self._set(replace(state, status="preparing", request=again))
                self._launch(again, held=state.held)
                return
            if request is not None:
                state = replace(state, request=replace(request, settings=settings))
            self._set(state)
            if self._worker is not None:
                self._worker.update_settings(settings)

    def change_between_cycles(
        self,
        *,
        d_min: float | Literal["keep"] | None = "keep",
        b_model: BModel | None = None,
        likelihood: LikelihoodOf | None = None,
        free: tuple[str | None, int | None] | None = None,
    ) -> None:
        """Change what a cycle under way cannot take: resolution limit (None: all data), B model, what is refined
        against, test set (column, value). A run ends after its newest cycle and goes on from there; a paused one, or
        none, waits for Refine.

        What it makes incomparable is said in the log. Raises SettingsError for what no run could use.
        """
        with self._changed:
            state = self.state
            if state.request is None:
                return
            settings = state.settings
            if d_min != "keep":
                settings = replace(settings, d_min=d_min)
            if b_model is not None:
                settings = replace(settings, b_model=b_model)
            if likelihood is not None:
                settings = replace(settings, likelihood=likelihood)
            check_settings(settings)
            request = replace(state.request, settings=settings)
            if free is not None:
                request = replace(request, free_label=free[0], free_value=free[1])
            known = state.prepared.reflections.d_min if state.prepared is not None else 0.0
            name, said = incomparable(replace(state.request, settings=state.settings), request, known)
            if not name:
                return
            if state.status in ("preparing", "ready"):
                self._set(replace(state, status="preparing", request=request, settings=settings))
                self._launch(request, held=state.held)
                return
            going = state.status == "running"
            latest = state.latest
            if state.status in ("running", "paused", "stopping") and latest is not None:
                number = latest.statistics.cycle
                key = self._end_run(f"Ended after cycle {number}: {name}", number)
                text = f"Ended after cycle {number} to change it: {name}."
                ended = replace(state, status="stopping", keep_on_stop="current")
                ended = apply_event(ended, Finished("stopped", text, latest, 0.0, 0.0), time.time())
                state = replace(ended, position=key if key is not None else state.position)
            source = state.kept or latest
            where = source.statistics.cycle if source is not None else 0
            state = replace(
                state, settings=settings, request=request, marks=(*state.marks, Mark(where, name, BETWEEN, ""))
            )
            state = with_log(state, f"{name[:1].upper()}{name[1:]}. {said}", "warning", time.time())
            if self.journal is not None and not self.journal.read_only:
                state = self._with_moves(state)
            self._set(state)
            if going:
                self._begin_again(stepping=False)

    def set_link(self, label: str, bond: bool) -> None:
        """Bond a link of `Prepared.links`, or not. A prepared run prepares again; otherwise it holds from the next run
        on."""
        with self._changed:
            state = self.state
            request = state.request
            if request is None:
                return
            links = {**dict(request.links), label: bond}
            again = replace(request, links=tuple(links.items()))
            word = "bonded" if bond else "not bonded"
            if state.status in ("preparing", "ready"):
                new = replace(state, status="preparing", request=again)
                self._set(with_log(new, f"{label}: {word}.", "info", time.time()))
                self._launch(again, held=state.held)
            else:
                new = replace(state, request=again)
                self._set(with_log(new, f"{label}: {word} from the next run on.", "info", time.time()))

    def export(self, directory: str | Path) -> tuple[Path, ...]:
        """Write refined.pdb, refined.cif, refined.mtz, statistics.json and log.txt of `state.exportable`."""
        from workbench.export.results import RunTiming, write_results

        state = self.state
        final = state.exportable
        if state.prepared is None or final is None:
            raise InputError(
                "there is nothing to export yet.", remedy="Open a model and its data first; the start can be exported."
            )
        written = write_results(
            directory,
            prepared=state.prepared,
            final=final,
            cycles=state.statistics,
            log=log_text(state),
            timing=RunTiming.of(state.prepared, state.result, state.statistics),
            settings=state.settings,
            warnings=[line.text for line in state.log if line.severity == "warning"],
        )
        note = f"Exported cycle {final.statistics.cycle} to {written.folder}"
        with self._changed:
            new = with_log(self.state, note, "info", time.time())
            for warning in written.warnings:
                new = with_log(new, warning, "warning", time.time())
            self._set(new)
        return written.paths

    def close(self) -> None:
        """End the process, if any; nothing is delivered after this."""
        with self._changed:
            self._kill()
            self._leave_project()
            self._listeners.clear()

    # ---- the project ------------------------------------------------------------------------------------------

    def open_project(self, path: str | Path) -> None:
        """Open a project where it was left; its status is "finished" (refine() goes on), `state.position` the place.

        Raises InputError or JournalError, and then what was open before is still open.
        """
        journal = Journal.open(path)
        try:
            state = _opened_state(journal, self.state.settings)
        except WorkbenchError:
            journal.close()
            raise
        with self._changed:
            self._kill()
            self._leave_project()
            self.journal = journal
            self._set(self._with_moves(state))

    def save_project(self, path: str | Path) -> None:
        """A copy of the whole project under another name; the session goes on in it."""
        with self._changed:
            if self.journal is None:
                raise InputError("there is no project to save yet.", remedy="Open a model and its data first.")
            place = Path(path)
            if place.suffix != SUFFIX:
                place = place.with_name(place.name + SUFFIX)
            if place.resolve() == self.journal.path.resolve():
                return
            self.journal.copy_to(place)
            if self.state.busy and self.state.status != "ready":
                note = f"Saved a copy as {place}; the run goes on being kept in {self.journal.path}"
                self._set(with_log(self.state, note, "info", time.time()))
                return
            old, self.journal = self.journal, Journal.open(place)
            old.close()
            note = f"The project is now {place}"
            self._set(with_log(replace(self.state, project=str(place)), note, "info", time.time()))

    def look_at(self, key: int | None) -> None:
        """Show an earlier cycle without going there; None shows the newest again."""
        with self._changed:
            if key is None or self.journal is None:
                if self.state.viewed is not None:
                    self._set(replace(self.state, viewed=None, viewed_key=None))
                return
            if key == self.state.viewed_key:
                return
            self.show_loaded(key, self.journal.load(key))

    def as_cycle(self, key: int | None, cycle: CycleFinished) -> CycleFinished:
        """The cycle with this key, a result with the likelihoods of the cycle that was kept: those of a result are of
        the written atoms alone, and compare with none that count the riding hydrogens."""
        with self._changed:
            if self.journal is None or key is None:
                return cycle
            try:
                record = self.journal.cycle(key)
                if record.kind != "result" or record.parent is None:
                    return cycle
                of = self.journal.cycle(record.parent)
            except WorkbenchError:  # A cycle of a project that was left.
                return cycle
        if of.number != record.number:
            return cycle
        row = replace(cycle.statistics, ll_work=of.statistics.ll_work, ll_free=of.statistics.ll_free)
        return replace(cycle, statistics=row)

    def look_at_cycle(self, number: int) -> None:
        """Show the cycle with this number on the line that leads to where the session stands."""
        key = self.key_of(number)
        if key is not None:
            self.look_at(None if key == self.state.position else key)

    def look_beside(self, step: int) -> None:
        """Show the cycle before (-1) or after (1) the one that is shown; thinned ones are passed over."""
        with self._changed:
            shown = self.state.shown
            if self.journal is None or self.state.position is None or shown is None:
                return
            line = [record for record in self.journal.line_of(self.state.position) if record.has_model]
            numbers = [record.number for record in line]
            here = shown.statistics.cycle
            beside = [n for n in numbers if (n < here if step < 0 else n > here)]
            if beside:
                self.look_at_cycle(beside[-1] if step < 0 else beside[0])
            elif step > 0:
                self.look_at(None)

    def go_to_cycle(self, number: int) -> None:
        """`go_to` the cycle with this number on the present line."""
        key = self.key_of(number)
        if key is not None:
            self.go_to(key)

    def go_to_viewed(self) -> None:
        """Stand at the cycle that is looked at."""
        if self.state.viewed_key is not None:
            self.go_to(self.state.viewed_key)

    def key_of(self, number: int) -> int | None:
        """Journal key of the cycle with this number on the line that leads to where the session stands."""
        with self._changed:
            if self.journal is None or self.state.position is None:
                return None
            return self.journal.numbers_of(self.state.position).get(number)

    def show_loaded(self, key: int, cycle: CycleFinished) -> None:
        """As `look_at`, with a cycle that was loaded elsewhere (in a background thread)."""
        with self._changed:
            seen = cycle.statistics
            row = next((row for row in self.state.statistics if row.cycle == seen.cycle), None)
            same = row is None or (row.r_work, row.ll_work) == (seen.r_work, seen.ll_work)
            if row is not None and not same and key == self.key_of(seen.cycle):
                # The start of a run that goes on is the cycle it goes on from: what is known of it stands.
                cycle = replace(cycle, statistics=row)
            self._set(replace(self.state, viewed=cycle, viewed_key=key))

    def go_to(self, key: int, text: str = "") -> None:
        """Stand at another cycle: Refine then begins a branch there, Export writes it. A run under way ends."""
        with self._changed:
            if self.journal is None:
                return
            self._end_run("Ended to go to another cycle")
            record = self.journal.cycle(key)
            if self.journal.read_only:
                self._copy_read_only()
            self.journal.move_to(key, text or f"Went to cycle {record.number}")
            self._stand_at(key)

    def undo(self) -> None:
        """Take back the last move in the tree: the run that ended, or the cycle gone to. Nothing is lost by it."""
        with self._changed:
            if self.journal is None or self.journal.read_only:
                return
            self._end_run("Ended by undo")
            target = self.journal.undo()
            if target is not None:
                self._stand_at(target)

    def redo(self) -> None:
        """Make again the move that was last undone."""
        with self._changed:
            if self.journal is None or self.journal.read_only or self.state.status in ("running", "paused", "stopping"):
                return
            target = self.journal.redo()
            if target is not None:
                self._stand_at(target)

    def _stand_at(self, key: int) -> None:
        assert self.journal is not None
        self._kill()
        state = _standing_at(self.journal, self.state, key)
        self._set(self._with_moves(state))

    def _end_run(self, text: str, kept: int | None = None) -> int | None:
        """End a run from outside; returns the key of the cycle that is its result (number `kept`, else the last)."""
        recorder = self._recorder
        self._kill()
        return recorder.cut_short(text, kept) if recorder is not None else None

    def _with_moves(self, state: SessionState) -> SessionState:
        assert self.journal is not None
        try:
            return replace(state, can_undo=self.journal.can_undo(), can_redo=self.journal.can_redo())
        except WorkbenchError:
            return replace(state, can_undo=False, can_redo=False)

    def _copy_read_only(self) -> None:
        """A project that cannot be written goes on in a copy among the automatic ones."""
        assert self.journal is not None
        place = automatic_path(self._projects or Path(tempfile.gettempdir()), self.journal.path.stem)
        place.parent.mkdir(parents=True, exist_ok=True)
        self.journal.copy_to(place)
        note = f"{self.journal.path} cannot be written; what follows is kept in a copy, {place}"
        self.journal.close()
        self.journal = Journal.open(place)
        self._set(with_log(replace(self.state, project=str(place)), note, "warning", time.time()))

    def _leave_project(self) -> None:
        if self.journal is not None:
            self.journal.close()
            self.journal = None
        self._recorder = None
        self._fresh = False
        if self._copies is not None:
            self._copies.cleanup()
            self._copies = None

    def _take_journal(self) -> None:
        """The project of the run that has just been prepared takes the place of the one that was open."""
        made = self._recorder.journal if self._recorder is not None else None
        if made is self.journal:
            return
        if self.journal is not None:
            self.journal.close()
        self.journal = made
        self._fresh = False

    def _new_journal(self, model_path: str) -> Journal:
        """Made at the first event of a run worth keeping, in the reader thread."""
        if self._project_path is not None:
            return Journal.create(self._project_path)
        assert self._projects is not None
        self._projects.mkdir(parents=True, exist_ok=True)
        return Journal.create(automatic_path(self._projects, Path(model_path).name.split(".")[0]))

    @property
    def _origin(self) -> int | None:
        """Key of the cycle the present run began from."""
        recorder = self._recorder
        if recorder is None:
            return None
        return recorder.parent if recorder.parent is not None else recorder.first

    # ---- the worker -------------------------------------------------------------------------------------------

    def _begin_again(self, stepping: bool) -> None:
        state = self.state
        if state.request is None:
            return
        if self.journal is not None and self.journal.read_only:
            self._copy_read_only()
            state = self.state
        source = state.kept or state.latest
        settings = state.settings
        assert state.request is not None
        request = replace(
            state.request, settings=settings, start=None, first_cycle=0, automatic_weight=None, b_weight=None,
            suspect_set=suspect_set(state),
        )  # fmt: skip
        if source is not None:
            row = source.statistics
            request = replace(request, start=source.state, first_cycle=row.cycle)
            if row.cycle > 0 and state.prepared is not None and state.prepared.settings.d_min == settings.d_min:
                request = replace(request, automatic_weight=row.automatic_weight, b_weight=row.b_weight)
        self._set(
            replace(
                state,
                status="preparing",
                marks=self._marks_of_the_start(state, source),
                request=request,
                held=stepping,
                stepping=False,
                failure=None,
                before=snapshot(state),
                keep_on_stop="best",
            )
        )
        self._launch(request, held=False, stepping=stepping)

    def _marks_of_the_start(self, state: SessionState, source: CycleFinished | None) -> tuple[Mark, ...]:
        """The marks on the line to the cycle `source`, that a run goes on from, and those of what was changed since it
        was reached: while nothing ran, or later in a run that went back to it."""
        if source is None:
            return state.marks
        number = source.statistics.cycle
        if self.journal is None or state.position is None:
            return tuple(m for m in state.marks if m.cycle < number or m.kind == BETWEEN or m.made == "idle")
        old = settings_of(self.journal, state.position)
        line = tuple(m for m in state.marks if m.cycle < number or m.kind == BETWEEN)
        return _with_marks(replace(state, marks=line), old, False).marks

    def _launch(self, request: RunRequest, held: bool, stepping: bool = False) -> None:
        self._kill()
        run = self._run
        if not request.settings.threads:
            # One core is the window's: it draws, contours and answers while the run goes on.
            threads = max((os.cpu_count() or 1) - 1, 1)
            request = replace(request, settings=replace(request.settings, threads=threads))
        worker = Worker(self._source)
        parent = self.state.position if request.start is not None else None
        recorder = self._recorder_for(request, parent)
        self._recorder = recorder
        if self.journal is not None and not self._fresh:
            request = extracted_inputs(self.journal, request, self._copies_folder)
        self._worker = worker
        # What was changed while the run before was being prepared is among the settings of this one.
        marks = tuple(replace(m, made="idle") if m.made == "preparing" else m for m in self.state.marks)
        if request.start is None:
            marks = tuple(m for m in marks if m.kind == BETWEEN)
        self._set(replace(self.state, held=held and not stepping, stepping=stepping, marks=marks))

        def take(event: RunEvent) -> None:
            """In the reader thread: committed first, told afterwards."""
            if recorder is None or run != self._run:
                self._deliver(Delivery(run, event))
                return
            notes = recorder.take(event)
            key = recorder.latest if isinstance(event, CycleFinished) else None
            if isinstance(event, Finished):
                key = recorder.result
            self._deliver(Delivery(run, event, key))
            for note in notes:
                self._deliver(Delivery(run, note))

        worker.start(request, take, held=held or stepping)
        if stepping:
            worker.step()

    def _recorder_for(self, request: RunRequest, parent: int | None) -> Recorder | None:
        present = self.journal
        fresh = self._fresh or present is None
        if fresh and self._project_path is None and self._projects is None:
            return None

        def journal() -> Journal:
            if fresh:
                return self._new_journal(request.model_path)
            assert present is not None
            return present

        return Recorder(journal, request, parent, keep=lambda: self.state.keep_on_stop)

    def _copies_folder(self) -> Path:
        if self._copies is None:
            self._copies = tempfile.TemporaryDirectory(prefix="workbench-inputs-")
        return Path(self._copies.name)

    def _kill(self) -> None:
        self._run += 1  # What the old worker still sends is dropped.
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    @property
    def _working(self) -> bool:
        return self._worker is not None and self._worker.alive

    @property
    def source(self) -> RunSource:
        """What the runs of this session are made by; those of a study as well."""
        return self._source

    @property
    def worker_pid(self) -> int | None:
        """Process id of the child, for the log and for tests."""
        return self._worker.pid if self._worker is not None else None


def automatic_path(folder: Path, stem: str) -> Path:
    """A name for a new project in the folder: the model's, the day and time, and a number where that exists."""
    base = f"{stem or 'project'} {time.strftime('%Y-%m-%d %H.%M.%S')}"
    place = folder / f"{base}{SUFFIX}"
    number = 2
    while place.exists():
        place = folder / f"{base} {number}{SUFFIX}"
        number += 1
    return place


def default_projects_folder() -> Path:
    """Where projects go that the user has not named."""
    named = os.environ.get("WORKBENCH_PROJECTS_DIR")
    if named:
        return Path(named)
    return Path(platformdirs.user_data_dir("refinement-workbench", appauthor=False)) / "projects"


def _opened_state(journal: Journal, settings: RefinementSettings) -> SessionState:
    """The state of a project at the place where it was left."""
    key = journal.position()
    if key is None:
        raise JournalError(
            "holds no finished cycle.", file=str(journal.path), remedy="Open the model and its data instead."
        )
    run = journal.cycle(key).run
    request = next(record.request for record in journal.runs() if record.key == run)
    state = SessionState(
        status="finished",
        request=request,
        settings=request.settings,
        prepared=journal.load_prepared(run),
        project=str(journal.path),
    )
    opened = with_log(_standing_at(journal, state, key), f"Opened {journal.path}", "info", time.time())
    if journal.read_only:
        note = "This project cannot be written: Refine will go on in a copy."
        opened = with_log(opened, note, "warning", time.time())
    return opened


def _standing_at(journal: Journal, state: SessionState, key: int) -> SessionState:
    """The state with everything as it was at the cycle `key`."""
    line = journal.line_of(key)
    record = journal.cycle(key)
    here = journal.load(key)
    runs = {run.key: run for run in journal.runs()}
    run = runs[record.run]
    ways = {entry.run for entry in line}
    numbers = {entry.run: entry.number for entry in line}
    # The cycle that the next run goes on from is one of the run before, though its start stands in the line for it.
    numbers |= {one.run: next_.number for one, next_ in itertools.pairwise(line) if one.run != next_.run}
    marks = tuple(
        Mark(place, mark.text, "recorded")
        for mark in journal.marks()
        if mark.run in ways
        # What was changed before or while a run was prepared acts from its first cycle on.
        and (place := max(mark.cycle - 1, runs[mark.run].request.first_cycle)) < numbers[mark.run]
    )
    between = []
    for before, after in itertools.pairwise(line):
        if before.run != after.run:
            old, new = runs[before.run], runs[after.run]
            same = old.request.settings.d_min == new.request.settings.d_min
            limit = 0.0 if same else journal.load_prepared(old.key).reflections.d_min
            name, _ = incomparable(old.request, new.request, limit)
            between += [Mark(after.number, name, BETWEEN, "")] if name else []
    marks = tuple(sorted((*marks, *between), key=lambda mark: mark.cycle))
    reason = run.reason if run.reason is not None and run.result == key else "stopped"
    seconds, memory = journal.timing(run.key)
    text = run.text if run.result == key and run.text else f"Cycle {record.number}"
    return replace(
        state,
        status="finished",
        settings=record.settings,
        request=replace(run.request, settings=record.settings),
        start=here,
        latest=here,
        best=here,
        kept=here,
        statistics=tuple(entry.statistics for entry in line),
        marks=marks,
        result=Finished(reason, text, here, seconds, memory, run.keep),
        position=key,
        viewed=None,
        viewed_key=None,
        progress=None,
        failure=None,
        stepping=False,
        before=None,
    )


def log_text(state: SessionState) -> tuple[str, ...]:
    """The log as lines of text, with the time of day."""
    return tuple(
        f"{time.strftime('%H:%M:%S', time.localtime(line.time))}  {line.severity.upper():7s} {line.text}"
        for line in state.log
    )


def _only_live(old: RefinementSettings, new: RefinementSettings) -> bool:
    weights = replace(old, weight=new.weight, family_weights=new.family_weights, b_weight=new.b_weight)
    return replace(weights, cycles=new.cycles, jelly_body=new.jelly_body, ncs=new.ncs) == new


def _with_marks(state: SessionState, old: RefinementSettings, worker: bool) -> SessionState:
    """The state with a mark for every live change; changes of the same thing within a cycle merge into one mark.

    worker: a process takes the change; else it waits for the next run.
    """
    new = state.settings
    made: Literal["running", "preparing", "idle"] = "running"
    if state.request is None:
        return state
    if state.status in ("finished", "failed") or not worker:
        made = "idle"
    elif state.status == "preparing":
        made = "preparing"
    standing = state.latest if made == "running" else state.kept or state.latest
    cycle = standing.statistics.cycle if standing is not None else 0
    changes: list[tuple[str, str, str, str]] = []
    """What, value before, value now, and what it had been set to before."""
    row = standing.statistics if standing is not None else None
    for kind, set_before, set_now, value in (
        (WEIGHT, old.weight, new.weight, row.xray_weight if row is not None else None),
        (B_WEIGHT, old.b_weight, new.b_weight, row.b_weight if row is not None else None),
    ):
        if set_before != set_now:
            before = set_before if set_before is not None else value
            changes.append((kind, _weight_words(before), _weight_words(set_now), _weight_words(set_before)))
    for family, one, other in zip(FAMILIES, old.family_weights, new.family_weights, strict=True):
        if one != other:
            changes.append((family.replace("_", " "), f"{one:.3g}", f"{other:.3g}", f"{one:.3g}"))
    for name in LOCAL_RESTRAINTS:
        one_word, other_word = strength_words(getattr(old, name)), strength_words(getattr(new, name))
        if getattr(old, name) != getattr(new, name):
            changes.append((name.replace("_", " "), one_word, other_word, one_word))
    marks = state.marks
    for kind, before_words, after, origin in changes:
        same = [mark for mark in marks if mark.cycle == cycle and mark.kind == kind]
        if same:
            marks = tuple(mark for mark in marks if mark not in same)
            before_words, origin = same[0].before, same[0].origin or same[0].before  # noqa: PLW2901
        if after not in (before_words, origin):
            marks = (*marks, Mark(cycle, f"{kind} {before_words} → {after}", kind, before_words, made, origin))
    return replace(state, marks=marks)


def _weight_words(value: float | None) -> str:
    return "automatic" if value is None else f"{value:.3g}"
