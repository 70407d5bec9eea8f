"""Peaks and holes of a map, each once, at the symmetry copy that lies nearest to the model."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.spatial import cKDTree

from workbench.core.arrays import AnyArray, Float32Array, FloatArray
from workbench.core.crystal import Crystal

SAME_PEAK = 0.8
"""Angstrom below which two maxima are one peak."""
MOST = 400
UNMODELLED = 1.6
"""Angstrom from every atom beyond which a positive peak is a blob that nothing explains."""


@dataclass(frozen=True)
class Peak:
    """A maximum (height > 0) or minimum (< 0) of a map. xyz: angstrom. height: in sigma. distance: to the nearest atom,
    angstrom (infinite without a model). atom: row of that atom, -1 without a model."""

    xyz: tuple[float, float, float]
    height: float
    distance: float
    atom: int = -1


def find_peaks(
    crystal: Crystal, values: Float32Array, sigma: float, atoms: FloatArray, limit: float = 4.0, holes: bool = True
) -> tuple[Peak, ...]:
    """Maxima above `limit` sigma and, with `holes`, minima below -limit; the largest first, at most `MOST`.

    values: (nu, nv, nw) over one unit cell. atoms: (n, 3) angstrom. A peak is a grid point above its 26 neighbours,
    moved to the top of the parabola through its neighbours along each axis.
    """
    if sigma <= 0.0 or min(values.shape) < 3:
        return ()
    found: list[tuple[float, FloatArray]] = []
    for sign in (1.0, -1.0) if holes else (1.0,):
        signed = values if sign > 0 else -values
        for index in _maxima(signed, limit * sigma):
            place, height = _top(signed, index)
            found.append((sign * height / sigma, place / np.array(values.shape)))
    found.sort(key=lambda item: -abs(item[0]))
    return _unique(crystal, found, atoms)


def _maxima(values: AnyArray, limit: float) -> AnyArray:
    """(k, 3) grid points above the limit and not below any neighbour."""
    high = np.argwhere(values > limit)
    shape = np.array(values.shape)
    keep = np.ones(len(high), dtype=bool)
    here = values[tuple(high.T)]
    for step in product((-1, 0, 1), repeat=3):
        if any(step):
            there = values[tuple(((high + step) % shape).T)]
            # Of equal neighbours the one that comes first counts.
            keep &= (here > there) | ((here == there) & (step > (0, 0, 0)))
    return high[keep]


def _top(values: AnyArray, index: AnyArray) -> tuple[FloatArray, float]:
    """Place in grid units and height of the parabola's top along each axis."""
    place = index.astype(np.float64)
    middle = float(values[tuple(index)])
    height = middle
    for axis in range(3):
        step = np.zeros(3, dtype=int)
        step[axis] = 1
        low = float(values[tuple((index - step) % values.shape)])
        high = float(values[tuple((index + step) % values.shape)])
        bend = low - 2.0 * middle + high
        if bend < 0.0:
            t = float(np.clip(0.5 * (low - high) / bend, -0.5, 0.5))
            place[axis] += t
            height -= 0.25 * (low - high) * t
    return place, height


def _unique(crystal: Crystal, found: list[tuple[float, FloatArray]], atoms: FloatArray) -> tuple[Peak, ...]:
    import gemmi  # Late: the window takes `Peak` from here and opens without the readers.

    cell = gemmi.UnitCell(*crystal.cell)
    orth = np.array(cell.orth.mat.tolist())
    frac = np.linalg.inv(orth)
    operations = [
        (np.array(op.rot) / gemmi.Op.DEN, np.array(op.tran) / gemmi.Op.DEN)
        for op in gemmi.SpaceGroup(crystal.space_group).operations()
    ]
    rows = np.flatnonzero(np.isfinite(atoms).all(axis=1)) if len(atoms) else np.empty(0, dtype=np.int64)
    finite = atoms[rows]
    tree = cKDTree(finite) if len(finite) else None
    middle = frac @ finite.mean(axis=0) if len(finite) else np.full(3, 0.5)
    # Every lattice step that may bring a copy to the model.
    spread = np.ptp(finite @ frac.T, axis=0) if len(finite) else np.zeros(3)
    steps = [
        np.array(step)
        for step in product(*[range(-int(np.ceil(0.5 * s)) - 1, int(np.ceil(0.5 * s)) + 2) for s in spread])
    ]
    kept: list[Peak] = []
    places: list[FloatArray] = []
    for height, at in found:
        copies = [r @ at + t for r, t in operations]
        copies = [copy - np.round(copy - middle) for copy in copies]
        images = np.array([copy + step for copy in copies for step in steps]) @ orth.T
        if tree is not None:
            distances, nearest = (np.asarray(part) for part in tree.query(images))
            best = int(np.argmin(distances))
            distance, atom = float(distances[best]), int(rows[nearest[best]])
        else:
            best, distance, atom = 0, float("inf"), -1
        place = images[best]
        # An equivalent of a peak that is there already, put beside another copy of the same atom.
        if places and _nearest_copy(place, np.array(places), operations, orth, frac) < SAME_PEAK:
            continue
        places.append(place)
        kept.append(Peak((float(place[0]), float(place[1]), float(place[2])), float(height), distance, atom))
        if len(kept) == MOST:
            break
    return tuple(kept)


def _nearest_copy(
    place: FloatArray,
    others: FloatArray,
    operations: list[tuple[FloatArray, FloatArray]],
    orth: FloatArray,
    frac: FloatArray,
) -> float:
    """Angstrom from any symmetry copy of a place to the nearest of the others (m, 3)."""
    at, theirs = frac @ place, others @ frac.T
    shortest = np.inf
    for rotation, translation in operations:
        delta = rotation @ at + translation - theirs
        delta -= np.round(delta)
        shortest = min(shortest, float(np.linalg.norm(delta @ orth.T, axis=1).min()))
    return shortest
