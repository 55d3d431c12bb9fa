"""Which way round drawings are: those that a run was trained on, and those that it is to predict.

Pictures that are predicted or served become light on dark, as `prepare` makes records; records are
read as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from quickdraw.components.inputs import Batch
from quickdraw.console import log
from quickdraw.drawings.polarity import judge
from quickdraw.runs.record import Run

_LOOKED_AT = 50
_WAYS = {True: "dark on light", False: "light on dark"}


def most_are_dark(images: np.ndarray) -> bool | None:
    """Return whether the ink of most images is dark; None where most do not tell.

    Args:
        images: uint8 `[n, height, width, channels]`, of which some are looked at.
    """
    if images.shape[-1] != 1:
        return None
    seen = images[:: max(len(images) // _LOOKED_AT, 1), :, :, 0]
    sure = [verdict.dark for verdict in map(judge, seen) if verdict.sure]
    for dark in _WAYS:
        if 2 * sure.count(dark) > len(seen):
            return dark
    return None


def watched(runs: Sequence[Run], patterns: str, batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield batches as a reader does; warn if the first one is not what the runs were trained on.

    Args:
        runs: which predict them.
        patterns: of the records, for the message.
        batches: of (inputs by name, targets).
    """
    is_first = True
    for inputs, targets in batches:
        if is_first and "image" in inputs:
            for run in runs:
                warn_of_other_paper(run, patterns, inputs["image"])
        is_first = False
        yield inputs, targets


def warn_of_other_paper(run: Run, patterns: str, images: np.ndarray) -> None:
    """Warn if images, uint8 `[n, height, width, channels]`, are the other way round."""
    if run.dark_ink is None or (dark := most_are_dark(images)) in (None, run.dark_ink):
        return
    which = "these records" if dark else "the training records, for a model of what it makes"
    log(
        f"warning: the images of {patterns} are {_WAYS[bool(dark)]}, and the model was trained on "
        f"{_WAYS[run.dark_ink]}: its predictions mean little. python -m quickdraw.datasets.prepare "
        f"turns {which}"
    )


def warn_of_dark_ink(run: Run) -> None:
    """Say that a run is trained on images that are dark on light, which pictures never are."""
    if run.dark_ink:
        log(
            "warning: the images are dark on light, and pictures that are predicted or served "
            "become light on dark: python -m quickdraw.datasets.prepare turns the records, too"
        )
