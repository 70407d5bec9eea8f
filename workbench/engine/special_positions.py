"""Atoms on symmetry elements: how often they coincide with their images, and which way they may move."""

from __future__ import annotations

from dataclasses import dataclass, field

import gemmi
import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.core.crystal import Crystal


@dataclass(frozen=True, eq=False)
class SpecialPositions:
    """rows: (s,) atoms on symmetry elements. projectors: (s, 3, 3) Cartesian projectors onto the directions in which
    the site symmetry lets them move. multiplicity: (n,) number of images that coincide (1 in general).
    snapped: (s, 3) the positions moved onto the element, angstrom. fixed: (f,) atoms that do not move at all."""

    rows: IntArray
    projectors: FloatArray
    multiplicity: IntArray
    snapped: FloatArray
    fixed: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    def project(self, vectors: FloatArray) -> FloatArray:
        """`vectors` (n, 3) with the rows of special atoms projected (a copy)."""
        result = vectors.copy()
        if len(self.rows):
            result[self.rows] = np.einsum("sij,sj->si", self.projectors, vectors[self.rows])
        result[self.fixed] = 0.0
        return result


def find_special_positions(
    crystal: Crystal, xyz: FloatArray, alone: FloatArray | None = None, tolerance: float = 0.3
) -> SpecialPositions:
    """Atoms within `tolerance` angstrom of one of their own symmetry images (xyz: (n, 3) Cartesian angstrom).

    Only atoms that are a whole residue by themselves (waters, ions: `alone` true) are taken as on the element; a
    molecule that crosses one is disordered about it and moves freely.
    """
    cell = gemmi.UnitCell(*crystal.cell)
    group = gemmi.SpaceGroup(crystal.space_group)
    orth = np.array(cell.orth.mat.tolist())
    frac = np.array(cell.frac.mat.tolist())
    fractional = xyz @ frac.T
    n = len(xyz)
    count = np.ones(n, dtype=np.int32)
    rotation_sum = np.tile(np.eye(3), (n, 1, 1))
    position_sum = xyz.copy()
    candidates = np.ones(n, dtype=bool) if alone is None else np.asarray(alone, dtype=bool)
    for op in group.operations():
        if op == gemmi.Op():
            continue
        rotation = np.array(op.rot, dtype=float) / gemmi.Op.DEN
        translation = np.array(op.tran, dtype=float) / gemmi.Op.DEN
        image = fractional @ rotation.T + translation
        shift = image - fractional
        image -= np.round(shift)
        delta = (image - fractional) @ orth.T
        near = candidates & (np.einsum("ni,ni->n", delta, delta) < tolerance**2)
        if np.any(near):
            count[near] += 1
            rotation_sum[near] += orth @ rotation @ frac
            position_sum[near] += image[near] @ orth.T
    rows = np.flatnonzero(count > 1).astype(np.int32)
    projectors = rotation_sum[rows] / count[rows, None, None]
    return SpecialPositions(rows, projectors, count, position_sum[rows] / count[rows, None])
