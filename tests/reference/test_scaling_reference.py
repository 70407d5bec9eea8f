"""Scaling of real data with factors from gemmi, against mmtbx (`reference_scores.py` beside the data)."""

from pathlib import Path

import numpy as np
import pytest

from tests.reflection_cases import real_case, reference_table
from workbench.engine.xray.likelihood import negative_log_likelihood
from workbench.engine.xray.model_factors import DataSet
from workbench.engine.xray.observed import Observed
from workbench.engine.xray.sigma_a import estimate_sigma_a

FOLDERS = (
    "rnasa",
    "lyso_c2",
    "mdm2_unfinished",
    "ptp1b_7rin",
    "i213_3io0",
    "crabp_1cbs",
    "ca_8ola",
    "bgl_4iid",
    "gp350_2h6o",
    "fdx_1dur",
    "pep_7n2l_p1",
)


@pytest.mark.shared_data
@pytest.mark.parametrize("folder", FOLDERS)
def test_r_factors_reach_the_reference(shared_data: Path, folder: str) -> None:
    case, reference = real_case(shared_data, folder), reference_table(shared_data)[folder]
    fitted = DataSet(case.reflections, case.hkl, case.rows).fit(case.f_atoms, case.f_mask)
    assert len(case.hkl) == reference["n_obs"]
    assert fitted.n_free == reference["n_test"]
    assert fitted.r_work <= float(reference["r_work"]) + 0.002
    assert fitted.r_free <= float(reference["r_free"]) + 0.006


@pytest.mark.shared_data
def test_eighteen_test_reflections(shared_data: Path) -> None:
    """403 reflections, 18 of them free: R_work must reach the reference; R_free is uncertain by 0.03."""
    case, reference = real_case(shared_data, "pep_5e5z"), reference_table(shared_data)["pep_5e5z"]
    fitted = DataSet(case.reflections, case.hkl, case.rows).fit(case.f_atoms, case.f_mask)
    assert fitted.r_work <= float(reference["r_work"]) + 0.002
    assert fitted.r_free <= float(reference["r_free"]) + 0.03
    assert np.isfinite(fitted.ll_free)


@pytest.mark.shared_data
@pytest.mark.parametrize("folder", ["rnasa", "lyso_c2", "gp350_2h6o", "pep_7n2l_p1"])
def test_sigma_a_from_the_test_set_is_more_likely_for_reflections_it_has_not_seen(
    shared_data: Path, folder: str
) -> None:
    """Half of the test set decides D and S, the other half judges them, against D and S of the work set."""
    case = real_case(shared_data, folder)
    data = DataSet(case.reflections, case.hkl, case.rows)
    fitted = data.fit(case.f_atoms, case.f_mask)
    f_obs, sigma = case.f_obs / fitted.k_total, case.sigma / fitted.k_total
    model = np.abs(case.f_atoms + fitted.k_mask * case.f_mask)
    test_rows = np.flatnonzero(case.free)

    def judged(deciding: np.ndarray, judging: np.ndarray) -> float:
        flags = np.zeros(len(f_obs), dtype=bool)
        flags[deciding] = True
        known = ~case.free | flags
        result = estimate_sigma_a(
            Observed(f_obs[known], sigma[known]),
            model[known],
            data.d_star_sq[known],
            data.epsilon[known],
            data.centric[known],
            flags[known],
            bool(len(deciding)),
        )
        ll = negative_log_likelihood(
            f_obs,
            sigma,
            model,
            result.d_at(data.d_star_sq),
            result.s_at(data.d_star_sq),
            data.epsilon,
            data.centric,
        )
        return float(np.mean(ll[judging]))

    even, odd, nothing = test_rows[::2], test_rows[1::2], test_rows[:0]
    crossed = 0.5 * (judged(even, odd) + judged(odd, even))
    assert crossed < judged(nothing, test_rows)
    assert judged(test_rows, test_rows) < judged(nothing, test_rows)
