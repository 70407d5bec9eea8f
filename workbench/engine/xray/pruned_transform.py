"""The Fourier transform of a real grid at the few low indices that are asked for.

A grid finer than the reflections need has a transform of which most is never looked at. Plane by plane along the first
axis only the indices that occur are kept, so that the last transform runs over a fraction of the columns, and the whole
spectrum never stands in memory.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from workbench.core.arrays import AnyArray, ComplexArray, IntArray

SLAB = 8
"""Planes that are transformed together."""


class PrunedTransform:
    """sum over points of grid(x) exp(+2 pi i h x) at fixed indices.

    size: grid points (nu, nv, nw). hkl: (m, 3), every |index| below half the size. threads: of each transform.
    """

    def __init__(self, size: tuple[int, int, int], hkl: IntArray, threads: int = 1) -> None:
        self._size, self._threads = size, max(1, threads)
        index = np.array(hkl, dtype=np.int64).reshape(-1, 3)
        # Only the half with l >= 0 is made; the rest are conjugates.
        self._mate = index[:, 2] < 0
        index[self._mate] *= -1
        self._columns = int(index[:, 2].max(initial=0)) + 1
        most = int(np.abs(index[:, 1]).max(initial=0))
        rows = np.arange(-most, most + 1) if 2 * most + 1 < size[1] else np.arange(size[1])
        self._rows = rows % size[1]
        place = np.zeros(size[1], dtype=np.int64)
        place[self._rows] = np.arange(len(rows))
        self._where = (index[:, 0] % size[0], place[index[:, 1] % size[1]], index[:, 2])

    def of(self, grid: AnyArray) -> ComplexArray:
        """(m,) of a grid (nu, nv, nw) of real numbers or truth values."""
        nu = self._size[0]
        kept = np.empty((nu, len(self._rows), self._columns), dtype=np.complex64)
        for first in range(0, nu, SLAB):
            slab = scipy.fft.rfft(np.asarray(grid[first : first + SLAB], dtype=np.float32), workers=self._threads)
            lines = np.ascontiguousarray(slab[:, :, : self._columns])
            full = scipy.fft.fft(lines, axis=1, overwrite_x=True, workers=self._threads)
            kept[first : first + SLAB] = full[:, self._rows]
        spectrum = np.asarray(scipy.fft.fft(kept, axis=0, overwrite_x=True, workers=self._threads))
        found = np.asarray(spectrum[self._where], dtype=np.complex128)
        # scipy's transform has exp(-2 pi i h x).
        return np.where(self._mate, found, np.conj(found))
