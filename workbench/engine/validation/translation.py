"""A model that is turned as the data say but stands in the wrong place of the cell.

Each copy of the model contributes |F_j|^2 to an intensity whatever its place, the cross terms F_j F_k* depend on it.
For a model in its place all copies together predict the intensities better than the sum of |F_j|^2 alone; for one that
is shifted the cross terms are noise, and predict worse. With rho the correlation of the two predictions, correlation
with all copies over that with the copies one by one is about 1 / rho in place and rho out of place. The same is seen
where the space group has the wrong screw axes or the wrong hand. In P1 every place is right.

Measured on nine crystals (3.5 to 1.5 A, groups of 2 to 12 operations, one a twin), 8 to 3 A and 15 to 5 A: shifted by 3
to 20 A 0.19 to 0.78 and below 1.01; in place 1.5 to 3.6; with random shifts of 1.0 and 1.5 A r.m.s., or 30 % of the
atoms, 1.3 to 3.8; moved as a whole by 1.0 A, which rigid bodies mend, 0.7 to 1.8 and 1.0 to 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.core.settings import ACCEPT_UNPLACED
from workbench.engine.validation.placement import intensity_correlation
from workbench.engine.xray.structure_factors import Scatterers, StructureFactors

FINE, COARSE = (8.0, 3.0), (15.0, 5.0)
"""Angstrom, from and to: solvent rules beyond, errors of coordinates below."""
FEWEST, MOST = 300, 6000
"""Reflections: with fewer the correlations are chance, more tell no more."""
TURNED = 0.12
"""Correlation of the copies one by one from which the model is turned as the data say."""
OUT_OF_PLACE = 0.85, 1.05
"""Correlation of all copies over that of the copies one by one, fine and coarse, below which they stand wrong."""
SIGNIFICANT = 2.0
"""Standard errors of a correlation by which all copies must be worse than the copies one by one."""
GOOD_FIT = 0.45
"""Correlation of E^2 of the whole model from which nobody needs to ask."""
REMEDY = (
    "Search for its place (molecular replacement with the orientation kept), and check the screw axes and the hand of "
    f"the space group; {ACCEPT_UNPLACED} refines it all the same."
)


@dataclass(frozen=True)
class Translation:
    """Correlations with the data of the copies together and one by one: 8 to 3 A, and 15 to 5 A (NaN with too few
    reflections). n: reflections of the first pair."""

    together: float
    single: float
    coarse_together: float
    coarse_single: float
    n: int

    @property
    def wrong(self) -> bool:
        """The copies stand where the data do not want them."""
        if self.n < FEWEST or self.single < TURNED:
            return False
        missing = self.single - self.together
        if self.together >= OUT_OF_PLACE[0] * self.single or missing < SIGNIFICANT / np.sqrt(self.n):
            return False
        # Too few coarse reflections (NaN) are no objection.
        return not self.coarse_together >= OUT_OF_PLACE[1] * self.coarse_single

    def finding(self, r_work: float) -> str:
        """The numbers as a sentence."""
        return (
            f"The model is turned as the data say but does not stand where they say: R_work is {r_work:.3f}; the "
            f"intensities of its symmetry copies one by one correlate with the data by {self.single:.2f}, those of all "
            f"copies together, which depend on the place, only by {self.together:.2f}."
        )


def judge_translation(
    crystal: Crystal,
    hkl: IntArray,
    f_obs: FloatArray,
    epsilon: FloatArray,
    d_star_sq: FloatArray,
    work: BoolArray,
    atoms: Scatterers,
    threads: int = 1,
    scattering: str = "x-ray",
) -> Translation | None:
    """Compare the atoms of one asymmetric unit with observed amplitudes (n,); only rows where `work` count.

    None where there is nothing to tell: one operation only, or too few reflections.
    """
    operations = gemmi.find_spacegroup_by_name(crystal.space_group).operations().sym_ops
    spacing = 1.0 / np.sqrt(d_star_sq)
    rows = np.flatnonzero(work & (spacing <= COARSE[0]) & (spacing >= FINE[1]))
    rows = rows[:: max(1, len(rows) // MOST)]
    if len(operations) < 2 or len(rows) < FEWEST:
        return None
    asked = hkl[rows].astype(np.int64)
    turned = [asked @ (np.array(op.rot, dtype=np.int64) // gemmi.Op.DEN) for op in operations]
    mates, where = np.unique(np.concatenate(turned), axis=0, return_inverse=True)
    limit = float(spacing[rows].min()) * (1.0 - 1e-6)
    alone = StructureFactors(
        Crystal(crystal.cell, "P 1"), mates.astype(np.int32), limit, threads, scattering=scattering
    )
    copies = alone.f_calc(atoms)[where.reshape(-1)].reshape(len(operations), -1)
    phases = np.array([np.exp(2j * np.pi * (asked @ (np.array(op.tran) / gemmi.Op.DEN))) for op in operations])
    root = np.sqrt(epsilon[rows])
    together = np.abs((copies * phases).sum(axis=0)) / root
    single = np.sqrt((np.abs(copies) ** 2).sum(axis=0))
    observed, s_sq = f_obs[rows] / root, d_star_sq[rows]

    def correlations(limits: tuple[float, float]) -> tuple[float, float, int]:
        inside = (spacing[rows] <= limits[0]) & (spacing[rows] >= limits[1])
        count = int(inside.sum())
        if count < FEWEST:
            return float("nan"), float("nan"), count
        parts = [
            intensity_correlation(observed[inside], prediction[inside], s_sq[inside])
            for prediction in (together, single)
        ]
        return parts[0], parts[1], count

    fine, coarse = correlations(FINE), correlations(COARSE)
    if fine[2] < FEWEST:
        return None
    return Translation(fine[0], fine[1], coarse[0], coarse[1], fine[2])
