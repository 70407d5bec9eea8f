"""Electron density as chicken wire: where the isosurface cuts the planes of the grid.

The lines are found by marching squares in the three families of grid planes, worked in grid-index space with numpy and
brought to angstrom at the end, so that an oblique cell costs nothing extra. A map covers one unit cell and repeats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import AnyArray, Float32Array, FloatArray, IntArray
from workbench.core.crystal import Crystal

# Corners of a grid square are numbered 0 (u, v), 1 (u+1, v), 2 (u+1, v+1), 3 (u, v+1); its edges 0 (0-1), 1 (1-2),
# 2 (3-2), 3 (0-3). Row: which corners are inside (bit n = corner n), +16 when the middle of the square is inside too,
# which decides how two opposite corners are joined. Up to two lines, each from edge to edge.
_LINES = np.full((32, 2, 2), -1, dtype=np.int8)
_SINGLE = {1: (3, 0), 2: (0, 1), 3: (3, 1), 4: (1, 2), 6: (0, 2), 7: (3, 2), 8: (2, 3), 9: (2, 0)}
_SINGLE |= {11: (2, 1), 12: (1, 3), 13: (1, 0), 14: (0, 3)}
for _case, _pair in _SINGLE.items():
    _LINES[_case, 0] = _LINES[_case + 16, 0] = _pair
_LINES[5] = [(3, 0), (1, 2)]
_LINES[5 + 16] = [(0, 1), (2, 3)]
_LINES[10] = [(0, 1), (2, 3)]
_LINES[10 + 16] = [(3, 0), (1, 2)]


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


def _plane_lines(values: Float32Array, inside: AnyArray, level: float, u: int, v: int) -> Float32Array:
    """Lines (k, 2, 3) in box-index coordinates in the planes spanned by index axes u and v."""
    shape = values.shape
    flat = values.ravel()
    strides = (shape[1] * shape[2], shape[2], 1)
    step_u, step_v = strides[u], strides[v]
    n = flat.size - step_u - step_v
    # One-dimensional shifts run at memory speed; squares that would wrap round an edge of the box are dropped below.
    case = inside[:n] + (inside[step_u : step_u + n] << 1)
    case += inside[step_u + step_v : step_u + step_v + n] << 2
    case += inside[step_v : step_v + n] << 3
    square = np.flatnonzero((case - np.uint8(1)) < np.uint8(14))
    index = np.empty((len(square), 3), dtype=np.int32)
    index[:, 0], rest = np.divmod(square, strides[0])
    index[:, 1], index[:, 2] = np.divmod(rest, strides[1])
    whole = (index[:, u] < shape[u] - 1) & (index[:, v] < shape[v] - 1)
    square, index = square[whole], index[whole]
    kind = case[square].astype(np.intp)
    opposite = np.flatnonzero((kind == 5) | (kind == 10))
    if len(opposite):
        corner = square[opposite]
        middle = flat[corner] + flat[corner + step_u] + flat[corner + step_v] + flat[corner + step_u + step_v]
        kind[opposite[middle > 4.0 * level]] += 16
    lines = _LINES[kind]
    two = np.flatnonzero(lines[:, 1, 0] >= 0)
    edges = np.concatenate([lines[:, 0], lines[two, 1]])
    square = np.concatenate([square, square[two]])
    index = np.concatenate([index, index[two]])
    result = np.empty((len(edges), 2, 3), dtype=np.float32)
    for end in range(2):
        edge = edges[:, end]
        start = np.where(edge == 1, step_u, np.where(edge == 2, step_v, 0)) + square
        upright = (edge & 1).astype(bool)
        f_0 = flat[start]
        f_1 = flat[start + np.where(upright, step_v, step_u)]
        t = (np.float32(level) - f_0) / (f_1 - f_0)
        point = result[:, end]
        point[:] = index
        point[:, u] += np.where(upright, edge == 1, t)
        point[:, v] += np.where(upright, t, edge == 2)
    return result


def contour(grid: DensityGrid, level: float, centre: FloatArray, radius: float) -> Float32Array:
    """Chicken wire of the surface density = level within a sphere.

    level: e/A^3 (negative for the holes of a difference map). centre: (3,) angstrom, anywhere. radius: angstrom.
    Returns line segments (k, 2, 3) in angstrom; a segment belongs to the sphere when its middle does.
    The method is marching squares (a plane version of Lorensen & Cline 1987, Computer Graphics 21, 163).
    """
    values, low = cut_box(grid, centre, radius)
    inside = (values > np.float32(level)).ravel().view(np.uint8)
    found = [_plane_lines(values, inside, level, u, v) for u, v in ((0, 1), (1, 2), (2, 0))]
    lines = np.concatenate(found)
    if not len(lines):
        return lines
    steps = grid.step_vectors()
    # Relative to the centre first: single precision keeps its digits wherever in space the view has wandered.
    offset = steps @ low.astype(np.float64) - centre
    lines = lines @ steps.T.astype(np.float32) + offset.astype(np.float32)
    middle = lines[:, 0] + lines[:, 1]
    near = np.einsum("ij,ij->i", middle, middle) <= np.float32(4.0 * radius * radius)
    return np.ascontiguousarray(lines[near] + np.asarray(centre, dtype=np.float32))
