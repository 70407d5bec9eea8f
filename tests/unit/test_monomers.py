"""Where restraints come from: dictionaries, installed libraries, the embedded one; and what is refused."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.small_models import plain_model
from workbench.core.errors import InputError
from workbench.engine.geometry.hydrogens import hydrogen_positions
from workbench.engine.geometry.topology import build_geometry
from workbench.io.dictionaries import read_dictionary
from workbench.io.files import resource_path
from workbench.io.monomer_libraries import installed_libraries, library_at
from workbench.io.monomers import embedded_components, read_monomers

LINKS = ("TRANS", "CIS", "PTRANS", "PCIS", "NMTRANS", "NMCIS", "disulf", "p", "pyr-ASN", "BETA1-4", "ALPHA1-6")


def embedded(name: str) -> str:
    with zipfile.ZipFile(resource_path("monomers") / "monomers.zip") as archive:
        return archive.read(name).decode()


def component(name: str) -> str:
    return embedded(f"components/{name}.cif")


def renamed(text: str, old: str, new: str) -> str:
    return text.replace(f"{old} ", f"{new} ").replace(f"comp_{old}\n", f"comp_{new}\n")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A complete library of three components, told from the embedded one by a bond of ALA."""
    folder = tmp_path / "monomers"
    for name in ("ALA", "GLY", "HIS"):
        (folder / name[0].lower()).mkdir(parents=True)
        (folder / name[0].lower() / f"{name}.cif").write_text(component(name))
    ala = folder / "a" / "ALA.cif"
    assert "1.483" in ala.read_text()
    ala.write_text(ala.read_text().replace("1.483", "1.499"))
    (folder / "ener_lib.cif").write_text(embedded("ener_lib.cif"))
    (folder / "links_and_mods.cif").write_text(embedded("links_and_mods.cif"))
    return folder


def bond(library: gemmi.MonLib, name: str, first: str, second: str) -> float:
    value: float = library.monomers[name].rt.get_bond(first, second).value
    return value


# ---- the embedded library -------------------------------------------------------------------------------------------


def test_the_embedded_library_is_wide_and_its_link_tables_are_full() -> None:
    names = embedded_components()
    assert len(names) >= 150
    library = read_monomers(names).library
    assert set(names) <= set(library.monomers)
    for name in LINKS:
        assert len(library.links[name].rt.bonds) >= 1, name
        assert len(library.links[name].rt.angles) >= 2, name
    assert [name for name, link in library.links.items() if not len(link.rt.bonds)] == ["gap"]  # which is no bond
    for name in names:
        definition = library.monomers[name]
        if len(definition.atoms) > 1:
            assert len(definition.rt.bonds) >= len(definition.atoms) - 1, name
            assert all(b.value > 0.7 and b.esd > 0 for b in definition.rt.bonds), name
            assert len(definition.atoms) < 3 or len(definition.rt.angles) > 0, name


def test_the_embedded_library_is_small() -> None:
    assert (resource_path("monomers") / "monomers.zip").stat().st_size < 3_000_000


def test_every_embedded_component_says_where_it_comes_from() -> None:
    for name in embedded_components():
        first = component(name).splitlines()[0]
        assert first.startswith("# Origin: "), name
        assert any(licence in first for licence in ("LGPL-3.0", "MPL-2.0", "element and charge only")), name


def test_d_amino_acids_are_the_mirror_images_of_the_natural_ones() -> None:
    pairs = {"DAL": "ALA", "DPN": "PHE", "DTR": "TRP", "DSN": "SER", "DVA": "VAL", "DLE": "LEU", "DPR": "PRO"}
    library = read_monomers([*pairs, *pairs.values()]).library
    for mirror, natural in pairs.items():
        hands = []
        for name in (mirror, natural):
            chirality = next(c for c in library.monomers[name].rt.chirs if c.id_ctr.atom == "CA")
            order = [chirality.id1.atom, chirality.id2.atom, chirality.id3.atom]
            odd = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :]) % 2
            assert chirality.sign in (gemmi.ChiralityType.Positive, gemmi.ChiralityType.Negative)
            hands.append((chirality.sign == gemmi.ChiralityType.Positive) != bool(odd))
            assert library.monomers[name].group in (
                gemmi.ChemComp.Group.Peptide,
                gemmi.ChemComp.Group.PPeptide,
                gemmi.ChemComp.Group.MPeptide,
            ), name
        assert hands[0] != hands[1], mirror
        assert bond(library, mirror, "N", "CA") == pytest.approx(bond(library, natural, "N", "CA"), abs=0.01)


def test_names_of_old_files_are_understood() -> None:
    monomers = read_monomers(["WAT", "DOD", "SUL"])
    assert set(monomers.sources) == {"WAT", "DOD", "SUL"}
    assert bond(monomers.library, "SUL", "S", "O1") == bond(read_monomers(["SO4"]).library, "SO4", "S", "O1")


# ---- the order of sources -------------------------------------------------------------------------------------------


def test_dictionaries_come_before_the_library_and_the_library_before_the_embedded(
    tmp_path: Path, installed: Path
) -> None:
    own = tmp_path / "GLY.cif"
    own.write_text(component("GLY"))
    monomers = read_monomers(["ALA", "GLY", "SER"], [str(own)], str(installed))
    assert monomers.sources == {"GLY": str(own), "ALA": str(installed / "a" / "ALA.cif"), "SER": "embedded"}
    assert bond(monomers.library, "ALA", "N", "CA") == pytest.approx(1.499)
    assert any(str(installed) in note and "1 component" in note for note in monomers.notes)
    assert read_monomers(["ALA"], library="embedded").sources == {"ALA": "embedded"}


def test_the_environment_names_libraries(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, notes = installed_libraries({"CLIBD_MON": str(installed)}, places=())
    assert [(library.folder, library.complete, library.origin) for library in found] == [
        (installed, True, "$CLIBD_MON")
    ]
    assert not notes
    ccp4 = tmp_path / "ccp4"
    (ccp4 / "lib" / "data").mkdir(parents=True)
    installed.rename(ccp4 / "lib" / "data" / "monomers")
    environment = {"CLIBD_MON": "/nowhere", "CCP4": str(ccp4), "CCP4_MASTER": str(ccp4)}
    found, notes = installed_libraries(environment, places=())
    assert [library.origin for library in found] == ["$CCP4"]
    assert len(notes) == 1
    assert "CLIBD_MON" in notes[0]
    monkeypatch.delenv("WORKBENCH_LIBRARY")
    for name in ("CLIBD_MON", "COOT_MONOMER_LIB_DIR", "MMTBX_CCP4_MONOMER_LIB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CCP4", str(ccp4))
    assert read_monomers(["ALA"]).sources["ALA"].startswith(str(ccp4))


def test_usual_places_are_looked_at_newest_first(installed: Path, tmp_path: Path) -> None:
    for version in ("ccp4-8", "ccp4-9"):
        place = tmp_path / version / "lib" / "data" / "monomers"
        (place / "a").mkdir(parents=True)
    found, _ = installed_libraries({}, places=(("CCP4", str(tmp_path / "ccp4-*/lib/data/monomers")),))
    assert [library.folder.parts[-4] for library in found] == ["ccp4-9", "ccp4-8"]
    assert not any(library.complete for library in found)


def test_a_library_without_tables_only_fills_gaps(installed: Path) -> None:
    """Debian's package: components of an older make, no links, no energy types, two files that cannot be read."""
    (installed / "ener_lib.cif").unlink()
    (installed / "links_and_mods.cif").unlink()
    (installed / "z").mkdir()
    (installed / "z" / "ZZ9.cif").write_text(renamed(component("GOL"), "GOL", "ZZ9"))
    (installed / "z" / "ZZ8.cif").write_text("f#\n" + component("GOL"))
    misspelt = renamed(component("GOL"), "GOL", "ZZ7").replace("SINGLE", "sinlge", 1).replace("single", "sinlge", 1)
    assert "sinlge" in misspelt
    (installed / "z" / "ZZ7.cif").write_text(misspelt)
    library = library_at(installed, "here")
    assert library is not None
    assert not library.complete
    monomers = read_monomers(["ALA", "ZZ7", "ZZ8", "ZZ9"], library=str(installed))
    assert monomers.sources["ALA"] == "embedded"
    assert monomers.sources["ZZ9"] == str(installed / "z" / "ZZ9.cif")
    assert "ZZ8" not in monomers.sources
    assert any("ZZ8.cif" in note and "line 1" in note for note in monomers.notes)
    assert len(monomers.library.links["TRANS"].rt.bonds) == 1


def test_a_library_with_an_empty_link_table_is_refused_when_chosen_and_demoted_when_found(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = installed / "links_and_mods.cif"
    table.write_text("")
    with pytest.raises(InputError, match="link table is empty") as caught:
        read_monomers(["ALA"], library=str(installed))
    assert caught.value.file == str(table)
    assert caught.value.item == "line 1"
    monkeypatch.delenv("WORKBENCH_LIBRARY")
    monkeypatch.setenv("CLIBD_MON", str(installed))
    emptied = read_monomers(["ALA"])
    assert emptied.sources == {"ALA": "embedded"}
    (told,) = [note for note in emptied.notes if "link table is empty" in note]
    assert told.startswith("$CLIBD_MON")
    assert str(table) in told
    table.write_text("data_link_list\nloop_\n_chem_link.id\nTRANS\n")
    monomers = read_monomers(["ALA"])
    assert monomers.sources == {"ALA": "embedded"}
    assert any("Passed over" in note and str(table) in note for note in monomers.notes)
    with pytest.raises(InputError, match="chains would fall apart"):
        read_monomers(["ALA"], library=str(installed))


def test_a_folder_that_is_no_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a monomer library"):
        read_monomers(["ALA"], library=str(tmp_path))


def test_a_link_of_the_user_replaces_the_embedded_one(tmp_path: Path) -> None:
    own = tmp_path / "disulf.cif"
    text = embedded("links_and_mods.cif")
    begin = text.index("data_link_disulf\n")
    block = text[begin : text.index("\ndata_", begin)]
    value = read_monomers([]).library.links["disulf"].rt.bonds[0].value
    assert str(value) in block
    own.write_text(block.replace(str(value), "2.1111"))
    library = read_monomers(["CYS"], [str(own)]).library
    assert library.links["disulf"].rt.bonds[0].value == pytest.approx(2.1111)


# ---- dictionaries that cannot be used -------------------------------------------------------------------------------


def line_with(text: str, mark: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if mark in line)


def refusal(tmp_path: Path, text: str) -> InputError:
    path = tmp_path / "LIG.cif"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_monomers(["GOL"], [str(path)])
    error = caught.value
    assert error.file == str(path)
    assert error.remedy
    assert read_monomers(["GOL"]).sources == {"GOL": "embedded"}  # nothing stays behind
    return error


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    text = component("GOL")
    lines = text.splitlines()
    row = line_with(text, "_chem_comp_bond.value_dist_esd")
    lines.insert(row, "stray words here")
    error = refusal(tmp_path, "\n".join(lines) + "\n")
    assert "syntax" in error.message
    assert error.item.startswith("line ")
    assert abs(int(error.item.split()[1]) - row) <= len(lines)
    assert refusal(tmp_path, "data_x\n_a.b 'open\n").item == "line 2"


@pytest.mark.parametrize(
    ("category", "what"),
    [
        ("_chem_comp_bond.", "a bond"),
        ("_chem_comp_angle.", "an angle"),
        ("_chem_comp_tor.", "a torsion"),
        ("_chem_comp_chir.", "a chirality"),
    ],
)
def test_a_wrong_atom_name_is_named_with_its_line(tmp_path: Path, category: str, what: str) -> None:
    lines = component("GOL").splitlines()
    start = line_with("\n".join(lines), category)
    row = next(n for n in range(start, len(lines)) if " C2 " in lines[n])
    lines[row] = lines[row].replace(" C2 ", " CX9 ", 1)
    error = refusal(tmp_path, "\n".join(lines) + "\n")
    assert error.message == f"{what} names the atom CX9, which the component does not have."
    assert error.item == f"GOL, line {row + 1}"


def test_a_doubled_atom_and_a_bad_length_are_named_with_their_line(tmp_path: Path) -> None:
    lines = component("GOL").splitlines()
    start = line_with("\n".join(lines), "_chem_comp_atom.")
    row = next(n for n in range(start, len(lines)) if " O2 " in lines[n])
    doubled = [*lines[: row + 1], lines[row], *lines[row + 1 :]]
    assert "O2 occurs twice" in refusal(tmp_path, "\n".join(doubled) + "\n").message
    lengths = "\n".join(lines).replace("1.4", "x.4", 1) + "\n"
    if "x.4" in lengths.split("_chem_comp_bond.", 1)[1].split("loop_", 1)[0]:
        error = refusal(tmp_path, lengths)
        assert "is not a length" in error.message
        assert error.item == f"GOL, line {line_with(lengths, 'x.4')}"


def test_an_empty_link_table_is_named_with_its_line(tmp_path: Path) -> None:
    listed = (
        "data_link_list\nloop_\n_chem_link.id\n_chem_link.comp_id_1\n_chem_link.comp_id_2\nMINE CYS GOL\n\n"
        "data_link_MINE\nloop_\n_chem_link_angle.link_id\n_chem_link_angle.atom_1_comp_id\nMINE 1\n"
    )
    error = refusal(tmp_path, listed)
    assert "no bond" in error.message
    assert error.item == "link MINE, line 8"
    only_listed = listed[: listed.index("data_link_MINE")]
    error = refusal(tmp_path, only_listed)
    assert "its table is missing" in error.message
    assert error.item == "link MINE, line 6"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data_empty\n_nothing.here 1\n", "not a restraint dictionary"),
        ("data_x\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n1 2.0\n", "is a model"),
        ("data_LIG\nloop_\n_chem_comp_atom.comp_id\n_chem_comp_atom.atom_id\nLIG C1\nLIG C2\n", "no bonds"),
    ],
)
def test_other_files_are_refused_as_what_they_are(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(tmp_path, text).message


def test_a_description_without_lengths_says_how_to_make_restraints(tmp_path: Path) -> None:
    text = (
        "data_LIG\nloop_\n_chem_comp_atom.comp_id\n_chem_comp_atom.atom_id\n_chem_comp_atom.type_symbol\n"
        "LIG C1 C\nLIG C2 C\n"
        "loop_\n_chem_comp_bond.comp_id\n_chem_comp_bond.atom_id_1\n_chem_comp_bond.atom_id_2\n"
        "_chem_comp_bond.value_order\nLIG C1 C2 SING\n"
    )
    error = refusal(tmp_path, text)
    assert "not restraints" in error.message
    assert "workbench dictionary" in error.remedy


def test_one_component_in_two_dictionaries_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "a.cif", tmp_path / "b.cif"
    first.write_text(component("GOL"))
    second.write_text(component("GOL") + "\n# another\n")
    with pytest.raises(InputError, match="is also in"):
        read_monomers(["GOL"], [str(first), str(second)])


HANDS = {
    "DAL": "ALA", "DAR": "ARG", "DSG": "ASN", "DAS": "ASP", "DCY": "CYS", "DGN": "GLN", "DGL": "GLU", "DHI": "HIS",
    "DIL": "ILE", "DLE": "LEU", "DLY": "LYS", "MED": "MET", "DPN": "PHE", "DPR": "PRO", "DSN": "SER", "DTH": "THR",
    "DTR": "TRP", "DTY": "TYR", "DVA": "VAL",
}  # fmt: skip


def test_both_hands_have_the_same_lengths_and_angles() -> None:
    """The D forms and the L forms come from different sources (acedrg, the CCP4 library) and must agree."""

    def targets(definition: gemmi.ChemComp) -> dict[tuple[str, ...], float]:
        heavy = {a.id for a in definition.atoms if not a.is_hydrogen()}
        found: dict[tuple[str, ...], float] = {}
        for bond in definition.rt.bonds:
            found[tuple(sorted((bond.id1.atom, bond.id2.atom)))] = bond.value
        for angle in definition.rt.angles:
            first, last = sorted((angle.id1.atom, angle.id3.atom))
            found[(first, angle.id2.atom, last)] = angle.value
        return {key: value for key, value in found.items() if heavy.issuperset(key)}

    monomers = read_monomers([*HANDS, *HANDS.values()], library="embedded").library.monomers
    for right, left in HANDS.items():
        one, other = targets(monomers[right]), targets(monomers[left])
        assert set(one) == set(other), right
        for key, value in one.items():
            assert value == pytest.approx(other[key], abs=0.002 if len(key) == 2 else 0.2), (right, key)


@pytest.mark.parametrize(
    ("category", "tag"),
    [
        ("_chem_comp_bond.", "value_dist_esd"),
        ("_chem_comp_bond.", "value_dist_nucleus"),
        ("_chem_comp_angle.", "value_angle"),
        ("_chem_comp_angle.", "value_angle_esd"),
        ("_chem_comp_tor.", "value_angle_esd"),
        ("_chem_comp_plane_atom.", "dist_esd"),
    ],
)
def test_text_where_a_number_belongs_is_refused_with_its_line(tmp_path: Path, category: str, tag: str) -> None:
    """A restraint with such a value would silently not be made."""
    document = gemmi.cif.read_string(component("GOL" if "plane" not in category else "PHE"))
    block = next(b for b in document if b.find_values("_chem_comp_atom.atom_id"))
    column = block.find_values(category + tag)
    assert len(column)
    column[0] = "1.4x7"
    path = tmp_path / "bad.cif"
    document.write_file(str(path))
    with pytest.raises(InputError, match=re.escape("1.4x7")) as caught:
        read_dictionary(str(path))
    line = int(caught.value.item.rsplit(" ", 1)[1])
    assert "1.4x7" in path.read_text().splitlines()[line - 1]


def test_a_block_that_occurs_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    text = component("GOL")
    path = tmp_path / "twice.cif"
    path.write_text(f"{text}\n{text}")
    with pytest.raises(InputError, match="duplicate block name") as caught:
        read_dictionary(str(path))
    line = int(caught.value.item.rsplit(" ", 1)[1])
    assert line > len(text.splitlines())
    assert path.read_text().splitlines()[line - 1].startswith("data_")


def test_every_component_gets_its_hydrogens() -> None:
    """All 307, from their own coordinates: each hydrogen of the dictionary once, none on top of another atom. Free
    histidine has one of two protons; molecules of one heavy atom turn freely, and so does methanol: nothing says where
    their hydrogens are."""
    names = embedded_components()
    monomers = read_monomers(names, library="embedded").library
    placed = 0
    for name in names:
        definition = monomers.monomers[name]
        heavy = [a for a in definition.atoms if not a.is_hydrogen()]
        if len(heavy) < 2 or name == "MOH":
            continue
        model = plain_model([(name, a.id, a.el.name.upper(), (a.xyz.x, a.xyz.y, a.xyz.z)) for a in heavy])
        geometry = build_geometry(model, monomers, {}, "riding")
        table = geometry.hydrogens
        wanted = {a.id for a in definition.atoms if a.is_hydrogen()} - ({"HD1"} if name == "HIS" else set())
        assert sorted(table.name.tolist()) == sorted(wanted), name
        places = hydrogen_positions(table, geometry.model.xyz)
        assert np.isfinite(places).all(), name
        placed += len(places)
        if len(places):
            apart = np.linalg.norm(places[:, None] - geometry.model.xyz[None], axis=2)
            own = apart[np.arange(len(places)), table.parent].copy()
            assert ((own > 0.8) & (own < 1.6)).all(), name
            apart[np.arange(len(places)), table.parent] = np.inf
            assert apart.min() > 1.6, name
            between = np.linalg.norm(places[:, None] - places[None], axis=2) + 9.0 * np.eye(len(places))
            assert between.min() > 1.0, name
    assert placed > 3300


def glycerol_with(category: str, column: str, value: str) -> tuple[str, int]:
    """GOL with another value in the first row of a loop, and the number of its line."""
    document = gemmi.cif.read_string(component("GOL"))
    block = next(b for b in document if b.name == "comp_GOL")
    block.find_values(category + column)[0] = value
    text = document.as_string()
    lines = text.splitlines()
    first = line_with(text, category)
    return text, next(n for n in range(first, len(lines) + 1) if lines[n - 1][:1] not in ("_", "#", ""))


@pytest.mark.parametrize(
    ("category", "column", "value", "message"),
    [
        ("_chem_comp_bond.", "value_dist", ".", "has no length"),
        ("_chem_comp_bond.", "value_dist", "124.7", "cannot be 124.7 A long"),
        ("_chem_comp_bond.", "value_dist_esd", "0.0", "is not above zero"),
        ("_chem_comp_bond.", "value_dist_esd", ".", "is not above zero"),
        ("_chem_comp_bond.", "value_dist_esd", "-0.02", "is not above zero"),
        ("_chem_comp_bond.", "comp_id", "ABC", "belongs to another component, ABC"),
        ("_chem_comp_angle.", "value_angle", "421.6", "cannot be 421.6 degrees"),
        ("_chem_comp_angle.", "value_angle_esd", "0.0", "is not above zero"),
        ("_chem_comp_atom.", "type_symbol", "Qq", "the element Qq of the atom"),
        ("_chem_comp_chir.", "volume_sign", "nagative", "the sign nagative of"),
    ],
)
def test_values_that_no_molecule_has_are_refused_with_their_line(
    tmp_path: Path, category: str, column: str, value: str, message: str
) -> None:
    text, line = glycerol_with(category, column, value)
    error = refusal(tmp_path, text)
    assert message in error.message
    assert error.item == f"GOL, line {line}"


@pytest.mark.parametrize(
    ("values", "usable"), [("0.02 0.000 0.000", True), ("0.000 0.000 0.000", False), ("0.02 -1 0", False)]
)
def test_a_plane_needs_its_uncertainty_once(tmp_path: Path, values: str, usable: bool) -> None:
    """Older dictionaries give it with the first atom and 0.000 with the others."""
    document = gemmi.cif.read_string(component("ALA"))
    block = next(b for b in document if b.name == "comp_ALA")
    block.find_mmcif_category("_chem_comp_plane_atom.").erase()
    loop = block.init_loop("_chem_comp_plane_atom.", ["comp_id", "plane_id", "atom_id", "dist_esd"])
    for atom, esd in zip(("C", "CA", "O"), values.split(), strict=True):
        loop.add_row(["ALA", "plan-1", atom, esd])
    if usable:
        path = tmp_path / "ala.cif"
        path.write_text(document.as_string())
        found = read_monomers(["ALA"], (str(path),), "embedded").library.monomers["ALA"]
        assert [plane.esd for plane in found.rt.planes] == [pytest.approx(0.02)]
    else:
        assert "is not above zero" in refusal(tmp_path, document.as_string()).message


def test_tables_and_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    document = gemmi.cif.read_string(component("GOL"))
    block = next(b for b in document if b.name == "comp_GOL")
    block.find_mmcif_category("_chem_comp_angle.").erase()
    assert "no angles" in refusal(tmp_path, document.as_string()).message
    for text in (
        component("GOL").replace("_chem_comp_bond.value_dist_esd", "_chem_comp_bond.something"),
        component("GOL").replace("_chem_comp_angle.value_angle_esd", "_chem_comp_angle.something"),
    ):
        category = "_chem_comp_bond." if "_chem_comp_bond.something" in text else "_chem_comp_angle."
        error = refusal(tmp_path, text)
        assert f"{category}value_" in error.message
        assert "_esd" in error.message
        assert error.item == f"GOL, line {line_with(text, category)}"


LINK = """
data_link_list
loop_
_chem_link.id
_chem_link.comp_id_1
_chem_link.mod_id_1
_chem_link.group_comp_1
_chem_link.comp_id_2
_chem_link.mod_id_2
_chem_link.group_comp_2
_chem_link.name
{name} {first} . {group} . . {group} x

data_link_{name}
loop_
_chem_link_bond.link_id
_chem_link_bond.atom_1_comp_id
_chem_link_bond.atom_id_1
_chem_link_bond.atom_2_comp_id
_chem_link_bond.atom_id_2
_chem_link_bond.type
_chem_link_bond.value_dist
_chem_link_bond.value_dist_esd
{name} 1 {atom} 2 N single 1.33 0.02
"""
CHANGE = """
data_mod_list
loop_
_chem_mod.id
_chem_mod.name
_chem_mod.comp_id
_chem_mod.group_id
LESS x GOL .

data_mod_LESS
loop_
_chem_mod_atom.mod_id
_chem_mod_atom.function
_chem_mod_atom.atom_id
_chem_mod_atom.new_atom_id
LESS delete Q99 .
"""


@pytest.mark.parametrize(
    ("more", "wrong", "right", "item"),
    [
        (LINK.format(name="MINE", first="GOL", group=".", atom="C99"), "C99", "C1", "link MINE"),
        (LINK.format(name="TRANS", first=".", group="peptide", atom="CX"), "CX", "C", "link TRANS"),
        (CHANGE, "Q99", "O1", "modification LESS"),
    ],
)
def test_wrong_atoms_of_links_and_modifications_are_named(
    tmp_path: Path, more: str, wrong: str, right: str, item: str
) -> None:
    path = tmp_path / "own.cif"
    text = component("GOL") + more
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_monomers(["GOL", "ALA"], [str(path)], "embedded")
    assert f"names the atom {wrong}" in caught.value.message
    assert caught.value.item == f"{item}, line {line_with(text, f' {wrong} ')}"
    path.write_text(text.replace(f" {wrong} ", f" {right} "))
    read_monomers(["GOL", "ALA"], [str(path)], "embedded")
