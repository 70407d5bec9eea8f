"""What lies on the graphics card: rods, lines, meshes, ellipsoids, a section; each with its buffers and its drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from itertools import pairwise
from typing import Any

import moderngl
import numpy as np

from workbench.core.arrays import AnyArray, Float32Array, FloatArray
from workbench.view.line_set import LineSet
from workbench.view.ribbon import Mesh
from workbench.view.section import Section

PROGRAMS = ("sticks", "far_sticks", "thin_sticks", "lines", "hairs", "broken_hairs", "mesh", "ellipsoids", "section")


def shader_source(name: str) -> str:
    """The text of a shader; `#include common` stands for the part that all share."""
    folder = resources.files("workbench.view").joinpath("shaders")
    text = folder.joinpath(name).read_text(encoding="utf-8")
    return text.replace("#include common", folder.joinpath("common.glsl").read_text(encoding="utf-8"))


def compiled(context: Any) -> dict[str, Any]:
    """The programs by name. Raises moderngl.Error where the driver refuses one."""
    programs = {
        name: context.program(
            vertex_shader=shader_source(f"{name}.vert.glsl"), fragment_shader=shader_source(f"{name}.frag.glsl")
        )
        for name in PROGRAMS
    }
    for program in programs.values():
        program.extra = dict.fromkeys(program)
    return programs


def set_uniforms(program: Any, values: Mapping[str, Any]) -> None:
    """Set those that the program has, a compiler drops what is not used, and that are others than last time: from one
    picture to the next hardly any are."""
    last = program.extra
    for name, value in values.items():
        if name in last and last[name] != value:
            program[name] = value
            last[name] = value


HAIRS_AT_ONCE = 10_000
"""Lines that the processor is told to draw in one step: a thread needs about a millisecond to do so."""
_END = 12
"""Bytes of one end of a rod."""


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
    """Capsules with ends (k, 6) in angstrom and style (k,) of workbench.view.atoms.STYLE; a ball has both in one place.

    Drawn in one of three ways: cast by rays ("sticks"), as shaded strips ("far_sticks"), as lines of the driver
    ("thin_sticks"; balls as strips). All read one buffer of places, which stand in it as rods by radius, then balls.
    """

    def __init__(self, context: Any, programs: Mapping[str, Any], positions: Float32Array, style: AnyArray) -> None:
        super().__init__()
        self._context, self._programs = context, programs
        self._arrays: dict[str, Any] = {}
        self._by_vertex: Any = None
        self.count = len(positions)
        if not self.count:
            return
        places = np.asarray(positions, dtype=np.float32).reshape(-1, 6)
        ball = (places[:, :3] == places[:, 3:]).all(axis=1)
        order = np.lexsort((style["radius"], ball))
        self._order = None if np.array_equal(order, np.arange(self.count)) else order
        self._rods = self.count - int(np.count_nonzero(ball))
        self._style = style[order]
        # Three numbers before and behind, so that every end can read both its neighbours (thin_sticks.vert.glsl).
        padded = np.zeros(6 * self.count + 6, dtype=np.float32)
        padded[3:-3] = places[order].ravel()
        self._buffers = [context.buffer(padded.tobytes(), dynamic=True), context.buffer(self._style.tobytes())]

    def move(self, positions: Float32Array) -> None:
        if len(positions) != self.count:
            raise ValueError(f"{self.count} sticks cannot move to {len(positions)} places")
        if self.count:
            sorted_ = positions if self._order is None else positions[self._order]
            self._buffers[0].write(np.ascontiguousarray(sorted_, dtype=np.float32), offset=_END)

    def restyle(self, style: AnyArray) -> None:
        if len(style) != self.count:
            raise ValueError(f"{self.count} sticks cannot have {len(style)} styles")
        if self.count:
            self._style = style if self._order is None else style[self._order]
            self._buffers[1].write(self._style.tobytes())
            if self._by_vertex is not None:
                self._by_vertex.write(self._vertex_colours())

    def draw(self, way: str, pixel: float) -> None:
        """way: "sticks", "far_sticks" or "thin_sticks"; pixel: angstrom."""
        if not self.count:
            return
        if way != "thin_sticks":
            self._instanced(way, 0).render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self.count)
            return
        lines = self._lines()
        program = self._programs["thin_sticks"]
        radius = self._style["radius"][: self._rods]
        bounds = [*np.flatnonzero(np.diff(radius, prepend=-1.0)).tolist(), self._rods]
        for first, after in pairwise(bounds):
            self._context.line_width = max(2.0 * float(radius[first]) / pixel, 1.0)
            set_uniforms(program, {"radius": float(radius[first])})
            lines.render(moderngl.LINES, vertices=2 * (after - first), first=2 * first)
        self._context.line_width = 1.0
        if self._rods < self.count:
            balls = self._instanced("far_sticks", self._rods)
            balls.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self.count - self._rods)

    def _instanced(self, way: str, first: int) -> Any:
        key = f"{way} {first}"
        if key not in self._arrays:
            places, style = self._buffers[:2]
            offset, step, size = _END + 2 * _END * first, 2 * _END, self._style.dtype.itemsize
            fields = self._style.dtype.fields
            assert fields is not None
            layout = [("end_a", places, "3f", offset, step), ("end_b", places, "3f", offset + _END, step)]
            for name, kind in (("radius", "1f"), ("colour_a", "4u1"), ("colour_b", "4u1"), ("glow", "4u1")):
                layout.append((name, style, kind, fields[name][1] + size * first, size))
            self._arrays[key] = self._array(way, layout, 1)
        return self._arrays[key]

    def _lines(self) -> Any:
        if "lines" not in self._arrays:
            places = self._buffers[0]
            if self._by_vertex is None:
                self._by_vertex = self._context.buffer(self._vertex_colours())
                self._buffers.append(self._by_vertex)
            names = ("before", "here", "after")
            layout = [(name, places, "3f", _END * k, _END) for k, name in enumerate(names)]
            names = ("colour_a", "colour_b", "glow")
            layout += [(name, self._by_vertex, "4u1", 4 * k, 12) for k, name in enumerate(names)]
            self._arrays["lines"] = self._array("thin_sticks", layout, 0)
        return self._arrays["lines"]

    def _array(self, way: str, layout: list[tuple[str, Any, str, int, int]], divisor: int) -> Any:
        program = self._programs[way]
        array = self._context.vertex_array(program, [])
        for name, buffer, kind, offset, step in layout:
            if name in program:
                array.bind(program[name].location, "f", buffer, kind, offset, step, divisor)
        return array

    def _vertex_colours(self) -> bytes:
        """The colours of every rod, once for each of its ends."""
        names = ["colour_a", "colour_b", "glow"]
        packed = np.stack([self._style[name] for name in names], axis=1)
        return np.repeat(packed, 2, axis=0).tobytes()

    def release(self) -> None:
        for array in self._arrays.values():
            array.release()
        self._arrays, self._by_vertex = {}, None
        super().release()


class Lines(OnCard):
    """Lines contoured within `radius` of `centre`, angstrom. What is not drawn in a way has no buffers for it."""

    def __init__(
        self,
        context: Any,
        programs: Mapping[str, Any],
        lines: LineSet,
        centre: FloatArray,
        radius: float,
    ) -> None:
        super().__init__()
        self._context, self._programs = context, programs
        self._arrays: dict[str, Any] = {}
        self._lines = lines
        self._segments: Any = None
        self.count = len(lines)
        self.centre = tuple(float(value) for value in centre)
        self.radius = float(radius)

    def draw(self, way: str) -> Iterator[None]:
        """way: "lines", quads of any width; "hairs" or "broken_hairs", lines of one pixel, step by step."""
        if not self.count:
            return
        if way not in self._arrays:
            self._arrays[way] = self._array(way)
        if way == "lines":
            self._arrays[way].render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self.count)
            return
        for first in range(0, self.count, HAIRS_AT_ONCE):
            if first:
                yield
            count = min(self.count - first, HAIRS_AT_ONCE)
            self._arrays[way].render(moderngl.LINES, vertices=2 * count, first=2 * first)

    def _array(self, way: str) -> Any:
        program = self._programs[way]
        if way == "hairs":
            # Each point once: the processor, which draws these, has a quarter of the work with them.
            points = self._buffer(np.ascontiguousarray(self._lines.points, dtype=np.float32))
            pairs = self._buffer(np.ascontiguousarray(self._lines.pairs, dtype=np.int32))
            return self._context.vertex_array(program, [(points, "3f", "vertex")], index_buffer=pairs)
        # These must know which end of its line a point is.
        if self._segments is None:
            self._segments = self._buffer(np.ascontiguousarray(self._lines.segments, dtype=np.float32))
        layout = ("3f 3f /i", "end_a", "end_b") if way == "lines" else ("3f", "vertex")
        return self._context.vertex_array(program, [(self._segments, *layout)])

    def _buffer(self, values: AnyArray) -> Any:
        self._buffers.append(self._context.buffer(values.tobytes()))
        return self._buffers[-1]

    def release(self) -> None:
        for array in self._arrays.values():
            array.release()
        self._arrays, self._segments = {}, None
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
