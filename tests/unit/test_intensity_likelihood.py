"""The likelihood of intensities: a true density, exact to a stated error, right derivatives, safe at every extreme."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import i0e, i1e

from workbench.core.errors import InputError
from workbench.engine.xray.bessel import scaled_bessel
from workbench.engine.xray.intensity_likelihood import (
    expected_information,
    intensity_likelihood,
    intensity_slopes,
    negative_log_likelihood_of_intensity,
)
from workbench.engine.xray.intensity_scale import intensity_scale
from workbench.engine.xray.likelihood import amplitude_likelihood

ERROR = 1e-6
"""The stated one of the integration, relative."""


def test_bessel_functions() -> None:
    for x in (0.0, 1e-12, 0.3, 4.0, 7.999999, 8.0, 8.000001, 30.0, 1e3, 1e9):
        assert scaled_bessel(x) == pytest.approx((float(i0e(x)), float(i1e(x))), rel=1e-12, abs=1e-300)


def adaptive(
    i_obs: float, sigma: float, mean: float, variance: float, centric: bool
) -> tuple[float, float, float, float]:
    """-log p, <x m>, <x^2>, <m> by adaptive Gauss-Kronrod integration of the definition."""

    def log_f(x: np.ndarray | float) -> np.ndarray:
        noise = -0.5 * ((np.square(x) - i_obs) / sigma) ** 2
        z = 2.0 * np.asarray(x) * mean / variance
        if centric:
            return noise - (x - mean) ** 2 / (2.0 * variance) + np.log1p(np.exp(-z)) - np.log(2.0)
        with np.errstate(divide="ignore"):
            return noise - (x - mean) ** 2 / variance + np.log(x) + np.log(i0e(z))

    end = mean + np.sqrt(max(i_obs, 0.0)) + 12.0 * np.sqrt(variance) + 5.0 * np.sqrt(sigma)
    grid = np.linspace(0.0, end, 2_000_001)
    values = log_f(grid)
    top, inside = values.max(), np.flatnonzero(values > values.max() - 40.0)
    low, high = grid[max(inside[0] - 1, 0)], grid[min(inside[-1] + 1, len(grid) - 1)]

    def moment(weight: object) -> float:
        def integrand(x: float) -> float:
            return float(np.exp(log_f(x) - top)) * weight(x)  # type: ignore[operator]

        middle = float(grid[values.argmax()])
        pieces = np.unique(np.clip([low, 0.5 * (low + middle), middle, 0.5 * (middle + high), high], low, high))
        return sum(quad(integrand, a, b, epsabs=0.0, epsrel=1e-11, limit=200)[0] for a, b in pairwise(pieces))

    def merit(x: float) -> float:
        z = 2.0 * x * mean / variance
        return float(np.tanh(0.5 * z) if centric else i1e(z) / i0e(z))

    total = moment(lambda x: 1.0)
    norm = np.sqrt(2.0 / (np.pi * variance)) if centric else 2.0 / variance
    ll = -(np.log(total * norm / (sigma * np.sqrt(2.0 * np.pi))) + top)
    means = [moment(weight) / total for weight in (lambda x: x * merit(x), lambda x: x * x, merit)]
    return float(ll), means[0], means[1], means[2]


@pytest.mark.parametrize("centric", [False, True])
@pytest.mark.parametrize("ratio", [0.01, 0.8, 3.0, 25.0])
@pytest.mark.parametrize("noise", [1e-3, 0.3, 3.0, 300.0])
@pytest.mark.parametrize("off", [-8.0, -3.0, 0.0, 5.0])
def test_against_adaptive_integration(centric: bool, ratio: float, noise: float, off: float) -> None:
    """off: how many sigma the measurement lies from what the model expects."""
    variance, epsilon, d = 40.0, 2.0, 0.8
    mean = ratio * np.sqrt(variance)
    sigma = noise * (variance + mean * np.sqrt(variance))
    i_obs = mean**2 + 0.5 * variance + off * sigma
    one = [np.array([v]) for v in (i_obs, sigma, mean / d, d, variance / epsilon, epsilon)]
    flags = np.array([centric])
    ll, xm, xx, m = adaptive(i_obs, sigma, mean, variance, centric)
    found = intensity_likelihood(*one, flags)
    slopes = intensity_slopes(*one, flags)
    c = 1.0 if centric else 2.0
    assert found.ll[0] == pytest.approx(ll, abs=ERROR)
    assert found.fom[0] == pytest.approx(m, rel=ERROR)
    size = c * (mean + xm) / variance  # of the two terms whose difference the derivative is
    assert found.d1[0] == pytest.approx(d * c / variance * (mean - xm), abs=ERROR * size)
    squares = xx + mean**2 + 2.0 * xm * mean
    by_s = 0.5 * c * epsilon / variance * (1.0 - (xx + mean**2 - 2.0 * xm * mean) / variance)
    assert slopes[0][0] == found.ll[0]
    assert slopes[1][0] == pytest.approx(found.d1[0] * mean / d / d, rel=1e-9, abs=1e-12)
    assert slopes[2][0] == pytest.approx(by_s, abs=ERROR * epsilon / variance * (1.0 + squares / variance))


@pytest.mark.parametrize("centric", [False, True])
@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 0.5), (0.0, 40.0), (6.0, 10.0), (40.0, 3.0)])
def test_the_density_of_i_obs_integrates_to_one(centric: bool, mean: float, sigma: float) -> None:
    variance = 9.0
    i_obs = np.linspace(-9.0 * sigma, (mean + 8.0 * np.sqrt(variance)) ** 2 + 9.0 * sigma, 200_001)
    full = np.full
    n = len(i_obs)
    ll = negative_log_likelihood_of_intensity(
        i_obs, full(n, sigma), full(n, mean), full(n, 1.0), full(n, variance), full(n, 1.0), full(n, centric)
    )
    assert np.trapezoid(np.exp(-ll), i_obs) == pytest.approx(1.0, abs=1e-5)


@settings(max_examples=80, deadline=None)
@given(
    i_obs=st.floats(-300.0, 6000.0),
    sigma=st.floats(1.0, 500.0),
    f_model=st.floats(0.5, 80.0),
    d=st.floats(0.05, 0.99),
    s=st.floats(1.0, 300.0),
    centric=st.booleans(),
)
def test_first_derivatives_by_finite_differences(
    i_obs: float, sigma: float, f_model: float, d: float, s: float, centric: bool
) -> None:
    one = [np.array([value]) for value in (i_obs, sigma, f_model, d, s, 2.0)]
    flag = np.array([centric])

    def value(index: int, shift: float) -> float:
        moved = [a.copy() for a in one]
        moved[index] += shift
        return float(negative_log_likelihood_of_intensity(*moved, flag)[0])

    result = intensity_likelihood(*one, flag)
    _, by_d, by_s = intensity_slopes(*one, flag)
    for index, step, derivative in ((2, 1e-2, result.d1[0]), (3, 1e-3, by_d[0]), (4, 2e-3 * s, by_s[0])):
        plain = (value(index, step) - value(index, -step)) / (2.0 * step)
        wide = (value(index, 2.0 * step) - value(index, -2.0 * step)) / (4.0 * step)
        numerical = (4.0 * plain - wide) / 3.0  # without the error of second order
        # the error of integration may differ from one side to the other
        assert derivative == pytest.approx(numerical, rel=2e-4, abs=2e-7 * (1.0 + abs(result.ll[0])) / step)


@pytest.mark.parametrize("centric", [False, True])
@pytest.mark.parametrize("ratio", [0.2, 1.0, 2.6, 7.0, 20.0])
@pytest.mark.parametrize("tau", [0.05, 0.5, 1.6, 9.0])
def test_curvature_is_the_mean_square_of_the_slope(centric: bool, ratio: float, tau: float) -> None:
    """Fisher information, over the observations the model expects."""
    variance = 20.0
    mean = ratio * np.sqrt(variance)
    sigma = tau * np.sqrt((2.0 if centric else 1.0) * variance * (2.0 * mean**2 + variance))
    i_obs = np.linspace(-9.0 * sigma, (mean + 9.0 * np.sqrt(variance)) ** 2 + 9.0 * sigma, 60_001)
    n, full = len(i_obs), np.full
    result = intensity_likelihood(
        i_obs, full(n, sigma), full(n, mean), full(n, 1.0), full(n, variance), full(n, 1.0), full(n, centric)
    )
    expected = np.trapezoid(np.exp(-result.ll) * result.d1**2, i_obs)
    assert np.ptp(result.d2) == 0.0
    assert result.d2[0] == pytest.approx(expected, rel=0.03)


@settings(max_examples=60, deadline=None)
@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 1000))
def test_scale(scale: float, seed: int) -> None:
    """I times k^2 with F_model times k: the density falls by k^2, slopes by k, curvature by k^2."""
    rng = np.random.default_rng(seed)
    n = 20
    i_obs, sigma = rng.normal(200.0, 300.0, n), rng.uniform(0.5, 400.0, n)
    f_model, d, s = rng.uniform(0.0, 40.0, n), rng.uniform(0.1, 0.99, n), rng.uniform(2.0, 200.0, n)
    epsilon, centric = np.ones(n), rng.random(n) < 0.5
    one = intensity_likelihood(i_obs, sigma, f_model, d, s, epsilon, centric)
    k2 = scale * scale
    other = intensity_likelihood(k2 * i_obs, k2 * sigma, scale * f_model, d, k2 * s, epsilon, centric)
    np.testing.assert_allclose(other.ll, one.ll + np.log(k2), atol=1e-6)
    np.testing.assert_allclose(other.d1 * scale, one.d1, rtol=1e-5, atol=1e-6 * np.abs(one.d1).max())
    np.testing.assert_allclose(other.d2 * k2, one.d2, rtol=1e-9)
    np.testing.assert_allclose(other.fom, one.fom, atol=1e-6)


def test_without_noise_it_is_the_likelihood_of_the_amplitude() -> None:
    """p(I) dI = p(F) dF, with the error of F that goes with a small one of I."""
    rng = np.random.default_rng(2)
    n = 500
    f_model, s = rng.uniform(5.0, 60.0, n), rng.uniform(20.0, 90.0, n)
    d, epsilon, centric = np.full(n, 0.9), rng.choice([1.0, 2.0], n), rng.random(n) < 0.4
    f_obs = rng.uniform(3.0, 60.0, n)
    sigma_f = 1e-4 * f_obs
    one = intensity_likelihood(f_obs**2, 2.0 * f_obs * sigma_f, f_model, d, s, epsilon, centric)
    other = amplitude_likelihood(f_obs, sigma_f, f_model, d, s, epsilon, centric)
    np.testing.assert_allclose(one.ll, other.ll + np.log(2.0 * f_obs), atol=1e-5)
    np.testing.assert_allclose(one.d1, other.d1, atol=1e-4 * np.abs(other.d1).max())
    np.testing.assert_allclose(one.fom, other.fom, atol=1e-5)
    np.testing.assert_allclose(one.d2, other.d2, rtol=0.03)


def test_much_noise_leaves_the_gaussian() -> None:
    n = 200
    rng = np.random.default_rng(3)
    f_model, s, d = rng.uniform(0.0, 30.0, n), np.full(n, 25.0), np.full(n, 0.9)
    centric = rng.random(n) < 0.5
    sigma = np.full(n, 1e6)
    i_obs = sigma * rng.normal(size=n)
    mean = (d * f_model) ** 2 + s
    spread = sigma**2 + np.where(centric, 2.0, 1.0) * s * (2.0 * (d * f_model) ** 2 + s)
    found = intensity_likelihood(i_obs, sigma, f_model, d, s, np.ones(n), centric)
    gaussian = 0.5 * (i_obs - mean) ** 2 / spread + 0.5 * np.log(2.0 * np.pi * spread)
    np.testing.assert_allclose(found.ll, gaussian, atol=1e-5)
    np.testing.assert_allclose(found.d1, -(i_obs - mean) / spread * 2.0 * d**2 * f_model, rtol=0.01, atol=1e-8)


@pytest.mark.parametrize("centric", [False, True])
def test_extreme_values_stay_finite(centric: bool) -> None:
    i_obs = np.array([-1e6, -1e3, 0.0, 1e12, 1e12, 1e-6, 1e12, -1e9, 0.0, 5.0])
    sigma = np.array([1.0, 1e3, 1e-6, 1e4, 1e6, 1e9, 1e3, 1e2, 1e9, 1e-4])
    f_model = np.array([10.0, 1e6, 1e6, 1e6, 1e-6, 0.0, 0.0, 1e5, 1e-9, 1e3])
    n = len(i_obs)
    result = intensity_likelihood(
        i_obs, sigma, f_model, np.full(n, 0.9), np.full(n, 5.0), np.ones(n), np.full(n, centric)
    )
    for values in (result.ll, result.d1, result.d2, result.fom):
        assert np.all(np.isfinite(values))
    assert np.all(result.d2 > 0.0)
    assert np.all((result.fom >= 0.0) & (result.fom <= 1.0))


def test_a_more_negative_intensity_asks_for_a_smaller_model() -> None:
    i_obs = np.linspace(-50.0, 50.0, 101)
    n, full = len(i_obs), np.full
    for centric in (False, True):
        found = intensity_likelihood(
            i_obs, full(n, 10.0), full(n, 5.0), full(n, 0.9), full(n, 20.0), full(n, 1.0), full(n, centric)
        )
        assert np.all(np.diff(found.d1) < 0.0)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan])
def test_a_measurement_without_sigma_is_refused(sigma: float) -> None:
    two = np.ones(2)
    with pytest.raises(InputError, match="no positive sigma"):
        intensity_likelihood(two, np.array([1.0, sigma]), two, two, two, two, np.zeros(2, dtype=bool))


def test_information_never_vanishes() -> None:
    mean = np.linspace(0.0, 100.0, 50)
    for centric in (False, True):
        found = expected_information(mean, np.full(50, 4.0), np.full(50, 3.0), np.full(50, centric))
        assert np.all(found > 0.0)


@pytest.mark.parametrize("decades", [1.0, 4.0, 8.0])
def test_no_numbers_break_it(decades: float) -> None:
    """Everything over many decades, apart from each other; errors of the model of none and without end included."""
    rng = np.random.default_rng(1)
    n = 20_000

    def drawn(power: float) -> np.ndarray:
        return 10.0 ** (power * rng.uniform(-decades / 2.0, decades / 2.0, n))

    i_obs, sigma, f_model, s = rng.normal(size=n) * drawn(2.0), drawn(2.0), drawn(1.0), drawn(2.0)
    i_obs[::13], f_model[::17], s[::101], s[1::101] = 0.0, 0.0, 0.0, np.inf
    flags = rng.random(n) < 0.5
    arguments = (i_obs, sigma, f_model, np.full(n, 0.9), s, np.ones(n), flags)
    found = intensity_likelihood(*arguments)
    for values in (found.ll, found.d1, found.d2, found.fom, *intensity_slopes(*arguments)[1:]):
        assert np.all(np.isfinite(values))
    assert np.all((found.fom >= 0.0) & (found.fom <= 1.0 + 1e-12))


def test_scale_of_intensities_makes_their_mean_that_of_the_model() -> None:
    rng = np.random.default_rng(6)
    n = 6000
    s_sq = np.sort(rng.uniform(0.01, 0.25, n))
    epsilon = rng.choice([1.0, 2.0], n)
    power = 100.0 * epsilon * np.exp(-20.0 * s_sq)
    model = power * rng.exponential(size=n)
    truth = 0.8 * np.exp(2.0 * s_sq)  # what the amplitudes' scale got wrong
    sigma = np.full(n, 40.0)  # the high half is noise
    i_obs = truth * (0.7 * model + 0.3 * power * rng.exponential(size=n)) + sigma * rng.normal(size=n)
    assert np.sum(i_obs < 0.0) > 1000
    found = intensity_scale(i_obs, sigma, model, s_sq, epsilon, s_sq)
    strong = power > sigma
    assert np.mean(np.abs(np.log(found / truth))[strong]) < 0.06
    assert np.all((found > 0.25 - 1e-9) & (found < 4.0 + 1e-9))
    # noise alone says little, and a model of nothing less
    nothing = intensity_scale(np.zeros(n), np.full(n, 1e9), model, s_sq, epsilon, s_sq)
    np.testing.assert_allclose(nothing, 1.0, atol=1e-3)
    none = np.empty(0)
    assert np.all(intensity_scale(none, none, none, none, none, s_sq) == 1.0)
