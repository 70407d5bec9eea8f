"""One output model, made comparable: python normalise.py MODEL WITHOUT_H WITH_H MONOMERS [DICTIONARY ...]

Run in the peer's environment (gemmi). Hydrogens and charges of the program are removed (scattering factors of neutral
atoms for everybody); WITH_H gets riding hydrogens by gemmi from one library, those whose place follows from the heavy
atoms (no hydroxyl or water hydrogens), with B and occupancy of their parents. Prints the B model of the atoms.
"""

import json
import sys

import gemmi


def main(model, without, with_h, monomers, dictionaries):
    structure = gemmi.read_structure(model)
    structure.setup_entities()
    structure.remove_hydrogens()
    heavy = aniso = 0
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                atom.charge = 0
                heavy += 1
                aniso += atom.aniso.nonzero()
    structure.make_mmcif_document().write_file(without)
    library = gemmi.MonLib()
    for path in dictionaries:
        library.read_monomer_cif(path)
    library.read_monomer_lib(monomers, structure[0].get_all_residue_names(), sys.stderr)
    gemmi.prepare_topology(
        structure, library, h_change=gemmi.HydrogenChange.ReAddKnown, warnings=sys.stderr, ignore_unknown_links=True
    )
    hydrogens = 0
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                if atom.is_hydrogen():
                    hydrogens += 1
                    atom.aniso = gemmi.SMat33f(0, 0, 0, 0, 0, 0)
                atom.charge = 0
    structure.make_mmcif_document().write_file(with_h)
    print(json.dumps({"heavy_atoms": heavy, "anisotropic_atoms": aniso, "hydrogens": hydrogens}))


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
