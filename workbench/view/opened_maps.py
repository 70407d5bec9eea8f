"""Maps from files, as grids of density."""

from __future__ import annotations

import numpy as np

from workbench.engine.maps.density import density_map
from workbench.io.maps import MapCoefficients, MapGrid, read_maps
from workbench.view.density import DensityGrid
from workbench.view.maps import MapSet


def as_grid(source: MapGrid | MapCoefficients) -> DensityGrid:
    """The density over one unit cell; sigma is the r.m.s. deviation from the mean, both of what the file has."""
    if isinstance(source, MapCoefficients):
        values, sigma = density_map(source.crystal, source.hkl, source.f, source.d_min)
        return DensityGrid(values, source.crystal, sigma)
    known = np.isfinite(source.values)
    values = source.values - np.float32(source.values.mean(dtype=np.float64, where=known))
    sigma = float(np.sqrt(np.mean(np.square(values, dtype=np.float64), where=known)))
    return DensityGrid(np.where(known, values, np.float32(0.0)), source.crystal, sigma)


def open_maps(path: str) -> MapSet:
    """Every map of a file, by name. Raises InputError."""
    opened = MapSet({}, differences=frozenset())
    for source in read_maps(path):
        opened = opened.with_map(source.name, as_grid(source), source.difference)
    return opened
