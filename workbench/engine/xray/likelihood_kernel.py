"""What the likelihood of amplitudes asks of every reflection, in one pass over them."""

from __future__ import annotations

import math

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray
from workbench.engine.kernels import kernel
from workbench.engine.xray.bessel import scaled_bessel

_LOG_2, _LOG_HALF_PI = math.log(2.0), math.log(0.5 * math.pi)


@kernel
def negative_log(
    f_obs: FloatArray, mean: FloatArray, variance: FloatArray, centric: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """-log p (n,) and figure of merit (n,) of `likelihood`, for f_obs > 0. exp(X) is taken out of I0 and cosh, so that
    nothing overflows."""
    n = len(f_obs)
    ll, fom = np.empty(n), np.empty(n)
    for k in range(n):
        f, v = f_obs[k], variance[k]
        x = 2.0 * f * mean[k] / v
        squared = (f - mean[k]) ** 2 / v
        if centric[k]:
            e = math.exp(-x)
            # log cosh(x/2) = x/2 + log(1 + exp(-x)) - log 2
            ll[k] = 0.5 * (_LOG_HALF_PI + math.log(v) + squared) - math.log1p(e) + _LOG_2
            fom[k] = (1.0 - e) / (1.0 + e)
        else:
            zero, one = scaled_bessel(x)
            ll[k] = squared + math.log(v / (2.0 * f * zero))
            fom[k] = min(one / zero, 1.0)
    return ll, fom


@kernel
def from_tables(
    u: FloatArray, step: float, acentric_table: FloatArray, centric_table: FloatArray, centric: BoolArray
) -> FloatArray:
    """(n,) linear between the values of the table of each reflection's kind at 0, step, 2 step ...; the last one
    beyond."""
    result = np.empty(len(u))
    last = len(acentric_table) - 1
    for k in range(len(u)):
        at = max(u[k], 0.0) / step
        table = centric_table if centric[k] else acentric_table
        if at >= last:
            result[k] = table[last]
        else:
            i = int(at)
            result[k] = table[i] + (at - i) * (table[i + 1] - table[i])
    return result
