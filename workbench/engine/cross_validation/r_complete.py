"""R_free over every reflection: k refinements, each without another one of k sets.

R_complete = sum over sets i, reflections h in set i, of |F_o - |F_c^(-i)|| / sum F_o, where F_c^(-i) was refined
without set i (Lübben & Gruene, 2015, PNAS 112, 8999). Needed where one test set would hold too few reflections.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fold:
    """One refinement. number: of the set left out. n: its reflections. difference: sum |F_o - F_c| over them, f_obs:
    sum F_o. r_work, ll_free: of that refinement."""

    number: int
    n: int
    difference: float
    f_obs: float
    r_work: float
    ll_free: float

    @property
    def r_free(self) -> float:
        return self.difference / self.f_obs if self.f_obs > 0.0 else math.nan


@dataclass(frozen=True)
class Complete:
    """r_complete and its error (from the spread of the sets); r_free: mean, sd: spread of the sets' R_free, lowest,
    highest; r_work: mean. n: reflections, k: sets."""

    r_complete: float
    error: float
    r_free: float
    sd: float
    lowest: float
    highest: float
    r_work: float
    n: int
    k: int

    @property
    def sentence(self) -> str:
        return (
            f"R_complete {self.r_complete:.4f} +- {self.error:.4f} over {self.n} reflections; R_free of {self.k} sets "
            f"{self.r_free:.4f}, standard deviation {self.sd:.4f} ({self.lowest:.4f} to {self.highest:.4f}); R_work "
            f"{self.r_work:.4f}."
        )


def complete(folds: Sequence[Fold]) -> Complete:
    """What k folds say together; NaN where there are too few of them."""
    values = np.asarray([fold.r_free for fold in folds], dtype=np.float64)
    k = len(values)
    if not k:
        nan = math.nan
        return Complete(nan, nan, nan, nan, nan, nan, nan, 0, 0)
    sd = float(np.std(values, ddof=1)) if k > 1 else math.nan
    return Complete(
        r_complete=sum(fold.difference for fold in folds) / sum(fold.f_obs for fold in folds),
        error=sd / math.sqrt(k) if k > 1 else math.nan,
        r_free=float(values.mean()),
        sd=sd,
        lowest=float(values.min()),
        highest=float(values.max()),
        r_work=float(np.mean([fold.r_work for fold in folds])),
        n=sum(fold.n for fold in folds),
        k=k,
    )
