"""What settings name, looked up and checked before a drawing is read: in `fit`, or before a job."""

from __future__ import annotations

import dataclasses

from quickdraw.components.base_loss import BaseLoss
from quickdraw.components.base_model import BaseModel
from quickdraw.components.code_digest import edited_files
from quickdraw.components.inputs import check_preprocess
from quickdraw.components.lookup import check_recorded, component, is_elsewhere
from quickdraw.components.preprocessing import AS_IT_IS
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import labels
from quickdraw.records.shards import Shards
from quickdraw.training import validation_records
from quickdraw.training.augmentation import Augmentation, make_augmentation
from quickdraw.training.objective import check_teacher_given, check_teachers, given_weights
from quickdraw.training.optimizers import complete
from quickdraw.training.settings import Settings


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
    model, loss = _model_and_loss(settings)
    augmentation = make_augmentation(settings.augment)
    parts = Parts(complete(settings), model, loss, augmentation)
    _check_changes_of_images(parts)
    validation_records.check_use(settings)
    check_batch(settings, replicas)
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
    if "image" in model.inputs:
        own = shards.info.image_size
        check_preprocess(reader.preprocess, (own, own, channels), settings.image_size)
    return reader, shards


def _model_and_loss(settings: Settings) -> tuple[BaseModel, BaseLoss]:
    """Make what the settings name; warn where eval will not find just this."""
    model = component(settings.model, settings.model_params, BaseModel)
    loss = component(settings.label_loss, settings.loss_params, BaseLoss)
    for made, base in ((model, BaseModel), (loss, BaseLoss)):
        check_recorded(made, base)
        _warn_of_what_is_not_found(type(made))
    return model, loss


def _warn_of_what_is_not_found(kind: type) -> None:
    if place := is_elsewhere(kind):
        log(
            f"warning: {kind.__name__} is defined in {place}: eval, inference and other programs "
            "will not find it. Write it into a file of the folder in which they are started, and "
            "import it from there"
        )
    for file in edited_files(kind):
        log(
            f"warning: {file} was edited after it was imported: what is trained is the code from "
            "before. Start the notebook or program again to train the new one"
        )


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


def check_batch(settings: Settings, replicas: int) -> None:
    """Check that a batch can be shared out to the devices.

    Raises:
        QuickdrawError: it cannot.
    """
    parts = replicas * settings.accumulate_steps
    if settings.batch_size != "auto" and settings.batch_size % parts:
        raise QuickdrawError(
            f"--batch_size must be a multiple of {parts} ({replicas} devices times "
            f"--accumulate_steps={settings.accumulate_steps}). Received: {settings.batch_size}"
        )
