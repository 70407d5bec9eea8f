"""Score one refined model: hydrogens, amplitudes, geometry, each by one script in the peer's environment."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.side_by_side.compare import free_likelihood, r_factor
from tests.benchmarks.side_by_side.environment import Peer

SCRIPTS = Path(__file__).resolve().parent / "in_peer"


class ScoringFailed(RuntimeError):
    """A script of the scorer ended with an error."""


def _digest() -> str:
    digest = hashlib.sha256()
    for path in [*sorted(SCRIPTS.glob("*.py")), Path(__file__), Path(__file__).with_name("compare.py")]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


SCORER = _digest()
"""Changes when the scorer does: older scores are made again then. Taken once, when the code in use was read."""


def score(model: Path, data: Path, dictionaries: Sequence[Path], folder: Path, peer: Peer) -> dict[str, Any]:
    """All figures of the model; `folder/amplitudes.npz` keeps the scaled |F_model| for paired comparisons.

    R factors, gap and free -LL are given with riding hydrogens and, under `without_hydrogens`, without.
    """
    bare, riding = folder / "scored_without_h.cif", folder / "scored_with_h.cif"
    heavy = _run(peer, "normalise.py", model, bare, riding, peer.monomers, *dictionaries)
    geometry = _run(peer, "geometry.py", bare, peer.monomers, *dictionaries)
    arrays = folder / "amplitudes.npz"
    told = _run(peer, "amplitudes.py", data, arrays, f"with_h={riding}", f"without_h={bare}")
    columns = load(arrays)
    result: dict[str, Any] = {**heavy, **geometry, "ramachandran": told["without_h"]["ramachandran"]}
    result |= {key: told[key] for key in ("n_obs", "n_test", "d_min")}
    result |= _factors(columns, "with_h", told)
    result["without_hydrogens"] = _factors(columns, "without_h", told)
    return result


def load(arrays: Path) -> dict[str, np.ndarray]:
    """The arrays of amplitudes.py (see there)."""
    with np.load(arrays) as stored:
        return {name: stored[name] for name in stored.files}


def _factors(columns: dict[str, np.ndarray], name: str, told: dict[str, Any]) -> dict[str, float]:
    free, f_obs, f_model = columns["free"], columns["f_obs"], columns[name]
    r_work, r_free = r_factor(f_obs[~free], f_model[~free]), r_factor(f_obs[free], f_model[free])
    if max(abs(r_work - told[name]["r_work"]), abs(r_free - told[name]["r_free"])) > 5e-4:
        raise ScoringFailed(f"{name}: R of the stored amplitudes is not mmtbx's ({r_work}, {r_free}; {told[name]})")
    return {"r_work": r_work, "r_free": r_free, "gap": r_free - r_work, "ll_free": free_likelihood(columns, f_model)}


def _run(peer: Peer, script: str, *words: str | Path) -> dict[str, Any]:
    command = [str(peer.python), str(SCRIPTS / script), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ScoringFailed(f"{script}: {done.stderr.strip()[-600:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
