"""The Fourier transform of part of a unit cell at the few low indices that are asked for.

A grid finer than the reflections need has a transform of which most is never looked at, and what has the symmetry of a
crystal is known from one asymmetric unit. So the transform is made axis by axis as a product of matrices, of the points
that there are and the indices that occur alone: no padding, and the whole spectrum never stands in memory.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import AnyArray, Complex64Array, ComplexArray, Float32Array, IntArray
from workbench.engine.xray.symmetry_kernels import collect_symmetry

SLAB = 8
"""Planes that are transformed together."""


class BrickTransform:
    """sum over operators and points of the brick of value(x) exp(2 pi i h (R x + t)) at fixed indices.

    size: (3,) grid points of the cell. extent: (3,) those of the brick, which begins at the origin. hkl: (m, 3).
    rotation (o, 3, 3) of fractions, translation (o, 3) in 24ths.
    """

    def __init__(
        self, size: IntArray, extent: IntArray, hkl: IntArray, rotation: IntArray, translation: IntArray
    ) -> None:
        self._hkl = np.ascontiguousarray(hkl, dtype=np.int32).reshape(-1, 3)
        self._rotation, self._translation = rotation, translation
        self._phases = np.exp(2j * np.pi * np.arange(24) / 24)
        most = np.zeros(3, dtype=np.int64)
        for operator in rotation:
            most = np.maximum(most, np.abs(self._hkl @ operator).max(axis=0, initial=0))
        # In the order of a discrete transform of just so many points, of the last axis the half that is not negative.
        self._u, self._v = (_waves(_indices(int(most[d])), int(size[d]), int(extent[d])) for d in (0, 1))
        last = _waves(np.arange(int(most[2]) + 1, dtype=np.int32), int(size[2]), int(extent[2])).T
        self._w = np.ascontiguousarray(np.stack([last.real, last.imag], axis=-1).reshape(len(last), -1))

    def of(self, values: Float32Array) -> ComplexArray:
        """(m,) of the values at the points of the brick."""
        planes, rows, points = values.shape
        columns = self._w.shape[1] // 2
        partly: Complex64Array = np.empty((planes, len(self._v), columns), dtype=np.complex64)
        for first in range(0, planes, SLAB):
            slab = values[first : first + SLAB].reshape(-1, points) @ self._w
            lines = slab.view(np.complex64).reshape(-1, rows, columns)
            np.matmul(self._v, lines, out=partly[first : first + SLAB])
        half = (self._u @ partly.reshape(planes, -1)).reshape(len(self._u), len(self._v), columns)
        return collect_symmetry(half, self._hkl, self._rotation, self._translation, self._phases)


def _indices(most: int) -> IntArray:
    return np.concatenate([np.arange(most + 1), np.arange(-most, 0)]).astype(np.int32)


def _waves(index: IntArray, size: int, extent: int) -> AnyArray:
    """(i, extent) exp(-2 pi i h x / size), the sign that `collect_symmetry` wants; phases by whole numbers, which keeps
    their digits."""
    turns = np.multiply.outer(index, np.arange(extent)) % size
    return np.ascontiguousarray(np.exp(-2j * np.pi / size * turns), dtype=np.complex64)
