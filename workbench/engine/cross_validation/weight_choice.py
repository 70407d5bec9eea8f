"""Which weight of a scan to take: never by R_free alone.

Going from the tightest geometry to looser ones, a looser model is taken only when the test set asks for it: its total
log-likelihood is higher by LL_GAIN and R_free lower by more than half its paired error (the rule by which PDB-REDO
accepts a larger model: Joosten et al., 2012, J. Appl. Cryst. 45, 1037). Models whose geometry has left its band, whose
gap is beyond the limit of the resolution or whose run is judged overfitted do not take part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.arrays import FloatArray
from workbench.engine.cross_validation.expected_ratio import gap_limit
from workbench.engine.cross_validation.paired_difference import PairedDifference

LL_GAIN = 5.0
"""Natural-logarithm units of the whole test set."""
BONDS_LIMIT, ANGLES_LIMIT = 1.1, 1.3
"""Largest r.m.s. Z of a model that may be recommended: what good models at high resolution reach."""


@dataclass(frozen=True, eq=False)
class ScanPoint:
    """One weight. automatic: the program chose it. r_work .. rmsz_angles: of the model that was kept. verdict: state of
    the run. f_obs, f_model: (n,) test reflections, on one scale."""

    name: str
    weight: float
    automatic: bool
    r_work: float
    r_free: float
    ll_free: float
    n_free: int
    rmsz_bonds: float
    rmsz_angles: float
    verdict: str
    f_obs: FloatArray
    f_model: FloatArray


@dataclass(frozen=True)
class WeightChoice:
    """name: of the point to take, "" when none can be recommended. reason: in a sentence or two. excluded: name -> why
    a point did not take part."""

    name: str
    reason: str
    excluded: dict[str, str]


def recommended(points: Sequence[ScanPoint], d_min: float) -> WeightChoice:
    """The point to take, with the reason. Points share their test reflections."""
    excluded = {point.name: why for point in points if (why := _excluded(point, d_min))}
    order = sorted((p for p in points if p.name not in excluded), key=lambda p: p.weight)
    if not order:
        return WeightChoice(
            "", "No weight gives sound geometry and a gap within the limit of its resolution.", excluded
        )
    taken, told = order[0], ["It has the tightest geometry of those that take part."]
    refused = ""
    for point in order[1:]:
        gain = (taken.ll_free - point.ll_free) * point.n_free
        change = PairedDifference.of(point.f_obs, taken.f_model, point.f_model)
        said = f"log-likelihood of the test set {gain:+.1f}, R_free {change.change:+.4f} +- {change.sigma:.4f}"
        if gain >= LL_GAIN and change.change < -0.5 * change.sigma:
            told = [f"Against weight {taken.weight:.3g} the test set gains by it: {said}."]
            taken, refused = point, ""
        elif not refused:
            refused = f"More weight ({point.weight:.3g}) is not supported: {said}."
    geometry = f"Bonds rmsZ {taken.rmsz_bonds:.2f}, gap {taken.r_free - taken.r_work:.3f}."
    lowest = min(points, key=lambda p: p.r_free)
    if lowest is not taken and lowest.r_free < taken.r_free:
        why = excluded.get(lowest.name, "within the error or without the likelihood to show for it")
        refused = f"{refused} R_free is lowest at weight {lowest.weight:.3g} ({lowest.r_free:.4f}), but {why}.".strip()
    return WeightChoice(taken.name, " ".join(part for part in (*told, geometry, refused) if part), excluded)


def _excluded(point: ScanPoint, d_min: float) -> str:
    if not (math.isfinite(point.r_free) and math.isfinite(point.ll_free)):
        return "it has no test set"
    gap, limit = point.r_free - point.r_work, gap_limit(d_min)
    if point.verdict == "overfitting":
        return "its run is judged overfitted"
    if point.rmsz_bonds > BONDS_LIMIT:
        return f"its bonds deviate too much (rmsZ {point.rmsz_bonds:.2f})"
    if point.rmsz_angles > ANGLES_LIMIT:
        return f"its angles deviate too much (rmsZ {point.rmsz_angles:.2f})"
    if gap > limit:
        return f"its gap of {gap:.3f} is beyond {limit:.2f}"
    return ""
