"""Bonds and angles of a model without hydrogens: python geometry.py MODEL MONOMERS [DICTIONARY ...]

Run in the peer's environment (gemmi), the same library for every program. Each restraint of gemmi's topology counts
once (of several ideal values the nearest); hydrogens are not there. Prints r.m.s. deviations (angstrom, degrees) and
r.m.s. Z as JSON.
"""

import json
import math
import sys

import gemmi


def rms(values):
    return math.sqrt(sum(x * x for x in values) / len(values)) if values else float("nan")


def main(model, monomers, dictionaries):
    structure = gemmi.read_structure(model)
    structure.setup_entities()
    structure.remove_hydrogens()
    library = gemmi.MonLib()
    for path in dictionaries:
        library.read_monomer_cif(path)
    library.read_monomer_lib(monomers, structure[0].get_all_residue_names(), sys.stderr)
    structure.assign_serial_numbers()
    topology = gemmi.prepare_topology(
        structure, library, h_change=gemmi.HydrogenChange.NoChange, warnings=sys.stderr, ignore_unknown_links=True
    )
    bonds, angles = {}, {}
    for bond in topology.bonds:
        if bond.restr.esd > 0 and not any(atom.is_hydrogen() for atom in bond.atoms):
            delta = bond.calculate() - bond.restr.value
            key = tuple(sorted(atom.serial for atom in bond.atoms))
            z = delta / bond.restr.esd
            if key not in bonds or abs(z) < abs(bonds[key][1]):
                bonds[key] = (delta, z)
    for angle in topology.angles:
        if angle.restr.esd > 0 and not any(atom.is_hydrogen() for atom in angle.atoms):
            delta = math.degrees(angle.calculate()) - angle.restr.value
            first, middle, last = (atom.serial for atom in angle.atoms)
            key = (min(first, last), middle, max(first, last))
            z = delta / angle.restr.esd
            if key not in angles or abs(z) < abs(angles[key][1]):
                angles[key] = (delta, z)
    print(
        json.dumps(
            {
                "n_bonds": len(bonds),
                "n_angles": len(angles),
                "rmsd_bonds": rms([d for d, _ in bonds.values()]),
                "rmsz_bonds": rms([z for _, z in bonds.values()]),
                "rmsd_angles": rms([d for d, _ in angles.values()]),
                "rmsz_angles": rms([z for _, z in angles.values()]),
            }
        )
    )


main(sys.argv[1], sys.argv[2], sys.argv[3:])
