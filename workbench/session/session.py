"""The one mutable object of the program: what is open, what runs, who wants to know. No Qt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.errors import InputError
from workbench.core.events import Failed, Finished, Prepared, RunEvent
from workbench.core.settings import FAMILIES, Keep, RefinementSettings, RunRequest
from workbench.session.checks import check_settings
from workbench.session.state import Mark, SessionState, apply_event, snapshot, still_open, with_log
from workbench.session.worker import RunSource, Worker, engine_run

Listener = Callable[[SessionState, SessionState], None]


@dataclass(frozen=True, eq=False)
class Delivery:
    """An event with the run it belongs to; events of a run that was replaced are dropped."""

    run: int
    event: RunEvent


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
    ) -> None:
        self.state = SessionState(settings=settings or RefinementSettings())
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
                event = delivery.event
            else:
                event = delivery
            new = apply_event(self.state, event, time.time())
            if isinstance(event, Prepared):
                self._left = None
            elif isinstance(event, Failed) and self._left is not None and new.prepared is None:
                new, self._left = still_open(self._left, new), None
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
    ) -> None:
        """Read and prepare; the state is "ready" when Refine can begin.

        What was open before is left, and its run ended; where the new files cannot be used it is still open.
        """
        with self._changed:
            if self.state.prepared is not None:
                self._left = self.state
            request = RunRequest(
                model_path=str(model_path),
                data_path=str(data_path),
                dictionaries=tuple(str(path) for path in dictionaries),
                labels=labels,
                free_label=free_label,
                free_value=free_value,
                settings=settings or self.state.settings,
            )
            opened = SessionState(status="preparing", request=request, settings=request.settings)
            self._set(with_log(opened, f"Opening {model_path} and {data_path}", "info", time.time()))
            self._launch(request, held=True)

    def refine(self) -> None:
        """Begin, or go on: after a pause where it stood, after the end of a run from the state that was kept."""
        with self._changed:
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
                self._kill()
                kept = state.best or state.latest
                assert kept is not None
                self._set(
                    apply_event(
                        state,
                        Finished("stopped", "stopped at once: the process was ended", kept, 0.0, 0.0),
                        time.time(),
                    )
                )
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
            state = replace(self.state, settings=settings)
            if state.status in ("running", "paused", "stopping"):
                state = _with_marks(state, old)
                if not _only_live(old, settings):
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
            self._listeners.clear()

    # ---- the worker -------------------------------------------------------------------------------------------

    def _begin_again(self, stepping: bool) -> None:
        state = self.state
        if state.request is None:
            return
        source = state.kept or state.latest
        settings = state.settings
        request = replace(state.request, settings=settings, start=None, first_cycle=0)
        if source is not None:
            request = replace(request, start=source.state, first_cycle=source.statistics.cycle)
        self._set(
            replace(
                state,
                status="preparing",
                request=request,
                held=stepping,
                stepping=False,
                failure=None,
                before=snapshot(state),
                keep_on_stop="best",
            )
        )
        self._launch(request, held=False, stepping=stepping)

    def _launch(self, request: RunRequest, held: bool, stepping: bool = False) -> None:
        self._kill()
        run = self._run
        worker = Worker(self._source)
        self._worker = worker
        if stepping:
            self._set(replace(self.state, held=False, stepping=True))
        else:
            self._set(replace(self.state, held=held))
        worker.start(request, lambda event: self._deliver(Delivery(run, event)), held=held or stepping)
        if stepping:
            worker.step()

    def _kill(self) -> None:
        self._run += 1  # What the old worker still sends is dropped.
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    @property
    def worker_pid(self) -> int | None:
        """Process id of the child, for the log and for tests."""
        return self._worker.pid if self._worker is not None else None


def log_text(state: SessionState) -> tuple[str, ...]:
    """The log as lines of text, with the time of day."""
    return tuple(
        f"{time.strftime('%H:%M:%S', time.localtime(line.time))}  {line.severity.upper():7s} {line.text}"
        for line in state.log
    )


def _only_live(old: RefinementSettings, new: RefinementSettings) -> bool:
    return replace(old, cycles=new.cycles, weight=new.weight, family_weights=new.family_weights) == new


def _with_marks(state: SessionState, old: RefinementSettings) -> SessionState:
    """The state with a mark for every live change; changes of the same thing within a cycle merge into one mark."""
    new = state.settings
    cycle = state.latest.statistics.cycle if state.latest is not None else 0
    changes: list[tuple[str, str, str]] = []
    if old.weight != new.weight:
        before = f"{old.weight:.3g}" if old.weight is not None else "automatic"
        if old.weight is None and state.latest is not None:
            before = f"{state.latest.statistics.xray_weight:.3g}"
        changes.append(("weight", before, f"{new.weight:.3g}" if new.weight is not None else "automatic"))
    for family, one, other in zip(FAMILIES, old.family_weights, new.family_weights, strict=True):
        if one != other:
            changes.append((family.replace("_", " "), f"{one:.3g}", f"{other:.3g}"))
    marks = state.marks
    for kind, value, after in changes:
        same = [mark for mark in marks if mark.cycle == cycle and mark.kind == kind]
        before = same[0].before if same else value
        if same:
            marks = tuple(mark for mark in marks if mark not in same)
        if before != after:
            marks = (*marks, Mark(cycle, f"{kind} {before} → {after}", kind, before))
    return replace(state, marks=marks)
