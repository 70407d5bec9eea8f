"""Rigid bodies: the whole model, its chains or given segments are turned and shifted before anything else moves.

A misplaced molecule is brought home by six parameters long before its atoms could walk there one by one. The target is
the likelihood of the low-resolution data, whose features are as wide as the displacement that can be recovered; finer
data follow stage by stage, with scale, solvent and sigma_A fitted anew in each. Work reflections only.

A body with centre c goes from x to  R(w) (x - c) + c + t,  w a rotation vector in radians. With the gradient g_i of the
target by each atom the derivatives are  sum g_i  by t and  J(w)^T sum R(w)(x_i - c) x g_i  by w, where
J(w) = 1 + (1 - cos a)/a^2 [w] + (a - sin a)/a^3 [w]^2, a = |w|, is the left Jacobian of the rotation group (Sola, Deray
& Atchuthan, 2018, arXiv:1812.01537, eq. 145). Tensors turn with their body.

Whether a start asks for it: at ASK_AT the gradient and the expected curvature predict how far the whole model would
move and what that would gain. RNase Sa and lyso_c2 within 0.3 A of their place: up to 0.10 A and 7 units of
log-likelihood; the same 0.3 to 1 A away: 0.30 A and 50 units or more. Farther away the gradient knows less and less,
but R at ASK_AT tells: 0.25 to 0.33 in place, 0.40 to 0.49 from 1 A on.

Where the space group leaves an origin undetermined (along b of C 2) the bodies do not move there together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from workbench.core.arrays import ComplexArray, FloatArray, IntArray
from workbench.core.crystal import Crystal, ModelState
from workbench.engine.atomic_model import AtomicModel
from workbench.engine.geometry.tensors import matrices
from workbench.engine.point import Point
from workbench.engine.prepare import RefinementProblem
from workbench.engine.rigid_groups import find_bodies
from workbench.engine.xray.bulk_solvent import SolventMask
from workbench.engine.xray.model_factors import DataSet
from workbench.engine.xray.reflection_geometry import space_group, unit_cell
from workbench.engine.xray.structure_factors import StructureFactors

STAGES = (8.0, 6.0, 4.5, 3.5, 3.0)
"""Resolution limits in angstrom, coarse to fine; those with too few reflections, or beyond the data, are left out."""
FEWEST_PER_BODY = 60
"""Work reflections per body below which a stage is left out."""
ROUNDS = 2
"""Times that scale, solvent and sigma_A are fitted in a stage."""
EVALUATIONS = 25
"""Of the target, per round."""
ASK_AT, ASKED_SHIFT, ASKED_GAIN = 4.5, 0.15, 20.0
"""Resolution; predicted r.m.s. shift in angstrom and gain of log-likelihood from which a start asks for it."""
ASKED_R = 0.40
"""... and R_work at that resolution from which it asks for it in any case."""


@dataclass(frozen=True, eq=False)
class Placed:
    """state: the model after the stage. rms_shift, largest_angle: angstrom, degrees. bodies: how many moved."""

    state: ModelState
    rms_shift: float
    largest_angle: float
    bodies: int

    @property
    def text(self) -> str:
        what = "The model" if self.bodies == 1 else f"{self.bodies} bodies"
        return (
            f"Rigid bodies: {what} moved by {self.rms_shift:.2f} A (r.m.s. of all atoms) and turned by up to "
            f"{self.largest_angle:.1f} degrees."
        )


def cross_matrix(w: FloatArray) -> FloatArray:
    """[w] with [w] v = w x v, (3, 3)."""
    return np.array([[0.0, -w[2], w[1]], [w[2], 0.0, -w[0]], [-w[1], w[0], 0.0]])


def rotation(w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """R(w) (3, 3) of a rotation vector w (3,) in radians, and its left Jacobian J(w) (3, 3)."""
    angle = float(np.linalg.norm(w))
    k = cross_matrix(w)
    if angle < 1e-6:  # series, to the order of rounding
        return np.eye(3) + k + 0.5 * k @ k, np.eye(3) + 0.5 * k + k @ k / 6.0
    sine, cosine = np.sin(angle), np.cos(angle)
    square = k @ k
    turned = np.eye(3) + sine / angle * k + (1.0 - cosine) / angle**2 * square
    jacobian = np.eye(3) + (1.0 - cosine) / angle**2 * k + (angle - sine) / angle**3 * square
    return turned, jacobian


def polar_directions(crystal: Crystal) -> FloatArray:
    """(3, 3) Cartesian projector onto the shifts that every operator of the space group leaves as they are."""
    cell = unit_cell(crystal)
    orth, frac = np.array(cell.orth.mat.tolist()), np.array(cell.frac.mat.tolist())
    rotations = [orth @ (np.array(op.rot) / 24.0) @ frac for op in space_group(crystal).operations().sym_ops]
    return np.asarray(np.mean(rotations, axis=0))


class RigidBodies:
    """The bodies of a model about a reference state: parameters w, t (radians, angstrom) of each, six in a row."""

    def __init__(self, atoms: AtomicModel, bodies: list[IntArray], reference: ModelState) -> None:
        """Atoms on symmetry elements stay where they are."""
        free = np.ones(atoms.n, dtype=bool)
        free[atoms.special.rows] = False
        self.rows = [rows for rows in (body[free[body]] for body in bodies) if len(rows)]
        self._atoms, self.reference = atoms, reference
        self._polar = polar_directions(atoms.description.model.crystal)
        self.centres = [reference.xyz[rows].mean(axis=0) for rows in self.rows]

    @property
    def n_parameters(self) -> int:
        return 6 * len(self.rows)

    def state(self, q: FloatArray) -> ModelState:
        """The model for parameters q (6 k,)."""
        xyz, u = self.reference.xyz.copy(), self.reference.u_aniso.copy()
        for rows, centre, (w, t) in zip(self.rows, self.centres, q.reshape(-1, 2, 3), strict=True):
            turned, _ = rotation(w)
            xyz[rows] = (xyz[rows] - centre) @ turned.T + centre + t
            shaped = rows[self._atoms.anisotropic[rows]]
            full = turned @ matrices(u[shaped]) @ turned.T
            u[shaped] = full[:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
        return self._atoms.with_hydrogens(replace(self.reference, xyz=xyz, u_aniso=u))

    def gradient(self, q: FloatArray, by_atom: FloatArray) -> FloatArray:
        """(6 k,) from the derivative by the coordinates of every atom (n, 3) at state(q)."""
        result = np.empty((len(self.rows), 2, 3))
        for k, (rows, centre, (w, _)) in enumerate(zip(self.rows, self.centres, q.reshape(-1, 2, 3), strict=True)):
            turned, jacobian = rotation(w)
            g = by_atom[rows]
            arm = (self.reference.xyz[rows] - centre) @ turned.T
            result[k, 0] = jacobian.T @ np.cross(arm, g).sum(axis=0)
            result[k, 1] = g.sum(axis=0)
        return result.ravel()

    def without_origin(self, gradient: FloatArray) -> FloatArray:
        """A gradient (6 k,) without its part along common shifts that change no amplitude. (The mask does not follow
        the bodies within a round and would pull them along.)"""
        result = gradient.reshape(-1, 2, 3).copy()
        share = np.array([len(rows) for rows in self.rows]) / sum(len(rows) for rows in self.rows)
        result[:, 1] -= share[:, None] * (self._polar @ result[:, 1].sum(axis=0))
        return np.asarray(result.ravel())

    def curvature(self, by_atom: FloatArray) -> FloatArray:
        """(6 k,) diagonal, from that of each atom's coordinates (n,)."""
        result = np.empty((len(self.rows), 2, 3))
        for k, (rows, centre) in enumerate(zip(self.rows, self.centres, strict=True)):
            arm = self.reference.xyz[rows] - centre
            around = (arm**2).sum(axis=1)[:, None] - arm**2
            result[k, 0] = (by_atom[rows, None] * around).sum(axis=0)
            result[k, 1] = by_atom[rows].sum()
        return result.ravel()


class _Stage:
    """The problem's data to a lower resolution."""

    def __init__(self, problem: RefinementProblem, d_min: float) -> None:
        prepared = problem.prepared
        reflections = prepared.reflections
        kept = problem.data.geometry.d_star_sq <= 1.0 / d_min**2
        self.problem = problem
        self.data = DataSet(reflections, prepared.hkl[kept], prepared.observed[kept])
        crystal, threads = reflections.crystal, problem.factors.threads
        self.factors = StructureFactors(crystal, self.data.hkl, d_min, threads, scattering=problem.factors.scattering)
        self.mask = SolventMask(crystal, self.data.hkl, d_min, threads)

    def fit(self, state: ModelState) -> None:
        """Solvent, scale and sigma_A of a state, kept for `value_and_gradient`."""
        atoms = self.problem.atoms
        f_atoms = self.factors.f_calc(atoms.scatterers(state))
        self.f_mask = self.mask.f_mask(atoms.written(state))
        self.fitted = self.data.fit(f_atoms, self.f_mask)

    def value_and_gradient(self, state: ModelState) -> tuple[float, FloatArray, FloatArray]:
        """-log p of the work set, its derivative by the coordinates (n, 3), and the diagonal of its curvature (n,)."""
        f_atoms = self.factors.f_calc(self.problem.atoms.scatterers(state))
        value, coefficients, weights = self.data.target(f_atoms, self.f_mask, self.fitted)
        return value, *_by_place(self.problem, self.factors, state, coefficients, weights)


def place_bodies(
    problem: RefinementProblem,
    state: ModelState,
    groups: str = "model",
    cancelled: Callable[[], bool] = lambda: False,
) -> Placed | None:
    """Turn and shift the bodies of a state so that the data are explained better, coarse data first.

    None when nothing was done or the run was cancelled; whether the result is better is for the caller to judge, by all
    data.
    """
    bodies = find_bodies(problem.description.model, groups)
    start = state
    for d_min in _stages(problem, len(bodies)):
        if cancelled():
            return None
        stage = _Stage(problem, d_min)
        for _ in range(ROUNDS):
            stage.fit(state)
            rigid = RigidBodies(problem.atoms, bodies, state)
            _, _, curvature = stage.value_and_gradient(state)
            scale = 1.0 / np.sqrt(np.maximum(rigid.curvature(curvature), 1e-12))
            q = _minimised(stage, rigid, scale, cancelled)
            if q is None:
                return None
            state = rigid.state(q)
            if _rms_shift(rigid.reference, state) < 0.01:
                break
    moved = _rms_shift(start, state)
    if moved == 0.0:
        return None
    return Placed(state, moved, max(_angle(start.xyz[rows], state.xyz[rows]) for rows in bodies), len(bodies))


def asks_for_it(problem: RefinementProblem, point: Point) -> bool:
    """Whether the model as a whole looks displaced at a point, by its structure factors to ASK_AT."""
    data = problem.data
    low = data.geometry.d_star_sq <= 1.0 / max(ASK_AT, problem.prepared.reflections.d_min) ** 2
    if np.count_nonzero(data.work & low[data.rows]) < FEWEST_PER_BODY:
        return False
    prepared, atoms = problem.prepared, problem.atoms
    coarse = DataSet(prepared.reflections, prepared.hkl[low], prepared.observed[low])
    f_atoms, f_mask = point.f_atoms[low], point.f_mask[low]
    fitted = coarse.fit(f_atoms, f_mask)
    if fitted.r_work > ASKED_R:
        return True
    coefficients, weights = np.zeros(len(low), dtype=np.complex128), np.zeros(len(low))
    _, coefficients[low], weights[low] = coarse.target(f_atoms, f_mask, fitted)
    rigid = RigidBodies(atoms, find_bodies(problem.description.model, "model"), point.state)
    by_atom, curvature = _by_place(problem, problem.factors, point.state, coefficients, weights)
    gradient = rigid.without_origin(rigid.gradient(np.zeros(rigid.n_parameters), by_atom))
    diagonal = np.maximum(rigid.curvature(curvature), 1e-12)
    gain = 0.5 * float(np.sum(gradient**2 / diagonal))
    return gain > ASKED_GAIN and _rms_shift(point.state, rigid.state(_capped(-gradient / diagonal))) > ASKED_SHIFT


def _by_place(
    problem: RefinementProblem, factors: StructureFactors, state: ModelState, coefficients: ComplexArray, w: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Derivative by the coordinates (n, 3) and diagonal of the curvature (n,), of a target as `DataSet.target` has it
    for the reflections of `factors`."""
    atoms = problem.atoms
    scatterers = atoms.scatterers(state)
    vector = atoms.gradient(state, factors.gradients(scatterers, coefficients))
    curvature = atoms.curvature(factors.curvatures(scatterers, w))
    n = atoms.n
    return vector[: 4 * n].reshape(-1, 4)[:, :3].copy(), curvature[: 4 * n : 4]


def _stages(problem: RefinementProblem, n_bodies: int) -> list[float]:
    data, d_min = problem.data, problem.prepared.reflections.d_min
    enough = FEWEST_PER_BODY * n_bodies
    stages = [d for d in STAGES if d > d_min]
    if d_min > STAGES[-1] or not stages:
        stages.append(d_min)
    return [d for d in stages if np.count_nonzero(data.work & (data.d_star_sq <= 1.0 / d**2)) >= enough]


def _minimised(
    stage: _Stage, rigid: RigidBodies, scale: FloatArray, cancelled: Callable[[], bool]
) -> FloatArray | None:
    """Parameters at the minimum of the stage's target, in units of their expected error inside; None when cancelled."""

    class Cancelled(Exception):
        pass

    def objective(z: FloatArray) -> tuple[float, FloatArray]:
        if cancelled():
            raise Cancelled
        q = scale * z
        value, by_atom, _ = stage.value_and_gradient(rigid.state(q))
        return value, scale * rigid.without_origin(rigid.gradient(q, by_atom))

    try:
        found = minimize(
            objective, np.zeros(rigid.n_parameters), jac=True, method="L-BFGS-B",
            options={"maxfun": EVALUATIONS, "ftol": 1e-7},
        )  # fmt: skip
    except Cancelled:
        return None
    return np.asarray(scale * found.x)


def _capped(q: FloatArray) -> FloatArray:
    """No more than a radian and 3 A: what a single linear prediction may say."""
    rows = q.reshape(-1, 2, 3)
    size = np.linalg.norm(rows, axis=2, keepdims=True)
    most = np.array([1.0, 3.0])[None, :, None]
    return np.asarray((rows * np.minimum(1.0, most / np.maximum(size, 1e-12))).ravel())


def _angle(before: FloatArray, after: FloatArray) -> float:
    """Rotation in degrees between two placements (m, 3) of one body."""
    u, _, vt = np.linalg.svd((before - before.mean(axis=0)).T @ (after - after.mean(axis=0)))
    trace = float(np.trace(vt.T @ np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))]) @ u.T))
    return float(np.degrees(np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0))))


def _rms_shift(before: ModelState, after: ModelState) -> float:
    return float(np.sqrt(np.mean(np.sum((after.xyz - before.xyz) ** 2, axis=1))))
