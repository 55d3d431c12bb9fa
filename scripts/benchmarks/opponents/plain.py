"""Drawings to records as a notebook does it: Pillow and tf.train.Example in one loop."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw

from benchmarks.measure import Measurement, Stopwatch


def records(source: str) -> dict[str, Measurement]:
    """A folder of .npy or .ndjson files into one file; importing TensorFlow is not counted."""
    count = 0
    with Stopwatch() as watch, tf.io.TFRecordWriter(f"{source}-{os.getpid()}.tfrecords") as writer:
        for label, image in images(source):
            writer.write(example(image, label))
            count += 1
    return {"records": watch.rate(count)}


def images(source: str) -> Iterator[tuple[int, Image.Image]]:
    """The pictures of every file, which is one class."""
    for label, path in enumerate(sorted(Path(source).iterdir())):
        if path.suffix == ".npy":
            for row in np.load(path, mmap_mode="r"):
                yield label, Image.fromarray(row.reshape(28, 28))
        else:
            with path.open() as file:
                for line in file:
                    yield label, draw(json.loads(line)["drawing"])


def draw(strokes: list) -> Image.Image:
    """White lines on 256 x 256 pixels, made smaller; pen and margin are the data set's."""
    canvas = Image.new("L", (256, 256))
    brush = ImageDraw.Draw(canvas)
    for xs, ys in strokes:
        points = [(0.84 * x + 20, 0.84 * y + 20) for x, y in zip(xs, ys, strict=True)]
        brush.line(points, fill=255, width=13)
    return canvas.resize((28, 28), Image.Resampling.LANCZOS)


def example(image: Image.Image, label: int) -> bytes:
    """The serialised Example of a picture."""
    file = io.BytesIO()
    image.save(file, "PNG")
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[file.getvalue()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
