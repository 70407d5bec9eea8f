"""The one way numerical kernels are compiled.

numba, without the interpreter lock, cached on disk between runs. Threads are the caller's business (chunks with their
own output, added in a fixed order), so that results do not depend on scheduling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

if TYPE_CHECKING:

    def kernel(function: Callable[P, R]) -> Callable[P, R]: ...

else:
    from numba import njit

    kernel = njit(nogil=True, cache=True)
