"""Draws sticks and chicken wire with OpenGL 3.3 core; knows a context and arrays, and no window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import moderngl
import numpy as np

from workbench.core.arrays import AnyArray, Float32Array, FloatArray
from workbench.view.camera import Camera
from workbench.view.colours import Rgb, SceneColours

SAMPLES = 4
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic", "basic render")
"""Names of renderers that draw with the processor."""
FRONT_FADE = 1.5
"""Angstrom over which things appear behind the front clipping plane."""


@dataclass(frozen=True)
class Wire:
    """How one set of lines is painted: name, colour, strength 0..1 and width in device-independent pixels."""

    name: str
    colour: Rgb
    strength: float
    width: float


class _Lines:
    """The lines of one wire on the graphics card."""

    def __init__(self, context: Any, program: Any, segments: Float32Array, centre: FloatArray, radius: float) -> None:
        self.count = len(segments)
        self.centre = tuple(float(value) for value in centre)
        self.radius = float(radius)
        self.buffer = context.buffer(np.ascontiguousarray(segments, dtype=np.float32).tobytes())
        self.array = context.vertex_array(program, [(self.buffer, "3f 3f /i", "end_a", "end_b")])

    def release(self) -> None:
        self.array.release()
        self.buffer.release()


def _source(name: str) -> str:
    return resources.files("workbench.view").joinpath("shaders", name).read_text(encoding="utf-8")


class Renderer:
    """A scene of sticks and named wires.

    All methods must be called with the context current. Anything given here may be replaced at any time; the old
    picture stays until the next `render`.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._sticks_program, self._lines_program = (
            context.program(vertex_shader=_source(f"{name}.vert.glsl"), fragment_shader=_source(f"{name}.frag.glsl"))
            for name in ("sticks", "lines")
        )
        self._positions: Any = None
        self._style: Any = None
        self._sticks: Any = None
        self._n_sticks = 0
        self._lines: dict[str, _Lines] = {}
        self._target: Any = None
        self._size = (0, 0)
        self._samples = -1
        name = str(context.info.get("GL_RENDERER", "")).lower()
        self.software = any(word in name for word in SOFTWARE)
        """The processor draws, not a graphics card."""
        self.draft = False
        """Draw without smoothed edges: less than half the work."""

    def set_sticks(self, positions: Float32Array, style: AnyArray) -> None:
        """Sticks with ends (k, 6) in angstrom and style (k,) of workbench.view.atoms.STYLE."""
        for thing in (self._sticks, self._positions, self._style):
            if thing is not None:
                thing.release()
        self._sticks = self._positions = self._style = None
        self._n_sticks = len(positions)
        if self._n_sticks:
            self._positions = self._context.buffer(positions.tobytes(), dynamic=True)
            self._style = self._context.buffer(style.tobytes())
            layout = [
                (self._positions, "3f 3f /i", "end_a", "end_b"),
                (self._style, "1f 4f1 4f1 /i", "radius", "colour_a", "colour_b"),
            ]
            self._sticks = self._context.vertex_array(self._sticks_program, layout)

    def move_sticks(self, positions: Float32Array) -> None:
        """New ends (k, 6) for the same sticks."""
        if len(positions) != self._n_sticks:
            raise ValueError(f"{self._n_sticks} sticks cannot move to {len(positions)} places")
        if self._n_sticks:
            self._positions.write(positions.tobytes())

    def set_lines(self, name: str, segments: Float32Array, centre: FloatArray, radius: float) -> None:
        """Lines (k, 2, 3) in angstrom contoured within `radius` of `centre`; none removes the wire."""
        old = self._lines.pop(name, None)
        if old is not None:
            old.release()
        if len(segments):
            self._lines[name] = _Lines(self._context, self._lines_program, segments, centre, radius)

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
        width, height = max(size[0], 1), max(size[1], 1)
        context = self._context
        target = target or context.fbo
        canvas = self._canvas((width, height))
        canvas.use()
        context.viewport = (0, 0, width, height)
        context.disable(moderngl.CULL_FACE | moderngl.BLEND)
        context.enable(moderngl.DEPTH_TEST)
        canvas.depth_mask = True
        canvas.clear(*colours.background, 1.0, depth=1.0)
        pixel = camera.height / height
        shared = {
            "rotation": tuple(np.asarray(camera.rotation.T, dtype=np.float32).ravel().tolist()),
            "centre": tuple(camera.centre.tolist()),
            "half_size": (0.5 * camera.height * width / height, 0.5 * camera.height),
            "pixel": pixel,
            "front": camera.front,
            "back": camera.back,
            "fog_start": 0.12 * camera.front,
            "fog_end": -camera.back,
            "front_fade": min(FRONT_FADE, camera.front),
        }
        if self._sticks is not None:
            program = self._sticks_program
            for name, value in shared.items():
                program[name] = value
            program["background"] = colours.background
            program["ambient"] = colours.ambient
            program["gloss"] = colours.gloss
            # Ray-cast edges are softened by turning their coverage into samples: no sorting, no seams.
            context.enable_direct(0x809E)  # GL_SAMPLE_ALPHA_TO_COVERAGE
            self._sticks.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self._n_sticks)
            context.disable_direct(0x809E)
        if self._lines:
            context.enable(moderngl.BLEND)
            context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA, moderngl.ONE, moderngl.ONE
            canvas.depth_mask = False
            program = self._lines_program
            for name, value in shared.items():
                program[name] = value
            for wire in wires:
                lines = self._lines.get(wire.name)
                if lines is None:
                    continue
                program["colour"] = (*wire.colour, wire.strength)
                program["width"] = wire.width * pixel_ratio
                program["sphere"] = lines.centre
                program["reach"] = lines.radius
                lines.array.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=lines.count)
            canvas.depth_mask = True
            context.disable(moderngl.BLEND)
        context.disable(moderngl.DEPTH_TEST)
        context.copy_framebuffer(target, canvas)
        target.use()

    def _canvas(self, size: tuple[int, int]) -> Any:
        """The multisampled framebuffer: a window's own samples cannot be had everywhere."""
        samples = 0 if self.draft else min(SAMPLES, int(self._context.max_samples))
        if self._target is None or (self._size, self._samples) != (size, samples):
            if self._target is not None:
                for part in (*self._target.color_attachments, self._target.depth_attachment, self._target):
                    part.release()
            self._target = self._context.framebuffer(
                color_attachments=[self._context.renderbuffer(size, 4, samples=samples)],
                depth_attachment=self._context.depth_renderbuffer(size, samples=samples),
            )
            self._size, self._samples = size, samples
        return self._target

    def release(self) -> None:
        """Give everything back; the context must be current."""
        self.set_sticks(np.empty((0, 6), dtype=np.float32), np.empty(0))
        for lines in self._lines.values():
            lines.release()
        self._lines.clear()
        if self._target is not None:
            for part in (*self._target.color_attachments, self._target.depth_attachment, self._target):
                part.release()
            self._target = None
        self._sticks_program.release()
        self._lines_program.release()
