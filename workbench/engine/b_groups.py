"""Fewer B than atoms: one for each residue, two (main and side chain), or none that is refined.

The parameter vector of `AtomicModel` keeps its four rows for every atom. The B of a group stands in the row of its
first atom, its slot; the B rows of all other atoms are idle. With C the matrix that copies a slot to the atoms of its
group, gradient, Jacobian and curvature of the slots are C^T g, J C and the diagonal of C^T H C. In the last the terms
between atoms of one group count: they are too near each other, at the resolutions where groups are wanted, to scatter
independently.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import FloatArray, IntArray
from workbench.core.crystal import Model
from workbench.core.settings import BModel
from workbench.engine.residue_parts import group_rows

GROUPED: tuple[BModel, ...] = ("per-residue", "main-side")
FIXED: BModel = "fixed"


@dataclass(frozen=True, eq=False)
class BGroups:
    """slot: (n,) row of the atom that carries the B of each atom, -1 where it is not refined. pairs: (k, 2) all pairs
    of atoms with one slot."""

    slot: IntArray
    pairs: IntArray

    @property
    def slots(self) -> IntArray:
        """Rows of the atoms that carry a B."""
        return np.unique(self.slot[self.slot >= 0])

    def gathered(self, by_atom: FloatArray) -> FloatArray:
        """(n,) C^T g: what is known by atom, summed into the slots."""
        refined = self.slot >= 0
        return np.bincount(self.slot[refined], weights=by_atom[refined], minlength=len(self.slot)).astype(np.float64)

    def curvature(self, by_atom: FloatArray, by_pair: FloatArray) -> FloatArray:
        """(n,) diagonal of C^T H C from the diagonal (n,) and the elements (k,) of `pairs`."""
        total = self.gathered(by_atom)
        np.add.at(total, self.slot[self.pairs[:, 0]], 2.0 * by_pair)
        return total

    def spread(self, by_slot: FloatArray) -> FloatArray:
        """(n,) C s: what stands in the slots, by atom."""
        return np.where(self.slot >= 0, by_slot[self.slot], 0.0)

    def averaged(self, b: FloatArray, weight: FloatArray) -> FloatArray:
        """(n,) B with every group at its weighted mean (plain where all weights are zero); others as they are."""
        weight = np.where(self.gathered(weight)[self.slot] > 0.0, weight, 1.0)
        mean = self.gathered(weight * b) / np.maximum(self.gathered(weight), 1e-12)
        return np.where(self.slot >= 0, mean[self.slot], b)

    def columns(self, jacobian: sp.csr_matrix) -> sp.csr_matrix:
        """J C of a Jacobian (r, p) whose column 4 i + 3 is the B of atom i."""
        target = np.arange(jacobian.shape[1])
        n = len(self.slot)
        target[3 : 4 * n : 4] = np.where(self.slot >= 0, 4 * self.slot + 3, -1)
        data = np.where(target[jacobian.indices] >= 0, jacobian.data, 0.0)
        moved = np.maximum(target[jacobian.indices], 0)
        joined = sp.csr_matrix((data, moved, jacobian.indptr), shape=jacobian.shape)
        joined.sum_duplicates()
        joined.eliminate_zeros()
        return joined


def find_b_groups(model: Model, choice: BModel, followers: IntArray) -> BGroups | None:
    """The groups of a choice; None where every atom has a B of its own. followers: rows of atoms without parameters
    (hydrogens), which take the B of their parents.

    "main-side" parts proteins and nucleic acids; a ligand, a water or a glycine has one B in either case.
    """
    n = len(model)
    slot = np.full(n, -1, dtype=np.int32)
    if choice == FIXED:
        return BGroups(slot, np.empty((0, 2), dtype=np.int32))
    if choice not in GROUPED:
        return None
    rows, starts = group_rows(model)
    if choice == "per-residue":
        starts = np.concatenate([starts[:-1:2], starts[-1:]])
    follows = np.zeros(n, dtype=bool)
    follows[followers] = True
    pairs = [np.empty((0, 2), dtype=np.int32)]
    for first, last in pairwise(starts.tolist()):
        members = rows[first:last]
        members = np.sort(members[~follows[members]])
        if len(members):
            slot[members] = members[0]
            one, other = np.triu_indices(len(members), 1)
            pairs.append(np.stack([members[one], members[other]], axis=1))
    # A hydrogen without a parent (a proton by itself) keeps a B of its own.
    lonely = (slot < 0) & ~follows
    slot[lonely] = np.flatnonzero(lonely)
    return BGroups(slot, np.concatenate(pairs).astype(np.int32))
