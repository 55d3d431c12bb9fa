"""Training steps on a GPU (or here on the CPU): how fast, how near to the peak, and what takes how
long, by precision, batch size and XLA."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from benchmarks import machine
from benchmarks.contest import Candidate, Contest, Options
from benchmarks.measure import Measurement
from benchmarks.ours import training_flop

SECONDS = 0.5
MATRIX = {"GPU": 8192, "CPU": 2048}


def contest(options: Options) -> Contest:
    """Every combination that means something here; on a CPU no float16, and no XLA."""
    has_gpu = machine.gpu() is not None
    precisions = ("float32", "bfloat16", "float16") if has_gpu else machine.fast_precisions()
    sizes = [int(size) for size in options.batch_sizes.split(",")]
    candidates = [
        Candidate(
            f"{options.model}, {precision}, batch {size}{', XLA' * xla}",
            "benchmarks.gpu:steps",
            {
                "pattern": options.pattern("train"),
                "model": options.model,
                "batch_size": size,
                "precision": precision,
                "xla": xla,
            },
        )
        for precision, size, xla in itertools.product(
            precisions, sizes, (False, True) if has_gpu else (False,)
        )
    ]
    return Contest(f"Training steps on {machine.gpu() or 'the CPU'}", candidates, [])


def steps(
    pattern: str, model: str, batch_size: int, precision: str, xla: bool
) -> dict[str, Measurement]:
    """Images a second, their share of the peak of a matrix product, and milliseconds a step.

    What takes how long is found by leaving out: steps that only pick their drawings, those that
    also calculate gradients, and whole ones. The host's share is what it needs before each call.
    """
    from quickdraw import cli, devices
    from quickdraw.training.compiling import make_train_steps
    from quickdraw.training.data import cache
    from quickdraw.training.schedules import share_of_rate
    from quickdraw.training.settings import Settings
    from quickdraw.training.setup import prepare
    from quickdraw.training.state import make_deterministic

    settings = Settings(
        train_data_pattern=pattern, model=model, batch_size=batch_size, precision=precision, xla=xla
    )
    cli.load_tensorflow(lambda: _may_share(settings))
    setup = prepare(settings, devices.create("none"), cache.load)
    make_deterministic(settings)
    train_steps = make_train_steps(setup, lambda step: share_of_rate("cosine", step, 10**6) / 500)
    feed = train_steps.feed
    count = _fitting(lambda count: train_steps(feed.inputs(0, count), 0, count, False, 0.0))
    inputs = feed.inputs(0, count)
    picking, gradients = _parts(train_steps)
    seconds = {
        "host": _best(lambda: feed.inputs(0, count)) / count,
        "picking": _best(lambda: picking(inputs, count)) / count,
        "gradients": _best(lambda: gradients(inputs, count)) / count,
        "all": _best(lambda: train_steps(inputs, 0, count, False, 0.0)) / count,
    }
    rate = batch_size / (seconds["host"] + seconds["all"])
    arithmetic = rate * training_flop(train_steps.state.model) / 1e9
    peak = _matrix_product(precision)
    return {
        "training": {"value": rate, "unit": "images/s"},
        "arithmetic": {"value": arithmetic, "unit": "GFLOP/s"},
        "matrix product": {"value": peak, "unit": "GFLOP/s"},
        "share of the matrix product": {"value": 100 * arithmetic / peak, "unit": "%"},
        "host, a step": _ms(seconds["host"]),
        "picking drawings, a step": _ms(seconds["picking"]),
        "forward and gradients, a step": _ms(seconds["gradients"] - seconds["picking"]),
        "optimizer and sums, a step": _ms(seconds["all"] - seconds["gradients"]),
    }


def _may_share(settings: Any) -> bool:
    """Whether `train` would let each core take a share of each batch."""
    from quickdraw.training.early_look import goes_by_drawing

    return goes_by_drawing(settings)


def _parts(train_steps: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Loops of steps that only pick their drawings, and of those that also take the gradients."""
    import tensorflow as tf

    feed = train_steps.feed

    def looped(work: Callable[[Any, Any], Any]) -> Callable[..., Any]:
        @tf.function(autograph=False)
        def loop(data: Any, inputs: Any, count: Any) -> Any:
            def take(number: Any, total: Any) -> tuple[Any, Any]:
                return number + 1, total + work(*feed.pick(data, inputs, number))

            # One after the other, as steps are.
            return tf.while_loop(lambda at, _: at < count, take, [0, 0.0], parallel_iterations=1)

        return lambda inputs, count: loop(feed.data, inputs, tf.constant(count))[1].numpy()

    def some_of(arrays: Any) -> Any:
        return tf.add_n(
            [tf.reduce_sum(tf.cast(each, tf.float32)) for each in arrays if each is not None]
        )

    return (
        looped(lambda drawings, labels: some_of(tf.nest.flatten((drawings, labels)))),
        looped(lambda drawings, labels: some_of(train_steps._gradients(drawings, labels)[0])),
    )


def _fitting(call: Callable[[int], object]) -> int:
    """How many steps take some half second, once they are compiled."""
    count = 1
    while True:
        call(count)
        start = time.perf_counter()
        call(count)
        if (seconds := time.perf_counter() - start) > SECONDS / 4:
            return max(1, int(count * SECONDS / seconds))
        count *= 4


def _best(call: Callable[[], object]) -> float:
    """The shortest of three at least, after one that compiles."""
    call()
    seconds, end = [], time.perf_counter() + 2 * SECONDS
    while len(seconds) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _matrix_product(precision: str) -> float:
    """What a product of large matrices reaches, in GFLOP/s."""
    import tensorflow as tf

    from quickdraw import cores

    size = MATRIX["GPU" if tf.config.list_logical_devices("GPU") else "CPU"]
    matrix = tf.ones((size, size), precision)

    @tf.function
    def product() -> tf.Tensor:
        rows = cores.in_shares(lambda share: tf.matmul(share, matrix), matrix)
        return tf.reduce_sum(rows[0])  # copies a number, no matrix

    return 2 * size**3 / _best(lambda: product().numpy()) / 1e9


def _ms(seconds: float) -> Measurement:
    return {"value": 1e3 * seconds, "unit": "ms"}
