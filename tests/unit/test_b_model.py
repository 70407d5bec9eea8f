"""When anisotropic atoms are tried, and what decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fake_run import recorded_run
from workbench.core.events import CycleFinished, CycleStatistics
from workbench.engine.b_model import EARLIEST, LATEST, LL_GAIN, TRIAL_CYCLES, AnisotropyTrial, supported
from workbench.engine.cross_validation.paired_difference import r_difference

SOME = next(e.statistics for e in recorded_run(cycles=1) if isinstance(e, CycleFinished))


def cycles(*ll_free: float) -> list[CycleStatistics]:
    return [replace(SOME, cycle=i, ll_free=value, n_free=1000) for i, value in enumerate(ll_free)]


def test_a_trial_waits_until_the_isotropic_model_has_settled() -> None:
    assert not AnisotropyTrial().begins(cycles(6.0, 5.0, 4.9999))
    assert not AnisotropyTrial().begins(cycles(6.0, 5.5, 5.2, 5.0))
    assert AnisotropyTrial().begins(cycles(6.0, 5.5, 5.2, 5.199))
    assert AnisotropyTrial().begins(cycles(*(6.0 - 0.1 * i for i in range(LATEST + 1)))), "but not for ever"
    assert not AnisotropyTrial(over=True).begins(cycles(*([5.0] * (EARLIEST + 2))))


def test_an_unclear_trial_gets_more_time() -> None:
    before = cycles(5.0)[0]
    trial = AnisotropyTrial(began=0)
    clear, unclear = 5.0 - 2e-3 * LL_GAIN, 5.0 - 0.5e-3 * LL_GAIN
    assert trial.judges(cycles(5.0, *[clear] * TRIAL_CYCLES), before)
    assert not trial.judges(cycles(5.0, *[unclear] * TRIAL_CYCLES), before)
    assert trial.judges(cycles(5.0, *[unclear] * 2 * TRIAL_CYCLES), before)
    assert trial.judges(cycles(5.0, *[5.1] * TRIAL_CYCLES), before), "worse is clear as well"
    assert not trial.judges(cycles(5.0, clear), before)


def test_a_trial_that_the_user_disturbs_begins_once_more_later() -> None:
    """Weights moved by hand change R_free by themselves; models refined with different ones cannot be compared."""
    usual, moved = (None, (1.0,), None), (2.0, (1.0,), None)
    trial = AnisotropyTrial()
    history = cycles(*([5.0] * (EARLIEST + 1)))
    assert trial.begins(history) and not trial.disturbed(moved)
    trial.start(EARLIEST, usual)
    assert trial.disturbed(moved) and not trial.disturbed(usual)
    trial.put_off(history)
    assert trial.pending and not trial.disturbed(moved)
    assert not trial.begins(history + cycles(5.0)), "what was counted before counts no more"
    assert trial.begins(history + cycles(*([5.0] * (EARLIEST + 1))))


def test_likelihood_and_r_free_must_both_agree() -> None:
    before, after = cycles(5.0, 4.99)
    assert supported(before, after, -0.004, 0.002)
    assert not supported(before, after, -0.0005, 0.002), "within the noise of R_free"
    assert not supported(before, replace(after, ll_free=4.9999), -0.004, 0.002), "not more likely"


def test_paired_difference_against_drawing_again() -> None:
    """sigma(dR) is the spread that a bootstrap over the same reflections finds, and far below that of R itself."""
    rng = np.random.default_rng(4)
    f = rng.rayleigh(100.0, 1000)
    shared = rng.normal(size=1000) * 20
    first, second = f + shared + rng.normal(size=1000) * 4, f + shared + rng.normal(size=1000) * 4.5
    difference, sigma = r_difference(f, first, second)
    draws = rng.integers(0, 1000, (2000, 1000))
    d = np.abs(f - first) - np.abs(f - second)
    spread = (d[draws].sum(axis=1) / f[draws].sum(axis=1)).std()
    assert sigma == pytest.approx(spread, rel=0.1)
    assert sigma < 0.5 * (np.abs(f - first)[draws].sum(axis=1) / f[draws].sum(axis=1)).std()
    assert difference == pytest.approx(d.sum() / f.sum())
    assert r_difference(f, first, first)[0] == 0.0
    assert np.isnan(r_difference(f[:1], first[:1], second[:1])[1])
