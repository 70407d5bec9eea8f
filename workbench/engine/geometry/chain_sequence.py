"""Which residues follow each other in a chain, how far apart their backbone bond may be, and where it is missing.

Models before refinement are bad in places, so residues whose numbers follow each other are bonded up to a generous
distance: CHAIN_LIMIT, the 3 A that phenix.refine takes (link_distance_cutoff of cctbx), just below the 3.2 A to which
carbon and nitrogen that are not bonded come. Where the numbers jump, only a bond that looks like one is made: up to
1.5 times its length, gemmi's rule for chains (2.01 A for a peptide, 2.4 A for a phosphodiester). Those are the
deletions of a numbering that follows another protein; true gaps are wider. servalcat inherits gemmi's rule for both.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import BoolArray
from workbench.core.crystal import Model, Residues
from workbench.core.words import counted

CHAIN_LIMIT = 3.0
"""Angstrom between the ends of a backbone bond of consecutive residues."""
STRETCH = 1.5
"""Times its ideal length, a bond whose residues need not be neighbours is still taken for one."""
BACKBONE = {("C", "N"): 1.341, ("O3'", "P"): 1.607}
"""Atoms of the bonds that make chains, in the direction of the chain, and their lengths in angstrom."""

_POLYMER = ("protein", "nucleic")
_SHOWN = 8


@dataclass(frozen=True)
class _Junction:
    """Two residue rows that follow each other, and the limit of their backbone bond by its atom names."""

    first: int
    second: int
    consecutive: bool

    def limit(self, names: tuple[str, str]) -> float:
        """Angstrom; 0 for atoms that make no backbone bond."""
        length = BACKBONE.get(names, 0.0)
        return max(CHAIN_LIMIT, STRETCH * length) if self.consecutive and length else STRETCH * length


class ChainSequence:
    """The junctions of a model. Residues with the same number and insertion code are alternatives of one place."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._junctions = {(j.first, j.second): j for j in _junctions(model.residues)}

    def limit(self, first: int, second: int, names: tuple[str, str]) -> float:
        """Distance in angstrom up to which atoms called `names` of residue rows first and second are bonded; 0 when
        these atoms of these residues make no backbone bond."""
        junction = self._junctions.get((first, second))
        return junction.limit(names) if junction is not None else 0.0

    def gap_notes(self, heavy: BoolArray, bonded: set[tuple[int, int]]) -> list[str]:
        """What the log says of junctions without a bond. bonded: pairs i < j of model rows."""
        stretched: list[str] = []
        missing: list[str] = []
        ends = self._ends(heavy)
        residues = self._model.residues
        for junction in self._junctions.values():
            kind = "protein" if residues.kind[junction.first] == "protein" else "nucleic"
            if residues.kind[junction.second] != residues.kind[junction.first]:
                continue
            names = ("C", "N") if kind == "protein" else ("O3'", "P")
            left, right = (ends.get((row, name), []) for row, name in zip(_rows(junction), names, strict=True))
            apart = [(i, j) for i in left for j in right if self._see(i, j) and (min(i, j), max(i, j)) not in bonded]
            where = f"{residues.label(junction.first)} | {residues.label(junction.second)}"
            if not left or not right:
                if junction.consecutive:
                    lacking = [n for n, atoms in zip(names, (left, right), strict=True) if not atoms]
                    stretched.append(f"{where} (no {' and no '.join(lacking)})")
            elif apart:
                near = min(float(np.linalg.norm(self._model.xyz[i] - self._model.xyz[j])) for i, j in apart)
                some = [x for pair in apart for x in pair if self._model.altloc[x]]
                letters = sorted({str(self._model.altloc[x]) for x in some})
                said = f"{where} ({near:.1f} A{', conformer ' + ' '.join(letters) if letters else ''})"
                (stretched if junction.consecutive else missing).append(said)
        notes = []
        if stretched:
            notes.append(f"Chain gap between consecutive residues, not bonded: {_some(stretched)}.")
        if missing:
            count = counted(len(missing), "gap")
            notes.append(f"{count} in the chains, where residues are missing: {_some(missing)}.")
        return notes

    def _see(self, i: int, j: int) -> bool:
        first, second = str(self._model.altloc[i]), str(self._model.altloc[j])
        return not first or not second or first == second

    def _ends(self, heavy: BoolArray) -> dict[tuple[int, str], list[int]]:
        """Atoms that backbone bonds begin or end with, by residue row and name."""
        model = self._model
        names = sorted({name for pair in BACKBONE for name in pair})
        found: dict[tuple[int, str], list[int]] = {}
        for i in np.flatnonzero(heavy & np.isin(model.atom_name, names)).tolist():
            found.setdefault((int(model.residue[i]), str(model.atom_name[i])), []).append(i)
        return found


def _rows(junction: _Junction) -> tuple[int, int]:
    return junction.first, junction.second


def _some(items: list[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more


def _junctions(residues: Residues) -> list[_Junction]:
    """Pairs of rows of neighbouring places, in the order of the file."""
    places: dict[str, list[list[int]]] = {}
    for row in np.flatnonzero(np.isin(residues.kind, _POLYMER)).tolist():
        chain = places.setdefault(str(residues.chain[row]), [])
        last = chain[-1][-1] if chain else None
        if last is not None and _same_place(residues, last, row):
            chain[-1].append(row)
        else:
            chain.append([row])
    found = []
    for chain in places.values():
        for before, after in itertools.pairwise(chain):
            step = int(residues.number[after[0]]) - int(residues.number[before[0]])
            found += [_Junction(i, j, step in (0, 1)) for i in before for j in after]
    return found


def _same_place(residues: Residues, first: int, second: int) -> bool:
    return bool(
        residues.number[first] == residues.number[second] and residues.insertion[first] == residues.insertion[second]
    )
