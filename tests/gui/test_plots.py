"""What stands behind the curves: the band where R_free is expected, and the other runs of the project."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tests.fake_run import recorded_run
from tests.gui.test_window import finished, opened
from workbench.core.events import CycleFinished
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.cycle_plots import OTHER_RUNS
from workbench.gui.panels.r_factors import EXPECTED
from workbench.gui.widgets.plot import MOST_COVERED, FaintCurve, Plot, Ribbon, tick_digits
from workbench.session.branches import Branch, beside
from workbench.session.verdict import verdict_of


def pixels(plot: Plot) -> np.ndarray:
    """(height, width, 4) of the plot as it is painted."""
    plot.restyle()  # What is kept of the background counts no more.
    image = plot.grab().toImage()
    return np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.width(), 4).copy()


def changed(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels that differ."""
    return np.nonzero(np.any(before != after, axis=2))  # type: ignore[return-value]


def test_the_band_is_where_the_verdict_expects_r_free(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    panel = window.r_factors
    qtbot.waitUntil(lambda: panel.plot.ribbon is not None and len(panel.plot.ribbon.x) > 2, timeout=120000)
    ribbon, state = panel.plot.ribbon, window.session.state
    assert ribbon is not None and len(ribbon.x) == len(state.rows)
    verdict = verdict_of(state)
    assert verdict is not None
    last = state.statistics[-1]
    at = list(ribbon.x).index(last.cycle)
    row = state.rows[at]
    assert 0.5 * (ribbon.low + ribbon.high)[at] == pytest.approx(row.r_work + verdict.expected_gap, abs=2e-3)
    assert 0.5 * (ribbon.high - ribbon.low)[at] == pytest.approx(verdict.expected_sigma, abs=2e-3)
    assert np.all(ribbon.low < ribbon.high)
    label = next(label for label in panel.plot.end_labels if label.markup == EXPECTED)
    assert label.sample == "hatch"
    assert "expected" in panel.describe(at)


def test_without_a_test_set_there_is_no_band(window: MainWindow, qtbot: QtBot) -> None:
    window.r_factors.expected = None
    rows = [event.statistics for event in recorded_run(3) if isinstance(event, CycleFinished)]
    window.r_factors.show_statistics([replace(row, r_free=float("nan")) for row in rows], (), 3, 3)
    assert window.r_factors.plot.ribbon is None
    assert all(label.markup != EXPECTED for label in window.r_factors.plot.end_labels)


def test_band_and_faint_curves_are_painted_where_they_belong(window: MainWindow, qtbot: QtBot) -> None:
    """Hatched: neither all of the band is covered, nor nothing; edges dashed; nothing outside."""
    plot = window.r_factors.plot
    plot.show_nothing("")
    plot.set_ranges([0, 5, 10], [0.1, 0.2, 0.3])
    plain = pixels(plot)
    x = np.arange(11.0)
    plot.ribbon = Ribbon(x, np.full(11, 0.15), np.full(11, 0.25))
    banded = pixels(plot)
    ys, xs = changed(plain, banded)
    scale = plot.devicePixelRatioF()
    top, bottom = plot.place(0, 0.25).y() * scale, plot.place(0, 0.15).y() * scale
    assert ys.min() == pytest.approx(top, abs=2 * scale) and ys.max() == pytest.approx(bottom, abs=2 * scale)
    inner = plot.inner()
    share = len(ys) / (inner.width() * scale * (bottom - top))
    assert 0.05 < share < 0.6, "a hatch, not a fill"
    plot.ribbon = None
    plot.faint = [FaintCurve(x, np.where(x < 5, np.nan, 0.2), ring=True)]
    ys, xs = changed(plain, pixels(plot))
    assert xs.min() >= plot.place(5, 0.2).x() * scale - 2 * scale, "nothing where there is no number"
    assert abs(ys.mean() - plot.place(0, 0.2).y() * scale) < 4 * scale
    plot.ribbon = Ribbon(x[:1], np.array([0.15]), np.array([0.25]))
    assert len(changed(plain, pixels(plot))[0]), "one cycle has a band as well"
    plot.show_nothing("")
    assert not plot.faint and plot.ribbon is None


def test_other_runs_are_faint_and_named(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    session = window.session
    first = session.state.statistics
    assert not window.r_factors.plot.faint, "one run has nothing beside it"
    session.go_to_cycle(2)
    session.set_weight(3.0)
    session.refine()
    qtbot.waitUntil(lambda: session.state.status == "finished" and len(session.state.statistics) > 4, timeout=120000)
    qtbot.waitUntil(lambda: len(window.r_factors.plot.faint) == 2, timeout=120000)
    work, free = window.r_factors.plot.faint
    assert work.x[0] == 2 and work.x[-1] == first[-1].cycle
    assert work.y == pytest.approx([row.r_work for row in first[2:]]) and free.dash != work.dash
    for panel in (window.r_factors, window.geometry_panel):
        assert [label.sample for label in panel.plot.end_labels].count("faint") == 1
    assert any(label.markup == OTHER_RUNS for label in window.plane.plot.point_labels)
    assert len(window.plane.plot.faint) == 1 and window.plane.plot.faint[0].ring


def test_what_lies_beside_a_line() -> None:
    rows = tuple(event.statistics for event in recorded_run(5) if isinstance(event, CycleFinished))
    other = tuple(replace(row, r_work=row.r_work + 0.01) for row in rows)

    def branch(run: int, line: tuple) -> Branch:  # type: ignore[type-arg]
        return Branch(run, run, None, 0, line[-1].cycle, "", line, False)

    left = (*rows[:3], *other[3:])
    assert beside([branch(1, rows), branch(2, left)], rows) == (left[2:],)
    assert beside([branch(1, rows)], left) == (rows[2:],)
    assert beside([branch(1, other)], rows) == (other,), "what never was in the line is there whole"
    assert beside([branch(1, rows)], rows) == ()
    assert len(beside([branch(i, left) for i in range(40)], rows)) == 12


@pytest.mark.parametrize(
    ("ticks", "least", "digits"), [([0, 1, 2], 0, 0), ([0, 0.5, 1], 0, 1), ([0.2, 0.22], 2, 2), ([0.2, 0.205], 2, 3)]
)
def test_digits_of_ticks(ticks: list[float], least: int, digits: int) -> None:
    assert tick_digits(ticks, least) == digits


def test_names_in_the_plane_lie_on_nothing(window: MainWindow, qtbot: QtBot) -> None:
    """A path that comes back to itself, and other runs beside it: no name on a point of either, none on another name,
    and the one of the cycle that is shown is always there."""
    panel = window.plane
    panel.resize(300, 170)
    rows = [event.statistics for event in recorded_run(9) if isinstance(event, CycleFinished)]
    angle = np.linspace(0.0, 5.0, len(rows))
    places = zip(rows, 0.8 + 0.12 * np.cos(3 * angle), 0.28 + 0.01 * np.sin(2 * angle), strict=True)
    path = [
        replace(row, rmsz_bonds=float(x), r_free=float(y), geometry={"bonds": (float(x), 10)}) for row, x, y in places
    ]
    panel.others = (tuple(path[::2]), tuple(path[3:6]))
    panel.show_statistics(path, [(k + 0.5, "weight") for k in range(9)], 9, 5)
    plot = panel.plot
    plot.grab()
    drawn = plot.named
    named = [words for words, _ in drawn]
    assert any(words.startswith("cycle 5, weight") for words in named), named
    for i, (words, spot) in enumerate(drawn):
        assert plot.rect().contains(spot.toRect()), words
        assert not any(spot.intersects(other) for _, other in drawn[i + 1 :]), words
        covered = sum(spot.contains(plot.place(x, y)) for x, y in plot.avoid)
        assert covered <= MOST_COVERED or words.startswith("cycle 5, weight"), words
