"""The drawings that a training is validated on: whether they may be used so, and reading them."""

from __future__ import annotations

from collections.abc import Callable

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records.shards import Shards
from quickdraw.runs import factory
from quickdraw.runs.record import Run
from quickdraw.training.data.cache import Drawings
from quickdraw.training.settings import Settings

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


def read(settings: Settings, run: Run, load: Load, trained_on: Shards) -> Drawings | None:
    """Read the validation drawings, if there are any.

    Args:
        settings: which ones.
        run: whose model takes them.
        load: see `Load`.
        trained_on: the training records; those that are among them are told.

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
    own = settings.use_valid_as_train or shards.part
    both = [] if own else shards.also_in(trained_on)
    if both:
        log(
            f"warning: {len(both)} of {len(shards.files)} files of validation records are also "
            f"trained on, {both[0]} for instance: validation figures will be better than they "
            "should"
        )
    validation = load(reader, shards, "reading validation records", settings.cache_megabytes)
    validation.bad.report()
    log(f"{len(validation):,} validation drawings")
    return validation
