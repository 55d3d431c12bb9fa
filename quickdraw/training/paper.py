"""Ink and paper of the training drawings: whatever predicts takes ink as 255, on 0."""

from __future__ import annotations

from quickdraw.console import log
from quickdraw.drawings.polarity import judge
from quickdraw.training.data.cache import Drawings

_LOOKED_AT = 50


def warn_of_dark_ink(train: Drawings) -> None:
    """Say that most of the images are dark on light, which a picture never is when predicted."""
    images = train.inputs.get("image")
    if images is None or images.shape[-1] != 1:
        return
    seen = images[:: max(len(images) // _LOOKED_AT, 1), :, :, 0]
    dark = sum(verdict.dark and verdict.sure for verdict in map(judge, seen))
    if 2 * dark > len(seen):
        log(
            f"warning: the images are dark on light (seen in {dark} of {len(seen)}), and pictures "
            "that are predicted or served become light on dark: python -m "
            "quickdraw.datasets.prepare turns the records, too"
        )
