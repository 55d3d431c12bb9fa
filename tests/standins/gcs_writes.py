"""What changes the Cloud Storage stand-in: uploads in one piece or resumable, copies, compositions.

Source: Cloud Storage documentation, "Resumable uploads" and the JSON API's reference.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import struct
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import google_crc32c
from standins.gcs_store import Refused

if TYPE_CHECKING:
    from standins.gcs import Handler


@dataclasses.dataclass
class Upload:
    """A resumable upload: where it goes, what has come so far."""

    bucket: str
    name: str
    conditions: dict[str, int]
    data: bytes = b""


def conditions(query: dict[str, str]) -> dict[str, int]:
    """The preconditions among a request's parameters, and the generation it asks for."""
    return {key: int(query[key]) for key in query if key == "generation" or key[:2] == "if"}


def write(
    handler: Handler, bucket: str, name: str, verb: str, query: dict[str, str], body: bytes
) -> None:
    """Does what a POST or PUT asks for, and answers."""
    store = handler.server.store
    store.objects(bucket)
    kind = query.get("uploadType")
    if "upload_id" in query:
        _continue(handler, handler.server.uploads[query["upload_id"]], body)
    elif kind == "resumable":
        _begin(handler, bucket, query, body)
    elif kind == "multipart":
        description, data = _parts(handler.headers["Content-Type"], body)
        if description.get("crc32c", _crc(data)) != _crc(data):
            raise Refused(400, "Provided CRC32C doesn't match calculated CRC32C")
        made = store.put(bucket, description["name"], data, **conditions(query))
        handler.json(made.resource())
    elif kind == "media":
        handler.json(store.put(bucket, query["name"], body, **conditions(query)).resource())
    elif verb == "/compose":
        sources = json.loads(body)["sourceObjects"]
        data = b"".join(store.get(bucket, source["name"]).data for source in sources)
        handler.json(store.put(bucket, name, data, **conditions(query)).resource())
    elif match := re.fullmatch(r"/(?:rewriteTo|copyTo)/b/([^/]+)/o/(.+)", verb):
        store.objects(match[1])
        made = store.put(match[1], unquote(match[2]), store.get(bucket, name).data)
        size = str(len(made.data))
        done = {"done": True, "objectSize": size, "totalBytesRewritten": size}
        handler.json({"kind": "storage#rewriteResponse", **done, "resource": made.resource()})
    else:
        raise Refused(400, f"{handler.command} {handler.path}")


def _crc(data: bytes) -> str:
    return base64.b64encode(struct.pack(">I", google_crc32c.value(data))).decode()


def _parts(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """Metadata and media of a multipart/related body."""
    match = re.search(r"boundary=['\"]?([^'\";]+)", content_type)
    assert match, content_type
    _, description, media, _ = body.split(b"--" + match[1].encode())
    return (
        json.loads(description.partition(b"\r\n\r\n")[2]),
        media.partition(b"\r\n\r\n")[2][: -len(b"\r\n")],
    )


def _begin(handler: Handler, bucket: str, query: dict[str, str], body: bytes) -> None:
    uploads = handler.server.uploads
    number = str(len(uploads))
    name = query.get("name") or json.loads(body)["name"]
    uploads[number] = Upload(bucket, name, conditions(query))
    host = handler.headers["Host"]
    scheme = "https" if host.endswith("googleapis.com") else "http"
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={number}"
    handler.answer(b"", 200, {"Location": f"{scheme}://{host}{path}"})


def _continue(handler: Handler, upload: Upload, body: bytes) -> None:
    match = re.fullmatch(
        r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", handler.headers.get("Content-Range", "bytes */0")
    )
    assert match, handler.headers["Content-Range"]
    if match[1] and int(match[1]) == len(upload.data):
        upload.data += body
    if match[3] != "*" and len(upload.data) == int(match[3]):
        store = handler.server.store
        made = store.put(upload.bucket, upload.name, upload.data, **upload.conditions)
        handler.json(made.resource())
        return
    held = {"Range": f"bytes=0-{len(upload.data) - 1}"} if upload.data else {}
    handler.answer(b"", 308, held)
