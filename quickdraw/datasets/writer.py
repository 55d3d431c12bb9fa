"""Categories of images in, a folder of shuffled PNG TFRecords out.

An index of 14 bytes a drawing (hash, label, row) is sorted by the hash of the drawing's content:
that shuffles, splits and finds duplicates, and depends neither on the order of the input nor on
the number of processes. The pixels are read again only when their shard is written.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import hashlib
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
from PIL import Image

from quickdraw import png, records, storage
from quickdraw.dataset_info import DatasetInfo
from quickdraw.datasets import output, splits
from quickdraw.datasets.sources import Category, Images
from quickdraw.errors import QuickdrawError
from quickdraw.progress import Progress, log

_SHARD_BYTES = 100e6
_FEW = 20_000  # drawings
_INDEX = np.dtype([("key", "u8"), ("label", "u2"), ("row", "u4")])


@dataclasses.dataclass(frozen=True)
class _Shard:
    name: str
    index: np.ndarray
    is_test: bool


def write(
    categories: Sequence[Category],
    output_dir: str,
    *,
    source: str,
    image_size: int = 28,
    percentages: splits.Percentages = splits.DEFAULT,
    processes: int | None = None,
) -> DatasetInfo:
    """Writes the shards, `solution.csv` (the labels of the test set) and `dataset.json`.

    Of drawings with the very same pixels the first is kept, in label order. A complete folder that
    the same settings made is left as it is; an incomplete one is made anew.

    Args:
        categories: name and images of each class, in label order.
        output_dir: folder, local or gs://; made if need be.
        source: where the drawings come from, in words, for `dataset.json`.
        image_size: height and width of the images written; those of another size are resized.
        percentages: of train, valid and test.
        processes: how many work at once; as many as there are cores when not given. The files are
            the same, whatever their number.

    Raises:
        QuickdrawError: the folder cannot be written to, or holds something else.
    """
    total = sum(len(category.images) for category in categories)
    text = f"{source}; {total:,} drawings split {'/'.join(map(str, percentages))}"
    info = DatasetInfo([category.name for category in categories], image_size, source=text)
    if existing := output.finished(output_dir, info):
        log(f"{output_dir}: already complete, nothing to do")
        return existing
    start = time.monotonic()
    with output.whole(output_dir) as folder:
        # Fewer are written sooner than worker processes start.
        with _workers(processes or (1 if total < _FEW else os.cpu_count() or 1)) as run:
            _write_all(categories, folder, info, percentages, run)
        info.save(folder)
    seconds = time.monotonic() - start
    log(f"{total:,} drawings in {seconds:.1f} s ({total / seconds:,.0f} drawings/s)")
    return info


@contextlib.contextmanager
def _workers(processes: int) -> Iterator[Callable[..., Iterator]]:
    """`map`, in this process or over several."""
    if processes == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(processes, context, initializer=_follow_parent) as pool:
            yield pool.map
    except BrokenProcessPool:
        raise QuickdrawError(
            "a worker process died: killed for want of memory, or started by a script whose own "
            "work is not below `if __name__ == '__main__':`"
        ) from None


def _follow_parent() -> None:
    """Ends this worker quietly with Ctrl-C, and when its parent dies, were it by kill -9."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _write_all(
    categories: Sequence[Category],
    folder: str,
    info: DatasetInfo,
    percentages: splits.Percentages,
    run: Callable[..., Iterator],
) -> None:
    """Writes the shards and the solution, and completes `info`."""
    index, duplicates = _index(categories, run)
    shards = list(_plan(index, percentages, categories, info))
    job = functools.partial(_write_shard, folder, categories, info.image_size)
    progress = Progress("writing", len(index), "drawings")
    fingerprint, done = hashlib.sha256(), 0
    for shard, digest in zip(shards, run(job, shards), strict=True):
        fingerprint.update(digest.encode())
        done += len(shard.index)
        progress.update(done)
    progress.close()
    info.fingerprint = fingerprint.hexdigest()
    info.skipped = {"duplicate": duplicates} if duplicates else {}
    if test := [shard.index for shard in shards if shard.is_test]:
        _write_solution(os.path.join(folder, output.SOLUTION), np.concatenate(test))


def _index(categories: Sequence[Category], run: Callable[..., Iterator]) -> tuple[np.ndarray, int]:
    """Every drawing once, in the order of the keys, and how many duplicates were left out."""
    parts = []
    progress = Progress("reading", len(categories), "categories")
    for label, keys in enumerate(run(_keys, [category.images for category in categories])):
        part = np.empty(len(keys), _INDEX)
        part["key"], part["label"], part["row"] = keys, label, np.arange(len(keys))
        parts.append(part)
        progress.update(len(parts))
    progress.close()
    index = np.concatenate(parts)
    index = index[np.argsort(index["key"], kind="stable")]
    first = np.append(True, index["key"][1:] != index["key"][:-1])
    return index[first], int(len(index) - first.sum())


def _keys(images: Images) -> np.ndarray:
    keys = (splits.key_of(splits.content_of(images[row])) for row in range(len(images)))
    return np.fromiter(keys, np.uint64, len(images))


def _plan(
    index: np.ndarray,
    percentages: splits.Percentages,
    categories: Sequence[Category],
    info: DatasetInfo,
) -> Iterator[_Shard]:
    """Cuts each split into shards of at most about 100 MB, and describes it in `info`."""
    some = [len(_record(categories, info.image_size, entry, False)) for entry in index[:100]]
    which = splits.assign(index["key"], percentages)
    for number, split in enumerate(splits.SPLITS):
        chosen = index[which == number]
        count = math.ceil(len(chosen) * np.mean(some) / _SHARD_BYTES)
        if split == "train" and len(chosen) >= 1000:
            count = max(count, 4)
        names = [f"{split}-{shard:05}-of-{count:05}.tfrecords" for shard in range(count)]
        counts = np.bincount(chosen["label"], minlength=len(info.labels)).tolist()
        info.splits[split] = {
            "records": len(chosen),
            "per_class": dict(zip(info.labels, counts, strict=True)),
            "shards": names,
        }
        for name, part in zip(names, np.array_split(chosen, max(count, 1)), strict=False):
            yield _Shard(name, part, split == "test")


def _write_shard(
    folder: str, categories: Sequence[Category], image_size: int, shard: _Shard
) -> str:
    """Writes one shard; returns what `sha256sum` says of it."""
    digest = hashlib.sha256()
    with storage.write_whole(os.path.join(folder, shard.name), "wb") as file:
        for entry in shard.index:
            data = records.frame(_record(categories, image_size, entry, shard.is_test))
            digest.update(data)
            file.write(data)
    return digest.hexdigest()


def _record(
    categories: Sequence[Category], image_size: int, entry: np.void, is_test: bool
) -> bytes:
    image = _resize(categories[entry["label"]].images[entry["row"]], image_size)
    if is_test:
        return records.serialise(image=png.encode(image), image_id=_id(entry["key"]).encode())
    return records.serialise(image=png.encode(image), label=int(entry["label"]))


def _id(key: int) -> str:
    return f"{key:016x}"


def _resize(image: np.ndarray, size: int) -> np.ndarray:
    if image.shape == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS))


def _write_solution(path: str, index: np.ndarray) -> None:
    with storage.write_whole(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("image_id", "label"))
        rows.writerows((_id(entry["key"]), entry["label"]) for entry in index)
