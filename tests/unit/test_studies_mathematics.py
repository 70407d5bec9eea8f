"""Which weight, which limit, which R_complete: on numbers whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.fake_run import recorded_run
from workbench.core.events import CycleFinished, Prepared
from workbench.core.settings import DataOptions
from workbench.engine.cross_validation.free_measures import FreeMeasures, free_measures
from workbench.engine.cross_validation.r_complete import Fold, complete
from workbench.engine.cross_validation.resolution_choice import limit_step, recommended_limit
from workbench.engine.cross_validation.test_set import with_test_set
from workbench.engine.cross_validation.weight_choice import ScanPoint, recommended

RNG = np.random.default_rng(4)
N = 800
F_OBS = RNG.gamma(2.0, 100.0, N)
NOISE = RNG.normal(size=N) * F_OBS * 0.25
OWN = {name: RNG.normal(size=N) for name in "abcde"}


def _point(name: str, weight: float, error: float, ll: float, bonds: float = 0.7, r_work: float = 0.19,
           verdict: str = "healthy") -> ScanPoint:  # fmt: skip
    model = F_OBS + error * NOISE + 0.01 * F_OBS * OWN[name]
    r_free = float(np.abs(F_OBS - model).sum() / F_OBS.sum())
    return ScanPoint(name, weight, name == "b", r_work, r_free, ll, N, bonds, 0.9, verdict, F_OBS, model)


def test_a_looser_weight_must_be_asked_for_by_the_test_set() -> None:
    tight, middle = _point("a", 1.0, 1.15, 5.100), _point("b", 3.0, 1.0, 5.050)
    looser = _point("c", 9.0, 0.995, 5.049)  # R_free is lower by next to nothing
    choice = recommended([looser, tight, middle], 2.0)
    assert choice.name == "b"
    assert "log-likelihood of the test set +40.0" in choice.reason
    assert "9" in choice.reason and "not supported" in choice.reason
    assert "lowest at weight 9" in choice.reason, "the lowest R_free is named and not followed"


def test_r_free_alone_decides_nothing() -> None:
    """The point with by far the lowest R_free has bonds out of their band, a wide gap, or a red verdict."""
    tight = _point("a", 1.0, 1.0, 5.10)
    for other, why in (
        (_point("b", 9.0, 0.8, 5.00, bonds=1.6), "bonds"),
        (_point("b", 9.0, 0.8, 5.00, r_work=0.05), "gap"),
        (_point("b", 9.0, 0.8, 5.00, verdict="overfitting"), "overfitted"),
    ):
        choice = recommended([tight, other], 2.0)
        assert choice.name == "a" and why in choice.excluded["b"] and why in choice.reason
    nothing = recommended([_point("b", 9.0, 0.8, 5.00, bonds=1.6)], 2.0)
    assert nothing.name == "" and nothing.reason
    # Lower R_free without the likelihood to show for it.
    assert recommended([tight, _point("c", 2.0, 0.8, 5.099)], 2.0).name == "a"
    no_set = _point("d", 2.0, 0.8, math.nan)
    assert "no test set" in recommended([no_set], 2.0).excluded["d"]


def test_r_complete_adds_up_reflections_not_sets() -> None:
    folds = [Fold(1, 100, 30.0, 100.0, 0.2, 5.0), Fold(2, 300, 60.0, 300.0, 0.22, 5.1)]
    total = complete(folds)
    assert total.r_complete == pytest.approx(90.0 / 400.0)
    assert total.r_free == pytest.approx(0.25) and total.n == 400 and total.k == 2
    assert total.sd == pytest.approx(np.std([0.3, 0.2], ddof=1)) and total.error == pytest.approx(total.sd / 2**0.5)
    assert "0.2250" in total.sentence
    assert math.isnan(complete([]).r_complete) and math.isnan(complete(folds[:1]).sd)


def test_k_sets_are_a_partition_and_those_of_the_data_are_kept() -> None:
    prepared = next(event for event in recorded_run(1) if isinstance(event, Prepared))
    data = prepared.reflections
    for k in (4, 7):
        drawn = [with_test_set(data, DataOptions(fold=(k, i), free_seed=3)) for i in range(k)]
        assert np.all(np.sum([d.free for d in drawn], axis=0) == 1)
        sizes = [int(d.free.sum()) for d in drawn]
        assert max(sizes) - min(sizes) <= 0.2 * np.mean(sizes) + 4
        assert all(d.has_free and f"of {k}" in d.columns.free_reason for d in drawn)
    from dataclasses import replace

    own = replace(data, flags=np.arange(len(data), dtype=np.int32) % 5)
    for i in range(5):
        assert np.array_equal(with_test_set(own, DataOptions(fold=(5, i))).free, own.flags == i)


def _measures(error: float, seed: int) -> FreeMeasures:
    model = F_OBS + error * NOISE + 0.005 * F_OBS * np.random.default_rng(seed).normal(size=N)
    sigma = np.full(N, 10.0)
    r = float(np.abs(F_OBS - model).sum() / F_OBS.sum())
    wr = float(np.sqrt(((F_OBS - model) ** 2).sum() / (F_OBS**2).sum()))
    return FreeMeasures(F_OBS, model, sigma, 0.2, r, wr, float(np.corrcoef(F_OBS, model)[0, 1]), 5.0 + 0.2 * error)


def test_further_data_are_taken_as_long_as_nothing_is_worse() -> None:
    base, better, worse = _measures(1.0, 1), _measures(0.97, 2), _measures(1.05, 3)
    good = limit_step(2.2, 2.0, base, better)
    assert not good.worse and good.r_free < 0 < good.ll_gain and good.cc_free > 0
    assert good.r_free == pytest.approx(better.r_free - base.r_free, abs=1e-12)
    bad = limit_step(2.0, 1.8, better, worse)
    assert set(bad.worse) == {"R_free", "wR_free", "the likelihood", "CC_free"}
    assert recommended_limit([good, bad])[0] == 2.0
    assert recommended_limit([good])[0] == 2.0
    limit, why = recommended_limit([bad])
    assert limit == 2.0 and "worse by" in why
    short = FreeMeasures(F_OBS[:9], F_OBS[:9], F_OBS[:9], 0.2, 0.2, 0.2, 0.9, 5.0)
    with pytest.raises(ValueError, match="different test sets"):
        limit_step(2.0, 1.8, base, short)


def test_errors_of_wr_and_cc_are_the_spread_of_redrawn_sets() -> None:
    rng = np.random.default_rng(9)
    n = 30_000
    f = rng.gamma(2.0, 100.0, n)
    first = f + rng.normal(size=n) * 0.2 * f
    second = first + rng.normal(size=n) * 0.04 * f

    def measures(rows: np.ndarray, model: np.ndarray) -> FreeMeasures:
        fo, fc = f[rows], model[rows]
        wr = float(np.sqrt(((fo - fc) ** 2).sum() / (fo**2).sum()))
        return FreeMeasures(fo, fc, np.ones(len(fo)), 0.2, 0.2, wr, float(np.corrcoef(fo, fc)[0, 1]), 5.0)

    differences, steps = [], []
    for draw in range(400):
        rows = rng.choice(n, 1000, replace=False)
        one, other = measures(rows, first), measures(rows, second)
        differences.append((other.wr_free - one.wr_free, other.cc_free - one.cc_free))
        if draw < 10:
            steps.append(limit_step(2.0, 1.8, one, other))
    spread = np.std(differences, axis=0)
    assert np.mean([step.wr_free_sigma for step in steps]) == pytest.approx(spread[0], rel=0.15)
    assert np.mean([step.cc_free_sigma for step in steps]) == pytest.approx(spread[1], rel=0.15)


def test_measures_are_those_of_the_run() -> None:
    events = recorded_run(3)
    prepared = next(event for event in events if isinstance(event, Prepared))
    last = [event for event in events if isinstance(event, CycleFinished)][-1]
    measures = free_measures(prepared, last)
    assert measures.r_free == pytest.approx(last.statistics.r_free, abs=2e-4)
    assert measures.r_work == pytest.approx(last.statistics.r_work, abs=2e-4)
    assert measures.difference / measures.f_obs.sum() == pytest.approx(measures.r_free, rel=1e-12)
    assert 0.0 < measures.wr_free < 1.0 and 0.5 < measures.cc_free <= 1.0
