"""Work that few may do at once."""

from __future__ import annotations

import asyncio

import pytest

from quickdraw.serving.batching import BusyError
from quickdraw.serving.turns import Turns


def test_some_go_in_some_wait_and_more_are_refused():
    async def all_of_them() -> tuple[int, list[str]]:
        turns, go = Turns(2, 1), asyncio.Event()
        inside = most = 0

        async def one() -> str:
            nonlocal inside, most
            try:
                async with turns.turn():
                    inside += 1
                    most = max(most, inside)
                    await go.wait()
                    inside -= 1
                    return "done"
            except BusyError:
                return "refused"

        tasks = [asyncio.create_task(one()) for _ in range(5)]
        await asyncio.sleep(0.05)
        go.set()
        return most, await asyncio.gather(*tasks)

    most, found = asyncio.run(all_of_them())
    assert most == 2 and found == ["done"] * 3 + ["refused"] * 2


def test_a_turn_is_given_back_whatever_happens():
    async def all_of_them() -> None:
        turns = Turns(1, 0)
        for _ in range(3):
            with pytest.raises(ValueError, match="broken"):
                async with turns.turn():
                    raise ValueError("broken")
        waiting = asyncio.create_task(_forever(turns))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with turns.turn():
            pass

    asyncio.run(all_of_them())


async def _forever(turns: Turns) -> None:
    async with turns.turn():
        await asyncio.Event().wait()
