"""Main and side chain of every residue: the groups whose fit is told, and that may share a B."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import IntArray
from workbench.core.crystal import Model

MAIN_CHAIN = (
    "N", "CA", "C", "O", "OXT", "P", "OP1", "OP2", "OP3",
    "O5'", "C5'", "C4'", "O4'", "C3'", "O3'", "C2'", "C1'",
)  # fmt: skip


def group_rows(model: Model) -> tuple[IntArray, IntArray]:
    """Which atoms belong to which group: (k,) atom rows in the order of their groups and (2 r + 1,) starts.

    Group 2 i is the main chain of residue i (all of a ligand, water or ion), 2 i + 1 its side chain. Hydrogens are left
    out.
    """
    polymer = np.isin(model.residues.kind, ("protein", "nucleic"))[model.residue]
    side = polymer & ~np.isin(model.atom_name, MAIN_CHAIN)
    heavy = ~np.isin(model.element, ("H", "D"))
    group = 2 * model.residue.astype(np.int64) + side
    order = np.flatnonzero(heavy)
    order = order[np.argsort(group[order], kind="stable")]
    starts = np.searchsorted(group[order], np.arange(2 * len(model.residues) + 1))
    return order.astype(np.int32), starts.astype(np.int32)
