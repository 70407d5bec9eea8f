"""Which residues are bonded to each other: what the records say, what distances show, and what is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import gemmi
import numpy as np
from scipy.spatial import cKDTree

from workbench.core.arrays import AnyArray, BoolArray
from workbench.core.crystal import Link, Model

PEPTIDE_LIMIT = 2.5
"""C-N distance in angstrom up to which consecutive residues are taken as bonded, however bad the model is."""
DISULFIDE_LIMIT = 2.5
COVALENT_LIMIT = 1.8
"""Distance in angstrom below which two residues are taken as linked when the library knows such a link."""
RECORD_LIMIT = {"covale": 3.5, "disulf": 3.5, "metalc": 4.5, "unknown": 4.5}
"""A LINK record longer than this (angstrom) is not believed."""


@dataclass
class LinkPlan:
    """Links to restrain, and what the user should know of them."""

    links: list[Link]
    notes: list[str] = field(default_factory=list)


def metals(model: Model) -> BoolArray:
    """(n,) True for metal atoms."""
    known = {e: gemmi.Element(e).is_metal for e in set(model.element.tolist())}
    return np.array([known[e] for e in model.element.tolist()], bool)


def same_conformer(first: str, second: str) -> bool:
    """Atoms see each other when either has no altloc or both have the same one."""
    return not first or not second or first == second


def atom_label(model: Model, atom: int) -> str:
    """'A 89 PHE CZ (B)'."""
    alt = f" ({model.altloc[atom]})" if model.altloc[atom] else ""
    return f"{model.residues.label(int(model.residue[atom]))} {model.atom_name[atom]}{alt}"


def believable_records(model: Model, structure: gemmi.Structure) -> LinkPlan:
    """The link records whose atoms are near enough to be bonded (doubles dropped)."""
    plan = LinkPlan([])
    seen: set[tuple[int, int, bool]] = set()
    for link in model.links:
        if link.kind == "hydrog" or link.first == link.second:
            continue
        pair = (min(link.first, link.second), max(link.first, link.second), link.symmetry)
        if pair in seen or not same_conformer(str(model.altloc[link.first]), str(model.altloc[link.second])):
            continue
        seen.add(pair)
        distance = link_distance(model, structure, link)
        if distance > RECORD_LIMIT.get(link.kind, 3.5):
            plan.notes.append(
                f"Link record {atom_label(model, link.first)} - {atom_label(model, link.second)} is ignored: "
                f"the atoms are {distance:.1f} A apart."
            )
            continue
        plan.links.append(link)
    return plan


def link_distance(model: Model, structure: gemmi.Structure, link: Link) -> float:
    """Distance in angstrom now, to the nearest symmetry copy where the record says so."""
    if not link.symmetry:
        return float(np.linalg.norm(model.xyz[link.first] - model.xyz[link.second]))
    first, second = (gemmi.Position(*map(float, model.xyz[i])) for i in (link.first, link.second))
    return float(structure.cell.find_nearest_image(first, second, gemmi.Asu.Different).dist())


def near_pairs(model: Model, rows: AnyArray, radius: float) -> AnyArray:
    """(k, 2) pairs of model rows i < j within radius angstrom (same asymmetric unit), sorted."""
    if len(rows) < 2:
        return np.zeros((0, 2), np.int64)
    pairs = rows[cKDTree(model.xyz[rows]).query_pairs(radius, output_type="ndarray")]
    pairs.sort(axis=1)
    result: AnyArray = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return result


def unrecorded_links(
    model: Model, heavy: BoolArray, monlib: gemmi.MonLib, structure: gemmi.Structure, bonded: set[tuple[int, int]]
) -> LinkPlan:
    """Links that no record names but distances show: disulfides, peptide bonds, and links the library knows.

    bonded: pairs (i < j) that have a bond restraint already.
    """
    plan = LinkPlan([])
    rows = np.flatnonzero(heavy & np.isin(model.element, ("C", "N", "O", "S", "P", "SE")))
    taken = {i for pair in bonded for i in pair if model.residue[pair[0]] != model.residue[pair[1]]}
    residues: dict[int, gemmi.Residue] = {}
    for chain in structure[0]:
        for residue in chain:
            residues[int(model.residue[residue[0].serial - 1])] = residue
    kind = model.residues.kind
    for i, j in near_pairs(model, rows, PEPTIDE_LIMIT).tolist():
        ri, rj = int(model.residue[i]), int(model.residue[j])
        if ri == rj or (i, j) in bonded or "water" in (kind[ri], kind[rj]):
            continue
        if not same_conformer(str(model.altloc[i]), str(model.altloc[j])) or _alternatives(model, ri, rj):
            continue
        distance = float(np.linalg.norm(model.xyz[i] - model.xyz[j]))
        names = (str(model.atom_name[i]), str(model.atom_name[j]))
        disulfide = names == ("SG", "SG") and distance < DISULFIDE_LIMIT
        peptide = names == ("C", "N") and rj == ri + 1 and model.residues.chain[ri] == model.residues.chain[rj]
        if not (disulfide or peptide or distance < COVALENT_LIMIT) or i in taken or j in taken:
            continue
        if not (disulfide or peptide) and not _library_knows(model, monlib, residues, i, j):
            continue
        plan.links.append(Link("disulf" if disulfide else "covale", "", i, j, False, distance))
        plan.notes.append(f"Bonded by distance ({distance:.2f} A): {atom_label(model, i)} - {atom_label(model, j)}.")
    return plan


def _alternatives(model: Model, first: int, second: int) -> bool:
    """Two names for one place in the chain (microheterogeneity) are never bonded to each other."""
    r = model.residues
    return bool(
        r.chain[first] == r.chain[second]
        and r.number[first] == r.number[second]
        and r.insertion[first] == r.insertion[second]
    )


def _library_knows(model: Model, monlib: gemmi.MonLib, residues: dict[int, gemmi.Residue], i: int, j: int) -> bool:
    first, second = residues[int(model.residue[i])], residues[int(model.residue[j])]
    found = monlib.match_link(
        first,
        str(model.atom_name[i]),
        str(model.altloc[i]) or "\0",
        second,
        str(model.atom_name[j]),
        str(model.altloc[j]) or "\0",
    )
    return found[0] is not None


def gap_notes(model: Model, heavy: BoolArray, bonded: set[tuple[int, int]]) -> list[str]:
    """Consecutive numbers whose peptide bond is missing because C and N are far apart."""
    notes = []
    residues = model.residues
    carbonyl: dict[int, int] = {}
    amide: dict[int, int] = {}
    for i in np.flatnonzero(heavy & np.isin(model.atom_name, ("C", "N"))).tolist():
        (carbonyl if model.atom_name[i] == "C" else amide).setdefault(int(model.residue[i]), i)
    for row in range(len(residues) - 1):
        following = row + 1
        if residues.kind[row] != "protein" or residues.kind[following] != "protein":
            continue
        if residues.chain[row] != residues.chain[following] or residues.number[following] != residues.number[row] + 1:
            continue
        c, n = carbonyl.get(row), amide.get(following)
        if c is None or n is None or (min(c, n), max(c, n)) in bonded:
            continue
        distance = float(np.linalg.norm(model.xyz[c] - model.xyz[n]))
        if distance > PEPTIDE_LIMIT:
            notes.append(
                f"Chain gap: {residues.label(row)} and {residues.label(following)} are {distance:.1f} A apart (C-N); "
                "they are not bonded."
            )
    return notes
