"""The same form factors with fewer Gaussians, as far as the data reach.

Every Gaussian of an atom costs time at every grid point, and the five of the tables hold to 0.25 A. Where the data end
earlier three are as good (compare Agarwal, Acta Cryst. A34, 791, 1978).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.engine.xray.form_factors import FormFactors

FEWER = 3
GOOD = 1e-4
"""Largest error of the fewer Gaussians, in units of f(0): a tenth of what sampling on a grid costs."""
BEYOND = 1.05
"""The fit reaches so much further than the data, whose limit is rounded."""
POINTS = 60
"""Resolutions that the fit is made at, evenly spaced in 1/d^2."""
MOST_STEPS = 60
WIDTH_LIMITS = float(np.log(0.01)), float(np.log(1000.0))
"""ln A^2."""
CANCELLING = 2.0
"""Sum of |amplitudes| over f(0) beyond which Gaussians all but cancel each other, which single precision grids lose."""


def fewer_gaussians(factors: FormFactors, d_min: float) -> FormFactors:
    """Form factors good for data to d_min (angstrom): arrays of 3 or 6 columns, the unused ones of amplitude 0.

    An element whose form factor three Gaussians do not follow to GOOD keeps those it has.
    """
    rows = [_fitted(tuple(a), tuple(b), round(d_min, 3)) for a, b in zip(factors.amplitude, factors.width, strict=True)]
    columns = FEWER * max((len(a) + FEWER - 1) // FEWER for a, _ in rows) if rows else FEWER
    amplitude, width = np.zeros((len(rows), columns)), np.zeros((len(rows), columns))
    for n, (a, b) in enumerate(rows):
        amplitude[n, : len(a)], width[n, : len(b)] = a, b
    return FormFactors(amplitude, width, factors.kind)


@lru_cache(maxsize=256)
def _fitted(amplitude: tuple[float, ...], width: tuple[float, ...], d_min: float) -> tuple[FloatArray, FloatArray]:
    """(k,) electrons and (k,) A^2. Linear least squares for the amplitudes inside a search for the widths."""
    a, b = np.array(amplitude), np.array(width)
    there = a != 0.0
    if np.count_nonzero(there) <= FEWER:
        return a[there], b[there]
    s_sq = np.linspace(0.0, (BEYOND / d_min) ** 2, POINTS)
    wanted = np.exp(-0.25 * np.multiply.outer(s_sq, b)) @ a
    scale = float(np.abs(wanted).max())
    log_widths, found, error = _searched(s_sq, wanted / scale, b.max())
    if np.abs(error).max() > GOOD or np.abs(found).sum() > CANCELLING:
        return a[there], b[there]
    return found * scale, np.exp(log_widths)


def _searched(s_sq: FloatArray, wanted: FloatArray, widest: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """ln of the widths (3,), amplitudes (3,) and errors (POINTS,) of the Gaussians that follow `wanted` best.

    Damped Gauss-Newton steps of the widths, the amplitudes always being the best for them (Golub & Pereyra, 1973, SIAM
    J. Numer. Anal. 10, 413, with the derivative of Kaufman, 1975, BIT 15, 49).
    """

    def at(log_widths: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        exponents = -0.25 * np.multiply.outer(s_sq, np.exp(log_widths))
        gaussians = np.exp(exponents)
        amplitudes = np.asarray(np.linalg.lstsq(gaussians, wanted, rcond=None)[0], dtype=np.float64)
        basis = np.linalg.qr(gaussians)[0]
        slopes = gaussians * exponents * amplitudes
        return gaussians @ amplitudes - wanted, amplitudes, slopes - basis @ (basis.T @ slopes)

    here = np.asarray(np.log(0.5 + 0.6 * widest * np.linspace(0.0, 1.0, FEWER) ** 2), dtype=np.float64)
    error, found, slopes = at(here)
    damping = 1e-3
    for _ in range(MOST_STEPS):
        normal = slopes.T @ slopes
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-30), -(slopes.T @ error))
        there = np.asarray(np.clip(here + np.clip(step, -1.0, 1.0), *WIDTH_LIMITS), dtype=np.float64)
        trial = at(there)
        gain = float(error @ error - trial[0] @ trial[0])
        if gain > 0.0:
            done = gain < 1e-6 * float(error @ error)
            here, (error, found, slopes) = there, trial
            damping = max(0.2 * damping, 1e-9)
            if done:
                break
        else:
            damping *= 4.0
            if damping > 1e6:
                break
    return here, found, error
