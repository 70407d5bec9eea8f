"""The backbone of chains: which atoms stand for a residue, and which residues follow each other."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import IntArray
from workbench.core.crystal import Model

LONGEST_STEP = {"protein": 4.6, "nucleic": 8.5}
"""Angstrom between the backbone atoms of neighbours in sequence; beyond it the chain is broken."""


def atoms_named(model: Model, name: str) -> IntArray:
    """(r,) the atom of that name in every residue, its first conformation, -1 where there is none."""
    found = np.full(len(model.residues), -1, dtype=np.int32)
    atoms = np.flatnonzero(model.atom_name == name)[::-1]
    found[model.residue[atoms]] = atoms
    return found


def representative_atoms(model: Model) -> IntArray:
    """(r,) the atom that stands for a residue of a polymer: CA of amino acids, C4' (else P, C1') of nucleotides,
    -1 elsewhere."""
    chosen = np.full(len(model.residues), -1, dtype=np.int32)
    kind = model.residues.kind
    for wanted, names in (("protein", ("CA",)), ("nucleic", ("C4'", "P", "C1'"))):
        for name in reversed(names):
            there = atoms_named(model, name)
            use = (kind == wanted) & (there >= 0)
            chosen[use] = there[use]
    return chosen


def trace_atoms(model: Model) -> IntArray:
    """The backbone atoms of all polymers, in order."""
    chosen = representative_atoms(model)
    return chosen[chosen >= 0]


def stretches(model: Model) -> list[IntArray]:
    """Runs of residues (rows) without a break: same chain and kind, backbone atoms near enough to be neighbours."""
    chosen = representative_atoms(model)
    rows = np.flatnonzero(chosen >= 0)
    if not len(rows):
        return []
    residues = model.residues
    here, there = rows[:-1], rows[1:]
    step = np.linalg.norm(model.xyz[chosen[there]] - model.xyz[chosen[here]], axis=1)
    limit = np.where(residues.kind[here] == "nucleic", LONGEST_STEP["nucleic"], LONGEST_STEP["protein"])
    whole = (residues.chain[here] == residues.chain[there]) & (residues.kind[here] == residues.kind[there])
    # Microheterogeneity gives one number two rows; the second is no neighbour of the first.
    whole &= ~(
        (residues.number[here] == residues.number[there]) & (residues.insertion[here] == residues.insertion[there])
    )
    whole &= step <= limit
    return [np.asarray(part, dtype=np.int32) for part in np.split(rows, np.flatnonzero(~whole) + 1)]


def trace_pairs(model: Model) -> IntArray:
    """(k, 2) backbone atoms to be joined."""
    chosen = representative_atoms(model)
    pairs = [np.column_stack([chosen[run[:-1]], chosen[run[1:]]]) for run in stretches(model)]
    return np.concatenate([np.empty((0, 2), dtype=np.int32), *pairs]).astype(np.int32)
