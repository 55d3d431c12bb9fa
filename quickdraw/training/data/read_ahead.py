"""Decodes small sets of records while TensorFlow is being imported, which leaves a core idle.

A process of its own puts them into the cache. What it cannot decode it leaves to the training,
which tells why.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import dataset_info, labels
from quickdraw.training.data import cache, decode
from quickdraw.training.settings import Settings


@contextlib.contextmanager
def reading_ahead(settings: Settings) -> Iterator[None]:
    """Read what `settings` name while the caller does something else; wait for it at the end."""
    validation = settings.eval_data_pattern or (settings.valid_share and settings.patterns_to_fit)
    sets = ((settings.patterns_to_fit, False), (validation, True))
    job = {
        "sets": [each for each in sets if each[0] and _worth_it(each[0])],
        "valid_share": settings.valid_share,
        "labels": settings.labels,
        "image_size": settings.image_size,
        "on_bad_record": settings.on_bad_record,
        "cache_megabytes": settings.cache_megabytes,
    }
    if not job["sets"] or (os.cpu_count() or 1) < 2:
        yield
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "quickdraw.training.data.read_ahead", json.dumps(job)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=decode.environment(),
    )
    try:
        yield
        process.wait()
    finally:
        process.kill()
        process.wait()


def _worth_it(patterns: str) -> bool:
    """Return whether reading is as quick as the import, and needs no model to know the inputs."""
    if storage.is_remote(patterns):
        return False
    try:
        files = storage.expand(patterns)
        info = dataset_info.load(os.path.dirname(files[0]))
    except QuickdrawError:
        return False
    only_images = info is not None and not info.settings.get("keep_strokes")
    return only_images and decode.is_small(files)


def main(argv: list[str]) -> None:
    """Do the job that the first argument describes."""
    job = json.loads(argv[1])
    names = None
    for patterns, held_out in job["sets"]:
        reader = QuickDrawFeatureReader(job["image_size"], on_bad_record=job["on_bad_record"])
        with contextlib.suppress(QuickdrawError):
            if names is None and job["labels"]:
                names = labels.read(job["labels"])
            shards = reader.open(patterns, names)
            # What the training validates on has the labels of what it trains on.
            names = names or shards.info.labels or None
            shards = shards.divided(job["valid_share"], held_out)
            cache.load(reader, shards, "reading", job["cache_megabytes"])


if __name__ == "__main__":
    main(sys.argv)
