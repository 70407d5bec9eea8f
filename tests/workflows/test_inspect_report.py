"""`workbench inspect`: the designer of test sets, and the report as a page that needs nothing else."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from workbench import launch
from workbench.engine.cross_validation.test_set_design import ERROR_FACTOR


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
    assert not re.search(r"(src|href)=|url\(|https?://|<script", text)
    assert len(items) >= 13 and all(item in text for item in items)
    assert text.count('role="img" aria-label') >= len(items) + 3
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 3
    for picture in pictures:
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
