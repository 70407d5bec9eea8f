"""A gemmi structure made from the plain arrays of a model, as the topology builder wants it."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, IntArray
from workbench.core.crystal import Link, Model, Residues

_CONNECTION = {
    "covale": gemmi.ConnectionType.Covale,
    "disulf": gemmi.ConnectionType.Disulf,
    "metalc": gemmi.ConnectionType.MetalC,
    "hydrog": gemmi.ConnectionType.Hydrog,
    "unknown": gemmi.ConnectionType.Unknown,
}


_BLANK = " "
"""Name of the chain that has none: gemmi makes no polymer, hence no peptide bonds, of a chain with an empty name."""


def is_hydrogen(model: Model) -> BoolArray:
    """(n,) True for hydrogen and deuterium."""
    return np.isin(model.element, ("H", "D"))


def gemmi_structure(model: Model) -> gemmi.Structure:
    """The model as a gemmi structure with entities set up.

    `atom.serial` is the row of the model plus one. All residues of one chain name stand in one chain, the polymer
    first, so that waters written between do not cut it. Links become connections (hydrogen bonds do not).
    """
    structure = gemmi.Structure()
    structure.cell = gemmi.UnitCell(*model.crystal.cell)
    structure.spacegroup_hm = model.crystal.space_group
    structure.setup_cell_images()
    chains: dict[str, list[int]] = {}
    residues = model.residues
    for row in range(len(residues)):
        chains.setdefault(str(residues.chain[row]), []).append(row)
    new = gemmi.Model(1)
    for name, rows in chains.items():
        chain = gemmi.Chain(name or _BLANK)
        for row in sorted(rows, key=lambda r: residues.kind[r] not in ("protein", "nucleic")):
            chain.add_residue(_residue(model, row))
        new.add_chain(chain)
    structure.add_model(new)
    structure.setup_entities()
    for link in model.links:
        if link.kind != "hydrog":
            structure.connections.append(connection(model, link, len(structure.connections)))
    return structure


def _residue(model: Model, row: int) -> gemmi.Residue:
    residues = model.residues
    residue = gemmi.Residue()
    residue.name = str(residues.name[row])
    residue.seqid = _seqid(residues, row)
    kind = residues.kind[row]
    if kind in ("protein", "nucleic"):
        residue.entity_type = gemmi.EntityType.Polymer
        residue.het_flag = "A"
    else:
        residue.entity_type = gemmi.EntityType.Water if kind == "water" else gemmi.EntityType.NonPolymer
        residue.het_flag = "H"
    first = int(residues.first_atom[row])
    for i in range(first, first + int(residues.n_atoms[row])):
        atom = gemmi.Atom()
        atom.name = str(model.atom_name[i])
        atom.altloc = str(model.altloc[i]) or "\0"
        atom.element = gemmi.Element(str(model.element[i]))
        atom.charge = int(model.charge[i])
        x, y, z = model.xyz[i]
        atom.pos = gemmi.Position(float(x), float(y), float(z))
        atom.occ = float(model.occupancy[i])
        atom.b_iso = float(model.b_iso[i])
        atom.serial = i + 1
        residue.add_atom(atom)
    return residue


def _seqid(residues: Residues, row: int) -> gemmi.SeqId:
    return gemmi.SeqId(int(residues.number[row]), str(residues.insertion[row]) or " ")


def connection(model: Model, link: Link, number: int) -> gemmi.Connection:
    """A link as gemmi's connection record."""
    made = gemmi.Connection()
    made.name = f"link{number + 1}"
    made.type = _CONNECTION.get(link.kind, gemmi.ConnectionType.Unknown)
    made.link_id = link.name
    made.asu = gemmi.Asu.Different if link.symmetry else gemmi.Asu.Same
    made.reported_distance = link.distance
    made.partner1 = _address(model, link.first)
    made.partner2 = _address(model, link.second)
    return made


def _address(model: Model, atom: int) -> gemmi.AtomAddress:
    row = int(model.residue[atom])
    residues = model.residues
    return gemmi.AtomAddress(
        str(residues.chain[row]) or _BLANK,
        _seqid(residues, row),
        str(residues.name[row]),
        str(model.atom_name[atom]),
        str(model.altloc[atom]) or "\0",
    )


def select_atoms(model: Model, keep: BoolArray) -> Model:
    """The model with only the atoms where keep (n,) is True; emptied residues and links to lost atoms go too."""
    if bool(keep.all()):
        return model
    rows = np.flatnonzero(keep)
    new_row = np.full(len(model), -1, np.int32)
    new_row[rows] = np.arange(len(rows), dtype=np.int32)
    return _arranged(model, rows.astype(np.int32), model.residue[rows], new_row)


def insert_atoms(
    model: Model, parent: IntArray, name: list[str], element: list[str]
) -> tuple[Model, IntArray, IntArray]:
    """The model with atoms added at the end of the residues of their parents.

    parent (h,): rows of `model`. The new atoms have coordinates, B, occupancy and altloc of their parent,
    source_index -1. Returns the model, the new row of every old atom (n,) and the rows of the new atoms (h,).
    """
    n, h = len(model), len(parent)
    residue = np.concatenate([model.residue, model.residue[parent]])
    order = np.lexsort((np.arange(n + h), residue))
    place = np.empty(n + h, np.int32)
    place[order] = np.arange(n + h, dtype=np.int32)
    both = np.concatenate([np.arange(n), parent])[order]
    arranged = _arranged(model, both.astype(np.int32), residue[order], place[:n])
    added = place[n:]
    names = arranged.atom_name.astype("U8")
    elements = arranged.element.astype("U4")
    source = arranged.source_index.copy()
    charge = arranged.charge.copy()
    anisotropic = arranged.anisotropic.copy()
    u_aniso = arranged.u_aniso.copy()
    names[added] = name
    elements[added] = element
    source[added] = -1
    charge[added] = 0
    anisotropic[added] = False
    u_aniso[added] = 0.0
    model = replace(
        arranged,
        atom_name=names,
        element=elements,
        source_index=source,
        charge=charge,
        anisotropic=anisotropic,
        u_aniso=u_aniso,
    )
    return model, place[:n], added


def _arranged(model: Model, rows: IntArray, residue: IntArray, new_row: IntArray) -> Model:
    """Atoms `rows` of the model, in residues `residue` (old rows, ascending); new_row maps links."""
    old = model.residues
    count = np.bincount(residue, minlength=len(old))
    stays = np.flatnonzero(count > 0)
    renumber = np.full(len(old), -1, np.int32)
    renumber[stays] = np.arange(len(stays), dtype=np.int32)
    n_atoms = count[stays].astype(np.int32)
    residues = Residues(
        name=old.name[stays],
        chain=old.chain[stays],
        number=old.number[stays],
        insertion=old.insertion[stays],
        kind=old.kind[stays],
        first_atom=(np.cumsum(n_atoms) - n_atoms).astype(np.int32),
        n_atoms=n_atoms,
    )
    links = tuple(
        replace(link, first=int(new_row[link.first]), second=int(new_row[link.second]))
        for link in model.links
        if new_row[link.first] >= 0 and new_row[link.second] >= 0
    )
    return replace(
        model,
        xyz=model.xyz[rows],
        b_iso=model.b_iso[rows],
        u_aniso=model.u_aniso[rows],
        anisotropic=model.anisotropic[rows],
        occupancy=model.occupancy[rows],
        element=model.element[rows],
        charge=model.charge[rows],
        atom_name=model.atom_name[rows],
        altloc=model.altloc[rows],
        residue=renumber[residue],
        residues=residues,
        links=links,
        source_index=model.source_index[rows],
    )
