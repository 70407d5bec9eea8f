"""What colour each atom has: by element, chain, secondary structure, B, movement or fit to the density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, TextArray
from workbench.core.crystal import Model
from workbench.core.events import CycleFinished
from workbench.view.atoms import MINOR_STRENGTH, minor_conformers, residue_kinds
from workbench.view.colours import Rgb, SceneColours

ColourBy = Literal["element", "chain", "structure", "b", "shift", "fit"]
COLOURINGS: tuple[ColourBy, ...] = get_args(ColourBy)
B_RANGE = (10.0, 80.0)
SHIFT_RANGE = (0.0, 1.0)
FIT_RANGE = (0.6, 0.95)
"""The ends of the ramps: A^2, angstrom, correlation. A good fit is dark, a bad one stands out."""
GLOW_SHIFT = 0.3
"""Angstrom moved in the last cycles at which an atom shines fully."""


@dataclass(frozen=True, eq=False)
class AtomValues:
    """What can be shown by colour. structure: (r,) "H", "E" or "". b_iso: (n,) A^2. shift: (n,) angstrom since the
    start. fit: (r,) correlation with the density, NaN where not known, or None."""

    structure: TextArray
    b_iso: FloatArray
    shift: FloatArray
    fit: FloatArray | None = None


@dataclass(frozen=True)
class RampLegend:
    """What a ramp of colours means: name, texts at its ends, colours from low to high."""

    name: str
    low: str
    high: str
    colours: tuple[Rgb, ...]


def on_ramp(values: FloatArray, low: float, high: float, ramp: tuple[Rgb, ...], unknown: Rgb) -> AnyArray:
    """(n, 3) bytes: values from low to high along the ramp; NaN is `unknown`."""
    place = np.clip((values - low) / (high - low), 0.0, 1.0) * (len(ramp) - 1)
    table = np.array(ramp)
    known = np.isfinite(place)
    at = np.where(known, place, 0.0)
    mixed = np.stack([np.interp(at, np.arange(len(ramp)), table[:, k]) for k in range(3)], axis=1)
    return np.round(255.0 * np.where(known[:, None], mixed, np.array(unknown))).astype(np.uint8)


def legend(by: ColourBy, colours: SceneColours) -> RampLegend | None:
    """The legend of a colouring by values, None for the others."""
    if by == "b":
        return RampLegend("B", f"{B_RANGE[0]:.0f}", f"{B_RANGE[1]:.0f} \u00c5\u00b2", colours.ramp)
    if by == "shift":
        return RampLegend("moved", f"{SHIFT_RANGE[0]:.1f}", f"{SHIFT_RANGE[1]:.1f} \u00c5", colours.ramp)
    if by == "fit":
        return RampLegend("density fit", f"CC {FIT_RANGE[1]:.2f}", f"{FIT_RANGE[0]:.2f} or worse", colours.ramp)
    return None


def atom_colours(model: Model, by: ColourBy, colours: SceneColours, values: AtomValues) -> AnyArray:
    """(n, 4) bytes: red, green, blue and strength, in which minor conformations are fainter.

    By chain and by secondary structure only carbon (and the ribbon) changes: N, O, S keep their colours.
    """
    n = len(model)
    palette = np.empty((n, 4), dtype=np.uint8)
    for symbol in np.unique(model.element):
        palette[model.element == symbol, :3] = _bytes(colours.element(str(symbol)))
    carbon = (model.element == "C") | (model.atom_name == "P")
    kind = residue_kinds(model)
    ligand = np.isin(kind, ["ligand", "sugar"])
    palette[(model.element == "C") & ligand, :3] = _bytes(colours.ligand_carbon)
    if by == "chain" and len(model.residues):
        names = list(dict.fromkeys(model.residues.chain.tolist()))
        order = np.array([names.index(str(name)) for name in model.residues.chain.tolist()])[model.residue]
        palette[carbon, :3] = _bytes(colours.chains)[order[carbon] % len(colours.chains)]
    elif by == "structure" and len(model.residues):
        letter = values.structure[model.residue]
        palette[carbon & (letter == "H"), :3] = _bytes(colours.helix)
        palette[carbon & (letter == "E"), :3] = _bytes(colours.strand)
    elif by == "b":
        palette[:, :3] = on_ramp(values.b_iso, *B_RANGE, colours.ramp, colours.other_element)
    elif by == "shift":
        palette[:, :3] = on_ramp(values.shift, *SHIFT_RANGE, colours.ramp, colours.other_element)
    elif by == "fit":
        fit = np.full(n, np.nan) if values.fit is None else values.fit[model.residue]
        palette[:, :3] = on_ramp(-fit, -FIT_RANGE[1], -FIT_RANGE[0], colours.ramp, colours.other_element)
    palette[:, 3] = np.where(minor_conformers(model), round(255 * MINOR_STRENGTH), 255)
    return palette


def glow_of(moved: FloatArray) -> AnyArray:
    """(n,) bytes: how strongly atoms shine that moved so many angstrom in the last cycles."""
    return np.round(255.0 * np.clip(np.nan_to_num(moved) / GLOW_SHIFT, 0.0, 1.0)).astype(np.uint8)


def residue_fit(cycle: CycleFinished) -> FloatArray | None:
    """(r,) the worse of main chain's and side chain's correlation with the density, None where nobody looked."""
    if cycle.fit is None:
        return None
    rscc = np.asarray(cycle.fit.rscc, dtype=np.float64)
    known = np.isfinite(rscc)
    worst = np.where(known, rscc, np.inf).min(axis=1)
    return np.where(known.any(axis=1), worst, np.nan)


def _bytes(colour: Rgb | tuple[Rgb, ...]) -> AnyArray:
    return np.round(255.0 * np.array(colour)).astype(np.uint8)
