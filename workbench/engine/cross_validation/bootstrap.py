"""The sampling error of R_free, and of a change in it, by bootstrap over the test reflections.

Efron (1979), Ann. Stat. 7, 1. The cycles of a run are compared over the same draws (paired): they share most of their
errors, so that a difference is known far better than either value. For two models side by side: `paired_difference`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import Float32Array, FloatArray

LARGEST = 4_000_000
"""Entries of the table of draws."""


@dataclass(frozen=True, eq=False)
class TestSetBootstrap:
    """counts: (draws, n) how often each of n test reflections is drawn."""

    __test__ = False  # The name is not meant for a collector of tests.
    counts: Float32Array

    @classmethod
    def of(cls, n: int, draws: int = 400, seed: int = 20) -> TestSetBootstrap:
        draws = int(np.clip(LARGEST // max(n, 1), 100, draws))
        if not n:
            return cls(np.empty((0, 0), dtype=np.float32))
        rng = np.random.default_rng(seed)
        return cls(np.asarray(rng.multinomial(n, np.full(n, 1.0 / n), size=draws), dtype=np.float32))

    def r_factors(self, f_obs: FloatArray, f_scaled: FloatArray) -> FloatArray:
        """(draws,) R of every draw. f_obs, f_scaled: (n,) of the test reflections, one scale."""
        if not len(f_obs):
            return np.empty(0)
        pair = np.stack([np.abs(f_obs - f_scaled), f_obs], axis=1).astype(np.float32)
        sums = self.counts @ pair
        return np.asarray(sums[:, 0] / sums[:, 1], dtype=np.float64)


def spread(draws: FloatArray) -> float:
    """Standard deviation of the draws; NaN where there are none."""
    return float(np.std(draws, ddof=1)) if len(draws) > 1 else float("nan")
