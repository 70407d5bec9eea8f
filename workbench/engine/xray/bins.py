"""Resolution bins, and functions of resolution that are linear between the bin limits.

All resolutions are given as d_star_sq = 1/d^2 in 1/angstrom^2, because an overall B is a straight line in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ResolutionBins:
    """Bins from low to high resolution. edges: (b + 1,) increasing limits in d_star_sq."""

    edges: FloatArray

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def d_max(self) -> FloatArray:
        """(b,) low-resolution limit of each bin in angstrom."""
        return np.asarray(1.0 / np.sqrt(self.edges[:-1]))

    @property
    def d_min(self) -> FloatArray:
        """(b,) high-resolution limit of each bin in angstrom."""
        return np.asarray(1.0 / np.sqrt(self.edges[1:]))

    @property
    def centres(self) -> FloatArray:
        """(b,) middle of each bin in d_star_sq."""
        return np.asarray(0.5 * (self.edges[:-1] + self.edges[1:]))

    def index(self, d_star_sq: FloatArray) -> IntArray:
        """(m,) bin of each reflection; those outside the limits belong to the first or last bin."""
        found = np.searchsorted(self.edges[1:-1], d_star_sq, side="right")
        return found.astype(np.int32)

    def interpolate(self, nodes: FloatArray, d_star_sq: FloatArray) -> FloatArray:
        """Piecewise linear function with the value nodes[i] at edges[i]; straight on beyond both ends.

        nodes: (b + 1,); d_star_sq: any shape. Returns the same shape.
        """
        lower = self.index(d_star_sq)
        width = np.diff(self.edges)
        t = (d_star_sq - self.edges[lower]) / width[lower]
        return np.asarray(nodes[lower] + t * (nodes[lower + 1] - nodes[lower]))


def logarithmic_bins(d_star_sq: FloatArray, lowest: int = 100, fewest: int = 50, most: int = 30) -> ResolutionBins:
    """Bins of equal width in ln d after a first one with `lowest` reflections (the low-resolution terms, where bulk
    solvent matters, stay finely divided while the high-resolution bins hold many reflections).

    d_star_sq: (n,) of the reflections that are to be fitted. Bins with less than `fewest` reflections are merged with
    their neighbour, so that the number of bins adapts to the data. Never more than `most` bins.
    Source of the idea: Afonine, Grosse-Kunstleve, Adams & Urzhumtsev (2013), Acta Cryst. D69, 625.
    """
    s = np.sort(np.asarray(d_star_sq, dtype=np.float64))
    n = len(s)
    low, high = float(s[0]), float(s[-1])
    margin = 1e-9 * high
    if n < 2 * fewest or high - low < 1e-6 * high:
        return ResolutionBins(np.array([max(low - max(margin, 1e-6 * high), 1e-12), high + max(margin, 1e-6 * high)]))
    first = float(s[min(lowest, n // 2) - 1])
    # Equal widths in ln d, as narrow as the first bin is, as far as the number of bins allows.
    width = max(np.log(first / low), 1e-3)
    count = int(np.clip(np.ceil(np.log(high / first) / min(width, 0.12)), 1, most - 1))
    limits = np.exp(np.linspace(np.log(first), np.log(high), count + 1))
    candidates = np.concatenate([[low - margin], limits])
    candidates[-1] = high + margin
    kept = [float(candidates[0])]
    before = 0
    for limit in candidates[1:-1]:
        below = int(np.searchsorted(s, limit, side="right"))
        if below - before >= fewest and n - below >= fewest:
            kept.append(float(limit))
            before = below
    kept.append(float(candidates[-1]))
    return ResolutionBins(np.array(kept))
