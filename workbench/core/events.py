"""The stream of a run: small frozen values that every face (window, command line, tests) reads.

Order: Progress/Note* -> Prepared -> CycleFinished(start) -> (Progress | Note | CycleFinished)* -> Finished | Failed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from workbench.core.arrays import BoolArray, Complex64Array, Float32Array, FloatArray, IntArray
from workbench.core.crystal import LinkReport, Model, ModelState, Reflections, SourceFile
from workbench.core.errors import Choice
from workbench.core.settings import Keep, RefinementSettings

Severity = Literal["info", "warning"]
EndReason = Literal["converged", "cycles", "stopped", "no_progress"]


@dataclass(frozen=True)
class Progress:
    """What is being done now. fraction: 0..1, or None when it cannot be told."""

    text: str
    fraction: float | None = None


@dataclass(frozen=True)
class Note:
    """A line for the log: a decision, or something the user should know."""

    text: str
    severity: Severity = "info"


@dataclass(frozen=True, eq=False)
class ShellTable:
    """Scale, solvent and sigma_A by resolution bin (b bins, low to high resolution), as used for one set of factors.

    d_max, d_min: bin limits in angstrom. n_work, n_free: counts. k_iso: isotropic scale. k_mask: solvent scale.
    sigma_d: the D of sigma_A theory (0..1). sigma_s: the variance S of the unexplained part (electrons^2, divided by
    epsilon). r_work, r_free: R factors (NaN where a bin has no such reflection).
    u_aniso: (6,) A^2 overall anisotropic tensor U11 U22 U33 U12 U13 U23 (Cartesian, traceless).
    """

    d_max: FloatArray
    d_min: FloatArray
    n_work: IntArray
    n_free: IntArray
    k_iso: FloatArray
    k_mask: FloatArray
    sigma_d: FloatArray
    sigma_s: FloatArray
    r_work: FloatArray
    r_free: FloatArray
    u_aniso: FloatArray


@dataclass(frozen=True, eq=False)
class ScaledFactors:
    """One model against one data set, over `Prepared.hkl` (m rows: every reflection to d_min, observed or not).

    f_model: (m,) F_atoms + k_mask F_mask, absolute scale (electrons). k_total: (m,) so that F_obs ~ k_total |f_model|.
    fom: (m,) figure of merit, 0 where not observed. sigma_d: (m,) D of sigma_A theory.
    """

    f_model: Complex64Array
    k_total: Float32Array
    fom: Float32Array
    sigma_d: Float32Array
    shells: ShellTable


@dataclass(frozen=True)
class CycleStatistics:
    """The numbers of one cycle; names and meanings are those of statistics.json (design: conventions 1-8).

    r_work, r_free: of the written atoms, as `score` computes them. r_*_riding_h: with the riding hydrogens of the run
    (equal to the former when there are none). ll_*: mean negative log-likelihood per reflection. rmsd in angstrom and
    degrees, rmsz dimensionless, non-hydrogen restraints. mean_b in A^2 over all atoms, max_shift in angstrom since the
    cycle before. geometry: rms Z and count of every family: {"bonds": (rmsz, n), ...}.
    r_free is NaN when there is no test set.

    For the diagnosis (NaN or 0 where not known): r_free_sigma: sampling error of r_free (bootstrap). r_free_rise: above
    the lowest r_free of the run so far; r_free_rise_sigma: its paired error; ll_free_rise, ll_free_rise_sigma: the same
    of ll_free. parameters: refined. effective_parameters:
    those that the data determine with the weights of this cycle; reference_parameters: with the automatic weight and
    all restraint families at 1 (`engine.optimise.effective_parameters`).
    bulk_rmsz_*: rms Z of all but the worst restraints (`engine.geometry.statistics`), which steers the weight.
    b_weight: automatic multiplier of the restraints of B (`engine.optimise.weights`).
    outliers: reflections left out of the likelihood, "h k l" or "h k l test"; R factors count them.
    likelihood: whose ll_* are, "amplitudes" or "intensities": values of the two do not compare.
    """

    cycle: int
    r_work: float
    r_free: float
    r_work_riding_h: float
    r_free_riding_h: float
    ll_work: float
    ll_free: float
    n_work: int
    n_free: int
    rmsd_bonds: float
    rmsz_bonds: float
    rmsd_angles: float
    rmsz_angles: float
    xray_weight: float
    automatic_weight: float
    weight_reason: str
    mean_b: float
    rms_shift: float
    max_shift: float
    mean_abs_shift_b: float
    seconds: float
    geometry: dict[str, tuple[float, int]] = field(default_factory=dict)
    r_free_sigma: float = float("nan")
    r_free_rise: float = float("nan")
    r_free_rise_sigma: float = float("nan")
    ll_free_rise: float = float("nan")
    ll_free_rise_sigma: float = float("nan")
    parameters: int = 0
    effective_parameters: float = float("nan")
    reference_parameters: float = float("nan")
    bulk_rmsz_bonds: float = float("nan")
    bulk_rmsz_angles: float = float("nan")
    b_weight: float = 1.0
    outliers: tuple[str, ...] = ()
    likelihood: str = "amplitudes"


@dataclass(frozen=True)
class InputSummary:
    """What was read, for panels, log and statistics.json."""

    model: SourceFile
    data: SourceFile
    dictionaries: tuple[SourceFile, ...]
    columns: dict[str, str | int | None]
    free_reason: str
    component_sources: dict[str, str]
    """Component name -> where its restraints come from ("embedded", a path, "own geometry")."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Model and data fit together; refinement can begin.

    hkl: (m, 3) every reflection to d_min in the asymmetric unit. observed: (m,) row of `reflections` or -1.
    bonds: (k, 2) atom pairs to draw. restraint_counts: number of restraints of each family.
    riding_hydrogens: number of hydrogens that ride but are not in the model.
    links: bonds between residues, made or proposed. flagged: component -> why its restraints are weak.
    twinned: twin law and fraction in words where the data look twinned, else "".
    likelihood: what is refined against, "amplitudes" or "intensities"; likelihood_words: the same with the reason.
    """

    model: Model
    reflections: Reflections
    hkl: IntArray
    observed: IntArray
    bonds: IntArray
    restraint_counts: dict[str, int]
    riding_hydrogens: int
    inputs: InputSummary
    settings: RefinementSettings
    prepare_seconds: float
    links: tuple[LinkReport, ...] = ()
    flagged: dict[str, str] = field(default_factory=dict)
    twinned: str = ""
    likelihood: str = "amplitudes"
    likelihood_words: str = ""


@dataclass(frozen=True)
class AppliedSettings:
    """Live settings as the engine first saw them: in the cycle `cycle` (the one under way), at its `poll`-th question
    for settings, counted from 0 after the event of the cycle before."""

    cycle: int
    poll: int
    settings: RefinementSettings


@dataclass(frozen=True, eq=False)
class ResidueFit:
    """Fit to the density of each of r residues: columns main chain (all of a ligand or water) and side chain.

    rscc: (r, 2) real-space correlation. rszd_plus, rszd_minus: (r, 2) Z of positive and negative difference density
    near the group, both >= 0. NaN where a residue has no such atoms (float32).
    """

    rscc: Float32Array
    rszd_plus: Float32Array
    rszd_minus: Float32Array


@dataclass(frozen=True, eq=False)
class WorstRestraints:
    """The worst geometry restraint (B factors apart) of each of n atoms.

    z: (n,) (value - ideal) / sigma with its sign, NaN where an atom has none (float32). family: (n,) row of
    `core.settings.FAMILIES`, -1 where there is none.
    """

    z: Float32Array
    family: IntArray


@dataclass(frozen=True, eq=False)
class CycleFinished:
    """An accepted cycle (the start is one as well): model, factors, numbers. `best`: it is the best so far.

    refined: the factors the target saw (riding hydrogens included); maps are made from them.
    written: the factors of the atoms that are written (the same object when there are no riding hydrogens).
    applied: changes of the live settings since the cycle before, as the engine met them. fit: of every residue to its
    density, worst: restraint of every atom; None where nobody looked.
    """

    state: ModelState
    refined: ScaledFactors
    written: ScaledFactors
    statistics: CycleStatistics
    best: bool
    applied: tuple[AppliedSettings, ...] = ()
    fit: ResidueFit | None = None
    worst: WorstRestraints | None = None


@dataclass(frozen=True, eq=False)
class Finished:
    """The run has ended; `kept` is the cycle number whose state is the result, with the reason in words."""

    reason: EndReason
    text: str
    kept: CycleFinished
    refine_seconds: float
    peak_memory_mb: float
    keep: Keep = "best"


@dataclass(frozen=True)
class Failed:
    """The run could not go on. `exit_code` and `choice` as in core.errors; details is a traceback for the log only."""

    message: str
    exit_code: int
    details: str = ""
    file: str = ""
    item: str = ""
    remedy: str = ""
    choice: Choice = ""


RunEvent: TypeAlias = Progress | Note | Prepared | CycleFinished | Finished | Failed

__all__ = [
    "AppliedSettings",
    "BoolArray",
    "CycleFinished",
    "CycleStatistics",
    "EndReason",
    "Failed",
    "Finished",
    "Float32Array",
    "InputSummary",
    "Note",
    "Prepared",
    "Progress",
    "ResidueFit",
    "RunEvent",
    "ScaledFactors",
    "Severity",
    "ShellTable",
    "WorstRestraints",
]
