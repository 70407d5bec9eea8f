"""How well a model keeps its restraints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.events import WorstRestraints
from workbench.core.settings import FAMILIES
from workbench.engine.geometry.covalent_restraints import Measured

WORST = 20
MISBUILT = 0.02
"""Share of the restraints that may lie in misbuilt spots and then says nothing about the weight."""
BULK_BONDS, BULK_ANGLES = 1.09, 1.15
"""r.m.s. Z of all over that of the better 98 %, in models that are in order: bonds 1.087 to 1.103, angles 1.137 to
1.159 (RNase Sa, lyso_c2, 1CBS refined here); 1.07 for a normal distribution. Models with misbuilt spots have 1.22 and
more (2H6O, 3IO0)."""


@dataclass(frozen=True)
class Outlier:
    """One restraint far from its ideal. family: of `FAMILIES`. atoms: rows of the model (the parent's for a riding
    hydrogen). value, ideal: angstrom, degrees, A^3; for contacts the distance and the smallest good one; for
    b_similarity the two B in A^2. z: (value - ideal) / sigma."""

    family: str
    atoms: tuple[int, ...]
    value: float
    ideal: float
    z: float


@dataclass(frozen=True)
class GeometryStatistics:
    """Root mean square deviations (angstrom, degrees) and Z of non-hydrogen restraints; NaN where there are none.

    families: rms Z and count of every family (contacts: those that are too near; hydrogens take part in them).
    outliers: the worst by |z|, worst first. worst: restraint of every atom. bulk_rmsz_*: as `bulk_rmsz`.
    """

    rmsd_bonds: float
    rmsz_bonds: float
    rmsd_angles: float
    rmsz_angles: float
    bulk_rmsz_bonds: float
    bulk_rmsz_angles: float
    families: dict[str, tuple[float, int]]
    outliers: tuple[Outlier, ...]
    worst: WorstRestraints


def bulk_rmsz(z: FloatArray, consistency: float) -> float:
    """What the r.m.s. of z (k,) would be without misbuilt spots: the r.m.s. of all but the MISBUILT worst by |z|, times
    `consistency`, its usual ratio to the plain one. NaN for no restraints."""
    if len(z) == 0:
        return float("nan")
    size = np.abs(z)
    kept = len(z) - int(MISBUILT * len(z))
    return consistency * _rms(np.partition(size, kept - 1)[:kept])


def geometry_statistics(measured: tuple[Measured, ...], n: int, worst: int = WORST) -> GeometryStatistics:
    """From the seven families in the order of `FAMILIES`, inside units; n: number of atoms."""
    bonds, angles = measured[0], measured[1]
    families = {name: (_rms(m.z), len(m.z)) for name, m in zip(FAMILIES, measured, strict=True)}
    return GeometryStatistics(
        rmsd_bonds=_rms(bonds.value - bonds.ideal),
        rmsz_bonds=families["bonds"][0],
        rmsd_angles=float(np.degrees(_rms(angles.value - angles.ideal))),
        rmsz_angles=families["angles"][0],
        bulk_rmsz_bonds=bulk_rmsz(bonds.z, BULK_BONDS),
        bulk_rmsz_angles=bulk_rmsz(angles.z, BULK_ANGLES),
        families=families,
        outliers=_worst(measured, worst),
        worst=worst_restraints(measured[:-1], n),
    )


def worst_restraints(measured: tuple[Measured, ...], n: int) -> WorstRestraints:
    """Of each of n atoms, among families that stand in the order of `FAMILIES`; of equal ones the first."""
    worst = np.zeros(n)
    family = np.full(n, -1, dtype=np.int32)
    for row, m in enumerate(measured):
        atoms = np.asarray(m.atoms)
        high, low = np.full(n, -np.inf), np.full(n, np.inf)
        z = np.repeat(m.z, atoms.shape[1]) if len(m.z) else np.empty(0)
        np.maximum.at(high, atoms.ravel(), z)
        np.minimum.at(low, atoms.ravel(), z)
        here = np.where(high >= -low, high, low)
        worse = np.isfinite(here) & ((family < 0) | (np.abs(here) > np.abs(worst)))
        worst[worse], family[worse] = here[worse], row
    return WorstRestraints(np.where(family >= 0, worst, np.nan).astype(np.float32), family)


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2))) if len(values) else float("nan")


def _worst(measured: tuple[Measured, ...], count: int) -> tuple[Outlier, ...]:
    found: list[Outlier] = []
    for name, m in zip(FAMILIES, measured, strict=True):
        unit = 180.0 / np.pi if name in ("angles", "torsions") else 1.0
        found += [
            Outlier(name, tuple(m.atoms[k].tolist()), unit * float(m.value[k]), unit * float(m.ideal[k]), float(m.z[k]))
            for k in np.argsort(-np.abs(m.z), kind="stable")[:count]
        ]
    return tuple(sorted(found, key=lambda o: (-abs(o.z), o.family, o.atoms))[:count])
