"""Predicts test records and writes predictions.csv for a leaderboard.

    python -m quickdraw.inference --train_dir=runs/cnn --input_data_pattern='data/qd10/test-*'

The file has a line `image_id,label` for each record, in the order of the records; with --top_k=3
it is a Kaggle file, `key_id,word` with three words. It appears when it is complete, not before.
Labels are numbered as in the dataset.json beside the records, or else as in the run; a table beside
the file, predictions.labels.csv, says what they mean.
Records are streamed: any number of them will do. CnnModel: about 26,000 drawings a second on two
cores.

--submit_to=URL sends the file to a leaderboard at the end, also from inside a job on Vertex AI; the
token of the team comes from the variable QUICKDRAW_TOKEN or from --token_file.

--balance_classes is for a test set that is known to hold equally many drawings of each class. It
needs the probabilities of all drawings in memory, 4 bytes a drawing and class: 136 MB for 100,000
drawings of 340 classes. See quickdraw/evaluation/balance.py for what it gains. --mlflow logs the
file with the run, that of the first train_dir.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import Literal

from quickdraw import cli, environment, storage
from quickdraw.console import log
from quickdraw.errors import UsageError
from quickdraw.evaluation.run_flags import ReadingFlags
from quickdraw.fields import field
from quickdraw.leaderboard import team_client as client
from quickdraw.tracking.mlflow_options import MlflowOptions


@dataclasses.dataclass(kw_only=True)
class Flags(ReadingFlags, MlflowOptions):
    """The flags of this command."""

    train_dir: str = field(
        environment.TRAIN_DIR,
        "The folder of the run; several, separated by commas, predict as an ensemble.",
        path=True,
    )
    ensemble_weights: tuple[str, ...] | None = field(
        None, "How much each run of an ensemble counts."
    )
    tta: bool = field(
        False,
        "Predict each drawing and its mirror image, and take the mean (test-time augmentation).",
    )
    balance_classes: bool = field(
        False,
        "Predict each class equally often, for a test set that is known to be balanced. Keeps all "
        "probabilities in memory.",
    )
    input_data_pattern: str | None = field(None, "Patterns of the test records.", path=True)
    output_file: str | None = field(
        None, "Where the predictions go. Without it, train_dir/predictions.csv.", path=True
    )
    top_k: int = field(
        1,
        "1 writes image_id,label; more writes that many words a line, as Kaggle wants them (3).",
        1,
    )
    output_probabilities: str | None = field(
        None, "Also write every class' probability to this CSV file.", path=True
    )
    checkpoint: Literal["best", "latest"] = field(
        "best", "Which model predicts: the best on the validation records, or the latest."
    )
    batch_size: int = field(2048, "Drawings a step.", 1)
    submit_to: str | None = field(
        None, "A leaderboard to send the predictions to, such as https://example.org."
    )
    message: str = field("", "What is new in the entry, for --submit_to.")
    token_file: str = field(
        client.TOKEN_FILE,
        "The token of the team for --submit_to, where QUICKDRAW_TOKEN is not set; local or gs://.",
        path=True,
    )


def command(flags: Flags) -> None:
    """Load the runs, predict, and write the files."""
    if not flags.input_data_pattern:
        raise UsageError("--input_data_pattern is needed: the patterns of the test records")
    weights = _numbers(flags.ensemble_weights)
    token = client.token_from(flags.token_file) if flags.submit_to else ""
    train_dir = environment.train_dir(flags.train_dir)
    for path in filter(None, (flags.output_file, flags.output_probabilities)):
        storage.check_output(path)
    cli.load_tensorflow()
    from quickdraw import runs
    from quickdraw.evaluation.predict import predict
    from quickdraw.runs.ensemble import Ensemble, warn_of_mirroring
    from quickdraw.tracking.mlflow_tracker import send_now

    folders = storage.folders_in(train_dir)
    output_file = flags.output_file or os.path.join(folders[0], "predictions.csv")
    models = [runs.load(folder, flags.checkpoint) for folder in folders]
    for folder, model in zip(folders, models, strict=True):
        log(f"predicting with the model of step {model.step:,} of {folder}")
        if flags.tta:
            warn_of_mirroring(folder, model.run)
    count = predict(
        Ensemble(models, weights, flags.tta),
        flags.input_data_pattern,
        output_file,
        top_k=flags.top_k,
        balance_classes=flags.balance_classes,
        output_probabilities=flags.output_probabilities,
        batch_size=flags.batch_size,
        on_bad_record=flags.on_bad_record,
    )
    log(f"{count:,} predictions in {output_file}")
    elsewhere = os.path.dirname(output_file) != folders[0].rstrip("/")
    send_now(folders[0], flags, (output_file,) * elsewhere)
    if flags.submit_to:
        print(client.told(client.submit(flags.submit_to, token, output_file, flags.message)))


def _numbers(texts: tuple[str, ...] | None) -> list[float] | None:
    try:
        return None if texts is None else [float(text) for text in texts]
    except ValueError:
        raise UsageError(
            f"--ensemble_weights must be numbers. Received: {list(texts or ())}"
        ) from None


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-inference`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
