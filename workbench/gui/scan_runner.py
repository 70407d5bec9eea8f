"""Runs a weight scan beside the window: child processes, a thread that waits for them, results as they come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject, Signal

from workbench.core.words import counted
from workbench.gui.bridge import Bridge, in_background
from workbench.session.history import Journal
from workbench.session.session import Session
from workbench.session.studies import (
    ItemProgress,
    Study,
    StudyItem,
    item_values,
    keep_values,
    known_values,
    plan_of,
    record_item,
)
from workbench.session.weight_scan import AUTOMATIC, FACTORS, choose, scan_items

KIND = "scan"


class ScanRunner(QObject):
    """`changed` after every result and every word: read `values`, `recommended`, `reason`, `said`, `running`."""

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._bridge = Bridge(self)
        self._bridge.deliver_to(self._take)
        self._study: Study | None = None
        self._cancelled = False
        self.running = False
        self.values: dict[str, dict[str, Any]] = {}
        self.recommended = ""
        self.reason = ""
        self.said = ""
        self._now: dict[str, ItemProgress] = {}

    def obstacle(self) -> str:
        """Why no scan can begin now, "" when one can."""
        state = self._session.state
        if self.running:
            return "A scan is under way"
        if state.prepared is None or state.latest is None:
            return "Open a model and its data first"
        if not state.prepared.reflections.has_free:
            return "A scan needs a test set to judge by"
        if state.status in ("running", "stopping", "preparing"):
            return "Pause or stop the run first: a scan wants the processor for itself"
        if self._session.journal is None or state.position is None:
            return "There is no project to keep the runs of a scan in"
        return ""

    def begin(self) -> None:
        """Scan from the model that is kept."""
        session, state = self._session, self._session.state
        journal, position = session.journal, state.position
        source = state.kept or state.latest
        if self.obstacle() or journal is None or position is None or state.request is None or source is None:
            return
        assert state.prepared is not None
        read = state.prepared.inputs
        settings = replace(state.settings, weight=None)
        number = source.statistics.cycle
        request = replace(state.request, settings=settings, start=source.state, first_cycle=number)
        self.running, self._cancelled = True, False
        self.values, self.recommended, self.reason, self._now = {}, "", "", {}
        self.said = "The automatic weight first, then multiples of it."
        self.changed.emit()

        def run() -> None:
            plan = plan_of(KIND, request, read=read)
            values = known_values(journal, KIND, plan)
            self._bridge.post(("known", dict(values)))
            if AUTOMATIC not in values:
                values |= self._done([StudyItem(AUTOMATIC, request)], journal, position, plan)
            if AUTOMATIC in values and not self._cancelled:
                others = scan_items(request, values[AUTOMATIC]["statistics"]["xray_weight"])
                self._done([item for item in others if item.name not in values], journal, position, plan)

        in_background(self, run, self._ended)

    def recall(self) -> None:
        """Show the last scan of the project that is open, read in the background."""
        journal = self._session.journal
        if journal is None or self.running or self.values:
            return

        def read() -> tuple[dict[str, dict[str, Any]], float]:
            latest = journal.latest_study(KIND)
            return ({}, 0.0) if latest is None else (known_values(journal, KIND, latest[0]), latest[1])

        def came(result: object, error: Exception | None) -> None:
            if error is not None or not isinstance(result, tuple) or self.running or self.values:
                return
            if journal is not self._session.journal or not result[0]:
                return
            self.values = result[0]
            when = datetime.fromtimestamp(result[1]).strftime("%Y-%m-%d %H:%M")
            if self._complete:
                choice = choose(self.values)
                self.recommended, self.reason = choice.name, f"Scan of {when}. {choice.reason}"
                self.said = ""
            else:
                self.said = f"Scan of {when}, {counted(len(self.values), 'weight')}. Scan again goes on from there."
            self.changed.emit()

        in_background(self, read, came)

    @property
    def _complete(self) -> bool:
        """Every weight of a scan is there (or others, from the command line)."""
        return AUTOMATIC in self.values and len(self.values) > len(FACTORS)

    def _done(self, items: list[StudyItem], journal: Journal, position: int, plan: str) -> dict[str, dict[str, Any]]:
        """Run items and keep what they found; in the background."""
        values: dict[str, dict[str, Any]] = {}
        self._study = study = Study(items, source=self._session.source)
        if self._cancelled:
            return values
        for ended in study.run(lambda progress: self._bridge.post(("progress", progress))):
            name = ended.item.name
            if ended.failure is not None:
                self._bridge.post(("said", f"{name}: {ended.failure.message}"))
                continue
            found = item_values(ended)
            found["key"] = record_item(journal, ended, position)
            keep_values(journal, KIND, plan, name, found)
            values[name] = found
            self._bridge.post(("value", (name, found)))
        return values

    def cancel(self) -> None:
        """End the children; what has ended is kept."""
        self._cancelled = True
        if self._study is not None:
            self._study.cancel()

    def forget(self) -> None:
        """Other files or another project: nothing of the old scan counts."""
        self.cancel()
        self.values, self.recommended, self.reason, self.said = {}, "", "", ""
        self.changed.emit()

    def _take(self, message: object) -> None:
        assert isinstance(message, tuple)
        kind, value = message
        if self._cancelled:
            return
        if kind == "known":
            self.values = value
        elif kind == "value":
            name, found = value
            self.values = {**self.values, name: found}
            self._now.pop(name, None)
        elif kind == "progress":
            self._now[value.name] = value
            said = "; ".join(f"{p.name}: cycle {p.cycle} of {p.of}" for p in self._now.values())
            self.said = f"{len(self.values)} of 7 weights done. {said}"
        else:
            self.said = value
        self.changed.emit()

    def _ended(self, result: object, error: Exception | None) -> None:
        self.running = False
        self._study = None
        if error is not None:
            self.said = f"The scan ended: {error}"
        elif self._cancelled:
            self.said = f"Cancelled; {counted(len(self.values), 'weight', 'are')} kept. Scan again goes on from there."
        elif self.values:
            choice = choose(self.values)
            self.recommended, self.reason = choice.name, choice.reason
            self.said = ""
        self.changed.emit()
