"""Every restraint family against central differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.synthetic_geometry import ALL, empty_description, only, rich_description
from workbench.core.settings import FAMILIES
from workbench.engine.geometry.description import Angles, Bonds, GeometryDescription
from workbench.engine.geometry.target import GeometryTarget

CRYSTALS = {
    "P 1 large": ((60.0, 60.0, 60.0, 90.0, 90.0, 90.0), "P 1"),
    "P 1 tight": ((6.5, 7.0, 8.5, 80.0, 100.0, 95.0), "P 1"),
    "P 21 21 21": ((10.0, 11.0, 13.0, 90.0, 90.0, 90.0), "P 21 21 21"),
    "P 31 2 1": ((12.0, 12.0, 15.0, 90.0, 90.0, 120.0), "P 31 2 1"),
    "C 1 2 1": ((16.0, 9.0, 11.0, 90.0, 105.0, 90.0), "C 1 2 1"),
}


def check(description: GeometryDescription, weights: np.ndarray = ALL) -> None:
    """The gradient J^T r and each column of J against differences."""
    target = GeometryTarget(description)
    xyz, b = description.model.xyz, description.model.b_iso
    at = target.residuals(xyz, b, weights)
    assert at.jacobian is not None
    assert at.energy > 0.0
    assert target.value(xyz, b, weights) == pytest.approx(at.energy, rel=1e-12)
    gradient = at.jacobian.T @ at.values
    found = np.zeros_like(gradient)
    for parameter in range(len(gradient)):
        atom, axis = divmod(parameter, 4)
        step = 1e-5
        sides = []
        for sign in (1.0, -1.0):
            moved, warmer = xyz.copy(), b.copy()
            if axis < 3:
                moved[atom, axis] += sign * step
            else:
                warmer[atom] += sign * step
            sides.append(target.value(moved, warmer, weights))
        found[parameter] = (sides[0] - sides[1]) / (2 * step)
    np.testing.assert_allclose(gradient, found, rtol=1e-5, atol=1e-5 * np.abs(found).max())


@pytest.mark.parametrize("family", range(7), ids=FAMILIES)
@pytest.mark.parametrize("crystal", CRYSTALS)
def test_each_family(family: int, crystal: str) -> None:
    check(rich_description(1, *CRYSTALS[crystal]), only(family))


@pytest.mark.parametrize("seed", range(4))
def test_all_families_together_with_weights(seed: int) -> None:
    check(rich_description(seed, *CRYSTALS["P 31 2 1"]), np.array([0.3, 2.0, 1.0, 0.0, 1.5, 4.0, 0.7]))


def test_jacobian_row_by_row() -> None:
    """Not only the gradient: every entry of J, while the set of contacts does not change."""
    description = rich_description(2)
    target = GeometryTarget(description)
    xyz, b = description.model.xyz, description.model.b_iso
    at = target.residuals(xyz, b, ALL)
    assert at.jacobian is not None
    dense = at.jacobian.toarray()
    step = 1e-6
    for parameter in range(dense.shape[1]):
        atom, axis = divmod(parameter, 4)
        sides = []
        for sign in (1.0, -1.0):
            moved, warmer = xyz.copy(), b.copy()
            if axis < 3:
                moved[atom, axis] += sign * step
            else:
                warmer[atom] += sign * step
            sides.append(target.residuals(moved, warmer, ALL, jacobian=False).values)
        if axis < 3:
            # the weights of the B restraints belong to the reference coordinates and exert no force
            for side in sides:
                side[at.family == FAMILIES.index("b_similarity")] = 0.0
        np.testing.assert_allclose(dense[:, parameter], (sides[0] - sides[1]) / (2 * step), rtol=2e-5, atol=1e-4)


def test_matrix_is_lean() -> None:
    at = GeometryTarget(rich_description(3)).residuals(*_state(rich_description(3)), ALL)
    matrix = at.jacobian
    assert matrix is not None
    assert matrix.indices.dtype == np.int32 and matrix.indptr.dtype == np.int32 and matrix.data.dtype == np.float64
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    rising = np.diff(matrix.indices) > 0
    assert rising[rows[1:] == rows[:-1]].all()
    assert matrix.shape == (len(at.values), 48)


def _state(d: GeometryDescription) -> tuple[np.ndarray, np.ndarray]:
    return d.model.xyz, d.model.b_iso


@pytest.mark.parametrize("bend", [0.0, 1e-7, 1e-3, 0.3])
def test_straight_angle_has_no_singularity(bend: float) -> None:
    xyz = np.array([[0.0, 0.0, 0.0], [1.2, 0.0, 0.0], [2.4, bend, 0.1 * bend]]) + 5.0
    d = empty_description(xyz, radius=0.0)
    d = replace(d, angles=Angles(np.array([[0, 1, 2]], np.int32), np.array([np.pi]), np.array([0.05])))
    at = GeometryTarget(d).residuals(d.model.xyz, d.model.b_iso, only(1))
    assert at.jacobian is not None and np.isfinite(at.jacobian.data).all()
    if bend >= 1e-3:
        check(d, only(1))


def test_angle_that_happens_to_be_straight_is_finite() -> None:
    xyz = np.array([[0.0, 0.0, 0.0], [1.2, 0.0, 0.0], [2.4, 0.0, 0.0]]) + 5.0
    d = empty_description(xyz, radius=0.0)
    d = replace(d, angles=Angles(np.array([[0, 1, 2]], np.int32), np.array([2.0]), np.array([0.05])))
    at = GeometryTarget(d).residuals(d.model.xyz, d.model.b_iso, only(1))
    assert at.jacobian is not None and np.isfinite(at.jacobian.data).all()
    assert at.values[0] == pytest.approx((np.pi - 2.0) / 0.05)


@pytest.mark.parametrize("atoms", [(0, 1), (1, 1)], ids=["two atoms", "an atom and its own image"])
def test_bond_to_a_symmetry_copy(atoms: tuple[int, int]) -> None:
    """The second atom's derivative comes back through the operator."""
    xyz = np.array([[1.0, 0.4, 0.3], [-0.9, 0.5, 1.9]]) + np.array([0.0, 4.0, 5.0])
    d = empty_description(xyz, (20.0, 21.0, 22.0, 90.0, 90.0, 90.0), "P 2 2 2", radius=0.0)
    twofold = np.array([[-1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, -1.0, 10.0]])
    bonds = Bonds(np.array([atoms], np.int32), np.array([1.5]), np.array([0.02]), np.array([1], np.int32))
    check(replace(d, bonds=bonds, images=twofold[None]), only(0))
