"""From the thread that reads the worker's events to the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal
from shiboken6 import isValid


class Bridge(QObject):
    """`post` may be called from any thread; the handler runs on the thread that made the bridge, in order."""

    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._handler: Callable[[Any], None] | None = None
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def deliver_to(self, handler: Callable[[Any], None] | None) -> None:
        """Who takes the events from now on; None drops them."""
        self._handler = handler

    def post(self, event: object) -> None:
        """Hand over one event; returns at once."""
        try:
            self._arrived.emit(event)
        except RuntimeError:
            # The window closed while the reader thread was still running: nobody is left to tell.
            return

    def _deliver(self, event: object) -> None:
        if self._handler is not None:
            self._handler(event)


class _Signals(QObject):
    done = Signal(object, object)


class _Job(QRunnable):
    def __init__(self, work: Callable[[], object], signals: _Signals) -> None:
        super().__init__()
        self._work: Callable[[], object] | None = work
        self._signals = signals

    def run(self) -> None:
        result: object = None
        error: Exception | None = None
        # Forgotten before anyone is told: what it refers to must not end with this thread's reference.
        work, self._work = self._work, None
        assert work is not None
        try:
            result = work()
        except Exception as problem:
            error = problem
        del work
        try:
            self._signals.done.emit(result, error)
        except RuntimeError:
            # The program is ending.
            return


_under_way: dict[_Signals, Callable[[], object]] = {}
"""What the jobs in the pool tell through, and what they do. The first belongs to no widget: one that is deleted while a
thread emits would take the emitting object with it. The second stays until the window's thread has been told: a widget
that only the work still refers to would else be deleted in a thread of the pool."""


def in_background(owner: QObject, work: Callable[[], object], done: Callable[[object, Exception | None], None]) -> None:
    """Run `work` in Qt's thread pool and call `done(result, error)` on the window's thread, from which this is called;
    nobody is called once the owner has been deleted."""
    signals = _Signals()
    _under_way[signals] = work

    def finish(result: object, error: object) -> None:
        _under_way.pop(signals, None)
        signals.deleteLater()
        if isValid(owner):
            done(result, error if isinstance(error, Exception) else None)

    signals.done.connect(finish, Qt.ConnectionType.QueuedConnection)
    QThreadPool.globalInstance().start(_Job(work, signals))
