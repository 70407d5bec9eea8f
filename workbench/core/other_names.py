"""Names of residues and atoms in files that are older than today's dictionaries, or come from simulations.

Residues: the protonation states of Amber, CHARMM and GROMACS (their manuals' residue tables), the ends of nucleic acid
strands of Amber, and nucleotides before the remediation of the PDB in 2007, when A, C, G and T stood for DNA as well.
Atoms: PDB format 2 against 3 (wwPDB remediation of 2007), and the carboxyl ends of CNS, CHARMM and GROMACS.
"""

from __future__ import annotations

RESIDUES: dict[str, str] = {
    **dict.fromkeys(("HID", "HIE", "HIP", "HSD", "HSE", "HSP", "HISD", "HISE", "HISH", "HIS1", "HIS2"), "HIS"),
    **dict.fromkeys(("CYX", "CYM", "CYS2", "CYSH", "CYSS"), "CYS"),
    **dict.fromkeys(("ASH", "ASPH", "ASPP"), "ASP"),
    **dict.fromkeys(("GLH", "GLUH", "GLUP"), "GLU"),
    **dict.fromkeys(("LYN", "LYSH", "LSN"), "LYS"),
    "ARN": "ARG",
    "TYM": "TYR",
    "T": "DT",
    **{f"D{base}{end}": f"D{base}" for base in "ACGT" for end in "35"},
    **{f"R{base}{end}": base for base in "ACGU" for end in ("", "3", "5")},
}
"""Name in the file -> name of the component."""

DEOXY = {"A": "DA", "C": "DC", "G": "DG", "U": "DU", "I": "DI"}
"""What a nucleotide without its O2' is."""

PROTEIN_ATOMS: dict[str, str] = {"OT1": "O", "OT2": "OXT", "OC1": "O", "OC2": "OXT", "OT": "OXT", "HN": "H"}
ATOMS_OF: dict[str, dict[str, str]] = {"ILE": {"CD": "CD1"}, "DT": {"C5M": "C7"}}
NUCLEIC_ATOMS: dict[str, str] = {
    "O1P": "OP1",
    "O2P": "OP2",
    "O3P": "OP3",
    "1H5*": "H5'",
    "2H5*": "H5''",
    "1H2*": "H2'",
    "2H2*": "H2''",
    "2HO*": "HO2'",
    "H2*1": "H2'",
    "H2*2": "H2''",
    "H5*1": "H5'",
    "H5*2": "H5''",
    "H5T": "HO5'",
    "H3T": "HO3'",
}
"""Atom in the file -> atom of the component. A star is today's prime in any nucleotide."""


def other_atom_name(component: str, kind: str, name: str) -> str:
    """Today's name of an atom (`kind` as in `Residues.kind`); the same name when no other is known."""
    own = ATOMS_OF.get(component, {}).get(name)
    if own is not None:
        return own
    if kind == "protein":
        return PROTEIN_ATOMS.get(name, name)
    return NUCLEIC_ATOMS.get(name, name).replace("*", "'")


def component_names(name: str) -> tuple[str, ...]:
    """The components a residue called `name` may turn out to be."""
    target = RESIDUES.get(name)
    found = (name,) if target is None else (name, target)
    return (*found, *(DEOXY[each] for each in found if each in DEOXY))
