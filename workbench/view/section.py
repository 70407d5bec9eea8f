"""A flat section of a map through the focal plane, facing the eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import Float32Array, FloatArray
from workbench.view.density import DensityGrid

SPACING = 0.2
"""Angstrom between the samples."""


@dataclass(frozen=True, eq=False)
class Section:
    """Density samples (s, s) in sigma, row by row upwards, in a square of half side `reach` angstrom around `centre`
    (3,) that is spanned by the unit vectors right and up (3,). difference: the sign means something."""

    values: Float32Array
    centre: FloatArray
    right: FloatArray
    up: FloatArray
    reach: float
    difference: bool
    name: str = ""
    """Of the map: its wires are left out, and the section has their colours."""


def section(
    grid: DensityGrid,
    centre: FloatArray,
    right: FloatArray,
    up: FloatArray,
    reach: float,
    difference: bool = False,
    name: str = "",
) -> Section:
    """The section through `centre` in the plane of `right` and `up`; `SPACING` or finer."""
    n = 2 * int(np.ceil(reach / SPACING)) + 1
    place = np.linspace(-reach, reach, n)
    points = centre + place[None, :, None] * right + place[:, None, None] * up
    values = grid.at(points.reshape(-1, 3)).reshape(n, n) / max(grid.sigma, 1e-12)
    return Section(values.astype(np.float32), centre.copy(), right.copy(), up.copy(), float(reach), difference, name)
