"""Paired refinement: do weak reflections beyond a limit make the model better?

The model is refined at d1 and, from the same start, at d2 < d1; both are compared over the reflections to d1 only. The
further data are worth having when none of R_free, wR_free, the free likelihood and CC_free is worse (Karplus &
Diederichs, 2012, Science 336, 1030).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.engine.cross_validation.bootstrap import TestSetBootstrap, spread
from workbench.engine.cross_validation.free_measures import FreeMeasures
from workbench.engine.cross_validation.paired_difference import PairedDifference

SIGMA = 1.0
"""Paired errors by which R_free or wR_free must rise, or CC_free fall, to count as worse: with four measures half of it
would turn down two of three steps that change nothing."""
LL_LOSS = 2.5
"""Log-likelihood of the whole test set that must be lost to count as worse; half of what a gain must be."""


@dataclass(frozen=True)
class LimitStep:
    """From limit d1 to d2, both models over the test reflections to d1. r_free.. are second minus first; ll: total of
    the test set, positive is better. worse: measures that got worse, in words."""

    d1: float
    d2: float
    n_free: int
    r_work: float
    r_free: float
    r_free_sigma: float
    wr_free: float
    wr_free_sigma: float
    cc_free: float
    cc_free_sigma: float
    ll_gain: float
    worse: tuple[str, ...]

    def document(self) -> dict[str, object]:
        """As paired.json has it."""
        return dataclasses.asdict(self)

    @property
    def sentence(self) -> str:
        said = (
            f"{self.d1:.2f} to {self.d2:.2f} A: R_free {self.r_free:+.4f} +- {self.r_free_sigma:.4f}, "
            f"wR_free {self.wr_free:+.4f} +- {self.wr_free_sigma:.4f}, CC_free {self.cc_free:+.4f} +- "
            f"{self.cc_free_sigma:.4f}, log-likelihood of the test set {self.ll_gain:+.1f}"
        )
        return f"{said}: {'worse by ' + ', '.join(self.worse) if self.worse else 'nothing is worse'}."


def limit_step(d1: float, d2: float, first: FreeMeasures, second: FreeMeasures) -> LimitStep:
    """Compare two models over the same test reflections (`second` was refined to d2 and measured to d1).

    Raises ValueError when the reflections differ.
    """
    if len(first.f_obs) != len(second.f_obs):
        raise ValueError("the two models were measured over different test sets")
    change = PairedDifference.of(first.f_obs, first.f_model, second.f_model)
    wr, cc = second.wr_free - first.wr_free, second.cc_free - first.cc_free
    draws = TestSetBootstrap.of(len(first.f_obs)).counts.astype(np.float64)
    wr_sigma = spread(_wr(draws, second) - _wr(draws, first))
    cc_sigma = spread(_cc(draws, second) - _cc(draws, first))
    gain = (first.ll_free - second.ll_free) * first.n_free
    worse = [
        name
        for name, is_worse in (
            ("R_free", change.change > SIGMA * change.sigma),
            ("wR_free", wr > SIGMA * wr_sigma),
            ("the likelihood", gain < -LL_LOSS),
            ("CC_free", cc < -SIGMA * cc_sigma),
        )
        if is_worse
    ]
    return LimitStep(
        d1, d2, first.n_free, second.r_work - first.r_work, change.change, change.sigma, wr, wr_sigma, cc, cc_sigma,
        gain, tuple(worse),
    )  # fmt: skip


def _wr(draws: FloatArray, measures: FreeMeasures) -> FloatArray:
    """wR_free of every draw."""
    weight = 1.0 / np.maximum(measures.sigma, 1e-6 * measures.f_obs.mean()) ** 2
    misfit = draws @ (weight * (measures.f_obs - measures.f_model) ** 2)
    return np.asarray(np.sqrt(misfit / (draws @ (weight * measures.f_obs**2))))


def _cc(draws: FloatArray, measures: FreeMeasures) -> FloatArray:
    """CC_free of every draw."""
    f, m = measures.f_obs - measures.f_obs.mean(), measures.f_model - measures.f_model.mean()
    n = draws.sum(axis=1)
    mean_f, mean_m = draws @ f / n, draws @ m / n
    both = draws @ (f * m) / n - mean_f * mean_m
    square = (draws @ f**2 / n - mean_f**2) * (draws @ m**2 / n - mean_m**2)
    return np.asarray(both / np.sqrt(square))


def recommended_limit(steps: Sequence[LimitStep]) -> tuple[float, str]:
    """The limit to use and why. steps: from coarse to fine, each beginning where the last one ended."""
    taken = steps[0].d1
    for step in steps:
        if step.worse:
            return taken, f"Data to {taken:.2f} A; beyond, {step.sentence}"
        taken = step.d2
    return taken, f"Data to {taken:.2f} A: every step to it left nothing worse."
