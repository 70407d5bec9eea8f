"""Reflection files as one table of typed columns: every format looks alike from here on.

Column types are those of the MTZ format: F amplitude, J intensity, Q their sigma, G/L amplitude of one Friedel mate and
its sigma, K/M the same for intensities, P phase, W weight, I integer, Y M/ISYM, B batch number, D anomalous difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import gemmi
import numpy as np

from workbench.core.arrays import FloatArray, IntArray
from workbench.core.crystal import Crystal, SourceFile
from workbench.core.errors import InputError

Radiation = Literal["", "x-ray", "neutron", "electron"]


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
    """hkl (n, 3) as in the file. columns without h, k, l.

    dataset_names, wavelengths (angstrom): by data set, as far as the file says. radiation: "" where it says nothing.
    unmerged: why the file is taken to hold unmerged observations, or "". scaled: the format holds scaled observations
    only, so that they may be merged without asking. blocks: names to choose one from, where the file holds several.
    """

    source: SourceFile
    group: gemmi.SpaceGroup
    cells: dict[int, gemmi.UnitCell]
    hkl: IntArray
    columns: tuple[Column, ...]
    unmerged: str = ""
    notes: tuple[str, ...] = ()
    dataset_names: dict[int, str] = field(default_factory=dict)
    wavelengths: dict[int, float] = field(default_factory=dict)
    radiation: Radiation = ""
    scaled: bool = False
    blocks: tuple[str, ...] = ()

    def crystal(self, dataset: int) -> Crystal:
        a, b, c, alpha, beta, gamma = self.cells[dataset].parameters
        return Crystal(cell=(a, b, c, alpha, beta, gamma), space_group=self.group.xhm())

    def column(self, label: str) -> Column | None:
        return next((each for each in self.columns if each.label == label), None)

    def listing(self) -> str:
        """The columns with their types, for messages: 'FP (F), SIGFP (Q)'."""
        return ", ".join(f"{each.label} ({each.type})" for each in self.columns) or "none"


LONGEST_EDGE = 2000.0
"""Angstrom; no macromolecular cell measured so far is longer (largest virus crystals: about 1300)."""
LARGEST_INDEX = 1000
HIGHEST_RESOLUTION = 0.3
"""Angstrom: reflections beyond it are not measured; a cell or index that says so is damaged."""


def is_sensible(cell: gemmi.UnitCell) -> bool:
    """A cell that a crystal can have: finite, edges from 2 to 2000 A, angles that close."""
    parameters = np.array(cell.parameters)
    if not np.isfinite(parameters).all() or not cell.is_crystal():
        return False
    return bool(
        parameters[:3].min() > 2.0
        and parameters[:3].max() < LONGEST_EDGE
        and parameters[3:].min() > 10.0
        and parameters[3:].max() < 170.0
        and np.isfinite(cell.volume)
        and cell.volume > 8.0
    )


def check_indices(hkl: FloatArray, path: str) -> IntArray:
    """Miller indices (n, 3) as integers. Raises InputError where they are none."""
    if not np.isfinite(hkl).all() or np.abs(hkl - np.rint(hkl)).max(initial=0.0) > 1e-3:
        raise InputError("the Miller indices are not integers.", file=path, remedy="Copy or make the file again.")
    if np.abs(hkl).max(initial=0.0) > LARGEST_INDEX:
        raise InputError(
            f"there is a Miller index of {np.abs(hkl).max():.0f}, which no crystal gives.",
            file=path,
            remedy="The file is damaged: copy or make it again.",
        )
    return np.ascontiguousarray(np.rint(hkl).astype(np.int32))


def check_resolution(hkl: IntArray, cell: gemmi.UnitCell, path: str) -> None:
    """Raises InputError when cell and indices together give a resolution that cannot be."""
    d = 1.0 / np.sqrt(max(float(np.max(cell.calculate_1_d2_array(hkl), initial=1e-12)), 1e-12))
    if not d > HIGHEST_RESOLUTION:
        raise InputError(
            f"cell and indices together give a resolution of {d:.2g} A, which no crystal gives.",
            file=path,
            remedy="The cell or the indices are damaged: copy or make the file again.",
        )
