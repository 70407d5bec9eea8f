"""The words of the 3D view: what is said of an atom, a residue, the maps and the colours."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from PySide6.QtGui import QColor

from workbench.core.arrays import FloatArray
from workbench.core.crystal import Model, ModelState
from workbench.core.events import WorstRestraints
from workbench.core.settings import ONE_OF_FAMILY
from workbench.gui.viewport_overlay import LevelRow
from workbench.gui.widgets.text import MINUS
from workbench.view.atoms import hydrogen_atoms
from workbench.view.colours import Rgb, SceneColours
from workbench.view.framing import residue_atoms
from workbench.view.maps import DENSITY, MapSet, wire_names
from workbench.view.renderer import Wire

MOST_ROWS = 4
"""Maps that all stand in the legend; of more, those that are hidden are only counted."""
LONGEST_NAME = 32


def hex_colour(colour: Rgb) -> str:
    return QColor.fromRgbF(*colour).name()


def atom_name(model: Model, atom: int, mate: str = "") -> str:
    """'CB (A)  A 89 PHE', with the operator of a symmetry copy."""
    alternative = f" ({model.altloc[atom]})" if model.altloc[atom] else ""
    copy = f"   {mate}" if mate else ""
    return f"{model.atom_name[atom]}{alternative}  {model.residues.label(int(model.residue[atom]))}{copy}"


def atom_details(
    model: Model,
    state: ModelState,
    atom: int,
    maps: MapSet,
    worst: WorstRestraints | None = None,
    mate: str = "",
) -> str:
    """Everything about an atom: B, occupancy, density at its centre in the maps, Z of its worst restraint."""
    parts = [atom_name(model, atom, mate), f"B {state.b_iso[atom]:.1f} \u00c5\u00b2"]
    parts.append(f"occ {state.occupancy[atom]:.2f}")
    for name, grid in maps.grids.items():
        if grid.sigma > 0.0 and np.isfinite(state.xyz[atom]).all():
            sign = "+" if name in maps.differences else ""
            value = float(grid.at(state.xyz[atom])[0]) / grid.sigma
            said = map_words(name)
            shown = f"{value:{sign}.1f}".replace("-", MINUS)
            parts.append(f"{said} {shown} \u03c3")
    if worst is not None and worst.family[atom] >= 0:
        parts.append(f"{ONE_OF_FAMILY[worst.family[atom]]} Z {worst.z[atom]:+.1f}".replace("-", MINUS))
    return "   ".join(parts)


def residue_words(
    model: Model, state: ModelState, row: int, maps: MapSet, fit: FloatArray | None
) -> tuple[str, tuple[str, ...]]:
    """Title and lines about the residue that is looked at."""
    atoms = residue_atoms(model, row)
    line = f"mean B {state.b_iso[atoms].mean():.1f} \u00c5\u00b2"
    density = maps.grids.get(DENSITY)
    if density is not None and density.sigma > 0.0:
        heavy = ~hydrogen_atoms(model)[atoms] & np.isfinite(state.xyz[atoms]).all(axis=1)
        mean = density.at(state.xyz[atoms][heavy]).mean() / density.sigma if heavy.any() else 0.0
        line += f"    2mFo{MINUS}DFc at its atoms {mean:.1f} \u03c3".replace("-", MINUS)
    if fit is not None and np.isfinite(fit[row]):
        line += f"    density fit CC {fit[row]:.2f}".replace("-", MINUS)
    return model.residues.label(row), (line,)


def level_rows(
    maps: MapSet,
    levels: dict[str, float],
    hidden: set[str],
    active: str,
    bright: str,
    section: bool,
    wires: list[Wire],
    colours: SceneColours,
    older: Mapping[str, str],
) -> tuple[LevelRow, ...]:
    """The legend of the maps; `section`: the active one is shown as a section; `older`: maps that were made of another
    state of the model than the one shown, and of which."""
    paint = {wire.name: wire.colour for wire in wires}
    width = {wire.name: wire.width for wire in wires}
    rows = []
    unseen = [name for name in maps.grids if name in hidden and name != active]
    if len(maps.grids) <= MOST_ROWS:
        unseen = []
    for name, grid in maps.grids.items():
        if name in unseen:
            continue
        difference = name in maps.differences
        sigma = levels[name]
        both = "\u00b1" if difference else ""
        parts = [wire for wire, _ in wire_names(name, difference)]
        remark = maps.remark if name == DENSITY else ""
        if difference:
            remark = difference_words(paint[f"{name} +"], paint[f"{name} -"], colours.safe)
        if section and name == active:
            remark = "section, a line each \u03c3"
        if name in hidden:
            remark = "hidden"
        rows.append(
            LevelRow(
                colours=tuple(hex_colour(paint[part]) for part in parts),
                name=_short(map_words(name)) + (f" of {older[name]}" if name in older else ""),
                sigma=f"{both}{sigma:.2f} \u03c3",
                absolute=f"{sigma * grid.sigma:.2f} e/\u00c5\u00b3",
                remark=remark,
                bright=name == bright,
                active=name == active,
                broken=difference and colours.safe,
                width=width[parts[0]],
            )
        )
    if unseen:
        rows.append(LevelRow((), f"and {len(unseen)} hidden", "", "", ""))
    return tuple(rows)


def _short(name: str) -> str:
    """A long file name without its middle."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 19]}\u2026{name[-18:]}"


def map_words(name: str) -> str:
    """The name of a map with a minus sign where it subtracts; names of files keep their hyphens."""
    return re.sub(r"(?<=[Fo])-(?=[mD])", MINUS, name)


def difference_words(positive: Rgb, negative: Rgb, broken: bool) -> str:
    """'+ green, - red': the sign of a difference map in words."""

    def word(colour: Rgb) -> str:
        hue = QColor.fromRgbF(*colour).hslHue()
        limits = (
            (20, "red"),
            (50, "orange"),
            (75, "yellow"),
            (170, "green"),
            (194, "cyan"),
            (260, "blue"),
            (294, "violet"),
            (335, "magenta"),
        )
        return next((name for limit, name in limits if hue < limit), "red")

    return f"+ {word(positive)}, {MINUS} {word(negative)}{' broken' if broken else ''}"
