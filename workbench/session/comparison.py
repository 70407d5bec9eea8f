"""Two cycles beside each other: is one really better, and where do the models differ?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.arrays import AnyArray, Float32Array, FloatArray
from workbench.core.events import CycleFinished, Prepared

if TYPE_CHECKING:
    from workbench.engine.cross_validation.paired_difference import PairedDifference


@dataclass(frozen=True, eq=False)
class Comparison:
    """Second minus first. r_work, ll_free, rmsz_bonds: plain differences, the first two NaN over other reflections,
    the second also where one was refined against amplitudes and the other against intensities.
    paired: of R_free with its error, None where the two stand on other test reflections or none. rms_shift: of all
    atoms, angstrom. By residue (r,): shift: r.m.s. distance of its atoms, angstrom; fit: change of the lower
    correlation of main and side chain; b: of the mean B."""

    r_work: float
    ll_free: float
    rmsz_bonds: float
    paired: PairedDifference | None
    rms_shift: float
    shift: FloatArray
    fit: Float32Array
    b: FloatArray

    def order(self) -> AnyArray:
        """Residues by how far they moved, the farthest first."""
        return np.asarray(np.argsort(-self.shift, kind="stable"))

    @property
    def sentence(self) -> str:
        if self.paired is None:
            return "The two stand on other test reflections: their R_free cannot be compared."
        return f"{self.paired.text}."


def compare(prepared: Prepared, first: CycleFinished, second: CycleFinished) -> Comparison:
    """Both cycles belong to `prepared`. Raises ValueError when their atoms are not the same."""
    from workbench.engine.cross_validation.free_measures import free_measures
    from workbench.engine.cross_validation.paired_difference import PairedDifference

    model = prepared.model
    if len(first.state.xyz) != len(model) or len(second.state.xyz) != len(model):
        raise ValueError("the two models do not have the same atoms")
    paired = None
    rows = len(prepared.hkl)
    a, b = first.statistics, second.statistics
    same_sets = (a.n_work, a.n_free) == (b.n_work, b.n_free)
    if (
        same_sets
        and prepared.reflections.has_free
        and len(first.written.f_model) == rows == len(second.written.f_model)
    ):
        one, other = free_measures(prepared, first), free_measures(prepared, second)
        paired = PairedDifference.of(one.f_obs, one.f_model, other.f_model)
    residue, count = model.residue, len(model.residues)
    n = np.maximum(np.bincount(residue, minlength=count), 1)
    square = np.sum((second.state.xyz - first.state.xyz) ** 2, axis=1)
    empty = np.full(count, np.nan, dtype=np.float32)
    fit = empty
    if first.fit is not None and second.fit is not None and len(first.fit.rscc) == len(second.fit.rscc) == count:
        fit = np.fmin(*second.fit.rscc.T) - np.fmin(*first.fit.rscc.T)
    return Comparison(
        r_work=b.r_work - a.r_work if same_sets else math.nan,
        ll_free=b.ll_free - a.ll_free if same_sets and a.likelihood == b.likelihood else math.nan,
        rmsz_bonds=b.rmsz_bonds - a.rmsz_bonds,
        paired=paired,
        rms_shift=float(np.sqrt(square.mean())),
        shift=np.sqrt(np.bincount(residue, weights=square, minlength=count) / n),
        fit=np.asarray(fit, dtype=np.float32),
        b=np.bincount(residue, weights=second.state.b_iso - first.state.b_iso, minlength=count) / n,
    )
