"""Restraints of whole structures against gemmi's topology builder with the CCP4-style library of another package.

The reference numbers and the script that made them lie beside this file.
"""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.geometry_cases import case_geometry, case_model
from tests.reference.restraints_by_gemmi import RESULT, SETS
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.topology import build_geometry
from workbench.io.files import resource_path
from workbench.io.monomers import read_monomers

BOND_TOLERANCE = 0.01
ANGLE_TOLERANCE = 1.5
SHARE = 0.99

Reference = dict[str, list[list[float]]]


@cache
def reference() -> dict[str, dict[str, dict[str, list[list[float]]]]]:
    document: dict[str, Any] = json.loads(gzip.decompress(RESULT.read_bytes()))
    sets: dict[str, dict[str, dict[str, list[list[float]]]]] = document["sets"]
    return sets


def labels(geometry: GeometryDescription) -> list[str]:
    model = geometry.model
    names = model.residues.name[model.residue]
    return [
        f"{residue} {atom}{'.' + letter if letter else ''}"
        for residue, atom, letter in zip(names, model.atom_name, model.altloc, strict=True)
    ]


def ours(geometry: GeometryDescription) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Family -> kind -> [(target, sigma)] in the words of the reference."""
    name = labels(geometry)
    found: dict[str, dict[str, list[tuple[float, float]]]] = {
        family: {} for family in ("bonds", "angles", "chirality", "planes")
    }
    bonds = geometry.bonds
    for (i, j), ideal, sigma in zip(bonds.atoms.tolist(), bonds.ideal, bonds.sigma, strict=True):
        found["bonds"].setdefault("|".join(sorted((name[i], name[j]))), []).append((ideal, sigma))
    angles = geometry.angles
    values = zip(angles.atoms.tolist(), np.degrees(angles.ideal), np.degrees(angles.sigma), strict=True)
    for (i, j, k), ideal, sigma in values:
        first, last = sorted((name[i], name[k]))
        found["angles"].setdefault("|".join((first, name[j], last)), []).append((ideal, sigma))
    hands = geometry.chiralities
    for (centre, *near), ideal, both in zip(hands.atoms.tolist(), hands.ideal, hands.both, strict=True):
        order = sorted(range(3), key=lambda m: name[near[m]])
        odd = order in ([0, 2, 1], [1, 0, 2], [2, 1, 0])
        hand = 0.0 if both else np.sign(ideal) * (-1 if odd else 1)
        key = "|".join([name[centre], *(name[near[m]] for m in order)])
        found["chirality"].setdefault(key, []).append((abs(ideal), hand))
    planes = geometry.planes
    for atoms in np.split(planes.atoms, planes.start[1:-1]):
        found["planes"].setdefault("|".join(sorted(name[i] for i in atoms.tolist())), []).append((0.0, 0.0))
    return found


def components_of(kind: str) -> set[str]:
    return {part.split()[0] for part in kind.split("|")}


UNKNOWN = {"bgl": {"MRD", "NOJ"}, "gp350": {"NDG"}, "crabp": {"REA"}, "zdna": {"SPK", "DOD"}}
"""Components that the library of the reference does not hold: there gemmi takes the distances of the model."""


@cache
def both(shared: Path, name: str, family: str) -> tuple[dict[str, list[tuple[float, float]]], Reference]:
    """Ours and theirs for what both describe, without what hangs on a link that only distances show (gemmi does not
    look for those; which they are is checked below)."""
    geometry = case_geometry(shared, name, "riding")
    strange = UNKNOWN.get(name, set())
    mine = {kind: rows for kind, rows in ours(geometry)[family].items() if not components_of(kind) & strange}
    theirs = {kind: rows for kind, rows in reference()[name][family].items() if not components_of(kind) & strange}
    return mine, theirs


def by_distance(geometry: GeometryDescription) -> set[frozenset[str]]:
    """Pairs of residue names of the links that only distances show."""
    name = labels(geometry)
    return {
        frozenset((name[r.first].split()[0], name[r.second].split()[0]))
        for r in geometry.links
        if r.used and r.found == "distance"
    }


@pytest.mark.shared_data
@pytest.mark.parametrize("family", ["bonds", "angles", "chirality", "planes"])
@pytest.mark.parametrize("name", sorted(SETS))
def test_every_restraint_of_the_reference_is_there(shared_data: Path, name: str, family: str) -> None:
    """As many of each kind (residues, atoms, conformers); what is more belongs to links found by distance."""
    mine, theirs = both(shared_data, name, family)
    own = Counter({kind: len(rows) for kind, rows in mine.items()})
    expected = Counter({kind: sum(int(row[2]) for row in rows) for kind, rows in theirs.items()})
    assert sum(expected.values()) > 10
    assert not expected - own
    linked = by_distance(case_geometry(shared_data, name, "riding"))
    assert linked == set() or name == "gp350"
    for kind in own - expected:
        assert frozenset(components_of(kind)) in linked or (len(components_of(kind)) == 1 and linked), kind
    if name != "gp350":
        assert own == expected


@pytest.mark.shared_data
@pytest.mark.parametrize(("family", "tolerance"), [("bonds", BOND_TOLERANCE), ("angles", ANGLE_TOLERANCE)])
@pytest.mark.parametrize("name", sorted(SETS))
def test_targets_are_those_of_the_reference(shared_data: Path, name: str, family: str, tolerance: float) -> None:
    """Targets within 0.01 A and 1.5 degrees for 99 % or more. What differs at all are bonds of atoms that give up a
    hydrogen to a link found by distance (gp350): the library's modifications change them."""
    mine, theirs = both(shared_data, name, family)
    off: list[tuple[str, float]] = []
    count = 0
    for kind, rows in mine.items():
        wanted = [row[0] for row in theirs.get(kind, [])]
        for target, _ in rows if wanted else []:
            count += 1
            difference = min(abs(target - value) for value in wanted)
            if difference > tolerance:
                off.append((kind, difference))
    assert count > 100
    assert len(off) <= (1 - SHARE) * count
    if name != "gp350":
        assert not off
    for kind, difference in off:
        assert difference < 0.03
        assert components_of(kind) <= {"NAG", "BMA", "MAN", "FUC", "GAL"}, kind


@pytest.mark.shared_data
@pytest.mark.parametrize("name", sorted(SETS))
def test_hands_and_volumes_are_those_of_the_reference(shared_data: Path, name: str) -> None:
    mine, theirs = both(shared_data, name, "chirality")
    for kind, rows in mine.items():
        for volume, hand in rows if kind in theirs else []:
            assert min(abs(volume - row[0]) for row in theirs[kind]) < 0.05, kind
            assert hand in {row[1] for row in theirs[kind]}, kind


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["rnasa", "gp350", "zdna"])
def test_an_installed_library_gives_the_same_restraints(shared_data: Path, tmp_path: Path, name: str) -> None:
    """A library of the CCP4 kind in a folder against the embedded one: equal tables, hence equal refinements.

    WORKBENCH_REFERENCE_LIBRARY may name one of another program (the folder of coot-headless-api 1.3.3rc1 was equal);
    without it the embedded files are laid out as such a folder, which checks the way they are found and read.
    """
    folder = Path(os.environ.get("WORKBENCH_REFERENCE_LIBRARY", "") or laid_out(tmp_path))
    model = case_model(shared_data, name)
    names = sorted(set(model.residues.name.tolist()))
    installed = read_monomers(names, library=str(folder))
    assert {"embedded"} != set(installed.sources.values())
    first = build_geometry(model, installed.library, installed.sources, "riding")
    second = case_geometry(shared_data, name, "riding")
    for family in ("bonds", "angles", "torsions", "chiralities"):
        one, other = getattr(first, family), getattr(second, family)
        np.testing.assert_array_equal(one.atoms, other.atoms)
        np.testing.assert_allclose(one.ideal, other.ideal)
        np.testing.assert_allclose(one.sigma, other.sigma)
    np.testing.assert_array_equal(first.planes.atoms, second.planes.atoms)
    np.testing.assert_allclose(first.hydrogens.parameters, second.hydrogens.parameters, atol=1e-6)


def laid_out(folder: Path) -> Path:
    """The embedded library as a folder of the CCP4 kind, without what acedrg made."""
    with zipfile.ZipFile(resource_path("monomers") / "monomers.zip") as archive:
        for member in archive.namelist():
            text = archive.read(member).decode()
            if member.startswith("components/") and "CCP4 monomer library" in text.splitlines()[0]:
                stem = member.removeprefix("components/")
                (folder / stem[0].lower()).mkdir(exist_ok=True)
                (folder / stem[0].lower() / stem).write_text(text)
            elif not member.startswith("components/"):
                (folder / member).write_text(text)
    return folder
