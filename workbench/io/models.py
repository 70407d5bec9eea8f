"""Macromolecular models from PDB and mmCIF files.

gemmi parses; what leaves this module are plain arrays (`core.crystal.Model`). Decisions that change what the file
says (atoms left out, elements deduced, residues put together) stand in `Model.notes`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray, TextArray
from workbench.core.crystal import Crystal, Link, Model, Residues
from workbench.core.errors import InputError
from workbench.core.other_names import RESIDUES
from workbench.core.words import counted
from workbench.io.crystal_frame import completed
from workbench.io.files import InputFile, read_input, say_kind
from workbench.io.letter_case import capitals_in_mmcif, capitals_in_pdb
from workbench.io.pdb_repair import repaired
from workbench.io.tls import Tls, tls_displacements, tls_of_mmcif, tls_of_pdb

_UNPLACED = 9990.0
"""Coordinates beyond this (angstrom) are the 9999.0 that some programs write for an atom that has no place."""

_U_TO_B = 8.0 * np.pi**2

_LINK_KINDS = {
    gemmi.ConnectionType.Covale: "covale",
    gemmi.ConnectionType.Disulf: "disulf",
    gemmi.ConnectionType.MetalC: "metalc",
    gemmi.ConnectionType.Hydrog: "hydrog",
    gemmi.ConnectionType.Unknown: "unknown",
}

_ION_ELEMENTS = frozenset(("F", "CL", "BR", "I"))


@dataclass(frozen=True)
class _Row:
    """One atom on its way into the arrays."""

    atom: gemmi.Atom
    residue: gemmi.Residue
    chain: str
    source_index: int


def read_model(path: str) -> Model:
    """Read a PDB or mmCIF file (plain or gzip); the content decides which, not the name.

    The first model of the file is taken, with the copies that strict NCS operators stand for and in the standard frame
    (`crystal_frame`); B factors that are what TLS leaves over are completed (`tls`). Atoms keep the order of the file,
    except that the atoms of one residue are put together where the file splits them. A missing or dummy cell (1 1 1)
    gives a `Crystal` with a cell of zeros and space group "".
    Raises InputError for a file without atoms, with duplicated or unplaced atoms, or of another kind.
    """
    file = read_input(path)
    notes: list[str] = []
    if file.kind == "cif":
        text = file.text()
        structure, order, block = _parse_mmcif(text, path)
        if capitals_in_mmcif(block, notes):
            text = _as_text(block)
            structure, order, block = _parse_mmcif(text, path)
        tls = tls_of_mmcif(block)
        if completed(structure, notes):
            text = _mmcif_again(structure, block)
            structure, order, _ = _parse_mmcif(text, path)
        source_format = "mmcif"
    elif file.kind == "pdb":
        text = capitals_in_pdb(repaired(file.text(), notes), notes)
        tls = tls_of_pdb(text)
        structure, order = _parse_pdb(text, path)
        if completed(structure, notes):
            text = structure.make_pdb_string()
            structure, order = _parse_pdb(text, path)
        source_format = "pdb"
    else:
        raise InputError(
            f"is {say_kind(file.kind)}, not a model.",
            file=path,
            remedy="Give a model as PDB or mmCIF (plain or .gz).",
        )
    try:
        return _to_model(file, structure, order, text, source_format, tls, notes)
    except UnicodeDecodeError:
        raise InputError(
            "names of atoms, residues or chains are not plain text.",
            file=path,
            remedy="The file is damaged: copy it again.",
        ) from None


# ---- parsing --------------------------------------------------------------------------------------------------------


def _parse_pdb(text: str, path: str) -> tuple[gemmi.Structure, dict[int, int]]:
    """The structure, and serial number -> index in the first model.

    Serial numbers of PDB files repeat or overflow, so the atoms are renumbered before parsing; coordinates are checked
    here because the parser reads what is not a number as zero.
    """
    lines = text.splitlines()
    index = 0
    in_first_model = True
    seen_atoms = False
    order: dict[int, int] = {}
    for row, line in enumerate(lines):
        record = line[:6].upper()
        if record in ("ATOM  ", "HETATM"):
            item = f"line {row + 1}"
            if len(line) < 54:
                raise InputError(
                    "an atom record ends before its coordinates.",
                    file=path,
                    item=item,
                    remedy="The file may be truncated: copy it again.",
                )
            for start in (30, 38, 46):
                _coordinate(line[start : start + 8], path, item)
            occupancy, b_factor = line[54:60].strip(), line[60:66].strip()
            for name, value in (("occupancy", occupancy), ("B factor", b_factor)):
                if value:
                    _number(value, name, path, item)
            if in_first_model:
                order[index + 1] = index
                serial = _hybrid36(index + 1)
                index += 1
            else:
                serial = line[6:11]
            if not occupancy:
                line = f"{line[:54]:54s}  1.00{line[60:]}"  # noqa: PLW2901
            lines[row] = line[:6] + serial + line[11:]
            seen_atoms = True
        elif record.startswith("ENDMDL") or (record.startswith("MODEL") and seen_atoms):
            in_first_model = False
    if not seen_atoms:
        raise InputError("there are no atoms in this file.", file=path, remedy="Give a model with ATOM records.")
    try:
        structure = gemmi.read_pdb_string("\n".join(lines) + "\n")
    except (RuntimeError, ValueError, IndexError) as error:
        raise InputError(
            f"this PDB file cannot be read ({_first_line(error)}).", file=path, remedy="Correct the line that is named."
        ) from None
    return structure, order


def _coordinate(field: str, path: str, item: str) -> None:
    value = _number(field.strip(), "coordinate", path, item)
    if abs(value) > _UNPLACED:
        raise InputError(
            f"the coordinate {field.strip()} is not the place of an atom.",
            file=path,
            item=item,
            remedy="Remove the atom or give it coordinates.",
        )


def _number(field: str, what: str, path: str, item: str) -> float:
    try:
        value = float(field)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(
            f"the {what} {field!r} is not a number.", file=path, item=item, remedy="Correct or remove this atom."
        )
    return value


def _hybrid36(serial: int) -> str:
    """A serial number in five columns; past 99999 in hybrid-36 (Grosse-Kunstleve, cci.lbl.gov/hybrid_36)."""
    if serial < 100000:
        return f"{serial:5d}"
    value = serial - 100000 + 10 * 36**4
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    out = ""
    while value:
        value, rest = divmod(value, 36)
        out = digits[rest] + out
    return out


def _parse_mmcif(text: str, path: str) -> tuple[gemmi.Structure, dict[int, int], gemmi.cif.Block]:
    """The structure, _atom_site.id -> index in the first model, and the block that holds the atoms."""
    document = read_cif_document(text, path)
    block = next((each for each in document if each.find_values("_atom_site.Cartn_x")), None)
    if block is None:
        raise InputError(_not_a_model(document), file=path, remedy="Give a model (mmCIF with _atom_site records).")
    if block.find_loop("_atom_site.id").get_loop() is None and not block.find_value("_atom_site.id"):
        raise InputError("the atoms have no _atom_site.id.", file=path, remedy="Write the file again as mmCIF.")
    _check_numbers(block, path)
    ids = list(block.find_values("_atom_site.id"))
    models = [str(value) for value in block.find_values("_atom_site.pdbx_PDB_model_num")] or ["1"] * len(ids)
    numbers = [int(value) if value.isdigit() and len(value) < 10 else -1 for value in ids]
    if min(numbers) < 0 or len(set(numbers)) != len(numbers):
        # Identifiers that are not distinct integers: number the rows. Anisotropic records name them, so both change.
        names = {name: str(row + 1) for row, name in enumerate(ids)}
        anisotropic = block.find_values("_atom_site_anisotrop.id")
        if len(names) != len(ids) and len(anisotropic):
            raise InputError(
                "two atoms have the same _atom_site.id, so that their anisotropic records cannot be told apart.",
                file=path,
                remedy="Number the atoms again.",
            )
        column = block.find_values("_atom_site.id")
        for row in range(len(ids)):
            column[row] = str(row + 1)
        for row in range(len(anisotropic)):
            anisotropic[row] = names.get(anisotropic[row], "0")
        numbers = [row + 1 for row in range(len(ids))]
    order: dict[int, int] = {}
    for number, model in zip(numbers, models, strict=True):
        if model == models[0]:
            order[number] = len(order)
    try:
        structure = gemmi.make_structure_from_block(block)
    except (RuntimeError, ValueError, IndexError) as error:
        raise InputError(
            f"this mmCIF file cannot be read ({_first_line(error)}).", file=path, remedy="Write it again as mmCIF."
        ) from None
    # a block lives as long as its document: the copy is one of its own
    return structure, order, gemmi.cif.Document().add_copied_block(block)


def _mmcif_again(structure: gemmi.Structure, block: gemmi.cif.Block) -> str:
    """The text of the block with the atoms, cell and operators of the structure."""
    groups = gemmi.MmcifOutputGroups(False)
    for name in ("atoms", "cell", "symmetry", "scale", "ncs", "conn", "struct_asym"):
        setattr(groups, name, True)
    structure.setup_entities()
    structure.assign_serial_numbers()
    structure.update_mmcif_block(block, groups)
    return _as_text(block)


def _as_text(block: gemmi.cif.Block) -> str:
    document = gemmi.cif.Document()
    document.add_copied_block(block)
    return document.as_string()


def read_cif_document(text: str, path: str) -> gemmi.cif.Document:
    """Parse CIF text; a syntax error becomes an InputError that names the line."""
    try:
        document = gemmi.cif.read_string(text)
    except (RuntimeError, ValueError) as error:
        message = _first_line(error).removeprefix("string:").strip()
        line = message.split(":", 1)[0] if ":" in message else ""
        twice = re.fullmatch(r"duplicate block name: (\S+)", message)
        if twice is not None:
            blocks = [n for n, x in enumerate(text.splitlines(), 1) if x.strip().lower() == f"data_{twice[1]}".lower()]
            line = str(blocks[1]) if len(blocks) > 1 else ""
        raise InputError(
            f"CIF syntax error ({message}).",
            file=path,
            item=f"line {line}" if line.isdigit() else "",
            remedy="The file may be truncated or edited by hand: copy it again or correct the line.",
        ) from None
    if len(document) == 0:
        raise InputError("this CIF file holds no data block.", file=path, remedy="Copy it again.")
    return document


def _not_a_model(document: gemmi.cif.Document) -> str:
    tags = [block.get_mmcif_category_names() for block in document]
    found = {name for names in tags for name in names}
    if "_refln." in found:
        return "holds reflections, not a model."
    if "_chem_comp_atom." in found:
        return "is a restraint dictionary, not a model."
    if any(block.find_values("_atom_site_fract_x") for block in document):
        return "is a small-molecule CIF, which cannot be refined here."
    return "there are no atoms in this file."


def _check_numbers(block: gemmi.cif.Block, path: str) -> None:
    """Coordinates must be numbers; the parser would read text as NaN without naming the atom."""
    ids = list(block.find_values("_atom_site.id"))
    for tag in ("Cartn_x", "Cartn_y", "Cartn_z"):
        column = block.find_values(f"_atom_site.{tag}")
        if len(column) != len(ids):
            raise InputError(f"the atoms have no _atom_site.{tag}.", file=path, remedy="Write the file again as mmCIF.")
        for row, text in enumerate(column):
            value = gemmi.cif.as_number(text)
            if not abs(value) <= _UNPLACED:
                raise InputError(
                    f"the coordinate {text!r} is not the place of an atom.",
                    file=path,
                    item=f"atom {ids[row]} ({tag})",
                    remedy="Remove the atom or give it coordinates.",
                )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


# ---- into arrays ----------------------------------------------------------------------------------------------------


def _to_model(
    file: InputFile,
    structure: gemmi.Structure,
    order: dict[int, int],
    text: str,
    source_format: str,
    tls: Tls,
    notes: list[str],
) -> Model:
    path = file.source.path
    if len(structure) == 0:
        raise InputError("there are no atoms in this file.", file=path, remedy="Give a model with atoms.")
    if len(structure) > 1:
        notes.append(f"The file holds {len(structure)} models; the first one is used.")
    method = _method(structure)
    if method and "X-RAY" not in method.upper():
        notes.append(f"The file says its model comes from {method.lower()}, not X-ray diffraction.")
    rows = _rows(structure[0], order)
    dummies = [row for row in rows if row.residue.name == "DUM"]
    if dummies:
        notes.append(f"Left out: {counted(len(dummies), 'dummy atom')} (DUM).")
        rows = [row for row in rows if row.residue.name != "DUM"]
    if not rows:
        raise InputError("there are no atoms in this file.", file=path, remedy="Give a model with atoms.")

    groups = _group(rows, notes)
    rows = [row for group in groups for row in group]
    n = len(rows)
    xyz = np.array([row.atom.pos.tolist() for row in rows], dtype=np.float64)
    b_iso = np.array([row.atom.b_iso for row in rows], dtype=np.float64)
    occupancy = np.array([row.atom.occ for row in rows], dtype=np.float64)
    charge = np.array([row.atom.charge for row in rows], dtype=np.int32)
    atom_name = np.array([row.atom.name for row in rows], dtype=np.str_)
    altloc = np.array([row.atom.altloc.strip("\0 ") for row in rows], dtype=np.str_)
    element = _elements(rows, groups, notes)
    u_aniso, anisotropic = _anisotropic(rows)
    residue = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    residues = _residues(groups, atom_name, element, xyz)

    _check(path, rows, xyz, b_iso, occupancy, u_aniso)
    _refuse_duplicates(path, residues, residue, atom_name, altloc)
    b_iso, u_aniso = _with_tls(tls, residues, residue, xyz, b_iso, u_aniso, anisotropic, notes)
    b_iso = _equivalent_b(b_iso, u_aniso, anisotropic, notes)
    occupancy = _used_occupancy(occupancy, notes)
    _note_odd_values(b_iso, occupancy, notes)
    crystal = _crystal(structure, notes)
    links = _links(structure, residues, atom_name, altloc, xyz, notes)
    return Model(
        crystal=crystal,
        xyz=xyz,
        b_iso=b_iso,
        u_aniso=u_aniso,
        anisotropic=anisotropic,
        occupancy=occupancy,
        element=element,
        charge=charge,
        atom_name=atom_name,
        altloc=altloc,
        residue=residue,
        residues=residues,
        links=links,
        source_index=np.fromiter((row.source_index for row in rows), dtype=np.int32, count=n),
        source=file.source,
        source_text=text,
        source_format=source_format,
        notes=tuple(notes),
        method=method,
    )


def _method(structure: gemmi.Structure) -> str:
    info = structure.info
    return info["_exptl.method"].strip() if "_exptl.method" in info else ""


def _rows(model: gemmi.Model, order: dict[int, int]) -> list[_Row]:
    rows = [
        _Row(atom, residue, chain.name, order[atom.serial]) for chain in model for residue in chain for atom in residue
    ]
    rows.sort(key=lambda row: row.source_index)
    return rows


def _group(rows: list[_Row], notes: list[str]) -> list[list[_Row]]:
    """Atoms by residue, residues in the order of their first atom."""
    groups: dict[tuple[str, int, str, str], list[_Row]] = {}
    split: set[tuple[str, int, str, str]] = set()
    last: tuple[str, int, str, str] | None = None
    names: dict[tuple[str, int, str], set[str]] = {}
    for row in rows:
        seqid = row.residue.seqid
        number = int(seqid.num) if seqid.num is not None else 0
        key = (row.chain, number, seqid.icode.strip(), row.residue.name)
        if key in groups:
            if key != last and not _interleaved(names[key[:3]]):
                split.add(key)
            groups[key].append(row)
        else:
            groups[key] = [row]
            names.setdefault(key[:3], set()).add(key[3])
        last = key
    if split:
        shown = ", ".join(f"{chain} {number}{icode} {name}" for chain, number, icode, name in sorted(split)[:5])
        more = f" and {len(split) - 5} more" if len(split) > 5 else ""
        notes.append(f"The file splits {counted(len(split), 'residue')}; their atoms are put together: {shown}{more}.")
    return list(groups.values())


def _interleaved(names: set[str]) -> bool:
    """Two residue names at one place (microheterogeneity) may alternate in the file without being split."""
    return len(names) > 1


def _elements(rows: list[_Row], groups: list[list[_Row]], notes: list[str]) -> TextArray:
    symbols = [row.atom.element.name.upper() for row in rows]
    single = {id(group[0]) for group in groups if len(group) == 1}
    deduced: Counter[str] = Counter()
    corrected = 0
    for index, row in enumerate(rows):
        if _calcium_for_carbon(symbols[index], row):
            symbols[index] = symbols[index][0]
            corrected += 1
        elif symbols[index] == "X":
            symbols[index] = _deduce_element(row.atom.name, row.residue.name if id(row) in single else "")
            deduced[f"{row.atom.name} -> {symbols[index]}"] += 1
    if deduced:
        shown = ", ".join(f"{name} ({count})" for name, count in deduced.most_common(5))
        notes.append(
            f"{counted(sum(deduced.values()), 'atom', 'have')} no element; it is deduced from the name: {shown}."
        )
    if corrected:
        notes.append(
            f"{counted(corrected, 'atom')} of amino acids (CA, CD, CE, HG ...) {'is' if corrected == 1 else 'are'} "
            "written with the element of their whole name; it is read as carbon or hydrogen."
        )
    return np.array(symbols, dtype=np.str_)


def _calcium_for_carbon(symbol: str, row: _Row) -> bool:
    """C-alpha with the element of calcium, and its like: no amino acid holds these metals."""
    return (
        symbol in ("CA", "CD", "CE", "HG", "HE", "NE")
        and row.atom.name.startswith(symbol)
        and gemmi.find_tabulated_residue(row.residue.name).is_amino_acid()
    )


def _deduce_element(name: str, residue_name: str) -> str:
    """Element from an atom name; a residue of one atom that is called like an element is that element."""
    if residue_name and gemmi.Element(residue_name.capitalize()).name.upper() == residue_name.upper() != "X":
        return residue_name.upper()
    letters = name.lstrip("0123456789'\"* ")
    for length in (1, 2):
        symbol = gemmi.Element(letters[:length].capitalize()).name.upper()
        if symbol == letters[:length].upper() and symbol in ("C", "N", "O", "S", "P", "H", "D", "F", "I", "B"):
            return symbol
    symbol = gemmi.Element(letters[:2].capitalize()).name.upper()
    if letters and symbol != "X":
        return symbol
    return "O"  # an unknown atom (UNX): refined as oxygen, as is the custom


def _anisotropic(rows: list[_Row]) -> tuple[FloatArray, BoolArray]:
    u_aniso = np.zeros((len(rows), 6))
    flags = np.zeros(len(rows), dtype=np.bool_)
    for index, row in enumerate(rows):
        tensor = row.atom.aniso
        if tensor.nonzero():
            u_aniso[index] = (tensor.u11, tensor.u22, tensor.u33, tensor.u12, tensor.u13, tensor.u23)
            flags[index] = True
    return u_aniso, flags


def _equivalent_b(b_iso: FloatArray, u_aniso: FloatArray, anisotropic: BoolArray, notes: list[str]) -> FloatArray:
    """B of anisotropic atoms is that of the tensor, unless the file's value is the same up to rounding."""
    equivalent = _U_TO_B * u_aniso[:, :3].mean(axis=1)
    other = anisotropic & (np.abs(equivalent - b_iso) > 0.05)
    if other.any():
        notes.append(
            f"{int(other.sum())} anisotropic atoms have a B that is not that of their tensor; the tensor's is used."
        )
    return np.where(other, equivalent, b_iso)


def _with_tls(
    tls: Tls,
    residues: Residues,
    residue: IntArray,
    xyz: FloatArray,
    b_iso: FloatArray,
    u_aniso: FloatArray,
    anisotropic: BoolArray,
    notes: list[str],
) -> tuple[FloatArray, FloatArray]:
    """B and tensors that hold everything; what the header says of TLS, as a note."""
    total = len(tls.groups) + tls.unread
    if tls.contents == "sum" and total:
        notes.append(f"The header holds {total} TLS groups; the B factors include them, as it says.")
    if tls.contents != "residual":
        return b_iso, u_aniso
    if tls.unread or not tls.groups:
        what = f"{tls.unread} of its {total} TLS groups cannot be read" if total else "it holds no TLS groups"
        notes.append(f"The header says that the B factors are residual ones only, but {what}: B is used as it stands.")
        return b_iso, u_aniso
    u = tls_displacements(tls, residues.chain[residue].tolist(), residues.number[residue].tolist(), xyz)
    added = np.trace(u, axis1=1, axis2=2) * _U_TO_B / 3.0
    moved = added != 0.0
    notes.append(
        f"The header says that the B factors are residual ones only: those of its {counted(total, 'TLS group')} "
        f"are added to {counted(int(moved.sum()), 'atom')} "
        f"({float(added[moved].mean()) if moved.any() else 0.0:.1f} A^2 in the mean)."
    )
    tensors = np.stack([u[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))], axis=1)
    return b_iso + added, np.where(anisotropic[:, None], u_aniso + tensors, u_aniso)


def _used_occupancy(occupancy: FloatArray, notes: list[str]) -> FloatArray:
    if occupancy.any():
        return occupancy
    notes.append("Every occupancy is 0, which leaves nothing to refine; 1 is used.")
    return np.ones_like(occupancy)


def _check(
    path: str, rows: list[_Row], xyz: FloatArray, b_iso: FloatArray, occupancy: FloatArray, u_aniso: FloatArray
) -> None:
    for name, values in (
        ("coordinates", xyz),
        ("B factor", b_iso[:, None]),
        ("occupancy", occupancy[:, None]),
        ("anisotropic displacement", u_aniso),
    ):
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if bad.size:
            row = rows[int(bad[0])]
            raise InputError(
                f"the {name} of {counted(bad.size, 'atom')} cannot be read.",
                file=path,
                item=f"{row.chain} {row.residue.seqid} {row.residue.name} {row.atom.name}",
                remedy="Correct or remove these atoms.",
            )


def _refuse_duplicates(
    path: str, residues: Residues, residue: IntArray, atom_name: TextArray, altloc: TextArray
) -> None:
    seen: dict[tuple[int, str, str], int] = {}
    doubled: list[str] = []
    for row, (number, name, letter) in enumerate(
        zip(residue.tolist(), atom_name.tolist(), altloc.tolist(), strict=True)
    ):
        if (number, name, letter) in seen:
            doubled.append(f"{residues.label(number)} {name}{f' altloc {letter}' if letter else ''}")
        seen[(number, name, letter)] = row
    if doubled:
        more = f" and {len(doubled) - 3} more" if len(doubled) > 3 else ""
        raise InputError(
            f"atoms occur twice: {'; '.join(doubled[:3])}{more}.",
            file=path,
            item=doubled[0],
            remedy="Remove one of each, or give them different residue numbers or altlocs.",
        )


def _note_odd_values(b_iso: FloatArray, occupancy: FloatArray, notes: list[str]) -> None:
    if len(b_iso) > 1 and np.ptp(b_iso) < 1e-6:
        notes.append(f"Every B is {b_iso[0]:.2f}: the file carries no information on displacements.")
    elif (b_iso <= 0).any():
        notes.append(f"{counted(int((b_iso <= 0).sum()), 'atom', 'have')} a B of zero or less.")
    if ((occupancy < 0) | (occupancy > 1.0001)).any():
        odd = int(((occupancy < 0) | (occupancy > 1.0001)).sum())
        notes.append(f"{counted(odd, 'atom', 'have')} an occupancy below 0 or above 1.")
    if (occupancy == 0).any():
        notes.append(f"{counted(int((occupancy == 0).sum()), 'atom', 'have')} zero occupancy.")


def _crystal(structure: gemmi.Structure, notes: list[str]) -> Crystal:
    cell = structure.cell
    symbol = structure.spacegroup_hm.strip()
    unknown = Crystal(cell=(0.0, 0.0, 0.0, 0.0, 0.0, 0.0), space_group="")
    if not cell.is_crystal() or max(cell.parameters[:3]) < 2.0 or not _is_cell(cell):
        return unknown
    group = gemmi.find_spacegroup_by_name(symbol, cell.alpha, cell.gamma) if symbol else None
    if group is None and symbol:
        notes.append(f"The space group {symbol!r} of the model is unknown.")
    a, b, c, alpha, beta, gamma = cell.parameters
    return Crystal(cell=(a, b, c, alpha, beta, gamma), space_group=group.xhm() if group else "")


def _is_cell(cell: gemmi.UnitCell) -> bool:
    return bool(np.isfinite(cell.volume) and cell.volume > 1.0 and min(cell.parameters) > 0)


# ---- residues -------------------------------------------------------------------------------------------------------


def _residues(groups: list[list[_Row]], atom_name: TextArray, element: TextArray, xyz: FloatArray) -> Residues:
    sizes = [len(group) for group in groups]
    first = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int32)
    names = [group[0].residue.name for group in groups]
    chains = [group[0].chain for group in groups]
    numbers = [int(group[0].residue.seqid.num or 0) for group in groups]
    kinds: list[str] = []
    places: list[dict[str, int]] = []
    for row, start in enumerate(first.tolist()):
        atoms = slice(start, start + sizes[row])
        places.append({name: start + i for i, name in reversed(list(enumerate(atom_name[atoms].tolist())))})
        kinds.append(_kind(names[row], element[atoms].tolist()))
    for row, kind in enumerate(kinds):
        if kind == "ligand":
            kinds[row] = _polymer_kind(row, places, chains, xyz)
    return Residues(
        name=np.array(names, dtype=np.str_),
        chain=np.array(chains, dtype=np.str_),
        number=np.array(numbers, dtype=np.int32),
        insertion=np.array([group[0].residue.seqid.icode.strip() for group in groups], dtype=np.str_),
        kind=np.array(kinds, dtype=np.str_),
        first_atom=first,
        n_atoms=np.array(sizes, dtype=np.int32),
    )


def _kind(name: str, elements: Sequence[str]) -> str:
    info = gemmi.find_tabulated_residue(name)
    if info.kind == gemmi.ResidueKind.UNKNOWN:
        info = gemmi.find_tabulated_residue(RESIDUES.get(name, name))
    heavy = {symbol for symbol in elements if symbol not in ("H", "D")}
    if info.is_water():
        return "water"
    if len(heavy) == 1 and len(elements) == 1:
        symbol = next(iter(heavy))
        return "ion" if symbol in _ION_ELEMENTS or gemmi.Element(symbol).is_metal else "ligand"
    if info.is_amino_acid():
        return "protein"
    if info.is_nucleic_acid():
        return "nucleic"
    if info.kind in (gemmi.ResidueKind.PYR, gemmi.ResidueKind.KET):
        return "sugar"
    return "ligand"


def _polymer_kind(row: int, places: list[dict[str, int]], chains: list[str], xyz: FloatArray) -> str:
    """A residue of unknown name is protein or nucleic if it is bonded to its neighbour in the chain like one."""
    for tail, head, inner, kind in (("C", "N", "CA", "protein"), ("O3'", "P", "C4'", "nucleic")):
        here = places[row]
        if inner not in here or (tail not in here and head not in here):
            continue
        for other, (leaving, entering) in ((row - 1, (tail, head)), (row + 1, (head, tail))):
            if 0 <= other < len(places) and chains[other] == chains[row]:
                there = places[other]
                if leaving in there and entering in here:
                    distance = float(np.linalg.norm(xyz[there[leaving]] - xyz[here[entering]]))
                    if distance < 2.0:
                        return kind
    if {"C1", "C2", "C3", "C4", "C5", "O5"} <= places[row].keys():
        ring = [("C1", "C2"), ("C2", "C3"), ("C3", "C4"), ("C4", "C5"), ("C5", "O5"), ("O5", "C1")]
        here = places[row]
        if all(float(np.linalg.norm(xyz[here[a]] - xyz[here[b]])) < 1.8 for a, b in ring):
            return "sugar"
    return "ligand"


# ---- links ----------------------------------------------------------------------------------------------------------


def _links(
    structure: gemmi.Structure,
    residues: Residues,
    atom_name: TextArray,
    altloc: TextArray,
    xyz: FloatArray,
    notes: list[str],
) -> tuple[Link, ...]:
    if not structure.connections:
        return ()
    table: dict[tuple[str, int, str, str], int] = {}
    for row in range(len(residues)):
        key = (str(residues.chain[row]), int(residues.number[row]), str(residues.insertion[row]))
        table[(*key, str(residues.name[row]))] = row
    links: list[Link] = []
    lost: list[str] = []
    for connection in structure.connections:
        first = _find(connection.partner1, table, residues, atom_name, altloc)
        second = _find(connection.partner2, table, residues, atom_name, altloc)
        if first is None or second is None:
            lost.append(f"{connection.partner1} - {connection.partner2}")
            continue
        apart = float(np.linalg.norm(xyz[first] - xyz[second]))
        reported = float(connection.reported_distance)
        symmetry = connection.asu == gemmi.Asu.Different
        if connection.asu == gemmi.Asu.Any and apart > 4.0 and (reported <= 0 or apart > reported + 1.0):
            symmetry = True
        kind = _LINK_KINDS.get(connection.type, "unknown")
        links.append(Link(kind, connection.link_id, first, second, symmetry, reported if reported > 0 else 0.0))
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        notes.append(f"Links to atoms that are not in the model are left out: {'; '.join(lost[:3])}{more}.")
    return tuple(links)


def _find(
    address: gemmi.AtomAddress,
    table: dict[tuple[str, int, str, str], int],
    residues: Residues,
    atom_name: TextArray,
    altloc: TextArray,
) -> int | None:
    seqid = address.res_id.seqid
    number = int(seqid.num) if seqid.num is not None else 0
    row = table.get((address.chain_name, number, seqid.icode.strip(), address.res_id.name))
    if row is None:
        return None
    start, size = int(residues.first_atom[row]), int(residues.n_atoms[row])
    wanted = address.altloc.strip("\0 ")
    found = [i for i in range(start, start + size) if atom_name[i] == address.atom_name]
    exact = [i for i in found if altloc[i] == wanted]
    best = exact or found
    return best[0] if best else None
