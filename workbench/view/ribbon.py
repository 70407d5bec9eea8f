"""The ribbon: a smooth curve through the backbone, flat in helices and strands, round elsewhere, as a mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import BoolArray, Float32Array, FloatArray, IntArray, TextArray
from workbench.core.crystal import Model
from workbench.view.backbone import atoms_named, representative_atoms, stretches

STEPS = 8
"""Cross-sections per residue."""
SIDES = 12
"""Corners of a cross-section."""
HELIX, STRAND, COIL, NUCLEIC = (1.30, 0.24), (1.15, 0.20), (0.28, 0.28), (0.95, 0.30)
"""Half width and half thickness in angstrom."""
ARROW = 1.75
"""How much wider the head of a strand's arrow is than the strand."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles (t, 3) over vertices (v, 3) in angstrom with unit normals (v, 3); atom: (v,) whose colour they take."""

    vertices: Float32Array
    normals: Float32Array
    triangles: IntArray
    atom: IntArray


def part_of(mesh: Mesh, atoms: BoolArray) -> Mesh:
    """Only the triangles whose corners all belong to the chosen atoms (n,)."""
    chosen = atoms[mesh.atom]
    kept = mesh.triangles[chosen[mesh.triangles].all(axis=1)]
    used = np.unique(kept)
    number = np.zeros(len(mesh.vertices), dtype=np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    return Mesh(mesh.vertices[used], mesh.normals[used], number[kept], mesh.atom[used])


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one."""
    if not meshes:
        return EMPTY_MESH
    start = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.triangles + n for mesh, n in zip(meshes, start, strict=True)]).astype(np.int32),
        np.concatenate([mesh.atom for mesh in meshes]),
    )


EMPTY_MESH = Mesh(
    np.empty((0, 3), dtype=np.float32),
    np.empty((0, 3), dtype=np.float32),
    np.empty((0, 3), dtype=np.int32),
    np.empty(0, dtype=np.int32),
)


def ribbon(model: Model, xyz: FloatArray, structure: TextArray) -> Mesh:
    """The ribbon of every chain; structure: (r,) of `secondary_structure`, xyz: (n, 3) angstrom."""
    chosen = representative_atoms(model)
    parts = []
    for run in stretches(model):
        if len(run) < 2 or not np.isfinite(xyz[chosen[run]]).all():
            continue
        parts.append(_stretch(model, xyz, chosen[run], run, structure[run]))
    return joined(parts)


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _sideways(model: Model, xyz: FloatArray, run: IntArray, points: FloatArray) -> FloatArray:
    """(k, 3) the direction of the ribbon's width at every residue: the carbonyl, or where the base points to."""
    protein = model.residues.kind[run[0]] == "protein"
    first, second = (atoms_named(model, name)[run] for name in (("C", "O") if protein else ("C4'", "C1'")))
    known = (first >= 0) & (second >= 0)
    guide = np.where(known[:, None], xyz[second] - xyz[first], 0.0)
    along = np.gradient(points, axis=0)
    if not known.all():
        bend = np.zeros_like(points)
        bend[1:-1] = points[2:] - 2.0 * points[1:-1] + points[:-2]
        guide = np.where(known[:, None], guide, np.cross(along, bend) + 1e-3)
    guide = guide - _unit(along) * np.einsum("ij,ij->i", guide, _unit(along))[:, None]
    guide = _unit(guide)
    # Neighbouring carbonyls of a strand point to opposite sides; a ribbon does not twist by half a turn each time.
    flips = np.where(np.einsum("ij,ij->i", guide[1:], guide[:-1]) < 0.0, -1.0, 1.0)
    return np.asarray(guide * np.concatenate([[1.0], np.cumprod(flips)])[:, None])


def _spline(values: FloatArray, steps: int) -> FloatArray:
    """Catmull-Rom through values (k, d): (steps (k - 1) + 1, d)."""
    padded = np.concatenate([[2 * values[0] - values[1]], values, [2 * values[-1] - values[-2]]])
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (padded[k : len(padded) - 3 + k, None, :] for k in range(4))
    curve = 0.5 * (
        2.0 * p1 + (p2 - p0) * t + (2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3) * t**2 + (3.0 * (p1 - p2) + p3 - p0) * t**3
    )
    return np.concatenate([curve.reshape(-1, values.shape[1]), values[-1:]])


def _stretch(model: Model, xyz: FloatArray, atoms: IntArray, run: IntArray, structure: TextArray) -> Mesh:
    points = xyz[atoms].astype(np.float64)
    guide = _sideways(model, xyz, run, points)
    strand = structure == "E"
    smooth = points.copy()
    for _ in range(2):
        # The zigzag of a strand is taken out; its ends stay where the chain is.
        middle = strand.copy()
        middle[[0, -1]] = False
        inner = np.flatnonzero(middle)
        smooth[inner] = 0.25 * smooth[inner - 1] + 0.5 * smooth[inner] + 0.25 * smooth[inner + 1]
        guide[inner] = _unit(guide[inner - 1] + 2.0 * guide[inner] + guide[inner + 1])
    size = np.array([HELIX if s == "H" else STRAND if s == "E" else COIL for s in structure])
    if model.residues.kind[run[0]] == "nucleic":
        size[:] = NUCLEIC
    centre, side = _spline(smooth, STEPS), _spline(guide, STEPS)
    place = np.arange(len(centre)) / STEPS
    width, thickness = (np.interp(place, np.arange(len(run)), size[:, k]) for k in range(2))
    for last in np.flatnonzero(strand & ~np.append(strand[1:], False)).tolist():
        # The arrow: from one residue before the end of the strand it narrows from ARROW times the width to the coil's.
        begin = max(last - 1, 0) * STEPS
        end = min(last * STEPS + STEPS // 2, len(centre) - 1)
        if last >= 1 and strand[last - 1] and end > begin:
            width[begin : end + 1] = np.linspace(ARROW * STRAND[0], COIL[0], end - begin + 1)
            thickness[begin : end + 1] = np.linspace(STRAND[1], COIL[1], end - begin + 1)
    along = _unit(np.gradient(centre, axis=0))
    side = _unit(side - along * np.einsum("ij,ij->i", side, along)[:, None])
    up = np.cross(along, side)
    angle = 2.0 * np.pi * np.arange(SIDES) / SIDES
    cos, sin = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    w, h = width[:, None, None], thickness[:, None, None]
    ring = centre[:, None, :] + w * cos * side[:, None, :] + h * sin * up[:, None, :]
    normal = _unit(h * cos * side[:, None, :] + w * sin * up[:, None, :])
    m = len(centre)
    owner = atoms[np.clip(np.round(place).astype(int), 0, len(atoms) - 1)]
    k, s = np.meshgrid(np.arange(m - 1), np.arange(SIDES), indexing="ij")
    a, b = k * SIDES + s, k * SIDES + (s + 1) % SIDES
    walls = np.stack([a, b, a + SIDES, b, b + SIDES, a + SIDES], axis=-1).reshape(-1, 3)
    vertices = np.concatenate([ring.reshape(-1, 3), ring[0], ring[-1]])
    normals = np.concatenate(
        [normal.reshape(-1, 3), np.repeat(-along[:1], SIDES, axis=0), np.repeat(along[-1:], SIDES, axis=0)]
    )
    fan = np.stack([np.zeros(SIDES - 2, dtype=int), np.arange(1, SIDES - 1), np.arange(2, SIDES)], axis=1)
    triangles = np.concatenate([walls, fan[:, ::-1] + m * SIDES, fan + (m + 1) * SIDES])
    owners = np.concatenate([np.repeat(owner, SIDES), np.repeat(owner[:1], SIDES), np.repeat(owner[-1:], SIDES)])
    return Mesh(
        vertices.astype(np.float32), normals.astype(np.float32), triangles.astype(np.int32), owners.astype(np.int32)
    )
