"""The client of the leaderboard's API, on the standard library alone."""

from __future__ import annotations

import contextlib
import csv
import gzip
import http.client
import io
import json
import os
import secrets
import shutil
import stat
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, BinaryIO, cast

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, StoppedError, UsageError
from quickdraw.records import labels

TOKEN = "QUICKDRAW_TOKEN"
"""The environment variable that holds a team's token."""
TOKEN_FILE = "~/.quickdraw_token"
_ATTEMPTS, _FIRST_WAIT = 6, 1.0
_TIMEOUT = 120
_AGAIN = (408, 500, 502, 503, 504)
_TAKES = {"predictions": "predictions: --predictions", "draw_off": "models: --model"}


def token_from(path: str = TOKEN_FILE) -> str:
    """Return the team's token: from the variable QUICKDRAW_TOKEN, or from a file, local or gs://.

    Raises:
        UsageError: there is none, or others may read the file.
    """
    if token := os.environ.get(TOKEN, "").strip():
        return token
    if storage.is_remote(path):  # the bucket controls who may read it
        with storage.open_binary(path) as remote:
            return remote.read().decode().strip()
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise UsageError(
            f"the token of your team is needed, in the variable {TOKEN} or in the file {path}; "
            "the page My entries makes one"
        )
    if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
        raise UsageError(f"{path}: others may read your token. Run: chmod 600 {path}")
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def submit(
    url: str, token: str, path: str, message: str = "", kind: str = "predictions"
) -> dict[str, Any]:
    """Send a file; return its entry, see `leaderboard.site.uploads.SeenEntry`.

    Retries after network errors with the same idempotency key, so that the file counts once.
    Labels numbered in another order than the competition's are renumbered by their names.

    Args:
        url: the server.
        token: of the team.
        path: of the file, local or gs://.
        message: a note for the list of entries.
        kind: of competition: "predictions", or "draw_off" for a model.

    Raises:
        QuickdrawError: the server refuses it, it has faults, or the competition is of another kind.
        StoppedError: the server cannot be reached.
    """
    contest = call(url, "/api/competition")
    if contest["kind"] != kind:
        raise QuickdrawError(f"{contest['name']} takes {_TAKES[contest['kind']]}")
    with storage.open_binary(path) as file, tempfile.TemporaryFile() as packed:
        with (
            _in_their_order(file, path, contest["labels"], contest["name"]) as source,
            gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=5, mtime=0) as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": secrets.token_hex(16),
            "Content-Type": "application/gzip",
        }
        query = urllib.parse.urlencode({"message": message})
        body = cast(BinaryIO, packed)
        entry = call(url, f"/api/submissions?{query}", headers, body)
    if entry.get("status") == "refused":
        raise QuickdrawError(f"{path}: " + entry["error"].replace("your file", "the file"))
    return {**entry, "metric": contest["metric"], "competition": contest["name"]}


def _in_their_order(file: BinaryIO, path: str, theirs: list[str], whose: str) -> BinaryIO:
    """Return a predictions file with its labels renumbered as the competition's."""
    beside = labels.beside(path)
    if not theirs or not storage.exists(beside):
        return file
    own = labels.read(beside)
    numbers = labels.numbers_in(own, theirs)
    if numbers is None:
        raise labels.differ(beside, own, whose, theirs)
    if labels.same(own, theirs):
        return file
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = csv.reader(lines)
    if next(rows, []) != ["image_id", "label"]:
        lines.detach().seek(0)
        return file
    log(f"warning: {beside} has the labels in another order than {whose}: sent by their names")
    mapped = tempfile.TemporaryFile()  # noqa: SIM115
    text = io.TextIOWrapper(mapped, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image_id", "label"])
    for row in rows:
        if len(row) == 2 and row[1].isdecimal() and int(row[1]) < len(numbers):
            row = [row[0], str(numbers[int(row[1])])]
        writer.writerow(row)
    lines.detach()
    text.flush()
    text.detach().seek(0)
    return cast(BinaryIO, mapped)


def call(
    url: str, path: str, headers: dict[str, str] | None = None, body: BinaryIO | None = None
) -> dict[str, Any]:
    """Send a request and return the response; retry for a while if the server is unreachable.

    Raises:
        QuickdrawError: the server refuses.
        StoppedError: the server cannot be reached.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url must begin with https:// or http://. Received: {url!r}")
    wait = _FIRST_WAIT
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _once(url.rstrip("/") + path, headers or {}, body)
        except (OSError, http.client.HTTPException) as error:
            what = getattr(error, "reason", None) or error
            if attempt == _ATTEMPTS:
                raise StoppedError(f"{url}: cannot be reached ({what})") from None
            log(f"{url}: {what}; trying again in {wait:.0f} s")
            time.sleep(wait)
            wait *= 2
    raise AssertionError(url)


class _Connection(http.client.HTTPConnection):
    """A connection that reads the response even if the server stops reading the body."""

    def endheaders(self, *body: Any, **how: Any) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().endheaders(*body, **how)


class _SecureConnection(_Connection, http.client.HTTPSConnection):
    """The same over TLS."""


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, request)


_OPENER = urllib.request.build_opener(_Http, _Https)


def _once(url: str, headers: dict[str, str], body: BinaryIO | None) -> dict[str, Any]:
    headers = {"Accept": "application/json", **headers}
    if body is not None:
        headers["Content-Length"] = str(body.seek(0, io.SEEK_END))
        body.seek(0)
    request = urllib.request.Request(url, body, headers)
    try:
        with _OPENER.open(request, timeout=_TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read(1 << 20)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        if error.code in _AGAIN:
            raise
        if error.code == 422 and answer.get("status") == "refused":
            return answer
        what = answer.get("error") or f"{error.code} {error.reason}"
        raise QuickdrawError(f"{url.partition('?')[0]}: {what}") from None
    except ValueError as error:
        raise QuickdrawError(f"{url.partition('?')[0]}: no leaderboard answers ({error})") from None


def told(entry: dict[str, Any]) -> str:
    """Return the result of an entry in words."""
    if entry["status"] == "queued":
        first = f"entry {entry['number']}: saved, in the queue, place {entry['place']}"
    elif entry["about"]:
        late = " (late: it does not count)" if entry["late"] else ""
        first = f"entry {entry['number']}: accepted, {entry['about']}{late}"
    else:
        rank = f", rank {entry['rank']}" if entry["rank"] else ""
        late = " (late: it does not count)" if entry["late"] else ""
        metric = entry["metric"]
        first = f"entry {entry['number']}: public {metric} {entry['score']:.1%}{rank}{late}"
    today, total = entry["left_today"], entry["left_total"]
    return first + (f"\nentries left: {today} today, {total} in all" if today is not None else "")
