"""Tables of the project file. A file of an older version is carried over step by step; a newer one is refused."""

from __future__ import annotations

import sqlite3

from workbench.core.errors import InputError

APPLICATION_ID = 0x52574A31
"""Written into the SQLite header, so that a project is recognised whatever its name ("RWJ1")."""
VERSION = 1

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Inputs as they were when the project began: the bytes on disk, their SHA-256 and the name they had.
CREATE TABLE input (
    id INTEGER PRIMARY KEY, role TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, content BLOB NOT NULL,
    UNIQUE (role, sha256));
-- Arrays by content: what a cycle shares with the one before (occupancies, isotropic U) is stored once.
CREATE TABLE array (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, dtype TEXT NOT NULL, shape TEXT NOT NULL,
    packing TEXT NOT NULL, content BLOB NOT NULL);
-- A run: from one cycle (NULL: from the files) with settings; branches carry a number each.
CREATE TABLE run (
    id INTEGER PRIMARY KEY, branch INTEGER NOT NULL, parent INTEGER REFERENCES cycle (id), request TEXT NOT NULL,
    prepared INTEGER REFERENCES document (id), began REAL NOT NULL, ended REAL, reason TEXT, text TEXT, keep TEXT,
    result INTEGER REFERENCES cycle (id), refine_seconds REAL, peak_memory_mb REAL);
-- JSON (zlib) whose arrays are numbers of `array`.
CREATE TABLE document (id INTEGER PRIMARY KEY, text BLOB NOT NULL);
CREATE TABLE document_array (
    document INTEGER NOT NULL REFERENCES document (id), array INTEGER NOT NULL REFERENCES array (id),
    PRIMARY KEY (document, array)) WITHOUT ROWID;
-- kind: 'start' what a run began with, 'cycle' an accepted step, 'result' what it kept, rounded as files hold it.
-- document is NULL once a cycle was thinned: its numbers stay, its model is gone.
CREATE TABLE cycle (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run (id), parent INTEGER REFERENCES cycle (id),
    kind TEXT NOT NULL, number INTEGER NOT NULL, best INTEGER NOT NULL, time REAL NOT NULL, statistics TEXT NOT NULL,
    settings TEXT NOT NULL, document INTEGER REFERENCES document (id));
CREATE INDEX cycle_by_run ON cycle (run, id);
-- What the user changed while a run went on: the first poll (of the engine's questions in that cycle) that saw it.
CREATE TABLE mark (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run (id), cycle INTEGER NOT NULL, poll INTEGER NOT NULL,
    text TEXT NOT NULL, settings TEXT NOT NULL, time REAL NOT NULL);
CREATE TABLE log (id INTEGER PRIMARY KEY, time REAL NOT NULL, severity TEXT NOT NULL, text TEXT NOT NULL);
-- Where the user went in the tree, for undo and redo. undone: taken back, and still there for redo.
CREATE TABLE move (
    id INTEGER PRIMARY KEY, origin INTEGER REFERENCES cycle (id), target INTEGER NOT NULL REFERENCES cycle (id),
    text TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0, time REAL NOT NULL);
-- Studies (weight scan, k-fold, paired refinement): one row per refinement, so that an interrupted study goes on.
CREATE TABLE study (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, plan TEXT NOT NULL, item TEXT NOT NULL, result TEXT NOT NULL,
    document INTEGER REFERENCES document (id), time REAL NOT NULL, UNIQUE (kind, plan, item));
"""

_STEPS: dict[int, str] = {}
"""Version -> statements that make the next version of it."""


def create(connection: sqlite3.Connection) -> None:
    """All tables in an empty file, in one transaction."""
    marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
    connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} {marks} COMMIT;")


def check(connection: sqlite3.Connection, path: str, read_only: bool) -> None:
    """The file is a project of a version this program knows; an older one is carried over (unless read_only).

    Raises InputError otherwise.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise InputError(
            "is not a Refinement Workbench project.",
            file=path,
            remedy="Open the model and its data instead; projects end in .workbench.",
        )
    if version > VERSION:
        raise InputError(
            f"was written by a newer version of the program (format {version}, this one knows {VERSION}).",
            file=path,
            remedy="Install the newer version, or open the model and its data again.",
        )
    while version < VERSION:
        if read_only:
            raise InputError(
                "is of an older format and cannot be carried over here.",
                file=path,
                remedy="Copy it to a folder that can be written, and open the copy.",
            )
        connection.executescript(f"BEGIN IMMEDIATE; {_STEPS[version]} PRAGMA user_version = {version + 1}; COMMIT;")
        version += 1
