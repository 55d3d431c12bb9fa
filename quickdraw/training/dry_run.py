"""A dry run: proves a configuration in seconds, before hours are spent on it."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile

from quickdraw import devices, runs, storage
from quickdraw.console import duration, log
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records.shards import Shards
from quickdraw.runs import checkpoints
from quickdraw.runs.folder import check_writable, holds_run
from quickdraw.storage.lock import lock
from quickdraw.training.data import cache
from quickdraw.training.data.cache import Drawings
from quickdraw.training.engine import train
from quickdraw.training.plan import plan_of
from quickdraw.training.settings import Settings
from quickdraw.training.setup import Setup, prepare

_FIRST, _EVERY = 1000, 100
_STEPS = 30
# Of the time that a drawing takes in training: forward, and not twice that backward.
_COST_OF_EVALUATION = 1 / 3


def dry_run(settings: Settings) -> None:
    """Train some steps on one percent of the drawings, and say what the training would take.

    Every record's checksum is checked, but only the first 1,000 and every hundredth are decoded.
    All that is written goes to a temporary folder. What only writing to train_dir shows, such as
    a bucket that may only be read, does not show here.

    Raises:
        QuickdrawError: what `quickdraw.training.fit` would raise.
    """
    if not settings.train_dir:
        raise QuickdrawError("train_dir must be given")
    log(f"dry run: the first {_FIRST:,} records and every {_EVERY}th are used, nothing is written")
    here = devices.create(settings.distribute)
    goes_on = False
    with _lock(settings.train_dir, here.is_chief):
        setup = prepare(settings, here, _load_some)
        if here.is_chief:
            check_writable(settings.train_dir)
            goes_on = holds_run(
                setup.run,
                settings.train_dir,
                settings.start_new_model,
                settings.accept_changed_data,
            )
    speed = _train_shortly(setup)
    setup.train.bad.report()
    done = checkpoints.latest(settings.train_dir) if goes_on else None
    _report(setup, checkpoints.step_of(done) if done else 0, speed)


def _load_some(
    reader: QuickDrawFeatureReader, shards: Shards, title: str, cache_megabytes: float
) -> Drawings:
    """Stand in for `cache.load`: decode a part of the drawings, and count them all."""
    records = 0

    def chosen(number: int) -> bool:
        nonlocal records
        records = number + 1
        return number < _FIRST or number % _EVERY == 0

    drawings = cache.in_memory(reader, shards, chosen)
    return dataclasses.replace(drawings, sampled_from=records)


def _lock(train_dir: str, is_chief: bool) -> contextlib.AbstractContextManager[object]:
    """Hold the lock of a folder if it is there; do not make it."""
    there = is_chief and storage.is_folder(train_dir)
    return lock(train_dir) if there else contextlib.nullcontext()


def _train_shortly(setup: Setup) -> float:
    """Take some steps, with an evaluation at the end; return images a second."""
    settings = setup.settings
    with tempfile.TemporaryDirectory() as folder:
        short = dataclasses.replace(
            settings,
            train_dir=folder,
            max_steps=min(_STEPS, settings.max_steps or _STEPS),
            num_epochs=float(_STEPS * settings.batch_size),  # enough, of one drawing too
            eval_every=_STEPS,
        )
        loop = train(dataclasses.replace(setup, settings=short))
        if setup.devices.is_chief:
            runs.load(folder)
    return loop.images_per_second


def _report(setup: Setup, done: int, speed: float) -> None:
    settings = setup.settings
    training, validation = setup.train.total, setup.validation.total if setup.validation else 0
    plan = plan_of(settings, training)
    evaluations = round(plan.total / plan.evaluate) if validation else 0
    images = (plan.total - done) * settings.batch_size
    images += round(evaluations * validation * _COST_OF_EVALUATION)
    megabytes = training * setup.train.nbytes / len(setup.train) / 1e6
    time = f"about {duration(images / speed)} at {speed:,.0f} images/s" if speed else "unknown"
    log(
        f"dry run: all is well. The training would take\n"
        f"  drawings: {training:,} ({megabytes:,.0f} MB decoded), {validation:,} for validation\n"
        f"  steps: {plan.total:,} of {settings.batch_size} drawings"
        f"{f', from step {done:,} on' if done else ''}; {evaluations:,} evaluations\n"
        f"  time: {time}"
    )
