"""Whether OpenGL has done what it was told, asked without waiting (glFenceSync, OpenGL 3.2; ARB_sync).

Software OpenGL draws in threads of its own: a caller that asks later instead of waiting keeps its own thread free.
"""

from __future__ import annotations

import ctypes
from typing import Any

from PySide6.QtGui import QOpenGLContext

SYNC_GPU_COMMANDS_COMPLETE = 0x9117
TIMEOUT_EXPIRED = 0x911B

_FENCE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
_FLUSH = ctypes.CFUNCTYPE(None)
_WAIT = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint64)
_DELETE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Fence:
    """A mark behind everything that was told so far to `context`, which must be current here and in
    `passed`.

    RuntimeError when the context has no fences.
    """

    def __init__(self, context: QOpenGLContext) -> None:
        def function(kind: Any, name: str) -> Any:
            address = int(context.getProcAddress(name) or 0)  # type: ignore[call-overload]
            if not address:
                raise RuntimeError(f"this OpenGL has no {name}")
            return kind(address)

        self._wait = function(_WAIT, "glClientWaitSync")
        self._delete = function(_DELETE, "glDeleteSync")
        self._mark: int | None = function(_FENCE, "glFenceSync")(SYNC_GPU_COMMANDS_COMPLETE, 0)
        function(_FLUSH, "glFlush")()

    def passed(self) -> bool:
        """Whether everything before the mark is done; never waits. The mark is given back then."""
        if self._mark is None:
            return True
        if self._wait(self._mark, 0, 0) == TIMEOUT_EXPIRED:
            return False
        self.drop()
        return True

    def drop(self) -> None:
        """Give the mark back, passed or not; the context must be current."""
        if self._mark is not None:
            self._delete(self._mark)
            self._mark = None
