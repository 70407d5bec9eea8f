"""The journal: one project file that holds every cycle of every run, and the way back to each of them."""

from workbench.session.history.journal import Journal, JournalError
from workbench.session.history.recorder import Recorder
from workbench.session.history.records import CycleRecord, InputCopy, MarkRecord, MoveRecord, RunRecord

__all__ = [
    "CycleRecord",
    "InputCopy",
    "Journal",
    "JournalError",
    "MarkRecord",
    "MoveRecord",
    "Recorder",
    "RunRecord",
]
