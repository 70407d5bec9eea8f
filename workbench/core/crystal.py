"""A crystal, its reflections and its model as plain arrays, numbers and strings.

Everything here is immutable by convention (frozen dataclasses; arrays are not written to after construction)
and picklable, so that it may cross a process door.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray, TextArray


@dataclass(frozen=True)
class Crystal:
    """Unit cell and space group.

    cell: a, b, c in angstrom, alpha, beta, gamma in degrees.
    space_group: extended Hermann-Mauguin symbol as gemmi writes it (`SpaceGroup.xhm()`), e.g. "P 21 21 21", "R 3:H".
    """

    cell: tuple[float, float, float, float, float, float]
    space_group: str


@dataclass(frozen=True)
class SourceFile:
    """A file that something was read from: path as the user gave it, and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Link:
    """A LINK, SSBOND or struct_conn record. Atoms are indices into the model; `symmetry` means the second atom is a
    symmetry copy. kind: "covale", "disulf", "metalc", "hydrog" or "unknown" (mmCIF names). name: link id or ""."""

    kind: str
    name: str
    first: int
    second: int
    symmetry: bool = False
    distance: float = 0.0


@dataclass(frozen=True)
class LinkReport:
    """A bond between residues that does not follow from the chain alone: one that is restrained, or one that might be.

    label: "A 26 CYS SG - A 84 CYS SG", the name under which it is accepted or removed. kind: "disulfide", "glycosidic",
    "metal", "covalent", or "peptide" and "phosphodiester" where a backbone is stretched. first, second: rows of the
    model; symmetry: the second is a symmetry copy. distance: angstrom now. ideal: its target, NaN when it is not
    restrained. found: "record" (of the file), "distance" or "user". used: it is restrained. reason: where the target
    comes from, or why there is none.
    """

    label: str
    kind: str
    first: int
    second: int
    symmetry: bool
    distance: float
    ideal: float
    found: str
    used: bool
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Residues:
    """The residues of a model, one row each, in file order (r rows). Microheterogeneity gives one row per name.

    name, chain: text. number: author sequence number. insertion: insertion code or "".
    kind: "protein", "nucleic", "water", "ion", "sugar" or "ligand".
    first_atom, n_atoms: the run of atoms that belongs to the residue (atoms of a residue are contiguous).
    """

    name: TextArray
    chain: TextArray
    number: IntArray
    insertion: TextArray
    kind: TextArray
    first_atom: IntArray
    n_atoms: IntArray

    def __len__(self) -> int:
        return len(self.name)

    def label(self, row: int) -> str:
        """'A 89 PHE', as people say it."""
        return f"{self.chain[row]} {self.number[row]}{self.insertion[row]} {self.name[row]}"


@dataclass(frozen=True, eq=False)
class Model:
    """A macromolecular model: n atoms as parallel arrays, in file order.

    xyz: (n, 3) Cartesian angstrom. b_iso: (n,) A^2 (the equivalent B where anisotropic).
    u_aniso: (n, 6) A^2 as U11 U22 U33 U12 U13 U23, rows of zeros where isotropic. anisotropic: (n,) bool.
    occupancy: (n,). element: (n,) symbols as "C", "SE", "D" (upper case). charge: (n,).
    atom_name: (n,) e.g. "CA". altloc: (n,) "" or one letter. residue: (n,) row of `residues`.
    source_index: (n,) index of the atom in the source file's first model; -1 for atoms added since (hydrogens).
    source_text: the (decompressed) text of the file, from which export restores what refinement does not change.
    source_format: "pdb" or "mmcif". method: the experiment as the file names it ("NEUTRON DIFFRACTION") or "".
    """

    crystal: Crystal
    xyz: FloatArray
    b_iso: FloatArray
    u_aniso: FloatArray
    anisotropic: BoolArray
    occupancy: FloatArray
    element: TextArray
    charge: IntArray
    atom_name: TextArray
    altloc: TextArray
    residue: IntArray
    residues: Residues
    links: tuple[Link, ...]
    source_index: IntArray
    source: SourceFile
    source_text: str = field(repr=False)
    source_format: str
    notes: tuple[str, ...] = ()
    method: str = ""

    def __len__(self) -> int:
        return len(self.xyz)

    @property
    def radiation(self) -> str:
        """ "neutron" or "electron" where the file says that and not X-rays as well, else ""."""
        method = self.method.upper()
        if "X-RAY" in method:
            return ""
        if "NEUTRON" in method:
            return "neutron"
        # electron microscopy gives maps, no reflections: its models start refinements against X-ray data
        return "electron" if "ELECTRON CRYSTALLOGRAPHY" in method or "ELECTRON DIFFRACTION" in method else ""


@dataclass(frozen=True, eq=False)
class ModelState:
    """What refinement changes, for the n atoms of a `Model`: xyz (n, 3) angstrom, b_iso (n,) A^2,
    u_aniso (n, 6) A^2 (zeros where isotropic), occupancy (n,)."""

    xyz: FloatArray
    b_iso: FloatArray
    u_aniso: FloatArray
    occupancy: FloatArray

    @property
    def anisotropic(self) -> BoolArray:
        """(n,) bool: which atoms have a tensor."""
        return np.asarray(np.any(self.u_aniso != 0.0, axis=1))


@dataclass(frozen=True)
class ColumnChoice:
    """Which columns were taken and why, and what else could have been taken (labels)."""

    amplitude: str
    sigma: str
    free: str
    free_value: int | None
    amplitude_reason: str
    free_reason: str
    amplitude_candidates: tuple[str, ...] = ()
    free_candidates: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class MergingStatistics:
    """How well repeated observations agree, by resolution shell (b shells of equal count, low to high resolution).

    d_max, d_min: (b,) angstrom. n_observations, n_unique: (b,). r_merge, r_meas, r_pim: (b,) and CC of random half
    sets cc_half: (b,), NaN where nothing was measured twice. The overall values stand last (index b).
    """

    d_max: FloatArray
    d_min: FloatArray
    n_observations: IntArray
    n_unique: IntArray
    r_merge: FloatArray
    r_meas: FloatArray
    r_pim: FloatArray
    cc_half: FloatArray


@dataclass(frozen=True, eq=False)
class Measurements:
    """What was measured, before anything is left out or turned into amplitudes: unique, in the CCP4 asymmetric unit,
    sorted by hkl, systematic absences and negative intensities included (n rows).

    kind: what value (n,) and sigma (n,) are. label: the columns. mates: (n, 4) value+, sigma+, value-, sigma- of the
    Friedel mates (NaN where missing) or None. merging: of the observations, where they were merged here.
    radiation, wavelength (angstrom, 0 unknown): as the file says.
    """

    crystal: Crystal
    hkl: IntArray
    kind: Literal["amplitude", "intensity"]
    value: FloatArray
    sigma: FloatArray
    label: str
    mates: FloatArray | None = None
    merging: MergingStatistics | None = None
    radiation: str = ""
    wavelength: float = 0.0

    def __len__(self) -> int:
        return len(self.hkl)


@dataclass(frozen=True, eq=False)
class Reflections:
    """Observed amplitudes: unique, inside the CCP4 asymmetric unit, systematic absences dropped,
    F > 0 and sigma > 0, sorted by hkl (n rows).

    hkl: (n, 3). f_obs, sigma: (n,) on the file's scale. free: (n,) bool, True = test set.
    has_free: False when the file holds no test set (then `free` is all False).
    d_min, d_max: resolution limits in angstrom of the rows. completeness: fraction of the unique reflections
    between them that is observed. measured: what the amplitudes were made from, for judging the data.
    radiation: "x-ray", "neutron", "electron" or "" where the file says nothing. flags: (n,) the flag of each row as
    the file numbers it (columns.free_value marks the test set; -2**31: none), or None. intensity, sigma_intensity: (n,)
    the measurements that the amplitudes come from, on the scale of f_obs^2, of any sign, NaN where there is none; None
    where the file has amplitudes only. intensity_label: their columns.
    """

    crystal: Crystal
    hkl: IntArray
    f_obs: FloatArray
    sigma: FloatArray
    free: BoolArray
    has_free: bool
    d_min: float
    d_max: float
    completeness: float
    columns: ColumnChoice
    source: SourceFile
    notes: tuple[str, ...] = ()
    measured: Measurements | None = None
    radiation: str = ""
    flags: IntArray | None = None
    intensity: FloatArray | None = None
    sigma_intensity: FloatArray | None = None
    intensity_label: str = ""

    def __len__(self) -> int:
        return len(self.hkl)
