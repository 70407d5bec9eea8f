"""The copy of an atom that a link means: distances and operators across symmetry."""

from __future__ import annotations

import gemmi
import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.crystal import Link, Model


def link_distance(model: Model, structure: gemmi.Structure, link: Link) -> float:
    """Distance in angstrom now, to the nearest symmetry copy where the record says so."""
    if not link.symmetry:
        return float(np.linalg.norm(model.xyz[link.first] - model.xyz[link.second]))
    first, second = (gemmi.Position(*map(float, model.xyz[i])) for i in (link.first, link.second))
    return float(structure.cell.find_nearest_image(first, second, gemmi.Asu.Different).dist())


def nearest_operator(cell: gemmi.UnitCell, model: Model, link: Link) -> FloatArray | None:
    """(3, 4) Cartesian operator that brings the second atom to its copy nearest to the first; None for the atom
    itself."""
    first, second = (gemmi.Position(*map(float, model.xyz[i])) for i in (link.first, link.second))
    image = cell.find_nearest_image(first, second, gemmi.Asu.Different)
    return image_operator(cell, image) if image.sym_idx or any(image.pbc_shift) else None


def image_operator(cell: gemmi.UnitCell, image: gemmi.NearestImage) -> FloatArray:
    """(3, 4) Cartesian rotation and translation that carry an atom to its image."""
    fractional = np.eye(3, 4)
    if image.sym_idx > 0:
        transform = cell.images[image.sym_idx - 1]
        fractional[:, :3] = np.array(transform.mat.tolist())
        fractional[:, 3] = transform.vec.tolist()
    fractional[:, 3] += image.pbc_shift
    orth = np.array(cell.orth.mat.tolist())
    frac = np.array(cell.frac.mat.tolist())
    return np.hstack([orth @ fractional[:, :3] @ frac, (orth @ fractional[:, 3])[:, None]])
