"""Paths, local and gs://: open, list, write whole or not at all.

Local paths use the standard library, gs:// ones google-cloud-storage, imported only then.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, cast

from quickdraw.errors import QuickdrawError
from quickdraw.storage import client, foreign, objects
from quickdraw.storage.checksums import crc32c

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")


def is_remote(path: str) -> bool:
    return "://" in path


def open_binary(path: str) -> BinaryIO:
    """Open a file for reading bytes; one on gs:// is fetched first, whole and checked.

    Raises:
        QuickdrawError: there is no such file, it is a folder, or a pipe or a device, which would
            be waited for.
    """
    if is_remote(path):
        file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
        try:
            objects.read(path, file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file
    if not os.path.isfile(path) and not os.path.isdir(path) and os.path.exists(path):
        raise QuickdrawError(f"{path}: a file expected. Received: a pipe, a socket or a device")
    return open_local(path)


def open_local(path: str) -> BinaryIO:
    """Open a local file, or a pipe, for reading; one that is not there is a `QuickdrawError`."""
    try:
        return open(path, "rb", buffering=1 << 20)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise QuickdrawError(f"{path}: {error.strerror}") from None


def exists(path: str) -> bool:
    if is_remote(path):
        return objects.is_object(path) or objects.is_folder(path)
    return os.path.exists(path)


def is_folder(path: str) -> bool:
    return objects.is_folder(path) if is_remote(path) else os.path.isdir(path)


def listdir(path: str) -> list[str]:
    return objects.listdir(path) if is_remote(path) else sorted(os.listdir(path))


def file_size(path: str) -> int:
    return objects.size_and_crc(path)[0] if is_remote(path) else os.path.getsize(path)


def checksum(path: str) -> str:
    """Return size and CRC-32C of a file, the same wherever it lies: they tell if it has changed."""
    if is_remote(path):
        size, crc = objects.size_and_crc(path)
        return f"{size} {crc:08x}"
    with open_binary(path) as file:
        crc = crc32c(file)
        return f"{file.tell()} {crc:08x}"


def make_folders(path: str) -> None:
    """Make a folder and those above it; an object store needs none.

    Raises:
        QuickdrawError: a file is in the way, or the place may not be written to; or the path begins
            with `~`, which flags turn into the home folder and Python does not.
    """
    if is_remote(path):
        client.split(path)
        return
    foreign.check_local(path)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise QuickdrawError(f"{path}: the folder cannot be made ({error.strerror})") from None


def rename(source: str, target: str) -> None:
    """Rename a file, replacing the target; atomic on local disks, copy and delete on gs://."""
    if is_remote(source):
        objects.rename(source, target)
    else:
        os.replace(source, target)


def delete(path: str) -> None:
    """Delete a file, or a folder with all that is in it; what is not there is no error."""
    if is_remote(path):
        objects.delete(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


@contextlib.contextmanager
def write_whole(path: str, mode: str = "w") -> Iterator[IO[Any]]:
    """Open `path` for writing such that it appears complete or not at all.

    On a local disk the content goes to `path`.tmp, which is renamed at the end and deleted after
    an error; for gs:// to a local file, which is uploaded. Where `path` is a link, this is done to
    the file that it leads to. What is no file, such as a pipe or /dev/stdout, is written to as it
    is. Text is UTF-8 with \\n line ends.

    Raises:
        QuickdrawError: a folder is there.
    """
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    if not is_remote(path):
        stream = _stream(path)
        if stream is not None:
            with open(stream, mode, **text) as file:  # type: ignore[call-overload]
                yield file
            return
        path = os.path.realpath(path) if os.path.islink(path) else path
    with staging(os.path.dirname(path) or ".") as folder:
        temporary = os.path.join(folder, f"{os.path.basename(path)}.tmp")
        with writing(path, temporary):
            with open(temporary, mode, **text) as file:  # type: ignore[call-overload]
                yield file
                file.flush()
                os.fsync(file.fileno())
            move(temporary, path)


@contextlib.contextmanager
def writing(path: str, temporary: str | None = None) -> Iterator[None]:
    """Let an error of the disk name what was written, and leave nothing half written behind.

    Args:
        path: the file or folder; a full disk itself does not say which it was.
        temporary: a file that is deleted after any error.
    """
    try:
        yield
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.remove(temporary)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = path
        raise


def _stream(path: str) -> int | str | None:
    """Return what to open where `path` is no file to be replaced; None where it is one."""
    if os.path.isdir(path):
        raise QuickdrawError(f"{path}: a file expected, and a folder is there")
    if path == "-":
        raise QuickdrawError("-: a file expected. Standard output is /dev/stdout, a file - is ./-")
    if match := _DESCRIPTOR.fullmatch(path):
        # Not by its name: that would begin anew a file that the shell has led the stream to.
        sys.stdout.flush()
        return os.dup({"stdout": 1, "stderr": 2}.get(match[1]) or int(match[2]))
    return path if os.path.exists(path) and not os.path.isfile(path) else None


@contextlib.contextmanager
def staging(folder: str) -> Iterator[str]:
    """Yield a local folder for files on their way to `folder`, from where `move` takes them there.

    It is the folder itself where that is local, so that moving is renaming. Folders that are made
    for it go again where an error occurs.
    """
    if is_remote(folder):
        make_folders(folder)
        with tempfile.TemporaryDirectory() as local:
            yield local
        return
    missing = missing_folders(folder)
    make_folders(folder)
    try:
        yield folder
    except BaseException:
        with contextlib.suppress(OSError):  # something else is in them by now
            for each in missing:
                os.rmdir(each)
        raise


def missing_folders(path: str) -> list[str]:
    """Return a folder and those above it that are not there, the innermost first."""
    path, missing = os.path.abspath(path), []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    return missing


def move(local: str, target: str) -> None:
    """Bring a local file to its place, replacing what is there; whole or not at all."""
    if is_remote(target):
        objects.write(target, local)
        os.remove(local)
    else:
        os.replace(local, target)
