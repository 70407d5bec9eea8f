"""Residue and atom names of older files and of simulation programs, in the words of today's dictionaries."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import gemmi
import numpy as np

from workbench.core.crystal import Model
from workbench.core.other_names import DEOXY, RESIDUES, other_atom_name
from workbench.engine.geometry.structure import gemmi_structure


def with_current_names(model: Model, library: gemmi.MonLib) -> tuple[Model, list[str]]:
    """The model with residues and atoms called as their dictionaries call them now, and notes (none when nothing
    changed).

    A name that the library knows is never changed. Atoms are renamed by the list in core/other_names.py and by the
    names that the dictionaries give for the time before the remediation of 2007 (alt_atom_id; a residue is then
    renamed only as a whole, when that makes its names fit better). The oxygen of a water is O, whatever a program
    called it.
    """
    model, notes = _current_residues(model, library)
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
        _rename_listed(model, names, strange, known)
        structure = gemmi_structure(replace(model, atom_name=names))
        library.update_old_atom_names(structure)
        for chain in structure[0]:
            for residue in chain:
                for atom in residue:
                    names[atom.serial - 1] = atom.name
    names[(residues.kind == "water")[model.residue] & (model.element == "O")] = "O"
    changed = np.flatnonzero(names != model.atom_name)
    if not len(changed):
        return model, notes
    rows = dict.fromkeys(residues.label(int(model.residue[i])) for i in changed)
    shown = ", ".join(list(rows)[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
    return replace(model, atom_name=names), [*notes, f"Older atom names are understood as today's: {shown}."]


def _current_residues(model: Model, library: gemmi.MonLib) -> tuple[Model, list[str]]:
    """Residues under the names of their components, where every heavy atom of the residue fits that component."""
    residues = model.residues
    names = residues.name.astype("U8")
    for row, name in enumerate(residues.name.tolist()):
        target = RESIDUES.get(name, name) if name not in library.monomers else name
        if residues.kind[row] not in ("protein", "nucleic") or (target == name and name not in DEOXY):
            continue
        inside = range(int(residues.first_atom[row]), int(residues.first_atom[row] + residues.n_atoms[row]))
        kind = str(residues.kind[row])
        heavy = {str(model.atom_name[i]) for i in inside if model.element[i] not in ("H", "D")}
        sugar = {other_atom_name(target, kind, atom) for atom in heavy}
        if {"C1'", "C2'", "C3'"} <= sugar and "O2'" not in sugar:
            target = DEOXY.get(target, target)
        if target == name or target not in library.monomers:
            continue
        theirs = {a.id for a in library.monomers[target].atoms}
        if all(atom in theirs or other_atom_name(target, kind, atom) in theirs for atom in heavy):
            names[row] = target
    changed = np.flatnonzero(names != residues.name)
    if not len(changed):
        return model, []
    count = Counter((str(residues.name[row]), str(names[row])) for row in changed)
    told = ", ".join(f"{old} as {new} ({n})" for (old, new), n in sorted(count.items()))
    note = f"Residue names of older files and simulation programs are understood as today's: {told}."
    return replace(model, residues=replace(residues, name=names)), [note]


def _rename_listed(model: Model, names: np.ndarray, strange: list[int], known: dict[str, set[str]]) -> None:
    """Today's names of the `strange` atoms (rows of `names`, changed in place) that no dictionary lists itself; never
    one that its residue has already."""
    residues = model.residues
    for i in strange:
        row = int(model.residue[i])
        kind, component = str(residues.kind[row]), str(residues.name[row])
        new = other_atom_name(component, kind, str(names[i])) if kind != "water" else str(names[i])
        inside = slice(int(residues.first_atom[row]), int(residues.first_atom[row] + residues.n_atoms[row]))
        taken = bool(np.any((names[inside] == new) & (model.altloc[inside] == model.altloc[i])))
        if new in known[component] and not taken:
            names[i] = new
