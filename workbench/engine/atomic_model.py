"""From the parameters of a model to the atoms that scatter, and back from their derivatives.

The parameter vector (p,) is: x, y, z (angstrom) and B (A^2) of every atom of the model, four in a row per atom; then
the five deviators (A^2, `geometry.tensors`) of every anisotropic atom; then the free occupancy parameters. Hydrogens
have none: they follow their parents in position, and in B and occupancy. Where atoms share a B, or none is refined,
`b_groups` says which rows are idle.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray
from workbench.core.crystal import Model, ModelState
from workbench.core.settings import BModel
from workbench.engine.b_groups import FIXED, find_b_groups
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.hydrogens import hydrogen_positions, pull_back
from workbench.engine.geometry.tensors import (
    EIGHT_PI_SQ,
    deviator_gradient,
    matrices,
    tensors,
    with_smallest_axis,
)
from workbench.engine.geometry.u_similarity import DEVIATORS
from workbench.engine.occupancies import find_occupancy_groups
from workbench.engine.special_positions import SpecialPositions
from workbench.engine.xray.structure_factors import AtomCurvatures, AtomGradients, Scatterers

B_MIN, B_MAX = 0.5, 500.0
"""Limits of B in A^2."""
MAX_SHIFT = 0.6
"""Largest move of an atom in one step, angstrom: beyond it the second-order model means nothing."""
MAX_SHIFT_B, LEAST_SHIFT_B, SHARE_OF_B = 30.0, 5.0, 0.4
"""Largest change of B in one step, A^2: the first at most, and no more than the second and a share of B."""
SHAPE_SHARE = 2.0 / 15.0
"""<(s T s)^2> / |s|^4 over all directions for a traceless T with T:T = 1: the curvature of a deviator in units of that
of B."""


def state_of(model: Model) -> ModelState:
    """The refinable part of a model, as copies."""
    return ModelState(model.xyz.copy(), model.b_iso.copy(), model.u_aniso.copy(), model.occupancy.copy())


class AtomicModel:
    """The atoms of a problem: model atoms (n) and riding hydrogens that are not in the model (h)."""

    def __init__(
        self,
        description: GeometryDescription,
        special: SpecialPositions,
        anisotropic: BoolArray | None = None,
        b_choice: BModel = "auto",
    ) -> None:
        """anisotropic: (n,) atoms with a tensor; by default those of the file. b_choice: whether atoms share a B
        (`b_groups`); with "fixed" neither B nor tensors are parameters."""
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
        self.anisotropic = model.anisotropic.copy() if anisotropic is None else anisotropic
        self.b_choice: BModel = b_choice
        self.b_groups = find_b_groups(model, b_choice, self.kept_rows)
        self.shaped = np.flatnonzero(self.anisotropic & ~self.dependent & (b_choice != FIXED))
        self.occupancies = find_occupancy_groups(model, special.multiplicity, self.kept_rows)
        self._parents = hydrogens.parent
        self._element = np.concatenate([model.element, hydrogens.element]) if self.riding else model.element
        self._charge = (
            np.concatenate([model.charge, np.zeros(len(hydrogens.parent), dtype=model.charge.dtype)])
            if self.riding
            else model.charge
        )

    @property
    def n_parameters(self) -> int:
        return 4 * self.n + DEVIATORS * len(self.shaped) + self.occupancies.n_parameters

    def _split(self, vector: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Views of a (p,) vector: (n, 4), (m, 5), (t,)."""
        first, second = 4 * self.n, 4 * self.n + DEVIATORS * len(self.shaped)
        return vector[:first].reshape(-1, 4), vector[first:second].reshape(-1, DEVIATORS), vector[second:]

    def lowest_b(self, state: ModelState) -> float:
        """Smallest B of any atom, along any direction (A^2)."""
        lowest = float(state.b_iso.min())
        if self.anisotropic.any():
            axes = np.linalg.eigvalsh(matrices(state.u_aniso[self.anisotropic]))
            lowest = min(lowest, EIGHT_PI_SQ * float(axes.min()))
        return lowest

    def uniform_b(self, shift: float) -> FloatArray:
        """(p,) shift that adds `shift` A^2 to every B."""
        vector = np.zeros(self.n_parameters)
        self._split(vector)[0][slice(None) if self.b_groups is None else self.b_groups.slots, 3] = shift
        return vector

    @property
    def b_is_fixed(self) -> bool:
        """No B is refined."""
        return self.b_choice == FIXED

    @property
    def b_pairs(self) -> IntArray:
        """(k, 2) atoms that share a B, all pairs."""
        return np.empty((0, 2), dtype=np.int32) if self.b_groups is None else self.b_groups.pairs

    def with_shapes(self, anisotropic: BoolArray) -> AtomicModel:
        """The same atoms with tensors where `anisotropic` (n,)."""
        return AtomicModel(self.description, self.special, anisotropic, self.b_choice)

    def reshaped(self, state: ModelState) -> ModelState:
        """A state as this model describes it: tensors exactly where it has them, spheres of the same B where they are
        new; groups that share a B at the mean of their atoms, by occupancy."""
        if self.b_groups is not None and not self.b_is_fixed:
            b = self.b_groups.averaged(state.b_iso, state.occupancy)
            b[self.kept_rows] = b[self.kept_parents]
            state = replace(state, b_iso=b)
        u = np.where(self.anisotropic[:, None], state.u_aniso, 0.0)
        new = self.anisotropic & ~np.any(u != 0.0, axis=1)
        u[new] = tensors(state.b_iso[new], np.zeros((int(new.sum()), DEVIATORS)))
        return replace(state, u_aniso=u)

    def _site_occupancy(self, occupancy: FloatArray) -> FloatArray:
        """Occupancy per image: a full atom on an n-fold position is written as 1 by some programs and as 1/n by
        others; what exceeds 1/n is divided."""
        share = occupancy * self.special.multiplicity
        return np.where(share > 1.001, occupancy / self.special.multiplicity, occupancy)

    def written(self, state: ModelState) -> Scatterers:
        """The atoms of the model alone, n rows."""
        model = self.description.model
        return Scatterers(
            state.xyz, state.b_iso, state.u_aniso, self.anisotropic, self._site_occupancy(state.occupancy),
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
        """(p,) derivative by the parameters, from the derivative by the scatterers (chain rule through hydrogens)."""
        xyz = atoms.xyz[: self.n].copy()
        b = atoms.b[: self.n].copy()
        q = atoms.occupancy[: self.n].copy()
        if len(self._parents):
            rows = self.kept_rows if len(self.kept_rows) else slice(self.n, None)
            xyz += pull_back(self.description.hydrogens, state.xyz, atoms.xyz[rows])
            np.add.at(b, self._parents, atoms.b[rows])
            if self.riding:
                np.add.at(q, self._parents, atoms.occupancy[rows])
        xyz[self.dependent] = 0.0
        b[self.dependent] = 0.0
        if self.b_groups is not None:
            b = self.b_groups.gathered(b)
        shapes = deviator_gradient(atoms.u[self.shaped])
        return np.concatenate([_pack(self.special.project(xyz), b), shapes.ravel(), self.occupancies.gradient(q)])

    def curvature(self, atoms: AtomCurvatures, b_pairs: FloatArray | None = None) -> FloatArray:
        """(p,) diagonal of the curvature; a hydrogen adds its own to its parent, with which it moves. b_pairs: (k,)
        elements between the atoms of `b_pairs`, none where they scatter independently."""
        xyz = atoms.xyz[: self.n].copy()
        b = atoms.b[: self.n].copy()
        shapes = np.repeat(SHAPE_SHARE * b[self.shaped], DEVIATORS)
        q = atoms.occupancy[: self.n].copy()
        if len(self._parents):
            rows = self.kept_rows if len(self.kept_rows) else slice(self.n, None)
            np.add.at(xyz, self._parents, atoms.xyz[rows])
            np.add.at(b, self._parents, atoms.b[rows])
            if self.riding:
                np.add.at(q, self._parents, atoms.occupancy[rows])
        xyz[self.dependent] = 0.0
        xyz[self.special.fixed] = 0.0
        b[self.dependent] = 0.0
        if self.b_groups is not None:
            b = self.b_groups.curvature(b, np.zeros(len(self.b_pairs)) if b_pairs is None else b_pairs)
        packed = _pack(np.repeat(xyz[:, None], 3, axis=1), b)
        return np.concatenate([packed, shapes, self.occupancies.curvature(q)])

    def limited(self, shift: FloatArray, b: FloatArray) -> FloatArray:
        """A (p,) shift capped per atom (direction kept) and projected onto what site symmetry allows. b: (n,) B of the
        atoms: the second-order model holds for a fraction of it."""
        most = np.minimum(MAX_SHIFT_B, LEAST_SHIFT_B + SHARE_OF_B * b)
        rows, shapes, q = self._split(shift)
        xyz = self.special.project(np.ascontiguousarray(rows[:, :3]))
        length = np.linalg.norm(xyz, axis=1)
        xyz *= np.minimum(1.0, MAX_SHIFT / np.maximum(length, 1e-12))[:, None]
        packed = _pack(xyz, np.clip(rows[:, 3], -most, most))
        size = np.linalg.norm(shapes, axis=1)
        shapes = shapes * np.minimum(1.0, most[self.shaped] / np.maximum(size, 1e-12))[:, None]
        return np.concatenate([packed, shapes.ravel(), self.occupancies.limited(q)])

    def advanced(self, state: ModelState, shift: FloatArray) -> ModelState:
        """The state after a (p,) shift: B inside its limits, U positive definite, hydrogens with their parents."""
        rows, shapes, q = self._split(shift)
        shift_b = rows[:, 3].copy() if self.b_groups is None else self.b_groups.spread(rows[:, 3])
        shift_b[self.kept_rows] = shift_b[self.kept_parents]
        b = np.clip(state.b_iso + shift_b, np.minimum(state.b_iso, B_MIN), np.maximum(state.b_iso, B_MAX))
        u = state.u_aniso
        if self.anisotropic.any() and not self.b_is_fixed:
            u = u.copy()
            u[self.anisotropic, :3] += ((b - state.b_iso)[self.anisotropic] / EIGHT_PI_SQ)[:, None]
            u[self.shaped] += tensors(np.zeros(len(self.shaped)), shapes)
            u[self.anisotropic] = with_smallest_axis(u[self.anisotropic], B_MIN)
            b[self.anisotropic] = EIGHT_PI_SQ * u[self.anisotropic, :3].mean(axis=1)
        occupancy = self.occupancies.advanced(state.occupancy, q)
        return self.with_hydrogens(replace(state, xyz=state.xyz + rows[:, :3], b_iso=b, u_aniso=u, occupancy=occupancy))

    def with_hydrogens(self, state: ModelState) -> ModelState:
        """The state with the hydrogens of the model put where their parents want them."""
        if not len(self.kept_rows):
            return state
        xyz = state.xyz.copy()
        xyz[self.kept_rows] = hydrogen_positions(self.description.hydrogens, state.xyz)
        return replace(state, xyz=xyz)


def _pack(xyz: FloatArray, b: FloatArray) -> FloatArray:
    packed = np.empty((len(b), 4))
    packed[:, :3] = xyz
    packed[:, 3] = b
    return packed.ravel()
