"""Error of R_free, effective parameters, expected ratios and the verdict, against known answers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from workbench.core.events import CycleStatistics
from workbench.engine.cross_validation.bootstrap import TestSetBootstrap, spread
from workbench.engine.cross_validation.expected_ratio import approximation, empirical, gap_limit, tickle, usual_gap
from workbench.engine.cross_validation.paired_difference import PairedDifference
from workbench.engine.cross_validation.test_set_watch import TestSetWatch
from workbench.engine.cross_validation.verdict import RunContext, Verdict, comparable, judge, test_set_alarms
from workbench.engine.optimise.effective_parameters import effective_parameters
from workbench.engine.optimise.normal_equations import normal_equations

CONTEXT = RunContext(d_min=1.8, n_atoms=1000)


# ---- the error of R_free ----------------------------------------------------------------------------------------


def _amplitudes(n: int, error: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed amplitudes (Wilson) and two models that share most of their errors."""
    rng = np.random.default_rng(seed)
    true = np.hypot(*rng.normal(size=(2, n))) * 100.0
    shared = rng.normal(size=n) * error * true.mean()
    first = np.abs(true + shared + rng.normal(size=n) * 0.15 * error * true.mean())
    second = np.abs(true + shared + rng.normal(size=n) * 0.15 * error * true.mean())
    return true, first, second


@pytest.mark.parametrize("error", [0.12, 0.3])
def test_bootstrap_error_is_the_spread_of_redrawn_test_sets(error: float) -> None:
    """A fixed model refined against none of the sets: 400 sets of 5 % drawn at random."""
    true, first, second = _amplitudes(20_000, error, 5)
    rng = np.random.default_rng(11)
    singles, pairs, sigma, sigma_pair, sigma_formula = [], [], [], [], []
    for draw in range(400):
        rows = rng.choice(len(true), size=1000, replace=False)
        f, a, b = true[rows], first[rows], second[rows]
        singles.append(np.abs(f - a).sum() / f.sum())
        pairs.append(singles[-1] - np.abs(f - b).sum() / f.sum())
        if draw < 40:
            draws = TestSetBootstrap.of(1000)
            sigma.append(spread(draws.r_factors(f, a)))
            sigma_pair.append(spread(draws.r_factors(f, a) - draws.r_factors(f, b)))
            difference = PairedDifference.of(f, b, a)
            assert difference.change == pytest.approx(pairs[-1], abs=1e-12)
            sigma_formula.append(difference.sigma)
    assert np.mean(sigma) == pytest.approx(np.std(singles), rel=0.15)
    assert np.mean(sigma_pair) == pytest.approx(np.std(pairs), rel=0.15)
    assert np.mean(sigma_formula) == pytest.approx(np.std(pairs), rel=0.15)
    # Paired, the same change is known far better: the two errors are correlated by 0.98.
    assert np.mean(sigma_pair) < 0.45 * np.mean(sigma)


def test_a_rise_is_measured_from_the_lowest_value() -> None:
    true, first, second = _amplitudes(800, 0.2, 3)
    watch = TestSetWatch(true)
    ll = np.abs(true - first)
    start = watch.read(first, ll)
    assert start.rise == 0.0 and start.rise_sigma == 0.0 and start.sigma > 0.0
    worse = true + 1.3 * (first - true)
    later = watch.read(worse, ll + 0.5)
    r = np.abs(true - first).sum() / true.sum()
    assert later.rise == pytest.approx(0.3 * r, rel=1e-6)
    assert 0.0 < later.rise_sigma < start.sigma
    assert later.ll_rise == pytest.approx(0.5) and later.ll_rise_sigma == pytest.approx(0.0, abs=1e-9)
    assert watch.read(second, ll).ll_rise == 0.0
    nothing = TestSetWatch(np.empty(0)).read(np.empty(0), np.empty(0))
    assert math.isnan(nothing.sigma) and math.isnan(nothing.ll_rise)


# ---- effective parameters and expected ratios ------------------------------------------------------------------------


def _equations(n_atoms: int, restraints: int, seed: int):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    jacobian = sp.random(restraints, 4 * n_atoms, density=0.05, random_state=rng, format="csr")
    return normal_equations(sp.csr_matrix(jacobian), rng.uniform(0.1, 2.0, size=4 * n_atoms), n_atoms)


@pytest.mark.parametrize("weight", [0.05, 1.0, 20.0])
def test_the_trace_is_that_of_the_dense_matrix(weight: float) -> None:
    equations = _equations(60, 500, 1)
    data = np.diag(weight * equations.diagonal)
    exact = float(np.trace(data @ np.linalg.inv(data + equations.matrix.toarray())))
    estimate, error = effective_parameters(equations, weight, probes=200)
    assert estimate == pytest.approx(exact, rel=0.02)
    one, single_error = effective_parameters(equations, weight, seed=4)
    assert abs(one - exact) < 4.0 * max(single_error, 1.0)
    assert error < single_error


def test_the_trace_has_the_right_limits() -> None:
    equations = _equations(40, 300, 2)
    assert effective_parameters(equations, 0.0) == (0.0, 0.0)
    assert effective_parameters(equations, 1e9)[0] == pytest.approx(160.0, rel=1e-3)
    free = normal_equations(sp.csr_matrix((1, 160)), np.ones(160), 40)
    assert effective_parameters(free, 0.3)[0] == pytest.approx(160.0)
    idle = replace(equations, diagonal=np.where(np.arange(160) < 80, equations.diagonal, 0.0))
    assert effective_parameters(idle, 1e9)[0] <= 80.0 + 1e-6


def test_more_weight_gives_more_freedom() -> None:
    equations = _equations(50, 400, 3)
    values = [effective_parameters(equations, w)[0] for w in (0.1, 0.3, 1.0, 3.0, 10.0)]
    assert values == sorted(values) and values[0] < 0.6 * values[-1]


def test_tickle_ratio_against_linear_least_squares() -> None:
    """Unrestrained linear fits with Gaussian errors: rms of new against fitted data is sqrt[(f + m) / (f - m)]."""
    rng = np.random.default_rng(8)
    f, m = 400, 80
    ratios = []
    for _ in range(60):
        design, noise, fresh = rng.normal(size=(f, m)), rng.normal(size=f), rng.normal(size=(f, m))
        fitted, *_ = np.linalg.lstsq(design, noise, rcond=None)
        work = np.mean((noise - design @ fitted) ** 2)
        free = np.mean((rng.normal(size=f) - fresh @ fitted) ** 2)
        ratios.append(free / work)
    assert math.sqrt(np.mean(ratios)) == pytest.approx(tickle(f, m), rel=0.03)
    assert math.isinf(tickle(100, 100.0))


@pytest.mark.parametrize(("x", "ratio"), [(5, 1.380), (10, 1.208), (15, 1.158), (20, 1.130), (30, 1.098), (60, 1.057)])
def test_approximation_has_its_published_values(x: int, ratio: float) -> None:
    assert approximation(1000 * x, 1000, 4.0, 1.8).ratio == pytest.approx(ratio, abs=0.0006)
    assert approximation(1000 * x, 1000, 4.0, 3.0).ratio <= 1.20


def test_empirical_rule_says_where_it_ends() -> None:
    rule = empirical(11_000, 1000, "isotropic")
    assert rule.ratio == pytest.approx(1.1736) and rule.spread == pytest.approx(0.0489, abs=1e-4) and rule.in_range
    assert not empirical(2000, 1000, "isotropic").in_range
    assert not empirical(60_000, 1000, "anisotropic").in_range
    assert usual_gap(1.9) == pytest.approx(0.040) and usual_gap(0.5) == 0.024 and usual_gap(6.0) == 0.034
    assert gap_limit(3.6) == 0.05


# ---- the verdict ------------------------------------------------------------------------------------------------


def _row(cycle: int, r_work: float, r_free: float, **other: float) -> CycleStatistics:
    values: dict[str, float] = {
        "r_free_sigma": 0.006, "r_free_rise": 0.0, "r_free_rise_sigma": 0.001, "ll_free_rise": 0.0,
        "ll_free_rise_sigma": 0.003, "parameters": 4000, "effective_parameters": 1500.0, "reference_parameters": 1500.0,
        "rmsz_bonds": 0.6, "xray_weight": 6.0, "ll_free": 5.0 - 0.01 * cycle, **other,
    }  # fmt: skip
    base = CycleStatistics(
        cycle=cycle, r_work=r_work, r_free=r_free, r_work_riding_h=r_work, r_free_riding_h=r_free, ll_work=4.9,
        ll_free=5.0, n_work=15_000, n_free=800, rmsd_bonds=0.01, rmsz_bonds=0.6, rmsd_angles=1.0, rmsz_angles=0.7,
        xray_weight=6.0, automatic_weight=6.0, weight_reason="", mean_b=20.0, rms_shift=0.0, max_shift=0.0,
        mean_abs_shift_b=0.0, seconds=1.0,
    )  # fmt: skip
    return replace(base, **values)  # type: ignore[arg-type]


def _run(rows: list[tuple[float, float]], **other: float) -> list[CycleStatistics]:
    return [_row(i, w, f, **other) for i, (w, f) in enumerate(rows)]


SETTLING = [(0.30, 0.32), (0.25, 0.285), (0.23, 0.265), (0.22, 0.252), (0.212, 0.243)]
REST = [(0.210, 0.240), (0.2095, 0.2395), (0.2092, 0.239), (0.209, 0.239), (0.209, 0.239)]


def test_a_sound_run_goes_from_waiting_to_healthy() -> None:
    rows = _run(SETTLING + REST)
    states = [judge(rows[:k], CONTEXT).state for k in range(1, len(rows) + 1)]
    assert states[:3] == ["waiting"] * 3 and states[-1] == "healthy"
    assert set(states) == {"waiting", "not settled", "healthy"}
    verdict = judge(rows, CONTEXT)
    assert "expect" in verdict.sentence and verdict.remedy == ""
    assert verdict.expected_gap == pytest.approx(0.209 * (tickle(15_000, 1500.0) - 1.0))
    assert judge([], CONTEXT).state == "waiting"


def test_ten_times_the_weight_is_amber_while_it_moves_and_red_when_it_rests() -> None:
    loose = {"effective_parameters": 3900.0, "rmsz_bonds": 4.0, "xray_weight": 60.0}
    rows = _run(SETTLING + REST, **loose)
    states = [judge(rows[:k], CONTEXT).state for k in range(1, len(rows) + 1)]
    assert "watch" in states and states[-1] == "overfitting"
    assert states.index("watch") < states.index("overfitting")
    verdict = judge(rows, CONTEXT)
    assert "freedom" in verdict.sentence and "weight" in verdict.remedy
    assert any(rule.fired for rule in verdict.rules)


def test_a_gap_far_beyond_expectation_is_red_even_at_the_usual_weights() -> None:
    rows = _run([(w, f + 0.06) for w, f in SETTLING + REST])
    verdict = judge(rows, CONTEXT)
    assert verdict.state == "overfitting" and "sigma wider" in verdict.sentence


def test_a_wide_gap_of_a_tiny_test_set_is_no_proof() -> None:
    rows = _run([(w, f + 0.06) for w, f in SETTLING + REST], r_free_sigma=0.05)
    assert judge(rows, CONTEXT).state in ("watch", "healthy")


def test_one_cycle_does_not_make_a_verdict() -> None:
    rows = _run(SETTLING + REST)
    odd = replace(rows[-1], cycle=10, r_free_rise=0.02, r_free_rise_sigma=0.002, ll_free_rise=0.1)
    assert judge([*rows, odd], CONTEXT).state == "healthy"
    again = replace(odd, cycle=11)
    assert judge([*rows, odd, again], CONTEXT).state == "watch"


def test_a_moved_slider_unsettles() -> None:
    rows = _run(SETTLING + REST)
    moved = [replace(rows[-1], cycle=10 + i, xray_weight=12.0) for i in range(2)]
    assert judge([*rows, *moved[:1]], CONTEXT).state in ("healthy", "not settled")
    assert judge([*rows, *moved], CONTEXT).state == "not settled"


@pytest.mark.parametrize(("n_work", "n_free", "words"), [(900, 15_000, "inverted"), (15_000, 0, "no test set")])
def test_the_test_set_has_a_lamp_of_its_own(n_work: int, n_free: int, words: str) -> None:
    alarms = test_set_alarms(n_work, n_free, n_free > 0)
    assert words in alarms[0]
    wide = _run([(w, f + 0.06) for w, f in SETTLING + REST])
    assert judge(wide, replace(CONTEXT, alarms=alarms)).state == "test set"


def test_twinned_data_never_look_healthy() -> None:
    twin = replace(CONTEXT, twinned="twin law h,-k,-l, fraction about 0.33")
    sound = _run(SETTLING + REST)
    assert judge(sound, CONTEXT).state == "healthy"
    for end in range(1, len(sound) + 1):
        verdict = judge(sound[:end], twin)
        assert verdict.state == "twinned" and "h,-k,-l" in verdict.sentence
        assert verdict.rules[0].name == "Twinning" and verdict.rules[0].fired
    # what is worse than that is still told
    below = _run([(0.20, 0.18), *[(0.15 - 0.001 * i, 0.16) for i in range(8)]])
    assert judge(below, twin).state == "test set"


def test_r_free_below_r_work_is_a_matter_of_the_test_set() -> None:
    rows = _run([(0.20, 0.18), *[(0.15 - 0.001 * i, 0.16) for i in range(8)]])
    verdict = judge(rows, CONTEXT)
    assert verdict.state == "test set" and "refined against" in verdict.sentence
    assert test_set_alarms(1000, 80, True) == ()


def test_data_cut_after_the_refinement_do_not_accuse_the_test_set() -> None:
    """A model refined at 1.85 A, cut to 3.2 A: no gap at the start, and a wide one expected of so few data."""
    rows = [_row(0, 0.24, 0.241)]
    rows += [_row(i, 0.202, 0.262, effective_parameters=3900.0, reference_parameters=3000.0) for i in range(1, 9)]
    assert judge(rows, CONTEXT).state == "test set"
    cut = replace(CONTEXT, cut=True)
    states = [judge(rows[:end], cut).state for end in range(1, len(rows) + 1)]
    assert "test set" not in states and "watch" in states
    below = [replace(rows[0], r_free=0.22), *rows[1:]]
    assert judge(below, cut).state == "test set", "R_free below R_work is no matter of the limit"


def test_a_set_that_is_not_the_models_own_rises_from_below() -> None:
    start = _row(0, 0.264, 0.253, r_free_sigma=0.018, ll_free=4.886)
    later = [
        _row(i, 0.252, 0.262, r_free_sigma=0.018, ll_free=4.97, ll_free_rise=0.086, ll_free_rise_sigma=0.013)
        for i in range(1, 8)
    ]
    assert judge([start, *later], CONTEXT).state == "test set"
    # A set drawn anew after a refinement begins with R_free as good as R_work.
    drawn = replace(start, r_work=0.260, r_free=0.2612, r_free_sigma=0.009)
    verdict = judge([drawn, *(replace(row, r_work=0.250, r_free=0.285) for row in later)], CONTEXT)
    assert verdict.state == "test set" and "hardly above" in verdict.sentence
    # With data beyond the limit it need not be another set.
    cut = replace(CONTEXT, cut=True)
    assert judge([drawn, *(replace(row, r_work=0.250, r_free=0.285) for row in later)], cut).state != "test set"
    # The same rise under ten times the weight is the weight's doing.
    loose = [replace(row, effective_parameters=3900.0) for row in later]
    assert judge([start, *loose], CONTEXT).state != "test set"


def test_cycles_of_a_trial_that_was_given_up_are_not_compared_with() -> None:
    plain = [_row(i, 0.20, 0.235, parameters=4000, ll_free=5.0 - 0.01 * i) for i in range(6)]
    tried = [_row(i, 0.16, 0.226, parameters=9000, effective_parameters=3900.0, ll_free=4.7) for i in range(6, 10)]
    after = [_row(i, 0.199, 0.234, parameters=4000, ll_free=4.93) for i in range(10, 15)]
    whole = [*plain, *tried, *after]
    assert comparable(whole) == [*plain, *after]
    verdict = judge(whole, CONTEXT)
    assert verdict.state == "healthy" and verdict.best_cycle not in range(6, 10)
    # While the trial goes on its cycles are the run.
    assert comparable([*plain, *tried]) == [*plain, *tried]
    # A few occupancies more or less are no trial.
    assert comparable([*plain, *(replace(row, parameters=3990) for row in after)])[: len(plain)] == plain


def test_another_test_set_or_limit_begins_anew() -> None:
    before = [_row(i, 0.19, 0.235) for i in range(8)]
    other = [replace(_row(i, 0.19, 0.192), n_free=before[0].n_free + 37) for i in range(8, 11)]
    assert comparable([*before, *other]) == other
    assert judge([*before, *other], CONTEXT).state == "waiting"
    against = [replace(_row(i, 0.19, 0.235, ll_free=9.0), likelihood="intensities") for i in range(8, 11)]
    assert comparable([*before, *against]) == against
    assert judge([*before, *against], CONTEXT).best_cycle >= 8


def test_a_narrow_gap_is_not_called_expected() -> None:
    rows = [_row(i, 0.20, 0.222, effective_parameters=3000.0, reference_parameters=3000.0) for i in range(9)]
    verdict = judge(rows, CONTEXT)
    assert verdict.state == "healthy" and "narrower than" in verdict.sentence


def test_a_memory_changes_nothing_and_saves_the_work() -> None:
    rows = _run(SETTLING + REST + [(0.205, 0.245)] * 6, rmsz_bonds=1.0)
    rows[12:14] = [replace(row, parameters=9000) for row in rows[12:14]]
    memory: dict = {}  # type: ignore[type-arg]
    for end in range(1, len(rows) + 1):
        before = len(memory)
        assert judge(rows[:end], CONTEXT, memory) == judge(rows[:end], CONTEXT)
        assert len(memory) <= before + (1 if end <= 14 else 3)


def test_verdicts_say_since_when() -> None:
    rows = [_row(i, 0.2, 0.235) for i in range(4)] + [_row(i, 0.2, 0.235, rmsz_bonds=1.8) for i in range(4, 9)]
    verdict = judge(rows, CONTEXT)
    assert verdict.state == "watch" and verdict.since == 5 and verdict.document()["since"] == 5


def test_verdicts_are_sentences() -> None:
    every: list[Verdict] = []
    for shift in (-0.05, 0.0, 0.03, 0.06):
        for extra in ({}, {"effective_parameters": 3900.0, "rmsz_bonds": 4.0}):
            rows = _run([(w, f + shift) for w, f in SETTLING + REST], **extra)
            every += [judge(rows[:k], CONTEXT) for k in range(1, len(rows) + 1)]
    for verdict in every:
        assert verdict.sentence.endswith(".") and verdict.sentence[0].isupper()
        assert not verdict.remedy or verdict.remedy.endswith(".")
        assert verdict.document()["state"] == verdict.state
        if verdict.state in ("overfitting", "watch", "test set"):
            assert verdict.remedy
