"""The judgement of a data set: one traffic light, one sentence and one consequence for each thing looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import gemmi
import numpy as np

from workbench.core.crystal import Model, Reflections
from workbench.core.errors import InputError
from workbench.core.words import counted
from workbench.engine.data_quality import crystal_checks, twinning, wilson
from workbench.engine.data_quality.intensities import Intensities, intensities_of
from workbench.engine.data_quality.shells import Shells, reliable, shell_table
from workbench.engine.data_quality.twin_signs import TwinSigns, twin_signs

Light = Literal["green", "amber", "red", "grey"]
FEWEST = 50
SMALL_MASS = 5000.0
"""Da in the asymmetric unit below which a molecule (peptide, oligonucleotide) packs like an organic crystal, not like
the proteins of which Matthews' volumes are."""
PACKED = 1.0
"""A^3/Da: organic crystals without any solvent have 1.1 to 1.4 (1.66 / density of 1.2 to 1.5); less is no crystal."""
UNUSUAL_ANISOTROPY = 10.0
"""A^2 between the strongest and the weakest direction; beyond twice that maps suffer visibly."""


@dataclass(frozen=True)
class Item:
    """name: what was looked at. light: grey means that it cannot be told. sentence: what was found. action: what the
    program does about it. values: numbers behind it."""

    name: str
    light: Light
    sentence: str
    action: str
    values: Mapping[str, float | int | str | None]


@dataclass(frozen=True, eq=False)
class QualityReport:
    """items in the order of reading; the rest for pictures. laws: of twinning, most likely first. patterson: None where
    there is too little data."""

    items: tuple[Item, ...]
    shells: Shells
    plot: wilson.WilsonPlot
    l_test: twinning.LTest
    laws: tuple[twinning.TwinLaw, ...] = ()
    patterson: crystal_checks.PattersonPicture | None = None

    @property
    def worst(self) -> Light:
        order: tuple[Light, ...] = ("red", "amber", "green", "grey")
        lights = {item.light for item in self.items}
        return next((light for light in order if light in lights), "grey")


def assess(reflections: Reflections, model: Model | None = None) -> QualityReport:
    """Judge the measurements behind `reflections`, and a model's share of the cell.

    Raises InputError for fewer than 50 reflections.
    """
    measured = reflections.measured
    if measured is None or len(measured) < FEWEST:
        raise InputError(
            f"only {counted(0 if measured is None else len(measured), 'reflection')}: too few to judge.",
            file=reflections.source.path,
            remedy="Give the complete data set.",
        )
    data = intensities_of(measured)
    # mates and moments are judged where intensities are well above their errors
    shells = shell_table(data)
    strong = reliable(data, shells)
    plot = wilson.wilson_plot(data)
    signs = twin_signs(data, strong)
    amplitudes = measured.kind == "intensity" and signs.of_amplitudes
    items = [
        *([_kind_of_values(reflections, signs)] if amplitudes else []),
        _test_set(reflections),
        _completeness(reflections, shells),
        _strength(shells, measured.kind),
        _merging(reflections),
        _wilson(plot),
        _anisotropy(data),
        _twinning(signs) if not amplitudes else Item("Twinning", "grey", "Cannot be told of such values.", "", {}),
        _symmetry(data, strong),
        _absences(reflections),
        _translation(data),
        _ice(data),
        _outliers(data),
        _radiation(reflections, model),
    ]
    if model is not None:
        items.append(_matthews(data, model))
    picture = crystal_checks.patterson_picture(data)
    return QualityReport(tuple(items), shells, plot, signs.l_test, signs.laws, picture)


def _kind_of_values(reflections: Reflections, signs: TwinSigns) -> Item:
    """Of values that were read as intensities and are spread like amplitudes."""
    option = "--labels F,SIGF"
    told = any(option in note for note in reflections.notes)
    return Item(
        "Kind of data",
        "red",
        f"These look like amplitudes, and were read as intensities: <|L|> = {signs.l_test.mean_abs:.3f} (0.307 for "
        f"amplitudes, 0.500 for intensities), <I^2>/<I>^2 = {signs.moments[0]:.2f} (1.27 and 2.00).",
        f"Read them as what they are: {option}."
        if told
        else "Check the columns, and how the file was made (--labels).",
        {"mean_abs_l": signs.l_test.mean_abs, "moment_acentric": signs.moments[0]},
    )


def _test_set(reflections: Reflections) -> Item:
    n = int(reflections.free.sum())
    reason = reflections.columns.free_reason
    values: dict[str, float | int | str | None] = {
        "n_free": n,
        "n": len(reflections),
        "label": reflections.columns.free or None,
        "value": reflections.columns.free_value,
    }
    if not reflections.has_free:
        return Item(
            "Test set", "red", f"There is no test set: {reason}.", "None is made unless asked (--create-free).", values
        )
    share = 100 * n / len(reflections)
    said = f"{counted(n, 'reflection')}, {share:.1f} %; {reflections.columns.free}: {reason}."
    high = reflections.free[np.argsort(_s_sq(reflections))[-max(50, len(reflections) // 20) :]]
    if share > 40:
        return Item("Test set", "red", f"More test than work reflections? {said}", "Flags may be flipped.", values)
    if not high.any():
        return Item(
            "Test set",
            "red",
            f"The outermost reflections have no test set. {said}",
            "Extend it: --extend-free.",
            values,
        )
    if n < 500:
        return Item("Test set", "amber", f"Small: {said}", "Used; R_free is uncertain, k-fold helps.", values)
    return Item("Test set", "green", said[0].upper() + said[1:], "Used as it is, never redrawn.", values)


def _s_sq(reflections: Reflections) -> np.ndarray:
    return np.asarray(gemmi.UnitCell(*reflections.crystal.cell).calculate_1_d2_array(reflections.hkl))


def _completeness(reflections: Reflections, shells: Shells) -> Item:
    whole, outer = reflections.completeness, float(shells.completeness[-1])
    spread = np.where(np.isfinite(shells.axis_completeness), shells.axis_completeness, 1.0)[1:].min(axis=0, initial=1.0)
    values = {"overall": whole, "outer_shell": outer, "d_min": reflections.d_min, "d_max": reflections.d_max}
    light: Light = "green" if whole >= 0.95 else "amber" if whole >= 0.8 else "red"
    if light == "green" and outer < 0.6:
        light = "amber"
    text = (
        f"{100 * whole:.1f} % of the reflections to {reflections.d_min:.2f} A, {100 * outer:.0f} % in the outer shell"
    )
    lacking = [axis for axis, value in zip(("a*", "b*", "c*"), spread, strict=False) if value < 0.5]
    if lacking:
        text += f"; shells along {' and '.join(lacking)} are half empty"
    action = "Missing ones are filled with D*Fc in maps." if whole < 0.999 else "Nothing to do."
    return Item("Completeness", light, f"{text}.", action, values)


def _strength(shells: Shells, kind: str) -> Item:
    outer = float(shells.i_over_sigma[-1])
    name = "I/sigma" if kind == "intensity" else "I/sigma (from F)"
    values = {"outer": outer, "inner": float(shells.i_over_sigma[0])}
    if outer > 5:
        return Item(
            "Signal",
            "amber",
            f"{name} is still {outer:.1f} in the outer shell: weak data were cut.",
            "All that is there is used.",
            values,
        )
    if outer < 0.5:
        return Item(
            "Signal",
            "amber",
            f"{name} is {outer:.1f} in the outer shell: hardly any signal.",
            "Kept, weighted by sigma; --resolution cuts.",
            values,
        )
    return Item("Signal", "green", f"{name} falls to {outer:.1f} in the outer shell.", "Everything is used.", values)


def _merging(reflections: Reflections) -> Item:
    table = reflections.measured.merging if reflections.measured is not None else None
    if table is None:
        return Item("Merging", "grey", "The data came merged: agreement of observations cannot be told.", "", {})
    r, cc, outer = float(table.r_meas[-1]), float(table.cc_half[-1]), float(table.cc_half[-2])
    values = {
        "r_merge": float(table.r_merge[-1]),
        "r_meas": r,
        "r_pim": float(table.r_pim[-1]),
        "cc_half": cc,
        "cc_half_outer": outer,
        "multiplicity": float(table.n_observations[-1] / max(table.n_unique[-1], 1)),
    }
    light: Light = "green" if cc > 0.98 and r < 0.25 else "amber" if cc > 0.9 else "red"
    text = f"R_meas {r:.3f}, CC1/2 {cc:.3f} overall and {outer:.2f} in the outer shell."
    return Item("Merging", light, text, "Merged by inverse variance.", values)


def _wilson(plot: wilson.WilsonPlot) -> Item:
    if not math.isfinite(plot.b):
        return Item("Wilson B", "grey", "Too little data for a Wilson plot.", "", {"b": None})
    light: Light = "red" if plot.b < 0 else "amber" if plot.b < 3 or plot.b > 120 else "green"
    return Item(
        "Wilson B",
        light,
        f"B = {plot.b:.1f} A^2 (error {plot.error:.1f}).",
        "Starting B where a model has none.",
        {"b": plot.b, "error": plot.error},
    )


def _anisotropy(data: Intensities) -> Item:
    found = wilson.anisotropy(data)
    low, high = found.principal[0], found.principal[2]
    light: Light = "green" if found.difference < UNUSUAL_ANISOTROPY else "amber"
    if found.difference > 3 * UNUSUAL_ANISOTROPY:
        light = "red"
    return Item(
        "Anisotropy",
        light,
        f"B differs by {found.difference:.1f} A^2 between directions ({low:+.1f} to {high:+.1f}).",
        "An anisotropic overall scale is refined.",
        {"difference": found.difference, "lowest": low, "highest": high},
    )


def _twinning(signs: TwinSigns) -> Item:
    said, laws = signs.numbers, signs.laws
    values: dict[str, float | int | str | None] = {
        "mean_abs_l": signs.l_test.mean_abs,
        "mean_l_sq": signs.l_test.mean_sq,
        "moment_acentric": signs.moments[0],
        "moment_centric": signs.moments[1],
    }
    if laws:
        law = laws[0]
        values |= {
            "law": law.operator,
            "fraction": law.h_fraction,
            "r_twin": law.r_twin,
            "correlation": law.correlation,
        }
    match signs.kind:
        case "twinned":
            return Item(
                "Twinning",
                "red",
                f"Twinned by {laws[0].operator}, fraction about {laws[0].h_fraction:.2f}; {said}.",
                "Refined as untwinned, R factors will stay high: detwinning or a twin target is needed.",
                values,
            )
        case "mates agree":
            return Item(
                "Twinning",
                "amber",
                f"Mates under {laws[0].operator} agree (fraction {laws[0].h_fraction:.2f}) though {said}: twinning "
                "hidden by pseudo-symmetry, or higher symmetry.",
                "Refined as untwinned.",
                values,
            )
        case "unusual":
            return Item(
                "Twinning",
                "amber",
                f"{said}: unusual intensities"
                + (", and no twin law of the lattice explains them." if not laws else "."),
                "Check the processing and the space group.",
                values,
            )
        case "unknown":
            return Item("Twinning", "grey", "Too little data to tell.", "", values)
    possible = (
        f"; possible laws: {', '.join(law.operator for law in laws)}" if laws else "; the lattice allows no twin law"
    )
    return Item("Twinning", "green", f"No sign of it: {said}{possible}.", "Refined as untwinned.", values)


def _symmetry(data: Intensities, strong: np.ndarray) -> Item:
    found = crystal_checks.higher_symmetry(data, strong & (data.intensity > 3 * data.sigma))
    if not found:
        return Item("Symmetry", "green", "The lattice allows no higher symmetry.", "Nothing to do.", {})
    best = found[0]
    values: dict[str, float | int | str | None] = {
        "operator": best.operator,
        "r": best.r,
        "correlation": best.correlation,
    }
    if best.r < 0.10 and best.correlation > 0.9:
        return Item(
            "Symmetry",
            "red",
            f"Intensities agree under {best.operator} (R {best.r:.2f}): higher Laue symmetry, or a perfect twin.",
            "The space group of the file is kept: check it.",
            values,
        )
    return Item(
        "Symmetry",
        "green",
        f"The lattice would allow {best.operator}, the intensities do not (R {best.r:.2f}).",
        "The space group of the file is kept.",
        values,
    )


def _absences(reflections: Reflections) -> Item:
    assert reflections.measured is not None
    found = crystal_checks.absences(reflections.measured)
    values: dict[str, float | int | str | None] = {"n": found.n, "strong": found.strong}
    if found.n == 0:
        return Item("Absences", "grey", "The file lists no systematically absent reflections.", "", values)
    if found.strong > max(2, 0.15 * found.n):
        return Item(
            "Absences",
            "red",
            f"{found.strong} of {counted(found.n, 'reflection')} that {reflections.crystal.space_group} forbids "
            f"{'is' if found.strong == 1 else 'are'} above 3 sigma.",
            "They are left out: check the screw axes and glide planes.",
            values,
        )
    return Item(
        "Absences",
        "green",
        f"{counted(found.n, 'forbidden reflection')}, {found.strong} above 3 sigma.",
        "Left out.",
        values,
    )


def _translation(data: Intensities) -> Item:
    peak = crystal_checks.patterson_peak(data)
    if peak is None:
        return Item("Translational NCS", "grey", "The cell or the data are too small to tell.", "", {})
    values = {"height": peak.height, "distance": peak.distance}
    where = ", ".join(f"{v:.3f}" for v in peak.vector)
    text = f"Largest Patterson peak {100 * peak.height:.0f} % of the origin at {where}."
    if peak.height >= crystal_checks.TNCS_PEAK:
        return Item(
            "Translational NCS",
            "amber",
            text,
            "Moments and sigma_A are less certain; a test set in shells helps.",
            values,
        )
    return Item("Translational NCS", "green", text, "Nothing to do.", values)


def _ice(data: Intensities) -> Item:
    rings = [ring for ring in wilson.ice_rings(data) if ring.z > 5 and ring.excess > 1.3]
    if not rings:
        return Item("Ice rings", "green", "None.", "Nothing to do.", {"rings": 0})
    where = ", ".join(f"{ring.d:.2f} A ({ring.excess:.1f} times too strong)" for ring in rings)
    return Item("Ice rings", "amber", f"At {where}.", "Kept: the likelihood weighs them.", {"rings": len(rings)})


def _outliers(data: Intensities) -> Item:
    rows = wilson.outliers(data)
    light: Light = "green" if len(rows) <= max(3, len(data.z) // 10000) else "amber"
    text = "None." if not len(rows) else f"{len(rows)} too strong to be believed"
    if len(rows):
        worst = data.hkl[rows[np.argmax(data.z[rows])]]
        text += f", the worst {worst[0]} {worst[1]} {worst[2]} with {data.z[rows].max():.0f} times the mean."
    return Item("Outliers", light, text, "Kept in every R.", {"n": len(rows)})


def _radiation(reflections: Reflections, model: Model | None) -> Item:
    said = model.radiation if model is not None else ""
    kind = reflections.radiation or said or "x-ray"
    if kind == "x-ray":
        text = "X-ray." if reflections.radiation else "The file does not say; X-rays are assumed."
        return Item("Radiation", "green", text, "X-ray scattering factors.", {"radiation": reflections.radiation})
    return Item(
        "Radiation",
        "amber",
        f"The file says {kind} diffraction."
        if reflections.radiation
        else f"The file does not say; the model comes from {kind} diffraction.",
        "Electron scattering factors are used."
        if kind == "electron"
        else "Neutron scattering lengths are used, and H and D told apart.",
        {"radiation": kind},
    )


def _matthews(data: Intensities, model: Model) -> Item:
    heavy = ~np.isin(model.residues.kind[model.residue], ("water",))
    mass = float(
        sum(gemmi.Element(str(e)).weight * q for e, q in zip(model.element[heavy], model.occupancy[heavy], strict=True))
    )
    if mass <= 0:
        return Item("Solvent", "grey", "The model has no mass.", "", {})
    found = crystal_checks.matthews(data.cell.volume, len(data.group.operations()), mass)
    small = mass < SMALL_MASS
    lowest, low = (PACKED, PACKED + 0.1) if small else (1.4, 1.7)
    light: Light = "green" if low <= found.v_m <= 3.5 else "amber" if lowest <= found.v_m <= 5 else "red"
    text = f"V_M = {found.v_m:.2f} A^3/Da, {100 * found.solvent:.0f} % solvent with this model"
    if small and found.v_m < 1.7 and light == "green":
        text += "; a molecule this small packs with little"
    action = "Nothing to do." if light == "green" else "Check the number of copies."
    if found.v_m < PACKED:
        action = "There is no room for so many atoms: check cell, symmetry and number of copies."
    return Item("Solvent", light, f"{text}.", action, {"v_m": found.v_m, "solvent": found.solvent, "mass": found.mass})
