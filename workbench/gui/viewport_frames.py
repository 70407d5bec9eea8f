"""When the 3D picture is painted, where the processor paints it: never in one beat with the rest of the window.

A frame takes the processor as long as a beat may last. So it waits until what else has changed is on the screen, and
for a moment after the last one, in which the window answers and the plots have their turn. It is begun in one beat,
gone on with in others, and shown in the last one, when the threads that draw it have come to their end.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from workbench.gui.scene_image import SceneImage

BREATH = 0.25
"""Pause after a frame, as a share of the time that it took."""
BREATH_MS = (1.0, 15.0)
GAP_MS = 6
"""Pause between a frame and other work on either side: the window answers in it."""
PAINTED_MS = 1.0
"""A look for changes elsewhere that takes longer has painted some."""
LOOK_MS = 2
"""How often a frame that is being drawn is looked after, and gone on with."""
MOST_WAITS = 3
"""A frame gives way so many times, then it is painted."""


class FramePacer(QObject):
    """Paints `scene` when it is wanted. slow(): whether a frame takes so long that it must keep to its own beat."""

    def __init__(self, scene: QWidget, slow: Callable[[], bool]) -> None:
        super().__init__(scene)
        self._scene, self._slow = scene, slow
        self._by_processor = isinstance(scene, SceneImage)
        self._waits = 0
        self._free_from = 0.0
        self._painted_at = 0.0
        self._window: QWidget | None = None
        self._others = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._turn)
        self._drawing = QTimer(self)
        """Runs while a frame is being drawn by other threads."""
        self._drawing.setTimerType(Qt.TimerType.PreciseTimer)
        self._drawing.setInterval(LOOK_MS)
        self._drawing.timeout.connect(self._look)
        self._again = False
        """The scene has changed since that frame was begun."""

    @property
    def waiting(self) -> bool:
        """Whether a frame is wanted and not painted yet."""
        return self._timer.isActive() or self._drawing.isActive()

    @property
    def just_painted(self) -> bool:
        """A frame ended so short a time ago that other work should wait for the next beat."""
        return self._slow() and 1000.0 * (time.perf_counter() - self._painted_at) < GAP_MS

    def give_way(self) -> None:
        """Other work was done in this beat: no frame in the same one."""
        self._free_from = max(self._free_from, time.perf_counter() + GAP_MS / 1000.0)

    def want(self) -> None:
        """The scene has changed; several wishes before its turn are one."""
        if not self._by_processor and not self._slow():
            self._timer.stop()
            self._scene.update()
        elif self._drawing.isActive():
            self._again = True
        elif not self._timer.isActive():
            self._watch()
            self._waits = 0
            self._timer.start(max(round(1000.0 * (self._free_from - time.perf_counter())), 1))

    def _turn(self) -> None:
        if not self._seen():
            # Nobody sees it: it is painted when somebody does.
            self._scene.update()
            return
        if self._slow() and self._waits < MOST_WAITS:
            self._bring_up_to_date()
            if self._others:
                self.give_way()
            self._others = False
            rest = 1000.0 * (self._free_from - time.perf_counter())
            if rest > 0.5:
                self._waits += 1
                self._timer.start(max(round(rest), 1))
                return
        began = time.perf_counter()
        if isinstance(self._scene, SceneImage) and self._scene.begin():
            self._drawing.start()
        else:
            self._scene.repaint()
        self._rest(began)

    def _seen(self) -> bool:
        """Whether the scene is on the screen: neither hidden nor in a minimised window."""
        window = self._scene.window().windowHandle()
        return self._scene.isVisible() and window is not None and window.isExposed()

    def _look(self) -> None:
        assert isinstance(self._scene, SceneImage)
        # Other work, or what it had painted, was done in this beat: the frame goes on in the next one.
        if self._slow() and self._waits < MOST_WAITS and (self._others or time.perf_counter() < self._free_from):
            self._others = False
            self._waits += 1
            return
        self._waits = 0
        if not self._scene.advance():
            return
        self._drawing.stop()
        began = time.perf_counter()
        self._scene.show_finished()
        self._rest(began)
        if self._again:
            self._again = False
            self.want()

    def _rest(self, began: float) -> None:
        """The window's turn after a turn of ours."""
        ended = time.perf_counter()
        pause = min(max(1000.0 * BREATH * (ended - began), BREATH_MS[0]), BREATH_MS[1])
        self._painted_at = ended
        self._free_from = ended + pause / 1000.0

    def _watch(self) -> None:
        """Notice when the window paints other things; it may be another one by now."""
        window = self._scene.window()
        if window is not self._window:
            if self._window is not None:
                with contextlib.suppress(RuntimeError):  # that window is gone
                    self._window.removeEventFilter(self)
            self._window = window
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            self._others = True
        return False

    def _bring_up_to_date(self) -> None:
        """Paint what else is to be painted of the window, now; `_others` tells whether there was something."""
        before, began = self._others, time.perf_counter()
        QCoreApplication.sendEvent(self._scene.window(), QEvent(QEvent.Type.UpdateRequest))
        self._others = before or 1000.0 * (time.perf_counter() - began) > PAINTED_MS
