"""Measurements as normalised intensities, the common ground of all tests."""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray
from workbench.core.crystal import Measurements


@dataclass(frozen=True, eq=False)
class Intensities:
    """n unique reflections without systematic absences. intensity, sigma: (n,) on the file's scale (squares of
    amplitudes where these were measured). epsilon, centric, s_sq (1/A^2): (n,). z: (n,) I / (epsilon <I>), the mean
    taken over reflections of the same resolution."""

    cell: gemmi.UnitCell
    group: gemmi.SpaceGroup
    hkl: IntArray
    intensity: FloatArray
    sigma: FloatArray
    epsilon: FloatArray
    centric: BoolArray
    s_sq: FloatArray
    z: FloatArray


def intensities_of(data: Measurements) -> Intensities:
    cell = gemmi.UnitCell(*data.crystal.cell)
    group = gemmi.find_spacegroup_by_name(data.crystal.space_group, cell.alpha, cell.gamma)
    operations = group.operations()
    keep = ~np.asarray(operations.systematic_absences(data.hkl), dtype=np.bool_)
    hkl = np.ascontiguousarray(data.hkl[keep])
    value, sigma = data.value[keep], data.sigma[keep]
    if data.kind == "amplitude":
        value, sigma = value**2, 2 * value * sigma
    epsilon = np.asarray(operations.epsilon_factor_without_centering_array(hkl), dtype=np.float64)
    s_sq = np.asarray(cell.calculate_1_d2_array(hkl), dtype=np.float64)
    level = np.maximum(smooth_mean(value / epsilon, s_sq), 1e-30)
    return Intensities(
        cell,
        group,
        hkl,
        value,
        sigma,
        epsilon,
        np.asarray(operations.centric_flag_array(hkl), dtype=np.bool_),
        s_sq,
        value / (epsilon * level),
    )


def smooth_mean(value: FloatArray, s_sq: FloatArray, per_shell: int = 200) -> FloatArray:
    """Mean of values (n,) at each s^2 (n,): shells of equal count, interpolated."""
    order = np.argsort(s_sq, kind="stable")
    shells = np.array_split(order, max(1, min(100, len(order) // per_shell)))
    centre = np.array([s_sq[shell].mean() for shell in shells])
    mean = np.array([value[shell].mean() for shell in shells])
    return np.asarray(np.interp(s_sq, centre, mean))


def equal_shells(s_sq: FloatArray, count: int) -> list[IntArray]:
    """Rows of `count` shells of equal volume in reciprocal space, low to high resolution; empty ones left out."""
    volume = s_sq**1.5
    low, high = float(volume.min()), float(volume.max())
    number = np.minimum(((volume - low) / max(high - low, 1e-12) * count).astype(int), count - 1)
    return [np.flatnonzero(number == i).astype(np.int32) for i in range(count) if (number == i).any()]
