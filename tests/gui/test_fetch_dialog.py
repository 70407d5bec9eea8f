"""The fetch dialog in the window, against a server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.archive_server import CODE, Archive, archive_server
from tests.fake_run import fake_run
from workbench.gui.app import make_window
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.fetch_dialog import FetchDialog


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "served"
    folder.mkdir()
    with archive_server(folder) as running:
        monkeypatch.setenv("WORKBENCH_PDB_MIRROR", f"{running.address}/ok")
        yield running


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr("workbench.gui.view_area.make_viewport", lambda parent: (None, "No OpenGL in this test."))
    made = make_window(source=fake_run, keep_preferences=False)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def begun(window: MainWindow, code: str) -> FetchDialog:
    assert window.actions_.fetch.isEnabled()
    window.actions_.fetch.trigger()
    dialog = window.findChild(FetchDialog)
    assert dialog is not None and dialog.isVisible() and not dialog.isModal()
    assert not dialog.go.isEnabled()
    QTest.keyClicks(dialog.code, code)
    assert dialog.go.isEnabled()
    QTest.keyClick(dialog.code, Qt.Key.Key_Return)
    return dialog


def test_a_code_is_fetched_and_opened(window: MainWindow, server: Archive, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = begun(window, "5E5Z")
    qtbot.waitUntil(lambda: not dialog.isVisible(), timeout=20000)
    assert window.chosen_model == str(tmp_path / "cache" / "entries" / CODE / f"{CODE}.cif.gz")
    assert window.chosen_data.endswith(f"{CODE}-sf.cif.gz")
    qtbot.waitUntil(lambda: window.session.state.status == "ready", timeout=60000)


def test_the_window_answers_while_a_site_is_slow(
    window: MainWindow, server: Archive, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_PDB_MIRROR", f"{server.address}/slow")
    dialog = begun(window, CODE)
    beats: list[bool] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(dialog.busy))
    timer.start(0)
    qtbot.waitUntil(lambda: len(beats) >= 3)
    timer.stop()
    assert dialog.busy and "Fetching model of" in dialog.message.text()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not dialog.busy, timeout=10000)
    assert dialog.isVisible() and dialog.message.text().startswith("Stopped") and dialog.go.isEnabled()
    assert not list((tmp_path / "cache").rglob("*.gz"))
    assert threading.active_count() < 30


def test_troubles_are_told_in_the_dialog(window: MainWindow, server: Archive, qtbot: QtBot) -> None:
    dialog = begun(window, "9ZZZ")
    qtbot.waitUntil(lambda: not dialog.busy, timeout=20000)
    assert dialog.message.text().startswith("No site has an entry 9zzz.") and "obsolete" in dialog.message.text()
    assert window.session.state.status == "empty" and not dialog.alone.isVisible()


def test_an_entry_without_data_offers_its_model(window: MainWindow, server: Archive, qtbot: QtBot) -> None:
    del server.files[f"r{CODE}sf.ent.gz"]
    dialog = begun(window, CODE)
    qtbot.waitUntil(lambda: not dialog.busy, timeout=20000)
    assert "has no structure factors" in dialog.message.text() and dialog.alone.isVisible()
    dialog.alone.click()
    qtbot.waitUntil(lambda: window.chosen_model.endswith(f"{CODE}.cif.gz"), timeout=20000)
    assert not dialog.isVisible() and window.chosen_data == ""
