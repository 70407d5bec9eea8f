"""Atom names of older files, in the words of today's dictionaries."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np

from workbench.core.crystal import Model
from workbench.engine.geometry.structure import gemmi_structure


def with_current_names(model: Model, library: gemmi.MonLib) -> tuple[Model, str]:
    """The model with atoms called as their dictionaries call them now, and a note (empty when nothing changed).

    The dictionaries list the name that an atom had before the remediation of 2007 (alt_atom_id). A residue is renamed
    only as a whole, when that makes its names fit better. The oxygen of a water is O, whatever a program called it.
    """
    known = {name: {a.id for a in library.monomers[name].atoms} for name in library.monomers}
    residues = model.residues
    row_names = residues.name.tolist()
    strange = [
        i
        for i, (name, row) in enumerate(zip(model.atom_name.tolist(), model.residue.tolist(), strict=True))
        if row_names[row] in known and name not in known[row_names[row]] and residues.n_atoms[row] > 1
    ]
    names = model.atom_name.astype("U8")
    if strange:
        structure = gemmi_structure(model)
        library.update_old_atom_names(structure)
        for chain in structure[0]:
            for residue in chain:
                for atom in residue:
                    names[atom.serial - 1] = atom.name
    names[(residues.kind == "water")[model.residue] & (model.element == "O")] = "O"
    changed = np.flatnonzero(names != model.atom_name)
    if not len(changed):
        return model, ""
    rows = dict.fromkeys(residues.label(int(model.residue[i])) for i in changed)
    shown = ", ".join(list(rows)[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
    return replace(model, atom_name=names), f"Older atom names are understood as today's: {shown}."
