"""Weight scan, k-fold and paired refinement: child processes, progress, Ctrl-C, going on, tables and JSON."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fake_run import fake_run, write_files
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.launch import main
from workbench.session.history import Journal
from workbench.session.studies import ItemProgress, Study, StudyItem, item_values, plan_of, record_item


def _items(model: Path, data: Path, count: int, cycles: int = 3) -> list[StudyItem]:
    settings = RefinementSettings(cycles=cycles, threads=1)
    return [
        StudyItem(f"x {n}", RunRequest(str(model), str(data), settings=replace(settings, weight=float(n))))
        for n in range(1, count + 1)
    ]


def test_items_run_side_by_side_and_each_tells_its_cycles(tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    told: list[ItemProgress] = []
    study = Study(_items(model, data, 3), jobs=2, source=fake_run)
    assert study.jobs == 2 and study.threads >= 1
    ended = list(study.run(told.append))
    assert sorted(e.item.name for e in ended) == ["x 1", "x 2", "x 3"]
    for one in ended:
        assert one.failure is None and len(one.rows) == 4
        assert [p.cycle for p in told if p.name == one.item.name] == [0, 1, 2, 3]
        values = item_values(one)
        json.dumps(values, allow_nan=False)
        assert values["cycles"] == 3 and len(values["test"]["f_obs"]) == values["n_free"]


def test_cancelling_ends_the_children_at_once(tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    study = Study(_items(model, data, 2, cycles=5000), jobs=2, source=fake_run)
    told: list[ItemProgress] = []

    def tell(progress: ItemProgress) -> None:
        told.append(progress)
        if len(told) == 3:
            study.cancel()

    before = set(multiprocessing.active_children())
    began = time.monotonic()
    assert list(study.run(tell)) == []
    assert time.monotonic() - began < 60
    assert not [child for child in multiprocessing.active_children() if child not in before]


def test_an_item_that_fails_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    items = _items(model, data, 2)
    items[0] = replace(items[0], request=replace(items[0].request, model_path=str(tmp_path / "none.pdb")))
    from workbench.session.worker import engine_run

    ended = {e.item.name: e for e in Study(items[:1], source=engine_run).run()}
    ended |= {e.item.name: e for e in Study(items[1:], source=fake_run).run()}
    failure = ended["x 1"].failure
    assert failure is not None and "none.pdb" in (failure.file + failure.message)
    assert ended["x 2"].failure is None


def test_runs_of_a_study_stand_in_the_project_and_nobody_moves_there(tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    journal = Journal.create(tmp_path / "x.workbench")
    keys = [record_item(journal, ended, None) for ended in Study(_items(model, data, 2), source=fake_run).run()]
    assert None not in keys and len(set(keys)) == 2
    assert journal.integrity() == "ok" and not journal.moves() and not journal.can_undo()
    for key in keys:
        assert key is not None
        assert journal.load(key).statistics.cycle == 3
        assert journal.load_prepared(journal.cycle(key).run).reflections.has_free
    journal.close()


def test_the_same_study_has_the_same_plan_and_another_has_not(tmp_path: Path) -> None:
    model, data = write_files(tmp_path)
    request = RunRequest(str(model), str(data), settings=RefinementSettings(cycles=3))
    plan = plan_of("scan", request)
    moved = tmp_path / "elsewhere.pdb"
    moved.write_bytes(model.read_bytes())
    assert plan_of("scan", replace(request, model_path=str(moved))) == plan
    assert plan_of("scan", replace(request, settings=replace(request.settings, threads=1))) == plan
    assert plan_of("kfold", request) != plan
    assert plan_of("scan", replace(request, settings=replace(request.settings, cycles=4))) != plan
    moved.write_bytes(model.read_bytes() + b"REMARK\n")
    assert plan_of("scan", replace(request, model_path=str(moved))) != plan


# ---- the commands, with the engine --------------------------------------------------------------------------------


@pytest.fixture
def peptide(examples: Path) -> list[str]:
    folder = examples / "pep_5e5z"
    return [str(folder / "pep_5e5z.pdb"), str(folder / "pep_5e5z.mtz")]


def test_scan_recommends_writes_and_goes_on(
    peptide: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["scan", *peptide, "--cycles", "4", "--factors", "0.2,5", "--output", str(tmp_path)]
    assert main(words) == 0
    said = capsys.readouterr().out
    document = json.loads((tmp_path / "scan.json").read_text())
    assert set(document["items"]) == {"automatic", "x 0.2", "x 5"}
    weights = {name: item["statistics"]["xray_weight"] for name, item in document["items"].items()}
    assert weights["x 5"] == pytest.approx(5 * weights["automatic"])
    loose, tight = document["items"]["x 5"], document["items"]["x 0.2"]
    assert loose["statistics"]["rmsz_bonds"] > tight["statistics"]["rmsz_bonds"]
    assert loose["r_work"] < tight["r_work"]
    assert document["reason"] in said and "test" not in loose
    if document["recommended"]:
        statistics = json.loads((tmp_path / "statistics.json").read_text())
        assert statistics["final"]["xray_weight"] == pytest.approx(weights[document["recommended"]])
        assert (tmp_path / "refined.pdb").exists()
    # Asked again: nothing is refined; a further weight is all that is.
    assert main([*words[:5], "--factors", "0.2,5", "--output", str(tmp_path)]) == 0
    assert "going on" in capsys.readouterr().out
    journal = Journal.open(tmp_path / "scan.workbench")
    assert len(journal.runs()) == 3 and journal.integrity() == "ok"
    journal.close()


def test_kfold_on_the_sets_of_the_data(peptide: list[str], tmp_path: Path) -> None:
    assert main(["kfold", *peptide, "-k", "3", "--cycles", "3", "--output", str(tmp_path), "--quiet"]) == 0
    document = json.loads((tmp_path / "kfold.json").read_text())
    items = document["items"].values()
    assert document["reflections"] == sum(item["n_free"] for item in items) > 390
    total = sum(item["difference"] for item in items) / sum(item["f_obs_sum"] for item in items)
    assert document["r_complete"] == pytest.approx(total, rel=1e-6)
    assert document["r_free_lowest"] <= document["r_complete"] <= document["r_free_highest"]
    assert document["r_work_mean"] < document["r_complete"]
    assert "R_complete" in (tmp_path / "kfold.txt").read_text()


def test_paired_compares_over_the_reflections_of_both(peptide: list[str], tmp_path: Path) -> None:
    words = ["paired", *peptide, "--limits", "2.0,1.7", "--cycles", "3", "--output", str(tmp_path), "--quiet"]
    assert main(words) == 0
    document = json.loads((tmp_path / "paired.json").read_text())
    (step,) = document["steps"]
    items = document["items"]
    assert items["2.00 measured to 2.00"]["n_free"] == items["1.70 measured to 2.00"]["n_free"] == step["n_free"]
    assert items["refined to 1.70"]["n_free"] > step["n_free"]
    difference = items["1.70 measured to 2.00"]["r_free"] - items["2.00 measured to 2.00"]["r_free"]
    assert step["r_free"] == pytest.approx(difference, abs=1e-5)
    assert document["recommended"] == (1.7 if not step["worse"] else 2.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scan", "a", "b", "--weights", "1,x"], "not a list of numbers"),
        (["scan", "a", "b", "--weights", "1", "--factors", "2"], "exclude each other"),
        (["scan", "a", "b", "--weight", "3"], "sets the weight itself"),
        (["scan", "a", "b", "--jobs", "0"], "number of refinements"),
        (["kfold", "a", "b", "-k", "1"], "from 2 to 100"),
        (["paired", "a", "b", "--limits", "2.0"], "two or more limits"),
        (["paired", "a", "b", "--limits", "2.0,no"], "not a list of limits"),
        (["scan", "nowhere.pdb", "nowhere.mtz"], "nowhere.pdb"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    assert said in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_interrupted_or_killed_it_keeps_what_has_ended_and_goes_on(
    name: str, peptide: list[str], tmp_path: Path
) -> None:
    words = ["kfold", *peptide, "-k", "4", "--cycles", "3", "--jobs", "1", "--output", str(tmp_path)]
    command = [sys.executable, "-m", "workbench.launch", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("set 1: R_work"):
            if name == "SIGINT":
                os.killpg(process.pid, signal.SIGINT)
            else:
                process.kill()  # The parent alone: its children hear that nobody reads them, and end.
            break
    _, error = process.communicate(timeout=60)
    if name == "SIGINT":
        assert process.returncode == 130 and "goes on from there" in error
    else:
        assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "kfold.json").exists()
    assert main(words) == 0
    assert len(json.loads((tmp_path / "kfold.json").read_text())["items"]) == 4
    journal = Journal.open(tmp_path / "kfold.workbench")
    assert len(journal.runs()) == 4
    journal.close()
