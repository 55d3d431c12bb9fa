"""The usual tf.data pipeline."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.measure import Measurement, Stopwatch

AUTOTUNE = tf.data.AUTOTUNE


def parse(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Image and label of a record."""
    features = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    example = tf.io.parse_single_example(record, features)
    image = tf.io.decode_png(example["image"], channels=1)
    return tf.ensure_shape(image, [28, 28, 1]), example["label"]


def pipeline(pattern: str, batch_size: int, cache: bool = False) -> tf.data.Dataset:
    """Shuffled batches of the records."""
    files = tf.data.Dataset.list_files(pattern)
    dataset = tf.data.TFRecordDataset(files, num_parallel_reads=AUTOTUNE)
    dataset = dataset.map(parse, num_parallel_calls=AUTOTUNE)
    if cache:
        dataset = dataset.cache()
    return dataset.shuffle(10_000).batch(batch_size, drop_remainder=True).prefetch(AUTOTUNE)


def epochs(pattern: str, batch_size: int, cache: bool) -> dict[str, Measurement]:
    """The first epoch and the second, no model."""
    dataset = pipeline(pattern, batch_size, cache)
    measured = {}
    for name in ("first epoch", "later epochs"):
        with Stopwatch() as watch:
            batches = sum(1 for _ in dataset)
        measured[name] = watch.rate(batches * batch_size)
    return measured
