"""A project repeats itself: same changes at the same points, same R_free."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_run import write_files
from workbench.core.control import RunControl
from workbench.core.events import CycleFinished, RunEvent
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.history import Journal, Recorder
from workbench.session.history.recorder import BEFORE
from workbench.session.poll_points import PollRecord
from workbench.session.replay import replay
from workbench.session.run import run
from workbench.session.session import Session
from workbench.session.studies import Study, StudyItem, record_item


class _Slider:
    """A user who moves the data slider at given questions of the engine, as the worker's control records it."""

    def __init__(self, settings: RefinementSettings, moves: dict[int, float | None]) -> None:
        self._settings, self._moves, self._asked = settings, moves, 0
        self.polls = PollRecord(settings)

    def settings(self) -> RefinementSettings:
        if self._asked in self._moves:
            self._settings = dataclasses.replace(self._settings, weight=self._moves[self._asked])
        self._asked += 1
        self.polls.answered(self._settings)
        return self._settings

    def cancelled(self) -> bool:
        return False


def _recorded(journal: Journal, request: RunRequest, moves: dict[int, float | None], parent: int | None) -> None:
    recorder = Recorder(lambda: journal, request, parent)
    control = _Slider(request.settings, moves)
    for event in run(request, control):
        if isinstance(event, CycleFinished):
            changes = control.polls.taken(event.statistics.cycle)
            assert recorder.take(dataclasses.replace(event, applied=changes)) == ()
        else:
            assert recorder.take(event) == ()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Six cycles of the real engine with the slider moved inside cycles, then a branch from the third."""
    folder = tmp_path_factory.mktemp("replay")
    model, data = write_files(folder)
    journal = Journal.create(folder / "p.workbench")
    settings = RefinementSettings(cycles=6, shake=0.15, threads=1)
    request = RunRequest(str(model), str(data), settings=settings)
    _recorded(journal, request, {5: 0.7, 12: 40.0, 17: None}, None)
    third = next(record for record in journal.cycles() if record.number == 3)
    again = dataclasses.replace(
        request, settings=dataclasses.replace(settings, cycles=2, weight=1.0),
        start=journal.load(third.key).state, first_cycle=3,
    )  # fmt: skip
    _recorded(journal, again, {}, third.key)
    yield journal
    journal.close()


def test_replay_arrives_at_the_same_r_free(project: Journal, tmp_path: Path) -> None:
    marks = project.marks()
    assert [mark.text.split()[0] for mark in marks] == ["weight"] * 4
    assert len({mark.cycle for mark in marks}) >= 2
    assert (marks[-1].cycle, marks[-1].poll) == (3, BEFORE), "the branch began with another weight"
    rows = list(replay(project, run, lambda: tmp_path))
    assert [row.branch for row in rows] == [1, 2]
    assert [row.marks for row in rows] == [3, 1]
    for row in rows:
        assert row.largest < 1e-6 and row.replayed_r_free == pytest.approx(row.r_free, abs=1e-6)
    assert "workbench refine" in rows[0].command and "--shake 0.15" in rows[0].command


def _gated(request: RunRequest, control: RunControl) -> Iterator[RunEvent]:
    """A run that reads no file before it is let in, and has then waited for what the user had said until then."""
    place = Path(request.model_path)
    while not place.with_name("open").exists():
        time.sleep(0.01)
    said = place.with_name("said")
    while said.exists() and control._settings.b_weight is None:  # type: ignore[attr-defined]  # not a question
        time.sleep(0.01)
    yield from run(request, control)


def test_what_is_moved_while_nothing_runs_is_in_the_record(tmp_path: Path) -> None:
    """A weight moved after a run had ended, and Auto pressed while the next one was being prepared."""
    model, data = write_files(tmp_path)
    gate = model.with_name("open")
    gate.touch()
    session = Session(
        source=_gated, settings=RefinementSettings(cycles=2, shake=0.15, threads=1), projects=tmp_path / "projects"
    )
    try:
        session.open(model, data)
        assert session.wait(lambda s: s.status in ("ready", "failed"), 300), "not prepared"
        session.refine()
        assert session.wait(lambda s: s.status in ("finished", "failed"), 300)
        assert session.state.kept is not None
        at = session.state.kept.statistics.cycle
        session.set_weight(1.0)
        assert [(m.cycle, m.kind) for m in session.state.marks] == [(at, "weight")], "shown before anything runs"
        gate.unlink()
        session.refine()
        assert session.state.status == "preparing"
        session.set_settings(dataclasses.replace(session.state.settings, weight=None, b_weight=2.0))
        model.with_name("said").write_text("2.0")
        gate.touch()
        assert session.wait(lambda s: s.status in ("finished", "failed"), 300)
        assert session.state.status == "finished"
        second = session.state.result
        model.with_name("said").unlink()
        session.set_weight(0.5)
        session.refine()
        assert session.wait(lambda s: s.status == "finished" and s.result is not second, 300)
        shown = [(m.cycle, m.kind) for m in session.state.marks]
        told = [line.text for line in session.state.log if line.text.endswith(" on.")]
        place = session.state.project
    finally:
        session.close()
    journal = Journal.open(place)
    try:
        marks = journal.marks()
        assert [(m.run, m.poll) for m in marks if m.poll == BEFORE] == [(2, BEFORE), (3, BEFORE)]
        assert len([m for m in marks if m.run == 2]) == 2, "Auto, pressed while files were read, is a mark of its own"
        rows = list(replay(journal, run, lambda: tmp_path))
    finally:
        journal.close()
    assert len(rows) == 3 and [row.marks for row in rows] == [0, 2, 1]
    for row in rows:
        assert row.largest < 1e-4 and row.replayed_r_free == pytest.approx(row.r_free, abs=1e-4)
    # The weight went to 1 and back to automatic, which is no change. Whichever cycle the runs kept, both are told.
    assert sorted(kind for _, kind in shown) == ["B restraint", "weight"]
    assert (at, "B restraint") in shown and len(told) >= 2
    again = Session()
    try:
        again.open_project(place)
        assert sorted({m.cycle for m in again.state.marks}) == sorted({cycle for cycle, _ in shown})
    finally:
        again.close()


def test_the_marks_matter(project: Journal, tmp_path: Path) -> None:
    """Without them the same run goes another way: the comparison above is not empty."""

    def deaf(request: RunRequest, control: RunControl) -> Iterator[RunEvent]:
        class Deaf:
            def settings(self) -> RefinementSettings:
                return request.settings

            def cancelled(self) -> bool:
                return control.cancelled()

        yield from run(request, Deaf())

    first = next(iter(replay(project, deaf, lambda: tmp_path)))
    assert first.largest > 1e-3


def test_runs_of_a_study_and_branches_from_them_are_repeated_as_well(project: Journal, tmp_path: Path) -> None:
    copy = tmp_path / "copy.workbench"
    project.copy_to(copy)
    journal = Journal.open(copy)
    last = journal.runs()[-1]
    assert last.result is not None
    start = journal.load(last.result)
    settings = dataclasses.replace(last.request.settings, weight=60.0, cycles=3)
    number = start.statistics.cycle
    request = dataclasses.replace(last.request, settings=settings, start=start.state, first_cycle=number)
    (ended,) = Study([StudyItem("x 10", request)]).run()
    key = record_item(journal, ended, last.result)
    assert key is not None and journal.position() == last.result
    tight = dataclasses.replace(settings, weight=1.0, cycles=2)
    again = dataclasses.replace(
        request, settings=tight, start=journal.load(key).state, first_cycle=journal.cycle(key).number
    )
    _recorded(journal, again, {}, key)
    rows = list(replay(journal, run, lambda: tmp_path))
    assert len(rows) == 4 and rows[2].cycles == 1
    for row in rows:
        assert row.largest < 1e-4 and row.replayed_r_free == pytest.approx(row.r_free, abs=1e-4)
    journal.close()


def test_replay_on_the_command_line(project: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.launch import main

    copy = tmp_path / "copy.workbench"
    project.copy_to(copy)
    # The inputs have gone: those inside the project are used.
    for entry in project.inputs():
        Path(entry.path).unlink()
    assert main(["replay", str(copy)]) == 0
    assert "largest difference" in capsys.readouterr().out
