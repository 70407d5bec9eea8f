"""What R_free / R_work is to be expected of a model that is neither over- nor under-fitted.

Three ways, each with the range it is good for.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ExpectedRatio:
    """ratio: R_free / R_work. spread: standard deviation among sound models (NaN where none is known). source: words.
    in_range: the rule was made for data like these."""

    ratio: float
    spread: float
    source: str
    in_range: bool = True


def tickle(n_work: int, effective: float) -> float:
    """sqrt[(f + m) / (f - m)] with m effective parameters: Tickle, Laskowski & Moss (1998), Acta Cryst. D54, 547.

    Infinite where there are as many of them as reflections.
    """
    if effective >= n_work:
        return math.inf
    return math.sqrt((n_work + effective) / (n_work - effective))


def approximation(n_work: int, n_atoms: int, parameters_per_atom: float, d_min: float) -> ExpectedRatio:
    """Without a normal matrix, from reflections per atom x alone (Tickle's curve as PDB-REDO uses it: Joosten et al.,
    2012, Bioinformatics 28, 2981, and 2014, IUCrJ 1, 213)."""
    x = n_work / max(n_atoms, 1)
    u, p = 1.0 / x, parameters_per_atom
    z = max(0.0, 1.0 - p * u / (1.0 + 2.5 * u))
    a = p - 2.5 * (1.0 - z**5)
    big = a * u
    ratio = 1.01 if big >= 1.0 or big < 0.0 else math.sqrt((1.0 + big) / (1.0 - big))
    ratio = min(ratio, 1.45)
    if d_min > 2.65:
        ratio = min(ratio, 1.20)
    return ExpectedRatio(ratio, math.nan, f"Tickle's approximation for {x:.1f} reflections per atom", big < 1.0)


def empirical(n_work: int, n_atoms: int, kind: str) -> ExpectedRatio:
    """What PDB-REDO finds in its entries (van Beusekom, Joosten et al., 2018 and 2020 updates of its manual).

    kind: "isotropic", "anisotropic" or "overall" (no individual B; stands in for B by residue as well). Made for
    3 <= x <= 35 reflections per atom.
    """
    x = n_work / max(n_atoms, 1)
    good = 3.0 <= x <= 35.0
    inside = min(max(x, 3.0), 35.0)
    if kind == "overall":
        return ExpectedRatio(1.17, 0.085, "PDB-REDO, overall B", good)
    if kind == "anisotropic":
        ratio, sd = 1.3375 - 0.0046 * inside, 0.0979 - 0.018 * math.log(inside)
    else:
        ratio, sd = 1.2286 - 0.0050 * inside, 0.1064 - 0.024 * math.log(inside)
    return ExpectedRatio(ratio, sd, f"PDB-REDO, {kind} B, {x:.1f} reflections per atom", good)


_GAPS = (
    (1.0, 0.024), (1.2, 0.027), (1.5, 0.032), (1.8, 0.038), (2.0, 0.042), (2.2, 0.046), (2.5, 0.049), (2.8, 0.050),
    (3.0, 0.049), (3.5, 0.042), (4.0, 0.034),
)  # fmt: skip
"""Mean R_free - R_work of PDB entries by resolution in angstrom (CCP4 Cloud verdict tables, 2023)."""


_R_WORK = ((1.0, 0.140), (1.5, 0.173), (2.0, 0.190), (2.5, 0.206), (3.0, 0.220), (3.5, 0.242), (4.0, 0.273))
"""Mean R_work of PDB entries by resolution in angstrom (the same source); R_free scatters by 0.03 about its mean."""


def usual_gap(d_min: float) -> float:
    """Mean R_free - R_work of PDB entries at a resolution in angstrom; the end values beyond 1.0 and 4.0 A."""
    return _at(_GAPS, d_min)


def usual_r_work(d_min: float) -> float:
    """Mean R_work of PDB entries at a resolution in angstrom; the end values beyond 1.0 and 4.0 A."""
    return _at(_R_WORK, d_min)


def _at(table: tuple[tuple[float, float], ...], d_min: float) -> float:
    if d_min <= table[0][0]:
        return table[0][1]
    for (d0, g0), (d1, g1) in itertools.pairwise(table):
        if d_min <= d1:
            return g0 + (g1 - g0) * (d_min - d0) / (d1 - d0)
    return table[-1][1]


def gap_limit(d_min: float) -> float:
    """Gap at which phenix.refine no longer takes a looser weight (Afonine et al., 2011, CCN 2, 99): 4 % to 6 %."""
    if d_min < 1.5:
        return 0.04
    if d_min < 2.0:
        return 0.05
    return 0.06 if d_min < 3.5 else 0.05
