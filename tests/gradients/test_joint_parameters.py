"""The joint target of coordinates, B, shapes and occupancies: its gradient along every kind of parameter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.synthetic_geometry import ALL, rich_description
from workbench.core.arrays import FloatArray
from workbench.core.crystal import ModelState
from workbench.engine.atomic_model import AtomicModel
from workbench.engine.geometry.target import GeometryTarget
from workbench.engine.geometry.tensors import EIGHT_PI_SQ, tensors
from workbench.engine.restraints import Restraints
from workbench.engine.special_positions import find_special_positions
from workbench.engine.xray import structure_factors
from workbench.engine.xray.reflection_geometry import all_reflections
from workbench.engine.xray.structure_factors import StructureFactors


@pytest.fixture(name="case")
def fixture_case() -> tuple[AtomicModel, GeometryTarget, ModelState]:
    """Twelve atoms with tensors, four of them in two alternatives whose occupancies sum to one."""
    description = rich_description()
    model = description.model
    n = len(model)
    altloc, occupancy = np.full(n, ""), np.ones(n)
    altloc[[2, 3]], altloc[[4, 5]] = "A", "B"
    occupancy[[2, 3]], occupancy[[4, 5]] = 0.6, 0.4
    description = replace(description, model=replace(model, altloc=altloc, occupancy=occupancy))
    model = description.model
    special = find_special_positions(model.crystal, model.xyz, np.zeros(n, dtype=bool))
    atoms = AtomicModel(description, special, ~np.isin(model.element, ["H", "D"]))
    rng = np.random.default_rng(8)
    u = tensors(model.b_iso, 0.2 * model.b_iso[:, None] * rng.normal(size=(n, 5)))
    state = ModelState(model.xyz.copy(), model.b_iso.copy(), u, occupancy)
    return atoms, GeometryTarget(description), state


def test_the_vector_has_every_kind_of_parameter(case: tuple[AtomicModel, GeometryTarget, ModelState]) -> None:
    atoms, _, state = case
    assert atoms.n_parameters == 4 * atoms.n + 5 * len(atoms.shaped) + 1
    shift = np.zeros(atoms.n_parameters)
    shift[-1] = 0.05
    moved = atoms.advanced(state, shift)
    assert np.allclose(moved.occupancy[[2, 3]] + moved.occupancy[[4, 5]], 1.0), "the alternatives still fill the place"
    assert not np.allclose(moved.occupancy, state.occupancy)
    assert np.array_equal(atoms.advanced(state, np.zeros(atoms.n_parameters)).u_aniso, state.u_aniso)


def test_gradient_of_a_diffraction_target(
    case: tuple[AtomicModel, GeometryTarget, ModelState], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With atoms that end far out: where they end changes with their shape, which the differences see and the gradient
    does not (0.2 to 1 % of it with the usual end, by the step)."""
    monkeypatch.setattr(structure_factors, "CUTOFF", 1e-6)
    atoms, _, state = case
    crystal = atoms.description.model.crystal
    hkl = all_reflections(crystal, 2.5)
    factors = StructureFactors(crystal, hkl, 2.5, precision=np.float64)
    truth = np.abs(factors.f_calc(atoms.scatterers(state))) * np.random.default_rng(1).uniform(0.7, 1.3, len(hkl))
    weight = 1.0 / np.mean(truth) ** 4

    def value(s: ModelState) -> float:
        f = factors.f_calc(atoms.scatterers(s))
        return float(0.25 * weight * np.sum((np.abs(f) ** 2 - truth**2) ** 2))

    f = factors.f_calc(atoms.scatterers(state))
    by_f = weight * (np.abs(f) ** 2 - truth**2) * f
    gradient = atoms.gradient(state, factors.gradients(atoms.scatterers(state), by_f))
    _agrees(gradient, lambda p, h: value(atoms.advanced(state, _unit(atoms, p, h))), atoms, 1e-3)


def test_gradient_of_the_restraints(case: tuple[AtomicModel, GeometryTarget, ModelState]) -> None:
    """B in the weights of the shape restraints is that of the reference, so that they are exactly linear."""
    atoms, geometry, state = case
    restraints = Restraints(geometry, atoms, 3.0)
    found = restraints.derivatives(state, ALL)
    assert found.jacobian is not None
    assert found.jacobian.shape[1] == atoms.n_parameters
    assert restraints.value(state, ALL) == pytest.approx(found.value, rel=1e-12)
    _agrees(found.gradient, lambda p, h: restraints.value(atoms.advanced(state, _unit(atoms, p, h)), ALL), atoms, 1e-4)


def test_gradient_of_the_b_restraints_is_their_part_of_the_whole(
    case: tuple[AtomicModel, GeometryTarget, ModelState],
) -> None:
    atoms, geometry, state = case
    restraints = Restraints(geometry, atoms, 3.0)
    weights = np.array(ALL, dtype=np.float64)
    without = weights.copy()
    weights[-1], without[-1] = 0.4, 0.0
    rest = restraints.derivatives(state, without).gradient
    assert np.allclose(restraints.b_gradient, 0.0)
    whole = restraints.derivatives(state, weights).gradient
    assert np.abs(restraints.b_gradient).max() > 0.1
    assert np.allclose(restraints.b_gradient, whole - rest, atol=1e-9 * np.abs(whole).max())


def _unit(atoms: AtomicModel, parameter: int, step: float) -> FloatArray:
    shift = np.zeros(atoms.n_parameters)
    shift[parameter] = step
    return shift


def _agrees(gradient: FloatArray, value, atoms: AtomicModel, limit: float) -> None:  # type: ignore[no-untyped-def]
    """Relative to the r.m.s. gradient of each kind of parameter."""
    first = 4 * atoms.n
    kinds = {
        "xyz": ([4 * i + k for i in range(atoms.n) for k in range(3)], 1e-4),
        "B": ([4 * i + 3 for i in range(atoms.n)], 1e-2),
        "shape": (list(range(first, first + 5 * len(atoms.shaped))), 2e-1),
        "occupancy": ([atoms.n_parameters - 1], 1e-3),
    }
    for name, (columns, step) in kinds.items():
        numeric = np.array([(value(p, step) - value(p, -step)) / (2 * step) for p in columns])
        scale = float(np.sqrt(np.mean(numeric**2)))
        worst = float(np.abs(numeric - gradient[columns]).max())
        assert worst <= limit * max(scale, 1e-8), f"{name}: {worst / max(scale, 1e-30):.2e}"


def test_b_and_tensor_stay_one_thing(case: tuple[AtomicModel, GeometryTarget, ModelState]) -> None:
    atoms, _, state = case
    shift = np.random.default_rng(2).normal(size=atoms.n_parameters) * 0.5
    moved = atoms.advanced(state, atoms.limited(shift, state.b_iso))
    assert np.allclose(EIGHT_PI_SQ * moved.u_aniso[atoms.shaped, :3].mean(axis=1), moved.b_iso[atoms.shaped])
    round_trip = atoms.with_shapes(np.zeros(atoms.n, dtype=bool)).reshaped(moved)
    assert not round_trip.anisotropic.any()
    assert np.array_equal(round_trip.b_iso, moved.b_iso)
