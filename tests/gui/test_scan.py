"""The weight scan in the window: points as they come, a model behind each, cancel and go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.fake_run import fake_run
from tests.gui.test_window import finished, opened
from workbench.gui.main_window import MainWindow
from workbench.gui.scan_runner import ScanRunner
from workbench.session.verdict import verdict_of
from workbench.session.weight_scan import AUTOMATIC, FACTORS


def test_a_scan_gives_seven_points_and_a_model_behind_each(window: MainWindow, qtbot: QtBot) -> None:
    scan = window.scan
    assert not scan.button.isEnabled() and scan.button.toolTip()
    opened(window, qtbot)
    finished(window, qtbot)
    state = window.session.state
    window.tabs.show_page(scan)
    assert scan.button.isEnabled()
    QTest.mouseClick(scan.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: scan.running, timeout=120000)
    assert scan.button.text() == "Cancel"
    qtbot.waitUntil(lambda: len(scan.values) >= 2, timeout=120000)
    assert not window.scan_runner.recommended, "nothing is recommended before all are there"
    qtbot.waitUntil(lambda: not scan.running, timeout=120000)
    assert set(scan.values) == {AUTOMATIC, *(f"x {f:g}" for f in FACTORS)}
    assert window.scan_runner.reason and window.scan_runner.reason.replace("+-", "\u00b1") in scan.reason.text()
    # Nobody has moved: the kept model is the kept model.
    assert window.session.state.position == state.position and window.session.state.kept is state.kept
    assert window.session.state.statistics == state.statistics
    place = scan.plot.place(float(scan._x[-1]), float(scan._y[-1]))
    QTest.mouseClick(scan.plot.viewport(), Qt.MouseButton.LeftButton, pos=place.toPoint())
    qtbot.waitUntil(lambda: window.session.state.viewed is not None, timeout=120000)
    viewed = window.session.state.viewed
    name = scan._order[-1]
    assert viewed is not None
    assert viewed.statistics.xray_weight == pytest.approx(scan.values[name]["statistics"]["xray_weight"])
    assert verdict_of(window.session.state) is None, "the curve on screen is not that model's"
    assert "another run" in window.timeline.cycle.text()
    # Return goes on from there: a branch of its own.
    window.actions_.go_on.trigger()
    qtbot.waitUntil(lambda: window.session.state.position == scan.values[name]["key"], timeout=120000)
    kept = window.session.state.kept
    assert kept is not None and kept.statistics.r_work == pytest.approx(viewed.statistics.r_work)
    assert window.session.journal is not None and window.session.journal.integrity() == "ok"
    window.actions_.undo.trigger()
    qtbot.waitUntil(lambda: window.session.state.position == state.position, timeout=120000)


def test_cancelled_a_scan_keeps_its_points_and_goes_on(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    scan = window.scan
    window.scan_runner.begin()
    qtbot.waitUntil(lambda: len(scan.values) >= 2, timeout=120000)
    QTest.mouseClick(scan.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not scan.running, timeout=120000)
    known = set(scan.values)
    assert 2 <= len(known) < 7 and "goes on" in scan.reason.text()
    runs = len(window.session.journal.runs()) if window.session.journal else 0
    window.scan_runner.begin()
    qtbot.waitUntil(lambda: not scan.running and len(scan.values) == 7, timeout=120000)
    assert window.session.journal is not None
    made = len(window.session.journal.runs()) - runs
    assert made <= 7 - len(known), "what was there is not refined again"


def test_the_likelihood_can_be_shown_instead(window: MainWindow, qtbot: QtBot) -> None:
    from tests.workflows.test_studies import _items
    from workbench.session.studies import Study, item_values

    model_data = window
    opened(model_data, qtbot)
    request = window.session.state.request
    assert request is not None
    items = _items(Path(request.model_path), Path(request.data_path), 2)
    values = {e.item.name: {**item_values(e), "key": None} for e in Study(items, source=fake_run).run()}
    window.scan.show_values(values, "x 1", "A reason.")
    for quantity in ("ll_free", "r_free"):
        QTest.mouseClick(window.scan.pills[quantity], Qt.MouseButton.LeftButton)
        assert list(window.scan._y) == [values[name][quantity] for name in window.scan._order]
    assert "A reason." in window.scan.reason.text()


def test_an_old_scan_is_shown_again_when_its_project_is_opened(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    window.scan_runner.begin()
    qtbot.waitUntil(lambda: not window.scan.running and len(window.scan.values) == 7, timeout=120000)
    values, recommended = window.scan.values, window.scan_runner.recommended
    copy = tmp_path / "copy.workbench"
    assert window.session.journal is not None
    window.session.journal.copy_to(copy)
    opened(window, qtbot, "slow.pdb")
    qtbot.waitUntil(lambda: not window.scan.values, timeout=120000)
    assert not window.scan.plot.x_ticks, "nothing of it stands beside other files"
    window.open_project(str(copy))
    qtbot.waitUntil(lambda: len(window.scan.values) == 7, timeout=120000)
    assert dict(window.scan.values) == dict(values) and window.scan_runner.recommended == recommended
    assert window.scan.reason.text().startswith("Scan of 20")
    window.scan.choose(window.scan._order[-1])
    qtbot.waitUntil(lambda: window.session.state.viewed is not None, timeout=120000)
    viewed, name = window.session.state.viewed, window.scan._order[-1]
    assert viewed is not None
    assert viewed.statistics.xray_weight == pytest.approx(window.scan.values[name]["statistics"]["xray_weight"])


def test_half_a_scan_is_shown_as_such_and_goes_on(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    opened(window, qtbot)
    finished(window, qtbot)
    window.scan_runner.begin()
    qtbot.waitUntil(lambda: len(window.scan.values) >= 2, timeout=120000)
    window.scan_runner.cancel()
    qtbot.waitUntil(lambda: not window.scan.running, timeout=120000)
    journal = window.session.journal
    assert journal is not None
    latest = journal.latest_study("scan")
    assert latest is not None and journal.latest_study("kfold") is None
    known = set(journal.study("scan", latest[0]))
    copy = tmp_path / "copy.workbench"
    journal.copy_to(copy)
    window.open_project(str(copy))
    qtbot.waitUntil(lambda: set(window.scan.values) == known and "goes on" in window.scan.reason.text(), timeout=120000)
    assert not window.scan_runner.recommended


def test_one_weight_is_one_weight(window: MainWindow) -> None:
    runner = ScanRunner(window.session)
    for count, said in ((1, "1 weight is kept"), (2, "2 weights are kept")):
        runner.values, runner._cancelled = {str(i): {} for i in range(count)}, True
        runner._ended(None, None)
        assert said in runner.said
