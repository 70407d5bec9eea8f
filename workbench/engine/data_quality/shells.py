"""Completeness and strength of the data by resolution shell, overall and along the axes of the reciprocal cell."""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray
from workbench.engine.data_quality.intensities import Intensities, equal_shells

AXIS_CONE = 30.0
"""Degrees around a reciprocal axis within which a reflection counts as along it."""


@dataclass(frozen=True, eq=False)
class Shells:
    """b shells of equal volume, low to high resolution. d_max, d_min (angstrom), n observed, completeness (0..1),
    i_over_sigma: mean, axes: (b, 3) mean I/sigma within 30 degrees of a*, b*, c* (NaN where nothing lies)."""

    d_max: FloatArray
    d_min: FloatArray
    n: IntArray
    completeness: FloatArray
    i_over_sigma: FloatArray
    axes: FloatArray
    axis_completeness: FloatArray


def shell_table(data: Intensities, count: int = 20) -> Shells:
    s = np.sqrt(data.s_sq)
    d_min, d_max = 1 / s.max(), 1 / s.min()
    every = np.asarray(
        gemmi.make_miller_array(data.cell, data.group, d_min * (1 - 1e-7), d_max * (1 + 1e-7), unique=True)
    )
    every_s = np.asarray(data.cell.calculate_1_d2_array(np.ascontiguousarray(every)))
    shells = equal_shells(data.s_sq, max(1, min(count, len(s) // 20)))
    edges = np.array([data.s_sq[rows].max() for rows in shells])
    number = np.searchsorted(edges, every_s * (1 - 1e-9))
    ours = np.searchsorted(edges, data.s_sq * (1 - 1e-9))
    frac = np.array(data.cell.frac.mat.tolist())
    near, near_every = _along(data.hkl, frac, s), _along(every, frac, np.sqrt(every_s))
    ratio = data.intensity / data.sigma
    b = len(shells)
    axes, part = np.full((b, 3), np.nan), np.full((b, 3), np.nan)
    for i in range(b):
        here, there = ours == i, number == i
        for axis in range(3):
            chosen = here & near[:, axis]
            if chosen.sum() >= 5:
                axes[i, axis] = ratio[chosen].mean()
            possible = int((there & near_every[:, axis]).sum())
            if possible >= 5:
                part[i, axis] = min(1.0, chosen.sum() / possible)
    n = np.bincount(np.minimum(ours, b - 1), minlength=b)
    possible_n = np.bincount(np.minimum(number, b - 1), minlength=b)
    low = np.concatenate(([data.s_sq.min()], edges[:-1]))
    return Shells(
        d_max=1 / np.sqrt(low),
        d_min=1 / np.sqrt(edges),
        n=n.astype(np.int32),
        completeness=np.minimum(1.0, n / np.maximum(possible_n, 1)),
        i_over_sigma=np.array([ratio[ours == i].mean() if (ours == i).any() else np.nan for i in range(b)]),
        axes=axes,
        axis_completeness=part,
    )


def _along(hkl: IntArray, frac: FloatArray, s: FloatArray) -> FloatArray:
    vector = (hkl @ frac) / s[:, None]
    reciprocal = frac / np.linalg.norm(frac, axis=1)[:, None]
    return np.asarray(np.abs(vector @ reciprocal.T) >= np.cos(np.radians(AXIS_CONE)))


def reliable(data: Intensities, shells: Shells) -> BoolArray:
    """(n,) rows in the range where the mean I/sigma is above 3, or everything where it never is."""
    good = shells.i_over_sigma > 3.0
    if not good.any():
        return np.ones(len(data.hkl), dtype=np.bool_)
    limit = 1 / float(shells.d_min[np.flatnonzero(good)[-1]]) ** 2
    return np.asarray(data.s_sq <= limit * (1 + 1e-9))
