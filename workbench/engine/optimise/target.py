"""What the optimiser knows of crystallography: nothing but this protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import scipy.sparse

from workbench.core.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Second-order model of a target at one point (p parameters).

    value: the target. gradient: (p,). jacobian: (k, p) sparse with target = 1/2 |r|^2 for the part that has residuals
    (its Gauss-Newton curvature is J^T J), or None. diagonal: (p,) curvature of the part known by its diagonal only.
    """

    value: float
    gradient: FloatArray
    jacobian: scipy.sparse.csr_matrix | None
    diagonal: FloatArray | None


class Target(Protocol):
    """A function of the parameter vector (p,) to be minimised."""

    def value(self, x: FloatArray) -> float: ...

    def derivatives(self, x: FloatArray) -> Derivatives: ...
