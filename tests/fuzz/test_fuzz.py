"""A short campaign of each format for every run of the tests; 5000 files of each with

pytest tests/fuzz --fuzz 5000        or        python -m tests.fuzz.campaign --count 5000
"""

from __future__ import annotations

import sys
from pathlib import Path

import gemmi
import pytest

from tests.fuzz.campaign import Child, campaign
from tests.fuzz.seeds import FORMATS, SUFFIX, bombs, seed_files
from workbench.core.errors import InputError
from workbench.io.files import read_input
from workbench.io.reflections import read_reflections

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of address space are set as Unix does")


@pytest.mark.parametrize("kind", FORMATS)
def test_mutated_files_are_read_or_refused(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    count = request.config.getoption("--fuzz")
    outcome = campaign(kind, count, seed=0, folder=tmp_path)
    assert not outcome.bad, outcome.bad[:3]
    assert outcome.counts["refused"] > 0.2 * count and outcome.counts["read"] > 0.05 * count
    assert outcome.slowest < 10.0
    assert outcome.memory_mb < 1000


@pytest.mark.parametrize("kind", FORMATS)
def test_sound_files_are_read(kind: str, tmp_path: Path) -> None:
    """Otherwise a campaign would only ever meet the first refusal."""
    work = tmp_path / "work"
    work.mkdir()
    child = Child(work)
    path = tmp_path / f"sound{SUFFIX[kind]}"
    path.write_bytes(seed_files(tmp_path)[kind])
    assert child.look(kind, path)["result"] == "read"
    child.close()


def test_small_files_that_unpack_to_gigabytes(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    child = Child(work)
    for name, data in bombs().items():
        assert len(data) < 20 << 20
        path = tmp_path / name
        path.write_bytes(data)
        found = child.look("mtz" if "mtz" in name else "pdb", path)
        assert found["result"] == "refused", (name, found)
        assert found["memory_mb"] < 2048
    child.close()


def test_a_file_larger_than_any_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.mtz"
    with path.open("wb") as stream:
        stream.write(b"MTZ ")
        stream.truncate(3 << 30)  # sparse: it takes no room on the disk
    with pytest.raises(InputError, match="GB"):
        read_input(str(path))


def test_a_data_set_without_a_cell_takes_that_of_another(tmp_path: Path) -> None:
    """Found by the campaign: the data set of the chosen column and the file itself had a cell of zeros."""
    path = tmp_path / "sound.mtz"
    path.write_bytes(seed_files(tmp_path)["mtz"])
    mtz = gemmi.read_mtz_file(str(path))
    right = mtz.cell.parameters
    for dataset in mtz.datasets:
        dataset.cell = gemmi.UnitCell(0, 0, 0, 0, 0, 0) if dataset.id else gemmi.UnitCell(*right)
    mtz.cell = gemmi.UnitCell(0, 0, 0, 0, 0, 0)
    mtz.write_to_file(str(path))
    assert read_reflections(str(path)).crystal.cell == pytest.approx(right, abs=1e-3)
