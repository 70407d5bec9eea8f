"""The timeline: scrubber, play, heat map, the rows of a project that is opened again."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.fake_run import fake_run, recorded_run
from tests.gui.test_window import finished, opened
from workbench.core.events import CycleFinished, Prepared, ResidueFit
from workbench.gui.app import make_window
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.timeline import MEASURES, TABLE
from workbench.gui.theme import theme
from workbench.gui.widgets.heat_map import HeatMap, Scale, Strip
from workbench.session.residue_history import ResidueHistory, key_of, residue_row, shifts


def _shown(window: MainWindow) -> int:
    shown = window.session.state.shown
    assert shown is not None
    return shown.statistics.cycle


def test_the_scrubber_calls_every_cycle_back(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    assert not window.timeline.play.isEnabled(), "one cycle is no timeline"
    finished(window, qtbot)
    scrubber = window.timeline.scrubber
    last = len(scrubber.cycles) - 1
    assert scrubber.cycles == tuple(s.cycle for s in window.session.state.statistics) and last >= 4
    QTest.mouseClick(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(round(scrubber.x_of(2)), 16))
    qtbot.waitUntil(lambda: _shown(window) == 2, timeout=120000)
    assert window.session.state.viewed is not None
    assert float(window.header.work.value) == pytest.approx(window.session.state.viewed.statistics.r_work, abs=6e-4)
    scrubber.setFocus()
    QTest.keyClick(scrubber, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: _shown(window) == 3, timeout=120000)
    QTest.keyClick(scrubber, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: _shown(window) == 0, timeout=120000)
    QTest.mouseClick(window.timeline.next, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _shown(window) == 1, timeout=120000)
    QTest.mouseClick(window.timeline.newest, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.state.viewed is None, timeout=120000)
    assert window.session.state.status == "finished"


def test_fast_scrubbing_ends_where_the_handle_is(window: MainWindow, qtbot: QtBot) -> None:
    """Wishes that were overtaken are dropped: the last one counts, however many came before."""
    opened(window, qtbot)
    finished(window, qtbot)
    numbers = window.timeline.scrubber.cycles
    for _ in range(5):
        for number in (*numbers[:-1], *reversed(numbers[:-1])):
            window.scrubbing.want(number)
        window.scrubbing.want(3)
    qtbot.waitUntil(lambda: _shown(window) == 3, timeout=120000)
    qtbot.wait(300)
    assert _shown(window) == 3
    window.scrubbing.want(1)
    window.scrubbing.want(None)
    qtbot.wait(300)
    assert window.session.state.viewed is None


def test_play_goes_through_the_cycles_and_holds(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    window.timeline._timer.setInterval(20)
    seen: set[int] = set()
    window.session.listen(lambda old, new: seen.add(new.shown.statistics.cycle) if new.shown else None)
    QTest.mouseClick(window.timeline.first, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _shown(window) == 0, timeout=120000)
    QTest.mouseClick(window.timeline.play, Qt.MouseButton.LeftButton)
    assert window.timeline.play.accessibleName() == "Hold"
    qtbot.waitUntil(lambda: window.timeline.play.accessibleName() == "Play", timeout=120000)
    assert seen == set(window.timeline.scrubber.cycles), "no cycle is jumped over"
    assert window.session.state.viewed is None


def test_the_heat_map_has_a_row_for_each_cycle_and_a_column_for_each_residue(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    map_ = window.timeline.heat_map
    prepared = window.session.state.prepared
    assert prepared is not None
    for name in MEASURES:
        QTest.mouseClick(window.timeline.pills[name], Qt.MouseButton.LeftButton)
        assert map_.scale is MEASURES[name]
        assert map_.values.shape == (len(window.session.state.statistics), len(prepared.model.residues))
        if name in ("Shift", "B"):
            assert np.isfinite(map_.values).all()
    assert not map_.values[:, :].min() < 0
    strips = map_.strips
    assert strips[0].first == 0 and strips[-1].last == len(prepared.model.residues) - 1
    # A click shows the cycle and selects the residue, in the list as well.
    cell = map_.place(1, 2)
    QTest.mouseClick(map_, Qt.MouseButton.LeftButton, pos=cell.center().toPoint())
    qtbot.waitUntil(lambda: _shown(window) == 1, timeout=120000)
    assert window.residues.currentIndex().row() == 2 and map_.column == 2
    assert map_.cell_at(QPointF(cell.center())) == (1, 2)
    map_.setFocus()
    QTest.keyClick(map_, Qt.Key.Key_Left)
    QTest.keyClick(map_, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: _shown(window) == 2, timeout=120000)
    assert map_.column == 1
    QTest.mouseMove(map_, cell.center().toPoint())
    qtbot.waitUntil(lambda: "cycle 1" in window.timeline.readout.text(), timeout=120000)
    window.timeline.show_measure(TABLE)
    assert window.timeline.table.isVisible()


def test_the_map_is_painted_in_both_themes(window: MainWindow, qtbot: QtBot) -> None:
    map_ = HeatMap()
    qtbot.addWidget(map_)
    map_.resize(600, 200)
    map_.show_residues([Strip("A", 0, 4)], list("ABCDE"), [1, 2, 3, 4, 5])
    worst, best = 0, 2
    values = np.zeros(5, dtype=np.float32)
    values[worst] = 1.0
    rows = [values] * 6
    map_.show_values(range(6), rows, Scale("test", 0.0, 1.0, "{:.1f}", ""), 6, 0)
    for appearance in ("dark", "light"):
        window.set_appearance(appearance)
        picture = map_.grab().toImage()
        ratio = picture.devicePixelRatio()

        def shade(column: int, picture: QImage = picture, ratio: float = ratio) -> int:
            at = map_.place(3, column).center()
            return picture.pixelColor(round(at.x() * ratio), round(at.y() * ratio)).lightness()

        bad, good, panel = shade(worst), shade(best), theme.colours["panel"].lightness()
        assert (bad > good) == theme.colours.dark
        assert abs(bad - panel) > 100 > 30 > abs(good - panel), "what is bad stands out, what is good fades away"


def test_a_project_that_is_opened_again_fills_its_map_in_the_background(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    count = len(window.session.state.statistics)
    path = window.session.state.project
    window.close()
    again = make_window(source=fake_run, keep_preferences=False)
    qtbot.addWidget(again)
    again.resize(1680, 1050)
    again.show()
    again.open_project(path)
    qtbot.waitUntil(
        lambda: all(r is not None for r in again.history.rows(again.session.state.statistics)), timeout=120000
    )
    again.timeline.show_measure("B")
    assert again.timeline.heat_map.values.shape[0] == count
    assert np.isfinite(again.timeline.heat_map.values).all()
    again.close()


def test_rows_hold_what_the_cycle_says() -> None:
    events = recorded_run(cycles=3)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    model = prepared.model
    count = len(model.residues)
    fit = ResidueFit(
        *(np.array([[0.9, 0.5]] * (count - 1) + [[0.8, np.nan]], dtype=np.float32) * k for k in (1.0, 4.0, 6.0))
    )
    row = residue_row(model, cycles[0].state, fit)
    assert row.fit[0] == pytest.approx(0.5) and row.fit[-1] == pytest.approx(0.8), (
        "no side chain: the main chain counts"
    )
    assert row.difference[0] == pytest.approx(5.4) and row.difference[-1] == pytest.approx(4.8)
    for residue in range(count):
        atoms = model.residue == residue
        assert row.mean_b[residue] == pytest.approx(cycles[0].state.b_iso[atoms].mean(), rel=1e-5)
    history = ResidueHistory()
    history.begin(model)
    for cycle in cycles[1:]:
        history.take(cycle)
    rows = history.rows([c.statistics for c in cycles])
    assert rows[0] is None and all(r is not None for r in rows[1:])
    moved = shifts(rows)
    assert moved[0] is None and moved[1] is not None and not moved[1].any()
    assert moved[3] is not None and moved[3].max() > 0.0
    assert len({key_of(c.statistics) for c in cycles}) == len(cycles)
    history.begin(None)
    assert history.rows([cycles[1].statistics]) == [None]


def test_neighbours_of_the_cycle_looked_at_are_loaded_before_anyone_asks(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    scrubbing, session = window.scrubbing, window.session
    scrubbing.want(5)
    qtbot.waitUntil(
        lambda: session.state.viewed is not None and session.state.viewed.statistics.cycle == 5, timeout=120000
    )
    wanted = {session.key_of(number) for number in (3, 4, 6, 7)}
    qtbot.waitUntil(lambda: wanted <= {key for _, key in scrubbing._loaded}, timeout=120000)
    scrubbing.want(6)
    viewed = session.state.viewed
    assert viewed is not None and viewed.statistics.cycle == 6, "there at once"
    assert window._redraw.interval() == 0, "what is looked up is drawn at once"
    scrubbing.want(None)
