"""How the files of each format are opened, once it is known which they are."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence

from quickdraw import storage
from quickdraw.datasets.sources import (
    finding,
    formats,
    labelled_bitmaps,
    labelling,
    names,
    npz,
    unread,
)
from quickdraw.datasets.sources.base import DrawingFile, Source
from quickdraw.datasets.sources.binary import Binary
from quickdraw.datasets.sources.bitmaps import Bitmaps
from quickdraw.datasets.sources.formats import FORMATS
from quickdraw.datasets.sources.idx import Idx, labels_of
from quickdraw.datasets.sources.lines import Lines
from quickdraw.datasets.sources.official import split_of_path
from quickdraw.datasets.sources.other_numbers import as_bytes
from quickdraw.datasets.sources.pictures import Pictures
from quickdraw.datasets.sources.pixel_tables import images_of
from quickdraw.datasets.sources.sketchrnn import holds_strokes, sketches
from quickdraw.datasets.sources.tables import Table
from quickdraw.datasets.sources.tfrecords import (
    Records,
    classes_of_all,
    set_of_shard,
    warn_of_missing_shards,
)
from quickdraw.datasets.sources.worded import first_drawing, open_words
from quickdraw.errors import QuickdrawError
from quickdraw.records.labels import listed


@dataclasses.dataclass(frozen=True)
class Wish:
    """What the flags say about a source."""

    path: str
    format: str | None
    categories: Sequence[str] | None
    polarity: str | None
    image_key: str
    label_key: str | None
    scratch: str
    read: set[str] = dataclasses.field(default_factory=set)
    """Paths of all that is read: files of drawings that are chosen, and such as their labels."""
    split: str | None = None
    """The split of the folder, where that is one of several."""
    labelled: set[str] = dataclasses.field(default_factory=set)
    """Paths of the files in which `label_key` was found; test sets may lack it."""

    def unpacked(self, path: str) -> str:
        """Return where a file that is read lies unpacked."""
        self.read.add(path)
        return formats.unpacked(path, self.scratch)


def _chosen(wish: Wish, paths: list[str], is_folder: bool = False) -> list[tuple[str, str]]:
    """Return (category, path) of what is asked for, of formats that are named after it."""
    by_name = names.grouped(paths, is_folder)
    names.check(list(by_name), wish.path)
    if wish.categories is None:
        chosen = list(by_name)
        names.check_folders(by_name, wish.path)
        if not is_folder:
            names.check_parts(chosen, wish.path)
    else:
        by_name = names.joined(by_name, wish.categories)
        chosen = [names.choose(name, by_name, wish.path) for name in wish.categories]
        names.check(chosen, wish.path)
    return [(name, path) for name in chosen for path in by_name[name]]


def _open_bitmaps(wish: Wish, paths: list[str]) -> Source:
    labels = labelled_bitmaps.labels_beside(paths)
    if labels or labelled_bitmaps.without_labels(paths, labels):
        return _open_labelled_bitmaps(wish, paths, labels)
    files = [
        Bitmaps(as_bytes(wish.unpacked(path), path, wish.scratch), name)
        for name, path in _chosen(wish, paths)
    ]
    return Source(FORMATS["bitmaps"], list(files))


def _open_labelled_bitmaps(wish: Wish, paths: list[str], labels: dict[str, str]) -> Source:
    files: list[DrawingFile] = []
    tests = labelled_bitmaps.without_labels(paths, labels)
    for path in (each for each in paths if each in {*labels, *tests}):
        unpacked = as_bytes(wish.unpacked(path), path, wish.scratch)
        split = labelled_bitmaps.split_of(path, wish.path) or wish.split or "train"
        if answers := labels.get(path):
            own = labelled_bitmaps.opened(unpacked, wish.unpacked(answers), path, answers, split)
            files.append(own)
        else:
            files.append(labelled_bitmaps.unlabelled(unpacked, path, split))
    rest = {*paths} - {*labels, *labels.values(), *tests}
    return Source(FORMATS["bitmaps"], files, unread=unread.counted(sorted(rest), wish.path))


def _open_binary(wish: Wish, paths: list[str]) -> Source:
    files = [Binary(wish.unpacked(path), name) for name, path in _chosen(wish, paths)]
    return Source(FORMATS["binary"], list(files), has_strokes=True)


def _open_lines(wish: Wish, paths: list[str]) -> Source:
    raw = {"raw": True, "simplified": False}.get(wish.format or "")
    name = FORMATS["raw" if raw else "simplified"]
    key = wish.label_key or "word"
    return open_words(wish, paths, name, lambda path, name: Lines(path, name, raw, key))


def _open_tables(wish: Wish, paths: list[str]) -> Source:
    def table(path: str, name: str | None) -> Table:
        return Table(path, name, label_key=wish.label_key)

    return open_words(wish, paths, FORMATS["csv"], table)


def _open_pixels(wish: Wish, paths: list[str]) -> Source:
    finding.of_one_set(wish.path, paths, finding.set_of_images)
    files: list[DrawingFile] = []
    for path in paths:
        split = split_of_path(path, wish.path) or wish.split
        files.append(images_of(wish.unpacked(path), path, split or "train", wish.scratch))
        if files[-1].split != split and split in ("train", "valid"):
            raise QuickdrawError(
                f"{path}: images without labels to train on: a column 'label' beside the pixels "
                "expected"
            )
    return Source(FORMATS["pixels"], files)


def _open_idx(wish: Wish, paths: list[str]) -> Source:
    finding.of_one_set(wish.path, paths, finding.set_of_images)
    files: list[DrawingFile] = []
    for path in paths:
        expected = labels_of(path)
        stem = expected.removesuffix(".gz")
        labels = next(filter(storage.exists, (expected, stem, f"{stem}.gz")), path)
        if labels == path:
            raise QuickdrawError(
                f"{path}: the file of its labels is missing beside it: "
                f"{os.path.basename(expected)} expected"
            )
        files.append(Idx(wish.unpacked(path), wish.unpacked(labels), path))
    return Source(FORMATS["idx"], files)


def _open_npz(wish: Wish, paths: list[str]) -> Source:
    are_sketches = [holds_strokes(path) for path in paths]
    if all(are_sketches):
        chosen = _chosen(wish, paths)
        wish.read.update(path for _, path in chosen)
        drawn = [each for name, path in chosen for each in sketches(path, name, wish.scratch)]
        return Source(FORMATS["npz"], list(drawn), has_strokes=True)
    if any(are_sketches):
        one, other = paths[are_sketches.index(True)], paths[are_sketches.index(False)]
        raise QuickdrawError(f"{one} holds strokes and {other} does not: give one of them")
    beside = {path: npz.labels_of(path) for path in paths if npz.labels_of(path) != path}
    images = [path for path in paths if path not in beside.values()]
    finding.of_one_set(wish.path, images, finding.set_of_images)
    wish.read.update(images)
    files: list[DrawingFile] = []
    left: dict[str, int] = {}
    for path in images:
        labels = beside.get(path, "")
        wish.read.update((path, labels) if storage.exists(labels) else (path,))
        answers = labels if labels in wish.read else None
        files += npz.labelled_images(path, answers, wish.scratch)
        rest = npz.unpaired(path, answers)
        left |= {f"array {array!r} in {os.path.basename(path)}": 1 for array in rest}
    return Source(FORMATS["npz"], files, unread=left)


def _open_records(wish: Wish, paths: list[str]) -> Source:
    finding.of_one_set(wish.path, paths, set_of_shard)
    warn_of_missing_shards(paths)
    by_folder: dict[str, list[str]] = {}
    for path in paths:
        by_folder.setdefault(os.path.dirname(path), []).append(path)
    classes, labels, listings = classes_of_all(by_folder, wish.label_key)
    wish.read.update(listings)
    shards = [(wish.unpacked(path), path) for path in paths]
    splits = [split_of_path(path, wish.path) or wish.split for path in paths]
    labellings = labelling.look(shards, wish.image_key, wish.label_key, labels or (), splits)
    wish.labelled.update(
        path for path, each in zip(paths, labellings, strict=True) if not each.is_unlabelled
    )
    files = []
    for (shard, path), each in zip(shards, labellings, strict=True):
        own = dataclasses.replace(each, classes=classes[os.path.dirname(path)])
        files.append(Records(shard, path, own, wish.image_key))
        files[-1].split = split_of_path(path, wish.path)
        if not own.classes and any(classes.values()):
            _check_word(files[-1], max(classes.values(), key=len))
    return Source(FORMATS["tfrecords"], list(files), labels, has_strokes=True)


def _check_word(file: Records, others: list[str]) -> None:
    """Raise QuickdrawError for labels that are numbers which nobody names, beside names."""
    first = first_drawing(file)
    word = first.word if first else None
    if word is not None and word.isdecimal():
        raise QuickdrawError(
            f"{file.name}: labels are numbers, and no dataset.json beside it names them. Other "
            f"folders have {listed(others)}: prepare one at a time"
        )


def _open_pictures(wish: Wish, paths: list[str]) -> Source:
    folders = [Pictures(path, name) for name, path in _chosen(wish, paths, is_folder=True)]
    for folder in folders:
        folder.split = split_of_path(os.path.join(folder.path, ""), wish.path)
        wish.read.update(os.path.join(folder.path, name) for name in folder.names)
    rest = [
        os.path.join(folder.path, name)
        for folder in folders
        for name in set(storage.listdir(folder.path)) - set(folder.names)
    ]
    return Source(FORMATS["pictures"], list(folders), unread=unread.counted(rest, wish.path))


def unlabelled_pictures(wish: Wish, folder: str) -> Source:
    """Open the pictures in a folder as test records, whose ids are the files' names."""
    pictures = Pictures(folder, None)
    wish.read.update(os.path.join(folder, name) for name in pictures.names)
    return Source(FORMATS["pictures"], [pictures])


OPENERS: dict[str, Callable[[Wish, list[str]], Source]] = {
    "bitmaps": _open_bitmaps,
    "simplified": _open_lines,
    "binary": _open_binary,
    "csv": _open_tables,
    "pixels": _open_pixels,
    "idx": _open_idx,
    "npz": _open_npz,
    "pictures": _open_pictures,
    "tfrecords": _open_records,
}
