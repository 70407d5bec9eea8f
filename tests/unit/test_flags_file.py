"""Flags of a second file whose indices are those of another, equally good choice of axes."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest

from workbench import launch
from workbench.core.errors import InputError
from workbench.core.settings import DataOptions
from workbench.io.reflections import read_reflections

CELL = gemmi.UnitCell(50, 50, 70, 90, 90, 90)
GROUP = gemmi.SpaceGroup("P 43")
LAW = "h,-k,-l"


def written(path: Path, hkl: np.ndarray, columns: dict[str, tuple[str, np.ndarray]]) -> str:
    out = gemmi.Mtz(with_base=True)
    out.spacegroup = GROUP
    out.set_cell_for_all(CELL)
    out.add_dataset("made")
    for label, (kind, _) in columns.items():
        out.add_column(label, kind)
    out.set_data(np.column_stack([hkl, *(values for _, values in columns.values())]).astype(np.float32))
    out.ensure_asu()
    out.write_to_file(str(path))
    return str(path)


def files(folder: Path, fraction: float, other_axes: bool, noise: float) -> tuple[str, str, np.ndarray]:
    """Data of a twin of this fraction, and the flags with a second measurement of them, on the same or other axes."""
    rng = np.random.default_rng(7)
    hkl = gemmi.make_miller_array(CELL, GROUP, 2.5, 30.0, True)
    row = {tuple(each): number for number, each in enumerate(hkl.tolist())}
    asu, ops = gemmi.ReciprocalAsu(GROUP), GROUP.operations()
    law = gemmi.Op("x,-y,-z")
    mates = np.array([row[tuple(asu.to_asu(law.apply_to_hkl(each), ops)[0])] for each in hkl.tolist()])
    crystal = rng.exponential(1000.0, len(hkl)) + 50.0
    twin = (1.0 - fraction) * crystal + fraction * crystal[mates]
    again = twin * (1.0 + noise * rng.normal(size=len(hkl)))
    flags = (np.arange(len(hkl)) % 20 == 0).astype(float)
    sigma = np.full(len(hkl), 20.0)
    data = written(folder / "data.mtz", hkl, {"IMEAN": ("J", twin), "SIGIMEAN": ("Q", sigma)})
    turned = hkl * (1, -1, -1) if other_axes else hkl
    second = written(
        folder / "second.mtz", turned, {"IMEAN": ("J", again), "SIGIMEAN": ("Q", sigma), "FREE": ("I", flags)}
    )
    return data, second, flags


@pytest.mark.parametrize("fraction", [0.0, 0.33, 0.4])
def test_other_axes_are_seen_and_the_remedy_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fraction: float
) -> None:
    data, second, flags = files(tmp_path, fraction, True, 0.02)
    with pytest.raises(InputError, match="indexed differently") as found:
        read_reflections(data, options=DataOptions(free_file=second))
    said = found.value.remedy.removeprefix("Say ").rstrip(".").split()
    assert said[0] == "--free-reindex" and found.value.options == (said[1],)
    assert launch.main(["inspect", data, "--free-file", second, *said]) == 0
    out = capsys.readouterr().out
    assert "correlate 1.00" in out and f"{int(flags.sum())} reflections" in out


@pytest.mark.parametrize("fraction", [0.0, 0.33, 0.5])
@pytest.mark.parametrize("noise", [0.02, 0.5])
def test_the_same_axes_are_never_doubted(tmp_path: Path, fraction: float, noise: float) -> None:
    data, second, flags = files(tmp_path, fraction, False, noise)
    read = read_reflections(data, options=DataOptions(free_file=second))
    assert any("Indexed alike" in note for note in read.notes) and read.free.sum() == flags.sum()


def test_an_operator_that_begins_with_a_minus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, second, _ = files(tmp_path, 0.0, False, 0.02)
    words = ["inspect", data, "--free-file", second, "--free-reindex"]
    assert launch.main([*words, "-h,-k,l"]) == 0
    assert "changed by -h,-k,l, as the user asked" in capsys.readouterr().out
    assert launch.main([*words, "-h"]) == 1


def flags_alone(folder: Path, axes: tuple[int, int, int], limit: float) -> tuple[str, str, int]:
    """Data to 2.5 A with a tenth not measured, and the flags of what was measured to `limit` A, on other axes."""
    hkl = gemmi.make_miller_array(CELL, GROUP, 2.5, 30.0, True)
    rng = np.random.default_rng(11)
    hkl = hkl[rng.random(len(hkl)) > 0.1]
    sigma = np.full(len(hkl), 20.0)
    data = written(
        folder / "data.mtz", hkl, {"IMEAN": ("J", rng.exponential(1000.0, len(hkl)) + 50), "SIGIMEAN": ("Q", sigma)}
    )
    d = CELL.calculate_d_array(hkl)
    flagged = hkl[d >= limit]
    flags = (np.arange(len(flagged)) % 20 == 0).astype(float)
    second = written(folder / "flags.mtz", flagged * axes, {"FREE": ("I", flags)})
    return data, second, int(flags.sum())


def test_flags_alone_on_other_axes_name_the_axes_before_flags_are_made_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, second, count = flags_alone(tmp_path, (1, -1, -1), 2.5)
    for extend in (False, True):
        with pytest.raises(InputError, match=r"have no flag as the indices stand, and 0 after") as found:
            read_reflections(data, options=DataOptions(free_file=second, extend_free=extend))
    (operator,) = found.value.options
    assert found.value.remedy.startswith(f"Say --free-reindex {operator};")
    assert launch.main(["inspect", data, "--free-file", second, "--free-reindex", operator]) == 0
    assert f"{count} reflections" in capsys.readouterr().out
    # whoever knows better says so
    kept = read_reflections(data, options=DataOptions(free_file=second, free_reindex="h,k,l", extend_free=True))
    assert kept.has_free


@pytest.mark.parametrize("limit", [2.5, 3.0])
def test_flags_alone_on_the_same_axes(tmp_path: Path, limit: float) -> None:
    """New shells of resolution are no other axes: there, flags are to be extended."""
    data, second, count = flags_alone(tmp_path, (1, 1, 1), limit)
    if limit > 2.5:
        with pytest.raises(InputError, match="have no flag") as found:
            read_reflections(data, options=DataOptions(free_file=second))
        assert "--extend-free" in found.value.remedy and "indexed differently" not in found.value.message
    read = read_reflections(data, options=DataOptions(free_file=second, extend_free=limit > 2.5))
    assert read.free.sum() == count
