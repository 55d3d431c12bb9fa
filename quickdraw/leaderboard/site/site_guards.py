"""Middleware for every request: limits of size and time, and security headers."""

from __future__ import annotations

import asyncio
import collections
import time
from collections.abc import Hashable

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quickdraw.leaderboard.site.forwarding import forwarded

_BODY_IDLE_SECONDS = 15.0
_BODY_SECONDS = 60.0
_BODY_RATE = 50_000  # bytes a second: the slowest upload that is accepted
_FORM = 1 << 20
_HEAD = 16 << 10
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # one-time links must not leak through Referer
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_SLOW = "too slow: the upload was given up"
_LARGE_HEAD = PlainTextResponse("too large a head", 431)
_HTTPS = ("strict-transport-security", "max-age=31536000")


class Guards:
    """ASGI middleware, see the Python "ASGI specification".

    Args:
        app: the application behind it.
        size_limit: bytes of an upload.
        https: whether people reach the server by https.
        proxies: how many trusted proxies are in front of the server.
    """

    def __init__(self, app: ASGIApp, size_limit: int, https: bool, proxies: int = 0):
        self._app, self._size_limit, self._proxies = app, size_limit, proxies
        headers = [*_HEADERS.items(), *([_HTTPS] if https else [])]
        self._headers = [(name.encode(), value.encode()) for name, value in headers]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = forwarded(scope, self._proxies)
        body = _Body(scope, receive, self._size_limit)

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [*message.get("headers", [])]
                names = {name.lower() for name, _ in given}
                own = [each for each in self._headers if each[0] not in names]
                if b"cache-control" not in names:
                    own.append((b"cache-control", b"no-store"))
                if not body.ended:  # a response before the body's end closes the connection
                    own.append((b"connection", b"close"))
                message = {**message, "headers": [*given, *own]}
            await send(message)

        if sum(len(name) + len(value) for name, value in scope["headers"]) > _HEAD:
            await _LARGE_HEAD(scope, receive, guarded_send)
        else:
            await self._app(scope, body.receive, guarded_send)


class _Body:
    """The body of a request, within the limits of size and speed.

    Args:
        scope: of the request.
        receive: the ASGI callable that returns the next message.
        size_limit: bytes of an upload.

    Attributes:
        ended: whether the whole body was received.
    """

    def __init__(self, scope: Scope, receive: Receive, size_limit: int):
        large = scope["path"] in ("/entries", "/api/submissions")
        self._allowed = size_limit if large else _FORM
        self._limit = size_limit + _FORM if large else _FORM  # with the form's other fields
        headers = dict(scope["headers"])
        told = headers.get(b"content-length", b"0")
        self._told = int(told) if told.isdigit() else 0
        self.ended = not self._told and b"transfer-encoding" not in headers
        self._next, self._got, self._start = receive, 0, time.monotonic()

    async def receive(self) -> Message:
        """Return the next piece.

        Raises:
            HTTPException: it is too large (413) or too slow (408).
        """
        if self.ended:  # all that can follow is the client's disconnect
            return await self._next()
        if self._told > self._limit:
            raise self._too_large()
        try:
            async with asyncio.timeout(_BODY_IDLE_SECONDS):
                message = await self._next()
        except TimeoutError:
            raise HTTPException(408, _SLOW) from None
        self._got += len(message.get("body", b""))
        if self._got > self._limit:
            raise self._too_large()
        if time.monotonic() - self._start > _BODY_SECONDS + self._got / _BODY_RATE:
            raise HTTPException(408, _SLOW)
        self.ended = not message.get("more_body")
        return message

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"too large: at most {self._allowed >> 20} MB expected")


class Rate:
    """A rate limit: so many events a minute for each key.

    Keys without an event for a minute are dropped; if there are too many, the oldest are.
    """

    _MOST_KEYS = 50_000

    def __init__(self, a_minute: int):
        self._a_minute = a_minute
        self._levels = collections.OrderedDict[Hashable, tuple[float, float]]()

    def allows(self, key: Hashable, cost: float = 1.0) -> bool:
        """Count an event; return whether it is within the limit."""
        now = time.monotonic()
        level, then = self._levels.pop(key, (0.0, now))
        level = max(0.0, level - (now - then) * self._a_minute / 60)
        allowed = level + cost <= self._a_minute
        self._levels[key] = (level + cost if allowed else level, now)
        while len(self._levels) > self._MOST_KEYS:
            self._levels.popitem(last=False)
        return allowed
