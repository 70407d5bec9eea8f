"""From the parameters of a model to the atoms that scatter, and back from their derivatives.

Parameters are x, y, z (angstrom) and B (A^2) of every atom of the model, four in a row per atom. Hydrogens have none:
they follow their parents in position, and in B and occupancy. An anisotropic atom keeps its shape; its B parameter
adds an isotropic amount, U -> U + dB / (8 pi^2).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.crystal import Model, ModelState
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.hydrogens import hydrogen_positions, pull_back
from workbench.engine.special_positions import SpecialPositions
from workbench.engine.xray.structure_factors import AtomCurvatures, AtomGradients, Scatterers

B_MIN, B_MAX = 0.5, 500.0
"""Limits of B in A^2."""
MAX_SHIFT = 0.6
"""Largest move of an atom in one step, angstrom: beyond it the second-order model means nothing."""
MAX_SHIFT_B = 30.0
EIGHT_PI_SQ = 8.0 * np.pi**2


def state_of(model: Model) -> ModelState:
    """The refinable part of a model, as copies."""
    return ModelState(model.xyz.copy(), model.b_iso.copy(), model.u_aniso.copy(), model.occupancy.copy())


class AtomicModel:
    """The atoms of a problem: model atoms (n) and riding hydrogens that are not in the model (h)."""

    def __init__(self, description: GeometryDescription, special: SpecialPositions) -> None:
        self.description = description
        self.special = special
        model = description.model
        hydrogens = description.hydrogens
        self.n = len(model)
        in_model = hydrogens.model_index >= 0
        self.kept_rows = hydrogens.model_index[in_model]
        self.kept_parents = hydrogens.parent[in_model]
        self.riding = not bool(in_model.any()) and len(hydrogens.parent) > 0
        self.dependent = np.zeros(self.n, dtype=bool)
        self.dependent[self.kept_rows] = True
        self._parents = hydrogens.parent
        self._element = np.concatenate([model.element, hydrogens.element]) if self.riding else model.element
        self._charge = (
            np.concatenate([model.charge, np.zeros(len(hydrogens.parent), dtype=model.charge.dtype)])
            if self.riding
            else model.charge
        )

    def _site_occupancy(self, occupancy: FloatArray) -> FloatArray:
        """Occupancy per image: a full atom on an n-fold position is written as 1 by some programs and as 1/n by
        others; what exceeds 1/n is divided."""
        share = occupancy * self.special.multiplicity
        return np.where(share > 1.001, occupancy / self.special.multiplicity, occupancy)

    def written(self, state: ModelState) -> Scatterers:
        """The atoms of the model alone, n rows."""
        model = self.description.model
        return Scatterers(
            state.xyz, state.b_iso, state.u_aniso, model.anisotropic, self._site_occupancy(state.occupancy),
            model.element, model.charge,
        )  # fmt: skip

    def hydrogens(self, state: ModelState) -> Scatterers:
        """The riding hydrogens alone, h rows (B and occupancy of their parents)."""
        table = self.description.hydrogens
        h = len(table.parent)
        return Scatterers(
            hydrogen_positions(table, state.xyz), state.b_iso[table.parent], np.zeros((h, 6)), np.zeros(h, dtype=bool),
            self._site_occupancy(state.occupancy)[table.parent], table.element, np.zeros(h, dtype=np.int32),
        )  # fmt: skip

    def scatterers(self, state: ModelState) -> Scatterers:
        """All atoms that scatter: the model's, then the riding hydrogens."""
        own = self.written(state)
        if not self.riding:
            return own
        extra = self.hydrogens(state)
        return Scatterers(
            np.concatenate([own.xyz, extra.xyz]),
            np.concatenate([own.b_iso, extra.b_iso]),
            np.concatenate([own.u_aniso, extra.u_aniso]),
            np.concatenate([own.anisotropic, extra.anisotropic]),
            np.concatenate([own.occupancy, extra.occupancy]),
            self._element,
            self._charge,
        )

    def gradient(self, state: ModelState, atoms: AtomGradients) -> FloatArray:
        """(4n,) derivative by the parameters, from the derivative by the scatterers (chain rule through hydrogens)."""
        xyz = atoms.xyz[: self.n].copy()
        b = atoms.b[: self.n].copy()
        if len(self._parents):
            rows = self.kept_rows if len(self.kept_rows) else slice(self.n, None)
            xyz += pull_back(self.description.hydrogens, state.xyz, atoms.xyz[rows])
            np.add.at(b, self._parents, atoms.b[rows])
        xyz[self.dependent] = 0.0
        b[self.dependent] = 0.0
        return _pack(self.special.project(xyz), b)

    def curvature(self, atoms: AtomCurvatures) -> FloatArray:
        """(4n,) diagonal of the curvature; a hydrogen adds its own to its parent, with which it moves."""
        xyz = atoms.xyz[: self.n].copy()
        b = atoms.b[: self.n].copy()
        if len(self._parents):
            rows = self.kept_rows if len(self.kept_rows) else slice(self.n, None)
            np.add.at(xyz, self._parents, atoms.xyz[rows])
            np.add.at(b, self._parents, atoms.b[rows])
        xyz[self.dependent] = 0.0
        b[self.dependent] = 0.0
        return _pack(np.repeat(xyz[:, None], 3, axis=1), b)

    def limited(self, shift: FloatArray) -> FloatArray:
        """A (4n,) shift capped per atom (direction kept) and projected onto what site symmetry allows."""
        rows = shift.reshape(-1, 4)
        xyz = self.special.project(np.ascontiguousarray(rows[:, :3]))
        length = np.linalg.norm(xyz, axis=1)
        xyz *= np.minimum(1.0, MAX_SHIFT / np.maximum(length, 1e-12))[:, None]
        return _pack(xyz, np.clip(rows[:, 3], -MAX_SHIFT_B, MAX_SHIFT_B))

    def advanced(self, state: ModelState, shift: FloatArray) -> ModelState:
        """The state after a (4n,) shift: B inside its limits, U positive definite, hydrogens with their parents."""
        model = self.description.model
        rows = shift.reshape(-1, 4)
        xyz = state.xyz + rows[:, :3]
        shift_b = rows[:, 3].copy()
        shift_b[self.kept_rows] = shift_b[self.kept_parents]
        lowest = state.b_iso.copy()
        if model.anisotropic.any():
            lowest[model.anisotropic] = EIGHT_PI_SQ * smallest_eigenvalue(state.u_aniso[model.anisotropic])
        shift_b = np.maximum(shift_b, np.minimum(0.0, B_MIN - lowest))
        shift_b = np.minimum(shift_b, np.maximum(0.0, B_MAX - state.b_iso))
        b = state.b_iso + shift_b
        u = state.u_aniso
        if model.anisotropic.any():
            u = u.copy()
            u[model.anisotropic, :3] += (shift_b[model.anisotropic] / EIGHT_PI_SQ)[:, None]
        return self.with_hydrogens(replace(state, xyz=xyz, b_iso=b, u_aniso=u))

    def with_hydrogens(self, state: ModelState) -> ModelState:
        """The state with the hydrogens of the model put where their parents want them."""
        if not len(self.kept_rows):
            return state
        xyz = state.xyz.copy()
        xyz[self.kept_rows] = hydrogen_positions(self.description.hydrogens, state.xyz)
        return replace(state, xyz=xyz)


def smallest_eigenvalue(u: FloatArray) -> FloatArray:
    """(n,) smallest eigenvalue of the tensors u (n, 6: U11 U22 U33 U12 U13 U23), A^2."""
    full = np.empty((len(u), 3, 3))
    full[:, 0, 0], full[:, 1, 1], full[:, 2, 2] = u[:, 0], u[:, 1], u[:, 2]
    full[:, 0, 1] = full[:, 1, 0] = u[:, 3]
    full[:, 0, 2] = full[:, 2, 0] = u[:, 4]
    full[:, 1, 2] = full[:, 2, 1] = u[:, 5]
    return np.asarray(np.linalg.eigvalsh(full)[:, 0], dtype=np.float64)


def _pack(xyz: FloatArray, b: FloatArray) -> FloatArray:
    packed = np.empty((len(b), 4))
    packed[:, :3] = xyz
    packed[:, 3] = b
    return packed.ravel()
