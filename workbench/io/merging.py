"""Unmerged observations become one value for each unique reflection, with the statistics of their agreement.

The mean is weighted by inverse variances and its sigma is that of the weights. Friedel mates are merged, and kept apart
as well. R_meas and R_pim: Diederichs & Karplus, Nat. Struct. Biol. 4, 269 (1997); Weiss, J. Appl. Cryst. 34, 130
(2001). CC1/2: Karplus & Diederichs, Science 336, 1030 (2012), with random half sets drawn from a fixed seed, weighted
means.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, IntArray
from workbench.core.crystal import MergingStatistics

SHELLS = 10
FULLY_RECORDED = (0.95, 1.25)
"""Bounds of the summed fractions of a reflection spread over several images; outside it is not complete."""


@dataclass(frozen=True, eq=False)
class Merged:
    """hkl (n, 3) in the asymmetric unit, value and sigma (n,), mates (n, 4): value+, sigma+, value-, sigma-."""

    hkl: IntArray
    value: FloatArray
    sigma: FloatArray
    mates: FloatArray
    statistics: MergingStatistics


def asymmetric_unit(hkl: IntArray, group: gemmi.SpaceGroup) -> tuple[IntArray, BoolArray]:
    """Each reflection (n, 3) as its equivalent in the CCP4 asymmetric unit, and whether that is its Friedel mate's."""
    unit = gemmi.UnitCell(10, 10, 10, 90, 90, 90)  # the mapping does not depend on the cell
    data = gemmi.FloatAsuData(unit, group, np.ascontiguousarray(hkl), np.zeros(len(hkl), dtype=np.float32))
    data.ensure_asu()
    reduced = np.ascontiguousarray(np.asarray(data.miller_array), dtype=np.int32)
    friedel = np.ones(len(hkl), dtype=np.bool_)
    for operation in group.operations().sym_ops:
        rotation = np.array(operation.rot, dtype=np.int32) // gemmi.Op.DEN
        friedel &= ~(hkl @ rotation == reduced).all(axis=1)
    return reduced, friedel


def sum_partials(
    key: IntArray, batch: FloatArray, fraction: FloatArray | None, value: FloatArray, sigma: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray, int]:
    """Parts of reflections recorded on consecutive images, added up.

    key: (n,) rows with the same number are parts of the same reflection where their batches (n,) follow each other.
    fraction: (n,) calculated part or None. Returns the first row, the sum and its sigma of each reflection that is
    complete, and how many were not.
    """
    order = np.lexsort((batch, key))
    k, b = key[order], batch[order]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (np.diff(k) != 0) | (np.diff(b) > 1.5)
    group = np.cumsum(begins) - 1
    count = int(group[-1]) + 1 if len(group) else 0
    total = np.asarray(np.bincount(group, value[order], count), dtype=np.float64)
    variance = np.asarray(np.bincount(group, sigma[order] ** 2, count), dtype=np.float64)
    complete = np.ones(count, dtype=np.bool_)
    if fraction is not None:
        whole = np.bincount(group, fraction[order], count)
        complete = (whole >= FULLY_RECORDED[0]) & (whole <= FULLY_RECORDED[1])
    first = order[begins]
    return first[complete].astype(np.int32), total[complete], np.sqrt(variance[complete]), int((~complete).sum())


def merge(hkl: IntArray, value: FloatArray, sigma: FloatArray, group: gemmi.SpaceGroup, cell: gemmi.UnitCell) -> Merged:
    """Observations (n, 3), (n,), (n,) with sigma > 0, in any asymmetric unit, merged."""
    reduced, friedel = asymmetric_unit(hkl, group)
    centric = np.asarray(group.operations().centric_flag_array(reduced), dtype=np.bool_)
    unique, rows = np.unique(reduced, axis=0, return_inverse=True)
    inverse: IntArray = rows.reshape(-1).astype(np.int32)
    n = len(unique)
    weight = 1.0 / sigma**2
    mean, error = _mean(inverse, value, weight, n)
    plus = _mean(inverse, value, np.where(friedel & ~centric, 0.0, weight), n)
    minus = _mean(inverse, value, np.where(~friedel & ~centric, 0.0, weight), n)
    mates = np.stack([*plus, *minus], axis=1)
    statistics = merging_statistics(unique, inverse, value, weight, cell)
    return Merged(np.ascontiguousarray(unique, dtype=np.int32), mean, error, mates, statistics)


def _mean(inverse: IntArray, value: FloatArray, weight: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    total = np.bincount(inverse, weight, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(total > 0, np.bincount(inverse, weight * value, n) / total, np.nan)
        error = np.where(total > 0, 1.0 / np.sqrt(total), np.nan)
    return mean, error


def merging_statistics(
    unique: IntArray, inverse: IntArray, value: FloatArray, weight: FloatArray, cell: gemmi.UnitCell
) -> MergingStatistics:
    """Agreement of observations by shell and overall. unique: (n, 3); inverse: row of `unique` of each observation."""
    n = len(unique)
    count = np.bincount(inverse, minlength=n)
    mean = np.bincount(inverse, value, n) / np.maximum(count, 1)
    deviation = np.asarray(np.bincount(inverse, np.abs(value - mean[inverse]), n), dtype=np.float64)
    total = np.asarray(np.bincount(inverse, value, n), dtype=np.float64)
    halves = _half_means(inverse, value, weight, count)
    s_sq = np.asarray(cell.calculate_1_d2_array(np.ascontiguousarray(unique, dtype=np.int32)))
    order = np.argsort(s_sq, kind="stable")
    shells = [*np.array_split(order, max(1, min(SHELLS, n // 20))), order]
    table = np.array([_shell(rows, count, deviation, total, halves) for rows in shells])
    limits = 1.0 / np.sqrt(np.array([[s_sq[rows].min(), s_sq[rows].max()] for rows in shells]).clip(1e-12))
    return MergingStatistics(
        d_max=limits[:, 0],
        d_min=limits[:, 1],
        n_observations=table[:, 0].astype(np.int32),
        n_unique=table[:, 1].astype(np.int32),
        r_merge=table[:, 2],
        r_meas=table[:, 3],
        r_pim=table[:, 4],
        cc_half=table[:, 5],
    )


def _half_means(
    inverse: IntArray, value: FloatArray, weight: FloatArray, count: AnyArray
) -> tuple[FloatArray, FloatArray]:
    """Weighted means of two random halves of each reflection's observations; NaN where there is one only."""
    n = len(count)
    noise = np.random.default_rng(0).random(len(inverse))
    order = np.lexsort((noise, inverse))
    start = np.concatenate(([0], np.cumsum(count)[:-1]))
    rank = np.empty(len(inverse), dtype=np.int64)
    rank[order] = np.arange(len(inverse)) - start[inverse[order]]
    first = rank % 2 == 0
    result = []
    for chosen in (first, ~first):
        w = np.where(chosen, weight, 0.0)
        mean, _ = _mean(inverse, value, w, n)
        result.append(np.where(count >= 2, mean, np.nan))
    return result[0], result[1]


def _shell(
    rows: AnyArray, count: AnyArray, deviation: FloatArray, total: FloatArray, halves: tuple[FloatArray, FloatArray]
) -> tuple[float, ...]:
    several = rows[count[rows] >= 2]
    m = np.asarray(count[several], dtype=np.float64)
    below = float(total[several].sum())
    r = [float("nan")] * 3
    if len(several) and below > 0:
        d = deviation[several]
        r = [
            float((factor * d).sum()) / below for factor in (np.ones(len(m)), np.sqrt(m / (m - 1)), 1 / np.sqrt(m - 1))
        ]
    cc = float("nan")
    if len(several) >= 10:
        a, b = halves[0][several], halves[1][several]
        good = np.isfinite(a) & np.isfinite(b)
        if good.sum() >= 10 and a[good].std() > 0 and b[good].std() > 0:
            cc = float(np.corrcoef(a[good], b[good])[0, 1])
    return (float(count[rows].sum()), float(len(rows)), *r, cc)
