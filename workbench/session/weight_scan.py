"""The weight scan: which refinements it is made of, and what they say together. Window and command line share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.settings import RunRequest
from workbench.session.studies import StudyItem

if TYPE_CHECKING:
    from workbench.engine.cross_validation.weight_choice import ScanPoint, WeightChoice

AUTOMATIC = "automatic"
FACTORS = (0.125, 0.25, 0.5, 2.0, 4.0, 8.0)
"""Multiples of the automatic weight; the automatic run itself is the seventh point."""


def scan_items(
    request: RunRequest, automatic: float, factors: Sequence[float] = FACTORS, absolute: Sequence[float] = ()
) -> list[StudyItem]:
    """The refinements besides the automatic one. automatic: the weight that it ended with."""
    if absolute:
        named = [(f"w = {weight:g}", weight) for weight in absolute]
    else:
        named = [(f"x {factor:g}", factor * automatic) for factor in factors]
    return [
        StudyItem(name, replace(request, settings=replace(request.settings, weight=weight))) for name, weight in named
    ]


def scan_points(found: Mapping[str, Mapping[str, Any]]) -> list[ScanPoint]:
    """The values of the items (`item_values`) as points, by weight."""
    from workbench.engine.cross_validation.weight_choice import ScanPoint

    def number(value: float | None) -> float:
        return float("nan") if value is None else value

    points = [
        ScanPoint(
            name=name,
            weight=v["statistics"]["xray_weight"],
            automatic=name == AUTOMATIC,
            r_work=v["r_work"],
            r_free=number(v["r_free"]),
            ll_free=number(v["ll_free"]),
            n_free=v["n_free"],
            rmsz_bonds=number(v["statistics"]["rmsz_bonds"]),
            rmsz_angles=number(v["statistics"]["rmsz_angles"]),
            verdict=v["verdict"]["state"],
            f_obs=np.asarray(v["test"]["f_obs"]),
            f_model=np.asarray(v["test"]["f_model"]),
        )
        for name, v in found.items()
    ]
    return sorted(points, key=lambda point: point.weight)


def choose(found: Mapping[str, Mapping[str, Any]]) -> WeightChoice:
    """The weight to take, with the reason."""
    from workbench.engine.cross_validation.weight_choice import recommended

    d_min = min(v["d_min"] for v in found.values())
    return recommended(scan_points(found), d_min)
