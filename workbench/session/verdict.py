"""The verdict on what is open, from the state alone; and on a run as it goes, for those who only hear its events."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.events import CycleFinished, CycleStatistics, Prepared, RunEvent
from workbench.session.state import SessionState

if TYPE_CHECKING:
    from workbench.engine.cross_validation.verdict import Memory, RunContext, Verdict

MOST_REMEMBERED = 2000
"""Cycles whose judgement is kept, so that each new one costs a step and not the whole run again."""


def verdict_of(state: SessionState) -> Verdict | None:
    """The verdict on the whole run, or at the cycle that is looked at; None before there is one, and for a model of
    another run.

    A run that has ended is judged by its last cycle, whichever it kept: what was kept is the remedy.
    """
    shown = state.shown
    if state.prepared is None or shown is None:
        return None
    rows = state.statistics
    if state.viewed is not None and not state.viewed_in_line:
        return None
    if state.viewed is not None:
        rows = tuple(row for row in rows if row.cycle <= shown.statistics.cycle)
    return _judged(_Rows(rows), _context(_Same(state.prepared))) if rows else None


def suspect_set(state: SessionState) -> tuple[str, int | None] | None:
    """Column and value of the test set in use where the run so far says that it is suspect, as a run that goes on is
    told (`RunRequest.suspect_set`)."""
    if state.prepared is None or not state.prepared.reflections.has_free or not state.statistics:
        return None
    verdict = verdict_of(replace(state, viewed=None, viewed_key=None))
    columns = state.prepared.reflections.columns
    return (columns.free, columns.free_value) if verdict is not None and verdict.state == "test set" else None


def expected_gaps(state: SessionState) -> tuple[FloatArray, FloatArray] | None:
    """R_free - R_work expected of every cycle of `state.rows` and the half-width of its band; None before there is
    one and without a test set."""
    from workbench.engine.cross_validation.verdict import gap_band

    if state.prepared is None or not state.prepared.reflections.has_free or not state.rows:
        return None
    context = _context(_Same(state.prepared))
    bands = np.array([gap_band(row, context) for row in _with_freedom(state.rows)])
    return bands[:, 0], bands[:, 1]


@dataclass(frozen=True)
class Gap:
    """R_free - R_work of one cycle, what is expected of it, and the half-width of that band (NaN where not known)."""

    cycle: int
    gap: float
    expected: float
    sigma: float


def gap_shown(state: SessionState) -> Gap | None:
    """The gap of the cycle whose R factors are shown, whichever one the verdict is on; None for one of another run."""
    shown = state.shown
    if shown is None or (state.viewed is not None and not state.viewed_in_line):
        return None
    row = shown.statistics
    expected = expected_gaps(state)
    place = [i for i, other in enumerate(state.rows) if other.cycle == row.cycle]
    known = (math.nan, math.nan)
    if expected is not None and place:
        known = float(expected[0][place[-1]]), float(expected[1][place[-1]])
    return Gap(row.cycle, row.r_free - row.r_work, *known)


def _with_freedom(rows: tuple[CycleStatistics, ...]) -> list[CycleStatistics]:
    """The rows, those that no step led to (the start of a run) with the parameters of the next one over the same
    reflections, until there is one with those of the cycle before: what is expected does not jump where nothing did."""
    filled = list(rows)
    for i, row in enumerate(filled):
        if math.isfinite(row.reference_parameters):
            continue
        sets = row.n_work, row.n_free
        later = (r for r in rows[i + 1 :] if math.isfinite(r.reference_parameters) and (r.n_work, r.n_free) == sets)
        before = (r for r in reversed(filled[:i]) if math.isfinite(r.reference_parameters))
        like = next(later, None) or next(before, None)
        if like is not None:
            filled[i] = replace(
                row,
                parameters=like.parameters,
                effective_parameters=like.effective_parameters,
                reference_parameters=like.reference_parameters,
            )
    return filled


class RunningVerdict:
    """Takes the events of a run; says when the verdict changes."""

    def __init__(self) -> None:
        self._prepared: Prepared | None = None
        self._rows: tuple[CycleStatistics, ...] = ()
        self.verdict: Verdict | None = None

    def take(self, event: RunEvent) -> str:
        """A line when the event changed the verdict, else ""."""
        if isinstance(event, Prepared):
            self._prepared = event
        if not isinstance(event, CycleFinished) or self._prepared is None:
            return ""
        self._rows = (*self._rows, event.statistics)
        before, self.verdict = self.verdict, _judged(_Rows(self._rows), _context(_Same(self._prepared)))
        if self.verdict.state == "waiting" or (before is not None and before.state == self.verdict.state):
            return ""
        return verdict_line(self.verdict)


def verdict_line(verdict: Verdict) -> str:
    """The verdict in one line: word, reason, and what to do."""
    return " ".join(part for part in (f"{verdict.title}:", verdict.sentence, verdict.remedy) if part)


class _Same:
    """A value that is equal to itself only, so that what was computed from it can be found again."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.prepared is self.prepared

    def __hash__(self) -> int:
        return id(self.prepared)


class _Rows:
    """Rows of statistics, equal when they are the same objects."""

    def __init__(self, rows: tuple[CycleStatistics, ...]) -> None:
        self.rows = rows
        self._key = tuple(map(id, rows))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rows) and other._key == self._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=4)
def _context(prepared: _Same) -> RunContext:
    from workbench.engine.cross_validation.verdict import context_of

    return context_of(prepared.prepared)


@lru_cache(maxsize=4)
def _memory(context: RunContext) -> Memory:
    return {}


@lru_cache(maxsize=64)
def _judged(rows: _Rows, context: RunContext) -> Verdict:
    from workbench.engine.cross_validation.verdict import judge

    memory = _memory(context)
    if len(memory) > MOST_REMEMBERED:
        memory.clear()
    return judge(rows.rows, context, memory)
