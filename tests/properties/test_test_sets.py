"""Created, numbered and extended test sets over many seeds and space groups."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from workbench.core.crystal import Crystal
from workbench.engine.cross_validation.lattice_mates import mate_groups
from workbench.engine.cross_validation.test_set import NO_FLAG, create_test_set, extended, numbered_sets

CRYSTALS = [
    Crystal((30, 34, 41, 82, 95, 101), "P 1"),
    Crystal((40, 33, 52, 90, 90.2, 90), "P 1 21 1"),
    Crystal((60, 30, 45, 90, 117, 90), "C 1 2 1"),
    Crystal((40, 45, 52, 90, 90, 90), "P 21 21 21"),
    Crystal((50, 50, 70, 90, 90, 90), "P 43"),
    Crystal((60, 60, 90, 90, 90, 120), "P 31"),
    Crystal((80, 80, 60, 90, 90, 120), "R 3:H"),
    Crystal((80, 80, 80, 90, 90, 90), "I 2 3"),
]


@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda crystal: crystal.space_group)
def test_a_thousand_seeds(crystal: Crystal) -> None:
    cell, group = gemmi.UnitCell(*crystal.cell), gemmi.SpaceGroup(crystal.space_group)
    hkl = np.asarray(gemmi.make_miller_array(cell, group, 2.6, 1000, unique=True), dtype=np.int32)
    groups = mate_groups(crystal, hkl)
    order = np.argsort(cell.calculate_1_d2_array(hkl))
    for seed in range(125):
        flags = create_test_set(crystal, hkl, 0.05, seed)
        test = flags == 0
        assert abs(test.mean() - 0.05) < 0.01
        share = np.bincount(groups, test) / np.bincount(groups)
        assert set(np.unique(share)) <= {0.0, 1.0}
        assert all(test[rows].any() for rows in np.array_split(order, 8))
        partly = flags.copy()
        partly[np.random.default_rng(seed).random(len(flags)) < 0.3] = NO_FLAG
        whole = extended(crystal, hkl, partly, seed)
        assert np.array_equal(whole[partly != NO_FLAG], flags[partly != NO_FLAG])
        assert abs((whole == 0).mean() - 0.05) < 0.015
    sets = numbered_sets(crystal, hkl, 10, 0)
    assert np.bincount(sets).min() > 0.9 * len(hkl) / 10
