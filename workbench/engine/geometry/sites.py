"""Where contacts act: the atoms of the model and the hydrogens that ride on them.

Sites 0..n-1 are the atoms of the model (its hydrogens where their parents put them), the following ones the riding
hydrogens that are not in the model.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, TextArray
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.hydrogens import hydrogen_jacobian, hydrogen_positions
from workbench.engine.geometry.residuals import PARAMETERS

HYDROGEN = ("H", "D")


class Sites:
    """parent (s,): the model atom a site belongs to (itself unless it is a placed hydrogen). dependent (n,): atoms of
    the model that follow others. hydrogen (s,): it is a hydrogen. occupancy (s,). element (s,)."""

    def __init__(self, description: GeometryDescription) -> None:
        model, table = description.model, description.hydrogens
        n, total = description.n_atoms, max(len(description.contacts.radius), description.n_atoms)
        self.n, self.total = n, total
        self._table = table
        in_model = table.model_index >= 0
        self.site: AnyArray = np.where(in_model, table.model_index, n + np.arange(len(table.parent))).astype(np.int64)
        self.placed = self.site < total
        self.parent: AnyArray = np.arange(total)
        self.parent[self.site[self.placed]] = table.parent[self.placed]
        self.dependent: BoolArray = np.zeros(n, dtype=bool)
        self.dependent[table.model_index[in_model]] = True
        self.element: TextArray = np.full(total, "H", dtype="<U2")
        self.element[:n] = model.element
        self.hydrogen: BoolArray = np.isin(self.element, HYDROGEN)
        self.occupancy: FloatArray = np.asarray(model.occupancy, dtype=np.float64)[self.parent]

    def positions(self, xyz: FloatArray) -> FloatArray:
        """(s, 3) angstrom for model coordinates (n, 3)."""
        sites = np.zeros((self.total, 3))
        sites[: self.n] = xyz
        if self.placed.any():
            sites[self.site[self.placed]] = hydrogen_positions(self._table, xyz)[self.placed]
        return sites

    def jacobian(self, xyz: FloatArray) -> sp.csr_matrix:
        """(3s, 4n) derivative of the positions by the parameters."""
        free = np.flatnonzero(~self.dependent)
        rows = [(3 * free[:, None] + np.arange(3)).ravel()]
        columns = [(PARAMETERS * free[:, None] + np.arange(3)).ravel()]
        data = [np.ones(3 * len(free))]
        if self.placed.any():
            h = hydrogen_jacobian(self._table, xyz).tocoo()
            placed = self.placed[h.row // 3]
            row, column = h.row[placed], h.col[placed]
            rows.append(3 * self.site[row // 3] + row % 3)
            columns.append(PARAMETERS * (column // 3) + column % 3)
            data.append(h.data[placed])
        entries = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
        return sp.csr_matrix(entries, shape=(3 * self.total, PARAMETERS * self.n))
