"""The user's preferences: one JSON file with one owner, written atomically."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from workbench.session.data_choice import DataChoice

RECENT_LIMIT = 10
THEMES = ("system", "light", "dark")


@dataclass(frozen=True)
class RecentFiles:
    """Files that were open together (absolute paths), and what was decided about the data."""

    model: str
    data: str
    dictionaries: tuple[str, ...] = ()
    choice: DataChoice = field(default_factory=DataChoice)

    def exists(self) -> bool:
        return all(Path(path).is_file() for path in (self.model, self.data, *self.dictionaries))


@dataclass(frozen=True)
class Preferences:
    """theme: "system", "light" or "dark". recent: newest first. geometry, layout: what Qt gives to restore the window.
    values: anything else, by name (JSON values)."""

    theme: str = "system"
    recent: tuple[RecentFiles, ...] = ()
    geometry: bytes = b""
    layout: bytes = b""
    values: dict[str, Any] = field(default_factory=dict)

    def opened(
        self,
        model: str | Path,
        data: str | Path,
        dictionaries: tuple[str, ...] = (),
        choice: DataChoice | None = None,
    ) -> Preferences:
        """These preferences with a newest entry in the recent list."""
        entry = RecentFiles(
            str(Path(model).absolute()),
            str(Path(data).absolute()),
            tuple(str(Path(p).absolute()) for p in dictionaries),
            choice or DataChoice(),
        )
        others = tuple(old for old in self.recent if (old.model, old.data) != (entry.model, entry.data))
        return replace(self, recent=(entry, *others)[:RECENT_LIMIT])


def preferences_path() -> Path:
    """The settings file; WORKBENCH_CONFIG_DIR moves its folder."""
    folder = os.environ.get("WORKBENCH_CONFIG_DIR")
    base = Path(folder) if folder else Path(platformdirs.user_config_dir("refinement-workbench", appauthor=False))
    return base / "preferences.json"


def load_preferences(path: Path | None = None) -> Preferences:
    """The preferences as saved; defaults where the file is missing or damaged. Vanished files are dropped."""
    path = path or preferences_path()
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Preferences()
    if not isinstance(read, dict):
        return Preferences()
    theme = read.get("theme")
    values = read.get("values")
    recent = [entry for entry in map(_recent, _list(read.get("recent"))) if entry is not None and entry.exists()]
    return Preferences(
        theme=theme if theme in THEMES else "system",
        recent=tuple(recent[:RECENT_LIMIT]),
        geometry=_bytes(read.get("geometry")),
        layout=_bytes(read.get("layout")),
        values=values if isinstance(values, dict) else {},
    )


def save_preferences(preferences: Preferences, path: Path | None = None) -> bool:
    """Write them, whole or not at all. False when the folder cannot be written (the program goes on without)."""
    path = path or preferences_path()
    text = json.dumps(
        {
            "theme": preferences.theme,
            "recent": [
                {
                    "model": entry.model,
                    "data": entry.data,
                    "dictionaries": list(entry.dictionaries),
                    "choice": entry.choice.plain(),
                }
                for entry in preferences.recent
            ],
            "geometry": base64.b64encode(preferences.geometry).decode("ascii"),
            "layout": base64.b64encode(preferences.layout).decode("ascii"),
            "values": preferences.values,
        },
        indent=1,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=".preferences-", delete=False
        ) as temporary:
            temporary.write(text)
            temporary.flush()
            os.fsync(temporary.fileno())
        Path(temporary.name).replace(path)
    except OSError:
        return False
    return True


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _recent(value: object) -> RecentFiles | None:
    if not isinstance(value, dict):
        return None
    model, data = value.get("model"), value.get("data")
    dictionaries = _list(value.get("dictionaries"))
    if not isinstance(model, str) or not isinstance(data, str):
        return None
    choice = DataChoice.from_plain(value.get("choice"))
    return RecentFiles(model, data, tuple(path for path in dictionaries if isinstance(path, str)), choice)


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        return b""
