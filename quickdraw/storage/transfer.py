"""Files on gs:// for those who need local ones: TensorFlow's checkpoints, Keras, event files."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.storage import objects, paths


@contextlib.contextmanager
def fetched(prefix: str) -> Iterator[str]:
    """Fetch the files whose paths begin with `prefix`; yield the prefix of their local copies."""
    if not paths.is_remote(prefix):
        yield prefix
        return
    folder, start = os.path.split(prefix)
    with tempfile.TemporaryDirectory() as local:
        for name in paths.listdir(folder):
            if name.startswith(start):
                with open(os.path.join(local, name), "w+b") as file:
                    objects.read(f"{folder}/{name}", file)
        yield os.path.join(local, start)


@contextlib.contextmanager
def fetched_folder(folder: str) -> Iterator[str]:
    """Fetch a folder with all that is in it; yield its local copy, or itself where it is local."""
    if not paths.is_remote(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory() as local:
        for path in objects.below(folder):
            target = os.path.join(local, os.path.relpath(path, folder))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w+b") as file:
                objects.read(path, file)
        yield local


@contextlib.contextmanager
def mirrored(folder: str, seconds: float = 30.0) -> Iterator[str]:
    """Yield a local folder whose files are written to `folder` too: now and then, and at the end.

    It is the folder itself where that is local.

    Args:
        folder: where the files are to be seen.
        seconds: how often to bring them there.
    """
    if not paths.is_remote(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory() as local:
        done, sizes = threading.Event(), dict[str, int]()

        def follow() -> None:
            while not done.wait(seconds):
                try:
                    _bring(local, folder, sizes)
                except QuickdrawError as error:  # the next time may be better
                    log(f"warning: {error}")

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield local
        finally:
            done.set()
            thread.join()
            _bring(local, folder, sizes)


def _bring(local: str, folder: str, sizes: dict[str, int]) -> None:
    """Write the files that have grown since `sizes` was filled in."""
    for parent, _, names in os.walk(local):
        for name in names:
            path = os.path.join(parent, name)
            if sizes.get(path) != (size := os.path.getsize(path)):
                objects.write(os.path.join(folder, os.path.relpath(path, local)), path)
                sizes[path] = size
