"""A selection that does not move, and one that is tied to its place; selections that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.conftest import ROOT
from tests.two_chains import ATOMS, SEQUENCE, fold, model_of
from workbench import launch
from workbench.core.errors import SettingsError
from workbench.engine.selection import selected

LYSO = (ROOT / "example_structures/lyso_c2/lyso_c2.pdb.gz", ROOT / "example_structures/lyso_c2/lyso_c2.mtz.gz")


def refined(folder: Path, *words: str) -> tuple[np.ndarray, dict[str, object], str]:
    """Shifts (n,) of all atoms in angstrom, statistics.json, log."""
    arguments = ["refine", *map(str, LYSO), "--cycles", "3", "--b-model", "isotropic", "--quiet", *words]
    assert launch.main([*arguments, "--output", str(folder)]) == 0
    before, after = (gemmi.read_structure(str(path))[0] for path in (LYSO[0], folder / "refined.pdb"))
    shift = [a.atom.pos.dist(b.atom.pos) for a, b in zip(before.all(), after.all(), strict=True)]
    return np.array(shift), json.loads((folder / "statistics.json").read_text()), (folder / "log.txt").read_text()


def numbers() -> np.ndarray:
    return np.array([cra.residue.seqid.num for cra in gemmi.read_structure(str(LYSO[0]))[0].all()])


def test_fixed_atoms_do_not_move_and_the_others_do(tmp_path: Path) -> None:
    shift, document, log = refined(tmp_path, "--fix", "A:1-40,A:60")
    number = numbers()
    inside = (number <= 40) | (number == 60)
    assert shift[inside].max() < 1e-3 and shift[~inside].mean() > 0.02
    final = document["final"]
    assert isinstance(final, dict) and final["rmsz_bonds"] < 1.0 and final["r_work"] < 0.30
    assert f"The coordinates of {inside.sum()} atoms are fixed (A:1-40,A:60)" in log


def test_held_atoms_stay_near_and_are_counted(tmp_path: Path) -> None:
    number = numbers()
    inside = number <= 60
    free, _, _ = refined(tmp_path / "free")
    held, document, _ = refined(tmp_path / "held", "--hold", "A:1-60", "--hold-sigma", "0.02")
    assert held[inside].mean() < 0.6 * free[inside].mean()
    assert held[~inside].mean() > 2.0 * held[inside].mean()
    final = document["final"]
    assert isinstance(final, dict)
    assert final["geometry"]["held"]["count"] == inside.sum() and final["geometry"]["held"]["rmsz"] > 0.1


def test_selections() -> None:
    one = fold(len(SEQUENCE))
    model = model_of([("A", SEQUENCE, one), ("B", SEQUENCE, one + 30.0)])
    per = len(ATOMS)

    def count(words: str) -> int:
        return int(selected(model, words, "fixed atoms").sum())

    assert count("A") == count("B") == per * len(SEQUENCE)
    assert count("A:3-5") == 3 * per and count("A:3") == per and count("A:3-5,A:5,B:1-2") == 5 * per
    assert count("all") == len(model)
    assert count("A:-2-3") == 3 * per
    for words in ("C", "A:900", "A:x-y", "A:5-", "", "A:9-3"):
        with pytest.raises(SettingsError):
            selected(model, words, "fixed atoms")


@pytest.mark.parametrize(
    "words", [["--fix", "Q"], ["--hold", "A:x"], ["--hold-sigma", "0"], ["--fix", "A", "--rigid-body", "on"]]
)
def test_what_cannot_be_is_refused(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert launch.main(["refine", *map(str, LYSO), *words, "--output", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("workbench: ") and not (tmp_path / "out").exists()
