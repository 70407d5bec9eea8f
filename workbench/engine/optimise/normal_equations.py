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
from workbench.engine.optimise.conjugate_gradient import BLOCK, BlockPreconditioner, conjugate_gradient
from workbench.engine.optimise.secants import Correction


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """matrix: (p, p) curvature of the restraints; diagonal: (p,) curvature of the data term before its weight;
    n_blocks: atoms, whose four parameters come first. correction: of that diagonal."""

    matrix: scipy.sparse.csr_matrix
    diagonal: FloatArray
    n_blocks: int
    correction: Correction | None = None

    def times(self, v: FloatArray, weight: float, added: FloatArray) -> FloatArray:
        """(A + diag(added) - w diag(d)) v, (p,): `added` (p,) stands for the weighted diagonal of the data and what
        else a solver adds to it."""
        product: FloatArray = self.matrix @ v
        product += added * v
        if self.correction is not None and weight > 0.0:
            product += weight * self.correction.times(v)
        return product

    def solve(self, gradient: FloatArray, weight: float, damping: float, start: FloatArray | None = None) -> Step:
        """Shift that minimises the damped second-order model.

        gradient: (p,) of the weighted joint target. weight: factor of `diagonal`. damping: Marquardt's lambda; it
        multiplies the diagonal of the whole curvature (Marquardt, 1963, J. Soc. Ind. Appl. Math. 11, 431), so that the
        step does not depend on the units of a parameter. The residual is checked with the true matrix and the solution
        corrected until it is met.
        """
        extra = weight * self.diagonal
        full_diagonal = self.matrix.diagonal() + extra
        idle = full_diagonal <= 0.0
        added = extra + damping * full_diagonal
        added[idle] += 1.0
        preconditioner = BlockPreconditioner.of(self.matrix, added, self.n_blocks)

        def multiply(v: FloatArray) -> FloatArray:
            return self.times(v, weight, added)

        shift, iterations, residual = conjugate_gradient(multiply, -gradient, preconditioner, start)
        return Step(shift, iterations, residual)

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
    jacobian: scipy.sparse.csr_matrix, diagonal: FloatArray, n_blocks: int, correction: Correction | None = None
) -> NormalEquations:
    """J^T J as a sparse matrix, beside the curvature of the data term.

    jacobian: (k, p); diagonal: (p,); n_blocks: number of atoms, whose parameters are the first 4 n_blocks of p;
    correction: of the diagonal.
    """
    if jacobian.shape[1] != len(diagonal) or len(diagonal) < BLOCK * n_blocks:
        raise ValueError("one column per parameter, four parameters per atom first")
    product = (jacobian.T @ jacobian).tocsr()
    return NormalEquations(
        scipy.sparse.csr_matrix(product), np.asarray(diagonal, dtype=np.float64), n_blocks, correction
    )
