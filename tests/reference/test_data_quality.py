"""Signs of twinning and anisotropy against mmtbx (xtriage); the script that made the numbers lies beside this file.

Wilson B is not compared: ours is the slope of a straight line beyond 4 A and lies 2 to 7 A^2 above the likelihood value
of mmtbx, which expects the humps of a protein's curve.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from workbench.engine.data_quality.report import Item, assess
from workbench.io.reflections import read_reflections

REFERENCE = json.loads(Path(__file__).with_name("data_quality_reference.json").read_text(encoding="utf-8"))
FILES = {
    "il1b_1l2h_twin": "1l2h.mtz.gz",
    "i213_3io0": "3io0-sf.mtz",
    "baz2b_x828": "nt5073v16_xBAZ2BAx8281_free.mtz",
}
L_TOLERANCE = 0.01
FRACTION_TOLERANCE = 0.05
ANISOTROPY_TOLERANCE = 2.0
"""A^2, of the difference between the strongest and the weakest direction."""


@cache
def items(path: Path) -> dict[str, Item]:
    return {item.name: item for item in assess(read_reflections(str(path))).items}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FILES)
def test_l_test_and_anisotropy(shared_data: Path, name: str) -> None:
    found, expected = items(shared_data / name / FILES[name]), REFERENCE[name]
    twinning = found["Twinning"].values
    assert twinning["mean_abs_l"] == pytest.approx(expected["mean_abs_l"], abs=L_TOLERANCE)
    assert twinning["mean_l_sq"] == pytest.approx(expected["mean_l_sq"], abs=L_TOLERANCE)
    difference = found["Anisotropy"].values["difference"]
    assert difference == pytest.approx(expected["b_range"], abs=ANISOTROPY_TOLERANCE)


@pytest.mark.shared_data
def test_law_and_fraction_of_a_twin(shared_data: Path) -> None:
    found = items(shared_data / "il1b_1l2h_twin" / FILES["il1b_1l2h_twin"])["Twinning"]
    (law,) = REFERENCE["il1b_1l2h_twin"]["laws"]
    assert found.light == "red"
    assert found.values["law"] == law == "h,-k,-l"
    expected = REFERENCE["il1b_1l2h_twin"]["laws"][law]
    assert found.values["fraction"] == pytest.approx(expected["h_fraction"], abs=FRACTION_TOLERANCE)
    assert found.values["fraction"] == pytest.approx(expected["britton_fraction"], abs=FRACTION_TOLERANCE)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["i213_3io0", "baz2b_x828"])
def test_untwinned_data_are_not_accused(shared_data: Path, name: str) -> None:
    assert items(shared_data / name / FILES[name])["Twinning"].light == "green"
