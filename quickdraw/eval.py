"""Evaluates a run on labelled records.

    python -m quickdraw.eval --train_dir=runs/cnn --run_once
    python -m quickdraw.eval --train_dir=runs/cnn

The first line evaluates the best model once, in a few seconds. The second runs beside a training:
it waits for new checkpoints, evaluates each, and ends when the training has. Both print top-1,
top-3, MAP@3, loss, expected calibration error (ECE; see quickdraw.calibrate) and precision and
recall of each class, and write them to train_dir/eval.json and to TensorBoard.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from absl import flags

from quickdraw import cli, storage, temperature, vertex_job
from quickdraw.gcs import transfer
from quickdraw.prefetch import prefetch
from quickdraw.progress import log

if TYPE_CHECKING:
    from quickdraw.metrics import Metrics
    from quickdraw.runs import TrainedModel

FILE_NAME = "eval.json"


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    cli.define_run_flags(values, "Which model --run_once evaluates.")
    flags.DEFINE_boolean(
        "run_once", False, "Evaluate once, do not wait for new checkpoints.", flag_values=values
    )
    flags.DEFINE_float(
        "poll_seconds",
        10.0,
        "How long to sleep before looking for a new checkpoint.",
        lower_bound=0.1,
        flag_values=values,
    )
    cli.define_bad_record_flag(values)
    cli.define_config_flag(values)


def command(values: flags.FlagValues) -> None:
    """Evaluates as the flags say."""
    values["train_dir"].value = vertex_job.train_dir(values)
    if values.run_once:
        cli.load_tensorflow()
        from quickdraw import runs

        _Evaluation(values, runs.load(values.train_dir, values.checkpoint)).run()
    else:
        _follow(values)


def _follow(values: flags.FlagValues) -> None:
    """Evaluates each new checkpoint until the training has ended."""
    _wait(values, lambda: storage.exists(os.path.join(values.train_dir, "run.json")), "a run")
    cli.load_tensorflow()
    from quickdraw import checkpoints, runs

    _wait(values, lambda: checkpoints.latest(values.train_dir), "a checkpoint")
    evaluation = _Evaluation(values, runs.load(values.train_dir, "latest"))
    while True:
        evaluation.run()
        done = evaluation.trained.step

        def newer(done: int = done) -> bool:
            path = checkpoints.latest(values.train_dir)
            return path is not None and checkpoints.step_of(path) > done

        finished = runs.read(values.train_dir).finished_step
        if finished is not None and done >= finished and not newer():
            log(f"the training has ended at step {finished:,}")
            return
        _wait(values, newer, f"a checkpoint after step {done:,}")
        evaluation.trained.step = checkpoints.restore_latest(
            evaluation.trained.model, values.train_dir
        )
        evaluation.trained.temperature = temperature.load(values.train_dir, evaluation.trained.step)


def _wait(values: flags.FlagValues, there_is: Any, what: str) -> None:
    if not there_is():
        log(f"waiting for {what} in {values.train_dir} (Ctrl-C ends this)")
    while not there_is():
        time.sleep(values.poll_seconds)


class _Evaluation:
    """Evaluates a model, as it is then, and reports."""

    def __init__(self, values: flags.FlagValues, trained: TrainedModel):
        from quickdraw.readers import QuickDrawFeatureReader
        from quickdraw.training.evaluation import make_evaluate

        run = trained.run
        self.trained = trained
        self._patterns = cli.eval_data_pattern(values, run.settings)
        self._train_dir = values.train_dir
        self._reader = run.reader(QuickDrawFeatureReader, self._patterns, values.on_bad_record)
        self._evaluate = make_evaluate(trained.model, run.create_loss(), len(run.labels))

    def run(self) -> None:
        """Evaluates, prints, and writes eval.json and events."""
        from quickdraw.training import logs
        from quickdraw.training.evaluation import BATCH

        batches = prefetch(self._reader.batches(self._patterns, BATCH))
        metrics = self._evaluate(batches, self.trained.temperature)
        self._reader.report_bad_records()
        step, labels = self.trained.step, self.trained.labels
        print(_table(metrics, labels, step), flush=True)
        storage.write_json(
            os.path.join(self._train_dir, FILE_NAME),
            {
                "step": step,
                "eval_data_pattern": self._patterns,
                "examples": metrics.count,
                **metrics.result(),
                "per_class": metrics.per_class(labels),
            },
        )
        with transfer.mirrored(logs.folder_of(self._train_dir)) as folder:
            writer = logs.event_writer(folder, "eval")
            logs.write_evaluation(writer, step, metrics, labels)
            writer.close()


def _table(metrics: Metrics, labels: list[str], step: int) -> str:
    result = metrics.result()
    width = max(map(len, labels))
    lines = [f"{'class':{width}}  precision  recall  drawings"]
    lines += [
        f"{name:{width}}  {of['precision']:9.2%} {of['recall']:7.2%} {of['examples']:9,}"
        for name, of in metrics.per_class(labels).items()
    ]
    return "\n".join(
        [
            *lines,
            f"step {step:,}, {metrics.count:,} drawings: top-1 {result['top1']:.2%}  "
            f"top-3 {result['top3']:.2%}  MAP@3 {result['map3']:.4f}  loss {result['loss']:.4f}  "
            f"ECE {result['ece']:.4f}",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """The console command `quickdraw-eval`; returns its exit code."""
    return cli.run(define_flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
