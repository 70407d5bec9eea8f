"""How the displacement of atoms is described, and whether the test set supports a finer description.

`auto`: the tensors of the input are kept. Where some atoms have none and the data are many enough, the isotropic model
is refined until it has settled; then all atoms get tensors (spheres at first) and are refined for TRIAL_CYCLES more,
twice as many while the answer is not clear. The larger model is kept only if the reflections that it was not fitted to
are explained better: total log-likelihood of the test set higher by LL_GAIN and R_free lower by half its paired
standard deviation (the rule of PDB-REDO: Joosten et al., 2012, J. Appl. Cryst. 45, 1037). Otherwise the run goes on
from the isotropic model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from workbench.core.arrays import BoolArray
from workbench.core.events import CycleStatistics
from workbench.core.settings import RefinementSettings
from workbench.core.words import counted as in_words
from workbench.engine.atomic_model import AtomicModel
from workbench.engine.optimise.weights import ANGLE_Z_HIGH, BOND_Z_HIGH

UserWeights: TypeAlias = tuple[float | None, tuple[float, ...], float | None, tuple[float | None, float | None]]
"""The X-ray weight, the multipliers of the families, beta, and the multipliers of jelly body and NCS (None:
automatic), as the user has them."""

OBSERVATIONS_PER_ATOM = 2.0
"""Work reflections per atom below which tensors are not tried by themselves, however stiff their restraints."""
FEWEST_TEST = 200
"""Test reflections below which the judge would be asleep."""
SETTLED = 0.004
"""Change of ll_free in one cycle below which the isotropic model has settled."""
EARLIEST, LATEST, LATEST_STRAINED = 3, 5, 7
"""Cycles before a trial begins: never before the first, always after the second; after the third while the geometry is
far outside its band, since the weight rests during a trial."""
STRAINED = 1.25
"""... which is r.m.s. Z of bonds or angles beyond the band by this factor."""
TRIAL_CYCLES = 3
"""Cycles with tensors before they are judged."""
LL_GAIN = 5.0
"""Total log-likelihood of the test set, natural logarithm, that the larger model must gain."""
STIFF_BELOW = 14.0
"""Work reflections per atom below which shapes are held more alike, in proportion."""
STRENGTH = 3.0
"""How much more alike the shapes of neighbours are than their B: lowest ll_free between 1 and 4 on the sets of
docs/decisions.md."""


def shape_strength(n_work: int, atoms: AtomicModel) -> float:
    """Multiplier (no unit) of the residuals of the shape restraints for n_work reflections; chosen on the sets of
    docs/decisions.md, not taken from elsewhere."""
    return STRENGTH * max(1.0, STIFF_BELOW / max(n_work / max(len(candidates(atoms).nonzero()[0]), 1), 0.1))


def candidates(atoms: AtomicModel) -> BoolArray:
    """(n,) atoms that may have a tensor: no hydrogens, and none on a symmetry element (which would constrain it)."""
    model = atoms.description.model
    light = np.isin(model.element, ["H", "D"])
    return np.asarray(atoms.anisotropic | (~light & ~atoms.dependent & (atoms.special.multiplicity == 1)))


def b_words(atoms: AtomicModel) -> str:
    """How B is described where it is not by atom, in words."""
    groups = atoms.b_groups
    if groups is None:
        return "Every atom has a B of its own."
    if atoms.b_is_fixed:
        return "B factors are not refined: they stay as they are, and the overall scale takes up what they lack."
    counted = f"{len(groups.slots)} B for {in_words(int(np.count_nonzero(groups.slot >= 0)), 'atom')}"
    what = "one for each residue" if atoms.b_choice == "per-residue" else "main and side chain of each residue"
    return f"Grouped B, {what}: {counted}, each beginning at the mean of its atoms."


@dataclass
class AnisotropyTrial:
    """The course of one trial: `began` is the cycle it began after, None before; `over` when nothing more will be
    tried. weights: the user's weights that it goes on with; another weight would spoil the comparison. waited: entries
    of the history that do not count any more (a trial was put off)."""

    began: int | None = None
    over: bool = False
    weights: UserWeights | None = None
    waited: int = 0

    @classmethod
    def for_run(cls, settings: RefinementSettings, atoms: AtomicModel, n_work: int, n_free: int) -> AnisotropyTrial:
        wanted = candidates(atoms)
        possible = (
            settings.b_model == "auto"
            and bool(np.any(wanted & ~atoms.anisotropic))
            and n_work >= OBSERVATIONS_PER_ATOM * int(wanted.sum())
            and n_free >= FEWEST_TEST
        )
        return cls(over=not possible)

    @property
    def pending(self) -> bool:
        """A trial is still to come."""
        return self.began is None and not self.over

    @property
    def under_way(self) -> bool:
        return self.began is not None and not self.over

    def start(self, cycle: int, weights: UserWeights) -> None:
        """The trial begins after `cycle`."""
        self.began, self.weights = cycle, weights

    def disturbed(self, weights: UserWeights) -> bool:
        """Whether the user has changed the weights since the trial began."""
        return self.under_way and weights != self.weights

    def put_off(self, history: list[CycleStatistics]) -> None:
        """Wait until the smaller model has settled once more."""
        self.began, self.weights, self.waited = None, None, len(history)

    def begins(self, history: list[CycleStatistics]) -> bool:
        """Whether to begin after the latest of `history` (the start, then every cycle)."""
        done = len(history) - 1 - self.waited
        if self.over or self.began is not None or done < EARLIEST:
            return False
        settled = abs(history[-1].ll_free - history[-2].ll_free) < SETTLED
        rests = history[-1].xray_weight == history[-2].xray_weight
        strained = max(history[-1].bulk_rmsz_bonds / BOND_Z_HIGH, history[-1].bulk_rmsz_angles / ANGLE_Z_HIGH)
        return (settled and rests) or done >= (LATEST_STRAINED if strained > STRAINED else LATEST)

    def judges(self, history: list[CycleStatistics], before: CycleStatistics) -> bool:
        """Whether enough cycles have been done to judge; before: the last cycle of the smaller model."""
        if not self.under_way or self.began is None:
            return False
        done = history[-1].cycle - self.began
        unclear = 0.0 < _gain(before, history[-1]) < LL_GAIN
        return done >= (2 * TRIAL_CYCLES if unclear else TRIAL_CYCLES)


def supported(before: CycleStatistics, after: CycleStatistics, difference: float, sigma: float) -> bool:
    """The judgement. difference, sigma: R_free(after) - R_free(before) over the same reflections, and its error."""
    return _gain(before, after) >= LL_GAIN and difference < -0.5 * sigma


def _gain(before: CycleStatistics, after: CycleStatistics) -> float:
    """Total log-likelihood of the test set that was gained."""
    return (before.ll_free - after.ll_free) * after.n_free
