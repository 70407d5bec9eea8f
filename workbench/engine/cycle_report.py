"""A finished cycle as an event: statistics, factors, fit of the residues."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.core.events import CycleFinished, CycleStatistics, ResidueFit
from workbench.engine.cross_validation.test_set_watch import TestSetWatch
from workbench.engine.cycle import Freedom
from workbench.engine.geometry.statistics import GeometryStatistics
from workbench.engine.optimise.weights import AutomaticWeight
from workbench.engine.outliers import outliers_of
from workbench.engine.point import Point, Shift
from workbench.engine.prepare import RefinementProblem
from workbench.engine.validation.density_fit import density_fit
from workbench.engine.xray.model_factors import FittedData


class ModelNumbers(TypedDict):
    """Fields of `CycleStatistics` that belong to a model."""

    r_work: float
    r_free: float
    r_work_riding_h: float
    r_free_riding_h: float
    ll_work: float
    ll_free: float
    rmsd_bonds: float
    rmsz_bonds: float
    rmsd_angles: float
    rmsz_angles: float
    bulk_rmsz_bonds: float
    bulk_rmsz_angles: float
    mean_b: float
    geometry: dict[str, tuple[float, int]]


def test_set_watch(problem: RefinementProblem) -> TestSetWatch:
    return TestSetWatch(problem.data.f_obs[problem.data.free] if problem.data.has_free else np.empty(0))


def finished_cycle(
    problem: RefinementProblem,
    point: Point,
    cycle: int,
    shift: Shift,
    weight: float,
    automatic: AutomaticWeight,
    seconds: float,
    best: bool,
    watch: TestSetWatch,
    freedom: Freedom | None = None,
) -> CycleFinished:
    freedom = freedom or Freedom()
    reading = watch.read(*_test_values(problem, point))
    geometry = problem.geometry.statistics(point.state.xyz, point.state.b_iso)
    user_set = weight != automatic.value
    numbers = model_numbers(point, geometry, point.fitted)
    numbers["geometry"].update(problem.restraints.local_statistics(point.state))
    statistics = CycleStatistics(
        **numbers,
        cycle=cycle,
        n_work=problem.data.n_work,
        n_free=problem.data.n_free,
        xray_weight=weight,
        automatic_weight=automatic.value,
        weight_reason="set by the user" if user_set else automatic.reason,
        rms_shift=shift.rms,
        max_shift=shift.largest,
        mean_abs_shift_b=shift.mean_b,
        seconds=seconds,
        r_free_sigma=reading.sigma,
        r_free_rise=reading.rise,
        r_free_rise_sigma=reading.rise_sigma,
        ll_free_rise=reading.ll_rise,
        ll_free_rise_sigma=reading.ll_rise_sigma,
        parameters=freedom.parameters,
        effective_parameters=freedom.effective,
        reference_parameters=freedom.reference,
        b_weight=automatic.b_multiplier,
        outliers=outliers_of(problem.data, point),
        likelihood=problem.prepared.likelihood,
    )
    return CycleFinished(
        point.state, point.fitted.factors, point.written.factors, statistics, best,
        fit=_fit_of_residues(problem, point, *problem.groups) if problem.groups is not None else None,
        worst=geometry.worst,
    )  # fmt: skip


def model_numbers(point: Point, geometry: GeometryStatistics, judged: FittedData) -> ModelNumbers:
    """What of the statistics depends on the model alone, however it was reached. judged: whose likelihoods are told, of
    all atoms (in a cycle) or of the written ones (of a result)."""
    return {
        "r_work": point.written.r_work,
        "r_free": point.written.r_free,
        "r_work_riding_h": point.fitted.r_work,
        "r_free_riding_h": point.fitted.r_free,
        "ll_work": judged.ll_work,
        "ll_free": judged.ll_free,
        "rmsd_bonds": geometry.rmsd_bonds,
        "rmsz_bonds": geometry.rmsz_bonds,
        "rmsd_angles": geometry.rmsd_angles,
        "rmsz_angles": geometry.rmsz_angles,
        "bulk_rmsz_bonds": geometry.bulk_rmsz_bonds,
        "bulk_rmsz_angles": geometry.bulk_rmsz_angles,
        "mean_b": float(point.state.b_iso.mean()),
        "geometry": dict(geometry.families),
    }


def _fit_of_residues(problem: RefinementProblem, point: Point, rows: IntArray, starts: IntArray) -> ResidueFit:
    data = problem.data
    m = len(data.hkl)
    f_obs, observed, free = np.zeros(m), np.zeros(m, dtype=bool), np.zeros(m, dtype=bool)
    f_obs[data.rows], observed[data.rows], free[data.rows] = data.f_obs, True, data.free
    return density_fit(problem.factors, f_obs, observed, free, point.fitted.factors, point.state, rows, starts)


def _test_values(problem: RefinementProblem, point: Point) -> tuple[FloatArray, FloatArray]:
    """Of the test reflections: model amplitudes on the scale of F_obs (written atoms), and -log p (all atoms) as in
    ll_free: one wrong measurement would hide every drift of the others."""
    data, written = problem.data, point.written
    amplitude = written.k_total[data.free] * np.abs(written.factors.f_model[data.rows[data.free]])
    return amplitude, point.fitted.ll[data.free]
