"""The result of a run: the kept cycle as it is written, and how the run ended in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.core.crystal import ModelState
from workbench.core.events import CycleFinished, CycleStatistics, EndReason
from workbench.engine.cross_validation.best_state import RMSZ_LIMIT
from workbench.engine.cross_validation.paired_difference import r_difference
from workbench.engine.cycle_report import model_numbers
from workbench.engine.point import assessed, factors_of
from workbench.engine.prepare import RefinementProblem


def ending(reason: EndReason, best: CycleFinished, last: int, has_free: bool, suspect: bool = False) -> str:
    """How the run ended. last: number of its last cycle. suspect: the test set did not choose what is kept."""
    words = {
        "converged": "Converged",
        "cycles": "All cycles done",
        "stopped": "Stopped",
        "no_progress": "No step lowers the target any further",
    }[reason]
    kept = best.statistics.cycle
    judge = "free likelihood" if has_free else "likelihood"
    if suspect:
        return (
            f"{words} after cycle {last}; the model of cycle {kept} is kept: the newest one, for a test set that is "
            "suspect chooses none."
        )
    if kept == last:
        return f"{words} after cycle {last}; its model is kept."
    return f"{words} after cycle {last}; the model of cycle {kept} is kept (best {judge} and geometry)."


def worse_than_start(
    problem: RefinementProblem, first: CycleFinished, kept: CycleFinished, suspect: bool = False
) -> str:
    """What to say when R_free has not fallen; empty when it has. suspect: the test set is."""
    before, after = first.statistics, kept.statistics
    data = problem.data
    if after.cycle == before.cycle:
        return ""
    if not data.has_free:
        if not after.r_work > before.r_work:
            return ""
        rise = f"{before.r_work:.4f} -> {after.r_work:.4f}"
        return f"R_work is not lower than at the start: {rise}.{_strained(before, after)}"
    if not after.r_free > before.r_free:
        return ""
    rows, free = data.rows[data.free], data.free
    amplitudes = [np.abs(f.f_model[rows]) * f.k_total[rows] for f in (kept.written, first.written)]
    difference, sigma = r_difference(data.f_obs[free], *(a.astype(np.float64) for a in amplitudes))
    text = (
        f"R_free is not lower than at the start: {before.r_free:.4f} -> {after.r_free:.4f} ({100 * difference:+.2f} +- "
        f"{100 * sigma:.2f} %)."
    )
    if suspect:
        return f"{text} The test set is suspect: neither number is R_free of a set that was left out all along."
    text += _strained(before, after)
    return f"{text} If the test set is the one this model was built against, look for what is missing from the model."


def _strained(before: CycleStatistics, after: CycleStatistics) -> str:
    """Why a start of lower R did not count as the better model."""
    if max(before.rmsz_bonds, before.rmsz_angles) <= RMSZ_LIMIT:
        return ""
    return (
        f" The start did not count as the better model, since its geometry is out of the usual range (rmsZ of bonds "
        f"{before.rmsz_bonds:.2f}, of angles {before.rmsz_angles:.2f}; now {after.rmsz_bonds:.2f}, "
        f"{after.rmsz_angles:.2f})."
    )


def rounded(state: ModelState) -> ModelState:
    """The state as model files hold it: coordinates to 0.001 A, B to 0.01 A^2, U to 0.0001 A^2."""
    return ModelState(
        np.round(state.xyz, 3), np.round(state.b_iso, 2), np.round(state.u_aniso, 4), np.round(state.occupancy, 2)
    )


def as_written(problem: RefinementProblem, kept: CycleFinished) -> CycleFinished:
    """The kept cycle with the numbers that `score` finds for the file: rounded coordinates, scales fitted afresh."""
    problem = problem.with_anisotropic(kept.state.anisotropic)
    point = assessed(problem, factors_of(problem, rounded(kept.state)), None, alone=True)
    geometry = problem.geometry.statistics(point.state.xyz, point.state.b_iso)
    statistics = replace(kept.statistics, **model_numbers(point, geometry, point.written))
    statistics = replace(statistics, geometry={**kept.statistics.geometry, **geometry.families})
    return CycleFinished(
        point.state, point.fitted.factors, point.written.factors, statistics, kept.best, fit=kept.fit,
        worst=geometry.worst,
    )  # fmt: skip
