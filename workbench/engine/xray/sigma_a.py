"""sigma_A: how far the model can be trusted, as smooth functions D(1/d^2) and S(1/d^2).

F_obs is distributed around D F_model with the variance epsilon S (Srinivasan & Ramachandran (1965), Acta Cryst. 19,
1008; Read (1986), Acta Cryst. A42, 140). D and S are found by maximum likelihood.

A few hundred test reflections cannot determine D and S bin by bin. Their *shape* over resolution is therefore taken
from the work reflections (there are many, but the model has been fitted to them, so that they are too optimistic), and
the test reflections determine a smooth correction of it: logit D and ln S are each moved by a piecewise linear
function with few nodes and a weak Gaussian prior around no change. The fewer the test reflections, the fewer the
nodes; in the limit of none the work-set estimate stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from workbench.core.arrays import BoolArray, FloatArray
from workbench.engine.xray.bins import logarithmic_bins
from workbench.engine.xray.observed import ModelTerms, Observed

_MOST_WORK = 6000
"""Work reflections used for the shape; more would not change it and cost time."""

_LARGEST_LOGIT = 7.0
"""D stays between 0.001 and 0.999."""


@dataclass(frozen=True, eq=False)
class SigmaA:
    """D and S as functions of resolution. edges: (k,) nodes in 1/d^2; logit_d, log_s: (k,) values there, linear
    between and constant beyond. source: in words, from which reflections. n_used: how many of the deciding set.
    of_work: logit D and ln S as the work reflections alone want them; correction: of the test set, at its nodes."""

    edges: FloatArray
    logit_d: FloatArray
    log_s: FloatArray
    source: str
    n_used: int
    of_work: tuple[FloatArray, FloatArray]
    correction: FloatArray | None = None

    def d_at(self, d_star_sq: FloatArray) -> FloatArray:
        """D, in (0, 1), at any 1/d^2."""
        return np.asarray(expit(np.interp(d_star_sq, self.edges, self.logit_d)))

    def s_at(self, d_star_sq: FloatArray) -> FloatArray:
        """S > 0 in electrons^2, without epsilon, at any 1/d^2."""
        return np.asarray(np.exp(np.interp(d_star_sq, self.edges, self.log_s)))


@dataclass(frozen=True, eq=False)
class _Set:
    """Reflections of one set, sorted by resolution."""

    observed: Observed
    f_model: FloatArray
    d_star_sq: FloatArray
    epsilon: FloatArray
    centric: BoolArray

    def take(self, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> _Set:
        return _Set(
            self.observed.take(rows),
            self.f_model[rows],
            self.d_star_sq[rows],
            self.epsilon[rows],
            self.centric[rows],
        )


def estimate_sigma_a(
    observed: Observed,
    f_model: FloatArray,
    d_star_sq: FloatArray,
    epsilon: FloatArray,
    centric: BoolArray,
    free: BoolArray,
    has_free: bool,
    previous: SigmaA | None = None,
) -> SigmaA:
    """Maximum-likelihood D and S for the observed reflections.

    observed: n reflections, in electrons. f_model: (n,) amplitudes. d_star_sq: (n,) 1/d^2. epsilon, centric: (n,).
    free: (n,) test set. The test set decides when there is one; without it the work set alone does, and `source` says
    so.
    previous: the estimate of a similar model for the same reflections, where the search begins.
    """
    everything = _Set(observed, f_model, d_star_sq, epsilon, centric)
    work_rows, free_rows = np.flatnonzero(~free), np.flatnonzero(free)
    by_resolution = work_rows[np.argsort(d_star_sq[work_rows], kind="stable")]
    stride = -(-len(by_resolution) // _MOST_WORK)
    work = everything.take(by_resolution[::stride])
    bins = logarithmic_bins(work.d_star_sq, lowest=150, fewest=80, most=14)
    edges = bins.edges
    if previous is None:
        shape_d, shape_s = _start(work, edges)
    else:
        shape_d, shape_s = (np.interp(edges, previous.edges, values) for values in previous.of_work)
    shape_d, shape_s, _ = _fit(work, edges, edges, shape_d, shape_s, None, None)
    of_work = shape_d, shape_s
    if not has_free or len(free_rows) == 0:
        source = f"work set ({len(work_rows)} reflections; no test set)"
        return SigmaA(edges, shape_d, shape_s, source, len(work_rows), of_work)
    test = everything.take(free_rows)
    nodes = int(np.clip(len(free_rows) // 60, 1, 8))
    coarse = np.linspace(edges[0], edges[-1], nodes) if nodes > 1 else edges[:1]
    if nodes > 2:  # half way to equal counts: low resolution keeps nodes of its own
        quantiles = np.quantile(test.d_star_sq, np.linspace(0.0, 1.0, nodes))
        coarse = 0.5 * (coarse + quantiles)
    begin = previous.correction if previous is not None else None
    shape_d, shape_s, correction = _fit(test, edges, coarse, shape_d, shape_s, (1.0, 0.5), begin)
    few = len(free_rows) < 50
    source = (
        f"work set, corrected by the {len(free_rows)} test reflections"
        if few
        else f"test set ({len(free_rows)} reflections)"
    )
    return SigmaA(edges, shape_d, shape_s, source, len(free_rows), of_work, correction)


def _start(data: _Set, edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Moments: D = <Fo Fc>/<Fc^2> and S = <(Fo - D Fc)^2 / epsilon>, of all reflections and then by node."""
    d = np.clip(np.sum(data.observed.f * data.f_model) / np.sum(data.f_model**2), 0.1, 0.95)
    residual = (data.observed.f - d * data.f_model) ** 2 / data.epsilon
    where = np.searchsorted(0.5 * (edges[:-1] + edges[1:]), data.d_star_sq)
    count = np.bincount(where, minlength=len(edges))
    local = (np.bincount(where, weights=residual, minlength=len(edges)) + 5.0 * np.mean(residual)) / (count + 5.0)
    return np.full(len(edges), float(logit(d))), np.log(np.maximum(2.0 * local, 1e-12))


def _fit(
    data: _Set,
    edges: FloatArray,
    nodes: FloatArray,
    base_d: FloatArray,
    base_s: FloatArray,
    prior: tuple[float, float] | None,
    begin: FloatArray | None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values of logit D and ln S at `edges`: base + a correction linear between `nodes`, by maximum likelihood.

    prior: standard deviations of the two corrections at their nodes; None leaves only the penalty on kinks.
    begin: (2 k,) where the search for the correction begins, which is given back as well.
    """
    k = len(nodes)
    to_edges = (
        np.stack([np.interp(edges, nodes, row) for row in np.eye(k)], axis=1) if k > 1 else np.ones((len(edges), 1))
    )
    at_data = np.stack([np.interp(data.d_star_sq, edges, column) for column in to_edges.T], axis=1)
    base_logit = np.interp(data.d_star_sq, edges, base_d)
    base_log = np.interp(data.d_star_sq, edges, base_s)
    kinks = np.zeros((max(k - 2, 0), k))
    for i in range(1, k - 1):
        t = (nodes[i] - nodes[i - 1]) / (nodes[i + 1] - nodes[i - 1])
        kinks[i - 1, i - 1 : i + 2] = (-(1.0 - t), 1.0, -t)
    stiffness = np.concatenate([kinks / 0.5, kinks / 0.5]) if prior is None else np.concatenate([kinks, kinks]) / 0.3
    n = len(data.observed)

    def objective(x: FloatArray) -> tuple[float, FloatArray]:
        raw = base_logit + at_data @ x[:k]
        logit_d = np.clip(raw, -_LARGEST_LOGIT, _LARGEST_LOGIT)
        d, s = expit(logit_d), np.exp(base_log + at_data @ x[k:])
        ll, by_d, by_s = data.observed.slopes(ModelTerms(data.f_model, d, s, data.epsilon, data.centric))
        gradient = np.concatenate(
            [at_data.T @ np.where(raw == logit_d, by_d * d * (1.0 - d), 0.0), at_data.T @ (by_s * s)]
        )
        value = float(np.sum(ll))
        for part, rows in ((slice(0, k), slice(0, len(kinks))), (slice(k, 2 * k), slice(len(kinks), None))):
            bend = stiffness[rows] @ x[part] if prior is not None else stiffness[rows] @ (x[part] + to_nodes[part])
            value += 0.5 * float(bend @ bend)
            gradient[part] += stiffness[rows].T @ bend
        if prior is not None:
            precision = np.repeat([1.0 / prior[0] ** 2, 1.0 / prior[1] ** 2], k)
            value += 0.5 * float(np.sum(precision * x * x))
            gradient += precision * x
        else:  # very weak: D must not run away where nothing determines it
            centred = x[:k] + to_nodes[:k] - 2.0
            value += 0.5 * float(np.sum(centred**2)) / 9.0
            gradient[:k] += centred / 9.0
        return value / n, gradient / n

    to_nodes = np.concatenate([np.interp(nodes, edges, base_d), np.interp(nodes, edges, base_s)])
    start = np.zeros(2 * k) if begin is None or len(begin) != 2 * k else begin
    result = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": 1e-6})
    x = np.asarray(result.x, dtype=np.float64)
    logit_d = np.clip(base_d + to_edges @ x[:k], -_LARGEST_LOGIT, _LARGEST_LOGIT)
    return logit_d, base_s + to_edges @ x[k:], x
