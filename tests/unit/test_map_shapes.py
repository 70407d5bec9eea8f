"""Surfaces, sections, peaks, omit maps and map files: against known densities and gemmi."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.fake_run import recorded_run
from tests.unit.test_contour import OBLIQUE, gaussian_grid, wave_grid, waves
from tests.unit.test_maps import consistent
from workbench.core.crystal import Crystal
from workbench.core.errors import InputError
from workbench.core.events import CycleFinished, Prepared
from workbench.engine.maps.density import density_map, expand_to_p1
from workbench.engine.maps.peaks import find_peaks
from workbench.engine.maps.polder import clear_around, mask_factors, polder_map
from workbench.io.maps import MapGrid, holds_only_maps, read_maps
from workbench.view.colours import scene_colours
from workbench.view.density import contour, orthogonalisation
from workbench.view.maps import DENSITY, DIFFERENCE, MapSet, map_wires
from workbench.view.opened_maps import open_maps
from workbench.view.section import section
from workbench.view.surface import surface

CRYSTALS = [
    Crystal((31.0, 36.0, 27.0, 90.0, 103.0, 90.0), "P 1 21 1"),
    Crystal((40.0, 31.0, 35.0, 90.0, 103.0, 90.0), "C 1 2 1"),
    Crystal((40.0, 40.0, 62.0, 90.0, 90.0, 120.0), "P 31 2 1"),
    Crystal((40.0, 40.0, 62.0, 90.0, 90.0, 120.0), "P 65 2 2"),
    Crystal((52.0, 52.0, 52.0, 90.0, 90.0, 90.0), "I 21 3"),
    Crystal((21.0, 24.0, 27.0, 80.0, 95.0, 100.0), "P 1"),
]


def gemmi_map(crystal: Crystal, hkl: np.ndarray, f: np.ndarray, size: tuple[int, ...]) -> gemmi.FloatGrid:
    data = gemmi.ComplexAsuData(gemmi.UnitCell(*crystal.cell), gemmi.SpaceGroup(crystal.space_group), hkl, f)
    return data.transform_f_phi_to_map(exact_size=list(size))


@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda crystal: crystal.space_group)
def test_density_on_and_across_the_cell_is_gemmis(crystal: Crystal, tmp_path: Path) -> None:
    """Our own map of the coefficients, the CCP4 file of gemmi's and its MTZ: within 1 % of the r.m.s., inside the cell
    and in cells around it."""
    hkl, f = consistent(crystal, 2.6)
    values, sigma = density_map(crystal, hkl, f, 2.6)
    reference = gemmi_map(crystal, hkl, f, values.shape)
    assert np.abs(np.array(reference, copy=False) - values).max() < 0.01 * sigma
    path = tmp_path / "gemmi.ccp4"
    ccp4 = gemmi.Ccp4Map()
    ccp4.grid = reference
    ccp4.update_ccp4_header()
    ccp4.write_ccp4_map(str(path))
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup, mtz.cell = gemmi.SpaceGroup(crystal.space_group), gemmi.UnitCell(*crystal.cell)
    mtz.add_dataset("map")
    mtz.add_column("FWT", "F")
    mtz.add_column("PHWT", "P")
    mtz.set_data(np.column_stack([hkl, np.abs(f), np.degrees(np.angle(f))]).astype(np.float32))
    coefficients = tmp_path / "coefficients.mtz"
    mtz.write_to_file(str(coefficients))
    atoms = np.random.default_rng(1).random((5, 3))  # where `consistent` puts them
    frac = np.concatenate([atoms - [1, 0, 2], np.random.default_rng(0).uniform(-2.0, 2.0, (400, 3))])
    xyz = frac @ orthogonalisation(crystal).T
    # The plain Fourier sum at the places themselves, Friedel mates included.
    everywhere, factors = expand_to_p1(crystal, hkl, f)
    once = np.unique(everywhere, axis=0, return_index=True)[1]
    everywhere, factors = everywhere[once], factors[once]
    mates = {tuple(index) for index in everywhere.tolist()}
    weight = np.array([1.0 if tuple(-n for n in index) in mates else 2.0 for index in everywhere.tolist()])
    waves_ = factors * weight * np.exp(-2j * np.pi * (frac @ everywhere.T))
    expected = waves_.real.sum(axis=1) / gemmi.UnitCell(*crystal.cell).volume
    for file in (path, coefficients):
        opened = open_maps(str(file))
        (grid,) = opened.grids.values()
        assert holds_only_maps(str(file))
        assert grid.values.shape == values.shape
        # An atom's peak, 25 sigma here: 2 %. Between the eight grid points around it it would be 13 % too low.
        assert grid.at(xyz[:5]) == pytest.approx(expected[:5], rel=0.02)
        assert (np.abs(grid.at(xyz) - expected) < 0.03 * np.abs(expected) + 0.1 * sigma).all()
        # One point after the other is as good as all together, and grid points keep their own values.
        assert [grid.at(point)[0] for point in xyz[:5]] == pytest.approx(grid.at(xyz[:5]), abs=2e-4 * sigma)
        node = np.array([[3, -70, 11]])
        own = values[tuple((node[0] % values.shape).tolist())]
        assert grid.at(node @ grid.step_vectors().T) == pytest.approx(own, abs=1e-3 * sigma)
        assert grid.sigma == pytest.approx(sigma, rel=0.01)


def test_difference_maps_are_recognised_by_their_labels(tmp_path: Path) -> None:
    crystal = CRYSTALS[0]
    hkl, f = consistent(crystal, 3.0)
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup, mtz.cell = gemmi.SpaceGroup(crystal.space_group), gemmi.UnitCell(*crystal.cell)
    mtz.add_dataset("map")
    for label, kind in (
        ("FWT", "F"),
        ("PHWT", "P"),
        ("DELFWT", "F"),
        ("PHDELWT", "P"),
        ("EMPTY", "F"),
        ("PHEMPTY", "P"),
    ):
        mtz.add_column(label, kind)
    a, p = np.abs(f), np.degrees(np.angle(f))
    mtz.set_data(np.column_stack([hkl, a, p, a, p, 0 * a, p]).astype(np.float32))
    path = tmp_path / "refined.mtz"
    mtz.write_to_file(str(path))
    opened = open_maps(str(path))
    assert set(opened.grids) == {"refined.mtz FWT", "refined.mtz DELFWT"}
    assert opened.differences == {"refined.mtz DELFWT"}


@pytest.mark.parametrize(
    ("label", "difference"),
    [("2FOFCWT", False), ("FOFCWT", True), ("2FOFCWT_no_fill", False), ("DELFWT", True), ("FWT", False),
     ("2mFo-DFc", False), ("mFo-DFc", True), ("x_2mfodfc", False), ("x_fofc", True), ("polder A 3", True),
     ("3FO2FC", False), ("FC", False)],
)  # fmt: skip
def test_labels_of_programs(label: str, difference: bool) -> None:
    from workbench.io.maps import is_difference

    assert is_difference(label) is difference


@pytest.mark.parametrize("content", [b"", b"hello\n", b"MTZ " + b"\0" * 100, b"\0" * 208 + b"MAP " + b"\0" * 900])
def test_files_that_are_no_maps(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.map"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"odd\.map"):
        read_maps(str(path))


def test_truncated_map(tmp_path: Path) -> None:
    grid = gemmi.FloatGrid(
        np.random.default_rng(0).random((8, 9, 10)).astype(np.float32), gemmi.UnitCell(8, 9, 10, 90, 90, 90)
    )
    ccp4 = gemmi.Ccp4Map()
    ccp4.grid = grid
    ccp4.grid.spacegroup = gemmi.SpaceGroup("P 1")
    ccp4.update_ccp4_header()
    path = tmp_path / "whole.map"
    ccp4.write_ccp4_map(str(path))
    (read,) = read_maps(str(path))
    assert isinstance(read, MapGrid) and read.values.shape == (8, 9, 10)
    cut = tmp_path / "cut.map"
    cut.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(InputError, match="cannot be read"):
        read_maps(str(cut))


def test_sigma_of_a_box_is_that_of_the_box(tmp_path: Path) -> None:
    """A map of a part of the cell: what it does not hold is not density of zero."""
    values = np.random.default_rng(4).normal(2.0, 1.5, (12, 14, 16)).astype(np.float32)
    ccp4 = gemmi.Ccp4Map()
    ccp4.grid = gemmi.FloatGrid(values, gemmi.UnitCell(12, 14, 16, 90, 90, 90), gemmi.SpaceGroup("P 1"))
    ccp4.update_ccp4_header()
    box = gemmi.FractionalBox()
    for corner in (0.0, 0.45):
        box.extend(gemmi.Fractional(corner, corner, corner))
    ccp4.set_extent(box)
    path = tmp_path / "box.ccp4"
    ccp4.write_ccp4_map(str(path))
    opened = open_maps(str(path)).grids["box.ccp4"]
    held = np.array(gemmi.read_ccp4_map(str(path)).grid)
    assert held.size < 0.2 * values.size
    assert opened.sigma == pytest.approx(float(held.std()), rel=1e-4)
    assert np.isfinite(opened.values).all() and np.count_nonzero(opened.values) == held.size


def test_surface_lies_on_the_level_and_is_closed() -> None:
    grid = wave_grid(OBLIQUE, (40, 48, 44))
    mesh = surface(grid, 0.8, np.array([3.0, -4.0, 8.0]), 9.0)
    assert len(mesh.triangles) > 1000
    frac = mesh.vertices.astype(float) @ np.linalg.inv(orthogonalisation(OBLIQUE)).T
    assert np.abs(waves(frac) - 0.8).max() < 0.05
    # normals point to where the density falls
    step = 0.05 * mesh.normals @ np.linalg.inv(orthogonalisation(OBLIQUE)).T
    assert (waves(frac + step) < waves(frac - step)).mean() > 0.995
    ball = gaussian_grid(Crystal((20.0, 20.0, 20.0, 90.0, 90.0, 90.0), "P 1"), (40, 40, 40), np.full(3, 0.5), 0.1)
    shell = surface(ball, float(np.exp(-0.1 * 16.0)), np.full(3, 10.0), 9.0)
    assert np.linalg.norm(shell.vertices - 10.0, axis=1) == pytest.approx(4.0, abs=0.03)
    edges = np.sort(np.concatenate([shell.triangles[:, k] for k in ([0, 1], [1, 2], [2, 0])]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 2).all()
    a, b, c = (shell.vertices[shell.triangles[:, k]].astype(float) for k in range(3))
    outward = np.einsum("ij,ij->i", np.cross(b - a, c - a), (a + b + c) / 3 - 10.0)
    assert (outward > 0).all()
    assert not len(surface(grid, 100.0, np.zeros(3), 5.0).triangles)
    negative = surface(grid, -0.6, np.array([3.0, -4.0, 8.0]), 9.0)
    at = waves(negative.vertices.astype(float) @ np.linalg.inv(orthogonalisation(OBLIQUE)).T)
    assert np.abs(at + 0.6).max() < 0.05


def test_section_shows_the_density_of_its_plane() -> None:
    grid = wave_grid(OBLIQUE, (48, 48, 48))
    right, up = np.array([0.6, 0.8, 0.0]), np.array([-0.8, 0.6, 0.0])
    centre = np.array([40.0, -3.0, 12.0])
    cut = section(grid, centre, right, up, 6.0)
    n = len(cut.values)
    assert cut.values.shape == (n, n) and 12.0 / (n - 1) <= 0.2 + 1e-9
    place = np.linspace(-6.0, 6.0, n)
    points = centre + place[None, :, None] * right + place[:, None, None] * up
    expected = waves(points @ np.linalg.inv(orthogonalisation(OBLIQUE)).T) / grid.sigma
    assert np.abs(cut.values - expected).max() < 0.05


@pytest.mark.parametrize("ground", ["#101216", "#FAFBFC"])
@pytest.mark.parametrize("safe", [False, True])
def test_every_difference_map_has_colours_of_its_own(ground: str, safe: bool) -> None:
    """The refinement's in green and red (or the safe pair) wherever it stands; others differ in colour and width, and
    their negative lines are broken where colour alone must not tell."""
    grid = wave_grid(OBLIQUE, (8, 8, 8))
    names = ("polder A 2", DENSITY, DIFFERENCE, "other.mtz DELFWT", "other.mtz FWT")
    maps = MapSet(dict.fromkeys(names, grid), differences=frozenset({names[0], DIFFERENCE, names[3]}))
    colours = scene_colours(ground, safe=safe)
    wires = {wire.name: wire for wire in map_wires(maps, colours)}
    assert (wires[f"{DIFFERENCE} +"].colour, wires[f"{DIFFERENCE} -"].colour) == (colours.positive, colours.negative)
    assert len({wire.colour for wire in wires.values()}) == len(wires) == 8
    for name in (names[0], names[3]):
        assert wires[f"{name} +"].width > wires[f"{DIFFERENCE} +"].width
        assert (wires[f"{name} -"].broken > 0.0) is safe
    alone = map_wires(MapSet({"polder A 2": grid}, differences=frozenset({"polder A 2"})), colours)
    assert alone[0].colour == colours.positive
    assert maps.first_of_each_kind() == ("polder A 2", DENSITY)
    assert list(maps.only(("other.mtz FWT", DENSITY)).grids) == [DENSITY, "other.mtz FWT"]


def test_coarse_wire_is_refined() -> None:
    """3.5 A data, a point every 1.2 A: the wire lies on the density itself, not on flat facets of it."""
    crystal = Crystal((36.0, 36.0, 36.0, 90.0, 90.0, 90.0), "P 1")
    where = np.full(3, 0.5)
    grid = gaussian_grid(crystal, (30, 30, 30), where, 0.08)
    level = float(np.exp(-0.08 * 3.0**2))
    lines = contour(grid, level, np.full(3, 18.0), 9.0).segments
    radii = np.linalg.norm(lines.reshape(-1, 3) - 18.0, axis=1)
    assert np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1).max() < 0.9
    assert np.abs(radii - 3.0).max() < 0.06


@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda crystal: crystal.space_group)
def test_each_peak_once_at_the_copy_beside_the_model(crystal: Crystal) -> None:
    """Five atoms in general positions: five peaks, each at the atom it belongs to, wherever its file puts the atom."""
    rng = np.random.default_rng(1)
    frac = rng.random((5, 3))
    hkl, f = consistent(crystal, 2.6)
    values, sigma = density_map(crystal, hkl, f, 2.6)
    atoms = frac @ orthogonalisation(crystal).T
    peaks = find_peaks(crystal, values, sigma, atoms, limit=4.0, holes=False)
    heights = np.array([peak.height for peak in peaks])
    assert (np.diff(heights) <= 0).all()
    near = [peak for peak in peaks if peak.distance < 0.4]
    nearest = {int(np.argmin(np.linalg.norm(atoms - np.array(peak.xyz), axis=1))) for peak in near}
    assert nearest == set(range(5)) and len(near) == 5
    for peak in near:
        assert np.linalg.norm(atoms - np.array(peak.xyz), axis=1).min() == pytest.approx(peak.distance, abs=1e-6)
    turned = find_peaks(crystal, -values, sigma, atoms, limit=4.0)
    assert turned[0].height == pytest.approx(-peaks[0].height)
    assert find_peaks(crystal, values * 0, 0.0, atoms) == ()


def test_omit_map_shows_what_was_left_out() -> None:
    """Data of the whole model: the omitted residue, and it alone, stands in the difference map."""
    events = recorded_run(cycles=2)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycle = [event for event in events if isinstance(event, CycleFinished)][-1]
    model = prepared.model
    omitted = model.residue == 1
    values, sigma = polder_map(prepared, cycle.state, omitted)
    from workbench.view.density import DensityGrid

    grid = DensityGrid(values, model.crystal, sigma)
    polymer = model.residues.kind[model.residue] != "water"
    there = grid.at(cycle.state.xyz[omitted]).mean() / sigma
    elsewhere = grid.at(cycle.state.xyz[~omitted & polymer]).mean() / sigma
    assert there > 2.0 and there > elsewhere + 2.0
    for nothing in (np.zeros(len(model), dtype=bool), np.ones(len(model), dtype=bool)):
        with pytest.raises(InputError, match="left out"):
            polder_map(prepared, cycle.state, nothing)
    assert dataclasses.is_dataclass(prepared)


def test_mask_of_the_omit_map() -> None:
    """Cleared spheres have the right volume in all their copies, and F_mask is the transform of the mask."""
    crystal = Crystal((40.0, 44.0, 48.0, 90.0, 90.0, 90.0), "P 21 21 21")
    mask = np.ones((80, 88, 96))
    clear_around(mask, crystal, np.array([[5.0, 6.0, 7.0]]), 4.0)
    volume = 40.0 * 44.0 * 48.0 * (1.0 - mask.mean())
    assert volume == pytest.approx(4 * 4.0 / 3.0 * np.pi * 4.0**3, rel=0.02)
    hkl = np.array([[1, 2, 3], [-2, 1, 4], [0, 0, 2], [45, 0, 0]], dtype=np.int32)
    f = mask_factors(mask, crystal, hkl)
    x = np.stack(np.meshgrid(*[np.arange(n) / n for n in mask.shape], indexing="ij"), axis=-1)
    for index, value in zip(hkl[:3], f[:3], strict=True):
        direct = (mask * np.exp(2j * np.pi * (x @ index))).mean() * 40.0 * 44.0 * 48.0
        assert value == pytest.approx(direct, abs=1e-6)
    assert f[3] == 0.0
