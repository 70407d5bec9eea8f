"""What kind of file is this: a model, reflections or a restraint dictionary? By name first, then by content."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Literal

Kind = Literal["model", "data", "dictionary", "unknown"]
BY_NAME: dict[str, Kind] = {
    ".mtz": "data",
    ".pdb": "model",
    ".ent": "model",
    ".mmcif": "model",
    ".ent1": "model",
}
ENOUGH = 1 << 20
"""Bytes of a CIF that are looked at: categories of atoms come after long header loops."""


def recognise(path: str | Path) -> Kind:
    """Kind of a file. Raises OSError when it cannot be read."""
    path = Path(path)
    packed = path.suffix.lower() == ".gz"
    suffix = Path(path.stem).suffix.lower() if packed else path.suffix.lower()
    with path.open("rb") as stream:
        first = stream.read(2)
    opened = gzip.open(path, "rb") if packed or first == b"\x1f\x8b" else path.open("rb")
    with opened as stream:
        try:
            head = stream.read(ENOUGH)
        except gzip.BadGzipFile:
            return "unknown"
    if head[:4] == b"MTZ ":
        return "data"
    if suffix in BY_NAME and suffix != ".mmcif":
        return BY_NAME[suffix]
    text = head.decode("latin-1")
    if "_atom_site." in text:
        return "model"
    if "_refln." in text or "_refln_" in text:
        return "data"
    if "_chem_comp_atom." in text or "_chem_comp_bond." in text or "data_comp_" in text:
        return "dictionary"
    if any(text.startswith(word) or f"\n{word}" in text for word in ("CRYST1", "ATOM  ", "HETATM", "HEADER")):
        return "model"
    return BY_NAME.get(suffix, "unknown")
