"""Jelly body and local NCS in a run: asked for, counted, switched while it goes on, and kept off by default."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from workbench import launch
from workbench.cli.options import run_request
from workbench.cli.refine import parser
from workbench.core.control import FixedControl
from workbench.core.events import CycleFinished, Failed, Note
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.geometry.ncs_copies import NcsPair
from workbench.engine.local_choice import LocalChoice
from workbench.session.run import run

LYSO = (ROOT / "example_structures/lyso_c2/lyso_c2.pdb.gz", ROOT / "example_structures/lyso_c2/lyso_c2.mtz.gz")
PLAIN = RefinementSettings(cycles=3, b_model="isotropic", hydrogens="none")


class Switched:
    """Jelly body is switched on after the event of the first cycle."""

    def __init__(self) -> None:
        self.seen = 0

    def cancelled(self) -> bool:
        return False

    def settings(self) -> RefinementSettings:
        return replace(PLAIN, jelly_body=1.0 if self.seen > 1 else 0.0)


def test_switched_on_while_the_run_goes_on() -> None:
    control = Switched()
    request = RunRequest(str(LYSO[0]), str(LYSO[1]), settings=replace(PLAIN, jelly_body=0.0))
    rows = []
    for event in run(request, control):
        if isinstance(event, CycleFinished):
            rows.append(event.statistics)
            control.seen += 1
    assert ["jelly_body" in row.geometry for row in rows] == [False, False, True, True]
    moved, count = rows[2].geometry["jelly_body"]
    # four and more for each of 975 atoms; nothing has moved by many of its 0.02 A
    assert count > 4 * 975 and 0.0 < moved < 3.0
    assert rows[2].rms_shift < rows[1].rms_shift


@pytest.mark.shared_data
def test_copies_become_more_alike_and_the_files_say_how_many_distances(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "rnasa"
    (model,), (data,) = folder.glob("*.pdb"), folder.glob("*.mtz")
    spread = {}
    for name, strength in (("held", "1"), ("free", "0.000001")):
        output = tmp_path / name
        words = ["refine", str(model), str(data), "--ncs", strength, "--cycles", "3", "--b-model", "isotropic"]
        assert launch.main([*words, "--hydrogens", "none", "--output", str(output), "--quiet"]) == 0
        document = json.loads((output / "statistics.json").read_text())
        family = document["final"]["geometry"]["ncs"]
        assert family["count"] > 3000
        spread[name] = family["rmsz"]
        assert "Copies of a chain: A and B (93 residues); corresponding distances" in (output / "log.txt").read_text()
    assert spread["held"] < 0.9 * spread["free"], spread


def test_what_was_not_asked_for_is_off_and_a_lonely_chain_has_no_copy() -> None:
    request = RunRequest(str(LYSO[0]), str(LYSO[1]), settings=replace(PLAIN, cycles=0, ncs=1.0))
    events = list(run(request, FixedControl(request.settings)))
    assert any("No chain has a copy" in event.text for event in events if isinstance(event, Note))
    (row,) = [event.statistics for event in events if isinstance(event, CycleFinished)]
    assert not {"jelly_body", "ncs"} & set(row.geometry)


def test_copies_are_restrained_by_themselves_where_reflections_are_few() -> None:
    pair = NcsPair(("A", "B"), 93, np.zeros((720, 2), np.int32))
    few, many = LocalChoice.of(16_000, 1465, (pair,)), LocalChoice.of(60_000, 1465, (pair,))
    assert few.weights((None, None)).tolist() == [0.0, 1.0] and many.weights((None, None)).tolist() == [0.0, 0.0]
    assert few.weights((0.5, 0.0)).tolist() == [0.5, 0.0] and many.weights((None, 2.0)).tolist() == [0.0, 2.0]
    assert LocalChoice.of(16_000, 1465, ()).weights((None, 3.0)).tolist() == [0.0, 0.0]
    (note,) = few.notes(RefinementSettings())
    assert "A and B (93 residues)" in note and "automatic: 10.9 reflections per atom" in note
    assert "not restrained" in many.notes(RefinementSettings())[0]


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--jelly-body", "off"], "jelly_body", 0.0),
        (["--jelly-body", "0.5"], "jelly_body", 0.5),
        (["--ncs", "auto"], "ncs", None),
        ([], "ncs", None),
        (["--ncs", "2"], "ncs", 2.0),
    ],
)
def test_options(words: list[str], name: str, value: float | None) -> None:
    assert getattr(run_request(parser().parse_args(["a.pdb", "b.mtz", *words])).settings, name) == value


@pytest.mark.parametrize("words", [["--ncs", "-1"], ["--jelly-body", "much"], ["--ncs", "nan"]])
def test_strengths_that_no_run_could_use_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert launch.main(["refine", "a.pdb", "b.mtz", *words]) == 1
    assert words[0] in capsys.readouterr().err


@pytest.mark.parametrize("strengths", [{"b_weight": -1.0}, {"jelly_body": float("nan")}, {"ncs": float("inf")}])
def test_nor_does_a_run_take_them_from_elsewhere(strengths: dict[str, float]) -> None:
    settings = replace(PLAIN, **strengths)  # type: ignore[arg-type]
    *_, end = run(RunRequest(str(LYSO[0]), str(LYSO[1]), settings=settings), FixedControl(settings))
    assert isinstance(end, Failed) and "cannot be used" in end.message and end.remedy
