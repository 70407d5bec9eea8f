"""R factors of given models against an independent program (reference_scores.json, made by mmtbx; the script that made
it lies beside it in the shared data)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.core.control import FixedControl
from workbench.core.events import CycleFinished
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.run import run

MARGIN = 0.006
DICTIONARIES = {"ca_8ola": ("8OLA_A1H69.cif",), "mdm2_unfinished": ("NUT.cif",)}
GATED = ("rnasa", "lyso_c2", "mdm2_unfinished", "ptp1b_7rin", "i213_3io0", "crabp_1cbs", "ca_8ola")


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [*GATED, "bgl_4iid", "gp350_2h6o", "fdx_1dur", "pep_7n2l_p1"])
def test_score_agrees_with_the_reference(shared_data: Path, name: str) -> None:
    expected = json.loads((shared_data / "reference_scores.json").read_text(encoding="utf-8"))[name]
    folder = shared_data / name
    model = folder / expected["model"]
    if not model.exists():
        model = model.with_name(model.name + ".gz")
    settings = RefinementSettings(cycles=0, hydrogens="keep")
    request = RunRequest(
        str(model),
        str(folder / expected["data"]),
        tuple(str(folder / d) for d in DICTIONARIES.get(name, ())),
        settings=settings,
    )
    events = list(run(request, FixedControl(settings)))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    assert cycles, events[-1]
    statistics = cycles[0].statistics
    assert statistics.n_work + statistics.n_free == expected["n_obs"]
    assert statistics.n_free == expected["n_test"]
    assert statistics.r_work <= expected["r_work"] + MARGIN
    assert statistics.r_free <= expected["r_free"] + MARGIN
    assert statistics.r_work >= expected["r_work"] - 0.02, "too good: a cheat or another meaning of R"
