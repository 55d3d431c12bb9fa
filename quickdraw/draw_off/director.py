"""The director runs the contest: the clock, the predictions, and the event log."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable

from quickdraw.console import log as tell
from quickdraw.draw_off import desk
from quickdraw.draw_off.contest import Contest
from quickdraw.draw_off.event_log import EventLog
from quickdraw.draw_off.lineup import Lineup
from quickdraw.draw_off.round_clock import RoundClock
from quickdraw.draw_off.rules import Event
from quickdraw.errors import QuickdrawError
from quickdraw.sandbox.cage import CageLimits

TICK = 0.25
_SHOW_AFTER, _SAY_AFTER = 0.15, 1.0  # seconds


class Director:
    """Runs a contest.

    Args:
        log: its events, earlier ones included.
        folder: of its models.
        limits: of each model's process.

    Attributes:
        contest: the current state.
        trouble: the error that the organiser should see; empty for none.
        here: returns the ids of the players who are connected.
        changed: called when the state changed.
        lineup: the models that take part.
    """

    def __init__(self, log: EventLog, folder: str, limits: CageLimits | None = None):
        self._log = log
        self.contest, self.trouble = Contest(), ""
        for event in log.events:
            self.contest.apply(event)
        self.clock = RoundClock()
        self.clock.set(self.contest.at)
        self.here: Callable[[], set[str]] = set
        self.changed: Callable[[], None] = lambda: None
        self.lineup = Lineup(folder, limits or CageLimits(), self._out, lambda: self.changed())
        self._finishing = False
        self._said = 0.0

    # ---- Events
    async def write(self, *events: Event) -> None:
        """Append events, apply them, and return once they are durable.

        Raises:
            QuickdrawError: they cannot be written; none of them was applied.
        """
        self.note(*events)
        await asyncio.to_thread(self._log.sync)

    def note(self, *events: Event) -> None:
        """Append events and apply them; they are durable within a tick."""
        moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        timed = [{"kind": event["kind"], "time": moment, **event} for event in events]
        try:
            self._log.append(*timed)
        except QuickdrawError as error:
            self.trouble = str(error)
            raise
        self.trouble = ""
        for event in timed:
            self.contest.apply(event)
        self._said = time.monotonic()
        self.changed()

    # ---- Rounds
    async def begin(self, event: Event) -> None:
        """Begin the contest, and start its models."""
        await self.write(event)
        self._load()

    async def announce(self) -> None:
        """Announce the next round: its player and its word."""
        await self.write(desk.next_round(self.contest, self.here()))
        self.clock.set(0)

    async def start(self) -> None:
        """Start the round's clock."""
        await self.write(desk.start(self.contest))

    async def finish(self, why: str) -> None:
        """End the round, after a last prediction of every model on the final drawing."""
        now = self.contest.now
        if now is None or self.contest.phase != "drawing" or self._finishing:
            raise desk.RefusedError("not_now", f"no drawing is under way: {self.contest.phase}")
        self._finishing = True
        try:
            at = min(self.clock.at, self.contest.limit)
            self.clock.set(at)
            await self.lineup.all_answered()
            self.lineup.ask(self.contest, at, once_more=True)
            await self.lineup.all_answered()
            self._note_answers()
            if self.contest.now is now:  # it was not annulled meanwhile
                await self.write({"kind": "finished", "round": now.number, "why": why})
        finally:
            self._finishing = False

    def ink(self, message: desk.Message) -> None:
        """Apply a change to the drawing.

        Raises:
            RefusedError: it is invalid.
        """
        at = min(self.clock.at, self.contest.limit)
        event = None if self._finishing else desk.ink(self.contest, message, at)
        if event:
            self.note(event)

    async def annul(self, again: bool) -> None:
        """Annul the current round, or the previous one."""
        await self.write(desk.annul(self.contest, again))
        self.clock.set(0)

    async def end(self) -> None:
        """End the contest, and stop its models."""
        await self.write(desk.end(self.contest))
        self.lineup.close()

    def _note_answers(self) -> None:
        """Append the answers that arrived, one event for each drawing."""
        now = self.contest.now
        for number, at, answers in self.lineup.answers():
            if now is not None and now.number == number:
                self.note({"kind": "answers", "round": number, "at": at, "answers": answers})

    def _load(self) -> None:
        chosen = [self.contest.models[model] for model in self.contest.chosen]
        self.lineup.load([each for each in chosen if not each.out])

    def _out(self, model: str, why: str) -> None:
        tell(f"{self.contest.models[model].name} is out: {why}")
        self.note({"kind": "out", "model": model, "why": why})

    # ---- The loop
    async def work(self) -> None:
        """Run the contest until cancelled."""
        if self.contest.phase not in ("lobby", "over"):
            self._load()
        beat = time.monotonic()
        try:
            while True:
                beat = max(beat + TICK, time.monotonic())
                await asyncio.sleep(beat - time.monotonic())
                try:
                    await self._tick()
                except QuickdrawError as error:  # such as a full disk; retried at the next tick
                    self.trouble = str(error)
                    self.changed()
        finally:
            self.lineup.close()
            self._log.close()

    async def _tick(self) -> None:
        now = self.contest.now
        if now is None or self.contest.phase != "drawing" or self._finishing:
            return
        runs = now.player in self.here()
        if runs != self.clock.runs:
            self.clock.run(runs)
            self.changed()
        at = self.clock.at
        if at >= self.contest.limit:
            await self.finish("time")
            return
        if runs and (tasks := self.lineup.ask(self.contest, at)):
            await asyncio.wait(tasks, timeout=_SHOW_AFTER)
        self._note_answers()
        if time.monotonic() - self._said > _SAY_AFTER and runs:
            self.note({"kind": "clock", "round": now.number, "at": at})
        await asyncio.to_thread(self._log.sync)
