"""Name and version of the program, as results carry them."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NAME = "Refinement Workbench"


def program_version() -> str:
    try:
        return version("refinement-workbench")
    except PackageNotFoundError:  # A source tree that was never installed.
        project = Path(__file__).resolve().parent.parent.parent / "pyproject.toml"
        try:
            return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
        except (OSError, ValueError, KeyError):
            return "unknown"
