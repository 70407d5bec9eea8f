"""How many parameters the data really determine, from the normal matrix of the refinement itself.

With the curvature of the data w D and that of the restraints R = J^T J, the trace

    m_eff = tr[ w D (w D + R)^-1 ]  =  m - tr[ R (w D + R)^-1 ]

counts every parameter by the share that the data have in it: the m - r + D of Tickle, Laskowski & Moss (1998), Acta
Cryst. D54, 547 (m parameters, r restraints, D = r - sum w a^T H^-1 a). The trace is estimated with random signs
(Hutchinson, 1990, Commun. Stat. Simul. 19, 433): each probe costs one solution of the equations. D is the diagonal
alone, without what steps have shown of it (`secants`): the count must not depend on the way that a run took.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.engine.optimise.normal_equations import NormalEquations

TOLERANCE = 0.01
"""Of the linear solves: the trace is then good to much better than the scatter between probes."""


@dataclass
class Probe:
    """solution: of the last trace. From cycle to cycle it changes little, and the next search begins there."""

    solution: FloatArray | None = None

    def start(self, size: int) -> FloatArray | None:
        return self.solution if self.solution is not None and len(self.solution) == size else None


def effective_parameters(
    equations: NormalEquations, weight: float, probes: int = 1, seed: int = 0, last: Probe | None = None
) -> tuple[float, float]:
    """m_eff for a data weight, and the standard error of the estimate (from the probes' own variance).

    Parameters without data (hydrogens, atoms of no occupancy) count nothing. Zero for a weight of zero. last: of the
    cycle before, with the same seed; is brought up to date.
    """
    last = last or Probe()
    extra: FloatArray = weight * np.maximum(equations.diagonal, 0.0)
    if not np.any(extra > 0.0):
        return 0.0, 0.0
    root = np.sqrt(extra)
    added = extra + equations.idle(extra)
    rng = np.random.default_rng(seed)
    estimates, variances = [], []
    for _ in range(probes):
        signs = rng.choice((-1.0, 1.0), size=len(root))
        begin = last.start(len(root))
        solved = equations.solved(root * signs, weight, added, begin, TOLERANCE, corrected=False).shift
        last.solution = solved
        share = root * solved
        estimates.append(float(signs @ share))
        # Off-diagonal part of the row sums: its square is what the estimate scatters by.
        variances.append(float(np.sum((share - np.mean(signs * share) * signs) ** 2)))
    return float(np.mean(estimates)), float(np.sqrt(2.0 * np.mean(variances) / probes))
