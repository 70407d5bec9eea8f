"""Model and data of one crystal described on different axes: the score is that of the same axes.

The data are re-indexed here by an operator that is given, the model finds its own way.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from workbench.core.control import FixedControl
from workbench.core.crystal import Crystal
from workbench.core.errors import InputError
from workbench.core.events import CycleFinished, Prepared
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.crystal_setting import settings_between
from workbench.io.models import read_model
from workbench.session.run import run, score_model

KEEP = RefinementSettings(hydrogens="keep", threads=1)


def score(model: Path, data: Path) -> tuple[CycleFinished, Prepared, list[str]]:
    said: list[str] = []
    prepared, cycle = score_model(RunRequest(str(model), str(data), settings=KEEP), said.append)
    return cycle, prepared, said


def synthetic(folder: Path, cell: tuple[float, ...], symbol: str, source: Path) -> tuple[Path, Path]:
    """The peptide of an example, turned, in another crystal, with the data that it gives there and an error of 10 %."""
    structure = gemmi.read_structure(str(source))
    structure.remove_alternative_conformations()
    turn = Rotation.random(random_state=5).as_matrix()
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                atom.pos = gemmi.Position(*(turn @ np.array(atom.pos.tolist()) + (3.0, 5.0, 7.0)))
                atom.aniso = gemmi.SMat33f(0, 0, 0, 0, 0, 0)
    structure.cell = gemmi.UnitCell(*cell)
    structure.spacegroup_hm = symbol
    structure.setup_cell_images()
    model = folder / "model.pdb"
    structure.write_pdb(str(model))
    structure = gemmi.read_structure(str(model))
    group = gemmi.SpaceGroup(symbol)
    hkl = gemmi.make_miller_array(structure.cell, group, 1.6, 50.0)
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    f = np.array([abs(calculator.calculate_sf_from_model(structure[0], row)) for row in hkl.tolist()])
    rng = np.random.default_rng(0)
    f = np.abs(f * rng.normal(1.0, 0.1, len(f))) + 0.01
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = group
    mtz.set_cell_for_all(structure.cell)
    mtz.add_dataset("made")
    for label, kind in (("F", "F"), ("SIGF", "Q"), ("FREE", "I")):
        mtz.add_column(label, kind)
    flags = rng.permutation(np.arange(len(f)) % 10)
    mtz.set_data(np.column_stack([hkl, f, 0.1 * f, flags]).astype(np.float32))
    data = folder / "data.mtz"
    mtz.write_to_file(str(data))
    return model, data


CASES = [
    # cell, group, operator on the indices, group that comes of it
    ((31.0, 19.0, 23.0, 90, 112, 90), "C 1 2 1", "-h-l,-k,l", "I 1 2 1"),
    ((26.0, 26.0, 21.0, 90, 90, 120), "R 3:H", "2/3*h+1/3*k+1/3*l,-1/3*h+1/3*k+1/3*l,-1/3*h-2/3*k+1/3*l", "R 3:R"),
    ((22.0, 26.0, 31.0, 90, 90, 90), "P 21 21 2", "l,h,k", "P 2 21 21"),
    ((22.0, 26.0, 31.0, 90, 90, 90), "P 21 21 21", "k,l,h", "P 21 21 21"),
    ((18.0, 26.0, 23.0, 90, 105, 90), "P 1 21 1", "-h-l,-k,l", "P 1 21 1"),
    ((18.0, 23.0, 26.0, 75, 82, 68), "P 1", "h-k,k,l", "P 1"),
]


@pytest.mark.parametrize(("cell", "symbol", "operator", "other"), CASES)
def test_score_is_that_of_the_same_axes(
    tmp_path: Path, examples: Path, cell: tuple[float, ...], symbol: str, operator: str, other: str
) -> None:
    model, data = synthetic(tmp_path, cell, symbol, examples / "pep_5e5z" / "pep_5e5z.pdb")
    turned = reindexed(data, operator, other, tmp_path / "turned.mtz")
    plain, _, quiet = score(model, data)
    cycle, prepared, said = score(model, turned)
    assert prepared.model.crystal.space_group == other
    assert cycle.statistics.r_work == pytest.approx(plain.statistics.r_work, abs=1e-4)
    assert cycle.statistics.r_free == pytest.approx(plain.statistics.r_free, abs=1e-4)
    assert any("on other axes" in text for text in said) and not any("on other axes" in text for text in quiet)


def reindexed(data: Path, operator: str, symbol: str, to: Path) -> Path:
    """The data with indices and cell changed by an operator whose rows are the new axes."""
    mtz = gemmi.read_mtz_file(str(data))
    matrix = np.array(gemmi.Op(operator.replace("h", "x").replace("k", "y").replace("l", "z")).rot) / 24.0
    hkl = mtz.make_miller_array() @ matrix.T
    assert np.abs(hkl - np.rint(hkl)).max() < 1e-6, "the operator belongs to another lattice"
    axes = np.array(mtz.cell.orth.mat.tolist()) @ matrix.T
    lengths = np.linalg.norm(axes, axis=0)
    angles = [
        np.degrees(np.arccos(axes[:, i] @ axes[:, j] / lengths[i] / lengths[j])) for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    table = np.array(mtz.array)
    table[:, :3] = np.rint(hkl)
    mtz.spacegroup = gemmi.find_spacegroup_by_name(symbol, float(angles[0]), float(angles[2]))
    mtz.set_cell_for_all(gemmi.UnitCell(*lengths, *angles))
    mtz.set_data(np.ascontiguousarray(table, dtype=np.float32))
    mtz.ensure_asu()
    mtz.write_to_file(str(to))
    return to


def test_a_real_model_in_i2(tmp_path: Path, examples: Path) -> None:
    """Lysozyme in C2 against its data in I2: scored, refined, and written on the axes of the data."""
    model = examples / "lyso_c2" / "lyso_c2.pdb.gz"
    data = tmp_path / "plain.mtz"
    gemmi.read_mtz_file(str(examples / "lyso_c2" / "lyso_c2.mtz.gz")).write_to_file(str(data))
    turned = reindexed(data, "-h-l,-k,l", "I 1 2 1", tmp_path / "i2.mtz")
    plain, _, _ = score(model, data)
    cycle, prepared, said = score(model, turned)
    assert cycle.statistics.r_work == pytest.approx(plain.statistics.r_work, abs=1e-4)
    (told,) = (text for text in said if "on other axes" in text)
    assert "C 1 2 1 and I 1 2 1" in told and "turned to the axes of the data" in told
    from workbench.export.model_files import model_files

    files = model_files(prepared, cycle)
    again = tmp_path / "again.pdb"
    again.write_text(files.pdb)
    written, _, quiet = score(again, turned)
    assert written.statistics.r_work == pytest.approx(cycle.statistics.r_work, abs=5e-4)
    assert not any("on other axes" in text for text in quiet)


def test_anisotropic_atoms_turn_as_well(tmp_path: Path, examples: Path) -> None:
    model, data = synthetic(tmp_path, CASES[0][0], "C 1 2 1", examples / "pep_5e5z" / "pep_5e5z.pdb")
    structure = gemmi.read_structure(str(model))
    rng = np.random.default_rng(2)
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                half = rng.normal(0, 0.15, (3, 3))
                u = half @ half.T + 0.05 * np.eye(3)
                atom.aniso = gemmi.SMat33f(u[0, 0], u[1, 1], u[2, 2], u[0, 1], u[0, 2], u[1, 2])
    structure.write_pdb(str(model))
    turned = reindexed(data, "-h-l,-k,l", "I 1 2 1", tmp_path / "turned.mtz")
    plain, cycle = score(model, data)[0], score(model, turned)[0]
    assert cycle.statistics.r_work == pytest.approx(plain.statistics.r_work, abs=1e-4)


def test_the_same_crystal_twice_is_no_change() -> None:
    crystal = Crystal((31.0, 19.0, 23.0, 90.0, 112.0, 90.0), "C 1 2 1")
    (only,) = settings_between(crystal, crystal, 0.015)
    assert only.operator == "x,y,z" and np.allclose(only.rotation, np.eye(3)) and np.allclose(only.shift, 0)


def test_indexings_that_the_lattice_allows() -> None:
    """A rhombohedral lattice has a twofold axis more than R3: two ways; for R32 there is one."""
    hexagonal = (26.0, 26.0, 21.0, 90.0, 90.0, 120.0)
    edge = float(np.sqrt(26.0**2 / 3 + 21.0**2 / 9))
    angle = float(np.degrees(np.arccos(1 - 26.0**2 / 2 / edge**2)))
    rhombohedral = (edge, edge, edge, angle, angle, angle)
    for first, second, count in (("R 3:H", "R 3:R", 2), ("R 3 2:H", "R 3 2:R", 1), ("R 3:H", "R 3 2:R", 0)):
        ways = settings_between(Crystal(hexagonal, first), Crystal(rhombohedral, second), 0.015)
        assert len(ways) == count


@pytest.mark.parametrize("second", ["P 1 2 1", "P 1 21 1", "C 2 2 21", "P 21 21 21"])
def test_another_group_is_not_the_same_crystal(second: str) -> None:
    first = Crystal((31.0, 19.0, 23.0, 90.0, 90.0, 90.0), "C 1 2 1")
    assert not settings_between(first, replace(first, space_group=second), 0.015)


def test_enantiomorphs_are_told_apart() -> None:
    cell = (40.0, 40.0, 60.0, 90.0, 90.0, 90.0)
    assert not settings_between(Crystal(cell, "P 41"), Crystal(cell, "P 43"), 0.015)
    assert not settings_between(Crystal(cell, "P 41 21 2"), Crystal(cell, "P 43 21 2"), 0.015)


def test_another_crystal_form_is_still_refused(tmp_path: Path, examples: Path) -> None:
    model, _ = synthetic(tmp_path, (31.0, 19.0, 23.0, 90, 112, 90), "C 1 2 1", examples / "pep_5e5z" / "pep_5e5z.pdb")
    with pytest.raises(InputError, match="another crystal form"):
        score(model, examples / "lyso_c2" / "lyso_c2.mtz.gz")
    assert read_model(str(model)).crystal.space_group == "C 1 2 1"
    events = list(run(RunRequest(str(model), str(examples / "lyso_c2" / "lyso_c2.mtz.gz")), FixedControl(KEEP)))
    assert "another crystal form" in events[-1].message  # type: ignore[union-attr]
