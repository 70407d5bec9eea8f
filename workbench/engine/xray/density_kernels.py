"""The two sums over grid points that structure factors and their gradients consist of.

"paint" adds the density of each atom to a periodic grid, "gather" sums a periodic map against the derivatives of the
density of each atom (Agarwal, Acta Cryst. A34, 791, 1978, in the real-space form of Bricogne). Grid point (u, v, w)
lies at u steps[0] + v steps[1] + w steps[2] (Cartesian, angstrom). An atom reaches as far as its radius and may reach
round the cell more than once.

An isotropic atom is a function of r^2 alone, kept as a table that is linear between equal steps of r^2: on such steps
every Gaussian is a geometric series, so that a table costs five exponentials. A straight line between two points of
exp(-x) lies above it, on average by (x/2)/tanh(x/2) for a step x; dividing by that leaves no bias. An anisotropic atom
is summed Gaussian by Gaussian: along a grid line the exponent is a quadratic in the index, so that successive values
follow from two multiplications, starting at the largest value, where nothing can underflow.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.core.arrays import Float32Array, FloatArray, IntArray
from workbench.engine.kernels import kernel

SMALLEST_PART = 1e-5
"""Of the peak of an atom: matters for atoms so smeared that the cut-off alone would lose part of them."""

NEGLIGIBLE = 1e-9
"""Of the peak of an atom: a Gaussian that stays below it on a grid line adds nothing there."""

FOUR_PI = 4.0 * math.pi
FOUR_PI_SQ = 4.0 * math.pi**2
EIGHT_PI_SQ = 8.0 * math.pi**2


@kernel
def atom_radii(amplitude: FloatArray, width: FloatArray, kind: IntArray, b: FloatArray, cutoff: float) -> FloatArray:
    """Radius (n,) in angstrom beyond which sum_j |rho_j| of a fully occupied atom with B = b (n,) stays below
    cutoff (electrons/A^3), and below SMALLEST_PART of its peak. amplitude, width: (t, 5). kind: (n,)."""
    n = len(b)
    radius = np.empty(n)
    for i in range(n):
        widest = 0.0
        for j in range(5):
            widest = max(widest, width[kind[i], j] + b[i])
        peak = 0.0
        for j in range(5):
            peak += abs(amplitude[kind[i], j]) * (FOUR_PI / (width[kind[i], j] + b[i])) ** 1.5
        limit = min(cutoff, SMALLEST_PART * peak)
        low = 0.0
        high = 2.0 * math.sqrt(widest)  # exp(-16 pi^2) there
        for _ in range(14):
            middle = 0.5 * (low + high)
            rho = 0.0
            for j in range(5):
                wide = width[kind[i], j] + b[i]
                rho += abs(amplitude[kind[i], j]) * (FOUR_PI / wide) ** 1.5 * math.exp(-FOUR_PI_SQ * middle**2 / wide)
            if rho > limit:
                low = middle
            else:
                high = middle
        radius[i] = max(high, 0.5)
    return radius


@kernel
def table_length(width: FloatArray, b: float, radius: float, table_step: float) -> int:
    """Number of equal steps of r^2, from 0 to radius^2, for one atom; width: (5,). On a step the exponent of the
    sharpest Gaussian falls by table_step."""
    sharpest = width[0] + b
    for j in range(1, 5):
        sharpest = min(sharpest, width[j] + b)
    steps: int = max(16, math.ceil(FOUR_PI_SQ * radius * radius / sharpest / table_step))
    return steps


@kernel
def longest_table(width: FloatArray, kind: IntArray, b: FloatArray, radius: FloatArray, table_step: float) -> int:
    """Size of a buffer for the tables of n atoms."""
    longest = 0
    for i in range(len(b)):
        longest = max(longest, table_length(width[kind[i]], b[i], radius[i], table_step))
    return longest + 2


@kernel
def paint_isotropic(
    grid: Float32Array,
    position: FloatArray,
    steps: FloatArray,
    reach: FloatArray,
    amplitude: FloatArray,
    width: FloatArray,
    kind: IntArray,
    b: FloatArray,
    occupancy: FloatArray,
    radius: FloatArray,
    table_step: float,
) -> None:
    """Add the density (electrons/A^3) of n isotropic atoms to grid (nu, nv, nw).

    position: (n, 3) in grid units. steps: (3, 3) angstrom. reach: (3,) grid units per angstrom of radius.
    table_step: see table_length.
    """
    nu, nv, nw = grid.shape
    table = np.empty(longest_table(width, kind, b, radius, table_step))
    value = np.empty(5)
    ratio = np.empty(5)
    wx, wy, wz = steps[2, 0], steps[2, 1], steps[2, 2]
    ww = wx * wx + wy * wy + wz * wz
    for i in range(len(b)):
        r_sq = radius[i] * radius[i]
        steps_of_table = table_length(width[kind[i]], b[i], radius[i], table_step)
        delta = r_sq / steps_of_table
        for j in range(5):
            wide = width[kind[i], j] + b[i]
            fall = FOUR_PI_SQ * delta / wide
            unbiased = math.tanh(0.5 * fall) / (0.5 * fall)
            value[j] = unbiased * occupancy[i] * amplitude[kind[i], j] * (FOUR_PI / wide) ** 1.5
            ratio[j] = math.exp(-fall)
        for t in range(steps_of_table + 2):
            rho = 0.0
            for j in range(5):
                rho += value[j]
                value[j] *= ratio[j]
            table[t] = rho
        scale = 1.0 / delta
        pu, pv, pw = position[i, 0], position[i, 1], position[i, 2]
        u_first, u_last = math.ceil(pu - radius[i] * reach[0]), math.floor(pu + radius[i] * reach[0])
        v_first, v_last = math.ceil(pv - radius[i] * reach[1]), math.floor(pv + radius[i] * reach[1])
        for u in range(u_first, u_last + 1):
            du = u - pu
            for v in range(v_first, v_last + 1):
                dv = v - pv
                x = du * steps[0, 0] + dv * steps[1, 0]
                y = du * steps[0, 1] + dv * steps[1, 1]
                z = du * steps[0, 2] + dv * steps[1, 2]
                nearest = -(x * wx + y * wy + z * wz) / ww
                least = x * x + y * y + z * z - nearest * nearest * ww
                if least >= r_sq:
                    continue
                half = math.sqrt((r_sq - least) / ww)
                w_first, w_last = math.ceil(pw + nearest - half), math.floor(pw + nearest + half)
                line = grid[u % nu, v % nv]
                place = w_first % nw
                for w in range(w_first, w_last + 1):
                    along = w - pw - nearest
                    where = (least + along * along * ww) * scale
                    t = int(where)
                    line[place] += table[t] + (where - t) * (table[t + 1] - table[t])
                    place += 1
                    if place == nw:
                        place = 0


@kernel
def gather_isotropic(
    density: Float32Array,
    position: FloatArray,
    steps: FloatArray,
    reach: FloatArray,
    amplitude: FloatArray,
    width: FloatArray,
    kind: IntArray,
    b: FloatArray,
    occupancy: FloatArray,
    radius: FloatArray,
    table_step: float,
    out: FloatArray,
) -> None:
    """Sums of map times derivative for n isotropic atoms, into columns 0..4 of out: x, y, z, B, occupancy.

    Arguments as for paint_isotropic; density: the map (nu, nv, nw). Derivatives: d rho/d x = -2 (g - x) rho'(r^2),
    d rho_j/d B = rho_j (4 pi^2 r^2/(B + b_j)^2 - 3/2/(B + b_j)).
    """
    nu, nv, nw = density.shape
    table = np.empty((longest_table(width, kind, b, radius, table_step), 3))
    value = np.empty(5)
    ratio = np.empty(5)
    inverse = np.empty(5)
    centre = np.empty(5)
    wx, wy, wz = steps[2, 0], steps[2, 1], steps[2, 2]
    ww = wx * wx + wy * wy + wz * wz
    for i in range(len(b)):
        r_sq = radius[i] * radius[i]
        steps_of_table = table_length(width[kind[i]], b[i], radius[i], table_step)
        delta = r_sq / steps_of_table
        for j in range(5):
            wide = width[kind[i], j] + b[i]
            inverse[j] = 1.0 / wide
            fall = FOUR_PI_SQ * delta / wide
            unbiased = math.tanh(0.5 * fall) / (0.5 * fall)
            # The same for (x - 3/2) exp(-x), whose second derivative is (x - 7/2) exp(-x).
            centre[j] = 1.5 - fall * fall / 6.0
            value[j] = unbiased * amplitude[kind[i], j] * (FOUR_PI / wide) ** 1.5
            ratio[j] = math.exp(-fall)
        for t in range(steps_of_table + 2):
            here = FOUR_PI_SQ * delta * t
            rho = 0.0
            slope = 0.0
            by_b = 0.0
            for j in range(5):
                rho += value[j]
                slope -= value[j] * inverse[j]
                by_b += value[j] * inverse[j] * (here * inverse[j] - centre[j])
                value[j] *= ratio[j]
            table[t, 0] = rho
            table[t, 1] = FOUR_PI_SQ * slope
            table[t, 2] = by_b
        scale = 1.0 / delta
        pu, pv, pw = position[i, 0], position[i, 1], position[i, 2]
        gx, gy, gz, g_b, g_q = 0.0, 0.0, 0.0, 0.0, 0.0
        u_first, u_last = math.ceil(pu - radius[i] * reach[0]), math.floor(pu + radius[i] * reach[0])
        v_first, v_last = math.ceil(pv - radius[i] * reach[1]), math.floor(pv + radius[i] * reach[1])
        for u in range(u_first, u_last + 1):
            du = u - pu
            for v in range(v_first, v_last + 1):
                dv = v - pv
                x = du * steps[0, 0] + dv * steps[1, 0]
                y = du * steps[0, 1] + dv * steps[1, 1]
                z = du * steps[0, 2] + dv * steps[1, 2]
                nearest = -(x * wx + y * wy + z * wz) / ww
                least = x * x + y * y + z * z - nearest * nearest * ww
                if least >= r_sq:
                    continue
                half = math.sqrt((r_sq - least) / ww)
                w_first, w_last = math.ceil(pw + nearest - half), math.floor(pw + nearest + half)
                line = density[u % nu, v % nv]
                place = w_first % nw
                sum_0 = 0.0
                sum_1 = 0.0
                for w in range(w_first, w_last + 1):
                    along = w - pw - nearest
                    where = (least + along * along * ww) * scale
                    t = int(where)
                    rest = where - t
                    here = line[place]
                    g_q += here * (table[t, 0] + rest * (table[t + 1, 0] - table[t, 0]))
                    pull = here * (table[t, 1] + rest * (table[t + 1, 1] - table[t, 1]))
                    g_b += here * (table[t, 2] + rest * (table[t + 1, 2] - table[t, 2]))
                    sum_0 += pull
                    sum_1 += pull * along
                    place += 1
                    if place == nw:
                        place = 0
                sum_1 += nearest * sum_0
                gx += x * sum_0 + wx * sum_1
                gy += y * sum_0 + wy * sum_1
                gz += z * sum_0 + wz * sum_1
        out[i, 0] = -2.0 * occupancy[i] * gx
        out[i, 1] = -2.0 * occupancy[i] * gy
        out[i, 2] = -2.0 * occupancy[i] * gz
        out[i, 3] = occupancy[i] * g_b
        out[i, 4] = g_q


@kernel
def _gaussian_forms(
    u: FloatArray, amplitude: FloatArray, width: FloatArray, blur: float, forms: FloatArray, heights: FloatArray
) -> None:
    """Inverse of M_j = U + (b_j + blur)/(8 pi^2) into forms (5, 6: 11 22 33 12 13 23), peak of each into heights (5,).

    rho_j(r) = a_j (2 pi)^(-3/2) det(M_j)^(-1/2) exp(-r M_j^-1 r / 2).
    """
    for j in range(5):
        extra = (width[j] + blur) / EIGHT_PI_SQ
        m11, m22, m33 = u[0] + extra, u[1] + extra, u[2] + extra
        m12, m13, m23 = u[3], u[4], u[5]
        c11 = m22 * m33 - m23 * m23
        c12 = m13 * m23 - m12 * m33
        c13 = m12 * m23 - m13 * m22
        determinant = m11 * c11 + m12 * c12 + m13 * c13
        forms[j, 0] = c11 / determinant
        forms[j, 1] = (m11 * m33 - m13 * m13) / determinant
        forms[j, 2] = (m11 * m22 - m12 * m12) / determinant
        forms[j, 3] = c12 / determinant
        forms[j, 4] = c13 / determinant
        forms[j, 5] = (m12 * m13 - m11 * m23) / determinant
        heights[j] = amplitude[j] / math.sqrt((2.0 * math.pi) ** 3 * determinant)


@kernel
def sum_anisotropic(
    grid: Float32Array,
    position: FloatArray,
    steps: FloatArray,
    reach: FloatArray,
    amplitude: FloatArray,
    width: FloatArray,
    kind: IntArray,
    u_aniso: FloatArray,
    blur: float,
    occupancy: FloatArray,
    radius: FloatArray,
    out: FloatArray,
) -> None:
    """Both sums for n anisotropic atoms. out with no rows: add their density to grid; out (n, 11): gather from it.

    u_aniso: (n, 6) A^2, Cartesian, as U11 U22 U33 U12 U13 U23. Others as for paint_isotropic and gather_isotropic;
    the fourth derivative is by an isotropic shift of B (d M = dB/(8 pi^2) I), columns 5..10 are by the elements of
    the symmetric matrix U, same order:  d rho_j/d U = rho_j (M^-1 r r^T M^-1 - M^-1)/2.
    """
    gather = len(out) > 0
    nu, nv, nw = grid.shape
    forms = np.empty((5, 6))
    heights = np.empty(5)
    along = np.empty((5, 3))
    squares, bends = np.empty(5), np.empty(5)
    wx, wy, wz = steps[2, 0], steps[2, 1], steps[2, 2]
    ww = wx * wx + wy * wy + wz * wz
    longest = 3 + math.ceil(2.0 * np.max(radius) * reach[2]) if len(radius) else 0
    buffer = np.empty(longest)
    by_u = np.zeros(6)
    for i in range(len(radius)):
        _gaussian_forms(u_aniso[i], amplitude[kind[i]], width[kind[i]], blur, forms, heights)
        highest = 0.0
        for j in range(5):
            along[j, 0] = forms[j, 0] * wx + forms[j, 3] * wy + forms[j, 4] * wz
            along[j, 1] = forms[j, 3] * wx + forms[j, 1] * wy + forms[j, 5] * wz
            along[j, 2] = forms[j, 4] * wx + forms[j, 5] * wy + forms[j, 2] * wz
            squares[j] = wx * along[j, 0] + wy * along[j, 1] + wz * along[j, 2]
            bends[j] = math.exp(-squares[j])
            highest += abs(heights[j])
        nothing = NEGLIGIBLE * highest
        r_sq = radius[i] * radius[i]
        pu, pv, pw = position[i, 0], position[i, 1], position[i, 2]
        gx, gy, gz, g_q = 0.0, 0.0, 0.0, 0.0
        by_u[:] = 0.0
        u_first, u_last = math.ceil(pu - radius[i] * reach[0]), math.floor(pu + radius[i] * reach[0])
        v_first, v_last = math.ceil(pv - radius[i] * reach[1]), math.floor(pv + radius[i] * reach[1])
        for u in range(u_first, u_last + 1):
            du = u - pu
            for v in range(v_first, v_last + 1):
                dv = v - pv
                x = du * steps[0, 0] + dv * steps[1, 0]
                y = du * steps[0, 1] + dv * steps[1, 1]
                z = du * steps[0, 2] + dv * steps[1, 2]
                nearest = -(x * wx + y * wy + z * wz) / ww
                least = x * x + y * y + z * z - nearest * nearest * ww
                if least >= r_sq:
                    continue
                half = math.sqrt((r_sq - least) / ww)
                w_first, w_last = math.ceil(pw + nearest - half), math.floor(pw + nearest + half)
                count = w_last - w_first + 1
                if count <= 0:
                    continue
                line = grid[u % nu, v % nv]
                place = w_first % nw
                if gather:
                    for n in range(count):
                        buffer[n] = line[place]
                        place += 1
                        if place == nw:
                            place = 0
                else:
                    buffer[:count] = 0.0
                # From here on x, y, z is the first point of the line, relative to the atom.
                x += (w_first - pw) * wx
                y += (w_first - pw) * wy
                z += (w_first - pw) * wz
                for j in range(5):
                    f11, f22, f33 = forms[j, 0], forms[j, 1], forms[j, 2]
                    f12, f13, f23 = forms[j, 3], forms[j, 4], forms[j, 5]
                    qx = f11 * x + f12 * y + f13 * z
                    qy = f12 * x + f22 * y + f23 * z
                    qz = f13 * x + f23 * y + f33 * z
                    tx, ty, tz = along[j, 0], along[j, 1], along[j, 2]
                    constant = x * qx + y * qy + z * qz
                    linear = wx * qx + wy * qy + wz * qz
                    square = squares[j]
                    top = min(max(round(-linear / square), 0), count - 1)
                    start = heights[j] * math.exp(-0.5 * (constant + 2.0 * top * linear + top * top * square))
                    if abs(start) < nothing:
                        continue
                    bend = bends[j]
                    up = math.exp(-(linear + top * square) - 0.5 * square)
                    sum_0, sum_1, sum_2 = 0.0, 0.0, 0.0
                    for side in range(2):
                        rho = start
                        n = top
                        if side == 0:
                            step = up
                            last = count
                            move = 1
                        else:
                            if top == 0:
                                break
                            step = bend / up
                            last = -1
                            move = -1
                            rho *= step
                            step *= bend
                            n -= 1
                        if gather:
                            while n != last:
                                here = buffer[n] * rho
                                sum_0 += here
                                sum_1 += here * n
                                sum_2 += here * n * n
                                rho *= step
                                step *= bend
                                n += move
                        else:
                            while n != last:
                                buffer[n] += rho
                                rho *= step
                                step *= bend
                                n += move
                    if gather:
                        g_q += sum_0
                        gx += qx * sum_0 + tx * sum_1
                        gy += qy * sum_0 + ty * sum_1
                        gz += qz * sum_0 + tz * sum_1
                        by_u[0] += (qx * qx - f11) * sum_0 + 2.0 * qx * tx * sum_1 + tx * tx * sum_2
                        by_u[1] += (qy * qy - f22) * sum_0 + 2.0 * qy * ty * sum_1 + ty * ty * sum_2
                        by_u[2] += (qz * qz - f33) * sum_0 + 2.0 * qz * tz * sum_1 + tz * tz * sum_2
                        by_u[3] += (qx * qy - f12) * sum_0 + (qx * ty + qy * tx) * sum_1 + tx * ty * sum_2
                        by_u[4] += (qx * qz - f13) * sum_0 + (qx * tz + qz * tx) * sum_1 + tx * tz * sum_2
                        by_u[5] += (qy * qz - f23) * sum_0 + (qy * tz + qz * ty) * sum_1 + ty * tz * sum_2
                if not gather:
                    for n in range(count):
                        line[place] += occupancy[i] * buffer[n]
                        place += 1
                        if place == nw:
                            place = 0
        if gather:
            out[i, 0] = occupancy[i] * gx
            out[i, 1] = occupancy[i] * gy
            out[i, 2] = occupancy[i] * gz
            out[i, 3] = occupancy[i] * (by_u[0] + by_u[1] + by_u[2]) / (2.0 * EIGHT_PI_SQ)
            out[i, 4] = g_q
            for n in range(6):
                out[i, 5 + n] = 0.5 * occupancy[i] * by_u[n]
