"""A folder of shards that is whole or not there: everything appears at its end, or nothing does.

Files are written to a folder inside the output and moved out when all of them are there,
`dataset.json` last. A folder with it is complete. One with the inner folder is what an interrupted
run left, and is removed. Shards with neither belong to somebody else, and are never touched.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.writing import provenance
from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info
from quickdraw.records.dataset_info import DatasetInfo
from quickdraw.storage.lock import lock

SOLUTION = "solution.csv"
_INNER = ".quickdraw-incomplete"
_OWN = re.compile(
    r"(train|valid|test)-\d{5}-of-\d{5}\.tfrecords(\.gz)?|solution(\.labels)?\.csv|dataset\.json"
)
_WAY_OUT = "Delete the folder, or choose another --output_dir"


def finished(
    output_dir: str, wanted: DatasetInfo, inputs: Sequence[str] = ()
) -> DatasetInfo | None:
    """Return the description of a complete output of the same drawings and settings, if any.

    Args:
        output_dir: the folder, which need not exist.
        wanted: the source, image size and settings that are about to be written.
        inputs: paths of the files that it is to be made of.

    Raises:
        QuickdrawError: the folder holds a data set of other files or settings, or one of which a
            file is missing, or cut off.
    """
    found = dataset_info.load(output_dir)
    if found is None:
        return None
    was, will = _settings(found), _settings(wanted)
    for field, new in will.items():
        # A switch that an earlier version did not have was off.
        old = was.get(field, False if isinstance(new, bool) else None)
        if old != new and field not in provenance.HASHES:
            raise QuickdrawError(
                f"{output_dir} holds another data set: its {field} is {old!r} instead of {new!r}. "
                f"{_WAY_OUT}"
            )
    if not provenance.is_same(was, will, inputs):
        raise QuickdrawError(
            f"{output_dir} holds another data set: what it was made of ({found.source}) has "
            f"changed since, or an earlier version of this package made it. {_WAY_OUT}"
        )
    for name in _names(found):
        if not storage.exists(os.path.join(output_dir, name)):
            raise QuickdrawError(f"{output_dir}: {name} is missing. {_WAY_OUT}")
    if (size := _size(found, output_dir)) != found.size:
        raise QuickdrawError(
            f"{output_dir}: {found.size:,} bytes of records expected. Received: {size:,}. "
            f"{_WAY_OUT}"
        )
    return found


def save(info: DatasetInfo, folder: str) -> None:
    """Write `dataset.json` beside the files that it describes, with their size."""
    info.size = _size(info, folder)
    info.save(folder)


def _names(info: DatasetInfo) -> list[str]:
    names = [name for split in info.splits.values() for name in split["shards"]]
    has_answers = any(info.splits["test"]["per_class"].values())
    return [*names, SOLUTION] if has_answers else names


def _size(info: DatasetInfo, folder: str) -> int:
    return sum(storage.file_size(os.path.join(folder, name)) for name in _names(info))


def _settings(info: DatasetInfo) -> dict[str, object]:
    named = {name: getattr(info, name) for name in ("source", "image_size", "channels")}
    return named | info.settings


@contextlib.contextmanager
def whole(output_dir: str) -> Iterator[str]:
    """Yield a folder to write to; move its files to `output_dir` unless an error occurs.

    Raises:
        QuickdrawError: `output_dir` cannot be written to, or holds shards of unknown origin, or
            another process is writing there.
    """
    inner = os.path.join(output_dir, _INNER)
    with lock(output_dir, "writing a data set") as check_lock:
        if storage.exists(inner):
            log(f"{output_dir}: removing what an interrupted run left")
            _clean(output_dir)
        _refuse_foreign(output_dir)
        storage.make_folders(inner)
        try:
            with storage.writing(output_dir):
                yield inner
            check_lock()
            _move_out(inner, output_dir)
        except BaseException:
            _clean(output_dir)
            raise
        storage.delete(inner)


def _move_out(inner: str, output_dir: str) -> None:
    for name in sorted(storage.listdir(inner), key=lambda name: name == dataset_info.FILE_NAME):
        storage.rename(os.path.join(inner, name), os.path.join(output_dir, name))


def _clean(output_dir: str) -> None:
    """Delete an incomplete output; the inner folder last, since it shows whose the rest is."""
    for name in filter(_OWN.fullmatch, storage.listdir(output_dir)):
        storage.delete(os.path.join(output_dir, name))
    storage.delete(os.path.join(output_dir, _INNER))


def _refuse_foreign(output_dir: str) -> None:
    for name in storage.listdir(output_dir) if storage.is_folder(output_dir) else ():
        if name == dataset_info.FILE_NAME:  # it was not there when `finished` looked
            raise QuickdrawError(f"another process has just written a data set in {output_dir}")
        if name == SOLUTION or name.startswith(("train-", "valid-", "test-")):
            raise QuickdrawError(
                f"{output_dir} holds {name} without a dataset.json: it would be mixed up with the "
                f"new shards. Move it away, or choose another --output_dir"
            )
