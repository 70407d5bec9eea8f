"""Modified Bessel functions of order 0 and 1, without their exponential growth, for use inside kernels.

exp(-x) I(x) as Chebyshev series, interpolated when the module is loaded: of I0 and of I1(x) / x up to SPLIT, of
x^(1/2) I0 and x^(1/2) I1 as functions of 1/x beyond it. Relative error below 1e-13.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.special import i0e, i1e

from workbench.core.arrays import FloatArray
from workbench.engine.kernels import kernel

SPLIT = 8.0
_SMALL = 1e-9


def _series(function: Callable[[FloatArray], FloatArray], degree: int) -> FloatArray:
    return np.array(Chebyshev.interpolate(function, degree).coef, dtype=np.float64)


def _near(t: FloatArray) -> FloatArray:
    return np.maximum(0.5 * SPLIT * (t + 1.0), _SMALL)


def _far(t: FloatArray) -> FloatArray:
    return 2.0 * SPLIT / np.maximum(t + 1.0, _SMALL)


_I0_NEAR = _series(lambda t: np.asarray(i0e(_near(t))), 24)
_I1_NEAR = _series(lambda t: np.asarray(i1e(_near(t)) / _near(t)), 24)
_I0_FAR = _series(lambda t: np.asarray(i0e(_far(t)) * np.sqrt(_far(t))), 20)
_I1_FAR = _series(lambda t: np.asarray(i1e(_far(t)) * np.sqrt(_far(t))), 20)


@kernel
def scaled_bessel(x: float) -> tuple[float, float]:
    """exp(-x) I0(x) and exp(-x) I1(x), x >= 0."""
    if x <= SPLIT:
        t, zero, one = 2.0 * x / SPLIT - 1.0, _I0_NEAR, _I1_NEAR
        factor0, factor1 = 1.0, x
    else:
        t, zero, one = 2.0 * SPLIT / x - 1.0, _I0_FAR, _I1_FAR
        factor0 = 1.0 / math.sqrt(x)
        factor1 = factor0
    # Clenshaw's recurrence, both series at once
    a1, a2, b1, b2 = 0.0, 0.0, 0.0, 0.0
    twice = 2.0 * t
    for k in range(len(zero) - 1, 0, -1):
        a1, a2 = zero[k] + twice * a1 - a2, a1
        b1, b2 = one[k] + twice * b1 - b2, b1
    return factor0 * (zero[0] + t * a1 - a2), factor1 * (one[0] + t * b1 - b2)
