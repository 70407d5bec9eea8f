"""The OpenGL surface: owns the context and the renderer, paints when told to, and passes input on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import moderngl
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext, QSurfaceFormat
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QWidget

from workbench.view.renderer import Renderer, is_software

GL_RENDERER = 0x1F01


def surface_format() -> QSurfaceFormat:
    """OpenGL 3.3 core: what every desktop since 2010 and macOS have.

    Not forward compatible where that can be had (macOS gives nothing else): such contexts refuse lines wider than a
    pixel, and those are what the processor draws fastest.
    """
    wanted = QSurfaceFormat()
    wanted.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    wanted.setVersion(3, 3)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setOption(QSurfaceFormat.FormatOption.DeprecatedFunctions, True)
    wanted.setDepthBufferSize(24)
    return wanted


def prepare_opengl() -> None:
    """Call before the QApplication is made: shared contexts survive docking, one format serves all surfaces."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    QSurfaceFormat.setDefaultFormat(surface_format())


def missing_opengl() -> str:
    """Empty when OpenGL 3.3 can be had here, else the reason in words."""
    if QGuiApplication.platformName() in {"offscreen", "minimal", "vnc", "linuxfb"}:
        return f"The display system in use ({QGuiApplication.platformName()}) has no OpenGL."
    context = QOpenGLContext()
    context.setFormat(surface_format())
    if not context.create():
        return "No OpenGL context could be made. A graphics driver (or Mesa) with OpenGL 3.3 is needed."
    surface = QOffscreenSurface()
    surface.setFormat(context.format())
    surface.create()
    if not context.makeCurrent(surface):
        return "An OpenGL context was made but cannot be used on this display."
    context.doneCurrent()
    version = context.format().version()
    if tuple(version) < (3, 3):
        return f"OpenGL {version[0]}.{version[1]} is too old; 3.3 is needed."
    return ""


def drawn_by_processor() -> bool:
    """Whether OpenGL is Mesa's (or another) software here, not a graphics card. False when it cannot be told."""
    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(surface_format())
    if not context.create():
        return False
    surface.setFormat(context.format())
    surface.create()
    if not context.makeCurrent(surface):
        return False
    try:
        return is_software(str(context.functions().glGetString(GL_RENDERER) or ""))
    finally:
        context.doneCurrent()


class SceneWidget(QOpenGLWidget):
    """Paints when told to.

    `ready(renderer)` is called with the context current whenever the scene must be given anew; `draw(renderer, target,
    size, pixel_ratio)` draws one frame step by step, which `Renderer.finish` ends; `failed(reason)` says why there will
    be none.
    """

    def __init__(
        self,
        parent: QWidget,
        ready: Callable[[Renderer], None],
        draw: Callable[[Renderer, Any, tuple[int, int], float], Iterator[None]],
        failed: Callable[[str], None],
    ) -> None:
        super().__init__(parent)
        self.setFormat(surface_format())
        self.setMouseTracking(True)
        self._ready, self._draw, self._failed = ready, draw, failed
        self.gl: Any = None
        """The moderngl context."""
        self.renderer: Renderer | None = None

    def initializeGL(self) -> None:
        """Also called again when the widget is given to another window: everything on the card is gone then."""
        try:
            self.gl = moderngl.create_context(require=330)
            self.renderer = Renderer(self.gl)
        except Exception as error:
            self.renderer = None
            self._failed(f"OpenGL could not be started: {error}")
            return
        self.context().aboutToBeDestroyed.connect(self.forget, Qt.ConnectionType.DirectConnection)
        self._ready(self.renderer)

    def paintGL(self) -> None:
        if self.renderer is None:
            return
        ratio = self.devicePixelRatioF()
        size = (round(self.width() * ratio), round(self.height() * ratio))
        target = self.gl.detect_framebuffer(self.defaultFramebufferObject())
        target.use()
        for _ in self._draw(self.renderer, target, size, ratio):
            pass
        self.renderer.finish(target)

    def with_context(self, work: Callable[[Renderer], None]) -> None:
        """Do `work` with the context current; without a renderer the scene is given later, in `ready`."""
        if self.renderer is None:
            return
        self.makeCurrent()
        try:
            work(self.renderer)
        finally:
            self.doneCurrent()

    def forget(self) -> None:
        """Give everything on the card back."""
        if self.renderer is not None:
            self.makeCurrent()
            self.renderer.release()
            self.renderer = None
            self.doneCurrent()
