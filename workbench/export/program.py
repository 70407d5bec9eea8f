"""Name and version of the program, as results carry them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

NAME = "Refinement Workbench"


def program_version() -> str:
    try:
        return version("refinement-workbench")
    except PackageNotFoundError:  # A source tree that was never installed.
        return "uninstalled"
