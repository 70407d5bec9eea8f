"""Angles, torsions and chiral volumes with their derivatives (vectorised over restraints)."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.engine.geometry.vectors import cross, dot, length


def bond_angles(xyz: FloatArray, atoms: IntArray) -> tuple[FloatArray, FloatArray]:
    """Angles (k,) in radians at the middle atom of atoms (k, 3), and derivatives (k, 9).

    atan2 keeps the value exact near 0 and 180 degrees; the derivative has the finite length 1/|a| there.
    """
    a, b = xyz[atoms[:, 0]] - xyz[atoms[:, 1]], xyz[atoms[:, 2]] - xyz[atoms[:, 1]]
    length_a, length_b = length(a)[:, None], length(b)[:, None]
    a /= length_a
    b /= length_b
    normal = cross(a, b)
    sine, cosine = np.sqrt(dot(normal, normal)), dot(a, b)
    safe = np.maximum(sine, 1e-9)[:, None]
    gradient = np.empty((len(atoms), 9))
    gradient[:, :3] = (cosine[:, None] * a - b) / (length_a * safe)
    gradient[:, 6:] = (cosine[:, None] * b - a) / (length_b * safe)
    gradient[:, 3:6] = -gradient[:, :3] - gradient[:, 6:]
    return np.arctan2(sine, cosine), gradient


def bends(xyz: FloatArray, atoms: IntArray) -> tuple[FloatArray, FloatArray]:
    """Departure of nearly straight angles from 180 degrees as a vector without a singularity.

    u_a + u_b of the unit vectors from the middle atom, (k, 3); its length is 2 cos(theta / 2), which is pi - theta
    near 180 degrees. Derivatives (k, 3, 9).
    """
    a, b = xyz[atoms[:, 0]] - xyz[atoms[:, 1]], xyz[atoms[:, 2]] - xyz[atoms[:, 1]]
    length_a, length_b = length(a)[:, None], length(b)[:, None]
    a /= length_a
    b /= length_b
    gradient = np.empty((len(atoms), 3, 9))
    gradient[:, :, :3] = (np.eye(3) - a[:, :, None] * a[:, None, :]) / length_a[:, :, None]
    gradient[:, :, 6:] = (np.eye(3) - b[:, :, None] * b[:, None, :]) / length_b[:, :, None]
    gradient[:, :, 3:6] = -gradient[:, :, :3] - gradient[:, :, 6:]
    return a + b, gradient


def torsion_angles(xyz: FloatArray, atoms: IntArray) -> tuple[FloatArray, FloatArray]:
    """Torsion angles (k,) in radians (IUPAC sign) of atoms (k, 4), and derivatives (k, 12).

    Blondel & Karplus (1996), J. Comput. Chem. 17, 1132, eqs 25-27. Departs from the source: where three atoms are
    nearly in line the derivative is bounded instead of infinite.
    """
    f = xyz[atoms[:, 0]] - xyz[atoms[:, 1]]
    g = xyz[atoms[:, 1]] - xyz[atoms[:, 2]]
    h = xyz[atoms[:, 3]] - xyz[atoms[:, 2]]
    a, b = cross(f, g), cross(h, g)
    g_squared = dot(g, g)
    g_length = length(g)
    angle = np.arctan2(dot(cross(b, a), g), dot(a, b) * g_length)
    in_line = 1e-4  # sin^2 of 0.6 degrees
    a_squared = np.maximum(dot(a, a), in_line * dot(f, f) * g_squared) + 1e-12
    b_squared = np.maximum(dot(b, b), in_line * dot(h, h) * g_squared) + 1e-12
    first = -(g_length / a_squared)[:, None] * a
    last = (g_length / b_squared)[:, None] * b
    middle = (dot(f, g) / (a_squared * g_length))[:, None] * a - (dot(h, g) / (b_squared * g_length))[:, None] * b
    return angle, np.concatenate([first, middle - first, -middle - last, last], axis=1)


def periodic_difference(angle: FloatArray, ideal: FloatArray, period: IntArray) -> FloatArray:
    """angle - ideal to the nearest of the `period` equivalent ideals, radians."""
    turn = 2.0 * np.pi / np.maximum(period, 1)
    difference = angle - ideal
    result: FloatArray = difference - turn * np.round(difference / turn)
    return result


def chiral_volumes(xyz: FloatArray, atoms: IntArray) -> tuple[FloatArray, FloatArray]:
    """Signed volumes (k,) in A^3, a . (b x c) of the vectors from the centre, and derivatives (k, 12)."""
    centre = xyz[atoms[:, 0]]
    a, b, c = (xyz[atoms[:, i]] - centre for i in (1, 2, 3))
    by_a, by_b, by_c = cross(b, c), cross(c, a), cross(a, b)
    return dot(a, by_a), np.concatenate([-by_a - by_b - by_c, by_a, by_b, by_c], axis=1)
