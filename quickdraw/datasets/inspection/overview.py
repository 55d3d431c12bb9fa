"""What `inspect` found, in numbers and in sentences; the page and the terminal show it."""

from __future__ import annotations

import dataclasses
import os
from typing import Literal

from quickdraw.datasets.inspection.contents import UNLABELLED, Contents
from quickdraw.datasets.inspection.duplicates import Duplicates
from quickdraw.datasets.inspection.stats import ClassStats, Stats
from quickdraw.datasets.inspection.top_k import Thumbnail
from quickdraw.errors import BadRecordError
from quickdraw.records.dataset_info import DatasetInfo

_SHOWN = 36


@dataclasses.dataclass(frozen=True)
class Finding:
    """A sentence about the data; a warning is something to do something about."""

    text: str
    level: Literal["warning", "note", "good"] = "note"


@dataclasses.dataclass(frozen=True)
class Suspicion:
    """A kind of drawing that looks like a mistake.

    Attributes:
        title: its name.
        meaning: what makes a drawing one of them.
        count: how many there are.
        first: the first of them, or the worst.
    """

    title: str
    meaning: str
    count: int
    first: list[Thumbnail]


@dataclasses.dataclass
class Overview:
    """Everything about some shards.

    Attributes:
        pattern: the files that were asked for.
        info: dataset.json, where there is one.
        contents: files, features, image sizes and bad records.
        splits: names of the splits.
        stats: what is known of each class.
        duplicates: the same pixels more than once.
        findings: what somebody should know, warnings first.
    """

    pattern: str
    info: DatasetInfo | None
    contents: Contents
    splits: list[str]
    stats: Stats
    duplicates: Duplicates
    findings: list[Finding] = dataclasses.field(default_factory=list)

    @property
    def title(self) -> str:
        """The name of the folder, or of the folders."""
        folders = (os.path.dirname(path) for path in self.contents.files)
        names = dict.fromkeys(os.path.basename(folder) or "doodles" for folder in folders)
        return ", ".join(names)

    @property
    def source(self) -> str:
        """Where the drawings come from."""
        return self.info.source if self.info else "no dataset.json beside the shards"

    @property
    def total(self) -> int:
        """Usable drawings."""
        return sum(stats.count for stats in self.classes.values())

    @property
    def classes(self) -> dict[int, ClassStats]:
        """Label → what is known of the class, in label order, those without a label at the end."""
        labels = sorted(self.stats.classes, key=lambda label: (label == UNLABELLED, label))
        return {label: self.stats.classes[label] for label in labels}

    def name(self, label: int) -> str:
        """Return the name of a class; its number where nobody named it."""
        if label == UNLABELLED:
            return "(no label)"
        return self.info.labels[label] if self.info else str(label)

    def file(self, index: int) -> str:
        """Return the name of a file, without its folder where all lie in one."""
        return self.short(self.contents.files[index])

    def short(self, path: str) -> str:
        """Return a path without the folder that all files lie in."""
        folders = {os.path.dirname(path) for path in self.contents.files}
        return os.path.basename(path) if len(folders) == 1 else path

    def split_totals(self) -> dict[str, int]:
        """Count the usable drawings of each split."""
        totals = dict.fromkeys(self.splits, 0)
        for (split, _), count in self.stats.counts.items():
            totals[self.splits[split]] += count
        return totals

    def table(self) -> list[tuple[int, list[int]]]:
        """Return (label, its drawings in each split) of each class."""
        return [
            (label, [self.stats.counts.get((split, label), 0) for split in range(len(self.splits))])
            for label in self.classes
        ]

    def suspicious(self) -> list[Suspicion]:
        """Return the kinds of suspicious drawings, those that do not occur too."""
        scribbles = [
            thumbnail
            for stats in self.classes.values()
            for thumbnail in stats.heaviest.ranked()
            if int(thumbnail.rank * 100) >= stats.first_scribble_bin()
        ]
        scribbles.sort(key=lambda thumbnail: -thumbnail.rank)
        count = sum(stats.scribbles() for stats in self.classes.values())
        heavy = "Far more ink than its class: five standard deviations above the mean."
        dots = "No more than a dot: a bounding box of at most 15 % of the paper."
        stats = self.stats
        return [
            Suspicion("Empty", "No stroke at all.", stats.empty, stats.first_empty),
            Suspicion("One dot", dots, stats.dots, stats.first_dots),
            Suspicion("Scribbles", heavy, count, scribbles[:_SHOWN]),
        ]

    def reason(self, error: BadRecordError) -> str:
        """Return what is wrong with a record, without where it is."""
        return str(error).removeprefix(f"{error.path}, record {error.number}: ")
