"""Several processes for the same work, with results in order and memory within bounds."""

from __future__ import annotations

import collections
import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from quickdraw.environment import ONE_THREAD
from quickdraw.errors import QuickdrawError

Function = Callable[[Any, Any], Any]
"""From what all jobs share, and a job, to a result."""
Run = Callable[[Function, Iterable[Any]], Iterator[Any]]

_shared: Any = None


@contextlib.contextmanager
def workers(processes: int, shared: Any) -> Iterator[Run]:
    """Yield `run(function, jobs)`: an iterator over `function(shared, job)`, in order.

    Args:
        processes: how many work at once; 1 works in this process.
        shared: what all jobs need; it is sent to each process once.

    Raises:
        QuickdrawError: a process died.
    """
    if processes == 1:
        yield lambda function, jobs: (function(shared, job) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    try:
        with (
            _one_thread_each(),
            ProcessPoolExecutor(processes, context, _start_worker, (shared,)) as pool,
        ):
            try:
                yield lambda function, jobs: _in_order(pool, function, jobs, 2 * processes)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except BrokenProcessPool:
        raise QuickdrawError(
            "a worker process died: killed for want of memory, or started by a script whose own "
            "work is not below `if __name__ == '__main__':`"
        ) from None


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let the processes that start meanwhile use one thread, unless somebody has said how many."""
    added = {name: count for name, count in ONE_THREAD.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _in_order(
    pool: ProcessPoolExecutor, function: Function, jobs: Iterable[object], at_once: int
) -> Iterator[Any]:
    """Do as `pool.map` does, but keep few results waiting."""
    jobs = iter(jobs)
    waiting: collections.deque[Future[object]] = collections.deque()
    while True:
        for job in itertools.islice(jobs, at_once - len(waiting)):
            waiting.append(pool.submit(_call, function, job))
        if not waiting:
            return
        yield waiting.popleft().result()


def _call(function: Function, job: object) -> object:
    return function(_shared, job)


def _start_worker(shared: Any) -> None:
    """Keep what all jobs need.

    Ends this worker quietly with Ctrl-C, and when its parent dies, were it by kill -9.
    """
    global _shared
    _shared = shared
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
