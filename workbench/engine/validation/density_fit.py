"""How well each residue fits its density: correlation and difference density of main chain and side chain.

RSCC: correlation of 2mFo-DFc with DFc over the grid points near the atoms of a group (Branden & Jones, 1990, Nature
343, 687, in the form of a correlation). RSZD: the most significant difference density near a group as a Z score, after
Tickle (2012), Acta Cryst. D68, 454: values in units of the map's r.m.s., corrected for the number of independent values
among which the largest was chosen.

departs from the source: RSZD is the larger of the Z of the extreme value and that of the sum of squares of one sign,
instead of a search over all order statistics; the noise is the r.m.s. of the difference map.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcinv, gammaincc, log_ndtr

from workbench.core.arrays import BoolArray, Float32Array, FloatArray, IntArray
from workbench.core.crystal import ModelState
from workbench.core.events import ResidueFit, ScaledFactors
from workbench.engine.kernels import kernel
from workbench.engine.maps.coefficients import map_coefficients
from workbench.engine.xray.reflection_geometry import unit_cell
from workbench.engine.xray.structure_factors import StructureFactors

LARGEST_Z = 30.0
FEWEST = 4
"""Grid points a group must have to be judged."""


def density_fit(
    transform: StructureFactors,
    f_obs: FloatArray,
    observed: BoolArray,
    free: BoolArray,
    factors: ScaledFactors,
    state: ModelState,
    rows: IntArray,
    starts: IntArray,
) -> ResidueFit:
    """Fit of every group of `residue_parts.group_rows`. transform: of the reflections (m,) to density; f_obs, observed,
    free (m,) as `map_coefficients`.

    Test reflections enter as DFc, as in the maps on the screen.
    """
    centric, d_min = transform.geometry.centric, transform.d_min
    best = map_coefficients(f_obs, observed, factors, centric, free, "2mFo-DFc", True, True)
    difference = map_coefficients(f_obs, observed, factors, centric, free, "mFo-DFc", True, True)
    calculated = (factors.sigma_d * factors.f_model).astype(np.complex64)
    cell = unit_cell(transform.crystal)
    size = np.array(transform.grid_size, dtype=np.float64)
    position = (state.xyz[rows] @ np.array(cell.frac.mat.tolist()).T) * size
    steps = np.array(cell.orth.mat.tolist()) / size
    # Half the width of an atom's image at this resolution, and never less than the carbon radius.
    radius = np.maximum(0.7 * d_min, 1.0) + 0.005 * np.minimum(state.b_iso[rows], 100.0)
    reach = np.linalg.norm(np.array(cell.frac.mat.tolist()), axis=1) * size
    where = (position, steps, reach, radius, starts)
    # The difference map first, by itself: no more than two maps stand in memory at a time.
    map_of_difference = transform.density(difference)
    sigma = _rms(map_of_difference)
    extremes = np.zeros((len(starts) - 1, 10))
    _gather(map_of_difference, map_of_difference, map_of_difference, *where, extremes)
    del map_of_difference
    map_of_model = transform.density(calculated)
    sums = np.zeros_like(extremes)
    _gather(transform.density(best), map_of_model, map_of_model, *where, sums)
    sums[:, 6:] = extremes[:, 6:]
    voxel = float(cell.volume) / float(np.prod(size))
    return _statistics(sums, sigma if sigma > 0.0 else 1.0, voxel / (0.5 * d_min) ** 3)


def _rms(values: Float32Array) -> float:
    """Of a map, plane by plane: a copy in double precision would be the largest array of a run."""
    return float(np.sqrt(sum(float(np.sum(np.square(plane, dtype=np.float64))) for plane in values) / values.size))


def _statistics(sums: FloatArray, sigma: float, per_point: float) -> ResidueFit:
    """From sums over each group: n, x, y, xx, yy, xy, largest and smallest difference, squares of either sign."""
    n = sums[:, 0]
    safe = np.maximum(n, 1.0)
    xx = sums[:, 3] - sums[:, 1] ** 2 / safe
    yy = sums[:, 4] - sums[:, 2] ** 2 / safe
    xy = sums[:, 5] - sums[:, 1] * sums[:, 2] / safe
    enough = n >= FEWEST
    with np.errstate(invalid="ignore", divide="ignore"):
        rscc = np.where(enough & (xx > 0.0) & (yy > 0.0), xy / np.sqrt(xx * yy), np.nan)
    independent = np.maximum(n * per_point, 1.0)
    plus = _z_score(sums[:, 6] / sigma, sums[:, 8] / sigma**2 * per_point, independent)
    minus = _z_score(-sums[:, 7] / sigma, sums[:, 9] / sigma**2 * per_point, independent)

    def shaped(values: FloatArray) -> Float32Array:
        return np.where(enough, values, np.nan).reshape(-1, 2).astype(np.float32)

    return ResidueFit(rscc.reshape(-1, 2).astype(np.float32), shaped(plus), shaped(minus))


def _z_score(largest: FloatArray, squares: FloatArray, n: FloatArray) -> FloatArray:
    """Z of the less likely of: the largest of n normal values; the sum of squares of the half of them of one sign."""
    # P(no value above z) = Phi(z)^n; small tails without cancellation.
    tail = -np.expm1(n * log_ndtr(largest))
    by_sum = gammaincc(0.25 * n, 0.5 * squares)
    p = np.clip(np.minimum(tail, by_sum), 1e-300, 1.0)
    z = np.sqrt(2.0) * erfcinv(np.minimum(2.0 * p, 2.0 - 1e-15))
    extreme = np.where(p <= 1e-299, largest, z)
    return np.asarray(np.clip(extreme, 0.0, LARGEST_Z))


@kernel
def _gather(
    best: Float32Array,
    calculated: Float32Array,
    difference: Float32Array,
    position: FloatArray,
    steps: FloatArray,
    reach: FloatArray,
    radius: FloatArray,
    starts: IntArray,
    sums: FloatArray,
) -> None:
    """Each grid point within `radius` of an atom counts once for the group of that atom.

    position: (k, 3) grid coordinates. steps: (3, 3) angstrom per grid step. reach: (3,) grid steps per angstrom.
    """
    nu, nv, nw = best.shape
    for g in range(len(starts) - 1):
        s = sums[g]
        for a in range(starts[g], starts[g + 1]):
            r = radius[a]
            low = np.ceil(position[a] - r * reach).astype(np.int64)
            high = np.floor(position[a] + r * reach).astype(np.int64) + 1
            for i in range(low[0], high[0]):
                for j in range(low[1], high[1]):
                    for k in range(low[2], high[2]):
                        first = True
                        for b in range(starts[g], a + 1):
                            di, dj, dk = i - position[b, 0], j - position[b, 1], k - position[b, 2]
                            x = steps[0, 0] * di + steps[0, 1] * dj + steps[0, 2] * dk
                            y = steps[1, 1] * dj + steps[1, 2] * dk
                            z = steps[2, 2] * dk
                            near = x * x + y * y + z * z <= radius[b] * radius[b]
                            if b < a:
                                if near:
                                    first = False
                                    break
                            elif not near:
                                first = False
                        if not first:
                            continue
                        u, v, w = i % nu, j % nv, k % nw
                        p, q, d = float(best[u, v, w]), float(calculated[u, v, w]), float(difference[u, v, w])
                        s[0] += 1.0
                        s[1] += p
                        s[2] += q
                        s[3] += p * p
                        s[4] += q * q
                        s[5] += p * q
                        s[6] = max(s[6], d)
                        s[7] = min(s[7], d)
                        if d > 0.0:
                            s[8] += d * d
                        else:
                            s[9] += d * d
