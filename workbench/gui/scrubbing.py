"""Calling cycles back while the window goes on: loaded in the background, the newest wish first, the last few kept, and
the neighbours of the one that is shown loaded before anyone asks."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, Signal

from workbench.core.events import CycleFinished
from workbench.gui.bridge import in_background
from workbench.session.session import Session

KEPT = 24


class Scrubbing(QObject):
    """`want(number)` shows the cycle with that number of the present line as soon as it is loaded; wishes that were
    overtaken are dropped. None: the newest again."""

    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._loaded: OrderedDict[tuple[str, int], CycleFinished] = OrderedDict()
        self._wanted: int | None = None
        self._busy = False

    def want(self, number: int | None) -> None:
        key = None if number is None else self._session.key_of(number)
        self.want_key(None if key == self._session.state.position else key)

    def want_key(self, key: int | None) -> None:
        """As `want`, for any cycle of the project."""
        self._wanted = key
        if key is None:
            self._session.look_at(None)
        elif not self._busy:
            self._next()

    def _next(self) -> None:
        key, session = self._wanted, self._session
        journal = session.journal
        if key is None or journal is None:
            return
        if key == session.state.position:
            self._wanted = None
            session.look_at(None)
            return
        place = (str(journal.path), key)
        known = self._loaded.get(place)
        if known is not None:
            self._loaded.move_to_end(place)
            self._wanted = None
            session.show_loaded(key, known)
            self._load_neighbours()
            return
        self._busy = True
        in_background(self, lambda: (place, journal.load(key)), self._came)

    def _came(self, result: object, error: Exception | None) -> None:
        self._busy = False
        if error is not None:
            self._wanted = None
            self.failed.emit(str(error))
            return
        assert isinstance(result, tuple)
        place, cycle = result
        self._loaded[place] = cycle
        while len(self._loaded) > KEPT:
            self._loaded.popitem(last=False)
        journal = self._session.journal
        if self._wanted is not None and journal is not None and place[0] == str(journal.path):
            if self._wanted == place[1]:
                self._wanted = None
            self._session.show_loaded(place[1], cycle)
        if self._wanted is not None:
            self._next()
        else:
            self._load_neighbours()

    def _load_neighbours(self) -> None:
        """Load what lies beside the cycle that is shown and is not there yet; one at a time, and no wish waits for more
        than one."""
        session, journal = self._session, self._session.journal
        viewed = session.state.viewed
        if journal is None or viewed is None or not session.state.viewed_in_line or self._busy:
            return
        path, number = str(journal.path), viewed.statistics.cycle
        keys = (session.key_of(number + beside) for beside in (1, -1, 2, -2))
        missing = next((key for key in keys if key is not None and (path, key) not in self._loaded), None)
        if missing is not None:
            self._busy = True
            in_background(self, lambda: ((path, missing), journal.load(missing)), self._came_early)

    def _came_early(self, result: object, error: Exception | None) -> None:
        """A neighbour is loaded; nobody has asked for it, so an error is no news."""
        self._busy = False
        if error is None and isinstance(result, tuple):
            place, cycle = result
            self._loaded[place] = cycle
            while len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
        if self._wanted is not None:
            self._next()
        elif error is None:
            self._load_neighbours()
