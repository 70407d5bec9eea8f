"""The macro-cycle: guess, check, correct, repeat. A generator of events; nothing here knows who listens.

One cycle (design: conventions 6) = one accepted joint step of all parameters of the target
w * sum over work reflections of -LL + E_geometry + E_B, then solvent mask, scaling and sigma_A again, then statistics.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from workbench.core.arrays import ComplexArray, FloatArray
from workbench.core.control import RunControl
from workbench.core.crystal import ModelState
from workbench.core.errors import NumericalError
from workbench.core.events import (
    CycleFinished,
    CycleStatistics,
    EndReason,
    Finished,
    Note,
    Progress,
    ResidueFit,
    RunEvent,
)
from workbench.core.settings import RefinementSettings
from workbench.engine.atomic_model import B_MIN
from workbench.engine.b_model import AnisotropyTrial, UserWeights, candidates, supported
from workbench.engine.cross_validation.best_state import RMSZ_LIMIT, merit
from workbench.engine.cross_validation.paired_difference import r_difference
from workbench.engine.cross_validation.test_set_watch import TestSetWatch
from workbench.engine.memory import peak_memory_mb
from workbench.engine.optimise.effective_parameters import effective_parameters
from workbench.engine.optimise.free_response import Verdict, response, verdict
from workbench.engine.optimise.normal_equations import normal_equations
from workbench.engine.optimise.step import StepResult, accepted_step
from workbench.engine.optimise.target import Derivatives
from workbench.engine.optimise.trust import TrustRegion
from workbench.engine.optimise.weights import LOG_STEP, UNKNOWN, AutomaticWeight
from workbench.engine.prepare import RefinementProblem
from workbench.engine.rigid_body import asks_for_it, place_bodies
from workbench.engine.validation.density_fit import density_fit
from workbench.engine.validation.placement import placement_notes
from workbench.engine.xray.model_factors import FittedData

SHIFT_DONE, SHIFT_B_DONE, LL_DONE, CYCLES_DONE = 0.002, 0.1, 1e-4, 3
"""Convergence (conventions 6): r.m.s. shift in angstrom, mean |dB| in A^2, change of ll_free, over how many cycles."""
RESTING_CYCLES, RESTING_MERIT, RESTING_R = 3, 5e-4, 1e-3
"""A run also rests when, over so many cycles, no state was better than the best before by so much (units of ll_free)
and R_work fell by less than so much: what still moves are a few badly placed atoms, and noise is all there is to
gain."""

MASK_STANDS, MASK_STANDS_LARGEST = 0.02, 0.5
"""Angstrom, r.m.s. and largest shift since the solvent mask was made, within which it is not made again: its grid is
0.4 to 0.6 A wide."""

SMALLEST_OVERALL_B = 0.01
"""A^2; less is not worth moving into the atoms."""


@dataclass(frozen=True, eq=False)
class _Point:
    """A model with its factors, scaled to the data: what a cycle starts from and ends at. mask_at: the state
    that f_mask was made for."""

    state: ModelState
    mask_at: ModelState
    f_atoms: ComplexArray
    f_mask: ComplexArray
    fitted: FittedData
    written: FittedData


@dataclass(frozen=True, eq=False)
class _Factors:
    """F of the model's atoms and of the riding hydrogens (None without any) at `state`."""

    state: ModelState
    written: ComplexArray
    hydrogens: ComplexArray | None

    @property
    def total(self) -> ComplexArray:
        return self.written if self.hydrogens is None else self.written + self.hydrogens


@dataclass(frozen=True)
class _Shift:
    rms: float = 0.0
    largest: float = 0.0
    mean_b: float = 0.0


@dataclass(frozen=True)
class _Freedom:
    """Parameters: refined, determined by the data with the weights in use, and with the automatic ones;
    softer_b: what the test set says of softer restraints of B."""

    parameters: int = 0
    effective: float = float("nan")
    reference: float = float("nan")
    softer_b: Verdict = UNKNOWN


@dataclass(frozen=True, eq=False)
class _Taken:
    """A step of a cycle: where it led (None: nowhere), with which weight, and what the user had set for it."""

    reached: _Point | None
    weight: float
    freedom: _Freedom
    used: UserWeights


def refine(problem: RefinementProblem, control: RunControl) -> Iterator[RunEvent]:
    """Refine until converged, out of cycles, or told to stop; the best state so far is the result."""
    began = time.perf_counter()
    begun_as = problem
    yield Progress("F_calc, solvent and scales of the start")
    point = _assess(problem, _factors(problem, problem.start), None)
    # An unplaced model is refused before anyone is told that it is open.
    unplaced = placement_notes(problem.data, point.fitted, problem.settings, problem.prepared.model.source.path)
    yield problem.prepared
    yield from (*problem.notes, *unplaced)
    automatic = _first_weight(problem)
    settings = control.settings()
    weight = settings.weight if settings.weight is not None else automatic.value
    watch = _watch(problem)
    first = _finished_cycle(
        problem, point, problem.first_cycle, _Shift(), weight, automatic, time.perf_counter() - began, True, watch
    )
    yield first
    best, best_merit = first, merit(first.statistics)
    history, merits, last = [first.statistics], [best_merit], problem.first_cycle
    reason: EndReason = "cycles"
    trust = TrustRegion()
    trial = AnisotropyTrial.for_run(settings, problem.atoms, problem.data.n_work, problem.data.n_free)
    cycle = problem.first_cycle
    started = time.perf_counter()
    yield Progress("Rigid bodies")
    if placed := _bodies_placed(problem, point, control):
        cycle += 1
        moved, text = placed
        shift, point = _shift(point.state, moved.state), moved
        seconds = time.perf_counter() - started
        current = _finished_cycle(problem, point, cycle, shift, weight, automatic, seconds, False, watch)
        if merit(current.statistics) < best_merit:
            current = replace(current, best=True)
            best, best_merit = current, merit(current.statistics)
        yield Note(text)
        yield current
        last = cycle
        history.append(current.statistics)
        merits.append(merit(current.statistics))
    plain = best, point, best, best_merit
    watch_of_plain = watch
    while True:
        settings = control.settings()
        if control.cancelled():
            reason = "stopped"
            break
        if cycle - problem.first_cycle >= settings.cycles:
            break
        cycle += 1
        started = time.perf_counter()
        yield Progress(f"Cycle {cycle}", (cycle - problem.first_cycle - 1) / max(settings.cycles, 1))
        if trial.disturbed(_weights(settings)):
            problem, point, best, best_merit = begun_as, *plain[1:]
            watch, trust, merits = watch_of_plain, TrustRegion(), [best_merit]
            history.append(plain[0].statistics)
            trial.put_off(history)
            yield Note(
                f"Weights were changed during the trial of anisotropic atoms: it is put off, the run goes on without "
                f"them from cycle {plain[0].statistics.cycle}."
            )
        ask = (
            settings.weight is None
            and not trial.under_way
            and automatic.asks(
                cycle - problem.first_cycle, history[-1].ll_free - history[-2].ll_free if len(history) > 1 else np.inf
            )
        )
        taken = _step_with_newest_weights(problem, point, control, automatic, trust, ask)
        if taken is None:
            reason = "stopped"
            break
        if taken.reached is None:
            yield Note(f"Cycle {cycle}: no step lowers the target any further.")
            reason = "no_progress"
            break
        weight, freedom = taken.weight, taken.freedom
        shift = _shift(point.state, taken.reached.state)
        point = taken.reached
        seconds = time.perf_counter() - started
        current = _finished_cycle(problem, point, cycle, shift, weight, automatic, seconds, False, watch, freedom)
        now = merit(current.statistics)
        if not np.isfinite(now):
            raise NumericalError(
                f"The likelihood of cycle {cycle} is not a number.",
                remedy="Start again from the last good cycle with a smaller weight.",
            )
        if now < best_merit:
            current = replace(current, best=True)
            best, best_merit = current, now
        yield current
        last = cycle
        history.append(current.statistics)
        if trial.begins(history):
            trial.start(cycle, _weights(settings))
            plain = current, point, best, best_merit
            watch_of_plain = copy(watch)
            problem, point = _with_tensors(problem, point)
            yield Note(f"Trying anisotropic atoms ({len(problem.atoms.shaped)}), judged by the test set.")
        elif trial.judges(history, plain[0].statistics):
            trial.over = True
            kept_tensors, why = _judged(problem, plain[0], current)
            yield Note(why)
            if not kept_tensors:
                problem, point, best, best_merit = begun_as, *plain[1:]
                watch, trust, merits = watch_of_plain, TrustRegion(), [best_merit]
                history.append(plain[0].statistics)
        if settings.weight is None and not trial.under_way:
            steered = automatic.steered(history[-2], history[-1], cycle - problem.first_cycle, freedom.softer_b)
            if changed := steered.changes(automatic):
                yield Note(changed)
            automatic = steered
        merits.append(now)
        if trial.under_way or taken.used != _weights(control.settings()):
            continue  # What was just changed has yet to act.
        if _converged(history) or (not trial.pending and _rests(history, merits)):
            reason = "converged"
            break
    kept = _as_written(problem, best)
    worse = _worse_than_start(problem, first, kept)
    if worse:
        yield Note(worse, "warning")
    yield Finished(
        reason=reason,
        text=_ending(reason, best, last, problem.data.has_free),
        kept=kept,
        refine_seconds=time.perf_counter() - began,
        peak_memory_mb=peak_memory_mb(),
    )


def score(problem: RefinementProblem) -> CycleFinished:
    """R factors, likelihood and geometry of the start as it is; nothing is refined. The likelihoods are those of the
    written atoms, as in the final numbers of a run."""
    began = time.perf_counter()
    point = _assess(problem, _factors(problem, problem.start), None, alone=True)
    automatic = AutomaticWeight.start(problem.prepared.reflections.d_min)
    seconds = time.perf_counter() - began
    scored = _finished_cycle(
        problem, point, problem.first_cycle, _Shift(), automatic.value, automatic, seconds, True, _watch(problem)
    )
    written = point.written
    return replace(scored, statistics=replace(scored.statistics, ll_work=written.ll_work, ll_free=written.ll_free))


def _bodies_placed(problem: RefinementProblem, point: _Point, control: RunControl) -> tuple[_Point, str] | None:
    """The point after rigid bodies have been turned and shifted, and what was done, where that is wanted and helps."""
    settings = control.settings()
    first = problem.first_cycle == 0 and settings.cycles > 0
    if settings.rigid_body == "off" or (
        settings.rigid_body == "auto" and not (first and asks_for_it(problem, point.state))
    ):
        return None
    placed = place_bodies(problem, point.state, settings.rigid_groups, control.cancelled)
    if placed is None:
        return None
    tried = _assess(problem, _factors(problem, placed.state), None)
    return (tried, placed.text) if tried.fitted.r_work < point.fitted.r_work else None


def _first_weight(problem: RefinementProblem) -> AutomaticWeight:
    if problem.automatic_weight is None:
        return AutomaticWeight.start(problem.prepared.reflections.d_min)
    d_min = problem.prepared.reflections.d_min
    reason = f"as it stood after cycle {problem.first_cycle}"
    return AutomaticWeight.start(d_min, problem.automatic_weight, reason, problem.b_weight)


def _weights(settings: RefinementSettings) -> UserWeights:
    return settings.weight, tuple(settings.family_weights)


def _with_tensors(problem: RefinementProblem, point: _Point) -> tuple[RefinementProblem, _Point]:
    """The problem with a tensor for every atom that may have one, and the same point in it."""
    shaped = problem.with_anisotropic(candidates(problem.atoms))
    return shaped, replace(point, state=shaped.atoms.reshaped(point.state))


def _judged(problem: RefinementProblem, before: CycleFinished, after: CycleFinished) -> tuple[bool, str]:
    """Whether the tensors stay, and the reason in words."""
    data = problem.data
    free = data.free
    amplitudes = [
        (np.abs(f.f_model[data.rows]) * f.k_total[data.rows])[free].astype(np.float64)
        for f in (after.refined, before.refined)
    ]
    difference, sigma = r_difference(data.f_obs[free], *amplitudes)
    kept = supported(before.statistics, after.statistics, difference, sigma)
    gain = (before.statistics.ll_free - after.statistics.ll_free) * after.statistics.n_free
    words = "kept" if kept else f"not kept, the run goes on without them from cycle {before.statistics.cycle}"
    return kept, (
        f"Anisotropic atoms are {words}: R_free {100 * difference:+.2f} +- {100 * sigma:.2f} %, log-likelihood of the "
        f"test set {gain:+.1f}."
    )


def _factors(problem: RefinementProblem, state: ModelState) -> _Factors:
    atoms = problem.atoms
    hydrogens = problem.factors.f_calc(atoms.hydrogens(state)) if atoms.riding else None
    return _Factors(state, problem.factors.f_calc(atoms.written(state)), hydrogens)


def _assess(problem: RefinementProblem, factors: _Factors, previous: _Point | None, alone: bool = False) -> _Point:
    """Solvent, scales and sigma_A of a state; with and without the riding hydrogens.

    alone: estimate sigma_A for the atoms without hydrogens as well; otherwise that of all atoms stands in for it, which
    changes figures of merit a little and no R. Scales fitted without `previous` can end in another minimum of equal
    R_work: lyso_c2 .25513/.3011 against .25505/.2987 (R_work/R_free) for one and the same state.
    """
    state = factors.state
    moved = _shift(previous.mask_at, state) if previous is not None else _Shift(np.inf, np.inf)
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
    return _Point(state, mask_at, factors.total, f_mask, fitted, written)


def _step_with_newest_weights(
    problem: RefinementProblem,
    point: _Point,
    control: RunControl,
    automatic: AutomaticWeight,
    trust: TrustRegion,
    ask_test_set: bool,
) -> _Taken | None:
    """One accepted step and what it led to; None when the run was cancelled.

    A weight that was moved after the step had been accepted is what the user now wants to see: the step is then taken
    once more, from where the cycle began.
    """
    damping = trust.damping
    taken = _step(problem, point, control, automatic, trust, ask_test_set)
    if taken is not None and taken.used != _weights(control.settings()):
        trust.damping = damping
        taken = _step(problem, point, control, automatic, trust, ask_test_set)
    return taken


def _step(
    problem: RefinementProblem,
    point: _Point,
    control: RunControl,
    automatic: AutomaticWeight,
    trust: TrustRegion,
    ask_test_set: bool,
) -> _Taken | None:
    """One accepted step from `point` with solvent, scales and sigma_A of the state it led to; None when the run was
    cancelled. ask_test_set: whether it wants softer restraints of B.
    """
    atoms = problem.atoms
    began_at = point
    point = _with_overall_b_in_the_atoms(problem, point)
    state = point.state
    value, coefficients, curvature = problem.data.target(point.f_atoms, point.f_mask, point.fitted)
    if control.cancelled():
        return None
    scatterers = atoms.scatterers(state)
    data = Derivatives(
        value=value,
        gradient=atoms.gradient(state, problem.factors.gradients(scatterers, coefficients)),
        jacobian=None,
        diagonal=atoms.curvature(problem.factors.curvatures(scatterers, curvature)),
    )
    if not np.isfinite(data.value) or not np.all(np.isfinite(data.gradient)):
        raise NumericalError("The likelihood or its gradient is not a number.", remedy="Check B factors and data.")
    if control.cancelled():
        return None
    used = _weights(control.settings())
    families = automatic.families(used[1])
    restraints = problem.restraints.derivatives(state, families)

    tried: list[_Factors] = []

    def trial(shift: FloatArray) -> tuple[float, float]:
        moved = atoms.advanced(state, shift)
        geometry = problem.restraints.value(moved, families)
        tried[:] = [_factors(problem, moved)]
        return problem.data.value(tried[0].total, point.f_mask, point.fitted), geometry

    def weight() -> float:
        nonlocal used
        chosen = control.settings().weight
        used = chosen, used[1]
        return automatic.value if chosen is None else chosen

    result = accepted_step(data, restraints, trial, weight, control.cancelled, atoms.limited, trust, atoms.n)
    if result.cancelled:
        return None
    if not result.accepted or result.equations is None:
        return _Taken(None, result.weight, _Freedom(), used)
    freedom = _freedom(problem, state, data, result, automatic, families)
    if ask_test_set and problem.data.has_free:
        freedom = replace(freedom, softer_b=_softer_b(problem, point, result))
    return _Taken(_assess(problem, tried[0], began_at), result.weight, freedom, used)


def _softer_b(problem: RefinementProblem, point: _Point, result: StepResult) -> Verdict:
    """What the test set says of softer restraints of B, at the state that a step started from; the restraints are
    those last computed."""
    if result.equations is None:
        return Verdict()
    by_weight = response(result.equations, result.weight, problem.restraints.b_gradient)
    softer = problem.atoms.advanced(point.state, problem.atoms.limited(-LOG_STEP * by_weight))
    data = problem.data
    before = data.free_log_likelihood(point.f_atoms, point.f_mask, point.fitted)
    after = data.free_log_likelihood(_factors(problem, softer).total, point.f_mask, point.fitted)
    return verdict(before, after)


def _freedom(
    problem: RefinementProblem,
    state: ModelState,
    data: Derivatives,
    result: StepResult,
    automatic: AutomaticWeight,
    families: FloatArray,
) -> _Freedom:
    """What the accepted step tells of the parameters: those of the problem as it is now, tensors included."""
    equations = result.equations
    if equations is None:
        return _Freedom()
    # The same random signs in every cycle: the count follows the model, not the draw.
    used, _ = effective_parameters(equations, result.weight)
    reference = used
    by_default = automatic.families((1.0,) * len(families))
    if result.weight != automatic.value or np.any(families != by_default):
        if np.any(families != by_default):
            usual = problem.restraints.derivatives(state, by_default)
            assert usual.jacobian is not None and data.diagonal is not None
            equations = normal_equations(usual.jacobian, data.diagonal, problem.atoms.n)
        reference, _ = effective_parameters(equations, automatic.value)
    return _Freedom(int(np.count_nonzero(equations.diagonal > 0.0)), used, reference)


def _with_overall_b_in_the_atoms(problem: RefinementProblem, point: _Point) -> _Point:
    """The same total structure factors, with the fall-off that the scale had taken over moved into the atoms' B.

    An overall B cannot be told from the isotropic scale; left to itself it wanders off into the scale. With
    F_atoms -> F_atoms e, k_mask -> k_mask e, k_total -> k_total / e, S -> S e^2, e = exp(-dB s^2 / 4), the likelihood
    stays what it was.
    """
    shift = point.fitted.scale.overall_b
    shift = max(shift, min(0.0, 2.0 * B_MIN - problem.atoms.lowest_b(point.state)))
    if abs(shift) < SMALLEST_OVERALL_B:
        return point
    data, fitted = problem.data, point.fitted
    every = np.exp(-0.25 * shift * data.geometry.d_star_sq)
    observed = every[data.rows]
    return replace(
        point,
        state=problem.atoms.advanced(point.state, problem.atoms.uniform_b(shift)),
        f_atoms=point.f_atoms * every,
        fitted=replace(
            fitted,
            k_total=fitted.k_total / observed,
            k_mask=fitted.k_mask * observed,
            sigma_s=fitted.sigma_s * observed**2,
        ),
    )


def _shift(before: ModelState, after: ModelState) -> _Shift:
    moved = np.linalg.norm(after.xyz - before.xyz, axis=1)
    return _Shift(
        float(np.sqrt(np.mean(moved**2))), float(moved.max()), float(np.abs(after.b_iso - before.b_iso).mean())
    )


def _finished_cycle(
    problem: RefinementProblem,
    point: _Point,
    cycle: int,
    shift: _Shift,
    weight: float,
    automatic: AutomaticWeight,
    seconds: float,
    best: bool,
    watch: TestSetWatch,
    freedom: _Freedom | None = None,
) -> CycleFinished:
    freedom = freedom or _Freedom()
    reading = watch.read(*_test_values(problem, point))
    geometry = problem.geometry.statistics(point.state.xyz, point.state.b_iso)
    user_set = weight != automatic.value
    statistics = CycleStatistics(
        cycle=cycle,
        r_work=point.written.r_work,
        r_free=point.written.r_free,
        r_work_riding_h=point.fitted.r_work,
        r_free_riding_h=point.fitted.r_free,
        ll_work=point.fitted.ll_work,
        ll_free=point.fitted.ll_free,
        n_work=problem.data.n_work,
        n_free=problem.data.n_free,
        rmsd_bonds=geometry.rmsd_bonds,
        rmsz_bonds=geometry.rmsz_bonds,
        rmsd_angles=geometry.rmsd_angles,
        rmsz_angles=geometry.rmsz_angles,
        xray_weight=weight,
        automatic_weight=automatic.value,
        weight_reason="set by the user" if user_set else automatic.reason,
        mean_b=float(point.state.b_iso.mean()),
        rms_shift=shift.rms,
        max_shift=shift.largest,
        mean_abs_shift_b=shift.mean_b,
        seconds=seconds,
        geometry=dict(geometry.families),
        r_free_sigma=reading.sigma,
        r_free_rise=reading.rise,
        r_free_rise_sigma=reading.rise_sigma,
        ll_free_rise=reading.ll_rise,
        ll_free_rise_sigma=reading.ll_rise_sigma,
        parameters=freedom.parameters,
        effective_parameters=freedom.effective,
        reference_parameters=freedom.reference,
        bulk_rmsz_bonds=geometry.bulk_rmsz_bonds,
        bulk_rmsz_angles=geometry.bulk_rmsz_angles,
        b_weight=automatic.b_multiplier,
    )
    return CycleFinished(
        point.state, point.fitted.factors, point.written.factors, statistics, best,
        fit=_fit_of_residues(problem, point), worst=geometry.worst,
    )  # fmt: skip


def _fit_of_residues(problem: RefinementProblem, point: _Point) -> ResidueFit:
    data, groups = problem.data, problem.groups
    m = len(data.hkl)
    f_obs, observed, free = np.zeros(m), np.zeros(m, dtype=bool), np.zeros(m, dtype=bool)
    f_obs[data.rows], observed[data.rows], free[data.rows] = data.f_obs, True, data.free
    return density_fit(problem.factors, f_obs, observed, free, point.fitted.factors, point.state, *groups)


def _watch(problem: RefinementProblem) -> TestSetWatch:
    return TestSetWatch(problem.data.f_obs[problem.data.free] if problem.data.has_free else np.empty(0))


def _test_values(problem: RefinementProblem, point: _Point) -> tuple[FloatArray, FloatArray]:
    """Of the test reflections: model amplitudes on the scale of F_obs (written atoms), and -log p (all atoms)."""
    data, written, fitted = problem.data, point.written, point.fitted
    amplitude = written.k_total[data.free] * np.abs(written.factors.f_model[data.rows[data.free]])
    return amplitude, (fitted.likelihood.ll + np.log(fitted.k_total))[data.free]


def _converged(history: list[CycleStatistics]) -> bool:
    """Conventions 6: small shifts and a resting free likelihood, over three cycles."""
    if len(history) <= CYCLES_DONE:
        return False
    recent = history[-CYCLES_DONE:]
    judge = [s.ll_free if np.isfinite(s.ll_free) else s.ll_work for s in history[-CYCLES_DONE - 1 :]]
    return (
        all(s.rms_shift < SHIFT_DONE and s.mean_abs_shift_b < SHIFT_B_DONE for s in recent)
        and max(abs(a - b) for a, b in zip(judge[1:], judge[:-1], strict=True)) < LL_DONE
        and len({s.xray_weight for s in recent}) == 1
    )


def _rests(history: list[CycleStatistics], merits: list[float]) -> bool:
    """Whether a plateau has been reached with the weight as it is."""
    if len(merits) <= RESTING_CYCLES:
        return False
    recent = history[-RESTING_CYCLES:]
    gain = min(merits[:-RESTING_CYCLES]) - min(merits[-RESTING_CYCLES:])
    falls = history[-RESTING_CYCLES - 1].r_work - history[-1].r_work
    return gain < RESTING_MERIT and falls < RESTING_R and len({s.xray_weight for s in recent}) == 1


def _ending(reason: EndReason, best: CycleFinished, last: int, has_free: bool) -> str:
    words = {
        "converged": "Converged",
        "cycles": "All cycles done",
        "stopped": "Stopped",
        "no_progress": "No step lowers the target any further",
    }[reason]
    kept = best.statistics.cycle
    judge = "free likelihood" if has_free else "likelihood"
    if kept == last:
        return f"{words} after cycle {last}; its model is kept."
    return f"{words} after cycle {last}; the model of cycle {kept} is kept (best {judge} and geometry)."


def _worse_than_start(problem: RefinementProblem, first: CycleFinished, kept: CycleFinished) -> str:
    """What to say when R_free has not fallen; empty when it has."""
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


def _as_written(problem: RefinementProblem, kept: CycleFinished) -> CycleFinished:
    """The kept cycle with the numbers that `score` finds for the file: rounded coordinates, scales fitted afresh."""
    problem = problem.with_anisotropic(kept.state.anisotropic)
    point = _assess(problem, _factors(problem, rounded(kept.state)), None, alone=True)
    old = kept.statistics
    geometry = problem.geometry.statistics(point.state.xyz, point.state.b_iso)
    statistics = replace(
        old,
        r_work=point.written.r_work,
        r_free=point.written.r_free,
        r_work_riding_h=point.fitted.r_work,
        r_free_riding_h=point.fitted.r_free,
        ll_work=point.written.ll_work,
        ll_free=point.written.ll_free,
        rmsd_bonds=geometry.rmsd_bonds,
        rmsz_bonds=geometry.rmsz_bonds,
        rmsd_angles=geometry.rmsd_angles,
        rmsz_angles=geometry.rmsz_angles,
        mean_b=float(point.state.b_iso.mean()),
        geometry=dict(geometry.families),
    )
    return CycleFinished(
        point.state, point.fitted.factors, point.written.factors, statistics, kept.best, fit=kept.fit,
        worst=geometry.worst,
    )  # fmt: skip
