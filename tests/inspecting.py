"""What tests of inspection share: doodles, and shards in which everything can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quickdraw.records import example, png, tfrecord
from quickdraw.records.dataset_info import DatasetInfo

EVIL = "<b>&\"'<script>alert('cat')</script>"
TRAIN = "train-00000-of-00001.tfrecords"


def doodle(seed: int, side: int = 28) -> np.ndarray:
    """Return a few random lines, never the same: uint8 `[side, side]`."""
    rng = np.random.default_rng(seed)
    image = np.zeros((side, side), np.uint8)
    for y, x in rng.integers(2, side - 4, (3, 2)):
        image[y, 2:x] = image[y : y + 3, x] = rng.integers(128, 256)
    return image


def record(image: np.ndarray, **features: bytes | int) -> bytes:
    """Return a serialised Example."""
    return example.serialise(image=png.encode(image), **features)


def write(folder: Path, name: str, *data: bytes) -> None:
    """Write a shard."""
    (folder / name).write_bytes(b"".join(map(tfrecord.frame, data)))


def write_mixed(folder: Path) -> None:
    """Write two classes, a test set, and one of everything that can be wrong."""
    empty, dot = np.zeros((2, 28, 28), np.uint8)
    dot[13:15, 13:15] = 255
    scribble = np.full((28, 28), 255, np.uint8)
    write(
        folder,
        TRAIN,
        *(record(doodle(seed), label=seed % 2) for seed in range(100)),
        record(empty, label=0),
        record(dot, label=1),
        record(scribble, label=1),
        record(doodle(0), label=0),
        record(doodle(1), label=0),
        b"no example",
        example.serialise(image=b"<b>no png</b>", label=1),
        record(doodle(1000), label=9),
        record(doodle(1000), word=b"cat"),
    )
    write(
        folder,
        "test-00000-of-00001.tfrecords",
        *(record(doodle(seed), image_id=b"<i>%d" % seed) for seed in range(90, 120)),
    )
    (folder / "valid-00000-of-00001.tfrecords").write_bytes(b"")
    DatasetInfo([EVIL, "dog"], source="<b>players</b>").save(str(folder))
