"""The training drawings in memory, and the order in which the steps see them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator

import numpy as np

from quickdraw.errors import QuickdrawError
from quickdraw.progress import Progress
from quickdraw.readers import BaseReader
from quickdraw.training.evaluation import BATCH

_READ_BATCH = 4096


@dataclasses.dataclass
class Drawings:
    """Decoded records.

    Attributes:
        images: uint8 `[n, size, size, channels]`.
        labels: int32 `[n]`.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields (images, labels), in order, in batches that suit an evaluation."""
        for start in range(0, len(self), BATCH):
            part = slice(start, start + BATCH)
            yield self.images[part], self.labels[part]

    def fingerprint(self) -> str:
        """Hash of the decoded drawings and their labels, in order."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(self.labels.data)
        return digest.hexdigest()


def load(reader: BaseReader, patterns: str, title: str) -> Drawings:
    """Decodes every record that the patterns name.

    Raises:
        QuickdrawError: see `BaseReader.batches`; or more drawings than fit into memory.
    """
    images, labels = [], []
    progress = Progress(title, None, "images")
    done = 0
    try:
        for batch, targets in reader.batches(patterns, _READ_BATCH):
            images.append(batch)
            labels.append(targets.astype(np.int32))
            done += len(targets)
            progress.update(done)
        return Drawings(np.concatenate(images), np.concatenate(labels))
    except MemoryError:
        raise QuickdrawError(
            f"{patterns}: {done:,} drawings and more do not fit into memory"
        ) from None
    finally:
        progress.close()


def rows_of_steps(
    records: int, batch_size: int, seed: int, first_step: int, steps: int
) -> np.ndarray:
    """Which drawings each of some steps sees: a pure function of its arguments.

    Every epoch is a permutation of its own; the steps cut the row of permutations into batches, so
    no drawing is left out and any batch size will do.

    Returns:
        int32 `[steps, batch_size]`.
    """
    first, last = first_step * batch_size, (first_step + steps) * batch_size
    epochs = [
        np.random.Generator(np.random.Philox(key=(seed, epoch))).permutation(records)
        for epoch in range(first // records, (last - 1) // records + 1)
    ]
    offset = first - first // records * records
    rows = np.concatenate(epochs)[offset : offset + last - first]
    return rows.reshape(steps, batch_size).astype(np.int32)
