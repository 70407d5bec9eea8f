"""workbench picture: a PNG without a display, and plain words where there can be none."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.gui.test_viewport_robust import map_coefficients_file
from workbench.cli import picture
from workbench.core.errors import WorkbenchError

LYSO = "example_structures/lyso_c2/lyso_c2"


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, without a display: EGL and the window's OpenGL do not go together in one."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    environment["LIBGL_ALWAYS_SOFTWARE"] = "1"
    return subprocess.run(
        [sys.executable, "-m", "workbench.launch", "picture", *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=cwd,
        env=environment,
    )


def pixels(path: Path) -> np.ndarray:
    """(height, width, 3) of a PNG that uses the filter "up", as ours do."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body, width, height = 8, b"", 0, 0
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        if kind == b"IHDR":
            width, height = struct.unpack(">II", content[:8])
        elif kind == b"IDAT":
            body += content
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(body), dtype=np.uint8).reshape(height, 1 + 3 * width)
    assert (rows[:, 0] == 2).all()
    return np.cumsum(rows[:, 1:].astype(np.uint64), axis=0).astype(np.uint8).reshape(height, width, 3)


def no_opengl(done: subprocess.CompletedProcess[str]) -> bool:
    return "no OpenGL 3.3 could be started" in done.stderr


def test_model_and_maps(examples: Path, tmp_path: Path) -> None:
    model, data = (str(examples / "lyso_c2" / f"lyso_c2.{kind}.gz") for kind in ("pdb", "mtz"))
    whole = run(model, "--output", "whole.png", "--size", "300x200", cwd=tmp_path)
    if no_opengl(whole):
        pytest.skip(whole.stderr)
    assert whole.returncode == 0, whole.stderr
    shot = pixels(tmp_path / "whole.png")
    assert shot.shape == (200, 300, 3)
    ground = np.array([16, 18, 22])
    share = (np.abs(shot.astype(int) - ground).sum(axis=2) > 60).mean()
    assert 0.1 < share < 0.7
    near = run(model, data, "--centre", "A/63", "--size", "320x240", "--light", "--output", "near.png", cwd=tmp_path)
    assert near.returncode == 0, near.stderr
    shot = pixels(tmp_path / "near.png").astype(int)
    assert shot[0, 0].sum() > 600
    blue = (shot[..., 2] > shot[..., 0] + 40) & (shot[..., 2] > shot[..., 1])
    assert blue.sum() > 500  # the wires of the map
    bare = run(model, "--centre", "A/63", "--size", "320x240", "--light", "--output", "bare.png", cwd=tmp_path)
    assert bare.returncode == 0
    without = pixels(tmp_path / "bare.png").astype(int)
    assert ((without[..., 2] > without[..., 0] + 40) & (without[..., 2] > without[..., 1])).sum() < 0.5 * blue.sum()


def chosen_maps(examples: Path, path: Path, *words: str) -> list[str]:
    """The maps that a command would draw."""
    model = str(examples / "lyso_c2" / "lyso_c2.pdb.gz")
    options = picture.parser().parse_args([model, str(path), *words])
    return [name.split()[-1] for name in picture._read(options)[2].grids]


def test_of_a_file_with_many_maps_the_first_of_each_kind_is_drawn(examples: Path, tmp_path: Path) -> None:
    path = tmp_path / "refined.mtz"
    pairs = (("FWT", "PHWT"), ("DELFWT", "PHDELWT"), ("FC", "PHIC"), ("2FOFCWT_no_fill", "PH2FOFCWT_no_fill"))
    map_coefficients_file(path, *pairs)
    assert chosen_maps(examples, path) == ["FWT", "DELFWT"]
    assert chosen_maps(examples, path, "--map", "FC", "--map", "DELFWT") == ["DELFWT", "FC"]
    with pytest.raises(WorkbenchError) as caught:
        chosen_maps(examples, path, "--map", "HLA")
    for words in ("'HLA'", "refined.mtz", "FWT, DELFWT", "FC"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["MODEL", "--centre", "Z/999"], "Z/999"),
        (["MODEL", "--size", "big"], "1200x900"),
        (["MODEL", "--size", "100000x10"], "16 to 8192"),
        (["MODEL", "--output", "x.jpg"], ".png"),
        (["MODEL", "--output", "no/such/folder/x.png"], "folder"),
        (["nothing.pdb"], "nothing.pdb"),
        (["MODEL", "--radius", "-3"], "above 0"),
        (["MODEL", "--turn", "1,2"], "three angles"),
        (["MODEL", "--style", "cartoon"], "invalid choice"),
        (["MODEL", "MODEL"], "lyso_c2.pdb.gz"),
    ],
)
def test_what_cannot_be_drawn(
    words: list[str], said: str, examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = str(examples / "lyso_c2" / "lyso_c2.pdb.gz")
    with pytest.raises(WorkbenchError) as caught:
        picture.main([model if word == "MODEL" else word for word in words])
    assert said in str(caught.value)
    assert not list(tmp_path.glob("*.png"))
