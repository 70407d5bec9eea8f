"""The amplitude likelihood: a true density, safe numerics, right derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine.xray.likelihood import (
    amplitude_likelihood,
    negative_log_likelihood,
    negative_log_likelihood_slopes,
)


def arrays(n: int, **values: float) -> tuple[np.ndarray, ...]:
    return tuple(np.full(n, value) for value in values.values())


@pytest.mark.parametrize("centric", [False, True])
@pytest.mark.parametrize(
    ("f_model", "d", "s", "epsilon"), [(0.0, 0.9, 30.0, 1.0), (12.0, 0.8, 9.0, 2.0), (40.0, 0.95, 4.0, 1.0)]
)
def test_the_density_of_f_obs_integrates_to_one(
    centric: bool, f_model: float, d: float, s: float, epsilon: float
) -> None:
    f_obs = np.linspace(1e-7, 120.0, 240_001)
    n = len(f_obs)
    sigma, model, dd, ss, eps = arrays(n, a=1.5, b=f_model, c=d, d=s, e=epsilon)
    ll = amplitude_likelihood(f_obs, sigma, model, dd, ss, eps, np.full(n, centric)).ll
    assert np.trapezoid(np.exp(-ll), f_obs) == pytest.approx(1.0, abs=2e-4)


@settings(max_examples=60, deadline=None)
@given(
    f_obs=st.floats(0.1, 80.0),
    f_model=st.floats(0.5, 80.0),
    d=st.floats(0.05, 0.99),
    s=st.floats(1.0, 300.0),
    centric=st.booleans(),
)
def test_first_derivatives_by_finite_differences(
    f_obs: float, f_model: float, d: float, s: float, centric: bool
) -> None:
    one = [np.array([value]) for value in (f_obs, 1.2, f_model, d, s, 2.0)]
    flag = np.array([centric])

    def value(index: int, shift: float) -> float:
        moved = [a.copy() for a in one]
        moved[index] += shift
        return float(negative_log_likelihood(*moved, flag)[0])

    result = amplitude_likelihood(*one, flag)
    _, by_d, by_s = negative_log_likelihood_slopes(*one, flag)
    for index, step, derivative in ((2, 1e-4, result.d1[0]), (3, 1e-5, by_d[0]), (4, 1e-4 * s, by_s[0])):
        numerical = (value(index, step) - value(index, -step)) / (2.0 * step)
        assert derivative == pytest.approx(numerical, rel=1e-6, abs=2e-6 * max(1.0, abs(one[index][0])))


@pytest.mark.parametrize("centric", [False, True])
@pytest.mark.parametrize("f_model", [4.0, 10.0, 30.0, 200.0])
def test_curvature_is_the_mean_second_derivative(centric: bool, f_model: float) -> None:
    """Fisher information: the second derivative averaged over the observations the model expects."""
    f_obs = np.linspace(1e-6, f_model + 80.0, 60_001)
    n = len(f_obs)
    flags = np.full(n, centric)
    sigma, model, d, s, epsilon = arrays(n, a=1.0, b=f_model, c=0.9, d=20.0, e=1.0)
    result = amplitude_likelihood(f_obs, sigma, model, d, s, epsilon, flags)
    step = 1e-3
    up = amplitude_likelihood(f_obs, sigma, model + step, d, s, epsilon, flags).d1
    down = amplitude_likelihood(f_obs, sigma, model - step, d, s, epsilon, flags).d1
    mean = np.trapezoid(np.exp(-result.ll) * (up - down) / (2.0 * step), f_obs)
    assert np.ptp(result.d2) == 0.0
    assert result.d2[0] == pytest.approx(mean, rel=0.02)


def test_extreme_values_stay_finite() -> None:
    f_obs = np.array([1e-6, 1e6, 1e6, 1e-6, 3.0])
    f_model = np.array([1e6, 1e6, 1e-9, 1e-9, 0.0])
    for centric in (False, True):
        result = amplitude_likelihood(
            f_obs, np.full(5, 1e-3), f_model, np.full(5, 0.999), np.full(5, 1e-3), np.ones(5), np.full(5, centric)
        )
        for name in ("ll", "d1", "d2", "fom"):
            assert np.all(np.isfinite(getattr(result, name))), name
        assert np.all(result.d2 > 0.0)
        assert np.all((result.fom >= 0.0) & (result.fom <= 1.0))
