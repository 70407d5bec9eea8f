"""Several refinements side by side, each in a child process: weight scan, k-fold, paired refinement.

A study is a list of items, each a run with a name. What an item found is kept (in the study table of a journal) as soon
as it ends, so that a study that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError
from workbench.core.events import CycleFinished, CycleStatistics, Failed, Finished, InputSummary, Prepared, RunEvent
from workbench.core.settings import RunRequest
from workbench.session.worker import RunSource, Worker, engine_run

if TYPE_CHECKING:
    from workbench.session.history import Journal

WAIT = 0.2
"""Seconds between two looks at whether the study was cancelled."""


@dataclass(frozen=True, eq=False)
class StudyItem:
    """One refinement. name: unique in the study, and the same when the study is asked for again."""

    name: str
    request: RunRequest


@dataclass(frozen=True, eq=False)
class ItemEnded:
    """What became of an item. rows: statistics of its cycles. start, last, kept: first and last cycle, with their
    models. failure: why it came to nothing."""

    item: StudyItem
    prepared: Prepared | None = None
    start: CycleFinished | None = None
    last: CycleFinished | None = None
    finished: Finished | None = None
    rows: tuple[CycleStatistics, ...] = ()
    failure: Failed | None = None


@dataclass(frozen=True)
class ItemProgress:
    """A cycle of an item has ended."""

    name: str
    cycle: int
    of: int
    r_work: float
    r_free: float


class Study:
    """Runs items, at most `jobs` at a time, and gives back each as it ends.

        study = Study(items, jobs=2)
        for ended in study.run(tell): ...
        study.cancel()          # from any thread: the children are ended, `run` stops

    The threads of the machine are shared among the jobs.
    """

    def __init__(self, items: Sequence[StudyItem], jobs: int = 0, source: RunSource = engine_run) -> None:
        cores = os.cpu_count() or 1
        self.jobs = max(1, min(jobs or cores, len(items) or 1))
        self.threads = max(1, cores // self.jobs)
        self._items = list(items)
        self._source = source
        self._cancelled = False
        self._events: queue.Queue[tuple[int, RunEvent]] = queue.Queue()

    def cancel(self) -> None:
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def run(self, tell: Callable[[ItemProgress], None] = lambda progress: None) -> Iterator[ItemEnded]:
        """Blocks; in the window it is called in a thread. Children are ended when the caller stops listening."""
        waiting = list(range(len(self._items)))
        workers: dict[int, Worker] = {}
        found: dict[int, _Found] = {}
        try:
            while (waiting or workers) and not self._cancelled:
                while waiting and len(workers) < self.jobs:
                    number = waiting.pop(0)
                    workers[number], found[number] = self._started(number), _Found()
                try:
                    number, event = self._events.get(timeout=WAIT)
                except queue.Empty:
                    continue
                item = self._items[number]
                found[number].take(event)
                if isinstance(event, CycleFinished):
                    row = event.statistics
                    done = row.cycle - item.request.first_cycle
                    tell(ItemProgress(item.name, done, item.request.settings.cycles, row.r_work, row.r_free))
                if isinstance(event, (Finished, Failed)):
                    workers.pop(number).join(10.0)
                    yield found.pop(number).ended(item)
        finally:
            for worker in workers.values():
                worker.kill()
            for worker in workers.values():
                worker.join(10.0)

    def _started(self, number: int) -> Worker:
        item = self._items[number]
        settings = item.request.settings
        request = replace(item.request, settings=replace(settings, threads=settings.threads or self.threads))
        worker = Worker(self._source)
        worker.start(request, lambda event: self._events.put((number, event)), held=False)
        return worker


@dataclass
class _Found:
    prepared: Prepared | None = None
    start: CycleFinished | None = None
    last: CycleFinished | None = None
    finished: Finished | None = None
    failure: Failed | None = None
    rows: list[CycleStatistics] = field(default_factory=list)

    def take(self, event: RunEvent) -> None:
        match event:
            case Prepared():
                self.prepared = event
            case CycleFinished():
                self.start = self.start or event
                self.last = event
                self.rows.append(event.statistics)
            case Finished():
                self.finished = event
            case Failed():
                self.failure = event

    def ended(self, item: StudyItem) -> ItemEnded:
        return ItemEnded(item, self.prepared, self.start, self.last, self.finished, tuple(self.rows), self.failure)


def item_values(ended: ItemEnded) -> dict[str, Any]:
    """What is kept of an item, as JSON values: statistics, verdict, and the amplitudes of its test reflections.

    Of its last cycle, which no test set chose, and which is where its settings lead.
    """
    from workbench.engine.cross_validation.free_measures import free_measures
    from workbench.engine.cross_validation.verdict import context_of, judge
    from workbench.export.statistics import json_value

    chosen = ended.last
    assert chosen is not None and ended.prepared is not None
    measures = free_measures(ended.prepared, chosen)
    verdict = judge(ended.rows, context_of(ended.prepared))
    values = {
        "statistics": dataclasses.asdict(chosen.statistics),
        "cycles": len(ended.rows) - 1,
        "end": ended.finished.text if ended.finished is not None else "",
        "d_min": ended.prepared.reflections.d_min,
        "verdict": verdict.document(),
        "r_work": measures.r_work,
        "r_free": measures.r_free,
        "wr_free": measures.wr_free,
        "cc_free": measures.cc_free,
        "ll_free": measures.ll_free,
        "n_free": measures.n_free,
        "difference": measures.difference,
        "f_obs_sum": float(measures.f_obs.sum()),
        "test": {
            name: [float(f"{value:.7g}") for value in getattr(measures, name)] for name in ("f_obs", "f_model", "sigma")
        },
    }
    plain: dict[str, Any] = json_value(values)
    return plain


def plan_of(kind: str, request: RunRequest, more: object = None, read: InputSummary | None = None) -> str:
    """A name for "the same study of the same files": kind, content of the inputs, and settings.

    read: what was read for the request, where it was; else the files are read. Raises InputError where one cannot be.
    """
    if read is not None:
        marks = [source.sha256 for source in (read.model, read.data, *read.dictionaries)]
        return _plan(kind, request, marks, more)
    from workbench.io.files import read_input

    files = (request.model_path, request.data_path, *request.dictionaries, request.intake.free_file)
    marks = [read_input(path).source.sha256 if path else "" for path in files]
    return _plan(kind, request, marks, more)


def _plan(kind: str, request: RunRequest, marks: list[str], more: object) -> str:
    settings = dataclasses.asdict(replace(request.settings, threads=0))
    start = "" if request.start is None else hashlib.sha256(request.start.xyz.tobytes()).hexdigest()
    said = json.dumps(
        [kind, marks, settings, start, request.labels, request.free_label, request.free_value, request.links,
         dataclasses.asdict(request.intake), request.library, more],
        default=str,
    )  # fmt: skip
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def known_values(journal: Journal, kind: str, plan: str) -> dict[str, dict[str, Any]]:
    """What a study has found already: item -> values."""
    return {name: json.loads(text) for name, text in journal.study(kind, plan).items()}


def keep_values(journal: Journal, kind: str, plan: str, name: str, values: dict[str, Any]) -> None:
    journal.put_study(kind, plan, name, json.dumps(values))


def record_item(journal: Journal, ended: ItemEnded, parent: int | None) -> int | None:
    """The item as a run of the project: start, last cycle and, as the result, that cycle (as it is written, where the
    run kept it); nobody moves there. Returns the key of the result; None when the project cannot be written."""
    from workbench.session.history import Recorder

    if ended.prepared is None or ended.start is None or ended.last is None or ended.finished is None:
        return None
    finished = ended.finished
    if finished.kept.statistics.cycle != ended.last.statistics.cycle:
        finished = replace(finished, kept=ended.last)
    recorder = Recorder(lambda: journal, ended.item.request, parent, moves=False)
    events: list[RunEvent] = [ended.prepared, ended.start]
    if ended.last is not ended.start:
        events.append(ended.last)
    try:
        for event in (*events, finished):
            if recorder.take(event):
                return None
    except WorkbenchError:
        return None
    return recorder.result


__all__ = [
    "ItemEnded",
    "ItemProgress",
    "Study",
    "StudyItem",
    "item_values",
    "keep_values",
    "known_values",
    "plan_of",
    "record_item",
]
