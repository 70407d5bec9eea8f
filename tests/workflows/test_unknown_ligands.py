"""Ligands that no dictionary describes: they refine, keep their shape, cost nothing in R_free, and are flagged."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import gemmi
import numpy as np
import pytest

from workbench.core.control import FixedControl
from workbench.core.events import CycleFinished, Finished, Note, Prepared, RunEvent
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.export.statistics import RunTiming, statistics_document
from workbench.session.log_lines import prepared_lines
from workbench.session.run import run, score_model

CYCLES = 6
SETTINGS = RefinementSettings(cycles=CYCLES)


@cache
def refined(model: Path, data: Path, dictionaries: tuple[Path, ...]) -> tuple[RunEvent, ...]:
    request = RunRequest(str(model), str(data), tuple(map(str, dictionaries)), settings=SETTINGS)
    events = tuple(run(request, FixedControl(SETTINGS)))
    assert isinstance(events[-1], Finished), events[-1]
    return events


def prepared_of(events: tuple[RunEvent, ...]) -> Prepared:
    return next(event for event in events if isinstance(event, Prepared))


def finished_of(events: tuple[RunEvent, ...]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished)
    return last


def check_unknown(name: str, known: tuple[RunEvent, ...], unknown: tuple[RunEvent, ...]) -> None:
    prepared, finished = prepared_of(unknown), finished_of(unknown)
    reference = finished_of(known).kept.statistics
    kept = finished.kept
    assert kept.statistics.r_free <= reference.r_free + 0.01
    rows = prepared.model.residues.name[prepared.model.residue] == name
    bonds = prepared.bonds[rows[prepared.bonds].all(axis=1)]
    assert len(bonds) > 15

    def lengths(xyz: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.linalg.norm(xyz[bonds[:, 0]] - xyz[bonds[:, 1]], axis=1)
        return found

    changed = lengths(kept.state.xyz) - lengths(prepared.model.xyz)
    assert 0 < np.sqrt(np.mean(changed**2)) < 0.05  # keeps its shape
    moved = np.linalg.norm(kept.state.xyz[rows] - prepared.model.xyz[rows], axis=1)
    theirs = prepared_of(known)
    same = theirs.model.residues.name[theirs.model.residue]
    before = theirs.model.xyz[np.isin(same, list({"NUT", "A1H69"}))]
    after = finished_of(known).kept.state.xyz[np.isin(same, list({"NUT", "A1H69"}))]
    with_dictionary = np.linalg.norm(after - before, axis=1)
    # moves with the density: as far as with its dictionary, within a third
    assert np.sqrt(np.mean(moved**2)) > 0.66 * np.sqrt(np.mean(with_dictionary**2))
    # flagged everywhere: sources, log, report, and the file of numbers
    assert prepared.inputs.component_sources[name] == "own geometry"
    assert name in prepared.flagged
    warnings = [event.text for event in unknown if isinstance(event, Note) and event.severity == "warning"]
    assert any(text.startswith(f"{name}: ") for text in warnings)
    assert any(f"{name} own geometry" in line for line in prepared_lines(prepared))
    rows_of_cycles = [event.statistics for event in unknown if isinstance(event, CycleFinished)]
    timing = RunTiming.of(prepared, finished, rows_of_cycles)
    document = statistics_document(prepared, kept.statistics, kept.written, rows_of_cycles, timing, SETTINGS)
    assert document["inputs"]["components"][name] == "own geometry"
    assert name in document["inputs"]["weak_restraints"]
    assert any(name in warning for warning in document["warnings"])


@pytest.mark.shared_data
def test_a_renamed_inhibitor(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "mdm2_finished"
    renamed = tmp_path / "renamed.pdb"
    renamed.write_text(re.sub(r"\bNUT\b", "Q9Q", (folder / "4hg7.pdb").read_text()))
    data = folder / "4hg7-sf.cif"
    known = refined(folder / "4hg7.pdb", data, (folder / "NUT.cif",))
    assert not prepared_of(known).flagged
    check_unknown("Q9Q", known, refined(renamed, data, ()))


@pytest.mark.shared_data
def test_a_five_letter_ligand_on_zinc_without_its_dictionary(shared_data: Path) -> None:
    folder = shared_data / "ca_8ola"
    files = folder / "8OLA_ADP15.mmcif", folder / "8OLA-sf.mtz"
    known = refined(*files, (folder / "8OLA_A1H69.cif",))
    unknown = refined(*files, ())
    check_unknown("A1H69", known, unknown)
    metal = [link for link in prepared_of(unknown).links if "A1H69" in link.label]
    assert len(metal) == 1
    assert metal[0].used


def test_many_unknown_components_are_told_in_one_line(examples: Path, tmp_path: Path) -> None:
    folder = examples / "lyso_c2"
    structure = gemmi.read_structure(str(folder / "lyso_c2.pdb.gz"))
    strange = list(structure[0][0])[:12]
    for number, residue in enumerate(strange):
        residue.name = f"{number:02d}Z"
    model = tmp_path / "strange.pdb"
    model.write_text(structure.make_pdb_string())
    told: list[str] = []
    request = RunRequest(str(model), str(folder / "lyso_c2.mtz.gz"), settings=RefinementSettings(cycles=0))
    prepared, _ = score_model(request, told.append)
    found = [text for text in told if "not in the library" in text]
    assert len(found) == 1 and "12 components (00Z, " in found[0] and "and 8 more" in found[0]
    assert any("and 9 more own geometry" in line for line in prepared_lines(prepared))
