"""Everything that is known of a model without its data, as one target over the parameter vector of `AtomicModel`."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import FloatArray
from workbench.core.crystal import ModelState
from workbench.engine.atomic_model import AtomicModel
from workbench.engine.geometry.target import B_SIMILARITY, GeometryTarget
from workbench.engine.geometry.tensors import deviators
from workbench.engine.geometry.u_similarity import ShapeRestraints, ShapeRows
from workbench.engine.optimise.target import Derivatives


class Restraints:
    """Geometry, B similarity and shapes of the anisotropic atoms. `value` belongs to the reference (pairs and B in the
    weights of the shape restraints) of the last `derivatives`."""

    def __init__(self, geometry: GeometryTarget, atoms: AtomicModel, shape_strength: float) -> None:
        self._geometry, self._atoms = geometry, atoms
        self._shapes = ShapeRestraints(atoms.shaped, atoms.n, shape_strength) if len(atoms.shaped) else None
        self._rows: ShapeRows | None = None
        self._b_gradient: FloatArray = np.zeros(atoms.n_parameters)

    def derivatives(self, state: ModelState, families: FloatArray) -> Derivatives:
        """E = 1/2 sum r^2 with gradient (p,) and Jacobian (k, p) at a state; families: multipliers as `FAMILIES`."""
        covalent = self._geometry.residuals(state.xyz, state.b_iso, families)
        if covalent.jacobian is None:
            raise AssertionError("restraints without a Jacobian")
        values, jacobian, p = covalent.values, covalent.jacobian, self._atoms.n_parameters
        if self._shapes is not None:
            self._rows = self._shapes.at(state.b_iso, self._geometry.b_pairs)
            weight = float(np.sqrt(families[B_SIMILARITY]))
            shapes = self._rows.values(self._deviators(state)) * weight
            values = np.concatenate([values, shapes])
            jacobian = sp.csr_matrix(sp.block_diag((jacobian, self._rows.jacobian * weight), format="csr"))
        if jacobian.shape[1] < p:
            jacobian = sp.csr_matrix((jacobian.data, jacobian.indices, jacobian.indptr), shape=(jacobian.shape[0], p))
        if self._atoms.b_groups is not None:
            jacobian = self._atoms.b_groups.columns(jacobian)
        first = int(np.searchsorted(covalent.family, B_SIMILARITY))
        self._b_gradient = np.asarray(jacobian[first:].T @ values[first:])
        return Derivatives(
            value=0.5 * float(values @ values),
            gradient=np.asarray(jacobian.T @ values),
            jacobian=jacobian,
            diagonal=None,
        )

    @property
    def b_gradient(self) -> FloatArray:
        """(p,) gradient of the restraints of B and shapes alone, families weighed, at the last `derivatives`."""
        return self._b_gradient

    def value(self, state: ModelState, families: FloatArray) -> float:
        """E alone, with the reference of the last `derivatives`."""
        energy = self._geometry.value(state.xyz, state.b_iso, families)
        if self._rows is not None:
            r = self._rows.values(self._deviators(state))
            energy += 0.5 * float(families[B_SIMILARITY]) * float(r @ r)
        return energy

    def _deviators(self, state: ModelState) -> FloatArray:
        return deviators(state.u_aniso[self._atoms.shaped])
