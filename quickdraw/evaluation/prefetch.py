"""Work ahead: the next items are made while the caller is busy with one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_END: Any = object()


def prefetch(items: Iterable[T], ahead: int = 2) -> Iterator[T]:
    """Yield the same items in the same order, made by a thread that stays ahead of the caller.

    Args:
        items: an error that making one raises is raised here in its turn.
        ahead: how many items may wait.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, iterator, _END) for _ in range(ahead))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(thread.submit(next, iterator, _END))
            yield item


def in_parallel(function: Callable[[T], R], items: Iterable[T], threads: int = 2) -> Iterator[R]:
    """Yield `function(item)` of each item in the same order, several made at a time.

    Args:
        function: an error that it raises is raised here in its turn.
        items: taken as they are needed, in the caller's thread.
        threads: how many items are worked on at once.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque[Future[R]]()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
