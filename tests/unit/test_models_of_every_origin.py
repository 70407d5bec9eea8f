"""Model files of every age and origin: made here, each with one oddity, read, and read again by the export."""

from __future__ import annotations

import re
from pathlib import Path

import gemmi
import numpy as np
import pytest

from workbench.core.crystal import Model
from workbench.core.errors import InputError
from workbench.export.model_files import read_source
from workbench.io.models import read_model
from workbench.io.tls import tls_of_pdb

CELL = (60.0, 50.0, 40.0, 90.0, 90.0, 90.0)


@pytest.fixture(scope="module")
def atoms(examples: Path) -> list[str]:
    """ATOM records of the first residues of lysozyme, all columns filled."""
    text = gemmi.read_structure(str(examples / "lyso_c2" / "lyso_c2.pdb.gz")).make_pdb_string()
    return [line for line in text.splitlines() if line.startswith("ATOM")][:60]


def cryst1(symbol: str = "P 21 21 21", cell: tuple[float, ...] = CELL) -> str:
    a, b, c, alpha, beta, gamma = cell
    return f"CRYST1{a:9.3f}{b:9.3f}{c:9.3f}{alpha:7.2f}{beta:7.2f}{gamma:7.2f} {symbol:11s}   4"


def read(tmp_path: Path, lines: list[str], name: str = "odd.pdb") -> Model:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    model = read_model(str(path))
    # the export reads the text again: the same atoms, at the same places
    again = read_source(model)
    found = {a.serial - 1: (a.name, a.pos.tolist()) for chain in again[0] for residue in chain for a in residue}
    names, places = zip(*(found[index] for index in model.source_index.tolist()), strict=True)
    assert list(names) == model.atom_name.tolist() and np.allclose(places, model.xyz, atol=1e-3)
    return model


MONOCLINIC = (60.0, 50.0, 40.0, 90.0, 100.0, 90.0)
HEXAGONAL = (60.0, 60.0, 80.0, 90.0, 90.0, 120.0)
RHOMBOHEDRAL = (50.0, 50.0, 50.0, 80.0, 80.0, 80.0)


@pytest.mark.parametrize(
    ("written", "cell", "understood"),
    [
        ("I 2", MONOCLINIC, "I 1 2 1"),
        ("I 1 2 1", MONOCLINIC, "I 1 2 1"),
        ("I 1 21 1", MONOCLINIC, "I 1 21 1"),
        ("A 1 2 1", MONOCLINIC, "A 1 2 1"),
        ("P 21", MONOCLINIC, "P 1 21 1"),
        ("P 1 1 21", CELL, "P 1 1 21"),
        ("P 2 21 21", CELL, "P 2 21 21"),
        ("P 21 2 21", CELL, "P 21 2 21"),
        ("P212121", CELL, "P 21 21 21"),
        ("P2(1)2(1)2(1)", CELL, "P 21 21 21"),
        ("P2(1)", MONOCLINIC, "P 1 21 1"),
        ("H 3", HEXAGONAL, "R 3:H"),
        ("R 3", HEXAGONAL, "R 3:H"),
        ("R 3", RHOMBOHEDRAL, "R 3:R"),
        ("R 3 2", RHOMBOHEDRAL, "R 3 2:R"),
        ("H 3 2", HEXAGONAL, "R 3 2:H"),
        ("R32", HEXAGONAL, "R 3 2:H"),
    ],
)
def test_settings_of_space_groups(
    tmp_path: Path, atoms: list[str], written: str, cell: tuple[float, ...], understood: str
) -> None:
    assert read(tmp_path, [cryst1(written, cell), *atoms, "END"]).crystal.space_group == understood


def test_no_cell_no_element_no_chain(tmp_path: Path, atoms: list[str]) -> None:
    bare = [line[:21] + " " + line[22:66] for line in atoms]
    model = read(tmp_path, [*bare, "END"])
    assert model.crystal.cell[0] == 0.0 and model.crystal.space_group == ""
    assert set(model.residues.chain.tolist()) == {""}
    assert [str(e) for e in model.element] == [line[76:78].strip() for line in atoms]


def test_identifier_and_line_number_are_no_element(tmp_path: Path, atoms: list[str]) -> None:
    old = [f"{line[:66]}      1LZT{row:4d}" for row, line in enumerate(atoms)]
    model = read(tmp_path, [cryst1(), *old, "END"])
    assert [str(e) for e in model.element] == [line[76:78].strip() for line in atoms]
    assert any("1996" in note for note in model.notes)


def test_carbon_written_as_calcium(tmp_path: Path, atoms: list[str]) -> None:
    wrong = [f"{line[:76]}CA" if line[12:16] == " CA " else line for line in atoms]
    ion = "HETATM  900 CA    CA B   1      40.000  40.000  10.000  1.00 20.00          CA"
    model = read(tmp_path, [cryst1(), *wrong, ion, "END"])
    assert model.element[model.atom_name == "CA"].tolist() == ["C"] * 8 + ["CA"]
    assert any("8 atoms of amino acids" in note for note in model.notes)


@pytest.mark.parametrize(("b", "said"), [("  0.00", "Every B is 0.00"), (" 20.00", "Every B is 20.00")])
def test_b_factors_that_say_nothing(tmp_path: Path, atoms: list[str], b: str, said: str) -> None:
    model = read(tmp_path, [cryst1(), *(line[:60] + b + line[66:] for line in atoms), "END"])
    assert any(said in note for note in model.notes)


def test_occupancies_all_zero(tmp_path: Path, atoms: list[str]) -> None:
    model = read(tmp_path, [cryst1(), *(line[:54] + "  0.00" + line[60:] for line in atoms), "END"])
    assert (model.occupancy == 1.0).all() and any("Every occupancy is 0" in note for note in model.notes)


def test_several_models(tmp_path: Path, atoms: list[str]) -> None:
    first = ["MODEL        1", *atoms, "ENDMDL"]
    moved = [f"{line[:30]}{0.0:8.3f}{line[38:]}" for line in atoms]
    model = read(tmp_path, [cryst1(), *first, "MODEL        2", *moved, "ENDMDL", "END"])
    assert len(model) == 60 and model.xyz[:, 0].min() != 0.0
    assert any("holds 2 models" in note for note in model.notes)


def test_dummy_atoms_are_left_out(tmp_path: Path, atoms: list[str]) -> None:
    dummy = "HETATM  900  X   DUM A 900      10.000  10.000  10.000  1.00 20.00"
    model = read(tmp_path, [cryst1(), *atoms, dummy, "END"])
    assert len(model) == 60 and any("DUM" in note for note in model.notes)


@pytest.mark.parametrize("between", ["TER", "END"])
def test_ter_and_end_anywhere(tmp_path: Path, atoms: list[str], between: str) -> None:
    lines = [part for line in atoms for part in (line, between)]
    model = read(tmp_path, [cryst1(), *lines])
    assert len(model) == 60 and len(model.residues) == 8
    assert any("END records" in note for note in model.notes) == (between == "END")


def test_line_of_an_error_is_that_of_the_file(tmp_path: Path, atoms: list[str]) -> None:
    broken = atoms[40][:30] + "  ******" + atoms[40][38:]
    path = tmp_path / "odd.pdb"
    path.write_text("\n".join([cryst1(), *atoms[:30], "END", *atoms[30:40], broken, "END"]) + "\n")
    with pytest.raises(InputError) as found:
        read_model(str(path))
    assert found.value.item == "line 43"


# ---- what stands in the cell ------------------------------------------------------------------------------------

LINK = "LINK         N   LYS A   1                 O   LYS A   1     1555   1555  3.03"
TURN = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
SHIFT = np.array([20.0, 30.0, 15.0])


def matrix(number: int, turn: np.ndarray, shift: np.ndarray, given: str) -> list[str]:
    rows = ["".join(f"{value:10.6f}" for value in row) for row in turn]
    return [f"MTRIX{i + 1} {number:3d}{rows[i]}     {shift[i]:10.5f}    {given}" for i in range(3)]


def anisotropic(atoms: list[str]) -> list[str]:
    """Each atom with a tensor that a turn by 90 degrees changes."""
    out = []
    for line in atoms:
        out += [line, f"ANISOU{line[6:28]}{1000:7d}{2000:7d}{3000:7d}{500:7d}{0:7d}{0:7d}{line[70:]}"]
    return out


def test_copies_that_mtrix_stands_for_are_made(tmp_path: Path, atoms: list[str]) -> None:
    quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    operators = matrix(1, np.eye(3), np.zeros(3), "1") + matrix(2, quarter, SHIFT, " ")
    model = read(tmp_path, [LINK, cryst1(), *operators, *anisotropic(atoms), "END"])
    assert len(model) == 120 and set(model.residues.chain.tolist()) == {"A", "B"}
    assert np.allclose(model.xyz[60:], model.xyz[:60] @ quarter.T + SHIFT, atol=2e-3)
    # x and y of the tensor change places, and with them the sign of the cross term
    assert np.allclose(model.u_aniso[60:], np.tile([0.2, 0.1, 0.3, -0.05, 0, 0], (60, 1)), atol=1e-4)
    assert [(link.first < 60, link.second < 60) for link in model.links] == [(True, True), (False, False)]
    assert any("MTRIX" in note for note in model.notes)


def test_copies_that_are_given_are_not_doubled(tmp_path: Path, atoms: list[str]) -> None:
    said = matrix(1, np.eye(3), np.zeros(3), "1") + matrix(2, TURN, SHIFT, "1")
    assert len(read(tmp_path, [cryst1(), *said, *atoms, "END"])) == 60
    # a file that forgets to say so, but holds them
    silent = matrix(1, np.eye(3), np.zeros(3), "1") + matrix(2, TURN, SHIFT, " ")
    copies = []
    for line in atoms:
        xyz = TURN @ np.array([float(line[30:38]), float(line[38:46]), float(line[46:54])]) + SHIFT
        copies.append(f"{line[:21]}B{line[22:30]}{xyz[0]:8.3f}{xyz[1]:8.3f}{xyz[2]:8.3f}{line[54:]}")
    model = read(tmp_path, [cryst1(), *silent, *atoms, "TER", *copies, "END"])
    assert len(model) == 120 and any("not doubled" in note for note in model.notes)


def test_copies_of_mmcif_are_made(tmp_path: Path, atoms: list[str]) -> None:
    operators = matrix(1, np.eye(3), np.zeros(3), "1") + matrix(2, TURN, SHIFT, " ")
    structure = gemmi.read_pdb_string("\n".join([cryst1(), *operators, *atoms, "END"]) + "\n")
    structure.setup_entities()
    text = structure.make_mmcif_document().as_string()
    assert "generate" in text
    model = read(tmp_path, text.splitlines(), "odd.cif")
    assert len(model) == 120 and np.allclose(model.xyz[60:], model.xyz[:60] @ TURN.T + SHIFT, atol=2e-3)


def test_other_axes_are_turned_to_the_usual_ones(tmp_path: Path, atoms: list[str]) -> None:
    """SCALE that puts a along y and b along -x: fractional coordinates are what counts."""
    scale = ["SCALE1      0.000000  0.016667  0.000000        0.00000",
             "SCALE2     -0.020000  0.000000  0.000000        0.00000",
             "SCALE3      0.000000  0.000000  0.025000        0.00000"]  # fmt: skip
    plain = read(tmp_path, [cryst1(), *atoms, "END"])
    model = read(tmp_path, [cryst1(), *scale, *atoms, "END"])
    assert np.allclose(
        model.xyz, plain.xyz @ np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).T, atol=4e-3
    )
    assert any("SCALE" in note for note in model.notes)
    absurd = [line.replace("0.016667", "0.050000") for line in scale]
    model = read(tmp_path, [cryst1(), *absurd, *atoms, "END"])
    assert np.allclose(model.xyz, plain.xyz, atol=1e-3)
    assert any("does not belong to the unit cell" in note for note in model.notes)


# ---- B factors that TLS completes -------------------------------------------------------------------------------

TLS = """\
REMARK   3  TLS DETAILS
REMARK   3   NUMBER OF TLS GROUPS  :    1
REMARK   3   ATOM RECORD CONTAINS RESIDUAL B FACTORS ONLY
REMARK   3
REMARK   3   TLS GROUP :     1
REMARK   3    NUMBER OF COMPONENTS GROUP :    1
REMARK   3    COMPONENTS        C SSSEQI   TO  C SSSEQI
REMARK   3    RESIDUE RANGE :   A     2        A     5
REMARK   3    ORIGIN FOR THE GROUP (A):   9.3230   5.5711   7.5772
REMARK   3    T TENSOR
REMARK   3      T11:   0.1228 T22:   0.3782
REMARK   3      T33:   0.1933 T12:  -0.0021
REMARK   3      T13:   0.0275 T23:   0.1980
REMARK   3    L TENSOR
REMARK   3      L11:  12.2445 L22:   3.6088
REMARK   3      L33:   7.8801 L12:   0.9287
REMARK   3      L13:  -9.7333 L23:  -1.1757
REMARK   3    S TENSOR
REMARK   3      S11:  -0.1772 S12:   0.4398 S13:  -0.3115
REMARK   3      S21:   0.0867 S22:   0.1078 S23:   0.4411
REMARK   3      S31:   0.0667 S32:  -0.5224 S33:   0.0693
REMARK   3""".splitlines()


def gemmi_group() -> gemmi.TlsGroup:
    group = gemmi.TlsGroup()
    group.origin = gemmi.Position(9.3230, 5.5711, 7.5772)
    group.T = gemmi.SMat33d(0.1228, 0.3782, 0.1933, -0.0021, 0.0275, 0.1980)
    group.L = gemmi.SMat33d(12.2445, 3.6088, 7.8801, 0.9287, -9.7333, -1.1757)
    group.S = gemmi.Mat33([[-0.1772, 0.4398, -0.3115], [0.0867, 0.1078, 0.4411], [0.0667, -0.5224, 0.0693]])
    return group


def expected_b(model: Model, plain: Model) -> np.ndarray:
    group, number = gemmi_group(), model.residues.number[model.residue]
    added = []
    for row, xyz in enumerate(model.xyz):
        u = gemmi.calculate_u_from_tls(group, gemmi.Position(*xyz))
        added.append(8 * np.pi**2 / 3 * u.trace() if 2 <= number[row] <= 5 else 0.0)
    return plain.b_iso + np.array(added)


def test_residual_b_is_completed(tmp_path: Path, atoms: list[str]) -> None:
    """Against gemmi's own U of a TLS group."""
    plain = read(tmp_path, [cryst1(), *atoms, "END"])
    model = read(tmp_path, [*TLS, cryst1(), *atoms, "END"])
    assert np.allclose(model.b_iso, expected_b(model, plain), atol=1e-6)
    assert any("residual ones only" in note and "are added" in note for note in model.notes)
    moved = read(tmp_path, [*TLS, cryst1(), *anisotropic(atoms), "END"])
    tensor = gemmi.calculate_u_from_tls(gemmi_group(), gemmi.Position(*moved.xyz[30]))
    assert 2 <= moved.residues.number[moved.residue[30]] <= 5
    assert np.allclose(moved.u_aniso[30] - [0.1, 0.2, 0.3, 0.05, 0, 0], tensor.elements_pdb(), atol=1e-6)


def test_b_that_is_complete_stays(tmp_path: Path, atoms: list[str]) -> None:
    plain = read(tmp_path, [cryst1(), *atoms, "END"])
    header = [line.replace("RESIDUAL B FACTORS ONLY", "SUM OF TLS AND RESIDUAL B FACTORS") for line in TLS]
    model = read(tmp_path, [*header, cryst1(), *atoms, "END"])
    assert np.array_equal(model.b_iso, plain.b_iso) and any("include them" in note for note in model.notes)
    silent = [line for line in TLS if "RESIDUAL" not in line]
    assert np.array_equal(read(tmp_path, [*silent, cryst1(), *atoms, "END"]).b_iso, plain.b_iso)


def test_groups_that_cannot_be_read_leave_b_and_say_so(tmp_path: Path, atoms: list[str]) -> None:
    plain = read(tmp_path, [cryst1(), *atoms, "END"])
    for broken in ([line for line in TLS if "T33" not in line], [line for line in TLS if "RANGE" not in line], TLS[:3]):
        model = read(tmp_path, [*broken, cryst1(), *atoms, "END"])
        assert np.array_equal(model.b_iso, plain.b_iso) and any("as it stands" in note for note in model.notes)


SELECTIONS = [
    ("SELECTION: CHAIN A AND RESID 2:5", "phenix"),
    ("SELECTION: (CHAIN 'A' AND RESID    2 THROUGH    3 ) OR", "phenix, two lines"),
    ("SELECTION: chain A and not (resid 1 or resid 6:9999)", "phenix, not"),
    ("SET : { A|2 - A|5 }", "buster"),
    ("SELECTION: { A|2 - 3 A|4 A|5 }", "buster, parts"),
]


@pytest.mark.parametrize(("words", "kind"), SELECTIONS)
def test_residual_b_of_groups_that_are_selections(tmp_path: Path, atoms: list[str], words: str, kind: str) -> None:
    lines = [f"REMARK   3    {words}"]
    if "two lines" in kind:
        lines.append("REMARK   3               (CHAIN A AND RESSEQ 4:5)")
    header = [each for line in TLS for each in (lines if "RESIDUE RANGE" in line else [line])]
    plain = read(tmp_path, [cryst1(), *atoms, "END"])
    model = read(tmp_path, [*header, cryst1(), *atoms, "END"])
    assert np.allclose(model.b_iso, expected_b(model, plain), atol=1e-6)


@pytest.mark.parametrize(
    "words",
    ["", "NULL", "name CA", "chain", "chain A and", "(chain A", "resid x:5", "{ A|1 - B|5 }", "{ }", "(" * 5000, "|||"],
)
def test_selections_that_are_not_understood(tmp_path: Path, atoms: list[str], words: str) -> None:
    header = [line.replace("RESIDUE RANGE :   A     2        A     5", f"SELECTION: {words}") for line in TLS]
    plain = read(tmp_path, [cryst1(), *atoms, "END"])
    model = read(tmp_path, [*header, cryst1(), *atoms, "END"])
    assert np.array_equal(model.b_iso, plain.b_iso) and any("as it stands" in note for note in model.notes)


def test_phenix_writes_the_sum(tmp_path: Path, atoms: list[str]) -> None:
    header = [line for line in TLS if "RESIDUAL" not in line]
    header.insert(0, "REMARK   3   PROGRAM     : PHENIX (1.20.1_4487)")
    plain = read(tmp_path, [cryst1(), *atoms, "END"])
    model = read(tmp_path, [*header, cryst1(), *atoms, "END"])
    assert np.array_equal(model.b_iso, plain.b_iso) and any("include them" in note for note in model.notes)


@pytest.mark.parametrize("said", ["details", "flag", "selection"])
def test_residual_b_of_mmcif(tmp_path: Path, atoms: list[str], said: str) -> None:
    structure = gemmi.read_pdb_string("\n".join([cryst1(), *atoms, "END"]) + "\n")
    structure.setup_entities()
    block = structure.make_mmcif_document().sole_block()
    if said == "details":
        block.set_pair("_refine.details", "'HYDROGENS IN RIDING POSITIONS. U VALUES : RESIDUAL ONLY'")
    else:
        block.set_pair("_refine.pdbx_TLS_residual_ADP_flag", "'LIKELY RESIDUAL'")
    group = tls_of_pdb("\n".join(TLS)).groups[0]
    pairs = {"id": "1", **{f"origin_{name}": str(v) for name, v in zip("xyz", group.origin, strict=True)}}
    for name, tensor in (("T", group.translation), ("L", group.libration), ("S", group.screw)):
        for i in range(3):
            for j in range(3 if name == "S" else i + 1):
                low, high = (i, j) if name == "S" else (j, i)
                pairs[f"{name}[{low + 1}][{high + 1}]"] = str(tensor[i, j])
    block.set_pairs("_pdbx_refine_tls.", pairs)
    block.set_pairs(
        "_pdbx_refine_tls_group.",
        {"id": "1", "refine_tls_id": "1", "selection_details": "chain A and resid 2 through 5"}
        if said == "selection"
        else {
            "id": "1",
            "refine_tls_id": "1",
            "beg_auth_asym_id": "A",
            "beg_auth_seq_id": "2",
            "end_auth_asym_id": "A",
            "end_auth_seq_id": "5",
        },
    )
    plain = read(tmp_path, [cryst1(), *atoms, "END"])
    model = read(tmp_path, block.as_string().splitlines(), "odd.cif")
    assert np.allclose(model.b_iso, expected_b(model, plain), atol=1e-3)


@pytest.mark.shared_data
def test_a_real_header_of_four_groups(shared_data: Path) -> None:
    path = shared_data / "baz2b_x828" / "BAZ2B.pdb"
    model = read_model(str(path))
    written = np.array([float(line[60:66]) for line in path.read_text().splitlines() if re.match("ATOM|HETATM", line)])
    protein = model.residues.kind[model.residue] == "protein"
    assert 10.0 < (model.b_iso - written)[protein].mean() < 20.0
    assert np.allclose(model.b_iso[~protein], written[~protein])


# ---- more than the PDB format was made for ----------------------------------------------------------------------


def test_more_atoms_than_five_digits_count(tmp_path: Path) -> None:
    """Waters in hybrid-36; the serial numbers of the file are junk, as several programs write them."""
    count = 100_007
    rng = np.random.default_rng(0)
    xyz = rng.uniform(0.0, 500.0, (count, 3))
    lines = [
        f"HETATM*****  O   HOH{'ABCDEFGHIJKL'[i // 9999]:>2s}{i % 9999 + 1:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00 20.00"
        "           O"
        for i, (x, y, z) in enumerate(xyz)
    ]
    model = read(tmp_path, [cryst1("P 1", (500.0, 500.0, 500.0, 90.0, 90.0, 90.0)), *lines, "END"])
    assert len(model) == count and np.allclose(model.xyz, xyz, atol=6e-4)


def test_long_names_of_mmcif(tmp_path: Path, atoms: list[str]) -> None:
    structure = gemmi.read_pdb_string("\n".join([cryst1(), *atoms, "END"]) + "\n")
    structure[0][0].name = "LONGCHAIN"
    structure[0][0][7].name = "A1H69"
    structure[0][0][6].seqid = gemmi.SeqId(123456, " ")
    structure.setup_entities()
    model = read(tmp_path, structure.make_mmcif_document().as_string().splitlines(), "odd.cif")
    assert set(model.residues.chain.tolist()) == {"LONGCHAIN"} and "A1H69" in model.residues.name
    assert 123456 in model.residues.number


def test_hybrid36_residue_numbers(tmp_path: Path, atoms: list[str]) -> None:
    model = read(tmp_path, [cryst1(), *(line[:22] + "A000" + line[26:] for line in atoms[:9]), "END"])
    assert set(model.residues.number.tolist()) == {10000}


def in_small_letters(line: str) -> str:
    return line[:12] + line[12:20].lower() + line[20:] if line.startswith(("ATOM", "TER")) else line


def test_names_in_small_letters(tmp_path: Path, atoms: list[str]) -> None:
    """One note; chain identifiers are what they are; a bond between such atoms is found."""
    chain_a = [line[:21] + "a" + line[22:] for line in atoms]
    link = f"LINK         {'C':3s} {chain_a[0][17:20]} a{1:4d}                 N   {chain_a[-1][17:20]} a{2:4d}"
    usual = read(tmp_path, [cryst1(), link, *chain_a, "TER"], "usual.pdb")
    small = [cryst1(), link.replace(chain_a[0][17:20], chain_a[0][17:20].lower()), *map(in_small_letters, chain_a)]
    assert small[2] != chain_a[0]
    model = read(tmp_path, [*small, "TER"])
    assert model.atom_name.tolist() == usual.atom_name.tolist()
    assert model.residues.name.tolist() == usual.residues.name.tolist() and set(model.residues.chain) == {"a"}
    assert len(model.links) == len(usual.links)
    (said,) = [note for note in model.notes if "small letters" in note]
    assert len(model.notes) == len(usual.notes) + 1 and "read in capitals" in said


def test_names_in_small_letters_in_mmcif(tmp_path: Path, atoms: list[str]) -> None:
    structure = gemmi.read_pdb_string("\n".join([cryst1(), *atoms]))
    structure.setup_entities()
    usual = read(tmp_path, structure.make_mmcif_document().as_string().splitlines(), "usual.cif")
    for residue in structure[0][0]:
        residue.name = residue.name.lower()
        for atom in residue:
            atom.name = atom.name.lower()
    model = read(tmp_path, structure.make_mmcif_document().as_string().splitlines(), "small.cif")
    assert model.atom_name.tolist() == usual.atom_name.tolist()
    assert model.residues.name.tolist() == usual.residues.name.tolist()
    assert np.array_equal(model.xyz, usual.xyz)
    assert sum("small letters" in note for note in model.notes) == 1
    assert not any("small letters" in note for note in usual.notes)


def test_a_component_of_the_user_keeps_its_small_letters(tmp_path: Path, atoms: list[str]) -> None:
    ligand = "HETATM 9999  c1  qxq B 900       1.000   1.000   1.000  1.00 20.00           C"
    model = read(tmp_path, [cryst1(), *atoms, ligand])
    assert model.residues.name[-1] == "qxq" and not any("small letters" in note for note in model.notes)
