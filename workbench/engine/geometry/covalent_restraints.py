"""Restraints whose atoms never change: bonds, angles, torsions, chirality, planes; z = (value - ideal) / sigma.

Restraints in which a hydrogen takes part are left out: hydrogens ride at their ideal places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.engine.geometry.covalent import (
    bends,
    bond_angles,
    chiral_volumes,
    periodic_difference,
    torsion_angles,
)
from workbench.engine.geometry.description import Angles, Bonds, Chiralities, GeometryDescription, Planes, Torsions
from workbench.engine.geometry.distances import IDENTITY, distance_gradients, distances
from workbench.engine.geometry.plane_fit import PlaneFit
from workbench.engine.geometry.residuals import RowPattern, xyz_columns
from workbench.engine.geometry.sites import Sites

STRAIGHT = np.radians(175.0)
"""Ideal angles above this are restrained by a vector, which has no singularity at 180 degrees."""
FAMILY_BONDS, FAMILY_ANGLES, FAMILY_TORSIONS, FAMILY_CHIRALITY, FAMILY_PLANES = range(5)


@dataclass(frozen=True, eq=False)
class Measured:
    """Restraints of one family as they stand: atoms (k, m); value, ideal (k,) in angstrom, radians or A^3; z (k,)."""

    atoms: IntArray
    value: FloatArray
    ideal: FloatArray
    z: FloatArray


class CovalentRestraints:
    """family (k,): row of `FAMILIES` of each residual; pattern: where their derivatives stand."""

    def __init__(self, description: GeometryDescription, sites: Sites) -> None:
        free = np.zeros(sites.total, dtype=bool)
        free[: sites.n] = ~sites.dependent & ~sites.hydrogen[: sites.n]

        def heavy(atoms: AnyArray) -> AnyArray:
            return np.flatnonzero(free[atoms].all(axis=1))

        bonds, angles = description.bonds, description.angles
        torsions, chiral = description.torsions, description.chiralities
        rows = heavy(bonds.atoms)
        self.bonds = Bonds(_int(bonds.atoms[rows]), _real(bonds.ideal[rows]), _real(bonds.sigma[rows]),
                           _int(bonds.symmetry[rows]))  # fmt: skip
        rows = heavy(angles.atoms)
        straight = angles.ideal[rows] > STRAIGHT
        bent, rows = rows[~straight], rows[straight]
        self.angles = Angles(_int(angles.atoms[bent]), _real(angles.ideal[bent]), _real(angles.sigma[bent]))
        self.straight = Angles(_int(angles.atoms[rows]), _real(angles.ideal[rows]), _real(angles.sigma[rows]))
        rows = heavy(torsions.atoms)
        self.torsions = Torsions(_int(torsions.atoms[rows]), _real(torsions.ideal[rows]), _real(torsions.sigma[rows]),
                                 _int(torsions.period[rows]))  # fmt: skip
        rows = heavy(chiral.atoms)
        self.chiral = Chiralities(_int(chiral.atoms[rows]), _real(chiral.ideal[rows]), _real(chiral.sigma[rows]),
                                  _int(chiral.both[rows]))  # fmt: skip
        self.planes = PlaneFit(_without_hydrogens(description.planes, free))
        self.operators = np.ascontiguousarray(
            np.concatenate([IDENTITY[None], np.asarray(description.images, dtype=np.float64).reshape(-1, 3, 4)])
        )
        straight_columns = np.repeat(xyz_columns(self.straight.atoms), 3, axis=0)
        blocks = [xyz_columns(t.atoms) for t in (self.bonds, self.angles)]
        blocks += [straight_columns, *(xyz_columns(t.atoms) for t in (self.torsions, self.chiral))]
        lengths = [np.full(len(block), block.shape[1]) for block in blocks] + [self.planes.row_lengths]
        columns = np.concatenate([*(block.ravel() for block in blocks), self.planes.columns])
        self.pattern = RowPattern(columns, np.concatenate(lengths).astype(np.int64))
        counts = [len(self.bonds.ideal), len(self.angles.ideal) + 3 * len(self.straight.ideal)]
        counts += [len(self.torsions.ideal), len(self.chiral.ideal), len(self.planes)]
        self.family: IntArray = np.repeat(np.arange(5), counts).astype(np.int32)

    def _chiral_target(self, volume: FloatArray) -> FloatArray:
        """Ideal volumes; where both hands are right, the hand that is there."""
        ideal = self.chiral.ideal
        nearer = np.where(volume < 0.0, -np.abs(ideal), np.abs(ideal))
        return np.where(self.chiral.both == 1, nearer, ideal)

    def values(self, xyz: FloatArray) -> FloatArray:
        """Residuals (k,) for coordinates (n, 3)."""
        bond = distances(xyz, self.bonds.atoms, self.bonds.symmetry, self.operators)
        angle, _ = bond_angles(xyz, self.angles.atoms)
        bend, _ = bends(xyz, self.straight.atoms)
        torsion, _ = torsion_angles(xyz, self.torsions.atoms)
        volume, _ = chiral_volumes(xyz, self.chiral.atoms)
        return self._residuals(bond, angle, bend, torsion, volume, self.planes.deviations(xyz))

    def _residuals(
        self,
        bond: FloatArray,
        angle: FloatArray,
        bend: FloatArray,
        torsion: FloatArray,
        volume: FloatArray,
        deviation: FloatArray,
    ) -> FloatArray:
        return np.concatenate(
            [
                (bond - self.bonds.ideal) / self.bonds.sigma,
                (angle - self.angles.ideal) / self.angles.sigma,
                (bend / self.straight.sigma[:, None]).ravel(),
                periodic_difference(torsion, self.torsions.ideal, self.torsions.period) / self.torsions.sigma,
                (volume - self._chiral_target(volume)) / self.chiral.sigma,
                deviation / self.planes.sigma,
            ]
        )

    def derivatives(self, xyz: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals (k,) and their derivatives in the order of `pattern`."""
        bond, d_bond = distance_gradients(xyz, self.bonds.atoms, self.bonds.symmetry, self.operators)
        angle, d_angle = bond_angles(xyz, self.angles.atoms)
        bend, d_bend = bends(xyz, self.straight.atoms)
        torsion, d_torsion = torsion_angles(xyz, self.torsions.atoms)
        volume, d_volume = chiral_volumes(xyz, self.chiral.atoms)
        deviation, d_deviation = self.planes.derivatives(xyz)
        natural = np.concatenate(
            [
                (d_bond / self.bonds.sigma[:, None]).ravel(),
                (d_angle / self.angles.sigma[:, None]).ravel(),
                (d_bend / self.straight.sigma[:, None, None]).ravel(),
                (d_torsion / self.torsions.sigma[:, None]).ravel(),
                (d_volume / self.chiral.sigma[:, None]).ravel(),
                d_deviation / np.repeat(self.planes.sigma, self.planes.row_lengths),
            ]
        )
        return self._residuals(bond, angle, bend, torsion, volume, deviation), self.pattern.fill(natural)

    def measured(self, xyz: FloatArray) -> tuple[Measured, Measured, Measured, Measured, Measured]:
        """Bonds, angles, torsions, chirality, planes (one row per atom of a plane) as they stand."""
        bond = distances(xyz, self.bonds.atoms, self.bonds.symmetry, self.operators)
        atoms = np.concatenate([self.angles.atoms, self.straight.atoms])
        ideal = np.concatenate([self.angles.ideal, self.straight.ideal])
        sigma = np.concatenate([self.angles.sigma, self.straight.sigma])
        angle, _ = bond_angles(xyz, atoms)
        torsion, _ = torsion_angles(xyz, self.torsions.atoms)
        off = periodic_difference(torsion, self.torsions.ideal, self.torsions.period)
        volume, _ = chiral_volumes(xyz, self.chiral.atoms)
        target = self._chiral_target(volume)
        deviation = self.planes.deviations(xyz)
        return (
            Measured(self.bonds.atoms, bond, self.bonds.ideal, (bond - self.bonds.ideal) / self.bonds.sigma),
            Measured(atoms, angle, ideal, (angle - ideal) / sigma),
            Measured(self.torsions.atoms, torsion, torsion - off, off / self.torsions.sigma),
            Measured(self.chiral.atoms, volume, target, (volume - target) / self.chiral.sigma),
            Measured(self.planes.atoms[:, None], deviation, np.zeros(len(deviation)), deviation / self.planes.sigma),
        )


def _int(values: AnyArray) -> IntArray:
    return np.array(values, dtype=np.int32, order="C")


def _real(values: AnyArray) -> FloatArray:
    return np.array(values, dtype=np.float64, order="C")


def _without_hydrogens(planes: Planes, free: AnyArray) -> Planes:
    sizes = np.diff(planes.start)
    plane = np.repeat(np.arange(len(sizes)), sizes)
    keep = free[planes.atoms]
    left = np.bincount(plane[keep], minlength=len(sizes))
    start = np.concatenate([[0], np.cumsum(left)]).astype(np.int32)
    return Planes(start, planes.atoms[keep], planes.sigma)
