"""A made-up protein of two chains that are copies of each other, for restraints between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from tests.synthetic_geometry import empty_description
from workbench.core.crystal import Model, Residues
from workbench.engine.geometry.description import GeometryDescription

SEQUENCE = ["ALA", "GLY", "SER", "LYS", "ASP", "VAL", "LEU", "THR", "PHE", "ILE", "ASN", "GLU", "ARG", "TRP", "CYS"]
SEQUENCE += ["MET", "TYR", "PRO", "HIS"]
ATOMS = ("N", "CA", "C", "O", "CB")


def fold(length: int, seed: int = 3) -> np.ndarray:
    """(length, 5, 3) angstrom: a helix of residues with a little scatter."""
    rng = np.random.default_rng(seed)
    turn = np.radians(100.0) * np.arange(length)
    centre = np.stack([2.3 * np.cos(turn), 2.3 * np.sin(turn), 1.5 * np.arange(length)], axis=1)
    return centre[:, None] + rng.normal(size=(length, len(ATOMS), 3)) * 0.9


def model_of(chains: Sequence[tuple[str, Sequence[str], np.ndarray]]) -> Model:
    """chains: name, residue names, (residues, 5, 3) coordinates in angstrom; one protein residue each."""
    xyz = np.concatenate([part.reshape(-1, 3) for *_, part in chains])
    n, m = len(xyz), len(xyz) // len(ATOMS)
    names = [name for _, residues, _ in chains for name in residues]
    residues = Residues(
        name=np.array(names),
        chain=np.array([chain for chain, sequence, _ in chains for _ in sequence]),
        number=np.concatenate([np.arange(1, len(sequence) + 1) for _, sequence, _ in chains]).astype(np.int32),
        insertion=np.full(m, "", "U1"),
        kind=np.full(m, "protein"),
        first_atom=(len(ATOMS) * np.arange(m)).astype(np.int32),
        n_atoms=np.full(m, len(ATOMS), np.int32),
    )
    blank = empty_description(xyz).model
    return replace(
        blank,
        atom_name=np.array(ATOMS * m),
        residue=np.repeat(np.arange(m), len(ATOMS)).astype(np.int32),
        residues=residues,
        altloc=np.full(n, "", "U1"),
    )


def dimer(seed: int = 3, scatter: float = 0.0) -> GeometryDescription:
    """Chains A and B, the second turned by 77 degrees and put 35 A away, with random differences of `scatter` A."""
    one = fold(len(SEQUENCE), seed)
    turned = Rotation.from_rotvec(np.radians(77.0) * np.array([0.6, 0.8, 0.0])).apply(one.reshape(-1, 3)) + 35.0
    turned += scatter * np.random.default_rng(seed + 1).normal(size=turned.shape)
    model = model_of([("A", SEQUENCE, one), ("B", SEQUENCE, turned.reshape(one.shape))])
    return replace(empty_description(model.xyz, radius=0.0), model=model)
