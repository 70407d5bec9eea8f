"""Measurements that a model makes improbable (Read, 1999, Acta Cryst. D55, 1759).

How far an observation lies from what its distribution expects is told by delta = -log p(F_obs) + max log p, taken for
the intensity where the reflection is acentric (the density of an amplitude vanishes at zero without small amplitudes
being improbable). 2 delta follows chi^2 with one degree of freedom nearly, so that the chance of an observation as far
off is erfc(delta^(1/2)). One is called improbable where that is below CHANCE / n, n the number of reflections: of a
data set without any, one in a hundred loses one.

With f = F_obs / Sigma^(1/2), u = D F_model / Sigma^(1/2) (`likelihood`), apart from what does not depend on f:
acentric (f - u)^2 - log(exp(-2 f u) I0(2 f u)), centric (f - u)^2 / 2 - log(1 + exp(-2 f u)).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import erfcinv, i0e

from workbench.core.arrays import BoolArray, FloatArray

CHANCE = 0.01
"""Chance that a data set without outliers loses a reflection."""
_FARTHEST = 12.0
"""u from which I0 is its asymptotic form."""


def largest_delta(n: int) -> float:
    """delta beyond which one of n reflections is improbable."""
    return float(erfcinv(CHANCE / max(n, 1)) ** 2)


def delta(ll: FloatArray, f_obs: FloatArray, mean: FloatArray, variance: FloatArray, centric: BoolArray) -> FloatArray:
    """(n,) delta >= 0 of observations with ll = -log p(F_obs) as `likelihood`; mean = D F_model, variance = Sigma."""
    grid, acentric_zero, centric_zero = _zeros()
    u = mean / np.sqrt(variance)
    far = np.log(2.0 * np.sqrt(np.pi) * np.maximum(u, _FARTHEST))
    zero = np.where(u < _FARTHEST, np.interp(u, grid, acentric_zero), far)
    acentric = ll + np.log(2.0 * f_obs / variance) - zero
    symmetric = ll - 0.5 * np.log(0.5 * np.pi * variance) - np.log(2.0) - np.interp(u, grid, centric_zero)
    return np.asarray(np.maximum(np.where(centric, symmetric, acentric), 0.0))


@lru_cache(maxsize=1)
def _zeros() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Smallest values of the two functions of f at u = 0 ... _FARTHEST."""
    grid = np.linspace(0.0, _FARTHEST, 241)
    u = grid[:, None]
    f = np.maximum(u + np.linspace(-1.5, 1.0, 2501), 0.0)
    z = 2.0 * f * u
    acentric = (f - u) ** 2 - np.log(i0e(z))
    centric = 0.5 * (f - u) ** 2 - np.log1p(np.exp(-z))
    return grid, acentric.min(axis=1), centric.min(axis=1)
