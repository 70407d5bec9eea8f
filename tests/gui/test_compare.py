"""Two cycles beside each other, and the runs of a project as places to go to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.fake_run import recorded_run
from tests.gui.test_window import finished, opened
from workbench.core.events import CycleFinished, Prepared
from workbench.core.settings import RefinementSettings
from workbench.gui.main_window import MainWindow
from workbench.session.branches import branches, settings_words
from workbench.session.comparison import compare


def test_a_difference_is_paired_and_by_residue() -> None:
    events = recorded_run(4)
    prepared = next(event for event in events if isinstance(event, Prepared))
    cycles = [event for event in events if isinstance(event, CycleFinished)]
    found = compare(prepared, cycles[0], cycles[-1])
    assert found.paired is not None
    assert found.paired.change == pytest.approx(cycles[-1].statistics.r_free - cycles[0].statistics.r_free, abs=4e-4)
    assert 0 < found.paired.sigma < 0.1 and "R_free is lower" in found.sentence
    moved = np.linalg.norm(cycles[-1].state.xyz - cycles[0].state.xyz, axis=1)
    assert found.rms_shift == pytest.approx(np.sqrt((moved**2).mean()))
    first = prepared.model.residue == 0
    assert found.shift[0] == pytest.approx(np.sqrt((moved[first] ** 2).mean()))
    assert list(found.shift[found.order()]) == sorted(found.shift, reverse=True)
    back = compare(prepared, cycles[-1], cycles[0])
    assert back.paired is not None and back.paired.change == pytest.approx(-found.paired.change)
    same = compare(prepared, cycles[1], cycles[1])
    assert same.rms_shift == 0.0 and same.paired is not None and same.paired.change == 0.0
    fewer = replace(cycles[0], state=replace(cycles[0].state, xyz=cycles[0].state.xyz[:-1]))
    with pytest.raises(ValueError, match="same atoms"):
        compare(prepared, fewer, cycles[1])
    no_set = replace(prepared, reflections=replace(prepared.reflections, has_free=False))
    assert compare(no_set, cycles[0], cycles[1]).paired is None


def test_the_window_compares_what_is_shown_with_what_was_kept(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    panel = window.compare
    window.tabs.show_page(panel)
    qtbot.waitUntil(panel.keep.isEnabled)
    kept = window.session.state.shown
    assert kept is not None
    QTest.mouseClick(panel.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "kept for comparison" in panel.words.text())
    window.scrubbing.want(1)
    qtbot.waitUntil(lambda: len(panel.table.rows) > 0)
    assert panel.title.text().startswith("Cycle 1 against cycle")
    assert "R_free is" in panel.words.text()
    shown = window.session.state.viewed
    QTest.mouseClick(panel.back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.state.viewed is not shown)
    qtbot.waitUntil(lambda: "against cycle 1" in panel.title.text())


def test_every_run_is_a_place_to_look_at_and_to_go_to(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    session = window.session
    first = session.state.position
    session.go_to_cycle(2)
    session.set_weight(3.0)
    session.refine()
    qtbot.waitUntil(lambda: session.state.status == "finished" and session.state.position != first, timeout=30000)
    journal = session.journal
    assert journal is not None
    found = branches(journal, session.state.position)
    assert [one.here for one in found] == [False, True]
    assert found[1].first == 2 and "weight 3" in found[1].words and found[1].parent is not None
    menu = window.timeline.show_branches(found)
    entries = [action.menu() for action in menu.actions()]
    look, go = entries[0].actions()  # type: ignore[union-attr]
    look.trigger()
    qtbot.waitUntil(lambda: session.state.viewed_key == first)
    assert session.state.position == found[1].key, "looking moves nobody"
    go.trigger()
    qtbot.waitUntil(lambda: session.state.position == first)
    menu.close()
    session.undo()
    assert session.state.position == found[1].key


def test_settings_in_words() -> None:
    usual = RefinementSettings()
    assert settings_words(usual) == ""
    other = replace(usual, weight=2.5, d_min=2.0, b_model="isotropic", family_weights=(2.0, *usual.family_weights[1:]))
    assert settings_words(other) == "weight 2.5, bonds 2, to 2.00 \u00c5, isotropic"
