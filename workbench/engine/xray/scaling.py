"""Overall scale, anisotropy and bulk solvent: F_obs ~ k_total |F_atoms + k_mask F_mask|.

    k_total(h) = k_iso(s) exp(-2 pi^2 s^T U s + s^T V s / |s|^2)

s is the reciprocal-lattice vector of h; U and V are symmetric, traceless and obey the point group. U is the usual
anisotropic displacement of the whole crystal; V is a scale that depends on the direction alone (absorption, uneven
exposure of the crystal), to first order the 1/s^2 part of the polynomial scale of the paper below.

ln k_iso and k_mask are piecewise linear functions of 1/d^2 (the model of Afonine, Grosse-Kunstleve, Adams &
Urzhumtsev (2013), Acta Cryst. D69, 625-634: no functional form is forced on solvent or scale). All of them and U are
fitted together, on the work reflections only, so that R_work falls: Gauss-Newton steps on
sum sqrt((F_obs - F_model)^2 + e^2), whose limit is the numerator of R (iteratively reweighted least squares), each
step accepted only if R_work itself falls. Riding on R, the fit is insensitive to outliers.

departs from the source: one joint Gauss-Newton fit with interpolated values instead of alternating grid searches
with smoothing afterwards; a weak penalty on curvature keeps sparsely filled bins and the solvent scale at high
resolution, which no reflection determines, smooth.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from workbench.core.crystal import Crystal
from workbench.core.errors import InputError
from workbench.engine.xray.bins import ResolutionBins, logarithmic_bins
from workbench.engine.xray.reflection_geometry import space_group, unit_cell

MASK_SCALE_LIMIT = 1.5
"""Largest k_mask. Bulk water has 0.33 electrons/A^3; values near 1 would be a very dense salt solution."""


def reciprocal_vectors(crystal: Crystal, hkl: IntArray) -> FloatArray:
    """(m, 3) Cartesian reciprocal-lattice vectors in 1/angstrom (gemmi's axes: a along x) of hkl (m, 3)."""
    return np.asarray(hkl @ np.array(unit_cell(crystal).frac.mat.tolist()))


def traceless_tensors(crystal: Crystal) -> FloatArray:
    """(p, 3, 3) orthonormal basis of the traceless symmetric Cartesian tensors that the point group leaves unchanged.

    p is 5 (triclinic), 3 (monoclinic), 2 (orthorhombic), 1 (trigonal, tetragonal, hexagonal) or 0 (cubic).
    """
    cell, group = unit_cell(crystal), space_group(crystal)
    orth, frac = np.array(cell.orth.mat.tolist()), np.array(cell.frac.mat.tolist())
    rotations = [orth @ (np.array(op.rot) / gemmi.Op.DEN) @ frac for op in group.operations().sym_ops]
    projected = []
    for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)):
        tensor = np.zeros((3, 3))
        tensor[i, j] = tensor[j, i] = 1.0
        mean = sum((r @ tensor @ r.T for r in rotations), np.zeros((3, 3))) / len(rotations)
        projected.append((mean - np.eye(3) * np.trace(mean) / 3.0).ravel())
    _, values, rows = np.linalg.svd(np.array(projected))
    return np.asarray(rows[: int(np.sum(values > 1e-3))].reshape(-1, 3, 3))


@dataclass(frozen=True, eq=False)
class Scale:
    """A fitted scale. bins: resolution bins (b). log_k_iso, mask_scale: (b + 1,) values of ln k_iso and k_mask at the
    bin limits. u_aniso: (6,) A^2 traceless Cartesian U11 U22 U33 U12 U13 U23. directional: (6,) V, same order, no unit.
    r_work: R over the fitted reflections.
    """

    crystal: Crystal
    bins: ResolutionBins
    log_k_iso: FloatArray
    mask_scale: FloatArray
    u_aniso: FloatArray
    directional: FloatArray
    r_work: float

    def k_iso(self, d_star_sq: FloatArray) -> FloatArray:
        """Isotropic scale (file units per electron) at any 1/d^2."""
        return np.asarray(np.exp(self.bins.interpolate(self.log_k_iso, d_star_sq)))

    def k_mask_at(self, d_star_sq: FloatArray) -> FloatArray:
        """Solvent scale (electrons/A^3 when F_mask is the transform of a 0/1 mask) at any 1/d^2."""
        return np.asarray(np.clip(self.bins.interpolate(self.mask_scale, d_star_sq), 0.0, MASK_SCALE_LIMIT))

    def k_total(self, hkl: IntArray) -> FloatArray:
        """(m,) k_iso times the anisotropic factor for hkl (m, 3), observed or not."""
        s = reciprocal_vectors(self.crystal, hkl)
        return self.k_total_at(s)

    def k_total_at(self, s: FloatArray) -> FloatArray:
        """(m,) as k_total, for Cartesian reciprocal vectors s (m, 3)."""
        d_star_sq = np.einsum("ij,ij->i", s, s)
        exponent = quadratic(self.directional, s) / d_star_sq - 2.0 * np.pi**2 * quadratic(self.u_aniso, s)
        return np.asarray(self.k_iso(d_star_sq) * np.exp(exponent))

    def k_mask(self, hkl: IntArray) -> FloatArray:
        """(m,) solvent scale for hkl (m, 3), observed or not."""
        s = reciprocal_vectors(self.crystal, hkl)
        return self.k_mask_at(np.einsum("ij,ij->i", s, s))

    @property
    def overall_b(self) -> float:
        """The B in A^2 that the model's atoms lack, from the slope of ln k_iso = a - B/4 d^-2 over the upper two
        thirds of the resolution range. Adding it to every atomic B and fitting again leaves k_iso nearly flat."""
        x = np.linspace(self.bins.edges[0] + (self.bins.edges[-1] - self.bins.edges[0]) / 3.0, self.bins.edges[-1], 50)
        slope = np.polyfit(x, self.bins.interpolate(self.log_k_iso, x), 1)[0]
        return float(-4.0 * slope)


def quadratic(u: FloatArray, s: FloatArray) -> FloatArray:
    """(m,) s^T U s for u (6,) as U11 U22 U33 U12 U13 U23 and s (m, 3)."""
    x, y, z = s[:, 0], s[:, 1], s[:, 2]
    return np.asarray(u[0] * x * x + u[1] * y * y + u[2] * z * z + 2.0 * (u[3] * x * y + u[4] * x * z + u[5] * y * z))


class Scaler:
    """Fits the scale of one data set; everything that does not depend on the model is computed once."""

    def __init__(self, crystal: Crystal, hkl: IntArray, f_obs: FloatArray, sigma: FloatArray, free: BoolArray) -> None:
        """hkl: (n, 3) observed reflections. f_obs, sigma: (n,) file units. free: (n,) True = test set, never used.

        sigma is part of the signature for targets that weight by it; R does not.
        """
        work = np.flatnonzero(~free)
        if len(work) < 10:
            raise InputError(f"only {len(work)} reflections outside the test set: too few to scale a model")
        s = reciprocal_vectors(crystal, hkl[work])
        d_star_sq = np.einsum("ij,ij->i", s, s)
        order = np.argsort(d_star_sq, kind="stable")
        self.crystal = crystal
        self._rows = work[order]
        self._s_sq = d_star_sq[order]
        self._f_obs = np.ascontiguousarray(f_obs[self._rows])
        self._sum_f = float(np.sum(self._f_obs))
        self.bins = logarithmic_bins(self._s_sq)
        self._tensors = traceless_tensors(crystal)
        s = s[order]
        forms = np.einsum("ni,pij,nj->np", s, self._tensors, s)
        self._aniso = np.concatenate([-2.0 * np.pi**2 * forms, forms / self._s_sq[:, None]], axis=1)
        self._bin = self.bins.index(self._s_sq)
        self._t = (self._s_sq - self.bins.edges[self._bin]) / np.diff(self.bins.edges)[self._bin]
        self._limits = np.searchsorted(self._bin, np.arange(len(self.bins) + 1))
        self._curvature = _curvature_operator(self.bins.edges)

    def fit(
        self, f_atoms: ComplexArray, f_mask: ComplexArray, previous: Scale | None = None, iterations: int = 40
    ) -> Scale:
        """Fit the scale to F_atoms (n,) and F_mask (n,) (complex, electrons), the rows of the hkl given at the start.

        previous: where to start from (a scale fitted with these bins); it is returned with its new R_work when nothing
        that is found has a lower one. At the low-resolution end F_atoms and k_mask F_mask nearly cancel, and two pairs
        of scales can serve a few strong reflections equally well; that end is therefore searched anew every time, so
        that the fit depends on the model and not on the path (lyso_c2: R_free .2945 or .2956 at one R_work).
        """
        fa, fm = f_atoms[self._rows], f_mask[self._rows]
        # |F_atoms + k F_mask|^2 = a + 2 k b + k^2 c
        a = fa.real**2 + fa.imag**2
        b = fa.real * fm.real + fa.imag * fm.imag
        c = fm.real**2 + fm.imag**2
        nodes = len(self.bins) + 1
        if previous is not None and len(previous.log_k_iso) == nodes:
            u = np.einsum("pij,ij->p", self._tensors, _matrix(previous.u_aniso))
            v = np.einsum("pij,ij->p", self._tensors, _matrix(previous.directional))
            start = np.concatenate([previous.log_k_iso, previous.mask_scale, u, v])
            x, r = self._lowered(self._low_end_searched(start, a, b, c), a, b, c, iterations)
            if r > self._r(self._model(start, a, b, c)[0]):
                x, r = self._lowered(start, a, b, c, iterations)
        else:
            x, r = self._lowered(self._search(a, b, c), a, b, c, iterations)
        u, v = np.einsum("kp,pij->kij", x[2 * nodes :].reshape(2, -1), self._tensors)
        return Scale(
            crystal=self.crystal,
            bins=self.bins,
            log_k_iso=x[:nodes].copy(),
            mask_scale=x[nodes : 2 * nodes].copy(),
            u_aniso=_six(u),
            directional=_six(v),
            r_work=r,
        )

    def _lowered(
        self, x: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray, iterations: int
    ) -> tuple[FloatArray, float]:
        """The parameters that lower R_work from x, and that R_work."""
        nodes = len(self.bins) + 1
        y, f = self._model(x, a, b, c)
        r = self._r(y)
        damping = 1e-6
        for _ in range(iterations):
            step = self._step(x, y, f, b, c, damping)
            accepted = False
            for fraction in (1.0, 0.5, 0.2, 0.05):
                trial = x + fraction * step
                trial[nodes : 2 * nodes] = np.clip(trial[nodes : 2 * nodes], 0.0, MASK_SCALE_LIMIT)
                trial_y, trial_f = self._model(trial, a, b, c)
                trial_r = self._r(trial_y)
                if trial_r < r:
                    accepted = True
                    break
            if not accepted:
                break
            gain = r - trial_r
            x, y, f, r = trial, trial_y, trial_f, trial_r
            if gain < 1e-5:
                break
        return x, r

    def _r(self, y: FloatArray) -> float:
        return float(np.sum(np.abs(self._f_obs - y))) / self._sum_f

    def _model(self, x: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Scaled amplitudes (n,) and unscaled |F_model| (n,) for the parameter vector x."""
        nodes = len(self.bins) + 1
        log_k = self._linear(x[:nodes]) + self._aniso @ x[2 * nodes :]
        k_mask = self._linear(x[nodes : 2 * nodes])
        f = np.sqrt(np.maximum(a + k_mask * (2.0 * b + k_mask * c), 1e-12))
        return np.exp(log_k) * f, f

    def _linear(self, nodes: FloatArray) -> FloatArray:
        return np.asarray(nodes[self._bin] * (1.0 - self._t) + nodes[self._bin + 1] * self._t)

    def _search(self, a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
        """Start values: in each bin the k_mask of a grid that gives the lowest R with a least-squares k_iso."""
        bins = len(self.bins)
        k_iso, k_mask = self._searched_bins(a, b, c, bins)
        centres, edges = self.bins.centres, self.bins.edges
        if bins == 1:
            log_nodes = np.repeat(k_iso, 2)
        else:  # straight on beyond the outermost centres
            padded = np.concatenate(
                [
                    [k_iso[0] + (k_iso[0] - k_iso[1]) * (centres[0] - edges[0]) / (centres[1] - centres[0])],
                    k_iso,
                    [k_iso[-1] + (k_iso[-1] - k_iso[-2]) * (edges[-1] - centres[-1]) / (centres[-1] - centres[-2])],
                ]
            )
            log_nodes = np.interp(edges, np.concatenate([edges[:1], centres, edges[-1:]]), padded)
        return np.concatenate([log_nodes, np.interp(edges, centres, k_mask), np.zeros(2 * len(self._tensors))])

    def _searched_bins(self, a: FloatArray, b: FloatArray, c: FloatArray, bins: int) -> tuple[FloatArray, FloatArray]:
        """ln k_iso and k_mask of the first `bins` bins, each bin by itself."""
        rows = slice(0, self._limits[bins])
        a, b, c, index, f_obs = a[rows], b[rows], c[rows], self._bin[rows], self._f_obs[rows]
        grid = np.linspace(0.0, 0.6, 13)
        r = np.empty((len(grid), bins))
        k = np.empty((len(grid), bins))
        for i, k_mask in enumerate(grid):
            f = np.sqrt(np.maximum(a + k_mask * (2.0 * b + k_mask * c), 0.0))
            top = np.bincount(index, weights=f_obs * f, minlength=bins)
            k[i] = top / np.maximum(np.bincount(index, weights=f * f, minlength=bins), 1e-12)
            r[i] = np.bincount(index, weights=np.abs(f_obs - k[i, index] * f), minlength=bins)
        r += 1e-6 * grid[:, None] * np.max(r)  # ties, as where the mask has no power, go to no solvent
        best = np.argmin(r, axis=0)
        return np.log(np.maximum(k[best, np.arange(bins)], 1e-12)), grid[best]

    def _low_end_searched(self, x: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
        """x with k_mask and the slope of ln k_iso at the low-resolution limit as `_search` would have them."""
        if len(self.bins) < 2:
            return x
        nodes = len(self.bins) + 1
        k_iso, k_mask = self._searched_bins(a, b, c, 2)
        centres, edges = self.bins.centres, self.bins.edges
        slope = (k_iso[1] - k_iso[0]) / (centres[1] - centres[0])
        x = x.copy()
        x[0] = x[1] - slope * (edges[1] - edges[0])
        x[nodes] = k_mask[0]
        return x

    def _step(
        self, x: FloatArray, y: FloatArray, f: FloatArray, b: FloatArray, c: FloatArray, damping: float
    ) -> FloatArray:
        """Gauss-Newton step on the softened sum of |F_obs - y|, with the bounds of k_mask as an active set."""
        nodes = len(self.bins) + 1
        p = 2 * len(self._tensors)
        size = 2 * nodes + p
        delta = self._f_obs - y
        softening = 0.3 * float(np.mean(np.abs(delta)))
        w = 1.0 / np.sqrt(delta * delta + softening * softening)
        k_mask = self._linear(x[nodes : 2 * nodes])
        by_mask = y / (f * f) * (b + k_mask * c)
        local = np.empty((len(y), 4 + p))
        local[:, 0] = y * (1.0 - self._t)
        local[:, 1] = y * self._t
        local[:, 2] = by_mask * (1.0 - self._t)
        local[:, 3] = by_mask * self._t
        local[:, 4:] = y[:, None] * self._aniso
        weighted = local * w[:, None]
        normal = np.zeros((size, size))
        gradient = np.zeros(size)
        tensor_columns = np.arange(2 * nodes, size)
        for i in range(len(self.bins)):
            rows = slice(self._limits[i], self._limits[i + 1])
            columns = np.concatenate([[i, i + 1, nodes + i, nodes + i + 1], tensor_columns])
            normal[np.ix_(columns, columns)] += weighted[rows].T @ local[rows]
            gradient[columns] += weighted[rows].T @ delta[rows]
        # Curvature penalty: a kink of 0.1 costs about as much as a mean residual of `strength` reflections.
        unit = float(np.mean(np.abs(delta))) / 0.1**2
        for offset, strength in ((0, 10.0), (nodes, 10.0)):
            block = slice(offset, offset + nodes)
            normal[block, block] += strength * unit * (self._curvature.T @ self._curvature)
            gradient[block] -= strength * unit * (self._curvature.T @ (self._curvature @ x[block]))
        mask = slice(nodes, 2 * nodes)
        normal[mask, mask] += 1e-3 * unit * np.eye(nodes)  # no power in the mask: no solvent
        gradient[mask] -= 1e-3 * unit * x[mask]
        diagonal = np.diag(normal).copy()
        normal[np.diag_indices(size)] += damping * diagonal + 1e-12 * float(np.max(diagonal))
        free = np.ones(size, dtype=bool)
        bound = x.copy()  # where the parameters that left their limits are held
        step = np.zeros(size)
        for _ in range(5):
            held = ~free
            step[held] = bound[held] - x[held]
            step[free] = np.linalg.solve(
                normal[np.ix_(free, free)], gradient[free] - normal[np.ix_(free, held)] @ step[held]
            )
            wanted = x[mask] + step[mask]
            outside = np.zeros(size, dtype=bool)
            outside[mask] = (wanted < -1e-9) | (wanted > MASK_SCALE_LIMIT + 1e-9)
            if not np.any(outside):
                break
            bound[mask] = np.clip(wanted, 0.0, MASK_SCALE_LIMIT)
            free &= ~outside
        return step


def _six(tensor: FloatArray) -> FloatArray:
    rows, columns = (0, 1, 2, 0, 0, 1), (0, 1, 2, 1, 2, 2)
    return np.array([tensor[i, j] for i, j in zip(rows, columns, strict=True)])


def _matrix(u: FloatArray) -> FloatArray:
    return np.array([[u[0], u[3], u[4]], [u[3], u[1], u[5]], [u[4], u[5], u[2]]])


def _curvature_operator(edges: FloatArray) -> FloatArray:
    """(b - 1, b + 1) operator: how far each inner value lies from the straight line between its neighbours."""
    nodes = len(edges)
    operator = np.zeros((max(nodes - 2, 0), nodes))
    for i in range(1, nodes - 1):
        t = (edges[i] - edges[i - 1]) / (edges[i + 1] - edges[i - 1])
        operator[i - 1, i - 1 : i + 2] = (-(1.0 - t), 1.0, -t)
    return operator
