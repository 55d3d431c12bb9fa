"""A dry run: proves a configuration in seconds, before hours are spent on it."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile

from quickdraw import checkpoints, runs, storage
from quickdraw.errors import QuickdrawError
from quickdraw.progress import duration, log
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.settings import Settings
from quickdraw.training import cache
from quickdraw.training.build import Task
from quickdraw.training.cache import Drawings
from quickdraw.training.checks import check
from quickdraw.training.engine import prepare, train
from quickdraw.training.folder import check_writable, holds_run, lock
from quickdraw.training.plan import plan_of

_FIRST, _EVERY = 1000, 100
_STEPS = 30
# Of the time that a drawing takes in training: forward, and not twice that backward.
_COST_OF_EVALUATION = 1 / 3


def dry_run(settings: Settings) -> None:
    """Trains some steps on one percent of the drawings, and says what the training would take.

    Every record's checksum is checked, but only the first 1,000 and every hundredth are decoded.
    All that is written goes to a temporary folder. What only writing to train_dir shows, such as
    a bucket that may only be read, does not show here.

    Raises:
        QuickdrawError: what `quickdraw.training.fit` would raise.
    """
    if not settings.train_dir:
        raise QuickdrawError("train_dir must be given")
    log(f"dry run: the first {_FIRST:,} records and every {_EVERY}th are used, nothing is written")
    job, load = check(settings), _Part()
    going_on = False
    with _lock(settings.train_dir, job.replicas.is_chief):
        task = prepare(job, load)
        if job.replicas.is_chief:
            check_writable(settings.train_dir)
            going_on = holds_run(
                task.run, settings.train_dir, settings.start_new_model, settings.accept_changed_data
            )
    speed = _train_shortly(task, settings)
    job.reader.report_bad_records()
    done = checkpoints.latest(settings.train_dir) if going_on else None
    _report(settings, task, load.records, checkpoints.step_of(done) if done else 0, speed)


class _Part:
    """Loads a part of the drawings, in place of `cache.load`.

    Attributes:
        records: how many there are, for training and for validation.
    """

    def __init__(self) -> None:
        self.records: list[int] = []

    def __call__(
        self, reader: QuickDrawFeatureReader, patterns: str, title: str, cache_megabytes: float
    ) -> Drawings:
        records = 0

        def chosen(number: int) -> bool:
            nonlocal records
            records = number + 1
            return number < _FIRST or number % _EVERY == 0

        reader.chosen = chosen
        fingerprint = cache.fingerprint_of(storage.expand(patterns))
        drawings = cache.in_memory(reader, patterns, fingerprint)
        self.records.append(records)
        return drawings


def _lock(train_dir: str, is_chief: bool) -> contextlib.AbstractContextManager:
    """The lock of a folder that is there; it is not made."""
    there = is_chief and storage.is_folder(train_dir)
    return lock(train_dir) if there else contextlib.nullcontext()


def _train_shortly(task: Task, settings: Settings) -> float:
    """Takes some steps, with an evaluation at the end; returns images a second."""
    with tempfile.TemporaryDirectory() as folder:
        loop = train(
            task,
            dataclasses.replace(
                settings,
                train_dir=folder,
                max_steps=min(_STEPS, settings.max_steps or _STEPS),
                num_epochs=float(_STEPS * settings.batch_size),  # enough, of one drawing too
                eval_every=_STEPS,
            ),
        )
        if task.replicas.is_chief:
            runs.load(folder)
    return loop.images_per_second


def _report(settings: Settings, task: Task, records: list[int], done: int, speed: float) -> None:
    training, validation = (*records, 0)[:2]
    plan = plan_of(settings, training)
    evaluations = round(plan.total / plan.evaluate) if validation else 0
    images = (plan.total - done) * settings.batch_size
    images += round(evaluations * validation * _COST_OF_EVALUATION)
    megabytes = training * task.drawings.nbytes / len(task.drawings) / 1e6
    time = f"about {duration(images / speed)} at {speed:,.0f} images/s" if speed else "unknown"
    log(
        f"dry run: all is well. The training would take\n"
        f"  drawings: {training:,} ({megabytes:,.0f} MB decoded), {validation:,} for validation\n"
        f"  steps: {plan.total:,} of {settings.batch_size} drawings"
        f"{f', from step {done:,} on' if done else ''}; {evaluations:,} evaluations\n"
        f"  time: {time}"
    )
