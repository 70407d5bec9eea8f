"""The sampling error of R_free, and of a change in it, by bootstrap over the test reflections.

Efron (1979), Ann. Stat. 7, 1. Two models are compared over the same draws (paired): they share most of their errors, so
that a difference is known far better than either value.
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


@dataclass(frozen=True)
class PairedDifference:
    """change: R of the second minus R of the first. sigma: its error. n: test reflections."""

    change: float
    sigma: float
    n: int

    @property
    def in_sigma(self) -> float:
        return self.change / self.sigma if self.sigma > 0.0 else 0.0

    @property
    def text(self) -> str:
        """ "better by 0.0031 +- 0.0009 (3.4 sigma)"."""
        word = "lower" if self.change < 0 else "higher"
        size = abs(self.in_sigma)
        certain = "" if size >= 2.0 else ", not significant"
        return f"R_free is {word} by {abs(self.change):.4f} +- {self.sigma:.4f} ({size:.1f} sigma{certain})"


def paired_difference(f_obs: FloatArray, first: FloatArray, second: FloatArray, draws: int = 1000) -> PairedDifference:
    """Is the second model really better? All (n,) over the test reflections, amplitudes on the scale of f_obs."""
    table = TestSetBootstrap.of(len(f_obs), draws)
    total = float(np.sum(f_obs))
    change = float(np.sum(np.abs(f_obs - second)) - np.sum(np.abs(f_obs - first))) / total
    return PairedDifference(change, spread(table.r_factors(f_obs, second) - table.r_factors(f_obs, first)), len(f_obs))
