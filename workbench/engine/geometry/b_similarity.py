"""B of atoms that are near each other are alike.

r = sqrt(w) (B_1 - B_2) / sqrt(B_1 B_2), the symmetric Kullback-Leibler divergence of two isotropic displacement
distributions (Murshudov et al., 2011, Acta Cryst. D67, 355, section on B values), w = 1 / sigma^2 / (max(4, d^2) / 4)
with sigma by how many bonds lie between. Pairs and their distances d are those of a reference model: B restraints
exert no force on coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, IntArray
from workbench.engine.geometry.contact_distance import pair_keys
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.distances import distances
from workbench.engine.geometry.neighbour_list import B_REACH, NeighbourList
from workbench.engine.geometry.sites import Sites

SIGMA_BONDED, SIGMA_ANGLE, SIGMA_TORSION, SIGMA_NEAR = 0.1, 0.15, 0.3, 0.7
"""Expected relative differences of B: 1-2, 1-3, 1-4, and other pairs up to 4 angstrom."""
NEAREST = 2.0
"""Angstrom below which the distance does not matter."""
LOWEST_B = 0.5
"""A^2; smaller B count as this much (their derivative as well, so that they are drawn up)."""


@dataclass(frozen=True, eq=False)
class BPairs:
    """pairs (k, 2) atoms first != second; scale (k,) = sqrt(w); inside (k,): both in the same asymmetric unit."""

    pairs: IntArray
    scale: FloatArray
    inside: BoolArray


class BSimilarity:
    """Chooses the pairs for a reference model."""

    def __init__(self, description: GeometryDescription, sites: Sites, neighbours: NeighbourList) -> None:
        self._neighbours, self._total = neighbours, sites.total
        free = ~sites.dependent & ~sites.hydrogen[: sites.n]
        atoms, n = description.bonds.atoms.reshape(-1, 2), sites.n
        altloc = description.contacts.altloc
        good = free[atoms].all(axis=1) & (atoms[:, 0] != atoms[:, 1])
        inside = good & (description.bonds.symmetry == 0)
        across = good & (description.bonds.symmetry > 0)
        levels = _bond_paths(atoms[inside], n)
        pairs = np.concatenate(levels)
        sigma = np.repeat([SIGMA_BONDED, SIGMA_ANGLE, SIGMA_TORSION], [len(level) for level in levels])
        i, j = pairs[:, 0], pairs[:, 1]
        seen = (altloc[i] == altloc[j]) | (altloc[i] == 0) | (altloc[j] == 0)
        self._pairs = np.ascontiguousarray(pairs[seen].astype(np.int32))
        self._sigma = sigma[seen]
        self._keys = np.unique(pair_keys(self._pairs, self._total))
        self._across = atoms[across].astype(np.int32)

    def pairs(self, positions: FloatArray) -> BPairs:
        """Pairs and weights of the model at `positions` (sites, angstrom). Updates the neighbour list."""
        neighbours = self._neighbours
        neighbours.update(positions)
        here = np.zeros(len(self._pairs), np.int32)
        d = distances(positions, self._pairs, here, neighbours.operators)
        bonded = (self._sigma == SIGMA_BONDED) | (d < B_REACH)
        near, image = neighbours.near.pairs, neighbours.near.image
        d_near = distances(positions, near, image, neighbours.operators)
        other = (d_near < B_REACH) & ~((image == 0) & np.isin(pair_keys(near, self._total), self._keys))
        pairs = np.concatenate([self._pairs[bonded], self._across, near[other]])
        sigma = np.concatenate(
            [self._sigma[bonded], np.full(len(self._across), SIGMA_BONDED), np.full(int(other.sum()), SIGMA_NEAR)]
        )
        distance = np.concatenate([d[bonded], np.full(len(self._across), NEAREST), d_near[other]])
        inside = np.concatenate(
            [np.ones(int(bonded.sum()), bool), np.zeros(len(self._across), bool), image[other] == 0]
        )
        return BPairs(pairs, NEAREST / np.maximum(distance, NEAREST) / sigma, inside)


def _bond_paths(bonds: AnyArray, n: int) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Pairs i < j one, two and three bonds apart (by the shortest way)."""
    both = np.concatenate([bonds, bonds[:, ::-1]])
    one = sp.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n, n))
    two = sp.csr_matrix(one @ one)
    three = sp.csr_matrix(two @ one)
    known: AnyArray = np.zeros(0, np.int64)
    levels = []
    for matrix in (one, two, three):
        upper = sp.triu(matrix, 1).tocoo()
        new = np.setdiff1d(upper.row.astype(np.int64) * n + upper.col, known)
        known = np.union1d(known, new)
        levels.append(np.stack([new // n, new % n], axis=1))
    return levels[0], levels[1], levels[2]


def b_residuals(b: FloatArray, pairs: BPairs) -> FloatArray:
    """Residuals (k,) for B (n,) in A^2."""
    safe = np.maximum(b, LOWEST_B)
    first, second = safe[pairs.pairs[:, 0]], safe[pairs.pairs[:, 1]]
    result: FloatArray = pairs.scale * (first - second) / np.sqrt(first * second)
    return result


def b_derivatives(b: FloatArray, pairs: BPairs) -> tuple[FloatArray, FloatArray]:
    """Residuals (k,) and their derivatives (k, 2) by the two B."""
    safe = np.maximum(b, LOWEST_B)
    first, second = safe[pairs.pairs[:, 0]], safe[pairs.pairs[:, 1]]
    root = np.sqrt(first * second)
    common = 0.5 * pairs.scale * (first + second) / root
    return pairs.scale * (first - second) / root, np.stack([common / first, -common / second], axis=1)
