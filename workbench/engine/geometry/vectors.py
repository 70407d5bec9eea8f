"""Products of rows of vectors (k, 3), written out because they are called on a few thousand rows at a time."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray


def dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """(k,) scalar products."""
    product: FloatArray = np.einsum("ki,ki->k", a, b)
    return product


def cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """(k, 3) vector products."""
    result = np.empty_like(a)
    result[:, 0] = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    result[:, 1] = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    result[:, 2] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return result


def length(a: FloatArray) -> FloatArray:
    """(k,) lengths, never quite zero so that one may divide by them."""
    return np.maximum(np.sqrt(dot(a, a)), 1e-6)
