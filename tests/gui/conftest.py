"""The application and a window without the 3D view, for every test of the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.fake_run import fake_run
from workbench.gui.app import make_application, make_window
from workbench.gui.main_window import MainWindow

PATIENCE = 120_000
"""Milliseconds. A condition that comes true ends the wait; how soon says something of the machine's load only."""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = QtBot.waitUntil

    def wait_until(self: QtBot, callback: Callable[[], bool | None], *, timeout: int = PATIENCE) -> None:
        plain(self, callback, timeout=max(timeout, PATIENCE))

    monkeypatch.setattr(QtBot, "waitUntil", wait_until)


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Widgets of a test live until it is over. pytest-qt itself holds them weakly: one without a parent could be
    collected as garbage in the middle of its own painting, once the test function has returned."""
    widgets: list[QWidget] = []
    plain = QtBot.addWidget

    def add_widget(self: QtBot, widget: QWidget, **named: Any) -> None:
        widgets.append(widget)
        plain(self, widget, **named)

    monkeypatch.setattr(QtBot, "addWidget", add_widget)
    yield
    widgets.clear()


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    return make_application()


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    """A window on scripted runs that keeps projects in a folder of its own."""
    monkeypatch.setattr("workbench.gui.view_area.make_viewport", lambda parent: (None, "No OpenGL in this test."))
    made = make_window(source=fake_run, keep_preferences=False, projects=tmp_path / "projects")
    made.resize(1680, 1050)
    made.show()
    made.activateWindow()
    assert QTest.qWaitForWindowActive(made, PATIENCE)
    yield made
    made.close()
    made.deleteLater()
