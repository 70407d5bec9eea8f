"""Rows of one list of indices in another."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.miller import rows_among

INDEX = st.tuples(st.integers(-90, 90), st.integers(-90, 90), st.integers(-90, 90))


@given(st.lists(INDEX, max_size=40), st.lists(INDEX, min_size=1, max_size=40, unique=True))
def test_every_row_is_found_where_it_is_and_nowhere_else(
    wanted: list[tuple[int, int, int]], listed: list[tuple[int, int, int]]
) -> None:
    wanted = [*wanted, *listed[::2]]
    found = rows_among(np.array(wanted, dtype=np.int32), np.array(listed, dtype=np.int32))
    assert found.tolist() == [listed.index(h) if h in listed else -1 for h in wanted]
    assert rows_among(np.zeros((0, 3), dtype=np.int32), np.array(listed, dtype=np.int32)).shape == (0,)
