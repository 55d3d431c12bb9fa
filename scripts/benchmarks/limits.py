"""What this machine can do: measured in turn with the candidates, so that it has the same load."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.contest import Candidate, Options
from benchmarks.measure import Measurement
from quickdraw import storage
from quickdraw.records import example, tfrecord

CANDIDATE = "limits of this machine"
SECONDS = 1.0
COPIED_BYTES = 128 << 20
MATRIX = 2048
IDAT = 41  # where the pixels begin in a PNG without other chunks


def candidate(options: Options) -> Candidate:
    """The limits as a candidate of a contest."""
    return Candidate(CANDIDATE, "benchmarks.limits:measure", {"pattern": options.pattern("train")})


def measure(pattern: str) -> dict[str, Measurement]:
    """Inflating on one core, copying memory, multiplying matrices on all cores."""
    return {
        "zlib inflate, a core": {"value": _inflate(pattern), "unit": "images/s"},
        "memory copy": {"value": _copy(), "unit": "GB/s"},
        "matrix product, float32": {"value": _multiply(), "unit": "GFLOP/s"},
    }


def _best(work: Callable[[], object]) -> float:
    """The shortest time of something, tried for a while."""
    work()  # touches memory that is new, starts threads
    end, best = time.perf_counter() + SECONDS, float("inf")
    while (start := time.perf_counter()) < end:
        work()
        best = min(best, time.perf_counter() - start)
    return best


def _inflate(pattern: str) -> float:
    streams = list(_streams(storage.expand(pattern)[0]))
    return len(streams) / _best(lambda: [zlib.decompress(stream) for stream in streams])


def _streams(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        for data in tfrecord.read(file, path):
            png = example.Example.FromString(data).features.feature["image"].bytes_list.value[0]
            length = int.from_bytes(png[IDAT - 8 : IDAT - 4], "big")
            yield png[IDAT : IDAT + length]


def _copy() -> float:
    """Bytes copied a second, in GB: each is read once and written once."""
    source = np.ones(COPIED_BYTES, np.uint8)
    target = np.empty_like(source)
    return COPIED_BYTES / _best(lambda: np.copyto(target, source)) / 1e9


def _multiply() -> float:
    """The faster of NumPy's and TensorFlow's single-precision product."""
    import tensorflow as tf

    matrix = np.ones((MATRIX, MATRIX), np.float32)
    tensor = tf.constant(matrix)
    seconds = min(_best(lambda: matrix @ matrix), _best(lambda: tf.matmul(tensor, tensor).numpy()))
    return 2 * MATRIX**3 / seconds / 1e9
