"""Electron density in the unit cell from structure factors: rho(x) = (1/V) sum_h F(h) exp(-2 pi i h.x).

scipy's FFT releases the interpreter lock, so that a window stays alive while a map is made.
"""

from __future__ import annotations

import gemmi
import numpy as np
import scipy.fft

from workbench.core.arrays import Complex64Array, Float32Array, IntArray
from workbench.core.crystal import Crystal


def grid_size(crystal: Crystal, hkl: IntArray, d_min: float, rate: float = 3.0) -> tuple[int, int, int]:
    """Numbers of grid points along a, b, c: spacing d_min / rate or finer, small prime factors, compatible with the
    space group, and large enough for every index of hkl (m, 3)."""
    grid = gemmi.Int8Grid()
    grid.set_unit_cell(gemmi.UnitCell(*crystal.cell))
    grid.spacegroup = gemmi.SpaceGroup(crystal.space_group)
    spacing = d_min / rate
    largest = np.max(np.abs(expand_to_p1(crystal, hkl, np.ones(len(hkl), dtype=np.complex64))[0]), axis=0, initial=0)
    while True:
        grid.set_size_from_spacing(spacing, gemmi.GridSizeRounding.Up)
        size = (grid.nu, grid.nv, grid.nw)
        if all(n > 2 * h for n, h in zip(size, largest, strict=True)):
            return size
        spacing *= 0.95


def expand_to_p1(crystal: Crystal, hkl: IntArray, coefficients: Complex64Array) -> tuple[IntArray, Complex64Array]:
    """Reflections of the asymmetric unit to every symmetry-equivalent index, without the Friedel mates.

    F(h R) = F(h) exp(-2 pi i h.t) for the operator x' = R x + t. Returns hkl (k, 3) and coefficients (k,); an index
    on a symmetry element occurs more than once, each time with the same value.
    """
    indices, values = [], []
    for op in gemmi.SpaceGroup(crystal.space_group).operations().sym_ops:
        rotation = np.array(op.rot, dtype=np.int32) // gemmi.Op.DEN
        translation = np.array(op.tran, dtype=np.float64) / gemmi.Op.DEN
        indices.append(hkl @ rotation)
        values.append((coefficients * np.exp(-2j * np.pi * (hkl @ translation))).astype(np.complex64))
    return np.concatenate(indices).astype(np.int32), np.concatenate(values)


def density_map(
    crystal: Crystal, hkl: IntArray, coefficients: Complex64Array, d_min: float, rate: float = 3.0
) -> tuple[Float32Array, float]:
    """Density over the whole unit cell, without F(000), and its root-mean-square value.

    hkl: (m, 3) of one asymmetric unit. coefficients: (m,) electrons. d_min in angstrom; rate: grid points per d_min.
    Returns a C-contiguous float32 grid (nu, nv, nw) in electrons/A^3, point (i, j, k) at the fractional coordinates
    (i/nu, j/nv, k/nw), and sigma.
    """
    size = np.array(grid_size(crystal, hkl, d_min, rate))
    everywhere, values = expand_to_p1(crystal, hkl, coefficients)
    half = np.zeros((size[0], size[1], size[2] // 2 + 1), dtype=np.complex64)
    # numpy's inverse transform has exp(+2 pi i ...): the array holds conj F(h) = F(-h).
    for index, value in ((everywhere, np.conj(values)), (-everywhere, values)):
        upper = index[:, 2] >= 0
        position = index[upper] % size
        half[position[:, 0], position[:, 1], position[:, 2]] = value[upper]
    half[0, 0, 0] = 0.0
    volume = gemmi.UnitCell(*crystal.cell).volume
    grid = scipy.fft.irfftn(half, s=tuple(int(n) for n in size), overwrite_x=True)
    scaled: Float32Array = np.ascontiguousarray(grid, dtype=np.float32)
    scaled *= np.float32(np.prod(size, dtype=np.float64) / volume)
    sigma = float(np.sqrt(np.mean(np.square(scaled, dtype=np.float64))))
    return scaled, sigma
