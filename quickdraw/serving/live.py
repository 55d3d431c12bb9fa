"""Live guesses over a WebSocket: one question at a time, always the latest that waits."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable

from fastapi import WebSocket, WebSocketDisconnect

from quickdraw.errors import QuickdrawError
from quickdraw.serving import asking
from quickdraw.serving.answering import Guesses
from quickdraw.serving.asking import Question
from quickdraw.serving.batching import BusyError
from quickdraw.serving.counters import Counters

Answering = Callable[[Question], Awaitable[Guesses]]

_SEND_SECONDS = 10.0
_SHORT = 8192  # characters


class LiveGuesses:
    """Answers the questions of one WebSocket.

    A message is a question as `asking.of_json` reads it, with a number `seq`; the answer has the
    same `seq`, and `models`: by name `[[class, probability], …]`; or `error`. A question
    that arrives before the previous one is answered replaces any other that waits.

    Args:
        socket: the WebSocket, not accepted yet.
        answer: predicts.
        counters: the metrics of the server.
    """

    def __init__(self, socket: WebSocket, answer: Answering, counters: Counters):
        self._socket, self._answer, self._counters = socket, answer, counters
        self._latest: str | bytes | None = None
        self._came = asyncio.Event()

    async def run(self) -> None:
        """Serve the socket until it is closed."""
        await self._socket.accept()
        self._counters.sockets += 1
        answering = asyncio.create_task(self._answer_all())
        try:
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                # Latest wins: guesses of an older drawing are worthless once a newer one is here,
                # and a slow model must not build up a queue.
                self._latest = message.get("text") or message.get("bytes") or b""
                self._came.set()
        finally:
            self._counters.sockets -= 1
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _answer_all(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, TimeoutError, RuntimeError):
            while True:
                await self._came.wait()
                self._came.clear()
                data, self._latest = self._latest or b"", None
                reply = await self._reply(data)
                # A client that does not read must not fill the server's send buffer.
                await asyncio.wait_for(self._socket.send_text(json.dumps(reply)), _SEND_SECONDS)
        with contextlib.suppress(Exception):
            await self._socket.close(1008)

    async def _reply(self, data: str | bytes) -> dict[str, object]:
        seq = None
        try:
            if len(data) < _SHORT:  # parsing takes less time than switching threads
                question, content = asking.of_json(data)
            else:
                question, content = await asyncio.to_thread(asking.of_json, data)
            seq = content.get("seq")
            seq = seq if isinstance(seq, int) else None
            found = await self._answer(question)
        except BusyError:
            self._counters.answered("websocket", "busy")
            return {"seq": seq, "error": "too many drawings wait: ask again in a second"}
        except QuickdrawError as error:
            self._counters.answered("websocket", "bad")
            return {"seq": seq, "error": str(error)}
        self._counters.answered("websocket", "ok", found["milliseconds"] / 1e3)
        return {"seq": seq, **found}
