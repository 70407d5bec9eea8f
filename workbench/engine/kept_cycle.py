"""Which cycle of a run is kept: the best by the test set, unless the test set is suspect; then the newest.

A test set that has been refined against prefers the start of a run to everything after it, and one whose flags are
inverted or drawn at random prefers whatever it was refined with. The newest cycle is what a program keeps that never
asks a test set: each step lowered the target of data and geometry, and nothing chose among them afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workbench.core.events import CycleFinished, CycleStatistics, Note
from workbench.engine.cross_validation.best_state import merit
from workbench.engine.cross_validation.verdict import Memory, context_of, judge
from workbench.engine.prepare import RefinementProblem

SUSPECT = (
    "The test set is suspect: it does not choose which cycle is kept. The newest one is, and softer restraints of B or "
    "anisotropic atoms are not tried by this test set."
)
CLEARED = "The test set is no longer suspect: the best cycle by free likelihood and geometry is kept again."


@dataclass(frozen=True, eq=False)
class Standing:
    """What a trial that is given up goes back to: newest and best cycle (and its merit)."""

    newest: CycleFinished
    best: CycleFinished
    merit: float


class KeptCycle:
    """Takes every cycle of a run that was accepted, the start first.

    suspect: the verdict on the run so far says so (`cross_validation.verdict`, the rules of the lamp in the window), or
    it did before a run that goes on with the same set began.
    """

    def __init__(self, problem: RefinementProblem, start: CycleFinished) -> None:
        columns = problem.prepared.reflections.columns
        self._context = context_of(problem.prepared)
        self._inherited = problem.suspect_set == (columns.free, columns.free_value)
        self._has_free = problem.data.has_free
        self._told: list[CycleStatistics] = [start.statistics]
        self._memory: Memory = {}
        self._standing = Standing(start, start, merit(start.statistics))
        self.suspect = self._judged()

    def _judged(self) -> bool:
        if not self._has_free:
            return False
        return self._inherited or judge(self._told, self._context, self._memory).state == "test set"

    def take(self, cycle: CycleFinished) -> tuple[CycleFinished, Note | None]:
        """The cycle, marked `best` where it is the one that would be kept now; a note when the test set lost or
        regained its say."""
        self._told.append(cycle.statistics)
        before, self.suspect = self.suspect, self._judged()
        now = merit(cycle.statistics)
        better = bool(now < self._standing.merit)
        cycle = replace(cycle, best=better or self.suspect)
        old = self._standing
        self._standing = Standing(cycle, cycle, now) if better else Standing(cycle, old.best, old.merit)
        if self.suspect == before:
            return cycle, None
        return cycle, Note(SUSPECT, "warning") if self.suspect else Note(CLEARED)

    @property
    def cycle(self) -> CycleFinished:
        """The one that is kept when the run ends now."""
        return self._standing.newest if self.suspect else self._standing.best

    @property
    def standing(self) -> Standing:
        return self._standing

    def go_back(self, standing: Standing) -> None:
        """Forget the cycles of a trial that was given up."""
        self._standing = standing


def is_number(cycle: CycleFinished) -> bool:
    """Whether the likelihood that the cycle is measured by is finite."""
    return bool(np.isfinite(merit(cycle.statistics)))
