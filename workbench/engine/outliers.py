"""Reflections that are left out of the likelihood, in words: each is told once."""

from __future__ import annotations

import numpy as np

from workbench.core.events import Note
from workbench.engine.point import Point
from workbench.engine.xray.model_factors import DataSet

TOLD = 10
"""Reflections that a note names; statistics.json has them all."""


class OutlierNotes:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._told: set[int] = set()

    def take(self, data: DataSet, point: Point) -> list[Note]:
        """Notes on the outliers of a point that were not there before."""
        rows = [row for row in np.flatnonzero(point.fitted.improbable).tolist() if row not in self._told]
        if not rows:
            return []
        self._told.update(rows)
        model = point.fitted.k_total * np.abs(point.fitted.factors.f_model[data.rows])
        words = [
            f"{named(data, row)}, {data.d_star_sq[row] ** -0.5:.2f} A, F_obs {data.f_obs[row]:.4g}, F_model "
            f"{model[row]:.4g}{' (too strong for any model)' if data.too_strong[row] else ''}"
            for row in rows[:TOLD]
        ]
        more = f"; and {len(rows) - TOLD} more" if len(rows) > TOLD else ""
        count = f"{len(rows)} reflections are" if len(rows) > 1 else "A reflection is"
        return [Note(f"{count} improbable and left out of the likelihood (R counts them): {'; '.join(words)}{more}.")]


def outliers_of(data: DataSet, point: Point) -> tuple[str, ...]:
    """Every outlier of a point: "h k l", those of the test set with " test" behind."""
    return tuple(named(data, row) for row in np.flatnonzero(point.fitted.improbable).tolist())


def named(data: DataSet, row: int) -> str:
    """An observed row in words."""
    h, k, m = data.hkl[data.rows[row]].tolist()
    return f"{h} {k} {m}{' test' if data.free[row] else ''}"
