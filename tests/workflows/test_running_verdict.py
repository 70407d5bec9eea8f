"""The verdict while a run goes on: what a terminal reads, and what the files say in the end."""

from __future__ import annotations

import io
import json
from pathlib import Path

from tests.fake_run import recorded_run
from workbench.cli.report import PlainReporter
from workbench.core.events import CycleFinished, Prepared
from workbench.engine.cross_validation.verdict import context_of, judge
from workbench.export.results import RunTiming, write_results
from workbench.session.verdict import RunningVerdict, verdict_line


def test_the_terminal_says_a_verdict_when_it_changes_and_only_then() -> None:
    events = recorded_run(cycles=9)
    stream = io.StringIO()
    reporter = PlainReporter(stream)
    prepared = next(event for event in events if isinstance(event, Prepared))
    rows = []
    expected = []
    before = "waiting"
    for event in events:
        reporter.show(event)
        if isinstance(event, CycleFinished):
            rows.append(event.statistics)
            now = judge(rows, context_of(prepared))
            if now.state not in (before, "waiting"):
                expected.append(verdict_line(now))
                before = now.state
    told = [line for line in stream.getvalue().splitlines() if line in expected]
    assert expected and told == expected


def test_a_verdict_needs_to_know_the_crystal_first() -> None:
    running = RunningVerdict()
    for event in recorded_run(cycles=4):
        if isinstance(event, CycleFinished):
            assert running.take(event) == "" and running.verdict is None


def test_the_files_end_with_the_same_verdict(tmp_path: Path) -> None:
    events = recorded_run(cycles=6)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    rows = [event.statistics for event in cycles]
    write_results(tmp_path, prepared, cycles[-1], rows, ["a line"], RunTiming.of(prepared, None, rows))
    verdict = judge(rows, context_of(prepared))
    document = json.loads((tmp_path / "statistics.json").read_text())
    assert document["verdict"]["state"] == verdict.state and document["verdict"]["reason"] == verdict.sentence
    assert {"since", "best_cycle", "rules", "remedy"} <= set(document["verdict"])
    assert f"Verdict   {verdict.title}: {verdict.sentence}" in (tmp_path / "log.txt").read_text()


def test_an_earlier_cycle_that_was_kept_has_a_verdict_of_its_own(tmp_path: Path) -> None:
    events = recorded_run(cycles=8)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    rows = [event.statistics for event in cycles]
    write_results(tmp_path, prepared, cycles[2], rows, ["a line"], RunTiming.of(prepared, None, rows))
    document = json.loads((tmp_path / "statistics.json").read_text())
    run, result = judge(rows, context_of(prepared)), judge(rows[:3], context_of(prepared))
    assert result.state != run.state, "otherwise this shows nothing"
    assert (document["verdict"]["state"], document["verdict"]["cycle"]) == (run.state, 8)
    assert (document["result_verdict"]["state"], document["result_verdict"]["cycle"]) == (result.state, 2)
    assert document["result_verdict"]["cycle"] == document["final"]["cycle"]
    log = (tmp_path / "log.txt").read_text()
    assert f"result, cycle 2: {result.title}" in log and f"last cycle, 8: {run.title}" in log
    write_results(tmp_path, prepared, cycles[-1], rows, ["a line"], RunTiming.of(prepared, None, rows))
    document = json.loads((tmp_path / "statistics.json").read_text())
    assert document["result_verdict"] == document["verdict"]
