"""Files that do not hold what stands in the asymmetric unit of the standard frame: strict NCS whose copies are left
out (MTRIX, struct_ncs_oper), and coordinates on other axes than those of the PDB (SCALE, fract_transf_matrix)."""

from __future__ import annotations

from itertools import product
from string import ascii_lowercase, ascii_uppercase, digits

import gemmi
import numpy as np

from workbench.core.words import counted

_VOLUME_TOLERANCE = 0.02
_SAME_PLACE = 1.0
"""Angstrom: two copies of a chain closer than this are one."""


def completed(structure: gemmi.Structure, notes: list[str]) -> bool:
    """Bring the first model to the standard frame and expand its strict NCS, in place; other models are dropped then.

    Returns whether anything was changed. What was done, or left undone, is said in `notes`.
    """
    changed = _standard_frame(structure, notes)
    wanted = [operator for operator in structure.ncs if not operator.given]
    if not wanted:
        return changed
    while len(structure) > 1:
        del structure[1]
    model = structure[0]
    originals = [chain.name for chain in model]
    links = list(structure.connections)
    used = set(originals)
    made = there = 0
    for operator in wanted:
        renamed: dict[str, str] = {}
        copies = {name: _moved(model[name], operator.tr) for name in originals}
        if any(_occupied(copy, model) for copy in copies.values()):
            there += 1
            continue
        for name, copy in copies.items():
            copy.name = _free_name(used)
            used.add(copy.name)
            renamed[name] = copy.name
            model.add_chain(copy)
            made += 1
        for link in links:
            twin = _renamed(link, renamed)
            if twin is not None:
                structure.connections.append(twin)
    for operator in structure.ncs:
        operator.given = True
    if made:
        notes.append(
            f"Strict non-crystallographic symmetry: {counted(made, 'chain')} that the file leaves out "
            f"{'is' if made == 1 else 'are'} made from its operators (MTRIX) and refined like all others."
        )
    if there:
        notes.append(
            f"{there} operators (MTRIX) are marked as if their copies were left out, but these are in the file: they "
            "are not doubled."
        )
    structure.setup_cell_images()
    return changed or made > 0


def _standard_frame(structure: gemmi.Structure, notes: list[str]) -> bool:
    cell = structure.cell
    if not cell.explicit_matrices:
        return False
    ratio = abs(np.linalg.det(np.array(cell.frac.mat.tolist()))) * float(gemmi.UnitCell(*cell.parameters).volume)
    if abs(ratio - 1.0) > _VOLUME_TOLERANCE:
        notes.append("The scale matrix (SCALE) does not belong to the unit cell and is not used.")
        structure.cell = gemmi.UnitCell(*cell.parameters)
        return True
    structure.standardize_crystal_frame()
    notes.append("The coordinates stand on other axes than usual (SCALE); they are turned to the standard frame.")
    return True


def _moved(chain: gemmi.Chain, place: gemmi.Transform) -> gemmi.Chain:
    copy = chain.clone()
    turn = np.array(place.mat.tolist())
    for residue in copy:
        for atom in residue:
            atom.pos = gemmi.Position(place.apply(atom.pos))
            if atom.aniso.nonzero():
                u = turn @ np.array(atom.aniso.as_mat33().tolist()) @ turn.T
                atom.aniso = gemmi.SMat33f(u[0, 0], u[1, 1], u[2, 2], u[0, 1], u[0, 2], u[1, 2])
    return copy


def _places(chain: gemmi.Chain) -> np.ndarray:
    return np.array([atom.pos.tolist() for residue in chain for atom in residue]).reshape(-1, 3)


def _occupied(copy: gemmi.Chain, model: gemmi.Model) -> bool:
    """A chain of as many atoms stands there already: old files mark operators as missing whose copies they hold."""
    mine = _places(copy)
    for chain in model:
        theirs = _places(chain)
        if len(theirs) == len(mine) and np.median(np.linalg.norm(theirs - mine, axis=1)) < _SAME_PLACE:
            return True
    return False


def _free_name(used: set[str]) -> str:
    letters = ascii_uppercase + ascii_lowercase + digits
    for size in (1, 2, 3, 4):
        for name in map("".join, product(letters, repeat=size)):
            if name not in used:
                return name
    raise OverflowError("no chain names are left")


def _renamed(link: gemmi.Connection, names: dict[str, str]) -> gemmi.Connection | None:
    """The same bond in a copy; None where it leads out of what was copied."""
    if link.partner1.chain_name not in names or link.partner2.chain_name not in names:
        return None
    twin = gemmi.Connection()
    twin.type, twin.link_id, twin.asu = link.type, link.link_id, link.asu
    twin.reported_distance = link.reported_distance
    for source, target in ((link.partner1, twin.partner1), (link.partner2, twin.partner2)):
        target.chain_name = names[source.chain_name]
        target.res_id, target.atom_name, target.altloc = source.res_id, source.atom_name, source.altloc
    return twin
