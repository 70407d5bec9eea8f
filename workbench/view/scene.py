"""What is seen of a model: style, colours, symmetry, selection. Shared by the window and by pictures without one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import AnyArray, BoolArray, FloatArray, IntArray
from workbench.core.crystal import Model, ModelState
from workbench.view.atoms import Sticks, Style, build_sticks, hydrogen_atoms
from workbench.view.camera import Camera
from workbench.view.colouring import AtomValues, ColourBy, atom_colours, glow_of
from workbench.view.colours import SceneColours
from workbench.view.ellipsoids import principal_axes
from workbench.view.line_set import NO_LINES, separate_lines
from workbench.view.renderer import CHOSEN, MATES, MODEL, SELECTION, Renderer, Wire
from workbench.view.ribbon import EMPTY_MESH, Mesh, joined, ribbon
from workbench.view.secondary_structure import secondary_structure
from workbench.view.symmetry import Mate, axis_letters, cell_edges, mates_near

MATE_RADIUS = 16.0
"""Angstrom around the centre within which symmetry mates are drawn."""
WIDE_MATE_RADIUS = 32.0
"""The same for ribbons and traces, which are looked at from farther away."""
MATE_SHIFT = 2.0
"""Angstrom the centre may wander before they are looked for again."""
CELL, AXES = "unit cell", "cell axes"
LETTER = 0.028
"""Height of the letters at the axes of the cell, as a share of the picture's."""
RECENT_CYCLES = 3
"""An atom shines by how far it has moved in so many cycles."""


@dataclass(frozen=True)
class SceneOptions:
    """How the model is shown. glow: atoms shine by how far they moved in the last cycles."""

    style: Style = "sticks"
    colour_by: ColourBy = "element"
    hydrogens: bool = False
    symmetry: bool = False
    cell: bool = False
    glow: bool = False
    waters: bool = True


class Scene:
    """A model with everything that is drawn of it; the `give` methods upload, the others only compute."""

    def __init__(
        self, model: Model, bonds: IntArray, colours: SceneColours, options: SceneOptions | None = None
    ) -> None:
        self.model = model
        self.bonds = np.asarray(bonds, dtype=np.int32).reshape(-1, 2)
        self.options = options or SceneOptions()
        self.colours = colours
        self.state = ModelState(model.xyz, model.b_iso, model.u_aniso, model.occupancy)
        self.start = sound(model.xyz)
        self.xyz = self.start
        self.fit: FloatArray | None = None
        self.selected: int | None = None
        self.selection: Sticks | None = None
        self.mates: list[Mate] = []
        self._mates_centre: FloatArray | None = None
        self._recent: list[FloatArray] = []
        self._structure: AnyArray | None = None
        self.ribbon: Mesh = EMPTY_MESH
        self.sticks: Sticks
        self.palette: AnyArray
        self._build()

    @property
    def shown(self) -> BoolArray:
        """(n,) atoms that can be seen, and picked, besides those of the selection."""
        return self.sticks.shown

    @property
    def structure(self) -> AnyArray:
        """(r,) secondary structure of the model as it was read; found when it is first asked for."""
        if self._structure is None:
            self._structure = secondary_structure(self.model, self.start)
        return self._structure

    # -- changes --------------------------------------------------------------------------------------------------

    def set_options(self, options: SceneOptions) -> None:
        before, self.options = self.options, options
        if not options.symmetry or options.style != before.style:
            self.mates, self._mates_centre = [], None
        if before != options:
            self._build()

    def set_colours(self, colours: SceneColours) -> None:
        self.colours = colours
        self._build()

    def move(self, state: ModelState) -> bool:
        """A new state of the same atoms. True when colours changed with it, not only places."""
        if state.xyz.shape != self.xyz.shape:
            raise ValueError(f"{len(self.xyz)} atoms cannot move to {len(state.xyz)} places")
        before, self.state, self.xyz = self.xyz, state, sound(state.xyz)
        self._recent = [*self._recent, np.linalg.norm(self.xyz - before, axis=1)][-RECENT_CYCLES:]
        if self.options.style == "ribbon":
            self.ribbon = ribbon(self.model, self.xyz, self.structure)
        if self.options.colour_by in ("b", "shift", "fit") or self.options.glow:
            self._paint()
            return True
        return False

    def follow(self, centre: FloatArray) -> bool:
        """Look for symmetry mates around another centre. True when there are others now."""
        if not self.options.symmetry:
            return False
        if self._mates_centre is not None and np.linalg.norm(centre - self._mates_centre) < MATE_SHIFT:
            return False
        self._mates_centre = centre.copy()
        radius = WIDE_MATE_RADIUS if self.options.style in ("ribbon", "trace") else MATE_RADIUS
        self.mates = mates_near(self.model.crystal, self.xyz, self.model.residue, centre, radius)
        return True

    def select(self, row: int | None) -> None:
        """Highlight a residue."""
        self.selected = row
        self._choose()

    def _choose(self) -> None:
        """What is drawn of the selected residue, with a rim around it."""
        self.selection = None
        if self.selected is None:
            return
        o, chosen = self.options, self.model.residue == self.selected
        self.selection = self.sticks.part(chosen & self.sticks.shown)
        if o.style in ("trace", "ribbon") and not len(self.selection.ends):
            # There the residues of a polymer are not drawn atom by atom; the selected one is.
            bonds = self.bonds[chosen[self.bonds].all(axis=1)]
            whole = build_sticks(self.model, bonds, self.palette, "sticks", o.hydrogens, o.waters)
            self.selection = whole.part(chosen)

    def _values(self) -> AtomValues:
        needed = self.options.colour_by == "structure"
        structure = self.structure if needed else np.full(len(self.model.residues), "")
        shift = np.linalg.norm(self.xyz - self.start, axis=1)
        return AtomValues(structure, self.state.b_iso, shift, self.fit)

    def _build(self) -> None:
        o = self.options
        self.palette = atom_colours(self.model, o.colour_by, self.colours, self._values())
        self.sticks = build_sticks(self.model, self.bonds, self.palette, o.style, o.hydrogens, o.waters)
        self.ribbon = ribbon(self.model, self.xyz, self.structure) if o.style == "ribbon" else EMPTY_MESH
        self._paint()

    def _paint(self) -> None:
        self.palette = atom_colours(self.model, self.options.colour_by, self.colours, self._values())
        glow = None
        if self.options.glow and self._recent:
            glow = glow_of(np.sum(self._recent, axis=0))
        self.sticks = self.sticks.painted(self.palette, glow)
        self._choose()

    # -- upload ---------------------------------------------------------------------------------------------------

    def give(self, renderer: Renderer) -> None:
        """Everything."""
        renderer.set_sticks(self.sticks.positions(self.xyz), self.sticks.style, MODEL)
        self._give_shapes(renderer)
        self.give_selection(renderer)
        self.give_mates(renderer)
        edges = separate_lines(cell_edges(self.model.crystal)) if self.options.cell else NO_LINES
        renderer.set_lines(CELL, edges, np.zeros(3), 1e6)

    def give_moved(self, renderer: Renderer, repainted: bool) -> None:
        """Only what a cycle changes: places, and colours where they follow values."""
        renderer.move_sticks(self.sticks.positions(self.xyz), MODEL)
        if repainted:
            renderer.restyle_sticks(self.sticks.style, MODEL)
        if self.options.style in ("ribbon", "ellipsoids"):
            self._give_shapes(renderer)
        self.give_selection(renderer)
        if self.mates:
            self.give_mates(renderer)

    def _give_shapes(self, renderer: Renderer) -> None:
        colours = self.palette[self.ribbon.atom] if len(self.ribbon.atom) else None
        renderer.set_ribbon(self.ribbon, colours)
        atoms, axes = self._ellipsoids()
        renderer.set_ellipsoids(self.xyz[atoms], axes, self.palette[atoms])

    def _ellipsoids(self) -> tuple[IntArray, FloatArray]:
        """Atoms (k,) that are drawn as ellipsoids, and their half axes (k, 3, 3) in angstrom."""
        if self.options.style != "ellipsoids":
            return np.empty(0, dtype=np.int32), np.empty((0, 3, 3))
        atoms = np.flatnonzero(self.shown & ~hydrogen_atoms(self.model)).astype(np.int32)
        state = self.state
        axes = principal_axes(state.b_iso[atoms], state.u_aniso[atoms], state.anisotropic[atoms])
        return atoms, axes.astype(np.float64)

    def give_selection(self, renderer: Renderer) -> None:
        """The selected residue: a rim around its rods, and the rods where the style has none."""
        part, drawn = self.selection, self.shown
        for group in (SELECTION, CHOSEN):
            if part is None or not len(part.ends) or (group == CHOSEN and drawn[part.ends].all()):
                renderer.set_sticks(np.empty((0, 6), dtype=np.float32), np.empty(0), group)
            else:
                renderer.set_sticks(part.positions(self.xyz), part.style, group)

    def give_mates(self, renderer: Renderer) -> None:
        """The symmetry mates: carbon grey, everything fainter."""
        positions, styles = [], []
        palette = self.palette.copy()
        grey = np.round(255 * np.array(self.colours.other_element)).astype(np.uint8)
        palette[self.model.element == "C", :3] = grey
        palette[:, 3] = np.minimum(palette[:, 3], 150)
        faint = self.sticks.painted(palette)
        atoms, axes = self._ellipsoids()
        middles, turned, paint = [np.empty((0, 3))], [np.empty((0, 3, 3))], [np.empty((0, 4), dtype=np.uint8)]
        for mate in self.mates:
            part = faint.part(mate.near & self.shown)
            places = mate.moved(self.xyz)
            positions.append(part.positions(places))
            styles.append(part.style)
            near = mate.near[atoms]
            middles.append(places[atoms[near]])
            turned.append(axes[near] @ mate.rotation.T)
            paint.append(palette[atoms[near]])
        if positions:
            renderer.set_sticks(np.concatenate(positions), np.concatenate(styles), MATES)
        else:
            renderer.set_sticks(np.empty((0, 6), dtype=np.float32), np.empty(0), MATES)
        renderer.set_ellipsoids(np.concatenate(middles), np.concatenate(turned), np.concatenate(paint), MATES)
        ribbons = joined([mate.moved_mesh(self.ribbon) for mate in self.mates])
        renderer.set_ribbon(ribbons, palette[ribbons.atom] if len(ribbons.atom) else None, MATES)

    def give_axes(self, renderer: Renderer, camera: Camera) -> None:
        """The letters at the ends of the axes of the cell: they face the eye, and so change with it."""
        if self.options.cell:
            letters = axis_letters(self.model.crystal, camera.rotation, LETTER * camera.height)
            renderer.set_lines(AXES, separate_lines(letters), np.zeros(3), 1e6)

    def wires(self) -> list[Wire]:
        """How the lines of the model are painted."""
        if not self.options.cell:
            return []
        return [Wire(CELL, self.colours.other_element, 0.7, 1.2), Wire(AXES, self.colours.accent, 1.0, 1.8, fog=False)]

    def extent(self) -> FloatArray:
        """Places (m, 3) that a picture of the whole must hold: atoms that are shown, and the corners of the cell."""
        places = self.xyz[self.shown]
        places = places[np.isfinite(places).all(axis=1)]
        if self.options.cell:
            # A little more than its corners: the letters stand behind the ends of the axes.
            corners = cell_edges(self.model.crystal).reshape(-1, 3)
            places = np.concatenate([places, corners, 1.06 * corners[:6]])
        return np.asarray(places, dtype=np.float64)

    # -- questions ------------------------------------------------------------------------------------------------

    def pickable(self) -> tuple[FloatArray, BoolArray, IntArray, IntArray]:
        """Places (m, 3), which are shown (m,), atom (m,) and mate (m,; -1 = the model itself) of all that is drawn."""
        seen = self.shown if self.selection is None else self.shown | self.selection.shown
        xyz, shown = [self.xyz], [seen]
        atom, mate = [np.arange(len(self.xyz), dtype=np.int32)], [np.full(len(self.xyz), -1, dtype=np.int32)]
        for k, copy in enumerate(self.mates):
            near = np.flatnonzero(copy.near & self.shown).astype(np.int32)
            xyz.append(copy.moved(self.xyz[near]))
            shown.append(np.ones(len(near), dtype=bool))
            atom.append(near)
            mate.append(np.full(len(near), k, dtype=np.int32))
        return np.concatenate(xyz), np.concatenate(shown), np.concatenate(atom), np.concatenate(mate)


def sound(xyz: FloatArray) -> FloatArray:
    """Coordinates in which everything that is no number is NaN, with which one can reckon on."""
    return np.where(np.isfinite(xyz), np.asarray(xyz, dtype=np.float64), np.nan)
