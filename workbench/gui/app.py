"""Start the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QSurfaceFormat
from PySide6.QtWidgets import QApplication, QStyleFactory

from workbench.gui import icons
from workbench.gui.bridge import Bridge
from workbench.gui.main_window import MainWindow
from workbench.gui.theme import theme
from workbench.session.preferences import RecentFiles
from workbench.session.session import Session, default_projects_folder
from workbench.session.worker import RunSource, engine_run

EXAMPLE = "lyso_c2"
"""The bundled structure whose R values visibly fall."""


def prepare_qt() -> None:
    """What must be said before the application exists."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    surface = QSurfaceFormat()
    surface.setVersion(3, 3)
    surface.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    surface.setOption(QSurfaceFormat.FormatOption.DeprecatedFunctions, False)
    surface.setDepthBufferSize(24)
    surface.setSwapInterval(1)
    QSurfaceFormat.setDefaultFormat(surface)


def make_application(arguments: Sequence[str] = ("workbench",)) -> QApplication:
    """The Qt application with the theme of the system."""
    present = QApplication.instance()
    if isinstance(present, QApplication):
        app = present
    else:
        prepare_qt()
        app = QApplication(list(arguments))
    app.setApplicationName("refinement-workbench")
    app.setApplicationDisplayName("Refinement Workbench")
    fusion = QStyleFactory.create("Fusion")
    if fusion is not None:
        app.setStyle(fusion)
    app.setWindowIcon(icons.application_icon())
    pg.setConfigOptions(antialias=True, useOpenGL=False)
    theme.follow_system()
    return app


def example_files() -> RecentFiles | None:
    """The bundled example, where it is installed."""
    from workbench.core.errors import WorkbenchError
    from workbench.io.files import example_path

    try:
        model, data, dictionaries = example_path(EXAMPLE)
    except (OSError, WorkbenchError):
        return None
    return RecentFiles(str(model), str(data), tuple(str(path) for path in dictionaries))


def make_window(
    *,
    source: RunSource = engine_run,
    keep_preferences: bool = True,
    example: RecentFiles | None = None,
    projects: Path | None = None,
) -> MainWindow:
    """A session, the bridge from its reader thread, and the window that shows it. projects: see `Session`."""
    bridge = Bridge()
    session = Session(deliver=bridge.post, source=source, projects=projects)
    bridge.deliver_to(session.handle)
    window = MainWindow(session, example=example, keep_preferences=keep_preferences)
    bridge.setParent(window)
    return window


def run_window(
    model_path: str | None = None,
    data_path: str | None = None,
    demo: bool = False,
    dictionaries: Sequence[str] = (),
    project: str | None = None,
) -> int:
    """Open the window, with files or a project if given; `demo` opens the example and refines it.

    Returns the exit code.
    """
    app = make_application(sys.argv[:1] or ["workbench"])
    example = example_files()
    window = make_window(example=example, projects=default_projects_folder())
    window.show()
    if project is not None:
        window.open_project(project)
    elif demo and example is not None:
        window.open_pair(example.model, example.data, example.dictionaries, refine=True)
    elif model_path is not None and data_path is not None:
        window.open_pair(os.fspath(model_path), os.fspath(data_path), dictionaries)
    elif model_path is not None or data_path is not None:
        window.open_files([path for path in (model_path, data_path, *dictionaries) if path is not None])
    return int(app.exec())
