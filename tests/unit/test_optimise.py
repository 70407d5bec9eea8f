"""The optimiser on problems whose answer is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine.optimise.conjugate_gradient import conjugate_gradient
from workbench.engine.optimise.free_response import Verdict, response, verdict
from workbench.engine.optimise.normal_equations import normal_equations
from workbench.engine.optimise.normal_matrix import NormalMatrix
from workbench.engine.optimise.secants import MOST, Secants
from workbench.engine.optimise.step import accepted_step
from workbench.engine.optimise.target import Derivatives
from workbench.engine.optimise.trust import LARGEST, TrustRegion
from workbench.engine.optimise.weights import (
    B_LIMITS,
    BOND_Z_HIGH,
    LARGEST_LOG_STEP,
    LARGEST_START,
    LOG_STEP,
    AutomaticWeight,
    resolution_weight,
)


@given(st.integers(0, 9), st.integers(0, 11), st.floats(0.05, 0.6), st.integers(0, 2**31))
@settings(max_examples=80, deadline=None)
def test_normal_matrix_in_blocks_is_the_product(atoms: int, more: int, density: float, seed: int) -> None:
    """Whatever the rows tie together, in any order of their entries: coordinates, B, and what follows the atoms."""
    rng = np.random.default_rng(seed)
    p = 4 * atoms + more
    jacobian = scipy.sparse.random(3 * p + 1, p, density=density, random_state=rng, format="csr")
    for row in range(jacobian.shape[0]):
        here = slice(jacobian.indptr[row], jacobian.indptr[row + 1])
        order = rng.permutation(here.stop - here.start)
        jacobian.indices[here], jacobian.data[here] = jacobian.indices[here][order], jacobian.data[here][order]
    added, v = rng.uniform(size=p), rng.normal(size=p)
    expected = jacobian.toarray().T @ jacobian.toarray()
    matrix = NormalMatrix.of(jacobian, atoms)
    assert np.allclose(matrix.toarray(), expected, atol=1e-12)
    assert np.allclose(matrix.diagonal(), np.diag(expected), atol=1e-12)
    assert np.allclose(matrix.times(v, added), expected @ v + added * v, atol=1e-12)


@given(st.integers(1, 12), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_damped_solution_matches_the_dense_one(atoms: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = 4 * atoms
    jacobian = scipy.sparse.random(3 * p, p, density=0.3, random_state=rng, format="csr")
    diagonal = rng.uniform(0.1, 2.0, p)
    gradient = rng.normal(size=p)
    step = normal_equations(jacobian, diagonal, len(diagonal) // 4).solve(gradient, 1.7, 0.3)
    dense = (jacobian.T @ jacobian).toarray() + np.diag(1.7 * diagonal)
    dense += 0.3 * np.diag(np.diag(dense))
    expected = np.linalg.solve(dense, -gradient)
    assert np.linalg.norm(step.shift - expected) <= 2e-3 * np.linalg.norm(expected)
    assert step.residual <= 1e-4


def test_ill_scaled_system_is_solved_to_its_true_residual() -> None:
    """Units that differ by 1e6 (angstrom against A^2) must not leave a wrong answer with a good-looking residual."""
    rng = np.random.default_rng(1)
    p = 80
    scale = np.tile([1e3, 1e3, 1e3, 1e-3], p // 4)
    root = rng.normal(size=(2 * p, p)) * scale
    matrix = scipy.sparse.csr_matrix(root.T @ root)
    right = matrix @ rng.normal(size=p)
    blocks = NormalMatrix.of(scipy.sparse.csr_matrix(root), p // 4)
    solution, _, residual = conjugate_gradient(blocks, np.zeros(p), right, max_iterations=2000)
    true = float(np.linalg.norm(right - matrix @ solution) / np.linalg.norm(right))
    assert residual == pytest.approx(true, rel=1e-6)
    assert true <= 1e-4


def test_parameters_nothing_depends_on_stay() -> None:
    jacobian = scipy.sparse.csr_matrix(np.array([[1.0, 0, 0, 0, 0, 0, 0, 0]]))
    step = normal_equations(jacobian, np.zeros(8), 2).solve(np.array([2.0, 0, 0, 0, 0, 0, 0, 0]), 1.0, 0.0)
    assert step.shift[0] == pytest.approx(-2.0)
    assert np.all(step.shift[1:] == 0.0)


def _rosenbrock_step(x: np.ndarray, weight: float, trust: TrustRegion) -> tuple[np.ndarray, bool, float]:
    """Residuals of Rosenbrock's valley as restraints, a weak parabola as data."""

    def residuals(y: np.ndarray) -> np.ndarray:
        return np.array([10.0 * (y[1] - y[0] ** 2), 1.0 - y[0], y[2], y[3]])

    def data_value(y: np.ndarray) -> float:
        return 0.5 * float(y[2] ** 2)

    jacobian = np.array([[-20.0 * x[0], 10.0, 0, 0], [-1.0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    r = residuals(x)
    result = accepted_step(
        Derivatives(data_value(x), np.array([0, 0, x[2], 0]), None, np.array([0, 0, 1.0, 0])),
        Derivatives(0.5 * float(r @ r), jacobian.T @ r, scipy.sparse.csr_matrix(jacobian), None),
        lambda s: (data_value(x + s), 0.5 * float(residuals(x + s) @ residuals(x + s))),
        lambda: weight,
        lambda: False,
        lambda s: s,
        trust,
        1,
    )
    return x + result.shift, result.accepted, result.decrease


def test_never_uphill_and_reaches_the_bottom_of_a_curved_valley() -> None:
    x = np.array([-1.2, 1.0, 2.0, -1.0])
    trust = TrustRegion()
    for _ in range(60):
        x, accepted, decrease = _rosenbrock_step(x, 2.0, trust)
        if not accepted:
            break
        assert decrease > 0.0
    assert x == pytest.approx([1.0, 1.0, 0.0, 0.0], abs=1e-4)


def test_no_step_is_accepted_when_every_trial_rises() -> None:
    jacobian = scipy.sparse.csr_matrix(np.eye(4))
    trust = TrustRegion()
    result = accepted_step(
        Derivatives(0.0, np.ones(4), None, np.ones(4)),
        Derivatives(1.0, np.ones(4), jacobian, None),
        lambda s: (float("nan"), 5.0),
        lambda: 1.0,
        lambda: False,
        lambda s: s,
        trust,
        1,
    )
    assert not result.accepted
    assert not result.cancelled
    assert np.all(result.shift == 0.0)
    assert trust.damping <= LARGEST


def test_a_weight_that_moves_within_the_cycle_is_used_at_the_next_trial() -> None:
    weights = iter([100.0, 1.0, 1.0, 1.0])
    trials: list[np.ndarray] = []

    def trial(shift: np.ndarray) -> tuple[float, float]:
        trials.append(shift)
        return (1e9, 0.0) if len(trials) == 1 else (-1.0, 0.0)

    result = accepted_step(
        Derivatives(0.0, np.ones(4), None, np.ones(4)),
        Derivatives(0.0, np.zeros(4), scipy.sparse.csr_matrix(np.eye(4)), None),
        trial,
        lambda: next(weights),
        lambda: False,
        lambda s: s,
        TrustRegion(),
        1,
    )
    assert result.accepted
    assert result.weight == 1.0
    assert np.linalg.norm(trials[1]) < np.linalg.norm(trials[0])


def test_cancelling_between_trials_takes_nothing() -> None:
    asked = iter([False, True])
    result = accepted_step(
        Derivatives(0.0, np.ones(4), None, np.ones(4)),
        Derivatives(0.0, np.zeros(4), scipy.sparse.csr_matrix(np.eye(4)), None),
        lambda s: (1e9, 0.0),
        lambda: 1.0,
        lambda: next(asked),
        lambda s: s,
        TrustRegion(),
        1,
    )
    assert result.cancelled
    assert not result.accepted


@dataclass(frozen=True)
class Geometry:
    bulk_rmsz_bonds: float
    bulk_rmsz_angles: float
    ll_free: float = 5.0


def test_automatic_weight_follows_the_geometry() -> None:
    start = AutomaticWeight.start(1.8)
    loose, looser = Geometry(BOND_Z_HIGH + 0.2, 0.9), Geometry(BOND_Z_HIGH + 0.3, 0.9)
    assert start.steered(loose, looser, 1).value == start.value, "the first cycles are not judged"
    lowered = start.steered(loose, looser, 4)
    assert lowered.value < start.value
    assert "bond rmsZ" in lowered.reason
    assert start.steered(Geometry(1.9, 1.9), looser, 4).value == start.value, "coming back by itself"
    by_angles = start.steered(Geometry(0.5, 1.7), Geometry(0.5, 1.7), 4)
    assert by_angles.value < start.steered(Geometry(0.5, 1.2), Geometry(0.5, 1.2), 4).value < start.value, (
        "in proportion"
    )
    assert "angle rmsZ" in by_angles.reason
    tight = Geometry(0.2, 0.4)
    assert start.steered(tight, tight, 4).value > start.value
    assert start.steered(Geometry(0.2, 0.9), Geometry(0.2, 0.9), 4).value == start.value, "one of them in its band"
    assert AutomaticWeight.start(2.2).value > start.value
    assert AutomaticWeight.start(4.0).value == LARGEST_START
    assert start.steered(tight, Geometry(float("nan"), 0.4), 4).value == start.value


def test_weight_taken_for_the_geometry_is_not_taken_from_b() -> None:
    """w / beta stays what the resolution says while w is lowered, and beta multiplies what the user chose."""
    start = AutomaticWeight.start(3.0)
    assert start.b_multiplier == pytest.approx(LARGEST_START / resolution_weight(3.0))
    strained = Geometry(1.2, 1.6)
    lowered = start.steered(strained, strained, 4)
    assert lowered.value < start.value
    assert lowered.value / lowered.b_multiplier == pytest.approx(resolution_weight(3.0))
    chosen = (1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 3.0)
    assert lowered.families(chosen) == pytest.approx([*chosen[:6], 3.0 * lowered.b_multiplier])
    assert lowered.families(chosen, 0.5) == pytest.approx([*chosen[:6], 1.5]), "beta of the user instead"
    assert AutomaticWeight.start(1.5).b_multiplier == pytest.approx(1.0)
    assert AutomaticWeight.start(1.5, 2.0, "as it stood", 0.3).b_multiplier == pytest.approx(0.3)
    assert AutomaticWeight.start(1.5, 2.0, "as it stood").b_multiplier == pytest.approx(2.0 / resolution_weight(1.5))


def test_beta_goes_where_the_test_set_wants_it_and_no_further() -> None:
    start, well, better = AutomaticWeight.start(1.8), Geometry(0.8, 0.9), Geometry(0.8, 0.9, 4.9)
    assert start.steered(well, well, 4, Verdict(0.9, 1.0)).b_multiplier == start.b_multiplier, "within its error"
    assert start.steered(well, well, 4, Verdict()) == start.steered(well, well, 4), "no test set"
    unclear = start.steered(well, well, 4, Verdict(0.9, 1.0))
    assert start.asks(4, 0.001) and not start.asks(1, 0.001), "not in the first cycles"
    assert not start.asks(4, -0.2), "nor while the model still moves"
    assert not unclear.asks(5, 0.0) and not unclear.steered(well, well, 5).asks(6, 0.0)
    assert unclear.steered(well, well, 5).steered(well, well, 6).asks(7, 0.0)
    clearer = [start.steered(well, well, 4, Verdict(z, 1.0)).b_multiplier for z in (-50.0, -1.5, 1.5, 50.0)]
    assert clearer == sorted(clearer, reverse=True)
    assert clearer[-1] == pytest.approx(start.b_multiplier * np.exp(-LARGEST_LOG_STEP))
    two = start.steered(well, well, 4, Verdict(2.0, 1.0))
    assert two.b_multiplier == pytest.approx(start.b_multiplier * np.exp(-LOG_STEP))
    said = start.steered(well, well, 4, Verdict(9.0, 1.0)).changes(start)
    assert "softer" in said
    assert start.changes(start) == ""
    for gain, limit in ((9.0, B_LIMITS[0]), (-9.0, B_LIMITS[1])):
        weight = start
        for _ in range(40):
            weight = weight.steered(well, better, 4, Verdict(gain, 1.0))
        assert weight.b_multiplier == pytest.approx(limit * start.b_multiplier)


def test_an_answer_that_is_not_borne_out_is_not_acted_on_again() -> None:
    start, well = AutomaticWeight.start(1.8), Geometry(0.8, 0.9)
    told = start.steered(well, well, 4, Verdict(2.0, 1.0))
    borne_out = told.steered(well, Geometry(0.8, 0.9, 4.99), 5, Verdict(2.0, 1.0))
    assert borne_out.b_multiplier < told.b_multiplier < start.b_multiplier
    wrong = told.steered(well, Geometry(0.8, 0.9, 5.01), 5, Verdict(2.0, 1.0))
    assert wrong.b_multiplier == told.b_multiplier and not wrong.asks(6, 0.0)
    assert wrong.steered(well, well, 6).steered(well, well, 7).asks(8, 0.0), "asked again later"
    unmoved = start.steered(well, Geometry(0.8, 0.9, 5.01), 4, Verdict(2.0, 1.0))
    assert unmoved.b_multiplier < start.b_multiplier, "beta had not been touched, so nothing speaks against the answer"


def test_few_reflections_per_atom_keep_the_restraints_of_b() -> None:
    well, better = Geometry(0.8, 0.9), Geometry(0.8, 0.9, 4.9)
    for per_atom, softest in ((3.0, 2.0 / 3.0), (10.0, 0.2), (100.0, B_LIMITS[0]), (1.0, 1.0)):
        weight = start = AutomaticWeight.start(1.8, per_atom=per_atom)
        for _ in range(40):
            weight = weight.steered(well, better, 4, Verdict(9.0, 1.0))
        assert weight.b_multiplier == pytest.approx(softest * start.b_multiplier)


def _coupled(p: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A curvature with directions much stiffer than its diagonal, and that diagonal."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(4, p))
    hessian = np.eye(p) + 0.5 * waves.T @ waves
    return hessian, np.diag(hessian).copy()


@given(st.integers(3, 10), st.integers(1, 9), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_secants_give_the_curvature_that_was_seen(atoms: int, steps: int, seed: int) -> None:
    """After steps in a quadratic valley: exact along the last one where it adds to the diagonal, never indefinite."""
    p = 4 * atoms
    hessian, diagonal = _coupled(p, seed)
    rng = np.random.default_rng(seed + 1)
    secants, x = Secants(), rng.normal(size=p)
    for _ in range(steps):
        gradient = hessian @ x
        secants = secants.arrived(gradient).leaving(gradient, -0.1 * gradient / diagonal)
        x = x - 0.1 * gradient / diagonal
    secants = secants.arrived(hessian @ x)
    assert len(secants.pairs) == min(steps, MOST)
    correction = secants.correction(diagonal)
    if correction is None:  # no step went where the valley is steeper than its diagonal
        assert all(step @ change <= step @ (diagonal * step) for step, change in secants.pairs)
        return
    full = np.diag(diagonal) + np.array([correction.times(row) for row in np.eye(p)])
    assert np.allclose(full, full.T) and np.linalg.eigvalsh(full).min() > 0.0
    step, change = secants.pairs[-1]
    seen = float(step @ full @ step)
    assert seen >= float(step @ change) * (1.0 - 1e-9)
    before = Secants(secants.pairs[:-1]).correction(diagonal)
    expected = float(step @ (diagonal * step)) + (float(step @ before.times(step)) if before else 0.0)
    assert seen == pytest.approx(max(float(step @ change), expected))


def test_secants_of_other_parameters_and_of_softer_directions_are_not_used() -> None:
    ones = np.ones(8)
    stiffer = Secants().leaving(ones, -ones).arrived(-2.0 * ones)
    assert stiffer.correction(ones) is not None
    softer = Secants().leaving(ones, -ones).arrived(0.5 * ones)
    assert softer.correction(ones) is None
    assert not stiffer.arrived(np.ones(12)).pairs
    assert not stiffer.leaving(ones, ones).arrived(np.ones(12)).pairs
    assert not Secants().leaving(ones, np.full(8, np.nan)).arrived(ones).correction(ones)


def test_damped_solution_with_secants_matches_the_dense_one() -> None:
    hessian, diagonal = _coupled(16, 3)
    rng = np.random.default_rng(5)
    x = rng.normal(size=16)
    g = hessian @ x
    correction = Secants().leaving(g, -g).arrived(hessian @ (x - g)).correction(diagonal)
    assert correction is not None
    jacobian = scipy.sparse.random(30, 16, density=0.4, random_state=rng, format="csr")
    equations = normal_equations(jacobian, diagonal, 4, correction)
    dense = (jacobian.T @ jacobian).toarray() + 1.7 * np.diag(diagonal)
    damped = dense + 0.3 * np.diag(np.diag(dense))
    extra = 1.7 * np.array([correction.times(row) for row in np.eye(16)])
    step = equations.solve(x, 1.7, 0.3)
    assert step.shift == pytest.approx(np.linalg.solve(damped + extra, -x), rel=1e-3, abs=1e-4)
    promised = -(x @ step.shift) - 0.5 * step.shift @ (dense + extra) @ step.shift
    assert equations.predicted_decrease(x, 1.7, step.shift) == pytest.approx(promised)


def test_secants_save_steps_where_the_diagonal_is_wrong() -> None:
    """The same quadratic valley, with what steps have shown and without."""
    hessian, diagonal = _coupled(40, 11)
    target = np.random.default_rng(12).normal(size=40)
    nothing = scipy.sparse.csr_matrix((1, 40))

    def steps(remember: bool) -> int:
        x, trust = np.zeros(40), TrustRegion()
        for count in range(1, 400):
            away = x - target
            gradient = hessian @ away
            if remember:
                trust.secants = trust.secants.arrived(gradient)
            result = accepted_step(
                Derivatives(0.5 * float(away @ hessian @ away), gradient, None, diagonal),
                Derivatives(0.0, np.zeros(40), nothing, None),
                lambda s, away=away: (0.5 * float((away + s) @ hessian @ (away + s)), 0.0),
                lambda: 1.0,
                lambda: False,
                lambda s: s,
                trust,
                10,
                trust.secants.correction(diagonal),
            )
            x = x + result.shift
            if remember:
                trust.secants = trust.secants.leaving(gradient, result.shift)
            if not result.accepted or np.linalg.norm(hessian @ (x - target)) < 1e-3 * np.linalg.norm(hessian @ target):
                return count
        return 400

    assert steps(True) <= 0.7 * steps(False)


@given(st.integers(2, 8), st.floats(0.2, 5.0), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_response_is_how_the_minimum_moves(atoms: int, weight: float, seed: int) -> None:
    """A quadratic target whose minimum for two values of beta is known exactly."""
    rng = np.random.default_rng(seed)
    p = 4 * atoms
    others = scipy.sparse.random(2 * p, p, density=0.4, random_state=rng, format="csr")
    group = scipy.sparse.random(p, p, density=0.4, random_state=rng, format="csr")
    diagonal, wanted = rng.uniform(0.5, 2.0, p), rng.normal(size=p)
    a, b = rng.normal(size=2 * p), rng.normal(size=p)

    def minimum(beta: float) -> np.ndarray:
        matrix = weight * np.diag(diagonal) + (others.T @ others + beta * group.T @ group).toarray()
        return np.linalg.solve(matrix, weight * diagonal * wanted + others.T @ a + beta * (group.T @ b))

    beta = 0.7
    here = minimum(beta)
    rows = scipy.sparse.vstack([others, np.sqrt(beta) * group]).tocsr()
    by_group = beta * (group.T @ (group @ here - b))
    found = response(normal_equations(rows, diagonal, atoms), weight, by_group, tolerance=1e-7)
    step = 1e-4
    expected = (minimum(beta * np.exp(step)) - minimum(beta * np.exp(-step))) / (2.0 * step)
    assert np.linalg.norm(found - expected) <= 1e-4 * np.linalg.norm(expected) + 1e-6


def test_verdict_has_the_error_of_the_sum() -> None:
    rng = np.random.default_rng(2)
    before = rng.normal(5.0, 1.0, 400)
    found = verdict(before, before - rng.normal(0.1, 0.5, 400))
    assert found.gain == pytest.approx(40.0, abs=4.0 * 10.0)
    assert found.sigma == pytest.approx(0.5 * 20.0, rel=0.15)
    assert verdict(before, before).z == 0.0
    assert verdict(np.empty(0), np.empty(0)).z == 0.0
