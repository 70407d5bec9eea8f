"""Is one model's R_free better than another's? The error of a difference over the same test reflections.

Two models of one crystal share most of their errors, so that the difference of their R is known far better than either
(design: cross-validation). With d_h = |F_obs - k_1|F_1|| - |F_obs - k_2|F_2|| over n reflections,

    dR = sum d / sum F_obs,    sigma(dR) = sqrt(n var d) / sum F_obs,

which is what a paired bootstrap over the test reflections converges to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray


def r_difference(f_obs: FloatArray, first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """R(first) - R(second) and its standard deviation; amplitudes (n,) on one scale. NaN for fewer than two."""
    if len(f_obs) < 2:
        return float("nan"), float("nan")
    d = np.abs(f_obs - first) - np.abs(f_obs - second)
    total = float(np.sum(f_obs))
    return float(np.sum(d)) / total, float(np.sqrt(len(d) * np.var(d, ddof=1))) / total


@dataclass(frozen=True)
class PairedDifference:
    """change: R of the second minus R of the first. sigma: its error. n: test reflections."""

    change: float
    sigma: float
    n: int

    @classmethod
    def of(cls, f_obs: FloatArray, first: FloatArray, second: FloatArray) -> PairedDifference:
        """Is the second model really better? All (n,) over the test reflections, amplitudes on the scale of f_obs."""
        return cls(*r_difference(f_obs, second, first), len(f_obs))

    @property
    def in_sigma(self) -> float:
        return self.change / self.sigma if self.sigma > 0.0 else 0.0

    @property
    def text(self) -> str:
        """ "R_free is lower by 0.0031 +- 0.0009 (3.4 sigma)"."""
        word = "lower" if self.change < 0 else "higher"
        size = abs(self.in_sigma)
        certain = "" if size >= 2.0 else ", not significant"
        return f"R_free is {word} by {abs(self.change):.4f} +- {self.sigma:.4f} ({size:.1f} sigma{certain})"
