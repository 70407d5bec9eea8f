"""Atoms that share a B, or have none that is refined: derivatives by what is left of the parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.direct_summation import direct_factors, random_atoms
from tests.gradients.test_structure_factor_gradients import GRID_ERROR, STEP, shifted
from tests.synthetic_geometry import ALL, rich_description
from workbench.core.arrays import FloatArray
from workbench.core.crystal import Crystal, ModelState, Residues
from workbench.core.settings import BModel
from workbench.engine.atomic_model import AtomicModel, state_of
from workbench.engine.b_groups import BGroups
from workbench.engine.geometry.target import GeometryTarget
from workbench.engine.restraints import Restraints
from workbench.engine.special_positions import find_special_positions
from workbench.engine.xray.reflection_geometry import all_reflections, reflection_geometry
from workbench.engine.xray.structure_factors import StructureFactors

SIZES = {"main-side": 6, "per-residue": 3, "fixed": 0}
"""Number of B of three residues with main and side chain."""


def grouped(choice: BModel) -> tuple[AtomicModel, GeometryTarget, ModelState]:
    """Twelve atoms in three residues of four, two atoms of each a side chain; two hydrogens ride."""
    description = rich_description()
    model = description.model
    n, count = len(model), 3
    four = np.full(count, n // count, dtype=np.int32)
    residues = Residues(
        np.array(["ALA", "SER", "CYS"]), np.full(count, "A"), np.arange(count, dtype=np.int32), np.full(count, ""),
        np.full(count, "protein"), (np.cumsum(four) - four).astype(np.int32), four,
    )  # fmt: skip
    model = replace(
        model,
        residues=residues,
        residue=np.repeat(np.arange(count, dtype=np.int32), n // count),
        atom_name=np.array(["N", "CA", "CB", "OG"] * count),
    )
    description = replace(description, model=model)
    special = find_special_positions(model.crystal, model.xyz, np.zeros(n, dtype=bool))
    atoms = AtomicModel(description, special, b_choice=choice)
    start = replace(state_of(model), b_iso=np.random.default_rng(3).uniform(15.0, 40.0, n))
    return atoms, GeometryTarget(description), atoms.reshaped(start)


def unit(atoms: AtomicModel, parameter: int, step: float) -> FloatArray:
    shift = np.zeros(atoms.n_parameters)
    shift[parameter] = step
    return shift


def b_parameters(atoms: AtomicModel) -> list[int]:
    assert atoms.b_groups is not None
    return [4 * int(slot) + 3 for slot in atoms.b_groups.slots]


@pytest.mark.parametrize("choice", ["main-side", "per-residue"])
def test_gradient_of_a_diffraction_target_by_the_b_of_groups(choice: BModel) -> None:
    atoms, _, state = grouped(choice)
    crystal = atoms.description.model.crystal
    hkl = all_reflections(crystal, 3.0)
    factors = StructureFactors(crystal, hkl, 3.0, precision=np.float64)
    truth = np.abs(factors.f_calc(atoms.scatterers(state))) * np.random.default_rng(1).uniform(0.7, 1.3, len(hkl))

    weight = 1.0 / np.mean(truth) ** 4

    def value(s: ModelState) -> float:
        f = direct_factors(crystal, atoms.scatterers(s), hkl)
        return float(0.25 * weight * np.sum((np.abs(f) ** 2 - truth**2) ** 2))

    f = factors.f_calc(atoms.scatterers(state))
    by_f = weight * (np.abs(f) ** 2 - truth**2) * f
    gradient = atoms.gradient(state, factors.gradients(atoms.scatterers(state), by_f))
    columns = b_parameters(atoms)
    step = STEP["b"]
    numeric = np.array(
        [
            (value(atoms.advanced(state, unit(atoms, p, step))) - value(atoms.advanced(state, unit(atoms, p, -step))))
            / (2 * step)
            for p in columns
        ]
    )
    assert np.abs(numeric - gradient[columns]).max() < GRID_ERROR * np.sqrt(np.mean(numeric**2))
    idle = np.setdiff1d(np.arange(3, 4 * atoms.n, 4), columns)
    assert len(idle) and np.all(gradient[idle] == 0.0)


@pytest.mark.parametrize("choice", ["main-side", "per-residue", "fixed"])
def test_gradient_and_jacobian_of_the_restraints(choice: BModel) -> None:
    atoms, geometry, state = grouped(choice)
    restraints = Restraints(geometry, atoms, 3.0)
    found = restraints.derivatives(state, ALL)
    assert found.jacobian is not None and found.jacobian.shape[1] == atoms.n_parameters
    for first in range(4):
        columns = list(range(first, 4 * atoms.n, 4))
        step = 1e-2 if first == 3 else 1e-4
        numeric = np.array(
            [
                (
                    restraints.value(atoms.advanced(state, unit(atoms, p, step)), ALL)
                    - restraints.value(atoms.advanced(state, unit(atoms, p, -step)), ALL)
                )
                / (2 * step)
                for p in columns
            ]
        )
        scale = max(float(np.sqrt(np.mean(numeric**2))), 1e-8)
        assert np.abs(numeric - found.gradient[columns]).max() < 1e-4 * scale
    moved = np.asarray(np.abs(found.jacobian).sum(axis=0)).ravel()[3 : 4 * atoms.n : 4]
    assert set(np.flatnonzero(moved)) <= set(atoms.b_groups.slots.tolist() if atoms.b_groups else [])
    assert np.count_nonzero(moved) == SIZES[choice], "every group is tied to another one"


@pytest.mark.parametrize("choice", ["main-side", "per-residue", "fixed"])
def test_atoms_of_a_group_keep_one_b_and_fixed_ones_theirs(choice: BModel) -> None:
    atoms, _, state = grouped(choice)
    shift = np.random.default_rng(4).normal(size=atoms.n_parameters)
    moved = atoms.advanced(state, shift)
    groups = atoms.b_groups
    assert groups is not None and len(groups.slots) == SIZES[choice]
    assert len(np.unique(np.round(moved.b_iso, 9))) == (SIZES[choice] or len(np.unique(state.b_iso)))
    if choice == "fixed":
        assert np.array_equal(moved.b_iso, state.b_iso)
        assert np.array_equal(atoms.uniform_b(3.0), np.zeros(atoms.n_parameters))
    else:
        assert np.allclose(atoms.advanced(state, atoms.uniform_b(3.0)).b_iso, state.b_iso + 3.0)
    again = atoms.reshaped(moved)
    assert np.allclose(again.b_iso, moved.b_iso, atol=1e-12), "what is grouped already stays as it is"


def test_groups_begin_at_the_mean_by_occupancy() -> None:
    groups = BGroups(np.array([0, 0, 2, 2, -1], dtype=np.int32), np.array([[0, 1], [2, 3]], dtype=np.int32))
    b = groups.averaged(np.array([10.0, 40.0, 20.0, 30.0, 7.0]), np.array([1.0, 0.5, 0.0, 0.0, 1.0]))
    assert b == pytest.approx([20.0, 20.0, 25.0, 25.0, 7.0])


def test_curvature_by_the_b_of_a_group_is_the_expected_gauss_newton_element() -> None:
    """Fourteen groups of four near atoms, at random in a cell: the mean over the groups, by direct summation."""
    d_min, crystal = 3.0, Crystal((31.0, 33.0, 35.0, 83.0, 99.0, 112.0), "P 1")
    hkl = all_reflections(crystal, d_min)
    rng = np.random.default_rng(23)
    size, count = 4, 14
    n = size * count
    atoms = replace(
        random_atoms(crystal, n, seed=17),
        b_iso=np.full(n, 60.0),
        element=np.full(n, "C"),
        occupancy=np.full(n, 0.8),
        charge=np.zeros(n, dtype=np.int32),
    )
    centre = atoms.xyz[::size]
    direction = rng.normal(size=(count, size, 3))
    direction *= 1.4 / np.linalg.norm(direction, axis=2, keepdims=True)
    atoms = replace(atoms, xyz=(centre[:, None] + direction).reshape(-1, 3))
    slot = (np.arange(n) // size * size).astype(np.int32)
    one, other = np.triu_indices(size, 1)
    pairs = np.concatenate([np.stack([one, other], axis=1) + size * g for g in range(count)]).astype(np.int32)
    w = 0.02 + reflection_geometry(crystal, hkl).d_star_sq
    factors = StructureFactors(crystal, hkl, d_min)
    groups = BGroups(slot, pairs)
    single = factors.curvatures(atoms, w).b
    found = groups.curvature(single, factors.b_pair_curvatures(atoms, w, pairs))[::size]
    here = direct_factors(crystal, atoms, hkl)
    phase = here / np.abs(here)
    exact = []
    for g in range(count):
        change = 0.0
        for atom in range(size * g, size * (g + 1)):
            ends = [direct_factors(crystal, shifted(atoms, atom, "b", by), hkl) for by in (STEP["b"], -STEP["b"])]
            change = change + np.real(np.conj(phase) * (ends[0] - ends[1])) / (2 * STEP["b"])
        exact.append(np.sum(w * change**2))
    alone = groups.gathered(single)[::size]
    print(found.mean(), alone.mean(), np.mean(exact), np.std(exact) / np.sqrt(count))
    assert found.mean() == pytest.approx(np.mean(exact), rel=0.08)
    assert alone.mean() < 0.8 * np.mean(exact), "without the terms between atoms it is too small"
