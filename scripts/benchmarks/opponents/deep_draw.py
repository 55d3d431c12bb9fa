"""The recipe of "Deep Draw" as one script: records in, a trained network out.

python -m benchmarks.opponents.deep_draw 'train-*' 'valid-*' classes epochs
"""

from __future__ import annotations

import sys

import tensorflow as tf

from benchmarks.opponents.keras_fit import deep_draw
from benchmarks.opponents.tfdata import AUTOTUNE, parse, pipeline

BATCH_SIZE = 32


def scale(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pixels from 0 to 1."""
    return tf.cast(image, tf.float32) / 255, label


def main(train_pattern: str, valid_pattern: str, classes: str, epochs: str) -> None:
    """Trains, and says after each epoch how good the network is."""
    train = pipeline(train_pattern, BATCH_SIZE, cache=True).map(scale)
    valid = tf.data.TFRecordDataset(tf.io.gfile.glob(valid_pattern))
    valid = valid.map(parse, AUTOTUNE).map(scale).batch(BATCH_SIZE).cache().prefetch(AUTOTUNE)
    model = deep_draw(int(classes))
    for epoch in range(int(epochs)):
        history = model.fit(train, validation_data=valid, verbose=0).history
        top1 = history["val_accuracy"][0]
        print(f"epoch {epoch + 1}: validation top-1 {top1:.2%}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
