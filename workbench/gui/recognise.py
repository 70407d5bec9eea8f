"""Which of the files that were dropped is the model, which the reflections, which a dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from workbench.core.errors import InputError
from workbench.io.files import read_input

Kind = Literal["model", "data", "dictionary", "map", "project", "unknown"]


def recognise(path: str | Path) -> Kind:
    """Kind of a file by its content ("project": a journal of this program).

    What is none of these, or cannot be read, is "unknown".
    """
    try:
        with Path(path).open("rb") as handle:
            if handle.read(16) == b"SQLite format 3\x00":
                return "project"
    except OSError:
        return "unknown"
    try:
        file = read_input(str(path))
    except InputError:
        return "unknown"
    if file.kind == "map":
        return "map"
    if file.kind == "mtz" and _only_a_map(str(path)):
        return "map"
    if file.kind in ("mtz", "scalepack", "xds", "shelx"):
        return "data"
    if file.kind == "pdb":
        return "model"
    if file.kind != "cif":
        return "unknown"
    if b"_atom_site." in file.data:
        return "model"
    if b"_refln." in file.data:
        return "data"
    if any(name in file.data for name in (b"_chem_comp_atom.", b"_chem_comp_bond.", b"_chem_comp.", b"_chem_link.")):
        return "dictionary"
    return "unknown"


def _only_a_map(path: str) -> bool:
    from workbench.io.maps import holds_only_maps  # the window itself does without gemmi

    try:
        return holds_only_maps(path)
    except InputError:
        return False
