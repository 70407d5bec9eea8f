"""The maps that are shown: those of the refinement, and any that were opened or made besides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from workbench.core.arrays import Complex64Array, FloatArray
from workbench.core.events import CycleFinished, Prepared
from workbench.engine.maps.coefficients import MapKind, map_coefficients
from workbench.engine.maps.density import density_map
from workbench.engine.xray.reflection_geometry import reflection_geometry
from workbench.view.colours import SceneColours
from workbench.view.density import DensityGrid, contour
from workbench.view.line_set import LineSet
from workbench.view.renderer import Wire
from workbench.view.ribbon import Mesh
from workbench.view.surface import surface

DENSITY = "2mFo-DFc"
DIFFERENCE = "mFo-DFc"
DEFAULT_LEVEL, DEFAULT_DIFFERENCE_LEVEL = 1.5, 3.0
FURTHER_WIDTH = 1.9
"""Pixels: the lines of difference maps besides that of the refinement."""
BROKEN = 0.45
"""Share of every line of a negative contour that is left out in the palette without meaning in its colours."""


@dataclass(frozen=True, eq=False)
class MapSet:
    """Maps by name, a remark on how the first was made, and which of them are difference maps."""

    grids: Mapping[str, DensityGrid]
    remark: str = ""
    differences: frozenset[str] = field(default_factory=lambda: frozenset({DIFFERENCE}))

    def with_map(self, name: str, grid: DensityGrid, difference: bool) -> MapSet:
        """One map more (or another of the same name), at the end."""
        kept = self.differences - {name}
        return replace(
            self, grids={**self.grids, name: grid}, differences=kept | {name} if difference else frozenset(kept)
        )

    def only(self, names: Collection[str]) -> MapSet:
        """Those of the names, in the order of this set."""
        return replace(self, grids={key: grid for key, grid in self.grids.items() if key in names})

    def first_of_each_kind(self) -> tuple[str, ...]:
        """The first density and the first difference map: what is shown of a file that holds many."""
        kinds = {name in self.differences: name for name in reversed(tuple(self.grids))}
        return tuple(name for name in self.grids if name in kinds.values())

    def without(self, name: str) -> MapSet:
        return replace(self, grids={key: grid for key, grid in self.grids.items() if key != name})


@dataclass(frozen=True, eq=False)
class Contours:
    """What one map looks like at a level: lines or surfaces by the names of `wire_names`."""

    lines: Mapping[str, LineSet]
    surfaces: Mapping[str, Mesh]


def wire_names(name: str, difference: bool) -> tuple[tuple[str, float], ...]:
    """The names of a map's wires and the sign of their level."""
    return ((f"{name} +", 1.0), (f"{name} -", -1.0)) if difference else ((name, 1.0),)


def contours(
    grid: DensityGrid, level: float, centre: FloatArray, radius: float, name: str, difference: bool, smooth: bool
) -> Contours:
    """Contour a map at +level (and -level of a difference map), e/A^3, within `radius` of `centre`, angstrom."""
    names = wire_names(name, difference)
    if smooth:
        return Contours({}, {wire: surface(grid, sign * level, centre, radius) for wire, sign in names})
    return Contours({wire: contour(grid, sign * level, centre, radius) for wire, sign in names}, {})


def map_wires(maps: MapSet, colours: SceneColours) -> list[Wire]:
    """How the wires of all maps are painted, in their order. Green and red belong to the refinement's difference map;
    each further one has a pair of its own and stronger lines."""
    wires = []
    further = 0
    pairs = ((colours.positive, colours.negative), *colours.further)
    differences = [name for name in maps.grids if name in maps.differences]
    # Without the refinement's own the first that was opened stands in for it.
    order = sorted(differences, key=lambda name: name != DIFFERENCE)
    for name in maps.grids:
        if name in maps.differences:
            place = order.index(name)
            plus, minus = pairs[place if place == 0 else 1 + (place - 1) % max(len(pairs) - 1, 1)]
            width = 1.35 if place == 0 else FURTHER_WIDTH
            broken = BROKEN if colours.safe else 0.0
            wires += [Wire(f"{name} +", plus, 0.95, width), Wire(f"{name} -", minus, 0.95, width, broken)]
        elif name == DENSITY or not colours.others:
            wires.append(Wire(name, colours.density, 0.80, 1.0))
        else:
            wires.append(Wire(name, colours.others[further % len(colours.others)], 0.85, 1.0))
            further += 1
    return wires


def maps_of_cycle(prepared: Prepared, cycle: CycleFinished) -> MapSet:
    """2mFo-DFc and mFo-DFc of a cycle, over the unit cell in e/A^3.

    Reflections of the test set enter as D Fc (0 in the difference map): who builds into these maps has not seen them.
    """
    grids = {}
    kinds: dict[str, MapKind] = {DENSITY: "2mFo-DFc", DIFFERENCE: "mFo-DFc"}
    for name, kind in kinds.items():
        grids[name] = _grid(prepared, _coefficients(prepared, cycle, kind))
    return MapSet(grids=grids, remark="free set filled with DFc" if prepared.reflections.has_free else "")


def difference_of_cycles(prepared: Prepared, first: CycleFinished, second: CycleFinished) -> DensityGrid:
    """2mFo-DFc of the second cycle minus that of the first, over the unit cell in e/A^3: what came and what went.

    Both on the absolute scale, over the reflections of `prepared`. Raises ValueError when one of them stands on others.
    """
    rows = len(prepared.hkl)
    if len(first.refined.f_model) != rows or len(second.refined.f_model) != rows:
        raise ValueError("the two cycles stand on other reflections: their maps cannot be subtracted")
    one, other = (_coefficients(prepared, cycle, "2mFo-DFc") for cycle in (first, second))
    return _grid(prepared, other - one)


def _coefficients(prepared: Prepared, cycle: CycleFinished, kind: MapKind) -> Complex64Array:
    """(m,) of one map of a cycle; the test set filled with D Fc."""
    reflections = prepared.reflections
    observed = prepared.observed >= 0
    rows = prepared.observed[observed]
    f_obs = np.zeros(len(prepared.hkl))
    f_obs[observed] = reflections.f_obs[rows]
    free = np.zeros(len(prepared.hkl), dtype=np.bool_)
    free[observed] = reflections.free[rows]
    centric = reflection_geometry(prepared.model.crystal, prepared.hkl).centric
    return map_coefficients(
        f_obs, observed, cycle.refined, centric, free, kind, fill_missing=True, free_filled=reflections.has_free
    )


def _grid(prepared: Prepared, coefficients: Complex64Array) -> DensityGrid:
    crystal = prepared.model.crystal
    values, sigma = density_map(crystal, prepared.hkl, coefficients, prepared.reflections.d_min)
    return DensityGrid(values=values, crystal=crystal, sigma=float(sigma))
