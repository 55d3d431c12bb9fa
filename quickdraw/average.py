"""Averages the weights of a run's checkpoints into a new run.

    python -m quickdraw.train … --train_dir=runs/cnn --schedule=constant --keep_checkpoints=8
    python -m quickdraw.average --train_dir=runs/cnn --output_dir=runs/cnn-average --last=6
    python -m quickdraw.eval --train_dir=runs/cnn-average --run_once

The mean of weights from the end of a training often generalises better than any of them, and costs
nothing when predicting (Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better
Generalization", section 3; Vaswani et al. 2017, "Attention Is All You Need", section 6.1). --last
takes the newest checkpoints, --best those with the highest top-1 on the validation records. A
training keeps --keep_checkpoints of them.

With a constant learning rate this is stochastic weight averaging (SWA): on QD10 the mean of the
last six of CnnModel's eight epochs has 91.4 % (validation), the best of them 90.3 %, the cosine
schedule 91.3 %. A rate that ends at 0 leaves nothing to gain (docs/experiments.md).

BatchNormalization's statistics are measured anew, with the averaged weights, in one pass over the
training drawings as they are, without augmentation. eval and inference take the new run like any
other. Takes a pass over the training drawings and an evaluation: seconds.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from quickdraw import cli, metrics, storage
from quickdraw.errors import QuickdrawError
from quickdraw.progress import Progress, log

if TYPE_CHECKING:
    import keras

    from quickdraw.runs import Run
    from quickdraw.settings import OnBadRecord


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "train_dir", "runs/LogisticModel", "The folder of the run.", flag_values=values
    )
    flags.DEFINE_string(
        "output_dir", None, "A new folder, for the run with the mean.", flag_values=values
    )
    flags.DEFINE_integer(
        "last",
        None,
        "Average so many of the newest checkpoints. Without it and --best, all that were kept.",
        lower_bound=2,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "best",
        None,
        "Average so many of the checkpoints that were best on the validation records.",
        lower_bound=2,
        flag_values=values,
    )
    flags.DEFINE_string(
        "train_data_pattern",
        None,
        "Patterns of records for BatchNormalization. Without it, those of the training.",
        flag_values=values,
    )
    cli.define_bad_record_flag(values)
    cli.define_config_flag(values)


def command(values: flags.FlagValues) -> None:
    """Averages as the flags say."""
    if not values.output_dir:
        raise cli.UsageError("--output_dir is needed: a new folder")
    if values.last and values.best:
        raise cli.UsageError("either --last or --best")
    if storage.is_folder(values.output_dir) and storage.listdir(values.output_dir):
        raise QuickdrawError(f"{values.output_dir} is not empty: choose another --output_dir")
    cli.load_tensorflow()
    from quickdraw import checkpoints, runs

    run = runs.read(values.train_dir)
    if values.best and run.settings.get("use_valid_as_train"):
        raise QuickdrawError("--best: this run was trained on all its validation records")
    paths = _chosen(values.train_dir, checkpoints.paths(values.train_dir), values)
    steps = [checkpoints.step_of(path) for path in paths]
    log(f"averaging the checkpoints of steps {', '.join(f'{step:,}' for step in steps)}")
    model = run.build_model()
    model.set_weights(_mean(model, paths))
    patterns = values.train_data_pattern or run.settings["train_data_pattern"]
    measure_batch_norm(model, run, patterns, values.on_bad_record)
    result = _evaluate(model, run, values.on_bad_record)
    # A setting that no training has: so none goes on in this folder.
    run.settings["averaged_steps"] = steps
    run.finished_step = max(steps)
    checkpoints.save_best(model, values.output_dir, run.finished_step, result)
    checkpoints.Checkpoints(values.output_dir, 1, model=model).save(run.finished_step)
    run.save(values.output_dir)  # last: without it the folder is no run
    log(f"done: {values.output_dir} holds the mean")


def _chosen(train_dir: str, paths: list[str], values: flags.FlagValues) -> list[str]:
    """Those of a run's checkpoints, newest first, that the flags ask for."""
    from quickdraw import checkpoints

    if values.best:
        top1 = metrics.evaluations(train_dir)
        paths = [path for path in paths if checkpoints.step_of(path) in top1]
        paths.sort(key=lambda path: top1[checkpoints.step_of(path)], reverse=True)
    wanted = values.best or values.last or max(2, len(paths))
    if len(paths) < wanted:
        raise QuickdrawError(
            f"{train_dir} holds {len(paths)} {'evaluated ' * bool(values.best)}checkpoint(s), "
            f"{wanted} are needed: a training with --keep_checkpoints={wanted} keeps as many"
        )
    return paths[:wanted]


def _mean(model: keras.Model, paths: list[str]) -> list[np.ndarray]:
    """The mean of the weights that the checkpoints hold; counters are those of the first."""
    from quickdraw import checkpoints

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
    """Sets the statistics of BatchNormalization layers to the mean over all training drawings.

    The drawings are shuffled, as records that are sorted by class would give other variances. Does
    nothing for a model without such layers.

    Raises:
        QuickdrawError: see `BaseReader.batches`.
    """
    import keras

    from quickdraw.readers import QuickDrawFeatureReader
    from quickdraw.settings import Settings
    from quickdraw.training import cache
    from quickdraw.training.evaluation import BATCH

    layers = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if not layers:
        return
    reader = run.reader(QuickDrawFeatureReader, patterns, on_bad_record)
    title = "reading training records"
    drawings = cache.load(reader, patterns, title, Settings().cache_megabytes)
    momenta = [layer.momentum for layer in layers]
    rows = np.random.default_rng(0).permutation(len(drawings))
    progress = Progress("measuring BatchNormalization", len(rows), "images")
    for start in range(0, len(rows), BATCH):
        batch, labels = drawings.take(np.sort(rows[start : start + BATCH]))
        for layer in layers:
            # So the moving mean becomes that of all drawings so far.
            layer.momentum = start / (start + len(labels))
        model(batch, training=True)
        progress.update(start + len(labels))
    progress.close()
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    reader.report_bad_records()


def _evaluate(model: keras.Model, run: Run, on_bad_record: OnBadRecord) -> dict[str, Any]:
    """The metrics on the records that the training was validated on; none without."""
    from quickdraw.readers import QuickDrawFeatureReader
    from quickdraw.training.evaluation import BATCH, make_evaluate

    patterns = run.settings["eval_data_pattern"]
    if not patterns:
        return {}
    reader = run.reader(QuickDrawFeatureReader, patterns, on_bad_record)
    evaluate = make_evaluate(model, run.create_loss(), len(run.labels))
    result = evaluate(reader.batches(patterns, BATCH)).result()
    print(f"top-1 {result['top1']:.2%}  top-3 {result['top3']:.2%}  loss {result['loss']:.4f}")
    return result


def main(argv: list[str] | None = None) -> int:
    """The console command `quickdraw-average`; returns its exit code."""
    return cli.run(define_flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
