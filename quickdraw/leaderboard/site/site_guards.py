"""What stands before every request: limits of size and of time, and headers that browsers obey."""

from __future__ import annotations

import asyncio
import collections
import time
from typing import Any

_BODY_IDLE_SECONDS = 15.0
_BODY_SECONDS = 60.0
_BODY_RATE = 50_000  # bytes a second that an upload may be slow
_FORM = 1 << 20
_HEAD = 16 << 10
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # links with codes are told to nobody
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_HTTPS = ("strict-transport-security", "max-age=31536000")


class _TooMuchError(Exception):
    """A body is too large or too slow."""

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


class Guards:
    """ASGI middleware, see the Python "ASGI specification".

    Args:
        app: what it guards.
        size_limit: bytes of an upload.
        https: whether people reach the server by https.
    """

    def __init__(self, app: Any, size_limit: int, https: bool):
        self._app, self._size_limit = app, size_limit
        headers = [*_HEADERS.items(), *([_HTTPS] if https else [])]
        self._headers = [(name.encode(), value.encode()) for name, value in headers]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        head = sum(len(name) + len(value) for name, value in scope["headers"])

        async def guarded_send(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = [*message.get("headers", [])]
                names = {name.lower() for name, _ in given}
                own = [each for each in self._headers if each[0] not in names]
                if b"cache-control" not in names:
                    own.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*given, *own]}
            await send(message)

        try:
            if head > _HEAD:
                raise _TooMuchError(431)
            await self._app(scope, self._limited(scope, receive), guarded_send)
        except _TooMuchError as error:
            if not started:
                await _plain(guarded_send, error.status)

    def _limited(self, scope: Any, receive: Any) -> Any:
        """Return a `receive` that ends a body which is too large or too slow."""
        large = scope["path"] in ("/entries", "/api/submissions")
        limit = self._size_limit + _FORM if large else _FORM
        told = dict(scope["headers"]).get(b"content-length", b"0")
        got, start = 0, time.monotonic()
        ended = False

        async def limited() -> Any:
            nonlocal got, ended
            if ended:  # what comes now is that the client went away
                return await receive()
            if told.isdigit() and int(told) > limit:
                raise _TooMuchError(413)
            try:
                message = await asyncio.wait_for(receive(), _BODY_IDLE_SECONDS)
            except TimeoutError:
                raise _TooMuchError(408) from None
            got += len(message.get("body", b""))
            if got > limit:
                raise _TooMuchError(413)
            if time.monotonic() - start > _BODY_SECONDS + got / _BODY_RATE:
                raise _TooMuchError(408)
            ended = not message.get("more_body")
            return message

        return limited


async def _plain(send: Any, status: int) -> None:
    text = {413: b"too large\n", 408: b"too slow\n", 431: b"too large a head\n"}[status]
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


class Rate:
    """How often something may happen: so many times a minute for each key.

    Keys that nothing was heard of for a minute are forgotten; where there are too many, the oldest.
    """

    _MOST_KEYS = 50_000

    def __init__(self, a_minute: int):
        self._a_minute = a_minute
        self._levels: collections.OrderedDict[Any, tuple[float, float]] = collections.OrderedDict()

    def allows(self, key: Any, cost: float = 1.0) -> bool:
        """Count an event; return whether it is within the limit."""
        now = time.monotonic()
        level, then = self._levels.pop(key, (0.0, now))
        level = max(0.0, level - (now - then) * self._a_minute / 60)
        allowed = level + cost <= self._a_minute
        self._levels[key] = (level + cost if allowed else level, now)
        while len(self._levels) > self._MOST_KEYS:
            self._levels.popitem(last=False)
        return allowed
