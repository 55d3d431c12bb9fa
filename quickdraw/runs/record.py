"""`train_dir/run.json`: everything needed to reproduce a model."""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
import shlex
import subprocess
from typing import Any

from quickdraw import __version__, storage
from quickdraw.errors import QuickdrawError
from quickdraw.fields import check

FILE_NAME = "run.json"
FORMAT = 2
"""The format of run.json; earlier ones, also those without a number, can still be read."""

# What does not decide by itself whether two runs are the same.
_ABOUT_IT = (
    *("versions", "started", "finished_step", "code", "network", "answers"),
    *("format", "named", "dark_ink"),
)
_NEARBY = 5  # runs that are named
_NEAR = 0.02  # beyond what kernels of other processors and sizes change


@dataclasses.dataclass
class Run:
    """The content of run.json.

    Attributes:
        model: name or dotted path of the model's class.
        model_params: all its parameters.
        label_loss: name or dotted path of the loss' class.
        loss_params: all its parameters.
        labels: names of the classes, in label order.
        image_size: pixels a side of the model's images.
        resized: whether the reader resizes the images to that.
        channels: 1 or 3.
        settings: the other settings of the training, by the names of their flags.
        data_fingerprint: of the training records.
        versions: of quickdraw, TensorFlow, Keras and Python, and the git commit.
        started: the start time, in UTC.
        finished_step: the last step, once the training has ended.
        code: digests of the code of model, loss and preprocessing (see
            `quickdraw.components.code_digest`); empty where it is not known.
        network: digest of the network that the model built (see
            `quickdraw.components.network_digest`); empty where it is not known.
        answers: of that network with fixed weights; empty where they are not known or do not count.
        format: of this file.
        named: whether the labels are names; otherwise they are numbers.
        dark_ink: whether the training images are dark on light; None where that is not known.
    """

    model: str
    model_params: dict[str, object]
    label_loss: str
    loss_params: dict[str, object]
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
    code: dict[str, str] = dataclasses.field(default_factory=dict)
    network: str = ""
    answers: list[float] = dataclasses.field(default_factory=list)
    format: int = FORMAT
    named: bool = True
    dark_ink: bool | None = None

    @property
    def started_at(self) -> datetime.datetime:
        """The start time."""
        return datetime.datetime.fromisoformat(self.started)

    def save(self, train_dir: str) -> None:
        """Write run.json, whole or not at all."""
        storage.write_json(os.path.join(train_dir, FILE_NAME), dataclasses.asdict(self))

    def check_names(self, train_dir: str, model: str | None, label_loss: str | None) -> None:
        """Check the names of a model and a loss, if given, against those of the run.

        Raises:
            QuickdrawError: they differ.
        """
        for flag, given, own in (
            ("model", model, self.model),
            ("label_loss", label_loss, self.label_loss),
        ):
            if given and not _is_named(own, given):
                raise QuickdrawError(
                    f"{train_dir} holds a run with --{flag}={own}. Received: {given}. A run knows "
                    f"its own: leave --{flag} out, or name the --train_dir of the other"
                )

    def builds_another(self, other: Run) -> bool:
        """Return whether two runs of the same code and settings build different networks."""
        if self.answers and other.answers:
            near = _NEAR * max(map(abs, self.answers))
            pairs = zip(self.answers, other.answers, strict=True)
            if any(abs(mine - theirs) > near for mine, theirs in pairs):
                return True
        same_keras = self.versions.get("keras") == other.versions.get("keras")
        known = self.network and other.network and same_keras
        return bool(known) and self.network != other.network

    def differences(self, other: Run) -> list[str]:
        """Return the relevant differences between two runs, in words."""
        return _differences(_what_matters(self), _what_matters(other))


def _is_named(own: str, given: str) -> bool:
    """Return whether a name denotes a class; the module may be omitted."""
    ours = given.startswith("quickdraw.") and given.rpartition(".")[2] == own
    return ours or given == own or own.endswith(f".{given}")


def _differences(mine: dict[str, object], theirs: dict[str, object]) -> list[str]:
    found = []
    for name in mine | theirs:
        one, other = mine.get(name), theirs.get(name)
        if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
            found += [f"{name} {each}" for each in _differences(one, other)]
        elif one != other:
            found.append(f"{name} {one!r} → {other!r}")
    return found


def _what_matters(run: Run) -> dict[str, object]:
    fields = dataclasses.asdict(run)
    for name in _ABOUT_IT:
        del fields[name]
    settings = fields.pop("settings")
    # Training records are compared by their fingerprint, wherever they are.
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


def exists(train_dir: str) -> bool:
    """Return whether a folder has a run."""
    return storage.exists(os.path.join(train_dir, FILE_NAME))


def read(train_dir: str) -> Run:
    """Read `train_dir/run.json`.

    Raises:
        QuickdrawError: it does not exist, is damaged, or of a later version of this package.
    """
    path = os.path.join(train_dir, FILE_NAME)
    if not exists(train_dir):
        raise QuickdrawError(
            f"{train_dir} holds no run: no {FILE_NAME} there. {_nearby(train_dir)}"
        )
    content = storage.read_json(path)
    try:
        made_by = f"made by quickdraw {content.get('versions', {}).get('quickdraw', '?')}"
        if content.get("format", 0) > FORMAT:
            raise QuickdrawError(
                f"{path}: {made_by} (format {content['format']}); this is {__version__}, which "
                f"reads formats up to {FORMAT}: use that version, or train anew"
            )
        run = Run(**content)
    except (TypeError, AttributeError) as error:
        raise QuickdrawError(f"{path}: damaged or of another version ({error})") from None
    check(run, f"{path}: ")
    return run


def _nearby(train_dir: str) -> str:
    """Return what a folder that is no run may have been meant to be."""
    folder = train_dir.rstrip("/")
    for _ in range(2):  # best.keras; checkpoints/step-60
        folder = os.path.dirname(folder)
        if exists(folder):
            return f"Did you mean --train_dir={shlex.quote(folder or '.')}?"
    there = storage.listdir(train_dir) if storage.is_folder(train_dir) else []
    runs = [path for name in sorted(there) if exists(path := os.path.join(train_dir, name))]
    if runs:
        return f"Did you mean one of {', '.join(map(shlex.quote, runs[:_NEARBY]))}?"
    return f"Train one with python -m quickdraw.train --train_dir={shlex.quote(train_dir)}"


def read_again(train_dir: str, earlier: Run) -> Run:
    """Read the run.json of a run again, while training or following it.

    Raises:
        QuickdrawError: it was deleted, or another run has replaced it.
    """
    if not storage.exists(os.path.join(train_dir, FILE_NAME)):
        raise QuickdrawError(f"{train_dir}: the run is gone, deleted or moved: this is the end")
    run = read(train_dir)
    if run.started != earlier.started:
        raise QuickdrawError(
            f"{train_dir}: another run, started {run.started}, has taken the place of the one that "
            "was there: start again to go on with that"
        )
    return run
