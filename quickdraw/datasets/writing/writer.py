"""Files of drawings in, a folder of shuffled PNG TFRecords out.

The files are read twice. The first reading checks every drawing and notes where it is (`scanning`);
the notes, sorted on disk, say which drawing comes into which shard (`index`); the second reading
draws them. So memory does not grow with the data set, and nothing is drawn in vain.
"""

from __future__ import annotations

import collections
import contextlib
import csv
import dataclasses
import hashlib
import itertools
import os
import tempfile
import time
from collections.abc import Iterator, Sequence

import numpy as np

from quickdraw import storage
from quickdraw.console import Progress, log
from quickdraw.datasets import splits
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.sources import Source
from quickdraw.datasets.summary import warnings
from quickdraw.datasets.writing import output, packing, provenance, scanning
from quickdraw.datasets.writing.entries import NO_WORD, OF_ANOTHER_CLASS
from quickdraw.datasets.writing.index import Index
from quickdraw.datasets.writing.workers import Run, workers
from quickdraw.errors import QuickdrawError
from quickdraw.records import labels
from quickdraw.records.dataset_info import DatasetInfo

_FEW_BYTES = 10 << 20
_PIECE = 4 << 20
_NAMED = 8


def write(
    source: Source,
    output_dir: str,
    recipe: Recipe | None = None,
    *,
    description: str,
    processes: int | None = None,
) -> DatasetInfo:
    """Write the shards, `solution.csv` (the labels of the test set) and `dataset.json`.

    The names of the labels, which dataset.json has, stand in `solution.labels.csv` as well: a
    competition keeps the solution elsewhere.

    Of drawings with the same strokes or pixels the first is kept, in label order. A complete folder
    that the same settings made is left as it is; an incomplete one is made anew.

    Args:
        source: the drawings.
        output_dir: folder, local or gs://; made if need be.
        recipe: which drawings are taken, and what is made of them.
        description: where the drawings come from, in words, for `dataset.json`.
        processes: how many work at once; as many as there are cores when not given. The files are
            the same, whatever their number.

    Raises:
        QuickdrawError: the folder cannot be written to, or holds something else; no usable drawing
            in the source.
    """
    recipe = recipe or Recipe()
    if not source.has_strokes and (recipe.channels == 3 or recipe.keep_strokes):
        setting = "keep_strokes" if recipe.keep_strokes else "channels=3"
        raise QuickdrawError(f"{setting} needs strokes. Received: {source.format}")
    info = describe(source, recipe, description)
    if existing := output.finished(output_dir, info, source.inputs):
        log(f"{output_dir}: already complete, nothing to do")
        return existing
    start = time.monotonic()
    size = sum(file.size for file in source.files)
    # A little is written sooner than worker processes start.
    number = processes or (1 if size < _FEW_BYTES else os.cpu_count() or 1)
    with (
        output.whole(output_dir) as folder,
        _scratch(folder) as scratch,
        workers(number, (source.files, recipe)) as run,
    ):
        info.settings["content"] = provenance.content(source.inputs)
        index = Index(scratch, size, lambda file, at: source.files[file].place(at))
        _fill(index, source, recipe, info, run)
        _write_all(index, folder, info, recipe, (source.files, recipe), run)
        provenance.check_unchanged(source.inputs, info.settings["seen"])
        output.save(info, folder)
    seconds = time.monotonic() - start
    total = sum(split["records"] for split in info.splits.values())
    log(f"{total:,} drawings in {seconds:.1f} s ({total / seconds:,.0f} drawings/s)")
    return info


def describe(source: Source, recipe: Recipe, description: str) -> DatasetInfo:
    """Return what `dataset.json` says before anything is read."""
    settings = dataclasses.asdict(recipe) | dict(source.flags) | provenance.describe(source)
    del settings["image_size"], settings["channels"]
    settings = {key: list(v) if isinstance(v, tuple) else v for key, v in settings.items()}
    return DatasetInfo(
        [],
        recipe.image_size,
        recipe.channels,
        source=description,
        unread=source.unread,
        settings=settings,
    )


@contextlib.contextmanager
def _scratch(folder: str) -> Iterator[str]:
    """Yield a local folder for the index, beside the shards where these are local."""
    with tempfile.TemporaryDirectory(dir=None if storage.is_remote(folder) else folder) as scratch:
        yield scratch


def _fill(index: Index, source: Source, recipe: Recipe, info: DatasetInfo, run: Run) -> None:
    """Read all files for the first time; complete the labels and what was skipped."""
    words = scanning.Words()
    skipped, adjusted = collections.Counter[str](), collections.Counter[str]()
    examples: list[tuple[int, int, str]] = []
    pieces = list(scanning.pieces(source.files, recipe, _PIECE))
    total = sum(piece.size for piece in pieces)
    progress = Progress("reading", total >> 20, "MB")
    done = found = 0
    for piece, part in zip(pieces, run(scanning.scan, pieces), strict=True):
        split = source.files[piece.file].split
        entries = words.renumber(part, recipe.per_category, split)
        index.add(entries)
        skipped.update(part.skipped)
        adjusted.update(part.adjusted)
        examples += part.examples[: max(0, 5 - len(examples))]
        done, found = done + part.size, found + len(entries)
        progress.update(done >> 20, f"{found:,} drawings")
    progress.close()
    if examples:
        log("skipped, for instance:\n" + scanning.shown_examples(source.files, examples))
    if not found:
        raise QuickdrawError(f"{info.source}: no usable drawing{_reasons(skipped)}")
    used = [word for word, number in words.numbers.items() if number in index.used_words]
    info.labels = scanning.label_names(words.numbers, used, recipe, source.labels, info.source)
    _warn_of_lost(source, info.labels)
    given = np.array([splits.SPLITS.index(file.split or "train") for file in source.files])
    numbers = {label: number for number, label in enumerate(info.labels)}
    label_of = np.array([numbers.get(word, NO_WORD) for word in words.numbers], "u2")
    skipped.update(index.settle(label_of, given))
    if len(index.disputed):
        log(_disputed(index, source, info.labels, skipped[OF_ANOTHER_CLASS]))
    if index.repeated:
        log(
            f"warning: {index.repeated:,} test records show what another one shows; they stay, as "
            "each is asked for. If a file is there twice, give one of the two"
        )
    skipped["left out for balance"] = index.distribute(
        len(info.labels), recipe.percentages, given, recipe.balance
    )
    info.adjusted = dict(sorted(adjusted.items()))
    info.skipped = {reason: count for reason, count in sorted(skipped.items()) if count}
    if not any(map(index.length, splits.SPLITS)):
        raise QuickdrawError(f"{info.source}: no drawing is left{_reasons(info.skipped)}")


def _warn_of_lost(source: Source, labels: Sequence[str]) -> None:
    """Say which files or folders of a class have no drawing that can be used: it is none then."""
    if lost := sorted({file.category for file in source.files if file.category} - {*labels}):
        more = f" and {len(lost) - _NAMED:,} more" if len(lost) > _NAMED else ""
        log(
            f"warning: no drawing is left of {', '.join(map(repr, lost[:_NAMED]))}{more}, which is "
            "no class then: see what was skipped"
        )


def _disputed(index: Index, source: Source, names: Sequence[str], left_out: int) -> str:
    """Return in words that copies are of different classes, with an example."""
    one, other = (
        f"{source.files[each['file']].place(each['position'].item())} ({names[each['word']]})"
        for each in index.disputed
    )
    return (
        f"warning: the same drawing under two classes, such as {one} and {other}: the first stays, "
        f"or what is in a test set, and {left_out:,} such copies are left out. One label is wrong"
    )


def _reasons(skipped: dict[str, int]) -> str:
    return "".join(f", {count:,} skipped ({reason})" for reason, count in skipped.items())


def _write_all(
    index: Index, folder: str, info: DatasetInfo, recipe: Recipe, shared: packing.Shared, run: Run
) -> None:
    """Write the shards and the solution, and complete `info`."""
    size = packing.mean_record_size(index, shared)
    edges = {}
    for split in splits.SPLITS:
        counts, length = index.counts[split].tolist(), index.length(split)
        shards = packing.shard_count(split, length, size, recipe)
        edges[split] = packing.edges(index, split, shards)
        info.splits[split] = {
            "records": length,
            "per_class": dict(zip(info.labels, counts, strict=True)),
            "shards": packing.shard_names(split, len(edges[split]) - 1, recipe),
        }
    for line in warnings(info):
        log(line)
    progress = Progress("writing", sum(map(index.length, splits.SPLITS)), "drawings")
    fingerprint, done = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        solution, path = None, os.path.join(folder, output.SOLUTION)
        if info.splits["test"]["per_class"] and index.counts["test"].any():
            labels.write(labels.beside(path), info.labels)
            file = stack.enter_context(storage.write_whole(path))
            solution = csv.writer(file, lineterminator="\n")
            solution.writerow(("image_id", "label"))
        parts = run(packing.write_chunk, packing.chunks(index, info, edges))
        for name, group in itertools.groupby(parts, key=lambda part: part.shard):
            digest = hashlib.sha256()
            with storage.write_whole(os.path.join(folder, name), "wb") as shard:
                for part in group:
                    digest.update(part.data)
                    shard.write(part.data)
                    if solution:
                        solution.writerows(part.answers)
                    done += part.count
                    progress.update(done)
            fingerprint.update(digest.hexdigest().encode())
    progress.close()
    info.fingerprint = fingerprint.hexdigest()
