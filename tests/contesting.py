"""Pages without a browser: a WebSocket that greets, listens and draws."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from quickdraw.draw_off.contest import strokes_after

CAT = [[[100, 500, 900], [900, 100, 900], [0, 50, 100]], [[300, 700], [600, 600], [150, 200]]]


class Page:
    """A page that is connected.

    Attributes:
        state: the last that was told.
        drawing: as it was told.
        messages: all others, by kind.
    """

    def __init__(self, base: str, **hello: Any):
        self._url = base.replace("http", "ws", 1) + "/ws"
        self._hello = hello
        self.state: dict[str, Any] = {}
        self.drawing: list[Any] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.count = 0

    async def __aenter__(self) -> Page:
        import websockets

        self._socket = await websockets.connect(self._url)
        await self.say(**self._hello)
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._task.cancel()
        await self._socket.close()

    async def say(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def _listen(self) -> None:
        import websockets

        try:
            async for text in self._socket:
                message = json.loads(text)
                self.count += 1
                if message["kind"] == "state":
                    self.state = message
                elif message["kind"] == "ink":
                    self.drawing = strokes_after(self.drawing, message["keep"], message["strokes"])
                else:
                    self.messages[message["kind"]] = message
        except websockets.ConnectionClosed:
            self.messages["closed"] = {}

    async def until(self, is_so: Any, seconds: float = 30.0) -> None:
        """Wait until something is so."""
        for _ in range(int(seconds / 0.02)):
            if is_so(self):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"never: {self.state}, {self.messages}")

    async def phase(self, name: str) -> None:
        await self.until(lambda page: page.state.get("phase") == name)

    async def ready(self) -> None:
        """Wait until all models run."""
        await self.until(
            lambda page: {m["state"] for m in page.state.get("models", [])} == {"ready"}, 60
        )
