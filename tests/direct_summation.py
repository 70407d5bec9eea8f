"""Structure factors by direct summation over atoms and symmetry operators: the plain definition, slow and independent
of grids. The reference of the tests, and random crystals to compare on."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np

from workbench.core.arrays import ComplexArray, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.engine.xray.structure_factors import Scatterers


def direct_factors(crystal: Crystal, s: Scatterers, hkl: IntArray, neutrons: bool = False) -> ComplexArray:
    """F(h) = sum over all operators (centring included) and atoms of occ f(s) T(h) exp(2 pi i (h R x + h t))."""
    cell = gemmi.UnitCell(*crystal.cell)
    fractional = np.array(cell.frac.mat.tolist())
    x = s.xyz @ fractional.T
    s_sq = np.array([cell.calculate_1_d2(index) for index in hkl.tolist()])
    scattering = np.zeros((len(hkl), len(s)))
    for atom, (symbol, charge) in enumerate(zip(s.element.tolist(), s.charge.tolist(), strict=True)):
        element = gemmi.Element(symbol)
        if neutrons:
            scattering[:, atom] = element.neutron92.calculate_sf(0.0)
            continue
        table = (gemmi.IT92_get_exact(element, charge) if charge else None) or element.it92
        scattering[:, atom] = table.c
        for a, b in zip(table.a, table.b, strict=True):
            scattering[:, atom] += a * np.exp(-b * s_sq / 4)
    u = s.u_aniso[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]]
    total = np.zeros(len(hkl), dtype=np.complex128)
    for op in gemmi.SpaceGroup(crystal.space_group).operations():
        rotated = hkl @ (np.array(op.rot) // 24)
        phase = np.exp(2j * np.pi * (rotated @ x.T + (hkl @ np.array(op.tran) / 24)[:, None]))
        along = rotated @ fractional
        isotropic = np.exp(-np.multiply.outer(s_sq, s.b_iso) / 4)
        anisotropic = np.exp(-2 * np.pi**2 * np.einsum("mi,nij,mj->mn", along, u, along))
        falloff = np.where(s.anisotropic, anisotropic, isotropic)
        total += (phase * falloff * scattering * s.occupancy).sum(axis=1)
    return total


def random_atoms(
    crystal: Crystal, n: int, seed: int = 0, anisotropic: float = 0.0, b_range: tuple[float, float] = (5.0, 60.0)
) -> Scatterers:
    """n atoms anywhere in (and outside) the cell, a fraction of them anisotropic, some partly occupied."""
    rng = np.random.default_rng(seed)
    cell = gemmi.UnitCell(*crystal.cell)
    xyz = rng.uniform(-1.3, 2.1, (n, 3)) @ np.array(cell.orth.mat.tolist()).T
    b = rng.uniform(*b_range, n)
    which = rng.random(n) < anisotropic
    u = np.zeros((n, 6))
    for row in np.flatnonzero(which):
        axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        tensor = (axes * rng.uniform(0.4, 2.0, 3)) @ axes.T * b[row] / (8 * np.pi**2)
        u[row] = tensor[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
        b[row] = 8 * np.pi**2 * np.trace(tensor) / 3
    element = rng.choice(
        np.array(["C", "N", "O", "S", "H", "D", "ZN", "SE"]), n, p=[0.4, 0.15, 0.15, 0.1, 0.1, 0.04, 0.03, 0.03]
    )
    charge = np.where(element == "ZN", 2, 0).astype(np.int32)
    occupancy = np.where(rng.random(n) < 0.3, rng.uniform(0.1, 1.0, n), 1.0)
    return Scatterers(xyz, b, u, which, occupancy, element, charge)


def read_atoms(path: Path) -> tuple[Crystal, Scatterers]:
    """The first model of a file as it stands."""
    structure = gemmi.read_structure(str(path))
    group = structure.find_spacegroup()
    assert group is not None
    atoms = [site.atom for site in structure[0].all()]
    u = np.array([a.aniso.elements_pdb() for a in atoms], dtype=np.float64)
    return Crystal(tuple(structure.cell.parameters), group.xhm()), Scatterers(
        xyz=np.array([a.pos.tolist() for a in atoms]),
        b_iso=np.array([a.b_iso for a in atoms], dtype=np.float64),
        u_aniso=u,
        anisotropic=np.array([a.aniso.nonzero() for a in atoms]),
        occupancy=np.array([a.occ for a in atoms], dtype=np.float64),
        element=np.array([a.element.name.upper() for a in atoms]),
        charge=np.array([a.charge for a in atoms], dtype=np.int32),
    )


def r_difference(found: ComplexArray, expected: ComplexArray) -> float:
    """sum |F - F_expected| / sum |F_expected|, phases included."""
    return float(np.abs(found - expected).sum() / np.abs(expected).sum())


def relative(found: FloatArray, expected: FloatArray) -> float:
    """Largest deviation in units of the r.m.s. expected value."""
    return float(np.abs(found - expected).max() / np.sqrt(np.mean(np.square(expected))))
