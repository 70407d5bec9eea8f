"""The geometry target: E = 1/2 sum r^2 over all restraints of a model, as residuals with a sparse Jacobian."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.core.settings import FAMILIES
from workbench.engine.geometry.b_similarity import BPairs, BSimilarity, b_derivatives, b_residuals
from workbench.engine.geometry.contacts import SIGMA, Contacts
from workbench.engine.geometry.covalent_restraints import CovalentRestraints, Measured
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.neighbour_list import NeighbourList
from workbench.engine.geometry.residuals import PARAMETERS, Residuals, RowPattern, b_columns, stacked
from workbench.engine.geometry.sites import Sites
from workbench.engine.geometry.statistics import WORST, GeometryStatistics, geometry_statistics

CONTACTS, B_SIMILARITY = FAMILIES.index("contacts"), FAMILIES.index("b_similarity")


class GeometryTarget:
    """All restraints of a description.

    The pairs of the B restraints (and the distances in their weights) are those of the coordinates that `residuals`
    was last given; `value` keeps them, so that the trials of one step see one function.
    """

    def __init__(self, description: GeometryDescription) -> None:
        self.description = description
        self._sites = Sites(description)
        self._covalent = CovalentRestraints(description, self._sites)
        self._neighbours = NeighbourList(description, self._sites)
        self._contacts = Contacts(self._neighbours, self._sites)
        self._b_similarity = BSimilarity(description, self._sites, self._neighbours)
        self._b_pairs: BPairs | None = None

    @property
    def b_pairs(self) -> BPairs:
        """The pairs of the B restraints, as of the last call of `residuals` or `value`."""
        if self._b_pairs is None:
            raise ValueError("no residuals have been asked for yet")
        return self._b_pairs

    @property
    def near_pairs(self) -> IntArray:
        """(k, 2) pairs of refined non-hydrogen atoms of one asymmetric unit up to NEAR_REACH and somewhat beyond, as of
        the last call of `residuals` or `value`."""
        near = self._neighbours.near
        return np.asarray(near.pairs[near.image == 0], dtype=np.int32)

    def residuals(self, xyz: FloatArray, b: FloatArray, family_weights: AnyArray, jacobian: bool = True) -> Residuals:
        """Residuals of coordinates xyz (n, 3) angstrom and b (n,) A^2; family_weights: (7,) as `FAMILIES`.

        Columns of the Jacobian: x, y, z, B of the first atom, then of the second, ... Atoms that follow others
        (hydrogens) have empty columns.
        """
        xyz, b, weights = _checked(xyz, b, family_weights, self._sites.n)
        positions = self._sites.positions(xyz)
        self._b_pairs = pairs = self._b_similarity.pairs(positions)
        if not jacobian:
            covalent = self._covalent.values(xyz)
            _, contacts = self._contacts.clashing(positions)
            values, family = self._joined(covalent, contacts, b_residuals(b, pairs), weights)
            return Residuals(values, family, None)
        covalent, covalent_data = self._covalent.derivatives(xyz)
        contacts, by_contact = self._contacts.rows(xyz, positions)
        b_values, b_gradient = b_derivatives(b, pairs)
        values, family = self._joined(covalent, contacts, b_values, weights)
        pattern = self._covalent.pattern
        b_pattern = RowPattern(b_columns(pairs.pairs).ravel(), np.full(len(b_values), 2))
        matrix = stacked(
            [
                (covalent_data, pattern.indices, pattern.indptr),
                (by_contact.data, by_contact.indices, by_contact.indptr),
                (b_pattern.fill(b_gradient.ravel()), b_pattern.indices, b_pattern.indptr),
            ],
            PARAMETERS * self._sites.n,
        )
        matrix.data *= np.repeat(np.sqrt(weights)[family], np.diff(matrix.indptr))
        return Residuals(values, family, matrix)

    def value(self, xyz: FloatArray, b: FloatArray, family_weights: AnyArray) -> float:
        """E alone, with the B pairs of the last call of `residuals`."""
        xyz, b, weights = _checked(xyz, b, family_weights, self._sites.n)
        positions = self._sites.positions(xyz)
        if self._b_pairs is None:
            self._b_pairs = self._b_similarity.pairs(positions)
        _, contacts = self._contacts.clashing(positions)
        values, _ = self._joined(self._covalent.values(xyz), contacts, b_residuals(b, self._b_pairs), weights)
        return 0.5 * float(values @ values)

    def statistics(self, xyz: FloatArray, b: FloatArray, worst: int = WORST) -> GeometryStatistics:
        """Deviations from ideal geometry of coordinates xyz (n, 3) and b (n,); does not change the target."""
        xyz, b, _ = _checked(xyz, b, np.ones(len(FAMILIES)), self._sites.n)
        positions = self._sites.positions(xyz)
        rows, z = self._contacts.clashing(positions)
        least, scale = self._neighbours.least[rows], self._neighbours.scale[rows]
        z = z / scale
        atoms = self._sites.parent[self._neighbours.contacts.pairs[rows]]
        contacts = Measured(atoms, least - SIGMA * z, least, -z)
        pairs = self._b_similarity.pairs(positions)
        first, second = b[pairs.pairs[:, 0]], b[pairs.pairs[:, 1]]
        alike = Measured(pairs.pairs, first, second, b_residuals(b, pairs))
        return geometry_statistics((*self._covalent.measured(xyz), contacts, alike), self._sites.n, worst)

    def _joined(
        self, covalent: FloatArray, contacts: FloatArray, alike: FloatArray, weights: FloatArray
    ) -> tuple[FloatArray, IntArray]:
        later = np.repeat([CONTACTS, B_SIMILARITY], [len(contacts), len(alike)]).astype(np.int32)
        family = np.concatenate([self._covalent.family, later])
        return np.concatenate([covalent, contacts, alike]) * np.sqrt(weights)[family], family


def _checked(
    xyz: FloatArray, b: FloatArray, family_weights: AnyArray, n: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    weights = np.asarray(family_weights, dtype=np.float64)
    if np.shape(xyz) != (n, 3) or np.shape(b) != (n,) or weights.shape != (len(FAMILIES),):
        raise ValueError(f"expected xyz ({n}, 3), b ({n},) and {len(FAMILIES)} family weights")
    if (weights < 0.0).any():
        raise ValueError("family weights are not negative")
    # a fresh copy: contiguous and writable, so that the kernels see one type of array only
    return np.array(xyz, dtype=np.float64, order="C"), np.asarray(b, dtype=np.float64), weights
