"""Which occupancies are refined, and how they hang together.

Atoms that share an occupancy are a group: the atoms of one alternative location of a residue, joined along the chain
with the same alternative of neighbouring residues; or the atoms of a residue that is only partly there. The groups of
alternatives that together fill a place are a set: their occupancies sum to one and keep doing so. A partly occupied
residue without alternatives is free between LEAST and one. Atoms of full or zero occupancy are not touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray
from workbench.core.crystal import Model

LEAST = 0.05
"""Smallest occupancy a refined group may reach: less cannot be told from nothing, and its B from anything."""
ALIKE = 0.011
"""Occupancies that differ by less are one number (files hold two digits)."""
MAX_SHIFT_Q = 0.1
"""Largest change in one step."""


@dataclass(frozen=True, eq=False)
class OccupancyGroups:
    """group (n,): of each atom, or -1. basis (g, t): change of the g group occupancies by the t free parameters; the
    columns of a set sum to zero. sets: rows of groups whose sum is kept."""

    group: IntArray
    basis: FloatArray
    sets: tuple[IntArray, ...]

    @property
    def n_parameters(self) -> int:
        return int(self.basis.shape[1])

    def gradient(self, by_occupancy: FloatArray) -> FloatArray:
        """(t,) derivative by the parameters from that by the occupancy of every atom (n,)."""
        return np.asarray(self.basis.T @ self._summed(by_occupancy))

    def curvature(self, by_occupancy: FloatArray) -> FloatArray:
        """(t,) diagonal of the curvature from that of every atom (n,); atoms scatter independently."""
        return np.asarray((self.basis**2).T @ self._summed(by_occupancy))

    def limited(self, shift: FloatArray) -> FloatArray:
        return np.clip(shift, -MAX_SHIFT_Q, MAX_SHIFT_Q)

    def advanced(self, occupancy: FloatArray, shift: FloatArray) -> FloatArray:
        """(n,) occupancies after a shift (t,) of the parameters: inside their limits, sums kept."""
        if not self.n_parameters:
            return occupancy
        members = self.group >= 0
        old = np.zeros(len(self.basis))
        old[self.group[members]] = occupancy[members]
        change = self.basis @ shift
        new = np.clip(old + change, LEAST, 1.0)
        for rows in self.sets:
            new[rows] *= float(old[rows].sum()) / float(new[rows].sum())
        new = np.where(change == 0.0, old, new)
        result = occupancy.copy()
        result[members] = new[self.group[members]]
        return result

    def _summed(self, by_atom: FloatArray) -> FloatArray:
        members = self.group >= 0
        sums = np.bincount(self.group[members], weights=by_atom[members], minlength=len(self.basis))
        return np.asarray(sums, dtype=np.float64)


def find_occupancy_groups(model: Model, multiplicity: IntArray, frozen: IntArray) -> OccupancyGroups:
    """The groups of a model.

    multiplicity: (n,) of special positions, whose occupancy is not free. frozen: rows of atoms that follow others
    (hydrogens) and join the group of their residue without deciding about it.
    """
    n = len(model)
    group = np.full(n, -1, dtype=np.int32)
    deciding = np.ones(n, dtype=bool)
    deciding[frozen] = False
    sets: list[list[dict[str, float]]] = []
    rows_of: list[dict[str, list[int]]] = []
    previous: tuple[int, dict[str, float]] | None = None
    residues = model.residues
    for r in range(len(residues)):
        rows = np.arange(residues.first_atom[r], residues.first_atom[r] + residues.n_atoms[r])
        found = _alternatives(model, rows, deciding)
        if found is None or np.any(multiplicity[rows] > 1):
            previous = None
            continue
        continues = (
            previous is not None
            and r == previous[0] + 1
            and residues.chain[r] == residues.chain[r - 1]
            and residues.kind[r] == residues.kind[r - 1] == "protein"
            and previous[1].keys() == found.keys()
            and all(abs(previous[1][k] - found[k]) < ALIKE for k in found)
        )
        if not continues:
            sets.append([found])
            rows_of.append({k: [] for k in found})
        for label in found:
            rows_of[-1][label] += [int(i) for i in rows if _label(model, int(i)) == label]
        previous = (r, found)
    columns: list[FloatArray] = []
    kept: list[IntArray] = []
    count = 0
    for alternatives, members in zip(sets, rows_of, strict=True):
        labels = sorted(alternatives[0])
        groups = np.arange(count, count + len(labels), dtype=np.int32)
        for g, label in zip(groups.tolist(), labels, strict=True):
            group[members[label]] = g
        count += len(labels)
        if len(labels) > 1:
            kept.append(groups)
            # orthonormal directions that leave the sum alone (Helmert)
            for k in range(1, len(labels)):
                direction = np.zeros(len(labels))
                direction[:k], direction[k] = 1.0, -float(k)
                columns.append(_column(groups, direction / np.linalg.norm(direction)))
        else:
            columns.append(_column(groups, np.ones(1)))
    basis = np.zeros((count, len(columns)))
    for t, column in enumerate(columns):
        basis[: len(column), t] = column
    return OccupancyGroups(group, basis, tuple(kept))


def _column(groups: IntArray, values: FloatArray) -> FloatArray:
    column = np.zeros(int(groups[-1]) + 1)
    column[groups] = values
    return column


def _label(model: Model, atom: int) -> str:
    return str(model.altloc[atom])


def _alternatives(model: Model, rows: IntArray, deciding: BoolArray) -> dict[str, float] | None:
    """Label -> occupancy of what is refined of a residue; None when there is nothing, or the numbers make no set."""
    judged = rows[deciding[rows]]
    labels = sorted({_label(model, int(i)) for i in judged} - {""})
    if labels:
        found: dict[str, float] = {}
        for label in labels:
            q = model.occupancy[judged[model.altloc[judged] == label]]
            if q.max() - q.min() > ALIKE or not LEAST / 2 < q.mean() < 1.0:
                return None
            found[label] = float(q.mean())
        return found if len(found) > 1 and abs(sum(found.values()) - 1.0) < 2 * ALIKE else None
    q = model.occupancy[judged]
    if len(q) and q.min() > 0.0 and q.max() < 1.0 - ALIKE and q.max() - q.min() <= ALIKE:
        return {"": float(q.mean())}
    return None
