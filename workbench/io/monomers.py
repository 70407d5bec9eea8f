"""Restraints for the components of a model, from the first source that knows them.

The order: dictionaries the user gave; a complete monomer library that is installed (or was asked for); the embedded
library (resources/monomers/monomers.zip); installed libraries that are not complete. Every component keeps the name of
its source. A file of a library that cannot be read is passed over, and said; a dictionary the user gave is refused.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gemmi

from workbench.core.crystal import SourceFile
from workbench.core.errors import InputError
from workbench.core.other_names import RESIDUES, component_names
from workbench.core.words import counted
from workbench.io.dictionaries import Dictionary, check_dictionary, check_names, read_dictionary
from workbench.io.files import read_input, resource_path
from workbench.io.models import read_cif_document
from workbench.io.monomer_libraries import EMBEDDED, SETTING, MonomerLibrary, installed_libraries, library_at

ALIASES = {"WAT": "HOH", "H2O": "HOH", "DOD": "HOH", "TIP": "HOH", "TIP3": "HOH", "SOL": "HOH", "SUL": "SO4"}
"""Other names of components (old files, simulation programs) and the components they are."""

CHOSEN = "chosen"
"""Origin of a library that was asked for by name."""

_NEEDED_LINKS = ("TRANS", "CIS", "PTRANS", "PCIS", "disulf")
_REMEDY_LIBRARY = "Choose another folder, or `embedded` for the library that comes with the program."


@dataclass(frozen=True, eq=False)
class Monomers:
    """library: components, links, modifications and energy types. sources: component -> "embedded" or the path of the
    file it was read from, for the components asked for that are known. dictionaries: the user's files. notes: what was
    found and passed over."""

    library: gemmi.MonLib
    sources: dict[str, str]
    dictionaries: tuple[SourceFile, ...]
    notes: tuple[str, ...] = ()


def read_monomers(residue_names: Sequence[str], dictionaries: Sequence[str] = (), library: str = "") -> Monomers:
    """Restraints for the residues called `residue_names`; components nobody knows are simply not in the library.

    dictionaries: files that come first, component by component, link by link. library: a folder, "embedded", or "" for
    the environment variable WORKBENCH_LIBRARY and else whatever complete library is installed.
    Raises InputError for a dictionary or a chosen library that cannot be used, and for a library without links (a
    protein would then have no peptide bonds).
    """
    names = list(dict.fromkeys(residue_names))
    wanted = list(dict.fromkeys([*names, *(other for name in names for other in component_names(name))]))
    found, notes = _libraries(library)
    monlib, complete = _tables(found, notes)
    sources: dict[str, str] = {}
    given: list[Dictionary] = []
    files = _read_dictionaries(monlib, dictionaries, sources, given)
    own = set(sources)
    if complete is not None:
        _read_components(monlib, complete, wanted, sources, notes)
    for name in wanted:
        text = _text(f"components/{name}.cif") if name not in sources else None
        if text is not None:
            monlib.read_monomer_doc(gemmi.cif.read_string(text))
            sources[name] = EMBEDDED
    for each in found:
        if each is not complete:
            _read_components(monlib, each, wanted, sources, notes)
    _read_aliases(monlib, wanted, sources)
    for name in names:
        other = RESIDUES.get(name)
        if name not in sources and other in sources:
            sources[name] = sources[other]
    unused = sorted(own - set(names) - {RESIDUES.get(name) for name in names})
    if unused and wanted:
        notes.append(f"Dictionaries hold components that are not in the model: {', '.join(unused)}.")
    _check_links(monlib)
    for dictionary in given:
        check_names(dictionary, monlib)
    return Monomers(
        library=monlib,
        sources={name: sources[name] for name in names if name in sources},
        dictionaries=files,
        notes=tuple(notes),
    )


def embedded_components() -> tuple[str, ...]:
    """Names of all embedded components."""
    prefix = "components/"
    return tuple(sorted(name[len(prefix) : -4] for name in _archive().namelist() if name.startswith(prefix)))


def _libraries(setting: str) -> tuple[list[MonomerLibrary], list[str]]:
    """Libraries to ask besides the embedded one, in order, and notes."""
    asked = setting or os.environ.get(SETTING, "")
    if asked == EMBEDDED:
        return [], []
    if not asked:
        return installed_libraries()
    folder = Path(asked).expanduser()
    chosen = library_at(folder, CHOSEN)
    if chosen is None:
        raise InputError(
            "is not a monomer library: it has no folders of component files (a/ALA.cif).",
            file=asked,
            remedy=_REMEDY_LIBRARY,
        )
    for what, file in (("link table", chosen.link_file), ("table of energy types", chosen.energy_file)):
        if file is not None and file.stat().st_size == 0:
            raise InputError(
                f"the {what} is empty: chains would fall apart.",
                file=str(file),
                item="line 1",
                remedy=_REMEDY_LIBRARY,
            )
    notes = []
    if not chosen.complete:
        notes.append(
            f"{asked} has no links or no energy types; it only adds components that the embedded library lacks."
        )
    return [chosen], notes


# ---- the user's dictionaries ----------------------------------------------------------------------------------------


def _read_dictionaries(
    monlib: gemmi.MonLib, paths: Sequence[str], sources: dict[str, str], given: list[Dictionary]
) -> tuple[SourceFile, ...]:
    """The files of the user's dictionaries; what they hold goes to `monlib`, `sources` and `given`."""
    files: dict[str, SourceFile] = {}
    for path in paths:
        dictionary = read_dictionary(path)
        if dictionary.source.sha256 in files:
            continue
        for name in dictionary.components:
            if name in sources:
                raise InputError(
                    f"the component {name} is also in {sources[name]}.",
                    file=path,
                    item=name,
                    remedy="Give one dictionary for each component.",
                )
            sources[name] = path
        for table, names in ((monlib.links, dictionary.links), (monlib.modifications, dictionary.modifications)):
            for name in names:
                if name in table:
                    del table[name]  # gemmi keeps what is there; the user's own has to win
        monlib.read_monomer_doc(dictionary.document)
        files[dictionary.source.sha256] = dictionary.source
        given.append(dictionary)
    return tuple(files.values())


# ---- installed libraries --------------------------------------------------------------------------------------------


def _tables(found: Sequence[MonomerLibrary], notes: list[str]) -> tuple[gemmi.MonLib, MonomerLibrary | None]:
    """Links, modifications and energy types: of the first complete library, completed by the embedded ones."""
    monlib, complete = gemmi.MonLib(), None
    for library in found:
        if not library.complete or complete is not None:
            continue
        try:
            monlib.read_monomer_lib(str(library.folder), [])
            _check_links(monlib)
            complete = library
        except (RuntimeError, ValueError, IndexError, OSError, InputError) as error:
            why = error.message if isinstance(error, InputError) else f"cannot be read ({_first_line(error)})."
            file = str(library.link_file or library.folder)
            if library.origin == CHOSEN:
                raise InputError(why, file=file, item="links", remedy=_REMEDY_LIBRARY) from None
            notes.append(f"Passed over: {file}: {why}")
            monlib = gemmi.MonLib()
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        # Energy types can only be read from a folder. What is in the library already stays.
        for name in ("ener_lib.cif", "links_and_mods.cif"):
            text = _text(name)
            if text is None:
                raise InputError(f"the embedded restraint library lacks {name}.", remedy="Install it again.")
            (Path(folder) / name).write_text(text, encoding="utf-8")
        monlib.read_monomer_lib(folder, [])
    return monlib, complete


def _read_components(
    monlib: gemmi.MonLib, library: MonomerLibrary, wanted: Sequence[str], sources: dict[str, str], notes: list[str]
) -> None:
    """Components that no earlier source knew. A file that cannot be used leaves the component to the next source."""
    count = 0
    for name in wanted:
        place = None if name in sources else library.component_file(name)
        if place is None:
            continue
        try:
            dictionary = _library_file(place)
            if name not in dictionary.components:
                raise InputError(f"holds no component {name}.", file=str(place))
        except InputError as error:
            notes.append(f"Passed over: {error.file}{': ' + error.item if error.item else ''}: {error.message}")
            continue
        monlib.read_monomer_doc(dictionary.document)
        sources[name] = str(place)
        count += 1
    if count:
        how = "comes first" if library.complete else "adds what the embedded library lacks"
        notes.append(
            f"Monomer library {library.folder} ({library.origin}) {how}: {counted(count, 'component')} from there."
        )


def _library_file(place: Path) -> Dictionary:
    file = read_input(str(place))
    text = file.text()
    if file.kind != "cif":
        raise InputError("is not a CIF file.", file=str(place), item="line 1")
    return check_dictionary(read_cif_document(text, str(place)), text, file.source)


# ---- the embedded library -------------------------------------------------------------------------------------------


@cache
def _archive() -> zipfile.ZipFile:
    """The embedded library, compressed in memory; components are unpacked when a model needs them."""
    path: Path = resource_path("monomers") / "monomers.zip"
    try:
        return zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(
            f"the embedded restraint library cannot be read ({error}).", file=path.name, remedy="Install it again."
        ) from None


def _text(name: str) -> str | None:
    """A file of the embedded library; None when it is not there."""
    try:
        return _archive().read(name).decode("utf-8")
    except KeyError:
        return None


def _read_aliases(monlib: gemmi.MonLib, wanted: Sequence[str], sources: dict[str, str]) -> None:
    """Components under another name; the restraints are those of the embedded component they are."""
    for name in wanted:
        other = ALIASES.get(name)
        text = _text(f"components/{other}.cif") if other is not None and name not in sources else None
        if text is None:
            continue
        document = gemmi.cif.read_string(text)
        for block in document:
            if block.name == f"comp_{other}":
                block.name = f"comp_{name}"
            for category in ("_chem_comp.id", "_chem_comp.three_letter_code", "_chem_comp_atom.comp_id"):
                column = block.find_values(category)
                for row in range(len(column)):
                    column[row] = name
        monlib.read_monomer_doc(document)
        sources[name] = EMBEDDED


def _check_links(library: gemmi.MonLib) -> None:
    """An empty link table would silently make proteins without peptide bonds."""
    missing = [name for name in _NEEDED_LINKS if name not in library.links or not len(library.links[name].rt.bonds)]
    if missing:
        raise InputError(
            f"the restraint library has no links {', '.join(missing)}: chains would fall apart.",
            item="links",
            remedy="Install the program again, or correct the dictionary that redefines them.",
        )
    if not len(library.ener_lib.atoms):
        raise InputError("the restraint library has no energy types.", item="ener_lib", remedy="Install it again.")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
