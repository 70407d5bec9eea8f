"""Form factors with fewer Gaussians against those of the tables, as far as the data reach."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from workbench.engine.xray.fewer_gaussians import FEWER, GOOD, fewer_gaussians
from workbench.engine.xray.form_factors import form_factors

ELEMENTS = [gemmi.Element(z).name for z in range(1, 93)]


@pytest.mark.parametrize("d_min", [0.7, 1.0, 1.5, 1.8, 2.5, 3.5, 6.0])
@pytest.mark.parametrize("scattering", ["x-ray", "electron"])
def test_every_element_is_followed_as_far_as_the_data_reach(d_min: float, scattering: str) -> None:
    names = np.array([name for name in ELEMENTS if scattering == "x-ray" or gemmi.Element(name).c4322 is not None])
    tables = form_factors(names, np.zeros(len(names), dtype=np.int32), scattering)
    fewer = fewer_gaussians(tables, d_min)
    assert fewer.amplitude.shape[1] % FEWER == 0 and np.array_equal(fewer.kind, tables.kind)
    s_sq = np.linspace(0.0, 1.0 / d_min**2, 200)
    for kind in range(len(names)):
        wanted = tables.value(kind, s_sq)
        assert np.abs(fewer.value(kind, s_sq) - wanted).max() < 1.1 * GOOD * np.abs(wanted).max(), names[kind]
    assert (fewer.width[fewer.amplitude != 0.0] >= 0.0).all()


def test_three_are_enough_where_most_data_end_and_five_stay_where_they_are_needed() -> None:
    common = form_factors(np.array(["H", "C", "N", "O", "S", "P"]), np.zeros(6, dtype=np.int32))
    assert fewer_gaussians(common, 1.8).amplitude.shape[1] == FEWER
    calcium = form_factors(np.array(["CA"]), np.zeros(1, dtype=np.int32))
    kept = fewer_gaussians(calcium, 0.8)
    assert np.count_nonzero(kept.amplitude) == 5


def test_neutrons_keep_their_one_number() -> None:
    lengths = form_factors(np.array(["H", "D", "C"]), np.zeros(3, dtype=np.int32), "neutron")
    fewer = fewer_gaussians(lengths, 2.0)
    assert np.allclose(fewer.amplitude.sum(axis=1), lengths.amplitude.sum(axis=1))
    assert (np.count_nonzero(fewer.amplitude, axis=1) == 1).all()
