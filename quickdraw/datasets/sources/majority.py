"""Which way round the images of files are: told, or judged by looking at some of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quickdraw.console import log
from quickdraw.datasets.sources.base import DrawingFile
from quickdraw.drawings.polarity import Polarity, Verdict, judge
from quickdraw.errors import QuickdrawError

POLARITIES = ("dark_on_light", "light_on_dark")
_LOOKED_AT = 100  # of all images
_OF_A_FILE = 5
_NEARLY_BLACK = 32  # of 255


def settle(files: Sequence[DrawingFile], told: str | None, either: bool) -> None:
    """Set the polarity of files: what is told, or what most of their images are; log the latter.

    An image that is clearly the other way round than most of its file is taken as it is; one that
    is not clear, as most are.

    Args:
        files: with images or without.
        told: one of `POLARITIES`, or None.
        either: whether both ways are usual, as in files of pictures; otherwise images are light on
            dark unless some are clearly dark on light, and nothing is said of those that are not.

    Raises:
        QuickdrawError: none of the images that are looked at is lighter than nearly black.
    """
    count = max(_OF_A_FILE, -(-_LOOKED_AT // max(len(files), 1)))
    glimpsed = [list(file.glimpse(count)) for file in files]
    _check_range([image for images in glimpsed for image in images], files)
    if told:
        for file in files:
            file.polarity = Polarity(told == POLARITIES[0], told=True)
        return
    looked = [[judge(image) for image in images] for images in glimpsed]
    everywhere = _is_mostly_dark([each for verdicts in looked for each in verdicts], either)
    for file, verdicts in zip(files, looked, strict=True):
        is_enough = sum(verdict.sure for verdict in verdicts) >= _OF_A_FILE
        dark = _is_mostly_dark(verdicts, either) if is_enough else everywhere
        file.polarity = Polarity(dark, told=False)
    seen = [
        verdict.dark if verdict.sure else bool(file.polarity.dark)
        for file, verdicts in zip(files, looked, strict=True)
        for verdict in verdicts
    ]
    if any(seen) or (seen and either):
        _log(seen)


def _check_range(images: Sequence[np.ndarray], files: Sequence[DrawingFile]) -> None:
    """Raise QuickdrawError for images of 4 or 5 bits, such as 0 to 16: they would be nearly black.

    Those of 0 and 1 are known by themselves.
    """
    lightest = max((int(image.max()) for image in images if image.size), default=0)
    if len(images) >= _OF_A_FILE and 1 < lightest <= _NEARLY_BLACK:
        name = getattr(files[0], "name", files[0].path)  # unpacked ones lie elsewhere
        raise QuickdrawError(
            f"{name}: pixels from 0 to 255 expected. Received: none above {lightest} in "
            f"{len(images)} images; multiply them by 255 / {lightest}"
        )


def _is_mostly_dark(verdicts: Sequence[Verdict], either: bool) -> bool:
    """Return whether most are dark: of those that are sure or, where none is, of all."""
    dark = [each.dark for each in verdicts if each.sure]
    if not dark and either:
        dark = [each.dark for each in verdicts]
    return 2 * sum(dark) > len(dark)


def _log(seen: Sequence[bool]) -> None:
    dark, light = sum(seen), len(seen) - sum(seen)
    if dark and light:
        log(
            f"of {len(seen)} images looked at, {dark} are dark on light and {light} light on dark: "
            "each is taken as it is"
        )
    else:
        way = POLARITIES[not dark].replace("_", " ")
        log(f"the images are {way} (seen in {len(seen)} of them)")
