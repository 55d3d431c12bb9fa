"""A few validation drawings of each class, for pages."""

from __future__ import annotations

import base64

from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.run_evaluation import open_labelled
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import png
from quickdraw.records.shards import BadRecords
from quickdraw.runs.ensemble import Ensemble

_FEWEST, _MOST, _ALL = 6, 24, 1200  # of a class, and in all, since the page contains them
_RECORDS, _BATCH = 20_000, 500


def gallery(ensemble: Ensemble) -> dict[str, list[str]]:
    """Return, for each label, PNG of a few validation drawings in base64, dark on light.

    None without such records, or if the models take no images.
    """
    found: dict[str, list[str]] = {label: [] for label in ensemble.labels}
    each = max(_FEWEST, min(_MOST, _ALL // len(found)))
    if "image" not in ensemble.inputs:
        return {}
    try:
        reader = ensemble.reader(QuickDrawFeatureReader, "skip")
        shards = open_labelled(ensemble.run, reader, None)
        seen = 0
        for arrays, labels in reader.read(shards, _BATCH, BadRecords("skip")):
            for image, label in zip(arrays["image"], labels, strict=True):
                kept = found[ensemble.run.labels[label]]
                if len(kept) < each:
                    kept.append(base64.b64encode(png.encode(255 - image[:, :, 0])).decode())
            seen += len(labels)
            if seen >= _RECORDS or all(len(kept) >= each for kept in found.values()):
                break
    except QuickdrawError:  # logged when the exports were compared
        return {}
    return {label: kept for label, kept in found.items() if kept}
