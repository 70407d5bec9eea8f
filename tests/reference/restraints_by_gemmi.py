"""Reference: the heavy-atom restraints that gemmi's own topology builder makes of whole files.

    python -m tests.reference.restraints_by_gemmi LIBRARY SHARED_DATA

LIBRARY is a monomer library of the CCP4 kind (the folder share/coot/lib/data/monomers inside the Python package
coot-headless-api 1.3.3rc1 made the file in the repository). Files are read, chains are found and links are taken by
gemmi alone; nothing of the program takes part, except the names of the data sets. Writes restraints_by_gemmi.json.gz
beside this script: per data set, family and kind of restraint the targets, sigmas and how often each occurs.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from pathlib import Path

import gemmi

SETS: dict[str, tuple[str, ...]] = {
    "rnasa": ("rnasa/tutorial-modern.pdb",),
    "bgl": ("bgl_4iid/4iid.pdb",),
    "gp350": ("gp350_2h6o/2h6o.pdb",),
    "ptp1b": ("ptp1b_7rin/7rin.pdb",),
    "mdm2_finished": ("mdm2_finished/4hg7.pdb", "mdm2_finished/NUT.cif"),
    "crabp": ("crabp_1cbs/1cbs.cif.gz",),
    "fdx": ("fdx_1dur/1dur.pdb",),
    "zdna": ("zdna_1v9g_neutron/1v9g-spk.cif.gz",),
}
"""Model and dictionaries, by the names of tests/geometry_cases.py."""

RESULT = Path(__file__).with_name("restraints_by_gemmi.json.gz")

Tally = dict[str, list[tuple[float, float, int]]]


def restraints(model: Path, dictionaries: list[Path], library: Path) -> dict[str, Tally]:
    """Family -> kind -> [(target, sigma, count)]; angstrom and degrees. Kinds name residue and atoms."""
    structure = gemmi.read_structure(str(model))
    structure.merge_chain_parts()
    structure.setup_entities()
    structure.remove_hydrogens()
    monomers = gemmi.MonLib()
    for dictionary in dictionaries:
        monomers.read_monomer_doc(gemmi.cif.read(str(dictionary)))
    names = [name for name in structure[0].get_all_residue_names() if name not in monomers.monomers]
    monomers.read_monomer_lib(str(library), names)
    topology = gemmi.prepare_topology(structure, monomers, 0, gemmi.HydrogenChange.NoChange, False)
    place: dict[int, str] = {}
    for cra in structure[0].all():
        letter = cra.atom.altloc.strip("\0 ")
        place[cra.atom.serial] = f"{cra.residue.name} {cra.atom.name}{'.' + letter if letter else ''}"

    def kind(atoms: list[gemmi.Atom]) -> str:
        return "|".join(place[a.serial] for a in atoms)

    found: dict[str, Counter[tuple[str, float, float]]] = {
        family: Counter() for family in ("bonds", "angles", "chirality", "planes")
    }
    for bond in topology.bonds:
        if bond.restr.value > 0 and bond.restr.esd > 0:
            name = kind(sorted(bond.atoms, key=lambda a: place[a.serial]))
            found["bonds"][(name, round(bond.restr.value, 4), round(bond.restr.esd, 4))] += 1
    for angle in topology.angles:
        if angle.restr.esd > 0:
            first, middle, last = angle.atoms
            if place[first.serial] > place[last.serial]:
                first, last = last, first
            name = kind([first, middle, last])
            found["angles"][(name, round(angle.restr.value, 3), round(angle.restr.esd, 3))] += 1
    for chirality in topology.chirs:
        volume = topology.ideal_chiral_abs_volume(chirality)
        if volume > 0.1:
            sign = {gemmi.ChiralityType.Negative: -1.0, gemmi.ChiralityType.Positive: 1.0}
            centre, *near = chirality.atoms
            order = sorted(range(3), key=lambda m: place[near[m].serial])
            odd = order in ([0, 2, 1], [1, 0, 2], [2, 1, 0])
            hand = sign.get(chirality.restr.sign, 0.0) * (-1 if odd else 1)
            found["chirality"][(kind([centre, *(near[m] for m in order)]), round(volume, 3), hand)] += 1
    planes: dict[tuple[int, ...], float] = {}
    for plane in topology.planes:
        key = tuple(sorted({a.serial for a in plane.atoms}))
        if len(key) >= 4 and plane.restr.esd > 0:
            planes[key] = min(planes.get(key, plane.restr.esd), plane.restr.esd)
    for atoms, esd in planes.items():
        found["planes"][("|".join(sorted(place[serial] for serial in atoms)), 0.0, round(esd, 4))] += 1
    tallies: dict[str, Tally] = {}
    for family, counted in found.items():
        tally: Tally = {}
        for (name, target, sigma), count in sorted(counted.items()):
            tally.setdefault(name, []).append((target, sigma, count))
        tallies[family] = tally
    return tallies


def main() -> None:
    library, shared = Path(sys.argv[1]), Path(sys.argv[2])
    result = {
        name: restraints(shared / files[0], [shared / f for f in files[1:]], library) for name, files in SETS.items()
    }
    text = json.dumps({"gemmi": gemmi.__version__, "sets": result}, separators=(",", ":"), sort_keys=True)
    RESULT.write_bytes(gzip.compress(text.encode(), mtime=0))
    for name, tallies in result.items():
        counts = {f: sum(n for rows in t.values() for *_, n in rows) for f, t in tallies.items()}
        print(f"{name:14s} {counts}")


if __name__ == "__main__":
    main()
