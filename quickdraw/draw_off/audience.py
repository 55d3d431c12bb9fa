"""The connected clients: players with their phones, the big screen, the organiser."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable

from fastapi import WebSocket, WebSocketDisconnect

from quickdraw.draw_off import broadcast, desk
from quickdraw.draw_off.connected import Client
from quickdraw.draw_off.contest import change
from quickdraw.draw_off.desk import Message, RefusedError
from quickdraw.draw_off.director import Director
from quickdraw.drawings import Strokes
from quickdraw.errors import QuickdrawError

MOST_SOCKETS, MOST_OF_ADDRESS = 400, 300  # a school may share one address
_HELLO_SECONDS = 15.0
_LONGEST = 128 * 1024
_PAUSE = 0.08  # seconds between two messages to a client


class Audience:
    """All connected clients.

    Args:
        director: of the contest.
        invitation: returns the link for players, `{"url": …, "svg": …}`, for a Host header.
    """

    def __init__(self, director: Director, invitation: Callable[[str], dict[str, str]]):
        self._director, self._invitation = director, invitation
        self._clients: set[Client] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._texts: dict[str, str] = {}
        self._ink: tuple[Strokes | None, Strokes | None, str] = (None, None, "")
        director.here = self.players
        director.changed = self.wake

    def players(self) -> set[str]:
        """Return the ids of the players who are connected."""
        return {client.player for client in self._clients if client.player}

    def wake(self) -> None:
        """Wake the tasks that send updates to the clients."""
        self._texts.clear()
        for client in self._clients:
            client.woken.set()

    def admits(self, address: str) -> bool:
        """Return whether another socket from an address is accepted."""
        alike = sum(client.address == address for client in self._clients)
        return len(self._clients) < MOST_SOCKETS and alike < MOST_OF_ADDRESS

    async def serve(self, socket: WebSocket) -> None:
        """Serve a socket until it is closed."""
        await socket.accept()
        client = Client(socket)
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._greet(client, await asyncio.wait_for(self._heard(client), _HELLO_SECONDS))
            self._clients.add(client)
            self.wake()
            tasks = [asyncio.create_task(self._tell(client))]
            while True:
                await self._act(client, await self._heard(client))
        except (WebSocketDisconnect, TimeoutError, RuntimeError):
            pass
        except RefusedError as error:
            await client.close(error.word)
        finally:
            self._clients.discard(client)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Exception):
                await socket.close(1008)
            self.wake()

    # ---- Messages from clients
    async def _heard(self, client: Client) -> Message:
        message = await client.socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(1000)
        data = message.get("text") or ""
        if len(data) > _LONGEST or not client.may_speak():
            raise RefusedError("too_fast", "too much at once")
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):
            raise RefusedError("bad_message", "JSON expected") from None
        if not isinstance(content, dict):
            raise RefusedError("bad_message", "an object expected")
        return content

    async def _greet(self, client: Client, hello: Message) -> None:
        contest, role = self._director.contest, hello.get("role")
        if role == "organiser":
            _check(desk.is_right(hello.get("token"), contest.organiser))
        elif role == "player":
            _check(self._knows_code(hello))
            self._recognise(client, hello.get("token"))
        elif role != "screen":
            raise RefusedError("bad_message", "a role expected")
        client.role = str(role)
        client.invited = role == "organiser" or self._knows_code(hello)
        you: dict[str, object] = {"kind": "welcome", "player": client.player}
        if client.player:
            you["name"] = contest.players[client.player].name
        if client.invited:
            host = client.socket.headers.get("host", "")
            you["invitation"] = self._invitation(host)
        await client.send(json.dumps(you))

    def _knows_code(self, hello: Message) -> bool:
        return desk.is_right(hello.get("code"), desk.hashed(self._director.contest.code))

    def _recognise(self, client: Client, token: object) -> None:
        for player in self._director.contest.players.values():
            if desk.is_right(token, player.token):
                self._take_over(client, player.player)

    def _take_over(self, client: Client, player: str) -> None:
        """Assign a client to a player; the player's previous page is closed."""
        for other in self._clients:
            if other.player == player:
                other.player = ""
                task = asyncio.create_task(other.close("elsewhere"))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
        client.player, client.sent = player, []

    async def _act(self, client: Client, message: Message) -> None:
        try:
            if client.role == "organiser":
                await self._organise(message)
            elif client.role == "player":
                await self._play(client, message)
        except QuickdrawError as error:
            word = error.word if isinstance(error, RefusedError) else "trouble"
            await client.send(json.dumps({"kind": "refused", "word": word}))

    async def _organise(self, message: Message) -> None:
        director, contest, kind = self._director, self._director.contest, message.get("kind")
        if kind == "begin":
            asked = (message.get(name) for name in ("models", "words", "rounds"))
            await director.begin(desk.begin(contest, *asked))
        elif kind in ("next", "start", "end"):
            act = {"next": director.announce, "start": director.start, "end": director.end}
            await act[str(kind)]()
        elif kind == "finish":
            await director.finish("organiser")
        elif kind in ("skip", "repeat"):
            await director.annul(again=kind == "repeat")
        elif kind == "withdraw":
            await director.write(desk.withdraw(contest, message.get("model")))

    async def _play(self, client: Client, message: Message) -> None:
        director, contest, kind = self._director, self._director.contest, message.get("kind")
        if kind == "join" and not client.player:
            event, token = desk.join(contest, message.get("name"))
            await director.write(event)
            client.player = event["player"]
            told = {"player": event["player"], "token": token, "name": event["name"]}
            await client.send(json.dumps({"kind": "joined", **told}))
            self.wake()
        if contest.now is None or client.player != contest.now.player:
            return
        if kind == "start":
            await director.start()
        elif kind == "ink":
            director.ink(message)
            client.sent = contest.drawing  # the client knows it
        elif kind == "done" and message.get("round") == contest.now.number:
            await director.finish("drawer")

    # ---- Messages to clients
    async def _tell(self, client: Client) -> None:
        last = ""
        with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            while True:
                client.woken.clear()
                text = self._state_text(client.role == "organiser")
                if text is not last:
                    await client.send(text)
                    last = text
                if ink := self._ink_text(client):
                    await client.send(ink)
                await asyncio.sleep(_PAUSE)
                await client.woken.wait()
        with contextlib.suppress(Exception):  # the client does not read
            await client.socket.close(1008)

    def _state_text(self, for_organiser: bool) -> str:
        name = "organiser" if for_organiser else "all"
        if name not in self._texts:
            make = broadcast.organisers_state if for_organiser else broadcast.state
            self._texts[name] = json.dumps(make(self._director), ensure_ascii=False)
        return self._texts[name]

    def _ink_text(self, client: Client) -> str:
        """Return the change of the drawing for a client; encoded once for all in the same state."""
        drawing, sent = self._director.contest.drawing, client.sent
        if sent is drawing:
            return ""
        client.sent = drawing
        if self._ink[0] is not sent or self._ink[1] is not drawing:
            found = change(sent, drawing)
            text = ""
            if found:
                keep, strokes = found
                number = self._director.contest.number
                told = {"kind": "ink", "round": number, "keep": keep, "strokes": strokes}
                text = json.dumps(told, separators=(",", ":"))
            self._ink = (sent, drawing, text)
        return self._ink[2]


def _check(is_right: bool) -> None:
    if not is_right:  # at least 60 bits: cannot be guessed
        raise RefusedError("wrong_link", "the link is wrong")
