"""What a change between two cycles does to the numbers before and after it, in words."""

from __future__ import annotations

from workbench.core.settings import BModel, RunRequest
from workbench.engine.likelihood_choice import AUTO

B_WORDS: dict[BModel, str] = {
    "auto": "automatic",
    "isotropic": "isotropic",
    "anisotropic": "anisotropic",
    "main-side": "two for each residue",
    "per-residue": "one for each residue",
    "fixed": "not refined",
}
"""How B is described, in a few words."""


def incomparable(old: RunRequest, new: RunRequest, d_min: float) -> tuple[str, str]:
    """A short name of the change and what it makes incomparable; ("", "") when nothing changed. d_min: limit of the
    data in use, angstrom."""
    names, said = [], []
    before, after = old.settings.d_min, new.settings.d_min
    if before != after:
        limits = [f"{d:.2f}" if d is not None else "all data" for d in (before or d_min, after)]
        names.append(f"resolution {limits[0]} \u2192 {limits[1]}")
        said.append(
            "R_work, R_free and likelihoods before and after are over other reflections: do not compare them. Paired"
            " refinement (workbench paired) compares over those that both have."
        )
    against = [AUTO if each.settings.likelihood == "auto" else each.settings.likelihood for each in (old, new)]
    if against[0] != against[1]:
        names.append(f"likelihood of {against[1]}")
        said.append(
            "Likelihoods of amplitudes and of intensities are of different measurements: they do not compare; R factors"
            " are those of the amplitudes in either case and do."
        )
    if old.settings.b_model != new.settings.b_model:
        before_b, after_b = B_WORDS[old.settings.b_model], B_WORDS[new.settings.b_model]
        names.append(f"B factors {before_b} \u2192 {after_b}")
        said.append(
            "The number of parameters is another: R_free compares with R_free before, R_work and the gap do not."
        )
        if new.settings.b_model in ("main-side", "per-residue"):
            said.append("Each group begins at the mean B of its atoms: the first cycles bring it in.")
    if (old.free_label, old.free_value) != (new.free_label, new.free_value):
        value = "" if new.free_value is None else f" = {new.free_value}"
        names.append(f"test set {new.free_label or 'as found'}{value}")
        said.append(
            "The model has been refined against these test reflections: R_free is no independent measure, and compares"
            " with none before, until the model has been shaken, its B reset, and refined again."
        )
    return ", ".join(names), " ".join(said)
