"""Small made-up descriptions: a few atoms with every kind of restraint, in any space group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.core.crystal import Crystal, Model, Residues, SourceFile
from workbench.engine.geometry.description import (
    Angles,
    Bonds,
    Chiralities,
    ContactTypes,
    GeometryDescription,
    Hydrogens,
    Planes,
    Torsions,
)

ALL = np.ones(7)


def only(family: int) -> np.ndarray:
    """Family weights that leave one family."""
    weights = np.zeros(7)
    weights[family] = 1.0
    return weights


def empty_description(
    xyz: np.ndarray,
    cell: tuple[float, ...] = (60.0, 60.0, 60.0, 90.0, 90.0, 90.0),
    space_group: str = "P 1",
    radius: float = 1.7,
    hydrogens: Hydrogens | None = None,
) -> GeometryDescription:
    """Atoms (carbon, B 20) without any restraint; contacts between all of them."""
    n = len(xyz)
    residues = Residues(
        np.array(["LIG"]), np.array(["A"]), np.array([1], np.int32), np.array([""]), np.array(["ligand"]),
        np.array([0], np.int32), np.array([n], np.int32),
    )  # fmt: skip
    model = Model(
        crystal=Crystal(cell, space_group), xyz=np.array(xyz, float), b_iso=np.full(n, 20.0),
        u_aniso=np.zeros((n, 6)), anisotropic=np.zeros(n, bool), occupancy=np.ones(n), element=np.full(n, "C"),
        charge=np.zeros(n, np.int32), atom_name=np.array([f"C{i}" for i in range(n)]), altloc=np.full(n, ""),
        residue=np.zeros(n, np.int32), residues=residues, links=(), source_index=np.arange(n, dtype=np.int32),
        source=SourceFile("made-up", ""), source_text="", source_format="pdb",
    )  # fmt: skip
    if hydrogens is None:
        none = np.zeros(0, np.int32)
        text = np.zeros(0, "<U1")
        hydrogens = Hydrogens(text, text, none, np.zeros((0, 3), np.int32), none, np.zeros((0, 4)), none)
    h = len(hydrogens.parent)
    total = n + h
    types = ContactTypes(
        np.r_[np.full(n, radius), np.full(h, 1.2)], *(np.zeros(total, np.int32) for _ in range(4)),
        np.zeros((0, 2), np.int32), np.zeros((0, 2), np.int32),
    )  # fmt: skip
    real = np.zeros(0)

    def table(width: int) -> np.ndarray:
        return np.zeros((0, width), np.int32)

    whole = np.zeros(0, np.int32)
    return GeometryDescription(
        model=model, n_atoms=n, bonds=Bonds(table(2), real, real, whole), angles=Angles(table(3), real, real),
        torsions=Torsions(table(4), real, real, whole), chiralities=Chiralities(table(4), real, real, whole),
        planes=Planes(np.zeros(1, np.int32), whole, real), contacts=types, hydrogens=hydrogens,
        images=np.zeros((0, 3, 4)), drawn_bonds=table(2), counts={}, flagged={},
    )  # fmt: skip


def rich_description(
    seed: int = 0, cell: tuple[float, ...] = (60.0, 60.0, 60.0, 90.0, 90.0, 90.0), space_group: str = "P 1"
) -> GeometryDescription:
    """Twelve atoms in a wound chain, two riding hydrogens, and restraints of every family that they do not fulfil."""
    rng = np.random.default_rng(seed)
    turn = np.arange(12) * 1.7
    xyz = np.stack([1.6 * np.cos(turn), 1.6 * np.sin(turn), 0.55 * np.arange(12.0)], 1) + rng.normal(0, 0.15, (12, 3))
    xyz += 3.0
    riding = Hydrogens(
        np.array(["H", "H"]), np.array(["H1", "H2"]), np.array([3, 6], np.int32),
        np.array([[2, 1, -1], [5, 7, -1]], np.int32), np.array([0, 1], np.int32),
        np.array([[-0.4, 0.5, 0.7, 0.0], [0.97, -0.6, -0.5, 0.4]]), np.array([-1, -1], np.int32),
    )  # fmt: skip
    d = empty_description(xyz, cell, space_group, radius=1.75, hydrogens=riding)
    chain = np.arange(12, dtype=np.int32)

    def run(width: int) -> np.ndarray:
        return np.ascontiguousarray(np.stack([chain[i : 12 - width + 1 + i] for i in range(width)], 1))

    bonds, angles, torsions = run(2), run(3), run(4)
    ideals = rng.uniform(1.3, 2.0, len(angles))
    ideals[2] = np.pi  # one that is straight
    near = {(min(a, b), max(a, b)) for t in (run(2), run(3)[:, ::2]) for a, b in t.tolist()}
    near |= {(3, 12), (2, 12), (4, 12), (6, 13), (5, 13), (7, 13)}
    types = replace(
        d.contacts,
        excluded=np.array(sorted(near), np.int32),
        one_four=np.ascontiguousarray(torsions[:, ::3]),
        donor=np.r_[0, 1, np.zeros(10), 1, 0].astype(np.int32),
        acceptor=np.r_[np.zeros(8), 1, 1, 0, 0, 0, 0].astype(np.int32),
    )
    return replace(
        d,
        model=replace(d.model, b_iso=rng.uniform(8, 60, 12)),
        bonds=Bonds(bonds, rng.uniform(1.3, 1.7, 11), np.full(11, 0.02), np.zeros(11, np.int32)),
        angles=Angles(angles, ideals, np.full(10, 0.05)),
        torsions=Torsions(
            torsions, rng.uniform(-3, 3, 9), np.full(9, 0.2), np.array([0, 1, 2, 3, 6, 1, 2, 3, 1], np.int32)
        ),
        chiralities=Chiralities(
            np.array([[3, 1, 5, 8], [6, 4, 7, 9]], np.int32),
            np.array([2.5, -2.4]),
            np.full(2, 0.2),
            np.array([0, 1], np.int32),
        ),
        planes=Planes(
            np.array([0, 5, 9], np.int32), np.array([0, 1, 3, 4, 6, 7, 8, 10, 11], np.int32), np.full(2, 0.02)
        ),
        contacts=types,
    )
