"""What settings name, looked up and checked before a drawing is read: in `fit`, or before a job."""

from __future__ import annotations

import dataclasses

from quickdraw.components.base_loss import BaseLoss
from quickdraw.components.base_model import BaseModel
from quickdraw.components.preprocessing import AS_IT_IS
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import labels
from quickdraw.records.shards import Shards
from quickdraw.training import validation_records
from quickdraw.training.augmentation import Augmentation, make_augmentation
from quickdraw.training.objective import check_teacher_given, check_teachers, given_weights
from quickdraw.training.optimizers import complete
from quickdraw.training.settings import Settings
from quickdraw.training.trial import model_and_loss


@dataclasses.dataclass(frozen=True)
class Parts:
    """What is trained, and how.

    Attributes:
        settings: complete: what depends on the optimizer is filled in.
        model: the instance of the model's class.
        loss: that of the loss' class.
        augmentation: random changes to the training drawings.
    """

    settings: Settings
    model: BaseModel
    loss: BaseLoss
    augmentation: Augmentation


def look_up(settings: Settings, replicas: int) -> Parts:
    """Look up what the settings name, and check what can be checked without records.

    Args:
        settings: how it is to be trained.
        replicas: on how many devices, over all processes.

    Raises:
        QuickdrawError: an unknown name, or settings that do not go together.
    """
    if not settings.train_data_pattern:
        raise QuickdrawError("train_data_pattern must be given")
    model, loss = model_and_loss(settings)
    augmentation = make_augmentation(settings.augment)
    parts = Parts(complete(settings), model, loss, augmentation)
    _check_changes_of_images(parts)
    validation_records.check_use(settings)
    _check_batch(settings, replicas)
    check_teacher_given(settings, loss)
    given_weights(settings.class_weights)
    return parts


def open_records(parts: Parts) -> tuple[QuickDrawFeatureReader, Shards]:
    """List and describe the training records, each pattern once.

    Raises:
        QuickdrawError: there are none, or they do not suit the settings or the teachers.
    """
    settings, model = parts.settings, parts.model
    reader = QuickDrawFeatureReader(
        settings.image_size,
        on_bad_record=settings.on_bad_record,
        inputs=model.inputs,
        max_points=model.max_points,
    )
    names = labels.read(settings.labels) if settings.labels else None
    shards = reader.open(settings.patterns_to_fit, names, f"--labels={settings.labels}")
    shards = shards.divided(settings.valid_share, held_out=False)
    size, channels = settings.image_size or shards.info.image_size, shards.info.channels
    if settings.crop and settings.crop > size:
        raise QuickdrawError(f"--crop={settings.crop}: the images have {size} pixels a side")
    check_teachers(settings, model, shards.info.labels, size, channels)
    return reader, shards


def _check_changes_of_images(parts: Parts) -> None:
    settings, inputs, name = parts.settings, parts.model.inputs, type(parts.model).__name__
    if "ink" in inputs and parts.augmentation != Augmentation():
        raise QuickdrawError(f"--augment changes images, and {name} takes ink: leave it out")
    changed = [
        f"--{name}"
        for name in ("crop", "pixel_mean", "pixel_std")
        if getattr(settings, name) != getattr(AS_IT_IS, name)
    ]
    if changed and "image" not in inputs:
        raise QuickdrawError(
            f"{', '.join(changed)}: images are changed, and {name} takes ink: leave it out"
        )


def _check_batch(settings: Settings, replicas: int) -> None:
    parts = replicas * settings.accumulate_steps
    if settings.batch_size % parts:
        raise QuickdrawError(
            f"--batch_size must be a multiple of {parts} ({replicas} devices times "
            f"--accumulate_steps={settings.accumulate_steps}). Received: {settings.batch_size}"
        )
