"""Colours, sizes and fonts of the window: one value for each role, dark and light.

The colours are measured: text at 4.5:1 or better against the panel, curves told apart by dash and name as well.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

Appearance = Literal["system", "dark", "light"]
PREFERRED_FAMILIES = ("Inter", "SF Pro Text", "Segoe UI", "Noto Sans")


@dataclass(frozen=True)
class Colours:
    """Colour of each role as "#RRGGBB"."""

    dark: bool
    chrome: str
    panel: str
    view: str
    hairline: str
    grid: str
    field: str
    selected: str
    text: str
    label: str
    hint: str
    work: str
    free: str
    accent: str
    on_accent: str
    accent_tint: str
    watch: str
    error: str
    track: str
    map_main: str
    map_positive: str
    map_negative: str

    def __getitem__(self, role: str) -> QColor:
        return QColor(getattr(self, role))


DARK = Colours(
    dark=True,
    chrome="#15181D",
    panel="#1A1E24",
    view="#101216",
    hairline="#2B3038",
    grid="#262B33",
    field="#252A32",
    selected="#22363A",
    text="#E8EAED",
    label="#AEB5BF",
    hint="#8F98A5",
    work="#6CB2F2",
    free="#F2A24A",
    accent="#3CC9B0",
    on_accent="#06231E",
    accent_tint="#20433F",
    watch="#E9D24F",
    error="#FF7D6B",
    track="#3A424D",
    map_main="#5E8FD0",
    map_positive="#4CC38A",
    map_negative="#F0616D",
)
LIGHT = Colours(
    dark=False,
    chrome="#F1F3F5",
    panel="#FFFFFF",
    view="#FAFBFC",
    hairline="#D9DEE4",
    grid="#E9ECF0",
    field="#EEF1F4",
    selected="#E0F1EE",
    text="#16191D",
    label="#4A525C",
    hint="#626B76",
    work="#1F6FB8",
    free="#A85400",
    accent="#0B7A69",
    on_accent="#FFFFFF",
    accent_tint="#CDE5E1",
    watch="#7A6000",
    error="#B3261E",
    track="#D5DBE2",
    map_main="#5E8FD0",
    map_positive="#1E8A57",
    map_negative="#C93A48",
)


@dataclass(frozen=True)
class Sizes:
    """Layout of one class of window width, in device-independent pixels."""

    name: str
    left: int
    right: int
    bottom: int
    row: int
    list_row: int
    value_x: int
    button: int
    words: bool
    r_value: int
    families_open: bool


WIDE = Sizes("wide", 304, 400, 256, 24, 24, 112, 56, True, 28, True)
MEDIUM = Sizes("medium", 288, 376, 232, 22, 24, 112, 48, True, 28, False)
COMPACT = Sizes("compact", 264, 336, 200, 20, 24, 100, 40, False, 24, False)
HEADER_HEIGHT = 80
STATUS_HEIGHT = 24
PADDING = 16


def sizes_for(width: int) -> Sizes:
    """The layout for a window that is `width` pixels wide."""
    if width >= 1600:
        return WIDE
    return MEDIUM if width >= 1400 else COMPACT


class Theme(QObject):
    """What the window looks like now. `changed` is sent when colours or sizes are others."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.appearance: Appearance = "system"
        self.colours: Colours = DARK
        self.sizes: Sizes = WIDE
        self.reduced_motion = False
        self._families: list[str] | None = None
        self._fonts: dict[tuple[int, int], QFont] = {}
        self._metrics: dict[tuple[int, int], QFontMetricsF] = {}
        self._dressed: Colours | None = None

    def families(self) -> list[str]:
        """The font families in order of preference that this machine has, then its default."""
        if self._families is None:
            installed = set(QFontDatabase.families())
            default = QGuiApplication.font().family()
            found = [family for family in PREFERRED_FAMILIES if family in installed]
            # DejaVu is a fifth wider than every other system font; its condensed cut has the usual width.
            if not found and QFontDatabase.hasFamily("DejaVu Sans Condensed") and default in _GENERIC:
                found = ["DejaVu Sans Condensed"]
            self._families = [*found, default]
        return self._families

    def font(self, size: int, weight: int = 400) -> QFont:
        """The interface font at `size` px with figures of equal width. Shared: copy it before changing it."""
        known = self._fonts.get((size, weight))
        if known is not None:
            return known
        font = QFont()
        font.setFamilies(self.families())
        font.setPixelSize(size)
        font.setWeight(QFont.Weight(weight))
        font.setFeature(QFont.Tag("tnum"), 1)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        self._fonts[size, weight] = font
        return font

    def metrics(self, size: int, weight: int = 400) -> QFontMetricsF:
        """Measures of the interface font."""
        known = self._metrics.get((size, weight))
        if known is None:
            known = self._metrics[size, weight] = QFontMetricsF(self.font(size, weight))
        return known

    def set_appearance(self, appearance: Appearance) -> None:
        """Follow the system, or stay dark or light."""
        self.appearance = appearance
        self._choose()

    def set_sizes(self, sizes: Sizes) -> None:
        if sizes != self.sizes:
            self.sizes = sizes
            self.changed.emit()

    def follow_system(self) -> None:
        """Answer when the system switches between dark and light."""
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._choose)
        self._choose()

    def _choose(self) -> None:
        if self.appearance == "system":
            light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
            colours = LIGHT if light else DARK
        else:
            colours = LIGHT if self.appearance == "light" else DARK
        app = QApplication.instance()
        if isinstance(app, QApplication) and self._dressed is not colours:
            self._dressed = colours
            dress(app, colours)
        self.colours = colours
        self.changed.emit()


_GENERIC = {"DejaVu Sans", "Sans Serif", "Sans", "sans-serif"}

theme = Theme()
"""The one theme of the program: widgets read it when they paint."""


def advance(text: str, font: QFont) -> float:
    """Width of a text in px."""
    return QFontMetricsF(font).horizontalAdvance(text)


def colour_table(colours: Colours) -> dict[str, str]:
    """The colours by name, as the 3D view takes them."""
    return {f.name: getattr(colours, f.name) for f in fields(colours) if f.name != "dark"}


def dress(app: QApplication, colours: Colours) -> None:
    """Give Qt's own widgets (menus, dialogs, tables) the same colours."""
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: colours.panel,
        QPalette.ColorRole.WindowText: colours.text,
        QPalette.ColorRole.Base: colours.panel,
        QPalette.ColorRole.AlternateBase: colours.chrome,
        QPalette.ColorRole.Text: colours.text,
        QPalette.ColorRole.Button: colours.field,
        QPalette.ColorRole.ButtonText: colours.text,
        QPalette.ColorRole.BrightText: colours.error,
        QPalette.ColorRole.Highlight: colours.selected,
        QPalette.ColorRole.HighlightedText: colours.text,
        QPalette.ColorRole.ToolTipBase: colours.field,
        QPalette.ColorRole.ToolTipText: colours.text,
        QPalette.ColorRole.PlaceholderText: colours.hint,
        QPalette.ColorRole.Link: colours.accent,
        QPalette.ColorRole.Light: colours.hairline,
        QPalette.ColorRole.Midlight: colours.hairline,
        QPalette.ColorRole.Mid: colours.hairline,
        QPalette.ColorRole.Dark: colours.chrome,
        QPalette.ColorRole.Shadow: colours.chrome,
        QPalette.ColorRole.Accent: colours.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.hint))
    app.setPalette(palette)
    app.setFont(theme.font(12))
    app.setStyleSheet(style_sheet(colours))


def style_sheet(c: Colours) -> str:
    """Qt style sheet for the few standard widgets in use."""
    return f"""
    QToolTip {{ background: {c.field}; color: {c.text}; border: 1px solid {c.hairline}; padding: 4px 6px; }}
    QMenu {{ background: {c.panel}; color: {c.text}; border: 1px solid {c.hairline}; padding: 4px; }}
    QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {c.selected}; }}
    QMenu::item:disabled {{ color: {c.hint}; }}
    QMenu::separator {{ height: 1px; background: {c.hairline}; margin: 4px 8px; }}
    QScrollArea, QAbstractScrollArea {{ border: none; background: {c.panel}; }}
    QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
    QScrollBar::handle:vertical {{ background: {c.track}; border-radius: 3px; min-height: 24px; margin: 1px; }}
    QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
    QScrollBar::handle:horizontal {{ background: {c.track}; border-radius: 3px; min-width: 24px; margin: 1px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QLineEdit {{ background: {c.field}; color: {c.text}; border: 1px solid {c.field}; border-radius: 6px;
                 padding: 1px 7px; selection-background-color: {c.accent}; selection-color: {c.on_accent}; }}
    QLineEdit:focus {{ border: 1px solid {c.accent}; }}
    QLineEdit:disabled {{ color: {c.hint}; }}
    QAbstractItemView {{ background: {c.panel}; color: {c.text}; border: none; outline: none; }}
    QAbstractItemView::item:selected {{ background: {c.selected}; color: {c.text}; }}
    QHeaderView::section {{ background: {c.panel}; color: {c.hint}; border: none; padding: 2px 6px; }}
    QSplitter::handle {{ background: {c.hairline}; }}
    QSplitter::handle:hover {{ background: {c.accent}; }}
    QPlainTextEdit {{ background: {c.panel}; color: {c.text}; border: none; }}
    """
