"""Atoms and bonds as rods and balls: what is drawn in each style, how thick and how strong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, Float32Array, FloatArray, IntArray
from workbench.core.crystal import Model
from workbench.view.backbone import trace_atoms, trace_pairs

Style = Literal["sticks", "balls", "trace", "ribbon", "ellipsoids"]
STYLES: tuple[Style, ...] = get_args(Style)

STICK_RADIUS = 0.165
MINOR_RADIUS = 0.10
THIN_RADIUS = 0.075
TRACE_RADIUS = 0.28
WATER_RADIUS = 0.22
LONE_RADIUS = 0.30
ION_RADIUS = 0.55
MINOR_STRENGTH = 0.62
BALL_RADII = {"H": 0.20, "D": 0.20, "C": 0.34, "N": 0.33, "O": 0.32, "S": 0.40, "P": 0.40, "SE": 0.42}
"""Radii in angstrom in ball-and-stick: about a fifth of van der Waals', larger atoms larger."""
OTHER_BALL = 0.42

SUGAR_RING = ("C1'", "C2'", "C3'", "C4'", "O4'")
"""What joins a base to the ribbon of a nucleic acid."""

STYLE = np.dtype(
    [("radius", np.float32), ("colour_a", np.uint8, 4), ("colour_b", np.uint8, 4), ("glow", np.uint8, 4)],
)


@dataclass(frozen=True, eq=False)
class Sticks:
    """Rods (k rows) between atoms; a ball is a rod from an atom to itself.

    ends: (k, 2) atom indices. style: (k,) of STYLE; the fourth colour byte is strength (255 = full, less is fainter),
    the first two bytes of `glow` are how strongly each end shines. shown: (n,) which atoms can be seen, and picked.
    """

    ends: IntArray
    style: AnyArray
    shown: BoolArray

    def positions(self, xyz: FloatArray) -> Float32Array:
        """Both ends (k, 6) in angstrom for atoms at xyz (n, 3)."""
        places = np.take(np.asarray(xyz, dtype=np.float32), self.ends.ravel(), axis=0, mode="clip")
        return places.reshape(len(self.ends), 6)

    def painted(self, palette: AnyArray, glow: AnyArray | None = None) -> Sticks:
        """The same rods in other colours: palette (n, 4) bytes, glow (n,) bytes."""
        style = self.style.copy()
        style["colour_a"] = palette[self.ends[:, 0]]
        style["colour_b"] = palette[self.ends[:, 1]]
        style["glow"] = 0
        if glow is not None:
            style["glow"][:, :2] = glow[self.ends]
        return replace(self, style=style)

    def part(self, atoms: BoolArray) -> Sticks:
        """Only the rods whose atoms are all among `atoms` (n,)."""
        keep = atoms[self.ends].all(axis=1)
        return Sticks(self.ends[keep], self.style[keep], self.shown & atoms)


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


def hydrogen_atoms(model: Model) -> BoolArray:
    """(n,) True for H and D."""
    return np.isin(model.element, ["H", "D"])


def residue_kinds(model: Model) -> AnyArray:
    """(n,) kind of the residue of every atom."""
    return model.residues.kind[model.residue] if len(model.residues) else np.full(len(model), "protein")


def build_sticks(
    model: Model,
    bonds: IntArray,
    palette: AnyArray,
    style: Style = "sticks",
    hydrogens: bool = False,
    waters: bool = True,
) -> Sticks:
    """What to draw for a model with bonds (k, 2) and atom colours `palette` (n, 4 bytes).

    Half of each bond has the colour of its atom. Waters and lone atoms are small balls, ions larger ones. Minor
    conformations are thinner and fainter. Hydrogens are left out unless asked for. In "trace" and "ribbon" the polymer
    is not drawn atom by atom: the trace joins CA (or C4') atoms, the ribbon is a mesh of its own; in nucleic acids the
    bases stay. In "ellipsoids" only thin rods are left, the atoms are drawn elsewhere.
    """
    n = len(model)
    hydrogen = hydrogen_atoms(model)
    kind = residue_kinds(model)
    finite = np.isfinite(model.xyz).all(axis=1)
    shown = finite & (np.ones(n, dtype=bool) if hydrogens else ~hydrogen)
    if not waters:
        shown &= kind != "water"
    drawn = shown
    if style in ("trace", "ribbon"):
        polymer = np.isin(kind, ["protein", "nucleic"])
        backbone = trace_atoms(model)
        base = (kind == "nucleic") & ~np.char.endswith(model.atom_name.astype(str), "'") & ~_phosphate(model)
        base |= (kind == "nucleic") & np.isin(model.atom_name, SUGAR_RING)
        # A residue without the atoms of a backbone would vanish altogether.
        lost = polymer & ~np.isin(model.residue, model.residue[backbone])
        drawn = shown & (~polymer | (base if style == "ribbon" else False) | lost)
        shown = drawn | (shown & np.isin(np.arange(n), backbone))

    minor = minor_conformers(model)
    pairs = np.asarray(bonds, dtype=np.int32).reshape(-1, 2)
    pairs = pairs[drawn[pairs].all(axis=1)]
    bonded = np.zeros(n, dtype=bool)
    bonded[pairs.ravel()] = True
    thin = (minor | hydrogen)[pairs].any(axis=1)
    radius = np.where(thin, MINOR_RADIUS, STICK_RADIUS)
    if style == "balls":
        radius = np.where(thin, 0.75 * MINOR_RADIUS, MINOR_RADIUS)
        ball = np.flatnonzero(drawn).astype(np.int32)
    elif style == "ellipsoids":
        radius = np.full(len(pairs), THIN_RADIUS)
        ball = np.empty(0, dtype=np.int32)
    else:
        ball = np.flatnonzero(drawn & (~bonded | (kind == "ion"))).astype(np.int32)
    size = np.where(kind[ball] == "ion", ION_RADIUS, np.where(kind[ball] == "water", WATER_RADIUS, LONE_RADIUS))
    if style == "balls":
        element = np.array([BALL_RADII.get(str(symbol), OTHER_BALL) for symbol in model.element[ball]])
        size = np.where(bonded[ball], np.where(minor[ball], 0.72 * element, element), size)
    ends = [pairs, np.column_stack([ball, ball])]
    radii = [radius, size]
    if style == "trace":
        joined = trace_pairs(model)
        joined = joined[shown[joined].all(axis=1)]
        ends.append(joined)
        radii.append(np.where(minor[joined].any(axis=1), 0.6 * TRACE_RADIUS, TRACE_RADIUS))
        alone = np.setdiff1d(trace_atoms(model), joined).astype(np.int32)
        alone = alone[shown[alone]]
        ends.append(np.column_stack([alone, alone]))
        radii.append(np.full(len(alone), TRACE_RADIUS))
    joined_ends = np.concatenate(ends).astype(np.int32)
    made = np.zeros(len(joined_ends), dtype=STYLE)
    made["radius"] = np.concatenate(radii)
    return Sticks(ends=joined_ends, style=made, shown=shown).painted(palette)


def _phosphate(model: Model) -> BoolArray:
    return np.isin(model.atom_name, ["P", "OP1", "OP2", "OP3", "O1P", "O2P", "O3P"])
