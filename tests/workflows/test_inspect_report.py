"""`workbench inspect`: the designer of test sets, and the report as a page that needs nothing else."""

from __future__ import annotations

import json
import math
import re
import zlib
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import gemmi
import numpy as np
import pytest

from workbench import launch
from workbench.engine.cross_validation.test_set_design import ERROR_FACTOR
from workbench.export.quality_pictures import grey_png


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """<line/> is whole."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def files(examples: Path) -> tuple[str, str]:
    return str(examples / "lyso_c2" / "lyso_c2.mtz.gz"), str(examples / "lyso_c2" / "lyso_c2.pdb.gz")


def test_designer_in_the_terminal(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert launch.main(["inspect", *files, "--test-set", "--expected-r-free", "0.2"]) == 0
    out = capsys.readouterr().out
    rows = re.findall(r"^ +(\d+) % +(\d+) +(\d+) +([\d.]+) +([\d.]+) x +([\d.]+) +(\d+)", out, re.MULTILINE)
    assert [int(row[0]) for row in rows] == [2, 3, 5, 7, 10, 15, 20, 30, 50]
    for row in rows:
        test, work = int(row[1]), int(row[2])
        assert test + work == 10950
        assert float(row[3]) == pytest.approx(ERROR_FACTOR * 0.2 / math.sqrt(test), abs=1e-4)
        assert float(row[4]) == pytest.approx(math.sqrt(10950 / work), abs=1e-3)
        assert float(row[5]) == pytest.approx(work / (4 * 975), abs=0.06)
    assert out.count("advised") == 1 and "now 485 reflections" in out


def test_designer_as_json(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert launch.main(["inspect", files[0], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["test_sets"]) == 9 and found["test_sets"][0]["per_parameter"] is None
    assert found["wilson_plot"]["b"] == pytest.approx(found["items"][4]["values"]["b"])


def test_page(files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "report.html"
    assert launch.main(["inspect", *files, "--report", str(page)]) == 0
    items = re.findall(r"^\[[ \w-]+\] +(\S.*?)  ", capsys.readouterr().out, re.MULTILINE)
    text = page.read_text(encoding="utf-8")
    parser = _Balanced()
    parser.feed(text)
    assert parser.open == []
    # whole in itself: nothing is loaded from anywhere
    assert not re.search(r"(src|href)=(?!.data:image/png;base64,)|url\(|https?://|<script", text)
    assert len(items) >= 13 and all(item in text for item in items)
    assert text.count('role="img" aria-label') >= len(items) + 3
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 7
    curves = [picture for picture in pictures if "<polyline" in picture]
    assert len(curves) == 5
    for picture in curves:
        root = ElementTree.fromstring(picture)
        _, _, width, height = (float(v) for v in root.attrib["viewBox"].split())
        spots = [s.split(",") for line in root.iter("polyline") for s in line.attrib["points"].split()]
        assert spots and all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in spots)
        names = [float(t.attrib["y"]) for t in root.iter("text") if "style" in t.attrib]
        assert all(b - a > 12 for a, b in pairwise(names)) and max(names) < height - 20


def test_names_from_files_are_no_markup(files: tuple[str, str], tmp_path: Path) -> None:
    odd = tmp_path / "<b>&.mtz.gz"
    odd.write_bytes(Path(files[0]).read_bytes())
    page = tmp_path / "report.html"
    assert launch.main(["inspect", str(odd), "--report", str(page)]) == 0
    assert "<b>" not in page.read_text() and "&lt;b&gt;&amp;.mtz.gz" in page.read_text()


def test_a_report_never_replaces_an_input(files: tuple[str, str], tmp_path: Path) -> None:
    mine = tmp_path / "data.html"
    mine.write_bytes(Path(files[0]).read_bytes())
    before = mine.read_bytes()
    assert launch.main(["inspect", str(mine), "--report", str(mine)]) == 1
    assert mine.read_bytes() == before


@pytest.mark.parametrize("value", ["0", "2", "x", "nan"])
def test_r_factors_that_are_none(files: tuple[str, str], value: str) -> None:
    assert launch.main(["inspect", files[0], "--expected-r-free", value]) == 1


def test_pictures_of_twinning_and_patterson(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert launch.main(["inspect", files[0], "--json", "--report", str(page)]) == 0
    found = json.loads(capsys.readouterr().out)
    test = found["l_test"]
    assert len(test["l"]) == len(test["data"]) == 51 and test["data"][-1] == 1.0
    assert all(a <= b for a, b in pairwise(test["data"]))
    # <|L|> is one minus the area under the curve
    area = sum((a + b) / 2 * 0.02 for a, b in pairwise(test["data"]))
    assert 1 - area == pytest.approx(test["mean_abs"], abs=0.01)
    assert max(abs(a - b) for a, b in zip(test["data"], test["untwinned"], strict=True)) < 0.05
    patterson = found["patterson"]
    (translation,) = (item for item in found["items"] if item["name"] == "Translational NCS")
    assert patterson["peaks"][0]["height"] <= translation["values"]["height"] + 1e-9
    assert all(peak["distance"] > 15 for peak in patterson["peaks"])
    heights = [peak["height"] for peak in patterson["peaks"]]
    assert heights == sorted(heights, reverse=True) and len(heights) > 3
    text = page.read_text()
    for words in ("L-test", "Twin fraction by law", "Patterson function at z", "Error of R_free (%) against the share"):
        assert words in text
    balanced = _Balanced()
    balanced.feed(text)
    assert not balanced.open
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(svg)


def _translated(path: Path, shift: tuple[float, float, float]) -> str:
    """Data of a molecule and its copy at `shift` in P1, with intensities that follow from that alone."""
    rng = np.random.default_rng(0)
    cell = gemmi.UnitCell(48.0, 52.0, 61.0, 90.0, 97.0, 90.0)
    group = gemmi.SpaceGroup("P 1 21 1")
    hkl = gemmi.make_miller_array(cell, group, 2.8, 40.0)
    one = rng.normal(size=len(hkl)) + 1j * rng.normal(size=len(hkl))
    two = rng.normal(size=len(hkl)) + 1j * rng.normal(size=len(hkl))
    turn = np.exp(2j * np.pi * (hkl @ np.array(shift)))
    mate = np.exp(2j * np.pi * (hkl @ (np.array(shift) * (-1, 1, -1))))
    f = np.abs(one * (1 + turn) + two * (1 + mate)) + 0.01
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = group
    mtz.set_cell_for_all(cell)
    mtz.add_dataset("x")
    for label, kind in (("F", "F"), ("SIGF", "Q")):
        mtz.add_column(label, kind)
    mtz.set_data(np.column_stack([hkl, f, 0.02 * f]).astype(np.float32))
    mtz.write_to_file(str(path))
    return str(path)


def test_a_translation_is_the_highest_peak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = _translated(tmp_path / "translated.mtz", (0.5, 0.0, 0.25))
    assert launch.main(["inspect", data, "--json"]) == 0
    patterson = json.loads(capsys.readouterr().out)["patterson"]
    peak = patterson["peaks"][0]
    assert peak["height"] > 0.2
    apart = min(
        max(abs((a - sign * b + 0.5) % 1.0 - 0.5) for a, b in zip(peak["vector"], (0.5, 0.0, 0.25), strict=True))
        for sign in (1, -1)
    )
    assert apart < 0.03
    # its mate by the symmetry of the Patterson function is not listed again
    for other in patterson["peaks"][1:]:
        assert other["height"] < 0.7 * peak["height"]
    section = np.array(patterson["section"])
    row = int(np.argmax(section)) // section.shape[1]
    assert row / section.shape[0] == pytest.approx(peak["vector"][0], abs=0.05)


@pytest.mark.shared_data
def test_bars_of_a_twin(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert launch.main(["inspect", str(shared_data / "il1b_1l2h_twin" / "1l2h.mtz.gz"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (law,) = found["twin_laws"]
    assert law["operator"] == "h,-k,-l" and law["h_fraction"] > 0.3
    test = found["l_test"]
    middle = len(test["l"]) // 2
    assert test["untwinned"][middle] < test["data"][middle] < test["perfect_twin"][middle] + 0.03


def test_grey_png_can_be_read(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    path = tmp_path / "x.png"
    path.write_bytes(grey_png(values))
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    body = path.read_bytes()
    at = body.index(b"IDAT")
    size = int.from_bytes(body[at - 4 : at], "big")
    lines = zlib.decompress(body[at + 4 : at + 4 + size])
    assert lines == b"".join(b"\0" + row.tobytes() for row in values)


def test_only_what_was_asked_for_is_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Inspect merges observations without being told to, since nothing is refined; refine does not."""
    cell, group = gemmi.UnitCell(30, 40, 50, 90, 90, 90), gemmi.SpaceGroup("P 21 21 21")
    hkl = gemmi.make_miller_array(cell, group, 3.0, 20.0, True)
    rng = np.random.default_rng(3)
    value = rng.exponential(1000.0, len(hkl)) + 50.0
    rows = [np.column_stack([hkl, value + 10.0 * rng.normal(size=len(hkl)), np.full(len(hkl), 10.0)]) for _ in range(3)]
    out = gemmi.Mtz(with_base=True)
    out.spacegroup = group
    out.set_cell_for_all(cell)
    out.add_dataset("made")
    out.add_column("I", "J")
    out.add_column("SIGI", "Q")
    out.set_data(np.vstack(rows).astype(np.float32))
    path = str(tmp_path / "observations.mtz")
    out.write_to_file(path)
    assert launch.main(["inspect", path]) == 0
    unasked = capsys.readouterr().out
    assert "reflections (to be judged only)" in unasked and "asked)" not in unasked
    assert launch.main(["inspect", path, "--merge"]) == 0
    assert "reflections (as the user asked)" in capsys.readouterr().out


@pytest.mark.shared_data
def test_a_model_of_another_crystal_form_is_said_everywhere(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the words in which refinement refuses it; and no solvent content is told of a cell that is not the model's."""
    data = str(shared_data / "rnasa" / "rnasa-1.8-all_refmac1.mtz")
    model = str(shared_data / "odd" / "2b9r_P6222.pdb")
    page = tmp_path / "page.html"
    assert launch.main(["inspect", data, model, "--json", "--report", str(page)]) == 0
    items = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert items["Crystal form"]["light"] == "red" and "Solvent" not in items
    assert "another crystal form" in items["Crystal form"]["sentence"]
    assert "molecular replacement" in items["Crystal form"]["action"]
    assert "another crystal form" in page.read_text(encoding="utf-8")
    assert launch.main(["inspect", data, model]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^\[STOP\] Crystal form +The model belongs to another crystal form", said, re.MULTILINE)


def test_a_model_of_the_crystal(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert launch.main(["inspect", *files, "--json"]) == 0
    items = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert items["Crystal form"]["light"] in ("green", "amber") and "Solvent" in items


@pytest.mark.parametrize("amplitudes", [True, False])
def test_amplitudes_of_a_shelx_file_read_as_intensities(
    examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], amplitudes: bool
) -> None:
    """HKLF 3 or 4 the file does not say; the distribution does, and the option that is named makes it right."""
    data = gemmi.read_mtz_file(str(examples / "lyso_c2" / "lyso_c2.mtz.gz"))
    f = data.column_with_label(next(c.label for c in data.columns if c.type == "F"))
    assert f is not None
    lines = []
    for index, value in zip(data.make_miller_array().tolist(), f.array.tolist(), strict=True):
        if math.isfinite(value):
            written = value if amplitudes else value**2 / 1000.0
            lines.append(f"{index[0]:4d}{index[1]:4d}{index[2]:4d}{written:8.2f}{0.03 * written + 0.01:8.2f}")
    path = tmp_path / "data.hkl"
    path.write_text("\n".join(lines) + "\n   0   0   0    0.00    0.00\n")
    cell = ",".join(f"{value:.3f}" for value in data.cell.parameters)
    words = ["inspect", str(path), "--cell", cell, "--space-group", data.spacegroup.xhm(), "--json"]

    def judged(*more: str) -> dict[str, dict[str, str]]:
        assert launch.main([*words, *more]) == 0
        return {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}

    items = judged()
    assert ("Kind of data" in items) == amplitudes
    if amplitudes:
        assert "look like amplitudes" in items["Kind of data"]["sentence"]
        assert "--labels F,SIGF" in items["Kind of data"]["action"] and items["Twinning"]["light"] == "grey"
        assert "Kind of data" not in judged("--labels", "F,SIGF")


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["pep_5e5z/5e5z", "pep_5wkd/5wkd", "pep_7n2l_p1/7n2l"])
def test_peptides_pack_with_little_solvent(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """No light warns of what is usual for them; one warns where there is no room for the atoms."""
    model = shared_data / f"{name}.pdb"
    data = shared_data / ("pep_5wkd/r5wkdsf.ent" if "5wkd" in name else f"{name}.mtz")

    def solvent(path: Path) -> dict[str, str]:
        assert launch.main(["inspect", str(data), str(path), "--json"]) == 0
        items = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
        return dict(items["Solvent"])

    found = solvent(model)
    assert found["light"] == "green" and "packs with little" in found["sentence"]
    structure = gemmi.read_structure(str(model))
    for chain in list(structure[0]):
        copy = chain.clone()
        copy.name = chain.name.lower() + "x" if len(chain.name) == 1 else "x"
        for residue in copy:
            for atom in residue:
                atom.pos += gemmi.Position(0.7, 0.6, 0.5)
        structure[0].add_chain(copy)
    twice = tmp_path / "twice.cif"
    structure.setup_entities()
    structure.make_mmcif_document().write_file(str(twice))
    assert solvent(twice)["light"] == "red" and "no room" in solvent(twice)["action"]
