"""The window and its project: verdict chip, looking back, undo, branches, opening again."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from tests.gui.test_window import finished, opened
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.header import LOOKS
from workbench.gui.recognise import recognise
from workbench.session.verdict import verdict_of


def test_every_verdict_has_an_icon_and_a_word(window: MainWindow, qtbot: QtBot) -> None:
    assert len({icon for icon, _ in LOOKS.values()}) == 5  # waiting and not settled share one, and differ by word
    opened(window, qtbot)
    finished(window, qtbot)
    verdict = verdict_of(window.session.state)
    assert verdict is not None
    assert window.header.verdict.accessibleName().startswith(verdict.title)
    window.header.verdict.show_rules()
    menu = window.header.verdict.findChild(QMenu)
    assert menu is not None
    lines = [action.text() for action in menu.actions()]
    assert verdict.sentence in lines[0] and len(lines) >= len(verdict.rules)
    menu.close()


def test_a_click_on_a_cycle_shows_it_everywhere_and_changes_nothing(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    kept = window.session.state.kept
    window.timeline.show_measure("Table")
    rows = window.timeline.table._table
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=QPointF(60, 20 * 2 + 10).toPoint())
    qtbot.waitUntil(lambda: window.session.state.viewed is not None)
    viewed = window.session.state.viewed
    assert viewed is not None and viewed.statistics.cycle == 2
    qtbot.waitUntil(lambda: "looked at" in window.timeline.cycle.text())
    assert float(window.header.work.value) == pytest.approx(viewed.statistics.r_work, abs=6e-4)
    assert window.session.state.kept is kept
    window.actions_.later.trigger()
    assert window.session.state.viewed is not None and window.session.state.viewed.statistics.cycle == 3
    window.actions_.newest.trigger()
    assert window.session.state.viewed is None


def test_undo_redo_and_a_branch_from_an_earlier_cycle(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    last = window.session.state.position
    assert window.actions_.undo.isEnabled() and not window.actions_.redo.isEnabled()
    window.actions_.undo.trigger()
    qtbot.waitUntil(window.actions_.redo.isEnabled)
    assert len(window.session.state.statistics) == 1
    window.actions_.redo.trigger()
    assert window.session.state.position == last
    window.session.look_at_cycle(4)
    window.actions_.go_on.trigger()
    assert window.session.state.kept is not None and window.session.state.kept.statistics.cycle == 4
    finished(window, qtbot)
    assert window.session.journal is not None
    assert [run.branch for run in window.session.journal.runs()] == [1, 2]


def test_the_remedy_is_one_click_and_one_undo(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    before = window.session.state.position
    window.header.verdict.back_wanted.emit(3)
    assert window.session.state.kept is not None and window.session.state.kept.statistics.cycle == 3
    window.actions_.undo.trigger()
    assert window.session.state.position == before


def test_a_project_is_saved_elsewhere_and_opened_by_its_content(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    cycles = len(window.session.state.statistics)
    window.session.save_project(tmp_path / "mine")
    copy = tmp_path / "mine.workbench"
    assert recognise(copy) == "project" and window.session.state.project == str(copy)
    opened(window, qtbot)
    window.open_files([str(copy)])
    qtbot.waitUntil(lambda: window.session.state.project == str(copy), timeout=20000)
    assert len(window.session.state.statistics) == cycles and window.session.state.status == "finished"
    window.open_project(str(tmp_path / "nothing.workbench"))
    assert window.session.state.project == str(copy)
