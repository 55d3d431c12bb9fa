"""Keras: the network of the game "Deep Draw", trained with `fit`, used with `predict`."""

from __future__ import annotations

import csv
import os

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks.measure import Measurement, Stopwatch
from quickdraw.readers import QuickDrawFeatureReader


def deep_draw(classes: int) -> keras.Model:
    """Three convolutions with max-pooling, and a dense layer."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class EpochTimer(keras.callbacks.Callback):
    """Times every epoch but the first, which compiles."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        if epoch == 1:
            self.watch = Stopwatch().__enter__()

    def on_train_end(self, logs: object = None) -> None:
        self.watch.__exit__()


def train(pattern: str, classes: int, batch_size: int, train_images: int) -> dict[str, Measurement]:
    """`fit` on arrays in memory."""
    images, labels = next(QuickDrawFeatureReader().batches(pattern, train_images // 2))
    images = images.astype(np.float32) / 255
    timer = EpochTimer()
    deep_draw(classes).fit(
        images, labels, batch_size=batch_size, epochs=3, callbacks=[timer], verbose=0
    )
    return {"training": timer.watch.rate(2 * len(images))}


def parse_image(record: tf.Tensor) -> tf.Tensor:
    """Image of a test record."""
    features = {"image": tf.io.FixedLenFeature([], tf.string)}
    example = tf.io.parse_single_example(record, features)
    image = tf.io.decode_png(example["image"], channels=1)
    return tf.ensure_shape(image, [28, 28, 1])


def parse_id(record: tf.Tensor) -> tf.Tensor:
    """Id of a test record."""
    features = {"image_id": tf.io.FixedLenFeature([], tf.string)}
    return tf.io.parse_single_example(record, features)["image_id"]


def write_predictions(model: keras.Model, pattern: str, path: str, batch_size: int) -> int:
    """Predicts the records and writes the CSV file; returns how many there are."""
    files = tf.data.Dataset.list_files(pattern, shuffle=False)
    test = tf.data.TFRecordDataset(files)
    images = test.map(parse_image, num_parallel_calls=tf.data.AUTOTUNE)
    logits = model.predict(images.batch(batch_size).prefetch(tf.data.AUTOTUNE), verbose=0)
    ids = test.map(parse_id, num_parallel_calls=tf.data.AUTOTUNE).batch(batch_size)
    names = np.concatenate(list(ids.as_numpy_iterator()))
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image_id", "label"])
        rows.writerows(zip((name.decode() for name in names), logits.argmax(axis=1), strict=True))
    return len(names)


def predict(train_dir: str, warm_up: str, pattern: str, batch_size: int) -> dict[str, Measurement]:
    """From records to a CSV file, once the model is compiled."""
    model = keras.models.load_model(os.path.join(train_dir, "best.keras"))
    path = os.path.join(train_dir, "keras.csv")
    write_predictions(model, warm_up, path, batch_size)
    with Stopwatch() as watch:
        images = write_predictions(model, pattern, path, batch_size)
    return {"inference": watch.rate(images)}
