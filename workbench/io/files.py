"""Bytes of input files with their checksum, and the data files that come with the program.

Every reader of `workbench.io` opens its file here, so that a missing, empty, unreadable or broken file is refused in
the same words everywhere.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workbench.core.crystal import SourceFile
from workbench.core.errors import InputError

FileKind = Literal["mtz", "cif", "pdb", "scalepack", "xds", "shelx", "map", "image", "archive", "text", "binary"]

LARGEST_CONTENT = 1 << 30
"""Bytes that a compressed file may unpack to; the largest deposited entries stay below half of it."""

LARGEST_FILE = 1 << 31
"""Bytes on disk."""

PACKAGE = Path(__file__).resolve().parent.parent

_PDB_RECORDS = frozenset(
    """
    HEADER OBSLTE TITLE SPLIT CAVEAT COMPND SOURCE KEYWDS EXPDTA NUMMDL MDLTYP AUTHOR REVDAT SPRSDE JRNL REMARK DBREF
    SEQADV SEQRES MODRES HET HETNAM HETSYN FORMUL HELIX SHEET SSBOND LINK LINKR CISPEP SITE CRYST1 ORIGX1 ORIGX2 ORIGX3
    SCALE1 SCALE2 SCALE3 MTRIX1 MTRIX2 MTRIX3 MODEL ATOM HETATM ANISOU TER ENDMDL CONECT MASTER END USER
    """.split()  # noqa: SIM905
)

_SAID = {
    "mtz": "an MTZ reflection file",
    "cif": "a CIF file",
    "pdb": "a PDB coordinate file",
    "scalepack": "a Scalepack reflection file",
    "xds": "an XDS reflection file",
    "shelx": "a SHELX reflection file",
    "map": "a density map",
    "image": "a picture",
    "archive": "an archive",
    "text": "plain text",
    "binary": "binary data of an unknown kind",
}


def say_kind(kind: FileKind) -> str:
    """The kind of a file in words: 'an MTZ reflection file'."""
    return _SAID[kind]


@dataclass(frozen=True, eq=False)
class InputFile:
    """A file in memory. data: the bytes, decompressed. source: path as given and SHA-256 of the bytes on disk."""

    source: SourceFile
    data: bytes = field(repr=False)
    compressed: bool
    kind: FileKind

    def text(self) -> str:
        """The bytes as text: UTF-8, or Latin-1 where they are not (old headers with accents)."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.data.decode("latin-1")


def read_input(path: str) -> InputFile:
    """Read and, by its first bytes rather than its name, decompress a file.

    Raises InputError for anything that cannot be opened, is empty, or is a damaged gzip file.
    """
    place = Path(path).expanduser()
    try:
        if place.is_dir():
            raise InputError("is a directory, not a file.", file=path, remedy="Name the file inside it.")
        if place.exists() and not place.is_file():
            raise InputError("is not an ordinary file.", file=path, remedy="Name a file on disk.")
        size = place.stat().st_size
        if size > LARGEST_FILE:
            raise InputError(
                f"the file is {size / 2**30:.1f} GB large, more than any model, data set or map.",
                file=path,
                remedy="Give the file that holds the model or the merged data.",
            )
        raw = place.read_bytes()
    except FileNotFoundError:
        raise InputError("file not found.", file=path, remedy=_nearby(place)) from None
    except PermissionError:
        raise InputError(
            "no permission to read this file.", file=path, remedy="Change its permissions or copy it."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read ({reason}).", file=path, remedy="Check the name and the disk.") from None
    if not raw:
        raise InputError("the file is empty.", file=path, remedy="Copy or download it again.")
    source = SourceFile(path=path, sha256=hashlib.sha256(raw).hexdigest())
    compressed = raw[:2] == b"\x1f\x8b"
    data = raw
    if compressed:
        data = _gunzip(raw, path)
        if not data:
            raise InputError("the compressed file is empty.", file=path, remedy="Copy or download it again.")
    return InputFile(source=source, data=data, compressed=compressed, kind=kind_of(data))


def _gunzip(raw: bytes, path: str) -> bytes:
    """The contents of all members of a gzip file, up to `LARGEST_CONTENT`."""
    parts: list[bytes] = []
    room = LARGEST_CONTENT
    rest = raw
    try:
        while rest:
            member = zlib.decompressobj(wbits=31)
            parts.append(member.decompress(rest, room + 1))
            room -= len(parts[-1])
            if room < 0:
                raise InputError(
                    f"the file unpacks to more than {LARGEST_CONTENT >> 20} MB, which no model or data set needs.",
                    file=path,
                    remedy="Unpack it by hand and look at what it holds.",
                )
            if not member.eof:
                raise EOFError
            rest = member.unused_data.lstrip(b"\0")
    except (EOFError, zlib.error):
        raise InputError(
            "the gzip file is truncated or damaged.", file=path, remedy="Copy or download it again."
        ) from None
    return b"".join(parts)


def kind_of(data: bytes) -> FileKind:
    """What the content looks like, whatever the file is called."""
    if data[:4] == b"MTZ ":
        return "mtz"
    if data[208:212] == b"MAP ":
        return "map"
    if data[:4] in (b"\x89PNG", b"GIF8") or data[:3] == b"\xff\xd8\xff" or data[:4] == b"%PDF":
        return "image"
    if data[:4] == b"PK\x03\x04" or data[:3] == b"BZh" or data[:6] == b"\xfd7zXZ\x00":
        return "archive"
    head = data[:20000]
    if b"\x00" in head:
        return "binary"
    lines = head.decode("latin-1").lstrip("\xef\xbb\xbf").splitlines()
    for line in lines:
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if word.lower().startswith(("data_", "global_", "loop_", "save_")) or word.startswith("_"):
            return "cif"
        break
    if any(line[:6].strip() in _PDB_RECORDS and _looks_like_record(line) for line in lines[:200]):
        return "pdb"
    if lines and lines[0].strip() in ("1", "0") and len(lines) > 2 and len(lines[2].split()) >= 6:
        return "scalepack"
    if lines and lines[0].startswith("!FORMAT=XDS"):
        return "xds"
    if _looks_like_shelx(lines):
        return "shelx"
    return "text"


def _looks_like_shelx(lines: list[str]) -> bool:
    """The first lines are h k l, value and sigma in the columns 3I4, 2F8."""
    shown = [line for line in lines[:20] if line.strip()][:10]
    return len(shown) > 0 and all(
        re.fullmatch(r"(?=.{28})[ \d-]{12}[ \d.+-]{16}[ \d-]{0,4}\s*", line[:32])
        and all(re.fullmatch(r" *-?\d+", line[i : i + 4]) for i in (0, 4, 8))
        and all("." in line[i : i + 8] for i in (12, 20))
        for line in shown
    )


def _looks_like_record(line: str) -> bool:
    """Record name in columns 1-6 as PDB files have it, in capitals and followed by a blank or a number."""
    name = line[:6].rstrip()
    return line[: len(name)] == name and (len(line) <= len(name) or not line[len(name)].isalpha())


def _nearby(place: Path) -> str:
    """A remedy for a name that does not exist: a file of nearly the same name, if there is one."""
    folder = place.parent
    try:
        if not folder.is_dir():
            return f"The folder {folder} does not exist."
        stem = place.name.lower().split(".")[0]
        alike = sorted(entry.name for entry in folder.iterdir() if entry.name.lower().split(".")[0] == stem)
    except OSError:
        alike = []
    return f"Did you mean {alike[0]}?" if alike else "Check the name and the folder."


def _bundled(folder: str) -> Path:
    """A folder of data files: inside the package in an installed wheel, beside it in a source tree."""
    for place in (PACKAGE / folder, PACKAGE.parent / folder):
        if place.is_dir():
            return place
    raise InputError(f"the installation is incomplete: its folder {folder} is missing.", remedy="Install it again.")


def resource_path(name: str) -> Path:
    """Path of a file or folder of `resources/`, e.g. "monomers"."""
    place = _bundled("resources") / name
    if not place.exists():
        raise InputError(f"the installation is incomplete: {name} is missing.", remedy="Install it again.")
    return place


EXAMPLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "lyso_c2": ("lyso_c2.pdb.gz", "lyso_c2.mtz.gz", ()),
    "mdm2_unfinished": ("mdm2_unfinished.pdb.gz", "mdm2_unfinished.mtz.gz", ("NUT.cif",)),
    "pep_5e5z": ("pep_5e5z.pdb", "pep_5e5z.mtz", ()),
}
"""Bundled example structures: model, data, dictionaries (file names in example_structures/NAME/)."""


def example_names() -> tuple[str, ...]:
    """Names of the bundled example structures."""
    return tuple(EXAMPLES)


def example_path(name: str) -> tuple[Path, Path, tuple[Path, ...]]:
    """Model, data and dictionaries of a bundled example structure."""
    if name not in EXAMPLES:
        raise InputError(f"there is no example called {name!r}.", remedy=f"There are: {', '.join(EXAMPLES)}.")
    folder = _bundled("example_structures") / name
    model, data, dictionaries = EXAMPLES[name]
    paths = (folder / model, folder / data, tuple(folder / each for each in dictionaries))
    for path in (paths[0], paths[1], *paths[2]):
        if not path.is_file():
            raise InputError(f"the installation is incomplete: {path.name} is missing.", remedy="Install it again.")
    return paths
