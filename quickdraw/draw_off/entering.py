"""Entering models: from runs, a folder or an upload; checked and copied to the contest."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Sequence

from quickdraw import storage
from quickdraw.console import log
from quickdraw.draw_off import desk
from quickdraw.draw_off.contest import Contest
from quickdraw.draw_off.rules import Event
from quickdraw.errors import QuickdrawError
from quickdraw.runs import exported, record
from quickdraw.sandbox import checking, entrant_names
from quickdraw.sandbox.checking import Checked
from quickdraw.serving import exporting

_MODELS = "models"


def entered(contest: Contest, name: str, by: str, checked: Checked, data: bytes, to: str) -> Event:
    """Copy a checked file to the contest's folder; return the event that it entered.

    Args:
        contest: that has not begun.
        name: its display name.
        by: "run" or "file".
        checked: the result of the check.
        data: the file.
        to: the contest's folder.

    Raises:
        RefusedError: the contest has begun, there are too many models, or it has this model.
    """
    if contest.phase != "lobby":
        raise desk.RefusedError("has_begun", "the contest has begun")
    if len(contest.models) >= desk.MOST_MODELS:
        raise desk.RefusedError("full", f"at most {desk.MOST_MODELS} models")
    path = _place(checked.sha256)
    alike = {each.answers for each in contest.models.values()}
    if checked.answers in alike or _is_there(contest, path):
        raise desk.RefusedError("is_there", "this model has entered already")
    os.makedirs(os.path.join(to, _MODELS), exist_ok=True)
    with storage.write_whole(os.path.join(to, path), "wb") as file:
        file.write(data)
    number = max([0, *(int(model[1:]) for model in contest.models)]) + 1
    return {
        "kind": "entered",
        "model": f"m{number}",
        "name": desk.unlike(desk.clean_name(name), [e.name for e in contest.models.values()]),
        "by": by,
        "labels": checked.description.labels,
        "file": path,
        "answers": checked.answers,
    }


def _place(sha256: str) -> str:
    return f"{_MODELS}/{sha256[: entrant_names.DIGITS]}.onnx"


def _is_there(contest: Contest, path: str) -> bool:
    return any(each.file == path for each in contest.models.values())


def digits(file: str) -> str:
    """Return the first digits of a file's SHA-256, which identify an entered model."""
    return os.path.basename(file)[: entrant_names.DIGITS]


def files_of(train_dirs: Sequence[str], folder: str | None) -> list[tuple[str, str, str]]:
    """Return name, "run" or "file", and path of each model that the command line names.

    Runs without an export are exported, each in a separate process. An entrants.json in the
    folder may give the files display names.

    Raises:
        QuickdrawError: not a run, a run that cannot be exported, or no such folder.
    """
    found = [_file_of_run(train_dir) for train_dir in train_dirs]
    if folder:
        if not os.path.isdir(folder):
            raise QuickdrawError(f"--models: {folder} is no folder")
        names = entrant_names.read(folder)
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.onnx"))):
            file = os.path.basename(path)
            found.append((names.get(file, file.removesuffix(".onnx")), "file", path))
    return found


def _file_of_run(train_dir: str) -> tuple[str, str, str]:
    where = exporting.onnx_of(exporting.look_at(train_dir))
    return exported.read(where)[0].name, "run", os.path.join(where, "model.onnx")


def runs_below(folder: str) -> list[str]:
    """Return the names of the runs and exports in a folder, local or gs://."""
    names = storage.listdir(folder) if storage.is_folder(folder) else []
    files = (record.FILE_NAME, exported.FILE_NAME)
    return sorted(
        name for name in names if any(storage.exists(os.path.join(folder, name, f)) for f in files)
    )


def exported_run(folder: str, name: str) -> tuple[str, bytes]:
    """Return the name of a run in a folder, and its ONNX file, exported if necessary.

    Raises:
        QuickdrawError: it cannot be exported, or its file is too large.
    """
    called, _, path = _file_of_run(os.path.join(folder, name))
    return called, _content(path)


def _content(path: str) -> bytes:
    if os.path.getsize(path) > checking.MOST_BYTES:
        raise QuickdrawError(f"at most {checking.MOST_BYTES >> 20} MB expected")
    with open(path, "rb") as file:
        return file.read()


def enter_all(contest: Contest, files: Sequence[tuple[str, str, str]], to: str) -> list[Event]:
    """Check models; return the events of those that enter; log and leave out the others."""
    events = []
    for name, by, path in files:
        try:
            data = _content(path)
            if _is_there(contest, _place(hashlib.sha256(data).hexdigest())):
                log(f"{path}: has entered already")  # such as after a restart of the command
                continue
            checked = checking.check(data)
            event = entered(contest, name, by, checked, data, to)
        except (QuickdrawError, OSError) as error:
            log(f"warning: {path} is left out: {error}")
            continue
        contest.apply(event)
        events.append(event)
        log(f"{event['name']}: {len(event['labels'])} classes, {checked.milliseconds:.1f} ms")
        if checked.missing:
            log(f"warning: on this system its process runs without: {', '.join(checked.missing)}")
    return events
