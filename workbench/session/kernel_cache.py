"""Where the compiled numerical kernels are kept between runs, decided before numba is imported."""

from __future__ import annotations

import getpass
import hashlib
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs

COMPILING = "Compiling numerical kernels, once: about half a minute"
_MARKER = "complete"
_KEPT_FOLDERS = 3


@dataclass(frozen=True)
class KernelCache:
    """folder: where numba keeps machine code. warm: all kernels of this program version were compiled there before."""

    folder: Path
    marker: Path

    @property
    def warm(self) -> bool:
        return self.marker.is_file()

    def complete(self) -> None:
        """Say that a run came past its first cycle, which needs every kernel."""
        if not self.warm:
            try:
                self.marker.parent.mkdir(parents=True, exist_ok=True)
                self.marker.touch()
            except OSError:
                pass


def prepare_kernel_cache() -> KernelCache:
    """Set NUMBA_CACHE_DIR, unless the user did: the user's cache folder, or a temporary one where that is not writable.

    Every combination of kernel sources, numba, Python and processor has a folder of its own; older ones are removed.
    """
    key = _key()
    named = os.environ.get("NUMBA_CACHE_DIR")
    if named:
        folder = Path(named)
        return KernelCache(folder, folder / f"{_MARKER}-{key}")
    folder = _writable(Path(platformdirs.user_cache_dir("refinement-workbench", appauthor=False)) / "kernels" / key)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    _remove_old(folder)
    return KernelCache(folder, folder / _MARKER)


def _key() -> str:
    digest = hashlib.sha256()
    digest.update(f"{platform.python_version()} {platform.machine()} {_processor()}".encode())
    for package in ("numba", "llvmlite", "numpy"):
        try:
            digest.update(f"{package} {version(package)}".encode())
        except PackageNotFoundError:
            digest.update(package.encode())
    engine = Path(__file__).resolve().parent.parent / "engine"
    for path in sorted(engine.rglob("*.py")):
        text = path.read_bytes()
        if b"@kernel" in text:
            digest.update(f"{path.relative_to(engine)} {path.stat().st_mtime_ns}".encode())
            digest.update(text)
    return digest.hexdigest()[:16]


def _processor() -> str:
    """Name of the processor: compiled code is only good for one kind."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line
    except OSError:
        pass
    return platform.processor()


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        pass
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "user"
    fallback = Path(tempfile.gettempdir()) / f"refinement-workbench-{user}" / folder.name
    try:
        fallback.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=fallback):
            return fallback
    except OSError:
        return Path(tempfile.mkdtemp(prefix="refinement-workbench-"))


def _remove_old(folder: Path) -> None:
    try:
        others = sorted((p for p in folder.parent.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)
    except OSError:
        return
    for old in others[:-_KEPT_FOLDERS]:
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
