"""Electron density as chicken wire: where the isosurface cuts the planes of the grid.

A map covers one unit cell and repeats; a box around the centre is cut out of it and traced by a compiled kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter, zoom

from workbench.core.arrays import Float32Array, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.engine.maps.contour_kernel import LINES, trace_lines
from workbench.view.line_set import LineSet

SPLINE_REACH = 8
"""Grid steps: the weight of a value in a cubic spline falls by 0.27 with each, to 3e-5."""
COARSE = 0.75
"""Angstrom between grid points above which chicken wire is drawn on a grid of half the spacing: at 3.5 A the facets of
the map's own grid would be taller than an atom."""


def orthogonalisation(crystal: Crystal) -> FloatArray:
    """Matrix (3, 3) from fractional to Cartesian coordinates, a along x and b in the xy plane (PDB convention)."""
    a, b, c = crystal.cell[:3]
    alpha, beta, gamma = np.radians(crystal.cell[3:])
    cos_a, cos_b, cos_g, sin_g = np.cos(alpha), np.cos(beta), np.cos(gamma), np.sin(gamma)
    c_y = (cos_a - cos_b * cos_g) / sin_g
    c_z = np.sqrt(max(1.0 - cos_b**2 - c_y**2, 0.0))
    return np.array([[a, b * cos_g, c * cos_b], [0.0, b * sin_g, c * c_y], [0.0, 0.0, c * c_z]])


@dataclass(frozen=True, eq=False)
class DensityGrid:
    """A map on a grid: values (nu, nv, nw) in e/A^3 over one unit cell, its r.m.s. `sigma` in e/A^3."""

    values: Float32Array
    crystal: Crystal
    sigma: float

    def step_vectors(self) -> FloatArray:
        """Matrix (3, 3) whose columns are the steps in angstrom from one grid point to the next."""
        return orthogonalisation(self.crystal) / np.array(self.values.shape, dtype=np.float64)

    def at(self, xyz: FloatArray) -> FloatArray:
        """Density (n,) at points (n, 3) in angstrom, by cubic splines through the periodic grid.

        At three grid points per d_min a spline is within 2 % of the Fourier sum at an atom; between the eight
        neighbours alone (trilinear) the peak would lose more than a tenth of its height.
        """
        index = np.atleast_2d(xyz) @ np.linalg.inv(self.step_vectors()).T
        if not len(index):
            return np.zeros(0)
        low = np.floor(index.min(axis=0)).astype(np.int64) - SPLINE_REACH
        high = np.ceil(index.max(axis=0)).astype(np.int64) + SPLINE_REACH
        if np.prod((high - low + 1).astype(np.float64)) < self.values.size:
            # Only what surrounds the points: beyond SPLINE_REACH steps a value no longer counts.
            axes = [np.arange(low[k], high[k] + 1) % self.values.shape[k] for k in range(3)]
            coefficients = spline_filter(self.values[np.ix_(*axes)], order=3, mode="mirror")
            return np.asarray(map_coordinates(coefficients, (index - low).T, order=3, mode="mirror", prefilter=False))
        coefficients = spline_filter(self.values, order=3, mode="grid-wrap")
        return np.asarray(map_coordinates(coefficients, index.T, order=3, mode="grid-wrap", prefilter=False))


def cut_box(grid: DensityGrid, centre: FloatArray, radius: float) -> tuple[Float32Array, IntArray]:
    """The part of the repeating map that holds a sphere: values (p, q, r) and the grid index (3,) of the first."""
    steps = grid.step_vectors()
    to_index = np.linalg.inv(steps)
    middle = to_index @ centre
    # The sphere reaches radius * |row| along each index axis: the rows are the reciprocal steps.
    reach = radius * np.linalg.norm(to_index, axis=1) + 1.0
    low = np.floor(middle - reach).astype(np.int32)
    high = np.ceil(middle + reach).astype(np.int32)
    axes = [np.arange(low[k], high[k] + 1) % grid.values.shape[k] for k in range(3)]
    return np.ascontiguousarray(grid.values[np.ix_(*axes)]), low


def finer_box(grid: DensityGrid, centre: FloatArray, radius: float) -> tuple[Float32Array, IntArray, FloatArray]:
    """As `cut_box`, with half the spacing, by cubic splines. Returns values, index of the first on the finer grid, and
    the step vectors (3, 3) of that grid."""
    coarse, start = cut_box(grid, centre, radius)
    values = zoom(coarse, [(2 * n - 1) / n for n in coarse.shape], order=3, mode="nearest")
    return np.ascontiguousarray(values, dtype=np.float32), 2 * start, 0.5 * grid.step_vectors()


def contour(grid: DensityGrid, level: float, centre: FloatArray, radius: float) -> LineSet:
    """Chicken wire of the surface density = level within a sphere.

    level: e/A^3 (negative for the holes of a difference map). centre: (3,) angstrom, anywhere. radius: angstrom.
    A line belongs to the sphere when its middle does. Lines that meet share a point.
    """
    steps = grid.step_vectors()
    if np.linalg.norm(steps, axis=0).max() > COARSE:
        values, low, steps = finer_box(grid, centre, radius)
    else:
        values, low = cut_box(grid, centre, radius)
    # Relative to the centre: single precision keeps its digits wherever in space the view has wandered.
    offset = steps @ low.astype(np.float64) - centre
    room = 100_000
    while True:
        points, pairs = np.empty((room, 3), dtype=np.float32), np.empty((room, 2), dtype=np.int32)
        found = trace_lines(values, float(np.float32(level)), steps, offset, radius, LINES, points, pairs)
        if max(found) <= room:
            return LineSet(points[: found[0]] + np.asarray(centre, dtype=np.float32), pairs[: found[1]].copy())
        room = max(found)
