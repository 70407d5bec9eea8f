"""B and deviators of anisotropic atoms."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from workbench.engine.geometry.tensors import (
    BASIS,
    EIGHT_PI_SQ,
    deviator_gradient,
    deviators,
    matrices,
    six,
    tensors,
    with_smallest_axis,
)


def test_the_basis_is_orthonormal_and_traceless() -> None:
    assert np.allclose(np.einsum("pij,qij->pq", BASIS, BASIS), np.eye(5))
    assert np.allclose(np.einsum("pii->p", BASIS), 0.0)


@given(st.integers(0, 2**31))
def test_there_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    b, a = rng.uniform(1, 80, 7), rng.normal(size=(7, 5)) * 5
    u = tensors(b, a)
    assert np.allclose(deviators(u), a)
    assert np.allclose(EIGHT_PI_SQ * u[:, :3].mean(axis=1), b)
    assert np.allclose(six(matrices(u)), u)


@given(st.integers(0, 2**31))
def test_a_rotation_keeps_the_length_of_a_deviator(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = Rotation.random(random_state=seed % 2**31).as_matrix()
    u = tensors(rng.uniform(1, 80, 4), rng.normal(size=(4, 5)))
    turned = six(turn @ matrices(u) @ turn.T)
    assert np.allclose(np.linalg.norm(deviators(turned), axis=1), np.linalg.norm(deviators(u), axis=1))


def test_gradient_by_deviators_is_the_chain_rule() -> None:
    rng = np.random.default_rng(3)
    slope = rng.normal(size=(1, 6))

    def value(a: np.ndarray) -> float:
        full = matrices(tensors(np.array([20.0]), a))[0]
        return float(np.sum(matrices(slope)[0] * full))

    a = rng.normal(size=(1, 5))
    numeric = [(value(a + 1e-3 * e) - value(a - 1e-3 * e)) / 2e-3 for e in np.eye(5)]
    assert np.allclose(deviator_gradient(slope)[0], numeric, rtol=1e-6)


def test_no_axis_below_the_smallest() -> None:
    u = tensors(np.array([5.0, 20.0]), np.array([[9.0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0]]))
    mended = with_smallest_axis(u, 0.5)
    axes = EIGHT_PI_SQ * np.linalg.eigvalsh(matrices(mended))
    assert axes.min() >= 0.5 - 1e-9
    assert np.array_equal(mended[1], u[1]), "a sound tensor is not touched"
    assert np.isclose(axes[0].max(), 5.0 + 9.0 * np.sqrt(0.5)), "only the bad axis is"
