"""Connections that are closed only when the other side had its chance to read the last answer.

A server that refuses a body before it is all there, and closes, makes the client's system drop the
answer: what comes after the close is met by a reset (RFC 9112, section 9.6). So the server ends its
own half first, and throws away what still comes, up to a limit, before it closes. It does not wait
for ever for a request, either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0
_SECONDS = 30.0
_MOST_BYTES = 1 << 28


class _Transport:
    """A connection as asyncio has it, but for how it is closed."""

    def __init__(self, real: asyncio.Transport, close: Callable[[], None]):
        self.real, self.close, self.ending = real, close, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def is_closing(self) -> bool:
        return self.ending or self.real.is_closing()


class LingeringClose(asyncio.Protocol):
    """Makes a protocol of uvicorn close so: a mixin, named before the protocol."""

    _malformed = False
    _end: asyncio.TimerHandle | None = None
    _left = _MOST_BYTES

    def connection_made(self, transport: Any) -> None:
        self._connection = _Transport(transport, self._close)
        super().connection_made(self._connection)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        if self._end is None:
            super().data_received(data)
        else:
            self._left -= len(data)
            if self._left < 0:
                self._connection.real.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._malformed = True
        super().send_400_response(msg)  # type: ignore[misc]

    def handle_websocket_upgrade(self, *event: Any) -> None:
        self.transport = self._connection.real
        super().handle_websocket_upgrade(*event)  # type: ignore[misc]

    def _close(self) -> None:
        """Close at once where nothing more comes, or where we are told a second time."""
        transport, cycle = self._connection, self.cycle  # type: ignore[attr-defined]
        still_sends = self._malformed or (cycle is not None and cycle.more_body)
        if transport.is_closing() or not still_sends:
            transport.real.close()
            return
        try:
            transport.real.write_eof()
        except OSError:  # the other side is gone
            transport.real.abort()
            return
        transport.ending = True
        transport.real.resume_reading()
        self._end = asyncio.get_running_loop().call_later(_SECONDS, transport.real.abort)


class PatientProtocol(LingeringClose, H11Protocol):
    """uvicorn's HTTP/1.1, without slow clients (Slowloris).

    A connection is closed if the head of its next request is not complete in time.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self._timer is None:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._cut_off)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self) -> None:
        self._timer = None
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and not self.transport.is_closing():
            self.transport.close()
