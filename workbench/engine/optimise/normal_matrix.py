"""J^T J of the restraints: 3 x 3 blocks of the coordinates of two atoms, single entries of everything else.

Restraints tie the coordinates of an atom to those of some twenty others, its B and shape to those of as many; hardly
anything ties the ones to the others. In blocks, and by its lower half, the matrix takes a third of the memory of a list
of its entries, and as much less time to multiply with, which is what solving the equations consists of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from workbench.core.arrays import FloatArray, IntArray
from workbench.engine.optimise.normal_matrix_kernels import multiply, product_in_blocks

BLOCK = 4
"""Parameters of an atom that come together: x, y, z, B."""


@dataclass(frozen=True, eq=False)
class NormalMatrix:
    """The symmetric (p, p) matrix over x, y, z, B of n atoms and what follows them.

    own (n, 3, 3), first (n + 1,), other (b,), block (b, 3, 3): coordinates of atom i with themselves and, from
    first[i], with those of earlier atoms. single_own (p - 3n,), single_first, column (e,), entry (e,): the same of all
    other parameters, B first, with earlier ones of their kind and with coordinates, by their place among all.
    """

    own: FloatArray
    first: IntArray
    other: IntArray
    block: FloatArray
    single_own: FloatArray
    single_first: IntArray
    column: IntArray
    entry: FloatArray

    @classmethod
    def of(cls, jacobian: scipy.sparse.csr_matrix, n: int) -> NormalMatrix:
        """J^T J for J (k, p), whose columns 4 i .. 4 i + 3 are x, y, z, B of atom i < n."""
        indptr = np.ascontiguousarray(jacobian.indptr, dtype=np.int32)
        indices = np.ascontiguousarray(jacobian.indices, dtype=np.int32)
        data = np.ascontiguousarray(jacobian.data, dtype=np.float64)
        return cls(*product_in_blocks(indptr, indices, data, n, jacobian.shape[1]))

    @property
    def parts(self) -> tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray, IntArray, IntArray, FloatArray]:
        """As the kernels take them."""
        return (
            self.own, self.first, self.other, self.block, self.single_own, self.single_first, self.column, self.entry,
        )  # fmt: skip

    @property
    def size(self) -> int:
        """p."""
        return 3 * len(self.own) + len(self.single_own)

    def times(self, v: FloatArray, added: FloatArray) -> FloatArray:
        """(A + diag(added)) v, all (p,)."""
        product = np.empty(self.size)
        multiply(*self.parts, np.asarray(added, dtype=np.float64), np.ascontiguousarray(v, dtype=np.float64), product)
        return product

    def diagonal(self) -> FloatArray:
        """(p,)."""
        n = len(self.own)
        found = np.empty(self.size)
        by_atom = found[: BLOCK * n].reshape(n, BLOCK)
        by_atom[:, :3] = np.diagonal(self.own, axis1=1, axis2=2)
        by_atom[:, 3] = self.single_own[:n]
        found[BLOCK * n :] = self.single_own[n:]
        return found

    def toarray(self) -> FloatArray:
        """(p, p), for tests."""
        return np.array([self.times(unit, np.zeros(self.size)) for unit in np.eye(self.size)])
