"""`dataset.json`: what lies in a folder of shards, for those who read them."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from quickdraw import storage
from quickdraw.errors import QuickdrawError

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
        skipped: reason → how many drawings of the source were left out.
        unread: what of the source was not read: files, patterns or columns → how many.
        settings: what else the records were made with; another setting makes other records.
    """

    labels: list[str]
    image_size: int = 28
    channels: int = 1
    splits: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    source: str = ""
    fingerprint: str = ""
    skipped: dict[str, int] = dataclasses.field(default_factory=dict)
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
    if info.channels not in (1, 3) or not isinstance(info.image_size, int) or info.image_size < 1:
        raise QuickdrawError(
            f"{path}: image_size must be a positive integer and channels 1 or 3. "
            f"Received: {info.image_size!r} and {info.channels!r}"
        )
    return info


def _has_labels(info: DatasetInfo) -> bool:
    """Return whether there should be labels: not in a data set with only a test split."""
    counts = {split: content["records"] for split, content in info.splits.items()}
    return not counts.pop("test", 0) or any(counts.values())
