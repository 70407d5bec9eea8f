"""Models of a few atoms, made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.crystal import Crystal, Model, Residues, SourceFile


def plain_model(
    atoms: Sequence[tuple[str, str, str, tuple[float, float, float]]],
    cell: tuple[float, float, float, float, float, float] = (50.0, 50.0, 50.0, 90.0, 90.0, 90.0),
    space_group: str = "P 1",
    kind: str = "ligand",
) -> Model:
    """One chain A; atoms are (residue name, atom name, element, xyz), residues change where the name does."""
    n = len(atoms)
    residue: list[int] = []
    names: list[str] = []
    for name, *_ in atoms:
        if not names or names[-1] != name:
            names.append(name)
        residue.append(len(names) - 1)
    count = np.bincount(residue).astype(np.int32)
    return Model(
        crystal=Crystal(cell, space_group),
        xyz=np.array([a[3] for a in atoms], float),
        b_iso=np.full(n, 20.0),
        u_aniso=np.zeros((n, 6)),
        anisotropic=np.zeros(n, bool),
        occupancy=np.ones(n),
        element=np.array([a[2] for a in atoms]),
        charge=np.zeros(n, np.int32),
        atom_name=np.array([a[1] for a in atoms]),
        altloc=np.full(n, "", "U1"),
        residue=np.array(residue, np.int32),
        residues=Residues(
            name=np.array(names),
            chain=np.full(len(names), "A"),
            number=np.arange(1, len(names) + 1, dtype=np.int32),
            insertion=np.full(len(names), "", "U1"),
            kind=np.full(len(names), kind),
            first_atom=(np.cumsum(count) - count).astype(np.int32),
            n_atoms=count,
        ),
        links=(),
        source_index=np.arange(n, dtype=np.int32),
        source=SourceFile("made by hand", ""),
        source_text="",
        source_format="pdb",
    )
