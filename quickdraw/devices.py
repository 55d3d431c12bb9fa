"""Several devices, several machines: one way to speak of them, whatever their number.

Source: TensorFlow guide "Distributed training" (tf.distribute, custom training loops).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from quickdraw import cluster
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, StoppedError


@dataclasses.dataclass(frozen=True)
class Distribution:
    """The replicas that train together.

    Attributes:
        strategy: TensorFlow's own.
        workers: how many processes there are.
        worker: which of them this is, counted from 0; 0 is the chief, who writes the shared files.
    """

    strategy: tf.distribute.Strategy
    workers: int = 1
    worker: int = 0

    @property
    def replicas(self) -> int:
        """How many devices train, over all processes."""
        return self.strategy.num_replicas_in_sync

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the shared files."""
        return self.worker == 0

    @property
    def on_one_cpu(self) -> bool:
        """Whether the only device is the CPU."""
        return self.replicas == 1 and not tf.config.list_logical_devices("GPU")

    @property
    def on_one_gpu(self) -> bool:
        """Whether the only device is a GPU."""
        return self.replicas == 1 and bool(tf.config.list_logical_devices("GPU"))

    def per_replica(self, value: Callable[[int], Any]) -> Any:
        """Make a value for each device of this process.

        Args:
            value: takes the replica's number; returns a nest of arrays, of any shape and dtype.

        Returns:
            The same nest of tensors, shapes and dtypes kept; per-replica values where there are
            several devices.
        """
        if self.replicas == 1:
            return tf.nest.map_structure(tf.constant, value(0))
        devices = self.strategy.extended.worker_devices

        def on_device(context: tf.distribute.experimental.ValueContext) -> Any:
            replica = context.replica_id_in_sync_group
            with tf.device(devices[replica % len(devices)]):
                return tf.nest.map_structure(tf.constant, value(replica))

        return self.strategy.experimental_distribute_values_from_function(on_device)

    def local_share(self, records: int) -> slice:
        """Return which of some records this process works on."""
        return slice(self.worker, records, self.workers)

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Turn TensorFlow's error about a lost process into one that names it.

        Raises:
            StoppedError: another process died; started again, all go on from the checkpoint.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if self.workers == 1:
                raise
            lost = re.search(r"remote target /job:(\w+)/replica:\d+/task:(\d+)", error.message)
            who = f"{lost[1]} {lost[2]}" if lost else "another worker"
            raise StoppedError(
                f"{who} was lost ({error.message.splitlines()[0]}): start all workers again, and "
                "they go on from the last checkpoint"
            ) from None

    def barrier(self) -> None:
        """Wait until every process is here."""
        self.sum_over_workers(np.zeros(1))

    def sum_over_workers(self, values: np.ndarray) -> np.ndarray:
        """Sum an array over the processes; every process must call it.

        Args:
            values: a numeric array of any shape, the same shape and dtype in every process.

        Returns:
            The sum, of that shape and dtype.
        """
        if self.workers == 1:
            return values
        # Only the first replica of each process brings in its values.
        replicas = self.replicas // self.workers
        mine = self.per_replica(lambda replica: values * (replica % replicas == 0))

        @tf.function
        def total(each: Any) -> tf.Tensor:
            return self.strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None)

        return total(mine).numpy()


def gpu_bytes() -> int | None:
    """Return what TensorFlow may take of the smallest GPU's memory; None without a GPU."""
    from tensorflow.python.client import device_lib

    limits = [
        device.memory_limit
        for device in device_lib.list_local_devices()
        if device.device_type == "GPU"
    ]
    return min(limits, default=None)


def create(kind: str) -> Distribution:
    """Return the devices to train on.

    Args:
        kind: "none" is one device; "mirrored" all devices of this machine; "multi_worker" the
            machines that TF_CONFIG names, as Vertex AI sets it; "auto" chooses.

    Raises:
        QuickdrawError: "multi_worker" without a TF_CONFIG, or one that cannot be read.
    """
    together = cluster.find()
    if kind == "auto":
        several = len(tf.config.list_physical_devices("GPU")) > 1
        kind = "multi_worker" if together else "mirrored" if several else "none"
    if kind == "none":
        return Distribution(tf.distribute.get_strategy())
    if kind == "mirrored":
        gpus = tf.config.list_logical_devices("GPU")
        devices = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
        return Distribution(tf.distribute.MirroredStrategy(devices))
    if together is None:
        raise QuickdrawError("--distribute=multi_worker needs a TF_CONFIG that names the workers")
    together.wait_for_all()
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return Distribution(strategy, len(together.names), together.index)


def advise_onednn() -> None:
    """Say so where training is slow because TensorFlow was imported before quickdraw."""
    # Set by `import quickdraw`, or by the user, who then knows.
    if "TF_ENABLE_ONEDNN_OPTS" in os.environ or tf.config.list_physical_devices("GPU"):
        return
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        features = file.read()
        if " avx2 " in features and " avx512_vnni " not in features:
            log(
                "TensorFlow was imported before quickdraw and leaves oneDNN off on this processor: "
                "training takes about twice as long. Import quickdraw first, or set "
                "TF_ENABLE_ONEDNN_OPTS=1"
            )
