"""Work in the thread pool, told to the window's thread."""

from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QObject, QThread, QThreadPool
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from workbench.gui import bridge
from workbench.gui.bridge import in_background


def test_result_and_error_come_on_the_windows_thread(qapp: QApplication, qtbot: QtBot) -> None:
    heard: list[tuple[object, Exception | None, bool]] = []
    owner = QObject()

    def done(result: object, error: Exception | None) -> None:
        heard.append((result, error, QThread.currentThread() is qapp.thread()))

    in_background(owner, lambda: 7, done)
    qtbot.waitUntil(lambda: len(heard) == 1)
    in_background(owner, lambda: 1 / 0, done)
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert heard[0] == (7, None, True)
    assert heard[1][0] is None and isinstance(heard[1][1], ZeroDivisionError) and heard[1][2]
    assert not bridge._under_way


def test_nobody_is_told_once_the_owner_is_gone(qapp: QApplication, qtbot: QtBot) -> None:
    go_on, heard = threading.Event(), list[object]()
    parent = QObject()
    owner = QObject(parent)
    in_background(owner, lambda: go_on.wait(60), lambda result, error: heard.append(result))
    parent.deleteLater()
    del parent
    QApplication.sendPostedEvents(None, 52)  # DeferredDelete
    go_on.set()
    qtbot.waitUntil(lambda: not bridge._under_way)
    assert not heard


def test_a_widget_that_only_the_work_refers_to_ends_on_the_windows_thread(qapp: QApplication, qtbot: QtBot) -> None:
    go_on, ended = threading.Event(), list[str]()
    widget = QWidget()

    def work(kept: QWidget = widget) -> str:
        go_on.wait(60)
        return kept.objectName()

    in_background(widget, work, lambda result, error: None)
    weakref.finalize(widget, lambda: ended.append(threading.current_thread().name))
    del widget, work
    go_on.set()
    QThreadPool.globalInstance().waitForDone(60_000)
    gc.collect()
    assert not ended, "not in the pool's thread"
    qtbot.waitUntil(lambda: not bridge._under_way)
    gc.collect()
    qtbot.waitUntil(lambda: ended == [threading.main_thread().name])
