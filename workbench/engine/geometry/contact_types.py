"""What non-bonded contacts need: radii, hydrogen-bond roles, metals, and the pairs that are no contacts."""

from __future__ import annotations

import gemmi
import numpy as np
import scipy.sparse as sp

from workbench.core.arrays import AnyArray, IntArray
from workbench.core.crystal import Model
from workbench.engine.geometry.description import ContactTypes, Hydrogens, Planes
from workbench.engine.geometry.hydrogens import ONE, TWO

RADIUS_CAP = 2.0
"""Angstrom, as in servalcat; the united-atom radii of the library grow to 2.3, which pushes good models apart."""
COORDINATION = 3.0
"""Distance in angstrom up to which a metal and a donor atom are coordinated, hence no contact."""
BONDI = {"H": 1.2, "D": 1.2, "C": 1.7, "N": 1.55, "O": 1.52, "S": 1.8, "P": 1.8, "SE": 1.9}
"""Angstrom, for atoms without an energy type: Bondi (1964), J. Phys. Chem. 68, 441-451, table I."""
_UNITED_CARBON = 1.9
"""Angstrom; carbon with the hydrogens it must have (the library's types CH1 to CH3: 1.92 to 1.95)."""


def contact_types(
    model: Model,
    chem_type: list[str],
    monlib: gemmi.MonLib,
    hydrogens: Hydrogens,
    bonds: AnyArray,
    planes: Planes,
    metal: AnyArray,
) -> ContactTypes:
    """Types of the n model atoms and of the riding hydrogens not in the model.

    chem_type (n,): energy type of each atom ("" where no dictionary tells). bonds: (k, 2) bonded model rows.
    """
    n = len(model)
    riding = np.flatnonzero(hydrogens.model_index < 0)
    index = np.where(hydrogens.model_index >= 0, hydrogens.model_index, n + np.arange(len(hydrogens.parent)))
    total = n + (len(hydrogens.parent) if len(riding) else 0)
    attached = np.bincount(hydrogens.parent, minlength=n)
    radius = np.zeros(total)
    donor, acceptor = np.zeros(total, np.int32), np.zeros(total, np.int32)
    types = monlib.ener_lib.atoms
    table = {t: types[t] for t in set(chem_type) if t in types}
    known: dict[tuple[str, str, bool, bool], tuple[float, int, int]] = {}
    kinds = zip(model.element.tolist(), chem_type, (attached == 0).tolist(), (metal != 0).tolist(), strict=True)
    for i, kind in enumerate(kinds):
        if kind not in known:
            known[kind] = _contact_type(table.get(kind[1]), kind[0], united=kind[2], metal=kind[3])
        radius[i], donor[i], acceptor[i] = known[kind]
    for i in np.flatnonzero(np.isin(model.residues.kind[model.residue], ("water",)) & (model.element == "O")).tolist():
        donor[i] = acceptor[i] = 1
    polar = np.isin(model.element[hydrogens.parent], ("N", "O", "S")).astype(np.int32)
    radius[index] = BONDI["H"]
    donor[index], acceptor[index] = polar, 0
    codes = {a: (ord(a[0]) if a else 0) for a in set(model.altloc.tolist())}
    altloc = np.zeros(total, np.int32)
    altloc[:n] = [codes[a] for a in model.altloc.tolist()]
    if len(riding):
        altloc[index] = altloc[hydrogens.parent]
    metals = np.zeros(total, np.int32)
    metals[:n] = metal
    edges = np.concatenate(
        [bonds.reshape(-1, 2), np.stack([hydrogens.parent, index], 1).reshape(-1, 2), _coordinated(model, metal)]
    )
    flat = _planar_membership(planes, hydrogens, index, total)
    excluded, one_four = _near_in_bonds(edges, flat, total)
    return ContactTypes(radius, donor, acceptor, metals, altloc, excluded, one_four)


def _contact_type(entry: gemmi.EnerLib.Atom | None, element: str, united: bool, metal: bool) -> tuple[float, int, int]:
    """Radius in angstrom, donor and acceptor of an atom. united: no hydrogen of it is there."""
    if metal:
        return min(_ion_radius(entry, element), RADIUS_CAP), 0, 0
    if entry is not None:
        value = entry.vdwh_radius if united else entry.vdw_radius
        value = value if np.isfinite(value) else entry.vdw_radius
        return min(value, RADIUS_CAP), int(entry.hb_type in ("D", "B")), int(entry.hb_type in ("A", "B"))
    value = _UNITED_CARBON if element == "C" and united else BONDI.get(element, gemmi.Element(element).vdw_r)
    polar = int(element in ("N", "O"))
    return min(value, RADIUS_CAP), polar, polar


def _ion_radius(entry: gemmi.EnerLib.Atom | None, element: str) -> float:
    if entry is not None and np.isfinite(entry.ion_radius) and entry.ion_radius > 0:
        return float(entry.ion_radius)
    return 0.8 if element not in ("NA", "K", "CA", "SR", "BA", "RB", "CS") else 1.2


def _coordinated(model: Model, metal: AnyArray) -> AnyArray:
    rows = np.flatnonzero(metal)
    if not len(rows):
        return np.zeros((0, 2), np.int64)
    ligand = np.isin(model.element, ("N", "O", "S", "SE", "CL", "F", "BR", "I")) | metal
    found: list[tuple[int, int]] = []
    for m in rows.tolist():
        near = np.flatnonzero(ligand & (np.linalg.norm(model.xyz - model.xyz[m], axis=1) < COORDINATION))
        found.extend((m, i) for i in near.tolist() if i != m)
    return np.array(found, np.int64).reshape(-1, 2)


def _planar_membership(planes: Planes, hydrogens: Hydrogens, index: AnyArray, total: int) -> sp.csr_matrix:
    """(total, planes) atoms in planes; a hydrogen in the plane of its parent's group belongs to it as well."""
    count = len(planes.sigma)
    plane = np.repeat(np.arange(count), np.diff(planes.start))
    member = sp.csr_matrix((np.ones(len(plane)), (planes.atoms, plane)), shape=(total, max(count, 1)))
    out = np.where(hydrogens.kind == TWO, hydrogens.parameters[:, 3], hydrogens.parameters[:, 2])
    rows = np.flatnonzero(((hydrogens.kind == ONE) | (hydrogens.kind == TWO)) & (np.abs(out) < 0.05))
    if len(rows):
        carry = sp.csr_matrix((np.ones(len(rows)), (index[rows], hydrogens.parent[rows])), shape=(total, total))
        member = sp.csr_matrix(member + carry @ member)
    return member


def _near_in_bonds(edges: AnyArray, flat: sp.csr_matrix, total: int) -> tuple[IntArray, IntArray]:
    """(excluded, one_four) pairs i < j."""
    ones = np.ones(2 * len(edges))
    both = np.concatenate([edges, edges[:, ::-1]])
    a = sp.csr_matrix((ones, (both[:, 0], both[:, 1])), shape=(total, total))
    two = sp.csr_matrix(a @ a)
    three = sp.csr_matrix(two @ a)
    near = _keys(a, total)
    near = np.union1d(near, _keys(two, total))
    far = np.setdiff1d(_keys(three, total), near)
    i, j = far // total, far % total
    same = np.asarray(flat[i].multiply(flat[j]).sum(axis=1)).reshape(-1) > 0 if len(far) else np.zeros(0, bool)
    near = np.union1d(near, far[same])
    far = far[~same]
    return _pairs(near, total), _pairs(far, total)


def _keys(matrix: sp.csr_matrix, total: int) -> AnyArray:
    upper = sp.triu(matrix, 1).tocoo()
    result: AnyArray = np.unique(upper.row.astype(np.int64) * total + upper.col)
    return result


def _pairs(keys: AnyArray, total: int) -> IntArray:
    return np.stack([keys // total, keys % total], axis=1).astype(np.int32)
