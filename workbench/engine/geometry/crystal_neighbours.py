"""Pairs of sites that are near each other in the crystal, symmetry mates included."""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.engine.geometry.distances import IDENTITY
from workbench.engine.geometry.pair_search import near_pairs

COINCIDENT = 0.5
"""An atom closer than this (angstrom) to its own image is on a symmetry element: both are the same atom."""


@dataclass(frozen=True, eq=False)
class NearPairs:
    """pairs (k, 2) int32 sites; image (k,) int32: row of operators (s, 3, 4) that moves the second one (0: identity);
    distance (k,) angstrom.

    Each contact of an asymmetric unit is there once (first < second), but a site and its own image stand in both
    directions (for a twofold axis: once), each to be counted half. fixed: (f, 2) image and site where the operator
    leaves the site in place; pairs through such a site and operator repeat pairs nearer by and are not listed.
    """

    pairs: IntArray
    image: IntArray
    distance: FloatArray
    operators: FloatArray
    fixed: IntArray


class CrystalNeighbours:
    """Finds near pairs for one crystal."""

    def __init__(self, crystal: Crystal) -> None:
        cell = gemmi.UnitCell(*crystal.cell)
        self.orthogonal = np.array(cell.orth.mat.tolist())
        self.fractional = np.array(cell.frac.mat.tolist())
        group = gemmi.SpaceGroup(crystal.space_group)
        self.symmetry = [
            (np.array(op.rot, dtype=float) / gemmi.Op.DEN, np.array(op.tran, dtype=float) / gemmi.Op.DEN)
            for op in group.operations()
        ]

    def operator(self, rotation: FloatArray, translation: FloatArray) -> FloatArray:
        """(3, 4) Cartesian form of a fractional operator."""
        return np.column_stack([self.orthogonal @ rotation @ self.fractional, self.orthogonal @ translation])

    def _copies(self, sites: FloatArray, reach: float) -> tuple[list[FloatArray], list[AnyArray]]:
        """Operators (other than the identity) whose copy comes near, and the sites of each copy that do."""
        f = sites @ self.fractional.T
        margin = reach * np.linalg.norm(self.fractional, axis=1)
        low, high = f.min(axis=0) - margin, f.max(axis=0) + margin
        operators: list[FloatArray] = []
        members: list[AnyArray] = []
        for rotation, translation in self.symmetry:
            g = f @ rotation.T + translation
            first = np.ceil(low - g.max(axis=0)).astype(int)
            last = np.floor(high - g.min(axis=0)).astype(int)
            unit = np.array_equal(rotation, np.eye(3)) and not translation.any()
            for cells in np.ndindex(*np.maximum(last - first + 1, 0)):
                shift = first + np.array(cells)
                if unit and not shift.any():
                    continue
                inside = np.flatnonzero(((g + shift >= low) & (g + shift <= high)).all(axis=1))
                if len(inside):
                    operators.append(self.operator(rotation, translation + shift))
                    members.append(inside)
        return operators, members

    def near(self, sites: FloatArray, reach: float) -> NearPairs:
        """All pairs of sites (n, 3) up to `reach` angstrom, in a fixed order."""
        one, other, apart = near_pairs(sites, None, reach)
        inside = np.stack([one, other], axis=1)
        moved, members = self._copies(sites, reach)
        operators = np.stack([IDENTITY, *moved])
        first, second, image = (np.zeros(0, np.int64) for _ in range(3))
        distance = np.zeros(0)
        fixed = np.zeros((0, 2), np.int32)
        if moved:
            who = np.concatenate(members)
            which = np.repeat(np.arange(1, len(operators)), [len(m) for m in members])
            copies = np.concatenate([sites[m] @ o[:, :3].T + o[:, 3] for o, m in zip(moved, members, strict=True)])
            rows, others, distance = near_pairs(sites, copies, reach)
            first, second, image = rows.astype(np.int64), who[others], which[others]
            n = len(sites)
            same = (first == second) & (distance < COINCIDENT)
            at_rest = np.unique(image[same] * n + first[same])
            fixed = np.stack([at_rest // n, at_rest % n], axis=1).astype(np.int32)
            keep = first <= second
            if len(at_rest):
                keep &= ~np.isin(image * n + first, at_rest) & ~np.isin(image * n + second, at_rest)
            kept = np.flatnonzero(keep)
            order = kept[np.lexsort((image[kept], second[kept], first[kept]))]
            first, second, image, distance = first[order], second[order], image[order], distance[order]
        pairs = np.concatenate([inside, np.stack([first, second], axis=1)]).astype(np.int32)
        which_all = np.concatenate([np.zeros(len(inside), np.int32), image.astype(np.int32)])
        return NearPairs(np.ascontiguousarray(pairs), which_all, np.concatenate([apart, distance]), operators, fixed)
