"""r.m.s. Z that misbuilt spots do not move."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.engine.geometry.statistics import BULK_ANGLES, MISBUILT, bulk_rmsz


def test_a_few_wild_restraints_do_not_count() -> None:
    z = np.random.default_rng(0).normal(0.0, 0.8, 5000)
    sound = bulk_rmsz(z, BULK_ANGLES)
    wild = z.copy()
    wild[: int(0.5 * MISBUILT * len(z))] = 12.0
    assert np.sqrt(np.mean(wild**2)) > 1.4
    assert bulk_rmsz(wild, BULK_ANGLES) == pytest.approx(sound, rel=0.03)


def test_everything_strained_counts() -> None:
    z = np.random.default_rng(1).normal(0.0, 1.0, 5000)
    assert bulk_rmsz(1.5 * z, BULK_ANGLES) == pytest.approx(1.5 * bulk_rmsz(z, BULK_ANGLES))


def test_normal_deviations_need_a_factor_of_1_07() -> None:
    """The consistency factor of a normal distribution, by numerical integration: the tails of models in order are
    longer, so that theirs are larger."""
    x = np.linspace(-2.3263, 2.3263, 20001)  # holds 98 %
    density = np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)
    factor = 1.0 / np.sqrt(np.trapezoid(x * x * density, x) / 0.98)
    assert factor == pytest.approx(1.070, abs=2e-3)
    z = np.random.default_rng(2).normal(0.0, 1.0, 200_000)
    assert bulk_rmsz(z, factor) == pytest.approx(1.0, abs=0.01)


def test_few_or_none() -> None:
    assert np.isnan(bulk_rmsz(np.empty(0), BULK_ANGLES))
    assert bulk_rmsz(np.array([2.0]), 1.0) == pytest.approx(2.0)
