"""Predicts test records and writes predictions.csv for a leaderboard.

    python -m quickdraw.inference --train_dir=runs/cnn --input_data_pattern='data/qd10/test-*'

The file has a line `image_id,label` for each record, in the order of the records; with --top_k=3
it is a Kaggle file, `key_id,word` with three words. It appears when it is complete, not before.
Records are streamed: any number of them will do. CnnModel: about 26,000 drawings a second on two
cores.

--balance_classes is for a test set that is known to hold equally many drawings of each class. It
needs the probabilities of all drawings in memory, 4 bytes a drawing and class: 136 MB for 100,000
drawings of 340 classes. See quickdraw/balance.py for what it gains.
"""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from quickdraw import cli, storage, vertex_job
from quickdraw.balance import balanced
from quickdraw.prefetch import in_parallel, prefetch
from quickdraw.progress import Progress, log

if TYPE_CHECKING:
    from quickdraw.ensemble import Ensemble

_SCORE = "{:.6g}".format


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "train_dir",
        "runs/LogisticModel",
        "The folder of the run; several, separated by commas, predict as an ensemble.",
        flag_values=values,
    )
    flags.DEFINE_list(
        "ensemble_weights", None, "How much each run of an ensemble counts.", flag_values=values
    )
    flags.DEFINE_boolean(
        "tta",
        False,
        "Predict each drawing and its mirror image, and take the mean (test-time augmentation).",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "balance_classes",
        False,
        "Predict each class equally often, for a test set that is known to be balanced. Keeps all "
        "probabilities in memory.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "input_data_pattern", None, "Patterns of the test records.", flag_values=values
    )
    flags.DEFINE_string(
        "output_file",
        None,
        "Where the predictions go. Without it, train_dir/predictions.csv.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "top_k",
        1,
        "1 writes image_id,label; more writes that many words a line, as Kaggle wants them (3).",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_string(
        "output_probabilities",
        None,
        "Also write every class' probability to this CSV file.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "checkpoint",
        "best",
        ["best", "latest"],
        "Which model predicts: the best on the validation records, or the latest.",
        flag_values=values,
    )
    flags.DEFINE_integer("batch_size", 2048, "Drawings a step.", lower_bound=1, flag_values=values)
    cli.define_bad_record_flag(values)
    cli.define_config_flag(values)


def command(values: flags.FlagValues) -> None:
    """Predicts as the flags say."""
    if not values.input_data_pattern:
        raise cli.UsageError("--input_data_pattern is needed: the patterns of the test records")
    values["train_dir"].value = vertex_job.train_dir(values)
    cli.load_tensorflow()
    from quickdraw import runs
    from quickdraw.ensemble import Ensemble

    folders = values.train_dir.split(",")
    output_file = values.output_file or os.path.join(folders[0], "predictions.csv")
    models = [runs.load(folder, values.checkpoint) for folder in folders]
    for folder, model in zip(folders, models, strict=True):
        log(f"predicting with the model of step {model.step:,} of {folder}")
        if values.tta and (kept := model.run.settings["augment"].get("never_flip")):
            log(f"warning: --tta mirrors all drawings; {folder} was trained with never_flip={kept}")
    count = predict(
        Ensemble(models, _weights(values.ensemble_weights), values.tta),
        values.input_data_pattern,
        output_file,
        top_k=values.top_k,
        balance_classes=values.balance_classes,
        output_probabilities=values.output_probabilities,
        batch_size=values.batch_size,
        on_bad_record=values.on_bad_record,
    )
    log(f"{count:,} predictions in {output_file}")


def _weights(texts: list[str] | None) -> list[float] | None:
    try:
        return None if texts is None else [float(text) for text in texts]
    except ValueError:
        raise cli.UsageError(f"--ensemble_weights must be numbers. Received: {texts}") from None


def predict(
    ensemble: Ensemble,
    input_data_pattern: str,
    output_file: str,
    *,
    top_k: int = 1,
    balance_classes: bool = False,
    output_probabilities: str | None = None,
    batch_size: int = 2048,
    on_bad_record: Any = "error",
) -> int:
    """Writes the predictions for test records; returns how many there are.

    Args:
        ensemble: one trained model or several.
        input_data_pattern: comma-separated patterns of the test records.
        output_file: the CSV file; it appears complete or not at all.
        top_k: 1 for `image_id,label`, more for `key_id,word` with that many words.
        balance_classes: predict each class equally often; see `balance.balanced`.
        output_probabilities: a CSV file for every class' probability, or None.
        batch_size: drawings a step.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.

    Raises:
        QuickdrawError: see `BaseReader.batches`; or `top_k` above the number of classes.
    """
    from quickdraw.readers import QuickDrawTestFeatureReader

    labels = ensemble.labels
    if top_k > len(labels):
        raise cli.UsageError(f"--top_k must be at most {len(labels)}, the number of classes")
    reader = ensemble.reader(QuickDrawTestFeatureReader, input_data_pattern, on_bad_record)
    count = 0
    with _csv(output_file) as predictions, _csv(output_probabilities) as every:
        predictions([("image_id", "label") if top_k == 1 else ("key_id", "word")])
        every([("image_id", *labels)])
        scored = _scored(ensemble, prefetch(reader.batches(input_data_pattern, batch_size)))
        for ids, scores in _balanced(scored) if balance_classes else scored:
            names = [image_id.decode() for image_id in ids]
            predictions(zip(names, _answers(scores, top_k, labels), strict=True))
            every((name, *map(_SCORE, row)) for name, row in zip(names, scores, strict=True))
            count += len(ids)
    reader.report_bad_records()
    return count


def _scored(ensemble: Ensemble, batches: Iterable[Any]) -> Iterator[tuple[Any, np.ndarray]]:
    """Yields (ids, probabilities) of each batch of (images, ids)."""
    progress = Progress("predicting", None, "images")
    count = 0
    # Two batches at a time: TensorFlow shares one out to the cores, and waits for the core that is
    # busy reading.
    for ids, scores in in_parallel(
        lambda batch: (batch[1], ensemble.probabilities(batch[0])), batches
    ):
        yield ids, scores
        count += len(ids)
        progress.update(count)
    progress.close()


def _balanced(scored: Iterable[tuple[Any, np.ndarray]]) -> Iterator[tuple[Any, np.ndarray]]:
    """Yields all ids and balanced probabilities at once."""
    ids, scores = zip(*scored, strict=True)
    yield np.concatenate(ids), balanced(np.concatenate(scores))


def _answers(scores: np.ndarray, top_k: int, labels: list[str]) -> list[int] | list[str]:
    """What is predicted for each drawing: its label, or its likeliest words."""
    if top_k == 1:
        return scores.argmax(axis=1).tolist()
    words = [label.replace(" ", "_") for label in labels]
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
    return [" ".join(words[label] for label in row) for row in best]


@contextlib.contextmanager
def _csv(path: str | None) -> Iterator[Callable[[Iterable[Iterable[Any]]], object]]:
    """A function that writes rows; it does nothing where there is no file to write."""
    if path is None:
        yield lambda rows: None
        return
    with storage.write_whole(path) as file:
        yield csv.writer(file, lineterminator="\n").writerows


def main(argv: list[str] | None = None) -> int:
    """The console command `quickdraw-inference`; returns its exit code."""
    return cli.run(define_flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
