"""How each program is called. Both get the same model, data, columns, test set and dictionaries, and one core."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.side_by_side.environment import Peer

PEER_CYCLES = 10
PEERS = ("servalcat", "servalcat_aniso")
OURS = "workbench"


@dataclass(frozen=True)
class Job:
    """command: what is run. model: the refined model it leaves. statistics: its per-cycle table (ours only)."""

    command: list[str | Path]
    model: Path
    statistics: Path | None = None


def peer_job(program: str, peer: Peer, model: Path, data: Path, dictionaries: Sequence[Path], folder: Path) -> Job:
    """servalcat with its defaults, or with anisotropic B for every atom."""
    command: list[str | Path] = [
        peer.servalcat, "refine_xtal_norefmac", "--model", model, "--hklin", data, "--labin", "FP,SIGFP,FREE",
        "--free", "0", "--source", "xray", "--ncycle", str(PEER_CYCLES), "--monlib", peer.monomers, "-o", "refined",
    ]  # fmt: skip
    if dictionaries:
        command += ["--ligand", *dictionaries]
    if program == "servalcat_aniso":
        command += ["--adp", "aniso"]
    return Job(command, folder / "refined.mmcif")


def our_job(
    workbench: Path, model: Path, data: Path, dictionaries: Sequence[Path], folder: Path, extra: Sequence[str] = ()
) -> Job:
    """The workbench with its defaults."""
    command: list[str | Path] = [
        workbench, "refine", model, data, "--labels", "FP,SIGFP", "--free", "FREE", "--free-value", "0",
        "--threads", "1", "--output", folder / "out", *extra,
    ]  # fmt: skip
    for dictionary in dictionaries:
        command += ["--dictionary", dictionary]
    return Job(command, folder / "out" / "refined.cif", folder / "out" / "statistics.json")


def our_fingerprint(workbench: Path, extra: Sequence[str]) -> dict[str, str]:
    """Version, commit and a digest of the sources behind the executable: a stored result holds while it is the same."""
    python = workbench.with_name("python" + workbench.suffix)
    code = "import workbench, pathlib; print(pathlib.Path(workbench.__file__).resolve().parent)"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    package = Path(done.stdout.strip())
    digest = hashlib.sha256(" ".join(extra).encode())
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    commit = _git(package, "rev-parse", "--short", "HEAD")
    if commit and _git(package, "status", "--porcelain", "--", "."):
        commit += " with changes"
    version = subprocess.run([workbench, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return {"sources": digest.hexdigest()[:16], "commit": commit, "version": version}


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
