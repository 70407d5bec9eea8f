"""Likelihood of observed amplitudes given model amplitudes.

With Fc = |F_model|, Sigma = c' sigma_F^2 + epsilon S (c' = 2 acentric, 1 centric) and X = 2 F_obs D Fc / Sigma:

    acentric (Rice)     p = (2 F_obs / Sigma) exp(-(F_obs^2 + D^2 Fc^2) / Sigma) I0(X)
    centric (Woolfson)  p = (2 / (pi Sigma))^(1/2) exp(-(F_obs^2 + D^2 Fc^2) / (2 Sigma)) cosh(X / 2)

Sources: Read (1990), Acta Cryst. A46, 900; Murshudov, Vagin & Dodson (1997), Acta Cryst. D53, 240 (sigma_F joins the
variance). Every amplitude is on the absolute scale (electrons).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import i0e, i1e

from workbench.core.arrays import BoolArray, FloatArray
from workbench.engine.xray.likelihood_kernel import from_tables, negative_log

_STEP = 0.05
"""Of the tables, in D Fc / sqrt(Sigma)."""
SMALLEST_INFORMATION = 0.02
"""Floor of the expected curvature, as a fraction of its value for strong reflections."""


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Per reflection (n,): ll = -log p(F_obs | F_model), constants included, lower is better; d1 = d ll / d|F_model|;
    d2 = expected second derivative (Fisher information), always positive; fom = figure of merit m."""

    ll: FloatArray
    d1: FloatArray
    d2: FloatArray
    fom: FloatArray


def amplitude_likelihood(
    f_obs: FloatArray,
    sigma: FloatArray,
    f_model: FloatArray,
    d: FloatArray,
    s: FloatArray,
    epsilon: FloatArray,
    centric: BoolArray,
) -> Likelihood:
    """Negative log-likelihood with its derivatives with respect to |F_model|.

    f_obs, sigma, f_model: (n,) electrons, f_obs > 0. d: (n,) D of sigma_A theory. s: (n,) its variance S without
    epsilon, electrons^2. epsilon, centric: (n,) of each reflection.
    """
    variance = total_variance(sigma, s, epsilon, centric)
    mean = d * f_model
    ll, fom = negative_log(f_obs, mean, variance, centric)
    per = np.where(centric, 1.0, 2.0) / variance
    d1 = d * per * (mean - fom * f_obs)
    d2 = d * d * per * _expected_information(mean / np.sqrt(variance), centric)
    return Likelihood(ll=ll, d1=d1, d2=d2, fom=fom)


def negative_log_likelihood(
    f_obs: FloatArray,
    sigma: FloatArray,
    f_model: FloatArray,
    d: FloatArray,
    s: FloatArray,
    epsilon: FloatArray,
    centric: BoolArray,
) -> FloatArray:
    """(n,) only the `ll` of `amplitude_likelihood`."""
    return negative_log(f_obs, d * f_model, total_variance(sigma, s, epsilon, centric), centric)[0]


def negative_log_likelihood_slopes(
    f_obs: FloatArray,
    sigma: FloatArray,
    f_model: FloatArray,
    d: FloatArray,
    s: FloatArray,
    epsilon: FloatArray,
    centric: BoolArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n,) `ll` with its derivatives with respect to D and S, for the estimation of sigma_A."""
    variance = total_variance(sigma, s, epsilon, centric)
    mean = d * f_model
    ll, fom = negative_log(f_obs, mean, variance, centric)
    per = np.where(centric, 1.0, 2.0) / variance
    by_d = per * f_model * (mean - fom * f_obs)
    squares = f_obs * f_obs + mean * mean - 2.0 * fom * f_obs * mean
    by_s = 0.5 * per * epsilon * (1.0 - squares / variance)
    return ll, by_d, by_s


def total_variance(sigma: FloatArray, s: FloatArray, epsilon: FloatArray, centric: BoolArray) -> FloatArray:
    """(n,) Sigma = 2 sigma_F^2 + epsilon S (acentric) or sigma_F^2 + epsilon S (centric), electrons^2."""
    return np.asarray(np.where(centric, 1.0, 2.0) * sigma * sigma + epsilon * s)


def _expected_information(ratio: FloatArray, centric: BoolArray) -> FloatArray:
    """(n,) Fisher information about D Fc, as a fraction of its limit for strong reflections (2/Sigma acentric,
    1/Sigma centric). ratio: (n,) D Fc / sqrt(Sigma)."""
    found = from_tables(ratio, _STEP, *_information_tables(), centric)
    return np.asarray(np.maximum(found, SMALLEST_INFORMATION), dtype=np.float64)


@lru_cache(maxsize=1)
def _information_tables() -> tuple[FloatArray, FloatArray]:
    """E[(score)^2], acentric and centric, by numerical integration over u = F_obs / sqrt(Sigma) for
    x = D Fc / sqrt(Sigma) = 0, _STEP ... 8, where the distributions have become Gaussian."""
    u = np.linspace(1e-6, 14.0, 561)
    step = u[1] - u[0]
    x = _STEP * np.arange(round(8.0 / _STEP) + 1)[:, None]
    z = 2.0 * u * x
    zero = i0e(z)
    density = 2.0 * u * np.exp(-((u - x) ** 2)) * zero
    acentric = 2.0 * np.sum(density * (x - i1e(z) / zero * u) ** 2, axis=1) * step
    density = np.sqrt(2.0 / np.pi) * 0.5 * (np.exp(-0.5 * (u - x) ** 2) + np.exp(-0.5 * (u + x) ** 2))
    score = density * (x - np.tanh(u * x) * u) ** 2
    # The acentric integrand vanishes at u = 0, this one does not: half of its first point.
    centric = (np.sum(score, axis=1) - 0.5 * score[:, 0]) * step
    return acentric, centric
