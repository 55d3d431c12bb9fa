"""`dataset.json`: what lies in a folder of shards, for those who read them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.records import labels

FILE_NAME = "dataset.json"


@dataclasses.dataclass
class DatasetInfo:
    """The content of dataset.json.

    Attributes:
        labels: names of the classes, in label order; none in a test set without labels.
        image_size: height and width of the images, in pixels.
        channels: 1 (greyscale) or 3.
        splits: for each split `{"records": n, "per_class": {name: n}, "shards": [file names]}`.
        source: where the drawings come from, in words.
        fingerprint: hash of the shards' content; equal records have equal fingerprints.
        size: bytes of the shards and of solution.csv together; 0 where it is not known.
        skipped: reason → how many drawings of the source were left out.
        adjusted: what was done to images before they were taken → to how many of the source.
        unread: what of the source was not read: files, patterns or columns → how many.
        settings: what else the records were made with; another setting makes other records.
    """

    labels: list[str]
    image_size: int = 28
    channels: int = 1
    splits: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    source: str = ""
    fingerprint: str = ""
    size: int = 0
    skipped: dict[str, int] = dataclasses.field(default_factory=dict)
    adjusted: dict[str, int] = dataclasses.field(default_factory=dict)
    unread: dict[str, int] = dataclasses.field(default_factory=dict)
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    def save(self, folder: str) -> None:
        """Write `dataset.json` into the folder."""
        storage.write_json(os.path.join(folder, FILE_NAME), dataclasses.asdict(self))


def load(folder: str) -> DatasetInfo | None:
    """Return the description of a folder of shards; None where there is none.

    Raises:
        QuickdrawError: the file is there and is not a description.
    """
    path = os.path.join(folder, FILE_NAME)
    if not storage.exists(path):
        return None
    content = storage.read_json(path)
    known = {field.name for field in dataclasses.fields(DatasetInfo)}
    try:
        info = DatasetInfo(**{key: content[key] for key in content if key in known})
    except (TypeError, KeyError):
        raise QuickdrawError(f"{path}: not a dataset description (no 'labels')") from None
    if (
        not isinstance(info.labels, list)
        or (not info.labels and _has_labels(info))
        or not all(isinstance(label, str) for label in info.labels)
    ):
        raise QuickdrawError(f"{path}: 'labels' must be a list of names. Received: {info.labels!r}")
    if info.labels:
        labels.check(info.labels, path)
    if info.channels not in (1, 3) or not isinstance(info.image_size, int) or info.image_size < 1:
        raise QuickdrawError(
            f"{path}: image_size must be a positive integer and channels 1 or 3. "
            f"Received: {info.image_size!r} and {info.channels!r}"
        )
    return info


def _is_reordered(info: DatasetInfo) -> bool:
    """Return whether the counts, which are written in label order, have the classes in another."""
    counts = [list(content.get("per_class", {})) for content in info.splits.values()]
    return any(set(names) == {*info.labels} and names != info.labels for names in counts)


def _has_labels(info: DatasetInfo) -> bool:
    """Return whether there should be labels: not in a data set with only a test split."""
    counts = {split: content["records"] for split, content in info.splits.items()}
    return not counts.pop("test", 0) or any(counts.values())


def beside(files: Iterable[str]) -> dict[str, DatasetInfo | None]:
    """Return the description in each folder that one of the files lies in; None where is none."""
    return {folder: load(folder) for folder in dict.fromkeys(map(os.path.dirname, files))}


def in_one_order(
    infos: Mapping[str, DatasetInfo | None], wanted: Sequence[str] | None = None, whose: str = ""
) -> tuple[list[str], dict[str, list[int]]]:
    """Compare the labels of folders by name.

    Args:
        infos: what describes each folder, see `beside`.
        wanted: names of which each folder's must be some; all must have the same names where None.
        whose: whose names are wanted, in words.

    Returns:
        The names of the classes, in label order, none if nobody names them; and by folder what each
        of its labels is among them, of folders with another list.

    Raises:
        QuickdrawError: a folder has other names.
    """
    for folder in (each for each, info in infos.items() if info and _is_reordered(info)):
        log(
            f"warning: {os.path.join(folder, FILE_NAME)}: 'labels' are in another order than the "
            "counts of 'splits': if somebody has sorted them, their numbers mean other classes now"
        )
    named = {folder: info.labels for folder, info in infos.items() if info and info.labels}
    complete = wanted is None
    if wanted is None:
        if not named:
            return [], {}
        first = next(iter(named))
        wanted, whose = named[first], os.path.join(first, FILE_NAME)
    numbers = {}
    for folder, own in named.items():
        if labels.same(own, wanted):
            continue
        there = labels.numbers_in(own, wanted)
        if there is None or (complete and len(own) < len(wanted)):
            raise labels.differ(os.path.join(folder, FILE_NAME), own, whose, wanted)
        numbers[folder] = there
    if numbers:
        log(
            f"warning: the labels of {_some(numbers)} are another list than those of {whose}: they "
            "are taken by the names of the classes"
        )
    if unnamed := infos.keys() - named.keys():
        log(
            f"warning: no names of classes beside {_some(unnamed)}: labels are taken by number, as "
            f"those of {whose}"
        )
    return list(wanted), numbers


def one_list(infos: Mapping[str, DatasetInfo | None]) -> list[str]:
    """Return the names of the classes of folders that have the same list, none without any.

    Raises:
        QuickdrawError: two lists.
    """
    named = {folder: info.labels for folder, info in infos.items() if info and info.labels}
    for folder, own in named.items():
        first, wanted = next(iter(named.items()))
        if not labels.same(own, wanted):
            where, whose = (os.path.join(each, FILE_NAME) for each in (folder, first))
            raise QuickdrawError(
                f"{where} numbers the classes as {whose} does not, so a label would mean two "
                f"things: one at a time. {labels.listed(wanted)} and {labels.listed(own)}"
            )
    return next(iter(named.values()), [])


def _some(folders: Iterable[str]) -> str:
    first, *others = sorted(folders)
    return (first or ".") + f" and {len(others)} other folders" * bool(others)
