"""Distances, angles and torsions between points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray


@dataclass(frozen=True)
class Measurement:
    """Two, three or four atoms (indices into what can be picked when it was made) and their places' owners.

    atoms: rows of the model. mates: for each the symmetry mate's name, "" = the model itself.
    """

    atoms: tuple[int, ...]
    mates: tuple[str, ...]


def measured(points: FloatArray) -> float:
    """Distance in angstrom of two points (2, 3), angle in degrees of three, torsion in degrees (-180..180) of four.

    The torsion is positive when the far bond is turned clockwise, seen along the middle one (IUPAC).
    """
    if len(points) == 2:
        return float(np.linalg.norm(points[1] - points[0]))
    if len(points) == 3:
        a, b = points[0] - points[1], points[2] - points[1]
        return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))
    if len(points) == 4:
        b1, b2, b3 = np.diff(points, axis=0)
        n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
        return float(np.degrees(np.arctan2(np.linalg.norm(b2) * (b1 @ n2), n1 @ n2)))
    raise ValueError(f"{len(points)} points make no distance, angle or torsion")


def words(points: FloatArray) -> str:
    """The value with its unit."""
    value = measured(points)
    return f"{value:.2f} \u00c5" if len(points) == 2 else f"{value:.1f}\u00b0".replace("-", "\u2212")
