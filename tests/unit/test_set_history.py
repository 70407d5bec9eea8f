"""Test sets that do not belong to a model's history, on invented amplitudes with a known answer and on real files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench.core.control import FixedControl
from workbench.core.events import CycleFinished, Note
from workbench.core.settings import DataOptions, RefinementSettings, RunRequest
from workbench.engine.cross_validation.set_history import SetHistory, history_warnings, set_history
from workbench.session.run import run, score_model

N, SETS, ATOMS = 20000, 20, 1600


def invented(r_work: float, left_out: int | None, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amplitudes, those of a model with this R, and set numbers; the set left_out is further off by what is usual."""
    rng = np.random.default_rng(seed)
    flags = rng.integers(0, SETS, N)
    f_obs = np.sqrt(rng.exponential(1.0, N)) + 0.1
    error = np.abs(rng.normal(size=N))
    error *= r_work * f_obs.mean() / error.mean()
    if left_out is not None:
        error[flags == left_out] *= 1.17
    return f_obs, np.abs(f_obs + error * rng.choice((-1, 1), N)), flags


def warnings(r_work: float, left_out: int | None, used: int = 0, made: bool = False, seed: int = 0) -> tuple[str, ...]:
    f_obs, f_model, flags = invented(r_work, left_out, seed)
    found = set_history(f_obs, f_model, flags == used, flags, 1.8, ATOMS, False)
    return history_warnings(found, made)


@pytest.mark.parametrize("seed", range(20))
def test_a_set_of_the_history_is_silent(seed: int) -> None:
    assert warnings(0.18, left_out=0, seed=seed) == ()


def test_a_refined_model_without_a_gap() -> None:
    """Seen wherever the sampling error does not make a gap by chance."""
    said = [warnings(0.18, left_out=None, seed=seed) for seed in range(40)]
    told = [texts[0] for texts in said if texts]
    assert len(told) >= 36
    assert all("does not belong to the history" in text or "hardly above" in text for text in told)
    assert all("--shake" in text for text in told)


def test_a_limit_that_cuts_the_data_is_another_reason_for_a_small_gap() -> None:
    found = SetHistory(0.240, 0.241, 0.017, 0.051, 0.01, 0.21)
    (plain,) = history_warnings(found, False)
    assert "does not belong to the history" in plain
    (said,) = history_warnings(found, False, cut=True)
    assert "beyond this limit" in said and "does not belong" not in said
    (below,) = history_warnings(replace(found, r_free=0.20), False, cut=True)
    assert "does not belong to the history" in below


def test_an_unrefined_model_is_not_accused() -> None:
    (said,) = warnings(0.42, left_out=None)
    assert "never refined against these data" in said and "good from now on" in said
    assert "does not belong" not in said


def test_a_set_made_just_now() -> None:
    (said,) = warnings(0.18, left_out=None, made=True)
    assert said.startswith("The new test set") and "was refined with these reflections" in said


def test_another_set_that_was_left_out() -> None:
    said = warnings(0.18, left_out=7)
    assert "Set 7 stands out" in said[-1] and "--free-value 7" in said[-1]
    assert not any("stands out" in text for text in warnings(0.18, left_out=7, used=7))


def test_by_chance_no_set_stands_out() -> None:
    accused = sum(
        any("stands out" in text for text in warnings(0.18, left_out=None, seed=100 + seed)) for seed in range(60)
    )
    assert accused <= 3


def test_few_test_reflections_accuse_nobody() -> None:
    f_obs, f_model, flags = invented(0.18, None)
    free = np.zeros(N, dtype=bool)
    free[:40] = True
    assert history_warnings(set_history(f_obs, f_model, free, flags, 1.8, ATOMS, False), False) == ()


def said_at_the_start(request: RunRequest) -> list[str]:
    notes = []
    events = run(request, FixedControl(request.settings))
    for event in events:
        if isinstance(event, Note) and event.severity == "warning":
            notes.append(event.text)
        if isinstance(event, CycleFinished):
            break
        assert type(event).__name__ != "Failed", event
    return [text for text in notes if "above R_work" in text or "stands out" in text]


REAL = [
    ("gamma/gamma_model.pdb", "gamma/merged_intensities_Xe.mtz", "gamma/freeR.mtz", "not above R_work"),
    ("baz2b_x828/BAZ2B.pdb", "baz2b_x828/nt5073v16_xBAZ2BAx8281_free.mtz", "", "not above R_work"),
    ("crabp_1cbs/1cbs.cif.gz", "crabp_1cbs/1cbs_map.mtz", "", "hardly above"),
    ("fdx_1dur/1dur.pdb", "fdx_1dur/1dur.mtz", "", "does not belong to the history"),
    ("rnasa/tutorial-modern.pdb", "rnasa/rnasa-1.8-all_refmac1.mtz", "", ""),
    ("mdm2_finished/4hg7.pdb", "mdm2_finished/4hg7-sf.cif", "", ""),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("model", "data", "flags", "wanted"), REAL)
def test_real_sets(shared_data: Path, model: str, data: str, flags: str, wanted: str) -> None:
    options = DataOptions(free_file=str(shared_data / flags) if flags else "")
    request = RunRequest(
        str(shared_data / model), str(shared_data / data), settings=RefinementSettings(cycles=0), intake=options
    )
    said = said_at_the_start(request)
    if not wanted:
        assert said == []
        return
    assert len(said) == 1 and wanted in said[0]
    shaken = replace(request, settings=replace(request.settings, shake=0.3, reset_b="mean"))
    assert said_at_the_start(shaken) == []


@pytest.mark.shared_data
@pytest.mark.parametrize(("model", "data", "flags", "wanted"), REAL)
def test_scoring_says_it_too(shared_data: Path, model: str, data: str, flags: str, wanted: str) -> None:
    """Whoever only scores a model reads R_free as well."""
    options = DataOptions(free_file=str(shared_data / flags) if flags else "")
    request = RunRequest(
        str(shared_data / model), str(shared_data / data), settings=RefinementSettings(cycles=0), intake=options
    )
    told: list[str] = []
    score_model(request, told.append)
    found = [text for text in told if "above R_work" in text or "stands out" in text]
    assert len(found) == bool(wanted) and all(text.startswith("Warning: ") and wanted in text for text in found)
