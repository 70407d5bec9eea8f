"""What mouse, trackpad and keys do in the 3D view: one table for each preset, and nothing else anywhere.

An input is written as people say it: "drag ctrl+left", "wheel shift", "click middle", "double left", "pinch",
"key shift+W", "key [". Event handling, the overlay of shortcuts and the tests all read these tables. On macOS Qt calls
the Command key "ctrl" and the Control key "meta"; both count as ctrl here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

ACTIONS: dict[str, tuple[str, str]] = {
    "rotate": ("Move", "Rotate"),
    "pan": ("Move", "Pan"),
    "zoom": ("Move", "Zoom"),
    "zoom_in": ("Move", "Larger"),
    "zoom_out": ("Move", "Smaller"),
    "roll": ("Move", "Roll"),
    "spin": ("Move", "Spin"),
    "undo_view": ("Move", "View before"),
    "centre": ("Go to", "Centre on an atom"),
    "next_residue": ("Go to", "Next residue"),
    "previous_residue": ("Go to", "Previous residue"),
    "next_peak": ("Go to", "Next difference peak"),
    "previous_peak": ("Go to", "Previous difference peak"),
    "go_residue": ("Go to", "Residue by name\u2026"),
    "go_ligand": ("Go to", "Next ligand"),
    "go_blob": ("Go to", "Next unmodelled blob"),
    "whole_model": ("Go to", "Whole model"),
    "level": ("Maps", "Contour level"),
    "level_up": ("Maps", "Level up"),
    "level_down": ("Maps", "Level down"),
    "difference_level": ("Maps", "Difference level"),
    "next_map": ("Maps", "Choose the next map"),
    "toggle_map": ("Maps", "Show or hide it"),
    "radius_more": ("Maps", "Radius up"),
    "radius_less": ("Maps", "Radius down"),
    "toggle_section": ("Maps", "Section at the focus"),
    "focus": ("Depth", "Focus through"),
    "focus_nearer": ("Depth", "Focus nearer"),
    "focus_farther": ("Depth", "Focus farther"),
    "slab_less": ("Depth", "Thinner slab"),
    "slab_more": ("Depth", "Thicker slab"),
    "front_in": ("Depth", "Front plane in"),
    "front_out": ("Depth", "Front plane out"),
    "back_out": ("Depth", "Back plane out"),
    "back_in": ("Depth", "Back plane in"),
    "label": ("Tell", "Label an atom"),
    "label_centre": ("Tell", "Label the atom pointed at"),
    "measure": ("Tell", "Measure: click 2, 3, 4 atoms"),
    "clear": ("Tell", "Clear labels and measures"),
    "next_style": ("Show", "Next style"),
    "next_colouring": ("Show", "Next colouring"),
    "toggle_hydrogens": ("Show", "Hydrogens"),
    "toggle_symmetry": ("Show", "Symmetry mates"),
    "help": ("Show", "These shortcuts"),
}
"""Every action: the group it stands in, and its words."""

KEYS: dict[str, str] = {
    "key N": "zoom_in",
    "key M": "zoom_out",
    "key I": "spin",
    "key U": "undo_view",
    "key Space": "next_residue",
    "key shift+Space": "previous_residue",
    "key .": "next_peak",
    "key ,": "previous_peak",
    "key ctrl+G": "go_residue",
    "key ctrl+L": "go_ligand",
    "key G": "go_blob",
    "key A": "whole_model",
    "key +": "level_up",
    "key =": "level_up",
    "key -": "level_down",
    "key shift+W": "next_map",
    "key W": "toggle_map",
    "key ]": "radius_more",
    "key [": "radius_less",
    "key S": "toggle_section",
    "key 5": "focus_nearer",
    "key 6": "focus_farther",
    "key D": "slab_less",
    "key F": "slab_more",
    "key 1": "front_in",
    "key 2": "front_out",
    "key 3": "back_out",
    "key 4": "back_in",
    "key L": "label_centre",
    "key T": "measure",
    "key shift+T": "clear",
    "key R": "next_style",
    "key C": "next_colouring",
    "key shift+H": "toggle_hydrogens",
    "key Y": "toggle_symmetry",
    "key H": "help",
}

POINTING: dict[str, str] = {
    "click alt+left": "centre",
    "double left": "centre",
    "click shift+left": "label",
    "wheel": "level",
    "wheel ctrl": "difference_level",
    "wheel shift": "zoom",
    "wheel ctrl+shift": "focus",
    "pinch": "zoom",
}


@dataclass(frozen=True)
class Preset:
    """name: as stored. title, words: as shown. inputs: what each input does (names of `ACTIONS`)."""

    name: str
    title: str
    words: str
    inputs: Mapping[str, str]


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "default",
            "Left button turns",
            "Left drag turns, right drag zooms, middle drag moves; the wheel sets the contour level.",
            {
                "drag left": "rotate",
                "drag middle": "pan",
                "drag ctrl+left": "pan",
                "drag alt+left": "pan",
                "drag right": "zoom",
                "drag ctrl+shift+right": "roll",
                "click middle": "centre",
                **POINTING,
                **KEYS,
            },
        ),
        Preset(
            "coot",
            "As in Coot 1",
            "Right drag turns, Shift+right drag zooms, middle drag moves; the wheel sets the contour level.",
            {
                "drag right": "rotate",
                "drag middle": "pan",
                "drag ctrl+right": "pan",
                "drag shift+right": "zoom",
                "drag ctrl+shift+right": "roll",
                "click middle": "centre",
                **POINTING,
                **KEYS,
            },
        ),
        Preset(
            "trackpad",
            "Trackpad",
            "One finger turns, two set the contour level, Alt and two move, a pinch zooms.",
            {
                "drag left": "rotate",
                "drag ctrl+left": "pan",
                "drag shift+left": "zoom",
                "drag ctrl+shift+left": "roll",
                "drag ctrl+shift+right": "roll",
                "wheel alt": "pan",
                **POINTING,
                **KEYS,
            },
        ),
    )
}

_BUTTONS = {
    Qt.MouseButton.LeftButton: "left",
    Qt.MouseButton.MiddleButton: "middle",
    Qt.MouseButton.RightButton: "right",
}
_SYMBOLS = "+=-_[].,123456"


def _modifiers(keys: Qt.KeyboardModifier) -> list[str]:
    names = []
    if keys & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier):
        names.append("ctrl")
    if keys & Qt.KeyboardModifier.AltModifier:
        names.append("alt")
    if keys & Qt.KeyboardModifier.ShiftModifier:
        names.append("shift")
    return names


def mouse_input(kind: str, button: Qt.MouseButton, keys: Qt.KeyboardModifier) -> str:
    """The input of a mouse event; kind: "drag", "click" or "double". Of several buttons the middle or right counts."""
    held = next((name for which, name in reversed(_BUTTONS.items()) if button & which), "")
    return f"{kind} {'+'.join([*_modifiers(keys), held])}" if held else ""


def wheel_input(keys: Qt.KeyboardModifier) -> str:
    return " ".join(["wheel", *(["+".join(_modifiers(keys))] if _modifiers(keys) else [])])


def key_input(event: QKeyEvent) -> str:
    """The input of a key. Shift belongs to a symbol that needs it, and so is not named there."""
    text = event.text()
    if text and text in _SYMBOLS:
        return f"key {'-' if text == '_' else text}"
    names = _modifiers(event.modifiers())
    key = event.key()
    if key == Qt.Key.Key_Space:
        return f"key {'+'.join([*names, 'Space'])}"
    if Qt.Key.Key_A <= key <= Qt.Key.Key_Z:
        return f"key {'+'.join([*names, chr(key)])}"
    return ""


def spoken(name: str) -> str:
    """An input as it is shown: "Ctrl+left drag", "Shift+W", "wheel"."""
    kind, _, rest = name.partition(" ")
    words = [part.capitalize() if part in ("ctrl", "alt", "shift") else part for part in rest.split("+") if part]
    if kind == "click" and words[-1] == "left":
        words.pop()
    if rest.endswith("+"):
        words.append("+")
    said = "+".join(words)
    if kind == "key":
        return said
    if kind == "double":
        return f"double {said} click" if said != "left" else "double click"
    if kind == "drag" or (kind == "click" and words[-1] in ("middle", "right")):
        return f"{said} {kind}"
    return "+".join([*words, kind])


def shortcut_table(preset: Preset) -> list[tuple[str, list[tuple[str, str]]]]:
    """For the overlay: groups, each with (words of the action, its inputs)."""
    inputs: dict[str, list[str]] = {}
    for name, action in preset.inputs.items():
        inputs.setdefault(action, []).append(spoken(name))
    table: dict[str, list[tuple[str, str]]] = {}
    for action, (group, words) in ACTIONS.items():
        if action in inputs:
            table.setdefault(group, []).append((words, ", ".join(inputs[action])))
    return list(table.items())
