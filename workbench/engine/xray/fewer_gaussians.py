"""The same form factors with fewer Gaussians, as far as the data reach.

Every Gaussian of an atom costs time at every grid point, and the five of the tables hold to 0.25 A. Where the data end
earlier three are as good (compare Agarwal, Acta Cryst. A34, 791, 1978).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.optimize

from workbench.core.arrays import FloatArray
from workbench.engine.xray.form_factors import FormFactors

FEWER = 3
GOOD = 1e-4
"""Largest error of the fewer Gaussians, in units of f(0): a tenth of what sampling on a grid costs."""
BEYOND = 1.05
"""The fit reaches so much further than the data, whose limit is rounded."""
POINTS = 60
"""Resolutions that the fit is made at, evenly spaced in 1/d^2."""
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

    def at(log_widths: FloatArray) -> tuple[FloatArray, FloatArray]:
        gaussians = np.exp(-0.25 * np.multiply.outer(s_sq, np.exp(log_widths)))
        found, *_ = np.linalg.lstsq(gaussians, wanted, rcond=None)
        return (gaussians @ found - wanted) / scale, found

    def errors(log_widths: FloatArray) -> FloatArray:
        return at(log_widths)[0]

    start = np.log(0.5 + 0.6 * b.max() * np.linspace(0.0, 1.0, FEWER) ** 2)
    search = scipy.optimize.least_squares(
        errors, start, bounds=(np.log(0.01), np.log(1000.0)), xtol=1e-10, ftol=1e-12, gtol=1e-14, max_nfev=60
    )
    error, found = at(search.x)
    if np.abs(error).max() > GOOD or np.abs(found).sum() > CANCELLING * scale:
        return a[there], b[there]
    return found, np.exp(search.x)
