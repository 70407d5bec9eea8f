"""refined.pdb and refined.cif: the input file with what refinement changed, and nothing else changed.

The source text is read again, so that alternate conformations, chains, links, sequence, names and headers survive.
What no longer holds (R factors, REMARK 3, geometry reports, the other program's refinement categories) is replaced by
our own.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.crystal import Model, ModelState
from workbench.core.errors import InputError
from workbench.core.events import CycleFinished, Prepared
from workbench.export.program import NAME, program_version

STALE_REMARKS = (2, 3, 500)
"""Resolution and refinement (written anew) and the geometry report of the coordinates that were replaced."""

_TITLE_SECTION = (
    "HEADER",
    "OBSLTE",
    "TITLE",
    "SPLIT",
    "CAVEAT",
    "COMPND",
    "SOURCE",
    "KEYWDS",
    "EXPDTA",
    "MDLTYP",
    "AUTHOR",
    "REVDAT",
    "SPRSDE",
    "JRNL",
)

STALE_CATEGORIES = (
    "_refine.",
    "_refine_ls_",
    "_refine_hist.",
    "_refine_analyze.",
    "_refine_b_iso.",
    "_refine_occupancy.",
    "_refine_funct_minimized.",
    "_pdbx_refine",
    "_pdbx_validate_",
    "_pdbx_vrpt_",
    "_reflns.",
    "_reflns_shell.",
    "_atom_site.",
    "_atom_site_anisotrop.",
    "_pdbx_audit_revision_",
    "_pdbx_audit_support.",
)


@dataclass(frozen=True)
class ModelFiles:
    """The two files as text, and what their reader should know."""

    pdb: str
    mmcif: str
    warnings: tuple[str, ...]


def model_files(prepared: Prepared, cycle: CycleFinished) -> ModelFiles:
    """Both files for the state of `cycle`."""
    model = prepared.model
    structure = refined_structure(model, cycle.state)
    refinement = _refinement_info(prepared, cycle)
    warnings: list[str] = []
    mmcif = _mmcif_text(structure.clone(), prepared, refinement)
    pdb = _pdb_text(structure, prepared, cycle, warnings)
    return ModelFiles(pdb, mmcif, tuple(warnings))


def refined_structure(model: Model, state: ModelState) -> gemmi.Structure:
    """The source file's structure with the refined coordinates, B, U and occupancies; the cell is the data's.

    Atoms that refinement removed are dropped, atoms it added are put at the end of their residue.
    Raises InputError when the model and its source text do not agree, which would put atoms in wrong places.
    """
    structure = read_source(model)
    while len(structure) > 1:
        del structure[1]
    crystal = model.crystal
    own = structure.find_spacegroup()
    if not structure.cell.is_similar(gemmi.UnitCell(*crystal.cell), 0.02, 1.0) or (
        own is not None and own.xhm() != crystal.space_group
    ):
        # turned to the axes of the data: operators of the file belong to its own
        structure.ncs.clear()
        structure.has_origx = False
    structure.cell = gemmi.UnitCell(*crystal.cell)
    structure.spacegroup_hm = crystal.space_group
    places = _places(structure, model)
    homes: dict[int, gemmi.Residue] = {}
    added = []
    for i, index in enumerate(model.source_index.tolist()):
        if index >= 0:
            _set_atom(places[index].atom, model, state, i)
            homes.setdefault(int(model.residue[i]), places[index].residue)
        else:
            added.append(i)
    # Adding or removing atoms moves the others in memory: only after all have their new values.
    present = set(model.source_index.tolist())
    at_ends: dict[int, list[int]] = {}
    for i in added:
        at_ends.setdefault(int(model.residue[i]), []).append(i)
    for row, atoms in at_ends.items():
        for i in atoms:
            homes[row].add_atom(_new_atom(model, state, i))
    _remove(structure, [place.position for index, place in places.items() if index not in present])
    structure.setup_cell_images()
    return structure


def read_source(model: Model) -> gemmi.Structure:
    """The structure of the source text; the serial number of an atom of the first model is its source index plus 1."""
    if model.source_format == "pdb":
        return gemmi.read_pdb_string(_numbered_pdb(model.source_text)[0])
    block = coordinate_block(model.source_text)
    column = block.find_values("_atom_site.id")
    ids = list(column)
    anisotropic = block.find_values("_atom_site_anisotrop.id")
    names = {name: str(row + 1) for row, name in enumerate(ids)}
    for row in range(len(ids)):
        column[row] = str(row + 1)
    for row in range(len(anisotropic)):
        anisotropic[row] = names.get(anisotropic[row], "0")
    return gemmi.make_structure_from_block(block)


def coordinate_block(text: str) -> gemmi.cif.Block:
    """The block of an mmCIF text that holds the atoms (alive as long as its document: a copy)."""
    document = gemmi.cif.read_string(text)
    for block in document:
        if len(block.find_values("_atom_site.Cartn_x")):
            found = gemmi.cif.Document()
            return found.add_copied_block(block)
    raise InputError("the model's text holds no atoms any more.", remedy="Open the model again.")


def _numbered_pdb(text: str) -> tuple[str, dict[str, int]]:
    """The PDB text with the atoms of the first model numbered from 1 (serial numbers of files repeat and overflow),
    and the new number of each old one."""
    lines: list[str] = []
    numbers: dict[str, int] = {}
    count = 0
    for line in text.splitlines():
        record = line[:6].upper()
        if record in ("ATOM  ", "HETATM"):
            count += 1
            numbers.setdefault(line[6:11].strip(), count)
            occupancy = line[54:60] if line[54:60].strip() else "  1.00"
            lines.append(f"{line[:6]}{_hybrid36(count)}{line[11:54]}{occupancy}{line[60:]}")
        elif record.startswith("ENDMDL") or (record.startswith("MODEL") and count):
            break
        else:
            lines.append(line)
    return "\n".join(lines) + "\n", numbers


def _hybrid36(serial: int) -> str:
    """Five columns for a serial number; past 99999 as R. W. Grosse-Kunstleve's hybrid-36 writes it."""
    if serial < 100_000:
        return f"{serial:5d}"
    value, letters = serial - 100_000 + 10 * 36**4, ""
    while value:
        value, digit = divmod(value, 36)
        letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + letters
    return letters


@dataclass(frozen=True)
class _Place:
    """An atom of the source structure; position: places of its chain, residue and itself."""

    residue: gemmi.Residue
    atom: gemmi.Atom
    position: tuple[int, int, int]


def _places(structure: gemmi.Structure, model: Model) -> dict[int, _Place]:
    """Source index -> atom; each is checked by its names against the model."""
    places: dict[int, _Place] = {}
    chains: dict[int, str] = {}
    for c, chain in enumerate(structure[0]):
        for r, residue in enumerate(chain):
            for a, atom in enumerate(residue):
                places[atom.serial - 1] = _Place(residue, atom, (c, r, a))
                chains[atom.serial - 1] = chain.name
    residues = model.residues
    labels = zip(residues.name.tolist(), residues.number.tolist(), residues.chain.tolist(), strict=True)
    known = [(name, number, chain.strip()) for name, number, chain in labels]
    rows, names = model.residue.tolist(), model.atom_name.tolist()
    for i, index in enumerate(model.source_index.tolist()):
        if index < 0:
            continue
        row = rows[i]
        place = places.get(index)
        if (
            place is None
            or place.atom.name != names[i]
            or (place.residue.name, place.residue.seqid.num, chains[index].strip()) != known[row]
        ):
            raise InputError(
                f"atom {index + 1} of the file is not {model.residues.label(row)} {model.atom_name[i]} any more.",
                file=model.source.path,
                remedy="Open the model again.",
            )
    return places


def _set_atom(atom: gemmi.Atom, model: Model, state: ModelState, i: int) -> None:
    atom.pos = gemmi.Position(*state.xyz[i].tolist())
    atom.b_iso = float(state.b_iso[i])
    atom.occ = float(state.occupancy[i])
    # Six zeros where the atom is isotropic.
    atom.aniso = gemmi.SMat33f(*state.u_aniso[i].tolist())


def _new_atom(model: Model, state: ModelState, i: int) -> gemmi.Atom:
    atom = gemmi.Atom()
    atom.name = str(model.atom_name[i])
    atom.element = gemmi.Element(str(model.element[i]))
    atom.altloc = str(model.altloc[i]) or "\0"
    atom.charge = int(model.charge[i])
    _set_atom(atom, model, state, i)
    return atom


def _remove(structure: gemmi.Structure, positions: list[tuple[int, int, int]]) -> None:
    for c, r, a in sorted(positions, reverse=True):
        del structure[0][c][r][a]
    if positions:
        for chain in structure[0]:
            for r in reversed(range(len(chain))):
                if len(chain[r]) == 0:
                    del chain[r]
        structure.remove_empty_chains()


# ---- numbers for both files ---------------------------------------------------------------------------------------


def _method(prepared: Prepared) -> str:
    """The experiment in the words of the archive, by the scattering factors that were used."""
    said: str = prepared.settings.scattering
    if said == "auto":
        said = prepared.reflections.radiation or prepared.model.radiation
    return {"neutron": "NEUTRON DIFFRACTION", "electron": "ELECTRON CRYSTALLOGRAPHY"}.get(said, "X-RAY DIFFRACTION")


def _refinement_info(prepared: Prepared, cycle: CycleFinished) -> gemmi.RefinementInfo:
    reflections, statistics, shells = prepared.reflections, cycle.statistics, cycle.written.shells
    info = gemmi.RefinementInfo()
    info.id = _method(prepared)
    info.resolution_high, info.resolution_low = round(reflections.d_min, 3), round(reflections.d_max, 3)
    info.completeness = round(100.0 * reflections.completeness, 2)
    info.reflection_count = len(reflections)
    info.work_set_count, info.rfree_set_count = statistics.n_work, statistics.n_free
    info.r_work = round(statistics.r_work, 5)
    if reflections.has_free:
        info.r_free = round(statistics.r_free, 5)
        info.cross_validation_method = "THROUGHOUT"
    info.mean_b = round(statistics.mean_b, 3)
    bins = []
    for i in range(len(shells.d_max)):
        shell = gemmi.BasicRefinementInfo()
        shell.resolution_high = round(float(shells.d_min[i]), 3)
        shell.resolution_low = round(float(shells.d_max[i]), 3)
        shell.reflection_count = int(shells.n_work[i] + shells.n_free[i])
        shell.work_set_count, shell.rfree_set_count = int(shells.n_work[i]), int(shells.n_free[i])
        if np.isfinite(shells.r_work[i]):
            shell.r_work = round(float(shells.r_work[i]), 5)
        if np.isfinite(shells.r_free[i]):
            shell.r_free = round(float(shells.r_free[i]), 5)
        bins.append(shell)
    info.bins = bins
    info.bin_count = len(bins)
    restraints = []
    for name, deviation, family in (
        ("bond_d", statistics.rmsd_bonds, "bonds"),
        ("angle_deg", statistics.rmsd_angles, "angles"),
    ):
        if family in statistics.geometry:
            item = gemmi.RefinementInfo.Restr(name)
            item.count = int(statistics.geometry[family][1])
            item.dev_ideal = round(deviation, 5)
            restraints.append(item)
    info.restr_stats = restraints
    return info


# ---- mmCIF --------------------------------------------------------------------------------------------------------


def _mmcif_text(structure: gemmi.Structure, prepared: Prepared, refinement: gemmi.RefinementInfo) -> str:
    model = prepared.model
    structure.setup_entities()
    if model.source_format == "pdb":
        # The program named in the old REMARK 3 did not refine these coordinates.
        structure.assign_label_seq_id()
    software = [item for item in structure.meta.software if item.classification.name != "Refinement"]
    own = gemmi.SoftwareItem()
    own.name, own.version = NAME, program_version()
    own.classification = gemmi.SoftwareItem.Classification.Refinement
    structure.meta.software = [*software, own]
    structure.meta.refinement = [refinement]
    structure.resolution = prepared.reflections.d_min
    if model.source_format == "mmcif":
        block = coordinate_block(model.source_text)
        _remove_categories(block, STALE_CATEGORIES)
        groups = gemmi.MmcifOutputGroups(False)
        for name in ("atoms", "cell", "symmetry", "scale", "conn", "refine", "software", "cis"):
            setattr(groups, name, True)
        for name, category in (("entity", "_entity."), ("struct_asym", "_struct_asym."), ("atom_type", "_atom_type.")):
            if not list(block.find_mmcif_category(category)):
                setattr(groups, name, True)
        structure.update_mmcif_block(block, groups)
    else:
        block = structure.make_mmcif_block()
    entry = block.find_value("_entry.id") or gemmi.cif.quote(block.name or "refined")
    reflections = prepared.reflections
    block.set_pairs(
        "_reflns.",
        {
            "entry_id": gemmi.cif.as_string(entry),
            "pdbx_ordinal": "1",
            "pdbx_diffrn_id": "1",
            "d_resolution_high": f"{reflections.d_min:.3f}",
            "d_resolution_low": f"{reflections.d_max:.3f}",
            "number_obs": str(len(reflections)),
            "percent_possible_obs": f"{100.0 * reflections.completeness:.2f}",
        },
    )
    document = gemmi.cif.Document()
    document.add_copied_block(block)
    return document.as_string()


def _remove_categories(block: gemmi.cif.Block, prefixes: tuple[str, ...]) -> None:
    for category in block.get_mmcif_category_names():
        if any(
            category.lower().startswith(prefix.rstrip(".").lower() + ("." if prefix.endswith(".") else ""))
            for prefix in prefixes
        ):
            table = block.find_mmcif_category(category)
            table.erase()


# ---- PDB ----------------------------------------------------------------------------------------------------------


def _pdb_text(structure: gemmi.Structure, prepared: Prepared, cycle: CycleFinished, warnings: list[str]) -> str:
    model = prepared.model
    _make_fit(structure, warnings)
    old_serials = [atom.serial for chain in structure[0] for residue in chain for atom in residue]
    bonds = _conect(model.source_text) if model.source_format == "pdb" else []
    numbers = _numbered_pdb(model.source_text)[1] if bonds else {}
    structure.assign_serial_numbers(True)
    new_serials = [atom.serial for chain in structure[0] for residue in chain for atom in residue]
    remarks = _remarks(prepared, cycle)
    structure.raw_remarks = [line for line in structure.raw_remarks if _remark_number(line) not in STALE_REMARKS]
    options = gemmi.PdbWriteOptions()
    options.preserve_serial = True
    options.conect_records = False
    structure.has_origx = False
    lines = structure.make_pdb_string(options).splitlines()
    begin = next((i for i, line in enumerate(lines) if line[:6] in ("MODEL ", "ATOM  ", "HETATM")), len(lines))
    header, coordinates = lines[:begin], [line for line in lines[begin:] if line.strip() != "END"]
    header = [line for line in header if line[:6] != "REMARK" or _remark_number(line) not in STALE_REMARKS]
    header = _with_scale(header, structure.cell)
    if model.source_format == "pdb":
        header = _source_header(model.source_text, header)
    header = _with_remarks(header, remarks)
    # A new atom has serial 0 until now, and no CONECT names it.
    renumbered = {old: new for old, new in zip(old_serials, new_serials, strict=True) if old > 0}
    serials = {int(name): renumbered[old] for name, old in numbers.items() if name.isdecimal() and old in renumbered}
    conect = _conect_lines(bonds, serials)
    return "\n".join(line.rstrip().ljust(80) for line in [*header, *coordinates, *conect, "END"]) + "\n"


def _make_fit(structure: gemmi.Structure, warnings: list[str]) -> None:
    """What the PDB format cannot hold is shortened and said; refined.cif has it all."""
    long_names = sorted({r.name for chain in structure[0] for r in chain if len(r.name) > 3})
    if long_names:
        structure.shorten_ccd_codes()
        # gemmi's pairs: (full name, name in the PDB file)
        pairs = ", ".join(f"{full} as {short}" for full, short in structure.shortened_ccd_codes)
        warnings.append(
            f"refined.pdb cannot hold component names of more than three letters: {pairs or ', '.join(long_names)}."
            " Use refined.cif."
        )
    long_chains = sorted({chain.name for chain in structure[0] if len(chain.name) > 2})
    if long_chains:
        structure.shorten_chain_names()
        warnings.append(
            f"refined.pdb cannot hold chain names of more than two letters: {', '.join(long_chains)} got shorter names."
            " Use refined.cif."
        )
    long_atoms = sorted({a.name for chain in structure[0] for r in chain for a in r if len(a.name) > 4})
    if long_atoms:
        warnings.append(
            f"refined.pdb cannot hold atom names of more than four characters ({', '.join(long_atoms[:5])}): they are"
            " cut there. Use refined.cif."
        )
    if structure[0].count_atom_sites() > 99_999:
        warnings.append(
            "refined.pdb holds more than 99999 atoms: serial numbers go on in hybrid-36, which some programs cannot"
            " read. Use refined.cif."
        )
    numbers = [residue.seqid.num for chain in structure[0] for residue in chain if residue.seqid.num is not None]
    if numbers and (max(numbers) > 9_999 or min(numbers) < -999):
        warnings.append(
            "refined.pdb holds residue numbers of more than four characters, written in hybrid-36, which some programs"
            " cannot read. Use refined.cif."
        )


def _remark_number(line: str) -> int:
    try:
        return int(line[6:10])
    except ValueError:
        return -1


_OWN_RECORDS = ("SSBOND", "LINK", "LINKR", "CISPEP", "CRYST1", "SCALE1", "SCALE2", "SCALE3")
_AFTER_LINKS = (
    "SITE",
    "CRYST1",
    "ORIGX1",
    "ORIGX2",
    "ORIGX3",
    "SCALE1",
    "SCALE2",
    "SCALE3",
    "MTRIX1",
    "MTRIX2",
    "MTRIX3",
)


def _source_header(text: str, ours: list[str]) -> list[str]:
    """The header of the source file, with links, cell and scale as they are now."""
    kept: list[str] = []
    for line in text.splitlines():
        record = line[:6].strip()
        if record in ("ATOM", "HETATM", "MODEL", "TER"):
            break
        if record in _OWN_RECORDS or record.startswith("ORIGX") or record in ("MASTER", "END", "NUMMDL"):
            continue
        if record == "REMARK" and _remark_number(line) in STALE_REMARKS:
            continue
        if record:
            kept.append(line)
    links = [line for line in ours if line[:6].strip() in ("SSBOND", "LINK", "LINKR", "CISPEP")]
    cell = [line for line in ours if line[:6].strip() in ("CRYST1", "SCALE1", "SCALE2", "SCALE3")]
    at = next((i for i, line in enumerate(kept) if line[:6].strip() in _AFTER_LINKS), len(kept))
    before, after = kept[:at], kept[at:]
    sites = [line for line in after if line.startswith("SITE")]
    rest = [line for line in after if not line.startswith("SITE")]
    return [*before, *links, *sites, *cell, *rest]


def _with_scale(header: list[str], cell: gemmi.UnitCell) -> list[str]:
    """SCALE records after CRYST1: the rows of the fractionalisation matrix."""
    # Rounded and + 0.0, so that no -0.000000 is written.
    matrix = [[round(value, 6) + 0.0 for value in row] for row in cell.frac.mat.tolist()]
    scale = [
        f"SCALE{i + 1}    {row[0]:10.6f}{row[1]:10.6f}{row[2]:10.6f}     {0.0:10.5f}" for i, row in enumerate(matrix)
    ]
    kept = [line for line in header if not line.startswith("SCALE")]
    at = next((i for i, line in enumerate(kept) if line.startswith("CRYST1")), len(kept) - 1) + 1
    return [*kept[:at], *scale, *kept[at:]]


def _with_remarks(header: list[str], remarks: list[str]) -> list[str]:
    """Put the remarks where the format wants them: after the title section, before REMARK 4 and higher."""
    title = _TITLE_SECTION
    at = 0
    for i, line in enumerate(header):
        if line[:6].strip() in title or (line.startswith("REMARK") and 0 <= _remark_number(line) < 2):
            at = i + 1
        else:
            break
    return [*header[:at], *remarks, *header[at:]]


def _remarks(prepared: Prepared, cycle: CycleFinished) -> list[str]:
    """REMARK 2 and 3 with our numbers."""
    reflections, s = prepared.reflections, cycle.statistics

    def value(number: float, form: str) -> str:
        return format(number, form) if np.isfinite(number) else "NULL"

    shells = cycle.written.shells
    body = [
        "",
        "REFINEMENT.",
        f"  PROGRAM     : {NAME.upper()} {program_version()}",
        "",
        "   REFINEMENT TARGET : MAXIMUM LIKELIHOOD",
        "",
        " DATA USED IN REFINEMENT.",
        f"  RESOLUTION RANGE HIGH (ANGSTROMS) : {reflections.d_min:.2f}",
        f"  RESOLUTION RANGE LOW  (ANGSTROMS) : {reflections.d_max:.2f}",
        f"  COMPLETENESS FOR RANGE        (%) : {100.0 * reflections.completeness:.1f}",
        f"  NUMBER OF REFLECTIONS             : {len(reflections)}",
        "",
        " FIT TO DATA USED IN REFINEMENT.",
        f"  CROSS-VALIDATION METHOD          : {'THROUGHOUT' if reflections.has_free else 'NONE'}",
        f"  R VALUE            (WORKING SET) : {value(s.r_work, '.4f')}",
        f"  FREE R VALUE                     : {value(s.r_free, '.4f')}",
        f"  FREE R VALUE TEST SET SIZE   (%) : {100.0 * s.n_free / max(s.n_work + s.n_free, 1):.1f}",
        f"  FREE R VALUE TEST SET COUNT      : {s.n_free}",
        "",
        " FIT TO DATA BY RESOLUTION.",
        "  RANGE (ANGSTROMS)   N WORK  N FREE  R WORK  R FREE",
        *(
            f"  {shells.d_max[i]:8.2f} - {shells.d_min[i]:6.2f} {int(shells.n_work[i]):8d}{int(shells.n_free[i]):8d}"
            f"{value(float(shells.r_work[i]), '.3f'):>8s}{value(float(shells.r_free[i]), '.3f'):>8s}"
            for i in range(len(shells.d_max))
        ),
        "",
        " B VALUES.",
        f"  MEAN B VALUE      (OVERALL, A**2) : {s.mean_b:.2f}",
        "",
        " RMS DEVIATIONS FROM IDEAL VALUES (NON-HYDROGEN).",
        f"  BOND LENGTHS                  (A) : {value(s.rmsd_bonds, '.4f')}",
        f"  BOND ANGLES             (DEGREES) : {value(s.rmsd_angles, '.3f')}",
    ]
    lines = ["REMARK   2", f"REMARK   2 RESOLUTION. {reflections.d_min:7.2f} ANGSTROMS."]
    return [*lines, *(f"REMARK   3 {line}".rstrip() for line in body)]


def _conect(text: str) -> list[tuple[int, list[int]]]:
    """CONECT records of a PDB text: (serial, bonded serials)."""
    bonds: list[tuple[int, list[int]]] = []
    for line in text.splitlines():
        if not line.startswith("CONECT"):
            continue
        fields = [line[i : i + 5].strip() for i in range(6, min(len(line.rstrip()), 31), 5)]
        if fields and all(field.isdecimal() for field in fields):
            bonds.append((int(fields[0]), [int(field) for field in fields[1:]]))
    return bonds


def _conect_lines(bonds: list[tuple[int, list[int]]], serials: dict[int, int]) -> list[str]:
    lines = []
    for first, others in bonds:
        known = [serials[other] for other in others if other in serials]
        if first in serials and known and max([serials[first], *known]) <= 99_999:
            lines.append("CONECT" + "".join(f"{serial:5d}" for serial in [serials[first], *known]))
    return lines
