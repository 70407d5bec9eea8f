"""The model as rods and balls: what is drawn for each atom and bond, and how thick and in which colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, Float32Array, FloatArray, IntArray
from workbench.core.crystal import Model
from workbench.view.colours import SceneColours

STICK_RADIUS = 0.165
MINOR_RADIUS = 0.10
WATER_RADIUS = 0.22
LONE_RADIUS = 0.30
ION_RADIUS = 0.55
MINOR_STRENGTH = 0.62

STYLE = np.dtype([("radius", np.float32), ("colour_a", np.uint8, 4), ("colour_b", np.uint8, 4)])


@dataclass(frozen=True, eq=False)
class Sticks:
    """Rods (k rows) between atoms; a ball is a rod from an atom to itself.

    ends: (k, 2) atom indices. style: (k,) of STYLE; the fourth colour byte is strength (255 = full, less is fainter).
    shown: (n,) which atoms can be seen, and picked.
    """

    ends: IntArray
    style: AnyArray
    shown: BoolArray

    def positions(self, xyz: FloatArray) -> Float32Array:
        """Both ends (k, 6) in angstrom for atoms at xyz (n, 3)."""
        return np.asarray(xyz, dtype=np.float32)[self.ends].reshape(len(self.ends), 6)


def minor_conformers(model: Model) -> BoolArray:
    """(n,) True for atoms of every alternative conformation but the one with the highest occupancy in its residue."""
    minor = np.zeros(len(model), dtype=bool)
    labelled = np.flatnonzero(model.altloc != "")
    for row in np.unique(model.residue[labelled]):
        atoms = labelled[model.residue[labelled] == row]
        letters = np.unique(model.altloc[atoms])
        mean = [float(model.occupancy[atoms[model.altloc[atoms] == letter]].mean()) for letter in letters]
        minor[atoms] = model.altloc[atoms] != letters[int(np.argmax(mean))]
    return minor


def build_sticks(model: Model, bonds: IntArray, colours: SceneColours, hydrogens: bool = False) -> Sticks:
    """What to draw for a model with bonds (k, 2).

    Half of each bond has the colour of its atom. Waters and lone atoms are small balls, ions larger ones. Minor
    conformations are thinner and fainter. Hydrogens are left out unless asked for.
    """
    n = len(model)
    hydrogen = np.isin(model.element, ["H", "D"])
    shown = np.ones(n, dtype=bool) if hydrogens else ~hydrogen
    kind = model.residues.kind[model.residue] if len(model.residues) else np.full(n, "protein")

    palette = np.empty((n, 4), dtype=np.uint8)
    for symbol in np.unique(model.element):
        palette[model.element == symbol, :3] = np.round(255.0 * np.array(colours.element(str(symbol))))
    ligand_carbon = (model.element == "C") & np.isin(kind, ["ligand", "sugar"])
    palette[ligand_carbon, :3] = np.round(255.0 * np.array(colours.ligand_carbon))
    minor = minor_conformers(model)
    palette[:, 3] = np.where(minor, round(255 * MINOR_STRENGTH), 255)

    pairs = np.asarray(bonds, dtype=np.int32).reshape(-1, 2)
    pairs = pairs[shown[pairs].all(axis=1)]
    bonded = np.zeros(n, dtype=bool)
    bonded[pairs.ravel()] = True
    ball = np.flatnonzero(shown & (~bonded | (kind == "ion"))).astype(np.int32)
    ball_radius = np.where(kind[ball] == "ion", ION_RADIUS, np.where(kind[ball] == "water", WATER_RADIUS, LONE_RADIUS))

    thin = (minor | hydrogen)[pairs].any(axis=1)
    ends = np.concatenate([pairs, np.column_stack([ball, ball])]).astype(np.int32)
    style = np.zeros(len(ends), dtype=STYLE)
    style["radius"] = np.concatenate([np.where(thin, MINOR_RADIUS, STICK_RADIUS), ball_radius])
    style["colour_a"] = palette[ends[:, 0]]
    style["colour_b"] = palette[ends[:, 1]]
    return Sticks(ends=ends, style=style, shown=shown)
