"""F_mask: the transform of the space that no atom fills, for the flat bulk-solvent model.

A point is solvent when a probe can reach it: atoms are grown by r_probe, and the region left is grown back by r_shrink
(Jiang & Brunger, J. Mol. Biol. 243, 100, 1994). Radii of atoms and of the probe as in cctbx (Afonine, Grosse-Kunstleve
& Adams, Acta Cryst. D61, 850, 2005), as tabulated in gemmi. The mask has no derivative with respect to the atoms: it is
kept fixed between updates.
"""

from __future__ import annotations

import gemmi
import numpy as np
import scipy.fft

from workbench.core.arrays import AnyArray, ComplexArray, FloatArray, IntArray, TextArray
from workbench.core.crystal import Crystal
from workbench.engine.xray.reflection_geometry import space_group, unit_cell
from workbench.engine.xray.structure_factors import Scatterers

R_PROBE = 1.1
R_SHRINK = 0.9
COARSEST, FINEST = 0.6, 0.4
"""Limits of the grid spacing in angstrom, d_min/4 between them. Solvent scatters little beyond 2 A, so that a finer
grid for high-resolution data would only cost time."""


class SolventMask:
    """F_mask of any atoms at fixed reflections.

    hkl: (m, 3). d_min in angstrom. threads: for the Fourier transform. Hydrogens and atoms of zero occupancy do not
    keep solvent out. Reflections finer than the grid can tell (beyond two grid spacings) get F_mask = 0.
    """

    def __init__(self, crystal: Crystal, hkl: IntArray, d_min: float, threads: int = 1) -> None:
        self.crystal = crystal
        self.threads = max(1, threads)
        self._masker = gemmi.SolventMasker(gemmi.AtomicRadiiSet.Cctbx)
        self._masker.rprobe = R_PROBE
        self._masker.rshrink = R_SHRINK
        self._masker.ignore_hydrogen = True
        self._masker.ignore_zero_occupancy_atoms = True
        self._grid = gemmi.FloatGrid()
        self._grid.set_unit_cell(unit_cell(crystal))
        self._grid.spacegroup = space_group(crystal)
        self._grid.set_size_from_spacing(min(COARSEST, max(FINEST, d_min / 4.0)), gemmi.GridSizeRounding.Up)
        size = np.array([self._grid.nu, self._grid.nv, self._grid.nw])
        index = np.asarray(hkl, dtype=np.int64)
        self._inside = np.flatnonzero(np.all(2 * np.abs(index) < size, axis=1))
        self._n_reflections = len(index)
        # gemmi's grid runs fastest along a: taken as it lies, its axes are c, b, a. Only the half of the transform with
        # h >= 0 is kept; the rest are conjugates.
        chosen = index[self._inside]
        self._mate = chosen[:, 0] < 0
        chosen[self._mate] *= -1
        self._where: tuple[AnyArray, ...] = tuple((chosen % size).T[::-1])
        self._model = gemmi.Model(1)
        self._atoms: list[gemmi.Atom] = []
        self._element: TextArray = np.array([], dtype=np.str_)
        self._heavy: AnyArray = np.array([], dtype=np.int64)

    @property
    def solvent_fraction(self) -> float:
        """Part of the cell that the last mask called solvent (0..1)."""
        return float(np.asarray(self._grid.array).mean())

    def mask(self, s: Scatterers) -> FloatArray:
        """The mask over the whole cell (nu, nv, nw): 1 in solvent, 0 in atoms."""
        self._fill(s)
        return np.ascontiguousarray(self._grid.array, dtype=np.float64)

    def _fill(self, s: Scatterers) -> None:
        self._place(s)
        self._masker.put_mask_on_float_grid(self._grid, self._model)

    def f_mask(self, s: Scatterers) -> ComplexArray:
        """F_mask (m,): transform of the mask in A^3, which k_mask (electrons/A^3) turns into electrons."""
        self._fill(s)
        mask = np.asarray(self._grid.array).T
        half = np.asarray(scipy.fft.rfftn(mask, workers=self.threads))
        found = np.conj(half[self._where]) * (float(self._grid.unit_cell.volume) / mask.size)
        result = np.zeros(self._n_reflections, dtype=np.complex128)
        result[self._inside] = np.where(self._mate, np.conj(found), found)
        return result

    def _place(self, s: Scatterers) -> None:
        """Move the atoms of the gemmi model; it is built anew only when the elements are others."""
        if len(self._element) != len(s) or not np.array_equal(self._element, s.element):
            self._build(s.element)
        heavy = self._heavy
        for atom, position, occupancy in zip(
            self._atoms, s.xyz[heavy].tolist(), s.occupancy[heavy].tolist(), strict=True
        ):
            atom.pos = gemmi.Position(*position)
            atom.occ = occupancy

    def _build(self, element: TextArray) -> None:
        self._element = np.asarray(element)
        self._heavy = np.flatnonzero(~np.isin(self._element, ["H", "D"]))
        self._model = gemmi.Model(1)
        residue = gemmi.Residue()
        residue.name = "MOL"
        for symbol in self._element[self._heavy].tolist():
            atom = gemmi.Atom()
            atom.name = symbol
            atom.element = gemmi.Element(symbol)
            residue.add_atom(atom)
        chain = gemmi.Chain("A")
        chain.add_residue(residue)
        self._model.add_chain(chain)
        # References into the model, valid as long as nothing is added to it.
        self._atoms = list(self._model[0][0])


def solvent_mask_factors(
    crystal: Crystal, s: Scatterers, hkl: IntArray, d_min: float, threads: int = 1
) -> ComplexArray:
    """F_mask (m,) of one set of atoms; for repeated use keep a SolventMask."""
    return SolventMask(crystal, hkl, d_min, threads).f_mask(s)
