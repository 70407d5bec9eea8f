"""Helices and strands from the hydrogen bonds of the model (Kabsch & Sander, Biopolymers 22, 2577, 1983)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from workbench.core.arrays import AnyArray, FloatArray, TextArray
from workbench.core.crystal import Model
from workbench.view.backbone import atoms_named, stretches

ENERGY_LIMIT = -0.5
"""kcal/mol below which a hydrogen bond is one."""
COUPLING = 27.9
"""0.42 e x 0.20 e x 332 kcal A / mol e^2: partial charges of C=O and N-H."""
REACH = 9.0
"""Angstrom between CA atoms beyond which no backbone hydrogen bond is possible."""


def hydrogen_bonds(model: Model, xyz: FloatArray) -> set[tuple[int, int]]:
    """Backbone hydrogen bonds as (row of the donor N-H, row of the acceptor C=O).

    xyz: (n, 3) angstrom. The hydrogen is put 1 A from N, opposite to the C=O before it.
    """
    residues = model.residues
    n, ca, c, o = (atoms_named(model, name) for name in ("N", "CA", "C", "O"))
    whole = (residues.kind == "protein") & (n >= 0) & (ca >= 0) & (c >= 0) & (o >= 0)
    before = np.full(len(residues), -1)
    for run in stretches(model):
        before[run[1:]] = run[:-1]
    donor = np.flatnonzero(whole & (before >= 0) & (residues.name != "PRO"))
    donor = donor[whole[before[donor]]]
    acceptor = np.flatnonzero(whole)
    if not len(donor) or not len(acceptor):
        return set()
    carbonyl = xyz[c[before[donor]]] - xyz[o[before[donor]]]
    hydrogen = np.zeros((len(residues), 3))
    hydrogen[donor] = xyz[n[donor]] + carbonyl / np.maximum(np.linalg.norm(carbonyl, axis=1), 1e-6)[:, None]
    if not (np.isfinite(xyz[ca[donor]]).all() and np.isfinite(xyz[ca[acceptor]]).all()):
        return set()
    near = cKDTree(xyz[ca[donor]]).query_ball_tree(cKDTree(xyz[ca[acceptor]]), REACH)
    i = np.repeat(donor, [len(found) for found in near])
    j = acceptor[np.concatenate([np.asarray(found, dtype=np.int64) for found in near])]
    apart = (i != j) & (j != before[i])
    i, j = i[apart], j[apart]

    def inverse(one: AnyArray, other: AnyArray) -> AnyArray:
        return np.asarray(1.0 / np.maximum(np.linalg.norm(one - other, axis=1), 0.5))

    h, nitrogen, carbon, oxygen = hydrogen[i], xyz[n[i]], xyz[c[j]], xyz[o[j]]
    energy = COUPLING * (
        inverse(oxygen, nitrogen) + inverse(carbon, h) - inverse(oxygen, h) - inverse(carbon, nitrogen)
    )
    bound = energy < ENERGY_LIMIT
    return set(zip(i[bound].tolist(), j[bound].tolist(), strict=True))


def secondary_structure(model: Model, xyz: FloatArray) -> TextArray:
    """(r,) "H" helix (alpha, 3-10 or pi), "E" strand of a sheet, "" anything else, for every residue.

    A helix needs two turns of the same kind one after the other; a strand two neighbouring bridges.
    """
    kind = np.full(len(model.residues), "", dtype="<U1")
    bonds = hydrogen_bonds(model, xyz)
    bridged = np.zeros(len(kind), dtype=bool)
    for run in stretches(model):
        rows = run.tolist()
        if model.residues.kind[rows[0]] != "protein":
            continue
        for turn in (4, 3, 5):
            turns = [k for k in range(len(rows) - turn) if (rows[k + turn], rows[k]) in bonds]
            for first, second in pairwise(turns):
                members = rows[first + 1 : second + turn]
                if second == first + 1 and (turn == 4 or not (kind[members] == "H").any()):
                    kind[members] = "H"
    for i, j in _bridges(bonds, len(kind)):
        bridged[[i, j]] = True
    for run in stretches(model):
        on = bridged[run]
        beside = np.zeros(len(on), dtype=bool)
        beside[1:] |= on[:-1]
        beside[:-1] |= on[1:]
        strand = run[on & beside]
        kind[strand[kind[strand] == ""]] = "E"
        # A strand's bridges often skip every other residue: what lies between two of them belongs to it.
        between = np.zeros(len(on), dtype=bool)
        between[1:-1] = on[:-2] & on[2:]
        filled = run[between]
        kind[filled[kind[filled] == ""]] = "E"
    return kind


def _bridges(bonds: set[tuple[int, int]], count: int) -> set[tuple[int, int]]:
    """Pairs of residues that face each other in parallel or antiparallel strands."""
    found = set()
    for donor, acceptor in bonds:
        # antiparallel: i and j bound to each other both ways, or their neighbours i-1 and j+1 crosswise
        if (acceptor, donor) in bonds:
            found.add((donor, acceptor))
        i, j = donor - 1, acceptor + 1
        if (j + 1, i - 1) in bonds:
            found.add((i, j))
        # parallel: C=O of i-1 takes the hydrogen of j, and N-H of i+1 gives its own to j
        i, j = acceptor + 1, donor
        if (i + 1, j) in bonds:
            found.add((i, j))
    return {(i, j) for i, j in found if abs(i - j) > 2 and 0 <= i < count and 0 <= j < count}
