"""The two maps that people look at, made from one cycle's factors."""

from __future__ import annotations

import numpy as np

from workbench.core.events import CycleFinished, Prepared
from workbench.engine.maps.coefficients import map_coefficients
from workbench.engine.maps.density import density_map
from workbench.engine.xray.reflection_geometry import centric_flags
from workbench.view.density import DensityGrid

DENSITY = "2mFo-DFc"
DIFFERENCE = "mFo-DFc"
MAPS = (DENSITY, DIFFERENCE)
