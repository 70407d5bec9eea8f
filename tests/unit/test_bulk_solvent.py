"""The solvent mask and its transform: definition, symmetry, and a case that can be worked out by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.direct_summation import random_atoms, read_atoms
from workbench.core.crystal import Crystal
from workbench.engine.xray.brick_transform import BrickTransform
from workbench.engine.xray.bulk_solvent import R_PROBE, R_SHRINK, SolventMask, solvent_mask_factors
from workbench.engine.xray.reflection_geometry import all_reflections
from workbench.engine.xray.structure_factors import Scatterers


def carbons(xyz: list[list[float]]) -> Scatterers:
    n = len(xyz)
    return Scatterers(
        np.array(xyz, dtype=np.float64).reshape(n, 3), np.full(n, 20.0), np.zeros((n, 6)), np.zeros(n, dtype=bool),
        np.ones(n), np.full(n, "C"), np.zeros(n, dtype=np.int32),
    )  # fmt: skip


def gemmi_model(s: Scatterers) -> gemmi.Model:
    model, chain, residue = gemmi.Model(1), gemmi.Chain("A"), gemmi.Residue()
    for element, position, occupancy in zip(s.element.tolist(), s.xyz.tolist(), s.occupancy.tolist(), strict=True):
        atom = gemmi.Atom()
        atom.element, atom.pos, atom.occ = gemmi.Element(element), gemmi.Position(*position), occupancy
        residue.add_atom(atom)
    chain.add_residue(residue)
    model.add_chain(chain)
    return model


def test_one_atom_is_a_hole_in_the_shape_of_a_sphere() -> None:
    """F_mask(h) = -transform of a sphere of the atom's radius plus r_probe - r_shrink, at the atom."""
    crystal = Crystal((24.0, 26.0, 28.0, 90.0, 90.0, 90.0), "P 1")
    hkl = all_reflections(crystal, 5.0)
    atom = carbons([[5.0, 7.0, 9.0]])
    found = SolventMask(crystal, hkl, 1.6).f_mask(atom)
    radius = gemmi.SolventMasker(gemmi.AtomicRadiiSet.Cctbx)
    assert radius.rprobe > 0
    fractional = atom.xyz[0] / np.array(crystal.cell[:3])
    s = np.linalg.norm(hkl / np.array(crystal.cell[:3]), axis=1)

    def sphere(r: float) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
        x = 2 * np.pi * s * r
        return -4 * np.pi * r**3 * (np.sin(x) - x * np.cos(x)) / x**3 * np.exp(2j * np.pi * hkl @ fractional)

    trial = np.linspace(1.2, 3.0, 181)
    misfit = [np.abs(found - sphere(r)).sum() / np.abs(found).sum() for r in trial]
    best = trial[int(np.argmin(misfit))]
    assert min(misfit) < 0.10
    assert 1.775 - 0.1 < best < 1.775 + 0.3  # van der Waals radius of carbon, plus 1.1 - 0.9


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("P 1", (21.0, 24.0, 22.0, 80.0, 99.0, 108.0)),
        ("C 1 2 1", (44.0, 22.0, 30.0, 90.0, 117.0, 90.0)),
        ("P 31 2 1", (30.0, 30.0, 41.0, 90.0, 90.0, 120.0)),
        ("P 65 2 2", (38.0, 38.0, 50.0, 90.0, 90.0, 120.0)),
        ("I 21 3", (50.0, 50.0, 50.0, 90.0, 90.0, 90.0)),
    ],
)
def test_factors_are_the_sum_over_the_mask(name: str, cell: tuple[float, float, float, float, float, float]) -> None:
    """Direct summation over grid points; the mask has the symmetry of the crystal, so absences have no F_mask."""
    crystal = Crystal(cell, name)
    hkl = all_reflections(crystal, 3.5)[::7]
    negative = np.ascontiguousarray(-hkl)
    atoms = random_atoms(crystal, 30, seed=2)
    solvent = SolventMask(crystal, np.concatenate([hkl, negative]), 2.0)
    mask = solvent.mask(atoms)
    axes = [np.arange(n) / n for n in mask.shape]
    volume = gemmi.UnitCell(*cell).volume / mask.size
    expected = np.array(
        [
            np.einsum(
                "uvw,u,v,w->",
                mask,
                *[np.exp(2j * np.pi * h * x) for h, x in zip(index, axes, strict=True)],
                optimize=True,
            )
            for index in hkl
        ]
    )
    found = solvent.f_mask(atoms)
    assert np.allclose(found[: len(hkl)], expected * volume, atol=1e-5 * np.abs(expected * volume).max())
    assert np.allclose(found[len(hkl) :], np.conj(found[: len(hkl)]), atol=1e-6)
    operations = gemmi.SpaceGroup(name).operations()
    for op in operations.sym_ops:
        images = np.array([op.apply_to_hkl(index) for index in hkl.tolist()], dtype=np.int32)
        shift = np.array([op.phase_shift(index) for index in hkl.tolist()])
        rotated = SolventMask(crystal, images, 2.0).f_mask(atoms)
        assert np.allclose(rotated, found[: len(hkl)] * np.exp(1j * shift), atol=1e-4 * np.abs(found).max())


def test_hydrogens_and_empty_atoms_do_not_count() -> None:
    crystal = Crystal((22.0, 23.0, 24.0, 90.0, 90.0, 90.0), "P 1")
    hkl = all_reflections(crystal, 4.0)
    alone = solvent_mask_factors(crystal, carbons([[5.0, 5.0, 5.0]]), hkl, 2.0)
    more = carbons([[5.0, 5.0, 5.0], [12.0, 12.0, 12.0], [18.0, 4.0, 8.0]])
    more = dataclasses.replace(more, element=np.array(["C", "H", "C"]), occupancy=np.array([1.0, 1.0, 0.0]))
    assert np.allclose(solvent_mask_factors(crystal, more, hkl, 2.0), alone)
    present = dataclasses.replace(more, occupancy=np.ones(3))
    assert not np.allclose(solvent_mask_factors(crystal, present, hkl, 2.0), alone)


def test_moved_atoms_give_what_a_fresh_mask_gives() -> None:
    crystal = Crystal((30.0, 30.0, 41.0, 90.0, 90.0, 120.0), "P 31 2 1")
    hkl = all_reflections(crystal, 3.0)
    first, second = random_atoms(crystal, 25, seed=3), random_atoms(crystal, 25, seed=3)
    second = dataclasses.replace(second, xyz=second.xyz + np.random.default_rng(0).normal(size=(25, 3)))
    other = random_atoms(crystal, 31, seed=4)
    kept = SolventMask(crystal, hkl, 2.0)
    for atoms in (first, second, other, first):
        assert np.array_equal(kept.f_mask(atoms), solvent_mask_factors(crystal, atoms, hkl, 2.0))


def test_no_atoms_and_fine_reflections() -> None:
    """An empty cell is all solvent and scatters nothing; beyond the grid F_mask is zero."""
    crystal = Crystal((12.0, 13.0, 14.0, 90.0, 90.0, 90.0), "P 1")
    hkl = all_reflections(crystal, 0.7)
    nothing = solvent_mask_factors(crystal, carbons([]), hkl, 0.7)
    assert np.allclose(nothing, 0.0, atol=1e-7 * 12.0 * 13.0 * 14.0)  # single precision of F(000)
    one = solvent_mask_factors(crystal, carbons([[3.0, 3.0, 3.0]]), hkl, 0.7)
    d = 1.0 / np.linalg.norm(hkl / np.array(crystal.cell[:3]), axis=1)
    assert np.all(one[d < 0.75] == 0.0) or np.all(np.isfinite(one))
    assert np.all(np.abs(one[d > 3.0]) > 0.0)


def test_solvent_content_of_a_real_crystal(shared_data: Path) -> None:
    path = sorted((shared_data / "rnasa").glob("*.pdb"))[0]
    crystal, atoms = read_atoms(path)
    solvent = SolventMask(crystal, all_reflections(crystal, 3.0), 1.85)
    solvent.mask(atoms)
    heavy = atoms.occupancy[~np.isin(atoms.element, ["H", "D"])].sum()
    # An ordered non-hydrogen protein atom fills about 17 A^3 of a crystal.
    filled = 17.0 * heavy * 4 / gemmi.UnitCell(*crystal.cell).volume
    assert solvent.solvent_fraction == pytest.approx(1.0 - filled, abs=0.12)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("P 1", (21.0, 24.0, 22.0, 80.0, 99.0, 108.0)),
        ("C 1 2 1", (44.0, 22.0, 30.0, 90.0, 117.0, 90.0)),
        ("P 65 2 2", (38.0, 38.0, 50.0, 90.0, 90.0, 120.0)),
        ("R 3 2 :H", (45.0, 45.0, 60.0, 90.0, 90.0, 120.0)),
        ("I 21 3", (50.0, 50.0, 50.0, 90.0, 90.0, 90.0)),
        ("P 1", (5.0, 6.0, 40.0, 90.0, 90.0, 90.0)),
    ],
)
def test_mask_is_that_of_gemmi(name: str, cell: tuple[float, float, float, float, float, float]) -> None:
    """Point by point; only where a distance equals a radius to rounding may the two decide differently."""
    crystal = Crystal(cell, name)
    atoms = random_atoms(crystal, 40, seed=5)
    solvent = SolventMask(crystal, all_reflections(crystal, 4.0), 2.0)
    masker = gemmi.SolventMasker(gemmi.AtomicRadiiSet.Cctbx)
    masker.rprobe, masker.rshrink = R_PROBE, R_SHRINK
    masker.ignore_hydrogen = masker.ignore_zero_occupancy_atoms = True
    grid = gemmi.FloatGrid()
    grid.set_unit_cell(gemmi.UnitCell(*cell))
    grid.spacegroup = gemmi.SpaceGroup(name)
    grid.set_size(*solvent.grid_size)
    masker.put_mask_on_float_grid(grid, gemmi_model(atoms))
    expected = np.asarray(grid.array)
    found = solvent.mask(atoms)
    assert 0.02 < expected.mean() < 0.98
    assert np.mean(found != expected) < 1e-5


@pytest.mark.parametrize("name", ["P 1", "C 1 2 1", "P 31 2 1", "P 65 2 2", "R 3 2 :H", "I 21 3", "P 21 21 21"])
def test_images_of_the_brick_fill_the_cell_once(name: str) -> None:
    cells = {"P": (22.0, 23.0, 25.0, 90.0, 90.0, 90.0), "C": (26.0, 21.0, 24.0, 90.0, 103.0, 90.0)}
    cell = cells.get(name[0], (27.0, 27.0, 27.0, 90.0, 90.0, 90.0))
    if name in ("P 31 2 1", "P 65 2 2", "R 3 2 :H"):
        cell = (24.0, 24.0, 36.0, 90.0, 90.0, 120.0)
    crystal = Crystal(cell, name)
    solvent = SolventMask(crystal, all_reflections(crystal, 3.0), 2.0)
    whole = solvent.mask(random_atoms(crystal, 30, seed=8))
    assert solvent.solvent_fraction == pytest.approx(whole.mean(), abs=1e-6)
    assert 0.02 < whole.mean() < 0.98


@pytest.mark.parametrize("extent", [(12, 15, 16), (5, 15, 9), (12, 4, 1)])
def test_transform_of_a_brick_is_the_transform(extent: tuple[int, int, int]) -> None:
    """Against the transform of the brick in an empty cell, symmetry included."""
    rng = np.random.default_rng(1)
    size = np.array((12, 15, 16))
    values = rng.normal(size=extent).astype(np.float32)
    hkl = np.array([(0, 0, 0), (3, -2, 5), (-3, 2, -5), (-4, 3, 1), (4, -3, -1), (1, 0, 0), (-1, 0, 0)])
    rotation = np.array([np.eye(3), np.diag([-1, 1, -1])], dtype=np.int32)
    translation = np.array([(0, 0, 0), (0, 12, 0)], dtype=np.int32)
    grid = np.zeros(size)
    grid[tuple(slice(n) for n in extent)] = values
    full = np.conj(np.fft.fftn(grid))
    expected = full[tuple((hkl % size).T)]
    expected = expected + full[tuple((hkl @ rotation[1] % size).T)] * np.exp(1j * np.pi * hkl[:, 1])
    found = BrickTransform(size, np.array(extent), hkl, rotation, translation).of(values)
    assert np.allclose(found, expected, atol=1e-5 * np.abs(full).max())


def test_threads_draw_the_same_mask() -> None:
    crystal = Crystal((30.0, 30.0, 41.0, 90.0, 90.0, 120.0), "P 31 2 1")
    hkl = all_reflections(crystal, 3.0)
    atoms = random_atoms(crystal, 25, seed=3)
    one, three = (SolventMask(crystal, hkl, 2.0, threads).f_mask(atoms) for threads in (1, 3))
    assert np.array_equal(one, three)
