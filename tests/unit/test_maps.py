"""Map coefficients and density: against gemmi's transform and by their definition."""

import gemmi
import numpy as np
import pytest

from tests.reflection_cases import synthetic_case
from workbench.core.crystal import Crystal
from workbench.engine.maps.coefficients import map_coefficients
from workbench.engine.maps.density import density_map
from workbench.engine.xray.model_factors import DataSet

CRYSTALS = [
    Crystal((21.0, 24.0, 27.0, 80.0, 95.0, 100.0), "P 1"),
    Crystal((40.0, 31.0, 35.0, 90.0, 103.0, 90.0), "C 1 2 1"),
    Crystal((31.0, 36.0, 27.0, 90.0, 90.0, 90.0), "P 21 21 21"),
    Crystal((40.0, 40.0, 62.0, 90.0, 90.0, 120.0), "P 65 2 2"),
    Crystal((52.0, 52.0, 52.0, 90.0, 90.0, 90.0), "I 21 3"),
    Crystal((45.0, 45.0, 60.0, 90.0, 90.0, 120.0), "R 3:H"),
]


def consistent(crystal: Crystal, d_min: float) -> tuple[np.ndarray, np.ndarray]:
    """hkl and structure factors of a few atoms: every symmetry relation holds by construction."""
    group, cell = gemmi.SpaceGroup(crystal.space_group), gemmi.UnitCell(*crystal.cell)
    hkl = gemmi.make_miller_array(cell, group, d_min, 0.0, True).astype(np.int32)
    hkl = hkl[~group.operations().systematic_absences(hkl)]
    atoms = np.random.default_rng(1).random((5, 3))
    f = np.zeros(len(hkl), dtype=np.complex128)
    for op in group.operations():
        moved = np.array([op.apply_to_xyz(list(x)) for x in atoms])
        f += np.sum(np.exp(2j * np.pi * (hkl @ moved.T)), axis=1)
    return hkl, (f * np.exp(-5.0 * cell.calculate_1_d2_array(hkl))).astype(np.complex64)


@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda crystal: crystal.space_group)
def test_density_equals_gemmi(crystal: Crystal) -> None:
    hkl, f = consistent(crystal, 2.6)
    grid, sigma = density_map(crystal, hkl, f, 2.6)
    cell, group = gemmi.UnitCell(*crystal.cell), gemmi.SpaceGroup(crystal.space_group)
    reference = gemmi.ComplexAsuData(cell, group, hkl, f).transform_f_phi_to_map(exact_size=list(grid.shape))
    assert grid.dtype == np.float32 and grid.flags.c_contiguous
    assert np.array(reference, copy=False) == pytest.approx(grid, abs=2e-4 * sigma)
    assert sigma == pytest.approx(float(np.std(grid)), rel=1e-5)
    assert abs(float(np.mean(grid))) < 1e-5 * sigma
    spacing = np.array(crystal.cell[:3]) / grid.shape
    assert np.all(spacing <= 2.6 / 3.0 + 1e-9)


@pytest.mark.parametrize("rate", [1.0, 2.0, 4.0])
def test_grid_is_never_too_small_for_the_indices(rate: float) -> None:
    crystal = CRYSTALS[1]
    hkl, f = consistent(crystal, 2.6)
    grid, sigma = density_map(crystal, hkl, f, 2.6, rate)
    fine, fine_sigma = density_map(crystal, hkl, f, 2.6, 5.0)
    assert sigma == pytest.approx(fine_sigma, rel=1e-4)
    assert grid[0, 0, 0] == pytest.approx(fine[0, 0, 0], abs=1e-3 * sigma)


def test_coefficients_by_their_definition() -> None:
    case = synthetic_case(CRYSTALS[2], d=0.8)
    observed = case.rows.copy()
    observed[::9] = -1
    seen = observed >= 0
    data = DataSet(case.reflections, case.hkl, observed)
    factors = data.fit(case.f_atoms, case.f_mask).factors
    f_obs = np.where(seen, case.f_obs, np.nan)
    centric = data.geometry.centric
    arguments = (f_obs, seen, factors, centric, case.free)
    fo = factors.fom * np.where(seen, case.f_obs, 0.0) / factors.k_total
    fc = np.abs(factors.f_model)
    unit = factors.f_model / fc
    full = map_coefficients(*arguments, "2mFo-DFc") / unit
    rest = map_coefficients(*arguments, "mFo-DFc") / unit
    work = seen & ~centric
    assert full[work].real == pytest.approx((2.0 * fo - factors.sigma_d * fc)[work], rel=1e-4, abs=1e-2)
    assert full[seen & centric].real == pytest.approx(fo[seen & centric], rel=1e-4, abs=1e-2)
    assert full[~seen].real == pytest.approx((factors.sigma_d * fc)[~seen], rel=1e-4)
    assert rest[seen].real == pytest.approx((fo - factors.sigma_d * fc)[seen], rel=1e-4, abs=1e-2)
    assert np.all(rest[~seen] == 0.0)
    assert np.max(np.abs(full.imag)) < 1e-2
    assert np.all(map_coefficients(*arguments, "2mFo-DFc", fill_missing=False)[~seen] == 0.0)
    hidden = map_coefficients(*arguments, "2mFo-DFc", free_filled=True) / unit
    test = seen & case.free
    assert np.any(test)
    assert hidden[test].real == pytest.approx((factors.sigma_d * fc)[test], rel=1e-4)
    assert hidden[seen & ~case.free] == pytest.approx(full[seen & ~case.free])
    assert np.all(map_coefficients(*arguments, "mFo-DFc", free_filled=True)[test] == 0.0)


def test_unknown_kind_is_refused() -> None:
    case = synthetic_case(CRYSTALS[2])
    data = DataSet(case.reflections, case.hkl, case.rows)
    factors = data.fit(case.f_atoms, case.f_mask).factors
    with pytest.raises(ValueError, match="unknown kind"):
        map_coefficients(case.f_obs, case.rows >= 0, factors, data.geometry.centric, case.free, "Fo")  # type: ignore[arg-type]
