"""What symmetry and the unit cell say about each reflection, before any measurement.

epsilon is the number of symmetry operators (centring left out) that map a reflection onto itself; a reflection is
centric when an operator maps it onto its Friedel mate (Stewart & Karle, Acta Cryst. A32, 1005, 1976).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.core.errors import InputError


@dataclass(frozen=True, eq=False)
class ReflectionGeometry:
    """Geometry of m reflections.

    hkl: (m, 3). d_star_sq: (m,) 1/d^2 in 1/A^2. epsilon: (m,) float, without centring. centric: (m,) bool.
    """

    hkl: IntArray
    d_star_sq: FloatArray
    epsilon: FloatArray
    centric: BoolArray

    def __len__(self) -> int:
        return len(self.hkl)

    @cached_property
    def d(self) -> FloatArray:
        """(m,) resolution of each reflection in angstrom."""
        return 1.0 / np.sqrt(self.d_star_sq)


def unit_cell(crystal: Crystal) -> gemmi.UnitCell:
    """The cell as gemmi holds it."""
    return gemmi.UnitCell(*crystal.cell)


def space_group(crystal: Crystal) -> gemmi.SpaceGroup:
    """The space group as gemmi holds it. Raises InputError for a symbol nobody knows."""
    found = gemmi.find_spacegroup_by_name(crystal.space_group)
    if found is None:
        raise InputError(
            f"the space group symbol {crystal.space_group!r} is not known",
            remedy='Give the Hermann-Mauguin symbol with its extension, as "P 21 21 21" or "R 3:H".',
        )
    return found


def d_star_sq(crystal: Crystal, hkl: IntArray) -> FloatArray:
    """1/d^2 in 1/A^2 of reflections hkl (m, 3): |h B|^2 with B the fractionalisation matrix."""
    fractionalisation = np.asarray(unit_cell(crystal).frac.mat.tolist(), dtype=np.float64)
    s = np.asarray(hkl, dtype=np.float64) @ fractionalisation
    return np.asarray(np.einsum("ij,ij->i", s, s), dtype=np.float64)


def reflection_geometry(crystal: Crystal, hkl: IntArray) -> ReflectionGeometry:
    """d_star_sq, epsilon and centric flags of reflections hkl (m, 3)."""
    index = np.ascontiguousarray(hkl, dtype=np.int32).reshape(-1, 3)
    group = space_group(crystal).operations()
    return ReflectionGeometry(
        hkl=index,
        d_star_sq=d_star_sq(crystal, index),
        epsilon=np.asarray(group.epsilon_factor_without_centering_array(index), dtype=np.float64),
        centric=np.asarray(group.centric_flag_array(index), dtype=np.bool_),
    )


def all_reflections(crystal: Crystal, d_min: float, d_max: float | None = None) -> IntArray:
    """Every reflection of the CCP4 asymmetric unit with d_min <= d (<= d_max), in angstrom.

    Returns (m, 3) int32 sorted by h, then k, then l; systematic absences and 0 0 0 are left out.
    """
    cell, group = unit_cell(crystal), space_group(crystal)
    # A margin of 1e-9 keeps the reflection that defines d_min itself inside, whatever the rounding.
    hkl = np.asarray(gemmi.make_miller_array(cell, group, d_min * (1.0 - 1e-9), 0.0, True), dtype=np.int32)
    hkl = hkl.reshape(-1, 3)
    keep = ~np.asarray(group.operations().systematic_absences(hkl), dtype=np.bool_) & np.any(hkl != 0, axis=1)
    if d_max is not None:
        keep &= d_star_sq(crystal, hkl) >= (1.0 - 1e-9) / d_max**2
    hkl = hkl[keep]
    return np.ascontiguousarray(hkl[np.lexsort((hkl[:, 2], hkl[:, 1], hkl[:, 0]))])
