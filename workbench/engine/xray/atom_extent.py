"""How far the density of an atom reaches on a grid."""

from __future__ import annotations

import math

import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.engine.kernels import kernel

SMALLEST_PART = 1e-5
"""Of the peak of an atom: matters for atoms so smeared that the cut-off alone would lose part of them."""

FOUR_PI = 4.0 * math.pi
FOUR_PI_SQ = 4.0 * math.pi**2
EIGHT_PI_SQ = 8.0 * math.pi**2


@kernel
def atom_radii(amplitude: FloatArray, width: FloatArray, kind: IntArray, b: FloatArray, cutoff: float) -> FloatArray:
    """Radius (n,) in angstrom beyond which sum_j |rho_j| of a fully occupied atom with B = b (n,) stays below
    cutoff (electrons/A^3), and below SMALLEST_PART of its peak. amplitude, width: (t, k). kind: (n,)."""
    n, terms = len(b), amplitude.shape[1]
    radius = np.empty(n)
    height = np.empty(terms)
    fall = np.empty(terms)
    for i in range(n):
        widest = 0.0
        peak = 0.0
        for j in range(terms):
            wide = width[kind[i], j] + b[i]
            widest = max(widest, wide)
            height[j] = abs(amplitude[kind[i], j]) * (FOUR_PI / wide) ** 1.5
            fall[j] = FOUR_PI_SQ / wide
            peak += height[j]
        limit = min(cutoff, SMALLEST_PART * peak)
        low = 0.0
        high = 2.0 * math.sqrt(widest)  # exp(-16 pi^2) there
        for _ in range(14):
            middle = 0.5 * (low + high)
            rho = 0.0
            for j in range(terms):
                rho += height[j] * math.exp(-fall[j] * middle**2)
            if rho > limit:
                low = middle
            else:
                high = middle
        radius[i] = max(high, 0.5)
    return radius
