"""`fit`: from records to a run."""

from __future__ import annotations

from typing import TypeVar

import keras

from quickdraw import losses, models, runs
from quickdraw.components import Component, create, find, parse_params
from quickdraw.dataset_info import DatasetInfo
from quickdraw.errors import QuickdrawError
from quickdraw.progress import log
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.settings import Settings
from quickdraw.training import feed
from quickdraw.training.feed import Drawings
from quickdraw.training.folder import lock, open_folder
from quickdraw.training.loop import Loop, Plan

C = TypeVar("C", bound=Component)


def fit(settings: Settings) -> runs.TrainedModel:
    """Trains a model; called again with the same settings, goes on where it stopped.

    Args:
        settings: `train_data_pattern` and `train_dir` must be among them; `model` and `label_loss`
            may be instances of one's own classes.

    Returns:
        The best model on the validation records, or the last where there are none.

    Raises:
        QuickdrawError: anything that the caller can put right; see the messages.
    """
    if not settings.train_data_pattern or not settings.train_dir:
        raise QuickdrawError("train_data_pattern and train_dir must both be given")
    # Names first: a typing mistake shows before any data is read.
    model = component(settings.model, settings.model_params, models.BaseModel)
    loss = component(settings.label_loss, settings.loss_params, losses.BaseLoss)
    reader = QuickDrawFeatureReader(settings.image_size, on_bad_record=settings.on_bad_record)
    info = reader.describe(settings.train_data_pattern)
    with lock(settings.train_dir):
        drawings = feed.load(reader, settings.train_data_pattern, "reading training records")
        run = _describe(settings, model, loss, info, drawings)
        log(
            f"{len(drawings):,} training drawings of {len(run.labels)} classes, "
            f"{run.image_size}x{run.image_size} pixels"
        )
        validation = _validation(settings, run)
        keras.utils.set_random_seed(settings.seed)
        plan = _plan(settings, len(drawings))
        if open_folder(run, settings.train_dir, settings.start_new_model):
            log(f"{settings.train_dir} holds this run already: going on with it")
        Loop(run, plan, drawings, validation, settings.train_dir).run()
        run.finished_step = plan.total
        run.save(settings.train_dir)
    reader.report_bad_records()
    return runs.load(settings.train_dir)


def component(chosen: str | C, params: str | dict, base: type[C]) -> C:
    """The instance that a name with parameters stands for; an instance stands for itself.

    Raises:
        QuickdrawError: an unknown name or parameter (with the nearest known one), or a wrong type.
    """
    if not isinstance(chosen, str):
        return chosen
    values = parse_params(params) if isinstance(params, str) else params
    return create(find(chosen, base), values)


def _describe(
    settings: Settings,
    model: models.BaseModel,
    loss: losses.BaseLoss,
    info: DatasetInfo,
    drawings: Drawings,
) -> runs.Run:
    labels = info.labels
    if not labels:
        labels = [str(label) for label in range(int(drawings.labels.max()) + 1)]
        log(f"no dataset.json beside the records: assuming the labels 0…{len(labels) - 1}")
    that_matter = (
        "train_data_pattern",
        "eval_data_pattern",
        "batch_size",
        "base_learning_rate",
        "num_epochs",
        "max_steps",
        "seed",
    )
    return runs.Run(
        model=model.name(),
        model_params=model.params(),
        label_loss=loss.name(),
        loss_params=loss.params(),
        labels=labels,
        image_size=drawings.images.shape[1],
        resized=settings.image_size is not None,
        channels=drawings.images.shape[3],
        settings={name: getattr(settings, name) for name in that_matter},
        data_fingerprint=drawings.fingerprint(),
    )


def _validation(settings: Settings, run: runs.Run) -> Drawings | None:
    if not settings.eval_data_pattern:
        log("no --eval_data_pattern: nothing is evaluated, and no best model kept")
        return None
    reader = run.reader(QuickDrawFeatureReader, settings.eval_data_pattern, settings.on_bad_record)
    validation = feed.load(reader, settings.eval_data_pattern, "reading validation records")
    reader.report_bad_records()
    log(f"{len(validation):,} validation drawings")
    return validation


def _plan(settings: Settings, records: int) -> Plan:
    epoch = records / settings.batch_size
    total = max(1, round(settings.num_epochs * epoch))
    unit = epoch if isinstance(settings.eval_every, float) else 1
    return Plan(
        batch_size=settings.batch_size,
        base_learning_rate=settings.base_learning_rate,
        seed=settings.seed,
        total=min(total, settings.max_steps or total),
        evaluate=max(1, settings.eval_every * unit),
        checkpoint=settings.checkpoint_every_steps,
        checkpoint_minutes=settings.checkpoint_every_minutes,
        keep_checkpoints=settings.keep_checkpoints,
    )
