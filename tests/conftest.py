"""Fixtures that every test may use."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

# The kernel cache of the tests lives outside the user's own; set before anything imports numba.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "workbench-test-kernels"))
# Tests see the restraints that come with the program, not those of whoever runs them.
os.environ["WORKBENCH_LIBRARY"] = "embedded"
os.environ.setdefault("QT_QPA_PLATFORM", "xcb" if os.environ.get("DISPLAY") else "offscreen")

ROOT = Path(__file__).resolve().parent.parent


def shared_data_folder() -> Path | None:
    """The folder of real data sets beside the checkout, if it is there."""
    named = os.environ.get("WORKBENCH_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = shared_data_folder()
    if folder is None:
        pytest.skip("shared data sets not found: set WORKBENCH_SHARED_DATA to their folder to run this test")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    """The bundled example structures of the source tree."""
    return ROOT / "example_structures"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=120, help="mutated files of each format (default 120)")
