"""What `inspect` found, in numbers and in sentences; the page and the terminal show it."""

from __future__ import annotations

import dataclasses
import os

from quickdraw import storage
from quickdraw.datasets.inspection.duplicates import Duplicates, Index
from quickdraw.datasets.inspection.findings import Finding, find
from quickdraw.datasets.inspection.records import UNLABELLED, Records
from quickdraw.datasets.inspection.stats import ClassStats, Drawing, Stats
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.formats import dataset_info
from quickdraw.formats.dataset_info import DatasetInfo
from quickdraw.progress import Progress

_SHOWN = 36


@dataclasses.dataclass
class Report:
    """Everything about some shards.

    Attributes:
        pattern: the files that were asked for.
        info: dataset.json, where there is one.
        records: files, features, image sizes and bad records.
        splits: names of the splits.
        stats: what is known of each class.
        duplicates: the same pixels more than once.
        findings: what somebody should know, warnings first.
    """

    pattern: str
    info: DatasetInfo | None
    records: Records
    splits: list[str]
    stats: Stats
    duplicates: Duplicates
    findings: list[Finding] = dataclasses.field(default_factory=list)

    @property
    def title(self) -> str:
        """The name of the folder, or of the folders."""
        folders = (os.path.dirname(path) for path in self.records.files)
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
        """In label order, those without a label at the end."""
        labels = sorted(self.stats.classes, key=lambda label: (label == UNLABELLED, label))
        return {label: self.stats.classes[label] for label in labels}

    def name(self, label: int) -> str:
        """The name of a class; its number where nobody named it."""
        if label == UNLABELLED:
            return "(no label)"
        return self.info.labels[label] if self.info else str(label)

    def file(self, index: int) -> str:
        """The name of a file, without its folder where all lie in one."""
        return self.short(self.records.files[index])

    def short(self, path: str) -> str:
        """A path without the folder that all files lie in."""
        folders = {os.path.dirname(path) for path in self.records.files}
        return os.path.basename(path) if len(folders) == 1 else path

    def split_totals(self) -> dict[str, int]:
        """Split → usable drawings."""
        totals = dict.fromkeys(self.splits, 0)
        for (split, _), count in self.stats.counts.items():
            totals[self.splits[split]] += count
        return totals

    def table(self) -> list[tuple[int, list[int]]]:
        """(label, its drawings in each split) of each class."""
        return [
            (label, [self.stats.counts.get((split, label), 0) for split in range(len(self.splits))])
            for label in self.classes
        ]

    def suspicious(self) -> list[tuple[str, str, int, list[Drawing]]]:
        """(title, what it means, how many there are, the first or worst of them) of each kind."""
        scribbles = [
            drawing
            for stats in self.classes.values()
            for drawing in stats.heaviest.drawings()
            if int(drawing.rank * 100) >= stats.far_too_much()
        ]
        scribbles.sort(key=lambda drawing: -drawing.rank)
        count = sum(stats.scribbles() for stats in self.classes.values())
        heavy = "Far more ink than its class: five standard deviations above the mean."
        dots = "No more than a dot: a bounding box of at most 15 % of the paper."
        stats = self.stats
        return [
            ("Empty", "No stroke at all.", stats.empty, stats.first_empty),
            ("One dot", dots, stats.dots, stats.first_dots),
            ("Scribbles", heavy, count, scribbles[:_SHOWN]),
        ]

    def reason(self, error: BadRecordError) -> str:
        """What is wrong with a record, without saying where it is."""
        return str(error).removeprefix(f"{error.path}, record {error.number}: ")


def look(patterns: str) -> Report:
    """Reads all records that comma-separated patterns name, once.

    Raises:
        QuickdrawError: no file matches, or not one record can be used.
    """
    files = storage.expand(patterns)
    folders = dict.fromkeys(os.path.dirname(path) for path in files)
    infos = [info for folder in folders if (info := dataset_info.load(folder))]
    records = Records(files, len(infos[0].labels) if infos else None)
    splits = sorted(set(records.splits), key=_split_order)
    stats, index = Stats([splits.index(split) for split in records.splits]), Index()
    progress, done = Progress("reading", None, "drawings"), 0
    for batch in records.batches():
        index.add(batch, stats.add(batch))
        done += len(batch.keys)
        progress.update(done)
    progress.close()
    if not done:
        raise QuickdrawError(
            f"{patterns}: no usable record in {len(files)} file(s). The first: "
            f"{records.first_bad[0]}"
        )
    info = infos[0] if infos else None
    report = Report(patterns, info, records, splits, stats, index.find())
    report.findings = find(report, infos)
    return report


def _split_order(split: str) -> tuple[int, str]:
    usual = ("train", "valid", "test")
    return usual.index(split) if split in usual else len(usual), split
