"""A library that crashes on a file: told with a remedy by the command, and never inside the window's process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import gemmi
import pytest

from workbench.io.files import read_input
from workbench.io.maps import holds_only_maps
from workbench.io.mtz import column_types
from workbench.launch import contained


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_crash_is_an_error_with_a_remedy(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "bad.mtz"
    data.write_bytes(b"x")
    # -E: what Python itself says of a crash, where it is asked to, is not what is tested.
    dies = [sys.executable, "-E", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]
    assert contained(["inspect", str(data), "--json"], dies) == 1
    said = capfd.readouterr().err
    assert said.count("\n") == 1 and str(data) in said and "copy it again" in said
    assert f"signal {int(signal.SIGSEGV)}" in said


def test_a_crash_on_windows_is_named_by_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Crashed:
        def wait(self) -> int:
            return 0xC0000005

    monkeypatch.setattr("workbench.launch.subprocess.Popen", lambda *words, **named: Crashed())
    assert contained(["inspect", "a.mtz"], ["workbench"]) == 1
    assert "crashed (code 0xC0000005)" in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 1, 130])
def test_other_ends_pass_through(code: int) -> None:
    assert contained(["inspect"], [sys.executable, "-c", f"raise SystemExit({code})"]) == code


def test_the_command_runs_in_its_own_process(examples: Path) -> None:
    """As typed in a shell: output and code are those of the child."""
    data = str(examples / "pep_5e5z" / "pep_5e5z.mtz")
    environment = {name: value for name, value in os.environ.items() if name != "WORKBENCH_CONTAINED"}
    done = subprocess.run(
        [sys.executable, "-m", "workbench.launch", "inspect", data, "--contents"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0 and "Will" not in done.stderr and "FP; SIGFP" in done.stdout
    missing = subprocess.run(
        [sys.executable, "-m", "workbench.launch", "inspect", data + ".none"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert missing.returncode == 1 and "not found" in missing.stderr and missing.stderr.count("\n") == 1


def test_column_types_without_a_library(examples: Path) -> None:
    for name in ("lyso_c2/lyso_c2.mtz.gz", "pep_5e5z/pep_5e5z.mtz", "mdm2_unfinished/mdm2_unfinished.mtz.gz"):
        path = str(examples / name)
        assert column_types(read_input(path)) == {column.type for column in gemmi.read_mtz_file(path).columns}
        assert not holds_only_maps(path)


def test_recognising_a_file_loads_no_crystallographic_parser(examples: Path) -> None:
    """What the window does with a dropped file happens in its own process: nothing there may crash."""
    code = (
        "import sys; from workbench.io.files import read_input; from workbench.io import mtz;"
        "mtz.gemmi.read_mtz_file = None;"
        "from workbench.gui.recognise import recognise; print(recognise(sys.argv[1]))"
    )
    data = str(examples / "pep_5e5z" / "pep_5e5z.mtz")
    done = subprocess.run([sys.executable, "-c", code, data], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "data", done.stderr
