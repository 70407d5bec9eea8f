"""What the window knows of a run, as one frozen value, and the pure function that moves it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from workbench.core.events import (
    CycleFinished,
    CycleStatistics,
    Failed,
    Finished,
    Note,
    Prepared,
    Progress,
    RunEvent,
)
from workbench.core.settings import FAMILIES, LOCAL_RESTRAINTS, Keep, RefinementSettings, RunRequest
from workbench.session.log_lines import cycle_sentence, final_line, prepared_lines

Status: TypeAlias = Literal["empty", "preparing", "ready", "running", "paused", "stopping", "finished", "failed"]
WEIGHT, B_WEIGHT, BETWEEN = "weight", "B restraint", "between"
LIVE_KINDS = (WEIGHT, *(family.replace("_", " ") for family in (*FAMILIES, *LOCAL_RESTRAINTS)), B_WEIGHT)
"""Kinds of marks: weight of the data, restraint families and beta, which act inside a run; BETWEEN began a new run."""
AS_WRITTEN = (
    "r_work", "r_free", "r_work_riding_h", "r_free_riding_h", "rmsd_bonds", "rmsz_bonds", "rmsd_angles", "rmsz_angles",
    "bulk_rmsz_bonds", "bulk_rmsz_angles", "mean_b", "geometry",
)  # fmt: skip
"""Statistics that belong to the model as files hold it."""
LogSeverity: TypeAlias = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class LogLine:
    """One line of the log. time: seconds since the epoch (0 when not known)."""

    time: float
    severity: LogSeverity
    text: str


@dataclass(frozen=True)
class Mark:
    """Something the user did while the run went on, after the finished `cycle`: "weight 6.7 → 1.5".

    kind, before and origin let changes within one cycle merge into one mark: what is changed, its value before the
    first, and what it had been set to (an automatic weight has a value as well).
    made: while a run went on (it may come too late for the cycle under way), while one was being prepared, or while
    nothing ran (the next run begins with it).
    """

    cycle: int
    text: str
    kind: str = ""
    before: str = ""
    made: Literal["running", "preparing", "idle"] = "running"
    origin: str = ""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What Stop with "discard" goes back to."""

    start: CycleFinished | None
    latest: CycleFinished | None
    best: CycleFinished | None
    kept: CycleFinished | None
    statistics: tuple[CycleStatistics, ...]
    marks: tuple[Mark, ...]
    result: Finished | None


@dataclass(frozen=True, eq=False)
class SessionState:
    """Everything that is derived from what the user asked and what the run reported.

    status: "empty" nothing open · "preparing" files are read and restraints made · "ready" prepared, waiting for Refine
    · "running" · "paused" · "stopping" Stop was asked · "finished" · "failed".
    request: the run asked for. prepared: model and data. start, latest, best: start of this run, newest and best cycle.
    statistics: one row per cycle, cycle numbers strictly rising, also over several runs of one session.
    kept: the result of the last run (what Refine goes on from and Export writes). result: how the last run ended.
    held: the worker waits after its start cycle. stepping: one cycle, then pause. keep_on_stop: see `Session.stop`.
    before: what "discard" goes back to. project: path of the project file, "" without one. position: journal key of
    the cycle the session stands at. viewed: an earlier cycle that is looked at (scrubbing) and its key; None shows the
    newest. can_undo, can_redo: there is a move to take back, or to make again.
    """

    status: Status = "empty"
    request: RunRequest | None = None
    settings: RefinementSettings = field(default_factory=RefinementSettings)
    prepared: Prepared | None = None
    start: CycleFinished | None = None
    latest: CycleFinished | None = None
    best: CycleFinished | None = None
    kept: CycleFinished | None = None
    statistics: tuple[CycleStatistics, ...] = ()
    marks: tuple[Mark, ...] = ()
    log: tuple[LogLine, ...] = ()
    progress: Progress | None = None
    failure: Failed | None = None
    result: Finished | None = None
    held: bool = True
    stepping: bool = False
    keep_on_stop: Keep = "best"
    before: Snapshot | None = None
    project: str = ""
    position: int | None = None
    viewed: CycleFinished | None = None
    viewed_key: int | None = None
    can_undo: bool = False
    can_redo: bool = False

    @property
    def exportable(self) -> CycleFinished | None:
        """The model that Export writes: the kept one; while a run goes on, the best so far."""
        if self.status in ("finished", "failed") and self.kept is not None:
            return self.kept
        return self.best or self.latest or self.kept

    @property
    def shown(self) -> CycleFinished | None:
        """The cycle that views and figures show: the one looked at, else the newest; once a run has ended, the one it
        kept."""
        if self.viewed is not None:
            return self.viewed
        if self.status == "finished" and self.kept is not None:
            return self.kept
        return self.latest

    @property
    def viewed_in_line(self) -> bool:
        """The cycle that is looked at is one of `statistics`; else it belongs to another run (a scan, a branch)."""
        if self.viewed is None:
            return False
        seen = self.viewed.statistics
        return any(
            (row.cycle, row.r_work, row.ll_work) == (seen.cycle, seen.r_work, seen.ll_work) for row in self.statistics
        )

    @property
    def rows(self) -> tuple[CycleStatistics, ...]:
        """`statistics`, once a run has ended with the kept cycle as it is written (rounded, scales fitted afresh).

        Its likelihoods stay those of the cycle: only they compare with the other rows (riding hydrogens included). So
        does what the cycle was reached with: where a run keeps its start, its weight led nowhere.
        """
        if self.status != "finished" or self.kept is None:
            return self.statistics
        kept = self.kept.statistics
        written = {name: getattr(kept, name) for name in AS_WRITTEN}
        return tuple(replace(row, **written) if row.cycle == kept.cycle else row for row in self.statistics)

    @property
    def busy(self) -> bool:
        """A process is at work (or waits) for this session."""
        return self.status in ("preparing", "ready", "running", "paused", "stopping")

    @property
    def weight(self) -> float | None:
        """The X-ray weight in force: the one set by hand, else that of the newest cycle."""
        if self.settings.weight is not None:
            return self.settings.weight
        return self.latest.statistics.xray_weight if self.latest is not None else None


def snapshot(state: SessionState) -> Snapshot:
    """What is needed to undo the run that begins now."""
    return Snapshot(state.start, state.latest, state.best, state.kept, state.statistics, state.marks, state.result)


def with_log(state: SessionState, text: str, severity: LogSeverity = "info", now: float = 0.0) -> SessionState:
    """The state with one more line in the log."""
    return replace(state, log=(*state.log, LogLine(now, severity, text)))


def _with_lines(state: SessionState, lines: Sequence[str], now: float) -> SessionState:
    return replace(state, log=(*state.log, *(LogLine(now, "info", " ".join(line.split())) for line in lines)))


def apply_event(state: SessionState, event: RunEvent, now: float = 0.0) -> SessionState:
    """The state after an event of the run. Pure; `now` (seconds since the epoch) only dates log lines."""
    match event:
        case Progress():
            return replace(state, progress=event)
        case Note():
            return with_log(state, event.text, event.severity, now)
        case Prepared():
            told = state if state.prepared is not None else _with_lines(state, prepared_lines(event), now)
            return replace(told, prepared=event, failure=None)
        case CycleFinished():
            told = _cycle(state, event)
            assert told.latest is not None
            row = told.latest.statistics
            for mark in told.marks if state.status != "preparing" else ():
                if mark.cycle == row.cycle - 1 and mark.kind in LIVE_KINDS:
                    told = with_log(told, acting_sentence(mark), "info", now)
            return with_log(told, cycle_sentence(row), "info", now)
        case Finished():
            return _finished(state, event, now)
        case Failed():
            return _failed(state, event, now)


def _cycle(state: SessionState, event: CycleFinished) -> SessionState:
    number = event.statistics.cycle
    sets = (event.statistics.n_work, event.statistics.n_free)
    done = [row for row in state.statistics if row.cycle == number and (row.n_work, row.n_free) == sets]
    if state.status == "preparing" and number > 0 and done:
        # The start of a run that goes on is a cycle already done: what is known of it stands. Over another test set or
        # to another limit it is measured anew, and what follows is compared with that.
        event = replace(event, statistics=done[0])
    earlier = tuple(row for row in state.statistics if row.cycle < number)
    first = state.status == "preparing"
    status: Status = state.status
    if first:
        status = "ready" if state.held else "running"
    elif state.stepping and status == "running":
        status = "paused"
    return replace(
        state,
        status=status,
        start=event if first or state.start is None else state.start,
        latest=event,
        best=event if first or event.best or state.best is None else state.best,
        statistics=(*earlier, event.statistics),
        marks=_marks(state, event, first),
        stepping=state.stepping and first,
        progress=None if first else state.progress,
    )


def acting_sentence(mark: Mark) -> str:
    """Of a change of live settings, once a cycle has met it."""
    return f"{mark.text[:1].upper()}{mark.text[1:]}, from cycle {mark.cycle + 1} on."


def _marks(state: SessionState, event: CycleFinished, first: bool) -> tuple[Mark, ...]:
    """The marks once a cycle is done. Those of changes that came too late for it move on to the next; a run that begins
    at a cycle has none of what was done after that cycle."""
    number = event.statistics.cycle
    known = event.applied[-1].settings if event.applied else None

    def met(mark: Mark) -> bool:
        return known is not None and live_value(known, mark.kind) == live_value(state.settings, mark.kind)

    marks = []
    for mark in state.marks:
        if mark.cycle > number:
            continue
        if first and mark.cycle == number:
            if mark.kind != BETWEEN and mark.made == "running":
                continue
            if mark.made == "preparing":
                mark = replace(mark, made="idle" if met(mark) else "running")  # noqa: PLW2901
        waits = mark.cycle == number - 1 and mark.kind in LIVE_KINDS and mark.made == "running"
        marks.append(replace(mark, cycle=number) if waits and not met(mark) else mark)
    return tuple(marks)


def live_value(settings: RefinementSettings, kind: str) -> float | None:
    """What a mark of this kind is about: the weight of the data, beta, or the multiplier of a restraint family."""
    if kind == B_WEIGHT:
        return settings.b_weight
    if kind == WEIGHT:
        return settings.weight
    families = (*settings.family_weights, *(getattr(settings, name) for name in LOCAL_RESTRAINTS))
    value: float | None = families[LIVE_KINDS.index(kind) - 1]
    return value


def _finished(state: SessionState, event: Finished, now: float) -> SessionState:
    keep: Keep = state.keep_on_stop if event.reason == "stopped" else "best"
    if keep == "discard" and state.before is not None:
        old = state.before
        back = replace(
            state,
            status="finished" if old.result is not None else "ready",
            start=old.start,
            latest=old.latest,
            best=old.best,
            kept=old.kept,
            statistics=old.statistics,
            marks=old.marks,
            result=old.result,
            progress=None,
            stepping=False,
        )
        return with_log(back, "Stopped; this run was discarded, the state before it is back.", "info", now)
    kept = event.kept
    text = event.text[:1].upper() + event.text[1:].rstrip(".") + "."
    if keep == "current" and state.latest is not None:
        # The run proposes its best cycle; the user asked for the newest one.
        kept = state.latest
        text = f"Stopped after cycle {kept.statistics.cycle}; its model is kept, as asked."
    elif "kept" not in text:
        text += f" Cycle {kept.statistics.cycle} is kept."
    ended = replace(
        state,
        status="finished",
        kept=kept,
        result=replace(event, kept=kept, keep=keep, text=text),
        progress=None,
        stepping=False,
    )
    told = with_log(ended, text, "info", now)
    if state.start is None:
        return told
    return _with_lines(told, [final_line(state.start.statistics, kept.statistics)], now)


def _failed(state: SessionState, event: Failed, now: float) -> SessionState:
    ended = replace(
        state,
        status="failed",
        failure=event,
        kept=state.latest if state.latest is not None else state.kept,
        progress=None,
        stepping=False,
    )
    place = ": ".join(part for part in (event.file, event.item) if part)
    text = " ".join(part for part in (f"{place}:" if place else "", event.message, event.remedy) if part)
    return with_log(ended, text, "error", now)


def still_open(before: SessionState, refused: SessionState) -> SessionState:
    """The state `before` other files were asked for, after these were `refused`: all of it, with the failure and its
    line of the log. A run that was under way then has ended; its best cycle is kept."""
    status: Status = before.status if before.status in ("ready", "finished", "failed") else "failed"
    return replace(
        before,
        status=status,
        kept=before.exportable if status == "failed" else before.kept,
        failure=refused.failure,
        log=(*before.log, *refused.log),
        progress=None,
        stepping=False,
    )
