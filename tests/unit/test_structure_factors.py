"""F_calc by sampled density and FFT against direct summation, in every kind of cell, symmetry and atom."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.direct_summation import direct_factors, r_difference, random_atoms, read_atoms
from workbench.core.crystal import Crystal
from workbench.core.errors import InputError, NumericalError
from workbench.engine.maps.density import expand_to_p1
from workbench.engine.xray.reflection_geometry import all_reflections, reflection_geometry
from workbench.engine.xray.structure_factors import Scatterers, StructureFactors

TOLERANCE = 5e-4  # a quarter of the 0.002 that is asked for, and that with phases

CRYSTALS = {
    "P 1": (14.0, 16.0, 19.0, 78.0, 97.0, 106.0),
    "P 1 21 1": (17.0, 13.0, 21.0, 90.0, 104.0, 90.0),
    "C 1 2 1": (25.0, 13.0, 18.0, 90.0, 117.0, 90.0),
    "P 31 2 1": (19.0, 19.0, 27.0, 90.0, 90.0, 120.0),
    "P 65 2 2": (24.0, 24.0, 31.0, 90.0, 90.0, 120.0),
    "I 21 3": (29.0, 29.0, 29.0, 90.0, 90.0, 90.0),
    "F 2 2 2": (20.0, 24.0, 28.0, 90.0, 90.0, 90.0),
    "R 3 2:H": (24.0, 24.0, 30.0, 90.0, 90.0, 120.0),
    "R 3:R": (17.0, 17.0, 17.0, 65.0, 65.0, 65.0),
    "P 43 21 2": (20.0, 20.0, 29.0, 90.0, 90.0, 90.0),
    "P 1 21/c 1": (11.0, 13.0, 16.0, 90.0, 101.0, 90.0),
}


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("anisotropic", [0.0, 0.6])
def test_equals_direct_summation(name: str, anisotropic: float) -> None:
    crystal = Crystal(CRYSTALS[name], name)
    hkl = all_reflections(crystal, 2.0)
    atoms = random_atoms(crystal, 40, seed=3, anisotropic=anisotropic)
    found = StructureFactors(crystal, hkl, 2.0).f_calc(atoms)
    assert r_difference(found, direct_factors(crystal, atoms, hkl)) < TOLERANCE


@pytest.mark.parametrize("d_min", [0.8, 1.2, 2.0, 4.0])
@pytest.mark.parametrize("b_range", [(0.0, 2.0), (0.0, 300.0), (200.0, 400.0), (-3.0, 5.0)])
def test_any_b_at_any_resolution(d_min: float, b_range: tuple[float, float]) -> None:
    crystal = Crystal((9.0, 12.0, 14.0, 83.0, 99.0, 112.0), "P 1")
    hkl = all_reflections(crystal, d_min)
    atoms = random_atoms(crystal, 12, seed=1, anisotropic=0.4, b_range=b_range)
    found = StructureFactors(crystal, hkl, d_min).f_calc(atoms)
    assert r_difference(found, direct_factors(crystal, atoms, hkl)) < TOLERANCE


def test_outermost_shell() -> None:
    """Aliasing is worst at d_min: judged there alone."""
    crystal = Crystal(CRYSTALS["P 31 2 1"], "P 31 2 1")
    hkl = all_reflections(crystal, 1.6, 1.65)
    atoms = random_atoms(crystal, 60, seed=5, b_range=(8.0, 25.0))
    found = StructureFactors(crystal, hkl, 1.6).f_calc(atoms)
    assert r_difference(found, direct_factors(crystal, atoms, hkl)) < 0.001


@pytest.mark.parametrize("cell", [(4.9, 10.0, 30.7, 94.9, 90.3, 100.0), (3.2, 3.9, 4.4, 95.0, 71.0, 104.0)])
def test_cells_smaller_than_an_atom(cell: tuple[float, float, float, float, float, float]) -> None:
    crystal = Crystal(cell, "P 1")
    hkl = all_reflections(crystal, 1.0)
    atoms = random_atoms(crystal, 9, seed=2, anisotropic=0.5, b_range=(10.0, 120.0))
    found = StructureFactors(crystal, hkl, 1.0).f_calc(atoms)
    assert r_difference(found, direct_factors(crystal, atoms, hkl)) < TOLERANCE


def test_skewed_cell() -> None:
    """The shortest alias of the grid may be a diagonal one."""
    crystal = Crystal((14.0, 14.0, 14.0, 32.0, 32.0, 32.0), "P 1")
    hkl = all_reflections(crystal, 1.8)
    atoms = random_atoms(crystal, 8, seed=4)
    found = StructureFactors(crystal, hkl, 1.8).f_calc(atoms)
    assert r_difference(found, direct_factors(crystal, atoms, hkl)) < TOLERANCE


def test_lattice_translations_change_nothing() -> None:
    crystal = Crystal(CRYSTALS["C 1 2 1"], "C 1 2 1")
    hkl = all_reflections(crystal, 2.0)
    atoms = random_atoms(crystal, 20, seed=6, anisotropic=0.5)
    cell = np.array(CRYSTALS["C 1 2 1"])
    moved = dataclasses.replace(atoms, xyz=atoms.xyz + np.array([3.0, -2.0, 0.0]) * cell[:3])
    factors = StructureFactors(crystal, hkl, 2.0)
    assert np.allclose(factors.f_calc(moved), factors.f_calc(atoms), rtol=0, atol=1e-6)


@pytest.mark.parametrize("element", ["H", "D", "C", "FE", "MO", "U", "CL", "NA"])
@pytest.mark.parametrize("charge", [0, 2, -1])
def test_elements_and_charges(element: str, charge: int) -> None:
    """One atom scatters like its form factor; an ion that is not tabulated like the neutral atom."""
    crystal = Crystal((8.0, 9.0, 10.0, 90.0, 90.0, 90.0), "P 1")
    hkl = all_reflections(crystal, 1.0)
    atom = Scatterers(
        xyz=np.array([[1.0, 2.0, 3.0]]),
        b_iso=np.array([8.0]),
        u_aniso=np.zeros((1, 6)),
        anisotropic=np.array([False]),
        occupancy=np.array([0.7]),
        element=np.array([element]),
        charge=np.array([charge], dtype=np.int32),
    )
    found = StructureFactors(crystal, hkl, 1.0).f_calc(atom)
    assert r_difference(found, direct_factors(crystal, atom, hkl)) < TOLERANCE


@pytest.mark.parametrize("b_range", [(4.0, 30.0), (1.0, 6.0)])
def test_neutrons_against_direct_summation(b_range: tuple[float, float]) -> None:
    """Nuclei are points, some of negative length: nothing but B spreads them."""
    crystal = Crystal(CRYSTALS["C 1 2 1"], "C 1 2 1")
    hkl = all_reflections(crystal, 1.6)
    atoms = random_atoms(crystal, 40, seed=8, anisotropic=0.3, b_range=b_range)
    symbols = np.array(["C", "N", "O", "H", "D", "P", "MN", "ZN"])
    atoms = dataclasses.replace(atoms, element=symbols[np.arange(40) % 8])
    found = StructureFactors(crystal, hkl, 1.6, scattering="neutron").f_calc(atoms)
    assert r_difference(found, direct_factors(crystal, atoms, hkl, neutrons=True)) < TOLERANCE
    other = dataclasses.replace(atoms, element=np.where(atoms.element == "D", "H", atoms.element))
    assert r_difference(StructureFactors(crystal, hkl, 1.6, scattering="neutron").f_calc(other), found) > 0.1


def test_isotropic_tensor_is_an_isotropic_atom() -> None:
    crystal = Crystal(CRYSTALS["P 1 21 1"], "P 1 21 1")
    hkl = all_reflections(crystal, 1.8)
    atoms = random_atoms(crystal, 20, seed=8)
    u = np.zeros((20, 6))
    u[:, :3] = atoms.b_iso[:, None] / (8 * np.pi**2)
    tensors = dataclasses.replace(atoms, u_aniso=u, anisotropic=np.ones(20, dtype=bool))
    factors = StructureFactors(crystal, hkl, 1.8)
    assert r_difference(factors.f_calc(tensors), factors.f_calc(atoms)) < 2e-4


def test_threads_give_the_same_factors() -> None:
    crystal = Crystal(CRYSTALS["P 31 2 1"], "P 31 2 1")
    hkl = all_reflections(crystal, 2.0)
    atoms = random_atoms(crystal, 50, seed=9, anisotropic=0.3)
    one = StructureFactors(crystal, hkl, 2.0, threads=1, precision=np.float64).f_calc(atoms)
    double = StructureFactors(crystal, hkl, 2.0, threads=3, precision=np.float64)
    assert np.allclose(double.f_calc(atoms), one, rtol=0, atol=1e-9 * np.abs(one).max())
    three = StructureFactors(crystal, hkl, 2.0, threads=3)
    assert np.allclose(three.f_calc(atoms), one, rtol=0, atol=1e-6 * np.abs(one).max())
    assert np.array_equal(three.f_calc(atoms), three.f_calc(atoms))


def test_no_atoms() -> None:
    crystal = Crystal(CRYSTALS["P 1"], "P 1")
    hkl = all_reflections(crystal, 4.0)
    nothing = random_atoms(crystal, 0)
    factors = StructureFactors(crystal, hkl, 4.0, threads=2)
    assert np.all(factors.f_calc(nothing) == 0)
    assert factors.gradients(nothing, np.ones(len(hkl), dtype=complex)).xyz.shape == (0, 3)
    assert factors.curvatures(nothing, np.ones(len(hkl))).xyz.shape == (0,)


def test_refusals() -> None:
    crystal = Crystal(CRYSTALS["P 1"], "P 1")
    hkl = all_reflections(crystal, 3.0)
    atoms = random_atoms(crystal, 3)
    with pytest.raises(InputError, match="beyond d_min"):
        StructureFactors(crystal, hkl, 3.5)
    factors = StructureFactors(crystal, hkl, 3.0)
    with pytest.raises(InputError, match="not an element"):
        factors.f_calc(dataclasses.replace(atoms, element=np.array(["C", "X", "N"])))
    with pytest.raises(NumericalError):
        factors.f_calc(dataclasses.replace(atoms, occupancy=np.array([1.0, np.nan, 1.0])))


@pytest.mark.parametrize(
    ("file", "d_min"),
    [("lyso_c2/*.pdb", 1.76), ("i213_3io0/before.pdb", 3.0), ("ptp1b_7rin/*.pdb", 1.85), ("pep_7n2l_p1/*.pdb", 0.9)],
)
def test_real_models(shared_data: Path, file: str, d_min: float) -> None:
    path = sorted(shared_data.glob(file))[0]
    crystal, atoms = read_atoms(path)
    hkl = all_reflections(crystal, d_min)
    found = StructureFactors(crystal, hkl, d_min).f_calc(atoms)
    rng = np.random.default_rng(0)
    sample = rng.choice(len(hkl), 60, replace=False)
    outer = np.argsort(reflection_geometry(crystal, hkl).d_star_sq)[-60:]
    for rows in (sample, outer):
        assert r_difference(found[rows], direct_factors(crystal, atoms, hkl[rows])) < TOLERANCE


@pytest.mark.parametrize("name", CRYSTALS)
def test_density_is_the_sum_over_all_of_reciprocal_space(name: str) -> None:
    crystal = Crystal(CRYSTALS[name], name)
    hkl = all_reflections(crystal, 3.0)
    transform = StructureFactors(crystal, hkl, 3.0)
    f = transform.f_calc(random_atoms(crystal, 20, seed=3))
    found = transform.density(f)
    indices, values = expand_to_p1(crystal, hkl, f.astype(np.complex64))
    known = {tuple(i): v for i, v in zip(indices.tolist(), values.tolist(), strict=True)}
    known |= {tuple(-i for i in index): np.conj(value) for index, value in list(known.items())}
    index, expected = np.array(list(known)), np.array(list(known.values()))
    rng = np.random.default_rng(0)
    for point in rng.integers(0, found.shape, (6, 3)):
        phase = np.exp(-2j * np.pi * index @ (point / np.array(found.shape)))
        rho = float(np.sum(expected * phase).real) / gemmi.UnitCell(*crystal.cell).volume
        assert found[tuple(point)] == pytest.approx(rho, abs=1e-4 * float(np.abs(found).max()))
