"""sigma_A: the D and S that made the data are found again, with many and with few test reflections."""

import numpy as np
import pytest

from tests.reflection_cases import synthetic_case
from workbench.core.crystal import Crystal
from workbench.engine.xray.model_factors import DataSet
from workbench.engine.xray.observed import Observed
from workbench.engine.xray.sigma_a import SigmaA, estimate_sigma_a

CRYSTAL = Crystal((58.0, 49.0, 41.0, 90.0, 90.0, 90.0), "P 21 21 21")


def estimate(d: float, test: int, has_free: bool = True, seed: int = 3) -> tuple[SigmaA, np.ndarray, np.ndarray]:
    """sigma_A of data drawn with D = d; returns it with 1/d^2 and the true S."""
    case = synthetic_case(CRYSTAL, d=d, seed=seed, k_mask=0.0)
    data = DataSet(case.reflections, case.hkl, case.rows)
    s_sq = data.d_star_sq
    k = 3.7 * np.exp(-1.5 * s_sq)
    free = np.zeros(len(s_sq), dtype=bool)
    free[np.random.default_rng(seed).permutation(len(s_sq))[:test]] = True
    result = estimate_sigma_a(
        Observed(case.f_obs / k, case.sigma / k), np.abs(case.f_atoms), s_sq, data.epsilon, data.centric, free, has_free
    )
    return result, s_sq, (1.0 - d * d) * 4.0e4 * np.exp(-12.5 * s_sq)


@pytest.mark.parametrize("d", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("test", [18, 300, 1000])
def test_finds_d_and_s_again(d: float, test: int) -> None:
    result, s_sq, s_true = estimate(d, test)
    # 18 reflections alone know ln S to 0.3 at best: they may mislead, but by no more than a factor of 2
    assert np.mean(np.abs(result.d_at(s_sq) - d)) < (0.1 if test < 50 else 0.06)
    assert np.mean(np.abs(np.log(result.s_at(s_sq) / s_true))) < (np.log(2.0) if test < 50 else 0.15)


def test_test_set_decides_when_the_work_set_flatters() -> None:
    """Work amplitudes fitted too well: D and S must be those of the test set."""
    case = synthetic_case(CRYSTAL, d=0.7, k_mask=0.0)
    data = DataSet(case.reflections, case.hkl, case.rows)
    k = 3.7 * np.exp(-1.5 * data.d_star_sq)
    f_obs, model = case.f_obs / k, np.abs(case.f_atoms)
    model = np.where(case.free, model, 0.7 * f_obs + 0.3 * model)
    common = (data.d_star_sq, data.epsilon, data.centric)
    truth = (1.0 - 0.49) * 4.0e4 * np.exp(-12.5 * data.d_star_sq)
    result = estimate_sigma_a(Observed(f_obs, case.sigma / k), model, *common, case.free, True)
    blind = estimate_sigma_a(Observed(f_obs, case.sigma / k), model, *common, case.free, False)
    assert np.mean(np.log(result.s_at(data.d_star_sq) / truth)) == pytest.approx(0.0, abs=0.25)
    assert np.mean(np.log(blind.s_at(data.d_star_sq) / truth)) < -1.0
    assert "test set" in result.source
    assert "work set" in blind.source


def test_source_says_what_decided() -> None:
    assert estimate(0.8, 300)[0].source == "test set (300 reflections)"
    assert "corrected by the 18 test reflections" in estimate(0.8, 18)[0].source
    assert "no test set" in estimate(0.8, 0)[0].source


@pytest.mark.parametrize("kind", ["perfect", "nonsense", "zero", "huge"])
def test_degenerate_models_give_finite_values(kind: str) -> None:
    case = synthetic_case(CRYSTAL, d=0.9, k_mask=0.0)
    data = DataSet(case.reflections, case.hkl, case.rows)
    rng = np.random.default_rng(0)
    model = {
        "perfect": case.f_obs,
        "nonsense": rng.permutation(case.f_obs),
        "zero": np.full(len(case.f_obs), 1e-9),
        "huge": case.f_obs * 1e4,
    }[kind]
    result = estimate_sigma_a(
        Observed(case.f_obs, case.sigma), model, data.d_star_sq, data.epsilon, data.centric, case.free, True
    )
    x = np.concatenate([data.d_star_sq, [1e-6, 5.0]])
    d, s = result.d_at(x), result.s_at(x)
    assert np.all((d > 0.0) & (d <= 1.0))
    assert np.all(np.isfinite(s) & (s > 0.0))
    if kind == "nonsense":
        assert np.mean(d) < 0.6
