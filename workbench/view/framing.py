"""Where to look: the point of a residue, a first view, names of places, a whole molecule in the picture."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.crystal import Model
from workbench.core.errors import SettingsError
from workbench.view.camera import MAX_HEIGHT, MIN_HEIGHT, Camera

_PLACE = re.compile(
    r"^\s*(?P<chain>[^\s/,]*?)[\s/]+(?P<number>-?\d+)(?P<insertion>[A-Za-z]?)(?:[\s/]+(?P<atom>\S+))?\s*$"
)


def residue_atoms(model: Model, row: int) -> slice:
    first = int(model.residues.first_atom[row])
    return slice(first, first + int(model.residues.n_atoms[row]))


def residue_point(model: Model, xyz: FloatArray, row: int) -> FloatArray:
    """Where to look for a residue: CB, else CA, else C1', else the atom nearest to its middle."""
    part = residue_atoms(model, row)
    atoms = np.arange(part.start, part.stop)
    names = model.atom_name[atoms]
    if model.residues.kind[row] in ("protein", "nucleic"):
        for wanted in ("CB", "CA", "C1'"):
            found = atoms[names == wanted]
            if len(found):
                return np.asarray(xyz[found[0]])
    middle = xyz[atoms].mean(axis=0)
    return np.asarray(xyz[atoms[int(np.argmin(np.linalg.norm(xyz[atoms] - middle, axis=1)))]])


def first_residue(model: Model, xyz: FloatArray) -> int | None:
    """A residue with a side chain worth looking at, near the middle of the molecule."""
    if not len(model.residues):
        return None
    residues = model.residues
    rows = np.flatnonzero((residues.kind == "protein") & (residues.n_atoms >= 8))
    if not len(rows):
        rows = np.flatnonzero(residues.kind != "water")
    if not len(rows):
        rows = np.arange(len(residues))
    points = np.array([residue_point(model, xyz, int(row)) for row in rows])
    finite = xyz[np.isfinite(xyz).all(axis=1)]
    if not len(finite):
        return None
    distance = np.linalg.norm(points - np.median(finite, axis=0), axis=1)
    return int(rows[int(np.nanargmin(distance))]) if np.isfinite(distance).any() else None


def place_named(model: Model, text: str) -> tuple[FloatArray, int | None]:
    """A point (3,) and the row of its residue (None for a bare point).

    text: "A/42", "A 42", "A/42/CB", "/42" (any chain), a residue name ("HEM", the first), or "x,y,z" in angstrom.
    Raises SettingsError when nothing of the model has that name.
    """
    parts = text.split(",")
    if len(parts) == 3:
        try:
            point = np.array([float(part) for part in parts])
        except ValueError:
            point = np.full(3, np.nan)
        if np.isfinite(point).all():
            return point, None
    residues = model.residues
    remedy = "Write chain/number as A/42, chain/number/atom as A/42/CB, a residue name, or x,y,z in angstrom."
    match = _PLACE.match(text)
    if match is None:
        rows = np.flatnonzero(np.char.upper(residues.name.astype(str)) == text.strip().upper())
    else:
        rows = np.flatnonzero(residues.number == int(match["number"]))
        rows = rows[np.char.upper(residues.insertion[rows].astype(str)) == match["insertion"].upper()]
        if match["chain"]:
            rows = rows[residues.chain[rows] == match["chain"]]
    if not len(rows):
        raise SettingsError(f"there is no {text.strip()!r} in the model.", file=model.source.path, remedy=remedy)
    row = int(rows[0])
    if match is not None and match["atom"]:
        part = residue_atoms(model, row)
        found = np.flatnonzero(model.atom_name[part] == match["atom"])
        if not len(found):
            raise SettingsError(
                f"{residues.label(row)} has no atom {match['atom']!r}.", file=model.source.path, remedy=remedy
            )
        return np.asarray(model.xyz[part.start + int(found[0])]), row
    return residue_point(model, model.xyz, row), row


def framed(camera: Camera, xyz: FloatArray, aspect: float = 1.0) -> Camera:
    """The camera so that all of xyz (n, 3) is in the picture (width / height = aspect) and in the slab."""
    xyz = xyz[np.isfinite(xyz).all(axis=1)]
    if not len(xyz):
        return camera
    view = xyz @ camera.rotation.T
    low, high = view.min(axis=0), view.max(axis=0)
    middle = camera.rotation.T @ (0.5 * (low + high))
    extent = high - low + 6.0
    height = max(float(extent[1]), float(extent[0]) / aspect)
    half = max(0.5 * float(extent[2]), 4.0)
    height = float(np.clip(height, MIN_HEIGHT, MAX_HEIGHT))
    return replace(camera, centre=middle, focus=0.0, height=height, front=half, back=half * 1.15)


def along_longest(xyz: FloatArray) -> FloatArray:
    """A rotation (3, 3) that lays the longest direction of the molecule across the picture, its shortest towards us."""
    xyz = xyz[np.isfinite(xyz).all(axis=1)]
    if len(xyz) < 3:
        return np.eye(3)
    _, _, axes = np.linalg.svd(xyz - xyz.mean(axis=0), full_matrices=False)
    rotation = np.array([axes[0], axes[1], np.cross(axes[0], axes[1])])
    return rotation
