"""The mathematics of the comparison: R factors, paired sigma, free likelihood, time to a likelihood. Arrays only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import i0e

RESAMPLES = 4000
SEED = 4
PER_BIN = 60
"""Test reflections per bin of the likelihood, at least."""


def r_factor(f_obs: np.ndarray, f_model: np.ndarray) -> float:
    """sum |Fo - Fm| / sum Fo, over the reflections given; Fm already scaled."""
    return float(np.abs(f_obs - f_model).sum() / f_obs.sum())


def paired_difference(f_obs: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """(R(first) - R(second), its sigma) over the same reflections.

    sigma: standard deviation of the difference over RESAMPLES bootstrap samples of the reflections (Efron 1979), the
    same sample for both models, so that what both find hard cancels.
    """
    n = f_obs.size
    lost = np.abs(f_obs - first) - np.abs(f_obs - second)
    rng = np.random.default_rng(SEED)
    draws = np.empty(RESAMPLES)
    for k in range(RESAMPLES):
        take = rng.integers(0, n, n)
        draws[k] = lost[take].sum() / f_obs[take].sum()
    return float(lost.sum() / f_obs.sum()), float(draws.std(ddof=1))


def minus_log_likelihood(
    f_obs: np.ndarray,
    sigma: np.ndarray,
    f_model: np.ndarray,
    epsilon: np.ndarray,
    centric: np.ndarray,
    d: float,
    s: float,
) -> np.ndarray:
    """-ln p(Fo | Fm) per reflection: Rice (acentric) and Woolfson (centric) with the error of measurement.

    p_a = 2 Fo/V exp(-(Fo^2 + D^2 Fm^2)/V) I0(2 Fo D Fm / V),                V = 2 sigma^2 + epsilon S
    p_c = sqrt(2/(pi V)) exp(-(Fo^2 + D^2 Fm^2)/(2 V)) cosh(Fo D Fm / V),    V =   sigma^2 + epsilon S
    (Murshudov, Vagin & Dodson 1997, Acta Cryst. D53, 240-255).
    """
    v = np.where(centric, 1.0, 2.0) * sigma**2 + epsilon * s
    fc = d * f_model
    x = 2.0 * f_obs * fc / v
    acentric = np.log(v / (2.0 * f_obs)) + (f_obs - fc) ** 2 / v - np.log(i0e(x))
    half = 0.5 * x
    log_cosh_scaled = np.log1p(np.exp(-2.0 * half)) - math.log(2.0)  # ln cosh - half
    central = 0.5 * np.log(math.pi * v / 2.0) + (f_obs - fc) ** 2 / (2.0 * v) - log_cosh_scaled
    return np.where(centric, central, acentric)


def free_likelihood(columns: Mapping[str, np.ndarray], f_model: np.ndarray) -> float:
    """Mean -LL per test reflection, lower is better; D and S of each resolution bin are those that minimise it.

    Fitted on the test reflections themselves, two numbers for at least PER_BIN of them: the same advantage for all.
    """
    free = columns["free"]
    order = np.argsort(-columns["d"][free], kind="stable")
    bins = np.array_split(order, max(1, order.size // PER_BIN))
    names = ("f_obs", "sigma", "epsilon", "centric")
    test = {name: columns[name][free] for name in names}
    model = f_model[free]
    total = 0.0
    for rows in bins:
        fo, sigma, epsilon, centric = (test[name][rows] for name in names)
        fm = model[rows]
        d0 = float((fo * fm).sum() / (fm * fm).sum())
        start = max(float(np.mean((fo - d0 * fm) ** 2 / epsilon)), 1e-12 * float(np.mean(fo**2)))

        def loss(
            p: np.ndarray, fo: np.ndarray = fo, sigma: np.ndarray = sigma, fm: np.ndarray = fm,
            epsilon: np.ndarray = epsilon, centric: np.ndarray = centric, start: float = start,
        ) -> float:  # fmt: skip
            s = start * math.exp(min(max(p[1], -30.0), 30.0))
            return float(minus_log_likelihood(fo, sigma, fm, epsilon, centric, abs(p[0]), s).sum())

        simplex = np.array([[d0, 0.0], [0.9 * d0, 0.0], [d0, 0.5]])
        options = {"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-8}
        found = minimize(loss, simplex[0], method="Nelder-Mead", options=options)
        total += float(found.fun)
    return total / model.size


def seconds_to_likelihood(statistics: Mapping[str, Any], above_final: float, user: float, wall: float) -> float | None:
    """User seconds from process start until the free -LL was within `above_final` of its final value; None: never.

    F of each cycle is not stored, so the curve of the program's own statistics serves, relative to its value at the
    cycle that was kept; wall seconds of cycles become user seconds by the ratio of the whole job.
    """
    cycles: Sequence[Mapping[str, Any]] = statistics["cycles"]
    kept = next(row for row in cycles if row["cycle"] == statistics["final"]["cycle"])
    timing = statistics["timing"]
    elapsed = max(wall - timing["prepare_seconds"] - timing["refine_seconds"], 0.0) + timing["prepare_seconds"]
    for row in cycles:
        elapsed += row["seconds"]
        if row["ll_free"] <= kept["ll_free"] + above_final:
            return min(elapsed, wall) * user / wall
    return None
