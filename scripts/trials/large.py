"""A large file: how long it takes, and whose memory; people look at the board meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import numpy as np

from trials import checks
from trials.crowd import Reading, prepare, readers, send
from trials.hosting import Server, make
from trials.wire import Line


def run(url: str, log: str, lines: int, people: int) -> dict[str, Any]:
    """Send a file of so many lines, twice, one behind the other; returns what is to be told."""
    database, ids, tokens = make(url, lines, 1, limit=5)
    sendings = prepare(ids, 1, 2)
    server = Server(url, log, "--size_limit=4096")
    server.start()
    told: dict[str, Any] = {"megabytes, packed": len(sendings[0].body) / 1e6}
    told["server's memory before, MB"] = server.memory()
    try:
        told |= asyncio.run(_both(server, tokens[0], sendings, people))
        told["server's memory after, MB"] = server.memory()
    finally:
        server.stop()
    told["wrong"] = checks.wrong(database, sendings, 5)
    database.close()
    return told


async def _both(server: Server, token: str, sendings: list[Any], people: int) -> dict[str, Any]:
    found, beside, places = Reading(), 0.0, set()
    lines = [Line(server.port) for _ in sendings]
    start = time.monotonic()
    async with readers(server.port, people, 1.0, found):
        await asyncio.gather(
            *(send(line, token, each) for line, each in zip(lines, sendings, strict=True))
        )
        taken = time.monotonic() - start
        while True:
            headers = {"Authorization": f"Bearer {token}"}
            _, body = await lines[0].ask("GET", "/api/submissions", headers)
            beside = max(beside, server.memory_beside())
            waiting = [each for each in json.loads(body) if each["status"] == "queued"]
            places |= {each["place"] for each in waiting}
            if not waiting:
                break
            await asyncio.sleep(0.5)
    for line in lines:
        line.close()
    return {
        "seconds until both were acknowledged": taken,
        "seconds until both were scored": time.monotonic() - start,
        "furthest place in the queue": max(places, default=0),
        "scoring process' memory, MB": beside,
        "board p95, ms": 1000 * float(np.percentile(found.seconds, 95)),
    }
