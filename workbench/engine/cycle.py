"""One accepted step of all parameters, and what it tells of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.control import RunControl
from workbench.core.crystal import ModelState
from workbench.core.errors import NumericalError
from workbench.core.settings import FAMILIES, RefinementSettings
from workbench.engine.atomic_model import B_MIN
from workbench.engine.b_model import UserWeights
from workbench.engine.optimise.effective_parameters import Probe, effective_parameters
from workbench.engine.optimise.free_response import Verdict, response, verdict
from workbench.engine.optimise.normal_equations import normal_equations
from workbench.engine.optimise.step import StepResult, accepted_step
from workbench.engine.optimise.target import Derivatives
from workbench.engine.optimise.trust import TrustRegion
from workbench.engine.optimise.weights import LOG_STEP, UNKNOWN, AutomaticWeight
from workbench.engine.point import Factors, Point, assessed, factors_of
from workbench.engine.prepare import RefinementProblem
from workbench.engine.threads import side_by_side

SMALLEST_OVERALL_B = 0.01
"""A^2; less is not worth moving into the atoms."""


@dataclass(frozen=True)
class Freedom:
    """Parameters: refined, determined by the data with the weights in use, and with the automatic ones;
    softer_b: what the test set says of softer restraints of B."""

    parameters: int = 0
    effective: float = float("nan")
    reference: float = float("nan")
    softer_b: Verdict = UNKNOWN


@dataclass(frozen=True, eq=False)
class Taken:
    """A step of a cycle: where it led (None: nowhere), with which weight, and what the user had set for it."""

    reached: Point | None
    weight: float
    freedom: Freedom
    used: UserWeights


def user_weights(settings: RefinementSettings) -> UserWeights:
    local = settings.jelly_body, settings.ncs
    return settings.weight, tuple(settings.family_weights), settings.b_weight, local


def step_taken(
    problem: RefinementProblem,
    point: Point,
    control: RunControl,
    automatic: AutomaticWeight,
    trust: TrustRegion,
    probe: Probe,
    ask_test_set: bool,
) -> Taken | None:
    """One accepted step and what it led to; None when the run was cancelled.

    A weight that was moved after the step had been accepted is what the user now wants to see: the step is then taken
    once more, from where the cycle began.
    """
    damping, secants = trust.damping, trust.secants
    taken = _step(problem, point, control, automatic, trust, probe, ask_test_set)
    if taken is not None and taken.used != user_weights(control.settings()):
        trust.damping, trust.secants = damping, secants
        taken = _step(problem, point, control, automatic, trust, probe, ask_test_set)
    return taken


def _step(
    problem: RefinementProblem,
    point: Point,
    control: RunControl,
    automatic: AutomaticWeight,
    trust: TrustRegion,
    probe: Probe,
    ask_test_set: bool,
) -> Taken | None:
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
    used = user_weights(control.settings())
    families = np.concatenate([automatic.families(used[1], used[2]), problem.local.weights(used[3])])
    threads = problem.factors.threads

    def of_data() -> Derivatives:
        return Derivatives(
            value=value,
            gradient=atoms.gradient(state, problem.factors.gradients(scatterers, coefficients)),
            jacobian=None,
            diagonal=atoms.curvature(
                problem.factors.curvatures(scatterers, curvature),
                problem.factors.b_pair_curvatures(scatterers, curvature, atoms.b_pairs),
            ),
        )

    restraints, data = side_by_side(threads, lambda: problem.restraints.derivatives(state, families), of_data)
    if not np.isfinite(data.value) or not np.all(np.isfinite(data.gradient)):
        raise NumericalError("The likelihood or its gradient is not a number.", remedy="Check B factors and data.")
    if control.cancelled():
        return None
    assert data.diagonal is not None
    trust.secants = trust.secants.arrived(data.gradient)

    tried: list[Factors] = []

    def trial(shift: FloatArray) -> tuple[float, float]:
        moved = atoms.advanced(state, shift)
        geometry, factors = side_by_side(
            threads, lambda: problem.restraints.value(moved, families), lambda: factors_of(problem, moved)
        )
        tried[:] = [factors]
        return problem.data.value(tried[0].total, point.f_mask, point.fitted), geometry

    def weight() -> float:
        nonlocal used
        chosen = control.settings().weight
        used = chosen, *used[1:]
        return automatic.value if chosen is None else chosen

    result = accepted_step(
        data,
        restraints,
        trial,
        weight,
        control.cancelled,
        lambda shift: atoms.limited(shift, state.b_iso),
        trust,
        atoms.n,
        trust.secants.correction(data.diagonal),
    )
    if result.cancelled:
        return None
    if not result.accepted or result.equations is None:
        return Taken(None, result.weight, Freedom(), used)
    trust.secants = trust.secants.leaving(data.gradient, result.shift)

    def told() -> Freedom:
        freedom = _freedom(problem, state, data, result, automatic, families, probe)
        if ask_test_set and problem.data.has_free and not atoms.b_is_fixed:
            freedom = replace(freedom, softer_b=_softer_b(problem, point, result))
        return freedom

    freedom, reached = side_by_side(threads, told, lambda: assessed(problem, tried[0], began_at))
    return Taken(reached, result.weight, freedom, used)


def _softer_b(problem: RefinementProblem, point: Point, result: StepResult) -> Verdict:
    """What the test set says of softer restraints of B, at the state that a step started from; the restraints are
    those last computed."""
    if result.equations is None:
        return Verdict()
    by_weight = response(result.equations, result.weight, problem.restraints.b_gradient)
    softer = problem.atoms.advanced(point.state, problem.atoms.limited(-LOG_STEP * by_weight, point.state.b_iso))
    data = problem.data
    before = data.free_log_likelihood(point.f_atoms, point.f_mask, point.fitted)
    after = data.free_log_likelihood(
        problem.factors.f_calc(problem.atoms.scatterers(softer)), point.f_mask, point.fitted
    )
    return verdict(before, after)


def _freedom(
    problem: RefinementProblem,
    state: ModelState,
    data: Derivatives,
    result: StepResult,
    automatic: AutomaticWeight,
    families: FloatArray,
    probe: Probe,
) -> Freedom:
    """What the accepted step tells of the parameters: those of the problem as it is now, tensors included."""
    equations = result.equations
    if equations is None:
        return Freedom()
    # The same random signs in every cycle: the count follows the model, not the draw.
    used, _ = effective_parameters(equations, result.weight, last=probe)
    reference = used
    # The distances are held as they are, so that what the last cycle referred to stays.
    by_default = np.concatenate([automatic.families((1.0,) * len(FAMILIES)), families[len(FAMILIES) :]])
    if result.weight != automatic.value or np.any(families != by_default):
        if np.any(families != by_default):
            usual = problem.restraints.derivatives(state, by_default)
            assert usual.jacobian is not None and data.diagonal is not None
            equations = normal_equations(usual.jacobian, data.diagonal, problem.atoms.n)
        reference, _ = effective_parameters(equations, automatic.value)
    return Freedom(int(np.count_nonzero(equations.diagonal > 0.0)), used, reference)


def _with_overall_b_in_the_atoms(problem: RefinementProblem, point: Point) -> Point:
    """The same total structure factors, with the fall-off that the scale had taken over moved into the atoms' B.

    An overall B cannot be told from the isotropic scale; left to itself it wanders off into the scale. With
    F_atoms -> F_atoms e, k_mask -> k_mask e, k_total -> k_total / e, S -> S e^2, e = exp(-dB s^2 / 4), the likelihood
    stays what it was. B that are not refined stay as they are.
    """
    if problem.atoms.b_is_fixed:
        return point
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
            k_likelihood=fitted.k_likelihood / observed,
            k_mask=fitted.k_mask * observed,
            sigma_s=fitted.sigma_s * observed**2,
        ),
    )
