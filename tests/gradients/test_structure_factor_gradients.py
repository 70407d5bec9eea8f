"""Gradients and curvatures of a target of F_calc against finite differences and direct summation.

Two references: finite differences of the FFT itself (the same sampled density: rounding and cut-off only) and of direct
summation (adds the grid error, stated as GRID_ERROR)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from tests.direct_summation import direct_factors, r_difference, random_atoms, relative
from workbench.core.arrays import ComplexArray, FloatArray
from workbench.core.crystal import Crystal
from workbench.engine.xray import structure_factors
from workbench.engine.xray.reflection_geometry import all_reflections, reflection_geometry
from workbench.engine.xray.structure_factors import Scatterers, StructureFactors

GRID_ERROR = 1e-3
"""Largest deviation allowed against direct summation, in units of the r.m.s. gradient."""
U_GRID_ERROR = 1.5e-3
"""The same for elements of U: second derivatives of the density weigh the outer shell, where the grid is worst."""
OWN_ERROR = 1e-4
"""The same against finite differences of the sampled factors themselves."""

CASES = [
    ("P 1", (9.0, 12.0, 14.0, 83.0, 99.0, 112.0), 0.0),
    ("P 1", (9.0, 12.0, 14.0, 83.0, 99.0, 112.0), 1.0),
    ("C 1 2 1", (22.0, 11.0, 15.0, 90.0, 117.0, 90.0), 0.5),
    ("P 65 2 2", (21.0, 21.0, 26.0, 90.0, 90.0, 120.0), 0.5),
    ("I 21 3", (25.0, 25.0, 25.0, 90.0, 90.0, 90.0), 0.3),
]


def shifted(s: Scatterers, atom: int, parameter: str, by: float) -> Scatterers:
    if parameter in U_ELEMENTS:
        u = s.u_aniso.copy()
        u[atom, U_ELEMENTS.index(parameter)] += by
        return dataclasses.replace(s, u_aniso=u)
    if parameter in "xyz":
        xyz = s.xyz.copy()
        xyz[atom, "xyz".index(parameter)] += by
        return dataclasses.replace(s, xyz=xyz)
    if parameter == "q":
        occupancy = s.occupancy.copy()
        occupancy[atom] += by
        return dataclasses.replace(s, occupancy=occupancy)
    b, u = s.b_iso.copy(), s.u_aniso.copy()
    b[atom] += by
    if s.anisotropic[atom]:
        u[atom, :3] += by / (8 * np.pi**2)
    return dataclasses.replace(s, b_iso=b, u_aniso=u)


U_ELEMENTS = ["U11", "U22", "U33", "U12", "U13", "U23"]
STEP = {"x": 1e-3, "y": 1e-3, "z": 1e-3, "b": 0.02, "q": 1e-3}
WIDE_STEP = {"x": 0.03, "y": 0.03, "z": 0.03, "b": 0.5, "q": 0.05}
"""For the sampled factors, where a short step would see rounding in the tables. Six points make the wide step exact to
its sixth power, (8 pi s h)^6/140 < 4e-5 of a gradient."""
SIX_POINTS = {1: 0.75, 2: -0.15, 3: 1.0 / 60.0}
TWO_POINTS = {1: 0.5}


def derivative(value: Callable[[float], float], step: float, rule: dict[int, float]) -> float:
    """Central difference by a rule {multiple of the step: coefficient} (Fornberg, Math. Comp. 51, 699, 1988)."""
    return sum(c * (value(k * step) - value(-k * step)) for k, c in rule.items()) / step


class Squares:
    """T = 1/4 sum w (|F|^2 - f^2)^2: curved and of every phase, like a likelihood, but smooth at |F| = 0."""

    def __init__(self, truth: ComplexArray, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.f = np.abs(truth) * rng.uniform(0.6, 1.4, len(truth))
        self.w = rng.uniform(0.1, 1.0, len(truth)) / np.mean(np.abs(truth)) ** 4

    def value(self, found: ComplexArray) -> float:
        return float(0.25 * np.sum(self.w * (np.abs(found) ** 2 - self.f**2) ** 2))

    def coefficients(self, found: ComplexArray) -> ComplexArray:
        return np.asarray(self.w * (np.abs(found) ** 2 - self.f**2) * found)


@pytest.mark.parametrize("reference", ["own", "direct"])
@pytest.mark.parametrize(("name", "cell", "anisotropic"), CASES)
def test_finite_differences(
    name: str,
    cell: tuple[float, float, float, float, float, float],
    anisotropic: float,
    reference: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if reference == "own":
        # A grid point that enters or leaves an atom's reach is a jump, and differences see it magnified. What is left
        # without it is the algebra.
        monkeypatch.setattr(structure_factors, "CUTOFF", 1e-8)
    d_min = 1.8
    crystal = Crystal(cell, name)
    hkl = all_reflections(crystal, d_min)
    atoms = random_atoms(crystal, 16, seed=11, anisotropic=anisotropic)
    precision = np.float64 if reference == "own" else np.float32
    factors = StructureFactors(crystal, hkl, d_min, precision=precision)
    f_calc = factors.f_calc if reference == "own" else lambda s: direct_factors(crystal, s, hkl)
    here = f_calc(atoms)
    target = Squares(here, seed=1)
    found = factors.gradients(atoms, target.coefficients(here))
    columns = {"x": found.xyz[:, 0], "y": found.xyz[:, 1], "z": found.xyz[:, 2], "b": found.b, "q": found.occupancy}
    heavy = np.flatnonzero(~np.isin(atoms.element, ["H", "D"]))
    hydrogen = np.setdiff1d(np.arange(16), heavy)
    # The sharpest atom sets the blur; moving its B moves the grid error of all, so it is left to the other reference.
    checked = [*heavy[:6].tolist(), *hydrogen[:1].tolist()]
    for parameter, column in columns.items():
        step, rule = (WIDE_STEP[parameter], SIX_POINTS) if reference == "own" else (STEP[parameter], TWO_POINTS)
        numeric = np.array(
            [
                derivative(lambda by, i=i: target.value(f_calc(shifted(atoms, i, parameter, by))), step, rule)  # noqa: B023
                for i in checked
            ]
        )
        limit = OWN_ERROR if reference == "own" else GRID_ERROR
        assert relative(column[checked], numeric) < limit, parameter


def test_small_b_and_high_resolution() -> None:
    crystal = Crystal((7.0, 8.0, 9.0, 90.0, 90.0, 90.0), "P 21 21 21")
    hkl = all_reflections(crystal, 0.9)
    atoms = random_atoms(crystal, 10, seed=12, anisotropic=0.5, b_range=(0.5, 4.0))
    target = Squares(direct_factors(crystal, atoms, hkl), seed=2)
    coefficients = target.coefficients(direct_factors(crystal, atoms, hkl))
    found = StructureFactors(crystal, hkl, 0.9).gradients(atoms, coefficients)
    for parameter, column in (("x", found.xyz[:, 0]), ("b", found.b), ("q", found.occupancy)):
        step = STEP[parameter] / 4
        numeric = np.array(
            [
                (
                    target.value(direct_factors(crystal, shifted(atoms, i, parameter, step), hkl))
                    - target.value(direct_factors(crystal, shifted(atoms, i, parameter, -step), hkl))
                )
                / (2 * step)
                for i in range(10)
            ]
        )
        assert relative(column, numeric) < GRID_ERROR, parameter


def test_threads_give_the_same_gradients() -> None:
    crystal = Crystal(CASES[3][1], CASES[3][0])
    hkl = all_reflections(crystal, 2.0)
    atoms = random_atoms(crystal, 50, seed=13, anisotropic=0.4)
    coefficients = np.random.default_rng(3).normal(size=len(hkl)) + 0.3j
    one = StructureFactors(crystal, hkl, 2.0, threads=1).gradients(atoms, coefficients)
    two = StructureFactors(crystal, hkl, 2.0, threads=2).gradients(atoms, coefficients)
    assert np.allclose(two.xyz, one.xyz, rtol=1e-9, atol=1e-9 * np.abs(one.xyz).max())
    assert np.allclose(two.b, one.b, rtol=1e-9, atol=1e-9 * np.abs(one.b).max())
    assert np.allclose(two.occupancy, one.occupancy, rtol=1e-9, atol=1e-9 * np.abs(one.occupancy).max())


def direct_curvatures(crystal: Crystal, s: Scatterers, w: FloatArray, d_min: float) -> dict[str, FloatArray]:
    """sum_h w (d|F|/dp)^2 by numerical differentiation of direct summation, atom by atom."""
    hkl = all_reflections(crystal, d_min)
    here = direct_factors(crystal, s, hkl)
    direction = here / np.abs(here)
    result: dict[str, FloatArray] = {}
    for parameter in "xyzbq":
        step = STEP[parameter]
        values = []
        for i in range(len(s)):
            forward = direct_factors(crystal, shifted(s, i, parameter, step), hkl)
            backward = direct_factors(crystal, shifted(s, i, parameter, -step), hkl)
            change = np.real(np.conj(direction) * (forward - backward)) / (2 * step)
            values.append(np.sum(w * change**2))
        result[parameter] = np.array(values)
    return result


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("P 1", (11.0, 12.0, 14.0, 83.0, 99.0, 112.0)),
        ("C 1 2 1", (24.0, 12.0, 16.0, 90.0, 117.0, 90.0)),
        ("P 21 21 2", (16.0, 17.0, 14.0, 90.0, 90.0, 90.0)),
        ("P 1 21/c 1", (11.0, 13.0, 16.0, 90.0, 101.0, 90.0)),
    ],
)
def test_curvatures_are_the_expected_gauss_newton_diagonal(
    name: str, cell: tuple[float, float, float, float, float, float]
) -> None:
    """The formula is an expectation over phases: the mean over many atoms of one kind must show it."""
    d_min = 2.0
    crystal = Crystal(cell, name)
    hkl = all_reflections(crystal, d_min)
    n = 48
    atoms = dataclasses.replace(
        random_atoms(crystal, n, seed=17),
        b_iso=np.full(n, 20.0),
        element=np.full(n, "C"),
        occupancy=np.full(n, 0.8),
        charge=np.zeros(n, dtype=np.int32),
    )
    s_sq = reflection_geometry(crystal, hkl).d_star_sq
    w = 0.02 + s_sq
    exact = direct_curvatures(crystal, atoms, w, d_min)
    found = StructureFactors(crystal, hkl, d_min).curvatures(atoms, w)
    assert np.ptp(found.xyz) < 1e-12 * found.xyz[0]
    mean_xyz = np.mean([exact["x"], exact["y"], exact["z"]])
    assert found.xyz[0] == pytest.approx(mean_xyz, rel=0.06)
    assert found.b[0] == pytest.approx(exact["b"].mean(), rel=0.06)
    assert found.occupancy[0] == pytest.approx(exact["q"].mean(), rel=0.06)


def test_curvatures_follow_b_occupancy_and_element() -> None:
    """Against the plain sum over reflections, without bins. An anisotropic atom has one falloff for all directions: it
    may overstate the curvature, which shortens a step, but never by much understate it, which spoils one."""
    crystal = Crystal((30.0, 35.0, 40.0, 90.0, 90.0, 90.0), "P 21 21 21")
    hkl = all_reflections(crystal, 1.9)
    atoms = random_atoms(crystal, 40, seed=19, anisotropic=0.5, b_range=(2.0, 250.0))
    geometry = reflection_geometry(crystal, hkl)
    w = np.random.default_rng(5).uniform(0.5, 2.0, len(hkl))
    found = StructureFactors(crystal, hkl, 1.9).curvatures(atoms, w)
    alone = Crystal(crystal.cell, "P 1")
    factor = 4 * geometry.epsilon * np.where(geometry.centric, 1.0, 0.5)
    for i in range(40):
        centred = dataclasses.replace(
            atoms,
            **{
                name: getattr(atoms, name)[i : i + 1]
                for name in ("element", "charge", "anisotropic", "u_aniso", "b_iso")
            },
            xyz=np.zeros((1, 3)),
            occupancy=np.ones(1),
        )
        f = np.abs(direct_factors(alone, centred, hkl))
        weight = w * factor * f**2
        s_sq, q_sq = geometry.d_star_sq, atoms.occupancy[i] ** 2
        ratios = (
            found.xyz[i] / (q_sq * 4 * np.pi**2 / 3 * np.sum(weight * s_sq)),
            found.b[i] / (q_sq * np.sum(weight * s_sq**2) / 16),
            found.occupancy[i] / np.sum(weight),
        )
        if atoms.anisotropic[i]:
            assert all(0.8 < ratio < 8.0 for ratio in ratios[:2]), ratios
        else:
            assert ratios == pytest.approx((1.0, 1.0, 1.0), rel=1e-3)


@pytest.mark.parametrize(("name", "cell"), [(CASES[1][0], CASES[1][1]), (CASES[3][0], CASES[3][1])])
def test_every_element_of_a_tensor(name: str, cell: tuple[float, float, float, float, float, float]) -> None:
    """dT/dU by finite differences of direct summation; an off-diagonal element stands twice in the matrix."""
    crystal = Crystal(cell, name)
    hkl = all_reflections(crystal, 1.8)
    atoms = random_atoms(crystal, 12, seed=21, anisotropic=1.0)
    target = Squares(direct_factors(crystal, atoms, hkl), seed=4)
    found = StructureFactors(crystal, hkl, 1.8).gradients(
        atoms, target.coefficients(direct_factors(crystal, atoms, hkl))
    )
    for column, element in enumerate(U_ELEMENTS):
        numeric = np.array(
            [
                derivative(
                    lambda by, i=i, e=element: target.value(direct_factors(crystal, shifted(atoms, i, e, by), hkl)),
                    2e-4,
                    TWO_POINTS,
                )
                for i in range(12)
            ]
        )
        assert relative((1.0 if column < 3 else 2.0) * found.u[:, column], numeric) < U_GRID_ERROR, element


def test_isotropic_atoms_have_no_tensor_gradient() -> None:
    crystal = Crystal(CASES[0][1], CASES[0][0])
    hkl = all_reflections(crystal, 2.0)
    atoms = random_atoms(crystal, 10, seed=5, anisotropic=0.5)
    found = StructureFactors(crystal, hkl, 2.0).gradients(atoms, np.ones(len(hkl), dtype=complex))
    assert np.all(found.u[~atoms.anisotropic] == 0.0)
    assert np.all(np.any(found.u[atoms.anisotropic] != 0.0, axis=1))
    trace = found.u[:, :3].sum(axis=1) / (8 * np.pi**2)
    assert np.allclose(found.b[atoms.anisotropic], trace[atoms.anisotropic], rtol=1e-12)


def test_gaussians_too_unlike_for_series_are_summed_point_by_point() -> None:
    """Potassium to 0.35 A: its widest Gaussian is some 170 times as wide as its sharpest on the grid."""
    crystal = Crystal((4.0, 4.6, 5.3, 97.0, 103.0, 111.0), "P 1")
    hkl = all_reflections(crystal, 0.35)
    atoms = dataclasses.replace(
        random_atoms(crystal, 2, seed=8, anisotropic=1.0, b_range=(0.3, 0.5)), element=np.array(["K", "K"])
    )
    factors = StructureFactors(crystal, hkl, 0.35)
    expected = direct_factors(crystal, atoms, hkl)
    assert r_difference(factors.f_calc(atoms), expected) < 2e-3
    target = Squares(expected, seed=2)
    found = factors.gradients(atoms, target.coefficients(expected)).xyz
    numeric = np.array(
        [
            [
                derivative(
                    lambda by, i=i, p=p: target.value(direct_factors(crystal, shifted(atoms, i, p, by), hkl)),
                    STEP[p],
                    TWO_POINTS,
                )
                for p in "xyz"
            ]
            for i in range(2)
        ]
    )
    assert relative(found, numeric) < GRID_ERROR
