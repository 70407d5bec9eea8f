"""Improbable reflections: the chance of a false one, what becomes of a true one, and where it is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.special import erfc

from tests.conftest import ROOT
from tests.reflection_cases import Case, synthetic_case
from workbench import launch
from workbench.core.crystal import Crystal
from workbench.engine.data_quality.intensities import smooth_mean
from workbench.engine.data_quality.too_strong import too_strong
from workbench.engine.xray.improbable import CHANCE, delta, largest_delta
from workbench.engine.xray.likelihood import amplitude_likelihood, negative_log_likelihood, total_variance
from workbench.engine.xray.model_factors import DataSet

CRYSTAL = Crystal((38.0, 33.0, 29.0, 90.0, 90.0, 90.0), "P 21 21 21")


def deltas(f_obs: np.ndarray, mean: np.ndarray, s: float, centric: np.ndarray) -> np.ndarray:
    n, one = len(f_obs), np.ones(len(f_obs))
    sigma = 0.01 * one
    ll = amplitude_likelihood(f_obs, sigma, mean, one, s * one, one, centric).ll
    variance = total_variance(sigma, s * one, one, centric)
    assert len(variance) == n
    return delta(ll, f_obs, mean, variance, centric)


@pytest.mark.parametrize("centric", [False, True], ids=["acentric", "centric"])
@pytest.mark.parametrize("u", [0.0, 0.3, 1.0, 3.0, 11.9, 12.1, 40.0])
def test_few_true_observations_are_called_improbable(centric: bool, u: float) -> None:
    """Drawn from the distribution itself, a share p and not many times more has erfc(delta^(1/2)) < p."""
    rng = np.random.default_rng(17)
    n, s = 400_000, 25.0
    mean = np.full(n, u * np.sqrt(s))
    part = np.sqrt(0.5 * s) if not centric else np.sqrt(s)
    f_obs = np.abs(mean + part * rng.normal(size=n) + (0.0 if centric else 1j * part * rng.normal(size=n)))
    found = deltas(np.maximum(f_obs, 1e-9), mean, s, np.full(n, centric))
    assert found.min() >= 0.0 and found.min() < 1e-3
    for p in (1e-2, 1e-4):
        share = float(np.mean(erfc(np.sqrt(found)) < p))
        assert share < 8.0 * p
        if u >= 1.0:
            assert share > 0.3 * p


def test_delta_has_no_step_where_its_zero_is_taken_from_the_asymptote() -> None:
    s = 4.0
    mean = np.linspace(11.9, 12.1, 41) * np.sqrt(s)
    found = deltas(mean + 6.0, mean, s, np.zeros(41, dtype=bool))
    assert np.abs(np.diff(found)).max() < 0.01


def case_with_errors() -> tuple[Case, np.ndarray]:
    """A data set in which five reflections, strong for their resolution, came out weak; the rows of those."""
    case = synthetic_case(CRYSTAL, d=0.97)
    f_obs = case.f_obs.copy()
    d_star_sq = np.asarray(gemmi.UnitCell(*CRYSTAL.cell).calculate_1_d2_array(case.hkl))
    strength = np.where(d_star_sq > np.quantile(d_star_sq, 0.2), f_obs**2 / smooth_mean(f_obs**2, d_star_sq), 0.0)
    order = np.argsort(strength)
    work, free = order[~case.free[order]], order[case.free[order]]
    wrong = np.r_[work[-40:-36], free[-10]]
    f_obs[wrong] *= 0.02
    return replace(case, f_obs=f_obs), np.sort(wrong)


def test_wrong_measurements_are_found_and_have_no_say() -> None:
    case, wrong = case_with_errors()
    clean = synthetic_case(CRYSTAL, d=0.97)
    assert not DataSet(clean.reflections, clean.hkl, clean.rows).fit(clean.f_atoms, clean.f_mask).improbable.any()
    data = DataSet(case.reflections, case.hkl, case.rows)
    fitted = data.fit(case.f_atoms, case.f_mask)
    assert np.array_equal(np.flatnonzero(fitted.improbable), wrong)
    value, c, w = data.target(case.f_atoms, case.f_mask, fitted)
    assert np.all(c[wrong] == 0.0) and np.all(w[wrong] == 0.0)
    assert data.value(case.f_atoms, case.f_mask, fitted) == pytest.approx(value, rel=1e-12)
    # what these five are does not matter any more, as long as they are wrong
    other = replace(case, f_obs=np.where(np.isin(np.arange(len(case.f_obs)), wrong), 0.5 * case.f_obs, case.f_obs))
    twin = DataSet(other.reflections, other.hkl, other.rows)
    assert twin.value(case.f_atoms, case.f_mask, fitted) == pytest.approx(value, rel=1e-12)
    # R counts every one, the test set's likelihood has no more of it than of any that is improbable
    scaled = fitted.k_total * np.abs(case.f_atoms + fitted.k_mask * case.f_mask)
    free = case.free
    assert fitted.r_free == pytest.approx(np.abs(case.f_obs - scaled)[free].sum() / case.f_obs[free].sum(), rel=1e-6)
    assert len(data.free_log_likelihood(case.f_atoms, case.f_mask, fitted)) == free.sum() - 1
    again = data.fit(case.f_atoms, case.f_mask, fitted)
    assert np.array_equal(again.improbable, fitted.improbable)
    assert again.ll_free == pytest.approx(fitted.ll_free, abs=0.02)


def test_an_outlier_counts_in_the_likelihoods_as_if_it_lay_at_the_limit() -> None:
    case, wrong = case_with_errors()
    data = DataSet(case.reflections, case.hkl, case.rows)
    fitted = data.fit(case.f_atoms, case.f_mask)
    k = fitted.k_total
    amplitude = np.abs(case.f_atoms + fitted.k_mask * case.f_mask)
    functions = fitted.sigma_d, fitted.sigma_s, data.epsilon, data.centric
    whole = negative_log_likelihood(data.f_obs / k, data.sigma / k, amplitude, *functions) + np.log(k)
    rest = ~np.isin(np.arange(len(case.f_obs)), wrong)
    np.testing.assert_allclose(fitted.ll[rest], whole[rest], rtol=1e-9)
    assert np.all(fitted.ll[wrong] < whole[wrong] - 0.01)
    assert fitted.ll_work == pytest.approx(fitted.ll[data.work].mean(), rel=1e-12)
    assert fitted.ll_free == pytest.approx(fitted.ll[data.free].mean(), rel=1e-12)


def test_sigma_a_is_that_of_the_others() -> None:
    case, wrong = case_with_errors()
    clean = synthetic_case(CRYSTAL, d=0.97)
    with_errors = DataSet(case.reflections, case.hkl, case.rows).fit(case.f_atoms, case.f_mask)
    without = DataSet(clean.reflections, clean.hkl, clean.rows).fit(clean.f_atoms, clean.f_mask)
    rest = ~np.isin(np.arange(len(case.f_obs)), wrong)
    np.testing.assert_allclose(np.log(with_errors.sigma_s[rest]), np.log(without.sigma_s[rest]), atol=0.25)


def test_the_unit_of_f_does_not_matter() -> None:
    case, wrong = case_with_errors()
    for scale in (1e-3, 1.0, 1e3):
        other = replace(case, f_obs=scale * case.f_obs, sigma=scale * case.sigma)
        fitted = DataSet(other.reflections, other.hkl, other.rows).fit(case.f_atoms, case.f_mask)
        assert np.array_equal(np.flatnonzero(fitted.improbable), wrong)


def test_the_limit_grows_with_the_number_of_reflections() -> None:
    for n in (1000, 100_000):
        assert erfc(np.sqrt(largest_delta(n))) == pytest.approx(CHANCE / n, rel=1e-6)


def _wilson(anisotropy: float, seed: int) -> Case:
    """Amplitudes of random atoms, the a* direction weakened by exp(-anisotropy h_x^2 / 2) in intensity."""
    case = synthetic_case(CRYSTAL, d=0.97)
    rng = np.random.default_rng(seed)
    centric = np.asarray(gemmi.SpaceGroup(CRYSTAL.space_group).operations().centric_flag_array(case.hkl))
    epsilon = np.asarray(gemmi.SpaceGroup(CRYSTAL.space_group).operations().epsilon_factor_array(case.hkl))
    n = len(case.hkl)
    part = rng.normal(size=n) + np.where(centric, 0.0, 1j) * rng.normal(size=n)
    f = np.abs(part) * np.sqrt(epsilon / np.where(centric, 1.0, 2.0)) * 50.0
    return replace(case, f_obs=f * np.exp(-0.25 * anisotropy * (case.hkl[:, 0] / 38.0) ** 2))


@pytest.mark.parametrize("anisotropy", [0.0, 12.0])
def test_intensities_of_random_atoms_are_allowed_and_one_fifty_times_the_mean_is_not(anisotropy: float) -> None:
    counts = [int(too_strong(_wilson(anisotropy, seed).reflections).sum()) for seed in range(6)]
    assert sum(counts) <= 1
    case = _wilson(anisotropy, 1)
    f = case.f_obs.copy()
    row = 1234
    level = np.median(f[np.argsort(np.abs(np.linalg.norm(case.hkl - case.hkl[row], axis=1)))[:200]])
    f[row] = 7.0 * level
    assert np.flatnonzero(too_strong(replace(case, f_obs=f).reflections)).tolist() == [row]


def test_a_run_names_them_and_writes_them_down(tmp_path: Path) -> None:
    lyso = ROOT / "example_structures" / "lyso_c2"
    mtz = gemmi.read_mtz_file(str(lyso / "lyso_c2.mtz.gz"))
    table = np.array(mtz, copy=True)
    label = next(c.label for c in mtz.columns if c.type == "F")
    column = mtz.column_with_label(label).idx
    row = int(np.argsort(np.where(np.isfinite(table[:, column]), table[:, column], np.inf))[4000])
    table[row, column] = 6.0 * np.nanmax(table[:, column])
    mtz.set_data(table)
    data = tmp_path / "wrong.mtz"
    mtz.write_to_file(str(data))
    words = ["refine", str(lyso / "lyso_c2.pdb.gz"), str(data), "--cycles", "1", "--hydrogens", "none", "--quiet"]
    assert launch.main([*words, "--b-model", "isotropic", "--output", str(tmp_path / "out")]) == 0
    document = json.loads((tmp_path / "out" / "statistics.json").read_text())
    name = " ".join(str(int(v)) for v in table[row, :3])
    assert [words.removesuffix(" test") for words in document["final"]["outliers"]] == [name]
    log = (tmp_path / "out" / "log.txt").read_text()
    assert log.count("improbable and left out of the likelihood") == 1 and name in log
