"""The measured intensities that stand beside amplitudes, row by row and on the scale of their squares."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.core.crystal import Measurements
from workbench.core.miller import rows_among

STRONG = 5.0
"""I / sigma from which I and F^2 must tell the same."""
FEWEST_STRONG = 20
LARGEST_SPREAD = 0.1
"""Of ln(I / F^2) of strong reflections (median deviation from the median): more, and F was not made of this I."""
SAME_SCALE = 0.02
"""Of ln(I / F^2): less is rounding, and what the method of French and Wilson does to reflections of a few sigma."""


def intensities_beside(
    hkl: IntArray, f_obs: FloatArray, measured: Measurements, made_of: bool, notes: list[str]
) -> tuple[FloatArray, FloatArray] | None:
    """Intensities and sigmas (n,) of the reflections (n, 3), NaN where none was measured; None where the file has no
    intensities, or others than those the amplitudes f_obs (n,) come from. made_of: the amplitudes were made of these.
    What is worth telling is added to notes.

    Both lists are unique and in the same asymmetric unit.
    """
    if measured.kind != "intensity":
        return None
    rows = rows_among(hkl, measured.hkl)
    found = rows >= 0
    value = np.where(found, measured.value[rows], np.nan)
    sigma = np.where(found, measured.sigma[rows], np.nan)
    if made_of:
        return value, sigma
    with np.errstate(invalid="ignore"):
        strong = value > STRONG * sigma
    if np.count_nonzero(strong) < FEWEST_STRONG:
        return None
    ratio = np.log(value[strong] / f_obs[strong] ** 2)
    scale = float(np.median(ratio))
    if float(np.median(np.abs(ratio - scale))) > LARGEST_SPREAD:
        notes.append(f"The intensities {measured.label} are not what the amplitudes come from; they are not used.")
        return None
    if abs(scale) > SAME_SCALE:
        value, sigma = value / np.exp(scale), sigma / np.exp(scale)
    return value, sigma
