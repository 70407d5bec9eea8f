"""Synthetic data sets with a known answer, and real ones with factors from another program, for tests of scaling."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from workbench.core.crystal import ColumnChoice, Crystal, Reflections, SourceFile


def reflections_of(crystal: Crystal, hkl: IntArray, f: FloatArray, sigma: FloatArray, free: BoolArray) -> Reflections:
    d = gemmi.UnitCell(*crystal.cell).calculate_d_array(hkl)
    return Reflections(
        crystal=crystal,
        hkl=hkl,
        f_obs=f,
        sigma=sigma,
        free=free,
        has_free=bool(np.any(free)),
        d_min=float(np.min(d)),
        d_max=float(np.max(d)),
        completeness=1.0,
        columns=ColumnChoice("F", "SIGF", "FREE", 0, "", ""),
        source=SourceFile("test.mtz", ""),
    )


@dataclass(frozen=True, eq=False)
class Case:
    """Observed amplitudes with F_atoms and F_mask for the same rows."""

    crystal: Crystal
    hkl: IntArray
    f_obs: FloatArray
    sigma: FloatArray
    free: BoolArray
    f_atoms: ComplexArray
    f_mask: ComplexArray

    @property
    def reflections(self) -> Reflections:
        return reflections_of(self.crystal, self.hkl, self.f_obs, self.sigma, self.free)

    @property
    def rows(self) -> IntArray:
        return np.arange(len(self.hkl), dtype=np.int32)


def with_intensities(data: Reflections, seed: int = 0, noise: float = 0.3, without: float = 0.0) -> Reflections:
    """The reflections with intensities as they might have been measured before the amplitudes were: errors of noise
    times the mean intensity, so that the weak come out negative; a part `without` has none."""
    rng = np.random.default_rng(seed)
    sigma = np.full(len(data), noise * float(np.mean(data.f_obs**2)))
    intensity = data.f_obs**2 + sigma * rng.normal(size=len(data))
    none = rng.random(len(data)) < without
    return replace(
        data,
        intensity=np.where(none, np.nan, intensity),
        sigma_intensity=np.where(none, np.nan, sigma),
        intensity_label="I,SIGI",
    )


def reference_table(shared_data: Path) -> dict[str, dict[str, float | int | str]]:
    return json.loads((shared_data / "reference_scores.json").read_text())


@lru_cache(maxsize=4)
def real_case(shared_data: Path, folder: str) -> Case:
    """A data set of `reference_scores.json`; F_atoms and F_mask by gemmi's own calculators, not by the engine's."""
    entry = reference_table(shared_data)[folder]
    mtz = gemmi.read_mtz_file(str(shared_data / folder / str(entry["data"])))
    model = shared_data / folder / str(entry["model"])
    if not model.exists():
        model = model.with_name(model.name + ".gz")
    structure = gemmi.read_structure(str(model))
    column = mtz.column_with_label(str(entry["amplitude"]))
    flags = next(c for c in mtz.columns if c.type == "I" and "free" in c.label.lower())
    f_obs, sigma = np.array(column, dtype=np.float64), np.array(mtz.columns[column.idx + 1], dtype=np.float64)
    group = mtz.spacegroup.operations()
    hkl = mtz.make_miller_array()
    keep = (f_obs > 0.0) & (sigma > 0.0) & ~group.systematic_absences(hkl)
    hkl, f_obs, sigma = hkl[keep].astype(np.int32), f_obs[keep], sigma[keep]
    free = np.array(flags, dtype=np.float64)[keep] == 0.0
    structure.cell, structure.spacegroup_hm = mtz.cell, mtz.spacegroup.xhm()
    structure.setup_cell_images()
    d_min = float(np.min(mtz.cell.calculate_d_array(hkl)))
    calculator = gemmi.DensityCalculatorX()
    calculator.d_min, calculator.rate, calculator.cutoff = d_min, 2.0, 1e-6
    calculator.grid.unit_cell, calculator.grid.spacegroup = mtz.cell, mtz.spacegroup
    calculator.set_refmac_compatible_blur(structure[0])
    calculator.put_model_density_on_grid(structure[0])
    f_atoms = gemmi.transform_map_to_f_phi(calculator.grid).get_value_by_hkl(hkl, unblur=calculator.blur)
    masker = gemmi.SolventMasker(gemmi.AtomicRadiiSet.Cctbx)
    masker.rprobe, masker.rshrink = 1.1, 0.9
    masker.ignore_hydrogen = masker.ignore_zero_occupancy_atoms = True
    mask = gemmi.FloatGrid()
    mask.unit_cell, mask.spacegroup = mtz.cell, mtz.spacegroup
    mask.set_size_from_spacing(min(0.6, d_min / 3.0), gemmi.GridSizeRounding.Up)
    masker.put_mask_on_float_grid(mask, structure[0])
    f_mask = gemmi.transform_map_to_f_phi(mask).get_value_by_hkl(hkl)
    crystal = Crystal(tuple(mtz.cell.parameters), mtz.spacegroup.xhm())
    return Case(
        crystal, hkl, f_obs, sigma, free, np.asarray(f_atoms, dtype=np.complex128), np.asarray(f_mask, np.complex128)
    )


def synthetic_case(
    crystal: Crystal,
    d_min: float = 2.2,
    seed: int = 0,
    k_mask: float = 0.35,
    u: tuple[float, ...] = (0.0,) * 6,
    d: float = 1.0,
    sigma: float = 0.02,
    free_fraction: float = 0.08,
) -> Case:
    """Amplitudes drawn from the very model that scaling and sigma_A assume.

    F_obs = 3.7 exp(-6 s^2/4 - 2 pi^2 s U s) |D (F_atoms + k_mask exp(-40 s^2/4) F_mask) + complex noise|.
    """
    rng = np.random.default_rng(seed)
    cell, group = gemmi.UnitCell(*crystal.cell), gemmi.SpaceGroup(crystal.space_group)
    hkl = gemmi.make_miller_array(cell, group, d_min, 0.0, True).astype(np.int32)
    operations = group.operations()
    hkl = hkl[~operations.systematic_absences(hkl)]
    s = hkl @ np.array(cell.frac.mat.tolist())
    s_sq = np.sum(s * s, axis=1)
    epsilon = operations.epsilon_factor_without_centering_array(hkl).astype(np.float64)
    centric = operations.centric_flag_array(hkl).astype(bool)

    def draw(variance: FloatArray) -> ComplexArray:
        """Structure factors of random atoms; on the real axis where centric."""
        real, imaginary = rng.normal(size=(2, len(hkl))) * np.sqrt(epsilon * variance)
        return np.where(centric, real, (real + 1j * imaginary) / np.sqrt(2.0))

    power = 4.0e4 * np.exp(-25.0 * s_sq / 2.0)
    f_atoms = draw(power)
    f_mask = draw(6.0e5 * np.exp(-120.0 * s_sq)) - 0.4 * f_atoms * np.exp(-30.0 * s_sq)
    truth = d * (f_atoms + k_mask * np.exp(-10.0 * s_sq) * f_mask) + np.sqrt(1.0 - d * d) * draw(power)
    tensor = np.array([[u[0], u[3], u[4]], [u[3], u[1], u[5]], [u[4], u[5], u[2]]])
    k = 3.7 * np.exp(-1.5 * s_sq - 2.0 * np.pi**2 * np.einsum("ni,ij,nj->n", s, tensor, s))
    noise = sigma * float(np.mean(np.abs(truth)))
    f_obs = np.maximum(k * (np.abs(truth) + noise * rng.normal(size=len(hkl))), 1e-3)
    free = rng.random(len(hkl)) < free_fraction
    return Case(crystal, hkl, f_obs, k * noise, free, f_atoms, f_mask)
