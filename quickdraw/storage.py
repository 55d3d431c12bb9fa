"""Paths, local and gs://: open, list, write whole or not at all.

Local paths use the standard library. Any other scheme goes through `tf.io.gfile`, imported only
then.
"""

from __future__ import annotations

import contextlib
import glob as local_glob
import json
import os
import shutil
from collections.abc import Iterator
from typing import IO, Any, BinaryIO

import google_crc32c

from quickdraw.errors import QuickdrawError


def is_remote(path: str) -> bool:
    return "://" in path


def _gfile() -> Any:
    from tensorflow.io import gfile

    return gfile


def open_binary(path: str) -> BinaryIO:
    """Opens a file for reading bytes.

    Raises:
        QuickdrawError: there is no such file, or it is a folder.
    """
    if is_remote(path):
        return _gfile().GFile(path, "rb")
    try:
        return open(path, "rb", buffering=1 << 20)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise QuickdrawError(f"{path}: {error.strerror}") from None


def exists(path: str) -> bool:
    return _gfile().exists(path) if is_remote(path) else os.path.exists(path)


def is_folder(path: str) -> bool:
    return _gfile().isdir(path) if is_remote(path) else os.path.isdir(path)


def listdir(path: str) -> list[str]:
    names = _gfile().listdir(path) if is_remote(path) else os.listdir(path)
    return sorted(name.rstrip("/") for name in names)


def file_size(path: str) -> int:
    return _gfile().stat(path).length if is_remote(path) else os.path.getsize(path)


def checksum(path: str) -> str:
    """Tells whether a file has changed: its size and CRC-32C; its size and time on gs://."""
    if is_remote(path):
        stat = _gfile().stat(path)
        return f"{stat.length} {stat.mtime_nsec}"
    crc, size = 0, 0
    with open_binary(path) as file:
        while chunk := file.read(1 << 23):
            crc, size = google_crc32c.extend(crc, chunk), size + len(chunk)
    return f"{size} {crc:08x}"


def make_folders(path: str) -> None:
    """Makes a folder and those above it.

    Raises:
        QuickdrawError: a file is in the way, or the place may not be written to.
    """
    if is_remote(path):
        _gfile().makedirs(path)
        return
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise QuickdrawError(f"{path}: the folder cannot be made ({error.strerror})") from None


def rename(source: str, target: str) -> None:
    """Renames a file, replacing the target; atomic on local disks, copy and delete on gs://."""
    if is_remote(source):
        _gfile().rename(source, target, overwrite=True)
    else:
        os.replace(source, target)


def delete(path: str) -> None:
    """Deletes a file, or a folder with all that is in it; what is not there is no error."""
    if is_remote(path):
        gfile = _gfile()
        if gfile.isdir(path):
            gfile.rmtree(path)
        elif gfile.exists(path):
            gfile.remove(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def expand(patterns: str) -> list[str]:
    """The files that a comma-separated list of glob patterns names, sorted, each once.

    A folder stands for the `*.tfrecord*` files in it.

    Raises:
        QuickdrawError: a pattern that matches no file, with what there is instead.
    """
    files: dict[str, None] = {}
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        searched = pattern
        if is_folder(pattern):
            searched = os.path.join(local_glob.escape(pattern), "*.tfrecord*")
        elif exists(pattern):
            searched = local_glob.escape(pattern)
        matches = _gfile().glob(searched) if is_remote(searched) else local_glob.glob(searched)
        matches = sorted(path for path in matches if not path.endswith(".tmp"))
        if not matches:
            raise QuickdrawError(f"no file matches {searched!r}{_what_is_there(searched)}")
        files.update(dict.fromkeys(matches))
    if not files:
        raise QuickdrawError(f"no file pattern given. Received: {patterns!r}")
    return list(files)


def _what_is_there(pattern: str) -> str:
    folder = os.path.dirname(pattern) or "."
    if any(character in folder for character in "*?["):
        return ""
    if not is_folder(folder):
        return f": there is no folder {folder}"
    names = listdir(folder)
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f": {folder} holds {shown or 'nothing'}"


@contextlib.contextmanager
def write_whole(path: str, mode: str = "w") -> Iterator[IO[Any]]:
    """Opens `path` for writing such that it appears complete or not at all.

    The content goes to `path`.tmp, which is renamed at the end and deleted after an error. Text is
    UTF-8 with \\n line ends.
    """
    temporary = f"{path}.tmp"
    make_folders(os.path.dirname(path) or ".")
    try:
        if is_remote(path):
            file = _gfile().GFile(temporary, mode)
        elif "b" in mode:
            file = open(temporary, mode)  # noqa: SIM115
        else:
            file = open(temporary, mode, encoding="utf-8", newline="")  # noqa: SIM115
        with file:
            yield file
            if not is_remote(path):
                file.flush()
                os.fsync(file.fileno())
        rename(temporary, path)
    except BaseException:
        with contextlib.suppress(Exception):
            delete(temporary)
        raise


def read_json(path: str) -> Any:
    """Reads a JSON file.

    Raises:
        QuickdrawError: no such file, or not JSON (with line and column).
    """
    with open_binary(path) as file:
        text = file.read()
    try:
        return json.loads(text)
    except ValueError as error:
        raise QuickdrawError(f"{path}: not a JSON file ({error})") from None


def write_json(path: str, value: Any) -> None:
    """Writes a JSON file, whole or not at all."""
    with write_whole(path) as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write("\n")
