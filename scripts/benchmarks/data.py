"""The records that are measured on."""

from __future__ import annotations

import os
import shutil

from benchmarks.contest import Options
from quickdraw import storage
from quickdraw.datasets.sample import make_sample
from quickdraw.records import dataset_info


def prepare(options: Options) -> None:
    """Makes the sample if there are no records, and the large set.

    The large set holds copies of the training and the test shards, as many as it takes to get to
    `options.images` of each; what is measured on it is speed and memory, not learning.
    """
    if dataset_info.load(options.data) is None:
        make_sample(options.data)
    os.makedirs(options.large, exist_ok=True)
    shutil.copy(os.path.join(options.data, dataset_info.FILE_NAME), options.large)
    for split in ("train", "test"):
        for copy in range(max(1, round(options.images / records(options.data, split)))):
            for number, path in enumerate(storage.expand(options.pattern(split))):
                shutil.copy(path, os.path.join(options.large, f"{split}-{copy:03}-{number:03}"))


def records(folder: str, split: str) -> int:
    """How many records a split has, by dataset.json."""
    info = dataset_info.load(folder)
    assert info is not None
    return info.splits[split]["records"]


def classes(folder: str) -> int:
    """How many classes there are, by dataset.json."""
    info = dataset_info.load(folder)
    assert info is not None
    return len(info.labels)
