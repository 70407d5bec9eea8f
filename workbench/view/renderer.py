"""Draws the scene with OpenGL 3.3 core; knows a context and arrays, and no window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np

from workbench.core.arrays import AnyArray, Float32Array, FloatArray
from workbench.view.atoms import STICK_RADIUS
from workbench.view.camera import Camera
from workbench.view.colours import Rgb, SceneColours
from workbench.view.line_set import LineSet
from workbench.view.primitives import (
    Ellipsoids,
    Lines,
    Rods,
    SectionPlane,
    Triangles,
    compiled,
    set_uniforms,
)
from workbench.view.ribbon import Mesh
from workbench.view.section import Section

SAMPLES = 4
NO_FOG = {"fog_start": -1e6, "fog_end": -2e6}
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic", "basic render")
"""Names of renderers that draw with the processor."""
FRONT_FADE = 1.5
"""Angstrom over which things appear behind the front clipping plane."""
HALO = 0.13
"""Angstrom by which the rim of what is selected is wider than its rods."""
FAR = 0.07
"""Angstrom per pixel beyond which rods are drawn as strips: then they are less than five pixels thick."""
THIN = 3.5
"""Pixels of thickness up to which rods may be drawn as lines, in quick pictures by the processor."""
SECTION_SPACING = 1.0
"""Sigma between the lines of a section."""
MODEL, MATES, SELECTION, CHOSEN = "model", "mates", "selection", "chosen"
"""Names of the groups of rods: of SELECTION only the rim is drawn, CHOSEN are its rods where MODEL has none."""
_ALPHA_TO_COVERAGE = 0x809E  # GL_SAMPLE_ALPHA_TO_COVERAGE
_CLIP_DISTANCE = 0x3000  # GL_CLIP_DISTANCE0


@dataclass(frozen=True)
class Wire:
    """How one set of lines is painted: name, colour, strength 0..1, width in device-independent pixels, the share of
    every segment that is left out (0: unbroken), and whether fog takes them. A surface of the same name has this colour
    too; `hatched` when broken."""

    name: str
    colour: Rgb
    strength: float
    width: float
    broken: float = 0.0
    fog: bool = True


class Renderer:
    """A scene of rods, ellipsoids, a ribbon, named wires and surfaces, and a section.

    All methods must be called with the context current. Anything given here may be replaced at any time; the old
    picture stays until the next `render`.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._programs = compiled(context)
        self._rods: dict[str, Rods] = {}
        self._lines: dict[str, Lines] = {}
        self._surfaces: dict[str, Triangles] = {}
        self._ribbons: dict[str, Triangles] = {}
        self._ellipsoids: dict[str, Ellipsoids] = {}
        self._section: SectionPlane | None = None
        self._target: Any = None
        self._sampled: Any = None
        """Where what `draw` drew should go, while it stands in the multisampled framebuffer alone."""
        self._size = (0, 0)
        self._samples = -1
        self.software = is_software(str(context.info.get("GL_RENDERER", "")))
        """The processor draws, not a graphics card."""
        self.draft = False
        """Draw without smoothed edges: less than half the work. The target needs a depth buffer then."""
        self._wide_lines = self.software and _draws_wide_lines(context)

    # -- what is to be drawn --------------------------------------------------------------------------------------

    def set_sticks(self, positions: Float32Array, style: AnyArray, group: str = MODEL) -> None:
        """Rods with ends (k, 6) in angstrom and style (k,) of workbench.view.atoms.STYLE; none removes the group."""
        _release(self._rods.pop(group, None))
        if len(positions):
            self._rods[group] = Rods(self._context, self._programs, positions, style)

    def move_sticks(self, positions: Float32Array, group: str = MODEL) -> None:
        """New ends (k, 6) for the same rods."""
        rods = self._rods.get(group)
        if rods is not None:
            rods.move(positions)
        elif len(positions):
            raise ValueError(f"0 sticks cannot move to {len(positions)} places")

    def restyle_sticks(self, style: AnyArray, group: str = MODEL) -> None:
        """New style (k,) for the same rods."""
        rods = self._rods.get(group)
        if rods is not None:
            rods.restyle(style)

    def set_lines(self, name: str, lines: LineSet, centre: FloatArray, radius: float) -> None:
        """Lines contoured within `radius` of `centre`; none removes the wire."""
        _release(self._lines.pop(name, None))
        if len(lines):
            self._lines[name] = Lines(self._context, self._programs, lines, centre, radius)

    def set_surface(self, name: str, mesh: Mesh | None, centre: FloatArray, radius: float) -> None:
        """A smooth surface in place of a wire; None or an empty mesh removes it."""
        _release(self._surfaces.pop(name, None))
        if mesh is not None and len(mesh.triangles):
            self._surfaces[name] = Triangles(self._context, self._programs["mesh"], mesh, None, centre, radius)

    def set_ribbon(self, mesh: Mesh | None, colours: AnyArray | None = None, group: str = MODEL) -> None:
        """The ribbon of a group with colours (v, 4 bytes) of its vertices; None removes it."""
        _release(self._ribbons.pop(group, None))
        if mesh is not None and len(mesh.triangles):
            self._ribbons[group] = Triangles(self._context, self._programs["mesh"], mesh, colours)

    def set_ellipsoids(self, middles: AnyArray, axes: AnyArray, colours: AnyArray, group: str = MODEL) -> None:
        """Ellipsoids of a group at (k, 3) with half axes (k, 3, 3) and colours (k, 4 bytes); none removes them."""
        _release(self._ellipsoids.pop(group, None))
        if len(middles):
            program = self._programs["ellipsoids"]
            self._ellipsoids[group] = Ellipsoids(self._context, program, middles, axes, colours)

    def set_section(self, section: Section | None) -> None:
        """The section of a map; None removes it."""
        _release(self._section)
        self._section = None
        if section is not None:
            self._section = SectionPlane(self._context, self._programs["section"], section)

    # -- drawing --------------------------------------------------------------------------------------------------

    def render(
        self,
        camera: Camera,
        colours: SceneColours,
        wires: Sequence[Wire],
        size: tuple[int, int],
        pixel_ratio: float = 1.0,
        target: Any = None,
    ) -> None:
        """Draw into `target` (default: the context's current framebuffer); size in device pixels."""
        target = target or self._context.fbo
        self.draw(camera, colours, wires, size, pixel_ratio, target)
        self.finish(target)

    def draw(
        self,
        camera: Camera,
        colours: SceneColours,
        wires: Sequence[Wire],
        size: tuple[int, int],
        pixel_ratio: float,
        target: Any,
    ) -> None:
        """The first half of `render`, which waits for nothing; `finish` waits until it is drawn.

        Another target may be drawn into between the two.
        """
        for _ in self.parts(camera, colours, wires, size, pixel_ratio, target):
            pass

    def parts(
        self,
        camera: Camera,
        colours: SceneColours,
        wires: Sequence[Wire],
        size: tuple[int, int],
        pixel_ratio: float,
        target: Any,
    ) -> Iterator[None]:
        """`draw` step by step, of which none takes long, for a thread that has other things to do in between. They
        may not be drawing, nor change what is to be drawn; it may be left unfinished."""
        width, height = max(size[0], 1), max(size[1], 1)
        if self._sampled is not None and self._sampled.glo != target.glo:
            self.finish(self._sampled)
        context = self._context
        draft = self.draft
        canvas = target if draft else self._canvas((width, height))
        canvas.viewport = (0, 0, width, height)
        _write(canvas, alpha=True)
        context.disable(moderngl.CULL_FACE | moderngl.BLEND)
        context.disable_direct(_CLIP_DISTANCE)  # the last one may have been left in the middle
        context.enable(moderngl.DEPTH_TEST)
        canvas.clear(*colours.background, 1.0, depth=1.0)
        # The alpha of a fragment is its coverage, not that of the picture, which nothing shines through.
        _write(canvas)
        fog = {"fog_start": camera.focus + 0.12 * camera.front, "fog_end": camera.far}
        shared = {
            "rotation": tuple(np.asarray(camera.rotation.T, dtype=np.float32).ravel().tolist()),
            "centre": tuple(camera.centre.tolist()),
            "half_size": (0.5 * camera.height * width / height, 0.5 * camera.height),
            "pixel": camera.height / height,
            "near": camera.near,
            "far": camera.far,
            **fog,
            "front_fade": min(FRONT_FADE, camera.front),
            "background": colours.background,
            "ambient": colours.ambient,
            "gloss": colours.gloss,
            "glow_colour": colours.glow,
        }
        for program in self._programs.values():
            set_uniforms(program, shared)
        self._draw_solid(colours, camera.height / height)
        yield
        context.enable(moderngl.BLEND)
        context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA, moderngl.ONE, moderngl.ONE
        cut = self._draw_section(canvas, colours, wires)
        wires = [wire for wire in wires if wire.name not in cut]
        self._draw_surfaces(canvas, wires)
        yield from self._draw_lines(canvas, wires, pixel_ratio, fog, draft and pixel_ratio < 1.5)
        context.disable(moderngl.BLEND | moderngl.DEPTH_TEST)
        _write(canvas, alpha=True)
        self._sampled = None if canvas is target else target

    def finish(self, target: Any) -> None:
        """Bring what `draw` has drawn into its target, where its samples are kept apart."""
        if self._sampled is not None:
            self._context.copy_framebuffer(target, self._target)
            self._sampled = None
            target.use()

    def abandon(self) -> None:
        """What `draw` drew is not wanted: there will be no `finish`."""
        self._sampled = None

    def _draw_solid(self, colours: SceneColours, pixel: float) -> None:
        context, mesh = self._context, self._programs["mesh"]
        # Ray-cast edges are softened by turning their coverage into samples: no sorting, no seams.
        if self._samples and not self.draft:
            context.enable_direct(_ALPHA_TO_COVERAGE)
        way = "far_sticks" if self.draft or pixel > FAR else "sticks"
        thin = self.draft and self._wide_lines and 2.0 * STICK_RADIUS / pixel < THIN
        for group, rods in self._rods.items():
            rim = HALO if group == SELECTION else 0.0
            set_uniforms(self._programs[way], {"halo": (*colours.accent, rim)})
            rods.draw("thin_sticks" if thin and not rim else way, pixel)
        set_uniforms(mesh, {"paint": (0.0, 0.0, 0.0, 0.0)})
        for ribbon in self._ribbons.values():
            ribbon.draw()
        for ellipsoids in self._ellipsoids.values():
            ellipsoids.draw()
        context.disable_direct(_ALPHA_TO_COVERAGE)

    def _draw_section(self, canvas: Any, colours: SceneColours, wires: Sequence[Wire]) -> tuple[str, ...]:
        """Returns the names of the wires for which the section stands in."""
        if self._section is None:
            return ()
        s = self._section.section
        paint = {wire.name: wire.colour for wire in wires}
        names = (f"{s.name} +", f"{s.name} -") if s.difference else (s.name,)
        positive = colours.positive if s.difference else colours.density
        program = self._programs["section"]
        set_uniforms(
            program,
            {
                "middle": tuple(s.centre.tolist()),
                "right": tuple((s.right * s.reach).tolist()),
                "up": tuple((s.up * s.reach).tolist()),
                "positive": paint.get(names[0], positive),
                "negative": paint.get(names[-1], colours.negative) if s.difference else colours.negative,
                "spacing": SECTION_SPACING,
                "floor_level": 2.0 if s.difference else 0.5,
                "density": 0,
            },
        )
        _write(canvas, depth=False)
        self._section.draw()
        _write(canvas)
        return names if s.name else ()

    def _draw_surfaces(self, canvas: Any, wires: Sequence[Wire]) -> None:
        program = self._programs["mesh"]
        chosen = [(wire, self._surfaces[wire.name]) for wire in wires if wire.name in self._surfaces]
        for wire, surface in chosen:
            paint = {
                "paint": (*wire.colour, 0.55 * wire.strength),
                "sphere": surface.centre,
                "reach": surface.radius,
                "hatched": 1.0 if wire.broken else 0.0,
                "depths_only": 1.0,
            }
            set_uniforms(program, paint)
            # First only the depths: then a surface shows its nearest sheet and not all those behind it.
            _write(canvas, colour=False)
            surface.draw()
            self._context.depth_func = "<="
            set_uniforms(program, {"depths_only": 0.0})
            _write(canvas, depth=False)
            surface.draw()
            self._context.depth_func = "<"
        _write(canvas)

    def _draw_lines(
        self, canvas: Any, wires: Sequence[Wire], pixel_ratio: float, fog: dict[str, float], thin: bool
    ) -> Iterator[None]:
        _write(canvas, depth=thin)
        if thin:
            self._context.disable(moderngl.BLEND)
            self._context.enable_direct(_CLIP_DISTANCE)
        for wire in wires:
            lines = self._lines.get(wire.name)
            if lines is not None:
                look = {
                    "colour": (*wire.colour, wire.strength),
                    "width": wire.width * pixel_ratio,
                    "broken": wire.broken,
                    "sphere": lines.centre,
                    "reach": lines.radius,
                    **(fog if wire.fog else NO_FOG),
                }
                way = "lines" if not thin else "broken_hairs" if wire.broken else "hairs"
                set_uniforms(self._programs[way], look)
                yield from lines.draw(way)
        if thin:
            self._context.disable_direct(_CLIP_DISTANCE)
        _write(canvas)

    def _canvas(self, size: tuple[int, int]) -> Any:
        """The multisampled framebuffer: a window's own samples cannot be had everywhere."""
        samples = min(SAMPLES, int(self._context.max_samples))
        if self._target is None or (self._size, self._samples) != (size, samples):
            self._drop_canvas()
            self._target = self._context.framebuffer(
                color_attachments=[self._context.renderbuffer(size, 4, samples=samples)],
                depth_attachment=self._context.depth_renderbuffer(size, samples=samples),
            )
            self._size, self._samples = size, samples
        return self._target

    def _drop_canvas(self) -> None:
        if self._target is not None:
            for part in (*self._target.color_attachments, self._target.depth_attachment, self._target):
                part.release()
            self._target = self._sampled = None

    def release(self) -> None:
        """Give everything back; the context must be current."""
        for group in (self._rods, self._lines, self._surfaces, self._ribbons, self._ellipsoids):
            for thing in group.values():
                thing.release()
        _release(self._section)
        self._rods, self._lines, self._surfaces, self._ribbons, self._ellipsoids = {}, {}, {}, {}, {}
        self._section = None
        self._drop_canvas()
        for program in self._programs.values():
            program.release()


def is_software(name: str) -> bool:
    """Whether a renderer of this name (GL_RENDERER) draws with the processor."""
    return any(word in name.lower() for word in SOFTWARE)


def _write(canvas: Any, colour: bool = True, depth: bool = True, alpha: bool = False) -> None:
    """What drawing changes from now on. moderngl passes masks on only when a framebuffer is taken into use."""
    canvas.color_mask = colour, colour, colour, alpha
    canvas.depth_mask = depth
    canvas.use()


def _draws_wide_lines(context: Any) -> bool:
    """Whether lines may be wider than a pixel here: forward compatible contexts refuse it, others need not allow it."""
    if context.info.get("GL_ALIASED_LINE_WIDTH_RANGE", (1.0, 1.0))[1] < THIN:
        return False
    _ = context.error  # forgets an earlier one
    context.line_width = THIN
    allowed: bool = context.error == "GL_NO_ERROR"
    context.line_width = 1.0
    return allowed


def _release(thing: Rods | Lines | Triangles | Ellipsoids | SectionPlane | None) -> None:
    if thing is not None:
        thing.release()
