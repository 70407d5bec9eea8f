"""Is one model's R_free better than another's? The error of a difference over the same test reflections.

Two models of one crystal share most of their errors, so that the difference of their R is known far better than either
(design: cross-validation). With d_h = |F_obs - k_1|F_1|| - |F_obs - k_2|F_2|| over n reflections,

    dR = sum d / sum F_obs,    sigma(dR) = sqrt(n var d) / sum F_obs,

which is what a paired bootstrap over the test reflections converges to.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray


def r_difference(f_obs: FloatArray, first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """R(first) - R(second) and its standard deviation; amplitudes (n,) on one scale. NaN for fewer than two."""
    if len(f_obs) < 2:
        return float("nan"), float("nan")
    d = np.abs(f_obs - first) - np.abs(f_obs - second)
    total = float(np.sum(f_obs))
    return float(np.sum(d)) / total, float(np.sqrt(len(d) * np.var(d, ddof=1))) / total
