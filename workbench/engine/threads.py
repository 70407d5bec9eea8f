"""The one way work is shared among threads: tasks that are told apart beforehand, each with an output of its own (or
one that all fill with the same), so that results do not depend on which is done first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
U = TypeVar("U")


def in_threads(work: Callable[..., None], tasks: Sequence[tuple[Any, ...]]) -> None:
    """work(*task) for every task at once, each in a thread; the first error is raised when all are done."""
    if len(tasks) == 1:
        work(*tasks[0])
        return
    with ThreadPoolExecutor(len(tasks)) as pool:
        for done in [pool.submit(work, *task) for task in tasks]:
            done.result()


def side_by_side(threads: int, one: Callable[[], T], other: Callable[[], U]) -> tuple[T, U]:
    """What both return; one after the other with a single thread. Neither may need what the other changes."""
    if threads < 2:
        return one(), other()
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(one)
        here = other()
        return beside.result(), here
