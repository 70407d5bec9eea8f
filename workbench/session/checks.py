"""Settings that no run could use are refused before anything is read."""

from __future__ import annotations

import math

from workbench.core.errors import SettingsError
from workbench.core.settings import FAMILIES, LOCAL_RESTRAINTS, RefinementSettings


def check_settings(settings: RefinementSettings) -> None:
    """Raises SettingsError for a number that no run could use."""

    def require(good: bool, item: str, value: object, remedy: str) -> None:
        if not good:
            raise SettingsError(f"{value} cannot be used.", item=item, remedy=remedy)

    def finite(value: float) -> bool:
        return math.isfinite(value)

    require(settings.cycles >= 0, "cycles", settings.cycles, "Give 0 or more cycles (0 writes the start).")
    if settings.weight is not None:
        good = finite(settings.weight) and settings.weight >= 0
        require(good, "weight", settings.weight, "Give a number from 0 up, or auto.")
    if settings.b_weight is not None:
        good = finite(settings.b_weight) and settings.b_weight >= 0
        require(good, "B restraint", settings.b_weight, "Give a number from 0 up, or auto.")
    require(
        len(settings.family_weights) == len(FAMILIES) and all(finite(w) and w >= 0 for w in settings.family_weights),
        "family weights",
        settings.family_weights,
        f"Give {len(FAMILIES)} numbers of 0 or more.",
    )
    for name in LOCAL_RESTRAINTS:
        value = getattr(settings, name)
        good = value is None or (finite(value) and value >= 0)
        require(good, name.replace("_", " "), value, "Give a number from 0 up, or auto.")
    if settings.d_min is not None:
        good = finite(settings.d_min) and settings.d_min > 0
        require(good, "resolution", settings.d_min, "Give the limit in angstrom, for example 1.8.")
    require(
        finite(settings.shake) and 0 <= settings.shake <= 3,
        "shake",
        settings.shake,
        "Give an r.m.s. displacement between 0 and 3 A.",
    )
    if settings.reset_b is not None and settings.reset_b != "mean":
        good = finite(settings.reset_b) and 0 < settings.reset_b <= 500
        require(good, "reset B", settings.reset_b, "Give a B in A^2 above 0 and up to 500, or mean.")
    good = finite(settings.hold_sigma) and settings.hold_sigma > 0
    require(good, "sigma of held atoms", settings.hold_sigma, "Give a length above 0 A.")
    require(settings.threads >= 0, "threads", settings.threads, "Give 1 or more threads, or 0 for all cores.")
    require(0 <= settings.seed < 2**32, "seed", settings.seed, "Give a whole number between 0 and 4294967295.")
