"""Which residues are bonded to each other: what the records say, what distances show, what the user decides, and what
is left alone.

A link the library describes is restrained as the library says. Metals take distances by element and coordination
number (metal_coordination.py), other bonds typical lengths (bond_lengths.py). Nothing is ever bonded across a gap.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace

import gemmi
import numpy as np
from scipy.spatial import cKDTree

from workbench.core.arrays import AnyArray, BoolArray, FloatArray
from workbench.core.crystal import Link, LinkReport, Model
from workbench.core.errors import InputError
from workbench.core.other_names import component_names
from workbench.core.words import counted
from workbench.engine.geometry.bond_lengths import typical_length
from workbench.engine.geometry.chain_sequence import BACKBONE, CHAIN_LIMIT, STRETCH, ChainSequence
from workbench.engine.geometry.metal_coordination import (
    NEAR,
    MetalContact,
    coordination_numbers,
    ideal_distance,
    low_spin_iron,
    metal_contacts,
    target_sigma,
)
from workbench.engine.geometry.symmetry_copies import link_distance, nearest_operator

DISULFIDE_LIMIT = 2.5
SEARCH = 2.5
"""Angstrom; no bond outside the backbone is looked for beyond."""
RECORD_LIMIT = {"covale": 3.5, "disulf": 3.5, "metalc": 4.5, "unknown": 4.5}
"""A LINK record longer than this (angstrom) is not believed."""
CLOSE = 0.25
"""Angstrom beyond a typical bond length up to which a ligand is taken as covalently bound."""
PERHAPS = 0.6
"""Angstrom beyond a typical bond length up to which a bond is proposed but not made."""
METAL_RECORD = 1.0
"""Angstrom a recorded metal bond may be off its target and still be believed."""
WANTED_RATIO, WANTED_LIMIT = 1.5, 3.5
"""A bond that the user asks for is refused when longer than both, so many times its target and so many angstrom."""
FROM_LIBRARY = "as the library describes it"
PEPTIDE_BOND = 1.334
SIGMA = 0.03
"""Of the length of a covalent bond that no library describes, angstrom."""

_LINKING = frozenset(("C", "N", "O", "S", "P", "SE", "B"))
_FULL = {"C": 4, "N": 4, "O": 2, "S": 4, "P": 4, "SE": 4, "B": 4}
"""Heavy neighbours an atom can have at most."""


@dataclass(frozen=True)
class DirectBond:
    """A bond that no library describes. operator (3, 4): moves the second atom to its symmetry copy, None inside the
    asymmetric unit. ideal, sigma: angstrom. metal: one end is a metal (no angles, no hydrogens lost)."""

    first: int
    second: int
    operator: FloatArray | None
    ideal: float
    sigma: float
    metal: bool


@dataclass
class LinkPlan:
    """known: links the library describes. direct: bonds with targets of their own. reports: for the user, those that
    are not restrained included. notes: what was passed over."""

    known: list[Link] = field(default_factory=list)
    direct: list[DirectBond] = field(default_factory=list)
    reports: list[LinkReport] = field(default_factory=list)
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


def link_label(model: Model, first: int, second: int, symmetry: bool) -> str:
    """'A 26 CYS SG - A 84 CYS SG (symmetry)'."""
    return f"{atom_label(model, first)} - {atom_label(model, second)}{' (symmetry)' if symmetry else ''}"


class LinkFinder:
    """Finds the links of one model; `choices` (label -> bond it or not) are the user's decisions."""

    def __init__(
        self,
        model: Model,
        heavy: BoolArray,
        monlib: gemmi.MonLib,
        structure: gemmi.Structure,
        choices: dict[str, bool],
    ) -> None:
        self.model = model
        self.heavy = heavy
        self.monlib = monlib
        self.structure = structure
        self.metal = metals(model)
        self._choices = {(*find_link(model, label), bond): label for label, bond in choices.items()}
        self._wanted = [(i, j, copy) for i, j, copy, bond in self._choices if bond]
        self._refused = {_key(i, j, copy) for i, j, copy, bond in self._choices if not bond}
        self._removed: set[tuple[int, int, bool]] = set()
        self._residues: dict[int, gemmi.Residue] = {}
        for chain in structure[0]:
            for residue in chain:
                self._residues[int(model.residue[residue[0].serial - 1])] = residue
        self._links = set(monlib.links)

    def recorded(self) -> LinkPlan:
        """Link records, metal coordination, and the links the user asks for."""
        plan = LinkPlan()
        records = self._believable(plan)
        done = {_key(link.first, link.second, link.symmetry) for link in records}
        for pair in self._wanted:
            if _key(*pair) not in done:
                link = Link("unknown", "", *pair)
                records.append(replace(link, distance=link_distance(self.model, self.structure, link)))
                done.add(_key(*pair))
        contacts = metal_contacts(self.model, self.heavy, self.metal)
        numbers = coordination_numbers(self.model, contacts)
        recorded: set[frozenset[int]] = set()
        for link in records:
            found = "user" if self._asked(link) else "record"
            if found == "user" and self._out_of_reach(plan, link, numbers):
                continue
            recorded.add(frozenset((link.first, link.second)))
            if self._is_refused(plan, link, "record"):
                continue
            if self._library_knows(link):
                self._add_known(plan, link, found)
            elif self.metal[link.first] or self.metal[link.second]:
                self._metal_record(plan, link, contacts, numbers, found)
            else:
                self._add_direct(plan, link, found)
        for contact in contacts:
            if frozenset((contact.metal, contact.donor)) not in recorded:
                self._metal_contact(plan, contact, numbers)
        return plan

    def idle_choices(self, reports: list[LinkReport], bonded: set[tuple[int, int]]) -> dict[str, str]:
        """Decisions of the user that no link answers to, by their label, with the reason.

        reports: of both passes. bonded: pairs (i < j) bonded inside the asymmetric unit.
        """
        listed = {_key(r.first, r.second, r.symmetry): r for r in reports}
        idle: dict[str, str] = {}
        for (i, j, copy, bond), label in self._choices.items():
            report = listed.get(_key(i, j, copy))
            if report is not None and (report.used or not bond):
                continue
            if report is not None:
                idle[label] = report.reason
            elif not copy and (min(i, j), max(i, j)) in bonded:
                if not bond:
                    idle[label] = "this bond belongs to the chain or the residue and always stays"
            else:
                distance = link_distance(self.model, self.structure, Link("unknown", "", i, j, copy))
                idle[label] = (
                    f"there is no such link: the atoms are {distance:.2f} A apart{self._other_copy(i, j, copy)}"
                )
        return idle

    def unrecorded(self, bonded: set[tuple[int, int]]) -> LinkPlan:
        """Links that no record names but distances show: disulfides, peptide bonds, links the library knows, covalent
        ligands. What looks like a bond but is not sure is proposed only.

        bonded: pairs (i < j) that have a bond restraint already.
        """
        plan = LinkPlan()
        model = self.model
        kind = model.residues.kind
        rows = np.flatnonzero(self.heavy & np.isin(model.element, sorted(_LINKING)))
        sequence = ChainSequence(model)
        linked = _linked(model, bonded)
        neighbours = np.bincount(np.array(sorted(bonded), np.int64).reshape(-1), minlength=len(model))
        candidates: list[tuple[int, int, float]] = []
        told: set[tuple[int, int]] = set()
        between: dict[tuple[int, int], int] = {}
        for i, j in self._worth_a_look(near_pairs(model, rows, CHAIN_LIMIT)).tolist():
            ri, rj = int(model.residue[i]), int(model.residue[j])
            if (i, j) in bonded or _alternatives(model, ri, rj):
                continue
            if not same_conformer(str(model.altloc[i]), str(model.altloc[j])):
                continue
            distance = self._distance(i, j)
            if distance > SEARCH and (str(model.atom_name[i]), str(model.atom_name[j])) not in BACKBONE:
                continue
            candidates.append((i, j, distance))
            if distance < 2.2:
                between[(ri, rj)] = between.get((ri, rj), 0) + 1
        for i, j, distance in sorted(candidates, key=lambda c: c[2]):
            ri, rj = int(model.residue[i]), int(model.residue[j])
            names = (str(model.atom_name[i]), str(model.atom_name[j]))
            disulfide = names == ("SG", "SG") and distance < DISULFIDE_LIMIT
            backbone = distance < sequence.limit(ri, rj, names)
            link = Link("disulf" if disulfide else "covale", "", i, j, False, distance)
            if _occupied(model, linked, i, j) or _occupied(model, linked, j, i):
                continue
            if disulfide or backbone or distance < STRETCH * self._library_length(link):
                if not self._is_refused(plan, link, "distance"):
                    self._add_known(plan, link, "distance")
                    _join(linked, i, j)
                continue
            if distance > SEARCH:
                continue
            typical = typical_length(str(model.element[i]), str(model.element[j]), distance)
            if not typical - 0.3 < distance < typical + PERHAPS:
                continue
            free = all(neighbours[x] < _FULL[str(model.element[x])] for x in (i, j))
            ligand = any(k not in ("protein", "nucleic") for k in (kind[ri], kind[rj]))
            alone = between.get((ri, rj), 0) <= 1
            if distance < typical + CLOSE and free and ligand and alone:
                if not self._is_refused(plan, link, "distance"):
                    self._add_direct(plan, link, "distance")
                    _join(linked, i, j)
            elif free and (alone or (ligand and distance < typical + CLOSE and (ri, rj) not in told)):
                told.add((ri, rj))
                why = f"{distance:.2f} A apart: a bond, or a bad contact? Not bonded unless you accept it"
                plan.reports.append(self._report(link, "covalent", math.nan, "distance", False, why))
        plan.reports.sort(key=lambda report: (report.first, report.second))
        plan.reports.extend(self._symmetry_disulfides(bonded))
        return plan

    def _worth_a_look(self, pairs: AnyArray) -> AnyArray:
        """The pairs (k, 2) between two residues, neither of them water, that are near enough to be bonded if they are
        not of the names that join a chain."""
        model = self.model
        i, j = pairs[:, 0], pairs[:, 1]
        water = (model.residues.kind == "water")[model.residue]
        of_chain = np.isin(model.atom_name, sorted({name for names in BACKBONE for name in names}))
        # A little more than asked: the distance itself is taken, and judged, pair by pair.
        near = np.linalg.norm(model.xyz[i] - model.xyz[j], axis=1) < SEARCH + 1e-6
        wanted = (model.residue[i] != model.residue[j]) & ~water[i] & ~water[j] & (near | (of_chain[i] & of_chain[j]))
        result: AnyArray = pairs[wanted]
        return result

    # ---- records ----------------------------------------------------------------------------------------------------

    def _believable(self, plan: LinkPlan) -> list[Link]:
        """The link records whose atoms are near enough to be bonded (doubles dropped)."""
        model = self.model
        kept: list[Link] = []
        seen: set[tuple[int, int, bool]] = set()
        for link in model.links:
            if link.kind == "hydrog" or link.first == link.second:
                continue
            pair = (min(link.first, link.second), max(link.first, link.second), link.symmetry)
            if pair in seen or not same_conformer(str(model.altloc[link.first]), str(model.altloc[link.second])):
                continue
            seen.add(pair)
            distance = link_distance(model, self.structure, link)
            if distance > RECORD_LIMIT.get(link.kind, 3.5):
                why = f"the record is ignored: the atoms are {distance:.1f} A apart"
                plan.notes.append(f"Link {link_label(model, link.first, link.second, link.symmetry)}: {why}.")
                plan.reports.append(self._report(link, self._kind(link), math.nan, "record", False, why))
                continue
            kept.append(link)
        return kept

    def _library_knows(self, link: Link) -> bool:
        return (bool(link.name) and link.name in self._links) or self._library_length(link) > 0.0

    def _library_length(self, link: Link) -> float:
        """Length in angstrom of the bond by which the library joins these atoms; 0 when it knows no such link."""
        model = self.model
        first, second = (self._residues[int(model.residue[i])] for i in (link.first, link.second))
        found = self.monlib.match_link(
            first,
            str(model.atom_name[link.first]),
            str(model.altloc[link.first]) or "\0",
            second,
            str(model.atom_name[link.second]),
            str(model.altloc[link.second]) or "\0",
        )
        return 0.0 if found[0] is None or not len(found[0].rt.bonds) else float(found[0].rt.bonds[0].value)

    # ---- decisions of the user --------------------------------------------------------------------------------------

    def _is_refused(self, plan: LinkPlan, link: Link, found: str) -> bool:
        key = _key(link.first, link.second, link.symmetry)
        if key not in self._refused:
            return False
        if key not in self._removed:  # a recorded link is found again by distance
            self._removed.add(key)
            plan.reports.append(self._report(link, self._kind(link), math.nan, found, False, "removed by you"))
        return True

    def _asked(self, link: Link) -> bool:
        return _key(link.first, link.second, link.symmetry) in {_key(*pair) for pair in self._wanted}

    def _out_of_reach(self, plan: LinkPlan, link: Link, numbers: dict[int, int]) -> bool:
        """A bond that the user asks for between atoms too far apart to be bonded: told, and not made."""
        distance = link_distance(self.model, self.structure, link)
        target = self._target(link, distance, numbers)
        if distance <= max(WANTED_LIMIT, WANTED_RATIO * target):
            return False
        key = _key(link.first, link.second, link.symmetry)
        plan.reports = [r for r in plan.reports if _key(r.first, r.second, r.symmetry) != key]
        expected = f" where a bond is {target:.2f} A long" if target else ""
        why = f"not bonded: the atoms are {distance:.2f} A apart{expected}"
        why += self._other_copy(link.first, link.second, link.symmetry)
        plan.reports.append(self._report(link, self._kind(link), math.nan, "user", False, why))
        return True

    def _target(self, link: Link, distance: float, numbers: dict[int, int]) -> float:
        """Length in angstrom such a bond would be given; 0 when nothing is known of it."""
        metal, donor = (link.first, link.second) if self.metal[link.first] else (link.second, link.first)
        if self.metal[metal]:
            return self._metal_target(metal, donor, numbers.get(metal, 6))[0] or 0.0
        element = self.model.element
        return self._library_length(link) or typical_length(str(element[metal]), str(element[donor]), distance)

    def _other_copy(self, first: int, second: int, symmetry: bool) -> str:
        """' (its symmetry copy is 2.05 A away ...)' when the other reading of a label is a bond."""
        if self.model.crystal.cell[0] <= 1.0:
            return ""
        distance = link_distance(self.model, self.structure, Link("unknown", "", first, second, not symmetry))
        if distance > WANTED_LIMIT:
            return ""
        if symmetry:
            return f" ({distance:.2f} A without (symmetry) in the label)"
        return f" (a symmetry copy is {distance:.2f} A away: write (symmetry) after the label)"

    # ---- additions --------------------------------------------------------------------------------------------------

    def _add_known(self, plan: LinkPlan, link: Link, found: str) -> None:
        plan.known.append(link)
        plan.reports.append(self._report(link, self._kind(link), math.nan, found, True, FROM_LIBRARY))

    def _add_direct(self, plan: LinkPlan, link: Link, found: str) -> None:
        model = self.model
        distance = link_distance(model, self.structure, link)
        ideal = typical_length(str(model.element[link.first]), str(model.element[link.second]), distance)
        if self._kind(link) == "peptide":
            ideal = PEPTIDE_BOND
        operator = nearest_operator(self.structure.cell, model, link) if link.symmetry else None
        plan.direct.append(DirectBond(link.first, link.second, operator, ideal, SIGMA, False))
        plan.reports.append(self._report(link, "covalent", ideal, found, True, "typical length of such a bond"))

    def _metal_record(
        self, plan: LinkPlan, link: Link, contacts: list[MetalContact], numbers: dict[int, int], found: str
    ) -> None:
        metal, donor = (link.first, link.second) if self.metal[link.first] else (link.second, link.first)
        distance = link_distance(self.model, self.structure, link)
        ideal, why = self._metal_target(metal, donor, numbers.get(metal, 6))
        if ideal is None:
            ideal = distance
        elif abs(distance - ideal) > METAL_RECORD and found == "record":
            reason = f"not bonded: {distance:.2f} A where {ideal:.2f} A is expected"
            plan.notes.append(f"Metal {link_label(self.model, metal, donor, link.symmetry)}: {reason}.")
            plan.reports.append(self._report(link, "metal", math.nan, found, False, reason))
            return
        operator = None
        if link.symmetry:
            same = [c for c in contacts if c.metal == metal and c.donor == donor and c.operator is not None]
            operator = same[0].operator if same else nearest_operator(self.structure.cell, self.model, link)
            if not same and link.first != metal:
                link = replace(link, first=metal, second=donor)
                operator = nearest_operator(self.structure.cell, self.model, link)
        sigma = target_sigma(str(self.model.element[metal]))
        plan.direct.append(DirectBond(metal, donor, operator, ideal, sigma, True))
        plan.reports.append(self._report(link, "metal", ideal, found, True, why))

    def _metal_contact(self, plan: LinkPlan, contact: MetalContact, numbers: dict[int, int]) -> None:
        model = self.model
        if model.residue[contact.metal] == model.residue[contact.donor]:
            return
        ideal, why = self._metal_target(contact.metal, contact.donor, numbers.get(contact.metal, 6))
        if ideal is None or contact.distance > ideal + NEAR or contact.distance < ideal - METAL_RECORD:
            return
        symmetry = contact.operator is not None
        link = Link("metalc", "", contact.metal, contact.donor, symmetry, contact.distance)
        if self._is_refused(plan, link, "distance"):
            return
        sigma = target_sigma(str(model.element[contact.metal]))
        plan.direct.append(DirectBond(contact.metal, contact.donor, contact.operator, ideal, sigma, True))
        plan.reports.append(self._report(link, "metal", ideal, "distance", True, why))

    def _metal_target(self, metal: int, donor: int, number: int) -> tuple[float | None, str]:
        """The target of a metal bond in angstrom (None: as it is now), and its source."""
        model = self.model
        element, beside = str(model.element[metal]), str(model.element[donor])
        if self.metal[donor]:
            return None, "distance of the model: two metals"
        if element == "FE" and self._porphyrin(metal):
            return low_spin_iron(beside), f"low-spin iron of a porphyrin and {beside} (Shannon 1976)"
        ideal = ideal_distance(element, beside, number, int(model.charge[metal]))
        if ideal is None:
            return None, f"distance of the model: no table for {element} and {beside}"
        return ideal, f"{element} with {number} neighbours and {beside} (Shannon 1976, Harding 2006)"

    def _porphyrin(self, metal: int) -> bool:
        residues = self.model.residues
        row = int(self.model.residue[metal])
        first = int(residues.first_atom[row])
        inside = np.arange(first, first + int(residues.n_atoms[row]))
        nitrogen = inside[self.model.element[inside] == "N"]
        distance = np.linalg.norm(self.model.xyz[nitrogen] - self.model.xyz[metal], axis=1)
        return int((distance < 2.4).sum()) >= 4

    def _symmetry_disulfides(self, bonded: set[tuple[int, int]]) -> list[LinkReport]:
        """Cysteines near a symmetry copy of another cysteine: proposed, since crystals also bring them together by
        chance; a record or the user's word makes them bonds."""
        model = self.model
        sulfur = np.flatnonzero(self.heavy & (model.atom_name == "SG")).tolist()
        if len(sulfur) < 2 or model.crystal.cell[0] <= 1.0:
            return []
        free = [
            i
            for i in sulfur
            if not any(i in pair for pair in bonded if model.residue[pair[0]] != model.residue[pair[1]])
        ]
        recorded = {frozenset((link.first, link.second)) for link in model.links}
        recorded |= {frozenset((i, j)) for i, j, copy in self._wanted if copy}
        found = []
        for n, i in enumerate(free):
            for j in free[n + 1 :]:
                if frozenset((i, j)) in recorded or not same_conformer(str(model.altloc[i]), str(model.altloc[j])):
                    continue
                link = Link("disulf", "", i, j, True)
                distance = link_distance(model, self.structure, link)
                if distance < DISULFIDE_LIMIT:
                    why = f"{distance:.2f} A from a symmetry copy; not bonded unless you accept it"
                    found.append(self._report(link, "disulfide", math.nan, "distance", False, why))
        return found

    # ---- reports ----------------------------------------------------------------------------------------------------

    def _distance(self, i: int, j: int) -> float:
        return float(np.linalg.norm(self.model.xyz[i] - self.model.xyz[j]))

    def _kind(self, link: Link) -> str:
        model = self.model
        if self.metal[link.first] or self.metal[link.second]:
            return "metal"
        names = {str(model.atom_name[link.first]), str(model.atom_name[link.second])}
        if names == {"SG"}:
            return "disulfide"
        kinds = {str(model.residues.kind[model.residue[i]]) for i in (link.first, link.second)}
        if "sugar" in kinds:
            return "glycosidic"
        if names == {"O3'", "P"}:
            return "phosphodiester"
        return "peptide" if names == {"C", "N"} else "covalent"

    def _report(self, link: Link, kind: str, ideal: float, found: str, used: bool, reason: str) -> LinkReport:
        return LinkReport(
            label=link_label(self.model, link.first, link.second, link.symmetry),
            kind=kind,
            first=link.first,
            second=link.second,
            symmetry=link.symmetry,
            distance=link_distance(self.model, self.structure, link),
            ideal=ideal,
            found=found,
            used=used,
            reason=reason,
        )


def _key(first: int, second: int, symmetry: bool) -> tuple[int, int, bool]:
    """A link whichever end is named first."""
    return min(first, second), max(first, second), symmetry


def find_link(model: Model, label: str) -> tuple[int, int, bool]:
    """Rows of the two atoms of 'A 26 CYS SG - A 84 CYS SG' (residue names may be left out), and whether the label ends
    with '(symmetry)': the second atom is then a symmetry copy.

    Raises InputError when there are no such atoms.
    """
    pair = label.strip().removesuffix("(symmetry)")
    ends = pair.split(" - ")
    if len(ends) != 2:
        raise InputError("is not a link.", item=label, remedy="Write two atoms with ' - ' between: A 26 SG - A 84 SG.")
    first, second = (_find_atom(model, end, label) for end in ends)
    return first, second, pair != label.strip()


def _find_atom(model: Model, text: str, label: str) -> int:
    """'A 26 CYS SG (B)': chain, number with insertion code, residue name if any, atom, altloc if any."""
    words = text.replace("(", " ").replace(")", " ").split()
    letter = words.pop() if "(" in text and words else ""
    blank = (
        bool(words) and words[0].lstrip("-")[:1].isdigit() and (len(words) < 3 or not words[1].lstrip("-").isdigit())
    )
    chain = "" if blank else (words.pop(0) if words else "")
    if 2 <= len(words) <= 3:
        number, name, atom = words[0], words[1] if len(words) == 3 else "", words[-1]
        for i in np.flatnonzero(model.atom_name == atom).tolist():
            row = int(model.residue[i])
            residues = model.residues
            here = f"{residues.number[row]}{residues.insertion[row]}"
            called = str(residues.name[row])
            right_name = called in (name or called, *component_names(name))
            right_name = right_name and letter in ("", str(model.altloc[i]))
            if residues.chain[row] == chain and here == number and right_name:
                return i
    raise InputError(
        f"the model has no atom {text.strip()}.", item=label, remedy="Write chain, number and atom: A 26 SG - A 84 SG."
    )


def near_pairs(model: Model, rows: AnyArray, radius: float) -> AnyArray:
    """(k, 2) pairs of model rows i < j within radius angstrom (same asymmetric unit), sorted."""
    if len(rows) < 2:
        return np.zeros((0, 2), np.int64)
    pairs = rows[cKDTree(model.xyz[rows]).query_pairs(radius, output_type="ndarray")]
    pairs.sort(axis=1)
    result: AnyArray = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return result


def _linked(model: Model, bonded: set[tuple[int, int]]) -> dict[int, list[int]]:
    """Atom -> atoms of other residues it is bonded to."""
    found: dict[int, list[int]] = {}
    for i, j in bonded:
        if model.residue[i] != model.residue[j]:
            _join(found, i, j)
    return found


def _join(linked: dict[int, list[int]], i: int, j: int) -> None:
    linked.setdefault(i, []).append(j)
    linked.setdefault(j, []).append(i)


def _occupied(model: Model, linked: dict[int, list[int]], atom: int, other: int) -> bool:
    """The atom is bonded to another residue already, in a conformer that sees the other atom."""
    letters = {str(model.altloc[atom]), str(model.altloc[other])} - {""}
    return any(not model.altloc[x] or not letters or str(model.altloc[x]) in letters for x in linked.get(atom, []))


def _alternatives(model: Model, first: int, second: int) -> bool:
    """Two names for one place in the chain (microheterogeneity) are never bonded to each other."""
    r = model.residues
    return bool(
        r.chain[first] == r.chain[second]
        and r.number[first] == r.number[second]
        and r.insertion[first] == r.insertion[second]
    )


_LISTED = 3
"""Bonds found by distance that a note still names one by one."""


def found_note(reports: list[LinkReport]) -> list[str]:
    """One line on the bonds that only distances show, metals apart (their count stands with the links)."""
    found = [r for r in reports if r.used and r.found == "distance" and r.kind != "metal"]
    if not found:
        return []
    if len(found) <= _LISTED:
        told = ", ".join(f"{r.label} ({r.distance:.2f} A)" for r in found)
        return [f"Bonded by distance: {told}."]
    kinds = Counter(r.kind for r in found)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    apart = [r.distance for r in found]
    return [
        f"Bonded by distance: {counted(len(found), 'pair')} of atoms that no record names ({told}; {min(apart):.2f} to "
        f"{max(apart):.2f} A). The Restraints window and statistics.json list them."
    ]
