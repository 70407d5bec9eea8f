"""Model, data and dictionaries become one refinement problem. Every cross-check between them is here."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

import gemmi
import numpy as np

from workbench.core.arrays import BoolArray, IntArray
from workbench.core.crystal import Model, ModelState, Reflections, SourceFile
from workbench.core.errors import InputError, SettingsError
from workbench.core.events import InputSummary, Note, Prepared
from workbench.core.miller import rows_among
from workbench.core.settings import RefinementSettings
from workbench.core.words import counted
from workbench.engine.atomic_model import AtomicModel, state_of
from workbench.engine.b_groups import FIXED, GROUPED
from workbench.engine.b_model import b_words, candidates, shape_strength
from workbench.engine.data_quality.too_strong import too_strong
from workbench.engine.data_quality.twin_signs import looks_twinned
from workbench.engine.geometry.description import GeometryDescription
from workbench.engine.geometry.ncs_copies import ncs_pairs
from workbench.engine.geometry.target import GeometryTarget
from workbench.engine.geometry.tensors import EIGHT_PI_SQ
from workbench.engine.geometry.topology import build_geometry
from workbench.engine.held_atoms import HeldAtoms
from workbench.engine.likelihood_choice import choose_likelihood
from workbench.engine.local_choice import LocalChoice
from workbench.engine.residue_parts import group_rows
from workbench.engine.restraints import Restraints
from workbench.engine.rigid_groups import find_bodies
from workbench.engine.same_crystal import in_the_crystal_of_the_data
from workbench.engine.selection import selected
from workbench.engine.special_positions import find_special_positions
from workbench.engine.xray.bulk_solvent import SolventMask
from workbench.engine.xray.model_factors import DataSet
from workbench.engine.xray.reflection_geometry import all_reflections
from workbench.engine.xray.structure_factors import StructureFactors

FEWEST_REFLECTIONS = 50
FEW_COMPONENTS = 4
"""As many strange components are told one by one; more in one line."""
WEAK_TEST_SET = 500
"""A test set smaller than this gives an R_free with a large uncertainty; it is used and marked."""


@dataclass(frozen=True, eq=False)
class RefinementProblem:
    """Everything `refine` needs, checked and built once."""

    prepared: Prepared
    notes: tuple[Note, ...]
    settings: RefinementSettings
    description: GeometryDescription
    atoms: AtomicModel
    geometry: GeometryTarget
    restraints: Restraints
    local: LocalChoice
    data: DataSet
    factors: StructureFactors
    mask: SolventMask
    start: ModelState
    first_cycle: int
    automatic_weight: float | None
    b_weight: float | None
    suspect_set: tuple[str, int | None] | None
    groups: tuple[IntArray, IntArray] | None
    """Main and side chains, as `residue_parts.group_rows`; None where nobody wants to know how they fit."""

    def with_anisotropic(self, anisotropic: BoolArray) -> RefinementProblem:
        """The same problem with tensors for the atoms `anisotropic` (n,)."""
        atoms = self.atoms.with_shapes(anisotropic)
        strength = shape_strength(self.data.n_work, atoms)
        return replace(
            self,
            atoms=atoms,
            restraints=Restraints(self.geometry, atoms, strength, self.restraints.copies, self.restraints.held),
        )


def prepare(
    model: Model,
    reflections: Reflections,
    monomers: gemmi.MonLib,
    component_sources: dict[str, str],
    dictionaries: tuple[SourceFile, ...],
    settings: RefinementSettings,
    start: ModelState | None = None,
    first_cycle: int = 0,
    links: dict[str, bool] | None = None,
    automatic_weight: float | None = None,
    b_weight: float | None = None,
    suspect_set: tuple[str, int | None] | None = None,
    strict_links: bool = False,
) -> RefinementProblem:
    """Check that model and data belong together and build what refinement needs.

    start: a state to go on from (rows as in the prepared model); shake and reset_b are then not applied.
    links: the user's decisions by the label of a link report: True to bond, False not to. strict_links: one that
    cannot be followed is an error, otherwise a note.
    automatic_weight, b_weight: those to begin with; None takes those of the resolution. suspect_set: as in RunRequest.
    Raises InputError or SettingsError, naming the file and the remedy.
    """
    began = time.perf_counter()
    _check_settings(settings)
    notes: list[Note] = []
    reflections = _limited(reflections, settings)
    likelihood = choose_likelihood(reflections, settings.likelihood)
    model = in_the_crystal_of_the_data(model, reflections, notes)
    twinned = looks_twinned(reflections.measured)
    notes += _doubts_about_the_data(reflections, twinned)
    hydrogens = settings.hydrogens
    if hydrogens == "auto":
        hydrogens = "keep" if np.isin(model.element, ("H", "D")).any() else "riding"
    neutrons = model.radiation == "neutron"
    scattering = _scattering(model, reflections, settings, notes)
    if (neutrons or scattering == "neutron") and not settings.nuclear_distances:
        notes.append(Note("Hydrogens stand where their nuclei are, as neutrons see them."))
    nuclear = neutrons or scattering == "neutron" or settings.nuclear_distances
    description = build_geometry(model, monomers, component_sources, hydrogens, links, nuclear, strict_links)
    notes += [Note(text) for text in (*model.notes, *reflections.notes)]
    notes += [Note(text) for text in description.notes]
    notes += _flagged_notes(description.flagged)
    notes += [
        Note(f"Link {link.label}: {link.reason}.", "warning")
        for link in description.links
        if not link.used and link.found in ("distance", "user")
    ]
    model = description.model
    find_bodies(model, settings.rigid_groups)  # raises for what cannot be understood
    atoms = _refined_atoms(description, settings, start, notes)
    if start is None:
        begin = _perturbed(_sound_b(state_of(model), model, reflections, notes), atoms, settings)
    else:
        if len(start.xyz) != len(model):
            raise InputError(
                "The state to go on from has another number of atoms than the model.",
                file=model.source.path,
                remedy="Open the model again.",
            )
        begin = start
    begin = atoms.reshaped(begin)
    # all reflections to the limit, observed or not: maps are filled and free of truncation ripples
    hkl = all_reflections(reflections.crystal, reflections.d_min, reflections.d_max)
    observed = _rows_observed(hkl, reflections.hkl)
    threads = settings.threads or os.cpu_count() or 1
    prepared = Prepared(
        model=replace(
            model,
            xyz=begin.xyz,
            b_iso=begin.b_iso,
            u_aniso=begin.u_aniso,
            occupancy=begin.occupancy,
            anisotropic=begin.anisotropic,
        ),
        reflections=reflections,
        hkl=hkl,
        observed=observed,
        bonds=description.drawn_bonds,
        restraint_counts=description.counts,
        riding_hydrogens=len(description.hydrogens.parent) if atoms.riding else 0,
        inputs=_inputs(model, reflections, dictionaries, component_sources),
        settings=settings,
        prepare_seconds=0.0,
        links=description.links,
        flagged=description.flagged,
        twinned=twinned,
        likelihood=likelihood.of,
        likelihood_words=likelihood.words,
    )
    held = _held_atoms(model, atoms, begin, settings, notes)
    copies = ncs_pairs(model)
    heavy = int(np.count_nonzero(~np.isin(model.element, ("H", "D"))))
    local = LocalChoice.of(int(np.count_nonzero(~reflections.free)), heavy, copies)
    notes += [Note(text) for text in local.notes(settings)]
    geometry = GeometryTarget(description)
    data = DataSet(reflections, hkl, observed, too_strong(reflections), likelihood.of == "intensities")
    problem = RefinementProblem(
        prepared=prepared,
        notes=tuple(notes),
        settings=settings,
        description=description,
        atoms=atoms,
        geometry=geometry,
        restraints=Restraints(geometry, atoms, shape_strength(data.n_work, atoms), copies, held),
        local=local,
        data=data,
        factors=StructureFactors(reflections.crystal, hkl, reflections.d_min, threads, scattering=scattering),
        mask=SolventMask(reflections.crystal, hkl, reflections.d_min, threads),
        start=begin,
        first_cycle=first_cycle,
        automatic_weight=automatic_weight,
        b_weight=b_weight,
        suspect_set=suspect_set,
        groups=group_rows(model),
    )
    return replace(problem, prepared=replace(prepared, prepare_seconds=time.perf_counter() - began))


def _doubts_about_the_data(reflections: Reflections, twinned: str) -> list[Note]:
    """Warnings on the test set, and on twinning (as `looks_twinned`)."""
    notes = []
    n_free = int(reflections.free.sum())
    if not reflections.has_free:
        notes.append(
            Note(
                "The data hold no test set: nothing watches for overfitting, sigma_A is estimated from the "
                "reflections that are refined against, and R_free cannot be given.",
                "warning",
            )
        )
    elif n_free < WEAK_TEST_SET:
        notes.append(Note(f"The test set is small ({counted(n_free, 'reflection')}): R_free is uncertain.", "warning"))
    if twinned:
        notes.append(
            Note(
                f"The data look twinned ({twinned}): refined as one crystal, R factors and maps mislead. "
                "Check the space group; `workbench inspect` gives the tests.",
                "warning",
            )
        )
    return notes


def _refined_atoms(
    description: GeometryDescription, settings: RefinementSettings, start: ModelState | None, notes: list[Note]
) -> AtomicModel:
    """The atoms with what the settings say of fixed coordinates and of B; start: a state to go on from."""
    model = description.model
    alone = model.residues.n_atoms[model.residue] == 1
    special = find_special_positions(model.crystal, model.xyz, alone)
    if len(special.rows):
        notes.append(
            Note(f"{counted(len(special.rows), 'atom', 'lie')} on symmetry elements and can move only along them.")
        )
    if settings.fix:
        fixed = selected(model, settings.fix, "fixed atoms")
        special = replace(special, fixed=np.flatnonzero(fixed).astype(np.int32))
        notes.append(Note(f"The coordinates of {counted(int(fixed.sum()), 'atom')} are fixed ({settings.fix})."))
    atoms = AtomicModel(description, special, b_choice=settings.b_model)
    if start is not None and len(start.xyz) == len(model):
        atoms = atoms.with_shapes(start.anisotropic)
    if settings.b_model in ("isotropic", *GROUPED):
        atoms = atoms.with_shapes(np.zeros(len(model), dtype=np.bool_))
    elif settings.b_model == "anisotropic":
        atoms = atoms.with_shapes(candidates(atoms))
    if settings.b_model in (*GROUPED, FIXED):
        notes.append(Note(b_words(atoms)))
    if model.anisotropic.any() and not atoms.anisotropic.any():
        notes.append(
            Note(f"The tensors of {counted(int(model.anisotropic.sum()), 'atom')} are replaced by their isotropic B.")
        )
    return atoms


def _held_atoms(
    model: Model, atoms: AtomicModel, begin: ModelState, settings: RefinementSettings, notes: list[Note]
) -> HeldAtoms | None:
    if not settings.hold:
        return None
    rows = np.flatnonzero(selected(model, settings.hold, "held atoms") & ~atoms.dependent).astype(np.int32)
    held = HeldAtoms(rows, begin.xyz[rows].copy(), settings.hold_sigma)
    notes.append(Note(f"{counted(len(rows), 'atom', 'are')} held in place ({settings.hold}), sigma {held.sigma:g} A."))
    return held


def _inputs(
    model: Model, reflections: Reflections, dictionaries: tuple[SourceFile, ...], component_sources: dict[str, str]
) -> InputSummary:
    """Where everything came from."""
    columns = reflections.columns
    return InputSummary(
        model=model.source,
        data=reflections.source,
        dictionaries=dictionaries,
        columns={
            "amplitude": columns.amplitude,
            "sigma": columns.sigma,
            "free": columns.free or None,
            "free_value": columns.free_value,
            "amplitude_reason": columns.amplitude_reason,
        },
        free_reason=columns.free_reason,
        component_sources={
            name: component_sources.get(name, "own geometry") for name in sorted({*map(str, model.residues.name)})
        },
    )


def _flagged_notes(flagged: dict[str, str]) -> list[Note]:
    """A line for each component whose chemistry is a guess; one for all that share a reason where there are many."""
    reasons: dict[str, list[str]] = {}
    for name, why in flagged.items():
        reasons.setdefault(why, []).append(name)
    notes = []
    for why, names in reasons.items():
        if len(names) <= FEW_COMPONENTS:
            notes += [Note(f"{name}: {why}", "warning") for name in names]
        else:
            shown = f"{', '.join(names[:FEW_COMPONENTS])} and {len(names) - FEW_COMPONENTS} more"
            notes.append(Note(f"{len(names)} components ({shown}): {why}", "warning"))
    return notes


def _check_settings(settings: RefinementSettings) -> None:
    if settings.cycles < 0:
        raise SettingsError("The number of cycles is negative.", remedy="Give 0 or more.")
    if settings.weight is not None and not (np.isfinite(settings.weight) and settings.weight >= 0.0):
        raise SettingsError(f"The weight {settings.weight} cannot be used.", remedy="Give a number from 0 up, or auto.")
    strengths = {"weight of B": settings.b_weight, "jelly body": settings.jelly_body, "NCS": settings.ncs}
    for name, value in strengths.items():
        if value is not None and not (np.isfinite(value) and value >= 0.0):
            raise SettingsError(f"A strength of {value} ({name}) cannot be used.", remedy="Give a number from 0 up.")
    if not (np.isfinite(settings.hold_sigma) and settings.hold_sigma > 0.0):
        raise SettingsError(f"A sigma of {settings.hold_sigma} A cannot be used.", remedy="Give a length above 0.")
    if settings.rigid_body == "on" and (settings.fix or settings.hold):
        raise SettingsError(
            "Rigid bodies cannot be moved while atoms are fixed or held.", remedy="Do one after the other."
        )
    if not (np.isfinite(settings.shake) and 0.0 <= settings.shake <= 3.0):
        raise SettingsError(f"A shake of {settings.shake} A cannot be used.", remedy="Give 0 to 3 A.")
    if isinstance(settings.reset_b, float) and not (np.isfinite(settings.reset_b) and 0 < settings.reset_b <= 500):
        raise SettingsError(f"B cannot be set to {settings.reset_b} A^2.", remedy="Give a value between 0 and 500.")


def _scattering(model: Model, reflections: Reflections, settings: RefinementSettings, notes: list[Note]) -> str:
    """Whose scattering factors: what the user says, else what the data say, else the model, else X-rays."""
    chosen: str = settings.scattering
    if chosen == "auto":
        chosen = reflections.radiation or model.radiation or "x-ray"
        if model.radiation and chosen != model.radiation:
            notes.append(Note(f"The model comes from {model.radiation} diffraction, the data say {chosen}.", "warning"))
        elif model.radiation and not reflections.radiation:
            notes.append(
                Note(f"The data do not say what they were measured with; the model says {chosen}s.", "warning")
            )
    if chosen != "x-ray":
        notes.append(Note(f"Scattering factors for {chosen}s are used.", "warning"))
    if chosen == "neutron" and not np.isin(model.element, ("H", "D")).any():
        notes.append(
            Note("The model has neither H nor D, which scatter neutrons like other atoms: add them first.", "warning")
        )
    return chosen


def _limited(reflections: Reflections, settings: RefinementSettings) -> Reflections:
    """The reflections inside the resolution limit that the user set."""
    if settings.d_min is not None:
        if not np.isfinite(settings.d_min) or settings.d_min <= 0.0:
            raise SettingsError(
                f"A resolution limit of {settings.d_min} A cannot be used.", remedy="Give a length in angstrom."
            )
        cell = gemmi.UnitCell(*reflections.crystal.cell)
        d = cell.calculate_d_array(np.ascontiguousarray(reflections.hkl))
        keep = d >= settings.d_min - 1e-6
        if not keep.any():
            raise SettingsError(
                f"No reflection lies within {settings.d_min} A; the data reach from {reflections.d_max:.2f} to "
                f"{reflections.d_min:.2f} A.",
                remedy="Choose another resolution limit.",
            )
        if not keep.all():
            total = len(all_reflections(reflections.crystal, float(d[keep].min()), float(d[keep].max())))
            reflections = replace(
                reflections,
                hkl=reflections.hkl[keep],
                f_obs=reflections.f_obs[keep],
                sigma=reflections.sigma[keep],
                free=reflections.free[keep],
                flags=reflections.flags[keep] if reflections.flags is not None else None,
                intensity=reflections.intensity[keep] if reflections.intensity is not None else None,
                sigma_intensity=reflections.sigma_intensity[keep] if reflections.sigma_intensity is not None else None,
                d_min=float(d[keep].min()),
                d_max=float(d[keep].max()),
                completeness=float(keep.sum()) / max(total, 1),
            )
    if len(reflections) < FEWEST_REFLECTIONS:
        raise InputError(
            f"Only {counted(len(reflections), 'usable reflection')}: too few to refine anything.",
            file=reflections.source.path,
            remedy="Give the complete data set, or a wider resolution limit.",
        )
    return reflections


def _rows_observed(hkl: IntArray, observed: IntArray) -> IntArray:
    """For each row of hkl (m, 3) the row of `observed` (n, 3) with the same indices, or -1."""
    rows = rows_among(hkl, observed)
    if np.count_nonzero(rows >= 0) != len(observed):
        raise InputError("Some reflections are outside the asymmetric unit or listed twice.", item="reflections")
    return rows


def _sound_b(state: ModelState, model: Model, reflections: Reflections, notes: list[Note]) -> ModelState:
    """B factors that mean nothing (all zero) are replaced by the Wilson B of the data."""
    if np.any(state.b_iso > 0.0) or model.anisotropic.any():
        return state
    cell = gemmi.UnitCell(*reflections.crystal.cell)
    s_sq = np.asarray(cell.calculate_1_d2_array(np.ascontiguousarray(reflections.hkl)))
    high = s_sq > 0.4 * s_sq.max()
    slope = np.polyfit(s_sq[high], np.log(reflections.f_obs[high] ** 2), 1)[0]
    b = float(np.clip(-2.0 * slope, 5.0, 150.0))
    notes.append(Note(f"Every B of the model is 0; refinement starts from {b:.0f} A^2 of the Wilson plot.", "warning"))
    return replace(state, b_iso=np.full_like(state.b_iso, b))


def _perturbed(state: ModelState, atoms: AtomicModel, settings: RefinementSettings) -> ModelState:
    """The start that was asked for: B reset, coordinates shaken."""
    if settings.reset_b is not None:
        heavy = ~atoms.dependent
        value = float(state.b_iso[heavy].mean()) if settings.reset_b == "mean" else float(settings.reset_b)
        u = np.zeros_like(state.u_aniso)
        u[atoms.anisotropic, :3] = value / EIGHT_PI_SQ
        state = replace(state, b_iso=np.full_like(state.b_iso, value), u_aniso=u)
    if settings.shake > 0.0:
        noise = np.random.default_rng(settings.seed).normal(size=state.xyz.shape) * settings.shake / np.sqrt(3.0)
        noise = atoms.special.project(noise)
        state = atoms.with_hydrogens(replace(state, xyz=state.xyz + noise))
    return state
