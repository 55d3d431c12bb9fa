"""What can be checked before any drawing is read."""

from __future__ import annotations

import dataclasses
import time

import tensorflow as tf

from quickdraw import losses, models
from quickdraw.components import component, create, parse_params
from quickdraw.errors import QuickdrawError
from quickdraw.formats.dataset_info import DatasetInfo
from quickdraw.progress import log
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.settings import Precision, Settings
from quickdraw.training import distribution
from quickdraw.training.augmentation import Augmentation
from quickdraw.training.distribution import Distribution
from quickdraw.training.objective import check_teachers

_SLOWER = 1.5


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
    _check_precision(settings.precision)
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


def _check_precision(precision: Precision) -> None:
    """Warns where float32 is faster: on a CPU without instructions for the others."""
    if precision == "float32" or tf.config.list_logical_devices("GPU"):
        return
    ratio = _convolution_seconds(precision) / _convolution_seconds("float32")
    if ratio > _SLOWER:
        log(
            f"warning: on this CPU a convolution in {precision} takes {ratio:.1f} times as long as "
            "in float32: --precision=float32 would be faster"
        )


def _convolution_seconds(dtype: Precision) -> float:
    """How long a convolution with its gradients takes, best of three times after a warm-up."""
    images, kernel = tf.ones((16, 28, 28, 32), dtype), tf.ones((3, 3, 32, 32), dtype)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            convolved = tf.nn.conv2d(images, kernel, 1, "SAME")
        for gradient in tape.gradient(convolved, [images, kernel]):
            gradient.numpy()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


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
