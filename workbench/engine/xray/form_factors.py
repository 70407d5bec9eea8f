"""Form factors of free atoms, X-ray unless said otherwise, as sums of five Gaussians, the last one the constant.

f(s) = sum_j a_j exp(-b_j s^2 / 4) + c,  s = 1/d = 2 sin(theta)/lambda (so b_j in A^2, a_j in electrons).
Values: International Tables for Crystallography, volume C, table 6.1.1.4 (1992), as tabulated in gemmi.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import FloatArray, IntArray, TextArray
from workbench.core.errors import InputError


@dataclass(frozen=True, eq=False)
class FormFactors:
    """The form factors that a set of atoms needs.

    amplitude, width: (t, k) electrons and A^2, one row per kind of atom; as tabulated, k = 5 and the constant is the
    fifth Gaussian, width 0.
    kind: (n,) int32 row of each atom.
    """

    amplitude: FloatArray
    width: FloatArray
    kind: IntArray

    def value(self, kind: int, d_star_sq: FloatArray) -> FloatArray:
        """f(s) in electrons of one kind at d_star_sq (m,) in 1/A^2."""
        falloff = np.exp(-0.25 * np.multiply.outer(np.asarray(d_star_sq), self.width[kind]))
        return np.asarray(falloff @ self.amplitude[kind], dtype=np.float64)


def _coefficients(symbol: str, charge: int, scattering: str) -> tuple[list[float], list[float]]:
    element = gemmi.Element(symbol)
    if scattering == "neutron" and element.atomic_number > 0:
        return [0.0, 0.0, 0.0, 0.0, _scattering_length(element)], [0.0] * 5
    if scattering == "electron" and element.atomic_number > 0 and element.c4322 is not None:
        return list(element.c4322.a), list(element.c4322.b)
    # gemmi answers with a coefficient set for "X" too; an unknown atom must not scatter as something arbitrary.
    if element.atomic_number == 0:
        raise InputError(
            f"{symbol!r} is not an element, so its X-ray scattering is not known",
            remedy="Correct the element column of the model.",
        )
    table = gemmi.IT92_get_exact(element, charge) if charge else None
    if table is None:  # the ion is not tabulated: the neutral atom differs from it only at very low resolution
        table = element.it92
    if table is None:
        raise InputError(f"no X-ray form factor is tabulated for the element {symbol}")
    return [*table.a, table.c], [*table.b, 0.0]


def _scattering_length(element: gemmi.Element) -> float:
    """Bound coherent scattering length in femtometre (of the isotope for D, of the natural mixture otherwise)."""
    table = element.neutron92
    length = float(table.get_coefs()[0]) if table is not None else 0.0
    if length == 0.0:
        raise InputError(f"no neutron scattering length is tabulated for the element {element.name}")
    return length


def form_factors(element: TextArray, charge: IntArray, scattering: str = "x-ray") -> FormFactors:
    """Form factors for atoms given by element symbol (n,) and formal charge (n,); deuterium counts as hydrogen.

    scattering: "x-ray", "electron" (Peng et al., International Tables C, table 4.3.2.2, neutral atoms, angstrom), or
    "neutron": scattering lengths in femtometre (Sears, Neutron News 3, 26, 1992, as tabulated in gemmi), the same at
    every angle; those of H (-3.7) and D (6.7) differ, and the charge does not matter.
    An ion that is not tabulated is taken as the neutral atom. Raises InputError for unknown elements.
    """
    names = np.asarray(element).astype(np.str_)
    charges = np.asarray(charge, dtype=np.int64)
    keys = np.char.add(np.char.add(names, "|"), charges.astype(np.str_))
    distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    amplitude, width = np.zeros((len(distinct), 5)), np.zeros((len(distinct), 5))
    for row, atom in enumerate(first):
        amplitude[row], width[row] = _coefficients(str(names[atom]), int(charges[atom]), scattering)
    return FormFactors(amplitude, width, np.ascontiguousarray(inverse.reshape(-1), dtype=np.int32))
