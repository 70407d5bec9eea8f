"""A picture of the scene without a window: OpenGL on no display (EGL), by a card or by the processor."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Sequence
from typing import Any

import moderngl
import numpy as np

from workbench.core.arrays import AnyArray
from workbench.core.errors import WorkbenchError
from workbench.view.camera import Camera
from workbench.view.colours import SceneColours
from workbench.view.renderer import Renderer, Wire

LARGEST = 8192


def standalone_context() -> Any:
    """An OpenGL 3.3 context without a display; raises WorkbenchError with the remedy where there is none."""
    attempts: list[dict[str, Any]] = [{"backend": "egl"}, {}] if sys.platform.startswith("linux") else [{}]
    reasons = []
    for extra in attempts:
        try:
            return moderngl.create_standalone_context(require=330, **extra)
        except Exception as error:
            reasons.append(str(error))
    raise WorkbenchError(
        f"no OpenGL 3.3 could be started without a display ({'; '.join(reasons)}).",
        remedy="Install a graphics driver, or Mesa's software one (Debian, Ubuntu: libegl1 and libgl1-mesa-dri).",
    )


def render_pixels(
    context: Any,
    renderer: Renderer,
    camera: Camera,
    colours: SceneColours,
    wires: Sequence[Wire],
    size: tuple[int, int],
    pixel_ratio: float = 1.0,
) -> AnyArray:
    """(height, width, 3) bytes, first row at the top, of the scene drawn at `size` (width, height) in pixels."""
    target = context.framebuffer(color_attachments=[context.renderbuffer(size, 4)])
    draft, renderer.draft = renderer.draft, False
    try:
        renderer.render(camera, colours, wires, size, pixel_ratio, target)
        data = target.read(components=3, alignment=1)
    finally:
        renderer.draft = draft
        for part in target.color_attachments:
            part.release()
        target.release()
    return np.ascontiguousarray(np.frombuffer(data, dtype=np.uint8).reshape(size[1], size[0], 3)[::-1])


def png_bytes(pixels: AnyArray) -> bytes:
    """A picture (height, width, 3) of bytes as PNG (RFC 2083), each row stored as the difference to the one above."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, width * 3)
    above = np.vstack([np.zeros((1, width * 3), dtype=np.uint8), rows[:-1]])
    filtered = np.column_stack([np.full(height, 2, dtype=np.uint8), rows - above])

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(filtered.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
