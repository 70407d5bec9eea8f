"""The crystal around the model: symmetry mates near a point, and the edges of the unit cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import gemmi
import numpy as np
from scipy.spatial import cKDTree

from workbench.core.arrays import BoolArray, Float32Array, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.view.density import orthogonalisation
from workbench.view.ribbon import Mesh, part_of

MOST_SHIFTS = 2
"""How many cells away, beyond the one the centre is in, copies are looked for along each axis."""


STRAY = 3.0
"""An atom so many times farther from the middle than nearly all others has no say in where copies are looked for."""
SMALLEST_CELL = 2.0
"""Angstrom; files of models without a crystal carry a cell of 1 A."""


def has_cell(crystal: Crystal) -> bool:
    """Whether there is a crystal at all."""
    return min(crystal.cell[:3]) >= SMALLEST_CELL and min(crystal.cell[3:]) > 0.0


@dataclass(frozen=True, eq=False)
class Mate:
    """A copy of the model: x' = rotation x + shift (Cartesian, angstrom). name: the operator as "-x,y+1/2,-z".
    near: (n,) atoms whose residue comes near the centre."""

    rotation: FloatArray
    shift: FloatArray
    name: str
    near: BoolArray

    def moved(self, xyz: FloatArray) -> FloatArray:
        return np.asarray(xyz @ self.rotation.T + self.shift)

    def moved_mesh(self, mesh: Mesh) -> Mesh:
        """The part of a ribbon that comes near the centre, at its place."""
        part = part_of(mesh, self.near)
        vertices = self.moved(part.vertices.astype(np.float64)).astype(np.float32)
        return replace(part, vertices=vertices, normals=(part.normals @ self.rotation.T).astype(np.float32))


def mates_near(crystal: Crystal, xyz: FloatArray, residue: IntArray, centre: FloatArray, radius: float) -> list[Mate]:
    """Every copy of atoms xyz (n, 3) that comes within `radius` angstrom of `centre` (3,), the model itself excluded.

    residue: (n,) row of the residue of each atom; residues are kept whole. None without a unit cell.
    """
    finite = np.isfinite(xyz).all(axis=1)
    if not has_cell(crystal) or not finite.any() or not np.isfinite(centre).all():
        return []
    index = np.flatnonzero(finite)
    distance = np.linalg.norm(xyz[index] - np.median(xyz[index], axis=0), axis=1)
    index = index[distance <= STRAY * np.quantile(distance, 0.9) + radius]
    tree = cKDTree(xyz[index])
    orth = orthogonalisation(crystal)
    frac = np.linalg.inv(orth)
    low, high = xyz[index].min(axis=0), xyz[index].max(axis=0)
    middle, extent = 0.5 * (low + high), 0.5 * float(np.linalg.norm(high - low))
    reach = np.ceil((extent + radius) * np.linalg.norm(frac, axis=1)).astype(int)
    reach = np.minimum(reach, MOST_SHIFTS + np.ceil(extent * np.linalg.norm(frac, axis=1)).astype(int))
    found = []
    for op in gemmi.SpaceGroup(crystal.space_group).operations():
        rotation = np.array(op.rot, dtype=np.float64) / gemmi.Op.DEN
        translation = np.array(op.tran, dtype=np.float64) / gemmi.Op.DEN
        cartesian = orth @ rotation @ frac
        image = rotation @ (frac @ middle) + translation
        base = np.round(frac @ centre - image)
        for step in product(*[range(-int(k), int(k) + 1) for k in reach]):
            lattice = base + np.array(step)
            shift = orth @ (translation + lattice)
            if np.linalg.norm(cartesian @ middle + shift - centre) > extent + radius:
                continue
            if np.allclose(cartesian, np.eye(3), atol=1e-9) and np.allclose(shift, 0.0, atol=1e-6):
                continue
            # The centre is brought to the model instead of the model to the centre: one tree serves all copies.
            back = np.linalg.solve(cartesian, centre - shift)
            hits = tree.query_ball_point(back, radius)
            if hits:
                near = np.isin(residue, residue[index[hits]]) & finite
                found.append(Mate(cartesian, shift, _name(op, lattice), near))
    return found


def _name(op: gemmi.Op, lattice: FloatArray) -> str:
    moved = gemmi.Op(op.triplet())
    moved.tran = [int(t + gemmi.Op.DEN * n) for t, n in zip(op.tran, lattice, strict=True)]
    return str(moved.triplet())


def cell_edges(crystal: Crystal) -> Float32Array:
    """The twelve edges (12, 2, 3) of the unit cell at the origin, in angstrom; the first three are a, b and c.
    None without a cell."""
    if not has_cell(crystal):
        return np.empty((0, 2, 3), dtype=np.float32)
    orth = orthogonalisation(crystal)
    edges = [((0, 0, 0), axis) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    corners = list(product((0, 1), repeat=3))
    for start in corners:
        for k in range(3):
            end = tuple(1 if n == k else value for n, value in enumerate(start))
            if start[k] == 0 and any(start):
                edges.append((start, end))  # type: ignore[arg-type]
    return (np.array(edges, dtype=np.float64) @ orth.T).astype(np.float32)


def _arc(first: float, last: float) -> list[tuple[float, float]]:
    """Points of the round part of a letter, from one angle in degrees to another."""
    angles = np.radians(np.linspace(first, last, 17))
    return [(0.28 + 0.28 * float(np.cos(t)), 0.3 + 0.3 * float(np.sin(t))) for t in angles]


_STROKES = {
    "a": (_arc(0.0, 360.0), [(0.56, 0.6), (0.56, 0.0)]),
    "b": (_arc(-180.0, 180.0), [(0.0, 1.0), (0.0, 0.0)]),
    "c": (_arc(48.0, 312.0),),
}


def axis_letters(crystal: Crystal, rotation: FloatArray, height: float) -> Float32Array:
    """The letters a, b, c behind the ends of the axes of the cell at the origin, as lines (k, 2, 3) in angstrom.

    rotation: (3, 3) of the camera that they face. height: of the letters, angstrom. None without a cell.
    """
    if not has_cell(crystal):
        return np.empty((0, 2, 3), dtype=np.float32)
    lines = []
    for axis, strokes in zip(orthogonalisation(crystal).T, _STROKES.values(), strict=True):
        end = axis + 0.9 * height * axis / np.linalg.norm(axis)
        for stroke in strokes:
            flat = (np.array(stroke) - [0.28, 0.3]) * height
            points = end + flat @ rotation[:2]
            lines.append(np.stack([points[:-1], points[1:]], axis=1))
    return np.concatenate(lines).astype(np.float32)
