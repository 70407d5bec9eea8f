"""Whether a data set looks twinned: the tests of `twinning` taken together, one rule for the report and for a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from workbench.core.arrays import BoolArray
from workbench.core.crystal import Measurements
from workbench.engine.data_quality import twinning
from workbench.engine.data_quality.intensities import Intensities, intensities_of
from workbench.engine.data_quality.shells import reliable, shell_table

Kind = Literal["twinned", "mates agree", "unusual", "none", "unknown"]

UNUSUAL_L = 0.44
"""<|L|> below which intensities are distributed unlike those of one crystal (0.500; perfect twin 0.375)."""
HARDLY_UNUSUAL_L = 0.47
"""... below which a fraction of more than AGREEING by the H-test is believed."""
SMALLEST, AGREEING = 0.1, 0.2
"""Twin fractions by the H-test: the smallest that is believed when <|L|> is unusual, and one that is seen without."""
FEWEST = 50
"""Reflections below which nothing is asked."""
AMPLITUDE_L, AMPLITUDE_MOMENT = 0.34, 1.385
"""<|L|> and second moment below which values are rather amplitudes than intensities: half way between those of a
perfect twin (3/8 and 3/2) and of the amplitudes of one crystal (1 - ln 2 = 0.307, L of intensities being evenly
distributed; and 4/pi = 1.273, amplitudes being distributed after Rayleigh)."""


@dataclass(frozen=True)
class TwinSigns:
    """kind: "twinned" (distribution and a twin law speak for it), "mates agree" (the law alone does: pseudo-symmetry or
    higher symmetry), "unusual" (the distribution alone). l_test and second moments (acentric, centric) as in
    `twinning`; laws: most likely first."""

    kind: Kind
    l_test: twinning.LTest
    moments: tuple[float, float]
    laws: tuple[twinning.TwinLaw, ...]

    @property
    def of_amplitudes(self) -> bool:
        """The values are spread less than intensities ever are, and as amplitudes would be."""
        return self.l_test.mean_abs < AMPLITUDE_L and self.moments[0] < AMPLITUDE_MOMENT

    @property
    def numbers(self) -> str:
        """The statistics in words."""
        return (
            f"<|L|> = {self.l_test.mean_abs:.3f} (0.500 untwinned, 0.375 perfect twin), "
            f"<I^2>/<I>^2 = {self.moments[0]:.2f}"
        )


def twin_signs(data: Intensities, strong: BoolArray) -> TwinSigns:
    """strong: (n,) reflections in the range where intensities are well above their errors."""
    return _with_laws(data, strong, _laws(data, strong))


def _laws(data: Intensities, strong: BoolArray) -> tuple[twinning.TwinLaw, ...]:
    return tuple(twinning.twin_laws(data, strong & (data.intensity > 3 * data.sigma)))


def _with_laws(data: Intensities, strong: BoolArray, laws: tuple[twinning.TwinLaw, ...]) -> TwinSigns:
    test = twinning.l_test(data, high=float(data.s_sq[strong].max()))
    moments = twinning.second_moments(data, strong)
    return TwinSigns(_kind(test.mean_abs, laws[0].h_fraction if laws else 0.0), test, moments, laws)


def _kind(mean_abs: float, fraction: float) -> Kind:
    unusual = math.isfinite(mean_abs) and mean_abs < UNUSUAL_L
    if fraction > SMALLEST and (unusual or (fraction > AGREEING and mean_abs < HARDLY_UNUSUAL_L)):
        return "twinned"
    if fraction > AGREEING:
        return "mates agree"
    if unusual:
        return "unusual"
    return "none" if math.isfinite(mean_abs) else "unknown"


def looks_twinned(measured: Measurements | None) -> str:
    """Twin law and fraction in words, where a data set looks twinned; "" where it does not, or there is too little to
    tell."""
    if measured is None or len(measured) < FEWEST:
        return ""
    data = intensities_of(measured)
    strong = reliable(data, shell_table(data))
    laws = _laws(data, strong)
    # The laws are cheap, and without one that the mates agree under there is nothing more to ask.
    if not laws or laws[0].h_fraction <= SMALLEST or _with_laws(data, strong, laws).kind != "twinned":
        return ""
    law = laws[0]
    return f"twin law {law.operator}, fraction about {law.h_fraction:.2f}"
