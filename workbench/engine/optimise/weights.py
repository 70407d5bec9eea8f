"""The automatic weight of the X-ray term.

Meaning (design: conventions 5): the target is  w * sum over work reflections of -LL  +  E_geometry + E_B.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BOND_Z_HIGH = 0.90
"""r.m.s. Z of bonds above which the data are given less weight: ideal values carry their own scatter, a model that
follows noise shows it here first (Jaskolski et al., 2007, Acta Cryst. D63, 611)."""
BOND_Z_LOW = 0.45
"""... below which the data may have more."""


def starting_weight(d_min: float) -> float:
    """Weight for a resolution of `d_min` angstrom.

    The empirical dependence 2 exp(0.9104 d_min + 0.2162) of servalcat (Yamashita et al., 2023, Acta Cryst. D79, 368;
    the factor 2 counts Friedel mates once instead of twice), halved: measured for this program, the tighter half gives
    the same R_free at a smaller deviation of bonds (docs/decisions.md).
    """
    return math.exp(0.9104 * d_min + 0.2162)


@dataclass(frozen=True)
class AutomaticWeight:
    """The weight in use when the user leaves it to the program, and why."""

    value: float
    reason: str

    @classmethod
    def start(cls, d_min: float) -> AutomaticWeight:
        return cls(starting_weight(d_min), f"from the resolution, {d_min:.2f} A")

    def steered(self, rmsz_bonds: float, previous_rmsz_bonds: float, cycle: int) -> AutomaticWeight:
        """The weight for the next cycle, from the r.m.s. Z of bonds after this one.

        Lowered by a fifth while bonds are outside their band and not coming back by themselves; raised when they stay
        below it. The first two cycles only bring the model in and are not judged.
        """
        if cycle < 2 or not math.isfinite(rmsz_bonds):
            return self
        if rmsz_bonds > BOND_Z_HIGH and rmsz_bonds > 0.97 * previous_rmsz_bonds:
            return AutomaticWeight(self.value / 1.2, f"lowered: bond rmsZ {rmsz_bonds:.2f} is above {BOND_Z_HIGH}")
        if rmsz_bonds < BOND_Z_LOW and rmsz_bonds < 1.03 * previous_rmsz_bonds:
            return AutomaticWeight(self.value * 1.1, f"raised: bond rmsZ {rmsz_bonds:.2f} is below {BOND_Z_LOW}")
        return AutomaticWeight(self.value, f"kept: bond rmsZ {rmsz_bonds:.2f}")
