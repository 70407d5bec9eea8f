"""Points that are near each other, found by sorting them into cells as wide as the distance that is asked for
(Quentrec & Brot, 1973, J. Comput. Phys. 13, 430)."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.engine.kernels import kernel

MOST_CELLS = 64
"""Along an axis: of points that lie far apart the cells grow instead of their number."""


def near_pairs(sites: FloatArray, others: FloatArray | None, reach: float) -> tuple[IntArray, IntArray, FloatArray]:
    """Rows (k,) of sites (n, 3) and of others (m, 3), int32, up to `reach` apart, and their distances (k,), in the
    order of the rows. Without others: each pair of two sites once, the first one before the second.

    Raises ValueError for a coordinate that is not a finite number.
    """
    here = np.ascontiguousarray(sites, dtype=np.float64)
    there = here if others is None else np.ascontiguousarray(others, dtype=np.float64)
    if not (np.isfinite(here).all() and np.isfinite(there).all()):
        raise ValueError("a coordinate is not a finite number")
    if not len(here) or not len(there):
        return np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0)
    low = there.min(axis=0)
    extent = there.max(axis=0) - low
    # A little wider than the distance: rounding must not put a neighbour two cells away.
    width = np.maximum(1.001 * max(reach, 1e-3), extent / MOST_CELLS)
    shape = np.floor(extent / width).astype(np.int64) + 1
    start, order = _sorted_into_cells(there, low, width, shape)
    counts: AnyArray = np.zeros(len(here) + 1, dtype=np.int64)
    nothing = np.zeros(0, np.int32)
    _search(here, there, others is None, low, width, shape, start, order, reach, counts, nothing, np.zeros(0))
    first: AnyArray = np.cumsum(counts)
    second, distance = np.empty(first[-1], dtype=np.int32), np.empty(first[-1])
    _search(here, there, others is None, low, width, shape, start, order, reach, first, second, distance)
    return np.repeat(np.arange(len(here), dtype=np.int32), np.diff(first)), second, distance


@kernel
def _sorted_into_cells(
    points: FloatArray, low: FloatArray, width: FloatArray, shape: IntArray
) -> tuple[IntArray, IntArray]:
    """Points by cell, the last axis running fastest: start (cells + 1,) into order (n,)."""
    where = np.empty(len(points), dtype=np.int64)
    start = np.zeros(shape[0] * shape[1] * shape[2] + 1, dtype=np.int64)
    for i in range(len(points)):
        cell = 0
        for d in range(3):
            at = min(int((points[i, d] - low[d]) / width[d]), shape[d] - 1)
            cell = cell * shape[d] + at
        where[i] = cell
        start[cell + 1] += 1
    for cell in range(len(start) - 1):
        start[cell + 1] += start[cell]
    order = np.empty(len(points), dtype=np.int32)
    filled = start[:-1].copy()
    for i in range(len(points)):
        order[filled[where[i]]] = i
        filled[where[i]] += 1
    return start, order


@kernel
def _search(
    sites: FloatArray,
    others: FloatArray,
    same: bool,
    low: FloatArray,
    width: FloatArray,
    shape: IntArray,
    start: IntArray,
    order: IntArray,
    reach: float,
    first: AnyArray,
    second: IntArray,
    distance: FloatArray,
) -> None:
    """Counts the pairs of site i into first[i + 1]; or, where there is room in `second`, writes them from first[i]."""
    at = np.empty(3, dtype=np.int64)
    count_only = len(second) == 0
    for i in range(len(sites)):
        x, y, z = sites[i]
        for d in range(3):
            at[d] = int(np.floor((sites[i, d] - low[d]) / width[d]))
        found = 0
        for u in range(max(at[0] - 1, 0), min(at[0] + 2, shape[0])):
            for v in range(max(at[1] - 1, 0), min(at[1] + 2, shape[1])):
                w, w_end = max(at[2] - 1, 0), min(at[2] + 2, shape[2])
                if w >= w_end:
                    continue
                row = (u * shape[1] + v) * shape[2]
                for k in range(start[row + w], start[row + w_end]):
                    j = order[k]
                    if same and j <= i:
                        continue
                    a, b, c = x - others[j, 0], y - others[j, 1], z - others[j, 2]
                    square = a * a + b * b + c * c
                    if square <= reach * reach:
                        if not count_only:
                            # Kept in the order of the second one.
                            place = first[i] + found
                            while place > first[i] and second[place - 1] > j:
                                second[place], distance[place] = second[place - 1], distance[place - 1]
                                place -= 1
                            second[place], distance[place] = j, np.sqrt(square)
                        found += 1
        if count_only:
            first[i + 1] = found
