"""Calibrates the probabilities of a run on labelled records.

    python -m quickdraw.calibrate --train_dir=runs/cnn

Networks are surer than they are right. This fits one temperature to the drawings that the training
was validated on, prints the expected calibration error (ECE, 15 bins) before and after, and writes
train_dir/calibration.json. From then on `quickdraw.runs.load`, eval and inference divide the
logits by it. A prediction of one run stays the same, its probability changes; ensembles, which take
the mean of probabilities, change too. The temperature is that of one step: after more training run
the command again. Takes as long as an evaluation: seconds.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from quickdraw import cli, temperature
from quickdraw.metrics import Metrics

if TYPE_CHECKING:
    from quickdraw.runs import TrainedModel
    from quickdraw.settings import OnBadRecord


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    cli.define_run_flags(values, "Which model to calibrate.")
    cli.define_bad_record_flag(values)
    cli.define_config_flag(values)


def command(values: flags.FlagValues) -> None:
    """Calibrates as the flags say."""
    cli.load_tensorflow()
    from quickdraw import runs

    trained = runs.load(values.train_dir, values.checkpoint)
    patterns = cli.eval_data_pattern(values, trained.run.settings)
    logits, labels = _logits(trained, patterns, values.on_bad_record)
    fitted = temperature.fit(logits, labels)
    before, after = (_figures(logits, labels, at) for at in (1.0, fitted))
    temperature.save(
        values.train_dir,
        trained.step,
        fitted,
        eval_data_pattern=patterns,
        examples=len(labels),
        before=before,
        after=after,
    )
    print(f"step {trained.step:,}, {len(labels):,} drawings: temperature {fitted:.4f}")
    for name, of in (("before", before), ("after", after)):
        print(f"{name:6}  ECE {of['ece']:.4f}  negative log-likelihood {of['nll']:.4f}")


def _logits(
    trained: TrainedModel, patterns: str, on_bad_record: OnBadRecord
) -> tuple[np.ndarray, np.ndarray]:
    from quickdraw.readers import QuickDrawFeatureReader
    from quickdraw.training.evaluation import BATCH

    reader = trained.run.reader(QuickDrawFeatureReader, patterns, on_bad_record)
    parts = [(trained.logits(images), labels) for images, labels in reader.batches(patterns, BATCH)]
    reader.report_bad_records()
    logits, labels = zip(*parts, strict=True)
    return np.concatenate(logits), np.concatenate(labels)


def _figures(logits: np.ndarray, labels: np.ndarray, fitted: float) -> dict[str, float]:
    metrics = Metrics(logits.shape[1], fitted)
    metrics.update(logits, labels, temperature.negative_log_likelihood(logits / fitted, labels))
    result = metrics.result()
    return {"ece": result["ece"], "nll": result["loss"]}


def main(argv: list[str] | None = None) -> int:
    """The console command `quickdraw-calibrate`; returns its exit code."""
    return cli.run(define_flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
