"""Refinement against intensities from the command line to the files; what is used is said, what cannot be refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.conftest import ROOT
from tests.reflection_cases import synthetic_case, with_intensities
from workbench import launch
from workbench.core.crystal import Crystal
from workbench.core.errors import SettingsError
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.likelihood_choice import AUTO, choose_likelihood
from workbench.engine.xray.improbable import largest_delta
from workbench.engine.xray.model_factors import DataSet
from workbench.engine.xray.sigma_a import estimate_sigma_a
from workbench.session.branches import settings_words
from workbench.session.history.encoding import from_plain, plain

MODEL = ROOT / "example_structures/pep_5e5z/pep_5e5z.pdb"
CRYSTAL = Crystal((58.0, 49.0, 41.0, 90.0, 90.0, 90.0), "P 21 21 21")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The peptide's data as intensities with errors of a tenth of the mean: some come out negative."""
    given = gemmi.read_mtz_file(str(ROOT / "example_structures/pep_5e5z/pep_5e5z.mtz"))
    hkl = given.make_miller_array()
    f = np.array(given.column_with_label("FP"), dtype=np.float64)
    flags = np.array(next(c for c in given.columns if c.type == "I"), dtype=np.float64)
    rng = np.random.default_rng(4)
    sigma = np.full(len(f), 0.1 * np.nanmean(f**2))
    intensity = np.maximum(f**2 + sigma * rng.normal(size=len(f)), -3.5 * sigma)
    made = gemmi.Mtz(with_base=True)
    made.spacegroup, made.title = given.spacegroup, "made"
    made.set_cell_for_all(given.cell)
    made.add_dataset("made")
    for label, kind in (("IMEAN", "J"), ("SIGIMEAN", "Q"), ("FREE", "I")):
        made.add_column(label, kind)
    made.set_data(np.column_stack([hkl, intensity, sigma, flags]).astype(np.float32))
    path = tmp_path_factory.mktemp("data") / "intensities.mtz"
    made.write_to_file(str(path))
    return path


def refined(data: Path, folder: Path, *words: str) -> tuple[dict[str, object], dict[str, object], str]:
    """`final` and `inputs` of statistics.json, and the log."""
    arguments = ["refine", str(MODEL), str(data), "--cycles", "4", "--shake", "0.3", "--quiet", *words]
    assert launch.main([*arguments, "--output", str(folder)]) == 0
    document = json.loads((folder / "statistics.json").read_text())
    return document["final"], document["inputs"], (folder / "log.txt").read_text()


def test_a_run_against_intensities(measured: Path, tmp_path: Path) -> None:
    by_i, inputs, log = refined(measured, tmp_path / "i", "--likelihood", "intensities")
    assert inputs["likelihood"] == by_i["likelihood"] == "intensities"
    assert "Target    intensities IMEAN" in log and "of them negative (as the user asked)" in log
    by_f, inputs, log = refined(measured, tmp_path / "f", "--likelihood", "amplitudes")
    assert inputs["likelihood"] == by_f["likelihood"] == "amplitudes"
    assert "Target    amplitudes IMEAN" in log and "(as the user asked)" in log
    start, _, _ = refined(measured, tmp_path / "0", "--likelihood", "intensities", "--cycles", "0")
    # one scorer, R on the same amplitudes: both get there, and neither is far from the other
    assert by_i["r_work"] < start["r_work"] - 0.01  # type: ignore[operator]
    assert by_i["r_work"] == pytest.approx(by_f["r_work"], abs=0.02)
    assert by_i["ll_work"] < start["ll_work"]  # type: ignore[operator]
    assert abs(by_i["ll_work"] - by_f["ll_work"]) > 1.0  # type: ignore[operator]


def test_the_same_numbers_whatever_the_unit(measured: Path, tmp_path: Path) -> None:
    one, _, _ = refined(measured, tmp_path / "1", "--likelihood", "intensities")
    mtz = gemmi.read_mtz_file(str(measured))
    rows = np.array(mtz.array)
    rows[:, 3:5] *= 256.0
    mtz.set_data(rows)
    mtz.write_to_file(str(tmp_path / "scaled.mtz"))
    other, _, _ = refined(tmp_path / "scaled.mtz", tmp_path / "2", "--likelihood", "intensities")
    for name in ("r_work", "r_free", "rmsd_bonds", "rmsz_angles"):
        assert other[name] == pytest.approx(one[name], abs=2e-4)
    assert other["ll_work"] == pytest.approx(one["ll_work"] + np.log(256.0), abs=2e-3)


def test_intensities_that_are_not_there_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ROOT / "example_structures/pep_5e5z/pep_5e5z.mtz"
    words = ["refine", str(MODEL), str(data), "--likelihood", "intensities", "--output", str(tmp_path / "out")]
    assert launch.main(words) == 1
    said = capsys.readouterr().err
    assert "no intensities" in said and "--likelihood amplitudes" in said
    assert not (tmp_path / "out" / "refined.pdb").exists()


def test_words_of_the_choice() -> None:
    case = synthetic_case(CRYSTAL)
    plain_data = case.reflections
    both = with_intensities(plain_data)
    assert choose_likelihood(plain_data, "auto").of == "amplitudes"
    assert "have no intensities" in choose_likelihood(plain_data, "auto").words
    assert choose_likelihood(both, "auto").of == AUTO
    assert "by default" in choose_likelihood(both, "auto").words
    assert choose_likelihood(both, "amplitudes").of == "amplitudes"
    found = choose_likelihood(both, "intensities")
    assert found.of == "intensities" and both.intensity is not None
    assert f"{int((both.intensity < 0.0).sum())} of them negative" in found.words
    some = with_intensities(plain_data, without=0.1)
    assert "without one by their amplitude" in choose_likelihood(some, "intensities").words
    few = with_intensities(plain_data, without=0.5)
    assert choose_likelihood(few, "auto").of == "amplitudes"
    with pytest.raises(SettingsError, match=r"hold \d+ for"):
        choose_likelihood(few, "intensities")
    with pytest.raises(SettingsError, match="no intensities"):
        choose_likelihood(plain_data, "intensities")


def test_it_is_remembered_and_named() -> None:
    settings = RefinementSettings(likelihood="intensities")
    assert from_plain(plain(RunRequest("a", "b", settings=settings))).settings.likelihood == "intensities"
    assert settings_words(settings) == "against intensities"


def test_sigma_a_from_intensities_is_that_of_the_truth() -> None:
    """D and S found from noisy intensities: as they were drawn, the noise not mistaken for errors of the model."""
    case = synthetic_case(CRYSTAL, d=0.8, k_mask=0.0, sigma=1e-3, free_fraction=0.15)
    data = DataSet(with_intensities(case.reflections, noise=0.5), case.hkl, case.rows, intensities=True)
    assert data.measured.intensity is not None and np.sum(data.measured.intensity < 0.0) > 500
    s_sq = data.d_star_sq
    found = estimate_sigma_a(
        data.measured.divided_by(3.7 * np.exp(-1.5 * s_sq)),
        np.abs(case.f_atoms),
        s_sq,
        data.epsilon,
        data.centric,
        case.free,
        True,
    )
    truth = (1.0 - 0.64) * 4.0e4 * np.exp(-12.5 * s_sq)
    assert np.mean(np.abs(found.d_at(s_sq) - 0.8)) < 0.06
    assert np.mean(np.abs(np.log(found.s_at(s_sq) / truth))) < 0.2


def test_weak_data_move_a_model_as_their_amplitudes_cannot() -> None:
    """Where nothing was there, amplitudes of French and Wilson say otherwise: intensities pull the model down more."""
    case = synthetic_case(CRYSTAL, d=0.9, k_mask=0.0)
    reflections = with_intensities(case.reflections, noise=0.3)
    assert reflections.intensity is not None
    data = DataSet(reflections, case.hkl, case.rows, intensities=True)
    mask = np.zeros_like(case.f_atoms)
    fitted = data.fit(case.f_atoms, mask)
    _, coefficients, curvature = data.target(case.f_atoms, mask, fitted)
    assert np.all(np.isfinite(coefficients)) and np.all(curvature[~case.free & ~fitted.improbable] > 0.0)
    along = (coefficients * np.conj(case.f_atoms)).real / np.abs(case.f_atoms)
    negative = (reflections.intensity < 0.0) & ~case.free & ~fitted.improbable
    assert negative.sum() > 50
    assert np.all(along[negative] > 0.0)  # the target falls when |F_model| does


def test_outliers_are_those_of_the_amplitudes() -> None:
    case = synthetic_case(CRYSTAL, d=0.9, k_mask=0.0)
    reflections = with_intensities(case.reflections, noise=0.02)
    f_obs = reflections.f_obs.copy()
    wrong = np.flatnonzero(~case.free)[::400]
    f_obs[wrong] *= 9.0
    assert reflections.intensity is not None
    intensity = reflections.intensity.copy()
    intensity[wrong] *= 81.0
    broken = replace(reflections, f_obs=f_obs, intensity=intensity)
    mask = np.zeros_like(case.f_atoms)
    by_f = DataSet(broken, case.hkl, case.rows).fit(case.f_atoms, mask)
    by_i = DataSet(broken, case.hkl, case.rows, intensities=True).fit(case.f_atoms, mask)
    strong = wrong[np.abs(case.f_atoms[wrong]) > np.median(np.abs(case.f_atoms))]
    assert len(strong) >= 2
    assert np.all(by_f.improbable[strong]) and np.all(by_i.improbable[strong])
    # each counts as if it lay at the limit: a few wrong ones do not drown the rest
    clean = DataSet(reflections, case.hkl, case.rows, intensities=True).fit(case.f_atoms, mask)
    most = len(wrong) * (largest_delta(len(case.hkl)) + 8.0) / by_i.n_work
    assert by_i.ll_work - clean.ll_work < most + 0.1
