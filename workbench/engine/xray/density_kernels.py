"""The two sums over grid points that structure factors and their gradients consist of.

"paint" adds the density of each atom to a periodic grid, "gather" sums a periodic map against the derivatives of the
density of each atom (Agarwal, Acta Cryst. A34, 791, 1978, in the real-space form of Bricogne). Grid point (u, v, w)
lies at u steps[0] + v steps[1] + w steps[2] (Cartesian, angstrom). An atom may reach round the cell more than once.

An atom is a sum of Gaussians, rho_j(r) = a_j (2 pi)^(-3/2) det(M_j)^(-1/2) exp(-r M_j^-1 r / 2) with
M_j = U + (b_j + blur)/(8 pi^2), and ends at an ellipsoid of its widest Gaussian. In grid units, d = (du, dv, dw), the
exponent is -d Q_j d / 2 with Q_j = S M_j^-1 S^T, S the steps. A layer u of the ellipsoid is done as the rectangle round
it, in which a Gaussian goes from point to point and from line to line by multiplications: where v and w are not coupled
(isotropic atoms in all but triclinic cells) a line is a number times the first line of the layer, else every point of a
line has its own ratio to the next. Three Gaussians go side by side, so that the loops along w keep a processor busy.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.core.arrays import Float32Array, FloatArray, IntArray
from workbench.engine.kernels import kernel
from workbench.engine.xray.atom_extent import EIGHT_PI_SQ

DEEPEST = 600.0
"""Largest exponent that a factor may have: exp(-708) is the smallest double. Beyond it (tables for 0.3 A and such)
every point is computed by itself."""
UNCOUPLED = 1e-12
"""Exponent that is as good as none."""

WHOLE, HALF_U, SLOPE_V, SPREAD_V, SLOPE_W, SPREAD_W, HALF_V, HALF_W = 0, 1, 2, 3, 4, 5, 6, 7
"""Places in the extent of an atom, see `_shape`."""


@kernel
def _inverse_symmetric(m: FloatArray, result: FloatArray) -> float:
    """Inverse of the symmetric matrix m (6: 11 22 33 12 13 23) into result, same order; returns the determinant."""
    c11 = m[1] * m[2] - m[5] * m[5]
    c12 = m[4] * m[5] - m[3] * m[2]
    c13 = m[3] * m[5] - m[4] * m[1]
    determinant: float = m[0] * c11 + m[3] * c12 + m[4] * c13
    result[0] = c11 / determinant
    result[1] = (m[0] * m[2] - m[4] * m[4]) / determinant
    result[2] = (m[0] * m[1] - m[3] * m[3]) / determinant
    result[3] = c12 / determinant
    result[4] = c13 / determinant
    result[5] = (m[3] * m[4] - m[0] * m[5]) / determinant
    return determinant


@kernel
def _in_grid_units(form: FloatArray, steps: FloatArray, result: FloatArray) -> None:
    """S form S^T, both symmetric (6: 11 22 33 12 13 23)."""
    for n in range(6):
        a = n if n < 3 else (0 if n < 5 else 1)
        b = n if n < 3 else (1 if n == 3 else 2)
        x, y, z = steps[b, 0], steps[b, 1], steps[b, 2]
        result[n] = (
            steps[a, 0] * (form[0] * x + form[3] * y + form[4] * z)
            + steps[a, 1] * (form[3] * x + form[1] * y + form[5] * z)
            + steps[a, 2] * (form[4] * x + form[5] * y + form[2] * z)
        )


@kernel
def _longest_axis(u: FloatArray) -> float:
    """Largest eigenvalue of a symmetric matrix (6,), in closed form (Smith, Commun. ACM 4, 168, 1961)."""
    mean: float = (u[0] + u[1] + u[2]) / 3.0
    a, b, c, d, e, f = u[0] - mean, u[1] - mean, u[2] - mean, u[3], u[4], u[5]
    p = math.sqrt((a * a + b * b + c * c + 2.0 * (d * d + e * e + f * f)) / 6.0)
    if p == 0.0:
        return mean
    r = (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)) / (2.0 * p**3)
    return mean + 2.0 * p * math.cos(math.acos(min(max(r, -1.0), 1.0)) / 3.0)


@kernel
def _shape(
    u: FloatArray,
    amplitude: FloatArray,
    width: FloatArray,
    blur: float,
    radius: float,
    steps: FloatArray,
    form: FloatArray,
    metric: FloatArray,
    height: FloatArray,
    extent: FloatArray,
) -> float:
    """What the sums need of one atom: of its k Gaussians M_j^-1 into form (k, 6), Q_j into metric (k, 6), peak into
    height (k,); into extent (8,) the ellipsoid d Q d <= extent[WHOLE] at which the widest Gaussian ends: its half axes
    along u, v and w, and for a layer the slopes of the middle and the variances, of v and of w. radius: of an isotropic
    atom as wide as the longest axis.

    Returns the largest exponent that a factor of a Gaussian has inside.
    """
    m = np.empty(6)
    widest = 0
    largest = 0.0
    for j in range(len(amplitude)):
        extra = (width[j] + blur) / EIGHT_PI_SQ
        m[0], m[1], m[2] = u[0] + extra, u[1] + extra, u[2] + extra
        m[3], m[4], m[5] = u[3], u[4], u[5]
        determinant = _inverse_symmetric(m, form[j])
        _in_grid_units(form[j], steps, metric[j])
        height[j] = amplitude[j] / math.sqrt((2.0 * math.pi) ** 3 * determinant)
        if amplitude[j] != 0.0 and determinant > largest:
            widest, largest = j, determinant
    if largest == 0.0:
        extent[:] = 0.0
        return 0.0
    longest = _longest_axis(u) + (width[widest] + blur) / EIGHT_PI_SQ
    # Shorter axes make the peak higher than that of the isotropic atom, and a sharp end shows more: one unit to spare.
    elongation = math.log(longest**3 / largest)
    whole = radius * radius / longest + (elongation + 2.0 if elongation > 1e-9 else 0.0)
    extent[WHOLE] = whole
    _inverse_symmetric(metric[widest], m)
    extent[HALF_U] = math.sqrt(whole * m[0])
    extent[SLOPE_V], extent[SPREAD_V] = m[3] / m[0], m[1] - m[3] * m[3] / m[0]
    extent[SLOPE_W], extent[SPREAD_W] = m[4] / m[0], m[2] - m[4] * m[4] / m[0]
    extent[HALF_V] = math.sqrt(whole * m[1])
    extent[HALF_W] = math.sqrt(whole * m[2])
    at_u, at_v, at_w = extent[HALF_U] + 1.0, extent[HALF_V] + 1.0, extent[HALF_W] + 1.0
    deepest = 0.0
    for j in range(len(amplitude)):
        q = metric[j]
        squares = 0.5 * (q[0] * at_u * at_u + q[1] * at_v * at_v + q[2] * at_w * at_w)
        crosses = abs(q[3]) * at_u * at_v + abs(q[4]) * at_u * at_w + abs(q[5]) * at_v * at_w
        deepest = max(deepest, squares + crosses)
    return deepest


@kernel
def _first_lines(
    metric: FloatArray,
    height: FloatArray,
    du: float,
    dv: float,
    dw: float,
    coupled: bool,
    count: int,
    lines: FloatArray,
    ratios: FloatArray,
    onward: FloatArray,
) -> None:
    """Begin a layer: three Gaussians at `count` points dw, dw + 1, ... of the line (du, dv), into lines (3, ...).

    onward (3,): ratio of the next line at dw = 0; ratios: by how much more each point changes, where coupled.
    """
    for k in range(3):
        q = metric[k]
        tilt = q[4] * du + q[5] * dv
        exponent = 0.5 * (q[0] * du * du + q[1] * dv * dv) + q[3] * du * dv + dw * (0.5 * q[2] * dw + tilt)
        value = height[k] * math.exp(-exponent)
        step = math.exp(-q[2] * (dw + 0.5) - tilt)
        bend = math.exp(-q[2])
        for n in range(count):
            lines[k, n] = value
            value *= step
            step *= bend
        onward[k] = math.exp(-q[3] * du - q[1] * (dv + 0.5))
        if coupled:
            value = math.exp(-q[5] * dw)
            step = math.exp(-q[5])
            for n in range(count):
                ratios[k, n] = value
                value *= step


@kernel
def _next_lines(lines: FloatArray, ratios: FloatArray, onward: FloatArray, count: int) -> None:
    """Go on to the next line, where v and w are coupled."""
    for k in range(3):
        line, ratio, times = lines[k], ratios[k], onward[k]
        for n in range(count):
            line[n] *= times * ratio[n]


@kernel
def _direct_lines(
    metric: FloatArray, height: FloatArray, du: float, dv: float, dw: float, count: int, lines: FloatArray
) -> None:
    """Three Gaussians at `count` points of any line, point by point."""
    for k in range(3):
        for n in range(count):
            lines[k, n] = _value(metric[k], height[k], du, dv, dw + n)


@kernel
def _coupled(metric: FloatArray, extent: FloatArray) -> bool:
    """Whether v and w are coupled in any of three Gaussians."""
    largest = max(abs(metric[0, 5]), abs(metric[1, 5]), abs(metric[2, 5]))
    return bool(largest * extent[HALF_V] * extent[HALF_W] > UNCOUPLED)


@kernel
def _value(q: FloatArray, height: float, du: float, dv: float, dw: float) -> float:
    """One Gaussian at one point."""
    square = q[0] * du * du + q[1] * dv * dv + q[2] * dw * dw
    cross = q[3] * du * dv + q[4] * du * dw + q[5] * dv * dw
    return height * math.exp(-0.5 * square - cross)


@kernel
def _rectangle(extent: FloatArray, du: float, pv: float, pw: float) -> tuple[int, int, int, int]:
    """First and last v, first and last w of the layer du of an atom at (pv, pw)."""
    there = du / extent[HALF_U]
    left = max(extent[WHOLE] * (1.0 - there * there), 0.0)
    half_v, half_w = math.sqrt(left * extent[SPREAD_V]), math.sqrt(left * extent[SPREAD_W])
    middle_v, middle_w = pv + extent[SLOPE_V] * du, pw + extent[SLOPE_W] * du
    return (
        math.ceil(middle_v - half_v),
        math.floor(middle_v + half_v),
        math.ceil(middle_w - half_w),
        math.floor(middle_w + half_w),
    )


@kernel
def _largest_line(steps: FloatArray, width: FloatArray, u_aniso: FloatArray, blur: float, radius: FloatArray) -> int:
    """Largest number of points that a line can have: of the radius along w, enlarged as in `_shape`."""
    cross = np.empty(3)
    cross[0] = steps[0, 1] * steps[1, 2] - steps[0, 2] * steps[1, 1]
    cross[1] = steps[0, 2] * steps[1, 0] - steps[0, 0] * steps[1, 2]
    cross[2] = steps[0, 0] * steps[1, 1] - steps[0, 1] * steps[1, 0]
    volume = abs(cross[0] * steps[2, 0] + cross[1] * steps[2, 1] + cross[2] * steps[2, 2])
    star = math.sqrt(cross[0] ** 2 + cross[1] ** 2 + cross[2] ** 2) / volume
    widest = 0.0
    for t in range(width.shape[0]):
        for j in range(width.shape[1]):
            widest = max(widest, width[t, j])
    largest = 0.0
    for i in range(len(radius)):
        longest = _longest_axis(u_aniso[i]) + (widest + blur) / EIGHT_PI_SQ
        # The logarithm in `_shape` stays below 60 for any tensor that is not flat to 1e-9 of its length.
        largest = max(largest, math.sqrt(radius[i] ** 2 + 62.0 * longest))
    points: int = 2 * math.ceil(largest * star) + 2
    return points


@kernel
def paint_atoms(
    grid: Float32Array,
    position: FloatArray,
    steps: FloatArray,
    amplitude: FloatArray,
    width: FloatArray,
    kind: IntArray,
    u_aniso: FloatArray,
    blur: float,
    occupancy: FloatArray,
    radius: FloatArray,
) -> None:
    """Add the density (electrons/A^3) of n atoms to grid (nu, nv, nw).

    position: (n, 3) in grid units. steps: (3, 3) angstrom. amplitude, width: (t, k), k a multiple of three. kind: (n,)
    their row. u_aniso: (n, 6) A^2, Cartesian, as U11 U22 U33 U12 U13 U23. blur: A^2. radius: (n,) of atom_radii for the
    longest axis of U.
    """
    nu, nv, nw = grid.shape
    terms = amplitude.shape[1]
    form, metric, height, extent = np.empty((terms, 6)), np.empty((terms, 6)), np.empty(terms), np.empty(8)
    size = _largest_line(steps, width, u_aniso, blur, radius)
    lines, ratios = np.empty((3, size)), np.empty((3, size))
    onward, bend = np.empty(3), np.empty(3)
    for i in range(len(radius)):
        deepest = _shape(
            u_aniso[i], amplitude[kind[i]], width[kind[i]], blur, radius[i], steps, form, metric, height, extent
        )
        height *= occupancy[i]
        pu, pv, pw = position[i, 0], position[i, 1], position[i, 2]
        half_u = extent[HALF_U]
        for j in range(0, terms, 3):
            if height[j] == 0.0 and height[j + 1] == 0.0 and height[j + 2] == 0.0:
                continue
            three, peaks = metric[j : j + 3], height[j : j + 3]
            coupled = _coupled(three, extent)
            for k in range(3):
                bend[k] = math.exp(-three[k, 1])
            for u in range(math.ceil(pu - half_u), math.floor(pu + half_u) + 1):
                du = u - pu
                v_first, v_last, w_first, w_last = _rectangle(extent, du, pv, pw)
                count = w_last - w_first + 1
                if v_last < v_first or count <= 0:
                    continue
                plane = grid[u % nu]
                v_place = v_first % nv
                w_place = w_first % nw
                dv, dw = v_first - pv, w_first - pw
                _first_lines(three, peaks, du, dv, dw, coupled, count, lines, ratios, onward)
                times_0, times_1, times_2 = 1.0, 1.0, 1.0
                for _ in range(v_first, v_last + 1):
                    if deepest > DEEPEST:
                        _direct_lines(three, peaks, du, dv, dw, count, lines)
                    done = 0
                    place = w_place
                    while done < count:
                        run = min(count - done, nw - place)
                        target = plane[v_place, place : place + run]
                        here_0, here_1, here_2 = (
                            lines[0, done : done + run],
                            lines[1, done : done + run],
                            lines[2, done : done + run],
                        )
                        for n in range(run):
                            target[n] += times_0 * here_0[n] + times_1 * here_1[n] + times_2 * here_2[n]
                        done += run
                        place = 0
                    if deepest <= DEEPEST:
                        if coupled:
                            _next_lines(lines, ratios, onward, count)
                        else:
                            times_0 *= onward[0]
                            times_1 *= onward[1]
                            times_2 *= onward[2]
                        for k in range(3):
                            onward[k] *= bend[k]
                    dv += 1.0
                    v_place += 1
                    if v_place == nv:
                        v_place = 0


@kernel
def _add_line(layer: FloatArray, dv: float, sum_0: float, sum_1: float, sum_2: float) -> None:
    """Add a line to the moments of a layer (6: 1, w, ww, v, vw, vv); sum_n: of map times Gaussian times index^n."""
    layer[0] += sum_0
    layer[1] += sum_1
    layer[2] += sum_2
    layer[3] += dv * sum_0
    layer[4] += dv * sum_1
    layer[5] += dv * dv * sum_0


@kernel
def _add_layer(sums: FloatArray, layer: FloatArray, du: float, dw: float) -> None:
    """Add a layer to the moments of a Gaussian against the map (10: 1, u, v, w, uu, vv, ww, uv, uw, vw), whose index
    along w was counted from dw."""
    by_w = dw * layer[0] + layer[1]
    sums[0] += layer[0]
    sums[1] += du * layer[0]
    sums[2] += layer[3]
    sums[3] += by_w
    sums[4] += du * du * layer[0]
    sums[5] += layer[5]
    sums[6] += dw * (by_w + layer[1]) + layer[2]
    sums[7] += du * layer[3]
    sums[8] += du * by_w
    sums[9] += dw * layer[3] + layer[4]


@kernel
def _derivatives(sums: FloatArray, form: FloatArray, steps: FloatArray, occupancy: float, out: FloatArray) -> None:
    """Add to out (11,) what the moments of one Gaussian, form = M^-1, say of the derivatives.

    d rho/dx = M^-1 r rho and d rho/dU = rho (M^-1 r r^T M^-1 - M^-1)/2, with r = S^T d.
    """
    arms = np.empty((3, 3))  # M^-1 S^T
    for b in range(3):
        x, y, z = steps[b, 0], steps[b, 1], steps[b, 2]
        arms[0, b] = form[0] * x + form[3] * y + form[4] * z
        arms[1, b] = form[3] * x + form[1] * y + form[5] * z
        arms[2, b] = form[4] * x + form[5] * y + form[2] * z
    for a in range(3):
        out[a] += occupancy * (arms[a, 0] * sums[1] + arms[a, 1] * sums[2] + arms[a, 2] * sums[3])
    out[4] += sums[0]
    for n in range(6):
        a = n if n < 3 else (0 if n < 5 else 1)
        b = n if n < 3 else (1 if n == 3 else 2)
        twice = (
            arms[a, 0] * (sums[4] * arms[b, 0] + sums[7] * arms[b, 1] + sums[8] * arms[b, 2])
            + arms[a, 1] * (sums[7] * arms[b, 0] + sums[5] * arms[b, 1] + sums[9] * arms[b, 2])
            + arms[a, 2] * (sums[8] * arms[b, 0] + sums[9] * arms[b, 1] + sums[6] * arms[b, 2])
        )
        by_u = 0.5 * occupancy * (twice - form[n] * sums[0])
        out[5 + n] += by_u
        if n < 3:
            out[3] += by_u / EIGHT_PI_SQ


@kernel
def gather_atoms(
    density: Float32Array,
    position: FloatArray,
    steps: FloatArray,
    amplitude: FloatArray,
    width: FloatArray,
    kind: IntArray,
    u_aniso: FloatArray,
    blur: float,
    occupancy: FloatArray,
    radius: FloatArray,
    out: FloatArray,
) -> None:
    """Sums of map times derivative for n atoms into out (n, 11): x, y, z, an isotropic shift of B
    (dM = dB/(8 pi^2) I), occupancy, and the elements of the symmetric matrix U (11 22 33 12 13 23).

    Arguments as for paint_atoms; density: the map (nu, nv, nw).
    """
    nu, nv, nw = density.shape
    terms = amplitude.shape[1]
    form, metric, height, extent = np.empty((terms, 6)), np.empty((terms, 6)), np.empty(terms), np.empty(8)
    size = _largest_line(steps, width, u_aniso, blur, radius)
    lines, ratios, values = np.empty((3, size)), np.empty((3, size)), np.empty(size)
    onward, bend = np.empty(3), np.empty(3)
    layer = np.empty((3, 6))
    sums = np.empty((terms, 10))
    for i in range(len(radius)):
        deepest = _shape(
            u_aniso[i], amplitude[kind[i]], width[kind[i]], blur, radius[i], steps, form, metric, height, extent
        )
        sums[:] = 0.0
        pu, pv, pw = position[i, 0], position[i, 1], position[i, 2]
        half_u = extent[HALF_U]
        for j in range(0, terms, 3):
            if height[j] == 0.0 and height[j + 1] == 0.0 and height[j + 2] == 0.0:
                continue
            three, peaks = metric[j : j + 3], height[j : j + 3]
            coupled = _coupled(three, extent)
            for k in range(3):
                bend[k] = math.exp(-three[k, 1])
            for u in range(math.ceil(pu - half_u), math.floor(pu + half_u) + 1):
                du = u - pu
                v_first, v_last, w_first, w_last = _rectangle(extent, du, pv, pw)
                count = w_last - w_first + 1
                if v_last < v_first or count <= 0:
                    continue
                plane = density[u % nu]
                v_place = v_first % nv
                w_place = w_first % nw
                dv, dw = v_first - pv, w_first - pw
                _first_lines(three, peaks, du, dv, dw, coupled, count, lines, ratios, onward)
                line_0, line_1, line_2 = lines[0, :count], lines[1, :count], lines[2, :count]
                times_0, times_1, times_2 = 1.0, 1.0, 1.0
                layer[:] = 0.0
                for _ in range(v_first, v_last + 1):
                    if deepest > DEEPEST:
                        _direct_lines(three, peaks, du, dv, dw, count, lines)
                    line = plane[v_place]
                    place = w_place
                    for n in range(count):
                        values[n] = line[place]
                        place += 1
                        if place == nw:
                            place = 0
                    s00, s01, s02 = 0.0, 0.0, 0.0
                    s10, s11, s12 = 0.0, 0.0, 0.0
                    s20, s21, s22 = 0.0, 0.0, 0.0
                    for n in range(count):
                        here_0, here_1, here_2 = values[n] * line_0[n], values[n] * line_1[n], values[n] * line_2[n]
                        s00 += here_0
                        s10 += here_1
                        s20 += here_2
                        here_0, here_1, here_2 = n * here_0, n * here_1, n * here_2
                        s01 += here_0
                        s11 += here_1
                        s21 += here_2
                        s02 += n * here_0
                        s12 += n * here_1
                        s22 += n * here_2
                    _add_line(layer[0], dv, times_0 * s00, times_0 * s01, times_0 * s02)
                    _add_line(layer[1], dv, times_1 * s10, times_1 * s11, times_1 * s12)
                    _add_line(layer[2], dv, times_2 * s20, times_2 * s21, times_2 * s22)
                    if deepest <= DEEPEST:
                        if coupled:
                            _next_lines(lines, ratios, onward, count)
                        else:
                            times_0 *= onward[0]
                            times_1 *= onward[1]
                            times_2 *= onward[2]
                        for k in range(3):
                            onward[k] *= bend[k]
                    dv += 1.0
                    v_place += 1
                    if v_place == nv:
                        v_place = 0
                for k in range(3):
                    _add_layer(sums[j + k], layer[k], du, dw)
        out[i] = 0.0
        for j in range(terms):
            if height[j] != 0.0:
                _derivatives(sums[j], form[j], steps, occupancy[i], out[i])
