"""Scalepack files: merged intensities, h k l I sigma, or h k l I+ sigma I- sigma, in fixed columns.

Format: line 1 a number of lines (1), line 2 a code (-987 or the like), line 3 the cell and, in most files, the space
group; then 3I4, 4F8.1. Where Friedel mates were kept a reflection of which only one was measured has an empty or zero
field with sigma -1 for the other.
"""

from __future__ import annotations

import gemmi
import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.errors import InputError
from workbench.io.files import InputFile
from workbench.io.given_crystal import GivenCrystal, complete_crystal
from workbench.io.reflection_table import Column, ReflectionTable, check_indices, check_resolution


def scalepack_table(file: InputFile, given: GivenCrystal) -> ReflectionTable:
    """The columns of a merged Scalepack file. Raises InputError for unmerged files and for lines that do not fit."""
    path = file.source.path
    lines = file.text().splitlines()
    if lines[0].split()[1:]:
        raise InputError(
            "this Scalepack file holds unmerged observations.",
            file=path,
            item="line 1",
            remedy="Merge them (for example with pointless and aimless), then give the merged file.",
        )
    words = lines[2].split()
    try:
        cell = gemmi.UnitCell(*(float(word) for word in words[:6]))
    except (ValueError, TypeError, RuntimeError):
        raise InputError("there is no unit cell.", file=path, item="line 3", remedy="Make the file again.") from None
    symbol = " ".join(words[6:])
    cell, group, notes = complete_crystal(path, cell, symbol, given)
    hkl_rows: list[tuple[float, float, float]] = []
    values = np.full((max(len(lines) - 3, 0), 4), np.nan)
    for number, line in enumerate(lines[3:], start=4):
        if not line.strip():
            continue
        try:
            hkl_rows.append((float(line[0:4]), float(line[4:8]), float(line[8:12])))
            for field in range(4):
                text = line[12 + 8 * field : 20 + 8 * field].strip()
                if text:
                    values[len(hkl_rows) - 1, field] = float(text)
        except ValueError:
            raise InputError(
                f"{line.strip()[:50]!r} is not h k l I sigma in the columns of a Scalepack file.",
                file=path,
                item=f"line {number}",
                remedy="Make the file again.",
            ) from None
    if not hkl_rows:
        raise InputError("this Scalepack file holds no reflections.", file=path, remedy="Make the file again.")
    values = values[: len(hkl_rows)]
    hkl = check_indices(np.array(hkl_rows), path)
    check_resolution(hkl, cell, path)
    return ReflectionTable(
        file.source, group, {0: cell}, hkl, _columns(values, group, hkl), notes=tuple(notes), scaled=True
    )


def _columns(values: FloatArray, group: gemmi.SpaceGroup, hkl: np.ndarray) -> tuple[Column, ...]:
    for field in (1, 3):
        with np.errstate(invalid="ignore"):
            missing = ~(values[:, field] > 0)
        values[missing, field - 1 : field + 1] = np.nan
    if not np.isfinite(values[:, 2]).any():
        return Column("I", "J", values[:, 0].copy()), Column("SIGI", "Q", values[:, 1].copy())
    names = (("I(+)", "K"), ("SIGI(+)", "M"), ("I(-)", "K"), ("SIGI(-)", "M"))
    return tuple(Column(name, kind, values[:, field].copy()) for field, (name, kind) in enumerate(names))
