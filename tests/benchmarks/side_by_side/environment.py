"""The peer's environment: servalcat, cctbx and a monomer library, apart from the project's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = ("servalcat==0.4.142", "cctbx-base==2025.11", "coot-headless-api==1.3.3rc1")
LIBRARY = "coot_headless_api/share/coot/lib/data/monomers"
DEBIAN_PACKAGE = "refmac-dictionary"


class EnvironmentMissing(RuntimeError):
    """The peer's environment could not be made or is incomplete."""


@dataclass(frozen=True)
class Peer:
    """python, servalcat: executables. monomers: folder of the monomer library. versions: package -> version."""

    python: Path
    servalcat: Path
    monomers: Path
    versions: dict[str, str]


def peer_environment(folder: Path) -> Peer:
    """The environment in `folder`, made there if there is none. Raises EnvironmentMissing with what to do."""
    if not (folder / "pyvenv.cfg").is_file():
        print(f"making the peer's environment in {folder} (some 500 MB) ...", file=sys.stderr)
        venv.create(folder, with_pip=True)
        python = _executable(folder, "python")
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=False)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise EnvironmentMissing(
                f"pip could not install {' '.join(REQUIREMENTS)} (cctbx-base has wheels for Linux and macOS, "
                "Python 3.11 to 3.13). Make an environment by hand and name it with --peer."
            )
    return _existing(folder)


def _existing(folder: Path) -> Peer:
    python = _executable(folder, "python")
    code = (
        "import json, sysconfig; from importlib.metadata import version, PackageNotFoundError\n"
        "found = {}\n"
        "for name in ('servalcat', 'cctbx-base', 'coot-headless-api', 'gemmi', 'numpy'):\n"
        "    try: found[name] = version(name)\n"
        "    except PackageNotFoundError: pass\n"
        "print(json.dumps({'versions': found, 'packages': sysconfig.get_path('purelib')}))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    monomers = Path(told["packages"]) / LIBRARY
    lacking = [name.split("==")[0] for name in REQUIREMENTS if name.split("==")[0] not in told["versions"]]
    if lacking or not (monomers / "ener_lib.cif").is_file():
        raise EnvironmentMissing(
            f"{folder}: lacks {', '.join(lacking) or 'the monomer library'}; install {' '.join(REQUIREMENTS)} there"
        )
    return Peer(python, _executable(folder, "servalcat"), monomers, told["versions"])


def _executable(folder: Path, name: str) -> Path:
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / name


def further_dictionary(component: str, folder: Path) -> Path | None:
    """COMPONENT.cif in the folder of further dictionaries; fetched into it with Debian's tools where those are there.

    The Debian package refmac-dictionary (LGPL-3) holds the older CCP4 dictionaries of rare ligands. Elsewhere put the
    files into the folder by hand.
    """
    path = folder / f"{component}.cif"
    if not path.is_file():
        _unpack_debian(folder)
    return path if path.is_file() else None


def _unpack_debian(folder: Path) -> None:
    """The components that some set needs, out of the Debian package; nothing happens where apt-get is not there."""
    from tests.benchmarks.side_by_side.data_sets import SETS

    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None or (folder / "package").is_dir():
        return
    unpacked = folder / "package"
    unpacked.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", DEBIAN_PACKAGE], cwd=unpacked, capture_output=True, check=False)
    for archive in unpacked.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive, unpacked], capture_output=True, check=False)
        archive.unlink()
    for component in {name for data_set in SETS for name in data_set.components}:
        for found in unpacked.rglob(f"{component}.cif"):
            shutil.copy(found, folder / found.name)
