"""Measures of one model over the work and the test reflections, for comparing refinements with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.events import CycleFinished, Prepared


@dataclass(frozen=True, eq=False)
class FreeMeasures:
    """f_obs, f_model, sigma: (n,) of the test reflections, on the scale of F_obs; f_model of the written atoms.

    r_work, r_free: R factors. wr_free: sqrt(sum w (F_o - F_c)^2 / sum w F_o^2), w = 1 / sigma^2. cc_free: correlation
    of F_o and F_c over the test set. ll_free: mean negative log-likelihood. NaN without a test set.
    """

    f_obs: FloatArray
    f_model: FloatArray
    sigma: FloatArray
    r_work: float
    r_free: float
    wr_free: float
    cc_free: float
    ll_free: float

    @property
    def n_free(self) -> int:
        return len(self.f_obs)

    @property
    def difference(self) -> float:
        """Sum of |F_o - F_c| over the test set: what R_complete adds up."""
        return float(np.sum(np.abs(self.f_obs - self.f_model)))


def free_measures(prepared: Prepared, cycle: CycleFinished) -> FreeMeasures:
    """The measures of a cycle."""
    factors, data = cycle.written, prepared.reflections
    seen = prepared.observed >= 0
    row = prepared.observed[seen]
    model = (factors.k_total * np.abs(factors.f_model))[seen].astype(np.float64)
    f_obs, free = data.f_obs[row], data.free[row]
    work = float(np.sum(np.abs(f_obs[~free] - model[~free])) / np.sum(f_obs[~free]))
    f, m, sigma = f_obs[free], model[free], data.sigma[row][free]
    if len(f) < 3:
        nan = float("nan")
        return FreeMeasures(f, m, sigma, work, nan, nan, nan, nan)
    weight = 1.0 / np.maximum(sigma, 1e-6 * float(np.mean(f))) ** 2
    return FreeMeasures(
        f_obs=f,
        f_model=m,
        sigma=sigma,
        r_work=work,
        r_free=float(np.sum(np.abs(f - m)) / np.sum(f)),
        wr_free=float(np.sqrt(np.sum(weight * (f - m) ** 2) / np.sum(weight * f**2))),
        cc_free=float(np.corrcoef(f, m)[0, 1]),
        ll_free=cycle.statistics.ll_free,
    )
