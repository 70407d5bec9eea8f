"""Odd models: alternatives, two residues at one place, parts missing, strange names. None may stop or come apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.geometry_cases import CASES, case_geometry, case_model, library
from tests.small_models import plain_model
from workbench.core.crystal import Model
from workbench.core.errors import InputError
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.hydrogens import hydrogen_positions
from workbench.engine.geometry.structure import is_hydrogen, select_atoms
from workbench.engine.geometry.topology import build_geometry
from workbench.io.models import read_model
from workbench.io.monomers import read_monomers

CELL = "CRYST1   60.000   60.000   60.000  90.00  90.00  90.00 P 1           1\n"


def pdb_lines(folder: Path, chain: str, first: int, last: int) -> list[str]:
    """ATOM records of some residues of rnasa."""
    lines = (folder / CASES["rnasa"][0]).read_text().splitlines()
    return [
        line
        for line in lines
        if line.startswith("ATOM") and line[21] == chain and first <= int(line[22:26]) <= last and line[26] == " "
    ]


def built(tmp_path: Path, lines: list[str], hydrogens: str = "riding") -> GeometryDescription:
    path = tmp_path / "odd.pdb"
    path.write_text(CELL + "\n".join(lines) + "\nEND\n")
    model = read_model(str(path))
    return build_geometry(model, library(model), {}, hydrogens)  # type: ignore[arg-type]


def between_residues(geometry: GeometryDescription) -> list[tuple[int, int]]:
    model = geometry.model
    return [(i, j) for i, j in geometry.bonds.atoms.tolist() if model.residue[i] != model.residue[j]]


def lengths(geometry: GeometryDescription) -> np.ndarray:
    xyz = geometry.model.xyz
    result: np.ndarray = np.linalg.norm(xyz[geometry.bonds.atoms[:, 0]] - xyz[geometry.bonds.atoms[:, 1]], axis=1)
    return result


def test_alternatives_see_only_themselves(shared_data: Path) -> None:
    for name in ("ptp1b", "hewl", "mdm2_finished", "pep_6mw0"):
        geometry = case_geometry(shared_data, name, "riding")
        letters = geometry.model.altloc
        for atoms in (geometry.bonds.atoms, geometry.angles.atoms, geometry.torsions.atoms, geometry.chiralities.atoms):
            for row in atoms.tolist():
                assert len({str(letters[i]) for i in row} - {""}) <= 1
        planes = geometry.planes
        for atoms in np.split(planes.atoms, planes.start[1:-1]):
            assert len({str(letters[i]) for i in atoms.tolist()} - {""}) <= 1
        hydrogens = geometry.hydrogens
        for parent, near in zip(hydrogens.parent.tolist(), hydrogens.neighbours.tolist(), strict=True):
            row = [parent, *(i for i in near if i >= 0)]
            assert len({str(letters[i]) for i in row} - {""}) <= 1


def microheterogeneous(folder: Path) -> list[str]:
    """Residue 20 of chain A twice: as it is (A) and, shortened, as alanine (B)."""
    out = []
    for line in pdb_lines(folder, "A", 15, 25):
        if int(line[22:26]) != 20:
            out.append(line)
            continue
        out.append(f"{line[:16]}A{line[17:54]}  0.60{line[60:]}")
        if line[12:16].strip() in ("N", "CA", "C", "O", "CB"):
            out.append(f"{line[:16]}BALA{line[20:54]}  0.40{line[60:]}")
    return sorted(out, key=lambda line: (int(line[22:26]), line[16]))


def test_two_residues_at_one_place_are_both_in_the_chain(shared_data: Path, tmp_path: Path) -> None:
    geometry = built(tmp_path, microheterogeneous(shared_data))
    model = geometry.model
    rows = np.flatnonzero(model.residues.number == 20)
    assert len(rows) == 2
    linked = between_residues(geometry)
    for row in rows.tolist():
        partners = {int(model.residues.number[model.residue[j if model.residue[i] == row else i]])
                    for i, j in linked if row in (model.residue[i], model.residue[j])}  # fmt: skip
        assert partners == {19, 21}
    assert not any({int(model.residue[i]), int(model.residue[j])} == set(rows.tolist()) for i, j in linked)
    assert lengths(geometry).max() < 2.2


def test_partial_residues_keep_what_they_have(shared_data: Path, tmp_path: Path) -> None:
    """Side chains cut anywhere, also a residue of CA alone: bonds only between atoms that are there."""
    whole = pdb_lines(shared_data, "A", 10, 30)
    rng = np.random.default_rng(3)
    for _ in range(8):
        backbone = ("N", "CA", "C", "O")
        kept = [line for line in whole if line[12:16].strip() in backbone or rng.random() < 0.6]
        kept = [line for line in kept if not (int(line[22:26]) == 20 and line[12:16].strip() != "CA")]
        geometry = built(tmp_path, kept)
        assert lengths(geometry).max() < 2.2
        assert len(geometry.model) == len(kept)
        positions = hydrogen_positions(geometry.hydrogens, geometry.model.xyz)
        assert np.isfinite(positions).all()
        assert not any(20 in {int(geometry.model.residues.number[geometry.model.residue[i]]) for i in pair}
                       for pair in between_residues(geometry))  # fmt: skip


def test_insertion_codes_stay_in_the_chain(shared_data: Path, tmp_path: Path) -> None:
    lines = []
    for line in pdb_lines(shared_data, "A", 15, 25):
        number = int(line[22:26])
        moved = {20: "  19A", 21: "  19B"}.get(number, f"{number:4d} ")
        lines.append(f"{line[:22]}{moved[-5:]}{line[27:]}")
    geometry = built(tmp_path, lines)
    assert len(between_residues(geometry)) == 10
    assert lengths(geometry).max() < 2.2


def test_missing_elements_are_deduced(shared_data: Path, tmp_path: Path) -> None:
    with_elements = pdb_lines(shared_data, "A", 15, 30)
    without = [line[:66] for line in with_elements]
    first, second = built(tmp_path, with_elements), built(tmp_path, without)
    np.testing.assert_array_equal(first.model.element, second.model.element)
    np.testing.assert_array_equal(first.bonds.ideal, second.bonds.ideal)


def test_dummy_atoms_are_left_out_and_old_water_names_are_water(shared_data: Path, tmp_path: Path) -> None:
    lines = pdb_lines(shared_data, "A", 15, 20)
    for number, (name, atom) in enumerate((("WAT", "OW"), ("WAT", "O"), ("H2O", "O"), ("DUM", "DUM"), ("HOH", "O"))):
        x = 5.0 + 4 * number
        lines.append(
            f"HETATM 9{number:03d}  {atom:<3s} {name} W{number + 1:4d}    {x:8.3f}  50.000  50.000  1.00 20.00"
        )
    geometry = built(tmp_path, lines)
    names = geometry.model.residues.name.tolist()
    assert "DUM" not in names
    assert names.count("WAT") == 2
    assert not geometry.flagged
    water = np.flatnonzero(geometry.model.residues.kind[geometry.model.residue] == "water")
    assert len(water) >= 3
    assert not set(geometry.hydrogens.parent.tolist()) & set(water.tolist())


def test_five_letter_components_are_known_by_their_dictionary(shared_data: Path) -> None:
    geometry = case_geometry(shared_data, "ca_8ola", "riding")
    assert "A1H69" in geometry.model.residues.name.tolist()
    assert not geometry.flagged
    rows = geometry.model.residues.name[geometry.model.residue] == "A1H69"
    assert rows[geometry.hydrogens.parent].any()
    bare = case_model(shared_data, "ca_8ola")
    own = build_geometry(bare, library(bare), {}, "riding")
    assert set(own.flagged) == {"A1H69"}


def test_deuterium_rides_like_hydrogen(shared_data: Path) -> None:
    model = case_model(shared_data, "zdna")
    assert (model.element == "D").any()
    kept = case_geometry(shared_data, "zdna", "keep")
    assert not np.isin(model.element[kept.hydrogens.parent], ("H", "D")).any()
    assert set(kept.hydrogens.element.tolist()) == {"H", "D"}
    riding = case_geometry(shared_data, "zdna", "riding")
    assert not is_hydrogen(riding.model).any()
    assert not riding.flagged


def test_nuclear_distances_are_longer(shared_data: Path) -> None:
    model = case_model(shared_data, "rnasa")
    cloud = build_geometry(model, library(model), {}, "riding")
    nucleus = build_geometry(model, library(model), {}, "riding", nuclear_distances=True)
    parent = cloud.hydrogens.parent
    assert (parent == nucleus.hydrogens.parent).all()

    def distance(geometry: GeometryDescription) -> np.ndarray:
        found: np.ndarray = np.linalg.norm(
            hydrogen_positions(geometry.hydrogens, model.xyz) - model.xyz[geometry.hydrogens.parent], axis=1
        )
        return found

    carbon = model.element[parent] == "C"
    assert np.median(distance(cloud)[carbon]) == pytest.approx(0.97, abs=0.02)
    assert np.median(distance(nucleus)[carbon]) == pytest.approx(1.09, abs=0.01)
    amide = model.atom_name[parent] == "N"
    assert np.median(distance(cloud)[amide]) == pytest.approx(0.914, abs=0.001)  # of the library's modification
    assert np.median(distance(nucleus)[amide]) == pytest.approx(1.036, abs=0.001)
    oxygen = model.element[parent] == "O"
    assert np.median(distance(nucleus)[oxygen]) == pytest.approx(0.97, abs=0.02)


def test_hydroxyls_thiols_ammonia_and_histidines_have_their_hydrogens(shared_data: Path) -> None:
    geometry = case_geometry(shared_data, "bgl", "riding")
    model = geometry.model
    count = np.bincount(geometry.hydrogens.parent, minlength=len(model))
    of = model.residues.name[model.residue]

    def carried(residue: str, atom: str) -> np.ndarray:
        found: np.ndarray = count[(of == residue) & (model.atom_name == atom)]
        return found

    for residue, atom in (("SER", "OG"), ("THR", "OG1"), ("TYR", "OH")):
        assert (carried(residue, atom) == 1).all()
    assert (carried("LYS", "NZ") == 3).all()
    assert (carried("ARG", "NH1") == 2).all()
    assert (carried("ASP", "OD1") == 0).all()
    linked = {i for r in geometry.links if r.used for i in (r.first, r.second)}
    free = [i for i in np.flatnonzero((of == "CYS") & (model.atom_name == "SG")).tolist() if i not in linked]
    assert free
    assert (count[free] == 1).all()
    protons = carried("HIS", "ND1") + carried("HIS", "NE2")
    assert set(protons.tolist()) <= {1, 2}
    assert (protons == 1).sum() > (protons == 2).sum()


def test_a_histidine_between_two_acids_carries_both_protons_and_one_beside_a_donor_one(shared_data: Path) -> None:
    """The proton of a histidine of rnasa follows an oxygen put beside either ring nitrogen."""
    model = case_model(shared_data, "rnasa")
    row = int(np.flatnonzero(model.residues.name == "HIS")[0])
    first = int(model.residues.first_atom[row])
    ring = {str(model.atom_name[i]): i for i in range(first, first + int(model.residues.n_atoms[row]))}
    acid = int(np.flatnonzero((model.residues.name == "GLU") & (np.arange(len(model.residues)) > row + 3))[0])
    oxygens = [i for i in range(len(model)) if model.residue[i] == acid and model.atom_name[i] in ("OE1", "OE2")]
    middle = model.xyz[[ring["CG"], ring["ND1"], ring["CE1"], ring["NE2"], ring["CD2"]]].mean(axis=0)

    def protons(*beside: str) -> tuple[int, int]:
        xyz = model.xyz.copy()
        xyz[oxygens] = middle + 30.0
        for atom, oxygen in zip(beside, oxygens, strict=False):
            outward = model.xyz[ring[atom]] - middle
            xyz[oxygen] = model.xyz[ring[atom]] + 2.75 * outward / np.linalg.norm(outward)
        near = np.linalg.norm(xyz[:, None] - model.xyz[[ring["ND1"], ring["NE2"]]][None], axis=2).min(axis=1) < 4.0
        keep = (model.residue == row) | (model.residue == acid) | ~near
        alone = select_atoms(replace(model, xyz=xyz), keep)
        geometry = build_geometry(alone, library(alone), {}, "riding")
        names = alone.atom_name[geometry.hydrogens.parent]
        here = alone.residues.number[alone.residue[geometry.hydrogens.parent]] == model.residues.number[row]
        here &= alone.residues.chain[alone.residue[geometry.hydrogens.parent]] == model.residues.chain[row]
        return int((here & (names == "ND1")).sum()), int((here & (names == "NE2")).sum())

    assert protons("ND1") == (1, 0)
    assert protons("NE2") == (0, 1)
    assert protons("ND1", "NE2") == (1, 1)
    assert sum(protons()) == 1


def test_old_atom_names_are_understood_and_kept(shared_data: Path) -> None:
    """gp350 calls O5 of NDG by its name before 2007."""
    model = case_model(shared_data, "gp350")
    geometry = case_geometry(shared_data, "gp350", "riding")
    sugar = geometry.model.residues.name[geometry.model.residue] == "NDG"
    assert "O" in geometry.model.atom_name[sugar].tolist()
    np.testing.assert_array_equal(geometry.model.atom_name, model.atom_name)
    assert not geometry.flagged
    assert any("Older atom names" in note for note in geometry.notes)
    written = case_geometry(shared_data, "gp350", "all")
    heavy = ~is_hydrogen(written.model)
    np.testing.assert_array_equal(written.model.atom_name[heavy], model.atom_name)


def renamed(lines: list[str], residues: dict[int, str], atoms: dict[str, str]) -> list[str]:
    """PDB lines with other residue names (by number) and atom names."""
    found = []
    for line in lines:
        old = line[12:16]
        name = residues.get(int(line[22:26]), line[17:20])
        new = atoms.get(f"{line[17:20].strip()} {old.strip()}") or atoms.get(old.strip())
        found.append(line[:12] + (f" {new:<3s}" if new else old) + line[16:17] + f"{name:>3s}" + line[20:])
    return found


def same_restraints(first: GeometryDescription, second: GeometryDescription) -> None:
    assert first.counts == second.counts
    for table in ("bonds", "angles", "torsions", "chiralities"):
        np.testing.assert_array_equal(getattr(first, table).atoms, getattr(second, table).atoms)
        np.testing.assert_allclose(getattr(first, table).ideal, getattr(second, table).ideal)
    np.testing.assert_array_equal(first.hydrogens.parent, second.hydrogens.parent)
    np.testing.assert_array_equal(first.contacts.radius, second.contacts.radius)


def test_names_of_simulation_programs_are_understood_and_kept(shared_data: Path, tmp_path: Path) -> None:
    lines = pdb_lines(shared_data, "B", 1, 96)
    of: dict[str, list[int]] = {}
    for line in lines:
        of.setdefault(line[17:20], []).append(int(line[22:26]))
    number = {name: sorted(set(numbers)) for name, numbers in of.items()}
    strange = {number["ASP"][0]: "ASH", number["GLU"][0]: "GLH", number["CYS"][0]: "CYX", number["CYS"][1]: "CYX"}
    strange |= dict(zip(number["HIS"], ("HID", "HSE"), strict=False))
    odd = built(tmp_path, renamed(lines, strange, {"ILE CD1": "CD", "CYS O": "OT1", "CYS OXT": "OT2"}))
    same_restraints(odd, built(tmp_path, lines))
    assert not odd.flagged
    assert set(strange.values()) <= set(odd.model.residues.name.tolist())
    assert {"CD", "OT1"} <= set(odd.model.atom_name.tolist())
    (told,) = [note for note in odd.notes if note.startswith("Residue names")]
    assert "CYX as CYS (2)" in told
    (disulfide,) = [r for r in odd.links if r.kind == "disulfide"]
    assert disulfide.used
    assert disulfide.ideal == pytest.approx(2.03, abs=0.02)


def test_nucleic_acids_of_format_2_are_understood(shared_data: Path) -> None:
    """DNA called C and G, with stars for primes and O1P for OP1, has the restraints it has under today's names."""
    model = case_model(shared_data, "zdna")
    usual = build_geometry(model, library(model), {}, "riding")
    old = {"OP1": "O1P", "OP2": "O2P"}
    atoms = np.array([old.get(name, name.replace("'", "*")) for name in model.atom_name.tolist()])
    residues = model.residues
    names = np.array([{"DC": "C", "DG": "G"}.get(name, name) for name in residues.name.tolist()])
    given = replace(model, atom_name=atoms, residues=replace(residues, name=names))
    odd = build_geometry(given, library(given), {}, "riding")
    same_restraints(odd, usual)
    assert not odd.flagged
    np.testing.assert_array_equal(odd.model.atom_name, atoms[: len(odd.model)] if len(atoms) == len(odd.model) else
                                  atoms[~is_hydrogen(model)])  # fmt: skip
    assert sum("Older atom names" in note for note in odd.notes) == 1


def test_a_stranger_under_a_simulation_name_is_not_mistaken(shared_data: Path, tmp_path: Path) -> None:
    """HIP with a phosphate is phosphohistidine, not histidine."""
    lines = pdb_lines(shared_data, "B", 1, 96)
    number = next(int(line[22:26]) for line in lines if line[17:20] == "HIS")
    odd = renamed(lines, {number: "HIP"}, {"HIS CE1": "P"})
    assert "HIP" in built(tmp_path, odd).flagged


MODELS = (".pdb", ".ent", ".cif", ".mmcif", ".gz")
NOBODY_KNOWS = {"A1H69", "NUT", "LIG"}
"""Components that neither the embedded library nor a file lying beside the model describes, if that file is away."""


def models_of(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in MODELS and p.is_file())


def test_every_model_of_the_data_sets_gets_restraints(shared_data: Path) -> None:
    """With the embedded library and the dictionaries lying beside them: no abort, and nothing is flagged but what
    nobody describes."""
    seen = 0
    flagged: dict[str, set[str]] = {}
    for path in models_of(shared_data):
        try:
            model: Model = read_model(str(path))
        except InputError:
            continue  # reflections, dictionaries, and files that hold no atoms
        seen += 1
        beside = [p for p in path.parent.glob("*.cif") if p.stem in ("NUT", "8OLA_A1H69")]
        monomers = read_monomers(sorted(set(model.residues.name.tolist())), [str(p) for p in beside])
        geometry = build_geometry(model, monomers.library, monomers.sources, "riding")
        if geometry.flagged:
            flagged[path.name] = set(geometry.flagged)
    assert seen > 25
    assert flagged == {"BAZ2BA-x828-LIG.pdb": {"LIG"}}


def test_nitrogens_of_methylated_and_d_residues(shared_data: Path) -> None:
    """pep_6mw0: N-methyl leucine has no proton in a peptide bond, D-phenylalanine has one."""
    geometry = case_geometry(shared_data, "pep_6mw0", "riding")
    model = geometry.model
    count = np.bincount(geometry.hydrogens.parent, minlength=len(model))
    nitrogen = model.atom_name == "N"
    names = model.residues.name[model.residue]
    joined = {i for pair in between_residues(geometry) for i in pair}
    inside = np.isin(np.arange(len(model)), sorted(joined)) & nitrogen
    assert (inside & (names == "MLE")).any()
    assert (count[inside & (names == "MLE")] == 0).all()
    assert (count[inside & (names == "DPN")] == 1).all()
    assert (count[(model.atom_name == "CN") & (names == "MLE")] == 3).all()


def test_neutron_models_are_known_as_such(shared_data: Path) -> None:
    assert "NEUTRON" in case_model(shared_data, "zdna").method
    assert "NEUTRON" not in case_model(shared_data, "rsbs").method


@pytest.mark.parametrize("oxygen", ["O", "O1", "OW", "OH2"])
def test_the_oxygen_of_a_water_is_known_by_any_name(tmp_path: Path, oxygen: str) -> None:
    lines = [
        f"HETATM{n + 1:5d}  {oxygen:<3s} HOH W{n + 1:4d}    {10 + 4 * n:8.3f}  10.000  10.000  1.00 20.00           O"
        for n in range(12)
    ]
    geometry = built(tmp_path, lines, "all")
    assert not geometry.flagged
    usual = read_monomers(["HOH"]).library.ener_lib.atoms["OH2"].vdwh_radius
    np.testing.assert_allclose(geometry.contacts.radius, usual)  # its energy type is found
    assert set(geometry.model.atom_name[geometry.model.element == "O"]) == {oxygen}  # written as it came
    assert sum(map(len, geometry.notes)) < 200
    assert not any("does not have" in note for note in geometry.notes)


def test_atoms_beyond_the_dictionary_are_counted_not_listed(shared_data: Path, tmp_path: Path) -> None:
    """Every serine of rnasa with one atom too many: one line for each kind of trouble, and nothing comes apart."""
    lines = pdb_lines(shared_data, "A", 1, 96)
    serine = [line for line in lines if line[17:20] == "SER"]
    beta = [line for line in serine if line[12:16] == " CB "]
    extra = []
    for line in beta:
        x = float(line[30:38]) + 1.5
        extra.append(f"{line[:12]} CX {line[16:30]}{x:8.3f}{line[38:]}")
    kept: list[str] = []
    for line in lines:
        kept.append(line)
        kept += [e for e, b in zip(extra, beta, strict=True) if b is line]
    geometry = built(tmp_path, kept)
    assert len(extra) >= 5
    assert set(geometry.flagged) == {"SER"}
    told = [note for note in geometry.notes if "SER" in note]
    assert 1 <= len(told) <= 3
    assert any(f"SER CX ({len(extra)})" in note for note in told)
    assert all(len(note) < 300 for note in geometry.notes)


@pytest.mark.parametrize("mode", ["riding", "all", "keep"])
def test_a_blank_conformer_beside_another_is_one_of_its_own(shared_data: Path, tmp_path: Path, mode: str) -> None:
    """A residue written blank and B has the restraints of one written A and B, and keeps its letters."""
    lines = pdb_lines(shared_data, "A", 10, 16)

    def two(line: str, letter: str) -> list[str]:
        first = f"{line[:16]}{letter}{line[17:54]}  0.60{line[60:]}"
        moved = f"{float(line[30:38]) + 0.3:8.3f}"
        return [first, f"{line[:16]}B{line[17:30]}{moved}{line[38:54]}  0.40{line[60:]}"]

    def doubled(letter: str) -> GeometryDescription:
        return built(
            tmp_path, [x for one in lines for x in (two(one, letter) if one[22:26] == "  13" else [one])], mode
        )

    usual, odd = doubled("A"), doubled(" ")
    assert odd.counts == usual.counts
    assert np.array_equal(odd.bonds.atoms, usual.bonds.atoms)
    assert np.array_equal(odd.angles.atoms, usual.angles.atoms)
    assert np.array_equal(odd.contacts.altloc > 0, usual.contacts.altloc > 0)
    letters = odd.model.altloc
    assert set(letters.tolist()) == {"", "B"}
    assert np.array_equal(letters == "B", usual.model.altloc == "B")
    place = odd.model.residue == 3
    for letter in ("", "B"):  # both ends of the chain hold on to both conformers
        inside = set(np.flatnonzero(place & (letters == letter)).tolist())
        assert sum(len({i, j} & inside) == 1 for i, j in between_residues(odd)) == 2
    joined = [{str(letters[i]), str(letters[j])} for i, j in odd.bonds.atoms.tolist() if place[i] and place[j]]
    assert all(len(pair) == 1 for pair in joined)


def test_small_molecules_left_without_hydrogens_are_named() -> None:
    model = plain_model(
        [
            ("MOH", "C", "C", (0.0, 0.0, 0.0)),
            ("MOH", "O", "O", (1.4, 0.0, 0.0)),
            ("NH4", "N", "N", (8.0, 0.0, 0.0)),
            ("EDO", "C1", "C", (20.0, 0.0, 0.0)),
            ("EDO", "O1", "O", (20.0, 1.4, 0.0)),
            ("EDO", "C2", "C", (21.2, -0.9, 0.0)),
            ("EDO", "O2", "O", (22.4, -0.1, 0.0)),
        ]
    )
    (told,) = [n for n in build_geometry(model, library(model), {}, "riding").notes if "No hydrogens" in n]
    assert "MOH (1), NH4 (1):" in told
    assert not any("No hydrogens" in n for n in build_geometry(model, library(model), {}, "none").notes)
