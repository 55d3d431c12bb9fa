"""The drawings that a training is validated on: whether they may be used so, and reading them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records.shards import Shards
from quickdraw.runs import factory
from quickdraw.runs.paper import warn_of_other_paper
from quickdraw.runs.record import Run
from quickdraw.training.data.cache import Drawings
from quickdraw.training.settings import Settings

_CHANCE = 0.01
_ROWS = 8192
_FEW_STEPS = 20

Load = Callable[[QuickDrawFeatureReader, Shards, str, float], Drawings]
"""As `cache.load`: reader, shards, title of the progress bar, size of the cache in megabytes."""


def check_use(settings: Settings) -> None:
    """Check that there are validation records for what goes by them, and say if they mean nothing.

    Raises:
        QuickdrawError: there are none, or they are trained on.
    """
    guided = settings.early_stopping or settings.schedule == "plateau"
    if settings.eval_data_pattern and settings.valid_share:
        raise QuickdrawError("either --eval_data_pattern or --valid_share")
    if guided and not settings.is_validated:
        raise QuickdrawError(
            "--early_stopping and --schedule=plateau go by the validation records: "
            "--eval_data_pattern is needed, or --valid_share"
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


def read(settings: Settings, run: Run, load: Load, trained_on: Drawings) -> Drawings | None:
    """Read the validation drawings, if there are any.

    Args:
        settings: which ones.
        run: whose model takes them.
        load: see `Load`.
        trained_on: the training drawings; it is told if they hold the validation drawings too.

    Raises:
        QuickdrawError: see `factory.open_records` and `cache.load`.
    """
    reader = factory.reader_for(run, QuickDrawFeatureReader, settings.on_bad_record)
    shards = factory.open_validation(run, reader)
    if shards is None:
        log(
            "no --eval_data_pattern: nothing is evaluated, and no best model kept "
            "(--valid_share=0.1 holds out a tenth of the training records for that)"
        )
        return None
    validation = load(reader, shards, "reading validation records", settings.cache_megabytes)
    validation.bad.report()
    log(f"{len(validation):,} validation drawings")
    _tell_of_other_unit(settings, trained_on.total)
    if "image" in validation.inputs:
        warn_of_other_paper(run, shards.patterns, validation.inputs["image"])
    # A share that was held out by the drawings' content has none of them.
    if not (settings.use_valid_as_train or settings.valid_share):
        _warn_of_overlap(validation, trained_on)
    return validation


def _tell_of_other_unit(settings: Settings, drawings: int) -> None:
    """Tell where epochs were meant by a number of steps, or steps by one of epochs."""
    every, epoch = settings.eval_every, drawings / settings.batch_size
    if isinstance(every, int) and every < _FEW_STEPS < epoch / every:
        log(
            f"note: --eval_every={every} evaluates every {every} step(s), {epoch / every:,.0f} "
            f"times an epoch. With a decimal point, --eval_every={every}.0, it counts epochs"
        )
    elif isinstance(every, float) and every > settings.num_epochs:
        log(
            f"note: --eval_every={every}, of {settings.num_epochs:g} epochs, evaluates only at "
            "the end. Without a decimal point it counts steps"
        )


def _warn_of_overlap(validation: Drawings, trained_on: Drawings) -> None:
    """Warn where drawings are in both, or twice in one, in whatever files; a few are chance."""
    name = next(iter(validation.inputs))
    known, validated = (np.sort(_hashes(each.inputs[name])) for each in (trained_on, validation))
    for hashes, what in ((known, "training"), (validated, "validation")):
        doubles = int((hashes[1:] == hashes[:-1]).sum())
        if doubles > _CHANCE * len(hashes):
            log(
                f"warning: {doubles:,} of {len(hashes):,} {what} drawings are copies of others "
                "among them (the same files under two names?), which then count more than once"
            )
    nearest = np.searchsorted(known, validated).clip(max=len(known) - 1)
    both = int((known[nearest] == validated).sum())
    if both > _CHANCE * len(validation):
        log(
            f"warning: {both:,} of {len(validation):,} validation drawings are also trained on: "
            "validation figures will be better than they should"
        )


def _hashes(drawings: np.ndarray) -> np.ndarray:
    """Return a number for each drawing, uint64 `[n]`: the sum of its words times random numbers.

    Multilinear hashing; Lemire and Kaser, Strongly universal string hashing is fast, section 2.
    """
    size = drawings[:1].nbytes
    numbers = np.random.default_rng(0).integers(1 << 64, size=-(-size // 8), dtype=np.uint64) | 1
    hashes = []
    for start in range(0, len(drawings), _ROWS):
        rows = np.ascontiguousarray(drawings[start : start + _ROWS])
        octets = rows.reshape(len(rows), -1).view(np.uint8)
        words = np.pad(octets, [(0, 0), (0, -size % 8)]).view(np.uint64)
        # Pixels that differ in their highest bits alone must not cancel out.
        hashes.append(((words ^ (words >> np.uint64(29))) * numbers).sum(axis=1, dtype=np.uint64))
    return np.concatenate(hashes)
