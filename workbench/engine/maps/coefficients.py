"""Map coefficients weighted by sigma_A (Read (1986), Acta Cryst. A42, 140), on the absolute scale.

    2mFo-DFc   acentric (2 m F_obs/k - D Fc) exp(i phi)     centric  m F_obs/k exp(i phi)
    mFo-DFc    (m F_obs/k - D Fc) exp(i phi)

phi is the phase of F_model and k = k_total.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from workbench.core.arrays import BoolArray, Complex64Array, FloatArray
from workbench.core.events import ScaledFactors

MapKind = Literal["2mFo-DFc", "mFo-DFc"]


def map_coefficients(
    f_obs: FloatArray,
    observed: BoolArray,
    factors: ScaledFactors,
    centric: BoolArray,
    free: BoolArray,
    kind: MapKind,
    fill_missing: bool = True,
    free_filled: bool = False,
) -> Complex64Array:
    """(m,) coefficients in electrons.

    f_obs: (m,) amplitudes in file units, anything where `observed` is False. centric, free: (m,) flags.
    fill_missing: reflections that were not measured enter 2mFo-DFc as D Fc instead of 0 (they are 0 in the difference
    map). free_filled: the test set is treated like the reflections not measured, filled, so that the map cannot tell
    anyone about it.
    """
    if kind not in ("2mFo-DFc", "mFo-DFc"):
        raise ValueError(f"unknown kind of map {kind!r}")
    f_model = factors.f_model.astype(np.complex128)
    amplitude = np.abs(f_model)
    phase = np.where(amplitude > 0.0, f_model / np.where(amplitude > 0.0, amplitude, 1.0), 1.0)
    expected = factors.sigma_d * amplitude
    weighted = factors.fom * np.where(observed, f_obs, 0.0) / factors.k_total
    if kind == "2mFo-DFc":
        value = np.where(centric, weighted, 2.0 * weighted - expected)
        value = np.where(observed, value, expected if fill_missing else 0.0)
        if free_filled:
            value = np.where(observed & free, expected, value)
    else:
        value = np.where(observed & ~(free & free_filled), weighted - expected, 0.0)
    return np.asarray(value * phase, dtype=np.complex64)
