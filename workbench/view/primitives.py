"""What lies on the graphics card: rods, lines, meshes, ellipsoids, a section; each with its buffers and its drawing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import moderngl
import numpy as np

from workbench.core.arrays import AnyArray, Float32Array, FloatArray
from workbench.view.ribbon import Mesh
from workbench.view.section import Section

PROGRAMS = ("sticks", "far_sticks", "lines", "hairs", "mesh", "ellipsoids", "section")


def shader_source(name: str) -> str:
    """The text of a shader; `#include common` stands for the part that all share."""
    folder = resources.files("workbench.view").joinpath("shaders")
    text = folder.joinpath(name).read_text(encoding="utf-8")
    return text.replace("#include common", folder.joinpath("common.glsl").read_text(encoding="utf-8"))


def compiled(context: Any) -> dict[str, Any]:
    """The programs by name. Raises moderngl.Error where the driver refuses one."""
    return {
        name: context.program(
            vertex_shader=shader_source(f"{name}.vert.glsl"), fragment_shader=shader_source(f"{name}.frag.glsl")
        )
        for name in PROGRAMS
    }


def set_uniforms(program: Any, values: Mapping[str, Any]) -> None:
    """Set those that the program has: a compiler drops what is not used."""
    for name, value in values.items():
        if name in program:
            program[name] = value


class OnCard:
    """Buffers and the vertex array over them."""

    def __init__(self) -> None:
        self._buffers: list[Any] = []
        self.array: Any = None
        self.count = 0

    def release(self) -> None:
        for thing in (self.array, *self._buffers):
            if thing is not None:
                thing.release()
        self._buffers, self.array, self.count = [], None, 0


class Rods(OnCard):
    """Capsules with ends (k, 6) in angstrom and style (k,) of workbench.view.atoms.STYLE; or strips, with `far`."""

    def __init__(self, context: Any, program: Any, far: Any, positions: Float32Array, style: AnyArray) -> None:
        super().__init__()
        self._far: Any = None
        self.count = len(positions)
        if self.count:
            self._buffers = [context.buffer(positions.tobytes(), dynamic=True), context.buffer(style.tobytes())]
            layout = [
                (self._buffers[0], "3f 3f /i", "end_a", "end_b"),
                (self._buffers[1], "1f 4f1 4f1 4f1 /i", "radius", "colour_a", "colour_b", "glow"),
            ]
            self.array = context.vertex_array(program, layout)
            self._far = context.vertex_array(far, layout)

    def move(self, positions: Float32Array) -> None:
        if len(positions) != self.count:
            raise ValueError(f"{self.count} sticks cannot move to {len(positions)} places")
        if self.count:
            self._buffers[0].write(positions)

    def restyle(self, style: AnyArray) -> None:
        if len(style) != self.count:
            raise ValueError(f"{self.count} sticks cannot have {len(style)} styles")
        if self.count:
            self._buffers[1].write(style.tobytes())

    def draw(self, far: bool = False) -> None:
        if self.count:
            array = self._far if far else self.array
            array.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self.count)

    def release(self) -> None:
        if self._far is not None:
            self._far.release()
            self._far = None
        super().release()


class Lines(OnCard):
    """Segments (k, 2, 3) in angstrom, contoured within `radius` of `centre`."""

    def __init__(
        self, context: Any, program: Any, hairs: Any, segments: Float32Array, centre: FloatArray, radius: float
    ) -> None:
        super().__init__()
        self._hairs: Any = None
        self.count = len(segments)
        self.centre = tuple(float(value) for value in centre)
        self.radius = float(radius)
        if self.count:
            self._buffers = [context.buffer(np.ascontiguousarray(segments, dtype=np.float32).tobytes())]
            self.array = context.vertex_array(program, [(self._buffers[0], "3f 3f /i", "end_a", "end_b")])
            self._hairs = context.vertex_array(hairs, [(self._buffers[0], "3f", "vertex")])

    def draw(self, thin: bool = False) -> None:
        """Quads of any width, or lines of one pixel."""
        if self.count and thin:
            self._hairs.render(moderngl.LINES, vertices=2 * self.count)
        elif self.count:
            self.array.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self.count)

    def release(self) -> None:
        if self._hairs is not None:
            self._hairs.release()
            self._hairs = None
        super().release()


class Triangles(OnCard):
    """A mesh with a colour (v, 4 bytes) for every vertex, or one for all (`colours` None). centre and radius: of the
    sphere that a surface was made in (radius 0: no such limit)."""

    def __init__(
        self,
        context: Any,
        program: Any,
        mesh: Mesh,
        colours: AnyArray | None,
        centre: FloatArray | None = None,
        radius: float = 0.0,
    ) -> None:
        super().__init__()
        self.count = 3 * len(mesh.triangles)
        self.centre = (0.0, 0.0, 0.0) if centre is None else tuple(float(value) for value in centre)
        self.radius = float(radius)
        if self.count:
            paint = np.zeros((len(mesh.vertices), 4), dtype=np.uint8) if colours is None else colours
            shape = np.concatenate([mesh.vertices, mesh.normals], axis=1).astype(np.float32)
            self._buffers = [
                context.buffer(shape.tobytes()),
                context.buffer(np.ascontiguousarray(paint, dtype=np.uint8).tobytes()),
                context.buffer(np.ascontiguousarray(mesh.triangles, dtype=np.int32).tobytes()),
            ]
            layout = [(self._buffers[0], "3f 3f", "vertex", "normal"), (self._buffers[1], "4f1", "colour")]
            self.array = context.vertex_array(program, layout, index_buffer=self._buffers[2])

    def draw(self) -> None:
        if self.count:
            self.array.render(moderngl.TRIANGLES)


class Ellipsoids(OnCard):
    """Ellipsoids at (k, 3) with half axes (k, 3, 3), rows, in angstrom, and colours (k, 4 bytes)."""

    def __init__(
        self, context: Any, program: Any, middles: Float32Array, axes: Float32Array, colours: AnyArray
    ) -> None:
        super().__init__()
        self.count = len(middles)
        if self.count:
            shape = np.concatenate([middles, axes.reshape(-1, 9)], axis=1).astype(np.float32)
            paint = np.ascontiguousarray(colours, dtype=np.uint8)
            self._buffers = [context.buffer(shape.tobytes()), context.buffer(paint.tobytes())]
            names = ("middle", "axis_1", "axis_2", "axis_3")
            layout = [(self._buffers[0], "3f 3f 3f 3f /i", *names), (self._buffers[1], "4f1 /i", "colour")]
            self.array = context.vertex_array(program, layout)

    def draw(self) -> None:
        if self.count:
            self.array.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self.count)


class SectionPlane(OnCard):
    """A section as a textured square."""

    def __init__(self, context: Any, program: Any, section: Section) -> None:
        super().__init__()
        rows, columns = section.values.shape
        self.section = section
        self.texture = context.texture((columns, rows), 1, section.values.tobytes(), dtype="f4", alignment=4)
        self.texture.filter = moderngl.LINEAR, moderngl.LINEAR
        self.array = context.vertex_array(program, [])
        self.count = 1

    def draw(self) -> None:
        self.texture.use(0)
        self.array.render(moderngl.TRIANGLE_STRIP, vertices=4)

    def release(self) -> None:
        self.texture.release()
        super().release()
