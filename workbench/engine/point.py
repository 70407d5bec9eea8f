"""A model with its structure factors, scaled to the data: what a cycle starts from and ends at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import ComplexArray
from workbench.core.crystal import ModelState
from workbench.engine.prepare import RefinementProblem
from workbench.engine.xray.model_factors import FittedData

MASK_STANDS, MASK_STANDS_LARGEST = 0.02, 0.5
"""Angstrom, r.m.s. and largest shift since the solvent mask was made, within which it is not made again: its grid is
0.4 to 0.6 A wide."""


@dataclass(frozen=True, eq=False)
class Point:
    """A model with its factors, scaled to the data: what a cycle starts from and ends at. mask_at: the state
    that f_mask was made for."""

    state: ModelState
    mask_at: ModelState
    f_atoms: ComplexArray
    f_mask: ComplexArray
    fitted: FittedData
    written: FittedData


@dataclass(frozen=True, eq=False)
class Factors:
    """F of the model's atoms and of the riding hydrogens (None without any) at `state`."""

    state: ModelState
    written: ComplexArray
    hydrogens: ComplexArray | None

    @property
    def total(self) -> ComplexArray:
        return self.written if self.hydrogens is None else self.written + self.hydrogens


@dataclass(frozen=True)
class Shift:
    rms: float = 0.0
    largest: float = 0.0
    mean_b: float = 0.0


def shift_between(before: ModelState, after: ModelState) -> Shift:
    moved = np.linalg.norm(after.xyz - before.xyz, axis=1)
    return Shift(
        float(np.sqrt(np.mean(moved**2))), float(moved.max()), float(np.abs(after.b_iso - before.b_iso).mean())
    )


def factors_of(problem: RefinementProblem, state: ModelState) -> Factors:
    atoms = problem.atoms
    hydrogens = problem.factors.f_calc(atoms.hydrogens(state)) if atoms.riding else None
    return Factors(state, problem.factors.f_calc(atoms.written(state)), hydrogens)


def assessed(problem: RefinementProblem, factors: Factors, previous: Point | None, alone: bool = False) -> Point:
    """Solvent, scales and sigma_A of a state; with and without the riding hydrogens.

    alone: estimate sigma_A for the atoms without hydrogens as well; otherwise that of all atoms stands in for it, which
    changes figures of merit a little and no R.
    """
    state = factors.state
    moved = shift_between(previous.mask_at, state) if previous is not None else Shift(np.inf, np.inf)
    if previous is not None and moved.rms < MASK_STANDS and moved.largest < MASK_STANDS_LARGEST:
        mask_at, f_mask = previous.mask_at, previous.f_mask
    else:
        mask_at, f_mask = state, problem.mask.f_mask(problem.atoms.written(state))
    fitted = problem.data.fit(factors.total, f_mask, previous.fitted if previous is not None else None)
    written = fitted
    if factors.hydrogens is not None:
        written = problem.data.fit(
            factors.written,
            f_mask,
            previous.written if previous is not None else None,
            None if alone else fitted.sigma_a,
        )
    return Point(state, mask_at, factors.total, f_mask, fitted, written)
