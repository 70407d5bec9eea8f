"""The likelihood of intensities against servalcat's, whose numbers and the script that made them lie beside this file.

Its trapezoids agree with ours to some 1e-4; which of the two is nearer is told by adaptive integration
(tests/unit/test_intensity_likelihood.py: ours within 1e-6).
"""

import json

import numpy as np

from tests.reference.intensities_by_servalcat import RESULT
from workbench.engine.xray.intensity_likelihood import intensity_slopes, negative_log_likelihood_of_intensity


def test_changes_and_slopes_are_those_of_servalcat() -> None:
    document = json.loads(RESULT.read_text())
    assert document.pop("servalcat") == "0.4.142"
    given = {name: np.array(values) for name, values in document.items()}
    measured = given["i_obs"], given["sigma"], given["f_model"]
    crystal = given["epsilon"], given["centric"] > 0.5
    ll, by_d, by_s = intensity_slopes(*measured, given["d"], given["s"], *crystal)
    change = ll - negative_log_likelihood_of_intensity(*measured, given["d2"], given["s2"], *crystal)
    assert np.ptp(given["change"]) > 10.0
    np.testing.assert_allclose(change, given["change"], rtol=1e-4, atol=4e-4)
    np.testing.assert_allclose(by_d * given["d"], given["by_d"] * given["d"], rtol=1e-3, atol=4e-3)
    np.testing.assert_allclose(by_s * given["s"], given["by_s"] * given["s"], rtol=1e-3, atol=4e-3)
