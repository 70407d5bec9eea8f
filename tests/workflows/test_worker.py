"""The child process: pause, step, stop, live settings, death. Scripted runs in real processes."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fake_run import fake_run, recorded_run
from workbench.core.events import CycleFinished, Failed, Finished, RunEvent
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.session import Session
from workbench.session.state import SessionState
from workbench.session.worker import PipeControl, Worker

LONG = RefinementSettings(cycles=500)


class Heard:
    """Events of a worker, with a way to wait for them."""

    def __init__(self) -> None:
        self.events: list[RunEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: RunEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def cycles(self) -> list[CycleFinished]:
        return [event for event in self.events if isinstance(event, CycleFinished)]

    def wait_cycles(self, count: int, timeout: float = 120.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.cycles()) >= count, timeout), self.events[-1:]

    def wait_end(self, timeout: float = 120.0) -> RunEvent:
        with self._changed:
            assert self._changed.wait_for(
                lambda: bool(self.events) and isinstance(self.events[-1], (Finished, Failed)), timeout
            )
        return self.events[-1]


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(fake_run)
    yield made
    made.kill()
    made.join(120)


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(source=fake_run, settings=LONG)
    yield made
    made.close()


def _at_rest(cycles: Callable[[], int], quiet: float) -> int:
    """How many cycles there are once none has come for `quiet` seconds, which must be longer than a cycle takes: one
    that was under way when the pause was asked for may be told late."""
    end = time.monotonic() + 60.0
    count, since = cycles(), time.monotonic()
    while time.monotonic() - since < quiet:
        assert time.monotonic() < end, "cycles come although paused"
        if cycles() != count:
            count, since = cycles(), time.monotonic()
        time.sleep(0.02)
    return count


def test_a_held_worker_waits_after_the_start_then_steps_and_finishes(worker: Worker) -> None:
    heard = Heard()
    worker.start(RunRequest("m.pdb", "d.mtz", settings=RefinementSettings(cycles=3)), heard)
    heard.wait_cycles(1)
    time.sleep(0.3)
    assert len(heard.cycles()) == 1
    worker.step()
    heard.wait_cycles(2)
    time.sleep(0.3)
    assert len(heard.cycles()) == 2
    worker.resume()
    end = heard.wait_end()
    assert isinstance(end, Finished) and end.reason == "cycles"
    assert len(heard.cycles()) == 4
    worker.join(120)
    assert not worker.alive
    assert not any(isinstance(event, Failed) for event in heard.events)


def test_pause_acts_inside_a_cycle_and_stop_ends_a_pause() -> None:
    """A cycle takes a second, and a pause asked for in the first one leaves it unfinished.

    On a machine so busy that the wish comes too late it is tried again; a pause that waited for the end of a cycle
    would leave two every time.
    """
    for _ in range(5):
        worker, heard = Worker(fake_run), Heard()
        began = time.perf_counter()
        worker.start(RunRequest("slow.pdb", "d.mtz", settings=LONG), heard, held=False)
        heard.wait_cycles(1)
        worker.pause()
        count = _at_rest(lambda heard=heard: len(heard.cycles()), 1.5)  # type: ignore[misc]
        worker.stop()
        end = heard.wait_end()
        took = time.perf_counter() - began
        worker.join(120)
        assert isinstance(end, Finished) and end.reason == "stopped"
        if count == 1:
            break
    assert count == 1, "the cycle under way went on although paused"
    # Time spent paused is not the engine's.
    assert took - end.refine_seconds > 1.3


def test_new_settings_reach_the_next_cycle(worker: Worker) -> None:
    heard = Heard()
    worker.start(RunRequest("m.pdb", "d.mtz", settings=LONG), heard)
    heard.wait_cycles(1)
    worker.update_settings(RefinementSettings(cycles=500, weight=1.5))
    worker.step()
    heard.wait_cycles(2)
    assert heard.cycles()[0].statistics.xray_weight == 6.7
    assert heard.cycles()[1].statistics.xray_weight == 1.5


def test_a_step_that_comes_while_the_last_one_is_told_is_not_lost() -> None:
    """The window asks for the next step as soon as it hears of a cycle; the child may still be busy telling."""
    cycles = [event for event in recorded_run(cycles=3) if isinstance(event, CycleFinished)]
    commands: queue.Queue[tuple[str, object]] = queue.Queue()

    class Window:
        def recv(self) -> tuple[str, object]:
            return commands.get()

    control = PipeControl(Window(), LONG, held=True)  # type: ignore[arg-type]

    def told(event: CycleFinished) -> threading.Thread:
        thread = threading.Thread(target=control.sent, args=(event,), daemon=True)
        thread.start()
        return thread

    waiting = told(cycles[0])
    waiting.join(0.2)
    assert waiting.is_alive(), "held after the start"
    commands.put(("step", None))
    waiting.join(120)
    commands.put(("step", None))
    commands.put(("settings", LONG))
    time.sleep(0.2)
    second = told(cycles[1])
    second.join(120)
    assert not second.is_alive(), "the second step is still to be done"
    third = told(cycles[2])
    third.join(0.2)
    assert third.is_alive(), "and after it the run waits"
    commands.put(("resume", None))
    third.join(120)
    assert not third.is_alive()


def test_files_that_are_opened_begin_with_automatic_weights(session: Session) -> None:
    """What was set by hand was set for the files that were open then."""
    _ready(session)
    session.set_settings(replace(session.state.settings, weight=40.0, family_weights=(2.0,) * 7, d_min=2.5))
    assert session.wait(lambda state: state.status == "ready" and state.settings.weight == 40.0)
    _ready(session, "other.pdb")
    settings = session.state.settings
    assert settings.weight is None and set(settings.family_weights) == {1.0} and settings.d_min is None


def test_an_error_in_the_child_is_an_event(worker: Worker) -> None:
    heard = Heard()
    worker.start(RunRequest("raise.pdb", "d.mtz", settings=LONG), heard, held=False)
    end = heard.wait_end()
    assert isinstance(end, Failed) and "an array went missing" in end.message and "Traceback" in end.details


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_the_child_ends_when_its_window_dies(worker: Worker) -> None:
    heard = Heard()
    worker.start(RunRequest("slow.pdb", "d.mtz", settings=LONG), heard, held=False)
    heard.wait_cycles(1)
    assert worker._connection is not None
    worker._killed = True  # The reader is not to report what this test does.
    os.close(os.dup(worker._connection.fileno()))
    import socket

    end = socket.socket(fileno=os.dup(worker._connection.fileno()))
    end.shutdown(socket.SHUT_RDWR)
    end.close()
    deadline = time.perf_counter() + 60
    while worker.alive and time.perf_counter() < deadline:
        time.sleep(0.02)
    assert not worker.alive


# ---- the session around it --------------------------------------------------------------------------------------


def _ready(session: Session, model: str = "m.pdb") -> None:
    session.open(model, "d.mtz")
    assert session.wait(lambda state: state.status == "ready", 120), session.state.status


def test_open_refine_pause_step_stop(session: Session) -> None:
    seen: list[str] = []
    session.listen(lambda old, new: seen.append(new.status) if new.status != old.status else None)
    _ready(session)
    session.refine()
    assert session.wait(lambda state: len(state.statistics) >= 3)
    session.pause()
    assert session.state.status == "paused"
    count = _at_rest(lambda: len(session.state.statistics), 0.5)
    session.step()
    assert session.wait(lambda state: state.status == "paused")
    assert len(session.state.statistics) == count + 1
    session.stop("current")
    assert session.wait(lambda state: state.status == "finished")
    assert session.state.kept is session.state.latest
    assert seen == ["preparing", "ready", "running", "paused", "running", "paused", "stopping", "finished"]


def test_a_finished_run_goes_on_from_its_kept_cycle(session: Session) -> None:
    session.set_settings(RefinementSettings(cycles=3))
    _ready(session)
    session.refine()
    assert session.wait(lambda state: state.status == "finished")
    first = session.state.kept
    assert first is not None and first.statistics.cycle == 3
    session.refine()
    assert session.wait(lambda state: state.status == "finished" and len(state.statistics) == 7, 120)
    assert [row.cycle for row in session.state.statistics] == list(range(7))
    assert session.state.start is not None
    assert (session.state.start.state.xyz == first.state.xyz).all()


def test_discard_goes_back_to_before_the_run(session: Session) -> None:
    session.set_settings(RefinementSettings(cycles=2))
    _ready(session)
    session.refine()
    assert session.wait(lambda state: state.status == "finished")
    kept = session.state.kept
    session.set_settings(LONG)
    session.refine()
    assert session.wait(lambda state: len(state.statistics) >= 5, 120)
    session.stop("discard")
    assert session.wait(lambda state: state.status == "finished", 120)
    assert session.state.kept is kept
    assert [row.cycle for row in session.state.statistics] == [0, 1, 2]


def test_refine_again_goes_on_with_the_weight_that_was_reached(session: Session) -> None:
    session.set_settings(RefinementSettings(cycles=3))
    _ready(session)
    assert session.state.request is not None and session.state.request.automatic_weight is None
    session.refine()
    assert session.wait(lambda state: state.status == "finished")
    kept = session.state.kept
    assert kept is not None and kept.statistics.cycle > 0
    session.refine()
    assert session.state.request.automatic_weight == kept.statistics.automatic_weight
    assert session.wait(lambda state: state.status == "finished")


def test_a_weight_change_leaves_one_mark_per_cycle(session: Session) -> None:
    _ready(session, "slow.pdb")
    session.refine()
    session.set_weight(4.0)
    session.set_weight(1.5)
    mark = session.state.marks[-1]
    assert (mark.cycle, mark.text) == (0, "weight 6.7 → 1.5")
    assert len(session.state.marks) == 1
    assert session.wait(lambda state: len(state.statistics) == 2, 120)
    assert session.state.statistics[-1].xray_weight == 1.5
    session.set_weight(None)
    assert session.state.marks[-1].text == "weight 1.5 → automatic"
    session.stop()
    assert session.wait(lambda state: state.status == "finished", 120)


def test_settings_that_need_another_start_prepare_again(session: Session) -> None:
    _ready(session)
    first = session.worker_pid
    session.set_settings(RefinementSettings(cycles=500, d_min=2.5))
    assert session.state.status == "preparing"
    assert session.wait(lambda state: state.status == "ready", 120)
    assert session.worker_pid != first
    assert session.state.prepared is not None and session.state.prepared.settings.d_min == 2.5


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_child_is_said_and_survived(session: Session, tmp_path: Path) -> None:
    _ready(session, "slow.pdb")
    session.refine()
    assert session.wait(lambda state: len(state.statistics) >= 2, 120)
    assert session.worker_pid is not None
    os.kill(session.worker_pid, signal.SIGKILL)
    assert session.wait(lambda state: state.status == "failed", 120)
    failure = session.state.failure
    assert failure is not None
    assert failure.message == "The refinement process ended unexpectedly (signal 9, SIGKILL)."
    kept = session.state.kept
    assert kept is not None and kept is session.state.latest
    session.export(tmp_path)
    document = json.loads((tmp_path / "statistics.json").read_text())
    assert document["final"]["cycle"] == kept.statistics.cycle
    assert "ended unexpectedly" in (tmp_path / "log.txt").read_text(encoding="utf-8")
    session.refine()
    assert session.wait(lambda state: len(state.statistics) > len(document["cycles"]), 120)


def test_stop_twice_ends_a_run_that_does_not_answer(session: Session) -> None:
    _ready(session, "slow.pdb")
    session.refine()
    assert session.wait(lambda state: len(state.statistics) >= 2, 120)
    worker = session._worker
    assert worker is not None and worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    session.stop()
    time.sleep(0.2)
    assert session.state.status == "stopping"
    session.stop()
    assert session.state.status == "finished"
    assert session.state.kept is session.state.best
    worker.join(120)
    assert not worker.alive


def test_files_opened_meanwhile_replace_the_run(session: Session) -> None:
    _ready(session, "slow.pdb")
    session.refine()
    session.open("other.pdb", "d.mtz")
    assert session.wait(lambda state: state.status == "ready", 120)
    assert session.state.prepared is not None
    assert session.state.prepared.model.source.path == "other.pdb"
    assert len(session.state.statistics) == 1


def test_a_listener_may_start_the_run_as_soon_as_it_is_ready(session: Session) -> None:
    """As the demonstration does: what a listener asks for while a change is told is not undone by that change."""
    statuses: list[str] = []

    def start(old: SessionState, new: SessionState) -> None:
        statuses.append(new.status)
        if new.status == "ready" and old.status == "preparing":
            session.refine()

    session.listen(start)
    session.open("m.pdb", "d.mtz")
    assert session.wait(lambda state: len(state.statistics) > 3)
    assert session.state.status == "running", "the window would leave Pause and Stop grey while the run goes on"
    assert statuses.count("running") > 0 and "ready" not in statuses[statuses.index("running") :][1:]
    session.stop()
    assert session.wait(lambda state: state.status == "finished")
