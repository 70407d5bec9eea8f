"""The bulk-solvent mask on a grid of the whole cell: SOLVENT where a probe can reach, ATOMS elsewhere.

All copies of the atoms are drawn row by row (a sphere cuts a grid line in one run of points). Growing the solvent back
is decided in a brick that holds at least one asymmetric unit, and what changes there is written to all its images.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.engine.kernels import kernel

ATOMS, SOLVENT, GROWN = 0, 1, 2


@kernel
def draw_atoms(
    mask: AnyArray,
    position: FloatArray,
    radius: FloatArray,
    rotation: IntArray,
    translation: FloatArray,
    steps: FloatArray,
    reach: FloatArray,
) -> None:
    """ATOMS at every point of mask (nu, nv, nw) uint8 within radius (n,) angstrom of an atom or an image of one.

    position: (n, 3) fractional. rotation (o, 3, 3), translation (o, 3): all operators, of fractions. steps: (3, 3)
    angstrom, row by row one grid step along a, b, c. reach: (3,) grid steps per angstrom of radius.
    """
    size = mask.shape
    nu, nv, nw = size
    x = np.empty(3)
    along = steps[2, 0] * steps[2, 0] + steps[2, 1] * steps[2, 1] + steps[2, 2] * steps[2, 2]
    per_along = 1.0 / along
    for n in range(len(position)):
        turns = nw * math.ceil(radius[n] * (reach[0] + reach[1] + reach[2]) / nw + 1.0)
        r_sq = radius[n] * radius[n]
        for o in range(len(rotation)):
            for d in range(3):
                value = translation[o, d]
                for e in range(3):
                    value += rotation[o, d, e] * position[n, e]
                x[d] = (value - math.floor(value)) * size[d]
            first_u, last_u = math.ceil(x[0] - radius[n] * reach[0]), math.floor(x[0] + radius[n] * reach[0])
            first_v, last_v = math.ceil(x[1] - radius[n] * reach[1]), math.floor(x[1] + radius[n] * reach[1])
            for i in range(first_u, last_u + 1):
                du = i - x[0]
                u = i % nu
                for j in range(first_v, last_v + 1):
                    dv = j - x[1]
                    # The point (i, j, x[2]) relative to the atom, and the nearest point of its grid line.
                    a = du * steps[0, 0] + dv * steps[1, 0]
                    b = du * steps[0, 1] + dv * steps[1, 1]
                    c = du * steps[0, 2] + dv * steps[1, 2]
                    middle = -(a * steps[2, 0] + b * steps[2, 1] + c * steps[2, 2]) * per_along
                    room = r_sq - (a * a + b * b + c * c) + middle * middle * along
                    if room < 0.0:
                        continue
                    half = math.sqrt(room * per_along)
                    # Moved up by whole cells, so that truncation is the floor.
                    low, high = x[2] + middle - half + turns, x[2] + middle + half + turns
                    first, last = int(low), int(high)
                    if first < low:
                        first += 1
                    if last - first >= nw:
                        first, last = 0, nw - 1
                    v = j
                    while v < 0:
                        v += nv
                    while v >= nv:
                        v -= nv
                    while first >= nw:
                        first -= nw
                        last -= nw
                    line = mask[u, v]
                    for k in range(first, min(last + 1, nw)):
                        line[k] = 0
                    for k in range(0, last + 1 - nw):
                        line[k] = 0


@kernel
def grow_solvent(
    mask: AnyArray, brick: IntArray, faces: IntArray, stencil: IntArray, rotation: IntArray, translation: IntArray
) -> None:
    """GROWN at every point of ATOMS that has SOLVENT at one of the offsets stencil (s, 3).

    Only solvent with something else at one of the offsets faces (f, 3) can be the nearest to a point of the atoms.
    brick: (3,) points from 0 along each axis that hold an asymmetric unit at least. rotation (o, 3, 3),
    translation (o, 3): operators of grid points.
    """
    nu, nv, nw = mask.shape
    for u in range(brick[0]):
        for v in range(brick[1]):
            for w in range(brick[2]):
                if mask[u, v, w] != 1:
                    continue
                edge = False
                for f in range(len(faces)):
                    i, j, k = u + faces[f, 0], v + faces[f, 1], w + faces[f, 2]
                    i = i - nu if i >= nu else (i + nu if i < 0 else i)
                    j = j - nv if j >= nv else (j + nv if j < 0 else j)
                    k = k - nw if k >= nw else (k + nw if k < 0 else k)
                    if mask[i, j, k] != 1:
                        edge = True
                        break
                if not edge:
                    continue
                for s in range(len(stencil)):
                    i, j, k = u + stencil[s, 0], v + stencil[s, 1], w + stencil[s, 2]
                    i = i - nu if i >= nu else (i + nu if i < 0 else i)
                    j = j - nv if j >= nv else (j + nv if j < 0 else j)
                    k = k - nw if k >= nw else (k + nw if k < 0 else k)
                    if mask[i, j, k] != 0:
                        continue
                    for o in range(len(rotation)):
                        r, t = rotation[o], translation[o]
                        x = (r[0, 0] * i + r[0, 1] * j + r[0, 2] * k + t[0]) % nu
                        y = (r[1, 0] * i + r[1, 1] * j + r[1, 2] * k + t[1]) % nv
                        z = (r[2, 0] * i + r[2, 1] * j + r[2, 2] * k + t[2]) % nw
                        mask[x, y, z] = 2
