"""The one pass over the records that `inspect` makes."""

from __future__ import annotations

from collections.abc import Mapping

from quickdraw.console import Progress, log
from quickdraw.datasets.inspection.contents import Contents
from quickdraw.datasets.inspection.duplicates import PixelIndex
from quickdraw.datasets.inspection.findings import find
from quickdraw.datasets.inspection.overview import Overview
from quickdraw.datasets.inspection.stats import Stats
from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info, listing
from quickdraw.records.dataset_info import DatasetInfo

_USUAL_SPLITS = ("train", "valid", "test")


def look(patterns: str) -> Overview:
    """Read all records that comma-separated patterns name, once; return what is in them.

    Raises:
        QuickdrawError: no file matches, or not one record can be used.
    """
    files, passed_over = listing.find(patterns, "")
    if passed_over:
        log(passed_over)
    described = dataset_info.beside(files)
    infos = [info for info in described.values() if info]
    infos.sort(key=lambda info: not info.labels)  # those of test sets may name no classes
    classes = len(infos[0].labels) if infos else 0
    contents = Contents(files, classes or None, _numbers(described))
    splits = sorted(set(contents.splits), key=_split_order)
    stats = Stats([splits.index(split) for split in contents.splits])
    index = PixelIndex()
    progress, done = Progress("reading", None, "drawings"), 0
    for batch in contents.batches():
        index.add(batch, stats.add(batch))
        done += len(batch.keys)
        progress.update(done)
    progress.close()
    if not done:
        raise QuickdrawError(
            f"{patterns}: no usable record in {len(files)} file(s). The first: "
            f"{contents.first_bad[0]}"
        )
    info = infos[0] if infos else None
    overview = Overview(patterns, info, contents, splits, stats, index.find())
    overview.findings = find(overview, infos)
    return overview


def _numbers(described: Mapping[str, DatasetInfo | None]) -> dict[str, list[int]]:
    """Return the numbers of folders in another order; none where they have other classes."""
    try:
        return dataset_info.in_one_order(described)[1]
    except QuickdrawError:  # a finding
        return {}


def _split_order(split: str) -> tuple[int, str]:
    """Return a sort key: train, valid, test, then the others by name."""
    known = split in _USUAL_SPLITS
    return _USUAL_SPLITS.index(split) if known else len(_USUAL_SPLITS), split
