"""Hydrogens that ride: positions from their parents, and the exact derivative of that.

Each hydrogen is placed by one of four rules; unit vectors u_i point from the parent p to its neighbours n_i.

* ONE (one neighbour a, and b bonded to a): x = p + u e1 + v e2 + w e3 with e1 = unit(a - p), e3 = unit(e1 x (b - a)),
  e2 = e3 x e1; parameters (u, v, w, 0) in angstrom.
* TWO (two neighbours): x = p + d unit(c1 u1 + c2 u2 + c3 u1 x u2); parameters (d, c1, c2, c3).
* THREE (three neighbours): x = p + d unit(c1 u1 + c2 u2 + c3 u3); parameters (d, c1, c2, c3).
* OFFSET (no usable neighbour): x = p + (u, v, w); parameters (u, v, w, 0) in angstrom.

TWO and THREE keep the bond length exactly and share the strain of a bent parent among the angles, so a hydrogen stays
sensible when a shaken or bad parent is repaired.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, FloatArray
from workbench.engine.geometry.description import Hydrogens

ONE, TWO, THREE, OFFSET = 0, 1, 2, 3

_TINY = 1e-8


def hydrogen_positions(hydrogens: Hydrogens, xyz: FloatArray) -> FloatArray:
    """(h, 3) positions in angstrom for model coordinates xyz (n, 3)."""
    parent = xyz[hydrogens.parent]
    placed = parent.copy()
    for kind in (ONE, TWO, THREE, OFFSET):
        rows = np.flatnonzero(hydrogens.kind == kind)
        if len(rows):
            placed[rows] = _positions(kind, hydrogens, xyz, rows)
    return placed


def pull_back(hydrogens: Hydrogens, xyz: FloatArray, gradient: FloatArray) -> FloatArray:
    """(n, 3) gradient on the model's atoms for a gradient (h, 3) on the hydrogens: the transposed derivative."""
    blocks, columns, rows = _derivative_blocks(hydrogens, xyz)
    pulled = np.zeros_like(xyz)
    values = np.einsum("kij,ki->kj", blocks, gradient[rows])
    for axis in range(3):
        pulled[:, axis] = np.bincount(columns, weights=values[:, axis], minlength=len(xyz))
    return pulled


def hydrogen_jacobian(hydrogens: Hydrogens, xyz: FloatArray) -> sp.csr_matrix:
    """d(hydrogen positions)/d(model positions) as a sparse (3h, 3n) matrix, both ordered x, y, z per atom."""
    blocks, columns, rows = _derivative_blocks(hydrogens, xyz)
    i = np.repeat(3 * rows[:, None] + np.arange(3), 3, axis=1).reshape(-1)
    j = np.tile(3 * columns[:, None] + np.arange(3), (1, 3)).reshape(-1)
    shape = (3 * len(hydrogens.parent), 3 * len(xyz))
    return sp.csr_matrix((blocks.reshape(-1), (i, j)), shape=shape)


def _unit(v: FloatArray) -> tuple[FloatArray, FloatArray]:
    length = np.maximum(np.sqrt(np.einsum("ki,ki->k", v, v)), _TINY)
    return v / length[:, None], length


def _cross_matrix(v: FloatArray) -> FloatArray:
    """(k, 3, 3) matrices M with M w = v x w."""
    m = np.zeros((len(v), 3, 3))
    m[:, 0, 1], m[:, 0, 2] = -v[:, 2], v[:, 1]
    m[:, 1, 0], m[:, 1, 2] = v[:, 2], -v[:, 0]
    m[:, 2, 0], m[:, 2, 1] = -v[:, 1], v[:, 0]
    return m


def _unit_derivative(u: FloatArray, length: FloatArray) -> FloatArray:
    """d unit(v)/dv = (1 - u u^T)/|v|, (k, 3, 3)."""
    result: FloatArray = (np.eye(3) - u[:, :, None] * u[:, None, :]) / length[:, None, None]
    return result


def _positions(kind: int, hydrogens: Hydrogens, xyz: FloatArray, rows: AnyArray) -> FloatArray:
    p = xyz[hydrogens.parent[rows]]
    c = hydrogens.parameters[rows]
    if kind == OFFSET:
        offset: FloatArray = p + c[:, :3]
        return offset
    near = hydrogens.neighbours[rows]
    if kind == ONE:
        a, b = xyz[near[:, 0]], xyz[near[:, 1]]
        e1, _ = _unit(a - p)
        e3, _ = _unit(np.cross(e1, b - a))
        e2 = np.cross(e3, e1)
        framed: FloatArray = p + c[:, 0:1] * e1 + c[:, 1:2] * e2 + c[:, 2:3] * e3
        return framed
    u1, _ = _unit(xyz[near[:, 0]] - p)
    u2, _ = _unit(xyz[near[:, 1]] - p)
    third = np.cross(u1, u2) if kind == TWO else _unit(xyz[near[:, 2]] - p)[0]
    s, _ = _unit(c[:, 1:2] * u1 + c[:, 2:3] * u2 + c[:, 3:4] * third)
    result: FloatArray = p + c[:, 0:1] * s
    return result


def _derivative_blocks(hydrogens: Hydrogens, xyz: FloatArray) -> tuple[FloatArray, AnyArray, AnyArray]:
    """Blocks (k, 3, 3), the model atom each belongs to (k,) and the hydrogen (k,)."""
    blocks: list[FloatArray] = []
    columns: list[AnyArray] = []
    which: list[AnyArray] = []

    def add(block: FloatArray, atoms: AnyArray, rows: AnyArray) -> None:
        blocks.append(block)
        columns.append(atoms)
        which.append(rows)

    for kind in (ONE, TWO, THREE, OFFSET):
        rows = np.flatnonzero(hydrogens.kind == kind)
        if not len(rows):
            continue
        parent = hydrogens.parent[rows]
        near = hydrogens.neighbours[rows]
        p = xyz[parent]
        c = hydrogens.parameters[rows][:, :, None, None]
        on_parent = np.broadcast_to(np.eye(3), (len(rows), 3, 3)).copy()
        if kind == ONE:
            a, b = xyz[near[:, 0]], xyz[near[:, 1]]
            f = b - a
            e1, length1 = _unit(a - p)
            e3, length3 = _unit(np.cross(e1, f))
            d1 = _unit_derivative(e1, length1)
            unit3 = _unit_derivative(e3, length3)
            d3_q = unit3 @ (-_cross_matrix(f) @ d1)
            d3_f = unit3 @ _cross_matrix(e1)
            d2_q = _cross_matrix(e3) @ d1 - _cross_matrix(e1) @ d3_q
            d2_f = -_cross_matrix(e1) @ d3_f
            by_q = c[:, 0] * d1 + c[:, 1] * d2_q + c[:, 2] * d3_q
            by_f = c[:, 1] * d2_f + c[:, 2] * d3_f
            add(by_q - by_f, near[:, 0], rows)
            add(by_f, near[:, 1], rows)
            on_parent -= by_q
        elif kind in (TWO, THREE):
            u1, length1 = _unit(xyz[near[:, 0]] - p)
            u2, length2 = _unit(xyz[near[:, 1]] - p)
            d1, d2 = _unit_derivative(u1, length1), _unit_derivative(u2, length2)
            s1, s2 = c[:, 1] * d1, c[:, 2] * d2
            vector = c[:, 1, 0] * u1 + c[:, 2, 0] * u2
            s3 = None
            if kind == TWO:
                vector = vector + c[:, 3, 0] * np.cross(u1, u2)
                s1 = s1 - c[:, 3] * (_cross_matrix(u2) @ d1)
                s2 = s2 + c[:, 3] * (_cross_matrix(u1) @ d2)
            else:
                u3, length3 = _unit(xyz[near[:, 2]] - p)
                vector = vector + c[:, 3, 0] * u3
                s3 = c[:, 3] * _unit_derivative(u3, length3)
            s, length = _unit(vector)
            outer = c[:, 0] * _unit_derivative(s, length)
            for slot, inner in enumerate((s1, s2, s3)):
                if inner is not None:
                    block = outer @ inner
                    add(block, near[:, slot], rows)
                    on_parent -= block
        add(on_parent, parent, rows)
    if not blocks:
        return np.zeros((0, 3, 3)), np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(blocks), np.concatenate(columns).astype(np.int64), np.concatenate(which)
