"""Drawings on their way to the step: resident on the device, or streamed from the cache.

Both give the same batches for the same seed: the order is a pure function of seed and step.
"""

from __future__ import annotations

import abc
import functools
import math
import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import tensorflow as tf

from quickdraw.components.inputs import Batch
from quickdraw.console import log
from quickdraw.devices import Distribution, gpu_bytes
from quickdraw.errors import QuickdrawError
from quickdraw.training.data.cache import Drawings
from quickdraw.training.settings import Settings

_WORD = 8  # bytes
StepBatch = tuple[dict[str, tf.Tensor], tf.Tensor]
"""Drawings by input, and their labels."""
Held = StepBatch | tuple[()]
"""What stays on the devices for all steps: all drawings, or nothing."""
Given: TypeAlias = tf.Tensor | StepBatch
"""What the steps of a call are given: the rows of `Feed.data` that they take, or all batches."""


class Order:
    """In which order the drawings of each epoch come: a pure function of seed and epoch.

    Args:
        labels: of all drawings, int `[n]`.
        seed: decides the order.
        balanced: an epoch of n places has each class equally often (give or take one), drawings of
            rare classes several times; otherwise it has each drawing once.

    Attributes:
        epoch: the rows of an epoch, int32 `[n]`.
    """

    def __init__(self, labels: np.ndarray, seed: int, balanced: bool = False):
        self._records, self._seed = len(labels), seed
        self._classes = [np.flatnonzero(labels == one) for one in np.unique(labels) if balanced]
        self.epoch = functools.lru_cache(2)(self._epoch)

    def rows_of_steps(self, batch_size: int, first_step: int, steps: int) -> np.ndarray:
        """Return which drawings each of some steps sees.

        Epochs follow each other without a gap and are cut into batches, so a batch may reach over
        the end of an epoch, and any batch size will do.

        Returns:
            int32 `[steps, batch_size]`.
        """
        first, last = first_step * batch_size, (first_step + steps) * batch_size
        rows = [
            self.epoch(start // self._records)[max(first - start, 0) : last - start]
            for start in range(first - first % self._records, last, self._records)
        ]
        return np.concatenate(rows).reshape(steps, batch_size)

    def _epoch(self, epoch: int) -> np.ndarray:
        # Philox takes any key at once, so a resumed training need not draw the epochs before.
        random = np.random.Generator(np.random.Philox(key=(self._seed, epoch)))
        if not self._classes:  # `permutation` shuffles so, too, but int64: twice the memory
            random.shuffle(rows := np.arange(self._records, dtype=np.int32))
            return rows
        times, left = divmod(self._records, len(self._classes))
        more = random.permutation(len(self._classes)) < left
        drawn = [
            np.resize(random.permutation(rows), times + one)
            for rows, one in zip(self._classes, more, strict=True)
        ]
        return random.permutation(np.concatenate(drawn)).astype(np.int32)


class Feed(abc.ABC):
    """The batches of a training.

    Attributes:
        data: what stays on the devices for all steps; the first argument of `pick`.
        most_steps: how many steps one call can be given.
    """

    data: Held
    most_steps: int

    def __init__(self, drawings: Drawings, settings: Settings, distribution: Distribution):
        self._batch_size, self._distribution = settings.batch_size, distribution
        self._order = Order(drawings.labels, settings.seed, settings.balanced_sampling)
        self._share = settings.batch_size // distribution.replicas

    @abc.abstractmethod
    def inputs(self, first_step: int, steps: int) -> Given:
        """Return what the devices need to take some steps, for each replica its share.

        Resident: rows, int64 `[steps, share]`. Streamed: the batches themselves, inputs by name
        (`image`, uint8 `[steps, share, size, size, channels]`; `ink`, int16 `[steps, share,
        max_points, 3]`) and labels, int64 `[steps, share]`.
        """

    @abc.abstractmethod
    def pick(self, data: Held, inputs: Given, step: tf.Tensor) -> StepBatch:
        """Pick a replica's share of one step's batch; runs in the compiled step.

        Args:
            data: the attribute `data`, as this replica sees it.
            inputs: what `inputs` returned, as this replica sees it.
            step: integer scalar, counted from the first step of the call.

        Returns:
            Inputs by name (`image`, uint8 `[share, size, size, channels]`; `ink`, int16 `[share,
            max_points, 3]`) and labels, int64 `[share]`.
        """

    def _rows(self, first_step: int, steps: int) -> np.ndarray:
        return self._order.rows_of_steps(self._batch_size, first_step, steps)

    def _columns(self, replica: int) -> slice:
        return slice(replica * self._share, (replica + 1) * self._share)


class ResidentFeed(Feed):
    """All drawings stay on every device as one tensor; each step gathers its batch."""

    most_steps = 1 << 20

    def __init__(self, drawings: Drawings, settings: Settings, distribution: Distribution):
        super().__init__(drawings, settings, distribution)
        self._kinds = {name: (one.shape[1:], one.dtype) for name, one in drawings.inputs.items()}
        arrays: dict[str, tf.Tensor] = {name: _words(one) for name, one in drawings.inputs.items()}
        # Elsewhere each device gets a copy anyway, and DLPack's tensors lie on the first CPU.
        if distribution.on_one_cpu:
            arrays = {name: _without_copy(array) for name, array in arrays.items()}
        labels = drawings.labels.astype(np.int64)
        self.data = distribution.per_replica(lambda _: (arrays, labels))

    def inputs(self, first_step: int, steps: int) -> tf.Tensor:
        rows = self._rows(first_step, steps).astype(np.int64)
        return self._distribution.per_replica(lambda replica: rows[:, self._columns(replica)])

    def pick(self, data: Held, inputs: Given, step: tf.Tensor) -> StepBatch:
        arrays, labels = tf.nest.map_structure(lambda each: tf.gather(each, inputs[step]), data)
        drawings = {name: _from_words(arrays[name], *kind) for name, kind in self._kinds.items()}
        return drawings, labels


class StreamedFeed(Feed):
    """Drawings stay in the cache on disk; a thread reads the next call's while this one runs."""

    data = ()

    def __init__(
        self, drawings: Drawings, settings: Settings, distribution: Distribution, budget: float
    ):
        super().__init__(drawings, settings, distribution)
        self._drawings, batch_size = drawings, settings.batch_size
        # One call's batches are being read, one's are being trained on, and TensorFlow copies.
        needed = 3 * batch_size * drawings.nbytes // len(drawings)
        self.most_steps = int(budget // needed)
        if self.most_steps < 1:
            raise QuickdrawError(
                f"--memory_budget is too small for a batch of {batch_size}: "
                f"{needed / 1e6:.1f} MB are needed"
            )
        self._thread = ThreadPoolExecutor(1)
        self._next: tuple[tuple[int, int], Future[Batch]] | None = None

    def inputs(self, first_step: int, steps: int) -> StepBatch:
        ready = self._next
        if ready is None or ready[0] != (first_step, steps):
            ready = self._start(first_step, steps)
        drawings = ready[1].result()
        # The next call most likely goes on from here; where it does not, this was read in vain.
        self._next = self._start(first_step + steps, steps)
        return self._distribution.per_replica(
            lambda replica: tf.nest.map_structure(
                lambda each: each[:, self._columns(replica)], drawings
            )
        )

    def pick(self, data: Held, inputs: Given, step: tf.Tensor) -> StepBatch:
        return tf.nest.map_structure(lambda each: each[step], inputs)

    def _start(self, first_step: int, steps: int) -> tuple[tuple[int, int], Future[Batch]]:
        return (first_step, steps), self._thread.submit(self._read, first_step, steps)

    def _read(self, first_step: int, steps: int) -> Batch:
        inputs, labels = self._drawings.take(self._rows(first_step, steps))
        return inputs, labels.astype(np.int64)


def _words(array: np.ndarray) -> np.ndarray:
    """Return an array `[n, …]` as rows of eight bytes each, int64 `[n, words]`.

    On GPUs, TensorFlow gathers no rows of uint8 or int16: it would do so on the host, in each step.
    """
    content = array.reshape(len(array), -1).view(np.uint8)
    if missing := -content.shape[1] % _WORD:
        content = np.pad(content, ((0, 0), (0, missing)))
    return content.view(np.int64)


def _from_words(words: tf.Tensor, shape: tuple[int, ...], dtype: np.dtype) -> tf.Tensor:
    """Return rows, int64 `[n, words]`, as what `_words` made them of, `[n, *shape]`."""
    content = tf.reshape(tf.bitcast(words, tf.uint8), (-1, _WORD * words.shape[1]))
    content = content[:, : math.prod(shape) * dtype.itemsize]
    if dtype.itemsize > 1:
        content = tf.bitcast(tf.reshape(content, (-1, math.prod(shape), dtype.itemsize)), dtype)
    return tf.reshape(content, (-1, *shape))


def _without_copy(array: np.ndarray) -> np.ndarray | tf.Tensor:
    """Return memory that is mapped from the cache as a tensor; another array as it is."""
    if isinstance(array, np.memmap):
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return array


def create(drawings: Drawings, settings: Settings, distribution: Distribution) -> Feed:
    """Make the feed that suits the drawings: resident if they fit into `memory_budget`.

    Args:
        drawings: the training drawings.
        settings: batch size, order and budget.
        distribution: the devices.
    """
    budget = budget_of(settings)
    resident = drawings.nbytes <= budget
    log(
        f"{drawings.nbytes / 1e6:,.0f} MB of drawings "
        f"{'stay in memory' if resident else 'are streamed from the cache'} "
        f"(budget {budget / 1e6:,.0f} MB)"
    )
    if resident:
        return ResidentFeed(drawings, settings, distribution)
    return StreamedFeed(drawings, settings, distribution, budget)


def budget_of(settings: Settings) -> float:
    """Return how many bytes drawings may take: as was said, or half of the memory."""
    if settings.memory_budget:
        return settings.memory_budget * 1e6
    return (gpu_bytes() or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) / 2
