"""Pictures whose lines are hard to see when they are made small."""

from __future__ import annotations

from collections.abc import Sequence

from quickdraw.console import log
from quickdraw.datasets.sources.base import DrawingFile
from quickdraw.drawings.redraw import is_unclear

_LOOKED_AT = 50  # of all pictures


def warn_of_unclear_pictures(files: Sequence[DrawingFile], image_size: int) -> None:
    """Warn where most pictures have lines too thin, too pale, or on grey paper.

    Args:
        files: with pictures or without.
        image_size: side of the records' images, in pixels.
    """
    count = -(-_LOOKED_AT // max(len(files), 1))
    unclear = [
        is_unclear(255 - image if file.polarity.is_dark(image) else image, image_size)
        for file in files
        for image in file.glimpse(count)
    ]
    if 2 * sum(unclear) > len(unclear):
        log(
            f"warning: the lines of most of these pictures are thin or pale at --image_size="
            f"{image_size}, or their paper is grey. With --redraw they are drawn as Quick, Draw! "
            "draws, and a model trained on its drawings knows them"
        )
