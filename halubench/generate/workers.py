"""Work by code, shared out over processes: the same results in the same order, however many."""

from __future__ import annotations

import os
import signal
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from halubench import content
from halubench.errors import IncompleteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")
R = TypeVar("R")
CHUNK = 200
"""Items that go to a process at once."""


def spread(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """What ``work`` makes of each item, in order; ``work`` and all that it takes and gives can be
    pickled. One worker is this process itself, and so is all there is for few items.

    Raises IncompleteError when a process was ended from outside.
    """
    if workers == 1 or len(items) <= CHUNK:
        yield from map(work, items)
        return
    folders = [folder.resolve() for folder in content.roots()[:-1]]
    with ProcessPoolExecutor(workers, get_context("spawn"), _ready, (folders,)) as pool:
        try:
            yield from _in_turn(pool, work, items, 2 * workers)
        except BrokenProcessPool as error:
            what = f"One of {workers} worker processes was ended from outside, or memory ran out."
            raise IncompleteError(what, "Run it again, with fewer --workers.") from error


def _in_turn(
    pool: ProcessPoolExecutor, work: Callable[[T], R], items: Sequence[T], ahead: int
) -> Iterator[R]:
    """No more than ``ahead`` chunks wait: a pool that is left does first what it was given."""
    chunks = (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
    waiting = deque(pool.submit(_each, work, chunk) for chunk in islice(chunks, ahead))
    while waiting:
        yield from waiting.popleft().result()
        waiting.extend(pool.submit(_each, work, chunk) for chunk in islice(chunks, 1))


def _each(work: Callable[[T], R], chunk: Sequence[T]) -> list[R]:
    return [work(item) for item in chunk]


def _ready(folders: Sequence[Path]) -> None:
    """Find the content that the parent finds, and end when it ends: nobody else would tell us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for folder in reversed(folders):
        content.add_folder(folder)
    Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
