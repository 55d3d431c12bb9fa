"""Evaluates a run on labelled records.

    python -m quickdraw.eval --train_dir=runs/cnn --run_once
    python -m quickdraw.eval --train_dir=runs/cnn

The first line evaluates the best model once, in a few seconds. The second runs beside a training:
it waits for new checkpoints, evaluates each, and ends when the training has. Both print top-1,
top-3, MAP@3, loss, expected calibration error (ECE; see quickdraw.calibrate) and precision and
recall of each class, and write them to train_dir/eval.json and to TensorBoard.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import TYPE_CHECKING, Literal

from quickdraw import cli, environment, storage
from quickdraw.evaluation.run_flags import RunFlags
from quickdraw.fields import field
from quickdraw.runs import record
from quickdraw.runs.folder import wait_for
from quickdraw.storage import transfer

if TYPE_CHECKING:
    from quickdraw.evaluation.metrics import Metrics
    from quickdraw.runs import TrainedModel


@dataclasses.dataclass(kw_only=True)
class Flags(RunFlags):
    """What can be said on the command line."""

    model: str | None = field(
        None, "Compared with the model of the run, which needs no flag: for the camp's commands."
    )
    label_loss: str | None = field(None, "Compared with the loss of the run, likewise.")
    checkpoint: Literal["best", "latest"] = field("best", "Which model --run_once evaluates.")
    run_once: bool = field(False, "Evaluate once, do not wait for new checkpoints.")
    poll_seconds: float = field(10.0, "How long to sleep before looking for a new checkpoint.", 0.1)


def command(flags: Flags) -> None:
    """Evaluate once, or each new checkpoint until the training has ended."""
    train_dir = environment.train_dir(flags.train_dir)
    if not flags.run_once:  # before TensorFlow, which would hold memory while it waits
        run_json = os.path.join(train_dir, record.FILE_NAME)
        wait_for(lambda: storage.exists(run_json), f"a run in {train_dir}", flags.poll_seconds)
    record.read(train_dir).check_names(train_dir, flags.model, flags.label_loss)
    cli.load_tensorflow()
    from quickdraw import runs
    from quickdraw.evaluation.run_evaluation import RunEvaluation
    from quickdraw.runs import checkpoints

    if not flags.run_once:
        what = f"a checkpoint in {train_dir}"
        wait_for(lambda: checkpoints.latest(train_dir), what, flags.poll_seconds)
    trained = runs.load(train_dir, flags.checkpoint if flags.run_once else "latest")
    evaluation = RunEvaluation(trained, train_dir, flags.eval_data_pattern, flags.on_bad_record)
    every = [evaluation.run()] if flags.run_once else evaluation.follow(flags.poll_seconds)
    for metrics in every:
        print(table(metrics, trained), flush=True)
        _write_events(metrics, trained, train_dir)


def table(metrics: Metrics, trained: TrainedModel) -> str:
    """Return precision and recall of each class, and a line with the figures of all."""
    result, labels = metrics.result(), trained.labels
    width = max(map(len, labels))
    lines = [f"{'class':{width}}  precision  recall  drawings"]
    lines += [
        f"{name:{width}}  {of['precision']:9.2%} {of['recall']:7.2%} {of['examples']:9,}"
        for name, of in metrics.per_class(labels).items()
    ]
    lines.append(
        f"step {trained.step:,}, {metrics.count:,} drawings: top-1 {result['top1']:.2%}  "
        f"top-3 {result['top3']:.2%}  MAP@3 {result['map3']:.4f}  loss {result['loss']:.4f}  "
        f"ECE {result['ece']:.4f}"
    )
    return "\n".join(lines)


def _write_events(metrics: Metrics, trained: TrainedModel, train_dir: str) -> None:
    from quickdraw.tracking import tensorboard

    with transfer.mirrored(tensorboard.folder_of(train_dir)) as folder:
        writer = tensorboard.event_writer(folder, "eval")
        tensorboard.write_evaluation(writer, trained.step, metrics, trained.labels)
        writer.close()


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-eval`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
