"""F_mask: the transform of the space that no atom fills, for the flat bulk-solvent model.

A point is solvent when a probe can reach it: atoms are grown by r_probe, and the region left is grown back by r_shrink
(Jiang & Brunger, J. Mol. Biol. 243, 100, 1994). Radii of atoms and of the probe as in cctbx (Afonine, Grosse-Kunstleve
& Adams, Acta Cryst. D61, 850, 2005). The mask has no derivative with respect to the atoms: it is kept fixed between
updates.
"""

from __future__ import annotations

from itertools import pairwise

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, ComplexArray, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.engine.threads import in_threads
from workbench.engine.xray.brick_transform import BrickTransform
from workbench.engine.xray.mask_kernels import draw_atoms, grow_solvent, shares
from workbench.engine.xray.reflection_geometry import space_group, unit_cell
from workbench.engine.xray.solvent_radii import solvent_radii
from workbench.engine.xray.structure_factors import Scatterers

R_PROBE = 1.1
R_SHRINK = 0.9
COARSEST, FINEST = 0.6, 0.4
"""Limits of the grid spacing in angstrom, d_min/4 between them. Solvent scatters little beyond 2 A, so that a finer
grid for high-resolution data would only cost time."""


class SolventMask:
    """F_mask of any atoms at fixed reflections.

    hkl: (m, 3). d_min in angstrom. threads: that draw the mask. Hydrogens and atoms of zero occupancy do not keep
    solvent out. Reflections finer than the grid can tell (beyond two grid spacings) get F_mask = 0.

    The mask is made in a brick that holds an asymmetric unit, and in as much around it as decides about its points.
    """

    def __init__(self, crystal: Crystal, hkl: IntArray, d_min: float, threads: int = 1) -> None:
        self.crystal = crystal
        self._threads = max(1, threads)
        cell, group = unit_cell(crystal), space_group(crystal)
        self._volume = float(cell.volume)
        self._fractional = np.array(cell.frac.mat.tolist())
        self.grid_size = _grid_size(crystal, min(COARSEST, max(FINEST, d_min / 4.0)))
        size = np.array(self.grid_size)
        self._steps = np.ascontiguousarray(np.array(cell.orth.mat.tolist()).T / size[:, None])
        self._reach = np.linalg.norm(self._fractional, axis=1) * size
        operations = group.operations()
        operators = list(operations)
        self._rotation = np.array([op.rot for op in operators], dtype=np.int32) // gemmi.Op.DEN
        self._translation = np.array([op.tran for op in operators], dtype=np.float64) / gemmi.Op.DEN
        self._grid_operators = _grid_operators(self._rotation, self._translation, size)
        self._brick = _brick(group, size)
        self._stencil = _stencil(self._steps, self._reach, R_SHRINK)
        self._margin: IntArray = np.abs(self._stencil).max(axis=0, initial=0)
        self._window: AnyArray = np.empty(self._brick + 2 * self._margin, dtype=np.uint8)
        self._solvent: AnyArray = np.ones(self._brick, dtype=np.uint8)
        """Of the brick: 1 in solvent."""
        self._shares = shares(self._brick, size, *self._grid_operators)
        index = np.asarray(hkl, dtype=np.int32)
        self._inside = np.flatnonzero(np.all(2 * np.abs(index) < size, axis=1))
        self._n_reflections = len(index)
        rotation = np.array([op.rot for op in operations.sym_ops], dtype=np.int32) // gemmi.Op.DEN
        translation = np.array([op.tran for op in operations.sym_ops], dtype=np.int32)
        self._transform = BrickTransform(size, self._brick, index[self._inside], rotation, translation)
        self._point = self._volume / float(np.prod(size)) * len(operations.cen_ops)
        """A^3 of a grid point, times the lattice points of the cell."""

    @property
    def solvent_fraction(self) -> float:
        """Part of the cell that the last mask called solvent (0..1)."""
        solvent = float(np.sum(self._shares[self._solvent != 0], dtype=np.float64))
        return solvent * len(self._rotation) / float(np.prod(self.grid_size))

    def mask(self, s: Scatterers) -> FloatArray:
        """The mask over the whole cell (nu, nv, nw): 1 in solvent, 0 in atoms."""
        self._draw(s)
        whole = np.empty(self.grid_size)
        points = np.indices(self._solvent.shape).reshape(3, -1)
        for rotation, translation in zip(*self._grid_operators, strict=True):
            image = (rotation @ points + translation[:, None]) % np.array(self.grid_size)[:, None]
            whole[tuple(image)] = self._solvent.ravel()
        return whole

    def f_mask(self, s: Scatterers) -> ComplexArray:
        """F_mask (m,): transform of the mask in A^3, which k_mask (electrons/A^3) turns into electrons."""
        self._draw(s)
        result = np.zeros(self._n_reflections, dtype=np.complex128)
        result[self._inside] = self._transform.of(self._shares * self._solvent) * self._point
        return result

    def _draw(self, s: Scatterers) -> None:
        present = ~np.isin(s.element, ["H", "D"]) & (s.occupancy > 0.0)
        radius = solvent_radii(s.element[present]) + R_PROBE
        position = np.ascontiguousarray(s.xyz[present] @ self._fractional.T)
        atoms = position, radius, self._rotation, self._translation
        size = np.array(self.grid_size)
        self._window[...] = 1

        def draw(start: int, end: int) -> None:
            draw_atoms(self._window, -self._margin, size, *atoms, self._steps, self._reach, start, end)

        def grow(start: int, end: int) -> None:
            grow_solvent(self._window, self._margin, self._stencil, self._solvent, start, end)

        in_threads(draw, self._runs(self._window))
        in_threads(grow, self._runs(self._solvent))

    def _runs(self, planes: AnyArray) -> list[tuple[int, int]]:
        """Of planes, one per thread."""
        edges = np.linspace(0, len(planes), self._threads + 1).astype(int).tolist()
        return list(pairwise(edges))


def _grid_size(crystal: Crystal, spacing: float) -> tuple[int, int, int]:
    """Points along a, b, c: `spacing` angstrom or less, compatible with the space group."""
    grid = gemmi.Int8Grid()
    grid.set_unit_cell(unit_cell(crystal))
    grid.spacegroup = space_group(crystal)
    grid.set_size_from_spacing(spacing, gemmi.GridSizeRounding.Up)
    return grid.nu, grid.nv, grid.nw


def _grid_operators(rotation: IntArray, translation: FloatArray, size: IntArray) -> tuple[IntArray, IntArray]:
    """Operators (o, 3, 3), (o, 3) of fractions as operators of the points of a grid that is compatible with them."""
    scaled = rotation * size[None, :, None] / size[None, None, :]
    shift = translation * size
    whole, whole_shift = np.rint(scaled).astype(np.int32), np.rint(shift).astype(np.int32)
    if not (np.allclose(scaled, whole) and np.allclose(shift, whole_shift, atol=1e-6)):
        raise ValueError("the grid does not have the symmetry of the crystal")
    return whole, whole_shift


def _brick(group: gemmi.SpaceGroup, size: IntArray) -> IntArray:
    """Points (3,) along each axis of a box at the origin that holds an asymmetric unit."""
    part = np.array(gemmi.find_asu_brick(group).size) / gemmi.Op.DEN
    return np.minimum(np.floor(part * size + 1e-6).astype(np.int32) + 1, size)


def _stencil(steps: FloatArray, reach: FloatArray, radius: float) -> IntArray:
    """(s, 3) grid offsets no longer than radius (angstrom), shortest first, without the origin."""
    most = np.floor(radius * reach + 1e-9).astype(np.int32)
    offsets = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1).reshape(-1, 3)
    length = np.linalg.norm(offsets @ steps, axis=1)
    order = np.argsort(length, kind="stable")
    return np.ascontiguousarray(offsets[order][(length[order] > 0.0) & (length[order] <= radius)])


def solvent_mask_factors(
    crystal: Crystal, s: Scatterers, hkl: IntArray, d_min: float, threads: int = 1
) -> ComplexArray:
    """F_mask (m,) of one set of atoms; for repeated use keep a SolventMask."""
    return SolventMask(crystal, hkl, d_min, threads).f_mask(s)
