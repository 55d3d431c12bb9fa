"""The run: `train_dir/run.json` says everything that made a model; `load` brings the model back.

import quickdraw.runs
trained = quickdraw.runs.load("runs/CnnModel")
trained.predict(images)          # [{"cat": 0.93, "dog": 0.05, ...}, ...]
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
import subprocess
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from quickdraw import __version__, storage, temperature
from quickdraw.components import create, find
from quickdraw.errors import QuickdrawError
from quickdraw.readers import BaseReader
from quickdraw.settings import OnBadRecord
from quickdraw.trained import TrainedModel

if TYPE_CHECKING:
    import keras

    from quickdraw.losses import BaseLoss
    from quickdraw.models import BaseModel

R = TypeVar("R", bound=BaseReader)

FILE_NAME = "run.json"
Which = Literal["best", "latest"]
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@dataclasses.dataclass
class Run:
    """The content of run.json.

    Attributes:
        model: name or dotted path of the model's class.
        model_params: its parameters, all of them.
        label_loss: name or dotted path of the loss' class.
        loss_params: its parameters, all of them.
        labels: names of the classes, in label order.
        image_size: pixels a side that the model takes.
        resized: whether the reader resized the images to that.
        channels: 1 or 3.
        settings: the other settings of the training, by the names of their flags.
        data_fingerprint: of the training records.
        versions: of quickdraw, TensorFlow, Keras and Python, and the git commit.
        started: when, in UTC.
        finished_step: the last step, once training has ended.
    """

    model: str
    model_params: dict[str, Any]
    label_loss: str
    loss_params: dict[str, Any]
    labels: list[str]
    image_size: int
    resized: bool
    channels: int
    settings: dict[str, Any]
    data_fingerprint: str
    versions: dict[str, str] = dataclasses.field(default_factory=lambda: _versions())
    started: str = dataclasses.field(
        default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    )
    finished_step: int | None = None

    def save(self, train_dir: str) -> None:
        """Writes run.json, whole or not at all."""
        storage.write_json(os.path.join(train_dir, FILE_NAME), dataclasses.asdict(self))

    def create_model(self) -> BaseModel:
        """The instance of the student's model class."""
        from quickdraw import models

        return create(find(self.model, models.BaseModel), self.model_params)

    def create_loss(self) -> BaseLoss:
        """The instance of the student's loss class."""
        from quickdraw import losses

        return create(find(self.label_loss, losses.BaseLoss), self.loss_params)

    def build_model(self) -> keras.Model:
        """The Keras model, with fresh weights, in the precision of the run.

        Raises:
            QuickdrawError: the loss needs something that the model has not.
        """
        import keras

        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(_POLICIES[self.settings.get("precision", "float32")])
        try:
            model = self.create_model().build(self.image_size, self.channels, len(self.labels))
            return self.create_loss().attach(model)
        finally:
            keras.config.set_dtype_policy(policy)

    def reader(
        self,
        kind: type[R],
        patterns: str,
        on_bad_record: OnBadRecord,
        inputs: tuple[str, ...] | None = None,
        max_points: int | None = None,
    ) -> R:
        """A reader that hands out drawings as this run's model takes them.

        Args:
            kind: its class.
            patterns: of the records it is for.
            on_bad_record: see `BaseReader`.
            inputs: where other models take more, what all of them take together.
            max_points: likewise.

        Raises:
            QuickdrawError: the records' images have another size or number of channels.
        """
        takes = self.create_model()
        reader = kind(
            self.image_size if self.resized else None,
            len(self.labels),
            on_bad_record=on_bad_record,
            inputs=inputs or takes.inputs,
            max_points=max_points or takes.max_points,
        )
        if "image" not in reader.inputs:
            return reader
        info = reader.describe(patterns)
        if not self.resized and info.image_size != self.image_size:
            raise QuickdrawError(
                f"{patterns}: the model was trained on images of {self.image_size} pixels a side. "
                f"Received: {info.image_size}. Train with --image_size={self.image_size} to have "
                "every image resized"
            )
        if info.channels != self.channels:
            raise QuickdrawError(
                f"{patterns}: images of {self.channels} channel(s) expected. "
                f"Received: {info.channels}"
            )
        return reader

    def differences(self, other: Run) -> list[str]:
        """What matters and is not the same in two runs, in words."""
        mine, theirs = _what_matters(self), _what_matters(other)
        return [
            f"{name} {mine.get(name)!r} → {theirs.get(name)!r}"
            for name in mine | theirs
            if mine.get(name) != theirs.get(name)
        ]


def _what_matters(run: Run) -> dict[str, Any]:
    fields = dataclasses.asdict(run)
    for name in ("versions", "started", "finished_step"):
        del fields[name]
    settings = fields.pop("settings")
    # The fingerprint speaks for the training records, wherever they lie.
    return fields | {key: settings[key] for key in settings if key != "train_data_pattern"}


def _versions() -> dict[str, str]:
    import keras
    import tensorflow as tf

    here = os.path.dirname(os.path.abspath(__file__))
    commit = subprocess.run(
        ["git", "-C", here, "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "quickdraw": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
        "git_commit": commit.stdout.strip() if commit.returncode == 0 else "",
    }


def read(train_dir: str) -> Run:
    """Reads `train_dir/run.json`.

    Raises:
        QuickdrawError: there is none, or it is damaged.
    """
    path = os.path.join(train_dir, FILE_NAME)
    if not storage.exists(path):
        raise QuickdrawError(
            f"{train_dir} holds no run: no {FILE_NAME} there. Train one with "
            f"python -m quickdraw.train --train_dir={train_dir}"
        )
    content = storage.read_json(path)
    try:
        return Run(**content)
    except TypeError as error:
        raise QuickdrawError(f"{path}: damaged or of another version ({error})") from None


def load(train_dir: str, checkpoint: Which = "best") -> TrainedModel:
    """The trained model of a run, calibrated if `quickdraw.calibrate` was run on it.

    Args:
        train_dir: the folder of the run.
        checkpoint: "best" on the validation records (the latest, where there were none), or
            "latest".

    Raises:
        QuickdrawError: no run, no checkpoint yet, or the model's code has changed since.
    """
    from quickdraw import checkpoints

    run = read(train_dir)
    model = run.build_model()
    if checkpoint == "best" and checkpoints.has_best(train_dir):
        step = checkpoints.restore_best(model, train_dir)
    else:
        step = checkpoints.restore_latest(model, train_dir)
    return TrainedModel(model, run, step, temperature.load(train_dir, step))
