"""Drawings of many people at once: what has come while the models were busy is the next batch."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from quickdraw.serving.recogniser import Recogniser

_MOST = 32
_QUEUE = 256

Prepare = Callable[[Recogniser], dict[str, np.ndarray]]
"""From a model to what a drawing is for it."""


class BusyError(Exception):
    """More drawings wait than the server can answer soon."""


@dataclasses.dataclass
class _Job:
    prepare: Prepare
    models: Sequence[Recogniser]
    answer: asyncio.Future[list[np.ndarray]]


class Batcher:
    """Answers drawings in batches, with a thread for each core.

    Args:
        threads: how many; one for each core where None.
    """

    def __init__(self, threads: int | None = None):
        self._pool = concurrent.futures.ThreadPoolExecutor(threads or os.cpu_count() or 1)
        self._queue: asyncio.Queue[_Job] = asyncio.Queue(_QUEUE)

    @property
    def waiting(self) -> int:
        """How many drawings wait."""
        return self._queue.qsize()

    async def guess(self, prepare: Prepare, models: Sequence[Recogniser]) -> list[np.ndarray]:
        """Return each model's probabilities, float32 `[num_classes]`.

        Args:
            prepare: makes a drawing what a model takes; called in a thread.
            models: who guesses.

        Raises:
            BusyError: too many wait.
            QuickdrawError: what `prepare` raises.
        """
        job = _Job(prepare, models, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            raise BusyError from None
        return await job.answer

    async def work(self) -> None:
        """Answer what comes, until it is cancelled."""
        try:
            while True:
                jobs = [await self._queue.get()]
                while len(jobs) < _MOST and not self._queue.empty():
                    jobs.append(self._queue.get_nowait())
                # Whoever has gone away needs no answer.
                await self._answer([job for job in jobs if not job.answer.done()])
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, jobs: list[_Job]) -> None:
        run = asyncio.get_running_loop().run_in_executor
        # In one thread: drawing is Python, which a second thread would not speed up.
        prepared = await run(self._pool, lambda: [_tried(job) for job in jobs])
        good = []
        for job, arrays in zip(jobs, prepared, strict=True):
            if isinstance(arrays, Exception):
                _settle(job, error=arrays)
            else:
                good.append((job, arrays))
        models = list(dict.fromkeys(model for job, _ in good for model in job.models))
        found = await asyncio.gather(
            *(run(self._pool, _predicted, model, good) for model in models), return_exceptions=True
        )
        by_model = dict(zip(models, found, strict=True))
        for number, (job, _) in enumerate(good):
            rows = []
            for model in job.models:
                row = by_model[model]
                if isinstance(row, BaseException):
                    _settle(job, error=row)
                    break
                rows.append(row[number])
            _settle(job, rows)


def _tried(job: _Job) -> dict[Any, dict[str, np.ndarray]] | Exception:
    try:
        return _prepared(job)
    except Exception as error:  # of this drawing alone: the others are to be answered
        return error


def _prepared(job: _Job) -> dict[Any, dict[str, np.ndarray]]:
    ways: dict[Any, dict[str, np.ndarray]] = {}
    for model in job.models:
        if model.way not in ways:
            ways[model.way] = job.prepare(model)
    return ways


def _predicted(model: Recogniser, good: list) -> dict[int, np.ndarray]:
    """Return the probabilities of those drawings that this model was asked about, by number."""
    numbers = [number for number, (job, _) in enumerate(good) if model in job.models]
    every = [good[number][1][model.way] for number in numbers]
    batch = {name: np.stack([arrays[name] for arrays in every]) for name in every[0]}
    return dict(zip(numbers, model.probabilities(batch), strict=True))


def _settle(job: _Job, value: Any = None, error: BaseException | None = None) -> None:
    if job.answer.done():
        return
    if error is not None:
        job.answer.set_exception(error)
    else:
        job.answer.set_result(value)
