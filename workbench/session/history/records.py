"""Rows of the journal as values: what a timeline needs without loading a single model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.core.events import CycleStatistics, EndReason
from workbench.core.settings import Keep, RefinementSettings, RunRequest

CycleKind = Literal["start", "cycle", "result"]


@dataclass(frozen=True)
class CycleRecord:
    """One point of the tree. key: its number in the journal. parent: where it came from (None: the files).
    has_model: False once it was thinned. time: seconds since the epoch."""

    key: int
    run: int
    parent: int | None
    kind: CycleKind
    number: int
    best: bool
    time: float
    statistics: CycleStatistics
    settings: RefinementSettings
    has_model: bool


@dataclass(frozen=True)
class RunRecord:
    """One run. parent: key of the cycle it began from, None when it read the files' model. result: key of what it
    kept, None while it runs or when it was cut short."""

    key: int
    branch: int
    parent: int | None
    request: RunRequest
    began: float
    ended: float | None
    reason: EndReason | None
    text: str
    keep: Keep
    result: int | None


@dataclass(frozen=True)
class MarkRecord:
    """A change of live settings. cycle: number of the cycle under way; poll: count of the engine's questions for
    settings in that cycle, from 0, at which the new ones were first seen."""

    key: int
    run: int
    cycle: int
    poll: int
    text: str
    settings: RefinementSettings


@dataclass(frozen=True)
class MoveRecord:
    """A step of the user through the tree."""

    key: int
    origin: int | None
    target: int
    text: str
    undone: bool


@dataclass(frozen=True)
class InputCopy:
    """An input file kept inside the project. role: "model", "data" or "dictionary"."""

    role: str
    path: str
    sha256: str
    size: int
