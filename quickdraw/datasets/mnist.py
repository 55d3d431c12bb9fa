"""MNIST, Fashion-MNIST and Kuzushiji-MNIST from their public hosts, checked against their MD5.

The hosts and the checksums are those that the data sets and torchvision publish.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator

from quickdraw import storage
from quickdraw.console import Progress, log
from quickdraw.errors import QuickdrawError, StoppedError

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
HOSTS = {
    "mnist": (
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    "fashion_mnist": ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    "kmnist": ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
}
"""Where the files of a set lie; the next one is asked where one fails."""
MD5 = {
    "mnist": (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion_mnist": (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    "kmnist": (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
}
"""Of the files, in the order of `FILES`."""
_TIMEOUT = 30.0  # seconds to connect, or without a byte
_CHUNK = 1 << 18
_LARGEST = 100 << 20


def download(output_dir: str, name: str) -> list[str]:
    """Fetch the four files of a set; check and leave those that are already there.

    Args:
        output_dir: a local folder; made if need be.
        name: one of `HOSTS`.

    Returns:
        The paths of the files, in the order of `FILES`.

    Raises:
        QuickdrawError: a file of that name with another content, or a wrong one from every host.
        StoppedError: no answer.
    """
    if storage.is_remote(output_dir):
        raise QuickdrawError(f"{output_dir}: a local folder expected")
    storage.make_folders(output_dir)
    paths = [os.path.join(output_dir, file) for file in FILES]
    for path, md5 in zip(paths, MD5[name], strict=True):
        if not _is_there(path, md5):
            _fetch(path, md5, HOSTS[name])
    return paths


def _is_there(path: str, md5: str) -> bool:
    if not os.path.exists(path):
        return False
    with open(path, "rb") as file:
        if hashlib.file_digest(file, _md5).hexdigest() == md5:
            return True
    raise QuickdrawError(
        f"{path} is another file, or damaged (its MD5 is not {md5}): delete it, or choose another "
        "--output_dir"
    )


def _fetch(path: str, md5: str, hosts: tuple[str, ...]) -> None:
    """Fetch a file from the first host that has it."""
    for host in hosts:
        url = host + os.path.basename(path)
        try:
            with storage.write_whole(path, "wb") as file:  # no file, unless the checksum is right
                digest = _md5()
                for data in _received(url):
                    digest.update(data)
                    file.write(data)
                if digest.hexdigest() != md5:
                    raise QuickdrawError(f"{url}: the MD5 is {digest.hexdigest()} instead of {md5}")
            return
        except QuickdrawError as error:
            if host == hosts[-1]:
                raise
            log(f"{error}; trying another host")


def _received(url: str) -> Iterator[bytes]:
    """Yield what a host answers.

    Raises:
        QuickdrawError: it has no such file, or far too much of it.
        StoppedError: no answer, or an end in the middle.
    """
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            size, received = int(answer.headers["Content-Length"] or 0), 0
            progress = Progress(os.path.basename(url), size >> 10 or None, "KB")
            while data := answer.read(_CHUNK):
                received += len(data)
                if received > _LARGEST:
                    raise QuickdrawError(f"{url}: more than {_LARGEST:,} bytes")
                yield data
                progress.update(received >> 10)
            progress.close()
            if received < size:
                raise http.client.IncompleteRead(b"", size - received)
    except urllib.error.HTTPError as error:
        with error:
            failure = StoppedError if error.code >= 500 else QuickdrawError
            raise failure(f"{url}: {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise StoppedError(f"{url}: no answer ({reason}). The same command tries again") from None


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
