"""A test set that is suspect does not choose which cycle of a run is kept, and one truth is told of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import gemmi
import numpy as np
import pytest

from tests.fake_run import fake_run, recorded_run, write_files
from workbench.core.control import FixedControl
from workbench.core.events import CycleFinished, Finished, Prepared
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.cross_validation.best_state import merit
from workbench.engine.cross_validation.verdict import context_of, judge, judge_result
from workbench.engine.kept_cycle import CLEARED, SUSPECT, KeptCycle
from workbench.engine.prepare import RefinementProblem
from workbench.export.results import RunTiming, write_results
from workbench.session.run import run
from workbench.session.session import Session


@pytest.fixture
def inverted(examples: Path, tmp_path: Path) -> RunRequest:
    """lyso_c2 with its flags the other way round: one reflection in twenty is refined against."""
    folder = examples / "lyso_c2"
    mtz = gemmi.read_mtz_file(str(folder / "lyso_c2.mtz.gz"))
    flags = np.asarray(mtz.column_with_label("FREER").array)
    mtz.add_column("FREE_NEW", "I").array[:] = (flags != 0).astype(np.float32)
    mtz.write_to_file(str(tmp_path / "inverted.mtz"))
    return RunRequest(
        model_path=str(folder / "lyso_c2.pdb.gz"),
        data_path=str(tmp_path / "inverted.mtz"),
        free_label="FREE_NEW",
        free_value=1,
        settings=RefinementSettings(cycles=4),
        residue_fit=False,
    )


def test_inverted_flags_do_not_choose_the_cycle(inverted: RunRequest, tmp_path: Path) -> None:
    events = list(run(inverted, FixedControl(inverted.settings)))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    finished = next(event for event in events if isinstance(event, Finished))
    rows = [event.statistics for event in cycles]
    last = rows[-1].cycle
    assert last >= 2
    assert min(rows, key=merit).cycle < last, "otherwise this shows nothing: its own test set would choose the last"
    assert finished.kept.statistics.cycle == last and "suspect" in finished.text
    assert all(event.best for event in cycles), "the newest is the one that would be kept, in every cycle"
    prepared = next(event for event in events if isinstance(event, Prepared))
    verdict, result = judge_result(rows, finished.kept.statistics, context_of(prepared))
    assert verdict.state == result.state == "test set"
    write_results(tmp_path / "out", prepared, finished.kept, rows, [], RunTiming.of(prepared, finished, rows))
    document = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert document["verdict"] == document["result_verdict"] and document["final"]["cycle"] == last


def _problem(prepared: Prepared, suspect_set: tuple[str, int | None] | None = None) -> RefinementProblem:
    data = SimpleNamespace(has_free=True)
    return cast(RefinementProblem, SimpleNamespace(prepared=prepared, data=data, suspect_set=suspect_set))


def _recorded(free: list[float]) -> tuple[Prepared, list[CycleFinished]]:
    """A run whose R_free and free -LL go as told; R_work as recorded."""
    events = recorded_run(cycles=len(free) - 1)
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    prepared = next(event for event in events if isinstance(event, Prepared))
    return prepared, [
        replace(c, best=False, statistics=replace(c.statistics, r_free=r, ll_free=4.0 + r, r_free_sigma=0.01))
        for c, r in zip(cycles, free, strict=True)
    ]


def test_a_sound_set_chooses_the_best_cycle() -> None:
    prepared, cycles = _recorded([0.50, 0.40, 0.33, 0.34, 0.345])
    kept = KeptCycle(_problem(prepared), cycles[0])
    marked = [kept.take(cycle) for cycle in cycles[1:]]
    assert not kept.suspect and [note for _, note in marked] == [None] * 4
    assert kept.cycle.statistics.cycle == 2
    assert [cycle.best for cycle, _ in marked] == [True, True, False, False]


def test_a_set_refined_against_loses_its_say_and_the_log_tells() -> None:
    prepared, cycles = _recorded([0.10, 0.12, 0.13, 0.14, 0.15])
    kept = KeptCycle(_problem(prepared), cycles[0])
    states = [judge([c.statistics for c in cycles[:end]], context_of(prepared)).state for end in range(1, 6)]
    assert "test set" in states
    notes = []
    for cycle, state in zip(cycles[1:], states[1:], strict=True):
        marked, note = kept.take(cycle)
        notes += [note] if note is not None else []
        assert marked.best is kept.suspect is (state == "test set")
        assert kept.cycle.statistics.cycle == (cycle.statistics.cycle if state == "test set" else 0)
    assert all(note.text in (SUSPECT, CLEARED) for note in notes)


def test_a_run_that_goes_on_with_a_suspect_set_does_not_trust_it_again() -> None:
    prepared, cycles = _recorded([0.50, 0.40, 0.33, 0.34, 0.345])
    columns = prepared.reflections.columns
    same, other = (columns.free, columns.free_value), (columns.free, (columns.free_value or 0) + 7)
    for before, number in ((same, 4), (other, 2)):
        kept = KeptCycle(_problem(prepared, before), cycles[0])
        for cycle in cycles[1:]:
            kept.take(cycle)
        assert kept.cycle.statistics.cycle == number


def test_the_session_tells_the_next_run_that_its_set_is_suspect(tmp_path: Path) -> None:
    told: list[RunRequest] = []
    model, data = write_files(tmp_path)
    session = Session(source=fake_run, settings=RefinementSettings(cycles=3))
    try:
        session.open(model, data)
        assert session.wait(lambda s: s.status == "ready")
        session.refine()
        assert session.wait(lambda s: s.status == "finished")
        launch = session._launch

        def noted(request: RunRequest, held: bool, stepping: bool = False) -> None:
            told.append(request)
            launch(request, held, stepping)

        session._launch = noted  # type: ignore[method-assign]
        session.refine()
        assert session.wait(lambda s: s.status == "finished" and s.busy is False)
        start = session.state.statistics[0]
        assert session.state.prepared is not None
        columns = session.state.prepared.reflections.columns
        bad = replace(start, r_work=0.30, r_free=0.10, r_free_sigma=0.005)
        session._set(replace(session.state, statistics=(bad, *session.state.statistics[1:])))
        session.refine()
        assert session.wait(lambda s: s.status == "finished")
    finally:
        session.close()
    assert [request.suspect_set for request in told] == [None, (columns.free, columns.free_value)]


def test_what_is_wrong_with_the_set_is_wrong_for_every_cycle(tmp_path: Path) -> None:
    prepared, cycles = _recorded([0.10, 0.12, 0.13, 0.14, 0.15])
    bad = replace(cycles[0].statistics, r_free=cycles[0].statistics.r_work + 0.001)
    rows = [bad, *(replace(c.statistics, r_work=bad.r_work, r_free=bad.r_work - 0.2) for c in cycles[1:])]
    rows = [*rows, *(replace(rows[-1], cycle=rows[-1].cycle + n) for n in (1, 2, 3))]
    context = context_of(prepared)
    run_verdict, result = judge_result(rows, rows[1], context)
    assert judge(rows[:2], context).state == "waiting" and run_verdict.state == "test set", "else this shows nothing"
    assert result.state == "test set" and result.sentence == run_verdict.sentence
    assert result.cycle == 1 and result.gap == pytest.approx(rows[1].r_free - rows[1].r_work)
