"""What the data say about the crystal: translational NCS, solvent content, absences, symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np
from scipy.ndimage import maximum_filter

from workbench.core.arrays import FloatArray
from workbench.core.crystal import Measurements
from workbench.engine.data_quality.intensities import Intensities
from workbench.engine.data_quality.twinning import ReflectionLookup, usual_form

TNCS_D_MIN, TNCS_D_MAX = 5.0, 10.0
TNCS_CLOSEST = 15.0
TNCS_PEAK = 0.20
"""A Patterson peak of a fifth of the origin, more than 15 A from it, means translational NCS (Zwart et al., CCP4
Newsletter 43, 2005)."""
PROTEIN_VOLUME = 1.23
"""1.66 / partial density: fraction of the crystal that protein fills is 1.23 / V_M (Matthews, J. Mol. Biol. 33, 491,
1968)."""


@dataclass(frozen=True)
class PattersonPeak:
    """Largest non-origin peak: height as part of the origin, fractional vector, distance to the origin in angstrom."""

    height: float
    vector: tuple[float, float, float]
    distance: float


@dataclass(frozen=True, eq=False)
class PattersonPicture:
    """peaks: the highest that symmetry does not repeat, beyond 15 A from the origin, at most ten. section: (n, m) of
    the Patterson function as part of its origin, over x and y of the cell at z = `level` (fractional), that of the
    highest peak. gamma: angle between x and y (degrees), edges: their lengths (angstrom)."""

    peaks: tuple[PattersonPeak, ...]
    section: FloatArray
    level: float
    edges: tuple[float, float]
    gamma: float


@dataclass(frozen=True)
class Matthews:
    """v_m in A^3/Da, solvent (0..1), mass in Da of what is in the asymmetric unit."""

    v_m: float
    solvent: float
    mass: float


@dataclass(frozen=True)
class Absences:
    """n systematically absent reflections in the file, how many are stronger than 3 sigma, their mean I/sigma."""

    n: int
    strong: int
    mean: float


@dataclass(frozen=True)
class HigherSymmetry:
    """operator that the space group lacks, with correlation and R of the intensities it relates."""

    operator: str
    correlation: float
    r: float


_AT_A_TIME = 4096
"""Grid points looked at together, from the highest down."""


def patterson_peak(data: Intensities) -> PattersonPeak | None:
    """The highest peak of the native Patterson function from 10 to 5 A; None where there is too little data."""
    d = 1 / np.sqrt(data.s_sq)
    use = (d >= TNCS_D_MIN) & (d <= TNCS_D_MAX)
    if use.sum() < 50:
        return None
    patterson = _patterson(data, use)
    values = patterson.reshape(-1) / patterson.reshape(-1)[0]
    order = np.argsort(-values)
    for start in range(0, len(order), _AT_A_TIME):
        places = order[start : start + _AT_A_TIME]
        fractions = np.stack(np.unravel_index(places, patterson.shape), axis=1) / np.array(patterson.shape)
        distance = _from_origin(data, fractions)
        far = np.flatnonzero(distance > TNCS_CLOSEST)
        if len(far):
            best = int(far[0])
            x, y, z = (float(v) for v in fractions[best])
            return PattersonPeak(float(values[places[best]]), (x, y, z), float(distance[best]))
    return None


def patterson_picture(data: Intensities, most: int = 10) -> PattersonPicture | None:
    """Peaks of the native Patterson function and the section through the highest; None where there is too little data
    or no place as far from the origin as a copy would be."""
    d = 1 / np.sqrt(data.s_sq)
    use = (d >= TNCS_D_MIN) & (d <= TNCS_D_MAX)
    if use.sum() < 50:
        return None
    patterson = _patterson(data, use)
    patterson = patterson / patterson.reshape(-1)[0]
    summits = np.argwhere((patterson == maximum_filter(patterson, size=3, mode="wrap")) & (patterson > 0.0))
    heights = patterson[tuple(summits.T)]
    order = np.argsort(-heights, kind="stable")[:2000]
    places = summits[order] / np.array(patterson.shape)
    distance = _from_origin(data, places)
    kept: list[PattersonPeak] = []
    seen = np.zeros((0, 3))
    step = 2.0 / np.array(patterson.shape)
    for place, height, far in zip(places, heights[order], distance, strict=True):
        if far <= TNCS_CLOSEST:
            continue
        if len(seen):
            apart = seen - place
            if (np.abs(apart - np.rint(apart)) <= step).all(axis=1).any():
                continue
        x, y, z = (float(value) for value in place)
        kept.append(PattersonPeak(float(height), (x, y, z), float(far)))
        if len(kept) == most:
            break
        seen = np.concatenate([seen, _patterson_mates(data, place)])
    if not kept:
        return None
    level = kept[0].vector[2]
    section = np.asarray(patterson[:, :, round(level * patterson.shape[2]) % patterson.shape[2]], dtype=np.float64)
    a, b, _, _, _, gamma = data.cell.parameters
    return PattersonPicture(tuple(kept), section, level, (a, b), gamma)


def _patterson_mates(data: Intensities, place: FloatArray) -> FloatArray:
    """(n, 3) places that the symmetry of the Patterson function makes of one."""
    operations = data.group.operations()
    turns = [np.array(op.rot, dtype=np.float64) / gemmi.Op.DEN for op in operations.sym_ops]
    images = np.array([sign * (turn @ place) for turn in turns for sign in (1.0, -1.0)])
    centring = np.array(operations.cen_ops, dtype=np.float64) / gemmi.Op.DEN
    return np.asarray((images[:, None, :] + centring[None]).reshape(-1, 3))


def _from_origin(data: Intensities, fractions: np.ndarray) -> np.ndarray:
    """(n,) distance in angstrom of places (n, 3) from the nearest lattice point, centring included."""
    orth = np.array(data.cell.orth.mat.tolist()).T
    distance = np.full(len(fractions), np.inf)
    for centring in data.group.operations().cen_ops:
        near = fractions - np.array(centring) / gemmi.Op.DEN
        near = near - np.rint(near)
        # the nearest lattice point need not be that of the rounded fractions in a skew cell
        for shift in np.ndindex(3, 3, 3):
            apart = (near + np.array(shift) - 1.0) @ orth
            distance = np.minimum(distance, np.sqrt(np.einsum("ij,ij->i", apart, apart)))
    return distance


def _patterson(data: Intensities, use: np.ndarray) -> np.ndarray:
    """The Patterson function on a grid, from all symmetry mates."""
    rows = data.hkl[use].astype(np.int64)
    values = np.maximum(data.intensity[use], 0.0)
    shape = tuple(max(8, 3 * int(np.ceil(edge / TNCS_D_MIN)) + 4) for edge in data.cell.parameters[:3])
    spectrum = np.zeros(shape)
    for operation in data.group.operations().sym_ops:
        rotation = np.array(operation.rot, dtype=np.int64) // gemmi.Op.DEN
        for sign in (1, -1):
            image = sign * (rows @ rotation)
            spectrum[tuple((image % np.array(shape)).T)] = values
    return np.asarray(np.fft.fftn(spectrum).real)


def matthews(cell_volume: float, n_operations: int, mass: float) -> Matthews:
    """Volume (A^3) per dalton and solvent content for a mass (Da) in the asymmetric unit."""
    v_m = cell_volume / n_operations / mass
    return Matthews(v_m, max(0.0, 1 - PROTEIN_VOLUME / v_m), mass)


def absences(data: Measurements) -> Absences:
    """Reflections that the space group forbids, if the file lists any."""
    group = gemmi.find_spacegroup_by_name(data.crystal.space_group)
    absent = np.asarray(group.operations().systematic_absences(data.hkl), dtype=np.bool_)
    ratio = data.value[absent] / data.sigma[absent]
    return Absences(int(absent.sum()), int((ratio > 3).sum()), float(ratio.mean()) if absent.any() else float("nan"))


def higher_symmetry(data: Intensities, good: np.ndarray) -> list[HigherSymmetry]:
    """Operators of the lattice under which the intensities agree like symmetry mates; best first."""
    lookup = ReflectionLookup(data.hkl, data.group)
    found = []
    for operation in gemmi.find_twin_laws(data.cell, data.group, 3.0, False):
        image = np.rint(data.hkl @ (np.array(operation.rot) / gemmi.Op.DEN)).astype(np.int64)
        other = lookup.rows(image)
        use = good & (other >= 0) & (other > np.arange(len(other)))
        use[use] &= good[other[use]]
        if use.sum() < 50:
            continue
        one, two = data.z[use], data.z[other[use]]
        r = float(np.abs(one - two).sum() / np.abs(one + two).sum())
        found.append(HigherSymmetry(usual_form(operation, data.group), float(np.corrcoef(one, two)[0, 1]), r))
    return sorted(found, key=lambda each: each.r)
