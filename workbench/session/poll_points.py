"""Poll points: where in a run a change of the live settings was first seen, and how to give it again at that point.

The engine asks for the settings a fixed number of times in a cycle that goes the same way. The count of its questions
since the last cycle is therefore an exact place in the run, and a replay that answers by count repeats the run.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.events import AppliedSettings
from workbench.core.settings import RefinementSettings


class PollRecord:
    """Counts the engine's questions and remembers the first that got a new answer."""

    def __init__(self, settings: RefinementSettings) -> None:
        self._given = settings
        self._polls = 0
        self._changes: list[tuple[int, RefinementSettings]] = []

    def answered(self, settings: RefinementSettings) -> None:
        if settings != self._given:
            self._changes.append((self._polls, settings))
            self._given = settings
        self._polls += 1

    def taken(self, cycle: int) -> tuple[AppliedSettings, ...]:
        """The changes of the cycle that has just ended; counting begins again."""
        changes = tuple(AppliedSettings(cycle, poll, settings) for poll, settings in self._changes)
        self._changes, self._polls = [], 0
        return changes


class ReplayControl:
    """Answers the engine as the record says. first_cycle: number of the start. last_cycle: cancelled once that cycle is
    done (a run the user stopped)."""

    def __init__(
        self,
        settings: RefinementSettings,
        changes: Sequence[AppliedSettings],
        first_cycle: int = 0,
        last_cycle: int | None = None,
    ) -> None:
        self._settings = settings
        self._changes = {(change.cycle, change.poll): change.settings for change in changes}
        self._last = last_cycle
        self._cycle = first_cycle - 1
        self._polls = 0

    def settings(self) -> RefinementSettings:
        self._settings = self._changes.get((self._cycle + 1, self._polls), self._settings)
        self._polls += 1
        return self._settings

    def cancelled(self) -> bool:
        return self._last is not None and self._cycle >= self._last

    def finished(self, cycle: int) -> None:
        """Called with the number of every cycle the run reports, before it goes on."""
        self._cycle, self._polls = cycle, 0
