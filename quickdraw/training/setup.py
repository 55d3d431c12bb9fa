"""From settings to a `Setup`: names looked up, numbers checked, records read."""

from __future__ import annotations

import dataclasses

import numpy as np

from quickdraw import precision
from quickdraw.components.base_loss import BaseLoss
from quickdraw.components.base_model import BaseModel
from quickdraw.components.preprocessing import AS_IT_IS
from quickdraw.console import log
from quickdraw.devices import Distribution, advise_onednn
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import labels
from quickdraw.records.shards import Shards
from quickdraw.runs import factory, record
from quickdraw.runs.record import Run
from quickdraw.training import validation_records
from quickdraw.training.augmentation import Augmentation, make_augmentation
from quickdraw.training.data.cache import Drawings
from quickdraw.training.initial_weights import InitialWeights, load_initial_weights
from quickdraw.training.objective import check_teachers, class_weights
from quickdraw.training.optimizers import code_of_optimizer, complete, log_optimizer, try_optimizer
from quickdraw.training.settings import Settings
from quickdraw.training.trial import check_loss, model_and_loss
from quickdraw.training.validation_records import Load

_COLUMNS = 80


@dataclasses.dataclass
class Setup:
    """What is to be trained, on what, where: checked and read.

    Attributes:
        settings: how it is trained.
        run: what run.json will say.
        augmentation: random changes to the training drawings.
        devices: where it is trained.
        train: the training drawings.
        validation: those that it is validated on, if any.
        initial: the weights to start from, if they are another run's.
    """

    settings: Settings
    run: Run
    augmentation: Augmentation
    devices: Distribution
    train: Drawings
    validation: Drawings | None
    initial: InitialWeights | None


def prepare(settings: Settings, devices: Distribution, load: Load) -> Setup:
    """Look up what the settings name, check it, and read the drawings.

    Raises:
        QuickdrawError: see `fit`.
    """
    # 1. Names and numbers: a typing mistake shows before any record is read.
    if not settings.train_data_pattern:
        raise QuickdrawError("train_data_pattern must be given")
    model, loss = model_and_loss(settings)
    settings = complete(settings)
    log_optimizer(settings)
    augmentation = make_augmentation(settings.augment)
    _check_changes_of_images(settings, model, augmentation)
    validation_records.check_use(settings)
    _check_batch(settings, devices)
    advise_onednn()
    settings = _with_precision(settings, devices)

    # 2. Records: listed and described, each pattern once.
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
    check_teachers(settings, loss, model, shards.info.labels, size, channels)

    # 3. Training drawings, and what depends on them.
    train = load(reader, shards, "reading training records", settings.cache_megabytes)
    run = _describe(settings, (model, loss, augmentation), shards, train)
    pixels = f", {size}x{size} pixels" * ("image" in model.inputs)
    log(f"{len(train):,} training drawings of {len(run.labels)} classes{pixels}")
    _warn_of_few(settings, len(train))
    check_teachers(settings, loss, model, run.labels, size, channels)
    class_weights(settings.class_weights, run.labels, train.labels)
    augmentation = augmentation.of_classes(run.labels)

    # 4. The student's code, tried before there is a run.
    built = factory.build_model(run)
    if settings.print_model and devices.is_chief:
        built.summary(line_length=_COLUMNS, expand_nested=True, print_fn=print)
    initial = load_initial_weights(settings, run, built)
    try_optimizer(settings, built)
    check_loss(loss, len(run.labels))

    # 5. Validation drawings.
    validation = validation_records.read(settings, run, load, shards)
    return Setup(settings, run, augmentation, devices, train, validation, initial)


def _check_changes_of_images(
    settings: Settings, model: BaseModel, augmentation: Augmentation
) -> None:
    if "ink" in model.inputs and augmentation != Augmentation():
        raise QuickdrawError(
            f"--augment changes images, and {type(model).__name__} takes ink: leave it out"
        )
    changed = [
        f"--{name}"
        for name in ("crop", "pixel_mean", "pixel_std")
        if getattr(settings, name) != getattr(AS_IT_IS, name)
    ]
    if changed and "image" not in model.inputs:
        raise QuickdrawError(
            f"{', '.join(changed)}: images are changed, and {type(model).__name__} takes ink: "
            "leave it out"
        )


def _check_batch(settings: Settings, devices: Distribution) -> None:
    parts = devices.replicas * settings.accumulate_steps
    if settings.batch_size % parts:
        raise QuickdrawError(
            f"--batch_size must be a multiple of {parts} ({devices.replicas} devices times "
            f"--accumulate_steps={settings.accumulate_steps}). Received: {settings.batch_size}"
        )
    if devices.replicas > 1:
        log(
            f"{devices.replicas} devices in {devices.workers} process(es): "
            f"{settings.batch_size // devices.replicas} of the {settings.batch_size} drawings of "
            f"each batch on each; the learning rate stays {settings.base_learning_rate:g}"
        )


def _with_precision(settings: Settings, devices: Distribution) -> Settings:
    """Choose the precision, if the settings leave it open: the same one in all processes."""
    if settings.precision != "auto":
        precision.warn_if_slow(settings.precision, "--precision=auto would be faster")
        return settings
    chosen = _begun_with(settings)
    if chosen is None:
        votes = np.array([precision.fastest() == "bfloat16"], np.int64)
        all_agree = devices.sum_over_workers(votes)[0] == devices.workers
        chosen = "bfloat16" if all_agree else "float32"
    log(f"--precision=auto: {chosen}")
    precision.warn_if_slow(
        chosen,
        "the run keeps what it began with: go on with it on a machine like its first, or begin "
        "another",
    )
    return dataclasses.replace(settings, precision=chosen)


def _begun_with(settings: Settings) -> precision.Precision | None:
    """Return the precision of the run that train_dir holds, if training goes on with one."""
    folder = settings.train_dir
    if settings.start_new_model or not folder or not record.exists(folder):
        return None
    return record.read(folder).settings.get("precision", "float32")


def _warn_of_few(settings: Settings, drawings: int) -> None:
    if settings.batch_size > drawings:
        log(
            f"warning: --batch_size={settings.batch_size} is more than there are drawings: a step "
            "sees some of them more than once"
        )


def _describe(
    settings: Settings,
    components: tuple[BaseModel, BaseLoss, Augmentation],
    shards: Shards,
    train: Drawings,
) -> Run:
    """Write down what run.json will say."""
    model, loss, augmentation = components
    names = shards.info.labels
    if not names:
        names = [str(label) for label in range(int(train.labels.max()) + 1)]
        occur = len(np.unique(train.labels))
        some = f", of which {occur:,} occur" if occur < len(names) else ""
        log(
            f"no dataset.json beside the records, no --labels: assuming the labels "
            f"0…{len(names) - 1}{some}"
        )
    return Run(
        model=model.name(),
        model_params=model.params(),
        label_loss=loss.name(),
        loss_params=loss.params(),
        labels=names,
        image_size=settings.image_size or shards.info.image_size,
        resized=settings.image_size is not None,
        channels=shards.info.channels,
        settings={
            "train_data_pattern": settings.train_data_pattern,
            **settings.that_matter(),
            "augment": augmentation.params(),
            **({"optimizer_code": code} if (code := code_of_optimizer(settings)) else {}),
        },
        data_fingerprint=train.fingerprint,
        named=bool(shards.info.labels),
        code=factory.code_of(type(model), type(loss)),
    )
