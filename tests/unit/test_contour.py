"""Chicken wire: on the surface, whole across cell borders, right in oblique cells."""

from __future__ import annotations

import time

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workbench.core.crystal import Crystal
from workbench.engine.maps.contour_kernel import LINES, trace_lines
from workbench.view.density import DensityGrid, contour, cut_box, orthogonalisation
from workbench.view.line_set import separate_lines

OBLIQUE = Crystal((17.0, 21.0, 19.0, 74.0, 98.0, 113.0), "P 1")


def waves(fractional: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth density with the period of the cell."""
    x, y, z = 2.0 * np.pi * np.moveaxis(fractional, -1, 0)
    return np.asarray(np.cos(x) + 0.7 * np.sin(y + 0.3) + 0.5 * np.cos(z - x) + 0.4 * np.sin(2.0 * z))


def wave_grid(crystal: Crystal, shape: tuple[int, int, int]) -> DensityGrid:
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1)
    values = waves(points).astype(np.float32)
    return DensityGrid(values, crystal, float(values.std()))


def gaussian_grid(crystal: Crystal, shape: tuple[int, int, int], where: NDArray[np.float64], b: float) -> DensityGrid:
    """exp(-b r^2) around one point and all its lattice copies nearby."""
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1)
    orth = orthogonalisation(crystal)
    total = np.zeros(shape)
    for shift in np.ndindex(5, 5, 5):
        delta = (points - where + np.array(shift) - 2.0) @ orth.T
        total += np.exp(-b * (delta**2).sum(axis=-1))
    return DensityGrid(total.astype(np.float32), crystal, float(total.std()))


def test_cell_matrix_is_the_usual_one() -> None:
    cell = gemmi.UnitCell(*OBLIQUE.cell)
    assert orthogonalisation(OBLIQUE) == pytest.approx(np.array(cell.orth.mat.tolist()), abs=1e-10)


@pytest.mark.parametrize("level", [0.8, -0.6])
def test_vertices_lie_on_the_surface(level: float) -> None:
    errors = []
    for n in (32, 64):
        grid = wave_grid(OBLIQUE, (n, n, n))
        lines = contour(grid, level, np.array([3.0, -4.0, 8.0]), 9.0).segments
        assert len(lines) > 500
        fractional = lines.reshape(-1, 3).astype(np.float64) @ np.linalg.inv(orthogonalisation(OBLIQUE)).T
        # Linear interpolation along one grid step: at most curvature / 8 times the step squared.
        errors.append(float(np.abs(waves(fractional) - level).max()))
        step = 2.0 * np.pi / n
        assert errors[-1] < (1.0 + 0.7 + 0.5 + 4 * 0.4) / 8.0 * step**2 + 1e-5
    assert errors[1] < errors[0] / 3.0


def test_sphere_has_the_right_radius_and_is_closed() -> None:
    crystal = Crystal((20.0, 20.0, 20.0, 90.0, 90.0, 90.0), "P 1")
    grid = gaussian_grid(crystal, (40, 40, 40), np.array([0.5, 0.5, 0.5]), 0.1)
    centre = np.array([10.0, 10.0, 10.0])
    level = float(np.exp(-0.1 * 16.0))
    lines = contour(grid, level, centre, 9.0).segments
    radii = np.linalg.norm(lines.reshape(-1, 3) - centre, axis=1)
    assert radii == pytest.approx(4.0, abs=0.02)
    # In every plane the lines form closed loops: each vertex is met twice in each of its two planes.
    _, counts = np.unique(np.round(lines.reshape(-1, 3), 3), axis=0, return_counts=True)
    assert (counts % 2 == 0).all()
    assert (counts[counts > 1] >= 4).all()


def square_by_square(
    values: NDArray[np.float32], level: float, steps: NDArray[np.float64], offset: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Segments (k, 2, 3) of marching squares written down plainly, every square of every plane for itself."""
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    sides = ((0, 1), (1, 2), (2, 3), (3, 0))
    found = []
    for plane in range(3):
        u, v = np.eye(3, dtype=int)[[plane, (plane + 1) % 3]]
        for square in np.ndindex(*(np.array(values.shape) - u - v)):
            at = [np.array(square) + a * u + b * v for a, b in corners]
            f = [float(values[tuple(p)]) for p in at]
            cut = [n for n, (a, b) in enumerate(sides) if (f[a] > level) != (f[b] > level)]
            ends = {}
            for n in cut:
                a, b = sides[n]
                ends[n] = at[a] + (level - f[a]) / (f[b] - f[a]) * (at[b] - at[a])
            if len(cut) == 4:
                # Two lines: around the corners that are outside when the middle is inside, else around the others.
                alone = [n for n in range(4) if (f[n] > level) != (sum(f) > 4.0 * level)]
                pairs = [((n - 1) % 4, n) for n in alone]
            else:
                pairs = [(cut[0], cut[1])] if cut else []
            found += [(ends[a], ends[b]) for a, b in pairs]
    segments = np.array(found).reshape(-1, 2, 3) @ steps.T + offset
    return np.asarray(segments[np.linalg.norm(segments.mean(axis=1), axis=1) <= radius])


def in_order(segments: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same segments, each from its lesser end, all in the order of their numbers."""
    ends = np.round(segments, 4) + 0.0
    swap = [tuple(one) > tuple(other) for one, other in ends.tolist()]
    ends[swap] = ends[swap][:, ::-1]
    return np.asarray(ends[np.lexsort(ends.reshape(-1, 6).T[::-1])])


@pytest.mark.parametrize("level", [0.4, -0.3])
def test_lines_are_those_of_every_square_and_share_their_points(level: float) -> None:
    """Rough density, so that all cases of squares occur, also those whose opposite corners are inside."""
    values = np.random.default_rng(11).normal(size=(9, 8, 10)).astype(np.float32)
    steps = orthogonalisation(OBLIQUE) / 24.0
    offset = -steps @ np.array([4.1, 3.7, 4.6])
    expected = square_by_square(values, level, steps, offset, 2.9)
    assert len(expected) > 500
    points, pairs = np.full((9000, 3), np.nan, dtype=np.float32), np.full((9000, 2), -1, dtype=np.int32)
    n_points, n_lines = trace_lines(values, level, steps, offset, 2.9, LINES, points, pairs)
    assert n_lines == len(expected) < len(square_by_square(values, level, steps, offset, 1e3))
    found = points[pairs[:n_lines]]
    assert np.allclose(in_order(found.astype(np.float64)), in_order(expected), atol=2e-4)
    # Each crossing of an edge is there once, and some line ends at it.
    assert len(np.unique(points[:n_points], axis=0)) == n_points
    assert np.array_equal(np.unique(pairs[:n_lines]), np.arange(n_points))
    assert np.isnan(points[n_points:]).all() and (pairs[n_lines:] == -1).all()


def test_room_that_is_too_small_is_filled_and_the_numbers_still_told() -> None:
    grid = wave_grid(OBLIQUE, (16, 16, 16))
    steps, offset = grid.step_vectors(), np.array([-8.0, -9.0, -8.0])
    whole, lines = np.zeros((9000, 3), dtype=np.float32), np.zeros((9000, 2), dtype=np.int32)
    found = trace_lines(grid.values, 0.2, steps, offset, 9.0, LINES, whole, lines)
    assert found[0] > 100 and found[1] > 200
    part, few = np.zeros((60, 3), dtype=np.float32), np.zeros((90, 2), dtype=np.int32)
    assert trace_lines(grid.values, 0.2, steps, offset, 9.0, LINES, part, few) == found
    assert np.array_equal(part, whole[:60]) and np.array_equal(few, lines[:90])


def test_more_lines_than_there_is_room_at_first() -> None:
    """A level in the noise within a large sphere: more than 100,000 lines, all of them there."""
    values = np.random.default_rng(3).normal(size=(40, 40, 40)).astype(np.float32)
    grid = DensityGrid(values, Crystal((20.0, 20.0, 20.0, 90.0, 90.0, 90.0), "P 1"), 1.0)
    wire = contour(grid, 0.5, np.full(3, 10.0), 12.0)
    assert len(wire) > 100_000
    assert wire.pairs.min() == 0 and wire.pairs.max() == len(wire.points) - 1
    assert np.linalg.norm(wire.segments.mean(axis=1) - 10.0, axis=1).max() <= 12.0 + 1e-3
    again = contour(grid, 0.5, np.full(3, 10.0), 12.0)
    assert np.array_equal(wire.points, again.points) and np.array_equal(wire.pairs, again.pairs)


def test_wire_shares_its_points() -> None:
    wire = contour(wave_grid(OBLIQUE, (48, 48, 48)), 0.8, np.array([3.0, -4.0, 8.0]), 9.0)
    assert len(wire.points) < 0.3 * 2 * len(wire)
    apart = separate_lines(wire.segments)
    assert np.array_equal(apart.segments, wire.segments) and len(apart.points) == 2 * len(wire)


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(*[st.integers(-3, 3)] * 3),
    st.floats(0.0, 1.0),
    st.sampled_from([(17.0, 21.0, 19.0, 74.0, 98.0, 113.0), (20.0, 15.0, 31.0, 90.0, 120.0, 90.0)]),
)
def test_the_crystal_repeats(
    shift: tuple[int, int, int], where: float, cell: tuple[float, float, float, float, float, float]
) -> None:
    crystal = Crystal(cell, "P 1")
    grid = wave_grid(crystal, (20, 24, 22))
    orth = orthogonalisation(crystal)
    # Not a round number: no vertex may sit exactly on the rim of the sphere.
    centre = orth @ np.array([where, 0.03, 0.97])
    here = contour(grid, 0.5, centre, 8.0137).segments
    there = contour(grid, 0.5, centre + orth @ np.array(shift, dtype=float), 8.0137).segments
    assert abs(len(here) - len(there)) <= 4
    moved = there.reshape(-1, 3).mean(axis=0) - here.reshape(-1, 3).mean(axis=0)
    assert moved == pytest.approx(orth @ np.array(shift, dtype=float), abs=0.02)


def test_atom_at_the_corner_of_an_oblique_cell_is_whole() -> None:
    grid = gaussian_grid(OBLIQUE, (40, 48, 44), np.zeros(3), 0.5)
    level = float(np.exp(-0.5 * 4.0))
    for corner in ((0, 0, 0), (1, 0, 1), (-1, 2, 0)):
        centre = orthogonalisation(OBLIQUE) @ np.array(corner, dtype=float)
        lines = contour(grid, level, centre, 5.0).segments
        delta = lines.reshape(-1, 3) - centre
        # error of linear interpolation: f'' h^2 / (8 f') = 0.04 A for the longest step
        assert np.linalg.norm(delta, axis=1) == pytest.approx(2.0, abs=0.04)
        # every direction is covered
        assert (delta.min(axis=0) < -1.8).all() and (delta.max(axis=0) > 1.8).all()


def test_lines_stay_in_the_sphere_and_the_box_holds_it() -> None:
    grid = wave_grid(OBLIQUE, (24, 30, 28))
    centre = np.array([2.0, 5.0, -3.0])
    lines = contour(grid, 0.2, centre, 7.0).segments
    assert np.linalg.norm(lines.mean(axis=1) - centre, axis=1).max() <= 7.0 + 1e-3
    values, low = cut_box(grid, centre, 7.0)
    directions = np.random.default_rng(0).normal(size=(500, 3))
    on_sphere = centre + 7.0 * directions / np.linalg.norm(directions, axis=1)[:, None]
    index = on_sphere @ np.linalg.inv(grid.step_vectors()).T - low
    assert (index >= 0.0).all() and (index <= np.array(values.shape) - 1.0).all()


def test_nothing_to_draw() -> None:
    grid = wave_grid(OBLIQUE, (12, 12, 12))
    assert contour(grid, 100.0, np.zeros(3), 5.0).segments.shape == (0, 2, 3)


def test_density_between_grid_points() -> None:
    grid = wave_grid(OBLIQUE, (48, 48, 48))
    fractional = np.random.default_rng(1).uniform(-2.0, 2.0, (200, 3))
    at = grid.at(fractional @ orthogonalisation(OBLIQUE).T)
    assert at == pytest.approx(waves(fractional), abs=0.03)


def test_contouring_is_fast_enough_to_follow_the_hand() -> None:
    crystal = Crystal((60.0, 60.0, 60.0, 90.0, 90.0, 90.0), "P 1")
    values = np.random.default_rng(2).normal(size=(128, 128, 128)).astype(np.float32)
    coefficients = np.fft.rfftn(values)
    coefficients[16:-16] = coefficients[:, 16:-16] = 0.0
    coefficients[:, :, 16:] = 0.0
    smooth = np.fft.irfftn(coefficients, s=values.shape, axes=(0, 1, 2)).astype(np.float32)
    grid = DensityGrid(smooth, crystal, float(smooth.std()))
    best = np.inf
    for _ in range(5):
        start = time.thread_time()
        lines = contour(grid, 1.5 * grid.sigma, np.full(3, 30.0), 18.0)
        best = min(best, time.thread_time() - start)
    assert len(lines) > 10_000
    assert best < 0.25  # 0.04 s of this thread, whatever else the machine does
