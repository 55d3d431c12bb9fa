"""Decodes shards into plain files of arrays and labels; run as a process on each further core.

    python -m quickdraw.training.data.decode < job.json > report.json

A program, not a worker of `multiprocessing`: those need a `__main__` that can be imported, which a
notebook does not have.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from quickdraw import storage
from quickdraw.console import Progress
from quickdraw.environment import ONE_THREAD
from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader, StrokeReader
from quickdraw.records.dataset_info import DatasetInfo
from quickdraw.records.shards import BadRecords, Holdout, Shards

_BATCH = 4096
# Below this, starting processes takes longer than decoding.
_SMALL_BYTES = 32 << 20
_POLL_SECONDS = 0.05
_LABEL_BYTES = 4


def decode(
    reader: QuickDrawFeatureReader, shards: Shards, folder: str, title: str
) -> tuple[list[str], BadRecords]:
    """Decode shards, on all cores if there is much to do.

    Args:
        reader: how.
        shards: the records.
        folder: gets `<number>.<input>` and `<number>.labels` for each shard.
        title: what the progress bar calls it.

    Returns:
        For each shard the path of its files, less the ending; and the records that were skipped.

    Raises:
        QuickdrawError: a bad record, unless they are skipped.
    """
    files, bad = shards.files, BadRecords(reader.on_bad_record)
    # A part per shard, not per process: joined in the order of the shards, they give the same set
    # whatever the number of cores.
    parts = [os.path.join(folder, f"{number:05}") for number in range(len(files))]
    jobs = list(zip(files, parts, strict=True))
    cores = min(len(files), os.cpu_count() or 1)
    # What somebody has written over this reader is not known to another process.
    if is_small(files) or type(reader) not in (QuickDrawFeatureReader, StrokeReader):
        cores = 1
    processes = [_start(reader, jobs, shards) for _ in range(1, cores)]
    progress = Progress(title, None, "images")

    def show() -> None:
        # The sizes of the label files tell how far all processes are, without a pipe.
        progress.update(sum(_size(f"{part}.labels") for part in parts) // _LABEL_BYTES)

    try:
        _run(reader, shards, jobs, bad, show)
        for process in processes:
            while _is_running(process):
                show()
            _finish(process, bad)
        show()
        progress.close()
    finally:
        for process in processes:
            process.kill()
            process.communicate()  # closes its pipes
    return parts, bad


def is_small(files: list[str]) -> bool:
    """Return whether one process is enough for all of them."""
    return sum(map(storage.file_size, files)) < _SMALL_BYTES


def environment() -> dict[str, str]:
    """Return the environment in which a process can import what this one can."""
    path = os.pathsep.join(filter(None, sys.path))
    return {**ONE_THREAD, **os.environ, "PYTHONPATH": path}


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _is_running(process: subprocess.Popen[str]) -> bool:
    """Return whether a process still runs after a moment."""
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _run(
    reader: QuickDrawFeatureReader,
    shards: Shards,
    jobs: list[tuple[str, str]],
    bad: BadRecords,
    show: Callable[[], None] = lambda: None,
) -> None:
    """Decode the files that no other process has begun, each into files of its own."""
    for file, part in jobs:
        with contextlib.ExitStack() as stack:
            try:
                labels = stack.enter_context(open(f"{part}.labels", "xb"))
            except FileExistsError:
                continue
            outputs = {
                name: stack.enter_context(open(f"{part}.{name}", "wb")) for name in reader.inputs
            }
            one = dataclasses.replace(shards, files=[file])
            for arrays, targets in reader.read(one, _BATCH, bad):
                for name, array in arrays.items():
                    outputs[name].write(array.data)
                labels.write(targets.astype("<i4").data)
                show()


def _start(
    reader: QuickDrawFeatureReader, jobs: list[tuple[str, str]], shards: Shards
) -> subprocess.Popen[str]:
    job = {
        "jobs": jobs,
        "info": dataclasses.asdict(shards.info),
        "numbers": shards.numbers,
        "part": dataclasses.asdict(shards.part) if shards.part else None,
        "image_size": reader.image_size,
        "num_classes": reader.num_classes,
        "on_bad_record": reader.on_bad_record,
        "inputs": reader.inputs,
        "max_points": reader.max_points,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "quickdraw.training.data.decode"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    process.stdin = None  # or `communicate` would flush a closed file
    return process


def _finish(process: subprocess.Popen[str], bad: BadRecords) -> None:
    assert process.stdout is not None
    try:
        report: dict[str, Any] = json.loads(process.stdout.read())
    except ValueError:
        raise QuickdrawError(
            f"a process that decoded records died with exit code {process.returncode}"
        ) from None
    if report["error"]:
        raise QuickdrawError(report["error"])
    bad.extend(report)


def main() -> None:
    """Do the job on standard input and report on standard output."""
    job = json.load(sys.stdin)
    jobs, info = job.pop("jobs"), DatasetInfo(**job.pop("info"))
    part = job.pop("part")
    shards = Shards("", [], info, job.pop("numbers"), Holdout(**part) if part else None)
    reader = QuickDrawFeatureReader(**job)
    bad = BadRecords(reader.on_bad_record)
    error = ""
    try:
        _run(reader, shards, jobs, bad)
    except QuickdrawError as problem:
        error = str(problem)
    except OSError as problem:
        error = f"{problem.filename or 'decoding'}: {problem.strerror}"
    json.dump({"error": error, **bad.noted()}, sys.stdout)


if __name__ == "__main__":
    main()
