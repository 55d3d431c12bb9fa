"""A stand-in for Google Cloud Storage on 127.0.0.1: its HTTP APIs over an object store in memory.

    store = Store()
    store.put("quickdraw_dataset", "full/raw/cat.ndjson", b"...")
    with serve(store) as server:
        os.environ["STORAGE_EMULATOR_HOST"] = server.url

It does what google-cloud-storage and TensorFlow's own gs:// client ask for: buckets, listings with
prefix, delimiter and pages, metadata, media with ranges, uploads, copies, compositions, deletions;
generations and preconditions count. `server.fail(...)` injects faults. `front` puts it behind TLS
and the hosts' real names.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from standins import gcs_writes, metadata
from standins.gcs_store import Refused, Store

_CHUNK = 1 << 16
_LARGEST_PAGE = 1000


@dataclasses.dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path ends in `path`.

    Attributes:
        after: how many such requests pass before.
        status: answer with this status instead.
        reset_after: bytes of the body after which the connection is reset.
        truncate_to: bytes of the body, as if that were all of it.
        corrupt: flip the first byte of the body.
        seconds_a_chunk: wait that long before each 64 KiB.
        token: from now on this token alone is good.
    """

    path: str
    times: int = 1
    after: int = 0
    status: int | None = None
    reset_after: int | None = None
    truncate_to: int | None = None
    corrupt: bool = False
    seconds_a_chunk: float = 0
    token: str | None = None


class Server(ThreadingHTTPServer):
    """The HTTP side of a store.

    Attributes:
        requests: (method, path, Range header or "") of each request so far.
        largest_page: entries in one page of a listing, whatever the caller asks for.
        token: what the metadata server hands out, and the only token that is good; None: all are.
        uploads: the resumable uploads that have begun.
    """

    daemon_threads = True

    def __init__(self, store: Store):
        super().__init__(("127.0.0.1", 0), Handler)
        self.store = store
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[tuple[str, str, str]] = []
        self.largest_page = _LARGEST_PAGE
        self.token: str | None = None
        self.uploads: dict[str, gcs_writes.Upload] = {}
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def fail(self, path: str, **fault: Any) -> None:
        """Queues a fault; see `Fault`."""
        self._faults.append(Fault(path, **fault))

    def next_fault(self, path: str) -> Fault:
        with self._lock:
            for fault in self._faults:
                if fault.times and path.endswith(fault.path):
                    if fault.after:
                        fault.after -= 1
                        break
                    fault.times -= 1
                    self.token = fault.token or self.token
                    return fault
        return Fault(path)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


@contextlib.contextmanager
def serve(store: Store) -> Iterator[Server]:
    """Serves a store in a thread of its own."""
    with Server(store) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    """One connection: parses a request, asks the store, and answers, faults included."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's next packet
    server: Server

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        body = self._body()
        if metadata.is_metadata(path):
            self.answer(*metadata.answer(path, self.server.token or "any"))
            return
        self.server.requests.append((self.command, path, self.headers.get("Range", "")))
        self.fault = self.server.next_fault(path)
        try:
            if self.fault.status:
                raise Refused(self.fault.status, "injected")
            self._route(url.path, query, body)
        except Refused as refused:
            self.json({"error": {"code": refused.status, "message": str(refused)}}, refused.status)

    do_POST = do_PUT = do_DELETE = do_GET

    def _body(self) -> bytes:
        # TensorFlow sends both headers; RFC 9112, 6.3: Transfer-Encoding counts.
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _route(self, path: str, query: dict[str, str], body: bytes) -> None:
        match = re.fullmatch(
            r"(/download|/upload)?/storage/v1/b/([^/]+)(/o(?:/([^/]+)(/.*)?)?)?", path
        )
        xml = re.fullmatch(r"/([^/]+)/(.+)", path)  # TensorFlow reads by the XML API
        if match is None and (xml is None or xml[1] in ("storage", "upload", "download", "v1")):
            raise Refused(404, f"Not Found: {path}")
        bucket, name, verb = (
            unquote(part or "") for part in (match.group(2, 4, 5) if match else (*xml.groups(), ""))
        )
        self._admit(bucket)
        if self.command == "DELETE":
            self.server.store.delete(bucket, name, **gcs_writes.conditions(query))
            self.answer(b"", 204)
        elif self.command != "GET":
            gcs_writes.write(self, bucket, name, verb, query, body)
        elif name:
            self._get_object(bucket, name, query if match else {"alt": "media"})
        elif match and match[3]:
            self._list(bucket, query)
        else:
            self.json(self.server.store.bucket_resource(bucket))

    def _admit(self, bucket: str) -> None:
        """Raises Refused unless the caller has a good token and may use the bucket."""
        given, token = self.headers.get("Authorization"), self.server.token
        if token and given not in (None, f"Bearer {token}"):
            raise Refused(401, "Invalid Credentials")
        if given is None and (token or self.server.store.is_private(bucket)):
            raise Refused(401, f"Anonymous caller does not have access to {bucket}")
        if bucket in self.server.store.forbidden:
            raise Refused(403, f"robot does not have storage.objects access to {bucket}")

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        token = base64.urlsafe_b64decode(query.get("pageToken", "")).decode()
        limit = min(int(query.get("maxResults", _LARGEST_PAGE)), self.server.largest_page)
        objects, prefixes, last = self.server.store.list(
            bucket, query.get("prefix", ""), query.get("delimiter", ""), token, limit
        )
        page: dict[str, Any] = {"kind": "storage#objects"}
        page["items"] = [found.resource() for found in objects]
        page["prefixes"] = prefixes
        if last:
            page["nextPageToken"] = base64.urlsafe_b64encode(last.encode()).decode()
        self.json(page)

    def _get_object(self, bucket: str, name: str, query: dict[str, str]) -> None:
        found = self.server.store.get(bucket, name, **gcs_writes.conditions(query))
        if query.get("alt") != "media":
            self.json(found.resource())
            return
        start, end = _range(self.headers.get("Range", ""), len(found.data))
        headers = {
            "X-Goog-Hash": f"crc32c={found.crc32c},md5={found.md5}",
            "X-Goog-Generation": str(found.generation),
            "X-Goog-Stored-Content-Length": str(len(found.data)),
            "Content-Type": found.content_type,
        }
        if "Range" in self.headers:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(found.data)}"
        self.answer(found.data[start:end], 206 if "Range" in self.headers else 200, headers)

    def json(self, value: dict[str, Any], status: int = 200) -> None:
        """Answers with a JSON object."""
        self.answer(json.dumps(value).encode(), status, {"Content-Type": "application/json"})

    def answer(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answers, as the fault of this request lets it."""
        fault = getattr(self, "fault", Fault(""))
        if fault.corrupt:
            body = bytes([body[0] ^ 1]) + body[1:]
        body = body[: fault.truncate_to]
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(body[: fault.reset_after]), _CHUNK):
            time.sleep(fault.seconds_a_chunk)
            self.wfile.write(body[: fault.reset_after][start : start + _CHUNK])
        if fault.reset_after is not None:
            self._reset()

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)  # closing sends RST instead of FIN
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()


def _range(header: str, size: int) -> tuple[int, int]:
    """(start, end) of a Range header; all of it when there is none."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if match is None or not (match[1] or match[2]):
        return 0, size
    if not match[1]:
        return max(size - int(match[2]), 0), size
    start, end = int(match[1]), min(int(match[2] or size - 1) + 1, size)
    if start >= size or end <= start:
        raise Refused(416, "The requested range cannot be satisfied.")
    return start, end
