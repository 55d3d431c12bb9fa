"""Opens drawings in any format as a list of files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from quickdraw.console import log
from quickdraw.datasets.sources import finding, majority, unread
from quickdraw.datasets.sources.base import Source
from quickdraw.datasets.sources.finding import FORMATS
from quickdraw.datasets.sources.openers import OPENERS, Wish
from quickdraw.errors import QuickdrawError

_KEYED = {"label_key": ("tfrecords", "csv"), "image_key": ("tfrecords",)}
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
            Of csv files the column; None takes `word`.

    Raises:
        QuickdrawError: nothing there, several formats, an unknown category, or files that are not
            what they should be.
    """
    wish = Wish(path, format, categories, polarity, image_key, label_key, scratch)
    found = finding.look(path)
    files, kind = finding.of_one_format(found, "simplified" if format == "raw" else format)
    for flag, is_told in (("label_key", label_key), ("image_key", image_key != "image")):
        if is_told and kind not in _KEYED[flag]:
            some = " and ".join(FORMATS[each] for each in _KEYED[flag])
            raise QuickdrawError(f"--{flag} is for {some}. Received: {FORMATS[kind]} in {path}")
    source = OPENERS[kind](wish, files)
    if polarity and source.has_strokes and kind != "tfrecords":  # which may hold images, too
        raise QuickdrawError(f"--polarity is for images. Received: {source.format} in {path}")
    majority.settle(source.files, polarity, either=kind == "pictures")
    others = {*found.others, *found.kinds} - {*files, *wish.read}
    left = source.unread | unread.counted(sorted(others), path)
    if left:
        log(f"warning: {unread.said(left)}")
    flags = {name: getattr(wish, name) for name in _HOW_TO_READ}
    return dataclasses.replace(source, unread=left, inputs=sorted(wish.read), flags=flags)
