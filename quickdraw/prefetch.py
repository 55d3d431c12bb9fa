"""Work ahead: the next item is made while the caller is busy with one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_END: Any = object()


def prefetch(items: Iterable[T], ahead: int = 2) -> Iterator[T]:
    """Yields the same items in the same order, made by a thread that stays ahead of the caller.

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
