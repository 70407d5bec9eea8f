"""Riding hydrogens: derivative against finite differences, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.arrays import FloatArray
from workbench.engine.geometry.description import Hydrogens
from workbench.engine.geometry.hydrogens import (
    OFFSET,
    ONE,
    THREE,
    TWO,
    hydrogen_jacobian,
    hydrogen_positions,
    pull_back,
)


def example(seed: int) -> tuple[Hydrogens, FloatArray]:
    """Twelve hydrogens of every kind on ten atoms."""
    random = np.random.default_rng(seed)
    xyz = random.normal(scale=2.0, size=(10, 3))
    kinds = np.array([ONE, TWO, THREE, OFFSET] * 3, np.int32)
    parent, near, parameters = [], [], []
    for kind in kinds:
        chosen = random.permutation(10)[:4]
        parent.append(chosen[0])
        used = {ONE: 2, TWO: 2, THREE: 3, OFFSET: 0}[int(kind)]
        near.append([*chosen[1 : 1 + used], *[-1] * (3 - used)])
        parameters.append(random.uniform(0.3, 1.1, size=4))
    table = Hydrogens(
        element=np.full(12, "H"),
        name=np.full(12, "HX"),
        parent=np.array(parent, np.int32),
        neighbours=np.array(near, np.int32),
        kind=kinds,
        parameters=np.array(parameters),
        model_index=np.full(12, -1, np.int32),
    )
    return table, xyz


@pytest.mark.parametrize("seed", range(5))
def test_jacobian_agrees_with_finite_differences(seed: int) -> None:
    table, xyz = example(seed)
    jacobian = hydrogen_jacobian(table, xyz).toarray()
    step = 1e-5
    for column in range(xyz.size):
        shift = np.zeros(xyz.size)
        shift[column] = step
        up = hydrogen_positions(table, xyz + shift.reshape(-1, 3))
        down = hydrogen_positions(table, xyz - shift.reshape(-1, 3))
        numerical = ((up - down) / (2 * step)).reshape(-1)
        np.testing.assert_allclose(jacobian[:, column], numerical, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_pull_back_is_the_transposed_jacobian(seed: int) -> None:
    table, xyz = example(seed)
    gradient = np.random.default_rng(seed + 100).normal(size=(len(table.parent), 3))
    expected = hydrogen_jacobian(table, xyz).T @ gradient.reshape(-1)
    np.testing.assert_allclose(pull_back(table, xyz, gradient).reshape(-1), expected, atol=1e-12)


@given(
    seed=st.integers(0, 1000),
    angle=st.floats(-3.0, 3.0),
    shift=st.tuples(*[st.floats(-50, 50)] * 3),
)
def test_bonded_hydrogens_turn_and_move_with_the_molecule(
    seed: int, angle: float, shift: tuple[float, float, float]
) -> None:
    table, xyz = example(seed)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    framed = table.kind != OFFSET
    before = hydrogen_positions(table, xyz)[framed] @ turn.T + np.array(shift)
    after = hydrogen_positions(table, xyz @ turn.T + np.array(shift))[framed]
    np.testing.assert_allclose(after, before, atol=1e-8)


def test_an_empty_table_gives_nothing() -> None:
    from workbench.engine.geometry.hydrogen_placement import no_hydrogens

    xyz = np.zeros((4, 3))
    table = no_hydrogens()
    assert hydrogen_positions(table, xyz).shape == (0, 3)
    assert hydrogen_jacobian(table, xyz).shape == (0, 12)
    assert not pull_back(table, xyz, np.zeros((0, 3))).any()
