"""Any reflection file as a table of columns, told apart by content."""

from __future__ import annotations

from workbench.core.errors import InputError
from workbench.io.files import read_input, say_kind
from workbench.io.given_crystal import GivenCrystal, in_given_crystal
from workbench.io.mtz import mtz_table
from workbench.io.reflection_table import ReflectionTable
from workbench.io.scalepack import scalepack_table
from workbench.io.shelx_hkl import shelx_table
from workbench.io.structure_factor_cif import structure_factor_table
from workbench.io.xds_ascii import xds_table

FORMATS = "MTZ, mmCIF structure factors, Scalepack, XDS_ASCII or SHELX hkl (plain or .gz)"


def read_table(
    path: str,
    given: GivenCrystal | None = None,
    dataset: str = "",
    labels: tuple[str, str] | None = None,
) -> ReflectionTable:
    """Read an MTZ, mmCIF, Scalepack, XDS_ASCII or SHELX file, plain or gzip.

    given: cell and space group for files that carry none. dataset: block of an mmCIF file, or data set within it.
    labels: the columns that will be asked for (a SHELX file does not know whether it holds I or F).
    Raises InputError with file, place and remedy.
    """
    file = read_input(path)
    known = given or GivenCrystal()
    match file.kind:
        case "mtz":
            return in_given_crystal(mtz_table(file), known)
        case "cif":
            return in_given_crystal(structure_factor_table(file, dataset), known)
        case "scalepack":
            return scalepack_table(file, known)
        case "xds":
            return xds_table(file, known)
        case "shelx":
            return shelx_table(file, known, labels)
    remedy = f"Give reflections as {FORMATS}."
    if file.kind == "pdb":
        raise InputError("is a model, not a reflection file.", file=path, remedy=remedy)
    raise InputError(f"is {say_kind(file.kind)}, which is not read as reflections.", file=path, remedy=remedy)
