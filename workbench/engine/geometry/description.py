"""What the chemistry of a model comes down to: restraint tables over atom indices.

Atom indices below `n_atoms` are atoms of the model; indices from `n_atoms` on are riding hydrogens that are not in the
model (row `index - n_atoms` of `Hydrogens`). Angles are in radians inside; lengths in angstrom.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.arrays import FloatArray, IntArray, TextArray
from workbench.core.crystal import LinkReport, Model


@dataclass(frozen=True, eq=False)
class Bonds:
    """atoms (k, 2); ideal, sigma (k,) angstrom. symmetry (k,): 0 in the same asymmetric unit, else 1 + row of
    `GeometryDescription.images`, which moves the SECOND atom."""

    atoms: IntArray
    ideal: FloatArray
    sigma: FloatArray
    symmetry: IntArray


@dataclass(frozen=True, eq=False)
class Angles:
    """atoms (k, 3), the vertex in the middle; ideal, sigma (k,) radians."""

    atoms: IntArray
    ideal: FloatArray
    sigma: FloatArray


@dataclass(frozen=True, eq=False)
class Torsions:
    """atoms (k, 4); ideal, sigma (k,) radians; period (k,) (0 and 1 both mean 360 degrees)."""

    atoms: IntArray
    ideal: FloatArray
    sigma: FloatArray
    period: IntArray


@dataclass(frozen=True, eq=False)
class Chiralities:
    """atoms (k, 4): centre and three neighbours; ideal (k,): signed volume in A^3; sigma (k,) A^3.
    both (k,) 1 where either hand is right (the nearer one is the target)."""

    atoms: IntArray
    ideal: FloatArray
    sigma: FloatArray
    both: IntArray


@dataclass(frozen=True, eq=False)
class Planes:
    """Compressed rows: plane p holds atoms[start[p]:start[p + 1]]; sigma (planes,) angstrom."""

    start: IntArray
    atoms: IntArray
    sigma: FloatArray


@dataclass(frozen=True, eq=False)
class ContactTypes:
    """What non-bonded contacts need of each of the n + h atoms.

    radius (n + h,): van der Waals radius in angstrom (united-atom where hydrogens are absent, all-atom
    where they are present).
    donor, acceptor (n + h,): 1 for hydrogen-bond donors / acceptors; for a hydrogen `donor` is 1 when
    it is polar (can be shared).
    metal (n + h,): 1 for metals, with `radius` their ionic radius.
    altloc (n + h,): 0 for none, else the letter's code: only equal codes or 0 see each other.
    excluded: (e, 2) pairs i < j that are never contacts (1-2, 1-3, same plane 1-4); one_four: (f, 2) pairs i < j with
    the shortened 1-4 distance.
    """

    radius: FloatArray
    donor: IntArray
    acceptor: IntArray
    metal: IntArray
    altloc: IntArray
    excluded: IntArray
    one_four: IntArray


@dataclass(frozen=True, eq=False)
class Hydrogens:
    """Hydrogens placed from their parents; they have no parameters of their own.

    Two kinds share one table (h rows): `model_index` >= 0 says the hydrogen is an atom of the model (its row);
    -1 that it rides without being in the model. element, name: (h,) text. parent: (h,) model index of the heavy atom.
    neighbours: (h, 3) model indices that fix the frame (-1 = none). kind and parameters: how it is placed (see
    hydrogens.py). occupancy_from: (h,) model index whose occupancy and B it takes (the parent).
    """

    element: TextArray
    name: TextArray
    parent: IntArray
    neighbours: IntArray
    kind: IntArray
    parameters: FloatArray
    model_index: IntArray


@dataclass(frozen=True, eq=False)
class GeometryDescription:
    """Everything the geometry target needs, and what the user should know of it.

    images: (s, 3, 4) Cartesian operators (rotation | translation, angstrom) of symmetry copies named by links.
    drawn_bonds: (k, 2) model pairs for the picture. counts: restraints by family. flagged: component name -> why its
    restraints are weak. links: bonds between residues, made or proposed.
    """

    model: Model
    n_atoms: int
    bonds: Bonds
    angles: Angles
    torsions: Torsions
    chiralities: Chiralities
    planes: Planes
    contacts: ContactTypes
    hydrogens: Hydrogens
    images: FloatArray
    drawn_bonds: IntArray
    counts: dict[str, int]
    flagged: dict[str, str]
    notes: tuple[str, ...] = ()
    links: tuple[LinkReport, ...] = ()
