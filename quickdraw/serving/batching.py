"""Dynamic batching: drawings that arrive while the models are busy form the next batch."""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import dataclasses
import os
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from quickdraw.serving.recogniser import Recogniser

_MOST = 32
_QUEUE = 256

Prepare = Callable[[Recogniser], dict[str, np.ndarray]]
"""Converts a drawing to the input of a model."""
Prepared = dict[Hashable, dict[str, np.ndarray]]
"""A drawing as model inputs: by `Recogniser.way`, then by input, without the batch axis."""


class BusyError(Exception):
    """Raised if the queue is full."""


@dataclasses.dataclass
class _Job:
    prepare: Prepare
    models: Sequence[Recogniser]
    answer: asyncio.Future[list[np.ndarray]]


class Batcher:
    """Predicts drawings in batches, in one thread for each core.

    Args:
        threads: their number; None for one for each core.
    """

    def __init__(self, threads: int | None = None):
        self._threads = threads or os.cpu_count() or 1
        self._pool = concurrent.futures.ThreadPoolExecutor(self._threads)
        self._queue: asyncio.Queue[_Job] = asyncio.Queue(_QUEUE)

    @property
    def waiting(self) -> int:
        """The number of drawings in the queue."""
        return self._queue.qsize()

    async def guess(self, prepare: Prepare, models: Sequence[Recogniser]) -> list[np.ndarray]:
        """Return each model's probabilities, float32 `[num_classes]`.

        Args:
            prepare: converts the drawing to a model's input; called in a thread.
            models: the models to ask.

        Raises:
            BusyError: the queue is full.
            QuickdrawError: what `prepare` raises.
        """
        job = _Job(prepare, models, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            raise BusyError from None
        return await job.answer

    async def work(self) -> None:
        """Process the queue until cancelled."""
        try:
            while True:
                jobs = [await self._queue.get()]
                while len(jobs) < _MOST and not self._queue.empty():
                    jobs.append(self._queue.get_nowait())
                # Cancelled: the client disconnected.
                await self._answer([job for job in jobs if not job.answer.done()])
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, jobs: list[_Job]) -> None:
        run = asyncio.get_running_loop().run_in_executor
        # In one thread: rasterising holds the GIL, so a second thread would not help.
        prepared = await run(self._pool, lambda: [_tried(job) for job in jobs])
        good: list[tuple[_Job, Prepared]] = []
        for job, arrays in zip(jobs, prepared, strict=True):
            if isinstance(arrays, Exception):
                _settle(job, arrays)
            else:
                good.append((job, arrays))
        models = collections.deque(dict.fromkeys(model for job, _ in good for model in job.models))
        by_model: dict[Recogniser, dict[int, np.ndarray] | Exception] = {}
        # Not one task a model: switching threads can cost more than the prediction.
        await asyncio.gather(
            *(
                run(self._pool, _predict_all, models, good, by_model)
                for _ in range(min(self._threads, len(models)))
            )
        )
        for number, (job, _) in enumerate(good):
            rows = []
            for model in job.models:
                row = by_model[model]
                if isinstance(row, Exception):
                    _settle(job, row)
                    break
                rows.append(row[number])
            _settle(job, rows)


def _tried(job: _Job) -> Prepared | Exception:
    try:
        return _prepared(job)
    except Exception as error:  # fails this drawing alone, not the batch
        return error


def _prepared(job: _Job) -> Prepared:
    ways: Prepared = {}
    for model in job.models:
        if model.way not in ways:
            ways[model.way] = job.prepare(model)
    return ways


def _predict_all(
    models: collections.deque[Recogniser],
    good: list[tuple[_Job, Prepared]],
    by_model: dict[Recogniser, dict[int, np.ndarray] | Exception],
) -> None:
    """Predict with one model after the other from a queue that several threads share."""
    while True:
        try:
            model = models.popleft()
        except IndexError:
            return
        try:
            by_model[model] = _predicted(model, good)
        except Exception as error:  # fails this model alone, not the others
            by_model[model] = error


def _predicted(model: Recogniser, good: list[tuple[_Job, Prepared]]) -> dict[int, np.ndarray]:
    """Return the probabilities of the drawings that this model was asked about, by index."""
    numbers = [number for number, (job, _) in enumerate(good) if model in job.models]
    every = [good[number][1][model.way] for number in numbers]
    batch = {name: np.stack([arrays[name] for arrays in every]) for name in every[0]}
    return dict(zip(numbers, model.probabilities(batch), strict=True))


def _settle(job: _Job, answer: list[np.ndarray] | Exception) -> None:
    if job.answer.done():
        return
    if isinstance(answer, Exception):
        job.answer.set_exception(answer)
    else:
        job.answer.set_result(answer)
