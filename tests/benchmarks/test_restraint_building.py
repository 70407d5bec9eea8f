"""Restraints of a large structure (14 782 atoms) against gemmi's topology builder in the same run.

Ours calls that builder and adds links, hydrogens, contacts and tables; the ratio says what the additions cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import gemmi
import pytest

from tests.geometry_cases import CASES
from workbench.engine.geometry.structure import gemmi_structure
from workbench.engine.geometry.topology import build_geometry
from workbench.io.models import read_model
from workbench.io.monomers import read_monomers


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.shared_data
def test_building_restraints_costs_a_few_times_the_topology(shared_data: Path) -> None:
    model = read_model(str(shared_data / CASES["bgl"][0]))
    monomers = read_monomers(sorted(set(model.residues.name.tolist()))).library

    def peer() -> None:
        structure = gemmi_structure(model)
        gemmi.prepare_topology(structure, monomers, h_change=gemmi.HydrogenChange.ReAddKnown)

    theirs = min(seconds(peer) for _ in range(3))
    ours = min(seconds(lambda: build_geometry(model, monomers, {}, "riding")) for _ in range(3))
    print(f"restraints of {len(model)} atoms: {ours:.2f} s, gemmi's topology {theirs:.2f} s, ratio {ours / theirs:.1f}")
    assert ours / theirs < 20
