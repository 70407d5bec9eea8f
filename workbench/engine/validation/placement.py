"""Whether a model stands where the data say: does it predict the intensities better than chance?

A model of another crystal, or one that nobody has placed yet, has structure factors independent of the data. Its R is
then that of random numbers (Wilson, Acta Cryst. 2, 318, 1950: 0.59 acentric, 0.83 centric, less once scales and
solvent are fitted, less again for twinned data), so the level is not taken from a book but made from the data at hand:
F_model shuffled inside resolution shells. The judgement itself rests on the correlation of normalised intensities
E^2 = |F|^2 / <|F|^2>, which is sigma_A^2 in the mean for a model that is placed and 0 +- 1/sqrt(n) for one that is not.

Measured on five crystals of 3.5 to 1.5 A, one of them a twin: the larger of the two correlations below was -0.01 to
0.08 for models turned and moved at random (R_work 0.48 to 0.57, that of shuffled amplitudes 0.49 to 0.58), 0.29 to
0.63 for the same models with random shifts of 1.0 A r.m.s., 0.19 to 0.37 for three atoms of ten in their place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray
from workbench.core.errors import InputError
from workbench.core.events import Note
from workbench.core.settings import ACCEPT_UNPLACED, RefinementSettings
from workbench.engine.xray.model_factors import DataSet, FittedData
from workbench.engine.xray.r_factors import r_factor

CHANCE = 0.10
"""Correlation of E^2 below which a model is not placed."""
COARSE = 4.0
"""Angstrom: a model a little way off keeps its correlation here when it has lost that of the fine data."""
FEWEST = 200
"""Reflections below which chance alone gives correlations as high as CHANCE."""
_SHELL = 60


@dataclass(frozen=True)
class Placement:
    """r_work: of the model. r_chance: of the same amplitudes shuffled in shells. correlation: of E^2, work reflections;
    coarse: the same beyond COARSE angstrom (NaN with too few). n: reflections in `correlation`."""

    r_work: float
    r_chance: float
    correlation: float
    coarse: float
    n: int

    @property
    def unplaced(self) -> bool:
        """Nothing tells the model from one that has nothing to do with the data."""
        best = max(value for value in (self.correlation, self.coarse, -1.0) if not math.isnan(value))
        return self.n >= FEWEST and best < CHANCE

    def finding(self) -> str:
        """The numbers as a sentence."""
        return (
            f"The model does not fit these data better than chance: R_work is {self.r_work:.3f}, a model that has "
            f"nothing to do with them has {self.r_chance:.3f}; its normalised intensities correlate with the data by "
            f"{self.correlation:.2f}, those of a poor model that is in its place by 0.2 or more."
        )


LARGEST_SHAKE = 1.0
"""Angstrom: whoever shakes a model more than this has asked for a start that the data do not know."""
REMEDY = (
    "Place it by molecular replacement, or check that model and data are of the same crystal form and indexing; "
    f"{ACCEPT_UNPLACED} refines it all the same."
)


def judge_placement(
    f_obs: FloatArray, f_model: FloatArray, k: FloatArray, epsilon: FloatArray, d_star_sq: FloatArray, work: BoolArray
) -> Placement:
    """Compare observed amplitudes (n,) with k |F_model|; only rows where `work` count.

    k: (n,) scale with its anisotropy. epsilon: (n,) statistical weight. What both sides share whatever the model is
    (fall-off, anisotropy, epsilon) must not count as agreement. d_star_sq: (n,) 1/d^2 in 1/A^2.
    """
    root = np.sqrt(epsilon[work])
    observed, model = (f_obs / k)[work] / root, f_model[work] / root
    f_obs, d_star_sq, scale = f_obs[work], d_star_sq[work], k[work] * root
    coarse = d_star_sq < 1.0 / COARSE**2
    return Placement(
        r_work=r_factor(f_obs, scale * model),
        r_chance=r_factor(f_obs, scale * model[_shuffled(d_star_sq)]),
        correlation=intensity_correlation(observed, model, d_star_sq),
        coarse=intensity_correlation(observed[coarse], model[coarse], d_star_sq[coarse])
        if int(coarse.sum()) >= FEWEST
        else float("nan"),
        n=len(f_obs),
    )


def placement_notes(data: DataSet, fitted: FittedData, settings: RefinementSettings, model: str) -> tuple[Note, ...]:
    """What there is to say before the first cycle about the fit of the start; nothing for a model in its place.

    model: its file, for the message. Raises InputError for an unplaced model, unless the settings accept it.
    """
    amplitude = np.abs(fitted.factors.f_model[data.rows]).astype(np.float64)
    found = judge_placement(data.f_obs, amplitude, fitted.k_total, data.epsilon, data.d_star_sq, data.work)
    if not found.unplaced:
        return ()
    if settings.accept_unplaced or settings.shake > LARGEST_SHAKE:
        return (Note(f"{found.finding()} It is refined all the same, as the user asked.", "warning"),)
    raise InputError(found.finding(), file=model, remedy=REMEDY)


def _shells(d_star_sq: FloatArray) -> list[AnyArray]:
    order = np.argsort(d_star_sq, kind="stable")
    return np.array_split(order, max(1, len(order) // _SHELL))


def _shuffled(d_star_sq: FloatArray) -> AnyArray:
    """Each row's partner: another of its shell, the same in every run."""
    partner = np.arange(len(d_star_sq))
    rng = np.random.default_rng(0)
    for rows in _shells(d_star_sq):
        partner[rows] = rng.permutation(rows)
    return partner


def intensity_correlation(f_obs: FloatArray, f_model: FloatArray, d_star_sq: FloatArray) -> float:
    """Correlation of E^2 - 1 over amplitudes (n,) normalised in shells; 0 where one of them does not vary."""
    observed, model = f_obs**2, f_model**2
    for rows in _shells(d_star_sq):
        for values in (observed, model):
            mean = float(values[rows].mean()) if len(rows) else 0.0
            values[rows] = values[rows] / mean - 1.0 if mean > 0.0 else 0.0
    size = float(np.sqrt(np.sum(observed**2) * np.sum(model**2)))
    return float(np.sum(observed * model)) / size if size > 0.0 else 0.0
