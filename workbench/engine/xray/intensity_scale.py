"""The scale of intensities against a model, apart from that of the amplitudes made of them.

French and Wilson's amplitude of a weak reflection lies near the mean of its shell whatever the model says, so that the
scale which makes R lowest is too small where the data are weak, by a factor of pi / 4 where they are hardly more than
noise (<F><F_model> / <F_model^2> of two that know nothing of each other). Amplitudes do not mind: D then means what is
left of the model in *them*. Intensities on such a scale would ask for D above 1. Here mean intensities of observations
and model are alike in every range of resolution: D is the correlation of normalised structure factors (Read, 1986, Acta
Cryst. A42, 140) and at most 1.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.engine.xray.bins import logarithmic_bins

PRIOR = 5.0
"""Strong reflections that speak for no difference."""
LARGEST = 4.0
"""... in either direction; where a model fits nothing its scale says nothing."""


def intensity_scale(
    intensity: FloatArray,
    sigma: FloatArray,
    model: FloatArray,
    d_star_sq: FloatArray,
    epsilon: FloatArray,
    wanted: FloatArray,
) -> FloatArray:
    """Mean of I over that of the model's, at each 1/d^2 of `wanted`.

    intensity, sigma: (n,) work reflections. model: (n,) |F_model|^2 on their scale. d_star_sq, epsilon: (n,). Ranges of
    resolution, each reflection with the weight of what is expected of it and of its error; ln of the ratio is linear
    between their centres.
    """
    if not len(intensity):
        return np.ones(len(wanted))
    bins = logarithmic_bins(d_star_sq, lowest=150, fewest=80, most=14)
    which, count = bins.index(d_star_sq), len(bins)

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(which, weights=values, minlength=count), dtype=np.float64)

    level = total(model / epsilon) / np.maximum(np.bincount(which, minlength=count), 1)
    expected = epsilon * np.maximum(level[which], 1e-30)
    weight = expected / (sigma * sigma + expected * expected)
    ratio = (total(weight * intensity) + PRIOR) / (total(weight * model) + PRIOR)
    return np.asarray(np.exp(np.interp(wanted, bins.centres, np.log(np.clip(ratio, 1.0 / LARGEST, LARGEST)))))
