"""Restraints, links and hydrogens of real models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.geometry_cases import CASES, case_geometry, case_model, library
from workbench.core.crystal import Link, Model, Residues
from workbench.core.errors import InputError
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.hydrogens import OFFSET, hydrogen_positions
from workbench.engine.geometry.restraint_tables import angle_values
from workbench.engine.geometry.structure import gemmi_structure, is_hydrogen, select_atoms
from workbench.engine.geometry.topology import build_geometry


def bond_z(geometry: GeometryDescription) -> np.ndarray:
    """Deviations of the bonds inside the asymmetric unit, in sigmas."""
    bonds = geometry.bonds
    inside = bonds.symmetry == 0
    i, j = bonds.atoms[inside].T
    length = np.linalg.norm(geometry.model.xyz[i] - geometry.model.xyz[j], axis=1)
    result: np.ndarray = (length - bonds.ideal[inside]) / bonds.sigma[inside]
    return result


def described_bond_z(geometry: GeometryDescription) -> np.ndarray:
    """The same without links that only distances show: those are up to 0.6 A off by the nature of the search."""
    bonds = geometry.bonds
    guessed = {frozenset((r.first, r.second)) for r in geometry.links if r.found == "distance"}
    inside = bonds.atoms[bonds.symmetry == 0]
    keep = np.array([frozenset(pair) not in guessed for pair in inside.tolist()], bool)
    result: np.ndarray = bond_z(geometry)[keep]
    return result


def angle_z(geometry: GeometryDescription) -> np.ndarray:
    values = angle_values(geometry.model.xyz, geometry.angles.atoms)
    result: np.ndarray = (values - geometry.angles.ideal) / geometry.angles.sigma
    return result


@pytest.mark.parametrize("name", sorted(set(CASES) - {"gp350"}))
def test_deviations_are_those_that_gemmi_computes(shared_data: Path, name: str) -> None:
    """r.m.s. Z of bonds and angles: ours against the Z of gemmi's topology for the file as gemmi reads it. Ours hold a
    few metal bonds more (rsbs, 8OLA). gp350 has older atom names, which gemmi does not prepare."""
    structure = gemmi.read_structure(str(shared_data / CASES[name][0]))
    structure.setup_entities()
    structure.remove_hydrogens()
    monomers = library(case_model(shared_data, name), *(str(shared_data / path) for path in CASES[name][1:]))
    unchanged = gemmi.HydrogenChange.NoChange
    topology = gemmi.prepare_topology(structure, monomers, 0, unchanged, False, None, True, False)
    geometry = case_geometry(shared_data, name, "riding")
    for ours, theirs in ((bond_z(geometry), topology.bonds), (angle_z(geometry), topology.angles)):
        z = np.array([each.calculate_z() for each in theirs])
        assert 0 <= len(ours) - len(z) <= (18 if name in ("rsbs", "ca_8ola") else 0)
        assert np.sqrt(np.mean(ours**2)) == pytest.approx(np.sqrt(np.mean(z**2)), rel=0.01)


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_model_gets_sensible_restraints(shared_data: Path, name: str) -> None:
    geometry = case_geometry(shared_data, name, "riding")
    model = geometry.model
    assert not is_hydrogen(model).any()
    # A wrong topology shows as bonds many angstrom long; gp350 (3.5 A) has sugars 0.4 A off.
    described = described_bond_z(geometry)
    assert np.abs(described).max() < (45 if name == "gp350" else 20)
    if name != "pep_6mw0":  # 0.78 A, two conformers over each other: compared with gemmi's own figure below
        assert np.sqrt(np.mean(described**2)) < (4.5 if name == "gp350" else 2.0)
        assert np.sqrt(np.mean(angle_z(geometry) ** 2)) < (2.6 if name == "gp350" else 1.7)
    for link in geometry.links:
        if link.used and link.found == "distance":
            assert link.distance < 1.5 * link.ideal
    # Every atom of a residue with more than one heavy atom hangs on something.
    held = np.zeros(len(model), bool)
    held[geometry.bonds.atoms.reshape(-1)] = True
    several = model.residues.n_atoms[model.residue] > 1
    unwatered = model.residues.kind[model.residue] != "water"
    assert held[several & unwatered].all()
    for sigma in (
        geometry.bonds.sigma,
        geometry.angles.sigma,
        geometry.torsions.sigma,
        geometry.chiralities.sigma,
        geometry.planes.sigma,
    ):
        assert np.isfinite(sigma).all()
        assert (sigma > 0).all()
    assert (np.diff(geometry.planes.start) >= 4).all()
    positions = hydrogen_positions(geometry.hydrogens, model.xyz)
    assert np.isfinite(positions).all()
    distance = np.linalg.norm(positions - model.xyz[geometry.hydrogens.parent], axis=1)
    assert (distance > 0.7).all()
    assert (distance < 1.5).all()


def test_ribonuclease_counts_equal_those_of_the_library_builder(shared_data: Path) -> None:
    """2807 bonds, 5066 angles and 229 hands with hydrogens: the figures of the same library elsewhere; the heavy-atom
    part of them is ours."""
    model = case_model(shared_data, "rnasa")
    geometry = case_geometry(shared_data, "rnasa", "riding")
    structure = gemmi_structure(model)
    topology = gemmi.prepare_topology(structure, library(model), h_change=gemmi.HydrogenChange.ReAddKnown)
    assert (len(topology.bonds), len(topology.angles), len(topology.chirs)) == (2807, 5066, 229)

    def heavy(kind: gemmi.TopoBonds | gemmi.TopoAngles) -> int:
        return sum(not any(a.is_hydrogen() for a in item.atoms) for item in kind)

    assert geometry.counts["bonds"] == heavy(topology.bonds)
    assert geometry.counts["angles"] == heavy(topology.angles)
    assert geometry.counts["chirality"] == 229
    # All hydrogens the builder adds, and those of hydroxyls and histidines that it leaves out.
    theirs = sum(cra.atom.is_hydrogen() for cra in structure[0].all())
    names = model.residues.name
    hydroxyls = int(np.isin(names, ("SER", "THR", "TYR")).sum())
    histidines = int((names == "HIS").sum())
    extra = len(geometry.hydrogens.parent) - theirs
    assert hydroxyls <= extra + 6
    assert extra <= hydroxyls + 2 * histidines


def test_peptide_bonds_join_neighbours_and_never_gaps(shared_data: Path) -> None:
    geometry = case_geometry(shared_data, "rnasa", "riding")
    model = geometry.model
    pairs = {(int(i), int(j)) for i, j in geometry.bonds.atoms}
    names = model.atom_name
    peptides = [(i, j) for i, j in pairs if {names[i], names[j]} == {"C", "N"} and model.residue[i] != model.residue[j]]
    assert len(peptides) == 173 + 10 + 2 + 1
    # Take one residue out: its neighbours stay apart, and their distance is told.
    row = 20
    broken = select_atoms(model, model.residue != row)
    shorter = build_geometry(broken, library(broken), {}, "riding")
    left = [
        (i, j)
        for i, j in shorter.bonds.atoms
        if {broken.atom_name[i], broken.atom_name[j]} == {"C", "N"} and broken.residue[i] != broken.residue[j]
    ]
    assert len(left) == len(peptides) - 2
    assert np.abs(bond_z(shorter)).max() < 20
    renumbered = replace(
        broken,
        residues=replace(broken.residues, number=broken.residues.number - (np.arange(len(broken.residues)) >= row)),
    )
    told = build_geometry(renumbered, library(renumbered), {}, "none")
    assert any("gap" in note for note in told.notes)
    assert len(told.bonds.ideal) == len(shorter.bonds.ideal)


def test_a_library_without_links_is_refused(shared_data: Path) -> None:
    model = case_model(shared_data, "rnasa")
    full = library(model)
    bare = gemmi.MonLib()
    with pytest.raises(InputError, match="energy types"):
        build_geometry(model, bare, {}, "riding")
    linkless = full.clone()
    linkless.links.clear()
    with pytest.raises(InputError, match="peptide links") as caught:
        build_geometry(model, linkless, {"ALA": "/library/a/ALA.cif"}, "riding")
    assert caught.value.remedy
    assert len(full.links) > 0


def test_the_library_is_left_as_it_was(shared_data: Path) -> None:
    model = case_model(shared_data, "rsbs")
    monomers = library(model)
    before = len(monomers.links)
    build_geometry(model, monomers, {}, "riding")
    assert len(monomers.links) == before


def test_disulfides_are_found_without_records(shared_data: Path) -> None:
    model = replace(case_model(shared_data, "rnasa"), links=())
    geometry = build_geometry(model, library(model), {}, "riding")
    sulfur = model.element == "S"
    bridges = [(i, j) for i, j in geometry.bonds.atoms if sulfur[i] and sulfur[j]]
    assert len(bridges) == 1  # the other one is broken in this model
    carried = {int(p) for p in geometry.hydrogens.parent}
    assert not carried & {int(i) for pair in bridges for i in pair}


def test_sugars_hang_on_asparagine(shared_data: Path) -> None:
    geometry = case_geometry(shared_data, "bgl", "riding")
    model = geometry.model
    joined = [
        (i, j)
        for i, j in geometry.bonds.atoms
        if {model.atom_name[i], model.atom_name[j]} == {"ND2", "C1"} and model.residue[i] != model.residue[j]
    ]
    assert len(joined) == 19
    hydrogens = np.bincount(geometry.hydrogens.parent, minlength=len(model))
    for pair in joined:
        nitrogen = next(i for i in pair if model.atom_name[i] == "ND2")
        assert hydrogens[nitrogen] == 1
    assert not geometry.flagged


@pytest.mark.parametrize("name", ["ptp1b", "hewl", "rsbs"])
def test_hydrogens_stand_where_they_were_deposited(shared_data: Path, name: str) -> None:
    """Riding hydrogens against the hydrogens of the file (electron-cloud distances there as here)."""
    geometry = case_geometry(shared_data, name, "riding")
    given = case_model(shared_data, name)
    model = geometry.model

    place = hydrogen_positions(geometry.hydrogens, model.xyz)
    hydrogen = np.flatnonzero(is_hydrogen(given))
    by_parent: dict[int, list[int]] = {}
    for h in hydrogen.tolist():
        row = int(given.residue[h])
        first = int(given.residues.first_atom[row])
        inside = np.arange(first, first + int(given.residues.n_atoms[row]))
        inside = inside[~is_hydrogen(given)[inside] & np.isin(given.altloc[inside], ("", given.altloc[h]))]
        distance = np.linalg.norm(given.xyz[inside] - given.xyz[h], axis=1)
        by_parent.setdefault(int(given.source_index[inside[distance.argmin()]]), []).append(h)
    carbon, amide = [], []
    for n, parent in enumerate(geometry.hydrogens.parent.tolist()):
        theirs = by_parent.get(int(model.source_index[parent]))
        if not theirs:
            continue
        nearest = float(np.linalg.norm(given.xyz[theirs] - place[n], axis=1).min())
        neighbours = int((geometry.hydrogens.neighbours[n] >= 0).sum())
        rotates = neighbours == 2 and geometry.hydrogens.kind[n] == 0
        if model.element[parent] == "C" and not rotates:
            carbon.append(nearest)
        if model.atom_name[parent] == "N" and not rotates:
            amide.append(nearest)
    assert len(carbon) > 300
    assert np.median(carbon) < 0.05
    assert np.percentile(carbon, 99) < 0.2
    # The files put amide hydrogens 5 degrees nearer to CA and at 0.86 A, as older dictionaries do.
    assert np.median(amide) < 0.1
    assert np.percentile(amide, 90) < 0.15


@pytest.mark.parametrize("name", ["ptp1b", "hewl", "rsbs", "pep_7n2l", "zdna"])
def test_kept_hydrogens_are_exactly_those_of_the_file(shared_data: Path, name: str) -> None:
    given = case_model(shared_data, name)
    geometry = case_geometry(shared_data, name, "keep")
    rows = np.flatnonzero(is_hydrogen(given))
    assert geometry.n_atoms == len(given)
    assert sorted(geometry.hydrogens.model_index.tolist()) == rows.tolist()
    assert not is_hydrogen(given)[geometry.hydrogens.parent].any()
    moved = hydrogen_positions(geometry.hydrogens, given.xyz) - given.xyz[geometry.hydrogens.model_index]
    assert np.median(np.linalg.norm(moved, axis=1)) < 0.15
    assert len(geometry.contacts.radius) == len(given)
    heavy_rows = {int(i) for i in geometry.bonds.atoms.reshape(-1)}
    assert not heavy_rows & set(rows.tolist())


@pytest.mark.parametrize("name", ["mdm2_unfinished", "ptp1b", "bgl"])
def test_written_hydrogens_are_the_riding_ones(shared_data: Path, name: str) -> None:
    riding = case_geometry(shared_data, name, "riding")
    written = case_geometry(shared_data, name, "all")
    model = written.model
    table = written.hydrogens
    assert len(model) == len(riding.model) + len(riding.hydrogens.parent)
    assert written.counts == riding.counts
    assert (table.model_index >= 0).all()
    assert (model.source_index[table.model_index] == -1).all()
    assert (model.residue[table.model_index] == model.residue[table.parent]).all()
    assert (np.diff(model.residue) >= 0).all()
    np.testing.assert_array_equal(model.b_iso[table.model_index], model.b_iso[table.parent])
    np.testing.assert_array_equal(model.altloc[table.model_index], model.altloc[table.parent])
    np.testing.assert_allclose(hydrogen_positions(table, model.xyz), model.xyz[table.model_index], atol=1e-9)
    np.testing.assert_allclose(
        hydrogen_positions(table, model.xyz), hydrogen_positions(riding.hydrogens, riding.model.xyz), atol=1e-9
    )
    # No two atoms of a residue share name and altloc.
    labels = list(zip(model.residue.tolist(), model.atom_name.tolist(), model.altloc.tolist(), strict=True))
    assert len(set(labels)) == len(labels)
    first = model.residues.first_atom
    assert (model.residue[first] == np.arange(len(model.residues))).all()
    np.testing.assert_allclose(bond_z(written), bond_z(riding), atol=1e-9)


def test_without_hydrogens_carbons_are_larger(shared_data: Path) -> None:
    bare = case_geometry(shared_data, "lyso_c2", "none")
    riding = case_geometry(shared_data, "lyso_c2", "riding")
    assert len(bare.hydrogens.parent) == 0
    assert len(bare.contacts.radius) == len(bare.model)
    n = len(bare.model)
    carbon = bare.model.element == "C"
    assert bare.contacts.radius[carbon].mean() > riding.contacts.radius[:n][carbon].mean() + 0.1
    assert (bare.contacts.radius <= 2.0).all()


def test_contacts_know_bonds_and_donors(shared_data: Path) -> None:
    geometry = case_geometry(shared_data, "lyso_c2", "riding")
    model = geometry.model
    excluded = {(int(i), int(j)) for i, j in geometry.contacts.excluded}
    for i, j in geometry.bonds.atoms:
        assert (min(i, j), max(i, j)) in excluded
    for i, _, k in geometry.angles.atoms:
        assert (min(i, k), max(i, k)) in excluded
    n = len(model)
    for row, parent in enumerate(geometry.hydrogens.parent.tolist()):
        assert (parent, n + row) in excluded
    assert not excluded & {(int(i), int(j)) for i, j in geometry.contacts.one_four}
    oxygen = np.flatnonzero(model.atom_name == "O")
    assert geometry.contacts.acceptor[oxygen].all()
    amide = (model.atom_name == "N") & (model.residues.name[model.residue] != "PRO")
    assert geometry.contacts.donor[:n][amide].all()
    polar = np.isin(model.element[geometry.hydrogens.parent], ("N", "O", "S"))
    np.testing.assert_array_equal(geometry.contacts.donor[n:] == 1, polar)


def test_a_component_nobody_knows_keeps_its_shape(shared_data: Path) -> None:
    """Retinoic acid without a dictionary: flat chain, ring, wide sigmas, no atom lost."""
    given = case_model(shared_data, "crabp")
    names = np.where(given.residues.name == "REA", "Q9Q", given.residues.name)
    strange = replace(given, residues=replace(given.residues, name=names))
    geometry = build_geometry(strange, library(strange), {}, "riding")
    model = geometry.model
    assert set(geometry.flagged) == {"Q9Q"}
    rows = {int(i) for i in np.flatnonzero(model.residues.name[model.residue] == "Q9Q")}
    inside = np.array([int(i) in rows and int(j) in rows for i, j in geometry.bonds.atoms])
    assert inside.sum() == 22  # C20H28O2: 22 heavy atoms and one ring
    assert (geometry.bonds.sigma[inside] >= 0.03).all()
    assert np.abs(bond_z(geometry)[inside[geometry.bonds.symmetry == 0]]).max() < 1e-6
    assert any(set(p) <= rows for p in np.split(geometry.planes.atoms, geometry.planes.start[1:-1]))


def test_an_atom_the_dictionary_does_not_know_is_kept(shared_data: Path) -> None:
    model = case_model(shared_data, "lyso_c2")
    row = int(np.flatnonzero(model.atom_name == "CD1")[0])
    names = model.atom_name.astype("U8")
    names[row] = "XD9"
    strange = replace(model, atom_name=names)
    geometry = build_geometry(strange, library(strange), {}, "riding")
    assert any("XD9" in note for note in geometry.notes)
    assert (geometry.bonds.atoms == row).any()
    assert len(geometry.model) == len(model)


def test_iron_sulfur_clusters_are_bonded_and_not_pushed(shared_data: Path) -> None:
    geometry = case_geometry(shared_data, "fdx", "riding")
    model = geometry.model
    excluded = {(int(i), int(j)) for i, j in geometry.contacts.excluded}
    iron = np.flatnonzero(model.element == "FE")
    near_iron = np.linalg.norm(model.xyz[:, None] - model.xyz[iron][None], axis=2).min(axis=1) < 2.6
    cysteine = np.flatnonzero((model.atom_name == "SG") & near_iron)
    assert len(cysteine) == 8
    bonded = [(i, j) for i, j in geometry.bonds.atoms if {model.element[i], model.atom_name[j]} == {"FE", "SG"}]
    reverse = [(i, j) for i, j in geometry.bonds.atoms if {model.element[j], model.atom_name[i]} == {"FE", "SG"}]
    assert len(bonded) + len(reverse) == 8
    for i in iron.tolist():
        for j in cysteine.tolist():
            if np.linalg.norm(model.xyz[i] - model.xyz[j]) < 2.6:
                assert (min(i, j), max(i, j)) in excluded
    assert not set(geometry.hydrogens.parent.tolist()) & set(cysteine.tolist())
    assert geometry.contacts.metal[iron].all()


def test_metal_links_take_the_distance_of_the_model(shared_data: Path) -> None:
    geometry = case_geometry(shared_data, "rsbs", "riding")
    model = geometry.model
    manganese = np.flatnonzero(model.element == "MN")
    of_metal = np.isin(geometry.bonds.atoms, manganese).any(axis=1)
    assert of_metal.sum() >= 8
    np.testing.assert_allclose(geometry.bonds.sigma[of_metal], 0.1)


def symmetric_pair() -> Model:
    """Two waters and a two-atom component; the component is linked to a symmetry copy of itself."""
    from tests.small_models import plain_model

    return plain_model(
        cell=(20.0, 20.0, 20.0, 90.0, 90.0, 90.0),
        space_group="P 1 21 1",
        atoms=[
            ("XYZ", "C1", "C", (0.6, 5.0, 0.2)),
            ("XYZ", "C2", "C", (1.5, 6.1, 0.9)),
            ("ABC", "O1", "O", (-0.5, 16.0, -0.3)),
            ("ABC", "C2", "C", (-1.3, 17.0, -1.0)),
        ],
    )


def test_links_to_symmetry_copies_carry_their_operator() -> None:
    model = symmetric_pair()
    model = replace(model, links=(Link("covale", "", 0, 2, True, 1.4),))
    structure = gemmi_structure(model)
    assert len(structure.connections) == 1
    image = structure.cell.find_nearest_image(
        gemmi.Position(*model.xyz[0]), gemmi.Position(*model.xyz[2]), gemmi.Asu.Different
    )
    assert image.dist() < 3.0


def test_cis_peptides_stay_cis(shared_data: Path) -> None:
    geometry = case_geometry(shared_data, "rnasa", "riding")
    model = geometry.model
    from workbench.engine.geometry.restraint_tables import torsion_values

    omega = [
        n
        for n, (i, j, k, m) in enumerate(geometry.torsions.atoms)
        if {model.atom_name[i], model.atom_name[m]} == {"CA"} and {model.atom_name[j], model.atom_name[k]} == {"C", "N"}
    ]
    ideal = np.degrees(geometry.torsions.ideal[omega]) % 360
    values = np.degrees(torsion_values(model.xyz, geometry.torsions.atoms[omega]))
    cis = np.abs(values) < 60
    assert cis.sum() == 3
    assert np.all((ideal[cis] < 1) | (ideal[cis] > 359))
    np.testing.assert_allclose(ideal[~cis], 180.0, atol=1.0)


def test_hydrogens_of_unknown_components_ride_as_given(shared_data: Path) -> None:
    given = case_model(shared_data, "pep_7n2l")
    names = given.residues.name.astype("U8")
    names[2] = "QQQ"
    strange = replace(given, residues=replace(given.residues, name=names))
    geometry = build_geometry(strange, library(strange), {}, "riding")
    assert "QQQ" in geometry.flagged
    of = geometry.model.residue[geometry.hydrogens.parent] == 2
    deposited = strange.xyz[(strange.residue == 2) & is_hydrogen(strange)]
    placed = hydrogen_positions(geometry.hydrogens, geometry.model.xyz)[of]
    assert len(placed) == len(deposited)
    gap = np.linalg.norm(placed[:, None] - deposited[None], axis=2).min(axis=1)
    assert gap.max() < 1e-6
    assert (geometry.hydrogens.kind[of] != OFFSET).all()


def test_residues_without_atoms_disappear() -> None:
    model = symmetric_pair()
    kept = select_atoms(model, np.array([False, False, True, True]))
    assert isinstance(kept.residues, Residues)
    assert len(kept.residues) == 1
    assert kept.residue.tolist() == [0, 0]
