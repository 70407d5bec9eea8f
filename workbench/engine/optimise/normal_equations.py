"""The Gauss-Newton normal matrix of the joint target, and its solution.

A = J^T J + w (diag(d) + C), one row per parameter, four parameters (x, y, z, B) per atom in a row, then all others. C
is what earlier steps have shown of the data (`secants`). Parameters that nothing depends on get a unit diagonal, so
that A is always positive definite and their shift is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from workbench.core.arrays import FloatArray
from workbench.engine.optimise.conjugate_gradient import TOLERANCE, conjugate_gradient
from workbench.engine.optimise.normal_matrix import BLOCK, NormalMatrix
from workbench.engine.optimise.secants import Correction


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """matrix: (p, p) curvature of the restraints; diagonal: (p,) curvature of the data term before its weight;
    correction: of that diagonal."""

    matrix: NormalMatrix
    diagonal: FloatArray
    correction: Correction | None = None

    def times(self, v: FloatArray, weight: float, added: FloatArray) -> FloatArray:
        """(A + diag(added) - w diag(d)) v, (p,): `added` (p,) stands for the weighted diagonal of the data and what
        else a solver adds to it."""
        product = self.matrix.times(v, added)
        if self.correction is not None and weight > 0.0:
            product += weight * self.correction.times(v)
        return product

    def solved(
        self,
        right: FloatArray,
        weight: float,
        added: FloatArray,
        start: FloatArray | None = None,
        tolerance: float = TOLERANCE,
        corrected: bool = True,
    ) -> Step:
        """x (p,) with (A + diag(added) - w diag(d)) x = right, as in `times`; with C or, not `corrected`, without."""
        plus, minus = None, None
        if corrected and self.correction is not None and weight > 0.0:
            root = np.sqrt(weight)
            plus, minus = root * self.correction.plus, root * self.correction.minus
        return Step(*conjugate_gradient(self.matrix, added, right, plus, minus, start, tolerance))

    def idle(self, extra: FloatArray) -> FloatArray:
        """(p,) 1 for parameters that nothing depends on, with the curvature `extra` (p,) of the data, else 0."""
        return np.where(self.matrix.diagonal() + extra <= 0.0, 1.0, 0.0)

    def solve(self, gradient: FloatArray, weight: float, damping: float, start: FloatArray | None = None) -> Step:
        """Shift that minimises the damped second-order model.

        gradient: (p,) of the weighted joint target. weight: factor of `diagonal`. damping: Marquardt's lambda; it
        multiplies the diagonal of the whole curvature (Marquardt, 1963, J. Soc. Ind. Appl. Math. 11, 431), so that the
        step does not depend on the units of a parameter. The residual is checked with the true matrix and the solution
        corrected until it is met.
        """
        extra = weight * self.diagonal
        added = extra + damping * (self.matrix.diagonal() + extra) + self.idle(extra)
        return self.solved(-gradient, weight, added, start)

    def predicted_decrease(self, gradient: FloatArray, weight: float, shift: FloatArray) -> float:
        """What the undamped second-order model promises for `shift` (p,): -(g s + 1/2 s A s)."""
        curved = self.times(shift, weight, weight * self.diagonal)
        return float(-(gradient @ shift) - 0.5 * (shift @ curved))


@dataclass(frozen=True, eq=False)
class Step:
    """shift: (p,); iterations and true relative residual of the linear solve."""

    shift: FloatArray
    iterations: int
    residual: float


def normal_equations(
    jacobian: scipy.sparse.csr_matrix, diagonal: FloatArray, n_atoms: int, correction: Correction | None = None
) -> NormalEquations:
    """J^T J beside the curvature of the data term.

    jacobian: (k, p); diagonal: (p,); n_atoms: whose parameters are the first 4 n_atoms of p; correction: of the
    diagonal.
    """
    if jacobian.shape[1] != len(diagonal) or len(diagonal) < BLOCK * n_atoms:
        raise ValueError("one column per parameter, four parameters per atom first")
    return NormalEquations(NormalMatrix.of(jacobian, n_atoms), np.asarray(diagonal, dtype=np.float64), correction)
