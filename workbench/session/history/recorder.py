"""Writes a run into the journal as its events come, in the thread that reads them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from workbench.core.errors import WorkbenchError
from workbench.core.events import CycleFinished, Failed, Finished, Note, Prepared, RunEvent
from workbench.core.settings import FAMILIES, LOCAL_RESTRAINTS, Keep, RefinementSettings, RunRequest, strength_words
from workbench.core.words import counted
from workbench.session.history.journal import Journal
from workbench.session.history.records import CycleKind

WAITING_LIMIT = 200
"""Cycles held in memory while the project cannot be written."""
BEFORE = -1
"""Poll of a mark that was made before the run began: its first question is number 0."""


class Recorder:
    """One run. `take` commits an event before anyone is told of it and returns what the user should know.

    journal: gives the journal, made at the first Prepared event (files that cannot be used leave no project behind).
    parent: key of the cycle the run starts from, None for the files. keep: what a stopped run is to keep, asked at its
    end. While the file cannot be written the cycles wait in memory and are written as soon as it can be.
    """

    def __init__(
        self,
        journal: Callable[[], Journal],
        request: RunRequest,
        parent: int | None,
        keep: Callable[[], Keep] = lambda: "best",
        moves: bool = True,
    ) -> None:
        """moves: at its end the user stands at the result; False for the runs of a study."""
        self._open = journal
        self._request = request
        self.parent = parent
        self._keep = keep
        self._moves = moves
        self._waiting: list[RunEvent] = []
        self._refused = ""
        self._settings = request.settings
        self._prepared: Prepared | None = None
        self.journal: Journal | None = None
        self.run: int | None = None
        self.latest: int | None = None
        """Key of the newest cycle that is in the journal."""
        self.result: int | None = None
        self.first: int | None = None
        self._by_number: dict[int, int] = {}

    def take(self, event: RunEvent) -> tuple[Note, ...]:
        """Commit; never raises. A refusal of the file is told once, and once when it is over."""
        if not isinstance(event, (Prepared, CycleFinished, Finished, Failed)):
            return ()
        self._waiting.append(event)
        try:
            while self._waiting:
                self._commit(self._waiting[0])
                self._waiting.pop(0)
        except WorkbenchError as error:
            del self._waiting[1:-WAITING_LIMIT]
            if str(error) == self._refused:
                return ()
            self._refused = str(error)
            return (Note(f"The project is not being kept: {error}", "warning"),)
        if self._refused:
            self._refused = ""
            return (Note("The project is written again; no cycle is missing."),)
        return ()

    def cut_short(self, text: str, kept: int | None = None) -> int | None:
        """The run was ended from outside: its cycle number `kept` (or its last one) is what is left of it.

        Returns its key; None when there was nothing to end.
        """
        if self.journal is None or self.run is None or self.result is not None or len(self._by_number) < 2:
            return None
        key = self._by_number.get(kept, self.latest) if kept is not None else self.latest
        assert key is not None
        with contextlib.suppress(WorkbenchError):
            self.journal.end_run(self.run, "stopped", text, "current", key, move=text)
            self.result = key
        return key

    def _commit(self, event: RunEvent) -> None:
        match event:
            case Prepared():
                self.journal = self._open()
                self._prepared = event
                self._copy_inputs(event)
                self.run = self.journal.begin_run(replace(self._request, settings=event.settings), self.parent, event)
                self._mark_of_the_start(self.journal, self.run)
            case CycleFinished():
                self._cycle(event)
            case Finished():
                self._finished(event)
            case Failed():
                if self._by_number:
                    self.cut_short(f"Failed after cycle {max(self._by_number)}: {event.message}")

    def _mark_of_the_start(self, journal: Journal, run: int) -> None:
        """Live settings that were changed between the cycle the run goes on from and its beginning."""
        if self.parent is None or not self._moves:
            return
        settings = self._request.settings
        text = described(replace(settings_of(journal, self.parent), cycles=settings.cycles), settings)
        if text:
            journal.add_mark(run, self._request.first_cycle, BEFORE, text, settings)

    def _cycle(self, event: CycleFinished) -> None:
        journal, run = self._started()
        first = self.first is None
        kind: CycleKind = "start" if first else "cycle"
        parent = self.parent if first else self.latest
        with journal.together():
            for change in event.applied:
                text = described(self._settings, change.settings) or "settings"
                journal.add_mark(run, change.cycle, change.poll, text, change.settings)
                self._settings = change.settings
            self.latest = journal.add_cycle(run, parent, kind, event, self._settings)
        self._by_number[event.statistics.cycle] = self.latest
        if first:
            self.first = self.latest

    def _finished(self, event: Finished) -> None:
        journal, run = self._started()
        keep: Keep = self._keep() if event.reason == "stopped" else "best"
        number = event.kept.statistics.cycle
        cycles = max(self._by_number) - min(self._by_number)
        words = f"Refined {counted(cycles, 'cycle')}"
        with journal.together():
            if keep == "current":
                result, moved = self.latest, words
            else:
                result = journal.add_cycle(run, self._by_number.get(number), "result", event.kept, self._settings)
                moved = words if keep == "best" else ""
            assert result is not None
            if not self._moves:
                keep, moved = "discard", ""
            journal.end_run(
                run, event.reason, event.text, keep, result, moved, event.refine_seconds, event.peak_memory_mb
            )
        self.result = result

    def _started(self) -> tuple[Journal, int]:
        assert self.journal is not None and self.run is not None, "a cycle came before Prepared"
        return self.journal, self.run

    def _copy_inputs(self, prepared: Prepared) -> None:
        """Copies of the inputs, checked against what the run read."""
        from workbench.io.files import read_input

        assert self.journal is not None
        known = {copy.sha256 for copy in self.journal.inputs()}
        inputs = prepared.inputs
        sources = [("model", inputs.model), ("data", inputs.data), *(("dictionary", d) for d in inputs.dictionaries)]
        for role, source in sources:
            if source.sha256 in known:
                continue
            with contextlib.suppress(WorkbenchError, OSError):
                if read_input(source.path).source.sha256 == source.sha256:
                    content = Path(source.path).expanduser().read_bytes()
                    self.journal.add_input(role, source.path, source.sha256, content)


def settings_of(journal: Journal, key: int) -> RefinementSettings:
    """The settings that a cycle was reached with; of a result, those of the cycle that was kept and not those at the
    end of its run, and of a start those of the cycle it goes on from."""
    record = journal.cycle(key)
    while record.kind != "cycle" and record.parent is not None:
        record = journal.cycle(record.parent)
    return record.settings


def described(old: RefinementSettings, new: RefinementSettings) -> str:
    """A change of live settings in words: "weight 6.7 → 1.5, bonds 1 → 2"; "" where nothing of them changed."""

    def weight(value: float | None) -> str:
        return "automatic" if value is None else f"{value:.3g}"

    words = []
    if old.weight != new.weight:
        words.append(f"weight {weight(old.weight)} → {weight(new.weight)}")
    if old.b_weight != new.b_weight:
        words.append(f"B restraint {weight(old.b_weight)} → {weight(new.b_weight)}")
    for family, one, other in zip(FAMILIES, old.family_weights, new.family_weights, strict=True):
        if one != other:
            words.append(f"{family.replace('_', ' ')} {one:.3g} → {other:.3g}")
    for name in LOCAL_RESTRAINTS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            words.append(f"{name.replace('_', ' ')} {strength_words(before)} → {strength_words(after)}")
    if old.cycles != new.cycles:
        words.append(f"cycles {old.cycles} → {new.cycles}")
    return ", ".join(words)
