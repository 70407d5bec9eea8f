"""Everything that is known of a model without its data, as one target over the parameter vector of `AtomicModel`.

`families` everywhere: multipliers of the families of restraints as `FAMILIES`, and behind them, where there are more,
those of the restraints of distances as `LOCAL_RESTRAINTS`.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import FloatArray
from workbench.core.crystal import ModelState
from workbench.core.settings import FAMILIES, LOCAL_RESTRAINTS
from workbench.engine.atomic_model import AtomicModel
from workbench.engine.geometry.local_restraints import LocalReference, LocalRestraints
from workbench.engine.geometry.ncs_copies import NcsPair
from workbench.engine.geometry.residuals import xyz_columns
from workbench.engine.geometry.target import B_SIMILARITY, GeometryTarget
from workbench.engine.geometry.tensors import deviators
from workbench.engine.geometry.u_similarity import ShapeRestraints, ShapeRows
from workbench.engine.held_atoms import NAME as HELD
from workbench.engine.held_atoms import HeldAtoms
from workbench.engine.optimise.target import Derivatives


class Restraints:
    """Geometry, B similarity, shapes of the anisotropic atoms and distances within the model. `value` belongs to the
    reference (pairs, distances where the cycle began, B in the weights of the shape restraints) of the last
    `derivatives`. copies: of chains, for the restraints between them. held: atoms tied to a place of their own."""

    def __init__(
        self,
        geometry: GeometryTarget,
        atoms: AtomicModel,
        shape_strength: float,
        copies: tuple[NcsPair, ...] = (),
        held: HeldAtoms | None = None,
    ) -> None:
        self._geometry, self._atoms = geometry, atoms
        self.copies, self.held = copies, held
        fixed = atoms.special.fixed
        self._movable: FloatArray | None = None
        if len(fixed):
            self._movable = np.ones(atoms.n_parameters)
            self._movable[xyz_columns(fixed[:, None]).ravel()] = 0.0
        self._local = LocalRestraints(geometry.description, copies)
        self._local_at: LocalReference | None = None
        self._shapes = ShapeRestraints(atoms.shaped, atoms.n, shape_strength) if len(atoms.shaped) else None
        self._rows: ShapeRows | None = None
        self._b_gradient: FloatArray = np.zeros(atoms.n_parameters)

    def derivatives(self, state: ModelState, families: FloatArray) -> Derivatives:
        """E = 1/2 sum r^2 with gradient (p,) and Jacobian (k, p) at a state."""
        families, local = _parts(families)
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
        self._local_at = None
        if local.any():
            self._local_at = self._local.reference(state.xyz, self._geometry.near_pairs, local)
            more, by_distance = self._local.rows(state.xyz, self._local_at, local, p)
            values = np.concatenate([values, more])
            jacobian = sp.csr_matrix(sp.vstack([jacobian, by_distance], format="csr"))
        if self.held is not None:
            values = np.concatenate([values, self.held.values(state.xyz)])
            jacobian = sp.csr_matrix(sp.vstack([jacobian, self.held.jacobian(p)], format="csr"))
        if self._movable is not None:
            # Not only kept from moving afterwards: the others are to know that these do not.
            jacobian.data *= self._movable[jacobian.indices]
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
        families, local = _parts(families)
        energy = self._geometry.value(state.xyz, state.b_iso, families)
        if self._rows is not None:
            r = self._rows.values(self._deviators(state))
            energy += 0.5 * float(families[B_SIMILARITY]) * float(r @ r)
        if self._local_at is not None:
            r = self._local.values(state.xyz, self._local_at, local)
            energy += 0.5 * float(r @ r)
        if self.held is not None:
            r = self.held.values(state.xyz)
            energy += 0.5 * float(r @ r)
        return energy

    def local_statistics(self, state: ModelState) -> dict[str, tuple[float, int]]:
        """r.m.s. Z and count of the restraints of distances that the last `derivatives` used, and of held atoms, by
        name."""
        found = {} if self._local_at is None else self._local.statistics(state.xyz, self._local_at)
        return found if self.held is None else {**found, HELD: self.held.statistics(state.xyz)}

    def _deviators(self, state: ModelState) -> FloatArray:
        return deviators(state.u_aniso[self._atoms.shaped])


def _parts(families: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Multipliers as FAMILIES, and as LOCAL_RESTRAINTS (zero where none are given)."""
    count = len(FAMILIES)
    local = families[count:] if len(families) > count else np.zeros(len(LOCAL_RESTRAINTS))
    return families[:count], local
