"""Distances between sites and symmetry copies of sites: bonds, contacts and B pairs all ask here."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.engine.kernels import kernel

IDENTITY = np.eye(3, 4)


@kernel
def _distances(
    sites: FloatArray,
    pairs: IntArray,
    image: IntArray,
    operators: FloatArray,
    derivatives: bool,
    distance: FloatArray,
    gradient: FloatArray,
) -> None:
    for k in range(pairs.shape[0]):
        i, j, m = pairs[k, 0], pairs[k, 1], image[k]
        x, y, z = sites[j, 0], sites[j, 1], sites[j, 2]
        if m != 0:
            u = operators[m, 0, 0] * x + operators[m, 0, 1] * y + operators[m, 0, 2] * z + operators[m, 0, 3]
            v = operators[m, 1, 0] * x + operators[m, 1, 1] * y + operators[m, 1, 2] * z + operators[m, 1, 3]
            w = operators[m, 2, 0] * x + operators[m, 2, 1] * y + operators[m, 2, 2] * z + operators[m, 2, 3]
            x, y, z = u, v, w
        x, y, z = sites[i, 0] - x, sites[i, 1] - y, sites[i, 2] - z
        d = max(np.sqrt(x * x + y * y + z * z), 1e-6)
        distance[k] = d
        if derivatives:
            x, y, z = x / d, y / d, z / d
            gradient[k, 0], gradient[k, 1], gradient[k, 2] = x, y, z
            if m != 0:
                # the image moves by R dx when the atom moves by dx: the gradient comes back through R^T
                for c in range(3):
                    gradient[k, 3 + c] = -(operators[m, 0, c] * x + operators[m, 1, c] * y + operators[m, 2, c] * z)
            else:
                gradient[k, 3], gradient[k, 4], gradient[k, 5] = -x, -y, -z


def distances(sites: FloatArray, pairs: IntArray, image: IntArray, operators: FloatArray) -> FloatArray:
    """(k,) distances in angstrom between sites[pairs[:, 0]] and the copies operators[image] of sites[pairs[:, 1]].

    pairs (k, 2) and image (k,) int32, operators (s, 3, 4) Cartesian with row 0 the identity; all C-contiguous.
    """
    d = np.empty(len(pairs))
    _distances(sites, pairs, image, operators, False, d, np.empty((0, 6)))
    return d


def distance_gradients(
    sites: FloatArray, pairs: IntArray, image: IntArray, operators: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Distances (k,) and their derivatives (k, 6) by both sites; the second one's is turned back by its operator."""
    d, g = np.empty(len(pairs)), np.empty((len(pairs), 6))
    _distances(sites, pairs, image, operators, True, d, g)
    return d, g
