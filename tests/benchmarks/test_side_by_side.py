"""The mathematics and bookkeeping of the side-by-side benchmark; nothing here needs the peer or the data."""

from __future__ import annotations

import gzip
import json
import math
import shutil
import sys
from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.integrate import quad

from tests.benchmarks.side_by_side import bench, table
from tests.benchmarks.side_by_side.compare import (
    free_likelihood,
    minus_log_likelihood,
    paired_difference,
    r_factor,
    seconds_to_likelihood,
)
from tests.benchmarks.side_by_side.data_sets import SETS, DataSet, chosen
from tests.benchmarks.side_by_side.measure import run_measured, tree_memory_mb
from tests.benchmarks.side_by_side.programs import PEERS, our_job
from tests.benchmarks.side_by_side.starts import SEED, SHAKE_RMSD, _mean_of_pair, shake
from tests.benchmarks.side_by_side.summary import summary


@pytest.mark.parametrize("centric", [False, True])
def test_likelihood_is_a_distribution(centric: bool) -> None:
    """exp(-LL) over all amplitudes integrates to one."""

    def density(f: float) -> float:
        one = np.ones(1)
        loss = minus_log_likelihood(f * one, 3.0 * one, 40.0 * one, 2.0 * one, np.array([centric]), 0.8, 90.0)
        return math.exp(-float(loss[0]))

    total, _ = quad(density, 1e-9, 300.0, points=[20.0, 32.0, 45.0], limit=200)
    assert total == pytest.approx(1.0, abs=1e-6)


def _observations(n: int = 600) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    true = rng.gamma(2.0, 50.0, n)
    return {
        "true": true,
        "f_obs": np.abs(true + rng.normal(0, 3.0, n)),
        "sigma": np.full(n, 3.0),
        "free": np.ones(n, bool),
        "d": rng.uniform(1.8, 20.0, n),
        "epsilon": np.ones(n),
        "centric": rng.random(n) < 0.1,
        "noise": rng.normal(0, 1.0, n),
    }


def test_free_likelihood_prefers_the_better_model_and_ignores_its_scale() -> None:
    data = _observations()
    good, bad = np.abs(data["true"] + 8 * data["noise"]), np.abs(data["true"] + 16 * data["noise"])
    assert free_likelihood(data, good) < free_likelihood(data, bad) - 0.1
    assert free_likelihood(data, 0.98 * good) == pytest.approx(free_likelihood(data, good), abs=1e-6)


def test_paired_difference_is_that_of_the_r_factors_and_zero_for_the_same_model() -> None:
    data = _observations()
    first, second = data["true"] + 8 * data["noise"], data["true"] + 7 * data["noise"]
    difference, sigma = paired_difference(data["f_obs"], first, second)
    assert difference == pytest.approx(r_factor(data["f_obs"], first) - r_factor(data["f_obs"], second), abs=1e-12)
    assert sigma > 0
    assert paired_difference(data["f_obs"], first, first) == (0.0, 0.0)


def test_paired_sigma_is_the_scatter_over_independent_test_sets() -> None:
    rng = np.random.default_rng(3)
    n, differences, sigmas = 400, [], []
    for _ in range(150):
        f = rng.gamma(2.0, 50.0, n)
        shared = rng.normal(0, 20.0, n)
        first, second = f + shared + rng.normal(0, 5.0, n), f + shared + rng.normal(0, 5.0, n)
        difference, sigma = paired_difference(f, first, second) if len(sigmas) < 10 else (
            r_factor(f, first) - r_factor(f, second), math.nan)  # fmt: skip
        differences.append(difference)
        if not math.isnan(sigma):
            sigmas.append(sigma)
    assert float(np.mean(sigmas)) == pytest.approx(float(np.std(differences)), rel=0.2)


def _statistics() -> dict[str, object]:
    values = [5.5, 5.4, 5.3, 5.25, 5.26]
    return {
        "cycles": [{"cycle": k, "ll_free": ll, "seconds": 1.0} for k, ll in enumerate(values)],
        "final": {"cycle": 3, "ll_free": 5.27},
        "timing": {"prepare_seconds": 0.5, "refine_seconds": 5.0},
    }


@pytest.mark.parametrize(
    ("above_final", "cycles_done"),
    [(0.3, 1), (0.06, 3), (0.0, 4), (-0.01, None)],
    ids=["at once", "near", "final", "never"],
)
def test_time_to_likelihood(above_final: float, cycles_done: int | None) -> None:
    """Start-up (wall minus the program's own) and preparation come first; wall becomes user by the ratio of the job."""
    found = seconds_to_likelihood(_statistics(), above_final, user=4.0, wall=8.0)
    assert found == (None if cycles_done is None else pytest.approx((2.5 + 0.5 + cycles_done) * 0.5))


def _structure(examples: Path) -> gemmi.Structure:
    path = next(p for p in sorted(examples.rglob("*")) if p.name.endswith((".pdb", ".pdb.gz")) and "lyso" in str(p))
    raw = path.read_bytes()
    return gemmi.read_pdb_string(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def test_shaken_start(examples: Path) -> None:
    given, moved, again = (_structure(examples) for _ in range(3))
    given.remove_hydrogens()
    for structure in (moved, again):
        shake(structure, SHAKE_RMSD, SEED)

    def places(structure: gemmi.Structure) -> np.ndarray:
        return np.array([a.pos.tolist() for c in structure[0] for r in c for a in r])

    shift = np.linalg.norm(places(moved) - places(given), axis=1)
    assert math.sqrt(float((shift**2).mean())) == pytest.approx(SHAKE_RMSD, rel=0.06)
    assert (places(moved) == places(again)).all()
    b = {a.b_iso for c in moved[0] for r in c for a in r}
    assert len(b) == 1
    assert b.pop() == pytest.approx(np.mean([a.b_iso for c in given[0] for r in c for a in r]), abs=1e-3)


def test_atom_on_a_special_position_is_not_shaken() -> None:
    structure = gemmi.read_pdb_string(
        "CRYST1   50.000   60.000   70.000  90.00  90.00  90.00 P 2 2 2\n"
        "HETATM    1 ZN    ZN A   1       0.000   0.000   7.000  0.50 20.00          ZN\n"
        "HETATM    2  O   HOH A   2      11.000  13.000  17.000  1.00 30.00           O\n"
        "END\n"
    )
    structure.setup_cell_images()
    shake(structure, SHAKE_RMSD, SEED)
    zinc, water = (atom for residue in structure[0][0] for atom in residue)
    assert zinc.pos.tolist() == [0.0, 0.0, 7.0]
    assert water.pos.tolist() != [11.0, 13.0, 17.0]
    assert zinc.b_iso == water.b_iso == 25.0


def test_mean_of_friedel_mates() -> None:
    nan = math.nan
    mean, sigma = _mean_of_pair(
        np.array([10.0, nan, 7.0, nan]), np.array([1.0, nan, 2.0, nan]),
        np.array([14.0, 5.0, nan, nan]), np.array([1.0, 3.0, nan, nan]),
    )  # fmt: skip
    assert mean[:3] == pytest.approx([12.0, 5.0, 7.0])
    assert sigma[:3] == pytest.approx([math.sqrt(0.5), 3.0, 2.0])
    assert not np.isfinite(mean[3])


def test_measured_memory_and_exit_code_are_those_of_the_tree(tmp_path: Path) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc here: only the largest process is measured")
    child = "import time; x = bytearray(150 * 2**20); time.sleep(0.6)"
    code = (
        "import subprocess, sys; both = [subprocess.Popen([sys.executable, '-c', sys.argv[1]]) for _ in 'ab']; "
        "[p.wait() for p in both]; print('said'); sys.exit(3)"
    )
    found = run_measured([sys.executable, "-c", code, child], tmp_path, core=None)
    assert found.code == 3
    assert 300 < found.memory_mb < 500
    assert found.wall >= 0.6
    assert found.user > 0
    assert (tmp_path / "output.txt").read_text() == "said\n"


def test_memory_of_a_process_that_ended_is_nothing() -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc here")
    assert tree_memory_mb(2**22 + 1) == 0.0


def test_chosen_sets() -> None:
    assert chosen("all") == list(SETS)
    assert [data_set.name for data_set in chosen("lyso_c2,rnasa")] == ["lyso_c2", "rnasa"]
    with pytest.raises(ValueError, match=r"no such set: nothing; there are rnasa"):
        chosen("nothing")


def test_both_get_every_dictionary(tmp_path: Path) -> None:
    job = our_job(Path("workbench"), Path("m.pdb"), Path("d.mtz"), [Path("a.cif"), Path("b.cif")], tmp_path)
    words = [str(word) for word in job.command]
    assert [words[k + 1] for k, word in enumerate(words) if word == "--dictionary"] == ["a.cif", "b.cif"]
    assert words[words.index("--threads") + 1] == "1"


def _store(output: Path, program: str, error: float, *, broken: bool = False) -> None:
    """A result as bench.run leaves it, of a model whose amplitudes are wrong by `error`."""
    folder = bench.folder_of(output, "rnasa", "given", program)
    folder.mkdir(parents=True)
    data = _observations()
    data["hkl"] = np.arange(3 * data["d"].size).reshape(-1, 3)
    data["free"] = np.arange(data["d"].size) % 2 == 0
    wrong = np.random.default_rng(len(program)).normal(0, error, data["d"].size)
    data["with_h"] = data["without_h"] = np.abs(data["true"] + wrong)
    np.savez_compressed(folder / "amplitudes.npz", **data)
    free = data["free"]
    r_work, r_free = (r_factor(data["f_obs"][s], data["with_h"][s]) for s in (~free, free))
    factors = {
        "r_work": r_work,
        "r_free": r_free,
        "gap": r_free - r_work,
        "ll_free": free_likelihood(data, data["with_h"]),
    }
    result = {
        "key": "", "program": {}, "measured": {"user": 4.0, "wall": 8.0, "memory_mb": 300.0, "load": 0.0},
        "statistics": _statistics(),
        "score": {
            **factors, "without_hydrogens": factors, "heavy_atoms": 100, "anisotropic_atoms": 0, "rmsd_bonds": 0.01,
            "rmsz_bonds": 0.8, "rmsd_angles": 1.5, "rmsz_angles": 0.9, "ramachandran": {"outliers": 1, "residues": 90},
        },
    }  # fmt: skip
    if broken:
        result["error"] = "exit code 2: no | good"
    (folder / "result.json").write_text(json.dumps(result))


def test_table_compares_ours_with_each_peer(tmp_path: Path) -> None:
    _store(tmp_path, "servalcat", 14.0)
    _store(tmp_path, "servalcat_aniso", 14.0, broken=True)
    _store(tmp_path, "mine", 4.0)
    rows = table.collect(tmp_path, chosen("rnasa"), ("given", "shaken"), "mine")
    assert [row.program for row in rows] == [*PEERS, "mine"]
    first = rows[0].comparison
    assert first is not None
    assert first.z < -2
    assert first.difference == pytest.approx(rows[2].score["r_free"] - rows[0].score["r_free"])  # type: ignore[index]
    assert rows[1].comparison is None
    assert "no / good" in table.markdown(rows)
    assert len({line.count("|") for line in table.markdown(rows).splitlines()}) == 1
    said = "\n".join(summary(rows, "mine"))
    assert "better by two paired sigma: 1/1 (rnasa)" in said
    assert "failed: rnasa given servalcat_aniso" in said
    assert "not rnasa 1.00" in said  # as many user seconds as the peer


def test_sets_apart_are_not_counted(tmp_path: Path) -> None:
    for program, error in (("servalcat", 14.0), ("mine", 4.0)):
        _store(tmp_path, program, error)
    alone = DataSet("rnasa", "m.pdb", "d.mtz", "FREE", "FP", "SIGFP", apart=True)
    said = summary(table.collect(tmp_path, [alone], ("given",), "mine"), "mine")
    assert len(said) == 1
    assert said[0].startswith("apart, rnasa given: R_free 0.")


def test_shaken_run_is_compared_with_the_given_one(tmp_path: Path) -> None:
    _store(tmp_path, "mine", 4.0)
    given = bench.folder_of(tmp_path, "rnasa", "given", "mine")
    shaken = bench.folder_of(tmp_path, "rnasa", "shaken", "mine")
    shutil.copytree(given, shaken)
    rows = table.collect(tmp_path, chosen("rnasa"), ("given", "shaken"), "mine")
    assert [row.from_given for row in rows] == [None, (0.0, 0.0)]
    with np.load(shaken / "amplitudes.npz") as kept:
        worse = {name: kept[name] for name in kept.files}
    worse["with_h"] = worse["with_h"] * np.where(np.arange(worse["with_h"].size) % 3 == 0, 1.1, 0.9)
    np.savez_compressed(shaken / "amplitudes.npz", **worse)
    said = summary(table.collect(tmp_path, chosen("rnasa"), ("given", "shaken"), "mine"), "mine")
    assert any("0/1; not rnasa +0." in line for line in said)
