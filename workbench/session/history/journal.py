"""The project file: SQLite in write-ahead mode, every cycle a transaction of its own.

Whatever ends the program, the file holds every cycle that was committed: SQLite's journal is atomic, and a cycle is
committed before anything is told of it. Readers (scrubbing) never wait for the writer.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from workbench.core.arrays import AnyArray
from workbench.core.crystal import ModelState
from workbench.core.errors import InputError, WorkbenchError
from workbench.core.events import CycleFinished, Prepared, ResidueFit
from workbench.core.settings import Keep, RefinementSettings, RunRequest
from workbench.session.history import schema
from workbench.session.history.encoding import (
    compact,
    decode,
    encode,
    from_plain,
    pack_array,
    plain,
    restored,
    unpack_array,
)
from workbench.session.history.lock import ProjectLock
from workbench.session.history.records import CycleKind, CycleRecord, InputCopy, MarkRecord, MoveRecord, RunRecord

SUFFIX = ".workbench"
BUSY_SECONDS = 5.0


class JournalError(WorkbenchError):
    """The project file could not be read or written; it is as it was after the last committed cycle."""


class Journal:
    """One open project. Every method may be called from any thread; each thread has its own connection."""

    def __init__(self, path: Path, *, read_only: bool, lock: ProjectLock | None) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = lock
        self._local = threading.local()
        self._connections: list[tuple[sqlite3.Connection, threading.Lock]] = []
        """Of every thread, with what it holds while it reads: SQLite crashes when a connection in use is closed."""
        self._writing = threading.RLock()
        self._closed = False

    # ---- opening and closing ----------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | Path) -> Journal:
        """A new, empty project. Raises InputError when the file exists or the folder cannot be written."""
        place = Path(path)
        if place.exists():
            raise InputError("exists already.", file=str(path), remedy="Choose another name; nothing is overwritten.")
        journal = cls(place, read_only=False, lock=_locked(place))
        try:
            schema.create(journal._connection())
        except sqlite3.Error as error:
            journal.close()
            place.unlink(missing_ok=True)
            raise _journal_error(place, error) from None
        return journal

    @classmethod
    def open(cls, path: str | Path) -> Journal:
        """An existing project; `read_only` where its file or folder cannot be written.

        Raises InputError when there is none, when it is none, when it is damaged or open in another window.
        """
        place = Path(path)
        if not place.is_file():
            raise InputError("file not found.", file=str(path), remedy="Check the name and the folder.")
        with place.open("rb") as handle:
            if handle.read(16) != b"SQLite format 3\x00":
                raise InputError(
                    "is not a Refinement Workbench project.",
                    file=str(path),
                    remedy="Open the model and its data instead; projects end in .workbench.",
                )
        read_only = not (os.access(place, os.W_OK) and os.access(place.parent, os.W_OK))
        lock = None if read_only else _locked(place)
        journal = cls(place, read_only=read_only, lock=lock)
        try:
            schema.check(journal._connection(), str(path), read_only)
            if not read_only:
                journal._close_open_runs()
        except sqlite3.Error as error:
            journal.close()
            raise _journal_error(place, error) from None
        except WorkbenchError:
            journal.close()
            raise
        return journal

    def close(self) -> None:
        """Let go of the file; what was committed stays."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            for connection, in_use in tuple(self._connections):
                with in_use, contextlib.suppress(sqlite3.Error):
                    connection.close()
            self._connections.clear()
            if self._lock is not None:
                self._lock.release()

    def copy_to(self, path: str | Path) -> None:
        """The project as it is now under another name, whole or not at all; an existing file is replaced."""
        place = Path(path)
        part = place.with_name(f".{place.name}.part")
        try:
            with contextlib.closing(sqlite3.connect(part)) as target, self._in_use() as connection:
                connection.backup(target)
            part.replace(place)
        except (sqlite3.Error, OSError) as error:
            part.unlink(missing_ok=True)
            raise _journal_error(place, error) from None

    def size(self) -> int:
        """Bytes on disk, the write-ahead part included."""
        total = 0
        for name in (self.path, self.path.with_name(self.path.name + "-wal")):
            with contextlib.suppress(OSError):
                total += name.stat().st_size
        return total

    def integrity(self) -> str:
        """SQLite's own check: "ok", or what is wrong."""
        rows = self._read("PRAGMA integrity_check")
        broken = self._read("PRAGMA foreign_key_check")
        text = "; ".join(str(row[0]) for row in rows)
        return text if not broken else f"{text}; {len(broken)} broken references"

    @contextmanager
    def together(self) -> Iterator[None]:
        """All writes of the block in one transaction."""
        with self._transaction():
            yield

    # ---- writing ----------------------------------------------------------------------------------------------

    def add_input(self, role: str, path: str, sha256: str, content: bytes) -> None:
        """Keep a copy of an input (once for the same content)."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO input (role, path, sha256, content) VALUES (?, ?, ?, ?)",
                (role, path, sha256, zlib.compress(content, 6)),
            )

    def begin_run(self, request: RunRequest, parent: int | None, prepared: Prepared) -> int:
        """A run that starts from the cycle `parent` (None: the files). A run of the same kind that nothing came of
        (files opened, then other settings chosen) is replaced."""
        with self._transaction() as db:
            for (idle,) in db.execute(
                "SELECT id FROM run WHERE parent IS ? AND result IS NULL AND NOT EXISTS"
                " (SELECT 1 FROM cycle WHERE cycle.run = run.id AND (kind != 'start' OR id IN (SELECT origin FROM move)"
                " OR id IN (SELECT target FROM move) OR id IN (SELECT parent FROM run)))",
                (parent,),
            ).fetchall():
                _forget_run(db, idle)
            document = _write_document(db, prepared)
            row = db.execute(
                "INSERT INTO run (branch, parent, request, prepared, began) VALUES (?, ?, ?, ?, ?)",
                (_branch(db, parent), parent, plain(replace(request, start=None)), document, time.time()),
            )
            return int(row.lastrowid or 0)

    def add_cycle(
        self, run: int, parent: int | None, kind: CycleKind, cycle: CycleFinished, settings: RefinementSettings
    ) -> int:
        """Commit a cycle; returns its key."""
        with self._transaction() as db:
            return self._insert_cycle(db, run, parent, kind, cycle, settings)

    def add_mark(self, run: int, cycle: int, poll: int, text: str, settings: RefinementSettings) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO mark (run, cycle, poll, text, settings, time) VALUES (?, ?, ?, ?, ?, ?)",
                (run, cycle, poll, text, plain(settings), time.time()),
            )

    def end_run(
        self,
        run: int,
        reason: str,
        text: str,
        keep: Keep,
        result: int,
        move: str = "",
        refine_seconds: float = 0.0,
        peak_memory_mb: float = 0.0,
    ) -> None:
        """How a run ended and what it kept; with `move` the user now stands there."""
        with self._transaction() as db:
            db.execute(
                "UPDATE run SET ended = ?, reason = ?, text = ?, keep = ?, result = ?, refine_seconds = ?,"
                " peak_memory_mb = ? WHERE id = ?",
                (time.time(), reason, text, keep, result, refine_seconds, peak_memory_mb, run),
            )
            if move:
                parent = db.execute("SELECT parent FROM run WHERE id = ?", (run,)).fetchone()[0]
                origin = parent if parent is not None else _first_cycle(db, run)
                _move(db, origin, result, move)

    def add_log(self, when: float, severity: str, text: str) -> None:
        with self._transaction() as db:
            db.execute("INSERT INTO log (time, severity, text) VALUES (?, ?, ?)", (when, severity, text))

    def move_to(self, target: int, text: str) -> None:
        """The user goes to another cycle; undo leads back."""
        with self._transaction() as db:
            _move(db, self.position(), target, text)

    def undo(self) -> int | None:
        """Take back the last move; returns where that leads, None when there is nothing to take back."""
        with self._transaction() as db:
            row = db.execute("SELECT id, origin FROM move WHERE undone = 0 ORDER BY id DESC LIMIT 1").fetchone()
            if row is None or row[1] is None:
                return None
            db.execute("UPDATE move SET undone = 1 WHERE id = ?", (row[0],))
            return int(row[1])

    def redo(self) -> int | None:
        """Go again where the last undo came from."""
        with self._transaction() as db:
            row = db.execute("SELECT id, target FROM move WHERE undone = 1 ORDER BY id LIMIT 1").fetchone()
            if row is None:
                return None
            db.execute("UPDATE move SET undone = 0 WHERE id = ?", (row[0],))
            return int(row[1])

    def thin(self, every: int) -> int:
        """Drop the models of all cycles but each `every`-th; starts, results, best cycles and where runs and moves
        begin or end are kept, and every number of every cycle. Only when asked. Returns how many were dropped."""
        if every < 2:
            return 0
        with self._transaction() as db:
            rows = db.execute(
                "SELECT id, document FROM cycle WHERE document IS NOT NULL AND kind = 'cycle' AND best = 0"
                " AND number % ? != 0 AND id NOT IN (SELECT parent FROM run WHERE parent IS NOT NULL)"
                " AND id NOT IN (SELECT result FROM run WHERE result IS NOT NULL)"
                " AND id NOT IN (SELECT origin FROM move WHERE origin IS NOT NULL) AND id NOT IN (SELECT target FROM"
                " move) AND id NOT IN (SELECT max(id) FROM cycle GROUP BY run)",
                (every,),
            ).fetchall()
            for key, document in rows:
                db.execute("UPDATE cycle SET document = NULL WHERE id = ?", (key,))
                _forget_document(db, document)
            _forget_unused_arrays(db)
        if rows:
            with self._writing, self._errors():
                self._connection().execute("VACUUM")
        return len(rows)

    def put_study(self, kind: str, plan: str, item: str, result: str, cycle: CycleFinished | None = None) -> None:
        """The result (JSON) of one refinement of a study; with its model when given."""
        with self._transaction() as db:
            document = _write_document(db, compact(cycle) | {"statistics": cycle.statistics}) if cycle else None
            db.execute(
                "INSERT OR REPLACE INTO study (kind, plan, item, result, document, time) VALUES (?, ?, ?, ?, ?, ?)",
                (kind, plan, item, result, document, time.time()),
            )

    # ---- reading ----------------------------------------------------------------------------------------------

    def inputs(self) -> tuple[InputCopy, ...]:
        rows = self._read("SELECT role, path, sha256, length(content) FROM input ORDER BY id")
        return tuple(InputCopy(*row) for row in rows)

    def input_bytes(self, sha256: str) -> bytes:
        rows = self._read("SELECT content FROM input WHERE sha256 = ?", (sha256,))
        if not rows:
            raise JournalError("does not hold this input.", file=str(self.path), item=sha256[:12])
        return zlib.decompress(rows[0][0])

    def runs(self) -> tuple[RunRecord, ...]:
        rows = self._read(
            "SELECT id, branch, parent, request, began, ended, reason, text, keep, result FROM run ORDER BY id"
        )
        return tuple(
            RunRecord(
                key, branch, parent, from_plain(request), began, ended, reason, text or "", keep or "best", result
            )
            for key, branch, parent, request, began, ended, reason, text, keep, result in rows
        )

    def cycles(self) -> tuple[CycleRecord, ...]:
        """Every point of the tree in the order it was made; no models."""
        rows = self._read(
            "SELECT id, run, parent, kind, number, best, time, statistics, settings, document IS NOT NULL"
            " FROM cycle ORDER BY id"
        )
        return tuple(_record(row) for row in rows)

    def cycle(self, key: int) -> CycleRecord:
        rows = self._read(
            "SELECT id, run, parent, kind, number, best, time, statistics, settings, document IS NOT NULL"
            " FROM cycle WHERE id = ?",
            (key,),
        )
        if not rows:
            raise JournalError(f"holds no cycle with the key {key}.", file=str(self.path))
        return _record(rows[0])

    def load(self, key: int) -> CycleFinished:
        """Model, factors and numbers of a cycle. Raises JournalError when it was thinned."""
        rows = self._read("SELECT statistics, best, document FROM cycle WHERE id = ?", (key,))
        if not rows or rows[0][2] is None:
            raise JournalError(
                "the model of this cycle was thinned out.", file=str(self.path), remedy="Choose a cycle beside it."
            )
        statistics, best, document = rows[0]
        return restored(self._document(document), from_plain(statistics), bool(best))

    def load_atoms(self, key: int) -> tuple[ModelState, ResidueFit | None]:
        """Model and fit of a cycle without its structure factors: a fraction of the bytes of `load`."""
        rows = self._read("SELECT document FROM cycle WHERE id = ?", (key,))
        if not rows or rows[0][0] is None:
            raise JournalError("the model of this cycle was thinned out.", file=str(self.path))
        stored = self._document(rows[0][0], frozenset({"state", "fit"}))
        return stored["state"], stored.get("fit")

    def load_prepared(self, run: int) -> Prepared:
        rows = self._read("SELECT prepared FROM run WHERE id = ?", (run,))
        if not rows:
            raise JournalError(f"holds no run with the key {run}.", file=str(self.path))
        return cast(Prepared, self._document(rows[0][0]))

    def marks(self) -> tuple[MarkRecord, ...]:
        rows = self._read("SELECT id, run, cycle, poll, text, settings FROM mark ORDER BY id")
        return tuple(
            MarkRecord(key, run, cycle, poll, text, from_plain(settings))
            for key, run, cycle, poll, text, settings in rows
        )

    def moves(self) -> tuple[MoveRecord, ...]:
        rows = self._read("SELECT id, origin, target, text, undone FROM move ORDER BY id")
        return tuple(MoveRecord(key, origin, target, text, bool(undone)) for key, origin, target, text, undone in rows)

    def log(self) -> tuple[tuple[float, str, str], ...]:
        return tuple(self._read("SELECT time, severity, text FROM log ORDER BY id"))

    def timing(self, run: int) -> tuple[float, float]:
        """Seconds of refinement and largest memory in MB, as the run reported at its end (0, 0 when cut short)."""
        row = self._read("SELECT refine_seconds, peak_memory_mb FROM run WHERE id = ?", (run,))[0]
        return float(row[0] or 0.0), float(row[1] or 0.0)

    def position(self) -> int | None:
        """Where the user stands: the target of the last move not undone, else where the first one came from."""
        rows = self._read("SELECT target FROM move WHERE undone = 0 ORDER BY id DESC LIMIT 1")
        if rows:
            return int(rows[0][0])
        rows = self._read("SELECT origin FROM move WHERE origin IS NOT NULL ORDER BY id LIMIT 1")
        if rows:
            return int(rows[0][0])
        # Runs that were discarded, and those of studies, are no place to stand at unless someone goes there.
        rows = self._read(
            "SELECT max(cycle.id) FROM cycle JOIN run ON run.id = cycle.run WHERE run.keep IS NOT 'discard'"
        )
        return None if rows[0][0] is None else int(rows[0][0])

    def can_undo(self) -> bool:
        return bool(self._read("SELECT 1 FROM move WHERE undone = 0 AND origin IS NOT NULL LIMIT 1"))

    def can_redo(self) -> bool:
        return bool(self._read("SELECT 1 FROM move WHERE undone = 1 LIMIT 1"))

    def path_to(self, key: int) -> tuple[CycleRecord, ...]:
        """The cycles that led to `key`, first to last; of two with one number the later counts. Where that is only the
        start of a run, over the same reflections, the statistics are those of the cycle itself: a start knows neither
        shift nor weight nor freedom of the cycle it goes on from."""
        rows = self._read(
            "WITH RECURSIVE line (id, depth) AS (SELECT ?, 0 UNION ALL SELECT cycle.parent, depth + 1 FROM line JOIN"
            " cycle ON cycle.id = line.id WHERE cycle.parent IS NOT NULL)"
            " SELECT cycle.id, run, parent, kind, number, best, time, statistics, settings, document IS NOT NULL"
            " FROM line JOIN cycle ON cycle.id = line.id ORDER BY depth DESC",
            (key,),
        )
        by_number: dict[int, CycleRecord] = {}
        for record in map(_record, rows):
            known = by_number.get(record.number)
            for later in [number for number in by_number if number >= record.number]:
                del by_number[later]
            by_number[record.number] = record
            if known is not None and record.kind == "start":
                a, b = known.statistics, record.statistics
                if (a.n_work, a.n_free) == (b.n_work, b.n_free):
                    by_number[record.number] = replace(record, statistics=a)
        return tuple(by_number.values())

    def line_of(self, key: int) -> tuple[CycleRecord, ...]:
        """What the curves show at `key`: the cycles that led there; for the result of a run, all cycles of that run."""
        record = self.cycle(key)
        if record.kind != "result":
            return self.path_to(key)
        last = self._read("SELECT max(id) FROM cycle WHERE run = ? AND kind != 'result'", (record.run,))
        return self.path_to(int(last[0][0]))

    def numbers_of(self, key: int) -> dict[int, int]:
        """Cycle number -> key, of the cycles that `line_of` gives; nothing else is read."""
        rows = self._read("SELECT kind, run FROM cycle WHERE id = ?", (key,))
        if rows and rows[0][0] == "result":
            key = int(self._read("SELECT max(id) FROM cycle WHERE run = ? AND kind != 'result'", (rows[0][1],))[0][0])
        found: dict[int, int] = {}
        for cycle, number in self._read(
            "WITH RECURSIVE line (id, depth) AS (SELECT ?, 0 UNION ALL SELECT cycle.parent, depth + 1 FROM line JOIN"
            " cycle ON cycle.id = line.id WHERE cycle.parent IS NOT NULL)"
            " SELECT cycle.id, number FROM line JOIN cycle ON cycle.id = line.id ORDER BY depth DESC",
            (key,),
        ):
            for later in [known for known in found if known >= number]:
                del found[later]
            found[number] = cycle
        return found

    def study(self, kind: str, plan: str) -> dict[str, str]:
        """item -> result (JSON) of a study."""
        return dict(self._read("SELECT item, result FROM study WHERE kind = ? AND plan = ? ORDER BY id", (kind, plan)))

    def latest_study(self, kind: str) -> tuple[str, float] | None:
        """The plan of the study of a kind that was worked at last, and when (seconds since the epoch)."""
        rows = self._read("SELECT plan, time FROM study WHERE kind = ? ORDER BY time DESC, id DESC LIMIT 1", (kind,))
        return (str(rows[0][0]), float(rows[0][1])) if rows else None

    def load_study(self, kind: str, plan: str, item: str) -> CycleFinished | None:
        rows = self._read("SELECT document FROM study WHERE kind = ? AND plan = ? AND item = ?", (kind, plan, item))
        if not rows or rows[0][0] is None:
            return None
        stored = self._document(rows[0][0])
        return restored(stored, stored["statistics"], True)

    # ---- the file ---------------------------------------------------------------------------------------------

    def _insert_cycle(
        self,
        db: sqlite3.Connection,
        run: int,
        parent: int | None,
        kind: CycleKind,
        cycle: CycleFinished,
        settings: RefinementSettings,
    ) -> int:
        document = _write_document(db, compact(cycle))
        row = db.execute(
            "INSERT INTO cycle (run, parent, kind, number, best, time, statistics, settings, document)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run,
                parent,
                kind,
                cycle.statistics.cycle,
                int(cycle.best),
                time.time(),
                plain(cycle.statistics),
                plain(settings),
                document,
            ),
        )
        return int(row.lastrowid or 0)

    def _close_open_runs(self) -> None:
        """Runs that a death of the program cut short end at their last finished cycle."""
        with self._transaction() as db:
            for run, parent in db.execute("SELECT id, parent FROM run WHERE ended IS NULL").fetchall():
                found = db.execute(
                    "SELECT id, number, time, kind FROM cycle WHERE run = ? ORDER BY id DESC LIMIT 1", (run,)
                ).fetchone()
                if found is None:
                    _forget_run(db, run)
                    continue
                key, number, when, kind = found
                if kind == "start":
                    continue
                text = f"Cut short after cycle {number}; every finished cycle is here."
                db.execute(
                    "UPDATE run SET ended = ?, reason = 'stopped', text = ?, keep = 'current', result = ? WHERE id = ?",
                    (when, text, key, run),
                )
                _move(db, parent if parent is not None else _first_cycle(db, run), key, text)

    def _document(self, number: int, only: frozenset[str] | None = None) -> Any:
        rows = self._read("SELECT text FROM document WHERE id = ?", (number,))
        if not rows:
            raise JournalError("is damaged: a part of it is missing.", file=str(self.path))

        def fetch(key: int) -> AnyArray:
            found = self._read("SELECT dtype, shape, packing, content FROM array WHERE id = ?", (key,))
            if not found:
                raise JournalError("is damaged: an array is missing.", file=str(self.path))
            dtype, shape, packing, content = found[0]
            return unpack_array(dtype, tuple(int(n) for n in shape.split(",") if n), packing, content)

        return decode(zlib.decompress(rows[0][0]).decode("utf-8"), fetch, only)

    def _read(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self._in_use() as connection, self._errors():
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _in_use(self) -> Iterator[sqlite3.Connection]:
        """The connection of this thread, which nobody closes inside the block."""
        connection = self._connection()
        with self._local.in_use:
            if self._closed:
                raise JournalError("is closed.", file=str(self.path))
            yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _journal_error(self.path, error) from None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in the block or nothing of it."""
        if self.read_only:
            raise JournalError(
                "cannot be written.",
                file=str(self.path),
                remedy="Save the project under another name in a folder you may write to.",
            )
        with self._writing, self._errors():
            db = self._connection()
            if db.in_transaction:
                yield db
                return
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise JournalError("is closed.", file=str(self.path))
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection, self._local.in_use = connection, threading.Lock()
            self._connections.append((connection, self._local.in_use))
        return connection

    def _connect(self) -> sqlite3.Connection:
        if self.read_only:
            # In a folder that cannot be written SQLite could not make its shared index: the file is read as it is.
            left_over = self.path.with_name(self.path.name + "-wal").exists()
            uri = f"{self.path.absolute().as_uri()}?mode=ro{'' if left_over else '&immutable=1'}"
            return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        return connection


def extracted_inputs(journal: Journal, request: RunRequest, folder: Callable[[], Path]) -> RunRequest:
    """The request with every input that has changed or gone since replaced by the copy in the project.

    folder: makes the folder for the copies, asked only when one is needed.
    """
    from workbench.io.files import read_input

    copies = {(copy.role, copy.path): copy for copy in journal.inputs()}

    def found(role: str, path: str) -> str:
        copy = copies.get((role, path))
        if copy is None:
            return path
        with contextlib.suppress(WorkbenchError):
            if read_input(path).source.sha256 == copy.sha256:
                return path
        place = folder() / copy.sha256[:12] / Path(path).name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(journal.input_bytes(copy.sha256))
        return str(place)

    return replace(
        request,
        model_path=found("model", request.model_path),
        data_path=found("data", request.data_path),
        dictionaries=tuple(found("dictionary", path) for path in request.dictionaries),
    )


def _record(row: Any) -> CycleRecord:
    key, run, parent, kind, number, best, when, statistics, settings, has_model = row
    return CycleRecord(
        key, run, parent, kind, number, bool(best), when, from_plain(statistics), from_plain(settings), bool(has_model)
    )


def _write_document(db: sqlite3.Connection, value: object) -> int:
    used: set[int] = set()

    def keep(array: AnyArray) -> int:
        packed = pack_array(array)
        row = db.execute("SELECT id FROM array WHERE digest = ?", (packed.digest,)).fetchone()
        if row is None:
            shape = ",".join(map(str, packed.shape))
            made = db.execute(
                "INSERT INTO array (digest, dtype, shape, packing, content) VALUES (?, ?, ?, ?, ?)",
                (packed.digest, packed.dtype, shape, packed.packing, packed.content),
            )
            number = int(made.lastrowid or 0)
        else:
            number = int(row[0])
        used.add(number)
        return number

    text = zlib.compress(encode(value, keep).encode("utf-8"), 6)
    document = int(db.execute("INSERT INTO document (text) VALUES (?)", (text,)).lastrowid or 0)
    db.executemany("INSERT INTO document_array (document, array) VALUES (?, ?)", [(document, n) for n in sorted(used)])
    return document


def _forget_document(db: sqlite3.Connection, document: int) -> None:
    db.execute("DELETE FROM document_array WHERE document = ?", (document,))
    db.execute("DELETE FROM document WHERE id = ?", (document,))


def _forget_unused_arrays(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM array WHERE id NOT IN (SELECT array FROM document_array)")


def _forget_run(db: sqlite3.Connection, run: int) -> None:
    documents = [row[0] for row in db.execute("SELECT document FROM cycle WHERE run = ?", (run,))]
    documents += [row[0] for row in db.execute("SELECT prepared FROM run WHERE id = ?", (run,))]
    db.execute("DELETE FROM mark WHERE run = ?", (run,))
    db.execute("DELETE FROM cycle WHERE run = ?", (run,))
    db.execute("DELETE FROM run WHERE id = ?", (run,))
    for document in documents:
        if document is not None:
            _forget_document(db, document)
    _forget_unused_arrays(db)


def _first_cycle(db: sqlite3.Connection, run: int) -> int | None:
    row = db.execute("SELECT min(id) FROM cycle WHERE run = ?", (run,)).fetchone()
    return None if row is None else row[0]


def _branch(db: sqlite3.Connection, parent: int | None) -> int:
    """A run that goes on from what the last run of a branch kept stays on it; any other begins a new branch."""
    row = db.execute("SELECT max(branch) FROM run").fetchone()
    newest = int(row[0] or 0)
    if parent is None:
        return newest + 1
    row = db.execute(
        "SELECT branch FROM run WHERE result = ? AND NOT EXISTS (SELECT 1 FROM run AS other WHERE other.parent = ?)",
        (parent, parent),
    ).fetchone()
    return int(row[0]) if row is not None else newest + 1


def _move(db: sqlite3.Connection, origin: int | None, target: int, text: str) -> None:
    """A new move ends what could be redone; the cycles it led to stay in the tree."""
    if origin == target:
        return
    db.execute("DELETE FROM move WHERE undone = 1")
    db.execute("INSERT INTO move (origin, target, text, time) VALUES (?, ?, ?, ?)", (origin, target, text, time.time()))


def _locked(place: Path) -> ProjectLock:
    try:
        return ProjectLock(place)
    except OSError as error:
        raise InputError(
            f"the project cannot be written there ({error.strerror or error}).",
            file=str(place),
            remedy="Choose a folder you may write to.",
        ) from None


def _journal_error(place: Path, error: Exception) -> JournalError:
    text = str(error)
    if isinstance(error, OSError):
        return JournalError(
            f"cannot be written ({error.strerror or error}).", file=str(place), remedy="Make room or choose a folder."
        )
    code = getattr(error, "sqlite_errorname", "") or ""
    if "full" in text or code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        free = shutil.disk_usage(place.parent).free // 1_000_000 if place.parent.exists() else 0
        return JournalError(
            f"cannot be written: the disk is full or refuses ({free} MB free).",
            file=str(place),
            remedy="Make room, or save the project in another folder; what was committed before is safe.",
        )
    if "readonly" in text or "unable to open" in text:
        remedy = "Save the project in a folder you may write to."
        return JournalError("cannot be written.", file=str(place), remedy=remedy)
    if "locked" in text:
        return JournalError("is being written by another program.", file=str(place), remedy="Close that program.")
    return JournalError(
        f"is damaged ({text}).", file=str(place), remedy="Open a copy of it; the inputs inside may still be read."
    )
