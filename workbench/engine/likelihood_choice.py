"""Amplitudes or intensities: which of them a run is refined against, and why.

AUTO is what the comparison in docs/decisions.md speaks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.core.crystal import Reflections
from workbench.core.errors import SettingsError
from workbench.core.settings import LikelihoodOf

AUTO: Literal["amplitudes", "intensities"] = "amplitudes"
"""Where the data have both."""
FEWEST = 0.8
"""Part of the reflections that must have an intensity."""


@dataclass(frozen=True)
class LikelihoodChoice:
    """of: what is refined against. words: for the log, with the reason."""

    of: Literal["amplitudes", "intensities"]
    words: str


def choose_likelihood(reflections: Reflections, wanted: LikelihoodOf) -> LikelihoodChoice:
    """Raises SettingsError where intensities are asked for that the data do not have."""
    columns = reflections.columns
    amplitudes = f"amplitudes {columns.amplitude}, {columns.sigma}"
    intensity = reflections.intensity
    known = np.isfinite(intensity) if intensity is not None else np.zeros(len(reflections), dtype=np.bool_)
    count, n = int(np.count_nonzero(known)), len(reflections)
    enough = count >= FEWEST * n
    if wanted == "intensities" and not enough:
        have = "hold no intensities that belong to the amplitudes" if not count else f"hold {count} for {n} reflections"
        raise SettingsError(
            f"Refinement against intensities was asked for; the data {have}.",
            remedy="Give a file with I and its sigma, or refine against amplitudes (--likelihood amplitudes).",
        )
    if wanted == "amplitudes" or not enough or intensity is None:
        why = "as the user asked" if wanted == "amplitudes" else "the data have no intensities"
        return LikelihoodChoice("amplitudes", f"{amplitudes} ({why})")
    if wanted == "auto" and AUTO == "amplitudes":
        return LikelihoodChoice("amplitudes", f"{amplitudes} (by default; the data have intensities as well)")
    negative = int(np.count_nonzero(intensity[known] < 0.0))
    rest = f", {n - count} reflections without one by their amplitude" if count < n else ""
    why = "as the user asked" if wanted == "intensities" else "by default, since the data have them"
    intensities = f"intensities {reflections.intensity_label}, {negative} of them negative{rest}"
    return LikelihoodChoice("intensities", f"{intensities} ({why})")
