"""The command line: words, exit codes, messages, files. Scripted runs where the engine does not matter."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.conftest import ROOT
from tests.fake_run import fake_run, write_files
from workbench import launch
from workbench.cli import demo
from workbench.cli.headless import run_headless
from workbench.cli.report import PlainReporter, QuietReporter, RichReporter
from workbench.core.control import FixedControl, RunControl
from workbench.core.errors import SettingsError
from workbench.core.events import CycleFinished, Note, RunEvent
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.export.results import FILES
from workbench.export.statistics import CYCLE_KEYS
from workbench.session.run import run


def _command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workbench.launch", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _loaded(code: str) -> set[str]:
    """Modules of a fresh interpreter after the code."""
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return set(answer.stdout.split())


# ---- words ------------------------------------------------------------------------------------------------------


def test_help_loads_no_numerics() -> None:
    answer = _command("--help")
    assert answer.returncode == 0 and "workbench refine MODEL DATA" in answer.stdout
    loaded = _loaded("from workbench.launch import main; main(['--help'])")
    assert not loaded & {"numpy", "scipy", "numba", "gemmi", "PySide6", "moderngl", "pyqtgraph", "rich"}


def test_the_command_line_loads_neither_qt_nor_opengl() -> None:
    loaded = _loaded(
        "import workbench.cli.refine, workbench.cli.score, workbench.cli.demo, workbench.cli.headless,"
        " workbench.session.run, workbench.export.results"
    )
    assert not {name.split(".")[0] for name in loaded} & {"PySide6", "moderngl", "pyqtgraph"}


def test_the_child_process_loads_no_qt() -> None:
    loaded = _loaded("import workbench.session.worker, workbench.session.session")
    assert not {name.split(".")[0] for name in loaded} & {"PySide6", "moderngl", "numba", "gemmi"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["refin", "a", "b"], "Did you mean workbench refine?"),
        (["something"], "There are: refine, score, inspect,"),
        (["--colour"], "unknown option --colour"),
        (["nowhere/model.pdb", "nowhere/data.mtz"], "nowhere/model.pdb: file not found."),
        (["nowhere/model.pdb"], "1 file given"),
        (["refine"], "MODEL, DATA"),
        (["refine", "m.pdb", "d.mtz", "--cycles", "-3"], "--cycles"),
        (["refine", "m.pdb", "d.mtz", "--cycles", "two"], "'two' is not a whole number"),
        (["refine", "m.pdb", "d.mtz", "--weight", "nan"], "'nan' is not a finite number"),
        (["refine", "m.pdb", "d.mtz", "--weight", "-1"], "give a number from 0 up, or auto"),
        (["refine", "m.pdb", "d.mtz", "--shake", "9"], "give 0 to 3"),
        (["refine", "m.pdb", "d.mtz", "--reset-b", "0"], "or mean"),
        (["refine", "m.pdb", "d.mtz", "--resolution", "0"], "--resolution"),
        (["refine", "m.pdb", "d.mtz", "--labels", "F,"], "FP,SIGFP"),
        (["refine", "m.pdb", "d.mtz", "--hydrogens", "some"], "invalid choice"),
        (["refine", "m.pdb", "d.mtz", "--seed", "-1"], "--seed"),
        (["score", "m.pdb"], "DATA"),
    ],
)
def test_bad_words_are_refused_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert launch.main(words) == 1
    out, err = capsys.readouterr()
    assert said in err and err.startswith("workbench: ") and err.count("\n") == 1
    assert out == "" and list(tmp_path.iterdir()) == []


def test_without_a_display_the_window_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert launch.main([]) == 1
    assert "no display" in capsys.readouterr().err


def test_demo_goes_to_the_terminal_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    told: list[str] = []
    monkeypatch.setattr(demo, "main", lambda options, why="": told.append(why) or 0)
    assert launch.main(["demo"]) == 0
    assert told == ["There is no display here."]
    assert launch.main(["demo", "--terminal"]) == 0
    assert told[1] == ""


def test_the_missing_library_is_named() -> None:
    said = "Traceback ...\nImportError: libEGL.so.1: cannot open shared object file: No such file or directory\n"
    assert launch._missing(said) == "libEGL.so.1: cannot open shared object file: No such file or directory"
    said = "qt.qpa.plugin: From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed to load the Qt xcb plugin.\nabort\n"
    assert "xcb-cursor0" in launch._missing(said)


# ---- scripted runs ----------------------------------------------------------------------------------------------


def _request(model: str = "peptide.pdb", cycles: int = 4) -> RunRequest:
    return RunRequest(model, "peptide.mtz", settings=RefinementSettings(cycles=cycles))


def test_a_run_writes_its_files_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_headless(_request(), str(tmp_path / "out"), PlainReporter(sys.stdout), fake_run) == 0
    out, err = capsys.readouterr()
    assert err == ""
    rows = [line.split() for line in out.splitlines() if line.strip() and line.split()[0].isdigit()]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4"]
    assert "P 21 21 21" in out and str(tmp_path / "out") in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    log = (tmp_path / "out" / "log.txt").read_text(encoding="utf-8")
    assert "Amplitudes F, SIGF" in log


def test_the_final_numbers_and_every_warning_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In terminal, log and statistics.json; warnings on stderr and once."""

    def source(request: RunRequest, control: RunControl) -> Iterator[RunEvent]:
        yield Note("The crystal is a toy.", "warning")
        yield Note("The crystal is a toy.", "warning")
        yield from fake_run(request, control)

    assert run_headless(_request(), str(tmp_path), PlainReporter(sys.stdout), source) == 0
    out, err = capsys.readouterr()
    assert "The crystal is a toy." in err and "toy" not in out
    document = json.loads((tmp_path / "statistics.json").read_text(encoding="utf-8"))
    assert document["warnings"] == ["The crystal is a toy."]
    final = document["final"]
    line = f"Final     cycle {final['cycle']}: R_work {final['r_work']:.4f}, R_free {final['r_free']:.4f}"
    assert line in out and line in (tmp_path / "log.txt").read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_not_called_an_error_of_the_program(peptide: tuple[Path, Path]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "workbench.launch", "score", *map(str, peptide)],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "No space left" in done.stderr and "inside the program" not in done.stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc on this system")
def test_an_output_folder_that_cannot_be_is_refused_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    def never(request: RunRequest, control: RunControl) -> Iterator[RunEvent]:
        raise AssertionError("work was begun")

    assert run_headless(_request(), "/proc/results", QuietReporter(), never) == 1
    assert "/proc/results: cannot be written" in capsys.readouterr().err


def test_quiet_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_headless(_request(), str(tmp_path), QuietReporter(), fake_run) == 0
    assert capsys.readouterr() == ("", "")


def test_rich_progress_shows_the_same_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_headless(_request(), str(tmp_path), RichReporter(), fake_run) == 0
    out = capsys.readouterr().out
    assert "R_free" in out and "Wrote refined.pdb" in out


def test_a_numerical_failure_is_2_and_keeps_the_best_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.session.run import failed

    def source(request: RunRequest, control: object) -> object:
        try:
            yield from fake_run(request, control)  # type: ignore[arg-type]
        except ValueError as error:
            yield failed(error)

    assert run_headless(_request("raise.pdb"), str(tmp_path), QuietReporter(), source) == 2  # type: ignore[arg-type]
    err = capsys.readouterr().err
    assert "an array went missing" in err and "Traceback" not in err and str(tmp_path) in err
    assert json.loads((tmp_path / "statistics.json").read_text())["final"]["cycle"] == 1


def test_inputs_are_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "refined.pdb").write_text("the input")
    request = _request(str(tmp_path / "refined.pdb"))
    assert run_headless(request, str(tmp_path), QuietReporter(), fake_run) == 1
    assert "overwritten" in capsys.readouterr().err
    assert (tmp_path / "refined.pdb").read_text() == "the input"


_INTERRUPTIBLE = """
import sys
from tests.fake_run import fake_run
from workbench.cli.headless import run_headless
from workbench.cli.report import PlainReporter
from workbench.core.settings import RefinementSettings, RunRequest
settings = RefinementSettings(cycles=1000)
sys.exit(run_headless(RunRequest(sys.argv[1], "d.mtz", settings=settings), sys.argv[2], PlainReporter(), fake_run))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_runs_write_their_best_state(tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, "slow.pdb", str(tmp_path / "out")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    for line in process.stdout:
        if line.startswith("    1 "):
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err and "interrupted; cycle 1" in err and err.count("\n") == 1
    assert "Stopping after this step" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    assert json.loads((tmp_path / "out" / "statistics.json").read_text())["final"]["cycle"] == 1


# ---- the real engine --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def peptide(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_files(tmp_path_factory.mktemp("peptide"))


def _refine(peptide: tuple[Path, Path], output: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return _command("refine", str(peptide[0]), str(peptide[1]), "--output", str(output), *words)


def test_refine_and_score_agree_to_the_last_digits_that_count(peptide: tuple[Path, Path], tmp_path: Path) -> None:
    answer = _refine(peptide, tmp_path, "--cycles", "3", "--shake", "0.1", "--seed", "1", "--quiet")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == ""
    document = json.loads((tmp_path / "statistics.json").read_text(encoding="utf-8"))
    final = document["final"]
    assert set(CYCLE_KEYS) <= set(final)
    assert 2 <= len(document["cycles"]) <= 4
    assert final["r_work"] < document["cycles"][0]["r_work"]
    for name in ("refined.pdb", "refined.cif"):
        scored = _command("score", str(tmp_path / name), str(peptide[1]), "--json")
        assert scored.returncode == 0, scored.stderr
        numbers = json.loads(scored.stdout)
        for key in ("r_work", "r_free", "ll_work", "ll_free"):
            assert numbers[key] == pytest.approx(final[key], abs=5e-4), name
        # Hydroxyl hydrogens are turned to suit the contacts of the start, of the run or of the file.
        for key in ("r_work_riding_h", "r_free_riding_h"):
            assert numbers[key] == pytest.approx(final[key], abs=2e-3), name
        for key in ("rmsd_bonds", "rmsd_angles", "mean_b"):
            assert numbers[key] == pytest.approx(final[key], rel=0.02), name
    mtz = gemmi.read_mtz_file(str(tmp_path / "refined.mtz"))
    f, fc, free = (mtz.column_with_label(label).array for label in ("F", "FC", "FREE"))
    work = free == 1
    r_work = np.abs(f[work] - fc[work]).sum() / f[work].sum()
    assert r_work == pytest.approx(final["r_work"], abs=5e-4)


def test_zero_cycles_write_the_start(peptide: tuple[Path, Path], tmp_path: Path) -> None:
    answer = _refine(peptide, tmp_path, "--cycles", "0")
    assert answer.returncode == 0, answer.stderr
    document = json.loads((tmp_path / "statistics.json").read_text(encoding="utf-8"))
    assert len(document["cycles"]) == 1 and document["final"]["cycle"] == 0
    before = gemmi.read_structure(str(peptide[0]))
    after = gemmi.read_structure(str(tmp_path / "refined.pdb"))
    for old, new in zip(before[0].all(), after[0].all(), strict=True):
        assert old.atom.pos.tolist() == pytest.approx(new.atom.pos.tolist(), abs=2e-3)


def test_wrong_files_are_1_and_leave_nothing(peptide: tuple[Path, Path], tmp_path: Path) -> None:
    answer = _command("refine", str(peptide[1]), str(peptide[0]), "--output", str(tmp_path / "out"), "--quiet")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr and answer.stderr.strip()
    assert not (tmp_path / "out").exists()


def test_a_neutron_model_is_taken_at_its_word(peptide: tuple[Path, Path], tmp_path: Path) -> None:
    """The data file does not say what it was measured with; the model's header does, and is believed with a warning."""
    model = tmp_path / "neutron.pdb"
    lines = peptide[0].read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("EXPDTA")]
    model.write_text("".join([kept[0], "EXPDTA    NEUTRON DIFFRACTION\n", *kept[1:]]), encoding="utf-8")
    words = ["refine", str(model), str(peptide[1]), "--cycles", "0", "--quiet"]
    assert launch.main([*words, "--output", str(tmp_path / "neutrons")]) == 0
    log = (tmp_path / "neutrons" / "log.txt").read_text(encoding="utf-8")
    assert "the model says neutrons" in log and "Scattering factors for neutrons" in log
    assert "NEUTRON DIFFRACTION" in (tmp_path / "neutrons" / "refined.cif").read_text(encoding="utf-8")
    assert launch.main([*words, "--scattering", "x-ray", "--output", str(tmp_path / "xrays")]) == 0
    assert "neutrons are used" not in (tmp_path / "xrays" / "log.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("NEUTRON DIFFRACTION", "neutron"),
        ("ELECTRON CRYSTALLOGRAPHY", "electron"),
        ("ELECTRON MICROSCOPY", ""),
        ("X-RAY DIFFRACTION; NEUTRON DIFFRACTION", ""),
    ],
)
def test_what_a_model_says_it_was_measured_with(
    peptide: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str, kind: str
) -> None:
    """Inspect, the log and the written file agree on it, where the data say nothing."""
    model = tmp_path / "said.pdb"
    lines = peptide[0].read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("EXPDTA")]
    model.write_text("".join([kept[0], f"EXPDTA    {method}\n", *kept[1:]]), encoding="utf-8")
    # the model may stand behind the options
    assert launch.main(["inspect", str(peptide[1]), "--json", str(model)]) == 0
    items = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert (f"the model comes from {kind} diffraction" in items["Radiation"]["sentence"]) == bool(kind)
    assert items["Radiation"]["light"] == ("amber" if kind else "green") and "Solvent" in items
    words = ["refine", str(model), str(peptide[1]), "--cycles", "0", "--quiet", "--output", str(tmp_path / "out")]
    assert launch.main(words) == 0
    log = (tmp_path / "out" / "log.txt").read_text(encoding="utf-8")
    assert (f"Scattering factors for {kind}s are used" in log) == bool(kind)
    written = (tmp_path / "out" / "refined.cif").read_text(encoding="utf-8")
    wanted = {"neutron": "NEUTRON DIFFRACTION", "electron": "ELECTRON CRYSTALLOGRAPHY"}.get(kind, "X-RAY DIFFRACTION")
    assert wanted in written


def test_an_automatic_weight_can_be_handed_on(peptide: tuple[Path, Path]) -> None:
    """As Refine does after a run that was stopped."""
    chosen = RefinementSettings(cycles=1)
    request = RunRequest(*map(str, peptide), settings=chosen, automatic_weight=3.25, b_weight=0.4)
    rows = [
        event.statistics for event in run(request, FixedControl(request.settings)) if isinstance(event, CycleFinished)
    ]
    assert [row.automatic_weight for row in rows] == [3.25, 3.25]
    assert [row.b_weight for row in rows] == pytest.approx([0.4, 0.4])


def test_score_in_words(peptide: tuple[Path, Path]) -> None:
    answer = _command("score", str(peptide[0]), str(peptide[1]))
    assert answer.returncode == 0, answer.stderr
    assert "R_work" in answer.stdout and "R_free" in answer.stdout


def test_a_model_of_c_alphas_has_no_bonds_to_tell_of(
    examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is called nan where there is nothing to measure: terminal, log and score."""
    structure = gemmi.read_structure(str(examples / "lyso_c2" / "lyso_c2.pdb.gz"))
    lines = structure.make_pdb_string().splitlines()
    trace = tmp_path / "trace.pdb"
    trace.write_text("\n".join(line for line in lines if line.startswith("CRYST1") or line[12:16] == " CA ") + "\n")
    files = [str(trace), str(examples / "lyso_c2" / "lyso_c2.mtz.gz")]
    out = tmp_path / "out"
    assert launch.main(["refine", *files, "--cycles", "1", "--accept-unplaced", "--output", str(out)]) == 0
    said = capsys.readouterr().out
    assert "no bonds in the model" in said and re.search(r"^ +1 +0\.\d+ +0\.\d+ +- +- ", said, re.MULTILINE)
    assert launch.main(["score", *files]) == 0
    said += capsys.readouterr().out + (out / "log.txt").read_text(encoding="utf-8")
    assert "Bonds     rmsd -, rmsZ -" in said and not re.search(r"\bnan\b", said)


def test_the_terminal_demo_refines_the_bundled_example(tmp_path: Path) -> None:
    answer = _command("demo", "--terminal", "--cycles", "2", "--output", str(tmp_path / "out"))
    assert answer.returncode == 0, answer.stderr
    assert str(tmp_path / "out") in answer.stdout
    document = json.loads((tmp_path / "out" / "statistics.json").read_text(encoding="utf-8"))
    assert document["final"]["r_free"] < document["cycles"][0]["r_free"]


def test_settings_error_is_raised_not_printed_by_the_parser() -> None:
    from workbench.cli.refine import main

    with pytest.raises(SettingsError):
        main(["m.pdb", "d.mtz", "--cycles", "x"])


def test_links_that_cannot_be_made_or_removed_are_refused(tmp_path: Path) -> None:
    """refine and score name both atoms and their distance, and nothing is written."""
    folder = ROOT / "example_structures" / "pep_5e5z"
    files = str(folder / "pep_5e5z.pdb"), str(folder / "pep_5e5z.mtz")
    far, output = "A 1 LEU N - A 6 ASN OXT", tmp_path / "out"
    for words in (("score", *files, "--link", far), ("refine", *files, "--output", str(output), "--no-link", far)):
        done = _command(*words)
        assert done.returncode == 1
        assert f"link {far}: " in done.stderr
        assert "the atoms are 15.76 A apart" in done.stderr
    assert not (output / "refined.pdb").exists()
