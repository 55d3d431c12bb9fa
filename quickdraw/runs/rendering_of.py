"""The rendering of drawings for a run."""

from __future__ import annotations

import os

from quickdraw.console import log
from quickdraw.drawings.rendering import Rendering, Style
from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info
from quickdraw.runs.record import Run
from quickdraw.storage import patterns_in

_DIGITS = [str(digit) for digit in range(10)]


def rendering_of(run: Run) -> Rendering:
    """Return the rendering of strokes for a run, from the dataset.json of its training records.

    Without that file, a note is logged and the rendering of Quick, Draw! is returned.
    """
    pattern = patterns_in(run.settings.get("train_data_pattern") or "")
    info, folder = None, os.path.dirname(pattern[0]) if pattern else ""
    try:
        info = dataset_info.load(folder) if folder else None
    except QuickdrawError as error:
        log(f"warning: {error}")
    if info is None and sorted(run.labels) != _DIGITS:
        log(
            f"note: no {dataset_info.FILE_NAME} in {folder or 'the folder of the records'}: "
            "strokes and pictures will be drawn for this model as Quick, Draw! draws"
        )
    source = info.source.lower() if info else ""
    settings = info.settings if info else {}
    if source.startswith("idx") or "mnist" in source or sorted(run.labels) == _DIGITS:
        return Rendering("mnist")
    is_own = source.startswith("pictures") and not settings.get("redraw")
    style: Style = "other" if is_own else "quickdraw"
    pen = {name: float(settings.get(name) or 16.0) for name in ("line_width", "padding")}
    return Rendering(style, **pen)
