"""Electron density as a smooth surface.

Surface nets (Gibson, Lect. Notes Comput. Sci. 1496, 888, 1998): one vertex in every grid cell that the surface cuts, at
the mean of the places where it cuts the cell's edges; one quadrilateral around every edge that is cut.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import AnyArray, FloatArray
from workbench.view.density import DensityGrid, finer_box
from workbench.view.ribbon import EMPTY_MESH, Mesh

_CORNERS = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)])
_EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if np.abs(_CORNERS[a] - _CORNERS[b]).sum() == 1]


def surface(grid: DensityGrid, level: float, centre: FloatArray, radius: float) -> Mesh:
    """The surface density = level within a sphere; normals point from high to low density (for a negative level, from
    low to high). Arguments as for `contour`; `atom` of the mesh is 0 everywhere."""
    # Half the spacing: the facets of the grid of the map itself would show.
    values, low, steps = finer_box(grid, centre, radius)
    if level < 0.0:
        values, level = -values, -level
    inside = values > np.float32(level)
    cut = np.zeros(tuple(n - 1 for n in values.shape), dtype=np.uint8)
    for i, j, k in _CORNERS:
        cut += inside[i : i + cut.shape[0], j : j + cut.shape[1], k : k + cut.shape[2]]
    mixed = (cut > 0) & (cut < 8)
    cells = np.argwhere(mixed)
    if len(cells):
        offset = (cells + 0.5 + low) @ steps.T - centre
        near = np.einsum("ij,ij->i", offset, offset) <= (radius - 0.5) ** 2
        cells = cells[near]
    if not len(cells):
        return EMPTY_MESH
    number = np.full(mixed.shape, -1, dtype=np.int32)
    number[tuple(cells.T)] = np.arange(len(cells))
    corner = np.stack([values[tuple((cells + c).T)] for c in _CORNERS], axis=1)
    place = np.zeros((len(cells), 3))
    count = np.zeros(len(cells))
    for a, b in _EDGES:
        f_a, f_b = corner[:, a], corner[:, b]
        crossing = (f_a > level) != (f_b > level)
        t = np.where(crossing, (level - f_a) / np.where(crossing, f_b - f_a, 1.0), 0.0)
        place += np.where(crossing[:, None], _CORNERS[a] + t[:, None] * (_CORNERS[b] - _CORNERS[a]), 0.0)
        count += crossing
    place /= count[:, None]
    # The gradient of the trilinear density at the vertex, turned into Cartesian components.
    slope = np.zeros((len(cells), 3))
    for c, f in zip(_CORNERS, corner.T, strict=True):
        for k in range(3):
            rest = np.prod([np.where(c[m], place[:, m], 1.0 - place[:, m]) for m in range(3) if m != k], axis=0)
            slope[:, k] += (1.0 if c[k] else -1.0) * f * rest
    normals = -slope @ np.linalg.inv(steps)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    vertices = (cells + place + low) @ steps.T
    triangles = np.concatenate([_faces(inside, number, axis) for axis in range(3)])
    return Mesh(
        vertices.astype(np.float32),
        normals.astype(np.float32),
        triangles.astype(np.int32),
        np.zeros(len(vertices), dtype=np.int32),
    )


def _faces(inside: AnyArray, number: AnyArray, axis: int) -> AnyArray:
    """Two triangles around each cut edge along `axis`: the four cells that share it."""
    u, v = (axis + 1) % 3, (axis + 2) % 3
    start = [slice(None)] * 3
    end = [slice(None)] * 3
    start[axis], end[axis] = slice(0, -1), slice(1, None)
    crossing = np.argwhere(inside[tuple(start)] != inside[tuple(end)])
    shape = np.array(number.shape)
    good = (crossing[:, u] > 0) & (crossing[:, v] > 0) & (crossing[:, u] < shape[u]) & (crossing[:, v] < shape[v])
    crossing = crossing[good]
    step_u, step_v = np.eye(3, dtype=int)[u], np.eye(3, dtype=int)[v]
    quad = np.stack(
        [number[tuple((crossing - shift).T)] for shift in (step_u + step_v, step_v, np.zeros(3, dtype=int), step_u)],
        axis=1,
    )
    outward = inside[tuple(crossing.T)]
    whole = (quad >= 0).all(axis=1)
    corners, turn = quad[whole], outward[whole]
    corners[~turn] = corners[~turn][:, ::-1]
    return np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
