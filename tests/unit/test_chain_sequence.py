"""Which neighbours in a chain are bonded when the model is bad, and what is said where they are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.geometry_cases import case_model, library
from workbench.core.crystal import Model
from workbench.engine.geometry.chain_sequence import CHAIN_LIMIT
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.structure import is_hydrogen, select_atoms
from workbench.engine.geometry.topology import build_geometry
from workbench.io.models import read_model

FIRST, SECOND = 20, 21
"""Residues of chain A whose bond is stretched."""


@pytest.fixture(scope="module")
def protein() -> Model:
    """Residues 11 to 30 of chain A of a bundled structure, heavy atoms."""
    folder = Path(__file__).parents[2] / "example_structures" / "mdm2_unfinished"
    model = read_model(str(folder / "mdm2_unfinished.pdb.gz"))
    number, chain = model.residues.number[model.residue], model.residues.chain[model.residue]
    kind = model.residues.kind[model.residue]
    low = int(number[kind == "protein"].min())
    keep = (kind == "protein") & (chain == chain[0]) & (number >= low) & (number < low + 20) & ~is_hydrogen(model)
    model = select_atoms(model, keep & np.isin(model.altloc, ("", "A")))
    model = replace(model, altloc=np.full(len(model), "", "U1"))
    return replace(model, residues=replace(model.residues, number=np.arange(11, 31, dtype=np.int32)))


def atom(model: Model, number: int, name: str, letter: str = "") -> int:
    row = model.residues.number[model.residue]
    return int(np.flatnonzero((row == number) & (model.atom_name == name) & (model.altloc == letter))[0])


def opened(model: Model, distance: float) -> Model:
    """The part after FIRST moved along the bond until C and N are `distance` apart."""
    c, n = atom(model, FIRST, "C"), atom(model, SECOND, "N")
    away = model.xyz[n] - model.xyz[c]
    shift = away * (distance / np.linalg.norm(away) - 1.0)
    later = model.residues.number[model.residue] >= SECOND
    return replace(model, xyz=model.xyz + np.where(later[:, None], shift, 0.0))


def renumbered(model: Model, number: Callable[[int], int], insertion: Callable[[int], str] = lambda _: "") -> Model:
    old = model.residues.number.tolist()
    residues = replace(
        model.residues,
        number=np.array([number(n) for n in old], np.int32),
        insertion=np.array([insertion(n) for n in old], "U1"),
    )
    return replace(model, residues=residues)


def chemistry(model: Model) -> GeometryDescription:
    return build_geometry(model, library(model), {}, "riding")


def is_bonded(geometry: GeometryDescription, i: int, j: int) -> bool:
    return any({i, j} == set(pair) for pair in geometry.bonds.atoms.tolist())


def targets(geometry: GeometryDescription) -> dict[tuple[int, ...], float]:
    bonds, angles = geometry.bonds, geometry.angles
    pairs = {tuple(sorted(pair)): value for pair, value in zip(bonds.atoms.tolist(), bonds.ideal, strict=True)}
    triples = {tuple(atoms): value for atoms, value in zip(angles.atoms.tolist(), angles.ideal, strict=True)}
    return pairs | triples


@pytest.mark.parametrize("distance", [1.33, 1.9, 2.03, 2.4, 2.95])
def test_consecutive_residues_are_bonded_however_bad_the_model_is(protein: Model, distance: float) -> None:
    """With the whole link: bond, angles, omega and planes, and the hydrogen on N; nothing is said of a gap."""
    model, near = opened(protein, distance), chemistry(protein)
    geometry = chemistry(model)
    c, n = atom(model, FIRST, "C"), atom(model, SECOND, "N")
    assert is_bonded(geometry, c, n)
    assert geometry.counts == near.counts
    assert targets(geometry) == targets(near)
    assert len(geometry.hydrogens.parent) == len(near.hydrogens.parent)
    assert not any("chain" in note.lower() for note in geometry.notes)
    assert any(note.startswith("Bonded by distance") for note in geometry.notes) == (distance > 2.02)


def test_consecutive_residues_far_apart_are_a_gap(protein: Model) -> None:
    model = opened(protein, CHAIN_LIMIT + 0.1)
    geometry = chemistry(model)
    c, n = atom(model, FIRST, "C"), atom(model, SECOND, "N")
    assert not is_bonded(geometry, c, n)
    assert len(geometry.bonds.ideal) == len(chemistry(protein).bonds.ideal) - 1
    (note,) = (note for note in geometry.notes if "chain" in note.lower())
    assert note.startswith("Chain gap")
    assert f" {FIRST} " in note
    assert f" {SECOND} " in note
    assert "3.1 A" in note


@pytest.mark.parametrize(("distance", "bonded"), [(1.33, True), (1.9, True), (2.1, False), (2.9, False)])
def test_where_numbers_jump_only_a_bond_is_a_bond(protein: Model, distance: float, bonded: bool) -> None:
    """Chymotrypsin numbering leaves numbers out where nothing is missing; a true gap is never closed."""
    model = renumbered(opened(protein, distance), lambda number: number if number <= FIRST else number + 6)
    geometry = chemistry(model)
    c, n = atom(model, FIRST, "C"), atom(model, SECOND + 6, "N")
    assert is_bonded(geometry, c, n) == bonded
    said = [note for note in geometry.notes if "residues are missing" in note]
    assert len(said) == (0 if bonded else 1)


def test_insertion_codes_are_consecutive(protein: Model) -> None:
    """20, 20A, 20B, 21, ... with the stretched bond before 20A."""
    model = renumbered(
        opened(protein, 2.5),
        lambda n: n if n <= FIRST else (FIRST if n <= FIRST + 2 else n - 2),
        lambda n: {FIRST + 1: "A", FIRST + 2: "B"}.get(n, ""),
    )
    c, n = atom(protein, FIRST, "C"), atom(protein, SECOND, "N")
    geometry = chemistry(model)
    assert is_bonded(geometry, c, n)
    assert geometry.counts == chemistry(protein).counts


def test_other_chains_are_never_joined(protein: Model) -> None:
    model = opened(protein, 2.2)
    chain = np.where(model.residues.number >= SECOND, "B", "A")
    geometry = chemistry(replace(model, residues=replace(model.residues, chain=chain)))
    assert not is_bonded(geometry, atom(model, FIRST, "C"), atom(model, SECOND, "N"))


def test_a_chain_without_a_name_is_a_chain(protein: Model) -> None:
    blank = replace(protein, residues=replace(protein.residues, chain=np.full(len(protein.residues), "")))
    with_name, without = chemistry(protein), chemistry(blank)
    assert with_name.counts == without.counts
    assert not without.links
    assert not without.notes


@pytest.mark.parametrize("distances", [(1.33, 2.03), (1.9, 2.6), (2.03, 1.33)])
def test_every_alternative_is_bonded(protein: Model, distances: tuple[float, float]) -> None:
    """N of one residue in two places, one of them further from C than gemmi looks."""
    model = with_alternatives(protein, *distances)
    geometry = chemistry(model)
    c = atom(model, FIRST, "C")
    assert is_bonded(geometry, c, atom(model, SECOND, "N", "A"))
    assert is_bonded(geometry, c, atom(model, SECOND, "N", "B"))
    assert not any("chain" in note.lower() for note in geometry.notes)


def test_an_alternative_too_far_is_named(protein: Model) -> None:
    geometry = chemistry(with_alternatives(protein, 1.33, 3.4))
    (note,) = (note for note in geometry.notes if "chain" in note.lower())
    assert "conformer B" in note


def with_alternatives(model: Model, first: float, second: float) -> Model:
    """The residue SECOND twice, A and B, with N at these distances from C."""
    one, other = opened(model, first), opened(model, second)
    rows = np.flatnonzero(model.residues.number[model.residue] == SECOND)
    order = np.concatenate([np.arange(rows[0]), np.repeat(rows, 2), np.arange(rows[-1] + 1, len(model))])
    doubled = np.isin(order, rows)
    letter = np.where(doubled, np.tile(["A", "B"], len(order))[: len(order)], "")
    letter[doubled] = np.tile(["A", "B"], len(rows))
    count = np.bincount(model.residue[order]).astype(np.int32)
    xyz = np.where((letter == "B")[:, None], other.xyz[order], one.xyz[order])
    return replace(
        model,
        xyz=xyz,
        b_iso=model.b_iso[order],
        u_aniso=model.u_aniso[order],
        anisotropic=model.anisotropic[order],
        occupancy=np.where(doubled, 0.5, 1.0),
        element=model.element[order],
        charge=model.charge[order],
        atom_name=model.atom_name[order],
        altloc=letter,
        residue=model.residue[order],
        residues=replace(model.residues, n_atoms=count, first_atom=(np.cumsum(count) - count).astype(np.int32)),
        source_index=np.arange(len(order), dtype=np.int32),
    )


@pytest.mark.shared_data
def test_phosphodiesters_follow_the_same_rule(shared_data: Path) -> None:
    model = case_model(shared_data, "zdna")
    model = select_atoms(model, (model.residues.kind[model.residue] == "nucleic") & ~is_hydrogen(model))
    near = chemistry(model)
    o3, p = next(
        (i, j)
        for i, j in near.bonds.atoms.tolist()
        if {str(near.model.atom_name[i]), str(near.model.atom_name[j])} == {"O3'", "P"}
    )
    away = model.xyz[p] - model.xyz[o3]
    for distance, bonded in ((2.3, True), (2.8, True), (3.1, False)):
        xyz = model.xyz.copy()
        xyz[p:] += away * (distance / np.linalg.norm(away) - 1.0)
        geometry = chemistry(replace(model, xyz=xyz))
        assert is_bonded(geometry, o3, p) == bonded
        assert any(note.startswith("Chain gap") for note in geometry.notes) != bonded


@pytest.mark.shared_data
def test_a_shaken_structure_keeps_its_chain(shared_data: Path) -> None:
    """hewl_ssad, every atom 0.3 A off: the bonds of the chain are those of the model as it was."""
    model = case_model(shared_data, "hewl")
    noise = np.random.default_rng(0).normal(size=model.xyz.shape) * 0.3 / np.sqrt(3.0)
    still, shaken = chemistry(model), chemistry(replace(model, xyz=model.xyz + noise))
    assert shaken.counts["bonds"] == still.counts["bonds"]
    assert {tuple(pair) for pair in shaken.bonds.atoms.tolist()} == {tuple(pair) for pair in still.bonds.atoms.tolist()}
    assert not any("chain" in note.lower() for note in shaken.notes)
