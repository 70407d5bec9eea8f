"""The worst restraint of every atom, against a look through all of them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthetic_geometry import empty_description, rich_description
from workbench.core.settings import FAMILIES
from workbench.engine.geometry.target import GeometryTarget

CELL = (12.0, 12.0, 15.0, 90.0, 90.0, 120.0)


@pytest.mark.parametrize("seed", range(3))
def test_worst_of_every_atom(seed: int) -> None:
    description = rich_description(seed, CELL, "P 31 2 1")
    xyz, b = description.model.xyz, description.model.b_iso
    statistics = GeometryTarget(description).statistics(xyz, b, worst=10**6)
    worst: dict[int, tuple[float, str]] = {}
    for outlier in statistics.outliers:
        for atom in outlier.atoms:
            if outlier.family != "b_similarity" and abs(outlier.z) > abs(worst.get(atom, (0.0, ""))[0]):
                worst[atom] = (outlier.z, outlier.family)
    assert len({family for _, family in worst.values()}) > 1
    found = statistics.worst
    for atom in range(len(xyz)):
        if atom in worst:
            assert found.z[atom] == pytest.approx(worst[atom][0], rel=1e-6)
            assert FAMILIES[found.family[atom]] == worst[atom][1]
        else:
            assert np.isnan(found.z[atom]) and found.family[atom] == -1


def test_without_restraints_nothing_is_said() -> None:
    description = empty_description(np.diag([0.0, 10.0, 20.0]))
    found = GeometryTarget(description).statistics(description.model.xyz, description.model.b_iso).worst
    assert np.isnan(found.z).all() and (found.family == -1).all()
