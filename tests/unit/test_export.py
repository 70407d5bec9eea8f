"""What leaves the program: the five files say what the run reached, and keep what it did not touch."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.fake_run import PDB_TEXT, fake_run, recorded_run
from workbench.core.control import FixedControl
from workbench.core.crystal import Model, ModelState
from workbench.core.errors import InputError
from workbench.core.events import CycleFinished, Finished, Prepared
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.export.model_files import model_files, refined_structure
from workbench.export.results import FILES, RunTiming, write_results
from workbench.export.statistics import CYCLE_KEYS, json_value
from workbench.io.reflections import read_reflections


def _run() -> tuple[Prepared, list[CycleFinished], Finished]:
    events = recorded_run(cycles=3)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    finished = events[-1]
    assert isinstance(finished, Finished)
    return prepared, cycles, finished


def _write(folder: Path) -> tuple[Prepared, list[CycleFinished], Finished]:
    prepared, cycles, finished = _run()
    written = write_results(
        folder,
        prepared=prepared,
        final=finished.kept,
        cycles=[cycle.statistics for cycle in cycles],
        log=["first line"],
        timing=RunTiming.of(prepared, finished, []),
    )
    assert [path.name for path in written.paths] == list(FILES)
    return prepared, cycles, finished


def test_the_five_files_and_nothing_else(tmp_path: Path) -> None:
    _write(tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", ["refined.pdb", "refined.cif"])
def test_model_files_hold_the_refined_atoms(tmp_path: Path, name: str) -> None:
    prepared, _, finished = _write(tmp_path)
    structure = gemmi.read_structure(str(tmp_path / name))
    atoms = [(c, r, a) for c in structure[0] for r in c for a in r]
    model, state = prepared.model, finished.kept.state
    assert len(atoms) == len(model)
    for i, (chain, residue, atom) in enumerate(atoms):
        row = model.residue[i]
        assert (atom.name, residue.name, chain.name) == (
            model.atom_name[i],
            model.residues.name[row],
            model.residues.chain[row],
        )
        assert atom.altloc.strip("\0") == model.altloc[i]
        np.testing.assert_allclose(atom.pos.tolist(), state.xyz[i], atol=6e-4)
        assert atom.b_iso == pytest.approx(state.b_iso[i], abs=0.006)
        assert atom.occ == pytest.approx(state.occupancy[i], abs=0.006)
    assert atoms[-1][2].aniso.elements_pdb() == pytest.approx(state.u_aniso[-1], abs=1e-4)
    np.testing.assert_allclose(structure.cell.parameters, model.crystal.cell, atol=1e-3)
    found = structure.find_spacegroup()
    assert found is not None and found.hm == "P 21 21 21"


def test_pdb_header_keeps_what_holds_and_drops_what_does_not(tmp_path: Path) -> None:
    _, _, finished = _write(tmp_path)
    text = (tmp_path / "refined.pdb").read_text()
    for kept in ("LEU-VAL-SER", "TRIPEPTIDE OF UNIT-TEST", "CRYSTALLIZATION CONDITIONS", "SEQRES   1 A    3  LEU"):
        assert kept in text
    assert "SOMETHING ELSE" not in text and "0.123" not in text
    assert f"{finished.kept.statistics.r_free:.4f}" in text
    assert text.count("CRYST1") == 1 and "15.200" in text
    records = [line[:6].strip() for line in text.splitlines()]
    assert records.index("TITLE") < records.index("REMARK") < records.index("CRYST1") < records.index("ATOM")
    assert records[-1] == "END" and all(len(line) == 80 for line in text.splitlines())


def test_mmcif_names_the_refinement(tmp_path: Path) -> None:
    prepared, _, finished = _write(tmp_path)
    block = gemmi.cif.read(str(tmp_path / "refined.cif")).sole_block()
    s = finished.kept.statistics
    assert float(block.find_values("_refine.ls_R_factor_R_work")[0]) == pytest.approx(s.r_work, abs=5e-4)
    assert float(block.find_values("_refine.ls_R_factor_R_free")[0]) == pytest.approx(s.r_free, abs=5e-4)
    assert len(block.find_values("_refine_ls_shell.d_res_high")) == 3
    assert block.find_value("_reflns.number_obs") == str(len(prepared.reflections))
    software = [gemmi.cif.as_string(name) for name in block.find_values("_software.name")]
    assert software == ["Refinement Workbench"]


def test_mtz_gives_the_r_factors_of_the_statistics(tmp_path: Path) -> None:
    prepared, _, finished = _write(tmp_path)
    mtz = gemmi.read_mtz_file(str(tmp_path / "refined.mtz"))
    assert [c.type for c in mtz.columns] == list("HHHFQIFPFPFPWJQ")
    assert len(mtz.array) == len(prepared.hkl)
    f, fc, free = (mtz.column_with_label(label).array for label in ("F", "FC", "FREE"))
    seen = np.isfinite(f)
    assert seen.sum() == len(prepared.reflections)
    np.testing.assert_allclose(mtz.column_with_label("I").array[seen], f[seen] ** 2, rtol=1e-5)
    again = read_reflections(str(tmp_path / "refined.mtz"))
    assert again.columns.amplitude == "F" and again.intensity is not None
    assert np.array_equal(np.isfinite(free), seen) and np.isfinite(fc).all()
    for rows, expected in ((free == 1, "r_work"), (free == 0, "r_free")):
        r = np.abs(f[rows] - fc[rows]).sum() / f[rows].sum()
        assert r == pytest.approx(getattr(finished.kept.statistics, expected), abs=5e-4)
    np.testing.assert_allclose(mtz.cell.parameters, prepared.model.crystal.cell, atol=1e-4)
    # Where nothing was measured, 2mFo-DFc is DFc and the difference map is empty.
    fwt, delfwt = mtz.column_with_label("FWT").array, mtz.column_with_label("DELFWT").array
    np.testing.assert_allclose(fwt[~seen], 0.95 * fc[~seen] / 12.5, rtol=1e-4)
    assert np.all(delfwt[~seen] == 0) and np.abs(delfwt[seen]).max() > 0
    phic = mtz.column_with_label("PHIC").array
    turned = (mtz.column_with_label("PHWT").array - phic + 90) % 180 - 90
    assert np.abs(turned[fwt > 0.01]).max() < 0.5


def test_without_a_test_set_there_is_no_free_column(tmp_path: Path) -> None:
    prepared, _, finished = _run()
    reflections = dataclasses.replace(
        prepared.reflections, has_free=False, free=np.zeros(len(prepared.reflections), dtype=bool)
    )
    final = dataclasses.replace(
        finished.kept, statistics=dataclasses.replace(finished.kept.statistics, r_free=math.nan, ll_free=math.nan)
    )
    written = write_results(
        tmp_path,
        prepared=dataclasses.replace(prepared, reflections=reflections),
        final=final,
        cycles=[final.statistics],
        log=[],
        timing=RunTiming(1.0, 2.0, 3.0),
    )
    assert "FREE" not in gemmi.read_mtz_file(str(tmp_path / "refined.mtz")).column_labels()
    assert json.loads((tmp_path / "statistics.json").read_text())["final"]["r_free"] is None
    assert written.document["inputs"]["free_set"]["label"] is None
    assert "NULL" in (tmp_path / "refined.pdb").read_text()


def test_statistics_json_has_the_fixed_keys(tmp_path: Path) -> None:
    prepared, cycles, finished = _write(tmp_path)
    document = json.loads((tmp_path / "statistics.json").read_text(encoding="utf-8"))
    assert [row["cycle"] for row in document["cycles"]] == [0, 1, 2, 3]
    for row in (*document["cycles"], document["final"]):
        assert set(CYCLE_KEYS) <= set(row)
        assert {"r_work_riding_h", "r_free_riding_h"} <= set(row)
    assert document["final"]["r_free"] == pytest.approx(finished.kept.statistics.r_free)
    assert document["cycles"][0]["r_work"] == pytest.approx(cycles[0].statistics.r_work)
    assert document["inputs"]["model"] == {"path": "peptide.pdb", "sha256": prepared.model.source.sha256}
    assert document["inputs"]["free_set"]["label"] == "FREE" and document["inputs"]["free_set"]["reason"]
    assert set(document["timing"]) == {"prepare_seconds", "refine_seconds", "peak_memory_mb"}
    assert document["verdict"]["state"] in ("waiting", "not settled", "healthy", "watch", "overfitting", "test set")
    assert document["verdict"]["reason"]


def test_numbers_that_json_cannot_hold_are_null() -> None:
    value = json_value({"a": [np.float32("nan"), math.inf, np.int32(3)], "b": np.array([1.5, math.nan]), "c": (True,)})
    assert value == {"a": [None, None, 3], "b": [1.5, None], "c": [True]}


def test_atoms_come_and_go(tmp_path: Path) -> None:
    """Hydrogens that were added are in both files, atoms that were removed are not."""
    prepared, _, finished = _run()
    model, state = prepared.model, finished.kept.state
    keep = np.arange(len(model)) != 3  # O of the first residue goes.
    order = np.append(np.flatnonzero(keep), 0)  # A hydrogen on N comes.
    fields = {
        name: getattr(model, name)[order]
        for name in ("xyz", "b_iso", "u_aniso", "anisotropic", "occupancy", "charge", "altloc", "residue")
    }
    changed = dataclasses.replace(
        model,
        **fields,
        element=np.append(model.element[keep], "H"),
        atom_name=np.append(model.atom_name[keep], "H1"),
        source_index=np.append(model.source_index[keep], -1).astype(np.int32),
    )
    arrays = {name: getattr(state, name)[order].copy() for name in ("xyz", "b_iso", "u_aniso", "occupancy")}
    arrays["xyz"][-1] += (0.5, 0.6, 0.2)
    structure = refined_structure(changed, ModelState(**arrays))
    first = structure[0][0][0]
    assert [atom.name for atom in first] == ["N", "CA", "C", "CB", "CG", "CD1", "CD2", "H1"]
    np.testing.assert_allclose(first[-1].pos.tolist(), arrays["xyz"][-1])
    assert structure[0].count_atom_sites() == len(model)


def test_an_mmcif_source_keeps_its_other_categories() -> None:
    prepared, _, finished = _run()
    structure = gemmi.read_pdb_string(PDB_TEXT)
    structure.setup_entities()
    block = structure.make_mmcif_block()
    block.set_pair("_exptl_crystal_grow.pdbx_details", "'20% PEG'")
    block.set_pair("_refine.ls_R_factor_R_work", "0.123")
    block.set_pair("_refine_hist.d_res_high", "1.0")
    document = gemmi.cif.Document()
    document.add_copied_block(block)
    model = dataclasses.replace(prepared.model, source_text=document.as_string(), source_format="mmcif")
    files = model_files(dataclasses.replace(prepared, model=model), finished.kept)
    out = gemmi.cif.read_string(files.mmcif).sole_block()
    assert out.find_value("_exptl_crystal_grow.pdbx_details") == "'20% PEG'"
    assert "0.123" not in files.mmcif and "_refine_hist" not in files.mmcif
    assert float(out.find_value("_cell.length_a")) == 15.2
    assert len(out.find_values("_atom_site.id")) == len(model)
    again = gemmi.read_pdb_string(files.pdb)
    assert again[0].count_atom_sites() == len(model)
    assert "FREE R VALUE" in files.pdb
    assert files.warnings == ()


def _renamed(model: Model, old: str, new: str) -> Model:
    structure = gemmi.read_pdb_string(model.source_text)
    structure.setup_entities()
    for chain in structure[0]:
        for residue in chain:
            if residue.name == old:
                residue.name = new
    names = np.where(model.residues.name == old, new, model.residues.name)
    return dataclasses.replace(
        model,
        residues=dataclasses.replace(model.residues, name=names),
        source_text=structure.make_mmcif_document().as_string(),
        source_format="mmcif",
    )


def test_what_pdb_cannot_hold_is_said() -> None:
    prepared, _, finished = _run()
    model = _renamed(prepared.model, "HOH", "A1H69")
    files = model_files(dataclasses.replace(prepared, model=model), finished.kept)
    assert any("A1H69" in warning for warning in files.warnings)
    assert "A1H69" in files.mmcif
    assert gemmi.read_pdb_string(files.pdb)[0].count_atom_sites() == len(model)


def test_conect_and_links_follow_the_atoms() -> None:
    """Serial numbers that repeat or jump in the source do not mislead CONECT records."""
    prepared, _, finished = _run()
    text = PDB_TEXT.replace("HETATM   26", "HETATM  500").replace("ANISOU   26", "ANISOU  500")
    text = text.replace("END\n", "CONECT  500   24\nEND\n")
    model = dataclasses.replace(prepared.model, source_text=text)
    files = model_files(dataclasses.replace(prepared, model=model), finished.kept)
    lines = files.pdb.splitlines()
    water = next(line[6:11] for line in lines if line.startswith("HETATM"))
    oxt = next(line[6:11] for line in lines if line[12:16] == " OXT")
    assert f"CONECT{water}{oxt}" in files.pdb


def test_a_folder_that_cannot_be_written_is_refused_without_a_trace(tmp_path: Path) -> None:
    prepared, _, finished = _run()
    (tmp_path / "file").write_text("here first")
    with pytest.raises(InputError, match="folder"):
        write_results(
            tmp_path / "file",
            prepared=prepared,
            final=finished.kept,
            cycles=[],
            log=[],
            timing=RunTiming(None, None, None),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_no_half_set_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    calls = 0
    real = Path.open

    def broken(self: Path, mode: str = "r", *args: object, **more: object) -> object:
        nonlocal calls
        if mode == "wb":
            calls += 1
            if calls == 4:
                raise OSError(28, "No space left on device")
        return real(self, mode, *args, **more)

    monkeypatch.setattr(Path, "open", broken)
    with pytest.raises(InputError, match="No space left"):
        _write(tmp_path)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_start_can_be_exported(tmp_path: Path) -> None:
    settings = RefinementSettings(cycles=0)
    events = list(fake_run(RunRequest("peptide.pdb", "peptide.mtz", settings=settings), FixedControl(settings)))
    prepared = next(event for event in events if isinstance(event, Prepared))
    start = next(event for event in events if isinstance(event, CycleFinished))
    write_results(
        tmp_path, prepared=prepared, final=start, cycles=[start.statistics], log=[], timing=RunTiming(0.1, 0.0, None)
    )
    document = json.loads((tmp_path / "statistics.json").read_text())
    assert document["final"]["cycle"] == 0 and len(document["cycles"]) == 1
