"""Evaluates a run on labelled records.

    python -m quickdraw.eval --train_dir=runs/cnn --run_once
    python -m quickdraw.eval --train_dir=runs/cnn

The first line evaluates the best model once, in a few seconds. The second runs beside a training:
it waits for new checkpoints, evaluates each, and ends when the training has. Both print top-1,
top-3, MAP@3, loss, expected calibration error (ECE; see quickdraw.calibrate) and precision, recall
and F1 of each class with their means, and write them to train_dir/eval.json and to TensorBoard.
Beside eval.json lies the confusion matrix, as confusion.csv and confusion.png. --report adds
report.html and report.json (see quickdraw.report), at the end, and shows its drawings in
TensorBoard. --mlflow logs all of it.
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
from quickdraw.tracking.mlflow_options import MlflowOptions

if TYPE_CHECKING:
    from quickdraw.evaluation.metrics import Metrics
    from quickdraw.runs import TrainedModel


@dataclasses.dataclass(kw_only=True)
class Flags(RunFlags, MlflowOptions):
    """The flags of this command."""

    model: str | None = field(
        None, "Compared with the model of the run, which needs no flag: for the camp's commands."
    )
    label_loss: str | None = field(None, "Compared with the loss of the run, likewise.")
    checkpoint: Literal["best", "latest"] = field("best", "Which model --run_once evaluates.")
    run_once: bool = field(False, "Evaluate once, do not wait for new checkpoints.")
    report: bool = field(False, "Write report.html and report.json into the folder of the run too.")
    poll_seconds: float = field(10.0, "How long to sleep before looking for a new checkpoint.", 0.1)


def command(flags: Flags) -> None:
    """Evaluate once, or each new checkpoint until the training has ended."""
    train_dir = environment.train_dir(flags.train_dir)
    if not flags.run_once:  # before TensorFlow, which would hold memory while it waits
        run_json = os.path.join(train_dir, record.FILE_NAME)
        wait_for(lambda: storage.exists(run_json), f"a run in {train_dir}", flags.poll_seconds)
    run = record.read(train_dir)
    run.check_names(train_dir, flags.model, flags.label_loss)
    cli.load_tensorflow()
    from quickdraw import runs
    from quickdraw.evaluation.run_evaluation import RunEvaluation
    from quickdraw.runs import checkpoints
    from quickdraw.tracking.mlflow_tracker import send_now

    if not flags.run_once:

        def is_there() -> bool:
            record.read_again(train_dir, run)
            return checkpoints.latest(train_dir) is not None

        wait_for(is_there, f"a checkpoint in {train_dir}", flags.poll_seconds)
    trained = runs.load(train_dir, flags.checkpoint if flags.run_once else "latest")
    evaluation = RunEvaluation(trained, train_dir, flags.eval_data_pattern, flags.on_bad_record)
    every = [evaluation.run()] if flags.run_once else evaluation.follow(flags.poll_seconds)
    for metrics in every:
        print(table(metrics, trained), flush=True)
        _write(metrics, trained, train_dir)
        send_now(train_dir, flags)
    if flags.report:
        _write_report(flags, trained, train_dir)
        send_now(train_dir, flags)  # now with the report


def table(metrics: Metrics, trained: TrainedModel) -> str:
    """Return precision, recall and F1 of each class, their means, and the figures of all."""
    result, rows = metrics.result(), metrics.per_class(trained.labels)
    means = {f"{name} mean": of for name, of in metrics.means().items()}
    width = max(map(len, (*rows, *means)))
    lines = [f"{'class':{width}}  precision  recall      F1  drawings"]
    lines += [
        f"{name:{width}}  {of['precision']:9.2%} {of['recall']:7.2%} {of['f1']:7.2%} "
        f"{of.get('examples', metrics.count):9,}"
        for name, of in (*rows.items(), *means.items())
    ]
    lines.append(
        f"step {trained.step:,}, {metrics.count:,} drawings: top-1 {result['top1']:.2%}  "
        f"top-3 {result['top3']:.2%}  MAP@3 {result['map3']:.4f}  loss {result['loss']:.4f}  "
        f"ECE {result['ece']:.4f}"
    )
    return "\n".join(lines)


def _write(metrics: Metrics, trained: TrainedModel, train_dir: str) -> None:
    """Write TensorBoard's events and, unless there are many classes, the confusion matrix."""
    from quickdraw.tracking import plots, tensorboard

    with transfer.mirrored(tensorboard.folder_of(train_dir)) as folder:
        writer = tensorboard.event_writer(folder, "eval")
        tensorboard.write_evaluation(writer, trained.step, metrics, trained.labels)
        writer.close()
    plots.save_confusion_matrix(train_dir, metrics.confusion, trained.labels)


def _write_report(flags: Flags, trained: TrainedModel, train_dir: str) -> None:
    from quickdraw.report import document
    from quickdraw.report.evaluated import evaluate
    from quickdraw.report.sheets import sheets
    from quickdraw.tracking import tensorboard

    output = os.path.join(train_dir, document.PAGE_NAME)
    seen = evaluate([trained], flags.eval_data_pattern, flags.on_bad_record, [train_dir])
    document.write(seen, output)
    with transfer.mirrored(tensorboard.folder_of(train_dir)) as folder:
        writer = tensorboard.event_writer(folder, "eval")
        tensorboard.write_pictures(writer, trained.step, sheets(seen))
        writer.close()
    print(f"page: {output}")


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-eval`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
