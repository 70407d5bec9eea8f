"""Verdicts on runs of which it is known whether they are overfitted (made by verdict_runs.py)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.verdict_records import JudgedRun, judged_runs


@pytest.fixture(scope="module")
def simulated() -> list[JudgedRun]:
    return judged_runs("simulated")


def test_the_truth_agrees_that_the_loose_runs_are_overfitted(simulated: list[JudgedRun]) -> None:
    """Twenty pairs; the end of the loose one is further from the true places of the atoms, by a tenth and more, than
    the model that the sound one returns. (A sound run that goes on past that model loses its way as well.)"""
    sound, loose = simulated[::2], simulated[1::2]
    assert len(sound) == len(loose) == 20
    for usual, other in zip(sound, loose, strict=True):
        assert (usual.kind, other.kind) == ("sound", "overfitted") and usual.record["data"] == other.record["data"]
        assert other.record["coordinate_error"] > 1.1 * usual.record["returned_error"]  # type: ignore[operator]
    sizes = {run.record["n_free"] for run in sound}
    assert min(sizes) <= 150 and max(sizes) >= 900 and len(sizes) > 5


def test_overfitting_is_caught_and_sound_runs_are_left_alone(simulated: list[JudgedRun]) -> None:
    caught = [run for run in simulated if run.kind == "overfitted" and run.verdicts[-1].state == "overfitting"]
    false = [run.name for run in simulated if run.kind == "sound" and "R" in run.letters]
    assert len(caught) >= 18
    assert len(false) <= 1, false
    for run in caught:
        assert "W" in run.letters[: run.letters.index("R")], f"{run.name}: red without amber before"


def test_no_test_set_is_suspected_that_was_drawn_at_random(simulated: list[JudgedRun]) -> None:
    assert not [run.name for run in simulated if "T" in run.letters]


def test_amber_on_sound_runs_says_why(simulated: list[JudgedRun]) -> None:
    for run in simulated:
        last = run.verdicts[-1]
        if run.kind == "sound" and last.state == "watch":
            assert last.remedy and any(rule.fired for rule in last.rules)
            assert any(character.isdigit() for character in last.sentence)


def test_the_gap_of_sound_runs_is_as_wide_as_expected(simulated: list[JudgedRun]) -> None:
    """Tickle's expectation, its spread and the bootstrap error together: z of twenty sound runs has no great offset
    and a scatter of about one."""
    z = np.asarray(
        [
            (v.gap - v.expected_gap) / v.expected_sigma
            for run in simulated
            if run.kind == "sound"
            for v in run.verdicts[-1:]
        ]
    )
    assert abs(z.mean()) < 0.8 and 0.5 < z.std() < 1.5


# ---- real data ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> list[JudgedRun]:
    return judged_runs("real")


def test_healthy_runs_are_never_red_and_end_well(real: list[JudgedRun]) -> None:
    sound = [run for run in real if run.kind == "sound"]
    assert len(sound) == 9
    for run in sound:
        assert "R" not in run.letters and "T" not in run.letters, run.name
        assert run.verdicts[-1].state in ("healthy", "watch"), run.name


def test_overfitting_on_purpose_is_red_in_the_end_and_amber_before(real: list[JudgedRun]) -> None:
    loose = [run for run in real if run.kind == "overfitted"]
    assert len(loose) == 3
    for run in loose:
        assert run.letters.endswith("RR"), run.name
        assert "W" in run.letters[: run.letters.index("R")], run.name
        assert run.verdicts[-1].best_cycle < run.verdicts[-1].cycle or "weight" in run.verdicts[-1].remedy


def test_bad_test_sets_light_their_own_lamp(real: list[JudgedRun]) -> None:
    """Contaminated, foreign, inverted, drawn anew after refinement: never "overfitting", never "healthy"."""
    bad = [run for run in real if run.kind == "test set"]
    assert {run.name for run in bad} == {"fdx_1dur", "gamma", "rnasa, flags inverted", "rnasa, flags drawn anew"}
    for run in bad:
        assert run.verdicts[-1].state == "test set", run.name
        assert "R" not in run.letters and "H" not in run.letters, run.name
