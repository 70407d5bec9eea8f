"""Pairs of near points against all distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine.geometry.pair_search import near_pairs


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.1, 9.0), st.floats(1.0, 3000.0), st.integers(0, 2**31))
@settings(max_examples=120, deadline=None)
def test_pairs_are_those_of_all_distances(n: int, m: int, reach: float, size: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sites, others = rng.uniform(-size, size, (n, 3)), rng.uniform(-0.3 * size, size, (m, 3))
    # Some that coincide, and some on one line.
    others[: min(n, m) // 2] = sites[: min(n, m) // 2]
    sites[n // 2 :, 1:] = 0.5
    for there, same in ((others, False), (sites, True)):
        apart = np.linalg.norm(sites[:, None] - there[None], axis=-1).reshape(n, len(there))
        near = np.triu(apart <= reach, 1) if same else apart <= reach
        first, second, distance = near_pairs(sites, None if same else there, reach)
        assert np.array_equal(np.stack([first, second], axis=1), np.argwhere(near))
        assert np.allclose(distance, apart[near])


def test_a_coordinate_must_be_a_number() -> None:
    with pytest.raises(ValueError, match="finite"):
        near_pairs(np.array([[0.0, np.nan, 1.0]]), None, 2.0)
