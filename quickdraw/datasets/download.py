"""Fetches categories of the Quick, Draw! Dataset from Google's public bucket, or MNIST and its kin.

    python -m quickdraw.datasets.download --categories=cat,traffic_light --kind=numpy_bitmap \
        --output_dir=data/numpy_bitmap

No account is needed. What there is of each category, in gs://quickdraw_dataset (Google, CC BY 4.0):

    numpy_bitmap  <category>.npy     28 x 28 images, uint8 [n, 784]; what `prepare` reads
    simplified    <category>.ndjson  strokes in 256 x 256, one drawing a line
    raw           <category>.ndjson  strokes as they were drawn, with times
    binary        <category>.bin     the simplified strokes, packed
    sketchrnn     <category>.npz     75,000 drawings as stroke-3, for Sketch-RNN, in splits

and, whole and without --categories, each with its own test set (`prepare` reads them as they are):

    mnist         handwritten digits        fashion_mnist  pieces of clothing (MIT)
    kmnist        cursive Japanese (CC BY-SA 4.0)

Without --categories it says how many there are and how big; --categories=all fetches every one.
A table of the sizes comes first, and the disk must have room for them.

A file gets its name when all of it is there and its checksum (CRC-32C) is the bucket's. Until then
it is a `.part` file: after an interruption the same command goes on where it stopped, checks what
is there already, and leaves that as it is. MNIST and its kin are checked against their MD5.

Time: what the line allows; numpy bitmaps are some 100 MB a category, 39 GB for all 345.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from multiprocessing import TimeoutError as NotYet
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING

from quickdraw import cli, storage
from quickdraw.console import Progress, log
from quickdraw.datasets import bucket, mnist
from quickdraw.errors import QuickdrawError, UsageError, did_you_mean
from quickdraw.fields import field

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Client

BUCKET = "quickdraw_dataset"
KINDS = {
    "numpy_bitmap": ("full/numpy_bitmap/", ".npy"),
    "simplified": ("full/simplified/", ".ndjson"),
    "raw": ("full/raw/", ".ndjson"),
    "binary": ("full/binary/", ".bin"),
    "sketchrnn": ("sketchrnn/", ".npz"),
}
"""Kind → (folder in the bucket, how its files' names end)."""
_THREADS = 8
_FEW = 20


def download(output_dir: str, categories: Sequence[str], kind: str = "numpy_bitmap") -> list[str]:
    """Fetch one file a category; check and leave those that are already there.

    Args:
        output_dir: a local folder; made if need be.
        categories: their names, an underscore may stand for a space; `["all"]` means every one.
        kind: one of `KINDS`.

    Returns:
        The paths of the files, in the order of the categories.

    Raises:
        QuickdrawError: no or an unknown category, not enough room on the disk, a file of that name
            with another content, no network, or an answer that is not the bucket's.
    """
    if storage.is_remote(output_dir):
        raise QuickdrawError(f"{output_dir}: a local folder expected")
    with _bucket() as client:
        blobs = _list(client, kind)
        chosen = _choose(categories, blobs, kind)
        storage.make_folders(output_dir)
        downloads = {
            name: bucket.Download(blobs[name], os.path.join(output_dir, name + KINDS[kind][1]))
            for name in chosen
        }
        missing = _missing(downloads)
        log(_table(downloads, missing))
        _check_room(output_dir, missing)
        _run(missing)
    return [download.path for download in downloads.values()]


@contextlib.contextmanager
def _bucket() -> Iterator[Client]:
    """Yield a client without credentials."""
    from google.cloud.storage import Client

    with contextlib.closing(Client.create_anonymous_client()) as client:
        yield client


def _list(client: Client, kind: str) -> dict[str, Blob]:
    """List what the bucket has of a kind: category → blob."""
    folder, ending = KINDS[kind]
    with bucket.explained(client, f"gs://{BUCKET}"):
        blobs = client.list_blobs(
            BUCKET,
            prefix=folder,
            delimiter="/",
            fields="items(name,bucket,size,crc32c,generation),nextPageToken",
            retry=bucket.retries(),
        )
        names = {blob.name.removeprefix(folder): blob for blob in blobs}
    # Sketch-RNN's <category>.full.npz hold more drawings than its paper's sets.
    return {
        name.removesuffix(ending): blob
        for name, blob in names.items()
        if name.endswith(ending) and not name.endswith(".full" + ending)
    }


def _choose(categories: Sequence[str], blobs: dict[str, Blob], kind: str) -> list[str]:
    if not categories:
        total = sum(blob.size for blob in blobs.values())
        some = ",".join(list(blobs)[:2]).replace(" ", "_")
        raise UsageError(
            f"--categories is needed: there are {len(blobs)}, {_bytes(total)} as {kind}. Name "
            f"some, such as --categories={some}, or take all of them with --categories=all"
        )
    if list(categories) == ["all"]:
        return list(blobs)
    chosen = []
    for wanted in categories:
        name = next((n for n in (wanted, wanted.replace("_", " ")) if n in blobs), None)
        if name is None:
            hint = did_you_mean(wanted, blobs)
            raise QuickdrawError(f"gs://{BUCKET} has no category {wanted!r} as {kind}{hint}")
        chosen.append(name)
    return list(dict.fromkeys(chosen))


def _missing(downloads: dict[str, bucket.Download]) -> list[bucket.Download]:
    progress = Progress("checking", len(downloads), "files")
    missing = []
    for done, download in enumerate(downloads.values()):
        progress.update(done)
        if not download.is_there():
            missing.append(download)
    progress.close()
    return missing


def _table(downloads: dict[str, bucket.Download], missing: list[bucket.Download]) -> str:
    """Return a table of the file sizes, the largest of many, and of what is already there."""
    largest = sorted(downloads, key=lambda name: -downloads[name].size)
    shown = list(downloads) if len(downloads) <= _FEW else largest[:_FEW]
    width = max(map(len, [*shown, "all together"]))
    lines = []
    for name in shown:
        item = downloads[name]
        state = f"{item.received / max(item.size, 1):.0%} is here" if item.received else ""
        state = state if item in missing else "already here"
        lines.append(f"{name:{width}}  {_bytes(item.size):>9}  {state}".rstrip())
    if len(downloads) > _FEW:
        lines.append(f"… and {len(downloads) - _FEW} smaller ones")
    total, rest = (sum(item.size for item in items) for items in (downloads.values(), missing))
    rest -= sum(item.received for item in missing)
    lines.append(f"{'all together':{width}}  {_bytes(total):>9}  {_bytes(rest)} to fetch")
    return "\n".join(lines)


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _check_room(output_dir: str, missing: list[bucket.Download]) -> None:
    needed = sum(item.size - item.received for item in missing)
    free = shutil.disk_usage(output_dir).free
    if needed > free:
        raise QuickdrawError(
            f"{output_dir}: {_bytes(needed)} of free space needed. Received: {_bytes(free)}"
        )


def _run(missing: list[bucket.Download]) -> None:
    """Download in parallel; the first error, or Ctrl-C, stops all downloads."""
    progress = Progress("downloading", sum(item.size for item in missing) // 10**6, "MB")
    progress.resume_at(sum(item.received for item in missing) // 10**6)
    # Its threads are daemons: one that waits for a silent server does not hold up Ctrl-C.
    with ThreadPool(_THREADS) as pool:
        results = pool.imap_unordered(bucket.Download.run, missing)
        left = len(missing)
        try:
            while left:
                with contextlib.suppress(NotYet):
                    results.next(timeout=0.1)
                    left -= 1
                progress.update(sum(item.received for item in missing) // 10**6)
        except BaseException:
            for item in missing:
                item.stopped = True
            log("stopped: what has arrived is kept, and the same command goes on from there")
            raise
        finally:
            progress.close()


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    categories: tuple[str, ...] | None = field(
        None, "Such as cat,traffic_light; all means every one."
    )
    kind: str = field(
        "numpy_bitmap",
        "What to fetch of each category, or a set as a whole.",
        choices=(*KINDS, *mnist.HOSTS),
    )
    output_dir: str | None = field(None, "Folder for the files.", path=True)


def command(flags: Flags) -> None:
    """Download the categories and say what to do with them."""
    if not flags.output_dir:
        raise UsageError("--output_dir is needed: a folder for the files")
    if flags.kind in KINDS:
        paths = download(flags.output_dir, flags.categories or (), flags.kind)
    elif flags.categories:
        raise UsageError(f"--kind={flags.kind} is fetched whole: leave --categories out")
    else:
        paths = mnist.download(flags.output_dir, flags.kind)
    print(f"{len(paths)} files in {flags.output_dir}, all checked")
    made = "doodles" if flags.kind in KINDS else flags.kind
    source = shlex.quote(flags.output_dir)
    print(f"next: python -m quickdraw.datasets.prepare --source={source} --output_dir=data/{made}")


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-download`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
