"""Fit of residues to their density: a right model, a misplaced side chain, and what a run reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fake_run import write_files
from workbench.core.control import FixedControl
from workbench.core.events import CycleFinished
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.session.run import run


def _cycles(model: Path, data: Path, **settings: object) -> list[CycleFinished]:
    chosen = RefinementSettings(threads=1, **settings)  # type: ignore[arg-type]
    request = RunRequest(str(model), str(data), settings=chosen)
    return [event for event in run(request, FixedControl(chosen)) if isinstance(event, CycleFinished)]


def test_a_misplaced_side_chain_stands_out_and_its_main_chain_does_not(tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    right = _cycles(model, data, cycles=0)[0].fit
    assert right is not None and right.rscc.shape == (4, 2)
    assert np.nanmin(right.rscc) > 0.9 and np.isnan(right.rscc[3, 1]), "a water has no side chain"
    lines = model.read_text().splitlines()
    # The leucine's CG, CD1 and CD2 two angstrom away from their place.
    moved = [
        f"{line[:30]}{float(line[30:38]) + 2.0:8.3f}{line[38:]}"
        if line[12:16].strip() in ("CG", "CD1", "CD2")
        else line
        for line in lines
    ]
    model.write_text("\n".join(moved) + "\n")
    wrong = _cycles(model, data, cycles=0)[0].fit
    assert wrong is not None
    assert wrong.rscc[0, 1] < right.rscc[0, 1] - 0.15 and wrong.rscc[0, 1] < wrong.rscc[0, 0]
    assert wrong.rszd_minus[0, 1] > 3.0 and wrong.rszd_minus[0, 1] > right.rszd_minus[0, 1]


def test_a_run_reports_its_errors_and_its_freedom(tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    cycles = _cycles(model, data, cycles=3, shake=0.1)
    later = [cycle.statistics for cycle in cycles[1:]]
    for row in later:
        assert 0.0 < row.r_free_sigma < row.r_free
        assert 0.0 < row.effective_parameters <= row.parameters
        assert row.reference_parameters == row.effective_parameters, "automatic weights are the reference"
        assert row.r_free_rise >= 0.0 and row.ll_free_rise >= 0.0
    loose = [cycle.statistics for cycle in _cycles(model, data, cycles=3, shake=0.1, weight=500.0)][1:]
    for row in loose:
        assert row.effective_parameters > row.reference_parameters
    assert all(cycle.fit is not None for cycle in cycles)


@pytest.mark.shared_data
def test_the_errors_of_a_tutorial_model_are_found(shared_data: Path) -> None:
    """RNase Sa: the flipped ring of A 89 and the wrong loop at A 41 are among the ten worst of 192 residues."""
    folder = shared_data / "rnasa"
    model, data = folder / "tutorial-modern.pdb", folder / "rnasa-1.8-all_refmac1.mtz"
    request = RunRequest(str(model), str(data), settings=RefinementSettings(cycles=0))
    from workbench.session.run import score_model

    prepared, cycle = score_model(request)
    assert cycle.fit is not None
    worst = np.nanmax(np.maximum(cycle.fit.rszd_plus, cycle.fit.rszd_minus), axis=1)
    labels = [prepared.model.residues.label(row) for row in np.argsort(-worst)[:10]]
    assert "A 89 PHE" in labels and "A 41 GLU" in labels
    assert np.nanmedian(cycle.fit.rscc) > 0.9
