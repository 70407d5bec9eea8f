"""Signs of twinning in the intensities alone.

L-test: Padilla & Yeates, Acta Cryst. D59, 1124 (2003): L = (I1 - I2)/(I1 + I2) of reflections that differ by even
index steps; untwinned acentric <|L|> = 1/2 and <L^2> = 1/3, perfect twin 3/8 and 1/5. Moments: <I^2>/<I>^2 of acentric
reflections 2 (perfect twin 3/2), of centric ones 3 (2). Twin laws: symmetry of the lattice that the crystal lacks
(gemmi.find_twin_laws). Fraction by the H-test: Yeates, Acta Cryst. A44, 142 (1988), H = |I1 - I2|/(I1 + I2) with
<H> = 1/2 - alpha, <H^2> = (1 - 2 alpha)^2 / 3; and the Britton fraction: Britton, Acta Cryst. A28, 296 (1972).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, IntArray
from workbench.engine.data_quality.intensities import Intensities

OBLIQUITY = 3.0
STEPS = (2, 2, 2)
L_GRID = np.linspace(0.0, 1.0, 51)
ENOUGH = 100_000
"""Reflections from which pairs for the L-test are taken; about a dozen each."""


@dataclass(frozen=True, eq=False)
class LTest:
    """mean_abs: <|L|>. mean_sq: <L^2>. pairs: how many. fraction: the twin fraction that <|L|> alone would mean.
    cumulative: (51,) share of pairs with |L| below L_GRID; empty with too few pairs."""

    mean_abs: float
    mean_sq: float
    pairs: int
    fraction: float
    cumulative: FloatArray = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class TwinLaw:
    """operator on hkl. correlation of mates' intensities; r_twin: sum|I1 - I2| / sum(I1 + I2); h_fraction by <H>;
    pairs: how many mates were compared."""

    operator: str
    correlation: float
    r_twin: float
    h_fraction: float
    pairs: int


class ReflectionLookup:
    """Row of a reflection by its indices, any symmetry mate of it: a box of indices that holds every mate's row."""

    def __init__(self, hkl: IntArray, group: gemmi.SpaceGroup) -> None:
        rotations = [np.array(op.rot, dtype=np.int64) // gemmi.Op.DEN for op in group.operations().sym_ops]
        rows = np.arange(len(hkl), dtype=np.int32)
        given = hkl.astype(np.int64)
        corner = np.array([np.abs(given @ rotation).max(axis=0, initial=0) for rotation in rotations]).max(axis=0)
        self._corner = corner
        self._shape = tuple(int(n) for n in 2 * corner + 1)
        self._row = np.full(self._shape, -1, dtype=np.int32).reshape(-1)
        for rotation in rotations:
            for sign in (1, -1):
                self._row[self._place(sign * (given @ rotation))] = rows

    def _place(self, hkl: AnyArray) -> AnyArray:
        _, n_k, n_l = self._shape
        h, k, m = (hkl[:, i] + self._corner[i] for i in range(3))
        return np.asarray((h * n_k + k) * n_l + m)

    def rows(self, hkl: AnyArray) -> IntArray:
        """(n,) rows, -1 where the reflection is not there. hkl: (n, 3) integers."""
        asked = hkl.astype(np.int64)
        inside = np.ones(len(asked), dtype=np.bool_)
        for i in range(3):
            inside &= np.abs(asked[:, i]) <= self._corner[i]
        result = np.full(len(asked), -1, dtype=np.int32)
        result[inside] = self._row[self._place(asked[inside])]
        return result


def l_test(data: Intensities, low: float = 0.01, high: float = 1.0, steps: tuple[int, int, int] = STEPS) -> LTest:
    """The L statistic of acentric reflections with s^2 between low and high (1/A^2).

    Pairs are neighbours at even steps, so that centring and translational symmetry leave them comparable.
    """
    use = (~data.centric) & (data.s_sq >= low) & (data.s_sq <= high) & (data.sigma > 0)
    lookup = ReflectionLookup(data.hkl, data.group)
    # of very many data a regular part: <|L|> of a million pairs has an error of 0.0003
    part = np.flatnonzero(use)
    part = part[:: max(1, len(part) // ENOUGH)]
    values: list[FloatArray] = []
    for step in product(*((-s, 0, s) for s in steps)):
        if sum(map(abs, step)) == 0 or sum(map(abs, step)) > 4 or step < (0, 0, 0):
            continue
        other = lookup.rows(data.hkl[part] + np.array(step))
        good = other >= 0
        good[good] &= use[other[good]]
        one, two = data.z[part[good]], data.z[other[good]]
        both = one + two
        fine = both > 0
        ell = ((one - two)[fine]) / both[fine]
        values.append(ell[np.abs(ell) <= 1.0])
    ell = np.concatenate(values) if values else np.zeros(0)
    if len(ell) < 100:
        return LTest(float("nan"), float("nan"), len(ell), float("nan"))
    size = np.sort(np.abs(ell))
    mean = float(size.mean())
    cumulative = np.searchsorted(size, L_GRID, side="right") / len(size)
    return LTest(mean, float((ell**2).mean()), len(ell), l_fraction(mean), cumulative)


def expected_cumulative(twinned: bool) -> FloatArray:
    """(51,) share of acentric pairs with |L| below L_GRID: |L| untwinned, |L| (3 - L^2) / 2 for a perfect twin."""
    return L_GRID * (3.0 - L_GRID**2) / 2.0 if twinned else L_GRID.copy()


def l_fraction(mean_abs: float) -> float:
    """Twin fraction alpha with this <|L|>: twinned acentric intensities have (Padilla & Yeates, eq. 31 in form)
    J = (1 - alpha) a + alpha b of independent exponentials; <|L|> is computed from their distribution and inverted."""
    fractions, curve = _l_curve()
    return float(np.interp(-mean_abs, -curve, fractions))


@lru_cache(maxsize=1)
def _l_curve() -> tuple[FloatArray, FloatArray]:
    fractions = np.linspace(0.0, 0.5, 51)
    return fractions, np.array([mean_abs_l(alpha) for alpha in fractions])


def mean_abs_l(alpha: float) -> float:
    """<|L|> for a twin fraction alpha; 1/2 untwinned, 3/8 for a perfect twin.

    The density of J is (exp(-J/p) - exp(-J/q)) / (p - q) with p = 1 - alpha, q = alpha. For two terms exp(-x/a),
    exp(-y/b) the mean of |x - y| / (x + y) is, with x = r t and y = r (1 - t), the integral over t from 0 to 1 of
    |2 t - 1| / (t/a + (1 - t)/b)^2.
    """
    p, q = 1.0 - alpha, alpha
    if p - q < 1e-3:
        return 0.375
    nodes, weights = np.polynomial.legendre.leggauss(64)
    t = np.concatenate([0.25 * (nodes + 1.0), 0.5 + 0.25 * (nodes + 1.0)])
    mixed = 0.25 * np.concatenate([weights, weights]) * np.abs(2.0 * t - 1.0) * (p * q / (t * q + (1.0 - t) * p)) ** 2
    return float((0.5 * p**2 - 2.0 * mixed.sum() + 0.5 * q**2) / (p - q) ** 2)


def second_moments(data: Intensities, good: BoolArray) -> tuple[float, float]:
    """<I^2>/<I>^2 of acentric and centric reflections among `good` (n,); NaN below 50 reflections or without
    any intensity.

    The variance of measurement is taken off, so that weak data do not look untwinned.
    """
    result = []
    for kind in (good & ~data.centric, good & data.centric):
        z = data.z[kind]
        noise = (data.sigma[kind] / np.maximum(np.abs(data.intensity[kind]), 1e-30) * data.z[kind]) ** 2
        enough = kind.sum() >= 50 and z.mean() > 0.0
        result.append(float(((z**2).mean() - noise.mean()) / z.mean() ** 2) if enough else float("nan"))
    return result[0], result[1]


def twin_laws(data: Intensities, good: BoolArray) -> list[TwinLaw]:
    """Every twin law the lattice allows, judged on `good` (n,) acentric reflections; most likely first."""
    lookup = ReflectionLookup(data.hkl, data.group)
    found = []
    for operation in gemmi.find_twin_laws(data.cell, data.group, OBLIQUITY, False):
        image = data.hkl @ (np.array(operation.rot) / gemmi.Op.DEN)
        whole = np.rint(image).astype(np.int64)
        other = lookup.rows(whole)
        rows = np.arange(len(other))
        use = good & ~data.centric & (other >= 0) & (other > rows) & (np.abs(image - whole).max(axis=1) < 1e-6)
        use[use] &= good[other[use]]
        if use.sum() < 50:
            continue
        one, two = data.z[use], data.z[other[use]]
        total = one + two
        fine = total > 0
        h = np.abs(one - two)[fine] / total[fine]
        h = h[h <= 1.0]
        found.append(
            TwinLaw(
                operator=usual_form(operation, data.group),
                correlation=float(np.corrcoef(one, two)[0, 1]),
                r_twin=float(np.abs(one - two).sum() / total.sum()),
                h_fraction=float(np.clip(0.5 - h.mean(), 0.0, 0.5)),
                pairs=int(use.sum()),
            )
        )
    return sorted(found, key=lambda law: -law.h_fraction)


def usual_form(operation: gemmi.Op, group: gemmi.SpaceGroup) -> str:
    """The operator on hkl, in the most usual of its equivalent forms: fewest exchanged axes, first axis kept."""
    best: tuple[int, tuple[int, ...], str] | None = None
    for own in group.operations().sym_ops:
        equivalent = own * operation
        equivalent.tran = [0, 0, 0]
        rot = np.array(equivalent.rot)
        key = (int((rot - np.diag(np.diag(rot)) != 0).sum()), tuple(-int(v) for v in rot.reshape(-1)))
        if best is None or key < best[:2]:
            best = (*key, equivalent.as_hkl().triplet())
    return best[2] if best else operation.as_hkl().triplet()
