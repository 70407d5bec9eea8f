"""PDB text of old, careless or damaged files, made readable without changing what it says.

The repaired text is what `Model.source_text` keeps, so that reading and exporting see the same atoms.
"""

from __future__ import annotations

import re

_ELEMENT_AND_CHARGE = re.compile(r"\s*[A-Za-z]{0,2}\s*(\d[+-]|[+-]\d)?\s*")
"""Columns 77 to 80 since format 2.2: element, charge."""
_SUBSCRIPT = re.compile(r"\((\d)\)?")
_ATOMS = ("ATOM  ", "HETATM")


def repaired(text: str, notes: list[str]) -> str:
    """The text with END records between atoms, identifiers in the columns of the element, and space groups written
    with subscripts in brackets put right; `notes` says which."""
    lines = text.splitlines()
    last_atom = max((row for row, line in enumerate(lines) if line[:4].upper() in ("ATOM", "HETA")), default=-1)
    out: list[str] = []
    ends = numbered = 0
    for row, given in enumerate(lines):
        line, record = given, given[:6].upper()
        if record[:4] in ("ATOM", "HETA"):
            # a parser that looks at four letters and one that looks at six must see the same atoms
            record = "ATOM  " if record[:4] == "ATOM" else "HETATM"
            line = record + line[6:]
        if record.rstrip() == "END" and row < last_atom:
            # a blank line, so that later lines keep the numbers that messages name
            line = ""
            ends += 1
        elif record in (*_ATOMS, "ANISOU") and len(line) > 72 and not _ELEMENT_AND_CHARGE.fullmatch(line[76:80]):
            line = line[:66] if record != "ANISOU" else line[:70]
            numbered += 1
        elif record == "CRYST1" and "(" in line[55:]:
            symbol = _SUBSCRIPT.sub(r"\1", re.split(r"\s{2,}|\s\d+\s*$", line[55:].strip())[0])
            line = f"{line[:55]}{symbol[:11]:11s}"
            notes.append(f"The space group is written {given[55:].strip()}; it is read as {symbol}.")
        out.append(line)
    if ends:
        notes.append(f"{ends} END records stand between atoms; the atoms after them are read too.")
    if numbered:
        notes.append("Columns 73 to 80 hold an identifier and line numbers (a format before 1996), no elements.")
    return "\n".join(out) + "\n"
