"""Restraint dictionaries: the user's first, then the library that comes with the program.

The embedded library (resources/monomers/monomers.zip) holds the 20 amino acids, MSE, water, nucleotides, common sugars,
ligands and ions, the links and modifications of the CCP4 monomer library, and its energy types. It is read as separate
CIF files, so it can be replaced file by file.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gemmi

from workbench.core.crystal import SourceFile
from workbench.core.errors import InputError
from workbench.io.files import read_input, resource_path, say_kind
from workbench.io.models import read_cif_document

EMBEDDED = "embedded"

_NEEDED_LINKS = ("TRANS", "CIS", "PTRANS", "PCIS", "disulf")


@dataclass(frozen=True, eq=False)
class Monomers:
    """library: components, links, modifications and energy types. sources: component -> "embedded" or the path of the
    user's dictionary, for the components asked for that are known. dictionaries: the user's files."""

    library: gemmi.MonLib
    sources: dict[str, str]
    dictionaries: tuple[SourceFile, ...]
    notes: tuple[str, ...] = ()


def read_monomers(residue_names: Sequence[str], dictionaries: Sequence[str] = ()) -> Monomers:
    """Restraints for the residues called `residue_names`; components nobody knows are simply not in the library.

    A user's dictionary replaces the embedded component, link or modification of the same name. Raises InputError for a
    dictionary that cannot be used, and for a library without links (a protein would then have no peptide bonds).
    """
    library = gemmi.MonLib()
    sources: dict[str, str] = {}
    files: dict[str, SourceFile] = {}
    notes: list[str] = []
    for path in dictionaries:
        source, names = _read_dictionary(library, path, set(files), sources)
        if source.sha256 in files:
            continue
        files[source.sha256] = source
        for name in names:
            sources[name] = path
    own = set(sources)
    _read_embedded(library, [name for name in dict.fromkeys(residue_names) if name not in own])
    wanted = set(residue_names)
    for name in library.monomers.keys():  # noqa: SIM118 - a map of gemmi, not a dict
        sources.setdefault(name, EMBEDDED)
    unused = sorted(own - wanted)
    if unused and wanted:
        notes.append(f"Dictionaries hold components that are not in the model: {', '.join(unused)}.")
    _check_links(library)
    return Monomers(
        library=library,
        sources={name: source for name, source in sources.items() if name in wanted},
        dictionaries=tuple(files.values()),
        notes=tuple(notes),
    )


def embedded_components() -> tuple[str, ...]:
    """Names of all embedded components."""
    prefix = "components/"
    return tuple(sorted(name[len(prefix) : -4] for name in _archive() if name.startswith(prefix)))


# ---- the user's dictionaries ----------------------------------------------------------------------------------------


def _read_dictionary(
    library: gemmi.MonLib, path: str, known: set[str], sources: dict[str, str]
) -> tuple[SourceFile, list[str]]:
    file = read_input(path)
    if file.kind != "cif":
        raise InputError(
            f"is {say_kind(file.kind)}, not a restraint dictionary.",
            file=path,
            remedy="Give the CIF that a program such as AceDRG, Grade or eLBOW wrote for the ligand.",
        )
    if file.source.sha256 in known:
        return file.source, []
    document = read_cif_document(file.text(), path)
    names = _check_dictionary(document, path)
    for name in names:
        if name in sources:
            raise InputError(
                f"the component {name} is also in {sources[name]}.",
                file=path,
                item=name,
                remedy="Give one dictionary for each component.",
            )
    try:
        library.read_monomer_doc(document)
    except (RuntimeError, ValueError, IndexError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the dictionary cannot be used ({text}).", file=path, remedy="Make it again with a restraint generator."
        ) from None
    missing = [name for name in names if name not in library.monomers.keys()]  # noqa: SIM118
    if missing:
        raise InputError(
            f"the component {missing[0]} cannot be read from its block.",
            file=path,
            item=missing[0],
            remedy="Make the dictionary again with a restraint generator.",
        )
    return file.source, names


def _check_dictionary(document: gemmi.cif.Document, path: str) -> list[str]:
    """Component names of a dictionary that holds what restraints need."""
    names: list[str] = []
    others = 0
    for block in document:
        categories = set(block.get_mmcif_category_names())
        if block.name.startswith(("link_", "mod_")) and categories:
            others += 1
        if "_chem_comp_atom." not in categories:
            if "_atom_site." in categories:
                raise InputError(
                    "is a model, not a restraint dictionary.",
                    file=path,
                    item=block.name,
                    remedy="Give the CIF that a program such as AceDRG, Grade or eLBOW wrote for the ligand.",
                )
            continue
        name, _ = _component(block)
        atoms = block.find_values("_chem_comp_atom.atom_id")
        bonds = block.find_values("_chem_comp_bond.atom_id_1")
        distances = block.find_values("_chem_comp_bond.value_dist")
        if len(atoms) == 0:
            raise InputError("the component has no atoms.", file=path, item=name, remedy="Make the dictionary again.")
        if len(atoms) > 1 and len(bonds) == 0:
            raise InputError(
                "the component has no bonds (_chem_comp_bond).",
                file=path,
                item=name,
                remedy="Make restraints for it, for example with AceDRG.",
            )
        if len(atoms) > 1 and (len(distances) == 0 or not any(_positive(value) for value in distances)):
            raise InputError(
                "the component has no ideal bond lengths (_chem_comp_bond.value_dist): it is a description, "
                "not restraints.",
                file=path,
                item=name,
                remedy="Make restraints from it, for example with AceDRG.",
            )
        present = {gemmi.cif.as_string(atom) for atom in atoms}
        for tag in ("atom_id_1", "atom_id_2"):
            for atom in block.find_values(f"_chem_comp_bond.{tag}"):
                if gemmi.cif.as_string(atom) not in present:
                    raise InputError(
                        f"a bond names the atom {gemmi.cif.as_string(atom)}, which the component does not have.",
                        file=path,
                        item=name,
                        remedy="Make the dictionary again.",
                    )
        if name in names:
            raise InputError("the component occurs twice.", file=path, item=name, remedy="Remove one of them.")
        names.append(name)
    if not names and not others:
        raise InputError(
            "is not a restraint dictionary: it holds no component (_chem_comp_atom), link or modification.",
            file=path,
            remedy="Give the CIF that a program such as AceDRG, Grade or eLBOW wrote for the ligand.",
        )
    return names


def _component(block: gemmi.cif.Block) -> tuple[str, int]:
    column = block.find_values("_chem_comp_atom.comp_id")
    name = gemmi.cif.as_string(column[0]) if len(column) else block.name.removeprefix("comp_")
    return name, len(column)


def _positive(text: str) -> bool:
    return bool(gemmi.cif.as_number(text) > 0)


# ---- the embedded library -------------------------------------------------------------------------------------------


@cache
def _archive() -> dict[str, str]:
    """Texts of the embedded library by name. About a megabyte; read once."""
    path: Path = resource_path("monomers") / "monomers.zip"
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise InputError(
            f"the embedded restraint library cannot be read ({error}).", file=path.name, remedy="Install it again."
        ) from None


def _read_embedded(library: gemmi.MonLib, names: Sequence[str]) -> None:
    """Add links, modifications, energy types and components; what is there already stays."""
    texts = _archive()
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        # Energy types can only be read from a folder.
        for name in ("ener_lib.cif", "links_and_mods.cif"):
            if name not in texts:
                raise InputError(f"the embedded restraint library lacks {name}.", remedy="Install it again.")
            (Path(folder) / name).write_text(texts[name], encoding="utf-8")
        library.read_monomer_lib(folder, [])
    for name in names:
        text = texts.get(f"components/{name}.cif")
        if text is not None:
            library.read_monomer_doc(gemmi.cif.read_string(text))


def _check_links(library: gemmi.MonLib) -> None:
    """An empty link table would silently make proteins without peptide bonds."""
    present = set(library.links.keys())
    missing = [name for name in _NEEDED_LINKS if name not in present or not len(library.links[name].rt.bonds)]
    if missing:
        raise InputError(
            f"the restraint library has no links {', '.join(missing)}: chains would fall apart.",
            item="links",
            remedy="Install the program again, or correct the dictionary that redefines them.",
        )
    if not len(library.ener_lib.atoms):
        raise InputError("the restraint library has no energy types.", item="ener_lib", remedy="Install it again.")
