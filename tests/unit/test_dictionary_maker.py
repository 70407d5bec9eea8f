"""Dictionaries made by acedrg: a stand-in for the program shows the handling, the program itself the chemistry."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections import Counter
from pathlib import Path

import gemmi
import pytest

from tests.unit.test_monomers import component
from workbench.core.errors import InputError, SettingsError
from workbench.core.events import Progress
from workbench.io.monomers import read_monomers
from workbench.session import dictionary_maker
from workbench.session.dictionary_maker import (
    DictionaryCancelled,
    DictionaryRequest,
    dictionary_program,
    make_dictionary,
    save_dictionary,
)

IBUPROFEN = "CC(C)Cc1ccc(cc1)[C@H](C)C(=O)O"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script for Unix shells")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dictionaries"


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """A program in acedrg's place; it counts its calls in calls.txt."""
    place = tmp_path / "bin"
    place.mkdir(exist_ok=True)
    program = place / "acedrg"
    program.write_text(f"#!/bin/sh\necho call >> '{tmp_path}/calls.txt'\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(dictionary_maker, "dictionary_program", lambda: str(program))
    return tmp_path / "calls.txt"


def glycerol(tmp_path: Path) -> Path:
    path = tmp_path / "GOL.cif"
    path.write_text(component("GOL"))
    return path


def test_a_dictionary_is_made_kept_and_saved(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = glycerol(tmp_path)
    calls = stand_in(tmp_path, monkeypatch, f"echo RDKit; sleep 0.5; cp '{source}' made.cif; echo Finished")
    seen: list[Progress] = []
    made = make_dictionary(DictionaryRequest("GOL", "OCC(O)CO"), seen.append)
    assert made.parent == cache
    assert made.read_text().startswith("# Made by acedrg")
    assert any("conformer" in each.text for each in seen)
    assert all(each.fraction is not None and 0 <= each.fraction <= 1 for each in seen)
    assert make_dictionary(DictionaryRequest("GOL", " OCC(O)CO ")) == made
    assert calls.read_text().split() == ["call"]
    make_dictionary(DictionaryRequest("GOL", "C(O)C(O)CO"))
    assert len(calls.read_text().split()) == 2
    saved = save_dictionary(made, tmp_path / "mine.cif")
    assert read_monomers(["GOL"], [str(saved)]).sources == {"GOL": str(saved)}
    with pytest.raises(InputError, match="cannot be written"):
        save_dictionary(made, tmp_path / "nowhere" / "mine.cif")


def test_it_can_be_cancelled_and_leaves_nothing(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, f"sleep 600 & echo $! > '{tmp_path}/child.txt'; wait")
    began = time.monotonic()
    with pytest.raises(DictionaryCancelled):
        make_dictionary(DictionaryRequest("GOL", "OCC(O)CO"), cancelled=(tmp_path / "child.txt").exists)
    assert time.monotonic() - began < 120
    assert not cache.exists()
    child = int((tmp_path / "child.txt").read_text() or 0)
    deadline = time.monotonic() + 60
    while child and _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child or not _runs(child)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    stat_file = Path(f"/proc/{number}/stat")
    return not stat_file.exists() or " Z " not in stat_file.read_text()


def test_failures_are_said_in_words(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "echo 'Error: the molecule has a valence of 7'; exit 1")
    with pytest.raises(InputError, match="valence of 7") as caught:
        make_dictionary(DictionaryRequest("GOL", "OCC(O)CO"))
    assert caught.value.remedy
    stand_in(tmp_path, monkeypatch, "echo 'data_x' > made.cif")
    with pytest.raises(InputError, match="not a restraint dictionary"):
        make_dictionary(DictionaryRequest("GOL", "OCC(O)CO"))
    stand_in(tmp_path, monkeypatch, f"cp '{glycerol(tmp_path)}' made.cif")
    with pytest.raises(InputError, match="does not hold LIG"):
        make_dictionary(DictionaryRequest("LIG", "OCC(O)CO"))
    assert not cache.exists()


def test_wrong_requests_are_refused_before_anything_runs(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = stand_in(tmp_path, monkeypatch, "true")
    not_cif, empty = tmp_path / "a.txt", tmp_path / "b.cif"
    not_cif.write_text("hello\n")
    empty.write_text("data_b\n_cell.length_a 10\n")
    for request, error in (
        (DictionaryRequest("TOO LONG", "CCO"), SettingsError),
        (DictionaryRequest("LIG"), SettingsError),
        (DictionaryRequest("LIG", "CCO", "x.cif"), SettingsError),
        (DictionaryRequest("LIG", cif_path=str(not_cif)), InputError),
        (DictionaryRequest("LIG", cif_path=str(empty)), InputError),
        (DictionaryRequest("LIG", cif_path=str(tmp_path / "none.cif")), InputError),
    ):
        with pytest.raises(error):
            make_dictionary(request)
    assert not calls.exists()
    monkeypatch.setattr(dictionary_maker, "dictionary_program", lambda: None)
    with pytest.raises(SettingsError, match="not installed") as caught:
        make_dictionary(DictionaryRequest("LIG", "CCO"))
    assert "refinement-workbench[ligands]" in caught.value.remedy


def test_the_command_writes_the_file(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from workbench.launch import main

    source = glycerol(tmp_path)
    stand_in(tmp_path, monkeypatch, f"cp '{source}' made.cif")
    target = tmp_path / "new.cif"
    assert main(["dictionary", str(source), "--output", str(target)]) == 0
    assert "Wrote" in capsys.readouterr().out
    assert "GOL" in target.read_text()
    assert main(["dictionary", str(source), "--output", str(target)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(["dictionary"]) == 1


@pytest.mark.parametrize(
    ("smiles", "why"),
    [
        ("[Fe+2]CC", "holds Fe"),
        ("CC(=O)[O-].[Na+]", "describes 2 molecules"),
        ("C1CC", "not a SMILES"),
        ("C", "one atom"),
    ],
)
def test_molecules_acedrg_cannot_make_are_refused_before_it_runs(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, smiles: str, why: str
) -> None:
    pytest.importorskip("rdkit", reason="RDKit (extra `ligands`) is not installed")
    calls = stand_in(tmp_path, monkeypatch, "true")
    with pytest.raises(InputError, match=why):
        make_dictionary(DictionaryRequest("LIG", smiles))
    assert not calls.exists()


def test_a_failure_without_a_reason_says_so(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "The process stoped.\nCheck the associated log file 'made.log'\nfor the error information!\n| Finished |"
    stand_in(tmp_path, monkeypatch, f'echo "{said}"')
    with pytest.raises(InputError, match="it gave no reason") as caught:
        make_dictionary(DictionaryRequest("GOL", "OCC(O)CO"))
    assert "error information" not in caught.value.message


@pytest.mark.skipif(dictionary_program() is None, reason="acedrg (extra `ligands`) is not installed")
def test_acedrg_gives_the_tables_values_for_a_drug(cache: Path) -> None:
    """Ibuprofen (33 atoms) from SMILES against the embedded dictionary, which acedrg made from the wwPDB's
    description: the same bonds with the same lengths, whatever the atoms are called."""
    made = make_dictionary(DictionaryRequest("LIG", IBUPROFEN))
    monomers = read_monomers(["IBP", "LIG"], [str(made)])
    assert monomers.sources["IBP"] == "embedded"

    def lengths(name: str) -> Counter[tuple[str, str, float]]:
        definition = monomers.library.monomers[name]
        element = {a.id: a.el.name for a in definition.atoms}
        return Counter(
            (*sorted((element[b.id1.atom], element[b.id2.atom])), round(b.value, 2)) for b in definition.rt.bonds
        )

    assert lengths("LIG") == lengths("IBP")
    definition = monomers.library.monomers["LIG"]
    assert sum(not a.is_hydrogen() for a in definition.atoms) == 15
    handed = [c for c in definition.rt.chirs if c.sign != gemmi.ChiralityType.Both]
    assert len(handed) == 1  # the propionic acid; the isopropyl group has no hand
    assert any(len(plane.ids) >= 10 for plane in definition.rt.planes)
