"""Load: teams submit files within a minute while readers look at the board."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import numpy as np

from trials import checks
from trials.crowd import Reading, Sending, prepare, readers, send
from trials.hosting import Server, make
from trials.wire import Line


def run(
    url: str, log: str, lines: int, teams: int, files: int, people: int, seconds: float
) -> dict[str, Any]:
    """Run it on an empty database; returns what is to be told, `wrong` being what went wrong."""
    database, ids, tokens = make(url, lines, teams, limit=files)
    sendings = prepare(ids, teams, files)
    server = Server(url, log)
    server.start()
    try:
        found = Reading()
        took = asyncio.run(_crowd(server.port, tokens, sendings, people, seconds, found))
        told = {"server's CPU, s": server.seconds(), "server's memory, MB": server.memory()}
    finally:
        server.stop()
    wrong = [f"submit: {each.status}" for each in sendings if each.status not in (200, 202)]
    wrong += found.errors + checks.wrong(database, sendings, files)
    database.close()
    return {
        "files": len(sendings),
        "seconds": took,
        "acknowledged": sum(each.acknowledged for each in sendings),
        **_times("submit", [each.seconds for each in sendings]),
        "board, requests": len(found.seconds),
        **_times("board", found.seconds),
        **told,
        "wrong": wrong,
    }


def _times(name: str, seconds: list[float]) -> dict[str, float]:
    names = {50: "p50", 95: "p95", 99: "p99", 100: "max"}
    return {
        f"{name} {text}, ms": 1000 * float(np.percentile(seconds, share))
        for share, text in names.items()
    }


async def _crowd(
    port: int,
    tokens: list[str],
    sendings: list[Sending],
    people: int,
    seconds: float,
    found: Reading,
) -> float:
    """Every file has its moment, whether or not the server keeps up."""
    loop = asyncio.get_running_loop()
    lines = [Line(port) for _ in tokens]
    turns = [asyncio.Lock() for _ in tokens]
    moments = np.sort(np.random.default_rng(1).random(len(sendings))) * seconds
    start = loop.time()

    async def one(sending: Sending, moment: float) -> None:
        await asyncio.sleep(start + moment - loop.time())
        async with turns[sending.team]:  # a team has one connection
            with contextlib.suppress(OSError):  # its status stays 0
                await send(lines[sending.team], tokens[sending.team], sending)

    async with readers(port, people, 1.0, found):
        await asyncio.gather(*map(one, sendings, moments.tolist()))
        took = loop.time() - start
    for line in lines:
        line.close()
    return took
