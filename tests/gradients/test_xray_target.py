"""The X-ray target against finite differences of F_atoms."""

import numpy as np
import pytest

from tests.reflection_cases import synthetic_case, with_intensities
from workbench.core.crystal import Crystal
from workbench.engine.xray.model_factors import DataSet


@pytest.mark.parametrize("group", ["P 21 21 21", "P 1"])
@pytest.mark.parametrize("measured", ["amplitudes", "intensities", "intensities and amplitudes"])
def test_target_gradient_by_finite_differences(group: str, measured: str) -> None:
    case = synthetic_case(Crystal((38.0, 33.0, 29.0, 90.0, 90.0, 90.0), group), d=0.85)
    observed = case.rows.copy()
    observed[::7] = -1  # not every reflection was measured
    reflections = with_intensities(case.reflections, without=0.1 if measured == "intensities and amplitudes" else 0.0)
    data = DataSet(reflections, case.hkl, observed, intensities=measured != "amplitudes")
    fitted = data.fit(case.f_atoms, case.f_mask)
    rng = np.random.default_rng(5)
    f_atoms = case.f_atoms + 5.0 * (rng.normal(size=len(case.hkl)) + 1j * rng.normal(size=len(case.hkl)))
    value, c, w = data.target(f_atoms, case.f_mask, fitted)
    assert data.value(f_atoms, case.f_mask, fitted) == pytest.approx(value, rel=1e-12)
    idle = (observed < 0) | case.free
    assert np.all(c[idle] == 0.0) and np.all(w[idle] == 0.0)
    assert np.all(w[~idle] > 0.0)
    step, error = (1e-4, 1e-6) if measured == "amplitudes" else (1e-3, 1e-5)  # that of the integration
    for row in rng.choice(np.flatnonzero(~idle), 12, replace=False):
        for unit, derivative in ((1.0, c[row].real), (1j, c[row].imag)):
            shift = np.zeros_like(f_atoms)
            shift[row] = step * unit
            up = data.value(f_atoms + shift, case.f_mask, fitted)
            down = data.value(f_atoms - shift, case.f_mask, fitted)
            assert derivative == pytest.approx((up - down) / (2.0 * step), rel=10.0 * error, abs=1e-6)
    direction = rng.normal(size=len(f_atoms)) + 1j * rng.normal(size=len(f_atoms))
    along = float(np.sum(c.real * direction.real + c.imag * direction.imag))
    up = data.value(f_atoms + step * direction, case.f_mask, fitted)
    down = data.value(f_atoms - step * direction, case.f_mask, fitted)
    assert along == pytest.approx((up - down) / (2.0 * step), rel=error)


def test_fitted_values_are_those_of_the_target() -> None:
    case = synthetic_case(Crystal((38.0, 33.0, 29.0, 90.0, 90.0, 90.0), "P 21 21 21"), d=0.85)
    data = DataSet(case.reflections, case.hkl, case.rows)
    fitted = data.fit(case.f_atoms, case.f_mask)
    assert data.value(case.f_atoms, case.f_mask, fitted) == pytest.approx(fitted.ll_work * fitted.n_work, rel=1e-10)
    shells = fitted.factors.shells
    assert int(np.sum(shells.n_work)) == fitted.n_work
    assert int(np.sum(shells.n_free)) == fitted.n_free
    assert np.all(np.isfinite(shells.r_work))
    assert np.all((shells.sigma_d > 0.0) & (shells.sigma_d <= 1.0) & (shells.sigma_s > 0.0))
    scaled = fitted.factors.k_total * np.abs(fitted.factors.f_model)
    work = ~case.free
    assert np.sum(np.abs(case.f_obs - scaled)[work]) / np.sum(case.f_obs[work]) == pytest.approx(
        fitted.r_work, abs=1e-5
    )


def test_log_likelihood_does_not_depend_on_the_unit_of_f_atoms() -> None:
    """-log p is that of F_obs in the file: a model on another scale, fitted again, is as likely."""
    case = synthetic_case(Crystal((38.0, 33.0, 29.0, 90.0, 90.0, 90.0), "P 21 21 21"), d=0.85)
    data = DataSet(case.reflections, case.hkl, case.rows)
    one = data.fit(case.f_atoms, case.f_mask)
    two = data.fit(2.0 * case.f_atoms, 2.0 * case.f_mask)
    assert two.r_work == pytest.approx(one.r_work, abs=2e-4)
    assert two.ll_work == pytest.approx(one.ll_work, abs=2e-3)
    assert two.ll_free == pytest.approx(one.ll_free, abs=2e-3)


def test_no_test_set_no_r_free() -> None:
    case = synthetic_case(Crystal((38.0, 33.0, 29.0, 90.0, 90.0, 90.0), "P 21 21 21"), d=0.85, free_fraction=0.0)
    fitted = DataSet(case.reflections, case.hkl, case.rows).fit(case.f_atoms, case.f_mask)
    assert np.isnan(fitted.r_free) and np.isnan(fitted.ll_free)
    assert np.isfinite(fitted.ll_work)
