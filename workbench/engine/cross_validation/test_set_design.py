"""What a test set of a given size costs and gives, for the data at hand.

sigma(R_free) = c R_free / sqrt(n_test) with c = 0.87: simulated Rice-distributed errors gave 0.83 to 0.91 for R between
0.09 and 0.27; the often quoted 1/sqrt(2 n_test) is too small for good models (Tickle, Laskowski & Moss, Acta Cryst.
D56, 442, 2000, discuss both).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.engine.cross_validation.test_set import ENOUGH, FEWEST

ERROR_FACTOR = 0.87
FRACTIONS = (0.02, 0.03, 0.05, 0.07, 0.10, 0.15, 0.20, 0.30, 0.50)


@dataclass(frozen=True)
class Design:
    """One size of the test set. error: sigma of R_free. withheld: reflections that refinement does not see.
    per_parameter: working reflections for each refined parameter (NaN without a model). coordinate_cost: factor by
    which errors of coordinates grow, sqrt(n / n_work). sets: how many such sets there are (k-fold).
    remark: a few words, or ""."""

    fraction: float
    n_test: int
    n_work: int
    error: float
    per_parameter: float
    coordinate_cost: float
    sets: int
    remark: str


def expected_error(n_test: int, r_free: float) -> float:
    """sigma(R_free) of a test set of this size."""
    return ERROR_FACTOR * r_free / math.sqrt(n_test) if n_test else math.inf


def design_test_sets(
    n_reflections: int, expected_r_free: float, n_parameters: int = 0, fractions: tuple[float, ...] = FRACTIONS
) -> tuple[Design, ...]:
    """A row for each fraction. expected_r_free: what R_free is or is hoped to be (0..1)."""
    rows = []
    for fraction in fractions:
        n_test = round(fraction * n_reflections)
        n_work = n_reflections - n_test
        rows.append(
            Design(
                fraction=fraction,
                n_test=n_test,
                n_work=n_work,
                error=expected_error(n_test, expected_r_free),
                per_parameter=n_work / n_parameters if n_parameters else math.nan,
                coordinate_cost=math.sqrt(n_reflections / n_work) if n_work else math.inf,
                sets=max(1, round(1 / fraction)),
                remark=_remark(n_test),
            )
        )
    return tuple(rows)


def advised_fraction(n_reflections: int) -> float:
    """5 %, more where that would be fewer than 500 (up to 10 %), less where 2000 are enough."""
    return min(max(0.05, min(0.10, FEWEST / max(n_reflections, 1))), ENOUGH / max(n_reflections, 1), 0.10)


def _remark(n_test: int) -> str:
    if n_test < FEWEST:
        return "R_free uncertain; k-fold helps"
    return "more than needed" if n_test > 1.5 * ENOUGH else ""
