"""From the transform of one asymmetric unit to the structure factor of the crystal, and back.

x' = R x + t gives  F(h) = sum over operators of  F_1(h R) exp(2 pi i h t),  F_1 being the transform of the density of
the listed atoms alone (Waser, Acta Cryst. 8, 595, 1955). Translations are multiples of 1/24, so the phase factors come
from a table of 24.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import Complex64Array, ComplexArray, IntArray
from workbench.engine.kernels import kernel


@kernel
def collect_symmetry(
    half: Complex64Array, hkl: IntArray, rotation: IntArray, translation: IntArray, phases: ComplexArray
) -> ComplexArray:
    """F(h) (m,) from half (nu, nv, nw//2 + 1), the non-negative-l half of a transform with kernel exp(-2 pi i h x).

    rotation: (o, 3, 3) integers. translation: (o, 3) in 24ths. phases: (24,) exp(2 pi i k/24).
    """
    nu, nv = half.shape[0], half.shape[1]
    result = np.zeros(len(hkl), dtype=np.complex128)
    for row in range(len(hkl)):
        h, k, l = hkl[row, 0], hkl[row, 1], hkl[row, 2]  # noqa: E741
        total = 0.0 + 0.0j
        for o in range(len(rotation)):
            r = rotation[o]
            a = h * r[0, 0] + k * r[1, 0] + l * r[2, 0]
            b = h * r[0, 1] + k * r[1, 1] + l * r[2, 1]
            c = h * r[0, 2] + k * r[1, 2] + l * r[2, 2]
            phase = phases[(h * translation[o, 0] + k * translation[o, 1] + l * translation[o, 2]) % 24]
            if c < 0:
                total += phase * half[-a % nu, -b % nv, -c]
            else:
                total += phase * half[a % nu, b % nv, c].conjugate()
        result[row] = total
    return result


@kernel
def spread_symmetry(
    coefficients: ComplexArray,
    half: Complex64Array,
    hkl: IntArray,
    rotation: IntArray,
    translation: IntArray,
    phases: ComplexArray,
) -> None:
    """The transpose of collect_symmetry: add to half what makes its inverse real transform, without the 1/N, the map
    m(x) = Re sum_h sum_operators c(h) exp(-2 pi i h t) exp(-2 pi i h R x)."""
    nu, nv = half.shape[0], half.shape[1]
    for row in range(len(hkl)):
        h, k, l = hkl[row, 0], hkl[row, 1], hkl[row, 2]  # noqa: E741
        here = 0.5 * coefficients[row].conjugate()
        if here == 0.0:
            continue
        for o in range(len(rotation)):
            r = rotation[o]
            a = h * r[0, 0] + k * r[1, 0] + l * r[2, 0]
            b = h * r[0, 1] + k * r[1, 1] + l * r[2, 1]
            c = h * r[0, 2] + k * r[1, 2] + l * r[2, 2]
            value = here * phases[(h * translation[o, 0] + k * translation[o, 1] + l * translation[o, 2]) % 24]
            if c >= 0:
                half[a % nu, b % nv, c] += value
            if c <= 0:
                half[-a % nu, -b % nv, -c] += value.conjugate()
