"""`fit`: from records to a run."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

from quickdraw import losses, models, runs
from quickdraw.components import Component, create, find, parse_params
from quickdraw.dataset_info import DatasetInfo
from quickdraw.errors import QuickdrawError
from quickdraw.progress import log
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.settings import Settings
from quickdraw.training import cache, distribution
from quickdraw.training.augmentation import Augmentation
from quickdraw.training.build import Task
from quickdraw.training.cache import Drawings
from quickdraw.training.distribution import Distribution
from quickdraw.training.folder import lock, nothing_to_check, open_folder
from quickdraw.training.loop import Loop
from quickdraw.training.objective import check_teachers, class_weights

C = TypeVar("C", bound=Component)
Load = Callable[[QuickDrawFeatureReader, str, str, float], Drawings]
"""As `cache.load`: reader, patterns, title and how large the cache may become."""


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
    if not settings.train_dir:
        raise QuickdrawError("train_dir must be given")
    job = check(settings)
    unlocked = contextlib.nullcontext(nothing_to_check)
    with lock(settings.train_dir) if job.replicas.is_chief else unlocked as may_write:
        train(prepare(job, cache.load), settings, may_write)
    job.reader.report_bad_records()
    return runs.load(settings.train_dir)


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


def prepare(job: Job, load: Load) -> Task:
    """Reads the drawings and checks what depends on them.

    Raises:
        QuickdrawError: see `fit`.
    """
    settings = job.settings
    assert settings.train_data_pattern
    patterns, title = settings.train_data_pattern, "reading training records"
    if settings.use_valid_as_train:
        patterns = f"{patterns},{settings.eval_data_pattern}"
    drawings = load(job.reader, patterns, title, settings.cache_megabytes)
    run = _describe(settings, job.model, job.loss, job.augmentation, job.info, drawings)
    log(
        f"{len(drawings):,} training drawings of {len(run.labels)} classes, "
        f"{run.image_size}x{run.image_size} pixels"
    )
    check_teachers(settings, job.loss, job.model, run.labels, run.image_size, run.channels)
    class_weights(settings.class_weights, run.labels, drawings.labels)
    _check_loss(job.loss, run)
    validation = _validation(settings, run, load)
    return Task(run, job.augmentation, job.replicas, drawings, validation)


def train(task: Task, settings: Settings, may_write: Callable[[], None] = nothing_to_check) -> Loop:
    """Trains in `settings.train_dir`, to the end; see `Loop.run`."""
    assert settings.train_dir
    run, replicas = task.run, task.replicas
    make_deterministic(settings)
    _claim(run, settings, replicas)
    loop = Loop(task, settings, settings.train_dir)
    loop.run(may_write)
    if replicas.is_chief:
        run.finished_step = loop.step
        run.save(settings.train_dir)
    replicas.barrier()
    return loop


def make_deterministic(settings: Settings) -> None:
    """Lets the same run give the same bits each time, as `--deterministic` says."""
    on_cpu = not tf.config.list_logical_devices("GPU")
    if settings.deterministic or (settings.deterministic is None and on_cpu):
        tf.config.experimental.enable_op_determinism()


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


def _check_loss(loss: losses.BaseLoss, run: runs.Run) -> None:
    """Asks the loss for two examples' values: a mistake shows here, not in a compiled step."""
    if loss.needs_dense:
        run.build_model()
    asked = ["features"] * loss.needs_features + ["teacher_logits"] * loss.needs_teacher
    try:
        for keywords in ([], asked):
            inspect.signature(loss.calculate_loss).bind(0, 0, **dict.fromkeys(keywords))
    except TypeError as error:
        expected = ", ".join(["logits", "labels", *(f"{name}=None" for name in asked)])
        raise QuickdrawError(
            f"{type(loss).__name__}: calculate_loss(self, {expected}) expected: {error}"
        ) from None
    values = loss.calculate_loss(tf.zeros((2, len(run.labels))), tf.zeros((2,), tf.int32))
    if getattr(values, "shape", None) != (2,):
        raise QuickdrawError(
            f"{type(loss).__name__}.calculate_loss must return one value an example, of shape "
            f"(batch,). Received for a batch of 2: {getattr(values, 'shape', values)}"
        )


def _claim(run: runs.Run, settings: Settings, replicas: Distribution) -> None:
    """The chief makes train_dir the run's; the others wait for that."""
    assert settings.train_dir
    if replicas.is_chief and open_folder(
        run, settings.train_dir, settings.start_new_model, settings.accept_changed_data
    ):
        log(f"{settings.train_dir} holds this run already: going on with it")
    replicas.barrier()


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
    augmentation: Augmentation,
    info: DatasetInfo,
    drawings: Drawings,
) -> runs.Run:
    labels = info.labels
    if not labels:
        labels = [str(label) for label in range(int(drawings.labels.max()) + 1)]
        log(f"no dataset.json beside the records: assuming the labels 0…{len(labels) - 1}")
    return runs.Run(
        model=model.name(),
        model_params=model.params(),
        label_loss=loss.name(),
        loss_params=loss.params(),
        labels=labels,
        image_size=settings.image_size or info.image_size,
        resized=settings.image_size is not None,
        channels=info.channels,
        settings={
            "train_data_pattern": settings.train_data_pattern,
            **settings.that_matter(),
            "augment": augmentation.params(),
        },
        data_fingerprint=drawings.fingerprint,
    )


def _validation(settings: Settings, run: runs.Run, load: Load) -> Drawings | None:
    if not settings.eval_data_pattern:
        log("no --eval_data_pattern: nothing is evaluated, and no best model kept")
        return None
    reader = run.reader(QuickDrawFeatureReader, settings.eval_data_pattern, settings.on_bad_record)
    validation = load(
        reader, settings.eval_data_pattern, "reading validation records", settings.cache_megabytes
    )
    reader.report_bad_records()
    log(f"{len(validation):,} validation drawings")
    return validation
