"""The integral over the true amplitude behind a measured intensity, reflection by reflection.

With x = |F| and J = x^2, up to constants,

    log f(x) = p log x - a (x - mu)^2 + log g(b x) - (J - I)^2 / (2 sigma^2)          mu = D Fc, Sigma = epsilon S

    acentric   p = 1   a = 1 / Sigma        b = 2 mu / Sigma    g(z) = exp(-z) I0(z)
    centric    p = 0   a = 1 / (2 Sigma)    b = mu / Sigma      g(z) = exp(-z) cosh(z)

As a function of J, log f is concave: log J, the Gaussian, log cosh(J^(1/2)) and log I0(J^(1/2)) are (the latter two are
sums of log(1 + J / z_k^2) over the zeros +-i z_k). f has one maximum, which safeguarded Newton steps find, and falls on
either side of it: the integral is taken by a Gauss-Legendre rule between the two points where log f has fallen by
DEPTH, or from 0.

The search needs no exact log I0: Amos (1974), Math. Comp. 28, 239, bounds I1(z)/I0(z) below by z / (1/2 + s),
s = (z^2 + 9/4)^(1/2), whose integral is s - log(s + 1/2) / 2.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.core.arrays import BoolArray, FloatArray
from workbench.engine.kernels import kernel
from workbench.engine.xray.bessel import scaled_bessel

POINTS = 24
"""Of the Gauss-Legendre rule. Against adaptive integration: relative error below 1e-7 in p, 1e-6 in its derivatives."""
DEPTH = 18.0
"""What is left out beyond the ends is below exp(-18) of the maximum."""
NEAR_ENOUGH = 0.01
"""The search ends where a step would raise log f by less (and is short)."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(POINTS)
_LOG_2_PI = math.log(2.0 * math.pi)


@kernel
def _log_shape(x: float, p: float, a: float, b: float, mu: float, i_obs: float, sigma: float) -> float:
    """log f, with log g from Amos' bound where acentric; -inf at x = 0 there."""
    z = b * x
    if p > 0.0:
        if x <= 0.0:
            return -np.inf
        s = math.sqrt(z * z + 2.25)
        grown = math.log(x) + (s - z) - 0.5 * math.log(s + 0.5)
    else:
        grown = math.log1p(math.exp(-2.0 * z))
    off = (x * x - i_obs) / sigma
    return grown - a * (x - mu) ** 2 - 0.5 * off * off


@kernel
def _slope(x: float, p: float, a: float, b: float, i_obs: float, sigma: float) -> float:
    """d log f / d log x for x > 0, with I1/I0 from Amos' bound where acentric."""
    z = b * x
    ratio = z / (0.5 + math.sqrt(z * z + 2.25)) if p > 0.0 else math.tanh(z)
    return p + z * ratio - 2.0 * x * x * (a + (x * x - i_obs) / (sigma * sigma))


@kernel
def _mode(p: float, a: float, b: float, mu: float, i_obs: float, sigma: float) -> float:
    """x of the maximum of f; 0 where f falls from the beginning (centric).

    Newton's steps on `_slope`, from beyond, where it falls ever faster; by halves where they leave the bracket.
    """
    if p == 0.0 and 0.5 * b * b - a + i_obs / (sigma * sigma) <= 0.0:
        return 0.0
    low, high = 0.0, max(math.sqrt(max(i_obs, 0.0)), mu) + min(math.sqrt(0.5 / a), math.sqrt(sigma))
    slope = _slope(high, p, a, b, i_obs, sigma)
    while slope > 0.0:
        low, high = high, 2.0 * high
        slope = _slope(high, p, a, b, i_obs, sigma)
    x = high
    for _ in range(200):
        ahead = 1.0001 * x
        bend = (_slope(ahead, p, a, b, i_obs, sigma) - slope) / (ahead - x)
        new = x - slope / bend if bend < 0.0 else -1.0
        if not low < new < high:
            new = 0.5 * (low + high)
        step, gain = abs(new - x), abs(slope / x * (new - x))
        x = new
        if (gain < NEAR_ENOUGH and step < 0.05 * x) or high - low < 1e-14 * high:
            break
        slope = _slope(x, p, a, b, i_obs, sigma)
        if slope > 0.0:
            low = x
        else:
            high = x
    return x


@kernel
def _end(
    mode: float, width: float, side: float, p: float, a: float, b: float, mu: float, i_obs: float, sigma: float
) -> float:
    """x on one side (+1, -1) of the maximum where log f has fallen by DEPTH, or a little more; 0 where it does not."""
    top = _log_shape(mode, p, a, b, mu, i_obs, sigma)
    reach = 6.0 * width
    for _ in range(80):
        x = mode + side * reach
        if x <= 0.0:
            inner = 1e-3 * mode
            if mode <= 0.0 or top - _log_shape(inner, p, a, b, mu, i_obs, sigma) < DEPTH:
                return 0.0
            reach = mode - inner
            x = inner
        fallen = top - _log_shape(x, p, a, b, mu, i_obs, sigma)
        if fallen < DEPTH:
            reach *= min(2.0, 1.02 * math.sqrt(DEPTH / max(fallen, 1.0)) + 0.02)
        elif fallen > 1.25 * DEPTH:
            reach *= max(0.5, math.sqrt(1.1 * DEPTH / fallen))
        else:
            break
    return max(mode + side * reach, 0.0)


@kernel
def integrate(
    i_obs: FloatArray, sigma: FloatArray, mu: FloatArray, variance: FloatArray, centric: BoolArray, out: FloatArray
) -> None:
    """Fill out (4, n): -log p(I); and of the distribution of x given I, the means of x m, x^2 and m,
    m = I1/I0(b x) acentric, tanh(b x) centric. Everything else is (n,)."""
    for row in range(len(i_obs)):
        s, m, v, err = i_obs[row], mu[row], variance[row], sigma[row]
        flat = centric[row]
        p = 0.0 if flat else 1.0
        a = 0.5 / v if flat else 1.0 / v
        b = 2.0 * a * m
        mode = _mode(p, a, b, m, s, err)
        # Curvature of log f, never less than that of what bounds it on all sides.
        bend = 2.0 * a + (6.0 * mode * mode - 2.0 * s) / (err * err)
        if mode > 0.0:
            bend += p / (mode * mode)
        width = 1.0 / math.sqrt(max(bend, 2.0 * a * 1e-2, 0.5 / err))
        high = _end(mode, width, 1.0, p, a, b, m, s, err)
        low = _end(mode, width, -1.0, p, a, b, m, s, err)
        half = 0.5 * (high - low)
        off = (mode * mode - s) / err
        top = -a * (mode - m) ** 2 - 0.5 * off * off
        total, first, second, merit = 0.0, 0.0, 0.0, 0.0
        for k in range(POINTS + 1):
            if k < POINTS:
                x = low + half * (1.0 + _NODES[k])
                share = _WEIGHTS[k]
            elif total > 0.0:
                break
            else:  # narrower than numbers can tell: all of it at the maximum (Laplace)
                x, share, half = max(mode, 1e-150), math.sqrt(2.0 * math.pi), width
            off = (x * x - s) / err
            value = share * math.exp(-a * (x - m) ** 2 - 0.5 * off * off - top)
            z = b * x
            if flat:
                e = math.exp(-2.0 * z)
                value *= 0.5 * (1.0 + e)
                ratio = (1.0 - e) / (1.0 + e)
            else:
                zero, one = scaled_bessel(z)
                value *= x * zero
                ratio = one / zero
            total += value
            first += value * x * ratio
            second += value * x * x
            merit += value * ratio
        # 2 / Sigma acentric, (2 / (pi Sigma))^(1/2) centric; and of the Gaussian
        norm = 0.5 * math.log(2.0 / (math.pi * v)) if flat else math.log(2.0 / v)
        norm -= math.log(err) + 0.5 * _LOG_2_PI
        out[0, row] = -(norm + top + math.log(total * half))
        out[1, row] = first / total
        out[2, row] = second / total
        out[3, row] = merit / total
