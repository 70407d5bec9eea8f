"""The OpenGL surface where the processor draws: into a picture of its own, which the window paints like any other.

A window that holds a QOpenGLWidget is put together by OpenGL whenever any part of it changes, all of it. A graphics
card does not notice; the processor needs twice as long for that as for the scene itself, and every plot that is
repainted costs it again. Here the window stays an ordinary one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import moderngl
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QImage, QOffscreenSurface, QOpenGLContext, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtOpenGL import QOpenGLFramebufferObject
from PySide6.QtWidgets import QWidget

from workbench.gui.gl_fence import Fence
from workbench.gui.scene_widget import surface_format
from workbench.view.renderer import Renderer

_DONE = object()


class SceneImage(QWidget):
    """Paints when told to, as `SceneWidget` does; the same three functions are given to it.

    frameSwapped: the scene was drawn anew (the name it has in QOpenGLWidget).
    """

    frameSwapped = Signal()

    def __init__(
        self,
        parent: QWidget,
        ready: Callable[[Renderer], None],
        draw: Callable[[Renderer, Any, tuple[int, int], float], Iterator[None]],
        failed: Callable[[str], None],
    ) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._ready, self._draw, self._failed = ready, draw, failed
        self.gl: Any = None
        """The moderngl context."""
        self.renderer: Renderer | None = None
        self._context: QOpenGLContext | None = None
        self._surface: QOffscreenSurface | None = None
        self._target: QOpenGLFramebufferObject | None = None
        self._ratio = 1.0
        """Pixels of the target per device-independent one."""
        self._image: QImage | None = None
        self._stale = True
        self._broken = False
        self._parts: Iterator[None] | None = None
        """What OpenGL is still to be told of the picture that was begun."""
        self._fence: Fence | None = None
        """Behind a picture that is being drawn ahead."""
        self._unseen = False
        """The picture that was begun is there, but not painted."""

    def update(self, *_: object) -> None:
        """The scene has changed: draw it anew when it is painted next. What lies over it calls for no such thing."""
        self._stale = True
        super().update()

    def repaint(self, *_: object) -> None:
        """The same at once."""
        self._stale = True
        super().repaint()

    def _start(self) -> bool:
        """Make the context; False when there is none."""
        if self.renderer is not None:
            if self._current():
                return True
            self.forget()  # it is lost: another one
        if self._broken:
            return False
        try:
            context = QOpenGLContext()
            context.setFormat(surface_format())
            surface = QOffscreenSurface()
            surface.setFormat(surface_format())
            surface.create()
            if not context.create() or not context.makeCurrent(surface):
                raise RuntimeError("no context could be made")
            self._context, self._surface = context, surface
            self.gl = moderngl.create_context(require=330)
            self.renderer = Renderer(self.gl)
        except Exception as error:
            self._give_up(f"OpenGL could not be started: {error}")
            return False
        self._ready(self.renderer)
        # What is ready may have been given with the context let go of.
        return self._current()

    def _current(self) -> bool:
        return (
            self._context is not None
            and self._surface is not None
            and self._context.isValid()
            and self._context.makeCurrent(self._surface)
        )

    def _give_up(self, reason: str) -> None:
        self._broken = True
        self.renderer = None
        self._failed(reason)

    def _pixels(self) -> tuple[int, int]:
        """Width and height that a picture must have now."""
        ratio = self.devicePixelRatioF()
        return max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)

    def _fits(self) -> bool:
        """Whether the picture there is has the size of the widget."""
        image = self._image
        return (
            image is not None
            and (image.width(), image.height()) == self._pixels()
            and image.devicePixelRatio() == self.devicePixelRatioF()
        )

    def _tell(self, whole: bool = True) -> bool:
        """Tell OpenGL what to draw, `whole` or only the first part; leaves the context current. False when there is
        none.

        What goes wrong may be the context's fault: it is tried once more with a new one, then never again.
        """
        reason = ""
        for _ in range(2):
            if not self._start():
                return False
            try:
                self._tell_context()
                self._tell_part()
                while whole and self._parts is not None:
                    self._tell_part()
            except Exception as error:
                reason = f"OpenGL could not draw: {error}"
                self.forget()
            else:
                return True
        self._give_up(reason)
        return False

    def _tell_context(self) -> None:
        assert self.renderer is not None
        size, ratio = self._pixels(), self.devicePixelRatioF()
        self._abandon()
        if self._target is None or (self._target.width(), self._target.height()) != size:
            self._target = QOpenGLFramebufferObject(*size, QOpenGLFramebufferObject.Attachment.CombinedDepthStencil)
        self._ratio = ratio
        self._target.bind()
        target = self.gl.detect_framebuffer(self._target.handle())
        target.use()
        self._parts = self._draw(self.renderer, target, size, ratio)
        self._stale = False

    def _tell_part(self) -> None:
        if self._parts is not None and next(self._parts, _DONE) is _DONE:
            self._parts = None

    def _tell_rest(self, whole: bool) -> None:
        """Go on with the picture that was begun, to the next part or to its end; the context is current."""
        try:
            self._tell_part()
            while whole and self._parts is not None:
                self._tell_part()
        except Exception:
            # It is painted at once instead, with as much patience as such a picture has.
            self._abandon()
            self.update()
        else:
            self._mark_the_end()

    def _mark_the_end(self) -> None:
        """Once everything is told, a fence will say when it is drawn."""
        if self._parts is not None or self._context is None:
            return
        try:
            self._fence = Fence(self._context)
        except RuntimeError:
            # Nothing says when it is drawn: it is waited for.
            self._take()
            self._unseen = True

    def _abandon(self) -> None:
        """A picture that was begun will not be wanted; the context is current."""
        self._drop_fence()
        self._parts, self._unseen = None, False
        if self.renderer is not None:
            self.renderer.abandon()

    def _drop_fence(self) -> None:
        if self._fence is not None:
            self._fence.drop()
            self._fence = None

    def _take(self) -> None:
        """The picture that OpenGL was told to draw, waited for if need be; lets go of the context."""
        assert self._target is not None and self._context is not None and self.renderer is not None
        self._drop_fence()
        self._target.bind()
        self.renderer.finish(self.gl.detect_framebuffer(self._target.handle()))
        image = self._target.toImage()
        # Nothing shines through a scene: painting it is copying it.
        image.reinterpretAsFormat(QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(self._ratio)
        self._image = image
        self._target.release()
        self._context.doneCurrent()
        self.frameSwapped.emit()

    def _redraw(self) -> None:
        if self._tell():
            self._take()

    def begin(self) -> bool:
        """Begin a picture of the scene as it is now; False when it must be painted at once instead: there is none of
        the right size to be seen meanwhile."""
        if not self._fits() or not self._tell(whole=False):
            return False
        assert self._context is not None
        self._mark_the_end()
        self._context.doneCurrent()
        return True

    def advance(self) -> bool:
        """One short step further with the picture that was begun; nothing is waited for. True when there is no other
        left than to show it: it is drawn, or is not wanted any more."""
        if (self._parts is None and self._fence is None) or self._stale:
            return True
        if not self._current():
            # The context is lost, and the picture with it.
            self._parts = self._fence = None
            self.update()
            return True
        assert self._context is not None
        if self._parts is not None:
            self._tell_rest(whole=False)
        elif self._fence is not None and self._fence.passed():
            self._take()
            self._unseen = True
        self._context.doneCurrent()
        return False

    def show_finished(self) -> None:
        """Show the picture that was begun, unless a newer one has been painted, or is called for, meanwhile."""
        if self._unseen and not self._stale:
            super().repaint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints the last picture. One that is being drawn is not waited for, unless the size is another."""
        if self._stale or not self._fits():
            self._redraw()
        self._unseen = False
        painter = QPainter(self)
        if self._image is None:
            painter.fillRect(event.rect(), Qt.GlobalColor.black)
        else:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            painter.drawImage(QPoint(0, 0), self._image)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._stale = True
        super().resizeEvent(event)

    def grabFramebuffer(self) -> QImage:
        """The scene as it is now, without what lies over it."""
        self._redraw()
        super().update()  # the one that was begun is not shown any more
        return self._image if self._image is not None else QImage()

    def with_context(self, work: Callable[[Renderer], None]) -> None:
        """Do `work` with the context current; without a renderer the scene is given later, in `ready`."""
        if self.renderer is None or not self._current():
            return
        assert self._context is not None
        try:
            if self._parts is not None:
                # The picture that was begun is of the scene as it was then.
                self._tell_rest(whole=True)
                self._current()
            work(self.renderer)
        finally:
            self._context.doneCurrent()

    def forget(self) -> None:
        """Give everything on the card back; the next picture makes it anew."""
        if self.renderer is not None and self._current():
            self._abandon()
            self.renderer.release()
            self._target = None  # while its context is current
            assert self._context is not None
            self._context.doneCurrent()
        self.renderer, self._context, self._surface, self._image, self._fence = None, None, None, None, None
        self._target, self._parts, self._unseen = None, None, False
        self._stale = True
