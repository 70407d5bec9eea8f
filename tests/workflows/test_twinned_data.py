"""Twinned data are said to look twinned wherever a run speaks, and never end healthy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fake_run import recorded_run
from workbench import launch
from workbench.core.events import CycleFinished, Prepared
from workbench.engine.data_quality.twin_signs import looks_twinned
from workbench.io.reflections import read_reflections
from workbench.session.state import SessionState, apply_event
from workbench.session.verdict import verdict_of


@pytest.mark.shared_data
def test_a_twin_refined_as_one_crystal_refuses_to_look_healthy(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "il1b_1l2h_twin"
    files = [str(folder / "1l2h.cif.gz"), str(folder / "1l2h.mtz.gz")]
    words = ["refine", *files, "--cycles", "4", "--b-model", "isotropic"]
    assert launch.main([*words, "--hydrogens", "none", "--output", str(tmp_path)]) == 0
    told = capsys.readouterr()
    document = json.loads((tmp_path / "statistics.json").read_text())
    log = (tmp_path / "log.txt").read_text()
    assert document["verdict"]["state"] == "twinned" and "h,-k,-l" in document["verdict"]["reason"]
    assert any("look twinned (twin law h,-k,-l" in warning for warning in document["warnings"])
    assert "WARNING The data look twinned (twin law h,-k,-l" in log and "Data look twinned:" in log
    assert "Warning: The data look twinned" in told.err and "Data look twinned:" in told.out


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name",
    ["rnasa/*.mtz", "i213_3io0/*.mtz", "gp350_2h6o/*.mtz", "bgl_4iid/*.mtz", "baz2b_x828/*.mtz", "ptp1b_7rin/*.mtz"],
)
def test_untwinned_data_are_not_accused(shared_data: Path, name: str) -> None:
    data = read_reflections(str(sorted(shared_data.glob(name))[0]))
    assert data.measured is not None and looks_twinned(data.measured) == ""


def test_the_window_shows_it_from_the_start() -> None:
    """The chip of the header shows this verdict; without the sign the same run is not called twinned."""
    for twinned in ("twin law k,h,-l, fraction about 0.40", ""):
        state = SessionState()
        for event in recorded_run(cycles=6):
            state = apply_event(state, replace(event, twinned=twinned) if isinstance(event, Prepared) else event)
            if isinstance(event, CycleFinished):
                verdict = verdict_of(state)
                assert verdict is not None
                assert (verdict.state == "twinned") == bool(twinned)
                assert not twinned or "k,h,-l" in verdict.sentence
