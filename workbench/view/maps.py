"""The two maps that people look at, made from one cycle's factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.core.events import CycleFinished, Prepared
from workbench.engine.maps.coefficients import MapKind, map_coefficients
from workbench.engine.maps.density import density_map
from workbench.engine.xray.reflection_geometry import reflection_geometry
from workbench.view.density import DensityGrid

DENSITY = "2mFo-DFc"
DIFFERENCE = "mFo-DFc"


@dataclass(frozen=True, eq=False)
class MapSet:
    """Maps by name, and a remark on how the first was made."""

    grids: Mapping[str, DensityGrid]
    remark: str = ""


def maps_of_cycle(prepared: Prepared, cycle: CycleFinished) -> MapSet:
    """2mFo-DFc and mFo-DFc of a cycle, over the unit cell in e/A^3.

    Reflections of the test set enter as D Fc (0 in the difference map): who builds into these maps has not seen them.
    """
    reflections = prepared.reflections
    observed = prepared.observed >= 0
    rows = prepared.observed[observed]
    f_obs = np.zeros(len(prepared.hkl))
    f_obs[observed] = reflections.f_obs[rows]
    free = np.zeros(len(prepared.hkl), dtype=np.bool_)
    free[observed] = reflections.free[rows]
    crystal = prepared.model.crystal
    centric = reflection_geometry(crystal, prepared.hkl).centric
    grids = {}
    kinds: dict[str, MapKind] = {DENSITY: "2mFo-DFc", DIFFERENCE: "mFo-DFc"}
    for name, kind in kinds.items():
        coefficients = map_coefficients(
            f_obs, observed, cycle.refined, centric, free, kind, fill_missing=True, free_filled=reflections.has_free
        )
        values, sigma = density_map(crystal, prepared.hkl, coefficients, reflections.d_min)
        grids[name] = DensityGrid(values=values, crystal=crystal, sigma=float(sigma))
    return MapSet(grids=grids, remark="free set filled with DFc" if reflections.has_free else "")
