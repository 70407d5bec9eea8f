"""Amplitudes from merged intensities, negative ones included.

S. French and K. Wilson, Acta Cryst. A34 (1978) 517-525: the posterior mean of F given the measured I and sigma, with
Wilson's distribution of the true intensity J as prior,

    acentric   p(J) = exp(-J / S) / S                       S = epsilon <I / epsilon> of the resolution range
    centric    p(J) = exp(-J / 2S) / sqrt(2 pi S J)

times the Gaussian exp(-(I - J)^2 / (2 sigma^2)). With J = sigma x^2 the posterior of x is proportional to
x^p exp(-(x^2 - h)^2 / 2), p = 1 and h = I/sigma - sigma/S (acentric), p = 0 and h = I/sigma - sigma/(2S) (centric).

Departs from the source: moments are integrated numerically instead of taken from tables, so there is no limit of h;
the mean intensity is interpolated between shells.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)

FAR = 8.0
"""h from which the moments are taken from their series in 1/h^2; what is left out is below 2e-6 of the mean and 2e-4 of
the standard deviation."""

MOST_NEGATIVE = -4.0
"""I/sigma below which a measurement contradicts every positive intensity and is left out."""


def amplitude_moments(h: FloatArray, centric: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of x (n,) under x^p exp(-(x^2 - h)^2 / 2) on x >= 0; p = 1, centric p = 0."""
    mean = np.empty(len(h))
    spread = np.empty(len(h))
    far = h > FAR
    mean[far], spread[far] = _far_moments(h[far], centric[far])
    near = np.flatnonzero(~far)
    for start in range(0, len(near), 20000):
        rows = near[start : start + 20000]
        mean[rows], spread[rows] = _moments(h[rows], np.where(centric[rows], 0.0, 1.0))
    return mean, spread


def _far_moments(h: FloatArray, centric: BoolArray) -> tuple[FloatArray, FloatArray]:
    """The same for large h, where y = x^2 is N(h, 1) times y^((p - 1)/2): <sqrt(1 + z/h)> and <1/sqrt(1 + z/h)> of a
    normal z, as series in u = 1/h^2."""
    u = 1.0 / (h * h)
    less = u * (1.0 / 8.0 + u * (15.0 / 128.0 + u * (315.0 / 1024.0)))
    more = u * (3.0 / 8.0 + u * (105.0 / 128.0 + u * (3465.0 / 1024.0)))
    # <y^(1/2)> is 1 - less and <y^(-1/2)> is 1 + more, in units of h; the variances without taking near equals apart
    mean = np.sqrt(h) * np.where(centric, 1.0 / (1.0 + more), 1.0 - less)
    variance = h * np.where(centric, (more - less - less * more) / (1.0 + more) ** 2, less * (2.0 - less))
    return mean, np.sqrt(variance)


def _moments(h: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    root = np.sqrt(h * h + 2.0 * p)
    # (h + root) / 2 without cancellation for h < 0
    mode_squared = np.where(h > 0, 0.5 * (h + root), p / np.maximum(root - h, 1e-300))
    mode = np.sqrt(np.maximum(mode_squared, 0.0))
    curvature = 6.0 * mode_squared - 2.0 * h + np.where(p > 0, p / np.maximum(mode_squared, 1e-300), 0.0)
    width = 1.0 / np.sqrt(np.maximum(curvature, 0.7))
    low = np.maximum(mode - 9.0 * width, 0.0)
    high = mode + 9.0 * width
    half = 0.5 * (high - low)
    x = low[:, None] + half[:, None] * (_NODES + 1.0)
    exponent = -0.5 * (x * x - h[:, None]) ** 2
    exponent -= exponent.max(axis=1, keepdims=True)
    density = np.exp(exponent) * np.where(p[:, None] > 0, x, 1.0) * _WEIGHTS
    norm = density.sum(axis=1)
    mean = (density * x).sum(axis=1) / norm
    variance = (density * (x - mean[:, None]) ** 2).sum(axis=1) / norm
    return mean, np.sqrt(variance)


def mean_intensity(
    intensity: FloatArray, sigma: FloatArray, epsilon: FloatArray, d_star_sq: FloatArray, per_shell: int = 300
) -> FloatArray:
    """<I / epsilon> (n,) at each reflection: shells of equal count in 1/d^2, interpolated in its logarithm."""
    order = np.argsort(d_star_sq, kind="stable")
    shells = np.array_split(order, max(1, min(60, len(order) // per_shell)))
    reduced = intensity / epsilon
    centre = np.array([d_star_sq[shell].mean() for shell in shells])
    # A shell of noise has a mean near zero, even below: the prior then rests on the error of that mean.
    floor = np.array([(sigma[shell] / epsilon[shell]).mean() / np.sqrt(len(shell)) for shell in shells])
    level = np.maximum([reduced[shell].mean() for shell in shells], np.maximum(floor, 1e-12))
    result: FloatArray = np.exp(np.interp(d_star_sq, centre, np.log(level)))
    return result


def french_wilson(
    intensity: FloatArray, sigma: FloatArray, epsilon: FloatArray, centric: BoolArray, d_star_sq: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Amplitude, its sigma and `usable` (n,) from intensity and sigma > 0 (n,).

    epsilon: multiplicity of the reflection without centring. d_star_sq: 1/d^2 in 1/A^2. Unusable rows (I/sigma below
    `MOST_NEGATIVE`) hold NaN.
    """
    usable: BoolArray = intensity / sigma >= MOST_NEGATIVE
    amplitude = np.full(len(intensity), np.nan)
    error = np.full(len(intensity), np.nan)
    if usable.any():
        i, s = intensity[usable], sigma[usable]
        level = mean_intensity(i, s, epsilon[usable], d_star_sq[usable]) * epsilon[usable]
        h = i / s - s / np.where(centric[usable], 2.0 * level, level)
        mean, spread = amplitude_moments(h, centric[usable])
        amplitude[usable] = np.sqrt(s) * mean
        error[usable] = np.sqrt(s) * spread
    return amplitude, error, usable
