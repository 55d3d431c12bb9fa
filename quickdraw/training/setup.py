"""From settings to a `Setup`: names looked up, numbers checked, records read."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from quickdraw import precision
from quickdraw.components.network_digest import answers_of, digest_of
from quickdraw.console import log
from quickdraw.devices import Distribution, advise_onednn
from quickdraw.records.shards import Shards
from quickdraw.runs import factory, record
from quickdraw.runs.paper import most_are_dark, warn_of_dark_ink
from quickdraw.runs.record import Run
from quickdraw.training import batch_size, parts, validation_records
from quickdraw.training.augmentation import Augmentation
from quickdraw.training.data.cache import Drawings
from quickdraw.training.initial_weights import InitialWeights, load_initial_weights
from quickdraw.training.loss_trial import check_loss
from quickdraw.training.network_trial import check_network, warn_of_single_drawings
from quickdraw.training.objective import check_teachers, class_weights, teachers_of
from quickdraw.training.optimizers import code_of_optimizer, log_optimizer, try_optimizer
from quickdraw.training.parts import Parts
from quickdraw.training.settings import Settings
from quickdraw.training.validation_records import Load

if TYPE_CHECKING:
    import keras

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
        shapes: of the network's weights, as it was built once.
        digest: of that network.
    """

    settings: Settings
    run: Run
    augmentation: Augmentation
    devices: Distribution
    train: Drawings
    validation: Drawings | None
    initial: InitialWeights | None
    shapes: list[tuple[int, ...]]
    digest: str


def prepare(settings: Settings, devices: Distribution, load: Load) -> Setup:
    """Look up what the settings name, check it, and read the drawings.

    Raises:
        QuickdrawError: see `fit`.
    """
    # 1. Names and numbers: a typing mistake shows before any record is read.
    found = parts.look_up(settings, devices.replicas)
    log_optimizer(found.settings)
    advise_onednn()
    settings = _with_precision(found.settings, devices)

    # 2. Records: listed and described, each pattern once.
    reader, shards = parts.open_records(found)

    # 3. Training drawings, and what depends on them.
    train = load(reader, shards, "reading training records", settings.cache_megabytes)
    run = _describe(settings, found, shards, train)
    pixels = f", {run.image_size}x{run.image_size} pixels" * ("image" in found.model.inputs)
    log(f"{len(train):,} training drawings of {len(run.labels)} classes{pixels}")
    if len(used := np.unique(train.labels)) == 1 < len(train):
        name = run.labels[used.item()]
        log(f"warning: all are of the class {name!r}: there is nothing to tell apart")
    warn_of_dark_ink(run)
    check_teachers(settings, found.model, run.labels, run.image_size, run.channels)
    class_weights(settings.class_weights, run.labels, train.labels)
    augmentation = found.augmentation.of_classes(run.labels)
    augmentation.warn_of_units(run.image_size)

    # 4. The student's code, tried before there is a run.
    with factory.seeded(run):
        built = factory.build_model(run)
    settings = _with_batch_size(settings, built, train, devices)
    run.settings["batch_size"] = settings.batch_size
    if settings.print_model and devices.is_chief:
        built.summary(line_length=_COLUMNS, expand_nested=True, print_fn=print)
    initial = load_initial_weights(settings, run, built)
    try_optimizer(settings, built)
    check_loss(found.loss, len(run.labels))
    check_network(found.model, built)
    warn_of_single_drawings(built, settings.batch_size // devices.replicas)

    # 5. Validation drawings.
    validation = validation_records.read(settings, run, load, train)
    shapes = [tuple(weight.shape) for weight in built.weights]
    seen = shapes, digest_of(built)
    run.answers = answers_of(built)
    return Setup(settings, run, augmentation, devices, train, validation, initial, *seen)


def _log_devices(settings: Settings, devices: Distribution) -> None:
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
    if begun := _begun(settings):
        chosen = begun.settings.get("precision", "float32")
    else:
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


def _with_batch_size(
    settings: Settings, network: keras.Model, train: Drawings, devices: Distribution
) -> Settings:
    """Choose the batch size, if the settings leave it open; say what it means here."""
    if settings.batch_size == "auto":
        if begun := _begun(settings):
            chosen = begun.settings["batch_size"]
        else:
            chosen = batch_size.suggested(settings, network, train, devices)
        settings = dataclasses.replace(settings, batch_size=chosen)
        parts.check_batch(settings, devices.replicas)
    if settings.batch_size > train.total:
        log(
            f"warning: --batch_size={settings.batch_size} is more than there are drawings: a step "
            "sees some of them more than once"
        )
    _log_devices(settings, devices)
    return settings


def _begun(settings: Settings) -> Run | None:
    """Return the run that train_dir holds, if training goes on with one."""
    folder = settings.train_dir
    if settings.start_new_model or not folder or not record.exists(folder):
        return None
    return record.read(folder)


def _describe(settings: Settings, found: Parts, shards: Shards, train: Drawings) -> Run:
    """Write down what run.json will say."""
    model, loss = found.model, found.loss
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
            "augment": found.augmentation.params(),
            **({"optimizer_code": code} if (code := code_of_optimizer(settings)) else {}),
            **({"teachers": begun} if (begun := teachers_of(settings)) else {}),
        },
        data_fingerprint=train.fingerprint,
        named=bool(shards.info.labels),
        dark_ink=most_are_dark(train.inputs["image"]) if "image" in train.inputs else None,
        code=factory.code_of(type(model), type(loss)),
    )
