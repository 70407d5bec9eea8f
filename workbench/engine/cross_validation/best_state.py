"""Which of two states of a run is the better one.

The free log-likelihood decides (smoother than R_free), with a surcharge for geometry that has left its band, so that a
state cannot win by giving up its chemistry.
"""

from __future__ import annotations

import math

from workbench.core.events import CycleStatistics

RMSZ_LIMIT = 1.0
SURCHARGE = 0.15
"""Log-likelihood units per reflection and per unit of r.m.s. Z above the limit. A start that is beyond the limit itself
can lose against a state of higher ll_free by it."""


def merit(statistics: CycleStatistics) -> float:
    """Lower is better. Without a test set the working likelihood stands in (and is the weaker judge)."""
    ll = statistics.ll_free if math.isfinite(statistics.ll_free) else statistics.ll_work
    excess = 0.0
    for z in (statistics.rmsz_bonds, statistics.rmsz_angles):
        if math.isfinite(z):
            excess += max(0.0, z - RMSZ_LIMIT)
    return ll + SURCHARGE * excess
