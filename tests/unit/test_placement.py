"""Whether a model stands in its place: synthetic amplitudes with a known answer, and a real model that is moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from workbench.core.control import FixedControl
from workbench.core.events import Failed, Note
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.validation.placement import judge_placement
from workbench.session.run import run


def synthetic(sigma_a: float, n: int = 4000, seed: int = 0) -> tuple[np.ndarray, ...]:
    """F_obs, |F_model|, k, epsilon and 1/d^2 of acentric reflections whose normalised factors correlate by sigma_A;
    with a steep fall-off, an anisotropic scale and rows of high epsilon, which both sides share."""
    rng = np.random.default_rng(seed)
    s_sq = rng.uniform(0.001, 0.16, n)
    epsilon = np.where(rng.random(n) < 0.1, 3.0, 1.0)
    envelope = np.sqrt(epsilon * np.exp(-30.0 * s_sq))
    k = 5.0 * np.exp(rng.uniform(-0.5, 0.5, n))
    model = (rng.normal(size=n) + 1j * rng.normal(size=n)) / np.sqrt(2)
    noise = (rng.normal(size=n) + 1j * rng.normal(size=n)) / np.sqrt(2)
    observed = sigma_a * model + np.sqrt(1.0 - sigma_a**2) * noise
    return k * envelope * np.abs(observed), envelope * np.abs(model), k, epsilon, s_sq


@pytest.mark.parametrize("sigma_a", [0.0, 0.45, 0.9])
def test_correlation_is_sigma_a_squared_whatever_both_sides_share(sigma_a: float) -> None:
    found = [judge_placement(*synthetic(sigma_a, seed=seed), np.ones(4000, dtype=bool)) for seed in range(10)]
    mean = np.mean([each.correlation for each in found])
    assert mean == pytest.approx(sigma_a**2, abs=0.02)
    assert all(each.unplaced == (sigma_a == 0.0) for each in found)


def test_level_of_chance_is_made_from_the_data() -> None:
    found = judge_placement(*synthetic(0.0), np.ones(4000, dtype=bool))
    # acentric amplitudes that have nothing to do with each other: 0.59 (Wilson 1950)
    assert found.r_work == pytest.approx(found.r_chance, abs=0.03)
    assert 0.55 < found.r_chance < 0.62


def test_few_reflections_accuse_nobody() -> None:
    rows = np.arange(4000) < 150
    assert not judge_placement(*synthetic(0.0), rows).unplaced


def _moved(examples: Path, folder: Path, how: str) -> str:
    structure = gemmi.read_structure(str(examples / "lyso_c2" / "lyso_c2.pdb.gz"))
    turn = Rotation.random(random_state=3).as_matrix() if how == "turned" else np.eye(3)
    rng = np.random.default_rng(1)
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                place = turn @ np.array(atom.pos.tolist())
                if how == "shaken":
                    place = place + rng.normal(size=3) * 1.0 / np.sqrt(3)
                atom.pos = gemmi.Position(*place)
    path = folder / f"{how}.pdb"
    structure.write_pdb(str(path))
    return str(path)


def _first_cycle(model: str, data: Path, settings: RefinementSettings) -> tuple[list[Note], list[Failed], int]:
    request = RunRequest(model, str(data), settings=settings)
    events = list(run(request, FixedControl(settings)))
    cycles = sum(type(event).__name__ == "CycleFinished" for event in events)
    return [e for e in events if isinstance(e, Note)], [e for e in events if isinstance(e, Failed)], cycles


def test_a_real_model_that_is_moved(examples: Path, tmp_path: Path) -> None:
    data = examples / "lyso_c2" / "lyso_c2.mtz.gz"
    settings = RefinementSettings(cycles=0, hydrogens="none")
    turned = _moved(examples, tmp_path, "turned")
    _, failed, cycles = _first_cycle(turned, data, settings)
    assert cycles == 0 and failed[0].exit_code == 1 and failed[0].file == turned
    assert "no better than chance" not in failed[0].message and "better than chance" in failed[0].message
    assert "--accept-unplaced" in failed[0].remedy
    notes, failed, cycles = _first_cycle(turned, data, replace(settings, accept_unplaced=True))
    assert cycles == 1 and not failed
    assert any("as the user asked" in note.text and note.severity == "warning" for note in notes)
    notes, failed, cycles = _first_cycle(_moved(examples, tmp_path, "shaken"), data, settings)
    assert cycles == 1 and not failed and not any("chance" in note.text for note in notes)
