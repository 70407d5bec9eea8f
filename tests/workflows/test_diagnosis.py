"""The numbers of the diagnosis that a run gives with every cycle: error of R_free, parameters, fit of residues."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench.core.control import FixedControl
from workbench.core.events import CycleFinished, Note, Prepared
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.b_model import TRIAL_CYCLES
from workbench.session.run import run


def _run(examples: Path, **settings: object) -> tuple[list[CycleFinished], list[object]]:
    folder = examples / "lyso_c2"
    request = RunRequest(
        model_path=str(folder / "lyso_c2.pdb.gz"),
        data_path=str(folder / "lyso_c2.mtz.gz"),
        settings=RefinementSettings(**settings),  # type: ignore[arg-type]
    )
    events: list[object] = list(run(request, FixedControl(request.settings)))
    return [event for event in events if isinstance(event, CycleFinished)], events


def test_parameters_follow_the_tensors(examples: Path) -> None:
    """x, y, z, B of each atom, then five more: the count is of the problem as it is in that cycle."""
    cycles, events = _run(examples, cycles=8)
    n = len(cycles[0].state.xyz)
    rows = [event.statistics for event in cycles]
    assert rows[0].parameters == 0 and math.isnan(rows[0].effective_parameters)
    shaped = [bool(event.state.anisotropic.any()) for event in cycles]
    assert any(shaped[1:]) and not all(shaped[1:])
    for event, row in zip(cycles[1:], rows[1:], strict=True):
        assert row.parameters == (9 if event.state.anisotropic.any() else 4) * n
        assert 0.05 * row.parameters < row.effective_parameters < 0.9 * row.parameters
        assert row.reference_parameters == row.effective_parameters
    plain = max(row.effective_parameters for row, has in zip(rows[1:], shaped[1:], strict=True) if not has)
    assert all(row.effective_parameters > plain for row, has in zip(rows, shaped, strict=True) if has)
    residues = next(len(event.model.residues) for event in events if isinstance(event, Prepared))
    for event in cycles:
        assert 0.004 < event.statistics.r_free_sigma < 0.03
        assert event.fit is not None and event.fit.rscc.shape == (residues, 2)
        assert np.nanmedian(event.fit.rscc) > 0.8


def test_more_weight_than_usual_determines_more_parameters(examples: Path) -> None:
    cycles, _ = _run(examples, cycles=2, weight=60.0, b_model="isotropic")
    for event in cycles[1:]:
        assert event.statistics.effective_parameters > 1.1 * event.statistics.reference_parameters
    reference, _ = _run(examples, cycles=1, b_model="isotropic")
    assert cycles[1].statistics.reference_parameters == pytest.approx(
        reference[1].statistics.effective_parameters, rel=0.001
    )


def test_looser_restraints_are_measured_against_the_usual_ones(examples: Path) -> None:
    usual, _ = _run(examples, cycles=1, b_model="isotropic")
    loose, _ = _run(examples, cycles=1, b_model="isotropic", family_weights=(0.1,) * 7)
    assert loose[1].statistics.effective_parameters > 1.1 * usual[1].statistics.effective_parameters
    assert loose[1].statistics.reference_parameters == pytest.approx(
        usual[1].statistics.effective_parameters, rel=0.001
    )


def test_a_trial_that_is_not_kept_leaves_no_lowest_r_free(examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R_free of tensors that were dropped is nothing that later cycles fall short of."""
    monkeypatch.setattr("workbench.engine.refine.supported", lambda *_: False)
    cycles, events = _run(examples, cycles=10)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any("not kept" in text for text in notes)
    shaped = [bool(event.state.anisotropic.any()) for event in cycles]
    assert sum(shaped) >= TRIAL_CYCLES
    rows = [event.statistics for event in cycles]
    last_trial = max(i for i, has in enumerate(shaped) if has)
    assert last_trial < len(rows) - 1
    plain = [row.r_free for row, has in zip(rows[: last_trial + 1], shaped, strict=False) if not has]
    assert min(row.r_free for row in rows[: last_trial + 1]) < min(plain) - 0.001, "the trial must have gone lower"
    for row in rows[last_trial + 1 :]:
        plain.append(row.r_free)
        assert row.r_free_rise == pytest.approx(row.r_free - min(plain), abs=1e-5)


class _Moves:
    """A user who sets the weight once, at the given question for settings inside a cycle (counted from the event of the
    cycle before; -1: at the last one, just before the cycle is told)."""

    def __init__(self, settings: RefinementSettings, cycle: int, poll: int) -> None:
        self.now, self.cycle, self.poll = settings, cycle, poll
        self.done, self.polls, self.seen = 0, 0, []

    def cancelled(self) -> bool:
        return False

    def settings(self) -> RefinementSettings:
        if self.done + 1 == self.cycle and self.polls == self.poll:
            self.now = replace(self.now, weight=25.0)
        self.polls += 1
        return self.now


def _moved(
    examples: Path, poll: int, cycle: int = 2, name: str = "lyso_c2", **settings: object
) -> tuple[list[CycleFinished], int]:
    """The cycles of a run in which the weight is moved in `cycle` at question `poll`; and how many questions a cycle
    has that nobody disturbs."""
    folder = examples / name
    wanted = RefinementSettings(b_model="isotropic", **settings)  # type: ignore[arg-type]
    control = _Moves(wanted, cycle, poll)
    request = RunRequest(str(folder / f"{name}.pdb.gz"), str(folder / f"{name}.mtz.gz"), settings=wanted)
    cycles, asked = [], 0
    for event in run(request, control):
        if isinstance(event, CycleFinished):
            cycles.append(event)
            asked = control.polls
            control.done, control.polls = event.statistics.cycle, 0
    return cycles, asked


def test_a_weight_moved_anywhere_in_a_cycle_is_in_that_cycle(examples: Path) -> None:
    """Also after its step had been accepted: the step is then taken once more."""
    _, questions = _moved(examples, -1, cycles=2)
    assert questions >= 4
    for poll in (0, questions // 2, questions - 1):
        cycles, _ = _moved(examples, poll, cycles=2)
        weights = [event.statistics.xray_weight for event in cycles]
        assert weights[1] != 25.0 and weights[2] == 25.0, (poll, weights)


def test_a_weight_moved_as_a_run_comes_to_rest_is_not_lost(examples: Path) -> None:
    """The answer to the last question before the end: the run goes on with it."""
    cycles, _ = _moved(examples, -1, name="mdm2_unfinished", cycles=20)
    last = cycles[-1].statistics.cycle
    assert last < 20, "it came to rest by itself"
    moved, _ = _moved(examples, 0, cycle=last + 1, name="mdm2_unfinished", cycles=20)
    assert moved[-1].statistics.cycle > last and moved[-1].statistics.xray_weight == 25.0
