"""Reflection files as one table of typed columns: MTZ and mmCIF structure factors look alike from here on.

Column types are those of the MTZ format: F amplitude, J intensity, Q their sigma, G/L amplitude of one Friedel mate and
its sigma, K/M the same for intensities, P phase, W weight, I integer, Y M/ISYM, B batch number, D anomalous difference.
"""

from __future__ import annotations

import os
import struct
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, IntArray
from workbench.core.crystal import Crystal, SourceFile
from workbench.core.errors import InputError
from workbench.io.files import InputFile, read_input, say_kind
from workbench.io.models import read_cif_document


@dataclass(frozen=True, eq=False)
class Column:
    """One column: (n,) values, NaN where missing. `text_values`: what the integers stand for, for status letters."""

    label: str
    type: str
    values: FloatArray = field(repr=False)
    dataset: int = 0
    text_values: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ReflectionTable:
    """hkl (n, 3) as in the file. columns without h, k, l. unmerged: why the file is taken to hold unmerged
    observations, or ""."""

    source: SourceFile
    group: gemmi.SpaceGroup
    cells: dict[int, gemmi.UnitCell]
    hkl: IntArray
    columns: tuple[Column, ...]
    unmerged: str = ""
    notes: tuple[str, ...] = ()

    def crystal(self, dataset: int) -> Crystal:
        a, b, c, alpha, beta, gamma = self.cells[dataset].parameters
        return Crystal(cell=(a, b, c, alpha, beta, gamma), space_group=self.group.xhm())

    def column(self, label: str) -> Column | None:
        return next((each for each in self.columns if each.label == label), None)

    def listing(self) -> str:
        """The columns with their types, for messages: 'FP (F), SIGFP (Q)'."""
        return ", ".join(f"{each.label} ({each.type})" for each in self.columns) or "none"


def read_table(path: str) -> ReflectionTable:
    """Read an MTZ or mmCIF structure factor file, plain or gzip, told apart by content."""
    file = read_input(path)
    if file.kind == "mtz":
        try:
            return _from_mtz(file)
        except UnicodeDecodeError:
            raise InputError(
                "the MTZ header is damaged: its labels are not plain text.",
                file=path,
                remedy="Copy or download it again.",
            ) from None
    if file.kind == "cif":
        return _from_mmcif(file)
    remedy = "Give merged data as MTZ or mmCIF structure factors (plain or .gz)."
    if file.kind in ("scalepack", "xds"):
        remedy = "Convert it to a merged MTZ first (CCP4 import, or gemmi xds2mtz for XDS files)."
    raise InputError(f"is {say_kind(file.kind)}, which is not read as reflections.", file=path, remedy=remedy)


# ---- MTZ ------------------------------------------------------------------------------------------------------------


def _from_mtz(file: InputFile) -> ReflectionTable:
    path = file.source.path
    _refuse_truncated(file)
    mtz = _parse_mtz(file)
    if mtz.nreflections == 0 or len(mtz.columns) < 4:
        raise InputError("this MTZ file holds no reflections.", file=path, remedy="Make the file again.")
    if [column.type for column in mtz.columns[:3]] != ["H", "H", "H"]:
        raise InputError(
            "the first three columns of this MTZ file are not h, k, l.", file=path, remedy="Make it again."
        )
    if mtz.spacegroup is None:
        raise InputError(
            "this MTZ file names no known space group.", file=path, remedy="Set it (for example with CCP4 mtzutils)."
        )
    cells = {-1: mtz.cell}
    for dataset in mtz.datasets:
        cells[dataset.id] = dataset.cell if _sensible(dataset.cell) else mtz.cell
    cells = {key: cell if _sensible(cell) else mtz.cell for key, cell in cells.items()}
    data = np.array(mtz.array, dtype=np.float64)
    _check_hkl(data[:, :3], path)
    hkl = np.ascontiguousarray(np.rint(data[:, :3]).astype(np.int32))
    columns = tuple(
        Column(column.label, column.type, np.ascontiguousarray(data[:, row]), _dataset(column.dataset_id, cells))
        for row, column in enumerate(mtz.columns)
        if row >= 3
    )
    used = {column.dataset for column in columns if column.type in "FJGKI"}
    if not any(_sensible(cells[key]) for key in used or {-1}):
        raise InputError("this MTZ file has no unit cell.", file=path, remedy="Set the cell of the data.")
    unmerged = ""
    if len(mtz.batches) > 0:
        unmerged = f"it has {len(mtz.batches)} batch headers"
    elif any(column.type == "B" for column in columns):
        unmerged = "it has a batch column"
    return ReflectionTable(file.source, mtz.spacegroup, cells, hkl, columns, unmerged)


def _dataset(number: int, cells: dict[int, gemmi.UnitCell]) -> int:
    return number if number in cells else -1


def _sensible(cell: gemmi.UnitCell) -> bool:
    return bool(cell.is_crystal() and np.isfinite(cell.volume) and cell.volume > 8.0 and min(cell.parameters) > 0)


def _refuse_truncated(file: InputFile) -> None:
    """The MTZ header, at the end of the file, is where the first record says; else the file was cut."""
    data = file.data
    remedy = "Copy or download it again."
    if len(data) < 80:
        raise InputError("the MTZ file is truncated.", file=file.source.path, remedy=remedy)
    for order in "<>":
        (start,) = struct.unpack(f"{order}i", data[4:8])
        if start == -1:
            (start,) = struct.unpack(f"{order}q", data[12:20])
        if 20 < start < 2**40:
            place = 4 * (start - 1)
            if place + 80 <= len(data):
                if data[place : place + 4] == b"VERS":
                    return
            elif place < 2**33:
                break
    raise InputError("the MTZ file is truncated or damaged.", file=file.source.path, remedy=remedy)


def _parse_mtz(file: InputFile) -> gemmi.Mtz:
    try:
        if not file.compressed:
            return gemmi.read_mtz_file(str(Path(file.source.path).expanduser()))
        # The parser reads files only, and knows gzip by suffix only.
        handle, name = tempfile.mkstemp(suffix=".mtz")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(file.data)
            return gemmi.read_mtz_file(name)
        finally:
            Path(name).unlink()
    except (RuntimeError, ValueError, IndexError, OSError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the MTZ file is truncated or damaged ({text}).",
            file=file.source.path,
            remedy="Copy or download it again.",
        ) from None


def _check_hkl(hkl: FloatArray, path: str) -> None:
    if not np.isfinite(hkl).all() or np.abs(hkl - np.rint(hkl)).max() > 1e-3 or np.abs(hkl).max() > 100000:
        raise InputError("the Miller indices are not integers.", file=path, remedy="Copy or make the file again.")


# ---- mmCIF structure factors ----------------------------------------------------------------------------------------

_TAGS: tuple[tuple[str, str, str, str], ...] = (
    # value, its sigma, type, type of the sigma
    ("F_meas_au", "F_meas_sigma_au", "F", "Q"),
    ("F_meas", "F_meas_sigma", "F", "Q"),
    ("intensity_meas", "intensity_sigma", "J", "Q"),
    ("F_squared_meas", "F_squared_sigma", "J", "Q"),
    ("pdbx_F_plus", "pdbx_F_plus_sigma", "G", "L"),
    ("pdbx_F_minus", "pdbx_F_minus_sigma", "G", "L"),
    ("pdbx_I_plus", "pdbx_I_plus_sigma", "K", "M"),
    ("pdbx_I_minus", "pdbx_I_minus_sigma", "K", "M"),
    ("F_calc_au", "", "F", ""),
    ("F_calc", "", "F", ""),
    ("pdbx_FWT", "", "F", ""),
    ("pdbx_DELFWT", "", "F", ""),
    ("phase_calc", "", "P", ""),
    ("fom", "", "W", ""),
)

_OBSERVED_STATUS = {"o": 1, "f": 0}


def _from_mmcif(file: InputFile) -> ReflectionTable:
    path = file.source.path
    document = read_cif_document(file.text(), path)
    try:
        blocks = list(gemmi.as_refln_blocks(document))
    except (RuntimeError, ValueError) as error:
        raise InputError(f"the reflections cannot be read ({error}).", file=path, remedy="Copy it again.") from None
    blocks = [block for block in blocks if block.default_loop is not None]
    if not blocks:
        what = "is a model, not a reflection file." if _has_atoms(document) else "holds no reflections."
        raise InputError(what, file=path, remedy="Give an MTZ or mmCIF structure factor file.")
    measured = [block for block in blocks if any(tag in block.column_labels() for tag, *_ in _TAGS[:8])]
    block = (measured or blocks)[0]
    notes: list[str] = []
    if len(blocks) > 1:
        names = ", ".join(each.block.name for each in blocks)
        notes.append(f"The file holds several data blocks ({names}); {block.block.name} is used.")
    if block.spacegroup is None:
        raise InputError("the reflection file names no known space group.", file=path, remedy="Add it to the file.")
    if not _sensible(block.cell):
        raise InputError("the reflection file has no unit cell.", file=path, remedy="Add _cell to the file.")
    labels = block.column_labels()
    missing = {"index_h", "index_k", "index_l"} - set(labels)
    if missing:
        raise InputError(f"the reflections have no {sorted(missing)[0]}.", file=path, remedy="Make the file again.")
    indices = np.stack([_numbers(block, f"index_{axis}") for axis in "hkl"], axis=1)
    _check_hkl(indices, path)
    keep = np.ones(len(indices), dtype=np.bool_)
    columns: list[Column] = []
    if "status" in labels:
        letters = _letters(block, "status")
        values = np.full(len(letters), np.nan)
        for letter, value in _OBSERVED_STATUS.items():
            values[letters == letter] = value
        # Written bare, status 1 means observed in old files.
        values[letters == "1"] = 1.0
        refused = np.isin(letters, ("x", "<", "-", "h", "l"))
        keep &= ~refused
        columns.append(Column("status", "I", values, text_values={0: "f", 1: "o"}))
        if refused.any():
            notes.append(f"{int(refused.sum())} reflections are marked as not observed (status x, <, -, h or l).")
    if "pdbx_r_free_flag" in labels:
        columns.append(Column("pdbx_r_free_flag", "I", _numbers(block, "pdbx_r_free_flag")))
    for tag, sigma_tag, kind, sigma_kind in _TAGS:
        if tag in labels:
            columns.append(Column(tag, kind, _numbers(block, tag)))
            if sigma_tag and sigma_tag in labels:
                columns.append(Column(sigma_tag, sigma_kind, _numbers(block, sigma_tag)))
    hkl = np.ascontiguousarray(np.rint(indices).astype(np.int32)[keep])
    columns = [replace(column, values=column.values[keep]) for column in columns]
    unmerged = "it holds _diffrn_refln records" if block.is_unmerged() else ""
    return ReflectionTable(file.source, block.spacegroup, {0: block.cell}, hkl, tuple(columns), unmerged, tuple(notes))


def _has_atoms(document: gemmi.cif.Document) -> bool:
    return any(len(block.find_values("_atom_site.id")) for block in document)


def _numbers(block: gemmi.ReflnBlock, tag: str) -> FloatArray:
    return np.array(block.make_float_array(tag), dtype=np.float64)


def _letters(block: gemmi.ReflnBlock, tag: str) -> AnyArray:
    loop = block.default_loop
    column = block.block.find_values(loop.tags[0].split(".")[0] + "." + tag)
    return np.array([gemmi.cif.as_string(value).strip().lower() for value in column], dtype=np.str_)
