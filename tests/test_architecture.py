"""The rules of the house, as tests: who may import whom, and what the engine never does."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = sorted((ROOT / "workbench" / "engine").rglob("*.py"))


def test_import_contracts() -> None:
    """The layers of pyproject.toml hold (import-linter)."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", ENGINE, ids=lambda p: str(p.relative_to(ROOT)))
def test_engine_opens_no_file_and_prints_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"open", "print", "input"}
    imported = {
        name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    } | {
        (node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }  # fmt: skip
    assert not imported & {"pathlib", "logging", "rich", "PySide6", "pyqtgraph", "moderngl", "multiprocessing"}


def test_command_line_loads_neither_qt_nor_opengl() -> None:
    code = (
        "import sys, workbench.launch, workbench.cli, workbench.session.run; "
        "print(sorted({'PySide6', 'pyqtgraph', 'moderngl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_machine_paths_in_tracked_text() -> None:
    """Nothing in the project names a folder of one machine."""
    suffixes = {".py", ".md", ".toml", ".sh", ".json", ".log", ".cif", ".glsl"}
    marks = ("/" + "work/", "/" + "opt/venv", "/" + "root/")
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.suffix not in suffixes or any(p.startswith(".") or p in {"build", "dist"} for p in parts):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for mark in marks:
            assert mark not in text, f"{path.relative_to(ROOT)} names {mark}"
