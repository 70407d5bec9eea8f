"""How the model would answer if one group of restraints were weighed differently.

At the minimum p of  w T(p) + E(p) + beta E_B(p)  the gradient vanishes; keeping it so while ln beta changes moves the
parameters by  dp / d ln beta = -A^-1 g_B,  with A the curvature of the target and g_B = beta dE_B/dp (implicit
differentiation; for choosing weights of penalties: Bengio, 2000, Neural Comput. 12, 1889). One more solution of the
equations of a step thus gives the model of another weight, which the test set can judge without anything being tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.engine.optimise.normal_equations import NormalEquations

TOLERANCE = 0.03
"""Of the linear solve: the answer is wanted to a tenth or so."""


@dataclass(frozen=True)
class Verdict:
    """gain: log-likelihood of the test set (natural logarithm, positive is better) that a smaller weight would bring.
    sigma: its standard error, from the scatter of what single reflections say."""

    gain: float = float("nan")
    sigma: float = float("nan")

    @property
    def z(self) -> float:
        """0 where nothing is known."""
        return self.gain / self.sigma if self.sigma > 0.0 and np.isfinite(self.gain) else 0.0


def response(
    equations: NormalEquations, weight: float, group_gradient: FloatArray, tolerance: float = TOLERANCE
) -> FloatArray:
    """dp / d ln beta (p,) for the weight of the data term in use and the gradient of the group with the beta in use;
    tolerance: of the residual of the solve."""
    extra: FloatArray = weight * np.maximum(equations.diagonal, 0.0)
    return equations.solved(-group_gradient, weight, extra + equations.idle(extra), tolerance=tolerance).shift


def verdict(before: FloatArray, after: FloatArray) -> Verdict:
    """From the -log p of every test reflection (n,) as the model is and as it would be."""
    gains = before - after
    if len(gains) < 2:
        return Verdict()
    return Verdict(float(gains.sum()), float(np.sqrt(len(gains)) * gains.std(ddof=1)))
