"""Bonds between residues: metals, covalent ligands, symmetry copies, and the user's decisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.geometry_cases import case_model, library
from tests.small_models import plain_model
from workbench.core.crystal import Link, LinkReport, Model
from workbench.core.errors import InputError
from workbench.engine.geometry.bond_lengths import typical_length
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.distances import distances
from workbench.engine.geometry.links import find_link
from workbench.engine.geometry.metal_coordination import SHANNON, ideal_distance, low_spin_iron
from workbench.engine.geometry.topology import build_geometry


def test_metal_distances_grow_with_the_coordination_number() -> None:
    for metal, charges in SHANNON.items():
        for charge, radii in charges.items():
            numbers = sorted(radii)
            found = np.array([ideal_distance(metal, "O", n, charge) for n in numbers], float)
            limited = metal in ("MG", "MN", "ZN")  # the shells of Mg are full; those of Mn and Zn beyond six are uneven
            assert np.all(np.diff(found) >= 0 if limited else np.diff(found) > 0), (metal, charge)
    assert ideal_distance("ZN", "C", 4) is None
    assert ideal_distance("U", "O", 8) is None
    iron = low_spin_iron("N")
    assert iron is not None
    assert 1.95 < iron < 2.1  # Fe-N(His) of haems


def reports(geometry: GeometryDescription, **wanted: object) -> list[LinkReport]:
    return [r for r in geometry.links if all(getattr(r, k) == v for k, v in wanted.items())]


def test_metals_are_found_without_records(shared_data: Path) -> None:
    """Every recorded manganese bond of rsbs is found again by distance, with the same target."""
    model = case_model(shared_data, "rsbs")
    monomers = library(model)
    recorded = reports(build_geometry(model, monomers, {}, "none"), kind="metal", used=True)
    found = reports(build_geometry(replace(model, links=()), monomers, {}, "none"), kind="metal", used=True)
    assert len(recorded) == 18
    assert {frozenset(r.label.split(" - ")) for r in found} == {frozenset(r.label.split(" - ")) for r in recorded}
    ideals = {frozenset((r.first, r.second)): r.ideal for r in recorded}
    for r in found:
        assert r.found == "distance"
        assert r.ideal == pytest.approx(ideals[frozenset((r.first, r.second))])
        assert abs(r.distance - r.ideal) < 0.2
    spread = np.array([r.distance - r.ideal for r in found])
    assert abs(spread.mean()) < 0.05


def test_a_metal_record_at_a_bad_distance_is_not_bonded(shared_data: Path) -> None:
    model = case_model(shared_data, "rsbs")
    first = next(link for link in model.links if link.kind == "metalc")
    metal, donor = (first.first, first.second) if model.element[first.first] == "MN" else (first.second, first.first)
    xyz = model.xyz.copy()
    away = (xyz[donor] - xyz[metal]) / np.linalg.norm(xyz[donor] - xyz[metal])
    xyz[donor] = xyz[metal] + 3.9 * away
    geometry = build_geometry(replace(model, xyz=xyz), library(model), {}, "keep")
    report = next(r for r in geometry.links if {r.first, r.second} == {metal, donor})
    assert not report.used
    assert "3.90 A" in report.reason
    assert not any({int(i), int(j)} == {metal, donor} for i, j in geometry.bonds.atoms)


# ---- covalent ligands -----------------------------------------------------------------------------------------------


def cysteine_and_glycol(distance: float) -> Model:
    """Cysteine with ethylene glycol, C1 at `distance` from SG on the far side of CB."""
    monomers = library(plain_model([("CYS", "SG", "S", (0.0, 0.0, 0.0)), ("EDO", "C1", "C", (5.0, 0.0, 0.0))]))

    def ideal(name: str) -> dict[str, tuple[str, np.ndarray]]:
        return {
            a.id: (a.el.name.upper(), np.array(a.xyz.tolist()))
            for a in monomers.monomers[name].atoms
            if not a.is_hydrogen() and a.id != "OXT"
        }

    cys, edo = ideal("CYS"), ideal("EDO")
    sulfur, carbon = cys["SG"][1], edo["C1"][1]
    outward = sulfur - cys["CA"][1]
    outward /= np.linalg.norm(outward)
    inner = edo["C2"][1] + edo["O1"][1] - 2 * carbon
    inner /= np.linalg.norm(inner)
    # rotate the glycol so that its other atoms point away from the sulfur
    axis = np.cross(inner, outward)
    cosine = float(inner @ outward)
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + skew + skew @ skew / (1 + cosine)
    atoms = [("CYS", n, e, tuple(x)) for n, (e, x) in cys.items()]
    shifted = {n: turn @ (x - carbon) + sulfur + distance * outward for n, (e, x) in edo.items()}
    atoms += [("EDO", n, edo[n][0], tuple(x)) for n, x in shifted.items()]
    model = plain_model(atoms)  # type: ignore[arg-type]
    return replace(model, residues=replace(model.residues, kind=np.array(["protein", "ligand"])))


def bond_between(geometry: GeometryDescription, first: int, second: int) -> float | None:
    for (i, j), ideal in zip(geometry.bonds.atoms.tolist(), geometry.bonds.ideal, strict=True):
        if {i, j} == {first, second}:
            return float(ideal)
    return None


def ends(model: Model) -> tuple[int, int]:
    return int(np.flatnonzero(model.atom_name == "SG")[0]), int(np.flatnonzero(model.atom_name == "C1")[0])


def test_a_covalent_ligand_is_bonded_with_angles_and_gives_up_hydrogens() -> None:
    model = cysteine_and_glycol(1.80)
    geometry = build_geometry(model, library(model), {}, "riding")
    sulfur, carbon = ends(model)
    assert bond_between(geometry, sulfur, carbon) == pytest.approx(1.82)
    (report,) = reports(geometry, kind="covalent")
    assert report.used
    assert report.found == "distance"
    assert report.label == "A 1 CYS SG - A 2 EDO C1"
    around = [t for t in geometry.angles.atoms.tolist() if {sulfur, carbon} <= set(t)]
    assert {t[1] for t in around} == {sulfur, carbon}
    assert len(around) == 3  # CB-SG-C1, SG-C1-C2, SG-C1-O1
    count = np.bincount(geometry.hydrogens.parent, minlength=len(model))
    assert count[sulfur] == 0
    assert count[carbon] == 1
    assert (min(sulfur, carbon), max(sulfur, carbon)) in {tuple(p) for p in geometry.contacts.excluded.tolist()}


def test_a_doubtful_bond_is_proposed_and_the_user_decides() -> None:
    model = cysteine_and_glycol(2.2)
    monomers = library(model)
    sulfur, carbon = ends(model)
    label = "A 1 CYS SG - A 2 EDO C1"
    proposed = build_geometry(model, monomers, {}, "riding")
    assert bond_between(proposed, sulfur, carbon) is None
    (report,) = proposed.links
    assert (report.label, report.used) == (label, False)
    assert np.isnan(report.ideal)
    accepted = build_geometry(model, monomers, {}, "riding", {label: True})
    assert bond_between(accepted, sulfur, carbon) == pytest.approx(1.82)
    (report,) = accepted.links
    assert (report.used, report.found) == (True, "user")
    near = cysteine_and_glycol(1.80)
    removed = build_geometry(near, monomers, {}, "riding", {"A 1 SG - A 2 C1": False})
    assert bond_between(removed, sulfur, carbon) is None
    (report,) = removed.links
    assert (report.used, report.reason) == (False, "removed by you")
    far = cysteine_and_glycol(3.5)
    assert not build_geometry(far, monomers, {}, "riding").links


def test_labels_name_atoms_and_wrong_ones_are_refused(shared_data: Path) -> None:
    model = case_model(shared_data, "rnasa")
    geometry = build_geometry(model, library(model), {}, "none")
    for report in geometry.links:
        assert find_link(model, report.label) == (report.first, report.second, report.symmetry)
    for wrong in ("A 1 SG", "A 7 SG - A 999 SG", "", "A 7 CYS SG - Q 96 CYS SG"):
        with pytest.raises(InputError) as caught:
            build_geometry(model, library(model), {}, "none", {wrong: True})
        assert caught.value.remedy


def test_a_removed_disulfide_has_its_hydrogens_back(shared_data: Path) -> None:
    model = case_model(shared_data, "lyso_c2")
    monomers = library(model)
    whole = build_geometry(model, monomers, {}, "riding")
    disulfides = reports(whole, kind="disulfide", used=True)
    assert len(disulfides) == 3
    gone = disulfides[0]
    without = build_geometry(model, monomers, {}, "riding", {gone.label: False})
    assert bond_between(without, gone.first, gone.second) is None
    assert len(reports(without, kind="disulfide", used=True)) == 2
    carried = set(without.hydrogens.parent.tolist())
    assert {gone.first, gone.second} <= carried
    assert not {gone.first, gone.second} & set(whole.hydrogens.parent.tolist())


def test_typical_lengths_take_the_kind_of_bond_that_is_seen() -> None:
    assert typical_length("C", "N", 1.50) == 1.47
    assert typical_length("N", "C", 1.27) == 1.28
    assert typical_length("S", "C", 2.0) == 1.82
    assert 1.2 < typical_length("SI", "O", 1.6) < 2.0


# ---- symmetry -------------------------------------------------------------------------------------------------------


def zinc_beside_a_copy(oxygen_shift: float = 0.0) -> Model:
    """Zinc near the screw copy of a water: (x, y, z) -> (-x, y + 1/2, -z) in P 21."""
    return plain_model(
        [("ZN", "ZN", "ZN", (1.0, 5.0, 0.5)), ("HOH", "O", "O", (-1.0 - 1.2, 15.0 + 1.6 + oxygen_shift, -0.5))],
        cell=(20.0, 20.0, 20.0, 90.0, 90.0, 90.0),
        space_group="P 1 21 1",
    )


def test_a_metal_takes_a_donor_from_a_symmetry_copy() -> None:
    model = zinc_beside_a_copy()
    model = replace(model, residues=replace(model.residues, kind=np.array(["ion", "water"])))
    geometry = build_geometry(model, library(model), {}, "none")
    (report,) = geometry.links
    assert (report.kind, report.symmetry, report.used) == ("metal", True, True)
    assert report.distance == pytest.approx(2.0, abs=1e-6)
    assert geometry.bonds.symmetry.tolist() == [1]
    operators = np.concatenate([np.eye(3, 4)[None], geometry.images])
    measured = distances(model.xyz, geometry.bonds.atoms, geometry.bonds.symmetry, operators)
    assert measured[0] == pytest.approx(2.0, abs=1e-6)
    far = zinc_beside_a_copy(0.9)
    assert not build_geometry(far, library(far), {}, "none").links


def test_a_recorded_link_to_a_symmetry_copy_is_restrained_across_it() -> None:
    model = zinc_beside_a_copy(0.5)
    model = replace(model, links=(Link("metalc", "", 1, 0, True, 2.4),))
    geometry = build_geometry(model, library(model), {}, "none")
    (report,) = geometry.links
    assert (report.found, report.symmetry, report.used) == ("record", True, True)
    assert len(geometry.images) == 1
    operators = np.concatenate([np.eye(3, 4)[None], geometry.images])
    measured = distances(model.xyz, geometry.bonds.atoms, geometry.bonds.symmetry, operators)
    assert measured[0] == pytest.approx(report.distance)


def test_a_disulfide_to_a_symmetry_copy_is_proposed_and_a_record_bonds_it() -> None:
    atoms = [("CYS", "CB", "C", (2.4, 5.3, 0.6)), ("CYS", "SG", "S", (1.0, 5.0, 0.0)),
             ("CYX", "CB", "C", (0.6, 15.4, -1.6)), ("CYX", "SG", "S", (1.0 - 2.0, 15.3, 0.0 + 0.1))]  # fmt: skip
    model = plain_model(atoms, cell=(20.0, 20.0, 20.0, 90.0, 90.0, 90.0), space_group="P 1 21 1", kind="protein")
    both = replace(
        model,
        xyz=model.xyz + np.array([[0, 0, 0], [0, 0, 0], [0.0, 0, 0], [1.0 - 0.9, 0, 0]]),
        residues=replace(model.residues, name=np.array(["CYS", "CYS"])),
    )
    geometry = build_geometry(both, library(both), {}, "none")
    (report,) = geometry.links
    assert (report.kind, report.symmetry, report.used) == ("disulfide", True, False)
    assert report.distance < 2.5
    recorded = replace(both, links=(Link("disulf", "", 1, 3, True, report.distance),))
    bonded = build_geometry(recorded, library(both), {}, "none")
    (report,) = bonded.links
    assert report.used
    assert report.ideal == pytest.approx(2.03, abs=0.03)
    assert (bonded.bonds.symmetry > 0).sum() == 1


# ---- the user's word on copies --------------------------------------------------------------------------------------


def disulfide_across_the_screw_axis() -> Model:
    atoms = [("CYS", "CB", "C", (2.4, 5.3, 0.6)), ("CYS", "SG", "S", (1.0, 5.0, 0.0)),
             ("CYX", "CB", "C", (0.6, 15.4, -1.6)), ("CYX", "SG", "S", (-0.9, 15.3, 0.1))]  # fmt: skip
    model = plain_model(atoms, cell=(20.0, 20.0, 20.0, 90.0, 90.0, 90.0), space_group="P 1 21 1", kind="protein")
    return replace(model, residues=replace(model.residues, name=np.array(["CYS", "CYS"])))


def links_made(geometry: GeometryDescription, first: int, second: int) -> list[int]:
    """Image number of every bond between two atoms."""
    pairs = zip(geometry.bonds.atoms.tolist(), geometry.bonds.symmetry.tolist(), strict=True)
    return [image for pair, image in pairs if set(pair) == {first, second}]


def test_accepting_a_metal_bond_to_a_copy_bonds_the_copy() -> None:
    model = zinc_beside_a_copy()
    model = replace(model, residues=replace(model.residues, kind=np.array(["ion", "water"])))
    (found,) = build_geometry(model, library(model), {}, "none").links
    accepted = build_geometry(model, library(model), {}, "none", {found.label: True}, strict_links=True)
    (report,) = accepted.links
    assert (report.label, report.symmetry, report.used, report.found) == (found.label, True, True, "user")
    assert report.distance == pytest.approx(2.0, abs=1e-6)
    assert report.ideal == pytest.approx(found.ideal)
    assert links_made(accepted, 0, 1) == [1]
    removed = build_geometry(model, library(model), {}, "none", {found.label: False}, strict_links=True)
    assert [r.used for r in removed.links] == [False]
    assert links_made(removed, 0, 1) == []


def test_accepting_a_proposed_disulfide_to_a_copy_bonds_the_copy() -> None:
    model = disulfide_across_the_screw_axis()
    (proposed,) = build_geometry(model, library(model), {}, "none").links
    assert not proposed.used
    recorded = replace(model, links=(Link("disulf", "", 3, 1, True, proposed.distance),))
    for each in (model, recorded):
        accepted = build_geometry(each, library(each), {}, "none", {proposed.label: True}, strict_links=True)
        (report,) = accepted.links
        assert (report.kind, report.symmetry, report.used, report.found) == ("disulfide", True, True, "user")
        assert report.ideal == pytest.approx(2.03, abs=0.03)
        (image,) = links_made(accepted, 1, 3)
        assert image > 0


def test_a_bond_asked_for_beyond_reach_is_refused() -> None:
    model = zinc_beside_a_copy()
    model = replace(model, residues=replace(model.residues, kind=np.array(["ion", "water"])))
    label = "A 1 ZN ZN - A 2 HOH O"
    with pytest.raises(InputError, match=r"12\.07 A apart.*symmetry copy is 2\.00 A away") as caught:
        build_geometry(model, library(model), {}, "none", {label: True}, strict_links=True)
    assert label in caught.value.item
    geometry = build_geometry(model, library(model), {}, "none", {label: True})
    assert links_made(geometry, 0, 1) == [1]  # the copy, found by its distance
    (refused,) = reports(geometry, found="user")
    assert not refused.used
    assert "A apart" in refused.reason


def test_removing_a_link_that_is_not_there_is_an_error() -> None:
    model = zinc_beside_a_copy(0.9)
    for label in ("A 1 ZN - A 2 O", "A 1 ZN - A 2 O (symmetry)"):
        with pytest.raises(InputError, match="no such link: the atoms are"):
            build_geometry(model, library(model), {}, "none", {label: False}, strict_links=True)
        geometry = build_geometry(model, library(model), {}, "none", {label: False})
        assert any(label in note for note in geometry.notes)


def test_a_removed_record_is_listed_once(shared_data: Path) -> None:
    model = case_model(shared_data, "rnasa")
    found = reports(build_geometry(model, library(model), {}, "none"), kind="disulfide")[0]
    model = replace(model, links=(Link("disulf", "", found.first, found.second, False, found.distance),))
    label = found.label
    geometry = build_geometry(model, library(model), {}, "none", {label: False}, strict_links=True)
    assert [(r.used, r.reason) for r in geometry.links if r.label == label] == [(False, "removed by you")]


def test_a_bond_between_unknown_components_says_what_holds_it(shared_data: Path) -> None:
    model = case_model(shared_data, "rnasa")
    residues = model.residues
    found = reports(build_geometry(model, library(model), {}, "none"), kind="disulfide")
    names = residues.name.astype("U5")
    names[[int(model.residue[i]) for i in (found[0].first, found[0].second)]] = "QQC"
    strange = replace(model, links=(), residues=replace(residues, name=names))
    geometry = build_geometry(strange, library(strange), {}, "none")
    report = next(r for r in geometry.links if {r.first, r.second} == {found[0].first, found[0].second})
    assert report.used
    assert report.ideal == pytest.approx(report.distance, abs=0.01)
    assert report.reason.startswith("kept at its present length")
    assert found[0].reason == "as the library describes it"


def test_a_bond_with_a_second_contact_is_listed_once() -> None:
    """Two short contacts may be a clash: not bonded, but told."""
    model = cysteine_and_glycol(1.80)
    sulfur, carbon = ends(model)
    second = int(np.flatnonzero(model.atom_name == "C2")[0])
    xyz = model.xyz.copy()
    side = np.cross(xyz[carbon] - xyz[sulfur], [0.3, 0.5, 0.8])
    xyz[second] = xyz[sulfur] + 2.15 * side / np.linalg.norm(side)
    crowded = replace(model, xyz=xyz)
    geometry = build_geometry(crowded, library(crowded), {}, "none")
    (report,) = geometry.links
    assert {report.first, report.second} == {sulfur, carbon}
    assert not report.used
    assert "1.80 A apart" in report.reason
    assert bond_between(geometry, sulfur, carbon) is None
    accepted = build_geometry(crowded, library(crowded), {}, "none", {report.label: True}, strict_links=True)
    assert bond_between(accepted, sulfur, carbon) == pytest.approx(1.82)
