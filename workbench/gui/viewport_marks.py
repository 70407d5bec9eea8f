"""Labels and measurements on the picture: which there are, and where they stand now."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.events import WorstRestraints
from workbench.gui.viewport_overlay import AtomLabel, Ruler
from workbench.gui.viewport_texts import atom_details, atom_name
from workbench.view.camera import Camera
from workbench.view.maps import MapSet
from workbench.view.measure import words
from workbench.view.scene import Scene

Picked = tuple[int, int]
"""An atom of the model and the symmetry mate it belongs to (-1: the model itself)."""


def place_of(scene: Scene, picked: Picked) -> FloatArray:
    """(3,) where a picked atom is now, angstrom."""
    xyz = scene.xyz[picked[0]]
    if 0 <= picked[1] < len(scene.mates):
        return scene.mates[picked[1]].moved(xyz)
    return np.asarray(xyz)


def mate_name(scene: Scene, picked: Picked) -> str:
    """The operator of a symmetry mate, "" for the model itself."""
    return scene.mates[picked[1]].name if 0 <= picked[1] < len(scene.mates) else ""


def short_name(scene: Scene, picked: Picked) -> str:
    """'A 42 CB', with a star for a symmetry mate."""
    model = scene.model
    row = int(model.residue[picked[0]])
    place = f"{model.residues.chain[row]} {model.residues.number[row]} {model.atom_name[picked[0]]}"
    return f"{place} *" if picked[1] >= 0 else place


class Marks:
    """labelled: atoms with their names beside them. hovered: what the pointer is over. measuring: the atoms of the
    measurement under way, None when clicks do not measure. measurements: the finished ones."""

    def __init__(self) -> None:
        self.labelled: set[int] = set()
        self.hovered: Picked | None = None
        self.measuring: list[Picked] | None = None
        self.measurements: list[tuple[Picked, ...]] = []

    def begin_anew(self) -> None:
        """Another model: nothing of the former stays, not even that clicks measure."""
        self.clear()
        self.hovered = self.measuring = None

    def clear(self) -> None:
        """Take all labels and measurements away."""
        self.labelled.clear()
        self.measurements.clear()
        if self.measuring:
            self.measuring = []

    def measure(self, picked: Picked | None) -> None:
        """One atom more: two make a distance, three an angle, four a torsion, then a new measurement begins; a click
        beside all atoms begins anew."""
        if self.measuring is None:
            return
        if picked is None:
            self.measuring = []
            return
        self.measuring.append(picked)
        count = len(self.measuring)
        if 2 <= count <= 4:
            if count > 2 and self.measurements:
                self.measurements.pop()
            self.measurements.append(tuple(self.measuring))
        if count == 4:
            self.measuring = []

    def labels(
        self, scene: Scene, camera: Camera, size: tuple[int, int], maps: MapSet, worst: WorstRestraints | None
    ) -> tuple[AtomLabel, ...]:
        """The labels that are in the picture of `size` (width, height)."""
        wanted: list[tuple[Picked, bool]] = [((atom, -1), False) for atom in sorted(self.labelled)]
        if self.hovered is not None and not (self.hovered[1] < 0 and self.hovered[0] in self.labelled):
            wanted.append((self.hovered, True))
        found = []
        for picked, hovering in wanted:
            x, y, depth = camera.project(place_of(scene, picked), *size)[0].tolist()
            if not (camera.far < depth < camera.near and 0 <= x <= size[0] and 0 <= y <= size[1]):
                continue
            atom, mate = picked[0], mate_name(scene, picked)
            if hovering:
                text = atom_details(scene.model, scene.state, atom, maps, worst, mate)
            else:
                text = atom_name(scene.model, atom, mate)
            found.append(AtomLabel(round(x, 1), round(y, 1), text, hovering))
        return tuple(found)

    def rulers(self, scene: Scene, camera: Camera, size: tuple[int, int]) -> tuple[tuple[Ruler, ...], tuple[str, ...]]:
        """The measurements on the picture, and as a list in words."""
        rulers, lines = [], []
        for number, atoms in enumerate(self.measurements, start=1):
            points = np.array([place_of(scene, picked) for picked in atoms])
            value = words(points)
            rulers.append(Ruler(_on_picture(points, camera, size), value))
            names = " \u2013 ".join(short_name(scene, picked) for picked in atoms)
            lines.append(f"{number}   {names}   {value}")
        if self.measuring:
            points = np.array([place_of(scene, picked) for picked in self.measuring])
            rulers.append(Ruler(_on_picture(points, camera, size), ""))
        return tuple(rulers), tuple(lines)


def _on_picture(points: FloatArray, camera: Camera, size: tuple[int, int]) -> tuple[tuple[float, float], ...]:
    return tuple((round(x, 1), round(y, 1)) for x, y, _ in camera.project(points, *size).tolist())
