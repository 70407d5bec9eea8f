"""Displacement ellipsoids: the surface inside which an atom is found with a given probability."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import BoolArray, Float32Array, FloatArray

HALF = 1.5382
"""Radius in standard deviations of the ellipsoid that holds half of a three-dimensional normal distribution."""
SMALLEST, LARGEST = 0.02, 1.6
"""Limits of a half axis in angstrom: what is not positive definite is drawn as a thin disc, not left out."""


def principal_axes(b_iso: FloatArray, u_aniso: FloatArray, anisotropic: BoolArray) -> Float32Array:
    """(n, 3, 3) half axes in angstrom, one per row, of the 50 % ellipsoids.

    b_iso: (n,) A^2, used where not anisotropic. u_aniso: (n, 6) A^2 Cartesian U11 U22 U33 U12 U13 U23.
    """
    n = len(b_iso)
    tensor = np.zeros((n, 3, 3))
    u = np.nan_to_num(u_aniso)
    for k, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))):
        tensor[:, i, j] = tensor[:, j, i] = u[:, k]
    plain = ~anisotropic
    tensor[plain] = (np.nan_to_num(b_iso[plain]) / (8.0 * np.pi**2))[:, None, None] * np.eye(3)
    values, vectors = np.linalg.eigh(tensor)
    length = np.clip(HALF * np.sqrt(np.maximum(values, 0.0)), SMALLEST, LARGEST)
    return np.ascontiguousarray((vectors * length[:, None, :]).transpose(0, 2, 1), dtype=np.float32)
