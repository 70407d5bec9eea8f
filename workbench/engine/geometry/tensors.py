"""Anisotropic displacement as an isotropic B and a traceless tensor (deviator) of five numbers.

U = (B 1 + sum_p a_p T_p) / (8 pi^2), with T_p an orthonormal basis of the traceless symmetric tensors
(T_p : T_q = delta_pq). B and a_p are in A^2; rotations mix the a_p among themselves and leave B alone, so that an
isotropic model is one with a = 0.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray

EIGHT_PI_SQ = 8.0 * np.pi**2
_DIAGONAL = np.sqrt(0.5)
_SIX = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


def _basis() -> FloatArray:
    t = np.zeros((5, 3, 3))
    t[0, 0, 0], t[0, 1, 1] = _DIAGONAL, -_DIAGONAL
    t[1, 0, 0] = t[1, 1, 1] = -1.0 / np.sqrt(6.0)
    t[1, 2, 2] = 2.0 / np.sqrt(6.0)
    for p, (i, j) in enumerate(_SIX[3:], start=2):
        t[p, i, j] = t[p, j, i] = _DIAGONAL
    return t


BASIS = _basis()
"""(5, 3, 3) the tensors T_p."""
_FROM_SIX = np.array([[t[i, j] * (1.0 if i == j else 2.0) for i, j in _SIX] for t in BASIS])
_TO_SIX = np.array([[t[i, j] for i, j in _SIX] for t in BASIS])


def deviators(u: FloatArray) -> FloatArray:
    """(m, 5) a_p in A^2 of tensors u (m, 6: U11 U22 U33 U12 U13 U23) in A^2."""
    return np.asarray(EIGHT_PI_SQ * (u @ _FROM_SIX.T))


def tensors(b: FloatArray, a: FloatArray) -> FloatArray:
    """(m, 6) U in A^2 from B (m,) and deviators a (m, 5), both in A^2."""
    u = a @ _TO_SIX
    u[:, :3] += b[:, None]
    return np.asarray(u / EIGHT_PI_SQ)


def deviator_gradient(by_u: FloatArray) -> FloatArray:
    """(m, 5) derivative by a_p from that by the elements of the full symmetric matrix U (m, 6), per A^2."""
    return np.asarray(by_u @ _FROM_SIX.T / EIGHT_PI_SQ)


def matrices(u: FloatArray) -> FloatArray:
    """(m, 3, 3) symmetric matrices of u (m, 6)."""
    return np.asarray(u[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]])


def six(full: FloatArray) -> FloatArray:
    """(m, 6) of symmetric matrices (m, 3, 3)."""
    return np.stack([full[:, i, j] for i, j in _SIX], axis=1)


def with_smallest_axis(u: FloatArray, b_min: float) -> FloatArray:
    """u (m, 6) with every principal axis at least b_min / (8 pi^2); rows that are fine already are unchanged."""
    full = matrices(u)
    axes, directions = np.linalg.eigh(full)
    low = np.flatnonzero(axes[:, 0] < b_min / EIGHT_PI_SQ)
    if not len(low):
        return u
    raised = np.maximum(axes[low], b_min / EIGHT_PI_SQ)
    mended = np.einsum("mik,mk,mjk->mij", directions[low], raised, directions[low])
    result = u.copy()
    result[low] = six(mended)
    return result
