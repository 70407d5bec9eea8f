"""Lists of Miller indices against each other."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import IntArray


def rows_among(hkl: IntArray, listed: IntArray) -> IntArray:
    """For each row of hkl (m, 3) the row of `listed` (n, 3), n > 0, with the same indices, or -1: (m,)."""
    base = int(max(np.abs(hkl).max(initial=0), np.abs(listed).max())) + 1
    span = 2 * base + 1

    def key(rows: IntArray) -> IntArray:
        wide = rows.astype(np.int64) + base
        code: IntArray = (wide[:, 0] * span + wide[:, 1]) * span + wide[:, 2]
        return code

    theirs, wanted = key(listed), key(hkl)
    order = np.argsort(theirs)
    place = np.minimum(np.searchsorted(theirs[order], wanted), len(order) - 1)
    return np.where(theirs[order][place] == wanted, order[place], -1).astype(np.int32)
