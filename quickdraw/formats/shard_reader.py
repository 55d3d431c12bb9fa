"""Shards, read one after the other; bad records stop that, or are skipped and counted."""

from __future__ import annotations

from collections.abc import Iterator

from quickdraw import storage
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.formats import records
from quickdraw.progress import log
from quickdraw.settings import OnBadRecord


class ShardReader:
    """Reads the records of shards.

    Args:
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.

    Attributes:
        bad_records: how many were skipped so far.
        first_bad_records: the first few of them, for a report.
    """

    def __init__(self, on_bad_record: OnBadRecord):
        self.on_bad_record = on_bad_record
        self.bad_records = 0
        self.first_bad_records: list[QuickdrawError] = []

    def report_bad_records(self) -> None:
        """Says how many records were skipped, and which the first of them were."""
        if self.bad_records:
            shown = "".join(f"\n  {error}" for error in self.first_bad_records)
            log(
                f"warning: {self.bad_records:,} bad records were skipped, the first of them:{shown}"
            )

    def _records(self, files: list[str]) -> Iterator[tuple[str, int, bytes]]:
        """Yields (path, number of the record in it, its data)."""
        for path in files:
            number = -1
            with storage.open_binary(path) as file:
                for number, data in enumerate(records.read(file, path)):
                    if isinstance(data, BadRecordError):
                        self._bad(data)
                    else:
                        yield path, number, data
            if number < 0:
                self._bad(BadRecordError(path, 0, "the file is empty"))

    def _bad(self, error: BadRecordError) -> None:
        if self.on_bad_record == "error":
            raise error
        self.bad_records += 1
        if len(self.first_bad_records) < 5:
            self.first_bad_records.append(error)
