"""What became of every residue in every cycle: fit, shift, B. For the heat map; a few numbers for each, no models."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.arrays import Float32Array, FloatArray
from workbench.core.crystal import Model, ModelState
from workbench.core.events import CycleFinished, CycleStatistics, ResidueFit

if TYPE_CHECKING:
    from workbench.session.history import Journal

Key = tuple[int, float, float]


@dataclass(frozen=True, eq=False)
class ResidueRow:
    """One cycle, (r,) for each residue. fit: the lower real-space correlation of main and side chain. difference: the
    larger Z of difference density, either sign. mean_b: A^2. centre: (r, 3) mean of its atoms, angstrom."""

    fit: Float32Array
    difference: Float32Array
    mean_b: Float32Array
    centre: FloatArray


def key_of(row: CycleStatistics) -> Key:
    """What tells a cycle from all others of a session, read from the journal or not."""
    return row.cycle, row.r_work, row.ll_work


class ResidueHistory:
    """Collects rows as cycles come, and fetches missing ones from the journal. Safe to use from several threads."""

    def __init__(self) -> None:
        self._model: Model | None = None
        self._rows: dict[Key, ResidueRow] = {}
        self._lock = threading.Lock()

    def begin(self, model: Model | None) -> None:
        """Other files: nothing of the old ones counts."""
        with self._lock:
            self._model, self._rows = model, {}

    def take(self, cycle: CycleFinished) -> None:
        self._take(key_of(cycle.statistics), cycle.state, cycle.fit)

    def _take(self, key: Key, state: ModelState, fit: ResidueFit | None) -> None:
        model = self._model
        if model is None or len(state.xyz) != len(model):
            return
        with self._lock:
            if key in self._rows:
                return
        row = residue_row(model, state, fit)
        with self._lock:
            if self._model is model:
                self._rows[key] = row

    def rows(self, statistics: Sequence[CycleStatistics]) -> list[ResidueRow | None]:
        """In the order of the statistics; None where nobody has looked yet."""
        with self._lock:
            return [self._rows.get(key_of(row)) for row in statistics]

    def fetch(self, journal: Journal, position: int) -> int:
        """Read the cycles of the line to `position` that are missing; returns how many came. Slow: not for the window's
        thread."""
        came = 0
        for record in journal.line_of(position):
            with self._lock:
                known = key_of(record.statistics) in self._rows
            if not known and record.has_model:
                self._take(key_of(record.statistics), *journal.load_atoms(record.key))
                came += 1
        return came


def residue_row(model: Model, state: ModelState, measured: ResidueFit | None) -> ResidueRow:
    """The numbers of one cycle; fit and difference are NaN where the run did not measure them."""
    residue, count = model.residue, len(model.residues)
    n = np.maximum(np.bincount(residue, minlength=count), 1)
    mean_b = np.bincount(residue, weights=state.b_iso, minlength=count) / n
    centre = np.stack(
        [np.bincount(residue, weights=state.xyz[:, axis], minlength=count) / n for axis in range(3)], axis=1
    )
    empty = np.full(count, np.nan, dtype=np.float32)
    fit, difference = empty, empty
    if measured is not None and len(measured.rscc) == count:
        fit = np.fmin(measured.rscc[:, 0], measured.rscc[:, 1])
        z = np.fmax(measured.rszd_plus, measured.rszd_minus)
        difference = np.fmax(z[:, 0], z[:, 1])
    return ResidueRow(
        np.asarray(fit, dtype=np.float32),
        np.asarray(difference, dtype=np.float32),
        mean_b.astype(np.float32),
        centre,
    )


def shifts(rows: Sequence[ResidueRow | None]) -> list[Float32Array | None]:
    """How far each residue's centre is from where it stood in the first row that is known, angstrom."""
    first = next((row for row in rows if row is not None), None)
    return [
        None if row is None or first is None else np.linalg.norm(row.centre - first.centre, axis=1).astype(np.float32)
        for row in rows
    ]
