"""Wilson plot, anisotropy, outliers and ice rings.

Wilson, Nature 150, 152 (1942): ln(<I/epsilon> / sum f^2) = ln k - B s^2 / 2, s = 1/d. sum f^2 is that of an average
protein residue (C5 N1.35 O1.5 H8 S0.04), so k is relative and B absolute; only the range beyond 4 A is fitted, where
atoms are nearly independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.engine.data_quality.intensities import Intensities, equal_shells

RESIDUE = (("C", 5.0), ("N", 1.35), ("O", 1.5), ("H", 8.0), ("S", 0.04))
ICE_RINGS = (3.897, 3.669, 3.441, 2.671, 2.249, 2.072, 1.948, 1.918, 1.883, 1.721)
"""Spacings of hexagonal ice in angstrom (Garman & Schneider, J. Appl. Cryst. 30, 211, 1997)."""
ICE_WIDTH = 0.0025
"""Half width of a ring in 1/A^2."""


@dataclass(frozen=True, eq=False)
class WilsonPlot:
    """s_sq (b,) 1/A^2, log_ratio (b,) ln(<I>/sum f^2). b in A^2, its error, log_scale; fitted: (b,) which were used."""

    s_sq: FloatArray
    log_ratio: FloatArray
    b: float
    error: float
    log_scale: float


@dataclass(frozen=True)
class Anisotropy:
    """B (6,) B11 B22 B33 B12 B13 B23 in A^2, Cartesian, traceless. difference: largest minus smallest principal
    value in A^2. principal: (3,) values; directions: (3, 3) rows."""

    tensor: tuple[float, ...]
    principal: tuple[float, float, float]
    directions: tuple[tuple[float, ...], ...]
    difference: float


@dataclass(frozen=True)
class IceRing:
    """d in angstrom. excess: mean normalised intensity within over that beside it; z: in standard errors."""

    d: float
    excess: float
    completeness: float
    z: float


def sum_of_squares(s_sq: FloatArray) -> FloatArray:
    """sum f^2 of an average residue at s^2 (n,), electrons^2, neutral atoms at rest."""
    total = np.zeros(len(s_sq))
    for symbol, count in RESIDUE:
        table = gemmi.Element(symbol).it92
        f = table.c + np.exp(-0.25 * np.multiply.outer(s_sq, table.b)) @ np.array(table.a)
        total += count * f**2
    return total


def wilson_plot(data: Intensities, shells: int = 30) -> WilsonPlot:
    """The plot and its straight line; data that end before 4 A are fitted over their better half."""
    ratio = data.intensity / data.epsilon / sum_of_squares(data.s_sq)
    rows = [row for row in equal_shells(data.s_sq, shells) if len(row) >= 5]
    rows = [row for row in rows if ratio[row].mean() > 0]
    x = np.array([data.s_sq[row].mean() for row in rows])
    y = np.array([np.log(ratio[row].mean()) for row in rows])
    weight = np.sqrt([len(row) for row in rows])
    from_s = 1 / 16.0 if len(x) and x.max() > 1 / 9.0 else 0.4 * float(x.max(initial=0))
    use = x >= from_s
    if use.sum() < 3:
        return WilsonPlot(x, y, float("nan"), float("nan"), float("nan"))
    design = np.stack([x[use], np.ones(use.sum())], axis=1) * weight[use, None]
    answer, residual, *_ = np.linalg.lstsq(design, y[use] * weight[use], rcond=None)
    scatter = float(residual[0]) / max(int(use.sum()) - 2, 1) if len(residual) else 0.0
    error = 2 * float(np.sqrt(scatter * np.linalg.inv(design.T @ design)[0, 0]))
    return WilsonPlot(x, y, -2 * float(answer[0]), error, float(answer[1]))


def anisotropy(data: Intensities) -> Anisotropy:
    """The anisotropic part of the fall-off, by maximum likelihood of Wilson's distributions on normalised intensities.

    Symmetry is imposed by averaging the tensor over the point group.
    """
    use = np.isfinite(data.z)
    s = data.hkl[use] @ np.array(data.cell.frac.mat.tolist())
    design = np.stack(
        [s[:, 0] ** 2, s[:, 1] ** 2, s[:, 2] ** 2, 2 * s[:, 0] * s[:, 1], 2 * s[:, 0] * s[:, 2], 2 * s[:, 1] * s[:, 2]],
        1,
    )
    basis = _symmetric_basis(data)
    if basis.shape[1] == 0:
        return _anisotropy(np.zeros(6))
    half = 0.5 * design @ basis
    z = np.maximum(data.z[use], 0.0)
    weight = np.where(data.centric[use], 0.5, 1.0)
    b = np.zeros(basis.shape[1])
    for _ in range(20):
        # -LL = weight (ln m + z/m), m = exp(-half b): Fisher scoring
        ratio = z * np.exp(np.clip(half @ b, -20, 20))
        gradient = half.T @ (weight * (ratio - 1))
        step = np.linalg.solve((half * weight[:, None]).T @ half, gradient)
        b = b - step
        if np.abs(step).max() < 1e-4:
            break
    return _anisotropy(basis @ b)


def _symmetric_basis(data: Intensities) -> FloatArray:
    """Orthonormal directions (6, k) of traceless tensors that the point group leaves alone."""
    orth = np.array(data.cell.orth.mat.tolist())
    frac = np.array(data.cell.frac.mat.tolist())
    rotations = [orth @ (np.array(op.rot) / gemmi.Op.DEN) @ frac for op in data.group.operations().sym_ops]
    places = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    columns = []
    for i, j in places:
        tensor = np.zeros((3, 3))
        tensor[i, j] = tensor[j, i] = 1.0
        mean = np.mean([r @ tensor @ r.T for r in rotations], axis=0)
        mean -= np.eye(3) * np.trace(mean) / 3
        columns.append([mean[a, b] for a, b in places])
    u, values, _ = np.linalg.svd(np.array(columns).T)
    return np.asarray(u[:, : int((values > 1e-6).sum())])


def _anisotropy(six: FloatArray) -> Anisotropy:
    matrix = np.array([[six[0], six[3], six[4]], [six[3], six[1], six[5]], [six[4], six[5], six[2]]])
    values, vectors = np.linalg.eigh(matrix)
    return Anisotropy(
        tuple(float(v) for v in six),
        (float(values[0]), float(values[1]), float(values[2])),
        tuple(tuple(float(v) for v in row) for row in vectors.T),
        float(values[2] - values[0]),
    )


def ice_rings(data: Intensities) -> list[IceRing]:
    """Rings inside the resolution of the data with enough reflections in and beside them."""
    found = []
    for d in ICE_RINGS:
        centre = 1 / d**2
        if centre + 2 * ICE_WIDTH > data.s_sq.max():
            continue
        apart = np.abs(data.s_sq - centre)
        inside, beside = apart < ICE_WIDTH, (apart >= 2 * ICE_WIDTH) & (apart < 6 * ICE_WIDTH)
        if inside.sum() < 20 or beside.sum() < 40:
            continue
        level = np.polynomial.Polynomial.fit(data.s_sq[beside], data.intensity[beside] / data.epsilon[beside], 1)
        expected = level(data.s_sq[inside])
        if (expected <= 0).any():
            continue
        ratio = data.intensity[inside] / data.epsilon[inside] / expected
        excess = float(ratio.mean())
        density = inside.sum() / ICE_WIDTH / (beside.sum() / (4 * ICE_WIDTH))
        found.append(
            IceRing(d, excess, float(density), (excess - 1) / float(ratio.std() / np.sqrt(len(ratio)) + 1e-12))
        )
    return found


def outliers(data: Intensities, probability: float = 1e-3) -> IntArray:
    """Rows too strong for Wilson's distribution: expected less than `probability` times in the whole set
    (Read, Acta Cryst. D55, 1759, 1999)."""
    from scipy.special import erfc

    chance = np.where(data.centric, erfc(np.sqrt(np.maximum(data.z, 0) / 2)), np.exp(-np.maximum(data.z, 0)))
    return np.flatnonzero(chance * len(data.z) < probability).astype(np.int32)
