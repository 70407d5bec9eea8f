"""Jelly body and local NCS: derivatives, what they leave alone, and which atoms they compare."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tests.synthetic_geometry import rich_description
from tests.two_chains import ATOMS, SEQUENCE, dimer, fold, model_of
from workbench.core.crystal import ModelState
from workbench.engine.atomic_model import AtomicModel
from workbench.engine.geometry.local_restraints import (
    JELLY_SIGMA,
    NCS_SIGMA,
    LocalReference,
    LocalRestraints,
)
from workbench.engine.geometry.ncs_copies import ncs_pairs
from workbench.engine.geometry.neighbour_list import NEAR_REACH
from workbench.engine.geometry.target import GeometryTarget
from workbench.engine.restraints import Restraints
from workbench.engine.special_positions import find_special_positions

BOTH = np.array([0.7, 1.6])


def near(xyz: np.ndarray, reach: float = NEAR_REACH) -> np.ndarray:
    i, j = np.triu_indices(len(xyz), 1)
    close = np.linalg.norm(xyz[i] - xyz[j], axis=1) < reach
    return np.stack([i[close], j[close]], axis=1).astype(np.int32)


def local_of(scatter: float = 0.05) -> tuple[LocalRestraints, np.ndarray, LocalReference]:
    description = dimer(scatter=scatter)
    local = LocalRestraints(description, ncs_pairs(description.model))
    xyz = description.model.xyz
    return local, xyz, local.reference(xyz, near(xyz), BOTH)


@pytest.mark.parametrize("scatter", [0.02, 0.3], ids=["alike", "beyond the level"])
def test_every_entry_of_the_jacobian(scatter: float) -> None:
    local, start, at = local_of(scatter)
    xyz = start + 0.03 * np.random.default_rng(5).normal(size=start.shape)
    values, jacobian = local.rows(xyz, at, BOTH, 4 * len(xyz) + 3)
    assert jacobian.shape == (len(values), 4 * len(xyz) + 3) and len(at.jelly) and len(at.first)
    np.testing.assert_allclose(values, local.values(xyz, at, BOTH), rtol=1e-12)
    dense = jacobian.toarray()
    assert np.all(dense[:, 3 : 4 * len(xyz) : 4] == 0.0), "no force on B"
    for atom in range(0, len(xyz), 7):
        for axis in range(3):
            step = np.zeros_like(xyz)
            step[atom, axis] = 1e-5
            found = (local.values(xyz + step, at, BOTH) - local.values(xyz - step, at, BOTH)) / 2e-5
            np.testing.assert_allclose(dense[:, 4 * atom + axis], found, atol=2e-5 * np.abs(dense).max())


def test_jelly_body_has_curvature_and_no_force_where_the_cycle_begins() -> None:
    local, xyz, _ = local_of()
    only = np.array([1.0, 0.0])
    at = local.reference(xyz, near(xyz), only)
    values, jacobian = local.rows(xyz, at, only, 4 * len(xyz))
    assert len(at.first) == 0 and np.all(values == 0.0)
    assert (jacobian.T @ jacobian).diagonal().max() > 1.0 / JELLY_SIGMA**2
    # 0.02 A along a bondless pair costs one half
    pair = at.jelly[0]
    away = xyz[pair[0]] - xyz[pair[1]]
    moved = xyz.copy()
    moved[pair[0]] += JELLY_SIGMA * away / np.linalg.norm(away)
    assert local.values(moved, at, only)[0] == pytest.approx(1.0, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(-3, 3)] * 3), st.tuples(*[st.floats(-40, 40)] * 3))
def test_moving_a_whole_copy_costs_nothing(turn: tuple[float, ...], shift: tuple[float, ...]) -> None:
    """Rigid-body motion of a chain changes neither its own distances nor the comparison with its copy."""
    local, xyz, at = local_of(0.1)
    moved = xyz.copy()
    half = len(xyz) // 2
    moved[half:] = Rotation.from_rotvec(turn).apply(xyz[half:]) + np.array(shift)
    np.testing.assert_allclose(local.values(moved, at, BOTH), local.values(xyz, at, BOTH), atol=1e-9)


def test_exact_copies_are_content_and_true_differences_cost_at_most_two() -> None:
    local, xyz, at = local_of(0.0)
    only = np.array([0.0, 1.0])
    assert np.abs(local.values(xyz, at, only)).max() < 1e-9
    half = len(xyz) // 2
    loop = np.arange(half + 20, half + 35)
    moved = xyz.copy()
    moved[loop] += np.random.default_rng(1).normal(size=(len(loop), 3)) * 3.0
    r = local.values(moved, at, only)
    assert 1.5 < 0.5 * np.max(r**2) < 2.0
    # and hold the rest no more than before: pairs without an atom of the loop stay content
    untouched = ~np.isin(at.second, loop).any(axis=1)
    assert untouched.sum() > 50 and np.abs(r[len(r) - len(untouched) :][untouched]).max() < 1e-9


def test_the_pull_is_towards_the_mean_of_the_copies() -> None:
    """A step along the negative gradient makes the two copies more alike, both moving."""
    local, xyz, at = local_of(0.02)
    only = np.array([0.0, 1.0])
    values, jacobian = local.rows(xyz, at, only, 4 * len(xyz))
    gradient = (jacobian.T @ values).reshape(-1, 4)[:, :3]
    half = len(xyz) // 2
    assert np.linalg.norm(gradient[:half]) == pytest.approx(np.linalg.norm(gradient[half:]), rel=0.05)
    after = local.values(xyz - 1e-6 * gradient, at, only)
    assert after @ after < values @ values


def test_in_the_joint_target_the_gradient_is_that_of_the_value() -> None:
    description = replace(dimer(scatter=0.1), n_atoms=2 * len(SEQUENCE) * len(ATOMS))
    model = description.model
    special = find_special_positions(model.crystal, model.xyz, np.zeros(len(model), dtype=bool))
    atoms = AtomicModel(description, special, np.zeros(len(model), dtype=bool))
    state = ModelState(model.xyz.copy(), model.b_iso.copy(), model.u_aniso, model.occupancy)
    restraints = Restraints(GeometryTarget(description), atoms, 3.0, ncs_pairs(model))
    weights = np.r_[np.ones(7), BOTH]
    at = restraints.derivatives(state, weights)
    assert at.jacobian is not None
    assert restraints.value(state, weights) == pytest.approx(at.value, rel=1e-12)
    counts = restraints.local_statistics(state)
    assert set(counts) == {"jelly_body", "ncs"} and counts["jelly_body"][0] == 0.0 and 0.5 < counts["ncs"][0] < 2.0
    for parameter in range(0, 4 * atoms.n, 53):
        step = np.zeros(atoms.n_parameters)
        step[parameter] = 1e-5
        sides = [restraints.value(atoms.advanced(state, sign * step), weights) for sign in (1.0, -1.0)]
        assert at.gradient[parameter] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-3, abs=1e-3)
    # without them nothing is left of them, and the force on B is the same
    plain = restraints.derivatives(state, np.ones(7))
    b_gradient = restraints.b_gradient.copy()
    restraints.derivatives(state, weights)
    np.testing.assert_allclose(restraints.b_gradient, b_gradient, rtol=1e-12)
    assert plain.jacobian is not None and plain.jacobian.shape[0] < at.jacobian.shape[0]
    restraints.derivatives(state, np.r_[np.ones(7), 0.0, 0.0])
    assert restraints.local_statistics(state) == {}


def test_bonded_atoms_and_those_that_share_one_are_left_to_their_own_restraints() -> None:
    description = rich_description(2)
    local = LocalRestraints(description, ())
    at = local.reference(description.model.xyz, near(description.model.xyz, 12.0), np.array([1.0, 0.0]))
    taken = {tuple(sorted(pair)) for pair in description.bonds.atoms.tolist()}
    taken |= {tuple(sorted((a, c))) for a, _, c in description.angles.atoms.tolist()}
    assert taken and not taken & {tuple(pair) for pair in at.jelly.tolist()}
    assert np.all(at.ideal < NEAR_REACH)


def test_copies_are_found_by_sequence_with_gaps_and_mutations() -> None:
    one = fold(len(SEQUENCE))
    shorter = [*SEQUENCE[:6], *SEQUENCE[8:]]
    model = model_of([("A", SEQUENCE, one), ("B", shorter, np.concatenate([one[:6], one[8:]]) + 30.0)])
    (pair,) = ncs_pairs(model)
    assert pair.chains == ("A", "B") and pair.residues == len(shorter)
    names = model.residues.name[model.residue]
    assert np.array_equal(names[pair.rows[:, 0]], names[pair.rows[:, 1]])
    assert np.array_equal(model.atom_name[pair.rows[:, 0]], model.atom_name[pair.rows[:, 1]])
    np.testing.assert_allclose(model.xyz[pair.rows[:, 1]] - model.xyz[pair.rows[:, 0]], 30.0)
    mutated = ["TRP" if name == "ALA" else name for name in SEQUENCE]
    (pair,) = ncs_pairs(model_of([("A", SEQUENCE, one), ("B", mutated, one + 30.0)]))
    assert pair.residues == len(SEQUENCE) - 1 and not np.isin(pair.rows[:, 0], np.arange(5)).any()
    other = SEQUENCE[::-1]
    assert ncs_pairs(model_of([("A", SEQUENCE, one), ("B", other, one + 30.0)])) == ()
    assert ncs_pairs(model_of([("A", SEQUENCE[:8], one[:8]), ("B", SEQUENCE[:8], one[:8] + 30.0)])) == ()


def test_many_copies_are_compared_in_a_ring() -> None:
    one = fold(len(SEQUENCE))
    chains = [(name, SEQUENCE, one + 30.0 * k) for k, name in enumerate("ABCDEF")]
    pairs = [pair.chains for pair in ncs_pairs(model_of(chains))]
    assert pairs == [("A", "B"), ("B", "C"), ("C", "D"), ("D", "E"), ("E", "F"), ("F", "A")]
    assert len(ncs_pairs(model_of(chains[:4]))) == 6


def test_conformers_and_hydrogens_are_not_compared() -> None:
    description = dimer()
    model = description.model
    altloc, element = model.altloc.copy(), model.element.copy()
    altloc[7], element[12] = "A", "H"
    (pair,) = ncs_pairs(replace(model, altloc=altloc, element=element))
    assert not np.isin(pair.rows[:, 0], [7, 12]).any() and len(pair.rows) == len(model) // 2 - 2


def test_sigma_of_ncs() -> None:
    """Distances that differ by one sigma have r = 1 / (1 + 1/4)^(1/2)."""
    local, xyz, _ = local_of(0.0)
    only = np.array([0.0, 1.0])
    at = local.reference(xyz, near(xyz), only)
    pair = at.first[0]
    moved = xyz.copy()
    away = xyz[pair[0]] - xyz[pair[1]]
    moved[pair[0]] += NCS_SIGMA * away / np.linalg.norm(away)
    assert local.values(moved, at, only)[0] == pytest.approx(1.0 / np.sqrt(1.25), rel=1e-6)
