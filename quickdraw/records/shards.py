"""Files of records: listed and described once, read one after the other."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.records import example, tfrecord
from quickdraw.records.dataset_info import DatasetInfo

OnBadRecord = Literal["error", "skip"]
"""What to do about a record that cannot be used: stop, or count it and go on."""


@dataclasses.dataclass(frozen=True)
class Holdout:
    """Some of the records, chosen by what they show.

    The choice is the same in any order and in any number of files, for a model of images and for
    one of ink; and drawings that are the same are on the same side.

    Attributes:
        share: of the records that are held out, 0 … 1.
        held_out: whether it is these, or the rest.
    """

    share: float
    held_out: bool

    def holds(self, data: bytes) -> bool:
        """Return whether a serialised `tf.train.Example` is in this part."""
        digest = hashlib.blake2b(example.shown(data), digest_size=8).digest()
        return (int.from_bytes(digest) < self.share * 2**64) == self.held_out


@dataclasses.dataclass
class Shards:
    """The files that patterns name, and what is in them.

    Attributes:
        patterns: the comma-separated patterns.
        files: the paths, sorted, each once.
        info: the dataset.json beside the first file, or what its first record shows. Its labels are
            none where nobody names them.
        numbers: by folder, what each label of its records is among `info.labels`; of folders that
            have another list.
        part: which of the records; None for all.
    """

    patterns: str
    files: list[str]
    info: DatasetInfo
    numbers: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    part: Holdout | None = None

    def divided(self, share: float | None, held_out: bool) -> Shards:
        """Return the share of the records that is held out, or the rest; all without a share."""
        return dataclasses.replace(self, part=Holdout(share, held_out)) if share else self

    @functools.cached_property
    def checksums(self) -> list[str]:
        """Size and checksum of each file."""
        return [storage.checksum(path) for path in self.files]

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of the files' names, sizes and checksums; the same for each part of them."""
        digest = hashlib.blake2b(digest_size=16)
        for path, checksum in zip(self.files, self.checksums, strict=True):
            digest.update(f"{os.path.basename(path)} {checksum}\n".encode())
        if self.numbers:  # the same records with labels that mean something else
            digest.update(repr([self.numbers_of(path) for path in self.files]).encode())
        return digest.hexdigest()

    def numbers_of(self, path: str) -> list[int] | None:
        """Return what each label in a file is among `info.labels`; None for what it is there."""
        return self.numbers.get(os.path.dirname(path))

    def renumbered(self, labels: np.ndarray, files: Sequence[int]) -> np.ndarray:
        """Return labels as numbers of `info.labels`.

        Args:
            labels: as they stand in the records, int `[n]`; changed in place.
            files: for each of them the index of its file.
        """
        if self.numbers:
            renumber(labels, files, [self.numbers_of(path) for path in self.files])
        return labels

    def read(self, bad: BadRecords) -> Iterator[tuple[int, str, int, bytes]]:
        """Yield what `read_shards` does, of the records that are meant."""
        for record in read_shards(self.files, bad):
            if self.part is None or self.part.holds(record[3]):
                yield record

    def nothing_usable(self) -> QuickdrawError:
        """Return the error for when none of the records can be used."""
        of = ""
        if self.part:
            does = "holds out" if self.part.held_out else "leaves"
            of = f" of those that --valid_share={self.part.share:g} {does}"
        return QuickdrawError(f"{self.patterns}: no usable record{of} in {len(self.files)} file(s)")


def renumber(labels: np.ndarray, files: Sequence[int], numbers: Sequence[list[int] | None]) -> None:
    """Replace labels by other numbers; those below 0, which stand for none, are left.

    Args:
        labels: int `[n]`, changed in place.
        files: for each of them the index of its file.
        numbers: for each file the number to write for each label; None for the label itself.
    """
    of = np.asarray(files)
    for file in np.unique(of).tolist():
        if (others := numbers[file]) is not None:
            mine = (of == file) & (labels >= 0)
            labels[mine] = np.array(others)[labels[mine]]


class BadRecords:
    """Records that could not be used: raised at once, or counted.

    Args:
        on_bad_record: "error" raises the first one, "skip" counts them all.
        shown: how many of them to keep for a report.

    Attributes:
        count: how many there were.
        first: the first few of them.
        empty: files without a record, unless these are counted as bad ones.
    """

    def __init__(self, on_bad_record: OnBadRecord, shown: int = 5):
        self._raises, self._shown = on_bad_record == "error", shown
        self.count = 0
        self.first: list[QuickdrawError] = []
        self.empty: list[str] = []

    def add(self, error: QuickdrawError) -> None:
        """Count a record.

        Raises:
            QuickdrawError: the error itself, unless bad records are skipped.
        """
        if self._raises:
            raise error
        self.count += 1
        if len(self.first) < self._shown:
            self.first.append(error)

    def add_empty(self, path: str) -> None:
        """Note a file without a record, which is no error: the others may have all there is."""
        if self._raises:
            self.empty.append(path)
        else:
            self.add(BadRecordError(path, 0, "the file is empty"))

    def noted(self) -> dict[str, Any]:
        """Return all that is known, for a JSON file, and for `extend`."""
        first = [str(error) for error in self.first]
        return {"bad_records": self.count, "first_bad_records": first, "empty_files": self.empty}

    def extend(self, noted: Mapping[str, Any]) -> None:
        """Add what was noted elsewhere: in another process, or when a set was cached."""
        self.count += noted["bad_records"]
        first = map(QuickdrawError, noted["first_bad_records"])
        self.first = [*self.first, *first][: self._shown]
        self.empty += noted["empty_files"]

    def report(self) -> None:
        """Log how many records were skipped, and which the first of them were."""
        if self.empty:
            more = f" and {len(self.empty) - 1:,} more" if len(self.empty) > 1 else ""
            log(f"warning: there is no record in {self.empty[0]}{more}")
        if self.count:
            shown = "".join(f"\n  {error}" for error in self.first)
            log(f"warning: {self.count:,} bad records were skipped, the first of them:{shown}")


def read_shards(files: list[str], bad: BadRecords) -> Iterator[tuple[int, str, int, bytes]]:
    """Yield (index of the file, its path, number of the record in it, data) of each record.

    Args:
        files: the paths.
        bad: gets what cannot be read: damaged records, and files without any, as Apache Beam writes
            them for a shard that nothing fell into.
    """
    for index, path in enumerate(files):
        number = -1
        with storage.open_binary(path) as file:
            for number, data in enumerate(tfrecord.read(file, path)):
                if isinstance(data, BadRecordError):
                    bad.add(data)
                else:
                    yield index, path, number, data
        if number < 0:
            bad.add_empty(path)
