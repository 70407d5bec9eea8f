"""Shapes of anisotropic atoms: like those of their neighbours, and no more elongated than the data demand.

    r = strength scale (a_1 - a_2) / sqrt(3 B_1 B_2)      for the pairs and scales of the B restraints, each a_p
    r = a / (SPHERE_SIGMA B)                              for every atom, each a_p

a_p are the deviators of `geometry.tensors`. The first is the anisotropic part of the Kullback-Leibler divergence of two
displacement distributions that differ little, 1/4 tr (U^-1 dU)^2, on the footing of the isotropic part that
`b_similarity` restrains (Murshudov et al., 2011, Acta Cryst. D67, 355). Neighbours are alike to first order in
TLS motion, so that strong restraints leave mainly such collective motion. B_1, B_2 and the pairs are those of the state
a step starts from: the rows are linear in a.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, FloatArray
from workbench.engine.geometry.b_similarity import LOWEST_B, BPairs

DEVIATORS = 5
SPHERE_SIGMA = 0.35
"""Expected deviator of an atom relative to its B: principal axes of about 0.6, 1 and 1.4 times B."""


@dataclass(frozen=True, eq=False)
class ShapeRows:
    """The linear restraints r = J a at one reference. jacobian: (k, 5 m); before the weight of the family."""

    jacobian: sp.csr_matrix

    def values(self, a: FloatArray) -> FloatArray:
        """(k,) residuals of deviators a (m, 5)."""
        return np.asarray(self.jacobian @ a.ravel())


class ShapeRestraints:
    """Restraints on the shapes of the atoms `rows` (m,) of n."""

    def __init__(self, rows: AnyArray, n: int, strength: float) -> None:
        self.rows = np.asarray(rows, dtype=np.int64)
        self.strength = strength
        self._place = np.full(n, -1, dtype=np.int64)
        self._place[self.rows] = np.arange(len(self.rows))

    def at(self, b: FloatArray, pairs: BPairs) -> ShapeRows:
        """The rows for reference B (n,) in A^2 and the pairs of its B restraints.

        Pairs across symmetry operators are left out (their tensors would have to be rotated; they are far and weak).
        """
        m = len(self.rows)
        safe = np.maximum(b, LOWEST_B)
        both = self._place[pairs.pairs]
        used = (both >= 0).all(axis=1) & pairs.inside
        i, j = both[used].T
        first, second = safe[self.rows[i]], safe[self.rows[j]]
        weight = self.strength * pairs.scale[used] / np.sqrt(3.0 * first * second)
        k = len(weight)
        row = np.arange(k)
        sphere = 1.0 / (SPHERE_SIGMA * safe[self.rows])
        one = sp.csr_matrix(
            (
                np.concatenate([weight, -weight, sphere]),
                (np.concatenate([row, row, k + np.arange(m)]), np.concatenate([i, j, np.arange(m)])),
            ),
            shape=(k + m, m),
        )
        return ShapeRows(sp.csr_matrix(sp.kron(one, sp.identity(DEVIATORS), format="csr")))
