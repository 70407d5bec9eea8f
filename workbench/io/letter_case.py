"""Names of residues and atoms in small letters, as some editors and scripts write them, in today's capitals.

A name in small letters may also be a component of the user's own ("lig"): it is left alone unless the file writes
residues that every dictionary knows in small letters, which is then its way with all names.
"""

from __future__ import annotations

import re

import gemmi

_NAMES = {
    "ATOM": ((12, 16), (17, 20)),
    "HETATM": ((12, 16), (17, 20)),
    "ANISOU": ((12, 16), (17, 20)),
    "TER": ((17, 20),),
    "LINK": ((12, 16), (17, 20), (42, 46), (47, 50)),
    "SSBOND": ((11, 14), (25, 28)),
    "CISPEP": ((11, 14), (25, 28)),
    "HELIX": ((15, 18), (27, 30)),
    "SHEET": ((17, 20), (28, 31)),
    "MODRES": ((12, 15), (24, 27)),
    "SEQRES": ((19, 70),),
    "HET": ((7, 10),),
}
"""Columns of PDB records that hold names of atoms and residues."""
_ITEM = re.compile(r"(comp_id|atom_id|mon_id|_chem_comp\.id)(_[12])?$", re.IGNORECASE)
_SAID = "Names of residues and atoms are written in small letters ({}); they are read in capitals."


def capitals_in_pdb(text: str, notes: list[str]) -> str:
    """The text of a PDB file with its names in capitals, where it writes well-known residues otherwise; chain
    identifiers stay as they are. `notes` says what was done."""
    lines = text.splitlines()
    atoms = [line for line in lines if line[:6].rstrip() in ("ATOM", "HETATM")]
    shown = _in_small_letters({(line[17:20].strip(), line[12:16].strip()) for line in atoms})
    if not shown:
        return text
    for row, line in enumerate(lines):
        for start, end in _NAMES.get(line[:6].rstrip().upper(), ()):
            lines[row] = lines[row][:start] + lines[row][start:end].upper() + lines[row][end:]
    notes.append(_SAID.format(shown))
    return "\n".join(lines) + "\n"


def capitals_in_mmcif(block: gemmi.cif.Block, notes: list[str]) -> bool:
    """The same for a block with atoms, in place; returns whether anything was changed."""
    residues = block.find_values("_atom_site.auth_comp_id") or block.find_values("_atom_site.label_comp_id")
    atoms = block.find_values("_atom_site.auth_atom_id") or block.find_values("_atom_site.label_atom_id")
    pairs = zip(list(residues), list(atoms), strict=False)
    shown = _in_small_letters({(residue, gemmi.cif.as_string(atom)) for residue, atom in pairs})
    if not shown:
        return False
    for item in block:
        tags = list(item.loop.tags) if item.loop is not None else [item.pair[0]] if item.pair is not None else []
        for tag in tags:
            if not _ITEM.search(tag):
                continue
            column = block.find_values(tag)
            for row in range(len(column)):
                column[row] = column[row].upper()
    notes.append(_SAID.format(shown))
    return True


def _in_small_letters(names: set[tuple[str, str]]) -> str:
    """Well-known residues and their atoms, (residue, atom), that are not in capitals: the first few; "" for none."""
    known = {
        residue
        for residue in {residue for residue, _ in names}
        if gemmi.find_tabulated_residue(residue.upper()).kind != gemmi.ResidueKind.UNKNOWN
    }
    small = sorted(residue for residue in known if residue != residue.upper())
    small += sorted({atom for residue, atom in names if residue in known and atom != atom.upper()})
    return ", ".join(small[:3]) + (", ..." if len(small) > 3 else "")
