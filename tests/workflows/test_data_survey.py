"""What a data file offers to choose from, and what would be read after the choice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

from workbench import launch
from workbench.core.errors import InputError
from workbench.core.settings import DataOptions
from workbench.io.given_crystal import possible_groups
from workbench.io.reflections import read_reflections
from workbench.session.data_choice import DataChoice
from workbench.session.data_survey import survey


def options(**values: object) -> DataChoice:
    return DataChoice(options=replace(DataOptions(), **values))  # type: ignore[arg-type]


@pytest.mark.shared_data
def test_four_data_sets(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(shared_data / "odd" / "toxd_multi_dataset.mtz")
    found = survey(data)
    assert found.question is not None and found.question.choice == "columns"
    assert [each.dataset for each in found.contents.measured] == ["NATIVE", "DERIV_AU", "DERIV_MM", "DERIV_I"]
    assert [each.count for each in found.contents.measured] == [3161, 2543, 1656, 1860]
    again = survey(data, choice=DataChoice(labels=("FMM11", "SIGFMM11")))
    assert again.question is None and "FMM11" in again.summary and again.n == 1656
    assert launch.main(["inspect", data, "--contents"]) == 0
    assert "DERIV_AU" in (said := capsys.readouterr().out) and "--data-set NATIVE" in said
    assert launch.main(["inspect", data, "--contents", "--json", "--data-set", "DERIV_I"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["question"] is None and plain["n"] == 1860


@pytest.mark.shared_data
def test_scalepack_without_a_space_group(shared_data: Path) -> None:
    data = str(shared_data / "odd" / "gere_w1.sca")
    found = survey(data)
    assert found.question is not None and found.question.choice == "crystal"
    assert "C 1 2 1" in found.contents.space_groups and "P 3 2 1" not in found.contents.space_groups


@pytest.mark.shared_data
def test_unmerged_observations(shared_data: Path) -> None:
    data = str(shared_data / "odd" / "careless_pyp_off_unmerged.mtz")
    found = survey(data)
    assert found.question is not None and found.question.choice == "merge" and not found.contents.scaled
    assert "P 61" in found.contents.space_groups and "P 41" not in found.contents.space_groups
    merged = survey(data, choice=options(merge=True, space_group="P 61"))
    assert merged.question is None and "in P 61" in merged.summary


@pytest.mark.shared_data
def test_flags_of_a_second_file(shared_data: Path) -> None:
    odd = shared_data / "odd"
    found = survey(str(odd / "gere_F_SIGF_cellA.mtz"), choice=options(free_file=str(odd / "gere_FREERFLAG_cellB.mtz")))
    assert found.question is None and found.n_free == 600
    assert [flag.label for flag in found.contents.other_flags] == ["FREER"]
    assert len(found.contents.other_flags[0].values) == 20


def test_another_space_group_of_the_same_lattice(examples: Path) -> None:
    """P 1 21 1 against P 1 2 1: the screw axis only costs the absent reflections; another lattice cannot be."""
    data = str(examples / "pep_5e5z" / "pep_5e5z.mtz")
    own = read_reflections(data)
    other = read_reflections(data, options=DataOptions(space_group="P2"))
    assert other.crystal.space_group == "P 1 2 1" and other.crystal.cell == own.crystal.cell
    shared = {tuple(row) for row in own.hkl.tolist()} <= {tuple(row) for row in other.hkl.tolist()}
    assert shared and any("that the user gave" in note for note in other.notes)
    for wrong, finding in (("C2", "lattice"), ("P1", "merged in"), ("P 21 21 21", "cannot have")):
        with pytest.raises(InputError, match=finding) as refused:
            read_reflections(data, options=DataOptions(space_group=wrong))
        assert refused.value.choice == "crystal"


def test_possible_groups() -> None:
    cell = gemmi.UnitCell(60, 60, 90, 90, 90, 120)
    trigonal = gemmi.SpaceGroup("P 32 2 1")
    assert possible_groups(cell, trigonal) == ("P 3 2 1", "P 31 2 1", "P 32 2 1")
    unmerged = possible_groups(cell, trigonal, merged=False)
    assert {"P 61 2 2", "P 3 1 2", "P 1"} <= set(unmerged) and not any(symbol.startswith("R") for symbol in unmerged)
    assert "I 1 2 1" in possible_groups(gemmi.UnitCell(50, 60, 70, 90, 95, 90), gemmi.SpaceGroup("I 1 2 1"))


def test_several_crystals_in_one_loop(examples: Path, tmp_path: Path) -> None:
    """The names stay on offer after one was chosen."""
    mtz = gemmi.read_mtz_file(str(examples / "pep_5e5z" / "pep_5e5z.mtz"))
    hkl = mtz.make_miller_array()
    f = np.array(mtz.column_with_label("FP"))
    values = list(zip([" ".join(map(str, row)) for row in hkl.tolist()], f, strict=True))
    rows = [f"{indices} {c} {value * c:.2f} 1.0 o" for c in (1, 2) for indices, value in values]
    path = tmp_path / "two.cif"
    names = ("index_h", "index_k", "index_l", "crystal_id", "F_meas_au", "F_meas_sigma_au", "status")
    a, b, c, al, be, ga = mtz.cell.parameters
    head = f"data_r\n_cell.length_a {a}\n_cell.length_b {b}\n_cell.length_c {c}\n_cell.angle_alpha {al}\n"
    head += f"_cell.angle_beta {be}\n_cell.angle_gamma {ga}\n_symmetry.space_group_name_H-M '{mtz.spacegroup.hm}'\n"
    path.write_text(head + "loop_\n" + "\n".join(f"_refln.{name}" for name in names) + "\n" + "\n".join(rows) + "\n")
    found = survey(str(path))
    assert found.question is not None and found.question.choice == "columns"
    assert found.contents.datasets == ("1", "2")
    chosen = survey(str(path), choice=options(dataset="2"))
    assert chosen.question is None and chosen.contents.datasets == ("1", "2") and chosen.n == int((f > 0).sum())


def test_a_block_that_is_not_there_is_not_replaced_by_the_first(tmp_path: Path) -> None:
    head = "_cell.length_a 30\n_cell.length_b 40\n_cell.length_c 50\n_cell.angle_alpha 90\n_cell.angle_beta 90\n"
    head += "_cell.angle_gamma 90\n_symmetry.space_group_name_H-M 'P 21 21 21'\nloop_\n_refln.index_h\n_refln.index_k\n"
    head += "_refln.index_l\n_refln.crystal_id\n_refln.F_meas_au\n_refln.F_meas_sigma_au\n"
    path = tmp_path / "blocks.cif"
    path.write_text("".join(f"data_{name}\n{head}1 2 {n} 1 {10 * n} 1.0\n" for n, name in enumerate("ab", start=1)))
    for name, taken in (("", 10.0), ("a", 10.0), ("b", 20.0), ("1", 10.0)):
        assert read_reflections(str(path), options=options(dataset=name).options).f_obs.tolist() == [taken]
    with pytest.raises(InputError, match="no data block of this name") as found:
        read_reflections(str(path), options=options(dataset="c").options)
    assert found.value.item == "c" and "It has: a, b." in found.value.remedy
