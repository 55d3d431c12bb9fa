"""What can be checked before any drawing is read."""

from __future__ import annotations

import dataclasses

from quickdraw import losses, models
from quickdraw.components import component, create, parse_params
from quickdraw.errors import QuickdrawError
from quickdraw.formats.dataset_info import DatasetInfo
from quickdraw.progress import log
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.settings import Settings
from quickdraw.training import distribution
from quickdraw.training.augmentation import Augmentation
from quickdraw.training.distribution import Distribution
from quickdraw.training.objective import check_teachers


@dataclasses.dataclass
class Job:
    """What the settings ask for, by name: checked, but no drawing read yet."""

    settings: Settings
    model: models.BaseModel
    loss: losses.BaseLoss
    augmentation: Augmentation
    replicas: Distribution
    reader: QuickDrawFeatureReader
    info: DatasetInfo


def check(settings: Settings) -> Job:
    """Looks up what the settings name: a typing mistake shows before any data is read.

    Raises:
        QuickdrawError: see `fit`.
    """
    if not settings.train_data_pattern:
        raise QuickdrawError("train_data_pattern must be given")
    model = component(settings.model, settings.model_params, models.BaseModel)
    loss = component(settings.label_loss, settings.loss_params, losses.BaseLoss)
    augmentation = settings.augment
    if isinstance(augmentation, str):
        augmentation = create(Augmentation, parse_params(augmentation))
    _check_use_of_validation(settings)
    if "ink" in model.inputs and augmentation != Augmentation():
        raise QuickdrawError(
            f"--augment changes images, and {type(model).__name__} takes ink: leave it out"
        )
    replicas = distribution.create(settings.distribute)
    _check_batch(settings, replicas)
    reader = QuickDrawFeatureReader(
        settings.image_size,
        on_bad_record=settings.on_bad_record,
        inputs=model.inputs,
        max_points=model.max_points,
    )
    info = reader.describe(settings.train_data_pattern)
    size = settings.image_size or info.image_size
    check_teachers(settings, loss, model, info.labels, size, info.channels)
    return Job(settings, model, loss, augmentation, replicas, reader, info)


def _check_batch(settings: Settings, replicas: Distribution) -> None:
    parts = replicas.replicas * settings.accumulate_steps
    if settings.batch_size % parts:
        raise QuickdrawError(
            f"--batch_size must be a multiple of {parts} ({replicas.replicas} devices times "
            f"--accumulate_steps={settings.accumulate_steps}). Received: {settings.batch_size}"
        )
    if replicas.replicas > 1:
        log(
            f"{replicas.replicas} devices in {replicas.workers} process(es): "
            f"{settings.batch_size // replicas.replicas} of the {settings.batch_size} drawings of "
            f"each batch on each; the learning rate stays {settings.base_learning_rate:g}"
        )


def _check_use_of_validation(settings: Settings) -> None:
    guided = settings.early_stopping or settings.schedule == "plateau"
    if guided and not settings.eval_data_pattern:
        raise QuickdrawError(
            "--early_stopping and --schedule=plateau go by the validation records: "
            "--eval_data_pattern is needed"
        )
    if not settings.use_valid_as_train:
        return
    if not settings.eval_data_pattern:
        raise QuickdrawError("--use_valid_as_train: --eval_data_pattern is needed")
    if guided:
        raise QuickdrawError(
            "--use_valid_as_train: --early_stopping and --schedule=plateau need validation records "
            "that are not trained on"
        )
    log(
        "warning: --use_valid_as_train: the validation records are trained on too. Validation "
        "figures mean nothing; the last model counts as the best"
    )
