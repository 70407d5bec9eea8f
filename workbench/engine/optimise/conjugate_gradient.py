"""Preconditioned conjugate gradients for the damped normal equations.

Hestenes & Stiefel (1952), J. Res. Natl. Bur. Stand. 49, 409; block-Jacobi preconditioner with one 4 x 4 block
(x, y, z, B) per atom, which takes the coupling of the coordinates of an atom out of the iteration; the parameters that
follow (shapes of atoms, occupancies) are scaled by their diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from workbench.core.arrays import FloatArray

BLOCK = 4
"""Parameters of an atom that come together."""


@dataclass(frozen=True, eq=False)
class BlockPreconditioner:
    """inverse: (n, 4, 4), the inverse of each diagonal block. single: (p - 4n,) that of the later diagonal elements."""

    inverse: FloatArray
    single: FloatArray

    @classmethod
    def of(cls, matrix: scipy.sparse.csr_matrix, added_diagonal: FloatArray, n_blocks: int) -> BlockPreconditioner:
        """From the (p, p) matrix, whose first 4 n_blocks rows are blocks, and the (p,) diagonal that is added to it."""
        size = BLOCK * n_blocks
        blocks = np.zeros((n_blocks, BLOCK, BLOCK))
        rows = np.repeat(np.arange(size), np.diff(matrix.indptr[: size + 1]))
        indices = matrix.indices[: len(rows)]
        inside = np.flatnonzero(rows // BLOCK == indices // BLOCK)
        r, c = rows[inside], indices[inside]
        blocks[r // BLOCK, r % BLOCK, c % BLOCK] = matrix.data[inside]
        every = np.arange(size)
        blocks[every // BLOCK, every % BLOCK, every % BLOCK] += added_diagonal[:size]
        single = 1.0 / (matrix.diagonal()[size:] + added_diagonal[size:])
        return cls(np.asarray(np.linalg.inv(blocks), dtype=np.float64), np.asarray(single))

    def __call__(self, v: FloatArray) -> FloatArray:
        size = BLOCK * len(self.inverse)
        product = np.empty_like(v)
        product[:size] = np.einsum("nij,nj->ni", self.inverse, v[:size].reshape(-1, BLOCK)).ravel()
        product[size:] = self.single * v[size:]
        return product


def conjugate_gradient(
    multiply: Callable[[FloatArray], FloatArray],
    right: FloatArray,
    precondition: Callable[[FloatArray], FloatArray],
    start: FloatArray | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 400,
) -> tuple[FloatArray, int, float]:
    """Solve A x = right for a positive definite A given by its product.

    The recurrence's residual drifts from the true one; it is therefore recomputed when the recurrence claims to be
    done, and the iteration restarts from there if the claim was wrong (iterative refinement).
    Returns x (p,), the number of iterations, and the true relative residual |right - A x| / |right|.
    """
    x = np.zeros_like(right) if start is None else start.copy()
    norm = float(np.linalg.norm(right))
    if norm == 0.0:
        return np.zeros_like(right), 0, 0.0
    used = 0
    relative = 1.0
    for _ in range(4):
        residual = right - multiply(x)
        relative = float(np.linalg.norm(residual)) / norm
        if relative <= tolerance or used >= max_iterations:
            break
        z = precondition(residual)
        direction = z.copy()
        rho = float(residual @ z)
        while used < max_iterations:
            product = multiply(direction)
            curvature = float(direction @ product)
            if curvature <= 0.0 or not np.isfinite(curvature):
                break
            alpha = rho / curvature
            x += alpha * direction
            residual -= alpha * product
            used += 1
            if float(np.linalg.norm(residual)) <= tolerance * norm:
                break
            z = precondition(residual)
            rho_next = float(residual @ z)
            direction *= rho_next / rho
            direction += z
            rho = rho_next
    else:
        relative = float(np.linalg.norm(right - multiply(x))) / norm
    return x, used, relative
