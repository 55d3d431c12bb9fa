"""Opens drawings in any format as a list of files."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.sources import (
    finding,
    labelled_pictures,
    majority,
    names,
    official,
    unread,
)
from quickdraw.datasets.sources.base import Source
from quickdraw.datasets.sources.finding import Found
from quickdraw.datasets.sources.formats import FORMATS
from quickdraw.datasets.sources.official import split_of
from quickdraw.datasets.sources.openers import OPENERS, Wish, unlabelled_pictures
from quickdraw.errors import QuickdrawError
from quickdraw.records.class_names import alike
from quickdraw.records.labels import differ, same_classes

_KEYED = {"label_key": ("tfrecords", "csv", "simplified"), "image_key": ("tfrecords",)}
_HOW_TO_READ = ("format", "polarity", "image_key", "label_key")


def open_source(  # noqa: PLR0913
    path: str,
    scratch: str,
    *,
    format: str | None = None,
    categories: Sequence[str] | None = None,
    polarity: str | None = None,
    image_key: str = "image",
    label_key: str | None = None,
) -> Source:
    """Open drawings in any format.

    Args:
        path: a file, a folder, or a pattern such as `data/*.csv`.
        scratch: folder that lives until the drawings are read: gzipped files are unpacked there.
        format: one of `FORMATS`; None looks at the files.
        categories: leaves out the files that are of none of these.
        polarity: of images, `dark_on_light` or `light_on_dark`; None looks at them.
        image_key: of TFRecords, the feature with the picture.
        label_key: of TFRecords, the feature with the label; None takes `label` or `class_index`.
            Of csv and ndjson files the column or field; None takes `word`. Of pictures the column
            of the csv file beside them.

    Raises:
        QuickdrawError: nothing there, several formats, an unknown category, or files that are not
            what they should be.
    """
    wish = Wish(path, format, categories, polarity, image_key, label_key, scratch)
    found, parts = _look(path)
    rest = Found(
        found.path,
        {each: kind for each, kind in found.kinds.items() if each not in parts},
        [each for each in found.others if each not in parts],
    )
    source = _open_labelled_pictures(wish, found)
    if source is None:
        classes = _classes_below(parts)
        opened = [_open_part(wish, folder, split, classes) for folder, split in parts.items()]
        if rest.kinds or not parts:
            opened.insert(0, _open(wish, rest))
        source = _merged(opened, path)
        if parts and not rest.kinds:
            left = source.unread | unread.counted(sorted({*rest.others} - wish.read), rest.path)
            source = dataclasses.replace(source, unread=left)
    if label_key and not wish.labelled and source.format != FORMATS["pictures"]:
        raise QuickdrawError(f"{path}: no drawing has the --label_key {label_key!r}")
    if polarity and source.has_strokes and source.format != FORMATS["tfrecords"]:
        # TFRecords may hold images, too.
        raise QuickdrawError(f"--polarity is for images. Received: {source.format} in {path}")
    majority.settle(source.files, polarity, either=source.format == FORMATS["pictures"])
    if source.unread:
        log(f"warning: {unread.said(source.unread)}")
    if kept := official.said(source.files):
        log(kept)
    flags = {name: getattr(wish, name) for name in _HOW_TO_READ}
    return dataclasses.replace(source, inputs=sorted(wish.read), flags=flags)


def _look(path: str) -> tuple[Found, dict[str, str]]:
    """Return what lies at a path, and the folders that hold a split each.

    These may lie one floor down, in a folder that is all there is, as archives unpack.
    """
    found = finding.look(path)
    if not found.kinds and len(found.others) == 1 and storage.is_folder(found.others[0]):
        inner = finding.look(found.others[0])
        if parts := _parts(inner):
            return inner, parts
    return found, _parts(found)


def _parts(found: Found) -> dict[str, str]:
    """Return the folders that hold a split each, as `train/CLASS/*.png` does, and which split.

    A folder is none that is itself a class, such as the vehicle `train`: it has pictures, and none
    of its subfolders does. One of a test set may have pictures without a class.
    """
    folders = filter(storage.is_folder, (*found.kinds, *found.others))
    told = {folder: split for folder in folders if (split := split_of(os.path.basename(folder)))}
    nested = {folder for folder in told if finding.look(folder).kinds}
    if not nested:
        return {}
    return {
        folder: split
        for folder, split in told.items()
        if folder in nested or (folder in found.kinds and split == "test")
    }


def _classes_below(parts: Mapping[str, str]) -> set[str]:
    """Return the names of the folders of pictures in those to train on, in a form to compare."""
    return {
        alike(names.of_path(inner, is_folder=True))
        for folder, split in parts.items()
        if split != "test"
        for inner, kind in finding.look(folder).kinds.items()
        if kind == "pictures"
    }


def _open_part(wish: Wish, folder: str, split: str, classes: Collection[str]) -> Source:
    """Open the files of a split.

    The only folder in one of a test set, if it is of no class, is Keras' way to hold its pictures.
    """
    found = finding.look(folder)
    inner = next(iter(found.kinds), "")
    is_alone = split == "test" and [*found.kinds.values()] == ["pictures"] and classes
    if is_alone and alike(names.of_path(inner, is_folder=True)) not in classes:
        log(f"warning: {inner}: no class to train on, so its pictures are a test set without one")
        source = unlabelled_pictures(wish, inner)
    elif found.kinds:
        source = _open(dataclasses.replace(wish, path=folder, split=split), found)
    else:
        source = unlabelled_pictures(wish, folder)
    for file in source.files:
        file.split = split
    name = os.path.basename(folder)
    return dataclasses.replace(
        source, unread={f"{name}/{what}": count for what, count in source.unread.items()}
    )


def _open(wish: Wish, found: Found) -> Source:
    """Open what was found, all of one format."""
    told = "simplified" if wish.format == "raw" else wish.format
    files, kind = finding.of_one_format(found, told)
    if wish.label_key:
        _check_flag("label_key", kind, found.path)
    if wish.image_key != "image":
        _check_flag("image_key", kind, found.path)
    source = OPENERS[kind](wish, files)
    others = {*found.others, *found.kinds} - {*files, *wish.read}
    left = source.unread | unread.counted(sorted(others), found.path)
    return dataclasses.replace(source, unread=left)


def _check_flag(flag: str, kind: str, path: str) -> None:
    """Raise QuickdrawError if a flag is not for files of a format."""
    if kind not in _KEYED[flag]:
        some = " and ".join(FORMATS[each] for each in _KEYED[flag])
        raise QuickdrawError(f"--{flag} is for {some}. Received: {FORMATS[kind]} in {path}")


def _open_labelled_pictures(wish: Wish, found: Found) -> Source | None:
    """Open pictures whose classes stand in csv files; None if there is no such file."""
    if wish.format not in (None, "pictures"):
        return None
    source = labelled_pictures.opened(wish, found)
    if source and wish.image_key != "image":
        _check_flag("image_key", "pictures", found.path)
    return source


def _merged(sources: Sequence[Source], path: str) -> Source:
    """Return the parts of a source as one."""
    first, *others = sources
    for other in others:
        if other.format != first.format:
            raise QuickdrawError(
                f"{path}: one format expected. Received: {first.format} and {other.format}"
            )
        if first.labels and other.labels and not same_classes(first.labels, other.labels):
            raise differ("one part", other.labels, "another", first.labels)
    left: collections.Counter[str] = collections.Counter()
    for source in sources:
        left.update(source.unread)
    return dataclasses.replace(
        first,
        files=[file for source in sources for file in source.files],
        labels=next((source.labels for source in sources if source.labels), first.labels),
        has_strokes=any(source.has_strokes for source in sources),
        unread=dict(left),
    )
