"""Distances of atoms from their least-squares plane, with the exact derivative of the plane.

The normal n is the eigenvector of the smallest eigenvalue l_0 of M = sum (x - c)(x - c)^T (Blow, 1960, Acta Cryst. 13,
168). When atom j moves by dx, first-order perturbation theory gives dn = sum_k e_k (e_k^T dM n) / (l_0 - l_k), and with
e_k^T dM n = sum_j (e_k . dx_j) delta_j + (e_k . (x_j - c)) (n . dx_j) the derivative of every distance is closed.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.engine.geometry.description import Planes
from workbench.engine.geometry.residuals import xyz_columns

SMALLEST = 4
"""Three atoms are always in a plane."""


class PlaneFit:
    """Fits all planes of a description at once. rows: one per atom of a plane."""

    def __init__(self, planes: Planes) -> None:
        sizes = np.diff(planes.start)
        keep = np.flatnonzero(sizes >= SMALLEST)
        member = np.repeat(sizes >= SMALLEST, sizes)
        self.atoms = planes.atoms[member].astype(np.int32)
        self.sizes = sizes[keep].astype(np.int64)
        self.start = np.concatenate([[0], np.cumsum(self.sizes)])[:-1].astype(np.int64)
        self.plane = np.repeat(np.arange(len(keep)), self.sizes)
        self.sigma: FloatArray = planes.sigma[keep][self.plane].astype(np.float64)
        # every ordered pair (row a, row b) of atoms of one plane: the distance of a depends on where b is
        row_sizes = self.sizes[self.plane]
        self.row_lengths = 3 * row_sizes
        self._a = np.repeat(np.arange(len(self.plane)), row_sizes)
        within = np.arange(len(self._a)) - np.repeat(np.cumsum(row_sizes) - row_sizes, row_sizes)
        self._b = np.repeat(self.start[self.plane], row_sizes) + within
        self.columns = xyz_columns(self.atoms[self._b][:, None]).ravel()

    def __len__(self) -> int:
        return len(self.plane)

    def _fit(self, xyz: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rows relative to the centroid (rows, 3), eigenvalues (planes, 3) rising, eigenvectors as columns."""
        x = xyz[self.atoms]
        centre = np.add.reduceat(x, self.start, axis=0) / self.sizes[:, None]
        x = x - centre[self.plane]
        moments = np.add.reduceat(x[:, :, None] * x[:, None, :], self.start, axis=0)
        values, vectors = np.linalg.eigh(moments)
        return x, values, vectors

    def deviations(self, xyz: FloatArray) -> FloatArray:
        """(rows,) signed distances in angstrom."""
        if not len(self):
            return np.zeros(0)
        x, _, vectors = self._fit(xyz)
        result: FloatArray = np.einsum("ri,ri->r", x, vectors[self.plane, :, 0])
        return result

    def derivatives(self, xyz: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distances (rows,) and their derivatives, flat, in the order of `columns`."""
        if not len(self):
            return np.zeros(0), np.zeros(0)
        x, values, vectors = self._fit(xyz)
        normal = vectors[self.plane, :, 0]
        distance: FloatArray = np.einsum("ri,ri->r", x, normal)
        a, b = self._a, self._b
        along = (a == b) - 1.0 / self.sizes[self.plane[a]]
        result = np.zeros((len(a), 3))
        for k in (1, 2):
            axis = vectors[self.plane, :, k]
            coordinate = np.einsum("ri,ri->r", x, axis)
            gap = np.minimum(values[:, 0] - values[:, k], -1e-9)[self.plane]
            scaled = (coordinate / gap)[a]
            along += scaled * coordinate[b]
            result += (scaled * distance[b])[:, None] * axis[b]
        result += along[:, None] * normal[b]
        return distance, result.ravel()
