"""Residuals of the restraints, and the order of the parameters they depend on.

The restraint energy is E = 1/2 sum r^2; a Gauss-Newton step needs r and its Jacobian only.
Parameters come four in a row per atom: x, y, z in angstrom, then B in A^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.core.settings import FAMILIES

PARAMETERS = 4
"""x, y, z and B of one atom."""


def xyz_columns(atoms: AnyArray) -> IntArray:
    """(k, 3m) columns of the coordinates of atoms (k, m)."""
    columns = PARAMETERS * atoms[:, :, None] + np.arange(3)
    return columns.reshape(len(atoms), 3 * atoms.shape[1]).astype(np.int32)


def b_columns(atoms: AnyArray) -> IntArray:
    """Columns of the B of atoms, same shape."""
    return (PARAMETERS * atoms + 3).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Residuals:
    """values (k,): r, scaled by the square root of the family's weight. family (k,): row of `FAMILIES`.
    jacobian: (k, 4n) sparse derivative (sorted rows, int32 indices), None when it was not asked for."""

    values: FloatArray
    family: IntArray
    jacobian: sp.csr_matrix | None

    @property
    def energy(self) -> float:
        return 0.5 * float(self.values @ self.values)

    def family_energies(self) -> dict[str, float]:
        """1/2 sum r^2 of every family by name."""
        sums = np.bincount(self.family, weights=0.5 * self.values**2, minlength=len(FAMILIES))
        return dict(zip(FAMILIES, sums.tolist(), strict=True))


class RowPattern:
    """Where the derivatives of rows with fixed columns go in sorted compressed rows.

    columns: (entries,) row after row in natural order; lengths: (rows,) entries of each row. A column may occur twice
    in a row (a bond between an atom and its own image); its entries are added.
    """

    def __init__(self, columns: AnyArray, lengths: AnyArray) -> None:
        rows = np.repeat(np.arange(len(lengths)), lengths)
        self._order = np.lexsort((columns, rows))
        sorted_rows, sorted_columns = rows[self._order], columns[self._order]
        first = np.ones(len(columns), dtype=bool)
        first[1:] = (np.diff(sorted_rows) != 0) | (np.diff(sorted_columns) != 0)
        self._starts = None if bool(first.all()) else np.flatnonzero(first)
        self.indices: IntArray = sorted_columns[first].astype(np.int32)
        counts = np.bincount(sorted_rows[first], minlength=len(lengths))
        self.indptr: IntArray = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def fill(self, natural: FloatArray) -> FloatArray:
        """Values in the order of `indices` from (entries,) in natural order."""
        ordered: FloatArray = natural[self._order]
        if self._starts is not None:
            ordered = np.add.reduceat(ordered, self._starts)
        return ordered


def stacked(parts: list[tuple[FloatArray, IntArray, IntArray]], n_columns: int) -> sp.csr_matrix:
    """One matrix from (data, indices, indptr) triples, one below the other."""
    data = np.concatenate([p[0] for p in parts])
    indices = np.concatenate([p[1] for p in parts]).astype(np.int32, copy=False)
    pointers, offset = [np.zeros(1, np.int32)], 0
    for _, _, indptr in parts:
        pointers.append((indptr[1:] + offset).astype(np.int32, copy=False))
        offset += int(indptr[-1])
    indptr = np.concatenate(pointers)
    matrix = sp.csr_matrix((data, indices, indptr), shape=(len(indptr) - 1, n_columns))
    matrix.has_sorted_indices = True
    return matrix
