"""Restraints of distances that no dictionary knows: to the model as it is, and between copies of a chain.

    jelly body   r = (d - d_0) / JELLY_SIGMA                    d_0: the distance where the cycle began
    local NCS    r = x / (1 + x^2 / 4)^(1/2),  x = (d_1 - d_2) / NCS_SIGMA

for pairs of non-hydrogen atoms of one asymmetric unit within NEAR_REACH that are not bonded and share no bonded atom.
Jelly body has no force where a cycle begins, only curvature: what the data ask of few atoms alone moves slowly, what
they ask of many together does not (Murshudov et al., 2011, Acta Cryst. D67, 355). Local NCS wants corresponding
distances d_1, d_2 of two copies alike; E = 1/2 r^2 levels off at 2 (Geman & McClure, 1987), so that true differences
between copies are left alone (LSSR of Smart et al., 2012, Acta Cryst. D68, 368; form and sigma as in servalcat).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.core.settings import LOCAL_RESTRAINTS
from workbench.engine.geometry.contact_distance import pair_keys
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.distances import IDENTITY, distance_gradients, distances
from workbench.engine.geometry.ncs_copies import NcsPair
from workbench.engine.geometry.neighbour_list import NEAR_REACH
from workbench.engine.geometry.residuals import xyz_columns

JELLY_SIGMA, NCS_SIGMA = 0.02, 0.05
"""Angstrom."""
LEVEL = 2.0
"""x at which the force of local NCS has fallen behind: r levels off at it."""
_NO_PAIRS: IntArray = np.zeros((0, 2), np.int32)


@dataclass(frozen=True, eq=False)
class LocalReference:
    """What a cycle refers to. jelly: (k, 2) pairs with distances `ideal` (k,); first, second: (m, 2) corresponding
    pairs of two copies."""

    jelly: IntArray
    ideal: FloatArray
    first: IntArray
    second: IntArray


class LocalRestraints:
    """weights everywhere: (2,) multipliers as LOCAL_RESTRAINTS; a term of weight 0 has no rows."""

    def __init__(self, description: GeometryDescription, copies: tuple[NcsPair, ...]) -> None:
        n = self._n = description.n_atoms
        inside = description.bonds.atoms[description.bonds.symmetry == 0].reshape(-1, 2)
        covalent = np.concatenate([inside, description.angles.atoms.reshape(-1, 3)[:, [0, 2]]])
        covalent = np.sort(covalent[(covalent < n).all(axis=1)], axis=1)
        self._covalent = np.unique(pair_keys(covalent, n))
        self._copies = copies
        self._chain = np.unique(description.model.residues.chain[description.model.residue], return_inverse=True)[1]

    def reference(self, xyz: FloatArray, near: IntArray, weights: FloatArray) -> LocalReference:
        """xyz (n, 3) where the cycle begins; near (k, 2): pairs of atoms up to NEAR_REACH and perhaps beyond."""
        if not weights.any() or not len(near):
            return LocalReference(_NO_PAIRS, np.zeros(0), _NO_PAIRS, _NO_PAIRS)
        near = np.sort(near, axis=1)
        near = near[~np.isin(pair_keys(near, self._n), self._covalent)]
        d = _lengths(xyz, near)
        near, d = near[d < NEAR_REACH], d[d < NEAR_REACH]
        jelly = near if weights[0] > 0.0 else _NO_PAIRS
        first, second = self._corresponding(near) if weights[1] > 0.0 else (_NO_PAIRS, _NO_PAIRS)
        return LocalReference(_int(jelly), d[: len(jelly)], first, second)

    def _corresponding(self, near: AnyArray) -> tuple[IntArray, IntArray]:
        """Pairs of one chain that are near in either copy, and their counterparts."""
        own = near[self._chain[near[:, 0]] == self._chain[near[:, 1]]]
        firsts, seconds = [_NO_PAIRS], [_NO_PAIRS]
        for copy in self._copies:
            there, back = np.full(self._n, -1), np.full(self._n, -1)
            there[copy.rows[:, 0]], back[copy.rows[:, 1]] = copy.rows[:, 1], copy.rows[:, 0]
            here = own[(there[own] >= 0).all(axis=1)]
            from_there = np.sort(back[own[(back[own] >= 0).all(axis=1)]], axis=1)
            both = np.concatenate([here, from_there])
            _, place = np.unique(pair_keys(both, self._n), return_index=True)
            pairs = both[np.sort(place)]
            firsts.append(_int(pairs))
            seconds.append(_int(there[pairs]))
        return np.concatenate(firsts), np.concatenate(seconds)

    def values(self, xyz: FloatArray, at: LocalReference, weights: FloatArray) -> FloatArray:
        """(k + m,) residuals, jelly body first."""
        jelly = (_lengths(xyz, at.jelly) - at.ideal) / JELLY_SIGMA
        x = (_lengths(xyz, at.first) - _lengths(xyz, at.second)) / NCS_SIGMA
        return np.concatenate([np.sqrt(weights[0]) * jelly, np.sqrt(weights[1]) * _level(x)[0]])

    def rows(
        self, xyz: FloatArray, at: LocalReference, weights: FloatArray, n_columns: int
    ) -> tuple[FloatArray, sp.csr_matrix]:
        """Residuals (k + m,) and their derivatives by the parameters, four per atom first."""
        d, by_jelly = _gradients(xyz, at.jelly)
        jelly = np.sqrt(weights[0]) * (d - at.ideal) / JELLY_SIGMA
        by_jelly *= np.sqrt(weights[0]) / JELLY_SIGMA
        (d1, g1), (d2, g2) = _gradients(xyz, at.first), _gradients(xyz, at.second)
        ncs, slope = _level((d1 - d2) / NCS_SIGMA)
        by_ncs = np.concatenate([g1, -g2], axis=1) * (np.sqrt(weights[1]) * slope / NCS_SIGMA)[:, None]
        columns = np.concatenate(
            [xyz_columns(at.jelly).ravel(), np.concatenate([xyz_columns(at.first), xyz_columns(at.second)], 1).ravel()]
        )
        lengths = np.repeat([by_jelly.shape[1], by_ncs.shape[1]], [len(jelly), len(ncs)])
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        matrix = sp.csr_matrix(
            (np.concatenate([by_jelly.ravel(), by_ncs.ravel()]), columns, starts),
            shape=(len(lengths), n_columns),
        )
        # Two copies that share atoms would name a column twice.
        matrix.sum_duplicates()
        return np.concatenate([jelly, np.sqrt(weights[1]) * ncs]), matrix

    def statistics(self, xyz: FloatArray, at: LocalReference) -> dict[str, tuple[float, int]]:
        """r.m.s. Z and count of each: of distances against where the cycle began; between copies r, which a loop that
        is really different does not drown."""
        result = {}
        if len(at.jelly):
            jelly = (_lengths(xyz, at.jelly) - at.ideal) / JELLY_SIGMA
            result[LOCAL_RESTRAINTS[0]] = (float(np.sqrt(np.mean(jelly**2))), len(jelly))
        if len(at.first):
            r, _ = _level((_lengths(xyz, at.first) - _lengths(xyz, at.second)) / NCS_SIGMA)
            result[LOCAL_RESTRAINTS[1]] = (float(np.sqrt(np.mean(r**2))), len(r))
        return result


def _level(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """r and dr/dx."""
    root = 1.0 / np.sqrt(1.0 + (x / LEVEL) ** 2)
    return x * root, root**3


def _lengths(xyz: FloatArray, pairs: AnyArray) -> FloatArray:
    return distances(xyz, _int(pairs), np.zeros(len(pairs), np.int32), IDENTITY[None])


def _gradients(xyz: FloatArray, pairs: IntArray) -> tuple[FloatArray, FloatArray]:
    return distance_gradients(xyz, pairs, np.zeros(len(pairs), np.int32), IDENTITY[None])


def _int(values: AnyArray) -> IntArray:
    return np.ascontiguousarray(values, dtype=np.int32)
