"""Read maps: CCP4 and MRC files, and map coefficients from MTZ files."""

from __future__ import annotations

import math
import re
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.arrays import Complex64Array, Float32Array, IntArray
from workbench.core.crystal import Crystal
from workbench.core.errors import InputError
from workbench.io.files import InputFile, read_input
from workbench.io.mtz import column_types, parse_mtz

KNOWN_PAIRS = (
    ("FWT", "PHWT"),
    ("2FOFCWT", "PH2FOFCWT"),
    ("DELFWT", "PHDELWT"),
    ("FOFCWT", "PHFOFCWT"),
    ("FDM", "PHIDM"),
    ("FC", "PHIC"),
)
"""Columns of map coefficients as refinement and phasing programs name them, best first."""
DIFFERENCE_LABELS = ("DELF", "FOFC", "FO-FC", "FODFC", "FO-DFC", "FAN", "DIFF", "POLDER")
_MULTIPLE = re.compile(r"[2-9][MND]*FO")
"""2FOFCWT, 2mFo-DFc, 3Fo2Fc: a multiple of F_obs makes no difference map."""
MAP_MODES = {0, 1, 2, 6}


@dataclass(frozen=True, eq=False)
class MapGrid:
    """A map as its file has it, completed to one unit cell: values (nu, nv, nw) on a grid that starts at the origin,
    NaN where the file has none (a box that symmetry does not complete)."""

    name: str
    crystal: Crystal
    values: Float32Array
    difference: bool


@dataclass(frozen=True, eq=False)
class MapCoefficients:
    """Coefficients f (m,) of a map, electrons or the file's unit, at hkl (m, 3), to d_min in angstrom."""

    name: str
    crystal: Crystal
    hkl: IntArray
    f: Complex64Array
    d_min: float
    difference: bool


def read_maps(path: str) -> list[MapGrid | MapCoefficients]:
    """Every map of a file: one of a CCP4 or MRC file, all pairs of amplitudes and phases of an MTZ file.

    Raises InputError for anything else, naming the file and the remedy.
    """
    file = read_input(path)
    if file.kind == "mtz":
        return _from_mtz(file, path)
    if file.kind == "map":
        return [_from_ccp4(file.data, path)]
    raise InputError(
        "not a map.", file=path, remedy="Maps are CCP4 or MRC files, or MTZ files with map coefficients (FWT, PHWT)."
    )


def holds_only_maps(path: str) -> bool:
    """True for a CCP4 or MRC map, or an MTZ file with phases and without measured amplitudes or intensities (which
    have standard deviations beside them)."""
    file = read_input(path)
    if file.kind == "map":
        return True
    if file.kind != "mtz":
        return False
    kinds = column_types(file)
    return "P" in kinds and not kinds & {"Q", "L", "M", "J", "K"}


def is_difference(label: str) -> bool:
    """Whether programs call a difference map so, a column or a file."""
    upper = label.upper()
    return any(word in upper for word in DIFFERENCE_LABELS) and not _MULTIPLE.search(upper)


def _crystal(cell: gemmi.UnitCell, group: gemmi.SpaceGroup | None, path: str) -> Crystal:
    if not all(np.isfinite(cell.parameters)) or min(cell.parameters[:3]) <= 0.5 or cell.volume <= 0.0:
        raise InputError(
            "the unit cell is missing or makes no sense.", file=path, item="cell", remedy="Check the file."
        )
    return Crystal(tuple(cell.parameters), (group or gemmi.SpaceGroup("P 1")).xhm())


def _from_ccp4(data: bytes, path: str) -> MapGrid:
    mode = int.from_bytes(data[12:16], "little" if data[212] in (0x44, 0x41, 0) else "big")
    if mode not in MAP_MODES:
        raise InputError(
            f"a map of mode {mode} cannot be read.", file=path, remedy="Write it as mode 2 (real numbers)."
        )
    try:
        with tempfile.TemporaryDirectory(prefix="workbench-map-") as folder:
            # gemmi reads maps from files only; the bytes may have come out of an archive.
            place = Path(folder) / "map.ccp4"
            place.write_bytes(data)
            ccp4 = gemmi.read_ccp4_map(str(place))
        finite = bool(np.isfinite(np.array(ccp4.grid, copy=False)).all())
        ccp4.setup(math.nan, gemmi.MapSetup.Full)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise InputError(
            f"the map cannot be read ({error}).", file=path, remedy="Check that the file is complete."
        ) from None
    grid = ccp4.grid
    values = np.ascontiguousarray(np.array(grid, copy=True), dtype=np.float32)
    if not finite or not np.isfinite(values).any():
        raise InputError("the map holds values that are not numbers.", file=path, remedy="Write the map again.")
    return MapGrid(
        Path(path).name, _crystal(grid.unit_cell, grid.spacegroup, path), values, is_difference(Path(path).stem)
    )


def _from_mtz(file: InputFile, path: str) -> list[MapGrid | MapCoefficients]:
    mtz = parse_mtz(file)
    labels = mtz.column_labels()
    pairs = [pair for pair in KNOWN_PAIRS if pair[0] in labels and pair[1] in labels]
    columns = list(mtz.columns)
    for first, second in pairwise(columns):
        pair = (first.label, second.label)
        if first.type == "F" and second.type == "P" and pair not in pairs and first.label not in ("FC", "F-model"):
            pairs.append(pair)
    if not pairs:
        raise InputError(
            "no map coefficients: the file has no amplitude with a phase beside it.",
            file=path,
            item=", ".join(labels),
            remedy="Refinement programs write them as FWT PHWT or 2FOFCWT PH2FOFCWT.",
        )
    crystal = _crystal(mtz.cell, mtz.spacegroup, path)
    hkl = np.asarray(mtz.make_miller_array(), dtype=np.int32)
    found: list[MapGrid | MapCoefficients] = []
    for amplitude, phase in pairs:
        f = np.asarray(mtz.column_with_label(amplitude).array, dtype=np.float64)
        phi = np.radians(np.asarray(mtz.column_with_label(phase).array, dtype=np.float64))
        known = np.isfinite(f) & np.isfinite(phi)
        if not known.any() or not np.any(f[known]):
            continue
        unique, f_unique = _asymmetric(mtz, hkl[known], (f[known] * np.exp(1j * phi[known])).astype(np.complex64))
        d_min = float(np.min(mtz.cell.calculate_d_array(unique)))
        name = f"{Path(path).name} {amplitude}"
        found.append(MapCoefficients(name, crystal, unique, f_unique, d_min, is_difference(amplitude)))
    if not found:
        raise InputError("the map coefficients are empty.", file=path, remedy="Choose another file.")
    return found


def _asymmetric(mtz: gemmi.Mtz, hkl: IntArray, f: Complex64Array) -> tuple[IntArray, Complex64Array]:
    """Each reflection once, in gemmi's asymmetric unit of reciprocal space."""
    asu = gemmi.ComplexAsuData(mtz.cell, mtz.spacegroup or gemmi.SpaceGroup("P 1"), hkl, f)
    asu.ensure_asu()
    asu.ensure_sorted()
    indices = np.array(asu.miller_array, dtype=np.int32)
    values = np.array(asu.value_array, dtype=np.complex64)
    _, first = np.unique(indices, axis=0, return_index=True)
    return indices[first], values[first]
