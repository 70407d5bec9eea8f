"""Peptide bonds: which of them are cis."""

from __future__ import annotations

import math

import numpy as np

from workbench.core.crystal import Model
from workbench.core.words import counted
from workbench.engine.geometry.restraint_tables import RestraintLists, torsion_values

CIS_LIMIT = math.radians(60.0)


def cis_peptides(model: Model, lists: RestraintLists) -> list[tuple[int, int]]:
    """Residue rows joined by a peptide bond whose omega is within 60 degrees of 0."""
    name = model.atom_name
    omega = [
        key
        for key in lists.torsions
        if name[key[0]] == name[key[3]] == "CA"
        and {str(name[key[1]]), str(name[key[2]])} == {"C", "N"}
        and model.residue[key[1]] != model.residue[key[2]]
    ]
    if not omega:
        return []
    values = torsion_values(model.xyz, np.array(omega, np.int32))
    pairs = {
        (min(a, b), max(a, b))
        for key, value in zip(omega, values, strict=True)
        if abs(value) < CIS_LIMIT
        for a, b in [(int(model.residue[key[1]]), int(model.residue[key[2]]))]
    }
    return sorted(pairs)


def cis_notes(model: Model, lists: RestraintLists) -> list[str]:
    """A line for the log when there are cis peptides; those not before proline are named as such."""
    pairs = cis_peptides(model, lists)
    if not pairs:
        return []
    residues = model.residues
    shown = [
        f"{residues.label(a)} - {residues.label(b)}{'' if residues.name[b] == 'PRO' else ' (not proline)'}"
        for a, b in pairs
    ]
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return [f"{counted(len(shown), 'cis peptide bond')}: {', '.join(shown[:8])}{more}."]
