"""The console command: looks at the words, then loads the window or the command line, whichever is asked for."""

from __future__ import annotations

import difflib
import errno
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SUBCOMMANDS = (
    "refine",
    "score",
    "inspect",
    "fetch",
    "dictionary",
    "picture",
    "demo",
    "replay",
    "scan",
    "kfold",
    "paired",
)

USAGE = """\
usage: workbench                        open the window
       workbench MODEL DATA             open the window with a model and its data
       workbench FILE.workbench         open a project where it was left
       workbench refine MODEL DATA ...  refine without a window; writes model, maps and statistics
       workbench score MODEL DATA ...   R factors and geometry of a model as it is
       workbench dictionary CIF ...     restraints for a ligand, from a description or --smiles (extra `ligands`)
       workbench inspect DATA [MODEL]   what a data set is worth: completeness, twinning, symmetry, test set
       workbench fetch CODE             model and structure factors of a PDB entry, from the wwPDB
       workbench scan MODEL DATA ...    several weights side by side, and which one to take
       workbench kfold MODEL DATA ...   R_complete and the spread of R_free over k test sets
       workbench paired MODEL DATA ...  paired refinement: which resolution limit the model gains from
       workbench replay FILE.workbench  repeat what was done in a project, and compare
       workbench picture MODEL ...      the model, with the maps of DATA or of a map file, as PNG
       workbench demo                   a bundled example: in the window, or in the terminal where there is no display

Refine macromolecular crystal structures, and watch, steer and judge the refinement while it runs.

options:
  --dictionary CIF   (window) restraint dictionary of a ligand; may be given several times
  --version          print the version
  -h, --help         this text; also: workbench refine --help

MODEL is PDB or mmCIF, DATA is MTZ, mmCIF, Scalepack, XDS_ASCII or SHELX hkl; all may be gzipped.
"""

_ONE_BLAS_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""The engine's matrices are small or sparse: threads of the linear-algebra library only wait for each other there
(measured: three times the user seconds of a cycle). The engine's own threads are set by --threads."""

_PROBE = "from PySide6.QtWidgets import QApplication; QApplication([]); import pyqtgraph, moderngl"
"""Tried in a process of its own: where a system library is missing Qt does not raise, it aborts."""


CONTAINED = "WORKBENCH_CONTAINED"
"""In the environment of a process whose parent says what a crash of it means."""
_WINDOWS_CRASH = 0xC0000000
"""Exit codes from here on are those of crashes (NTSTATUS of severity "error")."""


def contained(words: Sequence[str], command: Sequence[str]) -> int:
    """Run the command in a process of its own: a library that crashes on a damaged file is an error with a remedy."""
    child = subprocess.Popen([*command, *words], env={**os.environ, CONTAINED: "1"})
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:
            continue  # the child was interrupted as well, and says so
    if 0 <= code < _WINDOWS_CRASH:
        return code
    how = f"signal {-code}" if code < 0 else f"code 0x{code:X}"
    files = [word for word in words[1:] if not word.startswith("-") and Path(word).is_file()]
    print(
        f"workbench: {', '.join(files) or words[0]}: the library that reads this file crashed ({how})."
        " The file is probably damaged: copy it again. Please report it if it is not.",
        file=sys.stderr,
    )
    return 1


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the command `workbench`; returns its exit code."""
    multiprocessing.freeze_support()
    for name in _ONE_BLAS_THREAD:
        os.environ.setdefault(name, "1")
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None and words[:1] == ["inspect"] and CONTAINED not in os.environ:
        return contained(words, [sys.executable, "-m", "workbench.launch"])
    from workbench.core.errors import WorkbenchError

    try:
        return _dispatch(words)
    except WorkbenchError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("workbench: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output (head, less) has enough of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            return _unexpected(error)
        place = f"{error.filename}: " if error.filename else ""
        print(f"workbench: {place}{error.strerror}. Make room, or write to another place.", file=sys.stderr)
        # What is still waiting to be written would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    if os.environ.get("WORKBENCH_DEBUG"):
        raise error
    print(
        f"workbench: an error inside the program ({type(error).__name__}: {error})."
        " Please report it; WORKBENCH_DEBUG=1 shows where it happened.",
        file=sys.stderr,
    )
    return 2


def _dispatch(words: list[str]) -> int:
    first = words[0] if words else ""
    if first in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if first == "--version":
        from workbench.export.program import NAME, program_version

        print(f"{NAME} {program_version()}")
        return 0
    if first == "refine":
        from workbench.cli import refine

        return refine.main(words[1:])
    if first == "score":
        from workbench.cli import score

        return score.main(words[1:])
    if first == "dictionary":
        from workbench.cli import dictionary

        return dictionary.main(words[1:])
    if first == "inspect":
        from workbench.cli import inspect

        return inspect.main(words[1:])
    if first == "fetch":
        from workbench.cli import fetch

        return fetch.main(words[1:])
    if first == "picture":
        from workbench.cli import picture

        return picture.main(words[1:])
    if first == "replay":
        from workbench.cli import replay

        return replay.main(words[1:])
    if first == "scan":
        from workbench.cli import scan

        return scan.main(words[1:])
    if first == "kfold":
        from workbench.cli import kfold

        return kfold.main(words[1:])
    if first == "paired":
        from workbench.cli import paired

        return paired.main(words[1:])
    if first == "demo":
        return _demo(words[1:])
    return _window(words)


def _demo(words: list[str]) -> int:
    from workbench.cli import demo

    options = demo.parse(words)
    why = ""
    if not options.terminal:
        why = window_obstacle()
        if not why:
            from workbench.gui.app import run_window

            model, data = demo.example_files()
            return run_window(model, data, demo=True)
    return demo.main(options, why)


def _window(words: list[str]) -> int:
    if len(words) == 1 and words[0].endswith(".workbench"):
        return _project(words[0])
    model, data, dictionaries = _window_files(words)
    why = window_obstacle()
    if why:
        from workbench.core.errors import SettingsError

        raise SettingsError(
            why, remedy="Without a window there are `workbench refine`, `workbench score` and `workbench demo`."
        )
    from workbench.gui.app import run_window

    if dictionaries:
        return run_window(model, data, demo=False, dictionaries=dictionaries)
    return run_window(model, data, demo=False)


def _project(path: str) -> int:
    from workbench.core.errors import InputError, SettingsError

    if not Path(path).is_file():
        raise InputError("file not found.", file=path, remedy="Check the name and the folder.")
    why = window_obstacle()
    if why:
        raise SettingsError(why, remedy="Without a window there is `workbench replay FILE.workbench`.")
    from workbench.gui.app import run_window

    return run_window(project=path)


def _window_files(words: list[str]) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Model, data and dictionaries of the command line; raises for anything else."""
    from workbench.core.errors import InputError, SettingsError

    files: list[str] = []
    dictionaries: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name == "--dictionary":
            given = value if equals else next(rest, "")
            if not given:
                raise SettingsError("--dictionary needs a file.", remedy="See workbench --help.")
            dictionaries.append(given)
        elif word.startswith("-") and word != "-":
            raise SettingsError(f"unknown option {word}.", remedy="See workbench --help.")
        else:
            files.append(word)
    if files and not Path(files[0]).exists() and not Path(files[0]).suffix and os.sep not in files[0]:
        close = difflib.get_close_matches(files[0], SUBCOMMANDS, n=1, cutoff=0.5)
        remedy = f"Did you mean workbench {close[0]}?" if close else f"There are: {', '.join(SUBCOMMANDS)}."
        raise SettingsError(f"there is no subcommand {files[0]!r}, and no such file.", remedy=remedy)
    if len(files) not in (0, 2):
        raise SettingsError(
            f"{len(files)} file{'s' if len(files) > 1 else ''} given; the window opens a model and its data.",
            remedy="Write workbench MODEL DATA; a ligand's restraints go after --dictionary.",
        )
    for path in (*files, *dictionaries):
        if not Path(path).is_file():
            raise InputError("file not found.", file=path, remedy="Check the name and the folder.")
    if not files:
        return None, None, tuple(dictionaries)
    return files[0], files[1], tuple(dictionaries)


def window_obstacle() -> str:
    """Why no window can be opened here; empty when one can."""
    if sys.platform.startswith("linux"):
        platform = os.environ.get("QT_QPA_PLATFORM", "")
        displays = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
        if not any(displays) and platform.split(":")[0] not in ("offscreen", "vnc", "eglfs", "linuxfb", "minimal"):
            return "There is no display here."
    try:
        probe = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return "Qt cannot be started here."
    if probe.returncode == 0:
        return ""
    return f"Qt cannot be started here ({_missing(probe.stderr)})."


def _missing(message: str) -> str:
    """The telling line of what Qt said before it gave up."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    for line in lines:
        if "cannot open shared object" in line:
            return line.split("ImportError:")[-1].strip()
        if "is needed" in line or "could not connect" in line or "Could not load" in line:
            return line
    return lines[-1] if lines else "no reason given"


if __name__ == "__main__":
    sys.exit(main())
