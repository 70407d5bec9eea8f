"""The bulk-solvent mask in a window of the cell: where a probe can reach, and how the solvent is grown back.

The window holds an asymmetric unit and what of its surroundings decides about it. All images of the atoms are drawn
into it row by row (a sphere cuts a grid line in one run of points).
"""

from __future__ import annotations

import math

import numpy as np

from workbench.core.arrays import AnyArray, Float32Array, FloatArray, IntArray
from workbench.engine.kernels import kernel


@kernel
def draw_atoms(
    solvent: AnyArray,
    first: IntArray,
    size: IntArray,
    position: FloatArray,
    radius: FloatArray,
    rotation: IntArray,
    translation: FloatArray,
    steps: FloatArray,
    reach: FloatArray,
    start: int,
    end: int,
) -> None:
    """0 at every point of the planes start..end of solvent, uint8, within radius (n,) angstrom of an atom or an image.

    solvent begins at the grid point first (3,) of a cell of size (3,) points, and may go on beyond the cell. position:
    (n, 3) fractional. rotation (o, 3, 3), translation (o, 3): all operators, of fractions. steps: (3, 3) angstrom, row
    by row one grid step along a, b, c. reach: (3,) grid steps per angstrom of radius.
    """
    rows, columns = solvent.shape[1], solvent.shape[2]
    x = np.empty(3)
    arm = np.empty(3)
    copies = np.empty((3, 2), dtype=np.int64)
    along = steps[2, 0] * steps[2, 0] + steps[2, 1] * steps[2, 1] + steps[2, 2] * steps[2, 2]
    per_along = 1.0 / along
    for n in range(len(position)):
        r_sq = radius[n] * radius[n]
        for o in range(len(rotation)):
            for d in range(3):
                # Counted from the beginning of the window; and the cells in which a copy of it reaches the window.
                value = translation[o, d]
                for e in range(3):
                    value += rotation[o, d, e] * position[n, e]
                x[d] = (value - math.floor(value)) * size[d] - first[d]
                arm[d] = radius[n] * reach[d]
                low, high = (0, solvent.shape[d] - 1) if d > 0 else (start, end - 1)
                copies[d, 0] = math.ceil((low - arm[d] - x[d]) / size[d])
                copies[d, 1] = math.floor((high + arm[d] - x[d]) / size[d])
            for cell_u in range(copies[0, 0], copies[0, 1] + 1):
                x_u = x[0] + cell_u * size[0]
                first_u, last_u = max(math.ceil(x_u - arm[0]), start), min(math.floor(x_u + arm[0]), end - 1)
                for cell_v in range(copies[1, 0], copies[1, 1] + 1):
                    x_v = x[1] + cell_v * size[1]
                    first_v, last_v = max(math.ceil(x_v - arm[1]), 0), min(math.floor(x_v + arm[1]), rows - 1)
                    for u in range(first_u, last_u + 1):
                        for v in range(first_v, last_v + 1):
                            # The point (u, v, x[2]) relative to the atom, and the nearest point of its grid line.
                            du, dv = u - x_u, v - x_v
                            a = du * steps[0, 0] + dv * steps[1, 0]
                            b = du * steps[0, 1] + dv * steps[1, 1]
                            c = du * steps[0, 2] + dv * steps[1, 2]
                            middle = -(a * steps[2, 0] + b * steps[2, 1] + c * steps[2, 2]) * per_along
                            room = r_sq - (a * a + b * b + c * c) + middle * middle * along
                            if room < 0.0:
                                continue
                            half = math.sqrt(room * per_along)
                            line = solvent[u, v]
                            for cell_w in range(copies[2, 0], copies[2, 1] + 1):
                                x_w = x[2] + cell_w * size[2] + middle
                                low, high = max(math.ceil(x_w - half), 0), min(math.floor(x_w + half), columns - 1)
                                for k in range(low, high + 1):
                                    line[k] = 0


@kernel
def grow_solvent(solvent: AnyArray, margin: IntArray, stencil: IntArray, grown: AnyArray, start: int, end: int) -> None:
    """grown, uint8, in the planes start..end: 1 where solvent is 1, at the point or at an offset of stencil (s, 3).

    solvent is larger than grown by margin (3,) points on either side, none fewer than an offset reaches.
    """
    rows, columns = grown.shape[1], grown.shape[2]
    for u in range(start, end):
        for v in range(rows):
            line = grown[u, v]
            here = solvent[u + margin[0], v + margin[1], margin[2] : margin[2] + columns]
            for k in range(columns):
                line[k] = here[k]
            for s in range(len(stencil)):
                at = margin[2] + stencil[s, 2]
                other = solvent[u + margin[0] + stencil[s, 0], v + margin[1] + stencil[s, 1], at : at + columns]
                for k in range(columns):
                    line[k] |= other[k]


@kernel
def shares(extent: IntArray, size: IntArray, rotation: IntArray, translation: IntArray) -> Float32Array:
    """By how much a point of the brick extent (3,) counts, so that all images of the brick fill the cell once.

    1 / number of operators that bring the point into the brick. rotation (o, 3, 3), translation (o, 3): all operators,
    of the points of a grid of size (3,) that begins where the brick does.
    """
    columns = extent[2]
    result = np.empty((extent[0], extent[1], columns), dtype=np.float32)
    inside = np.empty(columns, dtype=np.int32)
    here = np.empty(columns, dtype=np.uint8)
    for u in range(extent[0]):
        for v in range(extent[1]):
            inside[:] = 0
            for o in range(len(rotation)):
                somewhere = True
                here[:] = 1
                for d in range(3):
                    step = rotation[o, d, 2]
                    at = (rotation[o, d, 0] * u + rotation[o, d, 1] * v + translation[o, d]) % size[d]
                    if step == 0:
                        if at >= extent[d]:
                            somewhere = False
                            break
                        continue
                    step %= size[d]
                    for w in range(columns):
                        if at >= extent[d]:
                            here[w] = 0
                        at += step
                        if at >= size[d]:
                            at -= size[d]
                if somewhere:
                    for w in range(columns):
                        inside[w] += here[w]
            for w in range(columns):
                result[u, v, w] = 1.0 / inside[w]
    return result
