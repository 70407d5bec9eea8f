"""What the start of a run says before the first cycle: is the model placed, and is the test set one of its history?"""

from __future__ import annotations

import numpy as np

from workbench.core.errors import InputError
from workbench.core.events import Note
from workbench.engine.cross_validation.set_history import history_warnings, set_history
from workbench.engine.cross_validation.test_set import CREATED
from workbench.engine.cross_validation.verdict import cut_by_the_user
from workbench.engine.point import Point
from workbench.engine.prepare import RefinementProblem
from workbench.engine.validation.placement import LARGEST_SHAKE, intensity_correlation, placement_notes
from workbench.engine.validation.translation import GOOD_FIT, REMEDY, Translation, judge_translation

FORGOTTEN = 0.2
"""Angstrom of shaking after which the start says nothing about what it was refined with."""


def start_notes(problem: RefinementProblem, start: Point) -> tuple[Note, ...]:
    """Everything there is to say before the first cycle.

    Raises InputError for a model that is not placed, unless the settings accept it. One that is turned right but stands
    wrong is refused only where no rigid body is to be moved; else `refuse_wrong_place` is asked afterwards.
    """
    model, settings = problem.prepared.model.source.path, problem.settings
    found = wrong_place(problem, start) if problem.first_cycle == 0 else None
    if found is None:
        notes = placement_notes(problem.data, start.fitted, settings, model)
        return (*notes, *test_set_notes(problem, start))
    text = found.finding(start.fitted.r_work)
    if _asked_for(problem):
        text += " It is refined all the same, as the user asked."
    elif settings.cycles == 0 or settings.rigid_body == "off":
        raise InputError(text, file=model, remedy=REMEDY)
    else:
        text += " Rigid bodies are tried first; they bring a model home from 2 or 3 A."
    return (Note(text, "warning"), *test_set_notes(problem, start))


def refuse_wrong_place(problem: RefinementProblem, point: Point) -> None:
    """Raises InputError where a model still stands in the wrong place after rigid bodies were moved."""
    if problem.first_cycle or _asked_for(problem):
        return
    found = wrong_place(problem, point)
    if found is not None:
        raise InputError(found.finding(point.fitted.r_work), file=problem.prepared.model.source.path, remedy=REMEDY)


def wrong_place(problem: RefinementProblem, point: Point) -> Translation | None:
    """The finding where a model is turned right and stands wrong; looked for only where it fits badly."""
    data, fitted = problem.data, point.fitted
    root = np.sqrt(data.epsilon[data.work])
    model = np.abs(fitted.factors.f_model[data.rows]).astype(np.float64)[data.work] / root
    observed = (data.f_obs / fitted.k_total)[data.work] / root
    if intensity_correlation(observed, model, data.d_star_sq[data.work]) >= GOOD_FIT:
        return None
    found = judge_translation(
        data.crystal,
        data.hkl[data.rows],
        data.f_obs,
        data.epsilon,
        data.d_star_sq,
        data.work,
        problem.atoms.written(point.state),
        problem.factors.threads,
        problem.factors.scattering,
    )
    return found if found is not None and found.wrong else None


def _asked_for(problem: RefinementProblem) -> bool:
    return problem.settings.accept_unplaced or problem.settings.shake > LARGEST_SHAKE


def test_set_notes(problem: RefinementProblem, start: Point) -> tuple[Note, ...]:
    """What the start of a model as it was given says about the history of its test set."""
    data, settings = problem.data, problem.settings
    if not data.has_free or problem.first_cycle or settings.shake >= FORGOTTEN or settings.reset_b is not None:
        return ()
    reflections = problem.prepared.reflections
    flags = reflections.flags[problem.prepared.observed[data.rows]] if reflections.flags is not None else None
    amplitude = start.written.k_total * np.abs(start.written.factors.f_model[data.rows])
    anisotropic = bool(np.mean(start.state.anisotropic) > 0.5)
    n_atoms = int(np.count_nonzero(~problem.atoms.dependent))
    found = set_history(data.f_obs, amplitude, data.free, flags, reflections.d_min, n_atoms, anisotropic)
    made = CREATED in reflections.columns.free_reason
    return tuple(Note(text, "warning") for text in history_warnings(found, made, cut_by_the_user(problem.prepared)))
