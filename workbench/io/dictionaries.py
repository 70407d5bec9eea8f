"""Restraint dictionaries given by the user: read, and refused with the line that is wrong."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import gemmi

from workbench.core.crystal import SourceFile
from workbench.core.errors import InputError
from workbench.io.dictionary_values import Refusal, check_values
from workbench.io.files import read_input, say_kind
from workbench.io.models import read_cif_document

_BACKBONE = frozenset(("N", "CA", "C", "O", "OXT", "CB", "CD", "CN", "H", "H2", "H3", "HA"))
"""Atoms by which links of the group of peptides may join any amino acid (CD of proline, CN of N-methylated ones)."""
_PEPTIDES = (
    gemmi.ChemComp.Group.Peptide,
    gemmi.ChemComp.Group.PPeptide,
    gemmi.ChemComp.Group.MPeptide,
)
_MAKE_ONE = "Give the CIF that a program such as AceDRG, Grade or eLBOW wrote for the ligand."
_MAKE_AGAIN = "Make the dictionary again with a restraint generator, or correct the line."
_DESCRIPTION = "Make restraints from it: `workbench dictionary`, or AceDRG."

_ATOM_TAGS = {
    "_chem_comp_bond.": ("a bond", ("atom_id_1", "atom_id_2")),
    "_chem_comp_angle.": ("an angle", ("atom_id_1", "atom_id_2", "atom_id_3")),
    "_chem_comp_tor.": ("a torsion", ("atom_id_1", "atom_id_2", "atom_id_3", "atom_id_4")),
    "_chem_comp_chir.": ("a chirality", ("atom_id_centre", "atom_id_1", "atom_id_2", "atom_id_3")),
    "_chem_comp_plane_atom.": ("a plane", ("atom_id",)),
}


_NUMBERS = {
    "_chem_comp_bond.value_dist_esd": "the uncertainty of a bond,",
    "_chem_comp_bond.value_dist_nucleus": "the distance of nuclei",
    "_chem_comp_bond.value_dist_nucleus_esd": "the uncertainty of a distance of nuclei,",
    "_chem_comp_angle.value_angle": "the angle",
    "_chem_comp_angle.value_angle_esd": "the uncertainty of an angle,",
    "_chem_comp_tor.value_angle": "the torsion angle",
    "_chem_comp_tor.value_angle_esd": "the uncertainty of a torsion,",
    "_chem_comp_plane_atom.dist_esd": "the uncertainty of a plane,",
}
"""Values that must be numbers where they are given: gemmi reads text as no number, and the restraint would be lost."""


@dataclass(frozen=True, eq=False)
class Dictionary:
    """A checked dictionary: its components, links and modifications by name."""

    source: SourceFile
    document: gemmi.cif.Document
    components: tuple[str, ...]
    links: tuple[str, ...]
    modifications: tuple[str, ...]


def read_dictionary(path: str) -> Dictionary:
    """Read and check a dictionary; nothing else is changed by it.

    Raises InputError with file, item and line: syntax errors, atoms that a component does not have, components without
    bonds or bond lengths, links without bonds, files that are something else.
    """
    file = read_input(path)
    if file.kind != "cif":
        raise InputError(f"is {say_kind(file.kind)}, not a restraint dictionary.", file=path, remedy=_MAKE_ONE)
    text = file.text()
    document = read_cif_document(text, path)
    return check_dictionary(document, text, file.source, values=True)


def check_dictionary(document: gemmi.cif.Document, text: str, source: SourceFile, values: bool = False) -> Dictionary:
    """The dictionary in a parsed CIF; raises as `read_dictionary`.

    values: refuse lengths, angles and uncertainties that no molecule has or that would drop a restraint
    (dictionary_values.py). The files of installed libraries are taken as they are.
    """
    path = source.path
    components: list[str] = []
    links: list[str] = []
    modifications: list[str] = []
    for block in document:
        categories = set(block.get_mmcif_category_names())
        if block.name.startswith("link_") and block.name != "link_list":
            _check_link(block, categories, text, path)
            links.append(block.name.removeprefix("link_"))
        elif block.name.startswith("mod_") and block.name != "mod_list" and categories:
            modifications.append(block.name.removeprefix("mod_"))
        elif "_chem_comp_atom." in categories:
            name = _check_component(block, categories, text, path)
            if values and len(block.find_values("_chem_comp_atom.atom_id")) > 1:
                check_values(block, name, _refusal(block, name, text, path))
            if name in components:
                raise InputError("the component occurs twice.", file=path, item=name, remedy="Remove one of them.")
            components.append(name)
        elif "_atom_site." in categories:
            raise InputError("is a model, not a restraint dictionary.", file=path, item=block.name, remedy=_MAKE_ONE)
    for name in _listed_links(document):
        if name not in links:
            raise InputError(
                "the link is listed, but its table is missing.",
                file=path,
                item=_at(f"link {name}", _line_of(text, "data_link_list", name)),
                remedy=_MAKE_AGAIN,
            )
    if not (components or links or modifications):
        raise InputError(
            "is not a restraint dictionary: it holds no component (_chem_comp_atom), link or modification.",
            file=path,
            remedy=_MAKE_ONE,
        )
    _try_to_load(document, components, path)
    return Dictionary(source, document, tuple(components), tuple(links), tuple(modifications))


def _check_component(block: gemmi.cif.Block, categories: set[str], text: str, path: str) -> str:
    """The name of a component that holds what restraints need."""
    column = block.find_values("_chem_comp_atom.comp_id")
    name = gemmi.cif.as_string(column[0]) if len(column) else block.name.removeprefix("comp_")
    atoms = block.find_values("_chem_comp_atom.atom_id")
    here = f"data_{block.name}"

    def refuse(message: str, remedy: str, line: int = 0) -> InputError:
        return InputError(message, file=path, item=_at(name, line or _line_of(text, here)), remedy=remedy)

    if len(atoms) == 0:
        raise refuse("the component has no atoms.", _MAKE_AGAIN)
    if len(atoms) == 1:
        return name
    bonds = block.find_values("_chem_comp_bond.atom_id_1")
    distances = block.find_values("_chem_comp_bond.value_dist")
    if len(bonds) == 0:
        raise refuse("the component has no bonds (_chem_comp_bond).", _DESCRIPTION)
    if not any(_positive(value) for value in distances):
        raise refuse(
            "the component has no ideal bond lengths (_chem_comp_bond.value_dist): it is a description, not "
            "restraints.",
            _DESCRIPTION,
            _line_of(text, here, "_chem_comp_bond."),
        )
    present = {gemmi.cif.as_string(atom) for atom in atoms}
    if len(present) < len(atoms):
        twice = next(a for a in present if sum(gemmi.cif.as_string(x) == a for x in atoms) > 1)
        raise refuse(f"the atom {twice} occurs twice.", _MAKE_AGAIN, _line_of(text, here, "_chem_comp_atom.", twice))
    for category, (what, tags) in _ATOM_TAGS.items():
        if category not in categories:
            continue
        for tag in tags:
            for value in block.find_values(category + tag):
                atom = gemmi.cif.as_string(value)
                if atom and atom not in present:
                    raise refuse(
                        f"{what} names the atom {atom}, which the component does not have.",
                        _MAKE_AGAIN,
                        _line_of(text, here, category, atom),
                    )
    for row, value in enumerate(distances):
        if not _positive(value) and not gemmi.cif.is_null(value):
            raise refuse(
                f"the bond length {value} of {bonds[row]} is not a length.",
                _MAKE_AGAIN,
                _line_of(text, here, "_chem_comp_bond.", value),
            )
    for tag, what in _NUMBERS.items():
        category = tag.split(".", 1)[0] + "."
        for value in block.find_values(tag):
            if not gemmi.cif.is_null(value) and not math.isfinite(gemmi.cif.as_number(value)):
                raise refuse(
                    f"{what} {value} is not a number ({tag}).", _MAKE_AGAIN, _line_of(text, here, category, value)
                )
    return name


def _refusal(block: gemmi.cif.Block, name: str, text: str, path: str) -> Refusal:
    def refuse(message: str, category: str, words: str) -> InputError:
        line = _line_of(text, f"data_{block.name}", *filter(None, (category,)), *words.split())
        return InputError(message, file=path, item=_at(name, line), remedy=_MAKE_AGAIN)

    return refuse


def check_names(dictionary: Dictionary, monlib: gemmi.MonLib) -> None:
    """Refuse links and modifications whose atoms are not in the components they are for (those in `monlib`)."""
    text = ""
    path = dictionary.source.path

    def refuse(what: str, name: str, atom: str, component: str) -> InputError:
        shown = f"{component} does not have" if component else "no amino acid has in its backbone"
        line = _line_of(text, f"data_{what}_{name}", atom)
        kind = "link" if what == "link" else "modification"
        return InputError(
            f"the {kind} names the atom {atom}, which {shown}.",
            file=path,
            item=_at(f"{kind} {name}", line),
            remedy=_MAKE_AGAIN,
        )

    if dictionary.links or dictionary.modifications:
        text = read_input(path).text()
    for name in dictionary.modifications:
        component = monlib.modifications[name].comp_id if name in monlib.modifications else ""
        if component not in monlib.monomers:
            continue
        there = {atom.id for atom in monlib.monomers[component].atoms}
        block = dictionary.document.find_block(f"mod_{name}")
        for function, changed in block.find("_chem_mod_atom.", ["function", "atom_id"]) if block is not None else ():
            atom = gemmi.cif.as_string(changed)
            if function.lower() in ("delete", "change") and atom and atom not in there:
                raise refuse("mod", name, atom, component)
    for name in dictionary.links:
        if name not in monlib.links:
            continue
        link = monlib.links[name]
        for number, side in ((1, link.side1), (2, link.side2)):
            atoms = {each.atom for bond in link.rt.bonds for each in (bond.id1, bond.id2) if each.comp == number}
            known: set[str] = set()
            if side.comp in monlib.monomers:
                known = {atom.id for atom in monlib.monomers[side.comp].atoms}
            elif not side.comp and side.group in _PEPTIDES:
                known = set(_BACKBONE)
            if known and side.mod in monlib.modifications:
                known |= {change.new_id for change in monlib.modifications[side.mod].atom_mods}
            wrong = sorted(atoms - known) if known else []
            if wrong:
                raise refuse("link", name, wrong[0], side.comp)


def _check_link(block: gemmi.cif.Block, categories: set[str], text: str, path: str) -> None:
    bonds = block.find_values("_chem_link_bond.value_dist")
    if "_chem_link_bond." not in categories or not any(_positive(value) for value in bonds):
        raise InputError(
            "the link has no bond (_chem_link_bond): what it joins would fall apart.",
            file=path,
            item=_at(f"link {block.name.removeprefix('link_')}", _line_of(text, f"data_{block.name}")),
            remedy=_MAKE_AGAIN,
        )


def _listed_links(document: gemmi.cif.Document) -> list[str]:
    block = document.find_block("link_list")
    return [gemmi.cif.as_string(value) for value in block.find_values("_chem_link.id")] if block is not None else []


def _try_to_load(document: gemmi.cif.Document, components: list[str], path: str) -> None:
    """Load it into an empty library: what fails there would fail later, in the midst of another."""
    trial = gemmi.MonLib()
    try:
        trial.read_monomer_doc(document)
    except (RuntimeError, ValueError, IndexError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"the dictionary cannot be used ({first}).", file=path, remedy=_MAKE_AGAIN) from None
    missing = [name for name in components if name not in trial.monomers]
    if missing:
        raise InputError("the component cannot be read from its block.", file=path, item=missing[0], remedy=_MAKE_AGAIN)


def _at(item: str, line: int) -> str:
    return f"{item}, line {line}" if line else item


def _line_of(text: str, *marks: str) -> int:
    """Line number (from 1) where the marks occur as words one after the other; 0 when they do not."""
    number, wanted = 0, list(marks)
    for number, line in enumerate(text.splitlines(), start=1):
        while wanted and _holds(line, wanted[0]):
            wanted.pop(0)
            if not wanted:
                return number
            if wanted[0].startswith("_"):
                break
    return 0


def _holds(line: str, mark: str) -> bool:
    if mark.startswith("data_"):
        return line.strip().lower() == mark.lower()
    if mark.startswith("_"):
        return line.strip().lower().startswith(mark.lower())
    return re.search(rf"(?<!\S)[\"']?{re.escape(mark)}[\"']?(?!\S)", line) is not None


def _positive(text: str) -> bool:
    return bool(gemmi.cif.as_number(text) > 0)
