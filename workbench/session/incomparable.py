"""What a change between two cycles does to the numbers before and after it, in words."""

from __future__ import annotations

from workbench.core.settings import RunRequest


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
    if old.settings.b_model != new.settings.b_model:
        names.append(f"B factors {old.settings.b_model} \u2192 {new.settings.b_model}")
        said.append(
            "The number of parameters is another: R_free compares with R_free before, R_work and the gap do not."
        )
    if (old.free_label, old.free_value) != (new.free_label, new.free_value):
        value = "" if new.free_value is None else f" = {new.free_value}"
        names.append(f"test set {new.free_label or 'as found'}{value}")
        said.append(
            "The model has been refined against these test reflections: R_free is no independent measure, and compares"
            " with none before, until the model has been shaken, its B reset, and refined again."
        )
    return ", ".join(names), " ".join(said)
