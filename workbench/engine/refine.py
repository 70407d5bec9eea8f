"""The macro-cycle: guess, check, correct, repeat. A generator of events; nothing here knows who listens.

One cycle (design: conventions 6) = one accepted joint step of all parameters of the target
w * sum over work reflections of -LL + E_geometry + E_B, then solvent mask, scaling and sigma_A again, then statistics.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import copy
from dataclasses import replace

import numpy as np

from workbench.core.control import RunControl
from workbench.core.errors import NumericalError
from workbench.core.events import (
    CycleFinished,
    CycleStatistics,
    EndReason,
    Finished,
    Note,
    Progress,
    RunEvent,
)
from workbench.engine.b_model import AnisotropyTrial, candidates, supported
from workbench.engine.cross_validation.best_state import merit
from workbench.engine.cross_validation.paired_difference import r_difference
from workbench.engine.cycle import step_taken, user_weights
from workbench.engine.cycle_report import finished_cycle, test_set_watch
from workbench.engine.kept_cycle import KeptCycle, is_number
from workbench.engine.memory import peak_memory_mb
from workbench.engine.optimise.effective_parameters import Probe
from workbench.engine.optimise.trust import TrustRegion
from workbench.engine.optimise.weights import AutomaticWeight
from workbench.engine.outliers import OutlierNotes
from workbench.engine.point import Point, Shift, assessed, factors_of, shift_between
from workbench.engine.prepare import RefinementProblem
from workbench.engine.result import as_written, ending, worse_than_start
from workbench.engine.rigid_body import asks_for_it, place_bodies
from workbench.engine.start_checks import refuse_wrong_place, start_notes, test_set_notes

SHIFT_DONE, SHIFT_B_DONE, LL_DONE, CYCLES_DONE = 0.002, 0.1, 1e-4, 3
"""Convergence (conventions 6): r.m.s. shift in angstrom, mean |dB| in A^2, change of ll_free, over how many cycles."""
RESTING_CYCLES, RESTING_MERIT, RESTING_TOTAL, RESTING_R = 3, 5e-4, 1.0, 1e-3
"""A run also rests when, over so many cycles, no state was better than the best before by so much (units of ll_free;
or of log-likelihood of the whole test set, if that is more) and R_work fell by less than so much: what still moves are
a few badly placed atoms, and noise is all there is to gain."""


def refine(problem: RefinementProblem, control: RunControl) -> Iterator[RunEvent]:
    """Refine until converged, out of cycles, or told to stop; the result is the best state so far (`KeptCycle`)."""
    began = time.perf_counter()
    begun_as = problem
    yield Progress("F_calc, solvent and scales of the start")
    point = assessed(problem, factors_of(problem, problem.start), None)
    # An unplaced model is refused before anyone is told that it is open.
    said = start_notes(problem, point)
    yield problem.prepared
    yield from (*problem.notes, *said)
    automatic = _first_weight(problem)
    settings = control.settings()
    weight = settings.weight if settings.weight is not None else automatic.value
    watch = test_set_watch(problem)
    first = finished_cycle(
        problem, point, problem.first_cycle, Shift(), weight, automatic, time.perf_counter() - began, True, watch
    )
    yield first
    outliers = OutlierNotes()
    yield from outliers.take(problem.data, point)
    choice = KeptCycle(problem, first)
    history, last = [first.statistics], problem.first_cycle
    course = history.copy()
    """The cycles that led to the present model: without those of a trial that was given up."""
    reason: EndReason = "cycles"
    trust, probe = TrustRegion(), Probe()
    trial = AnisotropyTrial.for_run(settings, problem.atoms, problem.data.n_work, problem.data.n_free)
    cycle = problem.first_cycle
    started = time.perf_counter()
    yield Progress("Rigid bodies")
    if placed := _bodies_placed(problem, point, control):
        cycle += 1
        moved, text = placed
        shift, point = shift_between(point.state, moved.state), moved
        seconds = time.perf_counter() - started
        current = finished_cycle(problem, point, cycle, shift, weight, automatic, seconds, False, watch)
        current, told = choice.take(current)
        yield Note(text)
        yield current
        if told is not None:
            yield told
        last = cycle
        history.append(current.statistics)
        course.append(current.statistics)
    refuse_wrong_place(problem, point)
    plain = choice.standing.newest, point, choice.standing
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
        if trial.disturbed(user_weights(settings)):
            problem, point = begun_as, plain[1]
            choice.go_back(plain[2])
            watch, trust, course = watch_of_plain, TrustRegion(), [plain[0].statistics]
            history.append(plain[0].statistics)
            trial.put_off(history)
            yield Note(
                f"Weights were changed during the trial of anisotropic atoms: it is put off, the run goes on without "
                f"them from cycle {plain[0].statistics.cycle}."
            )
        ask = (
            settings.weight is None
            and settings.b_weight is None
            and not trial.under_way
            and not choice.suspect
            and automatic.asks(
                cycle - problem.first_cycle, history[-1].ll_free - history[-2].ll_free if len(history) > 1 else np.inf
            )
        )
        taken = step_taken(problem, point, control, automatic, trust, probe, ask)
        if taken is None:
            reason = "stopped"
            break
        if taken.reached is None:
            yield Note(f"Cycle {cycle}: no step lowers the target any further.")
            reason = "no_progress"
            break
        weight, freedom = taken.weight, taken.freedom
        shift = shift_between(point.state, taken.reached.state)
        point = taken.reached
        seconds = time.perf_counter() - started
        current = finished_cycle(problem, point, cycle, shift, weight, automatic, seconds, False, watch, freedom)
        if not is_number(current):
            raise NumericalError(
                f"The likelihood of cycle {cycle} is not a number.",
                remedy="Start again from the last good cycle with a smaller weight.",
            )
        current, told = choice.take(current)
        yield current
        if told is not None:
            yield told
        yield from outliers.take(problem.data, point)
        last = cycle
        history.append(current.statistics)
        course.append(current.statistics)
        if choice.suspect and trial.pending:
            trial.over = True  # It would be judged by the test set.
        if trial.begins(history):
            trial.start(cycle, user_weights(settings))
            plain = current, point, choice.standing
            watch_of_plain = copy(watch)
            problem, point = _with_tensors(problem, point)
            yield Note(f"Trying anisotropic atoms ({len(problem.atoms.shaped)}), judged by the test set.")
        elif trial.judges(history, plain[0].statistics):
            trial.over = True
            kept_tensors, why = _judged(problem, plain[0], current)
            yield Note(why)
            if not kept_tensors:
                problem, point = begun_as, plain[1]
                choice.go_back(plain[2])
                watch, trust, course = watch_of_plain, TrustRegion(), [plain[0].statistics]
                history.append(plain[0].statistics)
                continue
        if settings.weight is None and not trial.under_way:
            steered = automatic.steered(history[-2], history[-1], cycle - problem.first_cycle, freedom.softer_b)
            if changed := steered.changes(automatic):
                yield Note(changed)
            automatic = steered
        if trial.under_way or taken.used != user_weights(control.settings()):
            continue  # What was just changed has yet to act.
        if _converged(course) or (not trial.pending and _rests(course)):
            reason = "converged"
            break
    best = choice.cycle
    kept = as_written(problem, best)
    worse = worse_than_start(problem, first, kept, choice.suspect)
    if worse:
        yield Note(worse, "warning")
    yield Finished(
        reason=reason,
        text=ending(reason, best, last, problem.data.has_free, choice.suspect),
        kept=kept,
        refine_seconds=time.perf_counter() - began,
        peak_memory_mb=peak_memory_mb(),
    )


def score(problem: RefinementProblem) -> tuple[CycleFinished, tuple[Note, ...]]:
    """R factors, likelihood and geometry of the start as it is, and what they say about the history of its test set;
    nothing is refined. The likelihoods are those of the written atoms, as in the final numbers of a run."""
    began = time.perf_counter()
    point = assessed(problem, factors_of(problem, problem.start), None, alone=True)
    automatic = AutomaticWeight.start(problem.prepared.reflections.d_min)
    seconds = time.perf_counter() - began
    scored = finished_cycle(
        problem, point, problem.first_cycle, Shift(), automatic.value, automatic, seconds, True, test_set_watch(problem)
    )
    written = point.written
    statistics = replace(scored.statistics, ll_work=written.ll_work, ll_free=written.ll_free)
    return replace(scored, statistics=statistics), test_set_notes(problem, point)


def _bodies_placed(problem: RefinementProblem, point: Point, control: RunControl) -> tuple[Point, str] | None:
    """The point after rigid bodies have been turned and shifted, and what was done, where that is wanted and helps."""
    settings = control.settings()
    first = problem.first_cycle == 0 and settings.cycles > 0
    if (
        problem.settings.fix
        or problem.settings.hold
        or settings.rigid_body == "off"
        or (settings.rigid_body == "auto" and not (first and asks_for_it(problem, point)))
    ):
        return None
    placed = place_bodies(problem, point.state, settings.rigid_groups, control.cancelled)
    if placed is None:
        return None
    tried = assessed(problem, factors_of(problem, placed.state), None)
    return (tried, placed.text) if tried.fitted.r_work < point.fitted.r_work else None


def _first_weight(problem: RefinementProblem) -> AutomaticWeight:
    d_min = problem.prepared.reflections.d_min
    per_atom = (problem.data.n_work + problem.data.n_free) / max(int(np.sum(~problem.atoms.dependent)), 1)
    if problem.automatic_weight is None:
        return AutomaticWeight.start(d_min, per_atom=per_atom)
    reason = f"as it stood after cycle {problem.first_cycle}"
    return AutomaticWeight.start(d_min, problem.automatic_weight, reason, problem.b_weight, per_atom)


def _with_tensors(problem: RefinementProblem, point: Point) -> tuple[RefinementProblem, Point]:
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


def _converged(course: list[CycleStatistics]) -> bool:
    """Conventions 6: small shifts and a resting free likelihood, over three cycles."""
    if len(course) <= CYCLES_DONE:
        return False
    recent = course[-CYCLES_DONE:]
    judge = [s.ll_free if np.isfinite(s.ll_free) else s.ll_work for s in course[-CYCLES_DONE - 1 :]]
    return (
        all(s.rms_shift < SHIFT_DONE and s.mean_abs_shift_b < SHIFT_B_DONE for s in recent)
        and max(abs(a - b) for a, b in zip(judge[1:], judge[:-1], strict=True)) < LL_DONE
        and len({s.xray_weight for s in recent}) == 1
    )


def _rests(course: list[CycleStatistics]) -> bool:
    """Whether a plateau has been reached with the weight as it is."""
    if len(course) <= RESTING_CYCLES:
        return False
    merits = [merit(row) for row in course]
    recent = course[-RESTING_CYCLES:]
    gain = min(merits[:-RESTING_CYCLES]) - min(merits[-RESTING_CYCLES:])
    falls = course[-RESTING_CYCLES - 1].r_work - course[-1].r_work
    n_free = course[-1].n_free
    little = max(RESTING_MERIT, RESTING_TOTAL / n_free) if n_free else RESTING_MERIT
    return gain < little and falls < RESTING_R and len({s.xray_weight for s in recent}) == 1
