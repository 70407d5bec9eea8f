"""Does the test set belong to the history of the model? What the R factors of the start say about it.

A model that was refined without its test set shows R_free above R_work by the amount that its freedom explains
(`expected_ratio`). Where R_free is not above R_work, the model was either never refined against these data, or refined
with these reflections among the others; numbers alone do not tell which, so both are said. In a column of many sets the
one that was left out stands out: R of every other set is that of refined reflections (conventions of CCP4: set 0; that
is doubted only where another set stands out by more than three times the scatter of the rest).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, IntArray
from workbench.engine.cross_validation.bootstrap import TestSetBootstrap, spread
from workbench.engine.cross_validation.expected_ratio import empirical, usual_r_work

FEW_SETS, FEW_IN_SET = 5, 30
"""Fewer sets, or smaller ones, have no scatter that one could stand out from."""
STANDS_OUT = 3.0
"""Scatters of the other sets by which R of a set that was left out is above theirs."""
SHARE_OF_GAP = 2 / 3
"""Of the expected gap that an outstanding set must show as well: one set in twenty is three scatters off by chance more
often than a normal distribution has it, the scatter being that of the others."""
ORDINARY = 1.5
"""Scatter of the sets within which the set in use is like any other."""
TOLD_APART = 2.0
"""The expected gap in units of the error of R_free, from which a missing gap can be seen."""
CLOSE = 2.4
"""Joint standard deviations below the expected gap from which a gap is called too small: 1 % of sound models are."""
REFINED_WITHIN, BELOW = 0.05, 2.0
"""R_work above that of entries of this resolution (whose scatter is 0.03) at which a model still counts as refined; and
errors of R_free by which it is below R_work, which no model gets by itself."""
FORGETTING = "--shake 0.3 --reset-b mean"


@dataclass(frozen=True)
class SetHistory:
    """r_work, r_free: of the start. sigma: of r_free. expected, expected_sigma: R_free - R_work of a refined model.
    usual: R_work of PDB entries at this resolution.
    outstanding: (flag, R, scatters above the rest) of another set that was left out by the look of it, or None."""

    r_work: float
    r_free: float
    sigma: float
    expected: float
    expected_sigma: float
    usual: float
    outstanding: tuple[int, float, float] | None = None

    @property
    def gap(self) -> float:
        return self.r_free - self.r_work

    @property
    def missing(self) -> bool:
        """R_free is not above R_work, and would be seen to be."""
        return self.gap < self.sigma and self.expected > TOLD_APART * self.sigma

    @property
    def refined(self) -> bool:
        """R_work is that of refined models at this resolution, or R_free is below it by more than chance."""
        return self.r_work < self.usual + REFINED_WITHIN or self.gap < -BELOW * self.sigma

    @property
    def small(self) -> bool:
        """R_free is above R_work by far less than usual."""
        return self.expected - self.gap > CLOSE * float(np.hypot(self.sigma, self.expected_sigma))


def set_history(
    f_obs: FloatArray,
    f_model: FloatArray,
    free: BoolArray,
    flags: IntArray | None,
    d_min: float,
    n_atoms: int,
    anisotropic: bool,
) -> SetHistory:
    """What the start says. f_obs, f_model (scaled): (n,) amplitudes. free: (n,) the test set. flags: (n,) number of the
    set of each reflection, or None. d_min: angstrom. n_atoms: non-hydrogen atoms, anisotropic: most of them."""
    difference = np.abs(f_obs - f_model)
    r_work = float(difference[~free].sum() / f_obs[~free].sum())
    r_free = float(difference[free].sum() / f_obs[free].sum())
    sigma = spread(TestSetBootstrap.of(int(free.sum())).r_factors(f_obs[free], f_model[free]))
    usual = empirical(int((~free).sum()), n_atoms, "anisotropic" if anisotropic else "isotropic")
    expected = (usual.ratio - 1.0) * r_work
    return SetHistory(
        r_work,
        r_free,
        sigma,
        expected,
        usual.spread * r_work,
        usual_r_work(d_min),
        _outstanding(difference, f_obs, free, flags, expected) if flags is not None else None,
    )


def _outstanding(
    difference: FloatArray, f_obs: FloatArray, free: BoolArray, flags: AnyArray, expected: float
) -> tuple[int, float, float] | None:
    values, counts = np.unique(flags, return_counts=True)
    if len(values) < FEW_SETS or counts.min() < FEW_IN_SET:
        return None
    r = np.array([difference[flags == value].sum() / f_obs[flags == value].sum() for value in values])
    used = int(np.argmax([np.count_nonzero(free & (flags == value)) for value in values]))
    order = np.argsort(r)
    best = int(order[-1])
    if best == used:
        return None
    rest = np.delete(r, best)
    scatter = float(rest.std(ddof=1))
    if scatter <= 0.0:
        return None
    above, own = (r[best] - rest.mean()) / scatter, (r[used] - rest.mean()) / scatter
    if above <= STANDS_OUT or own >= ORDINARY or r[best] - rest.mean() < SHARE_OF_GAP * expected:
        return None
    return int(values[best]), float(r[best]), float(above)


def history_warnings(found: SetHistory, made_here: bool, cut: bool = False) -> tuple[str, ...]:
    """Sentences for whoever refines; none for a set that fits the model. made_here: the set was drawn just now. cut:
    there are data beyond the limit, which the model may have been refined against."""
    said = []
    numbers = (
        f"(R_free {found.r_free:.3f} +- {found.sigma:.3f}, R_work {found.r_work:.3f}; a model refined without its test "
        f"set has R_free about {found.expected:.3f} above)"
    )
    way_out = f"Then R_free means nothing until the model has forgotten them ({FORGETTING})."
    if found.missing and made_here:
        said.append(
            f"The new test set and this model: R_free is not above R_work at the start {numbers}. If the model was "
            f"refined against these data before, it was refined with these reflections. {way_out}"
        )
    elif cut and (found.missing or found.small) and found.gap >= -BELOW * found.sigma:
        said.append(
            f"R_free is hardly above R_work at the start {numbers}. A model that was refined against data beyond this "
            "limit brings a smaller gap along than that; otherwise the test set may not be the one that it was refined "
            f"without. {way_out}"
        )
    elif found.missing and found.refined:
        said.append(
            f"R_free is not above R_work at the start {numbers}: the test set does not belong to the history of this "
            f"model. It was refined with these reflections among the others, or never against these data. {way_out}"
        )
    elif found.missing:
        said.append(
            f"R_free is not above R_work at the start {numbers}. So it is where a model was never refined against "
            "these data, or much of it is still missing: then the test set is good from now on. If it was refined "
            f"against them, it was with these reflections, which are no set of its history. {way_out}"
        )
    elif found.small:
        said.append(
            f"R_free is hardly above R_work at the start {numbers}: the test set may not be the one that this model "
            f"was refined without. {way_out}"
        )
    if found.outstanding is not None:
        value, r, above = found.outstanding
        said.append(
            f"Set {value} stands out from the others with R {r:.3f}, {above:.1f} times their scatter above them, and "
            f"the set in use does not: {value} is probably the one that the model was refined without (--free-value "
            f"{value})."
        )
    return tuple(said)
