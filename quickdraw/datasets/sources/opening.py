"""Opens drawings in any format as a list of files; what a format is called on the command line."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Sequence

from quickdraw import storage
from quickdraw.datasets.sources import finding, names
from quickdraw.datasets.sources.base import DrawingFile, Source, category_of
from quickdraw.datasets.sources.binary import Binary
from quickdraw.datasets.sources.bitmaps import Bitmaps
from quickdraw.datasets.sources.idx import Idx, labels_of
from quickdraw.datasets.sources.lines import Lines
from quickdraw.datasets.sources.pictures import Pictures, find_polarity
from quickdraw.datasets.sources.tables import Table
from quickdraw.datasets.sources.tfrecords import Records, labels_beside
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info

FORMATS = {
    "bitmaps": "numpy bitmaps",
    "simplified": "ndjson strokes",
    "raw": "raw ndjson strokes",
    "binary": "binary strokes",
    "csv": "csv strokes",
    "idx": "IDX images",
    "pictures": "pictures",
    "tfrecords": "TFRecords",
}


@dataclasses.dataclass(frozen=True)
class _Wish:
    """What the flags say about a source."""

    path: str
    format: str | None
    categories: Sequence[str] | None
    polarity: str | None
    image_key: str
    label_key: str | None
    scratch: str


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
        polarity: of pictures, `dark_on_light` or `light_on_dark`; None looks at them.
        image_key: of TFRecords, the feature with the picture.
        label_key: of TFRecords, the feature with the label; None takes `label` or `class_index`.

    Raises:
        QuickdrawError: nothing there, several formats, an unknown category, or files that are not
            what they should be.
    """
    wish = _Wish(path, format, categories, polarity, image_key, label_key, scratch)
    if format == "pictures" or (format is None and finding.folders_of_pictures(path)):
        return _open_pictures(wish)
    files, kind = _alike(path, "simplified" if format == "raw" else format)
    return _OPENERS[kind](wish, files)


def _alike(path: str, told: str | None) -> tuple[list[str], str]:
    """Return the files and their common format."""
    found = finding.files_of(path)
    if told and not storage.is_folder(path):
        return found, told
    kinds = {name: finding.kind_of(name) for name in found}
    known = {kind for kind in kinds.values() if kind and kind == (told or kind)}
    if len(known) != 1:
        what = f"files of {FORMATS[told]}" if told else f"one of {', '.join(FORMATS)}"
        holds = ", ".join(sorted(FORMATS[kind] for kind in known)) or "none of them"
        raise QuickdrawError(f"{path}: {what} expected. Received: {holds}")
    (kind,) = known
    return [name for name in found if kinds[name] == kind], kind


def _open_named(
    wish: _Wish, paths: list[str], make: Callable[[str, str], DrawingFile]
) -> list[DrawingFile]:
    """Open files of formats that are named after their category."""
    by_name = {category_of(path): path for path in paths}
    names.check([category_of(path) for path in paths], wish.path)
    if wish.categories is None:
        chosen = list(by_name)
    else:
        chosen = [names.choose(name, by_name, wish.path) for name in wish.categories]
        names.check(chosen, wish.path)
    return [make(finding.unpacked(by_name[name], wish.scratch), name) for name in chosen]


def _open_bitmaps(wish: _Wish, paths: list[str]) -> Source:
    return Source(FORMATS["bitmaps"], _open_named(wish, paths, Bitmaps))


def _open_binary(wish: _Wish, paths: list[str]) -> Source:
    return Source(FORMATS["binary"], _open_named(wish, paths, Binary), has_strokes=True)


def _open_lines(wish: _Wish, paths: list[str]) -> Source:
    raw = {"raw": True, "simplified": False}.get(wish.format or "")
    return Source(
        FORMATS["raw" if raw else "simplified"],
        _open_words(wish, paths, lambda path, name: Lines(path, name, raw)),
        has_strokes=True,
    )


def _open_tables(wish: _Wish, paths: list[str]) -> Source:
    return Source(FORMATS["csv"], _open_words(wish, paths, Table), has_strokes=True)


def _open_words(
    wish: _Wish, paths: list[str], make: Callable[[str, str | None], DrawingFile]
) -> list[DrawingFile]:
    """Open files whose drawings carry their word.

    One named after the word of its first drawing is taken to hold that category alone, so that it
    need not be read where the category is not asked for.
    """
    wanted = None if wish.categories is None else set(map(names.alike, wish.categories))
    files = []
    known: set[str] = set()
    mixed = False
    for path in paths:
        name = category_of(path.removesuffix(".gz"))
        unpacked = finding.unpacked(path, wish.scratch)
        file = make(unpacked, name)
        is_named = _first_word(file) == name
        known.add(name)
        if not is_named:
            file, mixed = make(unpacked, None), True
        elif wanted is not None and names.alike(name) not in wanted:
            continue
        files.append(file)
    if not mixed:
        for name in wish.categories or ():
            names.choose(name, known, wish.path)
    return files


def _first_word(file: DrawingFile) -> str | None:
    for position, data in file.scan(0, file.size):
        if isinstance(data, bytes):
            with contextlib.suppress(SkippedDrawing):
                return file.parse(position, data).word
    return None


def _open_idx(wish: _Wish, paths: list[str]) -> Source:
    files: list[DrawingFile] = []
    for path in paths:
        labels = labels_of(path)
        if labels == path or not storage.exists(labels):
            raise QuickdrawError(
                f"{path}: the file of its labels is missing beside it: "
                f"{os.path.basename(labels)} expected"
            )
        unpacked, labels = (finding.unpacked(each, wish.scratch) for each in (path, labels))
        files.append(Idx(unpacked, labels, path))
    return Source(FORMATS["idx"], files)


def _open_records(wish: _Wish, paths: list[str]) -> Source:
    info = dataset_info.load(os.path.dirname(paths[0]))
    labels = info.labels if info else labels_beside(paths[0])
    dark = wish.polarity == "dark_on_light"
    files: list[DrawingFile] = [
        Records(
            finding.unpacked(path, wish.scratch), path, labels, wish.image_key, wish.label_key, dark
        )
        for path in paths
    ]
    return Source(FORMATS["tfrecords"], files, labels or None, has_strokes=True)


def _open_pictures(wish: _Wish) -> Source:
    found = finding.folders_of_pictures(wish.path)
    if not found:
        raise QuickdrawError(f"{wish.path}: folders <category>/ of .png or .jpg pictures expected")
    chosen = found
    if wish.categories is not None:
        chosen = [names.choose(name, found, wish.path) for name in wish.categories]
    names.check(chosen, wish.path)
    folders = [Pictures(os.path.join(wish.path, name), name) for name in chosen]
    inverted = find_polarity(folders) if wish.polarity is None else wish.polarity == "dark_on_light"
    for folder in folders:
        folder.inverted = inverted
    return Source(FORMATS["pictures"], list(folders))


_OPENERS: dict[str, Callable[[_Wish, list[str]], Source]] = {
    "bitmaps": _open_bitmaps,
    "simplified": _open_lines,
    "binary": _open_binary,
    "csv": _open_tables,
    "idx": _open_idx,
    "tfrecords": _open_records,
}
