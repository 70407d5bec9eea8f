"""The automatic weights: of the X-ray term, and of the restraints of B.

Meaning (design: conventions 5): the target is  w * sum over work reflections of -LL  +  E_geometry + beta * E_B. Two
weights, because two things are weighed: w, the geometry against the data, follows how well the geometry is kept; beta,
with which w / beta weighs the B model against the data, does not. It would otherwise be stiffened for no reason
whenever a strained geometry takes weight from the data: w / beta depends on the resolution alone at first, and then
goes where the test set wants it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.settings import FAMILIES
from workbench.engine.optimise.free_response import Verdict

BOND_Z_HIGH, ANGLE_Z_HIGH = 0.90, 0.95
"""r.m.s. Z above which the data are given less weight: ideal values carry their own scatter, a model that follows noise
shows it here first (Jaskolski et al., 2007, Acta Cryst. D63, 611)."""
BOND_Z_LOW, ANGLE_Z_LOW = 0.75, 0.85
"""... below which, both of them, the data may have more."""
FIRST_JUDGED = 2
"""The first cycles bring the model in and are not judged."""
STEEPNESS = 1.5
"""How strongly the weight answers: r.m.s. Z grows like the weight to the power of 0.35 (angles) to 0.55 (bonds)."""
LET_BE = 1.02
"""Excess over the band that is not worth another weight (a run rests only while its weight does)."""
LARGEST_START = 10.0
"""Largest weight to start from."""
LARGEST_CUT, RAISE = 2.5, 1.12
"""Largest factor by which the weight is lowered, and the one by which it is raised, in one cycle."""

LOG_STEP = 0.35
"""Change of ln beta that the test set is asked about, and that a preference by two standard errors brings."""
LARGEST_LOG_STEP = 0.9
"""Largest change of ln beta in one cycle: the answer is linear, and a clear one says that the best is further away."""
CLEAR = 1.0
"""Standard errors that the test set must prefer another beta by, for beta to move."""
SILENT = 2
"""Cycles without a question after an answer that was not clear: a question costs a tenth of a cycle."""
B_LIMITS = 1.0 / 16.0, 4.0
"""Smallest and largest beta, in units of the one that the resolution suggests for the w in use. The smallest is no
smaller than OF_FEW over the reflections that there are for each atom."""
OF_FEW = 2.0
"""A test set of a few hundred cannot vouch for restraints all but gone where the data hardly determine one B for every
atom: at 2.7 reflections per atom it gladly let R_work fall to 0.14 (gp350_2h6o, 3.5 A; docs/decisions.md)."""
NEAR = 0.02
"""Change of ll_free in one cycle from which a model is too far from its minimum for the answer to mean anything."""
UNKNOWN = Verdict()


class Deviations(Protocol):
    """What the weights are steered by: r.m.s. Z of the bulk of bonds and angles after a cycle, and -log p of a test
    reflection."""

    @property
    def bulk_rmsz_bonds(self) -> float: ...
    @property
    def bulk_rmsz_angles(self) -> float: ...
    @property
    def ll_free(self) -> float: ...


def resolution_weight(d_min: float) -> float:
    """exp(0.9104 d_min + 0.2162): weight of the data against the B restraints for a resolution of d_min angstrom."""
    return math.exp(0.9104 * d_min + 0.2162)


def starting_weight(d_min: float) -> float:
    """Weight for a resolution of `d_min` angstrom.

    The empirical dependence 2 exp(0.9104 d_min + 0.2162) of servalcat (Yamashita et al., 2023, Acta Cryst. D79, 368;
    the factor 2 counts Friedel mates once instead of twice), halved: measured for this program, the tighter half gives
    the same R_free at a smaller deviation of bonds (docs/decisions.md). Capped at LARGEST_START: at 3 to 3.5 A the
    formula would leave angles at r.m.s. Z of 1.3 to 2 before steering brings them back.
    """
    return min(resolution_weight(d_min), LARGEST_START)


@dataclass(frozen=True)
class AutomaticWeight:
    """The weights in use when the user leaves them to the program, and why.

    value: w. data_to_b: w / beta, of_resolution: what it began with. silent: cycles for which the test set is not asked
    about beta any more, because it had no clear opinion or one that was not borne out. trusted: beta has just been
    changed because of what the test set said. softest: smallest beta, in units of that of the resolution.
    """

    value: float
    reason: str
    data_to_b: float
    of_resolution: float
    silent: int = 0
    trusted: bool = False
    softest: float = B_LIMITS[0]

    @classmethod
    def start(
        cls,
        d_min: float,
        value: float | None = None,
        reason: str = "",
        beta: float | None = None,
        per_atom: float = math.inf,
    ) -> AutomaticWeight:
        """For data to d_min angstrom; value and reason, beta: weights to go on with instead of those of the
        resolution. per_atom: reflections that there are for each atom."""
        balanced = resolution_weight(d_min)
        softest = min(max(B_LIMITS[0], OF_FEW / per_atom), 1.0)
        if value is not None:
            return cls(value, reason, value / beta if beta else balanced, balanced, softest=softest)
        return cls(starting_weight(d_min), f"from the resolution, {d_min:.2f} A", balanced, balanced, softest=softest)

    def asks(self, cycle: int, change: float) -> bool:
        """Whether the test set is to be asked about beta in `cycle`, counted from the start of the run; change: of
        ll_free in the cycle before."""
        return cycle >= FIRST_JUDGED and self.silent == 0 and abs(change) < NEAR

    @property
    def b_multiplier(self) -> float:
        """beta."""
        return self.value / self.data_to_b

    def families(self, chosen: tuple[float, ...], beta: float | None = None) -> FloatArray:
        """(7,) multipliers of the families of restraints, as `FAMILIES`: the user's, times beta for B. beta: the
        user's; None takes the automatic one."""
        result = np.array(chosen, dtype=np.float64)
        result[FAMILIES.index("b_similarity")] *= self.b_multiplier if beta is None else beta
        return result

    def changes(self, before: AutomaticWeight) -> str:
        """What is new since `before`, and why; empty when nothing is."""
        parts = []
        if self.value != before.value:
            parts.append(f"Automatic weight {before.value:.2f} -> {self.value:.2f}, {self.reason}")
        if self.data_to_b != before.data_to_b:
            what = "softer" if self.data_to_b > before.data_to_b else "stiffer"
            parts.append(
                f"Restraints of B x{before.b_multiplier:.2f} -> x{self.b_multiplier:.2f}: {what} ones explain the test "
                f"set better"
            )
        return "; ".join(parts)

    def steered(
        self, before: Deviations, after: Deviations, cycle: int, softer_b: Verdict = UNKNOWN
    ) -> AutomaticWeight:
        """The weights for the next cycle; before, after: the geometry before and after this one.

        w is lowered in proportion while bonds or angles are outside their band and not coming back by themselves,
        raised when both stay below it. softer_b: what the test set says of a smaller beta (by LOG_STEP);
        not known where it was not asked.
        """
        steered = replace(self._by_geometry(before, after, cycle), trusted=False)
        if self.trusted and not after.ll_free < before.ll_free:
            # The answer extrapolates from one model; the next one has shown that it was wrong.
            return replace(steered, silent=SILENT)
        if math.isfinite(softer_b.sigma):
            return steered._by_test_set(softer_b)
        return replace(steered, silent=max(self.silent - 1, 0))

    def _by_test_set(self, softer_b: Verdict) -> AutomaticWeight:
        """beta moves towards what explains the test set better, the faster the clearer that is."""
        z = softer_b.z
        if abs(z) < CLEAR:
            return replace(self, silent=SILENT)
        step = LOG_STEP * z / (2.0 * CLEAR)
        factor = math.exp(max(-LARGEST_LOG_STEP, min(LARGEST_LOG_STEP, step)))
        most, least = (self.of_resolution / limit for limit in (self.softest, B_LIMITS[1]))
        return replace(self, data_to_b=min(max(factor * self.data_to_b, least), most), trusted=True)

    def _by_geometry(self, before: Deviations, after: Deviations, cycle: int) -> AutomaticWeight:
        bonds, angles = after.bulk_rmsz_bonds, after.bulk_rmsz_angles
        if cycle < FIRST_JUDGED or not (math.isfinite(bonds) and math.isfinite(angles)):
            return self
        excess, name, z, limit = max(
            (bonds / BOND_Z_HIGH, "bond", bonds, BOND_Z_HIGH), (angles / ANGLE_Z_HIGH, "angle", angles, ANGLE_Z_HIGH)
        )
        earlier = max(before.bulk_rmsz_bonds / BOND_Z_HIGH, before.bulk_rmsz_angles / ANGLE_Z_HIGH)
        if excess > LET_BE and excess > 0.97 * earlier:
            cut = min(excess**STEEPNESS, LARGEST_CUT)
            return self._changed(self.value / cut, f"lowered: {name} rmsZ {z:.2f} is above {limit:.2f}")
        resting = bonds < 1.03 * before.bulk_rmsz_bonds and angles < 1.03 * before.bulk_rmsz_angles
        if bonds < BOND_Z_LOW and angles < ANGLE_Z_LOW and resting:
            return self._changed(
                self.value * RAISE, f"raised: rmsZ of bonds {bonds:.2f} and angles {angles:.2f} are below their band"
            )
        return self._changed(self.value, f"kept: rmsZ of bonds {bonds:.2f}, angles {angles:.2f}")

    def _changed(self, value: float, reason: str) -> AutomaticWeight:
        return replace(self, value=value, reason=reason)
