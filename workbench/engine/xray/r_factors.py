"""R factors: R = sum |F_obs - k |F_model|| / sum F_obs."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray, IntArray


def r_factor(f_obs: FloatArray, f_scaled: FloatArray, selection: BoolArray | None = None) -> float:
    """R factor of the selected reflections; NaN when there are none.

    f_obs: (n,) observed amplitudes. f_scaled: (n,) model amplitudes on the same scale. selection: (n,) bool or None.
    """
    if selection is not None:
        f_obs, f_scaled = f_obs[selection], f_scaled[selection]
    total = float(np.sum(f_obs))
    return float(np.sum(np.abs(f_obs - f_scaled))) / total if total > 0.0 else float("nan")


def r_factor_by_bin(f_obs: FloatArray, f_scaled: FloatArray, bin_of: IntArray, bins: int) -> FloatArray:
    """(bins,) R factor of each bin, NaN where a bin is empty. bin_of: (n,) bin of each reflection."""
    total = np.bincount(bin_of, weights=f_obs, minlength=bins)
    difference = np.bincount(bin_of, weights=np.abs(f_obs - f_scaled), minlength=bins)
    return np.asarray(np.where(total > 0.0, difference / np.where(total > 0.0, total, 1.0), np.nan))
