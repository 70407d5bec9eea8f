"""Tabs without frames: names in a row, the chosen one underlined, a hairline below."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from workbench.gui.theme import theme
from workbench.gui.widgets.lines import Hairline, Surface


class Tabs(Surface):
    """Pages with a row of names above them."""

    changed = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__("panel")
        self._names: list[tuple[str, str]] = []
        self.bar = QTabBar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setAccessibleName(name)
        self.pages = QStackedWidget()
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 0)
        row.addWidget(self.bar)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(Hairline())
        layout.addSpacing(4)
        layout.addWidget(self.pages, 1)
        self.bar.currentChanged.connect(self.pages.setCurrentIndex)
        self.bar.currentChanged.connect(self.changed)
        self._restyle()
        theme.changed.connect(self._restyle)

    def add(self, page: QWidget, name: str, short: str = "") -> None:
        """short: the name where the window is narrow."""
        self.pages.addWidget(page)
        self._names.append((name, short or name))
        self.bar.addTab(name)
        self._restyle()

    def show_page(self, page: QWidget) -> None:
        self.bar.setCurrentIndex(self.pages.indexOf(page))

    def page(self) -> QWidget:
        """The page that is seen."""
        page = self.pages.currentWidget()
        return self if page is None else page

    def _restyle(self) -> None:
        c = theme.colours
        narrow = theme.sizes.name == "compact"
        for i, (name, short) in enumerate(self._names):
            self.bar.setTabText(i, short if narrow else name)
            self.bar.setTabToolTip(i, name if narrow and short != name else "")
        gap = 5 if narrow else 8
        self.bar.setFont(theme.font(13, 500))
        self.bar.setStyleSheet(
            f"""
            QTabBar {{ background: {c.panel}; border: none; }}
            QTabBar::tab {{ background: {c.panel}; color: {c.label}; padding: 8px 0 7px 0; margin: 0 {gap}px;
                            border: none; border-bottom: 2px solid {c.panel}; }}
            QTabBar::tab:selected {{ color: {c.text}; border-bottom: 2px solid {c.accent}; }}
            QTabBar::tab:hover {{ color: {c.text}; }}
            QTabBar::tab:selected:focus {{ color: {c.accent}; background: {c.selected}; }}
            """
        )
