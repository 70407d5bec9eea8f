"""R_free of refinement against amplitudes and against intensities, same data, same start, one scorer.

    python -m tests.benchmarks.amplitudes_or_intensities SHARED_DATA FOLDER [NAME ...]

Runs `workbench refine` twice for every set (all of SETS, or those named) and start: the model as given, and shaken by
0.3 A with its B flattened. Then again on intensities with noise added to them (NOISE times the mean intensity), from
the shaken start: there both are scored by the amplitudes *before* the noise, which neither has seen, each scaled to
them in 20 ranges of resolution. Prints a line for each pair, intensities minus amplitudes with the paired error.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, FloatArray
from workbench.core.crystal import Reflections
from workbench.engine.cross_validation.paired_difference import r_difference
from workbench.io.reflections import read_reflections

NOISE = (0.3, 1.0)
SHAKEN = ("--shake", "0.3", "--reset-b", "mean", "--seed", "1")


@dataclass(frozen=True)
class Set:
    """given: the test set belongs to the history of the model, which need not be shaken. noise: and is large."""

    name: str
    model: str
    data: str
    words: tuple[str, ...] = ()
    given: bool = True
    noise: bool = True


SETS = (
    Set("hewl_ssad", "RTSAD_HEWL_refine_25.pdb", "RTSAD_HEWL_refine_25.mtz"),
    Set("i213_3io0", "before.pdb", "3io0-sf.mtz"),
    Set("baz2b_x828", "BAZ2B.pdb", "nt5073v16_xBAZ2BAx8281_free.mtz"),
    Set("il1b_1l2h_twin", "1l2h.cif.gz", "1l2h.mtz.gz"),
    Set("pep_7n2l_p1", "7n2l.pdb", "7n2l.mtz", noise=False),
    Set(
        "gamma", "gamma_model.pdb", "merged_intensities_native.mtz",
        ("--create-free", "0.05", "--b-model", "isotropic"), given=False, noise=False,
    ),
    Set("pep_6mw0", "6mw0.cif", "6mw0-sf.cif.gz", ("--create-free", "0.1"), given=False, noise=False),
)  # fmt: skip


def refined(model: Path, data: Path, folder: Path, *words: str) -> dict[str, float]:
    """`final` of statistics.json; a run that is there is not made again."""
    if not (folder / "statistics.json").exists():
        command = [sys.executable, "-m", "workbench.launch", "refine", str(model), str(data), "--threads", "1"]
        subprocess.run([*command, "--quiet", "--output", str(folder), *words], check=True)
    final: dict[str, float] = json.loads((folder / "statistics.json").read_text())["final"]
    return final


def noisy(data: Reflections, noise: float, path: Path) -> Path:
    """The intensities with noise times their mean added as an error, test set kept."""
    assert data.intensity is not None and data.sigma_intensity is not None
    added = noise * float(np.mean(data.intensity))
    value = data.intensity + added * np.random.default_rng(11).normal(size=len(data))
    sigma = np.hypot(data.sigma_intensity, added)
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = gemmi.SpaceGroup(data.crystal.space_group)
    mtz.set_cell_for_all(gemmi.UnitCell(*data.crystal.cell))
    mtz.add_dataset("noise")
    for label, kind in (("IMEAN", "J"), ("SIGIMEAN", "Q"), ("FREE", "I")):
        mtz.add_column(label, kind)
    mtz.set_data(np.column_stack([data.hkl, value, sigma, ~data.free]).astype(np.float32))
    mtz.write_to_file(str(path))
    return path


def model_amplitudes(folder: Path, data: Reflections) -> FloatArray:
    """FC of refined.mtz (n,) for the reflections of data, NaN where a run did not use one."""
    mtz = gemmi.read_mtz_file(str(folder / "refined.mtz"))
    rows = zip(mtz.make_miller_array().tolist(), np.array(mtz.column_with_label("FC")), strict=True)
    known = {tuple(index): float(value) for index, value in rows}
    return np.array([known.get(tuple(index), np.nan) for index in data.hkl.tolist()])


def scaled(model: FloatArray, data: Reflections, used: BoolArray) -> FloatArray:
    """The model brought to the amplitudes by the work reflections of each of 20 ranges of resolution."""
    s_sq = np.asarray(gemmi.UnitCell(*data.crystal.cell).calculate_1_d2_array(data.hkl))
    limits = np.quantile(s_sq, np.linspace(0.0, 1.0, 21))[1:-1]
    where, result = np.searchsorted(limits, s_sq), model.copy()
    for number in range(20):
        shell = where == number
        work = shell & used & ~data.free
        result[shell] *= np.sum(data.f_obs[work] * model[work]) / np.sum(model[work] ** 2)
    return result


def drawn(folder: Path, data: Reflections) -> BoolArray:
    """(n,) the test set that a run made, from FREE of its refined.mtz."""
    mtz = gemmi.read_mtz_file(str(folder / "refined.mtz"))
    flags = zip(mtz.make_miller_array().tolist(), mtz.column_with_label("FREE"), strict=True)
    test = {tuple(index) for index, flag in flags if flag == 0.0}
    return np.array([tuple(index) in test for index in data.hkl.tolist()])


def line(name: str, data: Reflections, folders: tuple[Path, Path], finals: list[dict[str, float]], shells: bool) -> str:
    one, other = (model_amplitudes(folder, data) for folder in folders)
    used = np.isfinite(one) & np.isfinite(other)
    if shells:
        one, other = scaled(one, data, used), scaled(other, data, used)
    free = used & data.free
    f_obs = data.f_obs[free]
    r = [float(np.abs(f_obs - model[free]).sum() / f_obs.sum()) for model in (one, other)]
    change, sigma = r_difference(f_obs, other[free], one[free])
    z = "  ".join(f"{final['rmsz_bonds']:.2f} {final['rmsz_angles']:.2f}" for final in finals)
    return f"{name:28s} R_free {r[0]:.4f} {r[1]:.4f}  {change:+.4f} +- {sigma:.4f}   rmsZ bonds, angles {z}"


def main(shared: Path, folder: Path, wanted: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in SETS:
        if wanted and each.name not in wanted:
            continue
        model, path = shared / each.name / each.model, shared / each.name / each.data
        plain = read_reflections(str(path))
        pairs = [("given", path, each.words)] if each.given else []
        pairs.append(("shaken", path, (*each.words, *SHAKEN)))
        if each.noise:
            made = [(noise, noisy(plain, noise, folder / f"{each.name}-noise{noise}.mtz")) for noise in NOISE]
            pairs += [(f"noise {noise}", data, (*each.words, *SHAKEN)) for noise, data in made]
        for name, data, words in pairs:
            places = [folder / f"{each.name}-{name.replace(' ', '')}-{of}" for of in ("amplitudes", "intensities")]
            finals = [
                refined(model, data, place, "--likelihood", place.name.rsplit("-", 1)[1], *words) for place in places
            ]
            scorer = replace(plain, free=drawn(places[0], plain)) if "--create-free" in words else plain
            print(line(f"{each.name} {name}", scorer, (places[0], places[1]), finals, "noise" in name), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
