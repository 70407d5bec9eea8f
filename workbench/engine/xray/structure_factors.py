"""Structure factors of atoms, and what a target of them says about every atom, by sampled density and FFT.

F_calc: density of the listed atoms on a P1 grid, one real FFT, symmetry in reciprocal space (Ten Eyck, Acta Cryst. A33,
486, 1977). Gradients: the transposed operation on the derivative of the target (Agarwal, Acta Cryst. A34, 791, 1978).
Grids are in single precision (a rounding error of 1e-7 of the largest density, far below that of sampling), which
halves memory and time of the transforms; sums over atoms and reflections are in double precision.
All atoms are smeared by a common B ("blur") so that the grid can hold the sharpest of them; the factors are sharpened
back by exp(+blur s^2/4), and so are the coefficients of the gradient map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft

from workbench.core.arrays import (
    AnyArray,
    BoolArray,
    Complex64Array,
    ComplexArray,
    Float32Array,
    FloatArray,
    IntArray,
    TextArray,
)
from workbench.core.crystal import Crystal
from workbench.core.errors import InputError, NumericalError
from workbench.engine.threads import in_threads
from workbench.engine.xray.atom_extent import EIGHT_PI_SQ, atom_radii
from workbench.engine.xray.density_kernels import gather_atoms, paint_atoms
from workbench.engine.xray.fewer_gaussians import fewer_gaussians
from workbench.engine.xray.form_factors import FormFactors, form_factors
from workbench.engine.xray.reflection_geometry import reflection_geometry, space_group, unit_cell
from workbench.engine.xray.symmetry_kernels import collect_symmetry, spread_symmetry

SAMPLING = 3.0
"""Grid points per d_min in every direction of the reciprocal lattice (Nyquist: 2)."""
SMEARING = 10.0
"""Smallest B of any atom on the grid, in units of d_min^2: the aliased part of the sharpest atom at d_min is then
exp(-3 SMEARING/4), less than 0.1 % of its own scattering."""
CUTOFF = 3e-5
"""Density in electrons/A^3, at d_min = 1 A, beyond which an atom ends; scales with 1/d_min^3."""
S_SQ_BINS = 512
LATE = 0.6
"""Where in 1/d^2, as a share of 1/d_min^2, the curvature of most atoms comes from."""
PAIR_BINS = 64
"""Bins of s^2 for terms between two atoms, which are wanted to a few per cent."""
GATHERED = 11
"""What is gathered for an atom: derivatives by x, y, z, B, occupancy and the six elements of U."""


@dataclass(frozen=True, eq=False)
class Scatterers:
    """n atoms that scatter.

    xyz: (n, 3) Cartesian angstrom. b_iso: (n,) A^2. u_aniso: (n, 6) A^2, Cartesian, U11 U22 U33 U12 U13 U23, used where
    anisotropic (n,) bool. occupancy: (n,), already divided by the multiplicity of a special position. element: (n,)
    upper case symbols. charge: (n,) formal charges.
    """

    xyz: FloatArray
    b_iso: FloatArray
    u_aniso: FloatArray
    anisotropic: BoolArray
    occupancy: FloatArray
    element: TextArray
    charge: IntArray

    def __len__(self) -> int:
        return len(self.xyz)


@dataclass(frozen=True, eq=False)
class AtomGradients:
    """dT/d(parameter) of n atoms: xyz (n, 3) per angstrom, b (n,) per A^2 (for anisotropic atoms: of an isotropic shift
    of B), occupancy (n,), u (n, 6) per A^2 by the elements of the full symmetric matrix U (0 for isotropic atoms)."""

    xyz: FloatArray
    b: FloatArray
    occupancy: FloatArray
    u: FloatArray


@dataclass(frozen=True, eq=False)
class AtomCurvatures:
    """Diagonal of the Gauss-Newton matrix of n atoms: xyz (n,) per A^2, equal for x, y and z; b (n,) per A^4;
    occupancy (n,)."""

    xyz: FloatArray
    b: FloatArray
    occupancy: FloatArray


@dataclass(frozen=True, eq=False)
class _Sampled:
    """Atoms as the kernels want them: every one with a tensor, without the blur."""

    position: FloatArray
    u: FloatArray
    occupancy: FloatArray
    kind: IntArray
    radius: FloatArray
    blur: float
    factors: FormFactors


class StructureFactors:
    """F_calc of any atoms at fixed reflections, with the gradients and curvatures of targets of it.

    hkl: (m, 3) reflections, each once, none of them beyond d_min (angstrom). threads: for atoms and FFT; results are
    the same for the same number of threads. precision: of the grids; double serves tests of the algebra. Raises
    InputError for a reflection beyond d_min.
    """

    def __init__(
        self,
        crystal: Crystal,
        hkl: IntArray,
        d_min: float,
        threads: int = 1,
        precision: type[np.floating] = np.float32,
        scattering: str = "x-ray",
    ) -> None:
        self._real = np.dtype(precision)
        self._complex = np.result_type(self._real, np.complex64)
        self.scattering = scattering
        self.crystal = crystal
        self.geometry = reflection_geometry(crystal, hkl)
        self.threads = max(1, threads)
        s_sq = self.geometry.d_star_sq
        if len(s_sq) and s_sq.max() > 1.0 / d_min**2 * (1.0 + 1e-6):
            raise InputError(
                f"a reflection at {1.0 / math.sqrt(float(s_sq.max())):.3f} A lies beyond d_min = {d_min:g} A"
            )
        self.d_min = d_min
        cell = unit_cell(crystal)
        self._cell_volume = float(cell.volume)
        self._fractional = np.asarray(cell.frac.mat.tolist(), dtype=np.float64)
        self._orthogonal = np.asarray(cell.orth.mat.tolist(), dtype=np.float64)
        self.grid_size = _grid_size(self._fractional, self._orthogonal, d_min)
        size = np.asarray(self.grid_size, dtype=np.float64)
        self._steps = np.ascontiguousarray(self._orthogonal.T / size[:, None])
        self._reach = np.linalg.norm(self._fractional, axis=1) * size
        operations = space_group(crystal).operations()
        self._centring = len(operations.cen_ops)
        self._rotation = np.array([op.rot for op in operations.sym_ops], dtype=np.int32) // 24
        self._translation = np.array([op.tran for op in operations.sym_ops], dtype=np.int32)
        self._phases = np.exp(2j * np.pi * np.arange(24) / 24)
        self._known: list[tuple[TextArray, IntArray, FormFactors]] = []

    def f_calc(self, s: Scatterers) -> ComplexArray:
        """F_atoms (m,) in electrons per unit cell."""
        atoms = self._sample(s)
        chunks = self._chunks(atoms)
        grids: list[Float32Array] = [np.zeros(self.grid_size, dtype=self._real) for _ in chunks]
        self._each_chunk(atoms, chunks, grids, np.empty((0, GATHERED)))
        total = grids[0]
        for grid in grids[1:]:
            total += grid
        half = np.asarray(scipy.fft.rfftn(total, workers=self.threads, overwrite_x=True), dtype=self._complex)
        f = collect_symmetry(half, self.geometry.hkl, self._rotation, self._translation, self._phases)
        f *= (self._centring * self._cell_volume / total.size) * self._sharpening(atoms.blur)
        return f

    def gradients(self, s: Scatterers, c: ComplexArray) -> AtomGradients:
        """dT/d(parameter) of every atom for c = dT/dA + i dT/dB (m,), A + iB being F_atoms of each unique reflection.

        The derivative of F_calc as sampled: it agrees with finite differences of f_calc to rounding and cut-off.
        """
        atoms = self._sample(s)
        nu, nv, nw = self.grid_size
        half = np.zeros((nu, nv, nw // 2 + 1), dtype=self._complex)
        weighted = np.ascontiguousarray(c * self._sharpening(atoms.blur), dtype=np.complex128)
        spread_symmetry(weighted, half, self.geometry.hkl, self._rotation, self._translation, self._phases)
        density = scipy.fft.irfftn(half, s=self.grid_size, workers=self.threads, overwrite_x=True, norm="backward")
        del half
        density_map: AnyArray = np.ascontiguousarray(density, dtype=self._real)
        del density
        sums = np.zeros((len(s), GATHERED))
        chunks = self._chunks(atoms)
        self._each_chunk(atoms, chunks, [density_map] * len(chunks), sums)
        sums *= self._centring * self._cell_volume
        sums[~np.asarray(s.anisotropic, dtype=np.bool_), 5:] = 0.0
        return AtomGradients(
            np.ascontiguousarray(sums[:, :3]), sums[:, 3].copy(), sums[:, 4].copy(), sums[:, 5:].copy()
        )

    def density(self, f: ComplexArray | Complex64Array) -> Float32Array:
        """Density in electrons/A^3 on the grid of this object for structure factors f (m,), F(000) not among them.

        rho(x) = (1/V) sum over all of reciprocal space of F(h) exp(-2 pi i h.x).
        """
        nu, nv, nw = self.grid_size
        half = np.zeros((nu, nv, nw // 2 + 1), dtype=self._complex)
        # The sum over operators meets an index epsilon times, and both mates of a centric reflection.
        share = np.where(self.geometry.centric, 1.0, 2.0) / (self.geometry.epsilon * self._cell_volume)
        every = np.ascontiguousarray(f * share, dtype=np.complex128)
        spread_symmetry(every, half, self.geometry.hkl, self._rotation, self._translation, self._phases)
        half[0, 0, 0] = 0.0
        grid = scipy.fft.irfftn(half, s=self.grid_size, workers=self.threads, overwrite_x=True, norm="forward")
        return np.ascontiguousarray(grid, dtype=np.float32)

    def curvatures(self, s: Scatterers, w: FloatArray) -> AtomCurvatures:
        """Expected diagonal of sum_h w (d|F|/dp)^2, w = d2T/d|F|^2 (m,), for atoms at random phases to the model.

        With o primitive operators and f the form factor times exp(-B s^2/4),  (d|F|/dp)^2 averages to
        o epsilon f^2 (1/2 acentric, 1 centric) times (2 pi s)^2 occ^2/3, (s^2/4)^2 occ^2 or 1 for a coordinate, B and
        occupancy (Agarwal, 1978; Steiner, Lebedev & Murshudov, Acta Cryst. D59, 2114, 2003). epsilon, the centric
        factor and centring^2: equal and opposite terms of the sum over operators add coherently.
        """
        if len(self.geometry.d_star_sq) == 0:
            return AtomCurvatures(np.zeros(len(s)), np.zeros(len(s)), np.zeros(len(s)))
        centre, total = self._by_resolution(w, S_SQ_BINS)
        factors = self._form_factors(s)
        b = self._falloff(s)
        sums = np.empty((len(s), 3))
        for kind in range(len(factors.amplitude)):
            f_sq = total * factors.value(kind, centre) ** 2
            table = np.stack([f_sq * centre, f_sq * centre**2, f_sq], axis=1)
            for rows in np.array_split(np.flatnonzero(factors.kind == kind), 1 + len(s) // 4096):
                sums[rows] = np.exp(np.multiply.outer(b[rows], -0.5 * centre)) @ table
        occupancy_sq = np.asarray(s.occupancy) ** 2
        return AtomCurvatures(
            xyz=occupancy_sq * sums[:, 0] * (4.0 * np.pi**2 / 3.0),
            b=occupancy_sq * sums[:, 1] / 16.0,
            occupancy=sums[:, 2].copy(),
        )

    def b_pair_curvatures(self, s: Scatterers, w: FloatArray, pairs: IntArray) -> FloatArray:
        """Expected sum_h w d|F|/dB_i d|F|/dB_j of pairs (k, 2) of atoms, beside the diagonal of `curvatures`.

        Two atoms at distance r scatter with the phase difference 2 pi h.r, whose cosine averages to sin(x)/x with
        x = 2 pi s r over all directions (Templeton, 1999, Acta Cryst. A55, 695).
        """
        if len(self.geometry.d_star_sq) == 0 or len(pairs) == 0:
            return np.zeros(len(pairs))
        centre, total = self._by_resolution(w, PAIR_BINS)
        factors = self._form_factors(s)
        amplitude = np.stack([factors.value(kind, centre) for kind in range(len(factors.amplitude))])
        b = self._falloff(s)
        occupancy = np.asarray(s.occupancy)
        found = np.empty(len(pairs))
        weight = total * centre**2 / 16.0
        for rows in np.array_split(np.arange(len(pairs)), 1 + len(pairs) // 8192):
            i, j = pairs[rows].T
            distance = np.linalg.norm(s.xyz[i] - s.xyz[j], axis=1)
            value = amplitude[factors.kind[i]] * amplitude[factors.kind[j]]
            value *= np.exp(np.multiply.outer(b[i] + b[j], -0.25 * centre))
            value *= np.sinc(np.multiply.outer(2.0 * distance, np.sqrt(centre)))
            found[rows] = occupancy[i] * occupancy[j] * (value @ weight)
        return found

    def _by_resolution(self, w: FloatArray, bins: int) -> tuple[FloatArray, FloatArray]:
        """Of the filled ones among equal bins of s^2: its mean, and the sum of w (m,) as random phases weigh it."""
        geometry = self.geometry
        order = len(self._rotation) * self._centring**2
        weight = np.asarray(w) * geometry.epsilon * np.where(geometry.centric, 1.0, 0.5) * order
        s_sq = geometry.d_star_sq
        edges = np.linspace(s_sq.min(), s_sq.max() * (1.0 + 1e-9), bins + 1)
        where = np.clip(np.searchsorted(edges, s_sq, side="right") - 1, 0, bins - 1)
        counts = np.bincount(where, minlength=bins)
        filled = counts > 0
        centre = np.bincount(where, weights=s_sq, minlength=bins)[filled] / counts[filled]
        total = np.bincount(where, weights=weight, minlength=bins)[filled]
        return np.asarray(centre, dtype=np.float64), np.asarray(total, dtype=np.float64)

    def _falloff(self, s: Scatterers) -> FloatArray:
        """(n,) B with which an atom scatters as it does on average over all directions, near the end of the data: of
        one with a sharp direction the mean B would hide most of what its parameters do there."""
        b = np.array(s.b_iso, dtype=np.float64)
        if np.any(s.anisotropic):
            axes = EIGHT_PI_SQ * np.linalg.eigvalsh(_matrices(s.u_aniso[s.anisotropic]))
            half = 0.5 * LATE / self.d_min**2
            least = axes[:, :1]
            b[s.anisotropic] = least[:, 0] - np.log(np.mean(np.exp(-half * (axes - least)), axis=1)) / half
        return b

    def _sharpening(self, blur: float) -> FloatArray:
        return np.asarray(np.exp(0.25 * blur * self.geometry.d_star_sq), dtype=np.float64)

    def _form_factors(self, s: Scatterers) -> FormFactors:
        """Form factors of the atoms; kept, because a run asks for the same few sets of atoms again and again."""
        for element, charge, known in self._known:
            if (element is s.element or np.array_equal(element, s.element)) and np.array_equal(charge, s.charge):
                return known
        found = fewer_gaussians(form_factors(s.element, s.charge, self.scattering), self.d_min)
        self._known = [*self._known[-3:], (s.element, s.charge, found)]
        return found

    def _sample(self, s: Scatterers) -> _Sampled:
        anisotropic = np.asarray(s.anisotropic, dtype=np.bool_)
        if not (
            np.isfinite(s.xyz).all()
            and np.isfinite(s.occupancy).all()
            and np.isfinite(s.b_iso[~anisotropic]).all()
            and np.isfinite(s.u_aniso[anisotropic]).all()
        ):
            raise NumericalError("an atom has a coordinate, B or occupancy that is not a finite number")
        factors = self._form_factors(s)
        u = np.zeros((len(s), 6))
        u[:, :3] = (np.asarray(s.b_iso) / EIGHT_PI_SQ)[:, None]
        b = np.array(s.b_iso, dtype=np.float64)
        sharpest = float(b[~anisotropic].min()) if not anisotropic.all() else math.inf
        if anisotropic.any():
            u[anisotropic] = s.u_aniso[anisotropic]
            axes = EIGHT_PI_SQ * np.linalg.eigvalsh(_matrices(u[anisotropic]))
            b[anisotropic] = axes[:, 2]
            sharpest = min(sharpest, float(axes[:, 0].min()))
        # Negative B is as good as any: the blur makes up for it.
        blur = max(0.0, SMEARING * self.d_min**2 - sharpest) if len(s) else 0.0
        cutoff = CUTOFF / self.d_min**3
        return _Sampled(
            position=np.ascontiguousarray((s.xyz @ self._fractional.T) * np.asarray(self.grid_size)),
            u=u,
            occupancy=np.ascontiguousarray(s.occupancy, dtype=np.float64),
            kind=factors.kind,
            radius=atom_radii(factors.amplitude, factors.width, factors.kind, b + blur, cutoff),
            blur=blur,
            factors=factors,
        )

    def _chunks(self, atoms: _Sampled) -> list[tuple[int, int]]:
        """Runs of atoms of about equal volume, one per thread."""
        n = len(atoms.radius)
        if self.threads == 1 or n < 2 * self.threads:
            return [(0, n)]
        work = np.cumsum(atoms.radius**3)
        edges = np.searchsorted(work, work[-1] * np.arange(1, self.threads) / self.threads).tolist()
        return list(zip([0, *edges], [*edges, n], strict=True))

    def _each_chunk(
        self, atoms: _Sampled, chunks: list[tuple[int, int]], grids: list[Float32Array], sums: FloatArray
    ) -> None:
        """Paint every chunk into its own grid (sums without rows) or gather from it into its rows of sums."""

        def work(chunk: tuple[int, int], grid: Float32Array) -> None:
            rows = slice(*chunk)
            amplitude, width, kind = atoms.factors.amplitude, atoms.factors.width, atoms.kind[rows]
            shape = atoms.u[rows], atoms.blur, atoms.occupancy[rows], atoms.radius[rows]
            these = grid, atoms.position[rows], self._steps, amplitude, width, kind, *shape
            if len(sums):
                gather_atoms(*these, sums[rows])
            else:
                paint_atoms(*these)

        in_threads(work, list(zip(chunks, grids, strict=True)))


def _matrices(u: FloatArray) -> FloatArray:
    """(n, 3, 3) of (n, 6) elements 11 22 33 12 13 23."""
    return u[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]]


def _grid_size(fractional: FloatArray, orthogonal: FloatArray, d_min: float) -> tuple[int, int, int]:
    """Points along a, b and c so that every aliased copy of the reciprocal lattice is SAMPLING/d_min away, each number
    a product of small primes and large enough to hold every index to d_min."""
    wanted = SAMPLING / d_min
    star = np.linalg.norm(fractional, axis=1)
    indices = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    indices = indices[np.any(indices != 0, axis=1)]
    least = 2.0 * np.floor(np.linalg.norm(orthogonal, axis=0) / d_min * (1.0 + 1e-6)) + 1.0
    size = np.maximum(wanted / star, least)
    # In a skewed cell a combination such as a* - b* may be the shortest copy.
    shortest = float(np.linalg.norm((indices * size) @ fractional, axis=1).min())
    size *= max(1.0, wanted / shortest)
    nu, nv, nw = (int(scipy.fft.next_fast_len(math.ceil(n - 1e-9), real=True)) for n in size)
    return nu, nv, nw
