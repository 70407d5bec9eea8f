"""Which atom is under the pointer."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray
from workbench.view.camera import Camera


def pick_atom(
    camera: Camera,
    xyz: FloatArray,
    shown: BoolArray,
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    reach: float = 10.0,
    radius: float = 0.25,
) -> int | None:
    """Index of the atom drawn at pixel (x, y) of a picture of width x height pixels, or None.

    xyz: (n, 3) angstrom. shown: (n,) which atoms can be seen. reach: pixels around an atom that still count.
    radius: angstrom, size of an atom's picture. Of several atoms under the pointer the one nearest to the eye wins;
    with none right under it, the one nearest on the picture.
    """
    if not len(xyz):
        return None
    at = camera.project(xyz, width, height)
    depth = at[:, 2]
    distance = np.hypot(at[:, 0] - x, at[:, 1] - y)
    drawn = radius * height / camera.height
    near = shown & (depth < camera.near) & (depth > camera.far) & (distance <= max(reach, drawn))
    candidates = np.flatnonzero(near)
    if not len(candidates):
        return None
    touched = candidates[distance[candidates] <= drawn]
    if len(touched):
        return int(touched[np.argmax(depth[touched])])
    return int(candidates[np.argmin(distance[candidates])])
