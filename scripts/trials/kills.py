"""Kills: the server dies by kill -9 under load, again and again; nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from trials import checks
from trials.crowd import Reading, Sending, prepare, readers, send
from trials.hosting import Server, make
from trials.wire import Line

_PAUSE = 0.2


def run(
    url: str, log: str, lines: int, teams: int, people: int, rounds: int, alive: float
) -> dict[str, Any]:
    """Kill it so many times, each time after `alive` seconds or less; returns what is to be told.

    Teams send what got no answer again, with its key, as the command line does. They send until
    they are refused: half as much again as the daily limit.
    """
    limit = max(2, rounds)
    database, ids, tokens = make(url, lines, teams, limit)
    sendings = prepare(ids, teams, limit + limit // 2, faulty=0.1)
    waiting = [[each for each in sendings if each.team == team] for team in range(teams)]
    server = Server(url, log)
    told = {"kills": rounds, "without an answer": 0, "in the queue when killed": 0}
    try:
        for _ in range(rounds):
            server.start()
            told["without an answer"] += asyncio.run(
                _until_killed(server, tokens, waiting, people, random.uniform(0.2, 1) * alive)
            )
            told["in the queue when killed"] += checks.queued(database)
        server.start()
        asyncio.run(_rest(server.port, tokens, waiting))
        checks.wait_until_scored(database)
    finally:
        server.stop()
    allowed = (0, 200, 202, 422, 429)
    wrong = [f"submit: {each.status}" for each in sendings if each.status not in allowed]
    wrong += checks.wrong(database, sendings, limit)
    database.close()
    return {
        **told,
        "acknowledged": sum(each.acknowledged for each in sendings),
        "of these with faults": sum(each.acknowledged and each.labels is None for each in sendings),
        "refused by the limit": sum(each.status == 429 for each in sendings),
        "wrong": wrong,
    }


async def _until_killed(
    server: Server, tokens: list[str], waiting: list[list[Sending]], people: int, alive: float
) -> int:
    """Submit and look until the server is killed; returns how many requests it left unanswered."""
    unanswered = 0

    async def team(number: int) -> None:
        nonlocal unanswered
        line = Line(server.port)
        try:
            while waiting[number]:
                await send(line, tokens[number], waiting[number][0])
                waiting[number].pop(0)
                await asyncio.sleep(random.uniform(0, 2 * _PAUSE))
        except OSError:
            unanswered += 1
        finally:
            line.close()

    tasks = [asyncio.create_task(team(number)) for number in range(len(tokens))]
    async with readers(server.port, people, _PAUSE, Reading()):
        await asyncio.sleep(alive)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*tasks)
    return unanswered


async def _rest(port: int, tokens: list[str], waiting: list[list[Sending]]) -> None:
    async def team(number: int) -> None:
        line = Line(port)
        for sending in waiting[number]:
            await send(line, tokens[number], sending)
        line.close()

    await asyncio.gather(*map(team, range(len(tokens))))
