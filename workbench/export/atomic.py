"""Files that appear whole or not at all, and sets of files that appear together."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from workbench.core.errors import InputError


def make_folder(folder: str | Path) -> Path:
    """The folder, made if need be. Raises InputError when results cannot be written there."""
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the output folder cannot be made ({error.strerror or error}).",
            file=str(folder),
            remedy="Choose a folder you may write to.",
        ) from None
    if not os.access(path, os.W_OK):
        raise InputError(
            "the output folder cannot be written.",
            file=str(folder),
            remedy="Choose a folder you may write to.",
        )
    return path


def write_together(folder: Path, contents: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write every file under a temporary name beside its place, then rename them all.

    An error before the first rename (a full disk, say) leaves the folder as it was.
    """
    mark = uuid.uuid4().hex[:8]
    waiting: list[tuple[Path, Path]] = []
    try:
        for name, content in contents.items():
            temporary = folder / f".{name}.{mark}.part"
            waiting.append((temporary, folder / name))
            with temporary.open("wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
        for temporary, final in waiting:
            temporary.replace(final)
    except OSError as error:
        raise InputError(
            f"the results cannot be written ({error.strerror or error}).",
            file=str(folder),
            remedy="Make room or choose another folder.",
        ) from None
    finally:
        for temporary, _ in waiting:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    _sync_folder(folder)
    return tuple(final for _, final in waiting)


def _sync_folder(folder: Path) -> None:
    """Make the renames themselves durable, where the system allows it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
