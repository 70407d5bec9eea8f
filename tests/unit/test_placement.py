"""Whether a model stands in its place: synthetic amplitudes with a known answer, and a real model that is moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from workbench.core.control import FixedControl
from workbench.core.crystal import Crystal
from workbench.core.events import CycleFinished, Failed, Note
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.validation.placement import judge_placement
from workbench.engine.validation.translation import judge_translation
from workbench.engine.xray.reflection_geometry import reflection_geometry
from workbench.engine.xray.structure_factors import Scatterers
from workbench.io.models import read_model
from workbench.io.reflections import read_reflections
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


def _shifted(source: Path, folder: Path, shift: tuple[float, float, float]) -> str:
    structure = gemmi.read_structure(str(source))
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                atom.pos = gemmi.Position(*(np.array(atom.pos.tolist()) + shift))
    path = folder / "shifted.pdb"
    structure.write_pdb(str(path))
    return str(path)


MDM2 = "mdm2_unfinished"


def _events(model: str, data: Path, **settings: object) -> tuple[list[str], Failed | None, float]:
    """Warnings, the failure if there was one, and R_work of the last cycle."""
    chosen = RefinementSettings(threads=1, **settings)  # type: ignore[arg-type]
    said, failure, r = [], None, float("nan")
    for event in run(RunRequest(model, str(data), settings=chosen), FixedControl(chosen)):
        if isinstance(event, Note) and event.severity == "warning":
            said.append(event.text)
        elif isinstance(event, Failed):
            failure = event
        elif isinstance(event, CycleFinished):
            r = event.statistics.r_work
    return said, failure, r


@pytest.mark.parametrize("settings", [{"cycles": 0}, {"cycles": 3}, {"cycles": 2, "rigid_body": "off"}])
def test_turned_right_but_in_the_wrong_place(examples: Path, tmp_path: Path, settings: dict[str, object]) -> None:
    """Refused with advice: at once where no rigid body is moved, else once they did not help."""
    data = examples / MDM2 / f"{MDM2}.mtz.gz"
    model = _shifted(examples / MDM2 / f"{MDM2}.pdb.gz", tmp_path, (11.0, -7.0, 13.0))
    said, failure, r = _events(model, data, **settings)
    assert failure is not None and "does not stand where they say" in failure.message and failure.exit_code == 1
    assert "molecular replacement" in failure.remedy and "--accept-unplaced" in failure.remedy
    assert failure.file == model
    tried = settings["cycles"] != 0 and settings.get("rigid_body") != "off"
    assert any("Rigid bodies are tried first" in text for text in said) == tried
    assert np.isnan(r) != tried
    said, failure, _ = _events(model, data, **{**settings, "cycles": 0, "accept_unplaced": True})
    assert failure is None and any("as the user asked" in text for text in said)


def test_a_little_out_of_place_comes_home(examples: Path, tmp_path: Path) -> None:
    data = examples / MDM2 / f"{MDM2}.mtz.gz"
    model = _shifted(examples / MDM2 / f"{MDM2}.pdb.gz", tmp_path, (1.2, -1.0, 0.8))
    _, failure, r = _events(model, data, cycles=1)
    assert failure is None and r < 0.32


@pytest.mark.parametrize("how", ["own", "shaken", "partial"])
def test_in_place_is_never_called_wrong(examples: Path, how: str) -> None:
    """The correlations of a bad model in its place: all copies together tell more than one by one."""
    model = read_model(str(examples / MDM2 / f"{MDM2}.pdb.gz"))
    reflections = read_reflections(str(examples / MDM2 / f"{MDM2}.mtz.gz"))
    rng = np.random.default_rng(4)
    xyz = model.xyz + (rng.normal(size=model.xyz.shape) * 1.5 / np.sqrt(3) if how == "shaken" else 0.0)
    keep = rng.random(len(xyz)) < (0.3 if how == "partial" else 2.0)
    for shift, wrong in ((np.zeros(3), False), (np.array([11.0, -7.0, 13.0]), True)):
        atoms = Scatterers(
            (xyz + shift)[keep],
            model.b_iso[keep],
            model.u_aniso[keep],
            model.anisotropic[keep],
            model.occupancy[keep],
            model.element[keep],
            model.charge[keep],
        )
        geometry = reflection_geometry(reflections.crystal, reflections.hkl)
        found = judge_translation(
            reflections.crystal,
            reflections.hkl,
            reflections.f_obs,
            geometry.epsilon,
            geometry.d_star_sq,
            ~reflections.free,
            atoms,
        )
        assert found is not None
        if wrong:
            assert found.together < found.single
            assert found.wrong or how != "own", "a bad model is too little like the data to be accused"
        else:
            assert found.together > 1.3 * found.single and not found.wrong


def test_in_p1_every_place_is_right() -> None:
    none = np.zeros(0)
    crystal = Crystal((20.0, 20.0, 20.0, 90.0, 90.0, 90.0), "P 1")
    atoms = Scatterers(np.zeros((0, 3)), none, np.zeros((0, 6)), none > 0, none, np.zeros(0, dtype=str), none)
    hkl = gemmi.make_miller_array(gemmi.UnitCell(*crystal.cell), gemmi.SpaceGroup("P 1"), 2.0, 20.0)
    ones = np.ones(len(hkl))
    s_sq = reflection_geometry(crystal, hkl).d_star_sq
    assert judge_translation(crystal, hkl, ones, ones, s_sq, ones > 0, atoms) is None
