"""Lines of chicken wire: marching squares in the three families of planes of a grid, compiled.

The method is a plane version of Lorensen & Cline (1987), Computer Graphics 21, 163.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import AnyArray, Float32Array, FloatArray, IntArray
from workbench.engine.kernels import kernel


def _lines_of_cases() -> AnyArray:
    """Corners of a grid square are numbered 0 (u, v), 1 (u+1, v), 2 (u+1, v+1), 3 (u, v+1); its edges 0 (0-1), 1 (1-2),
    2 (3-2), 3 (0-3). Row: which corners are inside (bit n = corner n), +16 when the middle of the square is inside too,
    which decides how two opposite corners are joined. Up to two lines, each from edge to edge; -1: none."""
    lines = np.full((32, 2, 2), -1, dtype=np.int8)
    single = {1: (3, 0), 2: (0, 1), 3: (3, 1), 4: (1, 2), 6: (0, 2), 7: (3, 2), 8: (2, 3), 9: (2, 0)}
    single |= {11: (2, 1), 12: (1, 3), 13: (1, 0), 14: (0, 3)}
    for case, pair in single.items():
        lines[case, 0] = lines[case + 16, 0] = pair
    lines[5] = [(3, 0), (1, 2)]
    lines[5 + 16] = [(0, 1), (2, 3)]
    lines[10] = [(0, 1), (2, 3)]
    lines[10 + 16] = [(3, 0), (1, 2)]
    return lines


LINES = _lines_of_cases()


@kernel
def trace_lines(
    values: Float32Array,
    level: float,
    steps: FloatArray,
    offset: FloatArray,
    radius: float,
    lines_of_case: AnyArray,
    points: Float32Array,
    pairs: IntArray,
) -> tuple[int, int]:
    """Lines where the planes of a box cut the surface values = level, those whose middle is within `radius` of the
    origin.

    values: (p, q, r). steps: (3, 3) columns are the steps between grid points, angstrom. offset: (3,) place of the
    first grid point. points: (capacity, 3) angstrom, where edges of the grid are crossed, each once, in the order in
    which lines need them. pairs: (capacity, 2) the points that every line joins. Both are filled as far as they go.
    Returns how many points and lines there are, which may be more than fitted.
    """
    shape = values.shape
    limit = 4.0 * radius * radius
    n_points, n_lines = 0, 0
    places = np.empty((2, 3))
    edges = np.empty((2, 4), dtype=np.int64)
    # The point on each edge that begins in one of two neighbouring layers. Numbers only grow: one that is less than
    # there were points when a layer was first reached was left behind by the layer that had its room before.
    point_on = np.full((2, shape[1], shape[2], 3), -1, dtype=np.int32)
    first_here, first_next = 0, 0
    for i in range(shape[0]):
        first_here, first_next = first_next, n_points
        for j in range(shape[1]):
            for k in range(shape[2]):
                here = values[i, j, k]
                inside = here > level
                # Most of space is far from the surface: one look at the corners of the cell's three squares.
                if i + 1 < shape[0] and j + 1 < shape[1] and k + 1 < shape[2]:
                    count = 0
                    if values[i + 1, j, k] > level:
                        count += 1
                    if values[i, j + 1, k] > level:
                        count += 1
                    if values[i, j, k + 1] > level:
                        count += 1
                    if values[i + 1, j + 1, k] > level:
                        count += 1
                    if values[i, j + 1, k + 1] > level:
                        count += 1
                    if values[i + 1, j, k + 1] > level:
                        count += 1
                    if count == (6 if inside else 0):
                        continue
                for plane in range(3):
                    # planes (u, v): (a, b), (b, c), (c, a)
                    du0, du1, du2 = (1, 0, 0) if plane == 0 else ((0, 1, 0) if plane == 1 else (0, 0, 1))
                    dv0, dv1, dv2 = (0, 1, 0) if plane == 0 else ((0, 0, 1) if plane == 1 else (1, 0, 0))
                    if i + du0 + dv0 >= shape[0] or j + du1 + dv1 >= shape[1] or k + du2 + dv2 >= shape[2]:
                        continue
                    f1 = values[i + du0, j + du1, k + du2]
                    f2 = values[i + du0 + dv0, j + du1 + dv1, k + du2 + dv2]
                    f3 = values[i + dv0, j + dv1, k + dv2]
                    case = 0
                    if inside:
                        case += 1
                    if f1 > level:
                        case += 2
                    if f2 > level:
                        case += 4
                    if f3 > level:
                        case += 8
                    if case in (0, 15):
                        continue
                    if case in (5, 10) and here + f1 + f2 + f3 > 4.0 * level:
                        case += 16
                    for line in range(2):
                        if lines_of_case[case, line, 0] < 0:
                            break
                        for end in range(2):
                            edge = lines_of_case[case, line, end]
                            a, b, c, axis = i, j, k, plane
                            if edge == 0:
                                share = (level - here) / (f1 - here)
                            elif edge == 1:
                                share = (level - f1) / (f2 - f1)
                                a, b, c, axis = i + du0, j + du1, k + du2, (plane + 1) % 3
                            elif edge == 2:
                                share = (level - f3) / (f2 - f3)
                                a, b, c = i + dv0, j + dv1, k + dv2
                            else:
                                share = (level - here) / (f3 - here)
                                axis = (plane + 1) % 3
                            edges[end, 0], edges[end, 1], edges[end, 2], edges[end, 3] = a, b, c, axis
                            x = a + (share if axis == 0 else 0.0)
                            y = b + (share if axis == 1 else 0.0)
                            z = c + (share if axis == 2 else 0.0)
                            for m in range(3):
                                places[end, m] = offset[m] + steps[m, 0] * x + steps[m, 1] * y + steps[m, 2] * z
                        x, y, z = places[0, 0] + places[1, 0], places[0, 1] + places[1, 1], places[0, 2] + places[1, 2]
                        if x * x + y * y + z * z > limit:
                            continue
                        for end in range(2):
                            a, b, c, axis = edges[end, 0], edges[end, 1], edges[end, 2], edges[end, 3]
                            point = point_on[a % 2, b, c, axis]
                            if point < (first_here if a == i else first_next):
                                point = n_points
                                n_points += 1
                                point_on[a % 2, b, c, axis] = point
                                if point < len(points):
                                    for m in range(3):
                                        points[point, m] = places[end, m]
                            if n_lines < len(pairs):
                                pairs[n_lines, end] = point
                        n_lines += 1
    return n_points, n_lines
