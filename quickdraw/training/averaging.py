"""The mean of a run's checkpoints, as a run of its own."""

from __future__ import annotations

import keras
import numpy as np

from quickdraw import storage
from quickdraw.components.inputs import unwrapped
from quickdraw.console import Progress, log
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.evaluate import BATCH, make_evaluate
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records.shards import OnBadRecord
from quickdraw.runs import best_model, checkpoints, factory, history, record
from quickdraw.runs.record import Run
from quickdraw.training.data import cache
from quickdraw.training.settings import Monitor, Settings


def average(
    train_dir: str,
    output_dir: str,
    *,
    last: int | None = None,
    best: int | None = None,
    train_data_pattern: str | None = None,
    on_bad_record: OnBadRecord = "error",
) -> dict[str, float]:
    """Average the weights of a run's checkpoints into a new run.

    Args:
        train_dir: the folder of the run.
        output_dir: a new folder.
        last: take so many of the newest checkpoints; without it and `best`, all that were kept.
        best: take so many of those that were best on the validation records.
        train_data_pattern: of records for BatchNormalization; those of the training where None.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.

    Returns:
        The metrics on the records that the training was validated on; none without.

    Raises:
        QuickdrawError: too few checkpoints, or a folder that is not empty.
    """
    if storage.is_folder(output_dir) and storage.listdir(output_dir):
        raise QuickdrawError(f"{output_dir} is not empty: choose another --output_dir")
    run = record.read(train_dir)
    if best and run.settings.get("use_valid_as_train"):
        raise QuickdrawError("--best: this run was trained on all its validation records")
    paths = _choose(train_dir, last, best, run.settings.get("monitor", "top1"))
    steps = [checkpoints.step_of(path) for path in paths]
    log(f"averaging the checkpoints of steps {', '.join(f'{step:,}' for step in steps)}")
    factory.warn_of_changed_code(run, train_dir)
    model = factory.build_model(run, to_predict=True)
    model.set_weights(_mean(model, paths))
    patterns = train_data_pattern or run.settings["train_data_pattern"]
    measure_batch_norm(model, run, patterns, on_bad_record)
    result = _evaluate(model, run, on_bad_record)
    # A setting that no training has: so none goes on in this folder.
    run.settings["averaged_steps"] = steps
    run.finished_step = max(steps)
    best_model.save(model, output_dir, run.finished_step, result)
    checkpoints.Checkpoints(output_dir, 1, model=model).save(run.finished_step)
    run.save(output_dir)  # last: without it the folder is no run
    return result


def _choose(train_dir: str, last: int | None, best: int | None, monitor: Monitor) -> list[str]:
    """Return the paths of the checkpoints that are asked for, newest or best first."""
    paths = checkpoints.paths(train_dir)
    if best:
        figures = history.evaluations(train_dir, monitor)
        paths = [path for path in paths if checkpoints.step_of(path) in figures]
        higher_is_better = monitor == "top1"
        paths.sort(key=lambda path: figures[checkpoints.step_of(path)], reverse=higher_is_better)
    wanted = best or last or max(2, len(paths))
    if len(paths) < wanted:
        raise QuickdrawError(
            f"{train_dir} holds {len(paths)} {'evaluated ' * bool(best)}checkpoint(s), "
            f"{wanted} are needed: a training with --keep_checkpoints={wanted} keeps as many"
        )
    return paths[:wanted]


def _mean(model: keras.Model, paths: list[str]) -> list[np.ndarray]:
    """Return the mean of the weights that the checkpoints hold; counters are the first one's."""
    every = []
    for path in paths:
        checkpoints.restore(model, path)
        every.append(model.get_weights())
    return [
        np.asarray(np.mean(same, axis=0, dtype=np.float64))
        if same[0].dtype.kind == "f"
        else same[0]
        for same in zip(*every, strict=True)
    ]


def measure_batch_norm(
    model: keras.Model, run: Run, patterns: str, on_bad_record: OnBadRecord
) -> None:
    """Set the statistics of BatchNormalization layers to the mean over all training drawings.

    The drawings are shuffled, as records that are sorted by class would give other variances. Does
    nothing for a model without such layers.

    Raises:
        QuickdrawError: see `BaseReader.batches`.
    """
    layers = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if not layers:
        return
    reader = factory.reader_for(run, QuickDrawFeatureReader, on_bad_record)
    shards = factory.open_records(run, reader, patterns)
    shards = shards.divided(run.settings.get("valid_share"), held_out=False)
    drawings = cache.load(reader, shards, "reading training records", Settings().cache_megabytes)
    momenta = [layer.momentum for layer in layers]
    rows = np.random.default_rng(0).permutation(len(drawings))
    progress = Progress("measuring BatchNormalization", len(rows), "images")
    for start in range(0, len(rows), BATCH):
        inputs, labels = drawings.take(np.sort(rows[start : start + BATCH]))
        for layer in layers:
            # So the moving mean becomes that of all drawings so far.
            layer.momentum = start / (start + len(labels))
        model(unwrapped(inputs), training=True)
        progress.update(start + len(labels))
    progress.close()
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    drawings.bad.report()


def _evaluate(model: keras.Model, run: Run, on_bad_record: OnBadRecord) -> dict[str, float]:
    """Return the metrics on the records that the training was validated on; none without."""
    reader = factory.reader_for(run, QuickDrawFeatureReader, on_bad_record)
    shards = factory.open_validation(run, reader)
    if shards is None:
        return {}
    evaluate = make_evaluate(model, factory.create_loss(run), len(run.labels))
    return evaluate(reader.some(shards, BATCH)).result()
