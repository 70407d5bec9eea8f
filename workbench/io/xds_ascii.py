"""XDS_ASCII.HKL files of CORRECT and XSCALE: scaled observations, or merged ones.

Header lines begin with "!"; ITEM_ records give the order of the columns; a negative sigma marks a misfit, left out.
"""

from __future__ import annotations

import re

import gemmi
import numpy as np

from workbench.core.errors import InputError
from workbench.core.words import counted
from workbench.io.files import InputFile
from workbench.io.given_crystal import GivenCrystal, complete_crystal
from workbench.io.reflection_table import Column, ReflectionTable, check_indices, check_resolution


def xds_table(file: InputFile, given: GivenCrystal) -> ReflectionTable:
    """The observations of an XDS_ASCII file. Raises InputError for other XDS files and for lines that do not fit."""
    path = file.source.path
    lines = file.text().splitlines()
    header = [line for line in lines if line.startswith("!")]
    if not re.match(r"!FORMAT=XDS_ASCII\b", header[0]):
        raise InputError(
            "this XDS file does not hold scaled intensities (FORMAT is not XDS_ASCII).",
            file=path,
            item="line 1",
            remedy="Give XDS_ASCII.HKL as CORRECT or XSCALE writes it.",
        )
    text = "\n".join(header)
    numbers = re.search(r"!UNIT_CELL_CONSTANTS=\s*(.+)", text)
    cell: gemmi.UnitCell | None = None
    if numbers:
        try:
            cell = gemmi.UnitCell(*(float(word) for word in numbers[1].split()[:6]))
        except (ValueError, TypeError, RuntimeError):
            cell = None
    named = re.search(r"!SPACE_GROUP_NUMBER=\s*(\d+)", text)
    cell, group, notes = complete_crystal(path, cell, named[1] if named else "", given)
    items = {name: int(column) - 1 for name, column in re.findall(r"!ITEM_([^=\s]+)=\s*(\d+)", text)}
    needed = ("H", "K", "L", "IOBS", "SIGMA(IOBS)")
    if any(name not in items for name in needed):
        raise InputError(
            "the header does not say which columns hold h, k, l, I and its sigma.",
            file=path,
            remedy="Give XDS_ASCII.HKL as CORRECT or XSCALE writes it.",
        )
    rows = [line for line in lines if line and not line.startswith("!")]
    n_items = max(items.values()) + 1
    try:
        data = np.loadtxt(rows, ndmin=2) if rows else np.zeros((0, n_items))
    except ValueError as error:
        raise InputError(
            f"a line of reflections cannot be read ({str(error).splitlines()[0]}).",
            file=path,
            remedy="The file may be truncated: copy it again.",
        ) from None
    if not len(data) or data.shape[1] < n_items:
        raise InputError("this XDS file holds no reflections.", file=path, remedy="Copy or make the file again.")
    hkl = check_indices(data[:, [items["H"], items["K"], items["L"]]], path)
    check_resolution(hkl, cell, path)
    value, sigma = data[:, items["IOBS"]].copy(), data[:, items["SIGMA(IOBS)"]].copy()
    misfits = sigma <= 0
    if misfits.any():
        notes.append(f"Left out: {counted(int(misfits.sum()), 'observation')} that XDS marks as misfits.")
        value[misfits] = sigma[misfits] = np.nan
    wavelength = re.search(r"!X-RAY_WAVELENGTH=\s*([\d.]+)", text)
    merged = re.search(r"MERGE=TRUE", header[0]) is not None
    return ReflectionTable(
        file.source,
        group,
        {0: cell},
        hkl,
        (Column("IOBS", "J", value), Column("SIGMA(IOBS)", "Q", sigma)),
        unmerged="" if merged else "XDS_ASCII with MERGE=FALSE",
        notes=tuple(notes),
        wavelengths={0: float(wavelength[1])} if wavelength else {},
        scaled=True,
    )
