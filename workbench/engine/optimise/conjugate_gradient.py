"""Preconditioned conjugate gradients for the damped normal equations.

Hestenes & Stiefel (1952), J. Res. Natl. Bur. Stand. 49, 409; preconditioned by the inverse of the 3 x 3 block of each
atom, which takes the coupling of its coordinates out of the iteration, and by the diagonal of all other parameters. The
whole iteration is one kernel: for a small model the calls would cost more than the arithmetic.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.engine.kernels import kernel
from workbench.engine.optimise.normal_matrix import NormalMatrix
from workbench.engine.optimise.normal_matrix_kernels import column_of, multiply

TOLERANCE = 1e-4
MOST_ITERATIONS = 400
RESTARTS = 4


def conjugate_gradient(
    matrix: NormalMatrix,
    added: FloatArray,
    right: FloatArray,
    plus: FloatArray | None = None,
    minus: FloatArray | None = None,
    start: FloatArray | None = None,
    tolerance: float = TOLERANCE,
    max_iterations: int = MOST_ITERATIONS,
) -> tuple[FloatArray, int, float]:
    """Solve (A + diag(added) + plus^T plus - minus^T minus) x = right, a positive definite system.

    added, right, start: (p,). plus, minus: (k, p), none by default; the preconditioner knows nothing of them. The
    recurrence's residual drifts from the true one; it is therefore recomputed when the recurrence claims to be done,
    and the iteration restarts from there if the claim was wrong (iterative refinement).
    Returns x (p,), the number of iterations, and the true relative residual |right - A x| / |right|.
    """
    nothing = np.empty((0, matrix.size))
    x = np.zeros(matrix.size) if start is None else np.array(start, dtype=np.float64)
    used, relative = _solve(
        *matrix.parts,
        np.ascontiguousarray(added, dtype=np.float64),
        nothing if plus is None else np.ascontiguousarray(plus),
        nothing if minus is None else np.ascontiguousarray(minus),
        np.ascontiguousarray(right, dtype=np.float64),
        x,
        tolerance,
        max_iterations,
    )
    return x, used, relative


@kernel
def _solve(
    own: FloatArray,
    first: IntArray,
    other: IntArray,
    block: FloatArray,
    single_own: FloatArray,
    single_first: IntArray,
    column: IntArray,
    entry: FloatArray,
    added: FloatArray,
    plus: FloatArray,
    minus: FloatArray,
    right: FloatArray,
    x: FloatArray,
    tolerance: float,
    max_iterations: int,
) -> tuple[int, float]:
    """Turns x (p,) from where to start into the solution; returns iterations and true relative residual."""
    norm = np.sqrt(_dot(right, right))
    if norm == 0.0:
        x[:] = 0.0
        return 0, 0.0
    inverse = _inverses(own, added)
    n = len(own)
    single_inverse = np.empty(len(single_own))
    for q in range(len(single_own)):
        single_inverse[q] = 1.0 / (single_own[q] + added[column_of(q, n)])
    product, z = np.empty(len(right)), np.empty(len(right))
    used = 0
    relative = 1.0
    for attempt in range(RESTARTS + 1):
        multiply(own, first, other, block, single_own, single_first, column, entry, added, x, product)
        _correct(plus, minus, x, product)
        residual = right - product
        relative = np.sqrt(_dot(residual, residual)) / norm
        if relative <= tolerance or used >= max_iterations or attempt == RESTARTS:
            break
        _precondition(inverse, single_inverse, residual, z)
        direction = z.copy()
        rho = _dot(residual, z)
        while used < max_iterations:
            multiply(own, first, other, block, single_own, single_first, column, entry, added, direction, product)
            _correct(plus, minus, direction, product)
            curvature = _dot(direction, product)
            if curvature <= 0.0 or not np.isfinite(curvature):
                break
            alpha = rho / curvature
            for c in range(len(x)):
                x[c] += alpha * direction[c]
                residual[c] -= alpha * product[c]
            used += 1
            if np.sqrt(_dot(residual, residual)) <= tolerance * norm:
                break
            _precondition(inverse, single_inverse, residual, z)
            rho_next = _dot(residual, z)
            ratio = rho_next / rho
            for c in range(len(x)):
                direction[c] = z[c] + ratio * direction[c]
            rho = rho_next
    return used, relative


@kernel
def _dot(a: FloatArray, b: FloatArray) -> float:
    """Four sums side by side, always in this order."""
    s, t, u, v = 0.0, 0.0, 0.0, 0.0
    whole = len(a) - len(a) % 4
    for k in range(0, whole, 4):
        s += a[k] * b[k]
        t += a[k + 1] * b[k + 1]
        u += a[k + 2] * b[k + 2]
        v += a[k + 3] * b[k + 3]
    for k in range(whole, len(a)):
        s += a[k] * b[k]
    return (s + t) + (u + v)


@kernel
def _correct(plus: FloatArray, minus: FloatArray, v: FloatArray, product: FloatArray) -> None:
    """Adds (plus^T plus - minus^T minus) v to product."""
    for k in range(len(plus)):
        up, down = _dot(plus[k], v), _dot(minus[k], v)
        for c in range(len(v)):
            product[c] += up * plus[k, c] - down * minus[k, c]


@kernel
def _inverses(own: FloatArray, added: FloatArray) -> FloatArray:
    """(n, 3, 3) inverse of own + diag(added) of each atom, by its adjugate; of their diagonal where that is singular to
    rounding."""
    found = np.empty_like(own)
    for i in range(len(own)):
        o = own[i]
        a, b, c = o[0, 0] + added[4 * i], o[1, 1] + added[4 * i + 1], o[2, 2] + added[4 * i + 2]
        d, e, f = o[0, 1], o[0, 2], o[1, 2]
        determinant = a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)
        r = found[i]
        if determinant > 1e-12 * a * b * c:
            r[0, 0], r[1, 1], r[2, 2] = b * c - f * f, a * c - e * e, a * b - d * d
            r[0, 1] = r[1, 0] = e * f - d * c
            r[0, 2] = r[2, 0] = d * f - b * e
            r[1, 2] = r[2, 1] = d * e - a * f
            for k in range(3):
                for m in range(3):
                    r[k, m] /= determinant
        else:
            r[:] = 0.0
            r[0, 0], r[1, 1], r[2, 2] = 1.0 / a, 1.0 / b, 1.0 / c
    return found


@kernel
def _precondition(inverse: FloatArray, single_inverse: FloatArray, residual: FloatArray, z: FloatArray) -> None:
    n = len(inverse)
    for i in range(n):
        r = inverse[i]
        x, y, w = residual[4 * i], residual[4 * i + 1], residual[4 * i + 2]
        z[4 * i] = r[0, 0] * x + r[0, 1] * y + r[0, 2] * w
        z[4 * i + 1] = r[1, 0] * x + r[1, 1] * y + r[1, 2] * w
        z[4 * i + 2] = r[2, 0] * x + r[2, 1] * y + r[2, 2] * w
        z[4 * i + 3] = single_inverse[i] * residual[4 * i + 3]
    for q in range(n, len(single_inverse)):
        z[q + 3 * n] = single_inverse[q] * residual[q + 3 * n]
