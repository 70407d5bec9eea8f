"""The state of a session: whatever prefix of whatever run arrives, it stays consistent."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fake_run import recorded_run
from workbench.core.events import (
    AppliedSettings,
    CycleFinished,
    CycleStatistics,
    Failed,
    Finished,
    Note,
    Progress,
    RunEvent,
)
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.state import Mark, SessionState, apply_event, snapshot
from workbench.session.verdict import expected_gaps


@cache
def _events() -> tuple[RunEvent, ...]:
    return tuple(recorded_run(cycles=4))


def _opened(held: bool = False) -> SessionState:
    return SessionState(status="preparing", request=RunRequest("m.pdb", "d.mtz"), held=held)


def _apply(state: SessionState, events: tuple[RunEvent, ...] | list[RunEvent]) -> SessionState:
    for event in events:
        state = apply_event(state, event)
    return state


def _consistent(state: SessionState) -> None:
    cycles = [row.cycle for row in state.statistics]
    assert cycles == sorted(set(cycles))
    if state.latest is not None:
        assert state.best is not None and state.start is not None
        assert state.statistics[-1] == state.latest.statistics
        assert state.best.statistics.cycle <= state.latest.statistics.cycle
        assert state.exportable is not None
        assert state.prepared is not None
    if state.status in ("ready", "running", "paused", "finished"):
        assert state.prepared is not None and state.latest is not None
    if state.status == "finished":
        assert state.kept is not None and state.result is not None and state.progress is None
    if state.status == "failed":
        assert state.failure is not None


@settings(deadline=None)  # The first example makes the recorded run.
@given(
    length=st.integers(0, 20),
    held=st.booleans(),
    notes=st.lists(st.tuples(st.integers(0, 20), st.sampled_from([Progress("x"), Note("y", "warning")])), max_size=5),
    fails=st.booleans(),
)
def test_any_prefix_gives_a_consistent_state(
    length: int, held: bool, notes: list[tuple[int, RunEvent]], fails: bool
) -> None:
    events = list(_events())
    for place, event in notes:
        events.insert(min(place, len(events) - 1), event)
    events = events[:length]
    state = _opened(held)
    for event in events:
        state = apply_event(state, event)
        _consistent(state)
    if fails and state.status != "finished":
        state = apply_event(state, Failed("no more memory", 2))
        _consistent(state)
        assert state.kept is state.latest


def test_a_whole_run_ends_with_its_best_cycle() -> None:
    state = _apply(_opened(), _events())
    assert state.status == "finished"
    assert [row.cycle for row in state.statistics] == [0, 1, 2, 3, 4]
    finished = _events()[-1]
    assert isinstance(finished, Finished)
    assert state.kept is finished.kept
    assert state.exportable is state.kept
    assert "kept" in state.log[-2].text
    assert state.log[-1].text.startswith(f"Final cycle {finished.kept.statistics.cycle}: R_work")


def test_held_runs_wait_and_others_go_on() -> None:
    until_start = _events()[:4]
    assert isinstance(until_start[-1], CycleFinished)
    assert _apply(_opened(held=True), until_start).status == "ready"
    assert _apply(_opened(held=False), until_start).status == "running"


def test_a_step_ends_in_a_pause() -> None:
    state = _apply(_opened(), _events()[:4])
    state = replace(state, stepping=True)
    state = _apply(state, _events()[4:6])
    assert state.status == "paused" and not state.stepping
    assert state.latest is not None and state.latest.statistics.cycle == 1


def _stopped_after(cycles: int, keep: str) -> tuple[SessionState, list[CycleFinished]]:
    done = [event for event in _events() if isinstance(event, CycleFinished)][: cycles + 1]
    state = _opened(held=True)
    state = _apply(state, [*_events()[:3], done[0]])
    state = replace(state, status="running", before=snapshot(state))
    state = _apply(state, done[1:])
    state = replace(state, status="stopping", keep_on_stop=keep)
    # The best cycle is not the current one here, so that the two can be told apart.
    return apply_event(state, Finished("stopped", "stopped", done[1], 1.0, 50.0)), done


def test_stop_keeps_what_was_asked_for() -> None:
    best, done = _stopped_after(3, "best")
    assert best.kept is done[1]
    current, done = _stopped_after(3, "current")
    assert current.kept is done[3]
    assert current.result is not None and current.result.keep == "current"
    assert "cycle 3; its model is kept" in current.log[-2].text
    assert "1" not in current.result.text
    assert best.shown is done[1] and current.shown is done[3]
    discarded, done = _stopped_after(3, "discard")
    assert discarded.status == "ready" and discarded.kept is None and discarded.result is None
    assert discarded.latest is done[0]
    assert [row.cycle for row in discarded.statistics] == [0]
    _consistent(discarded)


def test_a_second_run_replaces_the_cycles_after_its_start() -> None:
    state = _apply(_opened(), _events())
    cycles = [event for event in _events() if isinstance(event, CycleFinished)]
    again = replace(state, status="preparing", held=False)
    again = _apply(again, [_events()[2], cycles[2], cycles[3]])
    assert [row.cycle for row in again.statistics] == [0, 1, 2, 3]
    assert again.start is not None and again.start.state is cycles[2].state


def test_the_start_of_a_second_run_leaves_the_row_it_goes_on_from_as_it_was() -> None:
    """The engine knows neither shift nor weight of the cycle it goes on from; the table does."""
    state = _apply(_opened(), _events())
    cycles = [event for event in _events() if isinstance(event, CycleFinished)]
    anew = replace(cycles[2], statistics=replace(cycles[2].statistics, xray_weight=10.0, max_shift=0.0))
    again = _apply(replace(state, status="preparing", held=False), [anew])
    assert again.statistics[-1] == cycles[2].statistics
    assert again.latest is not None and again.latest.statistics == cycles[2].statistics


def test_the_start_over_another_test_set_is_measured_anew() -> None:
    """What the model knows of the new test reflections shows at the start only, and the verdict must see it."""
    state = _apply(_opened(), _events())
    cycles = [event for event in _events() if isinstance(event, CycleFinished)]
    row = cycles[2].statistics
    anew = replace(cycles[2], statistics=replace(row, n_free=row.n_free + 5, r_free=row.r_work))
    again = _apply(replace(state, status="preparing", held=False), [anew])
    assert again.statistics == (*state.statistics[:2], anew.statistics)
    assert again.latest is not None and again.latest.statistics == anew.statistics


def test_a_mark_stands_where_the_change_began_to_act() -> None:
    """A change that came too late for the cycle under way is a mark of the next one."""
    events = _events()
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    running = replace(_apply(_opened(), events[: events.index(cycles[1]) + 1]), status="running")
    new = replace(running.settings, weight=20.0)
    moved = replace(running, settings=new, marks=(Mark(1, "weight 6.7 \u2192 20", "weight", "6.7"),))
    late = _apply(moved, [cycles[2]])
    assert [mark.cycle for mark in late.marks] == [2]
    applied = replace(cycles[3], applied=(AppliedSettings(3, 0, new),))
    assert [mark.cycle for mark in _apply(late, [applied]).marks] == [2]
    in_time = _apply(moved, [replace(cycles[2], applied=(AppliedSettings(2, 3, new),))])
    assert [mark.cycle for mark in in_time.marks] == [1]


def test_a_branch_has_no_marks_of_what_came_after_it() -> None:
    state = _apply(_opened(), _events())
    cycles = [event for event in _events() if isinstance(event, CycleFinished)]
    marks = (Mark(1, "early", "weight"), Mark(2, "weight", "weight"), Mark(2, "to 2 A", "between"))
    again = _apply(replace(state, status="preparing", marks=marks), [cycles[2]])
    assert [mark.text for mark in again.marks] == ["early", "to 2 A"]


def test_weight_in_force() -> None:
    state = _apply(_opened(), _events())
    assert state.weight == 6.7
    assert replace(state, settings=RefinementSettings(weight=2.0)).weight == 2.0


def test_the_kept_cycle_stands_in_the_rows_as_it_is_written() -> None:
    state = _apply(_opened(), _events()[:-1])
    finished = _events()[-1]
    assert isinstance(finished, Finished)
    as_written = replace(finished.kept, statistics=replace(finished.kept.statistics, r_free=0.5))
    number = as_written.statistics.cycle
    assert state.rows == state.statistics
    ended = apply_event(state, replace(finished, kept=as_written))
    assert [row.r_free for row in ended.rows if row.cycle == number] == [0.5]
    assert [row for row in ended.rows if row.cycle != number] == [r for r in state.statistics if r.cycle != number]
    # A run that keeps its start was not there with the weight that it began with.
    first = state.statistics[0]
    start = replace(finished.kept, statistics=replace(first, r_work=0.4, xray_weight=99.0, ll_free=9.0))
    row = apply_event(state, replace(finished, kept=start)).rows[0]
    assert (row.r_work, row.xray_weight, row.ll_free) == (0.4, first.xray_weight, first.ll_free)


def test_the_expected_band_does_not_jump_at_the_start_of_a_run() -> None:
    """No step led to a start, so it has no count of its parameters; that of its first cycle stands in."""
    events = recorded_run(cycles=4)
    state = SessionState()
    for event in events:
        state = apply_event(state, event)

    def freedom(row: CycleStatistics, share: float, **more: float) -> CycleStatistics:
        m = share * row.n_work
        return replace(row, parameters=200, effective_parameters=m, reference_parameters=m, **more)

    rows = state.statistics
    known = tuple(freedom(row, 0.2, r_work=0.25) for row in rows[1:])
    state = replace(state, status="running", statistics=(replace(rows[0], r_work=0.25), *known))
    bands = expected_gaps(state)
    assert bands is not None
    np.testing.assert_allclose(bands[0], bands[0][-1])
    # A run to another limit: its start is measured anew over other reflections, and takes what follows it.
    n = rows[0].n_work - 40
    anew = replace(rows[2], n_work=n, r_work=0.25)
    alone = replace(state, statistics=(*state.statistics[:2], anew))
    before = expected_gaps(alone)
    assert before is not None
    m = 0.2 * rows[0].n_work
    assert before[0][-1] == pytest.approx(0.25 * (math.sqrt((n + m) / (n - m)) - 1.0))
    after = freedom(replace(anew, cycle=anew.cycle + 1), 0.3)
    both = expected_gaps(replace(alone, statistics=(*alone.statistics, after)))
    assert both is not None
    assert both[0][-1] == pytest.approx(both[0][-2]) and both[0][0] == pytest.approx(both[0][1])
    assert both[0][-1] > 1.2 * both[0][0]
