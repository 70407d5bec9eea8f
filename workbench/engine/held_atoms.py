"""Atoms that the user wants to stay near where the run began: r = (x - x_0) / sigma for each coordinate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import FloatArray, IntArray
from workbench.engine.geometry.residuals import xyz_columns

NAME = "held"
"""As a family of restraints in the statistics of a cycle."""


@dataclass(frozen=True, eq=False)
class HeldAtoms:
    """rows (k,) of the model; places (k, 3) angstrom; sigma: angstrom."""

    rows: IntArray
    places: FloatArray
    sigma: float

    def values(self, xyz: FloatArray) -> FloatArray:
        """(3 k,) residuals at xyz (n, 3)."""
        result: FloatArray = ((xyz[self.rows] - self.places) / self.sigma).ravel()
        return result

    def jacobian(self, n_columns: int) -> sp.csr_matrix:
        """(3 k, n_columns) derivative of the residuals by the parameters, four per atom first."""
        count = 3 * len(self.rows)
        columns = xyz_columns(self.rows[:, None]).ravel()
        data = np.full(count, 1.0 / self.sigma)
        return sp.csr_matrix((data, columns, np.arange(count + 1, dtype=np.int32)), shape=(count, n_columns))

    def statistics(self, xyz: FloatArray) -> tuple[float, int]:
        """r.m.s. Z per coordinate, and number of atoms."""
        return float(np.sqrt(np.mean(self.values(xyz) ** 2))), len(self.rows)
