"""From a model and a monomer library to restraint tables: the chemistry of the structure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, IntArray
from workbench.core.crystal import LinkReport, Model
from workbench.core.errors import InputError
from workbench.core.words import counted
from workbench.engine.geometry.atom_names import with_current_names
from workbench.engine.geometry.blank_conformers import with_lettered_blanks
from workbench.engine.geometry.chain_sequence import ChainSequence
from workbench.engine.geometry.components import Component, component
from workbench.engine.geometry.contact_types import contact_types
from workbench.engine.geometry.description import Bonds, GeometryDescription, Hydrogens
from workbench.engine.geometry.dictionary_match import fit_dictionaries
from workbench.engine.geometry.direct_bonds import add_direct_bonds
from workbench.engine.geometry.hydrogen_placement import (
    Surroundings,
    ideal_hydrogens,
    kept_hydrogens,
    no_hydrogens,
)
from workbench.engine.geometry.hydrogens import hydrogen_positions
from workbench.engine.geometry.links import FROM_LIBRARY, LinkFinder, LinkPlan, atom_label, found_note, metals
from workbench.engine.geometry.peptides import cis_notes
from workbench.engine.geometry.restraint_tables import RestraintLists, chain_infos, read_topology, to_tables
from workbench.engine.geometry.structure import connection, gemmi_structure, insert_atoms, is_hydrogen, select_atoms
from workbench.engine.geometry.unknown_components import add_own_geometry, own_bonds

HydrogenMode = Literal["keep", "riding", "all", "none"]

_REMEDY = (
    "Use a complete monomer library (with links_and_mods.cif or list/mon_lib_list.cif that holds links such as TRANS), "
    "or leave the library setting empty to use the embedded one."
)


_LINK_REMEDY = "Name two atoms that are close enough to be bonded, or leave the option out."


class _Warnings:
    """Collects gemmi's warnings."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@dataclass
class _Chemistry:
    """One pass of gemmi's topology over the heavy atoms."""

    structure: gemmi.Structure
    topology: gemmi.Topo
    plan: LinkPlan
    lists: RestraintLists
    warnings: str


def build_geometry(
    model: Model,
    monlib: gemmi.MonLib,
    component_sources: dict[str, str],
    hydrogens: HydrogenMode = "riding",
    links: dict[str, bool] | None = None,
    nuclear_distances: bool = False,
    strict_links: bool = False,
) -> GeometryDescription:
    """Restraints, contacts and hydrogens of a model.

    monlib: monomers, links, modifications and energy types; it is not changed. component_sources: where each component
    came from, for messages. hydrogens: "keep" those of the model (they become dependent on their parents), "riding"
    (those of the model are removed, ideal ones ride), "all" (ideal ones are added to the model), "none".
    links: what the user decided, by the label of a link report: True to bond, False not to. nuclear_distances:
    hydrogens stand at the distance of their nuclei (neutron data) instead of their electron clouds (X-rays).
    strict_links: a decision on links that cannot be followed is an error; otherwise it is noted.
    Raises InputError when the library has no links (a protein would silently lose its peptide bonds).
    """
    _refuse_empty_library(model, monlib, component_sources)
    notes: list[str] = []
    flagged: dict[str, str] = {}
    given = is_hydrogen(model)
    as_read = model
    model = source = with_lettered_blanks(model)
    own_hydrogens = np.flatnonzero(given)
    if hydrogens != "keep" and len(own_hydrogens):
        model = select_atoms(model, ~given)
        as_read = select_atoms(as_read, ~given)
    heavy = ~is_hydrogen(model)
    library = monlib.clone()
    model, renamed = with_current_names(model, library)
    notes.extend(renamed)
    if renamed:
        source = with_current_names(source, library)[0]
    matched, strangers = fit_dictionaries(model, library)
    notes.extend(matched)
    flagged.update(strangers)
    unknown = _unknown_residues(model, library)
    chemistry = _prepare(model, heavy, library, unknown, links or {}, strict_links)
    notes.extend(chemistry.plan.notes)
    _check_peptide_links(chemistry.topology, monlib, component_sources)
    lists = chemistry.lists
    metal = metals(model).astype(np.int32)
    components = _components(model, chemistry.topology, library, nuclear_distances)
    add_direct_bonds(lists, model, chemistry.plan.direct, components)
    own = _own_geometry(model, heavy, unknown, chemistry, metal, flagged, notes)
    lost = _given_up(chemistry.plan)
    bonded = lists.bonded_pairs()
    notes.extend(found_note(chemistry.plan.reports))
    notes.extend(ChainSequence(model).gap_notes(heavy, bonded))
    notes.extend(cis_notes(model, lists))
    neighbours: dict[int, list[int]] = {}
    for i, j, image in lists.bonds:
        if image == 0:
            neighbours.setdefault(i, []).append(j)
            neighbours.setdefault(j, []).append(i)
    around = Surroundings(
        model, neighbours, components, heavy, metal.astype(bool), lost, _after_gap(model, chemistry.topology, bonded)
    )
    table, drop = _hydrogen_table(around, source, own_hydrogens, hydrogens, own)
    if len(drop):
        labels = ", ".join(atom_label(model, i) for i in drop[:5])
        notes.append(f"{counted(len(drop), 'hydrogen', 'have')} no atom to ride on, left out: {labels}.")
        remaining = np.ones(len(model), bool)
        remaining[drop] = False
        rest = build_geometry(
            select_atoms(as_read, remaining),
            monlib,
            component_sources,
            hydrogens,
            links,
            nuclear_distances,
            strict_links,
        )
        return replace(rest, notes=(notes[-1], *rest.notes))
    reports = [_of_unknown(report, unknown[model.residue]) for report in chemistry.plan.reports]
    notes.extend(_bare_note(around, table, hydrogens))
    if hydrogens == "all" and len(table.parent):
        model, table, lists, heavy, chem_rows = _write_hydrogens(model, table, lists, heavy)
        reports = [replace(r, first=int(chem_rows[r.first]), second=int(chem_rows[r.second])) for r in reports]
        metal = metals(model).astype(np.int32)
    else:
        chem_rows = np.arange(len(model), dtype=np.int32)
    bonds, angles, torsions, chiralities, planes = to_tables(lists, model.xyz)
    inside = bonds.atoms[bonds.symmetry == 0]
    chem_type = _chem_types(around, len(model), chem_rows)
    contacts = contact_types(model, chem_type, monlib, table, inside, planes, metal)
    model = _as_read(model, as_read, chem_rows, table)
    in_model = table.model_index >= 0
    drawn = np.concatenate([inside, np.stack([table.parent[in_model], table.model_index[in_model]], 1).reshape(-1, 2)])
    images = np.array(lists.images, float).reshape(-1, 3, 4)
    counts = {
        "bonds": len(bonds.ideal),
        "angles": len(angles.ideal),
        "torsions": len(torsions.ideal),
        "chirality": len(chiralities.ideal),
        "planes": len(planes.sigma),
    }
    notes.extend(_warning_notes(chemistry.warnings))
    return GeometryDescription(
        model=model,
        n_atoms=len(model),
        bonds=bonds,
        angles=angles,
        torsions=torsions,
        chiralities=chiralities,
        planes=planes,
        contacts=contacts,
        hydrogens=table,
        images=images,
        drawn_bonds=drawn.astype(np.int32),
        counts=counts,
        flagged=flagged,
        notes=tuple(dict.fromkeys(notes)),
        links=tuple(_with_targets(reports, bonds)),
    )


def _refuse_empty_library(model: Model, monlib: gemmi.MonLib, sources: dict[str, str]) -> None:
    polymer = int(np.isin(model.residues.kind, ("protein", "nucleic")).sum())
    where = monlib.monomer_dir or next(iter(sources.values()), "monomer library")
    if len(monlib.ener_lib.atoms) == 0:
        raise InputError("The library holds no energy types (ener_lib.cif).", file=where, remedy=_REMEDY)
    if polymer > 1 and (len(monlib.links) == 0 or "TRANS" not in monlib.links):
        raise InputError(
            "The library holds no peptide links: the chain would fall apart into single residues.",
            file=where,
            item="links",
            remedy=_REMEDY,
        )


def _check_peptide_links(topology: gemmi.Topo, monlib: gemmi.MonLib, sources: dict[str, str]) -> None:
    """The silent failure: chain links are named but bring no restraints at all."""
    empty: list[gemmi.Topo.Link] = []
    for chain in chain_infos(topology):
        for residue in chain.res_infos:
            for link in residue.prev:
                if len(link.link_rules):
                    return
                if link.link_id not in ("", "gap", "?") and _linkable(link):
                    empty.append(link)
    if empty:
        raise InputError(
            f"Link {empty[0].link_id} between {empty[0].res1} and {empty[0].res2} has no restraints.",
            file=monlib.monomer_dir or next(iter(sources.values()), "monomer library"),
            item=empty[0].link_id,
            remedy=_REMEDY,
        )


def _linkable(link: gemmi.Topo.Link) -> bool:
    """Both ends have the atoms of a peptide or phosphodiester bond."""
    first = {a.name for a in link.res1}
    second = {a.name for a in link.res2}
    return ("C" in first and "N" in second) or ("O3'" in first and "P" in second)


def _unknown_residues(model: Model, library: gemmi.MonLib) -> BoolArray:
    """(r,) residues whose component the library does not hold, or holds without any bond between its many atoms."""
    residues = model.residues
    known: dict[str, bool] = {}
    for name in set(residues.name.tolist()):
        held = name in library.monomers
        if held:
            definition = library.monomers[name]
            held = len(definition.rt.bonds) > 0 or len(definition.atoms) <= 1
        known[name] = held
    return np.array([not known[n] for n in residues.name.tolist()], bool)


def _prepare(
    model: Model,
    heavy: BoolArray,
    library: gemmi.MonLib,
    unknown: BoolArray,
    choices: dict[str, bool],
    strict: bool,
) -> _Chemistry:
    """Topology with the links of the records, then again with those that only distances show."""
    structure = gemmi_structure(model)
    structure.remove_hydrogens()
    finder = LinkFinder(model, heavy, library, structure, choices)
    plan = finder.recorded()
    taken_over = set(np.flatnonzero(unknown[model.residue]).tolist())
    known_links = set(library.links)
    chemistry = _run(model, structure, library, plan, taken_over, known_links)
    more = finder.unrecorded(_joined(chemistry))
    plan = LinkPlan(
        plan.known + more.known, plan.direct + more.direct, plan.reports + more.reports, plan.notes + more.notes
    )
    for label, why in finder.idle_choices(plan.reports, _joined(replace(chemistry, plan=plan))).items():
        if strict:
            raise InputError(f"{why[:1].upper()}{why[1:]}.", item=f"link {label}", remedy=_LINK_REMEDY)
        if not any(why == report.reason for report in plan.reports):
            plan.notes.append(f"Link {label}: {why}.")
    if more.known:
        return _run(model, structure, library, plan, taken_over, known_links)
    return replace(chemistry, plan=plan)


def _joined(chemistry: _Chemistry) -> set[tuple[int, int]]:
    """Pairs of rows that are bonded, by the topology or by a bond that no library describes."""
    plan = chemistry.plan
    linked = [(x.first, x.second) for x in plan.known] + [(x.first, x.second) for x in plan.direct]
    return chemistry.lists.bonded_pairs() | {(min(pair), max(pair)) for pair in linked}


def _run(
    model: Model,
    structure: gemmi.Structure,
    library: gemmi.MonLib,
    plan: LinkPlan,
    taken_over: set[int],
    known_links: set[str],
) -> _Chemistry:
    structure.connections.clear()
    residue = model.residue
    for number, link in enumerate(plan.known):
        if {link.first, link.second} & taken_over and residue[link.first] != residue[link.second]:
            continue
        named = link if link.name in known_links else replace(link, name="")
        structure.connections.append(connection(model, named, number))
    warnings = _Warnings()
    rows = [cra.atom.serial for cra in structure[0].all()]
    topology = gemmi.prepare_topology(
        structure, library, 0, gemmi.HydrogenChange.NoChange, False, warnings, False, False
    )  # fmt: skip
    for cra, serial in zip(structure[0].all(), rows, strict=True):  # prepare_topology numbers the atoms anew
        cra.atom.serial = serial
    lists = read_topology(topology, structure.cell, taken_over)
    return _Chemistry(structure, topology, plan, lists, warnings.text)


def _own_geometry(
    model: Model,
    heavy: BoolArray,
    unknown: BoolArray,
    chemistry: _Chemistry,
    metal: IntArray,
    flagged: dict[str, str],
    notes: list[str],
) -> BoolArray:
    """Adds restraints for unknown components and unknown atoms; returns the residues (r,) with own geometry."""
    lists = chemistry.lists
    residues = model.residues
    several = residues.n_atoms > 1
    bonded = np.zeros(len(model), bool)
    for i, j, _ in lists.bonds:
        bonded[i] = bonded[j] = True
    heavy_count = np.bincount(model.residue[heavy], minlength=len(residues))
    own = unknown & (heavy_count > 1)
    single = heavy & ~bonded & ~unknown[model.residue] & several[model.residue]
    single &= (residues.kind != "water")[model.residue]
    single &= heavy_count[model.residue] > 1
    of = {int(i) for i in np.flatnonzero(heavy & (own[model.residue] | single))}
    rows = np.flatnonzero(heavy & np.isin(model.residue, model.residue[sorted(of)] if of else []))
    pairs = own_bonds(model, rows, of) if of else []
    centres: set[int] = set()
    plan = chemistry.plan
    linked = [(x.first, x.second) for x in plan.known if not x.symmetry]
    linked += [(x.first, x.second) for x in plan.direct if x.operator is None]
    for first, second in linked:
        ends = {first, second}
        strange = {i for i in ends if unknown[model.residue[i]]}
        key = (min(ends), max(ends))
        if not strange or metal[first] or metal[second]:
            continue
        of |= strange
        centres |= ends
        if (*key, 0) not in lists.bonds:
            pairs.append(key)
    pairs += _peptides_of_unknown(model, unknown, lists)
    if pairs:
        add_own_geometry(lists, model, pairs, of, metal, centres)
    for row in np.flatnonzero(own).tolist():
        name = str(residues.name[row])
        flagged.setdefault(name, "not in the library: restrained to its own geometry")
    for row in np.flatnonzero(unknown & (heavy_count <= 1)).tolist():
        if residues.kind[row] != "water":
            flagged.setdefault(str(residues.name[row]), "not in the library: a single atom, contacts only")
    alone = np.flatnonzero(single).tolist()
    if alone:
        shown = ", ".join(atom_label(model, i) for i in alone[:5]) + (f" and {len(alone) - 5} more" * (len(alone) > 5))
        notes.append(f"No dictionary describes the bonds of these atoms; own geometry is used: {shown}.")
    for i in alone:
        name = str(residues.name[model.residue[i]])
        flagged.setdefault(name, "some atoms are not in the dictionary: restrained to their own geometry")
    return own


def _peptides_of_unknown(model: Model, unknown: BoolArray, lists: RestraintLists) -> list[tuple[int, int]]:
    """Peptide bonds of unknown components with their neighbours in the chain."""
    found = []
    residues = model.residues
    for row in np.flatnonzero(unknown).tolist():
        for first, second in ((row - 1, row), (row, row + 1)):
            if first < 0 or second >= len(residues) or residues.chain[first] != residues.chain[second]:
                continue
            for i in _atoms_named(model, first, "C"):
                for j in _atoms_named(model, second, "N"):
                    near = np.linalg.norm(model.xyz[i] - model.xyz[j]) < 1.9
                    if near and (min(i, j), max(i, j), 0) not in lists.bonds:
                        found.append((min(i, j), max(i, j)))
    return sorted(set(found))


def _atoms_named(model: Model, row: int, name: str) -> list[int]:
    first = int(model.residues.first_atom[row])
    return [i for i in range(first, first + int(model.residues.n_atoms[row])) if model.atom_name[i] == name]


def _given_up(plan: LinkPlan) -> dict[int, int]:
    """Atoms -> hydrogens they give up because a bond joins them that no dictionary describes."""
    lost: dict[int, int] = {}
    for bond in plan.direct:
        for atom in (bond.first, bond.second):
            if not bond.metal:
                lost[atom] = lost.get(atom, 0) + 1
    return lost


def _with_targets(reports: list[LinkReport], bonds: Bonds) -> list[LinkReport]:
    """The reports with the targets that the restraint tables hold for their bonds."""
    ideal = {
        (min(i, j), max(i, j), bool(image)): float(value)
        for (i, j), image, value in zip(bonds.atoms.tolist(), bonds.symmetry.tolist(), bonds.ideal, strict=True)
    }
    found = []
    for report in reports:
        key = (min(report.first, report.second), max(report.first, report.second), report.symmetry)
        if report.used and key in ideal:
            report = replace(report, ideal=ideal[key])  # noqa: PLW2901
        elif report.used:
            report = replace(report, used=False, reason="no restraint could be made")  # noqa: PLW2901
        found.append(report)
    return found


def _after_gap(model: Model, topology: gemmi.Topo, bonded: set[tuple[int, int]]) -> set[int]:
    """Backbone nitrogens after a chain gap: their hydrogen points away from an atom that is not there."""
    found: set[int] = set()
    for chain in chain_infos(topology):
        for residue in chain.res_infos:
            if any(link.link_id == "gap" for link in residue.prev):
                found.update(a.serial - 1 for a in residue.res if a.name == "N")
    elsewhere = {x for i, j in bonded if model.residue[i] != model.residue[j] for x in (i, j)}
    return found - elsewhere


def _components(
    model: Model, topology: gemmi.Topo, library: gemmi.MonLib, nuclear_distances: bool
) -> list[dict[str, Component]]:
    """The components of every residue row by altloc, shared between residues that are alike."""
    cache: dict[tuple[object, ...], Component] = {}
    found: list[dict[str, Component]] = [{} for _ in range(len(model.residues))]
    for chain in chain_infos(topology):
        for info in chain.res_infos:
            residue = info.res
            if residue.name not in library.monomers or not len(info.chemcomps):
                continue
            row = int(model.residue[residue[0].serial - 1])
            mods = [(m.id, m.altloc) for m in info.mods]
            for altloc in sorted({a.altloc for a in residue}):
                used = tuple(sorted(name for name, of in mods if of in ("\0", altloc) or altloc == "\0"))
                key = (residue.name, used)
                if key not in cache:
                    cache[key] = component(info.get_final_chemcomp(altloc), library.ener_lib, nuclear_distances)
                found[row][altloc.strip("\0")] = cache[key]
    return found


def _of_unknown(report: LinkReport, unknown: BoolArray) -> LinkReport:
    """What is said of a link whose library restraints are not used, since an end belongs to an unknown component
    (unknown (n,) True for its atoms)."""
    if report.reason != FROM_LIBRARY or not (unknown[report.first] or unknown[report.second]):
        return report
    return replace(report, reason="kept at its present length: no dictionary knows one of the components")


def _bare_note(around: Surroundings, table: Hydrogens, mode: HydrogenMode) -> list[str]:
    """Small components whose hydrogens nothing fixes (one or two atoms without anything bonded to them)."""
    if mode not in ("riding", "all"):
        return []
    model = around.model
    residues = model.residues
    clothed = set(model.residue[table.parent].tolist())
    bare: Counter[str] = Counter()
    for row in np.flatnonzero(~np.isin(residues.kind, ("water", "protein", "nucleic"))).tolist():
        first = int(residues.first_atom[row])
        inside = range(first, first + int(residues.n_atoms[row]))
        wants = [i for i in inside if (c := around.component(i)) and c.hydrogens.get(str(model.atom_name[i]))]
        free = [i for i in wants if not around.near_metal(i) and i not in around.lost]
        if row not in clothed and free:
            bare[str(residues.name[row])] += 1
    told = ", ".join(f"{name} ({count})" for name, count in sorted(bare.items()))
    return [f"No hydrogens are placed on {told}: too few atoms to say where they point."] if bare else []


def _as_read(model: Model, as_read: Model, rows: AnyArray, table: Hydrogens) -> Model:
    """The model with the names and conformer letters it was read with; added hydrogens have their parents'.

    rows: where the atoms of `as_read` are now.
    """
    names, altloc = model.atom_name.astype("U8"), model.altloc.astype("U1")
    names[rows], altloc[rows] = as_read.atom_name, as_read.altloc
    added = np.setdiff1d(np.arange(len(model)), rows)
    parent = dict(zip(table.model_index.tolist(), table.parent.tolist(), strict=True))
    for i in added.tolist():
        altloc[i] = altloc[parent[i]]
    residues = replace(model.residues, name=as_read.residues.name)
    return replace(model, atom_name=names, altloc=altloc, residues=residues)


def _chem_types(around: Surroundings, n: int, rows: AnyArray) -> list[str]:
    """Energy type of each of the n model atoms; rows: where the atoms of `around` are now."""
    types = [""] * n
    names = around.model.atom_name.tolist()
    for old, new in enumerate(rows.tolist()):
        known = around.component(old)
        if known is not None:
            types[new] = known.chem_type.get(names[old], "")
    return types


def _hydrogen_table(
    around: Surroundings, source: Model, own_hydrogens: AnyArray, mode: HydrogenMode, own: BoolArray
) -> tuple[Hydrogens, list[int]]:
    """The table of the mode, and rows of model hydrogens that cannot ride.

    source: the model as given. Where no dictionary knows a component, its own hydrogens ride in place of ideal ones.
    """
    if mode == "none":
        return no_hydrogens(), []
    if mode == "keep":
        return kept_hydrogens(around, own_hydrogens, True)
    ideal = ideal_hydrogens(around)
    of_unknown = own_hydrogens[np.isin(source.residue[own_hydrogens], _rows_in_source(around.model, source, own))]
    if not len(of_unknown):
        return ideal, []
    old_row = np.flatnonzero(~is_hydrogen(source))
    moved = {int(old_row[i]): [int(old_row[j]) for j in near] for i, near in around.neighbours.items()}
    heavy = np.zeros(len(source), bool)
    heavy[old_row] = True
    metal = np.zeros(len(source), bool)
    metal[old_row] = around.metal
    as_given = Surroundings(source, moved, [{} for _ in range(len(source.residues))], heavy, metal)
    theirs, _ = kept_hydrogens(as_given, of_unknown, False)
    new_row = np.full(len(source), -1, np.int32)
    new_row[old_row] = np.arange(len(old_row), dtype=np.int32)
    return _joined_tables(ideal, theirs, new_row), []


def _rows_in_source(model: Model, source: Model, own: BoolArray) -> AnyArray:
    """Residues of the model as given that have own geometry (own (r,) counts residues without hydrogens)."""
    old_row = np.flatnonzero(~is_hydrogen(source))
    result: AnyArray = np.unique(source.residue[old_row[own[model.residue]]])
    return result


def _joined_tables(first: Hydrogens, second: Hydrogens, new_row: IntArray) -> Hydrogens:
    """Two tables of riding hydrogens as one; new_row renumbers the atoms of the second."""
    near = np.where(second.neighbours >= 0, new_row[second.neighbours], -1).astype(np.int32)
    return Hydrogens(
        element=np.concatenate([first.element, second.element]),
        name=np.concatenate([first.name, second.name]),
        parent=np.concatenate([first.parent, new_row[second.parent]]),
        neighbours=np.concatenate([first.neighbours, near]),
        kind=np.concatenate([first.kind, second.kind]),
        parameters=np.concatenate([first.parameters, second.parameters]),
        model_index=np.concatenate([first.model_index, second.model_index]),
    )


def _write_hydrogens(
    model: Model, table: Hydrogens, lists: RestraintLists, heavy: BoolArray
) -> tuple[Model, Hydrogens, RestraintLists, BoolArray, IntArray]:
    """Hydrogens as atoms of the model; every index follows."""
    positions: FloatArray = hydrogen_positions(table, model.xyz)
    extended, place, added = insert_atoms(model, table.parent, table.name.tolist(), table.element.tolist())
    xyz = extended.xyz.copy()
    xyz[added] = positions
    extended = replace(extended, xyz=xyz)
    neighbours = np.where(table.neighbours >= 0, place[table.neighbours], -1).astype(np.int32)
    table = replace(table, parent=place[table.parent], neighbours=neighbours, model_index=added)
    new_heavy = np.zeros(len(extended), bool)
    new_heavy[place] = heavy
    return extended, table, lists.renumbered(place), new_heavy, place


_NOT_FOUND = re.compile(r"definition not found for \S+?/(\S+) [^/]*/(\S+)")
_LINES = 10
"""Lines of gemmi's other warnings that are passed on."""


def _warning_notes(text: str) -> list[str]:
    """gemmi's warnings; those of atoms that a dictionary lacks are counted by component and atom."""
    lacking: Counter[str] = Counter()
    others: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        found = _NOT_FOUND.search(line)
        if found is None:
            others.append(line)
        else:
            lacking[f"{found[1]} {found[2]}"] += 1
    notes = others[:_LINES]
    if len(others) > _LINES:
        notes.append(f"{len(others) - _LINES} more warnings like the last one.")
    if lacking:
        told = ", ".join(f"{name} ({count})" for name, count in lacking.most_common(8))
        more = f" and {len(lacking) - 8} more kinds" if len(lacking) > 8 else ""
        notes.append(f"Atoms that their dictionary does not have: {told}{more}.")
    return notes


__all__ = ["HydrogenMode", "build_geometry"]
