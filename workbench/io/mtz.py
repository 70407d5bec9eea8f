"""MTZ files: merged, several data sets, unmerged."""

from __future__ import annotations

import os
import struct
import tempfile
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.errors import InputError
from workbench.io.files import InputFile
from workbench.io.reflection_table import Column, ReflectionTable, check_indices, check_resolution, is_sensible

_AGAIN = "Copy or download it again."


def mtz_table(file: InputFile) -> ReflectionTable:
    """The columns of an MTZ file. Raises InputError for a file that is truncated, damaged or empty."""
    try:
        return _from_mtz(file)
    except UnicodeDecodeError:
        raise InputError(
            "the MTZ header is damaged: its labels are not plain text.",
            file=file.source.path,
            remedy=_AGAIN,
        ) from None


def _from_mtz(file: InputFile) -> ReflectionTable:
    path = file.source.path
    _refuse_truncated(file)
    mtz = parse_mtz(file)
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
        cells[dataset.id] = dataset.cell if is_sensible(dataset.cell) else mtz.cell
    # where neither a data set nor the file says a cell, that of another data set stands in
    known = next((cell for cell in cells.values() if is_sensible(cell)), mtz.cell)
    cells = {key: cell if is_sensible(cell) else known for key, cell in cells.items()}
    with np.errstate(invalid="ignore"):  # signalling NaN of damaged files
        data = np.array(mtz.array, dtype=np.float64)
    hkl = check_indices(data[:, :3], path)
    if np.isfinite(mtz.valm):
        data[:, 3:][data[:, 3:] == mtz.valm] = np.nan
    columns = tuple(
        Column(column.label, column.type, np.ascontiguousarray(data[:, row]), _dataset(column.dataset_id, cells))
        for row, column in enumerate(mtz.columns)
        if row >= 3
    )
    used = {column.dataset for column in columns if column.type in "FJGKI"}
    if not any(is_sensible(cells[key]) for key in used or {-1}):
        raise InputError("this MTZ file has no unit cell.", file=path, remedy="Set the cell of the data.")
    unmerged = ""
    if len(mtz.batches) > 0:
        unmerged = f"it has {len(mtz.batches)} batch headers"
    elif any(column.type == "B" for column in columns):
        unmerged = "it has a batch column"
    check_resolution(hkl, next(cells[key] for key in (used or {-1}) if is_sensible(cells[key])), path)
    return ReflectionTable(
        file.source,
        mtz.spacegroup,
        cells,
        hkl,
        columns,
        unmerged,
        dataset_names={each.id: each.dataset_name or each.crystal_name for each in mtz.datasets},
        wavelengths={each.id: float(each.wavelength) for each in mtz.datasets},
    )


def _dataset(number: int, cells: dict[int, gemmi.UnitCell]) -> int:
    return number if number in cells else -1


def column_types(file: InputFile) -> frozenset[str]:
    """The types of the columns, from the header alone and without a library: whoever asks may not crash.

    Raises InputError for a file that is truncated.
    """
    place = _refuse_truncated(file)
    found = set()
    for start in range(place, len(file.data) - 79, 80):
        record = file.data[start : start + 80]
        if record.startswith(b"END"):
            break
        words = record.split()
        if record.startswith(b"COLUMN ") and len(words) > 2:
            found.add(words[2].decode("ascii", "replace"))
    return frozenset(found)


def _refuse_truncated(file: InputFile) -> int:
    """The place of the header, at the end of the file, where the first record says; else the file was cut."""
    data = file.data
    if len(data) < 80:
        raise InputError("the MTZ file is truncated.", file=file.source.path, remedy=_AGAIN)
    for order in "<>":
        (start,) = struct.unpack(f"{order}i", data[4:8])
        if start == -1:
            (start,) = struct.unpack(f"{order}q", data[12:20])
        if 20 < start < 2**40:
            place = 4 * (int(start) - 1)
            if place + 80 <= len(data):
                if data[place : place + 4] == b"VERS":
                    _check_sizes(file, place)
                    return place
            elif place < 2**33:
                break
    raise InputError("the MTZ file is truncated or damaged.", file=file.source.path, remedy=_AGAIN)


def _check_sizes(file: InputFile, header: int) -> None:
    """The counts of the NCOL record must fit the bytes that are there; a parser that trusts them asks for gigabytes."""
    data = file.data
    at = data.find(b"NCOL ", header)
    words = data[at + 5 : at + 80].split() if at >= 0 else []
    try:
        n_columns, n_rows, n_batches = (int(word) for word in words[:3])
    except ValueError:
        n_columns = n_rows = n_batches = -1
    if n_columns < 0 or n_rows < 0 or n_batches < 0 or len(words) < 3:
        raise InputError("the MTZ header has no readable NCOL record.", file=file.source.path, remedy=_AGAIN)
    if 80 + 4 * n_columns * n_rows > header or n_batches * 80 > len(data):
        raise InputError(
            f"the MTZ header promises {n_columns} columns of {n_rows} reflections, more than the file holds.",
            file=file.source.path,
            remedy=_AGAIN,
        )


def parse_mtz(file: InputFile) -> gemmi.Mtz:
    """The file as gemmi has it. Raises InputError."""
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
            remedy=_AGAIN,
        ) from None
