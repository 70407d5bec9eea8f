"""The list of pairs that may touch, kept until something has moved far enough to matter (Verlet, 1967, Phys. Rev.
159, 98)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.engine.geometry.contact_distance import ContactDistances, pair_keys
from workbench.engine.geometry.crystal_neighbours import CrystalNeighbours, NearPairs
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.sites import Sites

SKIN = 1.0
"""Angstrom; the list is made again when a site has moved half of it."""
NEAR_REACH = 4.2
"""Angstrom up to which distances within a model are restrained (`local_restraints`), as in Refmac and servalcat; pairs
are listed so far at least."""
B_REACH = 4.0
"""Angstrom up to which the B of two atoms are alike."""
COORDINATED = 3.0
"""Angstrom up to which a bonded or listed partner of an atom on a symmetry element is bonded to its copies as well."""
SELF_SCALE = float(np.sqrt(0.5))
"""A contact of a site with its own image belongs half to each: residuals carry the square root."""


@dataclass(frozen=True, eq=False)
class PairList:
    """pairs (k, 2) sites, image (k,), as in `NearPairs`."""

    pairs: IntArray
    image: IntArray


class NeighbourList:
    """contacts: possible contacts with `least` (c,) angstrom and `scale` (c,); near: pairs of refined non-hydrogen
    atoms for the B restraints. builds: how often the list was made."""

    def __init__(self, description: GeometryDescription, sites: Sites) -> None:
        types = description.contacts
        self._types, self._sites, self._bonds = types, sites, description.bonds
        self._links = description.images
        self._crystal = CrystalNeighbours(description.model.crystal)
        self._altloc = np.asarray(types.altloc)
        self._excluded = np.unique(pair_keys(np.sort(types.excluded.reshape(-1, 2), axis=1), sites.total))
        self._one_four = np.unique(pair_keys(np.sort(types.one_four.reshape(-1, 2), axis=1), sites.total))
        heavy = np.zeros(sites.total, dtype=bool)
        heavy[: sites.n] = ~sites.dependent & ~sites.hydrogen[: sites.n]
        self._heavy = heavy
        self._active = np.flatnonzero((types.radius > 0.0) | heavy)
        largest = float(types.radius.max()) if len(types.radius) else 0.0
        self._reach = max(2.0 * largest, NEAR_REACH) + SKIN
        self._distances = ContactDistances(types, sites.element)
        self._bonded = self._bond_graph(description)
        self._at: FloatArray | None = None
        self.builds = 0
        self.operators: FloatArray = np.eye(3, 4)[None]
        empty = np.zeros((0, 2), np.int32), np.zeros(0, np.int32)
        self.contacts, self.near = PairList(*empty), PairList(*empty)
        self.least: FloatArray = np.zeros(0)
        self.scale: FloatArray = np.zeros(0)

    def _bond_graph(self, description: GeometryDescription) -> sp.csr_matrix:
        """(s, s) adjacency of bonds within the asymmetric unit, hydrogens included."""
        sites, table = self._sites, description.hydrogens
        inside = description.bonds.atoms[description.bonds.symmetry == 0]
        riders = np.stack([table.parent[sites.placed], sites.site[sites.placed]], axis=1)
        edges = np.concatenate([inside.reshape(-1, 2), riders.reshape(-1, 2)])
        both = np.concatenate([edges, edges[:, ::-1]])
        return sp.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(sites.total, sites.total))

    def update(self, positions: FloatArray) -> None:
        """Make the list again if a site has moved more than half the skin since it was made."""
        if self._at is not None:
            moved = positions - self._at
            if float(np.einsum("ki,ki->k", moved, moved).max(initial=0.0)) <= (0.5 * SKIN) ** 2:
                return
        self._build(positions)
        self._at = positions.copy()
        self.builds += 1

    def _build(self, positions: FloatArray) -> None:
        active = self._active
        if not len(active):
            return
        near = self._crystal.near(np.ascontiguousarray(positions[active]), self._reach)
        pairs = np.ascontiguousarray(active[near.pairs].astype(np.int32))
        image, total = near.image, self._sites.total
        i, j = pairs[:, 0], pairs[:, 1]
        altloc, occupancy = self._altloc, self._sites.occupancy
        keep = (altloc[i] == altloc[j]) | (altloc[i] == 0) | (altloc[j] == 0)
        keep &= (image == 0) | (occupancy[i] + occupancy[j] > 1.0 + 1e-6)
        crossing = self._bonded_across(near, positions)
        if len(crossing):
            keep &= ~np.isin((image.astype(np.int64) * total + i) * total + j, crossing)
        pairs, image, apart = pairs[keep], image[keep], near.distance[keep]
        self.operators = np.ascontiguousarray(near.operators)
        heavy = self._heavy[pairs[:, 0]] & self._heavy[pairs[:, 1]] & (pairs[:, 0] != pairs[:, 1])
        self.near = PairList(np.ascontiguousarray(pairs[heavy]), np.ascontiguousarray(image[heavy]))
        radius = self._types.radius
        touching = (radius[pairs[:, 0]] > 0.0) & (radius[pairs[:, 1]] > 0.0)
        widest = self._distances.widest
        touching &= apart < widest[pairs[:, 0]] + widest[pairs[:, 1]] + SKIN
        pairs, image, apart = pairs[touching], image[touching], apart[touching]
        keys = np.where(image == 0, pair_keys(pairs, total), -1)
        least = self._distances.of(pairs, _member(keys, self._one_four))
        close = (apart < least + SKIN) & ~_member(keys, self._excluded)
        self.contacts = PairList(np.ascontiguousarray(pairs[close]), np.ascontiguousarray(image[close]))
        self.least = least[close]
        self.scale = np.where(self.contacts.pairs[:, 0] == self.contacts.pairs[:, 1], SELF_SCALE, 1.0)

    def _bonded_across(self, near: NearPairs, positions: FloatArray) -> AnyArray:
        """Keys of pairs that are bonded, or share a bonded partner, across a symmetry operator."""
        total, operators = self._sites.total, near.operators
        found: set[tuple[int, int, int]] = set()
        rows = np.flatnonzero(self._bonds.symmetry > 0)
        for row in rows.tolist():
            a, b = map(int, self._bonds.atoms[row])
            forward = self._links[self._bonds.symmetry[row] - 1]
            pairs = [(a, b), *((n, b) for n in self._partners(a)), *((a, n) for n in self._partners(b))]
            for operator, swap in ((forward, False), (_inverse(forward), True)):
                which = np.flatnonzero(np.abs(operators - operator).max(axis=(1, 2)) < 0.05)
                for m in which.tolist():
                    found.update((m, q, p) if swap else (m, p, q) for p, q in pairs)
        for m, row in near.fixed.tolist():
            centre = int(self._active[row])
            partners = {*self._partners(centre), *self._listed(centre, positions)}
            found.update((m, p, q) for p in partners for q in partners)
        keys: AnyArray = np.array([(m * total + p) * total + q for m, p, q in found], dtype=np.int64)
        return keys

    def _partners(self, site: int) -> list[int]:
        partners: list[int] = self._bonded.indices[self._bonded.indptr[site] : self._bonded.indptr[site + 1]].tolist()
        return partners

    def _listed(self, site: int, positions: FloatArray) -> list[int]:
        """Partners of a coordinating atom that are excluded from its contacts."""
        if not self._types.metal[site]:
            return []
        excluded = self._types.excluded
        other = np.concatenate([excluded[excluded[:, 0] == site, 1], excluded[excluded[:, 1] == site, 0]])
        near = np.linalg.norm(positions[other] - positions[site], axis=1) < COORDINATED
        result: list[int] = other[near].tolist()
        return result


def _member(keys: AnyArray, table: AnyArray) -> AnyArray:
    """Which keys are in the sorted table."""
    if not len(table):
        return np.zeros(len(keys), dtype=bool)
    place = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    found: AnyArray = table[place] == keys
    return found


def _inverse(operator: FloatArray) -> FloatArray:
    rotation = operator[:, :3].T
    return np.column_stack([rotation, -rotation @ operator[:, 3]])
