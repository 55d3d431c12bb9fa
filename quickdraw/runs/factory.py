"""Builds the objects that a run's record names: model, loss, and matching readers."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from quickdraw.components.code_digest import changed_pieces, digests_of
from quickdraw.components.component import create
from quickdraw.components.lookup import find
from quickdraw.components.user_code import explained
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.readers import BaseReader
from quickdraw.records import labels
from quickdraw.records.shards import OnBadRecord, Shards
from quickdraw.runs.record import Run

if TYPE_CHECKING:
    import keras

    from quickdraw.components.preprocessing import Preprocessing
    from quickdraw.losses import BaseLoss
    from quickdraw.models import BaseModel

R = TypeVar("R", bound=BaseReader)


def create_model(run: Run) -> BaseModel:
    """Create the instance of the run's model class."""
    from quickdraw import models

    return create(find(run.model, models.BaseModel), run.model_params)


def create_loss(run: Run) -> BaseLoss:
    """Create the instance of the run's loss class."""
    from quickdraw import losses

    return create(find(run.label_loss, losses.BaseLoss), run.loss_params)


def code_of(model: type[BaseModel], loss: type[BaseLoss]) -> dict[str, str]:
    """Return digests of the code that determines a run's predictions, for its record."""
    return digests_of(model, loss, BaseReader.preprocess)


def warn_of_changed_code(run: Run, train_dir: str) -> bool:
    """Warn if the code of a run changed since its training; return whether it did.

    Raises:
        QuickdrawError: it is not there, or cannot be imported.
    """
    from quickdraw import losses, models

    if not run.code:  # written by a version that did not store it
        return False
    try:
        now = code_of(find(run.model, models.BaseModel), find(run.label_loss, losses.BaseLoss))
    except QuickdrawError as error:
        raise QuickdrawError(
            f"{train_dir} was trained with {run.model} and {run.label_loss}, whose code is needed: "
            f"{error}"
        ) from None
    if changed := changed_pieces(run.code, now):
        log(
            f"warning: {train_dir}: the code has changed since the training: {', '.join(changed)}. "
            "What follows may be another model than the one that was trained: undo the edit, or "
            "train anew"
        )
    return bool(changed)


def warn_of_changed_network(run: Run, model: keras.Model, train_dir: str) -> None:
    """Warn if what the model's code builds to predict is not what it built to be trained.

    The model's weights may be others afterwards: it is to be called before they are loaded.
    """
    import keras

    from quickdraw import precision
    from quickdraw.components.network_digest import answers_of, digest_of

    computes_in = run.settings.get("precision", "float32")
    if precision.for_prediction(computes_in) != computes_in:  # constants may be rounded otherwise
        return
    answers = []
    if run.answers:
        with explained(type(create_model(run)).create_model):
            answers = answers_of(model)
    versions = {"keras": keras.__version__}
    now = dataclasses.replace(run, network=digest_of(model), answers=answers, versions=versions)
    if run.builds_another(now):
        log(
            f"warning: {train_dir}: {run.model} builds another network than the one that was "
            "trained: it goes by something outside, such as a file, a variable of the environment "
            "or the time. Predictions are worth nothing until that is what it was"
        )


def build_model(run: Run, to_predict: bool = False) -> keras.Model:
    """Build the Keras model, with fresh weights.

    Args:
        run: the run.
        to_predict: compute in the precision that is fast here (`precision.for_prediction`) instead
            of that of the training.

    Raises:
        QuickdrawError: the model does not meet a requirement of the loss.
    """
    import keras

    from quickdraw import precision

    computes_in = run.settings.get("precision", "float32")
    if to_predict:
        computes_in = precision.for_prediction(computes_in)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision.POLICIES[computes_in])
    try:
        with seeded(run) if to_predict else contextlib.nullcontext():
            return _build(run)
    finally:
        keras.config.set_dtype_policy(policy)


def _build(run: Run) -> keras.Model:
    model = create_model(run).build(
        run.image_size, run.channels, len(run.labels), preprocessing_of(run)
    )
    return create_loss(run).attach(model)


@contextlib.contextmanager
def seeded(run: Run) -> Iterator[None]:
    """Seed the random generators as in the training when it built the network.

    A student's `create_model` may turn random numbers into constants, which no checkpoint stores.
    """
    before = random.getstate(), np.random.get_state()
    random.seed(run.settings.get("seed", 0))
    np.random.seed(run.settings.get("seed", 0))
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


def preprocessing_of(run: Run) -> Preprocessing:
    """Return the preprocessing inside the run's model."""
    from quickdraw.components.preprocessing import Preprocessing

    names = {field.name for field in dataclasses.fields(Preprocessing)}
    return Preprocessing(**{name: run.settings[name] for name in names & run.settings.keys()})


def reader_for(
    run: Run,
    kind: type[R],
    on_bad_record: OnBadRecord = "error",
    inputs: tuple[str, ...] | None = None,
    max_points: int | None = None,
) -> R:
    """Make a reader of the inputs of the run's model.

    Args:
        run: the run.
        kind: the reader's class.
        on_bad_record: see `RecordReader`.
        inputs: the inputs to read; None for those of the run's model.
        max_points: of ink; None for that of the run's model.
    """
    takes = create_model(run)
    return kind(
        run.image_size if run.resized else None,
        len(run.labels),
        on_bad_record=on_bad_record,
        inputs=inputs or takes.inputs,
        max_points=max_points or takes.max_points,
    )


def open_records(run: Run, reader: BaseReader, patterns: str) -> Shards:
    """Open records, and check that they match the run.

    Labels are renumbered to the label order of the run.

    Raises:
        QuickdrawError: no such file, unknown classes, or images of another size or number of
            channels.
    """
    shards = reader.open(patterns, run.labels if run.named else None)
    if not run.named and shards.info.labels:
        _check_count(run, shards)
    if "image" not in reader.inputs:
        return shards
    if not run.resized and shards.info.image_size != run.image_size:
        raise QuickdrawError(
            f"{patterns}: the model was trained on images of {run.image_size} pixels a side. "
            f"Received: {shards.info.image_size}. Train with --image_size={run.image_size} to have "
            "every image resized"
        )
    if shards.info.channels != run.channels:
        raise QuickdrawError(
            f"{patterns}: images of {run.channels} channel(s) expected. "
            f"Received: {shards.info.channels}"
        )
    return shards


def open_validation(run: Run, reader: BaseReader) -> Shards | None:
    """Open the validation records of a run; None without any.

    Raises:
        QuickdrawError: see `open_records`.
    """
    patterns, share = run.settings["eval_data_pattern"], run.settings.get("valid_share")
    if patterns or not share:
        return open_records(run, reader, patterns) if patterns else None
    return open_records(run, reader, run.settings["train_data_pattern"]).divided(share, True)


def _check_count(run: Run, shards: Shards) -> None:
    """Warn if only the records have class names; raise QuickdrawError if there are too many."""
    names = labels.listed(shards.info.labels)
    if len(shards.info.labels) > len(run.labels):
        raise QuickdrawError(
            f"{shards.patterns}: the run knows the labels 0…{len(run.labels) - 1}, by number only. "
            f"Received {names}"
        )
    log(
        f"warning: the classes of the run have no names: the labels of {shards.patterns} are taken "
        f"by number. They are {names}"
    )
