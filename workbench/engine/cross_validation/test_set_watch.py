"""R_free of a run as a measurement: its error, and how far it is above the lowest value the run has reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.engine.cross_validation.bootstrap import TestSetBootstrap, spread


@dataclass(frozen=True)
class TestSetReading:
    """sigma: error of R_free. rise: R_free minus the lowest R_free of the run so far (0 at a new lowest).
    rise_sigma: error of that difference, paired. NaN without a test set."""

    __test__ = False
    sigma: float
    rise: float
    rise_sigma: float
    ll_rise: float
    ll_rise_sigma: float


class TestSetWatch:
    """Keeps the draws of the cycle with the lowest R_free, and the likelihoods of that with the lowest free -LL."""

    __test__ = False

    def __init__(self, f_obs: FloatArray) -> None:
        """f_obs: (n,) amplitudes of the test reflections; empty without a test set."""
        self._f_obs = np.asarray(f_obs, dtype=np.float64)
        self._bootstrap = TestSetBootstrap.of(len(f_obs))
        self._lowest = np.inf
        self._draws = np.empty(0)
        self._lowest_ll = np.inf
        self._ll = np.empty(0)

    def read(self, f_scaled: FloatArray, ll: FloatArray) -> TestSetReading:
        """f_scaled: (n,) model amplitudes on the scale of f_obs. ll: (n,) -log p of the test reflections."""
        nan = float("nan")
        if not len(self._f_obs):
            return TestSetReading(nan, nan, nan, nan, nan)
        mean = float(np.mean(ll))
        if mean <= self._lowest_ll:
            self._lowest_ll, self._ll = mean, ll
        difference = ll - self._ll
        ll_rise = float(np.mean(difference))
        ll_sigma = float(np.std(difference)) / np.sqrt(len(difference))
        r = float(np.sum(np.abs(self._f_obs - f_scaled)) / np.sum(self._f_obs))
        draws = self._bootstrap.r_factors(self._f_obs, f_scaled)
        if r <= self._lowest:
            self._lowest, self._draws = r, draws
            return TestSetReading(spread(draws), 0.0, 0.0, ll_rise, ll_sigma)
        return TestSetReading(spread(draws), r - self._lowest, spread(draws - self._draws), ll_rise, ll_sigma)
