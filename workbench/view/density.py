"""Electron density as chicken wire: where the isosurface cuts the planes of the grid.

A map covers one unit cell and repeats; a box around the centre is cut out of it and traced by a compiled kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import Float32Array, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.engine.maps.contour_kernel import LINES, trace_lines


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
        """Density (n,) at points (n, 3) in angstrom, trilinear interpolation."""
        index = np.atleast_2d(xyz) @ np.linalg.inv(self.step_vectors()).T
        low = np.floor(index).astype(np.int64)
        part = index - low
        total = np.zeros(len(index))
        for corner in np.ndindex(2, 2, 2):
            at = tuple(((low + corner) % self.values.shape).T)
            weight = np.where(np.array(corner) == 1, part, 1.0 - part).prod(axis=1)
            total += weight * self.values[at]
        return total


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


def contour(grid: DensityGrid, level: float, centre: FloatArray, radius: float) -> Float32Array:
    """Chicken wire of the surface density = level within a sphere.

    level: e/A^3 (negative for the holes of a difference map). centre: (3,) angstrom, anywhere. radius: angstrom.
    Returns line segments (k, 2, 3) in angstrom; a segment belongs to the sphere when its middle does.
    """
    values, low = cut_box(grid, centre, radius)
    steps = grid.step_vectors()
    # Relative to the centre: single precision keeps its digits wherever in space the view has wandered.
    offset = steps @ low.astype(np.float64) - centre
    room = 100_000
    while True:
        lines = np.empty((room, 2, 3), dtype=np.float32)
        found = trace_lines(values, float(np.float32(level)), steps, offset, radius, LINES, lines)
        if found <= room:
            return lines[:found] + np.asarray(centre, dtype=np.float32)
        room = found
