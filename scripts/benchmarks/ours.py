"""What is measured of quickdraw itself, by its public pieces."""

from __future__ import annotations

import math
import os
import tempfile
from typing import Any

from benchmarks.measure import Measurement, Stopwatch, peak_megabytes
from quickdraw import cli, runs
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.training.settings import Settings

LATER_EPOCHS = 5


def epochs(pattern: str, batch_size: int) -> dict[str, Measurement]:
    """The first epoch: reads, decodes, writes the cache, and delivers every shuffled batch to a
    compiled loop; then later ones."""
    from quickdraw import devices
    from quickdraw.training.data import cache, feed

    one_device, reader = devices.create("none"), QuickDrawFeatureReader()
    with tempfile.TemporaryDirectory() as folder, Stopwatch() as first:
        os.environ["XDG_CACHE_HOME"] = folder
        drawings = cache.load(reader, reader.open(pattern), "reading", 1e6)
        resident = feed.create(drawings, Settings(batch_size=batch_size), one_device)
        steps = len(drawings) // batch_size
        deliver = _deliver(resident)
        deliver(resident.inputs(0, steps), steps)
    with Stopwatch() as later:
        for epoch in range(1, 1 + LATER_EPOCHS):
            deliver(resident.inputs(epoch * steps, steps), steps)
    images = steps * batch_size
    return {"first epoch": first.rate(images), "later epochs": later.rate(LATER_EPOCHS * images)}


def _deliver(source: Any) -> Any:
    """A compiled loop that takes every batch out of the feed, and does nothing with it."""
    import tensorflow as tf

    @tf.function
    def loop(data: Any, inputs: Any, steps: tf.Tensor) -> tf.Tensor:
        taken = tf.constant(0, tf.int64)
        for step in tf.range(steps):
            images, labels = source.pick(data, inputs, step)
            taken += tf.cast(images["image"][0, 0, 0, 0], tf.int64) + labels[-1]
        return taken

    return lambda inputs, steps: loop(source.data, inputs, tf.constant(steps)).numpy()


def train(
    pattern: str, classes: int, batch_size: int, train_images: int, precision: str = "float32"
) -> dict[str, Measurement]:
    """Steps of CnnModel once it is compiled, as many as `train_images` make, with the default
    settings but the precision: those include determinism on a CPU."""
    from quickdraw import devices
    from quickdraw.training.compiling import make_train_steps
    from quickdraw.training.data import cache
    from quickdraw.training.schedules import share_of_rate
    from quickdraw.training.setup import prepare
    from quickdraw.training.state import make_deterministic

    cli.load_tensorflow()
    settings = Settings(
        train_data_pattern=pattern, model="CnnModel", batch_size=batch_size, precision=precision
    )
    setup = prepare(settings, devices.create("none"), cache.load)
    make_deterministic(settings)
    steps = train_images // batch_size
    train_steps = make_train_steps(
        setup, lambda step: share_of_rate("cosine", step, 2 * steps) / 500
    )
    feed = train_steps.feed
    for warm_up in range(2):
        train_steps(feed.inputs(4 * warm_up, 4), 4 * warm_up, 4, False, 0.0)
    with Stopwatch() as watch:
        train_steps(feed.inputs(8, steps), 8, steps, False, 0.0)
    rate = watch.rate(steps * batch_size)
    flop = training_flop(train_steps.state.model)
    return {
        "training": rate,
        "arithmetic": {"value": rate["value"] * flop / 1e9, "unit": "GFLOP/s"},
    }


def training_flop(model: Any) -> int:
    """Floating-point operations that training takes for an image: matrix products alone.

    Each weight takes a multiplication and an addition at each place that it is applied to, and the
    same again for the gradients of weights and inputs; nobody needs those of the first inputs.
    """
    forward = [
        2 * layer.kernel.shape.num_elements() * math.prod(layer.output.shape[1:-1])
        for layer in model.layers
        if hasattr(layer, "kernel")
    ]
    return 3 * sum(forward) - forward[0]


def memory(pattern: str, batch_size: int) -> dict[str, Measurement]:
    """Some steps of `fit`, for the peak memory of it all."""
    from quickdraw.training import fit
    from quickdraw.training.data import cache

    with tempfile.TemporaryDirectory() as folder:
        fit(
            Settings(
                train_data_pattern=pattern,
                train_dir=folder,
                model="CnnModel",
                batch_size=batch_size,
                max_steps=20,
            )
        )
    peak, reader = peak_megabytes(), QuickDrawFeatureReader()
    drawings = cache.load(reader, reader.open(pattern), "reading", 1e6)
    return {
        "peak memory": {"value": peak, "unit": "MB"},
        "pixels": {"value": drawings.nbytes / 1e6, "unit": "MB"},
    }


def predict(train_dir: str, warm_up: str, pattern: str, batch_size: int) -> dict[str, Measurement]:
    """From records to predictions.csv, once the model is compiled."""
    cli.load_tensorflow()
    from quickdraw.evaluation.predict import predict
    from quickdraw.runs.ensemble import Ensemble

    trained = Ensemble([runs.load(train_dir)])
    output = os.path.join(train_dir, "predictions.csv")
    predict(trained, warm_up, output, batch_size=batch_size)
    with Stopwatch() as watch:
        images = predict(trained, pattern, output, batch_size=batch_size)
    return {"inference": watch.rate(images)}


def make_run(train: str, valid: str, train_dir: str, precision: str) -> dict[str, Measurement]:
    """A run to predict with; how good it is does not matter."""
    from quickdraw.training import fit

    fit(
        Settings(
            train_data_pattern=train,
            eval_data_pattern=valid,
            train_dir=train_dir,
            model="CnnModel",
            precision=precision,
            max_steps=50,
        )
    )
    return {}
