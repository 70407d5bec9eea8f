"""SHELX .hkl files: h k l, I or F (squared), sigma and a batch number in fixed columns (3I4, 2F8, I4).

The format says neither cell nor space group, nor whether its values are intensities (HKLF 4) or amplitudes (HKLF 3).
Intensities are the rule; the labels F,SIGF ask for the other reading. A line 0 0 0 ends the list. Batch -1 marks the
test set of SHELXL, where any is there.
"""

from __future__ import annotations

import re

import numpy as np

from workbench.core.errors import InputError
from workbench.io.files import InputFile
from workbench.io.given_crystal import GivenCrystal, complete_crystal
from workbench.io.reflection_table import Column, ReflectionTable, check_indices, check_resolution

AMPLITUDE_LABELS = ("F", "SIGF")


def shelx_table(file: InputFile, given: GivenCrystal, labels: tuple[str, str] | None) -> ReflectionTable:
    """The columns of a SHELX .hkl file. Raises InputError for lines that do not fit."""
    path = file.source.path
    cell, group, notes = complete_crystal(path, None, "", given)
    rows: list[tuple[float, ...]] = []
    for number, line in enumerate(file.text().splitlines(), start=1):
        if not line.strip():
            if rows:
                break
            continue
        try:
            index = float(line[0:4]), float(line[4:8]), float(line[8:12])
            if index == (0.0, 0.0, 0.0):
                break
            batch = line[28:32].strip()
            rows.append((*index, float(line[12:20]), float(line[20:28]), float(batch) if batch else 1.0))
        except ValueError:
            if rows and re.match(r"\s*[_A-Za-z;]", line):
                break  # SHELX lists may be followed by the instructions that they were made with
            raise InputError(
                f"{line.strip()[:50]!r} is not h k l I sigma in the columns of a SHELX file.",
                file=path,
                item=f"line {number}",
                remedy="Make the file again (format 3I4, 2F8.2, I4).",
            ) from None
    if not rows:
        raise InputError("this SHELX file holds no reflections.", file=path, remedy="Make the file again.")
    data = np.array(rows)
    hkl = check_indices(data[:, :3], path)
    check_resolution(hkl, cell, path)
    if labels == AMPLITUDE_LABELS:
        columns = [Column("F", "F", data[:, 3].copy()), Column("SIGF", "Q", data[:, 4].copy())]
        notes.append("The values are read as amplitudes (HKLF 3), as the user asked.")
    else:
        columns = [Column("I", "J", data[:, 3].copy()), Column("SIGI", "Q", data[:, 4].copy())]
        notes.append("The values are taken as intensities (HKLF 4); --labels F,SIGF reads them as amplitudes.")
    batch_numbers = data[:, 5]
    if (batch_numbers < 0).any():
        columns.append(Column("SHELX_FREE", "I", np.where(batch_numbers < 0, -1.0, 1.0)))
    repeated = len(np.unique(hkl, axis=0)) < len(hkl)
    return ReflectionTable(
        file.source,
        group,
        {0: cell},
        hkl,
        tuple(columns),
        unmerged="equivalent reflections are listed separately" if repeated else "",
        notes=tuple(notes),
        scaled=True,
    )
