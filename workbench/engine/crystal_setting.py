"""The same crystal described on other axes: I2 for C2, R3:R for R3:H, P 2 21 21 for P 21 21 2, another cell of P 21.

A description is a choice of three lattice vectors and of an origin. Two of them are of one crystal where vectors of the
first lattice have the lengths and angles of the second cell, fill the same volume for each lattice point, and carry the
symmetry operations of one into those of the other,

    x_first = M x_second + t,    M^-1 (W t + w - t) = w' (modulo lattice),    M^-1 W M = W'

(International Tables for Crystallography A, chapter 1.5). Where the lattice is more symmetric than the crystal there
are several such M, which are different indexings of the data: which one the model stands in, only the data can say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, FloatArray
from workbench.core.crystal import Crystal, Model, Reflections
from workbench.engine.geometry.tensors import matrices, six
from workbench.engine.validation.placement import intensity_correlation
from workbench.engine.xray.reflection_geometry import reflection_geometry
from workbench.engine.xray.structure_factors import Scatterers, StructureFactors

SAME = 1e-3
"""Difference of fractional translations that is rounding."""
ORIGIN_STEPS = 24
"""Origins of settings of one group differ by multiples of 1/24 at the finest (1/8 and 1/6)."""
COMPARED_TO = 3.5
"""Angstrom: indexings are told apart by the data to this resolution."""
USUAL_B = 20.0
"""A^2, for atoms whose file says no B."""


@dataclass(frozen=True, eq=False)
class Setting:
    """How a model is carried over. rotation (3, 3), shift (3,) angstrom: Cartesian, x' = rotation x + shift.
    operator: the same in fractional coordinates, as a triplet ("x-z,y,z")."""

    rotation: FloatArray
    shift: FloatArray
    operator: str

    def moved(self, model: Model, crystal: Crystal) -> Model:
        """The model in the other description, with the cell and space group `crystal`."""
        return replace(
            model,
            crystal=crystal,
            xyz=np.ascontiguousarray(model.xyz @ self.rotation.T + self.shift),
            u_aniso=six(self.rotation @ matrices(model.u_aniso) @ self.rotation.T),
        )


def settings_between(first: Crystal, second: Crystal, tolerance: float) -> list[Setting]:
    """Every way from `first` to `second`, one for each indexing, that with the least rotation first; empty where they
    are not the same crystal.

    tolerance: relative difference of lengths, and radians of angles, that still are the same.
    """
    groups = [gemmi.find_spacegroup_by_name(each.space_group) for each in (first, second)]
    if None in groups:
        return []
    operations = [_operations(group) for group in groups if group is not None]
    (turns_1, shifts_1, centring_1), (turns_2, shifts_2, centring_2) = operations
    sizes = [gemmi.UnitCell(*each.cell).volume for each in (first, second)]
    per_point = sizes[0] * len(centring_2) / (sizes[1] * len(centring_1))
    if len(turns_1) != len(turns_2) or abs(per_point - 1.0) > 6.0 * tolerance:
        return []
    frames = tuple(np.array(gemmi.UnitCell(*each.cell).orth.mat.tolist()) for each in (first, second))
    found: list[tuple[float, AnyArray, Setting]] = []
    for axes in _matching_axes(frames[0], frames[1], centring_1, tolerance):
        inverse = np.linalg.inv(axes)
        if abs(np.linalg.det(axes) - len(centring_2) / len(centring_1)) > SAME:
            continue
        if not all(_in_lattice(axes @ each, centring_1) for each in centring_2):
            continue
        origin = _origin(axes, inverse, turns_1, shifts_1, turns_2, shifts_2, centring_1)
        if origin is None:
            continue
        rotation = _nearest_rotation(frames[1] @ inverse @ np.linalg.inv(frames[0]))
        shift = -frames[1] @ inverse @ origin
        found.append((float(np.trace(rotation)), axes, Setting(rotation, shift, _triplet(inverse, -inverse @ origin))))
    found.sort(key=lambda each: (-round(each[0], 6), float(np.abs(each[2].shift).sum())))
    distinct: list[tuple[AnyArray, Setting]] = []
    for _, axes, setting in found:
        equivalents = [axes @ turn for turn in turns_2]
        if not any(np.allclose(known, each, atol=SAME) for known, _ in distinct for each in equivalents):
            distinct.append((axes, setting))
    return [setting for _, setting in distinct]


def best_setting(
    model: Model, reflections: Reflections, ways: list[Setting]
) -> tuple[Setting, list[tuple[str, float]]]:
    """The way whose model predicts the intensities best, and the correlation of each (by operator); none is computed
    where there is one way only."""
    if len(ways) == 1:
        return ways[0], []
    crystal = reflections.crystal
    geometry = reflection_geometry(crystal, reflections.hkl)
    limit = max(COMPARED_TO, reflections.d_min)
    rows = geometry.d_star_sq <= 1.0 / limit**2 * (1.0 + 1e-6)
    hkl = np.ascontiguousarray(reflections.hkl[rows])
    factors = StructureFactors(crystal, hkl, limit)
    epsilon = np.sqrt(geometry.epsilon[rows])
    told = []
    for way in ways:
        moved = way.moved(model, crystal)
        atoms = Scatterers(
            moved.xyz,
            np.where(moved.b_iso > 0.0, moved.b_iso, USUAL_B),
            moved.u_aniso,
            moved.anisotropic,
            moved.occupancy,
            moved.element,
            moved.charge,
        )
        amplitude = np.abs(factors.f_calc(atoms))
        agreement = intensity_correlation(
            reflections.f_obs[rows] / epsilon, amplitude / epsilon, geometry.d_star_sq[rows]
        )
        told.append((way.operator, agreement))
    best = int(np.argmax([agreement for _, agreement in told]))
    return ways[best], told


def _operations(group: gemmi.SpaceGroup) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rotations (n, 3, 3), translations (n, 3) and centring vectors (c, 3) of a group, fractional."""
    operations = group.operations()
    turns = np.array([op.rot for op in operations.sym_ops], dtype=np.float64) / gemmi.Op.DEN
    shifts = np.array([op.tran for op in operations.sym_ops], dtype=np.float64) / gemmi.Op.DEN
    return turns, shifts, np.array(operations.cen_ops, dtype=np.float64) / gemmi.Op.DEN


def _matching_axes(first: FloatArray, second: FloatArray, centring: FloatArray, tolerance: float) -> list[FloatArray]:
    """Matrices whose columns are vectors of the first lattice (fractional) with the lengths and angles of the second
    cell, right-handed. first, second: (3, 3) orthogonalisation matrices."""
    lengths = np.linalg.norm(second, axis=0)
    reach = np.linalg.norm(np.linalg.inv(first), axis=1) * lengths.max() * (1.0 + tolerance)
    ranges = [np.arange(-n, n + 1) for n in np.floor(reach).astype(int) + 1]
    whole = np.array(list(product(*ranges)), dtype=np.float64)
    vectors = (whole[:, None, :] + centring[None]).reshape(-1, 3)
    places = vectors @ first.T
    size = np.linalg.norm(places, axis=1)
    near = [np.flatnonzero(np.abs(size / length - 1.0) <= tolerance) for length in lengths]
    cosines = (second.T @ second) / np.outer(lengths, lengths)
    angles = np.arccos(np.clip(cosines, -1.0, 1.0))

    def between(i: int, j: int) -> float:
        return float(np.arccos(np.clip(places[i] @ places[j] / (size[i] * size[j]), -1.0, 1.0)))

    made = []
    along_a, along_b, along_c = (rows.tolist() for rows in near)
    for a in along_a:
        for b in along_b:
            if abs(between(a, b) - angles[0, 1]) > tolerance:
                continue
            for c in along_c:
                if abs(between(a, c) - angles[0, 2]) > tolerance or abs(between(b, c) - angles[1, 2]) > tolerance:
                    continue
                axes = vectors[[a, b, c]].T
                if np.linalg.det(axes) > 0.0:
                    made.append(axes)
    return made


def _in_lattice(vector: AnyArray, centring: FloatArray) -> bool:
    return bool(_off_lattice(vector[None], centring)[0] < SAME)


def _off_lattice(vectors: AnyArray, centring: FloatArray) -> FloatArray:
    """(n,) how far vectors (n, 3) are from the nearest lattice point, fractional."""
    apart = vectors[:, None, :] - centring[None]
    apart -= np.rint(apart)
    return np.asarray(np.abs(apart).max(axis=2).min(axis=1))


def _origin(
    axes: AnyArray,
    inverse: AnyArray,
    turns_1: FloatArray,
    shifts_1: FloatArray,
    turns_2: FloatArray,
    shifts_2: FloatArray,
    centring: FloatArray,
) -> FloatArray | None:
    """The shift of origin t that carries the first group's operations into the second's, or None."""
    pairs = []
    for turn, shift in zip(turns_2, shifts_2, strict=True):
        wanted = axes @ turn @ inverse
        same = np.flatnonzero(np.abs(turns_1 - wanted).max(axis=(1, 2)) < SAME)
        if len(same) != 1:
            return None
        pairs.append((turns_1[same[0]] - np.eye(3), shifts_1[same[0]] - axes @ shift))
    steps = np.arange(ORIGIN_STEPS) / ORIGIN_STEPS
    origins = np.zeros((1, 3))
    for _ in range(2):
        good = np.ones(len(origins), dtype=np.bool_)
        for difference, rest in pairs:
            good[good] = _off_lattice(origins[good] @ difference.T + rest, centring) < SAME
        if good.any():
            return np.asarray(origins[good][0])
        origins = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return None


def _nearest_rotation(matrix: AnyArray) -> FloatArray:
    """The rotation in a matrix that two slightly different cells strain."""
    left, _, right = np.linalg.svd(matrix)
    return np.asarray(left @ right)


def _triplet(matrix: AnyArray, shift: AnyArray) -> str:
    operator = gemmi.Op()
    operator.rot = np.rint(matrix * gemmi.Op.DEN).astype(int).tolist()
    operator.tran = np.rint(shift * gemmi.Op.DEN).astype(int).tolist()
    return operator.triplet()
