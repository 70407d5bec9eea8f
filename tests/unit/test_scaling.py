"""Scale and bulk solvent: known answers found again, poor starts, few reflections, bins, work set only."""

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reflection_cases import Case, synthetic_case
from workbench.core.crystal import Crystal
from workbench.core.errors import InputError
from workbench.engine.xray.bins import ResolutionBins, logarithmic_bins
from workbench.engine.xray.r_factors import r_factor, r_factor_by_bin
from workbench.engine.xray.scaling import Scale, Scaler, reciprocal_vectors, traceless_tensors

ORTHORHOMBIC = Crystal((58.0, 49.0, 41.0, 90.0, 90.0, 90.0), "P 21 21 21")


def scaler_of(case: Case) -> Scaler:
    return Scaler(case.crystal, case.hkl, case.f_obs, case.sigma, case.free)


def r_of(case: Case, scale: Scale, free: bool = False, f_atoms: np.ndarray | None = None) -> float:
    f_atoms = case.f_atoms if f_atoms is None else f_atoms
    scaled = scale.k_total(case.hkl) * np.abs(f_atoms + scale.k_mask(case.hkl) * case.f_mask)
    return r_factor(case.f_obs, scaled, case.free if free else ~case.free)


def test_finds_the_scale_solvent_and_anisotropy_that_made_the_data() -> None:
    u = (0.03, -0.01, -0.02, 0.0, 0.0, 0.0)
    case = synthetic_case(ORTHORHOMBIC, u=u)
    scale = scaler_of(case).fit(case.f_atoms, case.f_mask)
    assert r_of(case, scale) < 0.02
    assert r_of(case, scale, free=True) < 0.022
    assert scale.u_aniso == pytest.approx(u, abs=1e-3)
    assert scale.directional == pytest.approx(np.zeros(6), abs=0.01)
    assert scale.overall_b == pytest.approx(6.0, abs=0.3)
    x = np.array([0.005, 0.02, 0.05])
    assert scale.k_mask_at(x) == pytest.approx(0.35 * np.exp(-10.0 * x), abs=0.03)
    assert scale.k_iso(x) == pytest.approx(3.7 * np.exp(-1.5 * x), rel=0.02)


@pytest.mark.parametrize("shift_b", [-40.0, 25.0, 60.0])
def test_atoms_with_wrong_b_are_scaled_as_well(shift_b: float) -> None:
    case = synthetic_case(ORTHORHOMBIC)
    scaler = scaler_of(case)
    good = scaler.fit(case.f_atoms, case.f_mask)
    s = reciprocal_vectors(case.crystal, case.hkl)
    wrong = case.f_atoms * np.exp(shift_b / 4.0 * np.sum(s * s, axis=1))
    for previous in (None, good):
        scale = scaler.fit(wrong, case.f_mask, previous)
        assert r_of(case, scale, f_atoms=wrong) < good.r_work + 0.002
        assert scale.overall_b - good.overall_b == pytest.approx(shift_b, abs=1.0)


def test_never_worse_than_the_previous_scale_and_soon_done() -> None:
    case = synthetic_case(ORTHORHOMBIC, d=0.9)
    scaler = scaler_of(case)
    first = scaler.fit(case.f_atoms, case.f_mask)
    second = scaler.fit(case.f_atoms, case.f_mask, first)
    assert first.r_work == pytest.approx(r_of(case, first), abs=1e-12)
    assert second.r_work <= first.r_work
    assert first.r_work - second.r_work < 1e-4


def test_the_test_set_has_no_influence() -> None:
    case = synthetic_case(ORTHORHOMBIC)
    spoiled = np.where(case.free, 50.0 * case.f_obs, case.f_obs)
    a = scaler_of(case).fit(case.f_atoms, case.f_mask)
    b = Scaler(case.crystal, case.hkl, spoiled, case.sigma, case.free).fit(case.f_atoms, case.f_mask)
    assert np.array_equal(a.log_k_iso, b.log_k_iso)
    assert np.array_equal(a.mask_scale, b.mask_scale)
    assert np.array_equal(a.u_aniso, b.u_aniso)


def test_no_solvent_no_k_mask() -> None:
    case = synthetic_case(ORTHORHOMBIC, k_mask=0.0)
    scale = scaler_of(case).fit(case.f_atoms, np.zeros_like(case.f_mask))
    assert np.all(scale.k_mask(case.hkl) < 0.01)
    assert r_of(case, scale) < 0.02


def test_few_reflections_get_few_bins() -> None:
    case = synthetic_case(Crystal((11.0, 13.0, 15.0, 90.0, 101.0, 90.0), "P 1 21 1"), d_min=1.7)
    assert 200 < len(case.hkl) < 600
    scaler = scaler_of(case)
    assert 1 <= len(scaler.bins) <= 8
    scale = scaler.fit(case.f_atoms, case.f_mask)
    assert r_of(case, scale) < 0.03
    assert r_of(case, scale, free=True) < 0.06


def test_nine_work_reflections_are_refused_in_words() -> None:
    case = synthetic_case(ORTHORHOMBIC)
    with pytest.raises(InputError, match="too few"):
        Scaler(case.crystal, case.hkl[:9], case.f_obs[:9], case.sigma[:9], np.zeros(9, dtype=bool))


def test_any_reflection_can_be_asked_for() -> None:
    case = synthetic_case(ORTHORHOMBIC)
    part = np.arange(len(case.hkl)) % 3 != 0
    scale = Scaler(case.crystal, case.hkl[part], case.f_obs[part], case.sigma[part], case.free[part]).fit(
        case.f_atoms[part], case.f_mask[part]
    )
    scaled = scale.k_total(case.hkl) * np.abs(case.f_atoms + scale.k_mask(case.hkl) * case.f_mask)
    assert r_factor(case.f_obs, scaled, ~part) < 0.03


@pytest.mark.parametrize(
    ("cell", "group", "count"),
    [
        ((11.0, 13.0, 17.0, 80.0, 95.0, 100.0), "P 1", 5),
        ((30.0, 40.0, 50.0, 90.0, 100.0, 90.0), "C 1 2 1", 3),
        (ORTHORHOMBIC.cell, "P 21 21 21", 2),
        ((60.0, 60.0, 90.0, 90.0, 90.0, 120.0), "P 31 2 1", 1),
        ((60.0, 60.0, 90.0, 90.0, 90.0, 90.0), "P 43 21 2", 1),
        ((90.0, 90.0, 90.0, 90.0, 90.0, 90.0), "I 21 3", 0),
    ],
)
def test_anisotropy_obeys_the_point_group(cell: tuple[float, ...], group: str, count: int) -> None:
    crystal = Crystal(cell, group)  # type: ignore[arg-type]
    tensors = traceless_tensors(crystal)
    assert len(tensors) == count
    hkl = np.array([[1, 2, 3], [-4, 2, 5], [3, -1, 2]], dtype=np.int32)
    s = reciprocal_vectors(crystal, hkl)
    assert np.sum(s * s, axis=1) == pytest.approx(gemmi.UnitCell(*cell).calculate_1_d2_array(hkl))
    for op in gemmi.SpaceGroup(group).operations().sym_ops:
        mate = reciprocal_vectors(crystal, np.array([op.apply_to_hkl(list(map(int, h))) for h in hkl], dtype=np.int32))
        for tensor in tensors:
            assert np.trace(tensor) == pytest.approx(0.0, abs=1e-12)
            assert np.einsum("ni,ij,nj->n", mate, tensor, mate) == pytest.approx(
                np.einsum("ni,ij,nj->n", s, tensor, s), abs=1e-12
            )


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3000), st.integers(0, 1000))
def test_bins_cover_every_reflection(n: int, seed: int) -> None:
    d_star_sq = np.random.default_rng(seed).uniform(0.001, 0.3, n) ** (2 / 3)
    bins = logarithmic_bins(d_star_sq)
    assert np.all(np.diff(bins.edges) > 0.0)
    assert len(bins) <= 30
    count = np.bincount(bins.index(d_star_sq), minlength=len(bins))
    assert np.sum(count) == n
    assert len(bins) == 1 or np.min(count) >= 49
    assert bins.edges[0] <= np.min(d_star_sq) and np.max(d_star_sq) <= bins.edges[-1]


def test_interpolation_reproduces_straight_lines() -> None:
    bins = ResolutionBins(np.array([0.01, 0.02, 0.05, 0.2]))
    x = np.linspace(0.005, 0.22, 50)
    assert bins.interpolate(3.0 - 2.0 * bins.edges, x) == pytest.approx(3.0 - 2.0 * x)
    assert list(bins.index(np.array([0.001, 0.015, 0.02, 0.3]))) == [0, 0, 1, 2]


def test_r_factors() -> None:
    f, y = np.array([10.0, 20.0, 30.0]), np.array([11.0, 18.0, 30.0])
    assert r_factor(f, y) == pytest.approx(3.0 / 60.0)
    assert np.isnan(r_factor(f, y, np.zeros(3, dtype=bool)))
    by_bin = r_factor_by_bin(f, y, np.array([0, 0, 2], dtype=np.int32), 4)
    assert by_bin[[0, 2]] == pytest.approx([0.1, 0.0])
    assert np.isnan(by_bin[[1, 3]]).all()
