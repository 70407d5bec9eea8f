"""Rigid bodies: derivatives, what moves with what, and models that find their place again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_models import plain_model
from workbench.core.control import FixedControl
from workbench.core.crystal import Model, ModelState
from workbench.core.errors import SettingsError
from workbench.core.events import CycleFinished, Note
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.point import assessed, factors_of
from workbench.engine.prepare import RefinementProblem
from workbench.engine.rigid_body import RigidBodies, asks_for_it, place_bodies, rotation
from workbench.engine.rigid_groups import find_bodies
from workbench.io.models import read_model
from workbench.session.kernel_cache import prepare_kernel_cache
from workbench.session.run import _last, _prepared, run

VECTOR = st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3).map(np.array)


@given(VECTOR)
@settings(deadline=None)
def test_rotation_and_its_jacobian(w: np.ndarray) -> None:
    turned, jacobian = rotation(w)
    assert np.allclose(turned @ turned.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turned) == pytest.approx(1.0)
    assert np.allclose(turned @ w, w, atol=1e-12)
    step = 1e-5
    for axis in np.eye(3):
        change = (rotation(w + step * axis)[0] - rotation(w - step * axis)[0]) / (2.0 * step) @ turned.T
        spin = np.array([change[2, 1], change[0, 2], change[1, 0]])
        assert np.allclose(spin, jacobian @ axis, atol=1e-6)


@pytest.fixture(scope="module")
def request_of_lyso(examples: Path) -> RunRequest:
    folder = examples / "lyso_c2"
    chosen = RefinementSettings(threads=1)
    return RunRequest(str(folder / "lyso_c2.pdb.gz"), str(folder / "lyso_c2.mtz.gz"), settings=chosen)


@pytest.fixture(scope="module")
def problem(request_of_lyso: RunRequest) -> RefinementProblem:
    return _last(_prepared(request_of_lyso, prepare_kernel_cache()), None)


def _displaced(problem: RefinementProblem, angstrom: float, degrees: float, seed: int) -> ModelState:
    rng = np.random.default_rng(seed)
    w, t = rng.normal(size=3), rng.normal(size=3)
    w *= np.radians(degrees) / np.linalg.norm(w)
    t[1] = 0.0
    t *= angstrom / np.linalg.norm(t)
    return RigidBodies(problem.atoms, find_bodies(problem.description.model, "model"), problem.start).state(
        np.concatenate([w, t])
    )


def _apart(one: ModelState, other: ModelState) -> float:
    """Angstrom, r.m.s., up to a common shift along b, which C 2 leaves undetermined."""
    difference = one.xyz - other.xyz
    difference[:, 1] -= difference[:, 1].mean()
    return float(np.sqrt(np.mean(np.sum(difference**2, axis=1))))


def test_gradient_by_finite_differences(problem: RefinementProblem) -> None:
    """Of a function of the coordinates whose own gradient is known, far from the reference state as well."""
    model = problem.description.model
    half = len(model) // 2
    number = int(model.residues.number[model.residue[half]])
    chain = str(model.residues.chain[0])
    bodies = find_bodies(model, f"{chain}:1-{number},{chain}:{number + 1}-999")
    assert len(bodies) == 2
    shaped = problem.with_anisotropic(np.arange(len(model)) % 3 == 0)
    rigid = RigidBodies(shaped.atoms, bodies, shaped.atoms.reshaped(shaped.start))
    rng = np.random.default_rng(4)
    wanted, stiff = rng.normal(size=(len(model), 3)) * 20.0, rng.uniform(0.5, 2.0, (len(model), 1))

    def value(q: np.ndarray) -> float:
        return 0.5 * float(np.sum(stiff * (rigid.state(q).xyz - wanted) ** 2))

    for size in (0.0, 0.6):
        q = size * rng.normal(size=rigid.n_parameters)
        found = rigid.gradient(q, stiff * (rigid.state(q).xyz - wanted))
        step = 1e-5
        numeric = [(value(q + step * e) - value(q - step * e)) / (2.0 * step) for e in np.eye(rigid.n_parameters)]
        assert np.allclose(found, numeric, rtol=1e-5, atol=1e-5 * np.abs(numeric).max())
    moved = rigid.state(0.6 * rng.normal(size=rigid.n_parameters))
    before, after = ([_axes(u) for u in s.u_aniso[shaped.atoms.shaped]] for s in (rigid.reference, moved))
    assert np.allclose(before, after, atol=1e-9), "tensors turn, their axes keep their lengths"
    for body in bodies:
        rows = np.setdiff1d(body, problem.atoms.special.rows)
        inside = [np.linalg.norm(s.xyz[rows] - s.xyz[rows[0]], axis=1) for s in (rigid.reference, moved)]
        assert np.allclose(*inside, atol=1e-9)


def _axes(u: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(u[[[0, 3, 4], [3, 1, 5], [4, 5, 2]]])


def test_a_model_in_its_place_asks_for_nothing_and_a_displaced_one_does(problem: RefinementProblem) -> None:
    def asks(state: ModelState) -> bool:
        return asks_for_it(problem, assessed(problem, factors_of(problem, state), None))

    assert not asks(problem.start)
    rng = np.random.default_rng(7)
    shaken = replace(problem.start, xyz=problem.start.xyz + rng.normal(0.0, 0.3 / 3**0.5, problem.start.xyz.shape))
    assert not asks(shaken), "random errors are no displacement"
    assert asks(_displaced(problem, 0.4, 0.5, 1))
    assert asks(_displaced(problem, 1.5, 5.0, 2))


@pytest.mark.parametrize(("angstrom", "degrees"), [(1.0, 2.0), (1.5, 5.0)])
def test_a_displaced_model_comes_home(problem: RefinementProblem, angstrom: float, degrees: float) -> None:
    away = _displaced(problem, angstrom, degrees, 3)
    assert _apart(away, problem.start) > 1.0
    placed = place_bodies(problem, away)
    assert placed is not None
    assert _apart(placed.state, problem.start) < 0.15
    assert abs((placed.state.xyz - away.xyz)[:, 1].mean()) < 0.05, "no drift along b"
    assert placed.rms_shift == pytest.approx(_apart(placed.state, away), rel=0.05)
    assert placed.largest_angle == pytest.approx(degrees, abs=0.5)


def test_a_run_begins_with_it_and_can_be_told_not_to(
    problem: RefinementProblem, request_of_lyso: RunRequest, tmp_path: Path
) -> None:
    away = _displaced(problem, 0.8, 2.0, 5)
    r_work = {}
    for choice in ("auto", "off"):
        chosen = replace(request_of_lyso.settings, cycles=1, rigid_body=choice)  # type: ignore[arg-type]
        events = list(run(replace(request_of_lyso, start=away, settings=chosen), FixedControl(chosen)))
        told = any("Rigid bodies: The model moved" in e.text for e in events if isinstance(e, Note))
        assert told == (choice == "auto")
        r_work[choice] = [e.statistics.r_work for e in events if isinstance(e, CycleFinished)]
    assert r_work["auto"][0] == r_work["off"][0] > 0.45
    assert r_work["auto"][1] < 0.34 and len(r_work["auto"]) == 2
    assert r_work["off"][-1] > 0.4


def test_stopping_leaves_the_model_alone(problem: RefinementProblem) -> None:
    asked = iter([False] * 4 + [True] * 99)
    assert place_bodies(problem, _displaced(problem, 1.0, 2.0, 3), cancelled=lambda: next(asked)) is None


def _two_chains(examples: Path) -> Model:
    return read_model(str(examples / "lyso_c2" / "lyso_c2.pdb.gz"))


def test_groups_hold_every_atom_once(examples: Path) -> None:
    model = _two_chains(examples)
    chain = str(model.residues.chain[0])
    for groups in ("model", "chains", chain, f"{chain}:1-40,{chain}:41-80"):
        bodies = find_bodies(model, groups)
        assert np.array_equal(np.sort(np.concatenate(bodies)), np.arange(len(model)))
    parts = find_bodies(model, f"{chain}:1-40,{chain}:41-80")
    numbers = [model.residues.number[model.residue[rows]] for rows in parts]
    assert {*range(1, 41)} <= set(numbers[0].tolist()) and {*range(41, 81)} <= set(numbers[1].tolist())


@pytest.mark.parametrize("groups", ["Q", "A:x-9", "A:5-1", "A:1-50,A:40-60", "A:9999", ","])
def test_groups_that_cannot_be(examples: Path, groups: str) -> None:
    model = _two_chains(examples)
    with pytest.raises(SettingsError):
        find_bodies(model, groups.replace("A", str(model.residues.chain[0])))


def test_a_model_without_chains_is_one_body() -> None:
    model = plain_model([("HOH", "O", "O", (1.0, 2.0, 3.0)), ("SO4", "S", "S", (9.0, 2.0, 3.0))])
    assert [len(rows) for rows in find_bodies(model, "chains")] == [2]
