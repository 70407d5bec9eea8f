"""Monomer libraries that the user's other programs have installed: where they are and how they are laid out.

Order of preference: the folder that was asked for; $CLIBD_MON; CCP4; Coot; Phenix; Debian's refmac-dictionary. A
library is complete when it brings links and energy types of its own; then it replaces the embedded one. One that lacks
them (Debian's package, Phenix's geostd) only adds components that the embedded library does not know, because
components of another make and our links need not fit together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

EMBEDDED = "embedded"
SETTING = "WORKBENCH_LIBRARY"
"""Environment variable with the meaning of the library setting: a folder, or "embedded"."""

LINK_FILES = ("links_and_mods.cif", "list/mon_lib_list.cif")
ENERGY_FILE = "ener_lib.cif"

_RESERVED = ("AUX", "CON", "NUL", "PRN")
"""Components that Windows cannot have as file names; CCP4 calls their files CON_CON.cif."""


@dataclass(frozen=True)
class MonomerLibrary:
    """A folder of component files. origin: how it was found, for the user. complete: it has links and energy types."""

    folder: Path
    origin: str
    complete: bool

    def component_file(self, name: str) -> Path | None:
        """The file of a component, or None."""
        if not name or not name[0].isalnum():
            return None
        stem = f"{name}_{name}" if name in _RESERVED else name
        within = self.folder / name[0].lower()
        for candidate in (f"{stem}.cif", f"{stem}.cif.gz", f"data_{stem}.cif"):
            if (within / candidate).is_file():
                return within / candidate
        return None

    @property
    def link_file(self) -> Path | None:
        """The file with links and modifications."""
        return next((self.folder / name for name in LINK_FILES if (self.folder / name).is_file()), None)

    @property
    def energy_file(self) -> Path | None:
        """The file with energy types."""
        for name in (ENERGY_FILE, f"{ENERGY_FILE}.gz"):
            if (self.folder / name).is_file():
                return self.folder / name
        return None


def library_at(folder: Path, origin: str) -> MonomerLibrary | None:
    """The library in a folder; None when nothing there looks like one."""
    try:
        lettered = folder.is_dir() and any((folder / letter).is_dir() for letter in "agh")
    except OSError:
        return None
    if not lettered:
        return None
    found = MonomerLibrary(folder, origin, False)
    links, energies = found.link_file, found.energy_file
    # An empty link file is there in some packages; without links a protein has no peptide bonds.
    complete = links is not None and links.stat().st_size > 0 and energies is not None and energies.stat().st_size > 0
    return MonomerLibrary(folder, origin, complete)


def installed_libraries(
    environment: Mapping[str, str] | None = None, places: tuple[tuple[str, str], ...] | None = None
) -> tuple[list[MonomerLibrary], list[str]]:
    """Libraries on this computer in order of preference, and notes on variables that name none.

    environment: os.environ when None. places: (origin, glob pattern) of the usual places of installation, for tests.
    """
    variables = os.environ if environment is None else environment
    found: list[MonomerLibrary] = []
    notes: list[str] = []
    seen: set[Path] = set()

    def look(folder: Path, origin: str) -> bool:
        library = library_at(folder, origin)
        if library is None:
            return False
        real = folder.resolve()
        if real not in seen:
            seen.add(real)
            found.append(library)
        return True

    for name, endings in _VARIABLES:
        value = variables.get(name, "").strip()
        if not value:
            continue
        here = [look(Path(value).expanduser() / ending, f"${name}") for ending in endings]
        if not any(here) and name in _NAMES_A_LIBRARY:
            notes.append(f"${name} names {value}, which holds no monomer library.")
        elif name in _NAMES_A_LIBRARY:
            notes += _empty_tables(f"${name}", [Path(value).expanduser() / ending for ending in endings])
    for origin, pattern in _usual_places() if places is None else places:
        for folder in _matching(pattern):
            look(folder, origin)
    return found, notes


def _empty_tables(variable: str, folders: list[Path]) -> list[str]:
    """What is said when a library that a variable names cannot replace the embedded one because a table is empty."""
    notes = []
    for library in filter(None, (library_at(folder, variable) for folder in folders)):
        for what, file in (("link table", library.link_file), ("table of energy types", library.energy_file)):
            if file is not None and file.stat().st_size == 0:
                notes.append(
                    f"{variable} names a library whose {what} is empty ({file}): the embedded library is used instead, "
                    "and only components that it lacks are taken from there."
                )
    return notes


_VARIABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("CLIBD_MON", ("",)),
    ("CCP4", ("lib/data/monomers",)),
    ("CCP4_MASTER", ("lib/data/monomers",)),
    ("COOT_MONOMER_LIB_DIR", ("",)),
    ("COOT_REFMAC_LIB_DIR", ("data/monomers", "")),
    ("COOT_DATA_DIR", ("lib/data/monomers",)),
    ("COOT_PREFIX", ("share/coot/lib/data/monomers",)),
    ("MMTBX_CCP4_MONOMER_LIB", ("", "mon_lib", "geostd")),
    ("PHENIX", ("modules/chem_data/mon_lib", "modules/chem_data/geostd", "lib/python3/site-packages/chem_data/geostd")),
)
"""Environment variables and the folders below them that may hold a library, in order of preference."""

_NAMES_A_LIBRARY = frozenset({"CLIBD_MON", "COOT_MONOMER_LIB_DIR", "MMTBX_CCP4_MONOMER_LIB"})


def _usual_places() -> tuple[tuple[str, str], ...]:
    """(origin, glob pattern) where programs install their libraries when no variable is set."""
    coot = "share/coot/lib/data/monomers"
    if sys.platform == "darwin":
        return (
            ("CCP4", "/Applications/ccp4-*/lib/data/monomers"),
            ("Coot", f"/opt/homebrew/{coot}"),
            ("Coot", f"/usr/local/{coot}"),
            ("Phenix", "/Applications/phenix-*/modules/chem_data/mon_lib"),
        )
    if sys.platform == "win32":
        return (("CCP4", "C:/CCP4-*/*/lib/data/monomers"), ("Coot", f"C:/WinCoot*/{coot}"))
    return (
        ("CCP4", "/opt/xtal/ccp4-*/lib/data/monomers"),
        ("CCP4", "/opt/ccp4*/lib/data/monomers"),
        ("CCP4", "/usr/local/ccp4-*/lib/data/monomers"),
        ("Coot", f"/usr/{coot}"),
        ("Coot", f"/usr/local/{coot}"),
        ("Phenix", "/usr/local/phenix-*/modules/chem_data/mon_lib"),
        ("Phenix", "/opt/phenix-*/modules/chem_data/mon_lib"),
        ("Debian refmac-dictionary", "/usr/share/refmac/monomers"),
    )


def _matching(pattern: str) -> list[Path]:
    """Folders that fit, the newest version (last by name) first."""
    path = Path(pattern)
    try:
        return sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))), reverse=True)
    except (OSError, ValueError):
        return []
