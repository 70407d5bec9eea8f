"""What the user can set. One frozen value; a change is a new value (`dataclasses.replace`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from workbench.core.crystal import ModelState

Hydrogens = Literal["auto", "keep", "riding", "all", "none"]
BModel = Literal["auto", "isotropic", "anisotropic", "main-side", "per-residue", "fixed"]
RigidBody = Literal["auto", "on", "off"]
Keep = Literal["best", "current", "discard"]
Scattering = Literal["auto", "x-ray", "electron", "neutron"]
LikelihoodOf = Literal["auto", "amplitudes", "intensities"]

ACCEPT_UNPLACED = "--accept-unplaced"
"""The way out that the refusal of an unplaced model names; the window offers a button in its place."""

FAMILIES = ("bonds", "angles", "torsions", "chirality", "planes", "contacts", "b_similarity")
"""Names of the restraint families, in the order of every table."""
ONE_OF_FAMILY = ("bond", "angle", "torsion", "chirality", "plane", "contact", "B")
"""One restraint of each of FAMILIES, in words."""
LOCAL_RESTRAINTS = ("jelly_body", "ncs")
"""Restraints of distances within a model, with settings of their own: multiplier, 0 for off, None for automatic."""


def strength_words(value: float | None) -> str:
    """The multiplier of one of LOCAL_RESTRAINTS in words."""
    return "automatic" if value is None else "off" if value == 0.0 else f"{value:.3g}"


@dataclass(frozen=True)
class RefinementSettings:
    """Settings of a run; those marked (live) may change while it runs.

    cycles: largest number of cycles (live). weight: absolute X-ray weight w, None = automatic (live).
    family_weights: multiplier of each restraint family, all 1 by default (live). b_weight: beta, the weight of the
    restraints of B among the restraints, None = automatic (live).
    jelly_body, ncs: multipliers of the restraints of distances to the model as it is, and between copies of a chain;
    0 is off, None automatic (live).
    d_min: high-resolution limit in angstrom or None. hydrogens: "auto" is "keep" when the input has hydrogens, else
    "riding". b_model: "auto" keeps tensors of the input and tries them where there are none; "isotropic" drops them;
    "anisotropic" gives one to every atom from the start; "main-side" and "per-residue" give two B or one to every
    residue; "fixed" refines none. shake: 3D r.m.s. displacement in angstrom given to the start.
    reset_b: None, "mean" or a B in A^2. threads: number of threads, 0 = all cores. seed: of every random number.
    nuclear_distances: hydrogens stand at the distance of their nuclei (neutron data) instead of their electron clouds.
    scattering: whose scattering factors; "auto" is what the data say they were measured with, else X-rays.
    rigid_body: turn and shift rigid bodies before the first cycle; "auto" when the start looks displaced. rigid_groups:
    "model", "chains", or segments "A:1-120,A:121-300,B".
    fix, hold: selections ("A:1-120,A:130,B", "all") of atoms whose coordinates do not move, and of atoms tied to where
    the run begins by springs of hold_sigma angstrom. Their B and occupancies are refined; rigid bodies are not moved.
    likelihood: what is refined against; "auto" as `engine.likelihood_choice` says. R factors are those of amplitudes.
    accept_unplaced: refine a model even if it fits the data no better than chance.
    """

    cycles: int = 20
    weight: float | None = None
    family_weights: tuple[float, ...] = (1.0,) * len(FAMILIES)
    b_weight: float | None = None
    jelly_body: float | None = None
    ncs: float | None = None
    d_min: float | None = None
    hydrogens: Hydrogens = "auto"
    shake: float = 0.0
    reset_b: Literal["mean"] | float | None = None
    b_model: BModel = "auto"
    threads: int = 0
    seed: int = 0
    nuclear_distances: bool = False
    scattering: Scattering = "auto"
    accept_unplaced: bool = False
    rigid_body: RigidBody = "auto"
    rigid_groups: str = "model"
    fix: str = ""
    hold: str = ""
    hold_sigma: float = 0.1
    likelihood: LikelihoodOf = "auto"

    def for_other_files(self) -> RefinementSettings:
        """Without what was set by hand for the files that were open: weights and resolution limit."""
        usual = (1.0,) * len(FAMILIES)
        return replace(self, weight=None, family_weights=usual, b_weight=None, jelly_body=None, ncs=None, d_min=None)


@dataclass(frozen=True)
class DataOptions:
    """What the user decided about the data, beyond columns; None, "" and False leave it to the files.

    space_group, cell (angstrom, degrees): of the data, instead of what they say. dataset: one of several data sets or
    blocks. merge: unmerged observations may be merged as they stand. free_file: a second file that holds the test set;
    free_reindex: operator on its indices ("k,h,-l"). create_free: fraction (0..1) of a test set to be made, with
    free_seed; thin_shells: made of whole resolution shells (for NCS). extend_free: rows without a flag get one.
    fold: (k, i): the test set is number i of k equal sets (k-fold cross-validation): those of the data where they have
    exactly k, else k drawn with free_seed.
    """

    space_group: str = ""
    cell: tuple[float, float, float, float, float, float] | None = None
    dataset: str = ""
    merge: bool = False
    free_file: str = ""
    free_reindex: str = ""
    create_free: float | None = None
    free_seed: int = 0
    thin_shells: bool = False
    extend_free: bool = False
    fold: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class RunRequest:
    """Everything a run needs, by name: files as the user gave them, columns if chosen by hand, settings.

    start: a state to go on from instead of the file's coordinates (then shake and reset_b do not apply).
    first_cycle: number of the cycle that the start is (0 for the file's model). automatic_weight, b_weight: the
    automatic weights that the start was reached with, to go on from; None begins with those of the resolution.
    suspect_set: column and value of a test set that was suspect in the cycles before the start; a run with the same
    set does not let it choose what is kept.
    library: folder of a monomer library, "embedded", or "" for what is installed and else the embedded one.
    links: the user's decisions on links, by the label of `Prepared.links`: True to bond, False not to.
    strict_links: such a decision that cannot be followed is an error instead of a warning.
    residue_fit: every cycle tells how its residues fit their density, which costs two maps a cycle.
    """

    model_path: str
    data_path: str
    dictionaries: tuple[str, ...] = ()
    labels: tuple[str, str] | None = None
    free_label: str | None = None
    free_value: int | None = None
    settings: RefinementSettings = field(default_factory=RefinementSettings)
    start: ModelState | None = None
    first_cycle: int = 0
    automatic_weight: float | None = None
    b_weight: float | None = None
    suspect_set: tuple[str, int | None] | None = None
    library: str = ""
    links: tuple[tuple[str, bool], ...] = ()
    strict_links: bool = False
    intake: DataOptions = field(default_factory=DataOptions)
    residue_fit: bool = True
