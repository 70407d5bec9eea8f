"""Bonds by distance, for models that are shown without restraints."""

from __future__ import annotations

import gemmi
import numpy as np
from scipy.spatial import cKDTree

from workbench.core.arrays import BoolArray, FloatArray, IntArray
from workbench.core.crystal import Model
from workbench.view.atoms import hydrogen_atoms, residue_kinds

TOLERANCE = 0.40
"""Angstrom that a bond may be longer than the sum of the covalent radii."""
SHORTEST = 0.4
_METALS = 1.6
"""Covalent radius above which an element is taken to be a metal, whose bonds are not drawn."""


def bonds_by_distance(model: Model) -> IntArray:
    """(k, 2) pairs of atoms nearer than their covalent radii allow, plus the links that the file names.

    Atoms of different alternative conformations, waters and ions are not bonded; hydrogens bond once, to the nearest.
    """
    finite = np.flatnonzero(np.isfinite(model.xyz).all(axis=1))
    radius = _radii(model)
    single = np.isin(residue_kinds(model), ["water", "ion"])
    tree = cKDTree(model.xyz[finite])
    pairs = finite[tree.query_pairs(2.4, output_type="ndarray")].reshape(-1, 2)
    a, b = pairs.T
    distance = np.linalg.norm(model.xyz[a] - model.xyz[b], axis=1)
    near = (distance < radius[a] + radius[b] + TOLERANCE) & (distance > SHORTEST)
    alternative = (model.altloc[a] == model.altloc[b]) | (model.altloc[a] == "") | (model.altloc[b] == "")
    apart = single[a] | single[b] | (radius[a] > _METALS) | (radius[b] > _METALS)
    near &= alternative & ~(apart & (model.residue[a] != model.residue[b])) & ~(single[a] & single[b])
    pairs, distance = pairs[near], distance[near]
    hydrogen = hydrogen_atoms(model)
    light = hydrogen[pairs].any(axis=1)
    pairs = np.concatenate([pairs[~light], _nearest_only(pairs[light], distance[light], hydrogen)])
    links = [(link.first, link.second) for link in model.links if not link.symmetry and link.kind != "hydrog"]
    if links:
        pairs = np.unique(np.sort(np.concatenate([pairs, np.array(links)]), axis=1), axis=0)
    return np.asarray(pairs, dtype=np.int32).reshape(-1, 2)


def _radii(model: Model) -> FloatArray:
    known = {symbol: gemmi.Element(symbol).covalent_r for symbol in np.unique(model.element).tolist()}
    return np.array([known[symbol] for symbol in model.element.tolist()])


def _nearest_only(pairs: IntArray, distance: FloatArray, hydrogen: BoolArray) -> IntArray:
    """Of the pairs with a hydrogen, the shortest for each hydrogen; never two hydrogens."""
    chosen: dict[int, tuple[float, tuple[int, int]]] = {}
    for (a, b), d in zip(pairs.tolist(), distance.tolist(), strict=True):
        if hydrogen[a] and hydrogen[b]:
            continue
        h = a if hydrogen[a] else b
        if h not in chosen or d < chosen[h][0]:
            chosen[h] = (d, (a, b))
    return np.array([pair for _, pair in chosen.values()], dtype=np.int32).reshape(-1, 2)
