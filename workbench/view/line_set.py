"""Lines that share their ends: every corner of chicken wire is the end of about four."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import Float32Array, IntArray


@dataclass(frozen=True, eq=False)
class LineSet:
    """Points (n, 3) in angstrom, and the two that every line joins: pairs (k, 2) of their rows, int32."""

    points: Float32Array
    pairs: IntArray

    def __len__(self) -> int:
        """The number of lines."""
        return len(self.pairs)

    @property
    def segments(self) -> Float32Array:
        """Both ends of every line, (k, 2, 3) in angstrom."""
        return np.asarray(self.points[self.pairs])


def separate_lines(segments: Float32Array) -> LineSet:
    """Lines from both ends of each, (k, 2, 3) in angstrom, that share none."""
    points = np.ascontiguousarray(segments, dtype=np.float32).reshape(-1, 3)
    return LineSet(points, np.arange(len(points), dtype=np.int32).reshape(-1, 2))


NO_LINES = separate_lines(np.empty((0, 2, 3), dtype=np.float32))
