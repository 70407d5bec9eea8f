"""Moments of the French-Wilson posterior: against integrals done otherwise, and at the seam of the two ways."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from workbench.io.french_wilson import FAR, amplitude_moments


@pytest.mark.parametrize("centric", [False, True])
@pytest.mark.parametrize("h", [-6.0, -3.0, -0.5, 0.0, 0.7, 3.0, 7.9, 8.1, 12.0, 40.0])
def test_against_adaptive_integration(h: float, centric: bool) -> None:
    top = np.sqrt(max(h, 0.0))
    edges = [0.0, max(top - 2.0, 0.0) or 0.5, top + 0.5, top + 4.0]

    def moment(k: int) -> float:
        def density(x: float) -> float:
            return x ** (k if centric else k + 1) * np.exp(-0.5 * (x * x - h) ** 2 + 0.5 * min(h, 0.0) ** 2)

        return sum(quad(density, a, b, epsabs=0, epsrel=1e-10)[0] for a, b in pairwise(edges))

    mean = moment(1) / moment(0)
    spread = np.sqrt(moment(2) / moment(0) - mean**2)
    found, error = amplitude_moments(np.array([h]), np.array([centric]))
    assert found[0] == pytest.approx(mean, rel=3e-6)
    assert error[0] == pytest.approx(spread, rel=3e-4)


@pytest.mark.parametrize("centric", [False, True])
def test_smooth_and_finite_for_every_h(centric: bool) -> None:
    h = np.concatenate([np.linspace(-50.0, 60.0, 4001), [1e3, 1e8, 1e20]])
    mean, spread = amplitude_moments(h, np.full(len(h), centric))
    assert np.isfinite(mean).all() and (spread > 0).all() and (np.diff(mean) > 0).all()
    assert mean[-3:] == pytest.approx(np.sqrt(h[-3:]), rel=1e-6)
    near = np.abs(h - FAR) < 0.5
    assert np.abs(np.diff(mean[near], 2)).max() < 1e-4
