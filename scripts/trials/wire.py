"""HTTP/1.1 as a crowd speaks it: one connection a person, kept open, and little work a request.

A client library would spend more time on a request than the server, on the same two cores.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any


class Line:
    """A connection that is opened when it is needed, and again after it was lost."""

    def __init__(self, port: int):
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[int, bytes]:
        """Return status and body.

        Raises:
            OSError: the server went away, before or while it answered.
        """
        try:
            if self._streams is not None:
                # The server closes what was silent for a while, as we send: then once more.
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    return await self._ask(method, path, headers, body)
                self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            return await self._ask(method, path, headers, body)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.close()
            raise ConnectionError(str(error)) from None

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        assert self._streams is not None
        reader, writer = self._streams
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        content = await reader.readexactly(int(found["content-length"]))
        if found.get("connection") == "close":
            self.close()
        return int(head[0].split()[1]), content

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def submit(line: Line, token: str, body: bytes, key: str) -> tuple[int, dict[str, Any]]:
    """Send a file as the API wants it."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    status, answer = await line.ask("POST", "/api/submissions", headers, body)
    return status, json.loads(answer)
