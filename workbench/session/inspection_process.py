"""`workbench inspect` in a process of its own: long work, and crashes, stay outside the window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workbench.core.errors import InputError
from workbench.session.data_choice import DataChoice

PATIENCE = 0.1
"""Seconds between two looks at whether the answer is still wanted."""


class InspectionCancelled(Exception):
    """Nobody wants the answer any more."""


def inspect_in_child(
    data: str,
    model: str = "",
    choice: DataChoice | None = None,
    report: str = "",
    wanted: Callable[[], bool] = lambda: True,
) -> dict[str, Any]:
    """What `workbench inspect --json` says; report: also write the report to this file.

    Raises InputError with its message, InspectionCancelled when `wanted` turns False.
    """
    words = _words(data, model, choice)
    if report:
        words += ["--report", report]
    return _answer(words, data, wanted)


def survey_in_child(
    data: str, model: str = "", choice: DataChoice | None = None, wanted: Callable[[], bool] = lambda: True
) -> dict[str, Any]:
    """What `workbench inspect --contents --json` says: `data_survey.DataSurvey` as plain values. Raises as above."""
    return _answer([*_words(data, model, choice), "--contents"], data, wanted)


def _words(data: str, model: str, choice: DataChoice | None) -> list[str]:
    chosen = choice.option_words() if choice is not None else []
    return [data, *([model] if model else []), "--json", *chosen]


def _answer(words: Sequence[str], data: str, wanted: Callable[[], bool]) -> dict[str, Any]:
    # a crash of the child is told here, not by a parent that `workbench.launch` would put between (its CONTAINED)
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "WORKBENCH_CONTAINED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "workbench.launch", "inspect", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        cwd=Path.cwd(),
    ) as child:
        while True:
            try:
                out, err = child.communicate(timeout=PATIENCE)
                break
            except subprocess.TimeoutExpired:
                if not wanted():
                    child.kill()
                    raise InspectionCancelled from None
    if child.returncode == 0:
        found: dict[str, Any] = json.loads(out)
        return found
    if child.returncode < 0:
        raise InputError(
            f"the program that reads this file crashed (signal {-child.returncode}).",
            file=data,
            remedy="The file is probably damaged: copy it again. Please report it if it is not.",
        )
    said = err.strip().splitlines()[-1] if err.strip() else "no reason was given."
    raise InputError(said.removeprefix("workbench: "), file=data)
