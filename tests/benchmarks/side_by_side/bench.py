"""Run, score and remember: one folder per (set, start, program), where what still holds is not done again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gemmi

from tests.benchmarks.side_by_side import programs
from tests.benchmarks.side_by_side.data_sets import DataSet
from tests.benchmarks.side_by_side.environment import Peer, further_dictionary
from tests.benchmarks.side_by_side.measure import run_measured
from tests.benchmarks.side_by_side.scoring import SCORER, ScoringFailed, score
from tests.benchmarks.side_by_side.starts import prepare

ANISO_RESOLUTION = 1.5
"""Below this (angstrom) the anisotropic peer is run as well, whatever the input's B model."""


@dataclass(frozen=True)
class Bench:
    """Where things are. label: name under which ours is stored. fresh: run again whatever is stored."""

    data: Path
    output: Path
    peer: Peer
    workbench: Path
    core: int | None
    label: str = programs.OURS
    options: tuple[str, ...] = ()
    fresh: bool = False
    fingerprint: dict[str, str] = field(default_factory=dict)

    def case(self, data_set: DataSet) -> Case:
        """The set made ready: common data file, both starts, dictionaries. Raises FileNotFoundError."""
        source = self.data / data_set.name
        if not (source / data_set.data).is_file():
            raise FileNotFoundError(f"{source}: the data set is not there")
        dictionaries = [source / name for name in data_set.dictionaries]
        for component in data_set.components:
            path = further_dictionary(component, self.output / "dictionaries")
            if path is None:
                raise FileNotFoundError(
                    f"no dictionary of {component}: put {component}.cif into {self.output / 'dictionaries'}"
                )
            dictionaries.append(path)
        data, models = prepare(data_set, source, self.output / data_set.name, self.peer)
        return Case(data_set, data, models, tuple(dictionaries))


@dataclass(frozen=True)
class Case:
    """A data set made ready for both programs."""

    data_set: DataSet
    data: Path
    models: dict[str, Path]
    dictionaries: tuple[Path, ...]

    @property
    def wants_anisotropic(self) -> bool:
        """The input has ANISOU, or the resolution is such that a program may choose them."""
        structure = gemmi.read_structure(str(self.models["given"]))
        has = any(atom.aniso.nonzero() for chain in structure[0] for residue in chain for atom in residue)
        return has or gemmi.read_mtz_file(str(self.data)).resolution_high() < ANISO_RESOLUTION


def folder_of(output: Path, name: str, start: str, program: str) -> Path:
    return output / name / start / program


def stored(output: Path, name: str, start: str, program: str) -> dict[str, Any] | None:
    """The result of an earlier run, or None."""
    path = folder_of(output, name, start, program) / "result.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def is_anisotropic(score: dict[str, Any]) -> bool:
    """More than half of the atoms of a scored model have anisotropic B."""
    return bool(score["anisotropic_atoms"] > 0.5 * score["heavy_atoms"])


def ours_is_anisotropic(bench: Bench, name: str, start: str) -> bool:
    """Our stored result has anisotropic B, whatever the input had: the matching peer is the anisotropic one."""
    result = stored(bench.output, name, start, bench.label)
    return result is not None and "error" not in result and is_anisotropic(result["score"])


def run(bench: Bench, case: Case, start: str, program: str) -> dict[str, Any]:
    """Result of one program from one start: run if need be, scored if need be. `error` in it where it failed."""
    folder = folder_of(bench.output, case.data_set.name, start, program)
    is_ours = program == bench.label
    about = bench.fingerprint if is_ours else ({} if program == "start" else bench.peer.versions)
    key = _digest(case.data, case.models[start], case.dictionaries, about)
    result = stored(bench.output, case.data_set.name, start, program)
    if bench.fresh or result is None or result["key"] != key or (is_ours and _ran_badly(result)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        result = {"key": key, "program": about, **_execute(bench, case, start, program, folder)}
    if str(result.get("error", "")).startswith("scorer: "):  # the refined model is there: try again to score it
        del result["error"]
    if "error" not in result and result.get("scorer") != SCORER:
        try:
            result["score"] = score(Path(result["model"]), case.data, case.dictionaries, folder, bench.peer)
            result["scorer"] = SCORER
        except ScoringFailed as error:
            result["error"] = f"scorer: {error}"
    new = folder / "result.new.json"
    new.write_text(json.dumps(result, indent=1), encoding="utf-8")
    new.replace(folder / "result.json")
    return result


def _execute(bench: Bench, case: Case, start: str, program: str, folder: Path) -> dict[str, Any]:
    model = case.models[start]
    if program == "start":
        return {"model": str(model)}
    kernels = bench.output / "kernels"
    if program == bench.label:
        job = programs.our_job(bench.workbench, model, case.data, case.dictionaries, folder, bench.options)
        surroundings = {"NUMBA_CACHE_DIR": str(kernels), "QT_QPA_PLATFORM": "offscreen"}
    else:
        job = programs.peer_job(program, bench.peer, model, case.data, case.dictionaries, folder)
        surroundings = {}
    measured = None
    for _ in range(2):
        before = _compiled(kernels)
        measured = run_measured(job.command, folder, core=bench.core, environment=surroundings)
        # The first run of a new version compiles kernels for every later one: not what a job costs.
        if program != bench.label or measured.code or _compiled(kernels) == before:
            break
    assert measured is not None
    result: dict[str, Any] = {
        "model": str(job.model),
        "command": [str(word) for word in job.command],
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "measured": dataclasses.asdict(measured),
    }
    if measured.code or not job.model.is_file():
        tail = (folder / "output.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        result["error"] = f"exit code {measured.code}: {' | '.join(tail)[-400:]}"
    elif job.statistics is not None:
        told = json.loads(job.statistics.read_text(encoding="utf-8"))
        result["statistics"] = {
            "timing": told["timing"],
            "end": told.get("end", ""),
            "final": {name: told["final"][name] for name in ("cycle", "ll_free", "xray_weight")},
            "cycles": [{name: row[name] for name in ("cycle", "ll_free", "seconds")} for row in told["cycles"]],
        }
    return result


def _ran_badly(result: dict[str, Any]) -> bool:
    return "error" in result and not result["error"].startswith("scorer: ")


def _compiled(folder: Path) -> set[tuple[str, int]]:
    return {(path.name, path.stat().st_mtime_ns) for path in folder.rglob("*.nbc")}


def _digest(data: Path, model: Path, dictionaries: Sequence[Path], about: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for path in (data, model, *dictionaries):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
