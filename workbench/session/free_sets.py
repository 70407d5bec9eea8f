"""The sets that a column of flags holds, each with its size and the R of the present model over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.events import CycleFinished, Prepared

NO_FLAG = -(2**31)


@dataclass(frozen=True)
class FlaggedSet:
    """value: of the flag. count: observed reflections. r: R factor of the model over them (NaN: none at hand)."""

    value: int
    count: int
    r: float


def flagged_sets(prepared: Prepared, cycle: CycleFinished | None) -> list[FlaggedSet]:
    """Every set of the flag column in use, by value; empty where the data carry no flags."""
    data = prepared.reflections
    if data.flags is None:
        return []
    values = np.unique(data.flags[data.flags != NO_FLAG])
    difference = np.full(len(data), np.nan)
    if cycle is not None:
        seen = prepared.observed >= 0
        row = prepared.observed[seen]
        model = cycle.written.k_total[seen] * np.abs(cycle.written.f_model[seen])
        difference[row] = np.abs(data.f_obs[row] - model)
    made = []
    for value in values:
        rows = data.flags == value
        r = float(np.sum(difference[rows]) / np.sum(data.f_obs[rows]))
        made.append(FlaggedSet(int(value), int(np.count_nonzero(rows)), r))
    return made
