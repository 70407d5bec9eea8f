"""The automatic weight of the X-ray term.

Meaning (design: conventions 5): the target is  w * sum over work reflections of -LL  +  E_geometry + E_B.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

BOND_Z_HIGH, ANGLE_Z_HIGH = 0.90, 0.97
"""r.m.s. Z above which the data are given less weight: ideal values carry their own scatter, a model that follows noise
shows it here first (Jaskolski et al., 2007, Acta Cryst. D63, 611)."""
BOND_Z_LOW, ANGLE_Z_LOW = 0.75, 0.85
"""... below which, both of them, the data may have more."""
FIRST_JUDGED = 2
"""The first cycles bring the model in and are not judged."""
STEEPNESS = 1.5
"""How strongly the weight answers: r.m.s. Z grows like the weight to the power of 0.35 (angles) to 0.55 (bonds)."""
LARGEST_START = 10.0
"""Largest weight to start from."""
LARGEST_CUT, RAISE = 1.5, 1.12
"""Largest factor by which the weight is lowered, and the one by which it is raised, in one cycle."""


class Deviations(Protocol):
    """What the weight is steered by: r.m.s. Z of the bonds and angles after a cycle."""

    @property
    def rmsz_bonds(self) -> float: ...
    @property
    def rmsz_angles(self) -> float: ...


def starting_weight(d_min: float) -> float:
    """Weight for a resolution of `d_min` angstrom.

    The empirical dependence 2 exp(0.9104 d_min + 0.2162) of servalcat (Yamashita et al., 2023, Acta Cryst. D79, 368;
    the factor 2 counts Friedel mates once instead of twice), halved: measured for this program, the tighter half gives
    the same R_free at a smaller deviation of bonds (docs/decisions.md). Capped at LARGEST_START: at 3 to 3.5 A the
    formula would leave angles at r.m.s. Z of 1.3 to 2 before steering brings them back.
    """
    return min(math.exp(0.9104 * d_min + 0.2162), LARGEST_START)


@dataclass(frozen=True)
class AutomaticWeight:
    """The weight in use when the user leaves it to the program, and why."""

    value: float
    reason: str

    @classmethod
    def start(cls, d_min: float) -> AutomaticWeight:
        return cls(starting_weight(d_min), f"from the resolution, {d_min:.2f} A")

    def steered(self, before: Deviations, after: Deviations, cycle: int) -> AutomaticWeight:
        """The weight for the next cycle, from r.m.s. Z before and after this one.

        Lowered in proportion while bonds or angles are outside their band and not coming back by themselves; raised
        when both stay below it.
        """
        bonds, angles = after.rmsz_bonds, after.rmsz_angles
        if cycle < FIRST_JUDGED or not (math.isfinite(bonds) and math.isfinite(angles)):
            return self
        excess, name, z, limit = max(
            (bonds / BOND_Z_HIGH, "bond", bonds, BOND_Z_HIGH), (angles / ANGLE_Z_HIGH, "angle", angles, ANGLE_Z_HIGH)
        )
        earlier = max(before.rmsz_bonds / BOND_Z_HIGH, before.rmsz_angles / ANGLE_Z_HIGH)
        if excess > 1.0 and excess > 0.97 * earlier:
            cut = min(excess**STEEPNESS, LARGEST_CUT)
            return AutomaticWeight(self.value / cut, f"lowered: {name} rmsZ {z:.2f} is above {limit:.2f}")
        resting = bonds < 1.03 * before.rmsz_bonds and angles < 1.03 * before.rmsz_angles
        if bonds < BOND_Z_LOW and angles < ANGLE_Z_LOW and resting:
            return AutomaticWeight(
                self.value * RAISE, f"raised: rmsZ of bonds {bonds:.2f} and angles {angles:.2f} are below their band"
            )
        return AutomaticWeight(self.value, f"kept: rmsZ of bonds {bonds:.2f}, angles {angles:.2f}")
