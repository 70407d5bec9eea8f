"""Intensities that Wilson's distribution does not allow, whatever the model (Read, 1999, Acta Cryst. D55, 1759)."""

from __future__ import annotations

import numpy as np
from scipy.special import erfc

from workbench.core.arrays import BoolArray, FloatArray
from workbench.core.crystal import Measurements, Reflections
from workbench.engine.data_quality import wilson
from workbench.engine.data_quality.intensities import Intensities, intensities_of
from workbench.engine.xray.improbable import CHANCE

FEWEST = 200
"""Reflections below which mean intensity and anisotropy are too uncertain to call one impossible."""


def too_strong(reflections: Reflections) -> BoolArray:
    """(n,) amplitudes whose E^2, the anisotropy of the data taken out, is exceeded with a probability below CHANCE / n:
    exp(-E^2) for acentric, erfc(E / 2^(1/2)) for centric reflections. None for fewer than FEWEST reflections."""
    n = len(reflections)
    if n < FEWEST:
        return np.zeros(n, dtype=np.bool_)
    data = intensities_of(
        Measurements(
            reflections.crystal, reflections.hkl, "amplitude", reflections.f_obs, reflections.sigma,
            reflections.columns.amplitude,
        )
    )  # fmt: skip
    result = np.zeros(n, dtype=np.bool_)
    # Systematic absences, which have no mean to be compared with, were left out on reading; else rows would not match.
    if len(data.hkl) == n:
        result[:] = chance(data) < CHANCE / n
    return result


def chance(data: Intensities) -> FloatArray:
    """(n,) probability of an intensity as strong as the one measured or stronger."""
    z = np.maximum(data.z, 0.0) * np.exp(np.clip(_fall_off(data), -20.0, 20.0))
    return np.asarray(np.where(data.centric, erfc(np.sqrt(0.5 * z)), np.exp(-z)))


def _fall_off(data: Intensities) -> FloatArray:
    """(n,) ln of what anisotropy takes from each normalised intensity."""
    b = wilson.anisotropy(data).tensor
    s = data.hkl @ np.array(data.cell.frac.mat.tolist())
    x, y, z = s.T
    return np.asarray(
        0.5 * (b[0] * x * x + b[1] * y * y + b[2] * z * z + 2.0 * (b[3] * x * y + b[4] * x * z + b[5] * y * z))
    )
