"""The journal: what it holds after any end, the way back through it, and what it says when it cannot be written."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fake_run import fake_run, recorded_run, write_files
from workbench.core.errors import InputError, WorkbenchError
from workbench.core.events import CycleFinished, Finished, Note, Prepared, RunEvent
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.history import Journal, JournalError, Recorder
from workbench.session.history.journal import extracted_inputs
from workbench.session.history.recorder import settings_of
from workbench.session.session import Session
from workbench.session.state import SessionState

ROOT = Path(__file__).resolve().parents[2]


def _project(folder: Path, cycles: int = 6) -> tuple[Path, list[RunEvent]]:
    """A closed project with one finished run, and the events it was made from."""
    path = folder / "p.workbench"
    journal = Journal.create(path)
    events = recorded_run(cycles=cycles)
    recorder = Recorder(lambda: journal, RunRequest("m.pdb", "d.mtz", settings=RefinementSettings(cycles=cycles)), None)
    for event in events:
        assert recorder.take(event) == ()
    journal.close()
    return path, events


def _same(one: object, other: object) -> bool:
    return bool(np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True))


def test_every_cycle_comes_back_as_it_was(tmp_path: Path) -> None:
    path, events = _project(tmp_path)
    journal = Journal.open(path)
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    records = journal.cycles()
    assert [record.kind for record in records] == ["start", *["cycle"] * 6, "result"]
    assert [record.number for record in records[:-1]] == [event.statistics.cycle for event in cycles]
    for record, event in zip(records, cycles, strict=False):
        back = journal.load(record.key)
        assert repr(back.statistics) == repr(event.statistics) == repr(record.statistics)
        assert back.best == event.best
        state, fit = journal.load_atoms(record.key)
        assert _same(state.xyz, event.state.xyz) and (fit is None) == (event.fit is None)
        for name in ("xyz", "b_iso", "u_aniso", "occupancy"):
            assert _same(getattr(back.state, name), getattr(event.state, name))
        assert _same(back.refined.f_model, event.refined.f_model)
        np.testing.assert_allclose(back.refined.k_total, event.refined.k_total, rtol=2**-16)
        np.testing.assert_allclose(back.refined.fom, event.refined.fom, atol=1e-5)
        assert _same(back.refined.shells.r_free, event.refined.shells.r_free)
    prepared = next(event for event in events if isinstance(event, Prepared))
    back_prepared = journal.load_prepared(1)
    assert back_prepared.inputs == prepared.inputs and back_prepared.settings == prepared.settings
    assert back_prepared.model.source_text == prepared.model.source_text
    assert _same(back_prepared.reflections.f_obs, prepared.reflections.f_obs)
    assert back_prepared.model.residues.label(2) == prepared.model.residues.label(2)
    assert journal.integrity() == "ok"
    journal.close()


def test_the_written_atoms_keep_their_own_factors(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "p.workbench")
    events = recorded_run(cycles=1)
    recorder = Recorder(lambda: journal, RunRequest("m.pdb", "d.mtz"), None)
    recorder.take(next(event for event in events if isinstance(event, Prepared)))
    start = next(event for event in events if isinstance(event, CycleFinished))
    rng = np.random.default_rng(3)
    shift = (rng.normal(size=len(start.refined.f_model)) * 5).astype(np.complex64)
    written = replace(start.written, f_model=(start.refined.f_model + shift).astype(np.complex64))
    recorder.take(replace(start, written=written))
    back = journal.load(journal.cycles()[0].key)
    largest = float(np.abs(shift).max())
    assert np.abs(back.written.f_model - written.f_model).max() < 1e-4 * largest
    journal.close()


def test_unchanged_arrays_are_stored_once(tmp_path: Path) -> None:
    path, _ = _project(tmp_path)
    with sqlite3.connect(path) as db:
        arrays = db.execute("SELECT count(*) FROM array").fetchone()[0]
        uses = db.execute("SELECT count(*) FROM document_array").fetchone()[0]
    assert arrays < 0.7 * uses


# ---- the session in it ------------------------------------------------------------------------------------------


@pytest.fixture
def session(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Session(source=fake_run, settings=RefinementSettings(cycles=5), projects=tmp_path / "projects")
    yield made
    made.close()


def _refined(session: Session, model: str = "m.pdb") -> None:
    session.open(model, "d.mtz")
    assert session.wait(lambda state: state.status == "ready", 120), session.state.failure
    session.refine()
    assert session.wait(lambda state: state.status == "finished", 60)


def test_undo_and_redo_walk_the_tree_and_nothing_is_overwritten(session: Session) -> None:
    _refined(session)
    assert session.journal is not None
    first = session.state
    start = session.journal.cycles()[0].key
    assert first.can_undo and not first.can_redo and first.project.endswith(".workbench")
    session.undo()
    assert session.state.position == start and session.state.can_redo
    assert [row.cycle for row in session.state.statistics] == [0]
    session.redo()
    assert session.state.position == first.position
    assert [row.cycle for row in session.state.statistics] == [row.cycle for row in first.statistics]
    assert session.state.kept is not None and first.kept is not None
    assert _same(session.state.kept.state.xyz, first.kept.state.xyz)


def test_a_branch_begins_at_any_cycle_and_the_old_one_stays(session: Session) -> None:
    _refined(session)
    journal = session.journal
    assert journal is not None
    third = next(record for record in journal.cycles() if record.number == 3)
    before = {record.key for record in journal.cycles()}
    session.go_to(third.key)
    assert session.state.kept is not None and session.state.kept.statistics.cycle == 3
    session.set_settings(replace(session.state.settings, cycles=2, weight=1.5))
    session.refine()
    assert session.wait(lambda state: state.status == "finished" and state.statistics[-1].cycle == 5, 60)
    assert before < {record.key for record in journal.cycles()}
    runs = journal.runs()
    assert [run.branch for run in runs] == [1, 2] and runs[1].parent == third.key
    assert [row.xray_weight for row in session.state.statistics] == [6.7, 6.7, 6.7, 6.7, 1.5, 1.5]
    # Going on from what a branch kept stays on it.
    session.refine()
    assert session.wait(lambda state: state.status == "finished" and state.statistics[-1].cycle == 7, 60)
    assert [run.branch for run in journal.runs()] == [1, 2, 2]
    session.undo()
    session.undo()
    assert session.state.position == third.key
    session.undo()
    assert session.state.position == runs[0].result


def test_numbers_of_a_line_are_those_of_its_records(session: Session) -> None:
    _refined(session)
    journal = session.journal
    assert journal is not None
    for record in journal.cycles():
        line = {entry.number: entry.key for entry in journal.line_of(record.key)}
        assert journal.numbers_of(record.key) == line


def test_a_branch_keeps_the_row_it_goes_on_from(tmp_path: Path) -> None:
    """The start of a run knows neither shift nor weight nor freedom of that cycle; over another test set it counts."""
    events = recorded_run(3)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    settings, request = RefinementSettings(), RunRequest("a.pdb", "a.mtz")
    journal = Journal.create(tmp_path / "rows.workbench")
    first = journal.begin_run(request, None, prepared)
    keys: list[int] = []
    for cycle in cycles:
        keys.append(journal.add_cycle(first, keys[-1] if keys else None, "cycle", cycle, settings))
    row = cycles[2].statistics
    for bare, wanted in (
        (replace(row, xray_weight=20.0, max_shift=0.0), row),
        (replace(row, n_free=row.n_free + 5), replace(row, n_free=row.n_free + 5)),
    ):
        run = journal.begin_run(request, keys[2], prepared)
        start = journal.add_cycle(run, keys[2], "start", replace(cycles[2], statistics=bare), settings)
        key = journal.add_cycle(run, start, "cycle", cycles[3], settings)
        line = journal.line_of(key)
        assert [entry.key for entry in line] == [*keys[:2], start, key]
        assert repr(line[2].statistics) == repr(wanted)
    journal.close()


def test_what_was_changed_between_cycles_is_marked_after_opening(session: Session) -> None:
    _refined(session)
    left = session.state.statistics[-1].cycle
    session.change_between_cycles(d_min=2.5, free=("FREE", 3))
    session.refine()
    assert session.wait(lambda state: state.status == "finished" and state.statistics[-1].cycle > left, 60)
    state = session.state
    told = [(mark.cycle, mark.text) for mark in state.marks if mark.kind == "between"]
    assert len(told) == 1 and "resolution" in told[0][1] and "test set FREE = 3" in told[0][1]
    session.close()
    other = Session(source=fake_run)
    other.open_project(str(state.project))
    assert [(mark.cycle, mark.text) for mark in other.state.marks if mark.kind == "between"] == told
    other.go_to_cycle(1)
    assert not other.state.marks, "before the change there is none"
    other.close()


def test_a_run_that_goes_back_is_marked_where_it_goes_on(session: Session) -> None:
    """A weight moved in a later cycle than the one a run goes on from acts from there on: there is its mark."""
    _refined(session)
    journal = session.journal
    assert journal is not None
    last = next(record.key for record in journal.cycles() if record.number == 5 and record.kind == "cycle")
    session.go_to(last)
    session.set_weight(3.0)
    assert [(m.cycle, m.made) for m in session.state.marks] == [(5, "idle")]
    session.go_to_cycle(2)
    assert not session.state.marks and session.state.settings.weight is None, "a move takes its settings along"
    session.set_weight(20.0)
    session.set_weight(4.0)
    session.step()
    assert session.wait(lambda state: state.status == "paused", 60)
    assert [(m.cycle, m.text) for m in session.state.marks] == [(2, "weight 6.7 \u2192 4")]
    session.stop("discard")
    assert session.wait(lambda state: state.status == "finished", 60)
    assert [(m.cycle, m.text) for m in session.state.marks] == [(2, "weight 6.7 \u2192 4")], "still to come"
    session.set_weight(None)
    assert not session.state.marks


def test_the_start_of_a_branch_is_a_cycle_of_its_line(session: Session) -> None:
    """Its numbers are measured anew and differ a little; to look at it is not to look at another run."""
    _refined(session)
    session.go_to_cycle(2)
    session.refine()
    assert session.wait(lambda state: state.status == "finished" and len(state.statistics) > 3, 60)
    journal = session.journal
    assert journal is not None
    start = next(record for record in journal.cycles() if record.run == 2 and record.kind == "start")
    loaded = journal.load(start.key)
    anew = replace(loaded, statistics=replace(loaded.statistics, r_work=loaded.statistics.r_work + 1e-4))
    session.show_loaded(start.key, anew)
    assert session.state.viewed is not None and session.state.viewed_in_line
    other = next(record for record in journal.cycles() if record.run == 1 and record.number == 4)
    session.look_at(other.key)
    if session.state.statistics[4].r_work != other.statistics.r_work:
        assert not session.state.viewed_in_line


def test_the_likelihoods_of_a_result_compare_with_those_of_cycles(session: Session) -> None:
    _refined(session)
    state, journal = session.state, session.journal
    assert journal is not None and state.kept is not None and state.position is not None
    record = journal.cycle(state.position)
    assert record.kind == "result" and record.parent is not None
    written = replace(state.kept, statistics=replace(state.kept.statistics, ll_free=99.0, ll_work=98.0))
    row = session.as_cycle(state.position, written).statistics
    cycle = journal.cycle(record.parent).statistics
    assert (row.ll_free, row.ll_work) == (cycle.ll_free, cycle.ll_work) and row.r_free == state.kept.statistics.r_free
    assert session.as_cycle(record.parent, written) is written and session.as_cycle(None, written) is written


def test_marks_of_runs_that_follow_each_other_are_there_after_opening(session: Session) -> None:
    """Each run one cycle long: its start and that of the next one are all the line has of it."""
    _refined(session)
    session.go_to_cycle(2)
    for number, weight in ((3, 4.0), (4, 5.0), (5, 6.0)):
        session.set_weight(weight)
        session.step()
        wanted = number

        def stepped(state: SessionState, wanted: int = wanted) -> bool:
            return state.status == "paused" and state.statistics[-1].cycle == wanted

        assert session.wait(stepped, 60)
        session.stop("current")
        assert session.wait(lambda state: state.status == "finished", 60)
    shown = [(mark.cycle, mark.text) for mark in session.state.marks]
    assert [cycle for cycle, _ in shown] == [2, 3, 4]
    journal = session.journal
    assert journal is not None
    for record in journal.cycles():
        if record.kind == "start" and record.parent is not None:
            assert settings_of(journal, record.key).weight != record.settings.weight, "not yet those of its run"
    place = session.state.project
    session.close()
    other = Session(source=fake_run)
    other.open_project(place)
    assert [mark.cycle for mark in other.state.marks] == [2, 3, 4]
    other.close()


def test_a_change_between_runs_is_marked_at_the_cycle_that_was_kept(session: Session) -> None:
    """The next run goes on from there, not from the last cycle."""
    _refined(session)
    journal = session.journal
    assert journal is not None
    second = next(record.key for record in journal.cycles() if record.number == 2)
    session._set(replace(session.state, kept=journal.load(second), position=second))
    session.change_between_cycles(d_min=2.5)
    assert [(mark.cycle, mark.kind) for mark in session.state.marks] == [(2, "between")]
    session.step()
    assert session.wait(lambda state: state.status == "paused", 60)
    assert [(mark.cycle, mark.kind) for mark in session.state.marks] == [(2, "between")]


def test_looking_back_changes_nothing(session: Session) -> None:
    _refined(session)
    assert session.journal is not None
    second = next(record for record in session.journal.cycles() if record.number == 2)
    before = session.state
    session.look_at(second.key)
    assert session.state.viewed is not None and session.state.viewed.statistics.cycle == 2
    assert session.state.shown is session.state.viewed and session.state.kept is before.kept
    session.look_at(None)
    assert session.state.shown is session.state.kept is before.kept


def test_a_project_opens_where_it_was_left_and_goes_on(session: Session, tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    session.open(model, data)
    assert session.wait(lambda state: state.status == "ready", 120)
    session.refine()
    assert session.wait(lambda state: state.status == "finished", 60)
    left = session.state
    session.close()
    other = Session(source=fake_run)
    other.open_project(left.project)
    state = other.state
    assert state.status == "finished" and state.position == left.position
    assert repr(state.statistics[:-1]) == repr(left.statistics[:-1]) and len(state.statistics) == len(left.statistics)
    assert state.kept is not None and left.kept is not None and _same(state.kept.state.xyz, left.kept.state.xyz)
    other.refine()
    assert other.wait(lambda state: state.status == "finished" and len(state.statistics) > len(left.statistics), 60)
    assert other.state.start is not None and _same(other.state.start.state.xyz, left.kept.state.xyz)
    other.close()


def test_inputs_that_changed_are_taken_from_the_project(session: Session, tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    text = model.read_bytes()
    journal = Journal.create(tmp_path / "x.workbench")
    journal.add_input("model", str(model), hashlib.sha256(text).hexdigest(), text)
    request = RunRequest(str(model), str(data))
    assert extracted_inputs(journal, request, lambda: tmp_path).model_path == str(model)
    model.write_text("END\n")
    changed = extracted_inputs(journal, request, lambda: tmp_path)
    assert changed.model_path != str(model) and Path(changed.model_path).read_bytes() == text
    journal.close()


# ---- what may go wrong --------------------------------------------------------------------------------------------


def test_two_windows_on_one_project(tmp_path: Path) -> None:
    path, _ = _project(tmp_path)
    journal = Journal.open(path)
    with pytest.raises(InputError, match="another window"):
        Journal.open(path)
    code = f"from workbench.session.history import Journal; Journal.open({str(path)!r})"
    other = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert other.returncode != 0 and f"another window (process {os.getpid()})" in other.stderr
    journal.close()
    Journal.open(path).close()


@pytest.mark.skipif(os.name == "nt", reason="folder permissions are another matter there")
def test_a_project_in_a_read_only_folder_can_be_looked_at_and_goes_on_in_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    path, _ = _project(folder)
    folder.chmod(0o555)
    path.chmod(0o444)
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: False if str(p).startswith(str(folder)) else real(p, mode))
    before = sorted(folder.iterdir())
    session = Session(source=fake_run, projects=tmp_path / "projects")
    session.open_project(path)
    assert session.journal is not None and session.journal.read_only
    assert session.state.status == "finished"
    with pytest.raises(JournalError, match="cannot be written"):
        session.journal.add_log(0.0, "info", "x")
    session.set_settings(RefinementSettings(cycles=1))
    session.refine()
    assert session.wait(lambda state: state.status == "finished" and len(state.statistics) == 8, 60)
    assert str(tmp_path / "projects") in session.state.project
    assert any("cannot be written" in line.text for line in session.state.log)
    session.close()
    assert sorted(folder.iterdir()) == before
    folder.chmod(0o755)


_FILL = """
import sys, resource
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.fake_run import recorded_run
from workbench.core.settings import RunRequest
from workbench.core.events import CycleFinished, Note
from workbench.session.history import Journal, Recorder
path = Path({path!r})
journal = Journal.create(path)
recorder = Recorder(lambda: journal, RunRequest("m.pdb", "d.mtz"), None)
events = [e for e in recorded_run(cycles=12)]
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
notes = []
for event in events[:-4]:
    notes += recorder.take(event)
print(len(journal.cycles()), [n.text for n in notes])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
for event in events[-4:]:
    notes += recorder.take(event)
print(len(journal.cycles()), notes[-1].text)
"""


@pytest.mark.skipif(os.name == "nt", reason="limits of file size are POSIX")
def test_a_full_disk_costs_nothing_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "full.workbench"
    code = _FILL.format(root=str(ROOT), path=str(path), limit=330_000)
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    during, after = done.stdout.splitlines()
    assert 1 <= int(during.split()[0]) < 9, during
    assert during.count("the disk is full or refuses") == 1, "told once"
    # Room again: the cycles that waited are all there.
    assert after.startswith("14 ") and "no cycle is missing" in after
    journal = Journal.open(path)
    assert journal.integrity() == "ok"
    assert [record.number for record in journal.cycles() if record.kind != "result"] == list(range(13))
    journal.close()


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + b"\x07" * 5000])
def test_files_that_are_no_projects_are_refused_in_plain_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.workbench"
    path.write_bytes(content)
    with pytest.raises(WorkbenchError, match=r"not a Refinement Workbench project|damaged"):
        Journal.open(path)
    assert path.read_bytes() == content


def test_another_database_and_a_newer_project_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.workbench"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE x (y)")
    with pytest.raises(InputError, match="not a Refinement Workbench project"):
        Journal.open(foreign)
    path, _ = _project(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="newer version"):
        Journal.open(path)


def test_a_project_cannot_be_made_over_an_existing_file(tmp_path: Path) -> None:
    path, _ = _project(tmp_path)
    size = path.stat().st_size
    with pytest.raises(InputError, match="exists already"):
        Journal.create(path)
    assert path.stat().st_size == size


def test_thinning_keeps_every_number_and_what_the_tree_needs(session: Session) -> None:
    _refined(session)
    journal = session.journal
    assert journal is not None
    third = next(record for record in journal.cycles() if record.number == 3)
    session.go_to(third.key)
    before = journal.cycles()
    assert journal.thin(1) == 0
    assert journal.thin(100) >= 0
    after = journal.cycles()
    assert repr([r.statistics for r in after]) == repr([r.statistics for r in before])
    kept = {record.number for record in after if record.has_model}
    assert {0, 3, 5} <= kept
    assert journal.integrity() == "ok"
    for record in after:
        if record.has_model:
            journal.load(record.key)
        else:
            with pytest.raises(JournalError, match="thinned"):
                journal.load(record.key)


_WINDOW = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.fake_run import fake_run
from workbench.core.settings import RefinementSettings
from workbench.session.history.journal import extracted_inputs
from workbench.session.session import Session
if __name__ == "__main__":
    session = Session(source=fake_run, settings=RefinementSettings(cycles=100000))
    def tell(old, new):
        if new.position is not None and new.position != old.position:
            print(new.position, session.worker_pid, flush=True)
    session.listen(tell)
    session.open("m.pdb", "d.mtz", project={path!r})
    session.wait(lambda state: state.status == "ready", 60)
    session.refine()
    time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("victim", ["window", "child", "both"])
def test_kill_9_leaves_every_cycle_that_was_told(tmp_path: Path, victim: str) -> None:
    """Two random moments for each victim; WORKBENCH_KILLS=10 for thirty."""
    rng = random.Random(victim)
    for attempt in range(int(os.environ.get("WORKBENCH_KILLS", "2"))):
        path = tmp_path / f"{victim}{attempt}.workbench"
        script = tmp_path / f"{victim}{attempt}.py"
        script.write_text(_WINDOW.format(root=str(ROOT), path=str(path)))
        window = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert window.stdout is not None
        first = window.stdout.readline().split()
        child = int(first[1])
        time.sleep(rng.uniform(0.1, 0.8))
        if victim in ("child", "both"):
            os.kill(child, signal.SIGKILL)
        if victim == "child":
            time.sleep(0.2)
        window.kill()
        told = [int(line.split()[0]) for line in window.stdout.read().splitlines() if len(line.split()) == 2]
        window.stdout.close()
        window.wait()
        journal = Journal.open(path)
        assert journal.integrity() == "ok"
        keys = [record.key for record in journal.cycles()]
        assert set(told) <= set(keys) and len(keys) - len(set(told)) <= 3
        for record in journal.cycles()[-3:]:
            journal.load(record.key)
        if len(keys) > 1:
            assert journal.position() == keys[-1]
            assert "after cycle" in journal.runs()[0].text
        journal.close()


def test_notes_and_progress_cost_no_write(tmp_path: Path) -> None:
    def none() -> Journal:
        raise AssertionError("a project was made for nothing")

    recorder = Recorder(none, RunRequest("m.pdb", "d.mtz"), None)
    assert recorder.take(Note("hello")) == ()
    events = recorded_run(cycles=1)
    assert isinstance(events[-1], Finished)


def test_the_command_line_keeps_the_same_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.launch import main

    model, data = write_files(tmp_path)
    project = tmp_path / "line.workbench"
    words = ["refine", str(model), str(data), "--cycles", "2", "--output", str(tmp_path / "out"), "--quiet"]
    assert main([*words, "--project", str(project)]) == 0
    journal = Journal.open(project)
    kinds = [record.kind for record in journal.cycles()]
    assert kinds == ["start", "cycle", "cycle", "result"]
    assert {copy.role for copy in journal.inputs()} == {"model", "data"}
    assert journal.input_bytes(journal.inputs()[0].sha256) == model.read_bytes()
    journal.close()
    assert main([*words, "--project", str(project)]) == 1
    assert "exists already" in capsys.readouterr().err


def test_closing_waits_for_what_another_thread_reads(tmp_path: Path) -> None:
    """SQLite crashes when a connection is closed in the middle of a statement of another thread."""
    journal = Journal.create(tmp_path / "busy.workbench")
    inside, go_on = threading.Event(), threading.Event()
    found: list[object] = []

    def pause() -> int:
        inside.set()
        go_on.wait(60.0)
        return 7

    def read() -> None:
        journal._connection().create_function("pause", 0, pause)
        found.extend(journal._read("SELECT pause()"))
        try:
            journal.cycles()
        except JournalError as error:
            found.append(error.message)

    reader, closer = threading.Thread(target=read), threading.Thread(target=journal.close)
    reader.start()
    assert inside.wait(60.0)
    closer.start()
    closer.join(0.2)
    assert closer.is_alive() and not found
    go_on.set()
    reader.join(60.0)
    closer.join(60.0)
    assert found[0] == (7,)
    if len(found) == 1:
        # It came to its second question before the other closed; now it would be refused.
        with pytest.raises(JournalError, match="is closed"):
            journal.cycles()
