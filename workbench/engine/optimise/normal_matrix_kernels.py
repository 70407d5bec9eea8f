"""J^T J of rows that belong to few atoms each, block by block, and its product with a vector.

A unit is what a row has in one atom's x, y, z (its three derivatives), or in one other parameter. Only the lower half
of the matrix is kept.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.engine.kernels import kernel


@kernel
def product_in_blocks(
    indptr: IntArray, indices: IntArray, data: FloatArray, n: int, p: int
) -> tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray, IntArray, IntArray, FloatArray]:
    """J^T J of a (k, p) matrix in compressed rows, x, y, z, B of n atoms first: the parts of `NormalMatrix`."""
    rows = len(indptr) - 1
    places, singles = _count_units(indptr, indices, n)
    place_start, single_start = np.zeros(rows + 1, dtype=np.int32), np.zeros(rows + 1, dtype=np.int32)
    place_atom, single = np.empty(places, dtype=np.int32), np.empty(singles, dtype=np.int32)
    place, value = np.empty((places, 3)), np.empty(singles)
    _split_units(indptr, indices, data, n, place_start, place_atom, place, single_start, single, value)
    begin, unit, of_row = _rows_of(place_start, place_atom, n)
    own, first, other, block = _place_blocks(place_start, place_atom, place, begin, unit, of_row)
    begin, unit, of_row = _rows_of(single_start, single, p - 3 * n)
    single_own, single_first, column, entry = _single_entries(
        place_start, place_atom, place, single_start, single, value, begin, unit, of_row, n
    )
    return own, first, other, block, single_own, single_first, column, entry


@kernel
def _count_units(indptr: IntArray, indices: IntArray, n: int) -> tuple[int, int]:
    """Units of places and single entries of the rows of a matrix with x, y, z, B of n atoms first."""
    places, singles = 0, 0
    for row in range(len(indptr) - 1):
        last = -1
        for e in range(indptr[row], indptr[row + 1]):
            column = indices[e]
            if column < 4 * n and column % 4 != 3:
                places += column // 4 != last
                last = column // 4
            else:
                singles += 1
                last = -1
    return places, singles


@kernel
def _split_units(
    indptr: IntArray,
    indices: IntArray,
    data: FloatArray,
    n: int,
    place_start: IntArray,
    place_atom: IntArray,
    place: FloatArray,
    single_start: IntArray,
    single: IntArray,
    value: FloatArray,
) -> None:
    """The units of every row: those of places from place_start[row], atom (u,) and derivatives (u, 3); the others from
    single_start[row], number (B of the n atoms first, then what follows) and derivative."""
    u, s = 0, 0
    for row in range(len(indptr) - 1):
        last = -1
        for e in range(indptr[row], indptr[row + 1]):
            column = indices[e]
            if column < 4 * n and column % 4 != 3:
                if column // 4 != last:
                    last = column // 4
                    place_atom[u] = last
                    place[u] = 0.0
                    u += 1
                place[u - 1, column % 4] += data[e]
            else:
                single[s] = column // 4 if column < 4 * n else column - 3 * n
                value[s] = data[e]
                s += 1
                last = -1
        place_start[row + 1] = u
        single_start[row + 1] = s


@kernel
def _rows_of(start: IntArray, which: IntArray, count: int) -> tuple[IntArray, IntArray, IntArray]:
    """Where each of `count` atoms or parameters occurs: begin (count + 1,), then for every occurrence its unit and its
    row, in the order of the rows."""
    begin = np.zeros(count + 1, dtype=np.int32)
    for u in range(len(which)):
        begin[which[u] + 1] += 1
    for c in range(count):
        begin[c + 1] += begin[c]
    unit, of_row = np.empty(len(which), dtype=np.int32), np.empty(len(which), dtype=np.int32)
    filled = begin[:-1].copy()
    for row in range(len(start) - 1):
        for u in range(start[row], start[row + 1]):
            at = filled[which[u]]
            unit[at], of_row[at] = u, row
            filled[which[u]] += 1
    return begin, unit, of_row


@kernel
def _place_blocks(
    start: IntArray, atom: IntArray, place: FloatArray, begin: IntArray, unit: IntArray, of_row: IntArray
) -> tuple[FloatArray, IntArray, IntArray, FloatArray]:
    """Blocks of places: own (n, 3, 3); first (n + 1,), other (b,) < the atom of the row, block (b, 3, 3)."""
    n = len(begin) - 1
    seen = np.full(n, -1, dtype=np.int32)
    first = np.zeros(n + 1, dtype=np.int32)
    for i in range(n):
        count = 0
        for at in range(begin[i], begin[i + 1]):
            for w in range(start[of_row[at]], start[of_row[at] + 1]):
                j = atom[w]
                if j < i and seen[j] != i:
                    seen[j] = i
                    count += 1
        first[i + 1] = first[i] + count
    own = np.zeros((n, 3, 3))
    other = np.empty(first[n], dtype=np.int32)
    block = np.zeros((first[n], 3, 3))
    seen[:] = -1
    for i in range(n):
        free = first[i]
        for at in range(begin[i], begin[i + 1]):
            here = place[unit[at]]
            for w in range(start[of_row[at]], start[of_row[at] + 1]):
                j = atom[w]
                if j > i:
                    continue
                if j == i:
                    target = own[i]
                else:
                    if seen[j] < first[i]:
                        seen[j] = free
                        other[free] = j
                        free += 1
                    target = block[seen[j]]
                for a in range(3):
                    for b in range(3):
                        target[a, b] += here[a] * place[w, b]
    return own, first, other, block


@kernel
def _single_entries(
    place_start: IntArray,
    place_atom: IntArray,
    place: FloatArray,
    single_start: IntArray,
    single: IntArray,
    value: FloatArray,
    begin: IntArray,
    unit: IntArray,
    of_row: IntArray,
    n: int,
) -> tuple[FloatArray, IntArray, IntArray, FloatArray]:
    """What the other parameters have with each other and with places: own (q,); first (q + 1,), column (e,) among all
    parameters, entry (e,)."""
    count = len(begin) - 1
    p = 3 * n + count
    seen = np.full(p, -1, dtype=np.int32)
    first = np.zeros(count + 1, dtype=np.int32)
    for q in range(count):
        found = 0
        for at in range(begin[q], begin[q + 1]):
            row = of_row[at]
            for w in range(single_start[row], single_start[row + 1]):
                other = single[w]
                if other < q and seen[column_of(other, n)] != q:
                    seen[column_of(other, n)] = q
                    found += 1
            for w in range(place_start[row], place_start[row + 1]):
                if seen[4 * place_atom[w]] != q:
                    seen[4 * place_atom[w]] = q
                    found += 3
        first[q + 1] = first[q] + found
    own = np.zeros(count)
    column = np.empty(first[count], dtype=np.int32)
    entry = np.zeros(first[count])
    seen[:] = -1
    for q in range(count):
        free = first[q]
        for at in range(begin[q], begin[q + 1]):
            row, here = of_row[at], value[unit[at]]
            for w in range(single_start[row], single_start[row + 1]):
                other = single[w]
                if other == q:
                    own[q] += here * value[w]
                elif other < q:
                    c = column_of(other, n)
                    if seen[c] < first[q]:
                        seen[c] = free
                        column[free] = c
                        free += 1
                    entry[seen[c]] += here * value[w]
            for w in range(place_start[row], place_start[row + 1]):
                c = 4 * place_atom[w]
                if seen[c] < first[q]:
                    seen[c] = free
                    for d in range(3):
                        column[free + d] = c + d
                    free += 3
                for d in range(3):
                    entry[seen[c] + d] += here * place[w, d]
    return own, first, column, entry


@kernel
def column_of(single: int, n: int) -> int:
    """Where a parameter that is no coordinate stands among all."""
    return 4 * single + 3 if single < n else single + 3 * n


@kernel
def multiply(
    own: FloatArray,
    first: IntArray,
    other: IntArray,
    block: FloatArray,
    single_own: FloatArray,
    single_first: IntArray,
    column: IntArray,
    entry: FloatArray,
    added: FloatArray,
    v: FloatArray,
    product: FloatArray,
) -> None:
    """product = (A + diag(added)) v, all (p,)."""
    n = len(own)
    for c in range(len(v)):
        product[c] = added[c] * v[c]
    for i in range(n):
        o = own[i]
        x, y, z = v[4 * i], v[4 * i + 1], v[4 * i + 2]
        a = o[0, 0] * x + o[0, 1] * y + o[0, 2] * z
        b = o[1, 0] * x + o[1, 1] * y + o[1, 2] * z
        c = o[2, 0] * x + o[2, 1] * y + o[2, 2] * z
        for at in range(first[i], first[i + 1]):
            # Unsigned: of a signed index the sign would be looked at each time.
            k, t = block[at], np.uint64(other[at]) << np.uint64(2)
            t_y, t_z = t | np.uint64(1), t | np.uint64(2)
            v_x, v_y, v_z = v[t], v[t_y], v[t_z]
            a += k[0, 0] * v_x + k[0, 1] * v_y + k[0, 2] * v_z
            b += k[1, 0] * v_x + k[1, 1] * v_y + k[1, 2] * v_z
            c += k[2, 0] * v_x + k[2, 1] * v_y + k[2, 2] * v_z
            product[t] += k[0, 0] * x + k[1, 0] * y + k[2, 0] * z
            product[t_y] += k[0, 1] * x + k[1, 1] * y + k[2, 1] * z
            product[t_z] += k[0, 2] * x + k[1, 2] * y + k[2, 2] * z
        product[4 * i] += a
        product[4 * i + 1] += b
        product[4 * i + 2] += c
    for q in range(len(single_own)):
        c = column_of(q, n)
        here = v[c]
        total = single_own[q] * here
        for at in range(single_first[q], single_first[q + 1]):
            t = np.uint64(column[at])
            total += entry[at] * v[t]
            product[t] += entry[at] * here
        product[c] += total
