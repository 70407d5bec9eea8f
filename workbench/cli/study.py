"""What scan, kfold and paired share: options, progress in the terminal, results kept on the way, Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from workbench.cli.options import add_inputs, add_refinement
from workbench.core.crystal import ModelState
from workbench.core.errors import SettingsError
from workbench.core.settings import RunRequest
from workbench.core.words import counted
from workbench.session.studies import (
    ItemProgress,
    Study,
    StudyItem,
    item_values,
    keep_values,
    known_values,
    record_item,
)

if TYPE_CHECKING:
    from rich.status import Status

    from workbench.session.history import Journal

INTERRUPTED = 130
Values = dict[str, Any]


def add_study(parser: argparse.ArgumentParser, output: str) -> None:
    """Inputs, refinement, and where and how the study runs."""
    add_inputs(parser)
    add_refinement(parser)
    parser.add_argument("--output", metavar="DIR", default=output, help=f"folder of the results (default {output})")
    parser.add_argument(
        "--jobs", metavar="N", type=_jobs, default=0, help="refinements at a time (default: as many as there are cores)"
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only")


def _jobs(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text} cannot be used; give a number of refinements from 1 up")
    return int(text)


class StudyStopped(Exception):
    """Ctrl-C: what has ended is kept."""


class StudyRun:
    """One study in one folder: `results` runs what is not known yet and returns everything; a context manager.

    kind: "scan", "kfold" or "paired"; names the files. plan: what makes it the same study when asked for again.
    """

    def __init__(self, kind: str, plan: str, options: argparse.Namespace) -> None:
        from workbench.export.atomic import make_folder

        self.kind = kind
        self.plan = plan
        self.jobs: int = options.jobs
        self.folder = make_folder(options.output)
        self._quiet: bool = options.quiet
        self._journal = _journal(self.folder / f"{kind}.workbench")
        self._known = known_values(self._journal, kind, plan)
        self._status: Status | None = None
        self.failed: dict[str, str] = {}

    def __enter__(self) -> StudyRun:
        if not self._quiet and sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
            from rich.console import Console

            self._status = Console(highlight=False).status("Starting", spinner="dots")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
        self._journal.close()

    def say(self, text: str) -> None:
        if self._quiet:
            return
        if self._status is not None:
            from rich.text import Text

            self._status.console.print(Text(text))
        else:
            print(text, flush=True)

    def results(self, items: Sequence[StudyItem]) -> dict[str, Values]:
        """Values of every item that came to something, known ones included, in the order of `items`.

        Raises StudyStopped after Ctrl-C.
        """
        todo = [item for item in items if item.name not in self._known]
        if len(todo) < len(items):
            self.say(f"{len(items) - len(todo)} of {len(items)} refinements are here already; going on.")
        study = Study(todo, self.jobs)
        if todo:
            self.say(
                f"{counted(len(todo), 'refinement')}, {study.jobs} at a time with"
                f" {counted(study.threads, 'thread')} each."
            )
        now: dict[str, ItemProgress] = {}

        def tell(progress: ItemProgress) -> None:
            now[progress.name] = progress
            if self._status is not None:
                said = "; ".join(f"{p.name}: cycle {p.cycle} of {p.of}, R {p.r_work:.3f} {p.r_free:.3f}"
                                 for p in now.values())  # fmt: skip
                self._status.update(f"{done} of {len(todo)} done. {said}")

        done = 0
        with _ctrl_c(study.cancel):
            for ended in study.run(tell):
                done += 1
                name = ended.item.name
                now.pop(name, None)
                if ended.failure is not None:
                    self.failed[name] = f"{ended.failure.message} {ended.failure.remedy}".strip()
                    self.say(f"{name}: failed. {self.failed[name]}")
                    continue
                values = item_values(ended)
                values["key"] = record_item(self._journal, ended, None)
                keep_values(self._journal, self.kind, self.plan, name, values)
                self._known[name] = values
                self.say(
                    f"{name}: R_work {values['r_work']:.4f}, R_free {values['r_free'] or float('nan'):.4f}, "
                    f"{counted(values['cycles'], 'cycle')}, {values['verdict']['state']} ({done} of {len(todo)})"
                )
        if study.cancelled:
            raise StudyStopped
        return {item.name: self._known[item.name] for item in items if item.name in self._known}

    def write(self, document: dict[str, Any], table: Sequence[str]) -> None:
        """The study as JSON and as text."""
        from workbench.export.atomic import write_together
        from workbench.export.program import NAME, program_version
        from workbench.export.statistics import json_text

        whole = {"program": {"name": NAME, "version": program_version()}, "study": self.kind, **document}
        whole["failed"] = self.failed
        text = "\n".join(table) + "\n"
        written = write_together(
            self.folder,
            {f"{self.kind}.json": json_text(whole).encode("utf-8"), f"{self.kind}.txt": text.encode("utf-8")},
        )
        for line in ("", *table, ""):
            self.say(line)
        self.say(f"Wrote {', '.join(path.name for path in written)} to {self.folder}")

    def model_of(self, values: Values) -> ModelState:
        """The model that an item kept. Raises SettingsError when the project lost it."""
        key = values.get("key")
        if key is None:
            raise SettingsError(
                "the models of this study are not in its project.",
                file=str(self._journal.path),
                remedy="Give another folder with --output.",
            )
        return self._journal.load(key).state

    def write_model(self, name: str, values: Values, request: RunRequest, why: str) -> None:
        """The five files of one item, as `workbench refine` writes them."""
        from workbench.export.results import RunTiming, write_results

        key = values.get("key")
        if key is None:
            return
        record = self._journal.cycle(key)
        prepared, final = self._journal.load_prepared(record.run), self._journal.load(key)
        rows = [row.statistics for row in self._journal.line_of(key)]
        written = write_results(
            self.folder,
            prepared=prepared,
            final=final,
            cycles=rows,
            log=[f"{self.kind}: {name}", why],
            timing=RunTiming.of(prepared, None, rows),
            settings=record.settings,
            verdict=values["verdict"],
            end=values["end"],
        )
        self.say(f"Wrote the model of {name}: {', '.join(path.name for path in written.paths)}")


def run_study(study: StudyRun, body: Callable[[StudyRun], int]) -> int:
    """Run the body; Ctrl-C ends with what is kept and how to go on."""
    with study:
        try:
            return body(study)
        except StudyStopped:
            pass
    print(
        f"workbench: interrupted; what had ended is kept in {study.folder}. The same command goes on from there.",
        file=sys.stderr,
    )
    return INTERRUPTED


def without_amplitudes(values: Values) -> Values:
    """Values for the JSON file: the amplitudes of the test reflections stay in the project."""
    return {key: value for key, value in values.items() if key not in ("test", "key")}


def _journal(path: Path) -> Journal:
    from workbench.session.history import Journal

    if not path.exists():
        return Journal.create(path)
    journal = Journal.open(path)
    if journal.read_only:
        journal.close()
        raise SettingsError("cannot be written.", file=str(path), remedy="Give another folder with --output.")
    return journal


@contextmanager
def _ctrl_c(cancel: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = (signal.SIGINT, signal.SIGTERM)
    old = {name: signal.signal(name, lambda number, frame: cancel()) for name in names}
    try:
        yield
    finally:
        for name, handler in old.items():
            signal.signal(name, handler)
