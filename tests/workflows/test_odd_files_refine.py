"""`workbench refine` on odd files: refused with file, finding and remedy, nothing written; or used after the choice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench import launch

MODEL = "lyso_c2/moorhen-tutorial-structure-number-3.pdb"
DATA = "lyso_c2/moorhen-tutorial-map-number-3.mtz"

# model, data, options, file that is named, finding, remedy
REFUSED = [
    (MODEL, "odd/5a3h_sigmaa_garbage_free.mtz", [], "5a3h", "not flags", "--free none"),
    (MODEL, "odd/2b9r_before_maps_mapcoef_only.mtz", [], "2b9r", "map coefficients only", "F and SIGF"),
    ("odd/2b9r_before_nocell.cif", DATA, [], "2b9r_before_nocell", "better than chance", "--accept-unplaced"),
    ("odd/2b9r_P6222.pdb", DATA, [], "2b9r_P6222", "another crystal form", "molecular replacement"),
    ("odd/beta.pdb", "odd/beta_blip_P3221.mtz", [], "beta.pdb", "better than chance", "--accept-unplaced"),
    ("odd/beta.pdb", DATA, [], "beta.pdb", "better than chance", "molecular replacement"),
    (MODEL, "odd/insulin_unmerged_cutted_from_ccp4.mtz", [], "insulin", "unmerged", "--merge"),
    ("odd/careless_pyp_off.pdb", "odd/careless_pyp_off_unmerged.mtz", [], "careless", "unmerged", "--merge"),
    (MODEL, "odd/gere_F_SIGF_cellA.mtz", [], "lyso", "another crystal form", "molecular replacement"),
    (MODEL, "odd/gere_FREERFLAG_cellB.mtz", [], "gere_FREER", "only flags", "--free-file"),
    (MODEL, "odd/gere_w1.sca", [], "gere_w1", "model is of another crystal form", "--space-group"),
    (MODEL, "odd/gere_w1.sca", ["--space-group", "P 43"], "lyso", "another crystal form", "molecular replacement"),
    ("odd/toxd_noCRYST_sg.pdb", "odd/toxd_multi_dataset.mtz", [], "toxd", "Which one", "--data-set NATIVE"),
    (MODEL, "odd/102l_nomodel.mtz", [], "lyso", "another crystal form", "molecular replacement"),
    (MODEL, "odd/beta.pdb", [], "beta.pdb", "is a model", "MTZ"),
    ("odd/102l_nomodel.mtz", DATA, [], "102l", "not a model", "PDB or mmCIF"),
    ("INDEX.md", DATA, [], "INDEX.md", "plain text", "PDB or mmCIF"),
    (MODEL, "INDEX.md", [], "INDEX.md", "plain text", "MTZ"),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("model", "data", "options", "named", "finding", "remedy"), REFUSED)
def test_refused_in_one_line_and_nothing_written(
    shared_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    model: str,
    data: str,
    options: list[str],
    named: str,
    finding: str,
    remedy: str,
) -> None:
    words = ["refine", str(shared_data / model), str(shared_data / data), "--quiet", "--cycles", "0", *options]
    assert launch.main([*words, "--output", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("workbench: ") and said.count("\n") == 1
    place, _, rest = said.removeprefix("workbench: ").partition(": ")
    assert named in place and finding in rest and remedy in rest
    assert not (tmp_path / "out").exists()


# model, data, options, what the log says of the choice
USED = [
    ("odd/beta.pdb", "odd/beta_blip_P3221.mtz", ["--accept-unplaced"], "as the user asked"),
    ("odd/careless_pyp_off.pdb", "odd/careless_pyp_off_unmerged.mtz", ["--merge"], "as the user asked"),
    ("odd/toxd_noCRYST_sg.pdb", "odd/toxd_multi_dataset.mtz", ["--data-set", "NATIVE"], "chosen by the user"),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("model", "data", "options", "said"), USED)
def test_used_after_the_choice(
    shared_data: Path, tmp_path: Path, model: str, data: str, options: list[str], said: str
) -> None:
    words = ["refine", str(shared_data / model), str(shared_data / data), "--quiet", "--cycles", "0", *options]
    assert launch.main([*words, "--output", str(tmp_path / "out")]) == 0
    statistics = json.loads((tmp_path / "out" / "statistics.json").read_text())
    recorded = (tmp_path / "out" / "log.txt").read_text() + json.dumps(statistics["inputs"])
    assert said in recorded
