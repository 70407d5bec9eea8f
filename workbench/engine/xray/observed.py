"""What was measured, and its likelihood: amplitudes, or intensities where they are refined against.

A reflection without an intensity counts by its amplitude among others that count by theirs: log p of the two are of
different things and only their changes add up, as all of them do in refinement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray
from workbench.engine.xray.intensity_likelihood import (
    intensity_likelihood,
    intensity_slopes,
    negative_log_likelihood_of_intensity,
)
from workbench.engine.xray.likelihood import (
    Likelihood,
    amplitude_likelihood,
    negative_log_likelihood,
    negative_log_likelihood_slopes,
)


@dataclass(frozen=True, eq=False)
class ModelTerms:
    """What the likelihood asks of model and crystal, (n,) each: |F_model|, D, S (`likelihood`), epsilon, centric."""

    f_model: FloatArray
    d: FloatArray
    s: FloatArray
    epsilon: FloatArray
    centric: BoolArray

    def take(self, rows: BoolArray) -> ModelTerms:
        return ModelTerms(self.f_model[rows], self.d[rows], self.s[rows], self.epsilon[rows], self.centric[rows])

    @property
    def all(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]:
        return self.f_model, self.d, self.s, self.epsilon, self.centric


@dataclass(frozen=True, eq=False)
class Observed:
    """n reflections on one scale. f, sigma: (n,) amplitudes. intensity, sigma_intensity: (n,) on the scale of f^2, NaN
    where there is none; None where amplitudes are refined against."""

    f: FloatArray
    sigma: FloatArray
    intensity: FloatArray | None = None
    sigma_intensity: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.f)

    def take(self, rows: np.ndarray[tuple[int], np.dtype[np.intp]] | BoolArray) -> Observed:
        if self.intensity is None or self.sigma_intensity is None:
            return Observed(self.f[rows], self.sigma[rows])
        return Observed(self.f[rows], self.sigma[rows], self.intensity[rows], self.sigma_intensity[rows])

    def divided_by(self, k: FloatArray) -> Observed:
        """As it would have been measured with amplitudes k (n,) times smaller."""
        if self.intensity is None or self.sigma_intensity is None:
            return Observed(self.f / k, self.sigma / k)
        k_sq = k * k
        return Observed(self.f / k, self.sigma / k, self.intensity / k_sq, self.sigma_intensity / k_sq)

    def log_volume(self, k: FloatArray) -> FloatArray:
        """(n,) what -log p gains where what was measured is k times (intensities: k^2 times) larger."""
        if self.intensity is None:
            return np.asarray(np.log(k))
        return np.asarray(np.where(np.isfinite(self.intensity), 2.0, 1.0) * np.log(k))

    def likelihood(self, terms: ModelTerms) -> Likelihood:
        """Negative log-likelihood with its derivatives with respect to |F_model|."""
        if self.intensity is None or self.sigma_intensity is None:
            return amplitude_likelihood(self.f, self.sigma, *terms.all)
        known = np.isfinite(self.intensity)
        one = intensity_likelihood(self.intensity[known], self.sigma_intensity[known], *terms.take(known).all)
        if np.all(known):
            return one
        other = amplitude_likelihood(self.f[~known], self.sigma[~known], *terms.take(~known).all)
        return Likelihood(
            ll=_joined(known, one.ll, other.ll),
            d1=_joined(known, one.d1, other.d1),
            d2=_joined(known, one.d2, other.d2),
            fom=_joined(known, one.fom, other.fom),
        )

    def negative_log(self, terms: ModelTerms) -> FloatArray:
        """(n,) only the `ll` of `likelihood`."""
        if self.intensity is None or self.sigma_intensity is None:
            return negative_log_likelihood(self.f, self.sigma, *terms.all)
        known = np.isfinite(self.intensity)
        one = negative_log_likelihood_of_intensity(
            self.intensity[known], self.sigma_intensity[known], *terms.take(known).all
        )
        if np.all(known):
            return one
        return _joined(known, one, negative_log_likelihood(self.f[~known], self.sigma[~known], *terms.take(~known).all))

    def slopes(self, terms: ModelTerms) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(n,) `ll` with its derivatives with respect to D and S."""
        if self.intensity is None or self.sigma_intensity is None:
            return negative_log_likelihood_slopes(self.f, self.sigma, *terms.all)
        known = np.isfinite(self.intensity)
        one = intensity_slopes(self.intensity[known], self.sigma_intensity[known], *terms.take(known).all)
        if np.all(known):
            return one
        other = negative_log_likelihood_slopes(self.f[~known], self.sigma[~known], *terms.take(~known).all)
        return (
            _joined(known, one[0], other[0]),
            _joined(known, one[1], other[1]),
            _joined(known, one[2], other[2]),
        )


def _joined(where: BoolArray, one: FloatArray, other: FloatArray) -> FloatArray:
    result = np.empty(len(where))
    result[where], result[~where] = one, other
    return result
