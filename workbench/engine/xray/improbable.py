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
from workbench.engine.xray.likelihood_kernel import from_tables

CHANCE = 0.01
"""Chance that a data set without outliers loses a reflection."""
_FARTHEST, _STEP = 12.0, 0.05
"""u from which I0 is its asymptotic form; step of the tables up to there."""


def largest_delta(n: int) -> float:
    """delta beyond which one of n reflections is improbable."""
    return float(erfcinv(CHANCE / max(n, 1)) ** 2)


def delta(ll: FloatArray, f_obs: FloatArray, mean: FloatArray, variance: FloatArray, centric: BoolArray) -> FloatArray:
    """(n,) delta >= 0 of observations with ll = -log p(F_obs) as `likelihood`; mean = D F_model, variance = Sigma."""
    u = mean / np.sqrt(variance)
    zero = from_tables(u, _STEP, *_zeros(), centric)
    far = (u > _FARTHEST) & ~centric
    zero[far] = np.log(2.0 * np.sqrt(np.pi) * u[far])
    # Of what does not depend on f: per F_obs for the intensity of an acentric reflection.
    rest = np.where(centric, -0.5 * np.log(0.5 * np.pi * variance) - np.log(2.0), np.log(2.0 * f_obs / variance))
    return np.maximum(ll + rest - zero, 0.0)


@lru_cache(maxsize=1)
def _zeros() -> tuple[FloatArray, FloatArray]:
    """Smallest values of the two functions of f, acentric and centric, at u = 0, _STEP ... _FARTHEST."""
    u = _STEP * np.arange(round(_FARTHEST / _STEP) + 1)[:, None]
    f = np.maximum(u + np.linspace(-1.5, 1.0, 251), 0.0)
    z = 2.0 * f * u
    acentric = (f - u) ** 2 - np.log(i0e(z))
    centric = 0.5 * (f - u) ** 2 - np.log1p(np.exp(-z))
    return acentric.min(axis=1), centric.min(axis=1)
