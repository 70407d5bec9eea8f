"""What a running engine may ask the world."""

from __future__ import annotations

from typing import Protocol

from workbench.core.settings import RefinementSettings


class RunControl(Protocol):
    """Asked at the poll points (each cycle, each inner step)."""

    def cancelled(self) -> bool:
        """True once the user wants the run to end; the best state so far is kept."""
        ...

    def settings(self) -> RefinementSettings:
        """The newest settings: weight and restraint sliders may move while the engine runs."""
        ...


class FixedControl:
    """A control that never cancels and never changes: scripts and tests."""

    def __init__(self, settings: RefinementSettings) -> None:
        self._settings = settings

    def cancelled(self) -> bool:
        return False

    def settings(self) -> RefinementSettings:
        return self._settings
