"""One window per project: a lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import IO

from workbench.core.errors import InputError


class ProjectLock:
    """Held on FILE.lock beside the project, so that SQLite's own locks are left alone.

    Raises InputError when another process holds it, OSError when the folder cannot be written.
    """

    def __init__(self, project: Path) -> None:
        self._path = project.with_name(project.name + ".lock")
        self._file: IO[str] | None = None
        file = self._path.open("a+")
        while True:
            locked = _try_lock(file)
            if not locked or _still_named(file, self._path):
                break
            file.close()  # Its holder let go of it, and of its name, in between.
            file = self._path.open("a+")
        if not locked:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise InputError(
                f"is open in another window{f' (process {holder})' if holder else ''}.",
                file=str(project),
                remedy="Go on in that window, or close it and open the project again.",
            )
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}")
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is None:
            return
        # The name goes first: whoever opens it after that makes a file of its own.
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._file.close()
        self._file = None


def _still_named(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _try_lock(file: IO[str]) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(1 << 20)  # A byte that is never written: the text stays readable for the others.
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
