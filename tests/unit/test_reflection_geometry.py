"""Epsilon, centric flags and the list of reflections, against their definitions."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from workbench.core.crystal import Crystal
from workbench.core.errors import InputError
from workbench.engine.xray.reflection_geometry import all_reflections, reflection_geometry

CRYSTALS = [
    Crystal((11.0, 13.0, 15.0, 81.0, 95.0, 104.0), "P 1"),
    Crystal((20.0, 25.0, 30.0, 90.0, 98.0, 90.0), "C 1 2 1"),
    Crystal((30.0, 30.0, 45.0, 90.0, 90.0, 120.0), "P 31 2 1"),
    Crystal((40.0, 40.0, 40.0, 90.0, 90.0, 90.0), "I 21 3"),
    Crystal((30.0, 30.0, 45.0, 90.0, 90.0, 120.0), "R 3 2:H"),
]


@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda c: c.space_group)
def test_epsilon_and_centric_by_definition(crystal: Crystal) -> None:
    hkl = all_reflections(crystal, 3.0)
    found = reflection_geometry(crystal, hkl)
    operators = gemmi.SpaceGroup(crystal.space_group).operations().sym_ops
    for row, index in enumerate(hkl[:: max(1, len(hkl) // 200)]):
        where = row * max(1, len(hkl) // 200)
        images = [op.apply_to_hkl(index.tolist()) for op in operators]
        assert found.epsilon[where] == sum(list(i) == index.tolist() for i in images)
        assert found.centric[where] == any(list(i) == (-index).tolist() for i in images)
        cell = gemmi.UnitCell(*crystal.cell)
        assert found.d_star_sq[where] == pytest.approx(cell.calculate_1_d2(index.tolist()), rel=1e-9)


@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda c: c.space_group)
def test_list_is_complete_and_unique(crystal: Crystal) -> None:
    """Every lattice point of the sphere that is not absent is an image of exactly one listed reflection."""
    d_min = 3.0
    cell, group = gemmi.UnitCell(*crystal.cell), gemmi.SpaceGroup(crystal.space_group)
    listed = all_reflections(crystal, d_min)
    asu, operations = gemmi.ReciprocalAsu(group), group.operations()
    limit = [int(edge / d_min) + 1 for edge in crystal.cell[:3]]
    axes = [np.arange(-n, n + 1) for n in limit]
    sphere = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    expected = {
        tuple(asu.to_asu(index, operations)[0])
        for index in sphere.tolist()
        if any(index)
        and cell.calculate_1_d2(index) <= 1.0 / d_min**2
        and not operations.is_systematically_absent(index)
    }
    assert {tuple(row) for row in listed.tolist()} == expected
    assert len(listed) == len(expected)
    assert np.array_equal(listed, listed[np.lexsort(listed.T[::-1])])


def test_low_resolution_limit() -> None:
    crystal = CRYSTALS[1]
    hkl = all_reflections(crystal, 2.5, 10.0)
    d = reflection_geometry(crystal, hkl).d
    assert d.min() >= 2.5 - 1e-6
    assert d.max() <= 10.0 + 1e-6
    assert len(hkl) < len(all_reflections(crystal, 2.5))


def test_unknown_space_group_is_refused() -> None:
    with pytest.raises(InputError, match="not known"):
        all_reflections(Crystal((10, 10, 10, 90, 90, 90), "P 99"), 2.0)
