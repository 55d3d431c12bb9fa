"""`fit`: from records to a run."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable

import tensorflow as tf

from quickdraw import losses, runs
from quickdraw.components import explained
from quickdraw.errors import QuickdrawError
from quickdraw.progress import log
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.settings import Settings
from quickdraw.training import cache
from quickdraw.training.build import Task
from quickdraw.training.cache import Drawings
from quickdraw.training.checks import Job, check
from quickdraw.training.distribution import Distribution
from quickdraw.training.folder import lock, nothing_to_check, open_folder
from quickdraw.training.loop import Loop
from quickdraw.training.objective import check_teachers, class_weights

Load = Callable[[QuickDrawFeatureReader, str, str, float], Drawings]
"""As `cache.load`: reader, patterns, title and how large the cache may become."""


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


def prepare(job: Job, load: Load) -> Task:
    """Reads the drawings and checks what depends on them.

    Raises:
        QuickdrawError: see `fit`.
    """
    settings = job.settings
    patterns, title = settings.patterns_to_fit, "reading training records"
    drawings = load(job.reader, patterns, title, settings.cache_megabytes)
    run = _describe(job, drawings)
    pixels = f", {run.image_size}x{run.image_size} pixels" * ("image" in job.model.inputs)
    log(f"{len(drawings):,} training drawings of {len(run.labels)} classes{pixels}")
    check_teachers(settings, job.loss, job.model, run.labels, run.image_size, run.channels)
    class_weights(settings.class_weights, run.labels, drawings.labels)
    run.build_model()  # a mistake shows before there is a run
    _check_loss(job.loss, run)
    augmentation = job.augmentation.of_classes(run.labels)
    validation = _validation(settings, run, load)
    return Task(run, augmentation, job.replicas, drawings, validation)


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


def _check_loss(loss: losses.BaseLoss, run: runs.Run) -> None:
    """Asks the loss for two examples' values: a mistake shows here, not in a compiled step."""
    asked = ["features"] * loss.needs_features + ["teacher_logits"] * loss.needs_teacher
    try:
        for keywords in ([], asked):
            inspect.signature(loss.calculate_loss).bind(0, 0, **dict.fromkeys(keywords))
    except TypeError as error:
        expected = ", ".join(["logits", "labels", *(f"{name}=None" for name in asked)])
        raise QuickdrawError(
            f"{type(loss).__name__}: calculate_loss(self, {expected}) expected: {error}"
        ) from None
    with explained(type(loss).calculate_loss):
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


def _describe(job: Job, drawings: Drawings) -> runs.Run:
    settings, labels = job.settings, job.info.labels
    if not labels:
        labels = [str(label) for label in range(int(drawings.labels.max()) + 1)]
        log(f"no dataset.json beside the records: assuming the labels 0…{len(labels) - 1}")
    return runs.Run(
        model=job.model.name(),
        model_params=job.model.params(),
        label_loss=job.loss.name(),
        loss_params=job.loss.params(),
        labels=labels,
        image_size=settings.image_size or job.info.image_size,
        resized=settings.image_size is not None,
        channels=job.info.channels,
        settings={
            "train_data_pattern": settings.train_data_pattern,
            **settings.that_matter(),
            "augment": job.augmentation.params(),
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
