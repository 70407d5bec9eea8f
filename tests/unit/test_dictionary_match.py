"""Dictionaries with other atom names than the model: matched, refused, or left as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

from tests.geometry_cases import case_model, library
from tests.small_models import plain_model
from workbench.core.crystal import Model
from workbench.engine.geometry.dictionary_match import fit_dictionaries
from workbench.engine.geometry.restraint_tables import chiral_volumes
from workbench.engine.geometry.structure import select_atoms
from workbench.engine.geometry.topology import build_geometry
from workbench.io.monomers import embedded_components, read_monomers

LIGANDS = (
    "ATP",
    "NAD",
    "FAD",
    "SAM",
    "CIT",
    "PLP",
    "REA",
    "STU",
    "BTN",
    "SUC",
    "LMT",
    "MPD",
    "EPE",
    "GSH",
    "CLR",
    "TRE",
)
"""Open chains, rings, fused rings, several hands, symmetric groups, up to 53 heavy atoms."""


def as_model(definition: gemmi.ChemComp, seed: int = 0, noise: float = 0.05) -> Model:
    """A component as a ligand whose atoms are called A1, A2, ... in another order."""
    heavy = [a for a in definition.atoms if not a.is_hydrogen()]
    random = np.random.default_rng(seed)
    order = random.permutation(len(heavy))
    atoms = [(definition.name, f"A{n}", heavy[k].el.name.upper(), (heavy[k].xyz.x, heavy[k].xyz.y, heavy[k].xyz.z))
             for n, k in enumerate(order)]  # fmt: skip
    model = plain_model(atoms)
    return replace(model, xyz=model.xyz + random.normal(size=model.xyz.shape) * noise / np.sqrt(3.0))


@pytest.mark.parametrize("name", LIGANDS)
def test_a_dictionary_is_matched_by_its_bonds(name: str) -> None:
    """Every bond, angle and hand is that of the dictionary, whatever the model calls the atoms."""
    monomers = read_monomers([name], library="embedded").library
    definition = monomers.monomers[name]
    model = as_model(definition)
    geometry = build_geometry(model, monomers, {}, "riding")
    assert not geometry.flagged
    assert any("matched by their bonds" in note for note in geometry.notes)
    assert not any("other hand" in note for note in geometry.notes)
    heavy = {a.id for a in definition.atoms if not a.is_hydrogen()}
    assert geometry.counts["bonds"] == sum({b.id1.atom, b.id2.atom} <= heavy for b in definition.rt.bonds)
    assert len(geometry.hydrogens.parent) == len(definition.atoms) - len(heavy)
    bonds = geometry.bonds
    off = np.linalg.norm(model.xyz[bonds.atoms[:, 0]] - model.xyz[bonds.atoms[:, 1]], axis=1) - bonds.ideal
    assert np.abs(off).max() < 0.3  # acids of the wwPDB's coordinates are neutral, their dictionaries charged
    assert np.sqrt(np.mean(off**2)) < 0.09
    chiral = geometry.chiralities
    one = chiral.both == 0
    volume = chiral_volumes(model.xyz, chiral.atoms)
    assert (np.sign(volume[one]) == np.sign(chiral.ideal[one])).all()
    assert {a.id for a in monomers.monomers[name].atoms} >= heavy  # the caller's library is left as it was


def test_missing_atoms_do_not_matter() -> None:
    monomers = read_monomers(["STU"], library="embedded").library
    whole = as_model(monomers.monomers["STU"])
    degree = np.zeros(len(whole), int)
    geometry = build_geometry(whole, monomers, {}, "none")
    np.add.at(degree, geometry.bonds.atoms.reshape(-1), 1)
    model = select_atoms(whole, degree > 1)
    assert len(model) < len(whole)
    part = build_geometry(model, monomers, {}, "none")
    assert not part.flagged
    assert any("matched" in note for note in part.notes)
    length = np.linalg.norm(model.xyz[part.bonds.atoms[:, 0]] - model.xyz[part.bonds.atoms[:, 1]], axis=1)
    assert np.abs(length - part.bonds.ideal).max() < 0.2


def test_another_molecule_is_not_used() -> None:
    """The model holds citrate, the dictionary of that name biotin: the ligand keeps its shape and is flagged."""
    monomers = read_monomers(["CIT", "BTN"], library="embedded").library
    model = as_model(monomers.monomers["CIT"])
    wrong = replace(model, residues=replace(model.residues, name=np.array(["BTN"])))
    geometry = build_geometry(wrong, monomers, {}, "riding")
    assert set(geometry.flagged) == {"BTN"}
    assert "another molecule" in geometry.flagged["BTN"]
    assert geometry.counts["bonds"] == 12
    length = np.linalg.norm(model.xyz[geometry.bonds.atoms[:, 0]] - model.xyz[geometry.bonds.atoms[:, 1]], axis=1)
    np.testing.assert_allclose(length, geometry.bonds.ideal, atol=1e-6)


def test_the_other_hand_is_told() -> None:
    monomers = read_monomers(["BTN"], library="embedded").library
    model = as_model(monomers.monomers["BTN"])
    geometry = build_geometry(replace(model, xyz=model.xyz * np.array([1.0, 1.0, -1.0])), monomers, {}, "none")
    assert any("3 of its centres have the other hand" in note for note in geometry.notes)


def test_names_that_fit_stay(shared_data: Path) -> None:
    """Real ligands, sugars and clusters, also far from their ideal geometry: nothing is touched."""
    for name in ("mdm2_finished", "ca_8ola", "bgl", "gp350", "fdx", "crabp", "zdna", "hewl"):
        model = case_model(shared_data, name)
        extra = {"mdm2_finished": "mdm2_finished/NUT.cif", "ca_8ola": "ca_8ola/8OLA_A1H69.cif"}.get(name)
        monomers = library(model, *([str(shared_data / extra)] if extra else []))
        noise = np.random.default_rng(1).normal(size=model.xyz.shape) * 0.3 / np.sqrt(3.0)
        for each in (model, replace(model, xyz=model.xyz + noise)):
            notes, strangers = fit_dictionaries(each, monomers.clone())
            notes = [note for note in notes if not note.startswith("NDG")]  # gp350 calls them by their old names
            assert (notes, strangers) == ([], {}), name


def worst(definition: gemmi.ChemComp, place: dict[str, np.ndarray]) -> float:
    """Largest deviation of a bond from its target, angstrom."""
    return max(
        abs(float(np.linalg.norm(place[bond.id1.atom] - place[bond.id2.atom])) - bond.value)
        for bond in definition.rt.bonds
        if bond.id1.atom in place and bond.id2.atom in place
    )


def test_every_component_finds_itself() -> None:
    """All that can be ligands, names shuffled: the targets of bonds fit as well as under the right names."""
    names = embedded_components()
    monomers = read_monomers(names, library="embedded").library
    checked = 0
    for name in names:
        definition = monomers.monomers[name]
        heavy = [a for a in definition.atoms if not a.is_hydrogen()]
        if len(heavy) < 4 or any(a.el.is_metal for a in heavy) or name in LIGANDS:
            continue
        model = as_model(definition, noise=0.0)
        clone = monomers.clone()
        _, strangers = fit_dictionaries(model, clone)
        assert not strangers, name
        place = dict(zip(model.atom_name.tolist(), model.xyz, strict=True))
        renamed = {a.id for a in clone.monomers[name].atoms}
        assert set(place) <= renamed, name
        assert {x.atom for plane in clone.monomers[name].rt.planes for x in plane.ids} <= renamed, name
        own = {a.id: np.array((a.xyz.x, a.xyz.y, a.xyz.z)) for a in heavy}
        assert worst(clone.monomers[name], place) < worst(definition, own) + 0.01, name
        checked += 1
    assert checked > 150
