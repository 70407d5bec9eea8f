"""Counted things in words, and that what is read aloud of a single one is in the singular."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.fake_run import recorded_run
from workbench.core.crystal import Residues
from workbench.core.events import Prepared
from workbench.core.words import counted
from workbench.io.reflections import read_reflections
from workbench.session.log_lines import prepared_lines


@pytest.mark.parametrize(
    ("number", "verb", "said"),
    [
        (0, "", "0 atoms"),
        (1, "", "1 atom"),
        (2, "", "2 atoms"),
        (1, "are", "1 atom is"),
        (3, "are", "3 atoms are"),
        (1, "have", "1 atom has"),
        (1, "lie", "1 atom lies"),
        (2, "lie", "2 atoms lie"),
    ],
)
def test_counted(number: int, verb: str, said: str) -> None:
    assert counted(number, "atom", verb) == said


@pytest.mark.parametrize("bad", [1, 2])
def test_one_reflection_that_is_not_used(tmp_path: Path, bad: int) -> None:
    cell, group = gemmi.UnitCell(30, 40, 50, 90, 90, 90), gemmi.SpaceGroup("P 21 21 21")
    hkl = gemmi.make_miller_array(cell, group, 3.0, 20.0, True)
    values = np.full(len(hkl), 10.0)
    values[:bad] = 0.0
    out = gemmi.Mtz(with_base=True)
    out.spacegroup = group
    out.set_cell_for_all(cell)
    out.add_dataset("made")
    for label, kind in (("F", "F"), ("SIGF", "Q")):
        out.add_column(label, kind)
    out.set_data(np.column_stack([hkl, values, np.ones(len(hkl))]).astype(np.float32))
    path = tmp_path / "data.mtz"
    out.write_to_file(str(path))
    (said,) = [note for note in read_reflections(str(path)).notes if "zero or less" in note]
    assert ("1 reflection with" if bad == 1 else "2 reflections with") in said


def test_what_a_run_of_one_cycle_and_a_model_of_one_atom_say() -> None:
    prepared = next(event for event in recorded_run(1) if isinstance(event, Prepared))
    model = prepared.model
    one = replace(
        model,
        **{
            name: getattr(model, name)[:1]
            for name in ("xyz", "b_iso", "u_aniso", "anisotropic", "occupancy", "element", "charge", "atom_name")
        },
        altloc=model.altloc[:1],
        residue=model.residue[:1],
        source_index=model.source_index[:1],
        residues=Residues(**{f.name: getattr(model.residues, f.name)[:1] for f in fields(Residues)}),
    )
    lines = prepared_lines(replace(prepared, model=one))
    assert any("1 atom in 1 residue (" in line for line in lines), lines
    assert any(f"{len(model)} atoms in {len(model.residues)} residues (" in line for line in prepared_lines(prepared))
