"""One accepted step of the joint target  w * data + restraints.

The two terms stay apart until the weight is applied, so that a weight that moves while a cycle is under way takes
effect at the next trial without any derivative being computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.engine.optimise.normal_equations import NormalEquations, normal_equations
from workbench.engine.optimise.secants import Correction
from workbench.engine.optimise.target import Derivatives
from workbench.engine.optimise.trust import LARGEST, TrustRegion

MAX_TRIALS = 8


@dataclass(frozen=True, eq=False)
class StepResult:
    """accepted: False when no trial lowered the target, or when the run was cancelled (`cancelled`).
    shift: (p,) as accepted. weight: the one the accepted trial used. decrease: of the joint target. trials: count.
    equations: those of the step, None when it was cancelled."""

    accepted: bool
    cancelled: bool
    shift: FloatArray
    weight: float
    decrease: float
    trials: int
    equations: NormalEquations | None = None


def accepted_step(
    data: Derivatives,
    restraints: Derivatives,
    trial: Callable[[FloatArray], tuple[float, float]],
    weight: Callable[[], float],
    cancelled: Callable[[], bool],
    limit: Callable[[FloatArray], FloatArray],
    trust: TrustRegion,
    n_atoms: int,
    correction: Correction | None = None,
) -> StepResult:
    """Find a step that lowers the joint target.

    data, restraints: derivatives at the present point (data with a diagonal, restraints with a Jacobian).
    trial: data and restraint values at present point + shift. weight: the weight now. limit: caps a shift (p,) to what
    is chemically sane and to the directions that are free. Non-finite trial values count as a rise. n_atoms: number
    of atoms, whose four parameters each come first. correction: of the diagonal of the data.
    """
    if restraints.jacobian is None or data.diagonal is None:
        raise ValueError("restraints need residuals, the data term a diagonal")
    equations = normal_equations(restraints.jacobian, data.diagonal, n_atoms, correction)
    nothing = np.zeros_like(data.gradient)
    for count in range(1, MAX_TRIALS + 1):
        if cancelled():
            return StepResult(False, True, nothing, 0.0, 0.0, count - 1)
        w = weight()
        gradient = w * data.gradient + restraints.gradient
        step = equations.solve(gradient, w, trust.damping)
        shift = limit(step.shift)
        data_value, restraint_value = trial(shift)
        before = w * data.value + restraints.value
        after = w * data_value + restraint_value
        actual = before - after if np.isfinite(after) else -np.inf
        if trust.judge(actual, equations.predicted_decrease(gradient, w, shift)):
            return StepResult(True, False, shift, w, actual, count, equations)
        if trust.damping >= LARGEST:
            break
    return StepResult(False, False, nothing, weight(), 0.0, MAX_TRIALS)
