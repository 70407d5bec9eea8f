"""Which reflections share a fate: Friedel mates and mates under the highest symmetry that the lattice allows.

A test set drawn over these groups stays independent of the working set when the crystal turns out to be twinned or to
have a higher symmetry, or when non-crystallographic symmetry is near a lattice symmetry.
"""

from __future__ import annotations

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, IntArray
from workbench.core.crystal import Crystal

OBLIQUITY = 3.0
"""Degrees by which an axis of the lattice may miss being one."""


def lattice_rotations(crystal: Crystal) -> list[AnyArray]:
    """Rotations (3, 3) float, acting on rows hkl from the right: those of the space group and of its lattice."""
    cell = gemmi.UnitCell(*crystal.cell)
    group = gemmi.find_spacegroup_by_name(crystal.space_group, cell.alpha, cell.gamma)
    own = [np.array(op.rot) / gemmi.Op.DEN for op in group.operations().sym_ops]
    more = [np.array(op.rot) / gemmi.Op.DEN for op in gemmi.find_twin_laws(cell, group, OBLIQUITY, True)]
    known: dict[bytes, AnyArray] = {}
    for rotation in [np.eye(3), *own, *more]:
        known.setdefault(np.rint(24 * rotation).astype(np.int64).tobytes(), rotation)
    # closed under multiplication, so that orbits are orbits
    grown = True
    while grown and len(known) <= 48:
        grown = False
        for one in list(known.values()):
            for two in list(known.values()):
                product = one @ two
                key = np.rint(24 * product).astype(np.int64).tobytes()
                if key not in known:
                    known[key] = product
                    grown = True
    return list(known.values())


def mate_groups(crystal: Crystal, hkl: IntArray) -> IntArray:
    """(n,) number of the group of mates that each reflection (n, 3) belongs to, counted from 0."""
    base = 2 * int(np.abs(hkl).max(initial=1)) * 4 + 1
    best = np.full(len(hkl), np.iinfo(np.int64).min)
    for rotation in lattice_rotations(crystal):
        image = hkl @ rotation
        whole = np.rint(image).astype(np.int64)
        code = (whole[:, 0] * base + whole[:, 1]) * base + whole[:, 2]
        fits = np.abs(image - whole).max(axis=1) < 1e-6
        best = np.maximum(best, np.where(fits, np.abs(code), best))
    return np.unique(best, return_inverse=True)[1].reshape(-1).astype(np.int32)
