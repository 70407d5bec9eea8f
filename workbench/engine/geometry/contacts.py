"""Contacts that are not bonds: repulsion of atoms, riding hydrogens and symmetry mates that come too near.

r = (d_c - d) / sigma where d < d_c, else 0 (d_c: `contact_distance`).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, FloatArray
from workbench.engine.geometry.distances import distance_gradients, distances
from workbench.engine.geometry.neighbour_list import NeighbourList, PairList
from workbench.engine.geometry.sites import Sites

SIGMA = 0.2
"""Angstrom; the default of Refmac and servalcat (VDWR SIGM)."""


class Contacts:
    """Residuals of the contacts of one asymmetric unit; only those that are too near have a row."""

    def __init__(self, neighbours: NeighbourList, sites: Sites) -> None:
        self._neighbours, self._sites = neighbours, sites

    def clashing(self, positions: FloatArray) -> tuple[AnyArray, FloatArray]:
        """Rows of the neighbour list that are too near, and residuals (k,). Updates the list."""
        neighbours = self._neighbours
        neighbours.update(positions)
        d = distances(positions, neighbours.contacts.pairs, neighbours.contacts.image, neighbours.operators)
        rows = np.flatnonzero(d < neighbours.least)
        return rows, neighbours.scale[rows] * (neighbours.least[rows] - d[rows]) / SIGMA

    def rows(self, xyz: FloatArray, positions: FloatArray) -> tuple[FloatArray, sp.csr_matrix]:
        """Residuals (k,) and their derivative (k, 4n); hydrogens hand theirs on to the atoms they ride on."""
        neighbours = self._neighbours
        rows, values = self.clashing(positions)
        chosen = PairList(neighbours.contacts.pairs[rows], neighbours.contacts.image[rows])
        _, gradient = distance_gradients(positions, chosen.pairs, chosen.image, neighbours.operators)
        gradient *= (-neighbours.scale[rows] / SIGMA)[:, None]
        columns = (3 * chosen.pairs[:, :, None] + np.arange(3)).reshape(-1).astype(np.int32)
        starts = (6 * np.arange(len(rows) + 1)).astype(np.int32)
        by_site = sp.csr_matrix((gradient.ravel(), columns, starts), shape=(len(rows), 3 * self._sites.total))
        result = sp.csr_matrix(by_site @ self._sites.jacobian(xyz))
        result.sort_indices()
        return values, result
