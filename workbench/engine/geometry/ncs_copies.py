"""Copies of a chain in the asymmetric unit (non-crystallographic symmetry), found by their sequences.

Chains are aligned with gemmi; those that agree in IDENTITY of the shorter one are copies. Their atoms
correspond where residue names, atom names and blank conformers are equal.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import IntArray
from workbench.core.crystal import Model

IDENTITY = 0.8
"""Share of identical residues from which chains are copies of one molecule."""
SHORTEST = {"protein": 15, "nucleic": 6}
"""Fewest residues of a chain that is looked at, by kind."""
EVERY_PAIR = 4
"""Copies up to which every pair is compared; of more, each with the next one."""


@dataclass(frozen=True, eq=False)
class NcsPair:
    """Two copies: names of their chains, how many residues correspond, rows (k, 2) of the atoms that do."""

    chains: tuple[str, str]
    residues: int
    rows: IntArray


def ncs_pairs(model: Model) -> tuple[NcsPair, ...]:
    """Pairs of copies in a model, in file order; none where every chain is unique."""
    found = []
    for group in _groups(model):
        whole = len(group) <= EVERY_PAIR
        pairs = itertools.combinations(group, 2) if whole else zip(group, [*group[1:], group[0]], strict=True)
        for (one, first), (two, second) in pairs:
            matched = _aligned(model, first, second)
            rows = [row for a, b in matched for row in _same_atoms(model, a, b)]
            if rows:
                found.append(NcsPair((one, two), len(matched), np.array(rows, dtype=np.int32)))
    return tuple(found)


def _groups(model: Model) -> list[list[tuple[str, list[int]]]]:
    """Chains that are copies of each other: name, and residue rows in order."""
    groups: list[tuple[str, list[tuple[str, list[int]]]]] = []
    for kind, shortest in SHORTEST.items():
        for name, rows in _chains(model, kind).items():
            if len(rows) < shortest:
                continue
            for known, members in groups:
                reference = members[0][1]
                same = len(_aligned(model, reference, rows))
                if known == kind and same >= IDENTITY * min(len(reference), len(rows)) and same >= shortest:
                    members.append((name, rows))
                    break
            else:
                groups.append((kind, [(name, rows)]))
    return [members for _, members in groups if len(members) > 1]


def _chains(model: Model, kind: str) -> dict[str, list[int]]:
    """Residue rows of each chain of a kind of polymer; of alternative residues of one place the first."""
    residues = model.residues
    chains: dict[str, list[int]] = {}
    seen: set[tuple[str, int, str]] = set()
    for row in np.flatnonzero(residues.kind == kind).tolist():
        chain = str(residues.chain[row])
        place = (chain, int(residues.number[row]), str(residues.insertion[row]))
        if place not in seen:
            seen.add(place)
            chains.setdefault(chain, []).append(row)
    return chains


def _aligned(model: Model, first: list[int], second: list[int]) -> list[tuple[int, int]]:
    """Residue rows of the same name that lie upon each other when the sequences are aligned."""
    name = model.residues.name
    result = gemmi.align_string_sequences([str(name[r]) for r in first], [str(name[r]) for r in second], [])
    i = j = 0
    matched = []
    for count, step in re.findall(r"(\d+)([MID])", result.cigar_str()):
        n = int(count)
        if step == "M":
            pairs = zip(first[i : i + n], second[j : j + n], strict=True)
            matched += [(a, b) for a, b in pairs if name[a] == name[b]]
        i += n if step in "MI" else 0
        j += n if step in "MD" else 0
    return matched


def _same_atoms(model: Model, first: int, second: int) -> list[tuple[int, int]]:
    def heavy(row: int) -> dict[str, int]:
        start = int(model.residues.first_atom[row])
        atoms = range(start, start + int(model.residues.n_atoms[row]))
        return {str(model.atom_name[a]): a for a in atoms if not model.altloc[a] and model.element[a] not in ("H", "D")}

    ours, theirs = heavy(first), heavy(second)
    return [(a, theirs[name]) for name, a in ours.items() if name in theirs]
