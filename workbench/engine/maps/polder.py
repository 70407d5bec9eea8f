"""Omit map of a few atoms whose place is kept free of bulk solvent (Liebschner et al., Acta Cryst. D73, 148, 2017).

The difference map of a model without the atoms would show solvent density in the hole they leave, which hides weak
ligands. Here the mask still excludes solvent from their surroundings.

departs from the source: the mask around the omitted atoms is that of the whole model, cleared within `RADIUS` of them.
"""

from __future__ import annotations

import gemmi
import numpy as np
import scipy.fft

from workbench.core.arrays import BoolArray, ComplexArray, Float32Array, FloatArray, IntArray
from workbench.core.crystal import Crystal, ModelState
from workbench.core.errors import InputError
from workbench.core.events import Prepared
from workbench.engine.maps.coefficients import map_coefficients
from workbench.engine.maps.density import density_map
from workbench.engine.special_positions import find_special_positions
from workbench.engine.xray.bulk_solvent import SolventMask
from workbench.engine.xray.model_factors import DataSet
from workbench.engine.xray.structure_factors import Scatterers, StructureFactors

RADIUS = 5.0
"""Angstrom around the omitted atoms that hold no solvent."""


def polder_map(prepared: Prepared, state: ModelState, omitted: BoolArray) -> tuple[Float32Array, float]:
    """mFo-DFc of the model without the atoms `omitted` (n,): density (nu, nv, nw) in e/A^3 and its r.m.s.

    Scales and sigma_A are fitted anew to what is left. Riding hydrogens are left out. Test reflections enter as 0.
    Raises InputError when nothing, or everything, is omitted.
    """
    if not omitted.any() or omitted.all():
        raise InputError(
            "an omit map needs some atoms that are left out and some that stay.", remedy="Choose a residue."
        )
    crystal, d_min = prepared.model.crystal, prepared.reflections.d_min
    everything = _scatterers(prepared, state)
    rest = _part(everything, ~omitted)
    f_atoms = StructureFactors(crystal, prepared.hkl, d_min).f_calc(rest)
    mask = SolventMask(crystal, prepared.hkl, d_min).mask(everything)
    clear_around(mask, crystal, state.xyz[omitted], RADIUS)
    intensities = prepared.likelihood == "intensities"
    data = DataSet(prepared.reflections, prepared.hkl, prepared.observed, intensities=intensities)
    factors = data.fit(f_atoms, mask_factors(mask, crystal, prepared.hkl)).factors
    m = len(prepared.hkl)
    observed = prepared.observed >= 0
    f_obs, free = np.zeros(m), np.zeros(m, dtype=np.bool_)
    f_obs[observed] = prepared.reflections.f_obs[prepared.observed[observed]]
    free[observed] = prepared.reflections.free[prepared.observed[observed]]
    coefficients = map_coefficients(
        f_obs, observed, factors, data.geometry.centric, free, "mFo-DFc", free_filled=prepared.reflections.has_free
    )
    values, sigma = density_map(crystal, prepared.hkl, coefficients, d_min)
    return values, sigma


def clear_around(mask: FloatArray, crystal: Crystal, xyz: FloatArray, radius: float) -> None:
    """Set a mask (nu, nv, nw) over the unit cell to 0 within `radius` angstrom of points (k, 3) and all their
    symmetry copies."""
    grid = gemmi.FloatGrid(np.ones(mask.shape, dtype=np.float32), gemmi.UnitCell(*crystal.cell))
    grid.spacegroup = gemmi.SpaceGroup(crystal.space_group)
    for point in xyz.tolist():
        grid.set_points_around(gemmi.Position(*point), radius=radius, value=0.0)
    grid.symmetrize_min()
    mask *= np.asarray(grid.array)


def mask_factors(mask: FloatArray, crystal: Crystal, hkl: IntArray) -> ComplexArray:
    """(m,) transform of a mask in A^3 at hkl (m, 3); 0 for what the grid is too coarse for."""
    size = np.array(mask.shape)
    inside = np.all(2 * np.abs(hkl) < size, axis=1)
    transform = np.conj(np.asarray(scipy.fft.fftn(mask)))
    result = np.zeros(len(hkl), dtype=np.complex128)
    result[inside] = transform[tuple((hkl[inside] % size).T)] * (gemmi.UnitCell(*crystal.cell).volume / mask.size)
    return result


def _scatterers(prepared: Prepared, state: ModelState) -> Scatterers:
    model = prepared.model
    alone = model.residues.n_atoms[model.residue] == 1
    special = find_special_positions(model.crystal, state.xyz, alone)
    share = state.occupancy * special.multiplicity
    occupancy = np.where(share > 1.001, state.occupancy / special.multiplicity, state.occupancy)
    return Scatterers(
        state.xyz, state.b_iso, state.u_aniso, state.anisotropic, occupancy, model.element, model.charge
    )  # fmt: skip


def _part(s: Scatterers, keep: BoolArray) -> Scatterers:
    return Scatterers(
        s.xyz[keep], s.b_iso[keep], s.u_aniso[keep], s.anisotropic[keep], s.occupancy[keep], s.element[keep],
        s.charge[keep],
    )  # fmt: skip
