"""TLS groups of a model's header, and the B factors that they complete.

Programs of the REFMAC and BUSTER families may deposit only what is left of B once the rigid-body motion of each group
is taken away ("ATOM RECORD CONTAINS RESIDUAL B FACTORS ONLY"). Structure factors need the sum. With T in A^2, L in
deg^2, S in A deg at the origin o, an atom at r = x - o moves by

    U = T + A L A^T + A S + (A S)^T,   A = ((0, z, -y), (-z, 0, x), (y, -x, 0))

(Schomaker & Trueblood, Acta Cryst. B24, 63, 1968; in the convention of the PDB's REMARK 3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import gemmi
import numpy as np

from workbench.core.arrays import FloatArray
from workbench.io.tls_selection import (
    NotUnderstood,
    ResidueRange,
    Rows,
    any_of,
    buster_selection,
    phenix_selection,
)

_NUMBER = r"(-?\d*\.?\d+(?:[Ee][-+]?\d+)?)"
_TENSOR = re.compile(rf"([TLS])([123])([123]):\s*{_NUMBER}")
_RANGE = re.compile(r"RESIDUE RANGE\s*:\s*(\S{1,4})\s+(-?\d+)\S?\s+(\S{1,4})\s+(-?\d+)")
_SELECTION = re.compile(r"(SELECTION|\bSET)\s*:(.*?)(?=\n[^\n]*(?:ORIGIN FOR|T TENSOR|NUMBER OF COMP)|\Z)", re.DOTALL)
_PHENIX = re.compile(r"PROGRAM\s*:\s*PHENIX", re.IGNORECASE)
_ORIGIN = re.compile(rf"ORIGIN FOR THE GROUP.*?:\s*{_NUMBER}\s*{_NUMBER}\s*{_NUMBER}")
_RESIDUAL = re.compile(r"RESIDUAL\s+B[\s-]+FACTORS?\s+ONLY|U\s+VALUES\s*:\s*RESIDUAL\s+ONLY", re.IGNORECASE)
_SUM = re.compile(r"SUM\s+OF\s+TLS\s+AND\s+RESIDUAL|U\s+VALUES\s*:\s*WITH\s+TLS\s+ADDED", re.IGNORECASE)

Contents = Literal["residual", "sum", "unsaid"]


@dataclass(frozen=True, eq=False)
class TlsGroup:
    """members: which atoms, from chain and residue number of each. origin: (3,) A.
    translation: (3, 3) T in A^2, libration: (3, 3) L in deg^2, screw: (3, 3) S in A deg."""

    members: Rows
    origin: FloatArray
    translation: FloatArray
    libration: FloatArray
    screw: FloatArray

    def u_at(self, xyz: FloatArray) -> FloatArray:
        """(n, 3, 3) A^2 at the places (n, 3)."""
        x, y, z = (xyz - self.origin).T
        o = np.zeros_like(x)
        a = np.stack([np.stack([o, z, -y], -1), np.stack([-z, o, x], -1), np.stack([y, -x, o], -1)], axis=1)
        per_degree = np.pi / 180.0
        cross = a @ self.screw * per_degree
        moved: FloatArray = self.translation + a @ (self.libration * per_degree**2) @ a.transpose(0, 2, 1)
        return moved + cross + cross.transpose(0, 2, 1)


@dataclass(frozen=True, eq=False)
class Tls:
    """What a header says of TLS. contents: what the B of the atom records are. groups: those that can be used.
    unread: number of groups whose atoms or tensors cannot be told."""

    contents: Contents
    groups: tuple[TlsGroup, ...]
    unread: int = 0


def tls_of_pdb(text: str) -> Tls:
    """From the REMARK 3 records of a PDB file."""
    lines = [line[10:] for line in text.splitlines() if line[:10].upper() == "REMARK   3"]
    body = "\n".join(lines)
    parts = re.split(r"TLS GROUP\s*:\s*\d+", body)[1:]
    groups: list[TlsGroup] = []
    for part in parts:
        numbers = {(m[1], int(m[2]) - 1, int(m[3]) - 1): float(m[4]) for m in _TENSOR.finditer(part)}
        origin = _ORIGIN.search(part)
        ranges = tuple(ResidueRange(m[1], int(m[2]), int(m[4])) for m in _RANGE.finditer(part) if m[1] == m[3])
        said = _SELECTION.search(part)
        members = any_of(ranges) if ranges else _selected(" ".join(said[2].split()) if said is not None else "")
        group = _group(members, None if origin is None else [float(origin[i]) for i in (1, 2, 3)], numbers)
        if group is not None:
            groups.append(group)
    contents = _contents(body)
    if contents == "unsaid" and _PHENIX.search(body):
        contents = "sum"  # what PHENIX writes is always complete
    return Tls(contents, tuple(groups), len(parts) - len(groups))


def tls_of_mmcif(block: gemmi.cif.Block) -> Tls:
    """From pdbx_refine_tls, pdbx_refine_tls_group and refine."""
    said = " ".join(gemmi.cif.as_string(value) for value in block.find_values("_refine.details"))
    flags = [gemmi.cif.as_string(v).upper() for v in block.find_values("_refine.pdbx_TLS_residual_ADP_flag")]
    contents = _contents(said)
    if contents == "unsaid" and any("RESIDUAL" in flag for flag in flags):
        contents = "residual"
    if contents == "unsaid" and any(
        "PHENIX" in gemmi.cif.as_string(value).upper()
        for tag in ("_software.name", "_computing.structure_refinement")
        for value in block.find_values(tag)
    ):
        contents = "sum"
    members = _members_of_mmcif(block)
    elements = [(k, i, j) for k in "TLS" for i in range(3) for j in range(3) if k == "S" or i <= j]
    tensor_tags = [f"{k}[{i + 1}][{j + 1}]" for k, i, j in elements]
    groups: list[TlsGroup] = []
    total = 0
    for row in block.find("_pdbx_refine_tls.", ["id", "origin_x", "origin_y", "origin_z", *tensor_tags]):
        total += 1
        values = [gemmi.cif.as_number(row[i]) for i in range(1, len(row))]
        if not np.isfinite(values).all():
            continue
        parts = members.get(gemmi.cif.as_string(row[0]), [])
        group = _group(
            any_of(tuple(part for part in parts if part)) if all(parts) and parts else None,
            values[:3],
            dict(zip(elements, values[3:], strict=True)),
        )
        if group is not None:
            groups.append(group)
    return Tls(contents, tuple(groups), total - len(groups))


def _members_of_mmcif(block: gemmi.cif.Block) -> dict[str, list[Rows | None]]:
    """The parts of each group by its id: residue ranges, or selections in words; None for one not understood."""
    tags = [
        "refine_tls_id",
        "?beg_auth_asym_id",
        "?beg_auth_seq_id",
        "?end_auth_asym_id",
        "?end_auth_seq_id",
        "?selection_details",
    ]
    members: dict[str, list[Rows | None]] = {}
    for row in block.find("_pdbx_refine_tls_group.", tags):
        name, chain, first, other, last, words = (
            gemmi.cif.as_string(row[i]) if row.has(i) else "" for i in range(len(tags))
        )
        part: Rows | None
        if chain and chain == other and re.fullmatch(r"-?\d+", first) and re.fullmatch(r"-?\d+", last):
            part = ResidueRange(chain, int(first), int(last))
        else:
            part = _selected(words)
        members.setdefault(name, []).append(part)
    return members


def _selected(words: str) -> Rows | None:
    """A selection of PHENIX or BUSTER; None for one that is not understood."""
    if words.strip().upper() in ("", "NULL", "?", "."):
        return None
    try:
        return buster_selection(words) if "|" in words else phenix_selection(words)
    except NotUnderstood:
        return None


def _contents(text: str) -> Contents:
    if _RESIDUAL.search(text):
        return "residual"
    return "sum" if _SUM.search(text) else "unsaid"


def _group(
    members: Rows | None, origin: list[float] | None, numbers: dict[tuple[str, int, int], float]
) -> TlsGroup | None:
    if members is None or origin is None or len(numbers) != 21:
        return None
    tensors = {name: np.zeros((3, 3)) for name in "TLS"}
    for (name, i, j), value in numbers.items():
        tensors[name][i, j] = value
        if name != "S":
            tensors[name][j, i] = value
    return TlsGroup(members, np.array(origin), tensors["T"], tensors["L"], tensors["S"])


def tls_displacements(tls: Tls, chain: list[str], number: list[int], xyz: FloatArray) -> FloatArray:
    """(n, 3, 3) U of the groups at each atom (A^2), zero outside them. chain, number: of each atom's residue."""
    u = np.zeros((len(xyz), 3, 3))
    names, numbers = np.array(chain), np.array(number, dtype=np.int32)
    for group in tls.groups:
        rows = group.members(names, numbers)
        u[rows] = group.u_at(xyz[rows])
    return u
