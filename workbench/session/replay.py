"""Repeat what the user did: every run of a project, with the same changes at the same points of the same cycles."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.control import RunControl
from workbench.core.crystal import ModelState
from workbench.core.errors import InputError
from workbench.core.events import AppliedSettings, CycleFinished, Failed, Finished, RunEvent
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.history.journal import Journal, extracted_inputs
from workbench.session.history.records import RunRecord
from workbench.session.poll_points import ReplayControl

Source = Callable[[RunRequest, RunControl], Iterator[RunEvent]]


@dataclass(frozen=True)
class ReplayedRun:
    """run: key. cycles: how many were repeated. marks: changes given again. r_free, replayed_r_free: of the result.
    largest: largest difference of R_free over the cycles. command: a command line that begins the same run."""

    run: int
    branch: int
    cycles: int
    marks: int
    r_free: float
    replayed_r_free: float
    largest: float
    command: str


def replay(journal: Journal, source: Source, folder: Callable[[], Path]) -> Iterator[ReplayedRun]:
    """Every run that has cycles, in the order they were made; a branch starts from the replayed state of its cycle.

    Inputs that changed since are taken from the project (`folder` makes the place for them). Raises InputError when a
    run cannot be repeated.
    """
    states: dict[int, ModelState] = {}
    records = journal.cycles()
    marks = journal.marks()
    for run in journal.runs():
        recorded = [record for record in records if record.run == run.key]
        steps = [record for record in recorded if record.kind == "cycle"]
        if not steps:
            continue
        changes = [AppliedSettings(m.cycle, m.poll, m.settings) for m in marks if m.run == run.key]
        first, last = recorded[0].number, steps[-1].number
        request = extracted_inputs(journal, run.request, folder)
        if run.parent is not None:
            request = replace(request, start=states[run.parent], first_cycle=first)
        stopped = last if run.reason == "stopped" else None
        control = ReplayControl(request.settings, changes, first, stopped)
        keys = {record.number: record.key for record in recorded if record.kind != "result"}
        found: dict[int, float] = {}
        result = float("nan")
        for event in source(request, control):
            if isinstance(event, CycleFinished):
                number = event.statistics.cycle
                control.finished(number)
                found[number] = event.statistics.r_free
                if number in keys:
                    states[keys[number]] = event.state
            elif isinstance(event, Finished):
                result = event.kept.statistics.r_free
                if run.keep == "current":
                    result = found[last]
                elif run.keep == "discard" and run.reason != "stopped" and event.kept.statistics.cycle != last:
                    # One run of a study: its last cycle is its result, whichever the run itself would have kept.
                    result = found[last]
                    if run.result is not None and last in keys:
                        states[run.result] = states[keys[last]]
                elif run.result is not None:
                    states[run.result] = event.kept.state
            elif isinstance(event, Failed):
                raise InputError(
                    f"run {run.key} cannot be repeated: {event.message}",
                    file=event.file,
                    item=event.item,
                    remedy=event.remedy,
                )
        differences = [
            abs(record.statistics.r_free - found[record.number]) for record in steps if record.number in found
        ]
        if len(differences) != len(steps):
            raise InputError(
                f"run {run.key} ended after cycle {max(found)}; the record goes to cycle {last}.",
                file=str(journal.path),
                remedy="The project was made by another version of the program or on another kind of processor.",
            )
        kept = next((record for record in recorded if record.key == run.result), steps[-1])
        yield ReplayedRun(
            run.key, run.branch, len(steps), len(changes), kept.statistics.r_free, result, max(differences),
            command_line(run),
        )  # fmt: skip


def command_line(run: RunRecord) -> str:
    """`workbench refine ...` with the files and settings that the run began with."""
    request, s, usual = run.request, run.request.settings, RefinementSettings()
    words = ["workbench", "refine", request.model_path, request.data_path]
    for path in request.dictionaries:
        words += ["--dictionary", path]
    if request.labels:
        words += ["--labels", ",".join(request.labels)]
    if request.free_label:
        words += ["--free", request.free_label]
    if request.free_value is not None:
        words += ["--free-value", str(request.free_value)]
    words += ["--cycles", str(s.cycles)]
    if s.weight is not None:
        words += ["--weight", f"{s.weight:g}"]
    if s.b_weight is not None:
        words += ["--b-weight", f"{s.b_weight:g}"]
    if s.d_min is not None:
        words += ["--resolution", f"{s.d_min:g}"]
    if s.hydrogens != usual.hydrogens:
        words += ["--hydrogens", s.hydrogens]
    if s.b_model != usual.b_model:
        words += ["--b-model", s.b_model]
    if s.rigid_body != usual.rigid_body:
        words += ["--rigid-body", s.rigid_body]
    if s.rigid_groups != usual.rigid_groups:
        words += ["--rigid-groups", s.rigid_groups]
    if s.shake:
        words += ["--shake", f"{s.shake:g}"]
    if s.reset_b is not None:
        words += ["--reset-b", str(s.reset_b)]
    if s.seed:
        words += ["--seed", str(s.seed)]
    return shlex.join(words)
