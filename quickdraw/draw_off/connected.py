"""A connected client, and its rate limit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

from fastapi import WebSocket

from quickdraw.drawings import Strokes

_SEND_SECONDS = 10.0
_A_SECOND, _BURST = 30.0, 60.0  # messages


class Client:
    """A connected client.

    Attributes:
        role: "screen", "player" or "organiser".
        player: the id of the player; empty for other roles.
        invited: whether it came through a link with the code.
        woken: is set when there is something to send.
        sent: the drawing as last sent.
    """

    def __init__(self, socket: WebSocket):
        self.socket, self.role, self.player = socket, "screen", ""
        self.invited = False
        self.woken = asyncio.Event()
        self.sent: Strokes = []
        self.left, self.then = _BURST, time.monotonic()

    @property
    def address(self) -> str:
        return self.socket.client.host if self.socket.client else ""

    def may_speak(self) -> bool:
        """Count a message; return whether it is within the limit."""
        now = time.monotonic()
        self.left = min(self.left + (now - self.then) * _A_SECOND, _BURST) - 1
        self.then = now
        return self.left >= 0

    async def send(self, text: str) -> None:
        """Send a message, with a timeout: a client that does not read must not fill the buffer."""
        await asyncio.wait_for(self.socket.send_text(text), _SEND_SECONDS)

    async def close(self, word: str) -> None:
        """Send the reason, as the key of a text of the pages, and close."""
        with contextlib.suppress(Exception):
            await self.send(json.dumps({"kind": "refused", "word": word}))
            await self.socket.close(1008)
