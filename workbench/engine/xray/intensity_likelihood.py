"""Likelihood of measured intensities given model amplitudes: weak and negative ones count as they were measured.

    p(I | Fc) = integral over x = |F| from 0 of  p(x | D Fc, epsilon S)  N(I - x^2; sigma_I)  dx

p(x | D Fc, epsilon S) is the Rice (acentric) or Woolfson (centric) distribution of `likelihood` without sigma_F in its
variance, N a Gaussian: the measurement has its own, and no amplitude is made of it beforehand. Sources: French & Wilson
(1978), Acta Cryst. A34, 517 (the integral, with Wilson's distribution in place of the model's); Pannu & Read (1996),
Acta Cryst. A52, 659 (the likelihood of intensities). How it is integrated, and how well: `intensity_kernel`.

With c = 2 acentric, 1 centric, m = I1/I0(2 x D Fc / Sigma) or tanh(x D Fc / Sigma), Sigma = epsilon S, and < > over the
distribution of x given I:

    -d log p / d(D Fc) = c (D Fc - <x m>) / Sigma
    -d log p / dSigma  = c (1 - <x^2 + (D Fc)^2 - 2 x m D Fc> / Sigma) / (2 Sigma)

Intensities are on the absolute scale (electrons^2), amplitudes in electrons.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import map_coordinates

from workbench.core.arrays import BoolArray, FloatArray
from workbench.core.errors import InputError
from workbench.engine.xray.intensity_kernel import integrate
from workbench.engine.xray.likelihood import SMALLEST_INFORMATION, Likelihood

_FARTHEST = 8.0
"""D Fc / Sigma^(1/2) up to which the table of expected information reaches."""
_STEP_U, _STEP_TAU = 0.25, 0.1
_LEAST_NOISE = 1e-3
"""Stands for none in that table."""
_BEST = 1e-7
"""sigma / I; nobody measures better, and the difference of I and x^2 must have digits left."""
_LEAST_ERROR, _MOST_ERROR = 1e-12, 1e100
"""Bounds of epsilon S: of (D Fc)^2 + sigma, far below what a measurement could tell from nothing; and a number that can
still be multiplied."""


def intensity_likelihood(
    i_obs: FloatArray,
    sigma: FloatArray,
    f_model: FloatArray,
    d: FloatArray,
    s: FloatArray,
    epsilon: FloatArray,
    centric: BoolArray,
) -> Likelihood:
    """Negative log-likelihood of intensities with its derivatives with respect to |F_model|, as `amplitude_likelihood`.

    i_obs, sigma: (n,) electrons^2, sigma > 0, i_obs of any sign. f_model, d, s, epsilon, centric: (n,) as there. fom is
    <m>. Raises InputError where a sigma is not positive.
    """
    mean = d * f_model
    variance = _variance(epsilon * s, mean, sigma)
    found = _integrals(i_obs, sigma, mean, variance, centric)
    per = np.where(centric, 1.0, 2.0) / variance
    return Likelihood(
        ll=found[0],
        d1=d * per * (mean - found[1]),
        d2=d * d * expected_information(mean, variance, sigma, centric),
        fom=found[3],
    )


def negative_log_likelihood_of_intensity(
    i_obs: FloatArray,
    sigma: FloatArray,
    f_model: FloatArray,
    d: FloatArray,
    s: FloatArray,
    epsilon: FloatArray,
    centric: BoolArray,
) -> FloatArray:
    """(n,) only the `ll` of `intensity_likelihood`."""
    mean = d * f_model
    return np.asarray(_integrals(i_obs, sigma, mean, _variance(epsilon * s, mean, sigma), centric)[0])


def intensity_slopes(
    i_obs: FloatArray,
    sigma: FloatArray,
    f_model: FloatArray,
    d: FloatArray,
    s: FloatArray,
    epsilon: FloatArray,
    centric: BoolArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n,) `ll` with its derivatives with respect to D and S, for the estimation of sigma_A."""
    mean = d * f_model
    variance = _variance(epsilon * s, mean, sigma)
    found = _integrals(i_obs, sigma, mean, variance, centric)
    per = np.where(centric, 1.0, 2.0) / variance
    squares = found[2] + mean * mean - 2.0 * found[1] * mean
    return found[0], per * f_model * (mean - found[1]), 0.5 * per * epsilon * (1.0 - squares / variance)


def expected_information(mean: FloatArray, variance: FloatArray, sigma: FloatArray, centric: BoolArray) -> FloatArray:
    """(n,) Fisher information about mean = D Fc that an intensity with this sigma is expected to carry, electrons^-2.

    From mean and variance of I alone it would be  4 (D Fc)^2 / (sigma^2 + v),  v = 2 Sigma (D Fc)^2 + Sigma^2 (twice
    that if centric): no less is ever there, and no more for D Fc = 0, for strong reflections or much noise. What is
    more between these limits is tabulated as a factor. The floor is that of the amplitudes, with the error of a strong
    amplitude of the same sigma.
    """
    spread = np.where(centric, 2.0, 1.0) * variance * (2.0 * mean * mean + variance)
    u = mean / np.sqrt(variance)
    tau = sigma / np.sqrt(spread)
    where = np.stack([np.minimum(u, _FARTHEST) / _STEP_U, tau / (1.0 + tau) / _STEP_TAU])
    acentric_table, centric_table = _information_tables()
    more = np.where(
        centric,
        map_coordinates(centric_table, where, order=1, mode="nearest"),
        map_coordinates(acentric_table, where, order=1, mode="nearest"),
    )
    more *= np.minimum(_FARTHEST / np.maximum(u, 1e-12), 1.0) ** 2
    information = 4.0 * mean * mean / (sigma * sigma + spread) * (1.0 + more)
    wide = variance * np.where(centric, 1.0, 0.5)
    floor = SMALLEST_INFORMATION / (wide + sigma * sigma / (4.0 * (mean * mean + variance)))
    return np.asarray(np.maximum(information, floor))


def _variance(variance: FloatArray, mean: FloatArray, sigma: FloatArray) -> FloatArray:
    """(n,) kept where numbers can follow: a model without any error is as good as one with _LEAST_ERROR."""
    return np.asarray(np.clip(variance, _LEAST_ERROR * (mean * mean + np.abs(sigma)), _MOST_ERROR))


def _integrals(
    i_obs: FloatArray, sigma: FloatArray, mean: FloatArray, variance: FloatArray, centric: BoolArray
) -> FloatArray:
    """(4, n) of `intensity_kernel.integrate`."""
    unknown = int(np.count_nonzero(~(sigma > 0.0)))
    if unknown:
        raise InputError(
            f"{unknown} intensities have no positive sigma: nothing says how well they were measured.",
            remedy="Leave them out, or refine against amplitudes.",
        )
    out = np.empty((4, len(i_obs)))
    sigma = np.maximum(sigma, _BEST * np.abs(i_obs))
    i_obs, sigma, mean, variance = (np.ascontiguousarray(each) for each in (i_obs, sigma, mean, variance))
    integrate(i_obs, sigma, mean, variance, np.ascontiguousarray(centric), out)
    return out


@lru_cache(maxsize=1)
def _information_tables() -> tuple[FloatArray, FloatArray]:
    """By u = D Fc / Sigma^(1/2) and tau / (1 + tau), tau = sigma / v^(1/2): by which part the mean square of the
    derivative of log p exceeds what mean and variance of I tell. The mean is over the x and the noise that the
    distributions foresee."""
    nodes, weights = np.polynomial.legendre.leggauss(48)
    noise, noise_weights = np.polynomial.hermite_e.hermegauss(13)
    noise_weights = noise_weights / noise_weights.sum()
    us = np.arange(round(_FARTHEST / _STEP_U) + 1) * _STEP_U
    parts = np.arange(round(1.0 / _STEP_TAU)) * _STEP_TAU
    taus = np.maximum(parts / (1.0 - parts), _LEAST_NOISE)
    tables = []
    for flat in (False, True):
        c = 1.0 if flat else 2.0
        table = np.zeros((len(us), len(taus) + 1))
        for row, u in enumerate(us):
            mean = max(u, 1e-3)
            low, high = max(mean - 7.0 / np.sqrt(c), 0.0), mean + 7.0 / np.sqrt(c)
            x = low + 0.5 * (high - low) * (nodes + 1.0)
            if flat:
                density = np.exp(-0.5 * (x - mean) ** 2) * (1.0 + np.exp(-2.0 * x * mean))
            else:
                z = 2.0 * x * mean
                density = x * np.exp(-((x - mean) ** 2)) * np.i0(z) * np.exp(-z)
            density *= weights / np.sum(density * weights)
            spread = (2.0 if flat else 1.0) * (2.0 * mean * mean + 1.0)
            sigma = (taus * np.sqrt(spread))[:, None, None]
            i_obs = (x * x)[None, :, None] + sigma * noise
            size = i_obs.size
            found = _integrals(
                i_obs.ravel(),
                np.broadcast_to(sigma, i_obs.shape).ravel(),
                np.full(size, mean),
                np.ones(size),
                np.full(size, flat),
            )[1].reshape(i_obs.shape)
            square = np.einsum("tin,i,n->t", (c * (mean - found)) ** 2, density, noise_weights)
            plain = 4.0 * mean * mean / (spread * (1.0 + taus**2))
            table[row, :-1] = square / plain - 1.0
        tables.append(table)
    return tables[0], tables[1]
